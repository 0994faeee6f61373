//! One JSON value, leaf by leaf and without a tree of it: memory does not depend on what the value holds.
//!
//! In goes the text of a value, out come calls of a [`Visit`]: one for each number, word and text with its path, and
//! one for each object that begins and ends. A path is the names and places on the way, with dots between, so that
//! `{"a":{"b":[7]}}` and `{"a.b.0":7}` have the same one, `a.b.0`: programs that pass logs on like to flatten them.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Takes the leaves of a value.
pub(in super::super) trait Visit {
    /// An object begins.
    fn begin(&mut self, path: &str);

    /// A text as it is, a number in digits, `true` or `false`. There is no call for `null`, which says nothing.
    fn leaf(&mut self, path: &str, text: &str);

    /// The object that began last and has not ended does.
    fn end(&mut self);
}

/// Longest path in bytes. Hostile texts with long ones would take a time that is the square of their length.
const MAX_PATH: usize = 1024;

/// Why a value cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct WalkError {
    pub(in super::super) what: String,
    /// Lines of the value before the place.
    pub(in super::super) lines_before: u64,
}

/// Shows every leaf of a value to `visit`; up to the place of the error if it is none.
pub(in super::super) fn walk(text: &[u8], visit: &mut impl Visit) -> Result<(), WalkError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let mut path = String::new();
    let value = Value { path: &mut path, visit };
    let read = value.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    read.map_err(|error| {
        let (shown, line) = (error.to_string(), error.line());
        // The column is counted from the value, which may begin anywhere in its line.
        let what = shown.rsplit_once(" at line ").map_or(shown.as_str(), |(what, _)| what);
        WalkError { what: format!("no valid JSON: {what}"), lines_before: line.saturating_sub(1) as u64 }
    })
}

/// A value that is about to be read, at this path.
struct Value<'a, V> {
    path: &'a mut String,
    visit: &'a mut V,
}

impl<V: Visit> Value<'_, V> {
    fn leaf<E>(self, text: &str) -> Result<(), E> {
        self.visit.leaf(self.path, text);
        Ok(())
    }

    /// The value below this one that stands under the last name of the path.
    fn below(&mut self) -> Value<'_, V> {
        Value { path: self.path, visit: self.visit }
    }
}

impl<'de, V: Visit> DeserializeSeed<'de> for Value<'_, V> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, V: Visit> Visitor<'de> for Value<'_, V> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.leaf(if value { "true" } else { "false" })
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.leaf(&value.to_string())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.leaf(&value.to_string())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        // Without an exponent, six bytes could become three hundred.
        let is_short = value == 0.0 || (1e-7..1e21).contains(&value.abs());
        self.leaf(&if is_short { value.to_string() } else { format!("{value:e}") })
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.leaf(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let len = self.path.len();
        for at in 0_u64.. {
            let dot = if len == 0 { "" } else { "." };
            // Writing into a text cannot fail.
            let _ = write!(self.path, "{dot}{at}");
            let element = elements.next_element_seed(self.below())?;
            self.path.truncate(len);
            if element.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let len = self.path.len();
        self.visit.begin(self.path);
        while members.next_key_seed(Name(self.path))?.is_some() {
            members.next_value_seed(self.below())?;
            self.path.truncate(len);
        }
        self.visit.end();
        Ok(())
    }
}

/// The name of a member, which is added to the path.
struct Name<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        if self.0.len() + name.len() >= MAX_PATH {
            return Err(E::custom(format_args!("names within each other are longer than {MAX_PATH} bytes")));
        }
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What was shown, a line each.
    #[derive(Default)]
    struct Shown(Vec<String>);

    impl Visit for Shown {
        fn begin(&mut self, path: &str) {
            self.0.push(format!("{path}{{"));
        }

        fn leaf(&mut self, path: &str, text: &str) {
            self.0.push(format!("{path}={text}"));
        }

        fn end(&mut self) {
            self.0.push("}".into());
        }
    }

    fn shown(text: &str) -> Result<Vec<String>, WalkError> {
        let mut shown = Shown::default();
        walk(text.as_bytes(), &mut shown).map(|()| shown.0)
    }

    #[test]
    fn every_leaf_has_its_path() {
        let text = r#"{"a":{"b":[7,{"c":"\u00fc\""}],"n":null},"d.e":-1,"f":412.0,"g":true,"h":18446744073709551616}"#;
        assert_eq!(
            shown(text).unwrap(),
            [
                "{",
                "a{",
                "a.b.0=7",
                "a.b.1{",
                "a.b.1.c=ü\"",
                "}",
                "}",
                "d.e=-1",
                "f=412",
                "g=true",
                "h=18446744073709552000",
                "}"
            ]
        );
        assert_eq!(shown("[1e300,-2.50,1E-300,0.0]").unwrap(), ["0=1e300", "1=-2.5", "2=1e-300", "3=0"]);
        assert_eq!(shown("[[1,[]],2]").unwrap(), ["0.0=1", "1=2"]);
        assert_eq!(shown("\"x\"").unwrap(), ["=x"]);
    }

    #[test]
    fn what_is_no_json_says_why_and_where() {
        let error = shown("{\n\"a\":1,\n\"b\" 2}").unwrap_err();
        assert_eq!((error.what.as_str(), error.lines_before), ("no valid JSON: expected `:`", 2));
        for text in ["{}{}", "{\"a\":01}", "{\"a\":\"\u{1}\"}", "", "{1:2}"] {
            assert!(shown(text).is_err(), "{text}");
        }
        assert!(walk(b"{\"a\":\"\xff\"}", &mut Shown::default()).is_err());
    }

    #[test]
    fn deep_and_long_values_are_refused() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(shown(&deep).unwrap_err().what.ends_with("recursion limit exceeded"));
        let long = format!("{{\"{}\":1}}", "x".repeat(MAX_PATH));
        assert!(shown(&long).unwrap_err().what.ends_with("are longer than 1024 bytes"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_as_another_reader_does(text in "[\\[\\]{}\",:ae0.\\\\\\- ]{0,30}") {
            prop_assert_eq!(shown(&text).is_ok(), serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
}
