//! Text from inputs, made safe for where it goes.
//!
//! Texts can be as long as a payload: what is safe is copied in runs, and only what is not is looked at one by one.

use std::borrow::Cow;

use flowcore::steers_text;

/// Text for a terminal: control characters, which could move the cursor or change colours, as `\u{1b}`.
pub(crate) fn terminal(text: &str) -> Cow<'_, str> {
    if !text.contains(steers_text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    for (run, special) in runs(text, steers_text) {
        out.push_str(run);
        out.extend(special.into_iter().flat_map(char::escape_unicode));
    }
    Cow::Owned(out)
}

/// A payload, whose characters are bytes, in the form in which filters take it: what is not printable ASCII as `\r`,
/// `\n`, `\t`, `\\` or `\x9f`.
pub(crate) fn payload(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() * 2);
    for (run, special) in runs(text, is_special_in_payload) {
        out.extend_from_slice(run.as_bytes());
        special.into_iter().for_each(|c| escape_byte(c, &mut out));
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A JSON string with its quotes (RFC 8259 §7); what a terminal could take for a command is escaped as well.
pub(crate) fn json(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for (run, special) in runs(text, |c| matches!(c, '"' | '\\') || steers_text(c)) {
        out.extend_from_slice(run.as_bytes());
        match special {
            None => {}
            Some('"') => out.extend_from_slice(b"\\\""),
            Some('\\') => out.extend_from_slice(b"\\\\"),
            Some('\n') => out.extend_from_slice(b"\\n"),
            Some('\r') => out.extend_from_slice(b"\\r"),
            Some('\t') => out.extend_from_slice(b"\\t"),
            Some(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(b"\\u");
                    unit.to_be_bytes().into_iter().for_each(|byte| push_hex(byte, out));
                }
            }
        }
    }
    out.push(b'"');
}

/// A CSV value, quoted where it has to be (RFC 4180 §2). CSV has no escapes of its own, and a record stays on its line:
/// control characters are as for a terminal, and a backslash is `\\`, so that no two texts look alike.
pub(crate) fn csv(text: &str, out: &mut Vec<u8>) {
    csv_value(text, |c| c == '\\' || steers_text(c), escape_unicode, out);
}

/// The same as a text of its own.
pub(crate) fn csv_field(text: &str) -> String {
    let mut field = Vec::new();
    csv(text, &mut field);
    String::from_utf8_lossy(&field).into_owned()
}

/// A [payload](payload()) as a CSV value.
pub(crate) fn csv_payload(text: &str, out: &mut Vec<u8>) {
    csv_value(text, is_special_in_payload, escape_byte, out);
}

