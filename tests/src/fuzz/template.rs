//! Lists in columns of any text, printed for records of any bytes.

use flowdump::args::OutputFormat;
use flowdump::print::{Style, Template, printer};

use super::records;

/// The text behind `fmt:` or `csv:`, and after a byte that is in no text records to print: an error says where in the
/// text it is; what is printed is text.
pub fn template(data: &[u8]) {
    let Some((&options, data)) = data.split_first() else { return };
    let (text, seed) = records::split(data);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (name, read) = match options & 1 {
        0 => ("fmt", Template::parse(text).map(OutputFormat::Custom)),
        _ => ("csv", Template::parse_csv(text).map(OutputFormat::CsvColumns)),
    };
    let bit = |at: u8| options >> at & 1 == 1;
    let style = Style { heading: bit(1), plain_numbers: bit(2), full_ipv6: bit(3), color: bit(4) };
    match read {
        Ok(format) => prints(&format, style, seed),
        Err(error) => {
            let (shown, text) = (error.to_string(), text.to_owned());
            assert!(points_inside(&shown, name, &text), "{shown}");
        }
    }
}

/// Whether `-o fmt: WORD at character N ...` names a word that stands there. Nothing at all has no place.
fn points_inside(shown: &str, name: &str, text: &str) -> bool {
    const AT: &str = " at character ";
    let Some(rest) = shown.strip_prefix(&format!("-o {name}: ")) else { return false };
    let stands_there = |at: usize| {
        let (word, place) = (&rest[..at], &rest[at + AT.len()..]);
        let digits: String = place.chars().take_while(char::is_ascii_digit).collect();
        let behind: Option<String> = digits
            .parse::<usize>()
            .ok()
            .and_then(|place| place.checked_sub(1))
            .map(|before| text.chars().skip(before).collect());
        // What a terminal would obey is shown as an escape.
        let word = word.split('\\').next().unwrap_or_default();
        behind.is_some_and(|behind| behind.starts_with(word))
    };
    rest.starts_with("names no column") || places(rest, AT).any(stands_there)
}

/// Where a text is found in another one, overlapping or not.
fn places<'a>(text: &'a str, part: &'a str) -> impl Iterator<Item = usize> + 'a {
    (0..text.len()).filter(move |&at| text.get(at..).is_some_and(|rest| rest.starts_with(part)))
}

fn prints(format: &OutputFormat, style: Style, seed: &[u8]) {
    let batch = records::batch(seed);
    let mut printer = printer(format, style).expect("a format of text");
    let mut out = Vec::new();
    printer.begin(&mut out).expect("memory is writable");
    for row in 0..batch.len() {
        printer.row(&batch, row, &mut out).expect("memory is writable");
    }
    printer.end(&mut out).expect("memory is writable");
    let text = std::str::from_utf8(&out).expect("what is printed is text");
    assert!(text.lines().count() >= batch.len());
}
