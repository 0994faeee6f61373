//! Text of inputs that is safe to show: it can neither add a line to a message nor steer a terminal.

use std::fmt;

/// Whether a character does something to a terminal or to the text around it rather than being shown: control characters,
/// and those that change the direction of text (Unicode UAX #9).
///
/// ```
/// assert!("\n\u{1b}\u{9b}\u{202e}".chars().all(flowcore::steers_text));
/// assert!(!"a \\ü😀".chars().any(flowcore::steers_text));
/// ```
pub fn steers_text(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text with the characters that [steer](steers_text) spelled as `\u{1b}`.
///
/// ```
/// assert_eq!(flowcore::visible("a\nb.pcap").to_string(), r"a\u{a}b.pcap");
/// ```
pub fn visible(text: &str) -> impl fmt::Display {
    Visible(text)
}

struct Visible<'a>(&'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            c if steers_text(c) => c.escape_unicode().fmt(f),
            c => fmt::Write::write_char(f, c),
        })
    }
}
