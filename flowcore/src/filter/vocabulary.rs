//! The words that begin a term, and what they stand for.
//!
//! The phrases of the language are in one table, [`TERMS`]; the name of any field of the field table and any
//! protocol name are phrases too. Words in, [`Subject`] out.

use super::terms::{MISSING, Meaning, TERMS};
use super::value;
use crate::record::{FIELDS, Field, FieldInfo, FieldKind, Protocol};

/// What the words at the start of a term stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// Every record.
    Any,
    /// IP version 4 or 6.
    Family(u8),
    /// A protocol named without `proto`.
    Protocol(Protocol),
    /// Fields of which any may match, in records of these protocols (of all, if none is named).
    Fields { fields: Vec<Field>, protocols: &'static [Protocol], aspect: Aspect },
    /// A column that has no field, by its name.
    Column(String),
}

/// What of a field's value a term looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    /// The value.
    Whole,
    /// The traffic class of an MPLS label stack entry.
    MplsClass,
    /// The label of an MPLS label stack entry, if it is at the bottom of the stack.
    MplsBottom,
    /// The bytes of a payload.
    Content,
}

impl Subject {
    /// A field as a whole, in any record.
    fn field(field: Field) -> Self {
        Self::Fields { fields: vec![field], protocols: &[], aspect: Aspect::Whole }
    }

    /// What kind of value the term takes; `None` if it takes none.
    pub(super) fn kind(&self) -> Option<FieldKind> {
        match self {
            Self::Any | Self::Family(_) | Self::Protocol(_) => None,
            Self::Fields { fields, .. } => fields.first().map(|field| field.kind()),
            Self::Column(_) => Some(FieldKind::Text),
        }
    }

    /// What a value of the term looks like.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Fields { aspect: Aspect::MplsClass, .. } => "a traffic class from 0 to 7",
            Self::Fields { aspect: Aspect::Content, .. } => {
                "text in quotes, with \\r, \\n, \\t, \\\\ and \\xNN for other bytes"
            }
            _ => self.kind().map_or("", value::expected),
        }
    }

    /// The field or column that `field NAME` means: our name, JSON key or AWS column, else a column of the source.
    pub(super) fn named(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let by_key = || FIELDS.iter().find(|info| info.key == lower).map(|info| info.field);
        match Field::from_name(&lower).or_else(by_key).or_else(|| Field::from_aws(&lower)) {
            Some(field) => Self::field(field),
            None => Self::Column(lower),
        }
    }
}

/// A phrase that was found at the start of some words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Words it has.
    pub(super) words: usize,
    /// Its canonical spelling.
    pub(super) name: String,
    /// `None` for `field`, whose subject is named by the next word.
    pub(super) subject: Option<Subject>,
}

/// No phrase stands at the start of some words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// Words that begin some phrase; the next one does not continue it.
    pub(super) known: usize,
    /// Words that could have come next, in table order.
    pub(super) next: Vec<&'static str>,
}

/// The longest phrase at the start of `words`; of equally long ones the first.
pub(super) fn find(words: &[&str]) -> Result<Found, Unknown> {
    let matching = phrases().filter(|phrase| phrase.common(words) == phrase.len());
    if let Some(phrase) = matching.reduce(|best, next| if next.len() > best.len() { next } else { best }) {
        return Ok(phrase.found());
    }
    if let Some(protocol) = words.first().and_then(|word| protocol(word)) {
        let name = protocol.to_string().to_ascii_lowercase();
        return Ok(Found { words: 1, name, subject: Some(Subject::Protocol(protocol)) });
    }
    let known = phrases().map(|phrase| phrase.common(words)).max().unwrap_or(0);
    Err(Unknown { known, next: next_words(words, known) })
}

/// The words that continue a phrase begun by the first `known` words.
pub(super) fn next_words(words: &[&str], known: usize) -> Vec<&'static str> {
    let mut next = Vec::new();
    for phrase in phrases().filter(|phrase| phrase.common(words) >= known) {
        if let Some(word) = phrase.text.split(' ').nth(known)
            && !next.contains(&word)
        {
            next.push(word);
        }
    }
    next
}

/// Whether a term can begin with this word.
pub(super) fn begins_term(word: &str) -> bool {
    protocol(word).is_some() || phrases().any(|phrase| phrase.common(&[word]) == 1)
}

/// Whether these are words of nfdump's language that begin no term here yet.
pub(super) fn is_missing(words: &[&str]) -> bool {
    MISSING.iter().any(|missing| is_phrase(missing, words))
}

/// The name of ours for a column as AWS or our own JSON call it.
pub(super) fn our_name(word: &str) -> Option<&'static str> {
    match Subject::named(word) {
        Subject::Fields { fields, .. } => fields.first().map(|field| field.name()),
        _ => None,
    }
}

