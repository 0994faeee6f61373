//! Where our counts are not those of the reference, and why: `tests/exceptions.tsv` for packets and bytes,
//! `tests/flow-differences.tsv` for flows. Both hold what was found by looking at the packets.

use std::sync::LazyLock;

/// A capture in which we count other packets or bytes than tshark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Name of the capture.
    pub file: &'static str,
    /// Our packets and bytes.
    pub ours: (u64, u64),
    /// tshark's packets and bytes.
    pub tshark: (u64, u64),
    /// Why, from the bytes of the packets.
    pub reason: &'static str,
}

/// A capture with all packets in nfpcapd's records, from which `nfdump -b` makes another number of flows than we do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowDifference {
    /// Name of the capture.
    pub file: &'static str,
    /// Ours.
    pub ours: u64,
    /// Rows of `nfdump -b`.
    pub nfdump: u64,
    /// Why, from the bytes of the packets.
    pub reason: &'static str,
}

/// The table of packets and bytes.
pub fn exceptions() -> &'static [Exception] {
    static ROWS: LazyLock<Vec<Exception>> = LazyLock::new(|| {
        rows(include_str!("../../exceptions.tsv"), |file, [packets, bytes, of_tshark, its_bytes], reason| {
            Exception { file, ours: (packets, bytes), tshark: (of_tshark, its_bytes), reason }
        })
    });
    &ROWS
}

/// The table of flows.
pub fn flow_differences() -> &'static [FlowDifference] {
    static ROWS: LazyLock<Vec<FlowDifference>> = LazyLock::new(|| {
        rows(include_str!("../../flow-differences.tsv"), |file, [ours, nfdump], reason| FlowDifference {
            file,
            ours,
            nfdump,
            reason,
        })
    });
    &ROWS
}

/// The rows behind the heading: a file, numbers, a reason.
fn rows<T, const N: usize>(
    text: &'static str,
    row: impl Fn(&'static str, [u64; N], &'static str) -> T,
) -> Vec<T> {
    let parse = |line: &'static str| {
        let cells: Vec<&'static str> = line.split('\t').collect();
        assert!(cells.len() == N + 2, "\"{line}\" has not {} columns", N + 2);
        let number = |at: usize| {
            cells[at + 1]
                .parse()
                .unwrap_or_else(|_| panic!("\"{}\" is no number in \"{line}\"", cells[at + 1]))
        };
        row(cells[0], std::array::from_fn(number), cells[N + 1])
    };
    text.lines().skip(1).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The project's own limit for the exceptions there may be.
    const MOST: usize = 20;

    #[test]
    fn the_tables_are_short_sorted_and_give_reasons() {
        assert!(exceptions().len() <= MOST, "{} exceptions", exceptions().len());
        assert!(exceptions().is_sorted_by(|a, b| a.file < b.file));
        assert!(flow_differences().is_sorted_by(|a, b| a.file < b.file));
        assert!(exceptions().iter().all(|row| row.ours != row.tshark && row.reason.len() > 20));
        assert!(flow_differences().iter().all(|row| row.ours != row.nfdump && row.reason.len() > 20));
    }
}
