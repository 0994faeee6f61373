//! A report as Markdown, for a ticket: tables of GitHub's kind, and nothing of the input that could be taken for markup.

use std::io::{self, Write};

use super::document::{Block, Chart, Document, Table};
use crate::print::terminal_lines;

/// Writes a report.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}", escaped(&document.title))?;
    document.blocks.iter().try_for_each(|block| match block {
        Block::Section(name) => writeln!(out, "\n## {}", escaped(name)),
        Block::Heading(name) => writeln!(out, "\n### {}", escaped(name)),
        Block::Text(text) => writeln!(out, "\n{}", escaped(text)),
        Block::Facts(facts) => {
            writeln!(out)?;
            facts.iter().try_for_each(|(name, fact)| writeln!(out, "- **{name}**: {}", escaped(fact)))
        }
        Block::List(items) => {
            writeln!(out)?;
            items.iter().try_for_each(|item| writeln!(out, "- {}", escaped(item)))
        }
        Block::Lines(lines) => code(lines, out),
        Block::Table(rows) => table(rows, out),
        Block::Chart(bars) => chart(bars, out),
        // Its hosts and links are in tables.
        Block::Graph(_) => Ok(()),
    })
}

/// Rows of a table that are shown.
const MOST: usize = 50;

fn table(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let names: Vec<String> = table.names().map(str::to_owned).collect();
    let rules: Vec<String> = (0..names.len())
        .map(|column| if table.is_right(column) { "---:".to_owned() } else { "---".to_owned() })
        .collect();
    writeln!(out, "\n{}\n{}", line(&names), line(&rules))?;
    for row in table.rows.iter().take(MOST) {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        writeln!(out, "{}", line(&cells))?;
    }
    match table.rows.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => writeln!(out, "\nand {more} more; -o json and -o html have them all"),
    }
}

/// Columns of a bar.
const BAR: u128 = 20;

fn chart(chart: &Chart, out: &mut dyn Write) -> io::Result<()> {
    let most = chart.most()[1].max(1);
    let bar = |value: u64| {
        let columns = (u128::from(value) * BAR).div_ceil(u128::from(most));
        "▇".repeat(usize::try_from(columns).unwrap_or(0))
    };
    let rows = chart.bars.iter().map(|one| {
        let [first, second] = one.values;
        vec![one.time.clone(), first.to_string(), second.to_string(), bar(second)]
    });
    table(&Table { columns: vec!["start", ">connections", ">bytes", "bytes"], rows: rows.collect() }, out)
}

/// Lines as they are, in a fence that is longer than any in them.
fn code(lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    writeln!(out, "\n{fence}text")?;
    lines.iter().try_for_each(|line| writeln!(out, "{}", terminal_lines(line)))?;
    writeln!(out, "{fence}")
}

/// Text that stays text: every character that Markdown or HTML could take for markup is escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in terminal_lines(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
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
    fn a_table_is_one_whatever_its_cells_hold() {
        let rows = vec![vec!["a|b\nc".to_owned(), "<img src=x>".to_owned()]];
        let text = written(Block::Table(Table::new(["one", ">two"], rows)));
        assert_eq!(text, "# T\n\n| one | two |\n| --- | ---: |\n| a\\|b c | &lt;img src=x&gt; |\n");
    }

    #[test]
    fn no_line_ends_a_fence() {
        let text = written(Block::Lines(vec!["````".to_owned()]));
        assert_eq!(text, "# T\n\n`````text\n````\n`````\n");
    }
}
