//! Charts and graphs as SVG, drawn with the colours of the page.

use std::fmt::Write as _;

use super::document::{Bar, Chart, Edge, Graph, Node, NodeKind};
use super::html::escaped;
use super::words::{counted, short_bytes};

/// Width of a picture, in units of its own.
const WIDTH: usize = 960;

/// Height of the highest bar of a chart.
const TALL: usize = 180;
/// Where bars stand.
const BASE: usize = TALL + 12;

/// Writes into a picture. A `String` takes all that is written.
macro_rules! put {
    ($svg:expr, $($text:tt)*) => {
        $svg.write_fmt(format_args!($($text)*)).unwrap_or_default()
    };
}

/// Bytes as bars, and the number of connections as a line over them.
pub(super) fn chart(chart: &Chart) -> String {
    let [most_count, most_bytes] = chart.most().map(|most| most.max(1));
    let mut svg = open(WIDTH, TALL + 44, "Bytes as bars and connections as a line, over time");
    let (mut points, count) = (String::new(), chart.bars.len());
    for (at, bar) in chart.bars.iter().enumerate() {
        let sides = (at * WIDTH / count, (at + 1) * WIDTH / count);
        draw_bar(bar, sides, most_bytes, &mut svg);
        put!(points, "{},{} ", usize::midpoint(sides.0, sides.1), top(bar.values[0], most_count));
    }
    put!(svg, "<polyline class=\"count\" points=\"{}\"/>", points.trim_end());
    put!(svg, "<line class=\"axis\" x1=\"0\" y1=\"{BASE}\" x2=\"{WIDTH}\" y2=\"{BASE}\"/>");
    for (bar, x, anchor) in [(chart.bars.first(), 0, "start"), (chart.bars.last(), WIDTH, "end")] {
        let (y, time) = (BASE + 16, escaped(bar.map_or("", |bar| &bar.time)));
        put!(svg, "<text class=\"soft\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{time}</text>");
    }
    let (y, most) = (BASE + 30, short_bytes(most_bytes));
    put!(svg, "<text class=\"soft\" x=\"0\" y=\"{y}\">bars: bytes, up to {most}; ");
    put!(svg, "line: connections, up to {most_count}</text></svg>");
    svg
}

/// The bar of its bytes; its title shows wherever the pointer is above or below.
fn draw_bar(bar: &Bar, (left, right): (usize, usize), most: u64, svg: &mut String) {
    let [connections, bytes] = bar.values;
    let title = format!("{}: {}, {}", bar.time, counted(connections, "connection"), counted(bytes, "byte"));
    let (title, top, wide) = (escaped(&title), top(bytes, most), right - left);
    put!(svg, "<g><title>{title}</title>");
    put!(svg, "<rect x=\"{left}\" y=\"12\" width=\"{wide}\" height=\"{TALL}\" fill=\"transparent\"/>");
    let (x, thin) = (left + 1, wide.saturating_sub(2).max(1));
    put!(svg, "<rect class=\"bar\" x=\"{x}\" y=\"{top}\" width=\"{thin}\" height=\"{}\"/></g>", BASE - top);
}

/// Where a value ends, seen from above.
fn top(value: u64, most: u64) -> usize {
    let tall = u128::from(value) * TALL as u128 / u128::from(most);
    BASE - usize::try_from(tall).unwrap_or(TALL).min(TALL)
}

/// Height of a line of the graph.
const STEP: usize = 34;
/// Size of a host.
const NODE: (usize, usize) = (170, 22);

/// Hosts in columns from left to right, and links between them; the wider, the more bytes.
pub(super) fn graph(graph: &Graph) -> String {
    let layers = graph.nodes.iter().map(|node| node.layer + 1).max().unwrap_or(1);
    let size = |layer: usize| graph.nodes.iter().filter(|node| node.layer == layer).count();
    let tallest = (0..layers).map(size).max().unwrap_or(1);
    let (width, height) = (WIDTH.max(layers * (NODE.0 + 130)), tallest.max(2) * STEP + 12);
    let gap = if layers > 1 { (width - NODE.0 - 2) / (layers - 1) } else { 0 };
    let mut taken = vec![0; layers];
    let places: Vec<(usize, usize)> = graph
        .nodes
        .iter()
        .map(|node| {
            let row = taken.get_mut(node.layer).map_or(0, |next| std::mem::replace(next, *next + 1));
            let top = (tallest.max(2) - size(node.layer).min(tallest.max(2))) * STEP / 2;
            (node.layer * gap + 1, top + row * STEP + 6)
        })
        .collect();
    let mut svg = open(width, height, "Who talked to whom");
    for edge in &graph.edges {
        let end = |at: usize| Some((*places.get(at)?, graph.nodes.get(at)?));
        if let (Some(from), Some(to)) = (end(edge.from), end(edge.to)) {
            draw_edge(edge, from, to, &mut svg);
        }
    }
    graph.nodes.iter().zip(&places).for_each(|(node, place)| draw_node(node, *place, &mut svg));
    svg.push_str("</svg>");
    svg
}

/// A node and its upper left corner.
type End<'a> = ((usize, usize), &'a Node);

fn draw_edge(edge: &Edge, (from, source): End<'_>, (to, target): End<'_>, svg: &mut String) {
    let (half, is_forward) = (NODE.1 / 2, to.0 >= from.0);
    let (x1, x2) = if is_forward { (from.0 + NODE.0, to.0) } else { (from.0, to.0 + NODE.0) };
    // Links there and back lie beside each other, with their names above and below.
    let (shift, above) = if is_forward { (half - 4, -6) } else { (half + 4, 12) };
    let (y1, y2) = (from.1 + shift, to.1 + shift);
    // Tenths: from 1 to about 7, one tenth more for each doubling.
    let width = 10 + edge.bytes.checked_ilog2().unwrap_or(0);
    let kind = if target.kind == NodeKind::Hop { "edge hop" } else { "edge" };
    let middle = usize::midpoint(x1, x2);
    put!(
        svg,
        "<g><title>{}</title><path class=\"{kind}\" stroke-width=\"{}.{}\" marker-end=\"url(#tip)\" d=\"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}\"/></g>",
        escaped(&format!("{} to {}: {}, {} bytes", source.name, target.name, edge.label, edge.bytes)),
        width / 10,
        width % 10,
    );
    put!(
        svg,
        "<text class=\"soft\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        usize::midpoint(y1, y2).saturating_add_signed(above),
        escaped(&edge.label)
    );
}

fn draw_node(node: &Node, (x, y): (usize, usize), svg: &mut String) {
    let kind = match node.kind {
        NodeKind::Subject => "node subject",
        NodeKind::Peer => "node",
        NodeKind::Hop => "node hop",
    };
    let short: String = node.name.chars().take(26).collect();
    let cut = if short.len() < node.name.len() { "\u{2026}" } else { "" };
    put!(
        svg,
        "<g><title>{}</title><rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"4\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}{cut}</text></g>",
        escaped(&node.name),
        NODE.0,
        NODE.1,
        x + NODE.0 / 2,
        y + 15,
        escaped(&short)
    );
}

fn open(width: usize, height: usize, label: &str) -> String {
    format!(
        "<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\
         <defs><marker id=\"tip\" viewBox=\"0 0 6 6\" refX=\"6\" refY=\"3\" markerWidth=\"7\" markerHeight=\"7\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L6 3L0 6z\" class=\"soft\"/></marker></defs>"
    )
}
