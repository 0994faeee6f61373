//! The words that begin a term, and what they stand for.
//!
//! One table, [`TERMS`], holds every phrase of the language (`src port`, `first seen`); the name of any field of
//! the field table and any protocol name are phrases too. A new construct is a new row.

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
    Fields { fields: Vec<Field>, protocols: &'static [Protocol] },
    /// A column that has no field, by its name.
    Column(String),
}

impl Subject {
    /// What kind of value the term takes; `None` if it takes none.
    pub(super) fn kind(&self) -> Option<FieldKind> {
        match self {
            Self::Any | Self::Family(_) | Self::Protocol(_) => None,
            Self::Fields { fields, .. } => fields.first().map(|field| field.kind()),
            Self::Column(_) => Some(FieldKind::Text),
        }
    }

    /// The field or column that `field NAME` means: our name, JSON key or AWS column, else a column of the source.
    pub(super) fn named(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let by_key = || FIELDS.iter().find(|info| info.key == lower).map(|info| info.field);
        match Field::from_name(&lower).or_else(by_key).or_else(|| Field::from_aws(&lower)) {
            Some(field) => Self::Fields { fields: vec![field], protocols: &[] },
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

/// Whether this is a word of nfdump's language that begins no term here yet.
pub(super) fn is_missing(word: &str) -> bool {
    MISSING.iter().any(|missing| word.eq_ignore_ascii_case(missing))
}

/// The name of ours for a column as AWS or our own JSON call it.
pub(super) fn our_name(word: &str) -> Option<&'static str> {
    match Subject::named(word) {
        Subject::Fields { fields, .. } => fields.first().map(|field| field.name()),
        _ => None,
    }
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

#[derive(Debug, Clone, Copy)]
struct Row {
    /// Spellings; the first one is canonical.
    phrases: &'static [&'static str],
    meaning: Meaning,
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    Any,
    Family(u8),
    /// The next word names the field.
    Named,
    One(Field),
    Fields(&'static [Field]),
    /// A field that is looked at in records of these protocols only.
    Implying(&'static [Protocol], Field),
}

impl Meaning {
    fn subject(self) -> Option<Subject> {
        let fields =
            |fields: &[Field], protocols| Some(Subject::Fields { fields: fields.to_vec(), protocols });
        match self {
            Self::Named => None,
            Self::Any => Some(Subject::Any),
            Self::Family(version) => Some(Subject::Family(version)),
            Self::One(field) => fields(&[field], &[]),
            Self::Fields(several) => fields(several, &[]),
            Self::Implying(protocols, field) => fields(&[field], protocols),
        }
    }
}

const fn row(phrases: &'static [&'static str], meaning: Meaning) -> Row {
    Row { phrases, meaning }
}

const TCP: &[Protocol] = &[Protocol::TCP];
const ICMP: &[Protocol] = &[Protocol::ICMP, Protocol::ICMPV6];

/// Every phrase that is not just the name of a field or protocol.
static TERMS: &[Row] = {
    use Meaning::{Any, Family, Fields, Implying, Named, One};
    &[
        row(&["any"], Any),
        row(&["ipv4"], Family(4)),
        row(&["ipv6"], Family(6)),
        row(&["src port"], One(Field::SrcPort)),
        row(&["dst port"], One(Field::DstPort)),
        row(&["port"], Fields(&[Field::SrcPort, Field::DstPort])),
        row(&["src ip", "src host", "src net"], One(Field::SrcAddr)),
        row(&["dst ip", "dst host", "dst net"], One(Field::DstAddr)),
        row(&["ip", "host", "net"], Fields(&[Field::SrcAddr, Field::DstAddr])),
        row(&["proto", "protocol"], One(Field::Protocol)),
        row(&["flags"], Implying(TCP, Field::TcpFlags)),
        row(&["icmp type", "icmp-type", "icmptype"], Implying(ICMP, Field::IcmpType)),
        row(&["icmp code", "icmp-code", "icmpcode"], Implying(ICMP, Field::IcmpCode)),
        row(&["in packets"], One(Field::InPackets)),
        row(&["out packets"], One(Field::OutPackets)),
        row(&["in bytes"], One(Field::InBytes)),
        row(&["out bytes"], One(Field::OutBytes)),
        row(&["first seen", "first"], One(Field::First)),
        row(&["last seen", "last"], One(Field::Last)),
        row(&["src tos", "tos"], One(Field::SrcTos)),
        row(&["dst tos"], One(Field::DstTos)),
        row(&["min ttl"], One(Field::MinTtl)),
        row(&["max ttl"], One(Field::MaxTtl)),
        row(&["ttl"], Fields(&[Field::MinTtl, Field::MaxTtl])),
        row(&["src mac"], One(Field::SrcMac)),
        row(&["dst mac"], One(Field::DstMac)),
        row(&["mac"], Fields(&[Field::SrcMac, Field::DstMac])),
        row(&["end reason"], One(Field::EndReason)),
        row(&["src service"], One(Field::SrcService)),
        row(&["dst service"], One(Field::DstService)),
        row(&["service"], Fields(&[Field::SrcService, Field::DstService])),
        row(&["field"], Named),
    ]
};

/// Words of nfdump 1.7 without a row in [`TERMS`].
static MISSING: &[&str] = &[
    "as",
    "asa",
    "bgp",
    "client",
    "cnt",
    "count",
    "egress",
    "engine",
    "engine-id",
    "engine-type",
    "ethertype",
    "exporter",
    "flowdir",
    "fwdstat",
    "geo",
    "if",
    "ingress",
    "mask",
    "nat",
    "next",
    "observation",
    "payload",
    "pf",
    "prev",
    "router",
    "server",
    "tun",
    "xlate",
    "@include",
];

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
            let named = Subject::Fields { fields: vec![info.field], protocols: &[] };
            assert_eq!(Subject::named(&info.name.to_uppercase()), named);
        }
        assert_eq!(our_name("pkt_srcaddr"), Some("pktsrcip"));
        assert_eq!(Subject::named("New-Column"), Subject::Column("new-column".into()));
    }

    #[test]
    fn a_phrase_stands_once_and_its_fields_are_of_one_kind() {
        let mut seen = std::collections::HashSet::new();
        for row in TERMS {
            assert!(row.phrases.iter().all(|phrase| seen.insert(phrase)), "{:?}", row.phrases);
            if let Meaning::Fields(fields) = row.meaning {
                assert!(fields.iter().all(|field| field.kind() == fields[0].kind()), "{:?}", row.phrases);
            }
        }
    }

    #[test]
    fn a_word_is_known_or_missing() {
        for word in MISSING {
            assert!(!begins_term(word) && is_missing(&word.to_uppercase()), "{word}");
        }
    }

    #[test]
    fn what_could_follow_is_known() {
        let unknown = find(&["dst", "prot", "22"]).unwrap_err();
        assert_eq!((unknown.known, &unknown.next[..3]), (1, &["port", "ip", "host"][..]));
        assert_eq!(find(&["80"]).unwrap_err().known, 0);
    }
}
