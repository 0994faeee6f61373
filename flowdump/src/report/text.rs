//! A report as text for a terminal: tables whose columns are as wide as their values, bars of `#`.

use std::io::{self, Write};

use super::document::{Bar, Block, Chart, Document, Table};
use crate::print::terminal_lines;

/// Writes a report.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    line(&document.title, out)?;
    // A heading that follows that of a section stands under its empty line.
    let mut is_apart = false;
    document.blocks.iter().try_for_each(|block| {
        let is_first = std::mem::replace(&mut is_apart, matches!(block, Block::Section(_)));
        let gap = if is_first { "" } else { "\n" };
        write_block(block, gap, out)
    })
}

fn write_block(block: &Block, gap: &str, out: &mut dyn Write) -> io::Result<()> {
    match block {
        Block::Section(name) => line(&format!("\n== {name} =="), out).and_then(|()| writeln!(out)),
        Block::Heading(name) => line(&format!("{gap}{name}"), out),
        Block::Text(text) => line(&format!("  {text}"), out),
        Block::Facts(facts) => {
            facts.iter().try_for_each(|(name, fact)| line(&format!("{name:<12}  {fact}"), out))
        }
        Block::List(items) => items.iter().try_for_each(|item| line(&format!("  - {item}"), out)),
        Block::Lines(lines) => lines.iter().try_for_each(|text| line(&format!("  {text}"), out)),
        Block::Table(rows) => table(rows, out),
        Block::Chart(bars) => chart(bars, out),
        // Its hosts and links are in tables.
        Block::Graph(_) => Ok(()),
    }
}

fn line(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", terminal_lines(text))
}

/// Rows of a table that are shown.
const MOST: usize = 50;

fn table(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let names = table.names().map(str::to_owned).collect();
    let shown = table
        .rows
        .iter()
        .take(MOST)
        .map(|row| row.iter().map(|cell| terminal_lines(cell).to_string()).collect());
    let lines: Vec<Vec<String>> = std::iter::once(names).chain(shown).collect();
    let width = |column| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell: &String| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    for cells in &lines {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if table.is_right(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        let text = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "  {}", text.trim_end())?;
    }
    match table.rows.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more; -o json and -o html have them all"),
    }
}

/// Columns of a bar.
const BAR: u128 = 24;

fn chart(chart: &Chart, out: &mut dyn Write) -> io::Result<()> {
    let most = chart.most();
    let width = |at: usize| {
        let widest =
            chart.bars.iter().filter_map(|bar| bar.values.get(at)).map(|value| value.to_string().len());
        widest.max().unwrap_or(0).max(chart.names.get(at).map_or(0, |name| name.len()))
    };
    let bar = |value: u64, most: u64| {
        let columns = (u128::from(value) * BAR).div_ceil(u128::from(most.max(1)));
        "#".repeat(usize::try_from(columns).unwrap_or(0))
    };
    let (bar_width, widths) = (BAR as usize, [width(0), width(1)]);
    let times = chart.bars.iter().map(|bar| bar.time.len()).max().unwrap_or(0).max("start".len());
    let [one, two] = chart.names;
    let [a, b] = widths;
    writeln!(out, "  {:<times$}  {one:>a$}  {:bar_width$}  {two:>b$}", "start", "")?;
    for Bar { time, values: [first, second] } in &chart.bars {
        let bars = [bar(*first, most[0]), bar(*second, most[1])];
        let text =
            format!("  {time:<times$}  {first:>a$}  {:<bar_width$}  {second:>b$}  {}", bars[0], bars[1]);
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(block: Block) -> String {
        let mut out = Vec::new();
        write(&Document { title: "T".to_owned(), blocks: vec![block] }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_as_wide_as_their_values() {
        let rows = [["tcp/22", "7"], ["udp/53", "12345"]].map(|row| row.map(str::to_owned).to_vec());
        let text = written(Block::Table(Table::new(["service", ">n"], rows.into())));
        assert_eq!(text, "T\n  service      n\n  tcp/22       7\n  udp/53   12345\n");
    }

    #[test]
    fn the_longest_bar_is_the_largest_value() {
        let bars = [("a", [1, 0]), ("b", [u64::MAX, 3])];
        let bars = bars.map(|(time, values)| Bar { time: time.to_owned(), values }).into();
        let text = written(Block::Chart(Chart { names: ["flows", "bytes"], bars }));
        let bars: Vec<usize> = text.lines().map(|line| line.matches('#').count()).collect();
        assert_eq!(bars, [0, 0, 1, 48]);
    }

    #[test]
    fn what_an_input_says_does_not_steer_the_terminal() {
        assert!(!written(Block::Section("\u{1b}[2Jx".to_owned())).contains('\u{1b}'));
    }
}