fn csv_value(
    text: &str,
    is_special: impl Fn(char) -> bool + Copy,
    escape: impl Fn(char, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    let quote: &[u8] = if text.contains(['"', ',']) { b"\"" } else { b"" };
    out.extend_from_slice(quote);
    for (run, special) in runs(text, |c| c == '"' || is_special(c)) {
        out.extend_from_slice(run.as_bytes());
        match special {
            None => {}
            Some('"') => out.extend_from_slice(b"\"\""),
            Some(c) => escape(c, out),
        }
    }
    out.extend_from_slice(quote);
}

/// The text in pieces: characters that may stay, and the special one behind them.
fn runs(text: &str, is_special: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = (&str, Option<char>)> {
    text.split_inclusive(is_special).map(move |piece| {
        let mut chars = piece.chars();
        match chars.next_back().filter(|&c| is_special(c)) {
            Some(special) => (chars.as_str(), Some(special)),
            None => (piece, None),
        }
    })
}

fn is_special_in_payload(c: char) -> bool {
    c == '\\' || !matches!(c, ' '..='~')
}

fn escape_unicode(c: char, out: &mut Vec<u8>) {
    match c {
        '\\' => out.extend_from_slice(b"\\\\"),
        c => out.extend(c.escape_unicode().filter_map(|c| u8::try_from(c).ok())),
    }
}

fn escape_byte(c: char, out: &mut Vec<u8>) {
    match (c, u8::try_from(c)) {
        ('\r', _) => out.extend_from_slice(b"\\r"),
        ('\n', _) => out.extend_from_slice(b"\\n"),
        ('\t', _) => out.extend_from_slice(b"\\t"),
        ('\\', _) | (_, Err(_)) => escape_unicode(c, out),
        (_, Ok(byte)) => {
            out.extend_from_slice(b"\\x");
            push_hex(byte, out);
        }
    }
}

fn push_hex(byte: u8, out: &mut Vec<u8>) {
    let digit = |n: u8| if n < 10 { b'0' + n } else { b'a' - 10 + n };
    out.extend([digit(byte >> 4), digit(byte & 0xf)]);
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
    fn a_payload_can_be_pasted_into_a_filter() {
        let all: String = (0..=255_u8).map(char::from).filter(|&c| c != '"').collect();
        let shown = payload(&all);
        assert!(shown.bytes().all(|b| (b' '..=b'~').contains(&b)));
        assert_eq!(payload("a\\\r\n\t\0\u{ff}\u{2028}"), "a\\\\\\r\\n\\t\\x00\\xff\\u{2028}");
        let mut flow = flowcore::Flow::default();
        flow.set(flowcore::Field::InPayload, all.as_str().into());
        let filter = flowcore::Filter::parse(&format!("payload content \"{shown}\"")).unwrap();
        assert!(filter.matches(&flow));
    }

    #[test]
    fn json_strings_parse_back() {
        let hostile = "a\"b\\c\n\r\t\u{0}\u{1f}\u{7f}\u{9b}\u{61c}\u{202e}\u{2066}ü\u{2028}😀";
        let mut out = Vec::new();
        json(hostile, &mut out);
        let parsed: String = serde_json::from_slice(&out).unwrap();
        assert_eq!(parsed, hostile);
        assert!(!String::from_utf8(out).unwrap().chars().any(steers_text));
    }

    #[test]
    fn csv_quotes_only_where_needed() {
        let quoted = |text: &str| {
            let mut out = Vec::new();
            csv(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(quoted("plain text"), "plain text");
        assert_eq!(quoted("=1+1"), "=1+1");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("\x1b[2J\r\n\u{9b},"), "\"\\u{1b}[2J\\u{d}\\u{a}\\u{9b},\"");
    }

    #[test]
    fn csv_values_read_back() {
        let hostile = "\x1b\\u{1b}\\\r\n\t\\x1b\\r\0\u{ff},\"=ü\\";
        for print in [csv, csv_payload] {
            let mut out = Vec::new();
            print(hostile, &mut out);
            let value = String::from_utf8(out).unwrap();
            assert!(!value.contains(steers_text), "{value}");
            let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap().replace("\"\"", "\"");
            assert_eq!(unescaped(&value), hostile, "{value}");
        }
    }

    /// What `docs/output.md` tells readers of CSV to do.
    fn unescaped(value: &str) -> String {
        let (mut out, mut rest) = (String::new(), value);
        while let Some((before, after)) = rest.split_once('\\') {
            out.push_str(before);
            let hex = |digits: &str| char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
            let (c, len) = match after.as_bytes()[0] {
                b'\\' => ('\\', 1),
                b'r' => ('\r', 1),
                b'n' => ('\n', 1),
                b't' => ('\t', 1),
                b'x' => (hex(&after[1..3]), 3),
                _ => {
                    let digits = after.strip_prefix("u{").unwrap().split('}').next().unwrap();
                    (hex(digits), digits.len() + 3)
                }
            };
            out.push(c);
            rest = &after[len..];
        }
        out + rest
    }

    #[test]
    fn what_is_safe_is_copied_in_runs() {
        let pieces = |text| runs(text, steers_text).collect::<Vec<_>>();
        assert_eq!(pieces("plain ü"), [("plain ü", None)]);
        assert_eq!(
            pieces("\0ab\x1b\x1bü"),
            [("", Some('\0')), ("ab", Some('\x1b')), ("", Some('\x1b')), ("ü", None)]
        );
        assert_eq!(pieces(""), []);
    }
}
