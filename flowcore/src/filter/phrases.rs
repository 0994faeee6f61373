//! The phrases of the language as a list, for help pages and completion: what the parser looks terms up in.

use super::payload::PAYLOAD_TERMS;
use super::terms::TERMS;
use crate::record::FieldKind;

/// A construct that begins a term, such as `src port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phrase {
    /// Its spellings; the first one is canonical.
    pub spellings: &'static [&'static str],
    /// The kind of its values; `None` where none follow.
    pub kind: Option<FieldKind>,
    /// What its values look like; empty where none follow.
    pub value: &'static str,
}

/// Every phrase that is more than the name of a field or protocol, which are phrases too.
///
/// ```
/// let ports = flowcore::filter::phrases().find(|phrase| phrase.spellings.contains(&"port")).unwrap();
/// assert_eq!(ports.value, "a port from 0 to 65535");
/// ```
pub fn phrases() -> impl Iterator<Item = Phrase> {
    TERMS.iter().chain(PAYLOAD_TERMS.as_flattened()).map(|row| {
        let subject = row.meaning.subject();
        let (kind, value) = match &subject {
            Some(subject) => (subject.kind(), subject.expected()),
            None => (None, "the name of any field or column, and a value of it"),
        };
        Phrase { spellings: row.phrases, kind, value }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_value_says_which() {
        for phrase in phrases() {
            assert!(!phrase.spellings.is_empty());
            let name = phrase.spellings[0];
            let stands_alone = ["any", "ipv4", "ipv6"].contains(&name) || name.ends_with(" defined");
            assert!(stands_alone == phrase.value.is_empty() || phrase.kind.is_none(), "{phrase:?}");
        }
    }
}
