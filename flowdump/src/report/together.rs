//! What two sources say of the same conversations.

use flowcore::analysis::{CorrelateOptions, Correlation, correlate};

use super::comparison::summary;
use super::document::Block;
use super::source::Source;

/// Two sources side by side, by their places in the report.
pub(super) struct Compared {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) found: Correlation,
}

/// Pairs of sources that are compared; `flowdump correlate` takes any other two.
const PAIRS: usize = 6;

impl Compared {
    /// Every two sources that have connections. One of many files stands on the right, where `flowdump correlate` takes
    /// them.
    pub(super) fn all(sources: &[Source]) -> Vec<Self> {
        let has_some = |place: &usize| sources.get(*place).is_some_and(|one| !one.connections.is_empty());
        let places: Vec<usize> = (0..sources.len()).filter(has_some).collect();
        let pairs = places.iter().flat_map(|&left| {
            let later = places.iter().filter(move |&&right| right > left);
            later.map(move |&right| (left, right))
        });
        pairs.take(PAIRS).filter_map(|(left, right)| Self::of(sources, left, right)).collect()
    }

    fn of(sources: &[Source], left: usize, right: usize) -> Option<Self> {
        let files = |place: usize| sources.get(place).map(|one| one.input.paths.len());
        let (left, right) = if files(left) > files(right) { (right, left) } else { (left, right) };
        let connections = |place: usize| sources.get(place).map(|one| one.connections.as_slice());
        let found = correlate(connections(left)?, connections(right)?, CorrelateOptions::default());
        Some(Self { left, right, found })
    }
}

/// The section of a pair.
pub(super) fn section(compared: &Compared, sources: &[Source]) -> Vec<Block> {
    let name = |place: usize| sources.get(place).map_or("", |source| source.input.name.as_str());
    let (left, right) = (name(compared.left), name(compared.right));
    let mut blocks = vec![Block::Section(format!("{left} (left) and {right} (right), side by side"))];
    blocks.extend(summary(&compared.found, ["left", "right"]));
    blocks
}