fn is_phrase(phrase: &str, words: &[&str]) -> bool {
    let mut parts = phrase.split(' ');
    words.iter().all(|word| parts.next().is_some_and(|part| part.eq_ignore_ascii_case(word)))
        && parts.next().is_none()
}

/// A protocol by name; a number alone says nothing.
fn protocol(word: &str) -> Option<Protocol> {
    word.parse().ok().filter(|_| !word.starts_with(|c: char| c.is_ascii_digit()))
}

fn phrases() -> impl Iterator<Item = Phrase> {
    let terms = TERMS.iter().flat_map(|row| {
        let name = row.phrases.first().copied().unwrap_or_default();
        row.phrases.iter().map(move |text| Phrase { text, name, meaning: row.meaning })
    });
    let field =
        |info: &FieldInfo| Phrase { text: info.name, name: info.name, meaning: Meaning::One(info.field) };
    terms.chain(FIELDS.iter().map(field))
}

#[derive(Debug, Clone, Copy)]
struct Phrase {
    text: &'static str,
    /// Canonical spelling.
    name: &'static str,
    meaning: Meaning,
}

impl Phrase {
    /// Words it has.
    fn len(&self) -> usize {
        self.text.split(' ').count()
    }

    /// Words at its start that are also at the start of `words`.
    fn common(&self, words: &[&str]) -> usize {
        self.text.split(' ').zip(words).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    }

    fn found(&self) -> Found {
        Found { words: self.len(), name: self.name.to_owned(), subject: self.meaning.subject() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(words: &[&str]) -> (usize, Vec<Field>) {
        match find(words) {
            Ok(Found { words, subject: Some(Subject::Fields { fields, .. }), .. }) => (words, fields),
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn the_longest_phrase_wins() {
        assert_eq!(fields(&["ICMP", "Type", "8"]), (2, vec![Field::IcmpType]));
        assert_eq!(fields(&["first", "seen"]), (2, vec![Field::First]));
        assert_eq!(fields(&["first", "2023"]), (1, vec![Field::First]));
        assert_eq!(fields(&["port", "80"]), (1, vec![Field::SrcPort, Field::DstPort]));
        let icmp = Found { words: 1, name: "icmp".into(), subject: Some(Subject::Protocol(Protocol::ICMP)) };
        assert_eq!(find(&["icmp", "and"]), Ok(icmp));
    }

    #[test]
    fn every_field_is_reached_by_its_name_bare_and_after_field() {
        for info in FIELDS {
            assert!(fields(&[info.name]).1.contains(&info.field), "{}", info.name);
            assert_eq!(Subject::named(&info.name.to_uppercase()), Subject::field(info.field));
        }
        assert_eq!(our_name("pkt_srcaddr"), Some("pktsrcip"));
        assert_eq!(Subject::named("New-Column"), Subject::Column("new-column".into()));
    }

    #[test]
    fn a_phrase_stands_once_and_its_fields_are_of_one_kind() {
        let mut seen = std::collections::HashSet::new();
        for row in TERMS {
            assert!(row.phrases.iter().all(|phrase| seen.insert(phrase)), "{:?}", row.phrases);
            if let Meaning::Fields(fields) | Meaning::Part(_, fields) = row.meaning {
                assert!(fields.iter().all(|field| field.kind() == fields[0].kind()), "{:?}", row.phrases);
            }
        }
    }

    #[test]
    fn a_phrase_is_known_or_missing() {
        for phrase in MISSING {
            let upper = phrase.to_uppercase();
            let words: Vec<&str> = upper.split(' ').collect();
            assert!(find(&words).is_err() && is_missing(&words), "{phrase}");
        }
        assert!(!is_missing(&["payload"]) && !is_missing(&["payload", "regex", "x"]) && !is_missing(&[]));
    }

    #[test]
    fn nfdump_counts_labels_from_zero() {
        for n in 0..10 {
            let label = [Field::Mpls1 as usize + n, Field::Mpls1 as usize + n];
            let both = ["label", "exp"].map(|word| fields(&["mpls", &format!("{word}{n}")]).1[0] as usize);
            assert_eq!(both, label, "{n}");
        }
        // The protocol, which the next word does not go with.
        assert_eq!(find(&["mpls", "label10"]).map(|found| found.words), Ok(1));
    }

    #[test]
    fn what_could_follow_is_known() {
        let unknown = find(&["dst", "prot", "22"]).unwrap_err();
        assert_eq!((unknown.known, &unknown.next[..3]), (1, &["port", "ip", "host"][..]));
        assert_eq!(find(&["80"]).unwrap_err().known, 0);
    }
}
