//! Reference pages, manual page and completion scripts, all made from the tables that the program itself works by.

mod fields;
mod filter;
mod formats;
mod generate;
mod values;

pub(crate) use generate::Generated;

use crate::args::Flags;

/// The text that options ask for instead of a run.
pub(crate) fn asked(flags: &Flags) -> Option<Vec<u8>> {
    let pages: [(bool, fn() -> String); 3] = [
        (flags.help_filter, filter::page),
        (flags.help_fields, fields::page),
        (flags.help_formats, formats::page),
    ];
    let page = pages.into_iter().find(|(asked, _)| *asked).map(|(_, page)| page().into_bytes());
    page.or_else(|| flags.generate.map(Generated::text))
}

/// Columns of the pages, which no terminal is too narrow for.
const WIDTH: usize = 80;

/// Adds words with blanks between them, in lines that begin with so many blanks.
fn wrap<'a>(words: impl IntoIterator<Item = &'a str>, indent: usize, out: &mut String) {
    let mut column = 0;
    for word in words {
        let len = word.chars().count();
        if column > 0 && column + 1 + len <= WIDTH {
            out.push(' ');
            column += 1 + len;
        } else {
            out.push_str(if column > 0 { "\n" } else { "" });
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent + len;
        }
        out.push_str(word);
    }
    out.push('\n');
}

/// Adds names in columns, each as wide as the longest name. A name that is a list is broken where it has commas, if the
/// lines are too short for it.
fn table(names: &[String], indent: usize, out: &mut String) {
    let (lists, names): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| name.chars().count() + indent > WIDTH);
    lists.into_iter().for_each(|list| wrap(list.split_inclusive(", ").map(str::trim_end), indent, out));
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
    let columns = ((WIDTH - indent) / width).max(1);
    for line in names.chunks(columns) {
        out.extend(std::iter::repeat_n(' ', indent));
        let cells: String = line.iter().map(|name| format!("{name:<width$}")).collect();
        out.push_str(cells.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_page_is_too_long() {
        for page in [filter::page(), fields::page(), formats::page()] {
            for line in page.lines() {
                assert!(line.chars().count() <= 100 && line.trim_end() == line, "{line}");
            }
        }
    }

    #[test]
    fn words_are_wrapped_and_kept() {
        let words: Vec<String> = (0..50).map(|n| format!("word{n}")).collect();
        let mut text = String::new();
        wrap(words.iter().map(String::as_str), 4, &mut text);
        assert!(text.lines().all(|line| line.starts_with("    word") && line.len() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().collect::<Vec<_>>(), words);
    }
}
