//! One JSON value as names and values, cut but not built: the texts of numbers stay as they are written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::MAX_COLUMNS;
use super::names;

/// The names and values of an object, or of a list of `{"field":name,"value":value}` as Insights writes rows.
pub(super) struct Entries<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

/// A value as it is written.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a>(&'a str);

/// What a value is for a column of a flow log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// `null`.
    Absent,
    Number(&'a str),
    /// Strings, and everything else as it is written.
    Text(Cow<'a, str>),
}

impl<'a> Entries<'a> {
    /// Reads a value, or tells why it is none.
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let error = error.to_string();
            // The place is within the value, and would pass for one in the file.
            let why = error.split(" at line ").next().unwrap_or_default();
            format!("no usable JSON: {why}")
        })
    }

    /// Names and values, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// The text of an event; `None` for a row.
    pub(super) fn message(&self) -> Option<Cow<'a, str>> {
        if self.names().any(names::is_end) {
            return None;
        }
        self.iter().filter(|(name, _)| names::is_message(name)).find_map(|(_, value)| value.string())
    }

    /// The first value of this name.
    pub(super) fn get(&self, wanted: &str) -> Option<Raw<'a>> {
        self.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }
}

impl<'a> Raw<'a> {
    pub(super) fn cell(self) -> Cell<'a> {
        match self.0.as_bytes().first() {
            _ if self.0 == "null" => Cell::Absent,
            Some(b'0'..=b'9' | b'-') => Cell::Number(self.0),
            _ => Cell::Text(self.string().unwrap_or(Cow::Borrowed(self.0))),
        }
    }

    /// The text of a string; `None` for other values.
    fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str::<String>(self.0).ok().map(Cow::Owned)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            if entries.len() == MAX_COLUMNS {
                return Err(A::Error::custom(format!("more than {MAX_COLUMNS} names in an object")));
            }
            let name = Raw(name.get());
            entries.push((name.string().unwrap_or(Cow::Borrowed(name.0)), Raw(value.get())));
        }
        Ok(Entries(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(pair) = list.next_element::<Entries<'de>>()? {
            if entries.len() == MAX_COLUMNS {
                return Err(A::Error::custom(format!("more than {MAX_COLUMNS} values in a list")));
            }
            let name = pair.get("field").and_then(Raw::string);
            let Some((name, value)) = name.zip(pair.get("value")) else {
                return Err(A::Error::custom("a list of something else than fields and values"));
            };
            entries.push((name, value));
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Result<Vec<(String, String)>, String> {
        let entries = Entries::read(text)?;
        Ok(entries.iter().map(|(name, value)| (name.to_owned(), format!("{:?}", value.cell()))).collect())
    }

    #[test]
    fn values_keep_their_text() {
        let text = r#"{"a":1.50,"b":"x \"y\" \u00e9","c":null,"d":{"e":[1, 2]},"f\n":true,"g":-7}"#;
        let expected = [
            ("a", r#"Number("1.50")"#),
            ("b", r#"Text("x \"y\" é")"#),
            ("c", "Absent"),
            ("d", r#"Text("{\"e\":[1, 2]}")"#),
            ("f\n", r#"Text("true")"#),
            ("g", r#"Number("-7")"#),
        ];
        assert_eq!(cells(text).unwrap(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn lists_of_fields_and_values_are_rows() {
        let text = r#"[{"field":"@ptr","value":"p"},{"value":"7","more":1,"field":"bytes"}]"#;
        let names: Vec<String> = cells(text).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["@ptr", "bytes"]);
        assert!(cells("[]").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_row_is_told() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let wide = format!("{{{}\"x\":1}}", "\"x\":1,".repeat(MAX_COLUMNS));
        for (text, why) in [
            ("{\"a\":1,}", "trailing comma"),
            ("{\"a\" 1}", "expected `:`"),
            ("{\"a\":\"\u{1}\"}", "control character"),
            ("[1]", "invalid type: integer `1`, expected an object"),
            ("[{\"field\":1,\"value\":2}]", "a list of something else than fields and values"),
            ("{}]", "trailing characters"),
            (&deep, "recursion limit exceeded"),
            (&wide, "more than 512 names in an object"),
        ] {
            let error = cells(text).unwrap_err();
            assert!(error.starts_with("no usable JSON: ") && error.contains(why), "{error}");
        }
        let inner = format!("{{\"a\":{deep}}}");
        assert_eq!(cells(&inner).unwrap().len(), 1, "what is in a value is not looked at");
    }
}
