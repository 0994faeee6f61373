//! What a report is made of, whatever it is written as: headings, sentences, tables, charts. Text, Markdown and HTML write
//! the same document, so that they say the same.

/// A report to be read by people.
pub(super) struct Document {
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A part of a report. Texts can hold what an input said: who writes them out escapes them.
pub(super) enum Block {
    /// Of a source, or of what all have in common.
    Section(String),
    /// Of a part of a section.
    Heading(String),
    /// Sentences.
    Text(String),
    /// Names with what is to be said of them.
    Facts(Vec<(&'static str, String)>),
    /// Sentences one by one.
    List(Vec<String>),
    /// Rows in columns.
    Table(Table),
    /// Lines that stay as they are.
    Lines(Vec<String>),
    /// How much there was over time.
    Chart(Chart),
    /// Who talked to whom; tables say the same to those who cannot see it.
    Graph(Graph),
}

/// A table; a heading that begins with `>` stands, as its column, to the right.
pub(super) struct Table {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Bars over time.
pub(super) struct Chart {
    /// What the two bars are.
    pub(super) names: [&'static str; 2],
    pub(super) bars: Vec<Bar>,
}

/// One interval of a chart.
pub(super) struct Bar {
    pub(super) time: String,
    pub(super) values: [u64; 2],
}

/// Hosts in layers from left to right, and links between them.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// Hosts that there is no room for.
    pub(super) left_out: usize,
}

/// A host.
pub(super) struct Node {
    pub(super) name: String,
    /// Steps from the left.
    pub(super) layer: usize,
    pub(super) kind: NodeKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    Subject,
    Peer,
    Hop,
}

/// A link between two hosts, by their places among the nodes.
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: String,
    pub(super) bytes: u64,
}

impl Table {
    pub(super) fn new<const N: usize>(columns: [&'static str; N], rows: Vec<Vec<String>>) -> Self {
        Self { columns: columns.into(), rows }
    }

    /// The headings as they are written.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|name| name.trim_start_matches('>'))
    }

    /// Whether a column stands to the right.
    pub(super) fn is_right(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|name| name.starts_with('>'))
    }
}

impl Chart {
    /// The largest value of each bar.
    pub(super) fn most(&self) -> [u64; 2] {
        [0, 1].map(|at: usize| {
            self.bars.iter().filter_map(|bar| bar.values.get(at)).copied().max().unwrap_or(0)
        })
    }
}
