//! A report as one HTML file that asks nothing of the network: the style, the pictures and the script that sorts its tables
//! are inside, and its policy allows no other.

use std::io::{self, Write};

use super::document::{Block, Document, Table};
use super::svg;
use crate::print::terminal_lines;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/sort.js");
/// The hash of the script, by which the page's policy knows it.
const SCRIPT_HASH: &str = "sha256-w1pud3lR/jp+P4f8FftgHjseRjjENSRLbkelhxlW6ws=";

/// Writes a report.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let title = escaped(&document.title);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{SCRIPT_HASH}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>"
    )?;
    contents(document, out)?;
    writeln!(out, "<main>")?;
    document.blocks.iter().enumerate().try_for_each(|(at, one)| block(at, one, out))?;
    writeln!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>")
}

/// Links to the sections.
fn contents(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<nav aria-label=\"Sections\"><ul>")?;
    for (at, one) in document.blocks.iter().enumerate() {
        if let Block::Section(name) = one {
            writeln!(out, "<li><a href=\"#part-{at}\">{}</a></li>", escaped(name))?;
        }
    }
    writeln!(out, "</ul></nav>")
}

fn block(at: usize, block: &Block, out: &mut dyn Write) -> io::Result<()> {
    match block {
        Block::Section(name) => writeln!(out, "<h2 id=\"part-{at}\">{}</h2>", escaped(name)),
        Block::Heading(name) => writeln!(out, "<h3>{}</h3>", escaped(name)),
        Block::Text(text) => writeln!(out, "<p>{}</p>", escaped(text)),
        Block::Facts(facts) => {
            let fact = |(name, fact): &(&str, String)| format!("<dt>{name}</dt><dd>{}</dd>", escaped(fact));
            writeln!(out, "<dl>{}</dl>", facts.iter().map(fact).collect::<String>())
        }
        Block::List(items) => {
            let item = |item: &String| format!("<li>{}</li>", escaped(item));
            writeln!(out, "<ul>{}</ul>", items.iter().map(item).collect::<String>())
        }
        Block::Lines(lines) => {
            let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
            writeln!(out, "<pre>{}</pre>", lines.join("\n"))
        }
        Block::Table(rows) => table(rows, out),
        Block::Chart(bars) => writeln!(out, "<figure class=\"wide\">{}</figure>", svg::chart(bars)),
        Block::Graph(hosts) => {
            let more = match hosts.left_out {
                0 => String::new(),
                count => format!("; {count} more hosts are in the tables only"),
            };
            let caption = format!("Who talked to whom, initiators at the blunt ends{more}");
            let graph = svg::graph(hosts);
            writeln!(
                out,
                "<h3>Graph</h3>\n<figure class=\"wide\">{graph}<figcaption>{caption}</figcaption></figure>"
            )
        }
    }
}

/// Rows of a table that are shown.
const MOST: usize = 5000;

fn table(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let class = |column: usize| if table.is_right(column) { " class=\"right\"" } else { "" };
    writeln!(out, "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>")?;
    for (column, name) in table.names().enumerate() {
        writeln!(out, "<th scope=\"col\"{}><button type=\"button\">{name}</button></th>", class(column))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for row in table.rows.iter().take(MOST) {
        let cell = |(column, cell): (usize, &String)| format!("<td{}>{}</td>", class(column), escaped(cell));
        writeln!(out, "<tr>{}</tr>", row.iter().enumerate().map(cell).collect::<String>())?;
    }
    writeln!(out, "</tbody></table></div>")?;
    match table.rows.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => writeln!(out, "<p>and {more} more; -o json has them all</p>"),
    }
}

/// Text that stays text, inside of elements and of attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in terminal_lines(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Base64 (RFC 4648).
    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
                << (8 * (3 - chunk.len()));
            for digit in 0..4 {
                let place = (word >> (18 - 6 * digit) & 63) as usize;
                text.push(if digit <= chunk.len() { DIGITS[place].into() } else { '=' });
            }
        }
        text
    }

    #[test]
    fn the_policy_knows_the_script() {
        assert_eq!(SCRIPT_HASH, format!("sha256-{}", base64(&Sha256::digest(SCRIPT))));
    }

    #[test]
    fn what_an_input_says_stays_text() {
        let hostile = "</title><script>alert(1)</script>\"'&".to_owned();
        let blocks = vec![
            Block::Section(hostile.clone()),
            Block::Facts(vec![("x", hostile.clone())]),
            Block::List(vec![hostile.clone()]),
            Block::Lines(vec![hostile.clone()]),
            Block::Table(Table::new(["a"], vec![vec![hostile.clone()]])),
        ];
        let mut out = Vec::new();
        write(&Document { title: hostile, blocks }, &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert!(!page.contains("<script>alert"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(1)").count(), 8);
    }
}
