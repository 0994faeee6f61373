//! Values of a stream, one by one.

use std::io::{self, Read};

use super::Envelope;
use super::scan::{Scan, Step};

/// Longest value that is read, in bytes. Azure writes what one network card saw in a minute as one value.
pub(in super::super) const MAX_VALUE: usize = 64 << 20;

/// Bytes asked for at a time.
const CHUNK: usize = 256 * 1024;

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Value<'a> {
    /// A value, beginning in this line, and the name of the array that it stands in.
    Text { text: &'a [u8], line: u64, envelope: Option<Envelope> },
    /// An object beginning in this line whose records have been handed out, each array of them empty. It has other
    /// names than the clouds write beside records.
    Beside { text: &'a [u8], line: u64 },
    /// Text beginning in this line that is no value.
    Broken { why: &'static str, line: u64 },
}

/// Why the last value of a stream is broken that ends inside it.
pub(in super::super) const CUT: &str = "the file ends inside a value; it is cut";

const NO_OBJECT: &str = "this is no JSON object";
const TOO_LONG: &str = "the value is longer than 64 MiB";

/// The values of a stream; the [module](super) says what they are.
pub(in super::super) struct Values {
    input: Box<dyn Read + Send>,
    chunk: Vec<u8>,
    /// What of the chunk has been looked at, and where it ends.
    at: usize,
    end: usize,
    /// Line of the next byte, from 1.
    line: u64,
    scan: Scan,
    text: Kept,
    /// Line in which the value begins.
    begin: u64,
    /// The object that holds the values, without them, and the line in which it begins.
    beside: Kept,
    beside_begin: u64,
    /// The name of the array of records that was opened last.
    opened: Option<Envelope>,
    /// Whether values stand by themselves in a line each, as far as has been seen.
    is_by_line: bool,
    /// Whether the byte before the next one ends a line.
    is_line_start: bool,
    /// Whether the rest of the line is passed over.
    is_skipping: bool,
    /// Values that have ended by themselves.
    ended: u64,
}

/// Text up to the length of the longest value.
#[derive(Default)]
struct Kept {
    text: Vec<u8>,
    is_too_long: bool,
}

impl Values {
    pub(in super::super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self {
            input,
            chunk: vec![0; CHUNK],
            at: 0,
            end: 0,
            line: 1,
            scan: Scan::default(),
            text: Kept::default(),
            begin: 1,
            beside: Kept::default(),
            beside_begin: 1,
            opened: None,
            is_by_line: true,
            is_line_start: false,
            is_skipping: false,
            ended: 0,
        }
    }

    /// Line of the next byte, from 1.
    pub(in super::super) fn line(&self) -> u64 {
        self.line
    }

    /// The name of the array of records that was opened last, even if there was none in it.
    pub(in super::super) fn opened(&self) -> Option<Envelope> {
        self.opened
    }

    /// The next value; `None` at the end.
    pub(in super::super) fn next(&mut self) -> io::Result<Option<Value<'_>>> {
        self.text.clear();
        loop {
            if self.at == self.end && !self.fill()? {
                return Ok(self.finish());
            }
            self.skip_line();
            self.take_plain_text();
            let Some(&byte) = self.chunk[..self.end].get(self.at) else { continue };
            if byte == b'{' && self.is_cut() {
                self.scan.restart();
                return Ok(Some(Value::Broken {
                    why: "the value does not end in its line",
                    line: self.begin,
                }));
            }
            self.is_line_start = byte == b'\n';
            let (was_in_value, at_top) = (self.scan.in_value(), self.scan.is_at_top());
            let step = self.scan.step(byte);
            self.at += 1;
            self.begin = if was_in_value { self.begin } else { self.line };
            self.line += u64::from(byte == b'\n');
            match step {
                Step::Inside => self.text.push(&[byte]),
                Step::Beside => self.beside.push(&[byte]),
                Step::Between => {}
                Step::Opened => self.open(was_in_value),
                Step::Last => {
                    self.text.push(&[byte]);
                    return Ok(Some(self.take()));
                }
                Step::LastBeside => {
                    self.beside.push(&[byte]);
                    return Ok(Some(self.take_beside()));
                }
                Step::Odd => return Ok(Some(Value::Broken { why: NO_OBJECT, line: self.begin })),
                // The mark of UTF-8, before the first value.
                Step::Misplaced if at_top && self.line == 1 && b"\xef\xbb\xbf".contains(&byte) => {}
                Step::Misplaced => return Ok(Some(self.give_up(NO_OBJECT))),
            }
        }
    }

    /// Keeps what the object that is being read has before its first array of records, or between two.
    fn open(&mut self, is_first: bool) {
        if is_first {
            self.beside = std::mem::take(&mut self.text);
            self.beside_begin = self.begin;
        }
        self.beside.push(b"[]");
        self.opened = self.scan.envelope();
    }

    /// Takes what is inside a string up to the next byte that means something.
    fn take_plain_text(&mut self) {
        if !self.scan.in_plain_string() {
            return;
        }
        let rest = &self.chunk[self.at..self.end];
        let plain = memchr::memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
        let plain = rest.get(..plain).unwrap_or_default();
        self.at += plain.len();
        self.is_line_start &= plain.is_empty();
        if self.scan.in_value() {
            self.text.push(plain);
        } else if self.scan.is_rest() {
            self.beside.push(plain);
        }
    }

    /// Whether a value goes on in the next line, as if that were a value of its own, in a stream whose values have a line
    /// each.
    fn is_cut(&self) -> bool {
        let are_lines = self.is_by_line && self.ended > 0 && self.is_line_start;
        are_lines && self.scan.in_value() && self.scan.envelope().is_none()
    }

    /// The value that has ended.
    fn take(&mut self) -> Value<'_> {
        let line = self.begin;
        self.count(line);
        match self.text.is_too_long {
            true => Value::Broken { why: TOO_LONG, line },
            false => Value::Text { text: &self.text.text, line, envelope: self.scan.envelope() },
        }
    }

    /// The object that has ended and held the values before.
    fn take_beside(&mut self) -> Value<'_> {
        let line = self.beside_begin;
        self.count(line);
        match self.beside.is_too_long {
            true => Value::Broken { why: TOO_LONG, line },
            false => Value::Beside { text: &self.beside.text, line },
        }
    }

    /// Counts a value that has ended and began in this line.
    fn count(&mut self, line: u64) {
        self.is_by_line &= line == self.line;
        self.ended += u64::from(self.scan.is_at_top());
    }

    /// Passes over the rest of the line.
    fn give_up(&mut self, why: &'static str) -> Value<'static> {
        self.is_skipping = true;
        self.scan.restart();
        Value::Broken { why, line: self.begin }
    }

    fn skip_line(&mut self) {
        if self.is_skipping {
            let rest = &self.chunk[self.at..self.end];
            let end = memchr::memchr(b'\n', rest);
            self.at += end.unwrap_or(rest.len());
            self.is_skipping = end.is_none();
        }
    }

    fn finish(&mut self) -> Option<Value<'_>> {
        let is_open = self.scan.in_value() || !self.scan.is_at_top();
        self.scan.restart();
        is_open.then_some(Value::Broken { why: CUT, line: self.begin })
    }

    fn fill(&mut self) -> io::Result<bool> {
        loop {
            match self.input.read(&mut self.chunk) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    (self.at, self.end) = (0, count);
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Kept {
    fn clear(&mut self) {
        self.text.clear();
        self.is_too_long = false;
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.is_too_long || self.text.len() + bytes.len() > MAX_VALUE {
            self.is_too_long = true;
            self.text = Vec::new();
        } else {
            self.text.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Found = Vec<Result<(String, u64, Option<Envelope>), (&'static str, u64)>>;

    /// A stream that comes in pieces of so many bytes.
    struct Pieces(Vec<u8>, usize);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    fn read(text: &[u8], piece: usize) -> Found {
        let mut values = Values::new(Box::new(Pieces(text.to_vec(), piece)));
        let mut found = Vec::new();
        while let Some(value) = values.next().unwrap() {
            found.push(match value {
                Value::Text { text, line, envelope } => {
                    Ok((String::from_utf8_lossy(text).into_owned(), line, envelope))
                }
                Value::Beside { text, line } => {
                    Ok((format!("beside {}", String::from_utf8_lossy(text)), line, None))
                }
                Value::Broken { why, line } => Err((why, line)),
            });
        }
        found
    }

    /// Values found, whatever pieces the stream comes in.
    fn values(text: &str) -> Found {
        let whole = read(text.as_bytes(), usize::MAX);
        assert_eq!(read(text.as_bytes(), 1), whole, "{text}");
        whole
    }

    fn texts(text: &str) -> Vec<String> {
        values(text).into_iter().map(|value| value.unwrap().0).collect()
    }

    #[test]
    fn values_stand_by_themselves_or_in_arrays() {
        let (a, b) = (r#"{"a":"}]\\\"{"}"#, r#"{"b":[1,{"c":[]}]}"#);
        for text in [
            format!("{a}\n{b}\n"),
            format!("{a}{b}"),
            format!("\u{feff} {a}\r\n\r\n{b}"),
            format!("[{a}, {b}]"),
            format!("[\n{a},\n{b}\n]\n"),
            format!("[{a}][{b}]"),
            format!(r#"{{"owner":{{"events":[1]}},"events":[{a}],"status":["{{"],"records":[{b}]}}"#),
            format!(r#"[{{"events":[{a}]}}, {{"events":[]}},{{"nextToken":"]","events":[{b}]}}]"#),
            format!(r#"{{"events":[{a}]}}{{"nextToken":"]","events":[{b}]}}"#),
        ] {
            assert_eq!(texts(&text), [a, b], "{text}");
        }
        assert_eq!(
            texts(r#"{"results":[[{"field":"x"}],[]],"status":"Complete"}"#),
            [r#"[{"field":"x"}]"#, "[]"]
        );
        assert!(texts(r#" {"records":[],"owner":1} [] [{"events":[]},{"results":[ ]}]"#).is_empty());
        let pretty = "{\n  \"a\": {\n    \"events\": [\n      {}\n    ]\n  }\n}";
        assert_eq!(texts(&format!("{pretty}\n{pretty}\n")), [pretty, pretty]);
    }

    #[test]
    fn an_object_with_more_than_records_is_told_too() {
        for (text, expected) in [
            (r#"{"a":1,"events":[]}"#, vec![r#"beside {"a":1,"events":[]}"#]),
            (r#"{"events":[],"a":"]"}"#, vec![r#"beside {"events":[],"a":"]"}"#]),
            (
                r#"{"records":[{}, {"b":[]}],"a":{"b":[ "}" ]},"events":[[]]}{}"#,
                vec![
                    "{}",
                    r#"{"b":[]}"#,
                    "[]",
                    r#"beside {"records":[],"a":{"b":[ "}" ]},"events":[]}"#,
                    "{}",
                ],
            ),
            (
                r#"[{"a":1,"events":[{}]},{"events":[]},{"a":2}]"#,
                vec!["{}", r#"beside {"a":1,"events":[]}"#, r#"{"a":2}"#],
            ),
            (
                r#"{"a":{"events":[1]},"b":[],"events":{}}"#,
                vec![r#"{"a":{"events":[1]},"b":[],"events":{}}"#],
            ),
        ] {
            assert_eq!(texts(text), expected, "{text}");
        }
        let found = values("{\n\"a\":1,\"events\":[\n{}]\n}{}");
        let lines: Vec<_> = found.into_iter().map(|value| value.unwrap().1).collect();
        assert_eq!(lines, [3, 1, 4]);
    }

    #[test]
    fn what_is_no_object_in_an_array_is_passed_over_by_itself() {
        let broken = |line| Err(("this is no JSON object", line));
        for (text, expected) in [
            (
                "[null,{},5,{},\"a,]{\",{}, -1e5 , true]{}",
                vec![broken(1), Ok(1), broken(1), Ok(1), broken(1), Ok(1), broken(1), broken(1), Ok(1)],
            ),
            ("{\"events\":[1,{},\"\\\"]\"],\"nextToken\":7}{}", vec![broken(1), Ok(1), broken(1), Ok(1)]),
            ("[7]\n{}", vec![broken(1), Ok(2)]),
            ("[1 2,,\n3]", vec![broken(1), broken(2)]),
            ("[\"a,\n{},\n{}]", vec![broken(1), Ok(2), Ok(3)]),
            ("[a{}]", vec![broken(1), Ok(1)]),
        ] {
            let found: Vec<_> =
                values(text).into_iter().map(|value| value.map(|(_, line, _)| line)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn each_value_has_its_line_and_the_name_of_its_array() {
        let found = values("{}\n\n{\"records\":[{},\n{}]}\n{\n}");
        let places: Vec<_> =
            found.into_iter().map(|value| value.map(|(_, line, name)| (line, name)).unwrap()).collect();
        let records = Some(Envelope::Records);
        assert_eq!(places, [(1, None), (3, records), (4, records), (5, None)]);
    }

    #[test]
    fn what_is_no_value_is_told_and_passed_over() {
        for (text, expected) in [
            ("{}\nnot json {}\n{}", vec![Ok(1), Err(("this is no JSON object", 2)), Ok(3)]),
            ("{}\n{\"a\":\"b\n{}\n", vec![Ok(1), Err(("the value does not end in its line", 2)), Ok(3)]),
            ("{}\n{\"a\":[\n{}\n", vec![Ok(1), Err(("the value does not end in its line", 2)), Ok(3)]),
            ("{} {", vec![Ok(1), Err(("the file ends inside a value; it is cut", 1))]),
            ("[{},", vec![Ok(1), Err(("the file ends inside a value; it is cut", 1))]),
            ("[7]\n{}", vec![Err(("this is no JSON object", 1)), Ok(2)]),
            ("]\n", vec![Err(("this is no JSON object", 1))]),
        ] {
            let found: Vec<_> =
                values(text).into_iter().map(|value| value.map(|(_, line, _)| line)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_value_that_is_too_long_takes_no_memory_and_ends_where_it_ends() {
        let long = io::repeat(b'x').take(MAX_VALUE as u64 + 1);
        let stream = io::Cursor::new("{}{\"a\":\"").chain(long).chain(io::Cursor::new("\"}\n{\"b\":1}"));
        let mut values = Values::new(Box::new(stream));
        assert!(matches!(values.next().unwrap(), Some(Value::Text { .. })));
        assert_eq!(
            values.next().unwrap(),
            Some(Value::Broken { why: "the value is longer than 64 MiB", line: 1 })
        );
        assert!(matches!(values.next().unwrap(), Some(Value::Text { text: b"{\"b\":1}", line: 2, .. })));
        assert_eq!(values.next().unwrap(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end(text in "[\\[\\]{}\",:a\\\\\n ]{0,60}", piece in 1_usize..9) {
            let whole = read(text.as_bytes(), usize::MAX);
            prop_assert!(whole.len() <= text.len());
            prop_assert_eq!(read(text.as_bytes(), piece), whole);
        }

        #[test]
        fn values_are_found_whatever_is_in_them(names in prop::collection::vec("\\PC{0,12}", 0..6)) {
            let objects: Vec<String> = names.iter().map(|name| format!("{{{name:?}:[{name:?}]}}")).collect();
            let objects: Vec<String> = objects.into_iter().filter(|text| !text.contains("\\u{") && !text.contains("\\'")).collect();
            prop_assert_eq!(texts(&objects.join("\n")), objects.clone());
            prop_assert_eq!(texts(&format!("[{}]", objects.join(","))), objects.clone());
            prop_assert_eq!(texts(&format!("{{\"records\":[{}]}}", objects.join(" ,\n"))), objects);
        }
    }
}
