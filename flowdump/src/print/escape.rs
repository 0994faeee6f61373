//! Text from inputs, made safe for where it goes.

use std::borrow::Cow;

/// Text for a terminal: control characters, which could move the cursor or change colours, as `\u{1b}`.
pub(crate) fn terminal(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        let escape = |c: char| if is_unsafe(c) { c.escape_unicode().to_string() } else { c.to_string() };
        Cow::Owned(text.chars().map(escape).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, and those that change the direction of the text around them.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A JSON string with its quotes (RFC 8259 §7); what a terminal could take for a command is escaped as well.
pub(crate) fn json(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if is_unsafe(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// A CSV value, quoted where it has to be (RFC 4180 §2), control characters as for a terminal: CSV has no escapes
/// of its own, and a record stays on its line.
pub(crate) fn csv(text: &str, out: &mut Vec<u8>) {
    let text = terminal(text);
    if !text.contains(['"', ',']) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_see_no_escape_sequence() {
        assert_eq!(terminal("eni-1"), "eni-1");
        assert_eq!(terminal("\x1b[2Jü\u{202e}"), "\\u{1b}[2Jü\\u{202e}");
    }

    #[test]
    fn json_strings_parse_back() {
        let hostile = "a\"b\\c\n\r\t\u{0}\u{1f}\u{7f}\u{9b}\u{61c}\u{202e}\u{2066}ü\u{2028}😀";
        let mut out = Vec::new();
        json(hostile, &mut out);
        let parsed: String = serde_json::from_slice(&out).unwrap();
        assert_eq!(parsed, hostile);
        assert!(!String::from_utf8(out).unwrap().chars().any(is_unsafe));
    }

    #[test]
    fn csv_quotes_only_where_needed() {
        let quoted = |text: &str| {
            let mut out = Vec::new();
            csv(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(quoted("plain text"), "plain text");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("\x1b[2J\r\n\u{9b},"), "\"\\u{1b}[2J\\u{d}\\u{a}\\u{9b},\"");
    }
}
