//! Charts and graphs as SVG, drawn with the colours of the page.

use std::fmt::Write as _;

use super::document::{Chart, Edge, Graph, Node, NodeKind};
use super::html::escaped;
use super::words::short_bytes;

/// Width of a picture, in units of its own.
const WIDTH: usize = 960;

/// Bytes as bars, and the number of connections as a line over them.
pub(super) fn chart(chart: &Chart) -> String {
    const HEIGHT: usize = 180;
    let [most_count, most_bytes] = chart.most().map(|most| most.max(1));
    let count = chart.bars.len().max(1);
    let height = |value: u64, most: u64| u128::from(value) * HEIGHT as u128 / u128::from(most);
    let mut svg = open(WIDTH, HEIGHT + 44, "Bytes as bars and connections as a line, over time");
    let mut line = String::new();
    for (at, bar) in chart.bars.iter().enumerate() {
        let [connections, bytes] = bar.values;
        let (left, right) = (at * WIDTH / count, (at + 1) * WIDTH / count);
        let tall = height(bytes, most_bytes);
        let title = format!("{}: {connections} connections, {bytes} bytes", bar.time);
        put(
            &mut svg,
            format_args!(
                "<g><title>{}</title><rect x=\"{left}\" y=\"12\" width=\"{}\" height=\"{HEIGHT}\" fill=\"transparent\"/>\
             <rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{tall}\"/></g>",
                escaped(&title),
                right - left,
                left + 1,
                HEIGHT as u128 + 12 - tall,
                (right - left).saturating_sub(2).max(1),
            ),
        );
        put(
            &mut line,
            format_args!(
                "{},{} ",
                usize::midpoint(left, right),
                HEIGHT as u128 + 12 - height(connections, most_count)
            ),
        );
    }
    put(&mut svg, format_args!("<polyline class=\"count\" points=\"{}\"/>", line.trim_end()));
    let base = HEIGHT + 12;
    put(&mut svg, format_args!("<line class=\"axis\" x1=\"0\" y1=\"{base}\" x2=\"{WIDTH}\" y2=\"{base}\"/>"));
    let ends = [(chart.bars.first(), 0, "start"), (chart.bars.last(), WIDTH, "end")];
    for (bar, x, anchor) in ends {
        let time = bar.map_or("", |bar| bar.time.as_str());
        put(
            &mut svg,
            format_args!(
                "<text class=\"soft\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                base + 16,
                escaped(time)
            ),
        );
    }
    put(
        &mut svg,
        format_args!(
            "<text class=\"soft\" x=\"0\" y=\"{}\">bars: bytes, up to {}; line: connections, up to {most_count}</text></svg>",
            base + 30,
            short_bytes(most_bytes)
        ),
    );
    svg
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
            let row = taken.get_mut(node.layer).map_or(0, |next: &mut usize| {
                *next += 1;
                *next - 1
            });
            let top = (tallest.max(2) - size(node.layer).min(tallest.max(2))) * STEP / 2;
            (node.layer * gap + 1, top + row * STEP + 6)
        })
        .collect();
    let mut svg = open(width, height, "Who talked to whom");
    for edge in &graph.edges {
        let ends = (
            places.get(edge.from),
            places.get(edge.to),
            graph.nodes.get(edge.from),
            graph.nodes.get(edge.to),
        );
        if let (Some(from), Some(to), Some(source), Some(target)) = ends {
            draw_edge(edge, *from, *to, (source, target), &mut svg);
        }
    }
    graph.nodes.iter().zip(&places).for_each(|(node, place)| draw_node(node, *place, &mut svg));
    svg.push_str("</svg>");
    svg
}

fn draw_edge(
    edge: &Edge,
    from: (usize, usize),
    to: (usize, usize),
    (source, target): (&Node, &Node),
    svg: &mut String,
) {
    let (half, is_forward) = (NODE.1 / 2, to.0 >= from.0);
    let (x1, x2) = if is_forward { (from.0 + NODE.0, to.0) } else { (from.0, to.0 + NODE.0) };
    // Links there and back lie beside each other, with their names above and below.
    let (shift, above) = if is_forward { (half - 4, -6) } else { (half + 4, 12) };
    let (y1, y2) = (from.1 + shift, to.1 + shift);
    // Tenths: from 1 to about 7, one tenth more for each doubling.
    let width = 10 + edge.bytes.checked_ilog2().unwrap_or(0);
    let kind = if target.kind == NodeKind::Hop { "edge hop" } else { "edge" };
    let middle = usize::midpoint(x1, x2);
    put(
        svg,
        format_args!(
            "<g><title>{}</title><path class=\"{kind}\" stroke-width=\"{}.{}\" marker-end=\"url(#tip)\" d=\"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}\"/></g>",
            escaped(&format!("{} to {}: {}, {} bytes", source.name, target.name, edge.label, edge.bytes)),
            width / 10,
            width % 10,
        ),
    );
    put(
        svg,
        format_args!(
            "<text class=\"soft\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            usize::midpoint(y1, y2).saturating_add_signed(above),
            escaped(&edge.label)
        ),
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
    put(
        svg,
        format_args!(
            "<g><title>{}</title><rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"4\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}{cut}</text></g>",
            escaped(&node.name),
            NODE.0,
            NODE.1,
            x + NODE.0 / 2,
            y + 15,
            escaped(&short)
        ),
    );
}

fn open(width: usize, height: usize, label: &str) -> String {
    format!(
        "<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\
         <defs><marker id=\"tip\" viewBox=\"0 0 6 6\" refX=\"6\" refY=\"3\" markerWidth=\"7\" markerHeight=\"7\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L6 3L0 6z\" class=\"soft\"/></marker></defs>"
    )
}

/// A String takes all that is written.
fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).unwrap_or_default();
}
