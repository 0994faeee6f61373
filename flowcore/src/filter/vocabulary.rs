//! The words that begin a term, and what they stand for.
//!
//! The phrases of the language are in one table, [`TERMS`]; the name of any field of the field table and any
//! protocol name are phrases too. Words in, [`Subject`] out.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::payload::{self, PAYLOAD_TERMS};
use super::terms::{MISSING, Meaning, TERMS};
use super::value::Problem;
use super::{names, value};
use crate::record::{FIELDS, Field, FieldInfo, FieldKind, Protocol, Timestamp};

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
    /// Something that the payloads in these fields say.
    Payload { part: payload::Part, fields: &'static [Field] },
    /// A column that has no field, by its name.
    Column(String),
    /// A field that has this value.
    Fixed(Field, u64),
    /// Fields of which any may lie between two others, in the same record.
    Between(&'static [Field], [Field; 2]),
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
    /// Ingress or egress, of which nfdump knows the numbers.
    FlowDirection,
    /// Any of the three numbers of an access list.
    Acl,
}

impl Subject {
    /// A field as a whole, in any record.
    fn field(field: Field) -> Self {
        Self::Fields { fields: vec![field], protocols: &[], aspect: Aspect::Whole }
    }

    /// What kind of value the term takes; `None` if it takes none.
    pub(super) fn kind(&self) -> Option<FieldKind> {
        match self {
            Self::Any | Self::Family(_) | Self::Protocol(_) | Self::Fixed(..) | Self::Between(..) => None,
            Self::Fields { fields, .. } => fields.first().map(|field| field.kind()),
            Self::Payload { part, .. } => part.takes_value().then_some(FieldKind::Text),
            Self::Column(_) => Some(FieldKind::Text),
        }
    }

    /// Whether a value of the term has this name.
    pub(super) fn has_value(&self, name: &str) -> bool {
        match self {
            Self::Fields { fields, .. } => {
                fields.iter().any(|&field| names::of(field).iter().any(|entry| entry.0 == name))
            }
            _ => false,
        }
    }

    /// What is wrong with this text as a value of the term, as far as that follows from the kind of its values.
    pub(super) fn problem(&self, text: &str) -> Option<Problem> {
        let Self::Fields { fields, .. } = self else { return None };
        let field = *fields.first()?;
        match field.kind() {
            FieldKind::Text => None,
            FieldKind::Addr => value::prefix(text).err(),
            FieldKind::Flags => value::flags(text).err(),
            FieldKind::Time => value::time(text, Timestamp::from_secs(0)).err(),
            kind => names::read(names::of(field), text, |text| value::numbers(kind, text)).err(),
        }
    }

    /// What a value of the term looks like.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Fields { aspect: Aspect::MplsClass, .. } => "a traffic class from 0 to 7",
            Self::Fields { aspect: Aspect::Content, .. } => {
                "text in quotes, with \\r, \\n, \\t, \\\\ and \\xNN for other bytes"
            }
            Self::Payload { part, .. } => part.expected(),
            Self::Fields { aspect: Aspect::FlowDirection, .. } => "ingress, egress, 0 or 1",
            Self::Fields { aspect: Aspect::Acl, .. } => "a number such as 0x8e1a5fc2",
            Self::Fields { fields, .. } => fields.first().map_or("", |&field| expected(field)),
            Self::Column(_) => "a text or number",
            _ => "",
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

/// What a value of a field looks like.
fn expected(field: Field) -> &'static str {
    match field {
        _ if field.kind() != FieldKind::Port => {
            names::expected(field).unwrap_or(value::expected(field.kind()))
        }
        Field::SrcPort | Field::DstPort | Field::PktSrcPort | Field::PktDstPort => {
            value::expected(FieldKind::Port)
        }
        _ => names::expected(field).unwrap_or("a number from 0 to 65535"),
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
    /// Words that could have come next.
    pub(super) next: Vec<&'static str>,
}

/// The longest phrase at the start of `words`; of equally long ones the first.
pub(super) fn find(words: &[&str]) -> Result<Found, Unknown> {
    let begun = begun_by(words.first());
    let matching = begun.iter().filter(|phrase| phrase.common(words) == phrase.len());
    if let Some(phrase) = matching.reduce(|best, next| if next.len() > best.len() { next } else { best }) {
        return Ok(phrase.found());
    }
    if let Some(protocol) = words.first().and_then(|word| protocol(word)) {
        let name = protocol.to_string().to_ascii_lowercase();
        return Ok(Found { words: 1, name, subject: Some(Subject::Protocol(protocol)) });
    }
    let known = begun.iter().map(|phrase| phrase.common(words)).max().unwrap_or(0);
    Err(Unknown { known, next: next_words(words, known) })
}

/// The words that continue a phrase begun by the first `known` words, those of usual spellings first.
pub(super) fn next_words(words: &[&str], known: usize) -> Vec<&'static str> {
    let mut next = Vec::new();
    let (usual, other): (Vec<_>, Vec<_>) = phrases()
        .filter(|phrase| phrase.common(words) >= known)
        .partition(|phrase| phrase.text == phrase.name);
    for phrase in usual.into_iter().chain(other) {
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
    protocol(word).is_some() || !begun_by(Some(&word)).is_empty()
}

/// Why these words of nfdump's language begin no term here; `None` if they are none of nfdump's.
pub(super) fn why_missing(words: &[&str]) -> Option<&'static str> {
    MISSING.iter().find(|(missing, _)| is_phrase(missing, words)).map(|entry| entry.1)
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

/// A protocol by name; a number alone says nothing, and those that have no usual name are more likely a mistake.
fn protocol(word: &str) -> Option<Protocol> {
    let protocol = word.parse().ok().filter(|_| !word.starts_with(|c: char| c.is_ascii_digit()));
    protocol.filter(|protocol: &Protocol| protocol.name().is_some())
}

/// The phrases that begin with this word: a filter of many terms asks for each of them.
fn begun_by(first: Option<&&str>) -> &'static [Phrase] {
    static BY_FIRST_WORD: LazyLock<HashMap<&str, Vec<Phrase>>> = LazyLock::new(|| {
        let mut index: HashMap<_, Vec<Phrase>> = HashMap::new();
        for phrase in phrases() {
            index.entry(phrase.first_word()).or_default().push(phrase);
        }
        index
    });
    let word = first.map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    BY_FIRST_WORD.get(word.as_str()).map_or(&[], Vec::as_slice)
}

/// All phrases, in lower case.
fn phrases() -> impl Iterator<Item = Phrase> {
    let terms = TERMS.iter().chain(PAYLOAD_TERMS.as_flattened()).flat_map(|row| {
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
    fn first_word(self) -> &'static str {
        self.text.split(' ').next().unwrap_or_default()
    }

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
    use proptest::prelude::*;

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
        for row in TERMS.iter().chain(PAYLOAD_TERMS.as_flattened()) {
            assert!(row.phrases.iter().all(|phrase| seen.insert(phrase)), "{:?}", row.phrases);
            if let Meaning::Fields(fields) | Meaning::Part(_, fields) | Meaning::Between(fields, _) =
                row.meaning
            {
                assert!(fields.iter().all(|field| field.kind() == fields[0].kind()), "{:?}", row.phrases);
            }
        }
    }

    #[test]
    fn a_phrase_is_known_or_missing() {
        for (phrase, why) in MISSING {
            let upper = phrase.to_uppercase();
            let words: Vec<&str> = upper.split(' ').collect();
            assert!(find(&words).is_err() && why_missing(&words) == Some(why), "{phrase}");
        }
        for words in [&["payload"][..], &["geo", "de"], &[]] {
            assert_eq!(why_missing(words), None);
        }
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

    proptest! {
        #[test]
        fn the_index_finds_what_a_look_at_every_phrase_does(
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..5),
        ) {
            let vocabulary: Vec<&str> = phrases().flat_map(|phrase| phrase.text.split(' ')).chain(["80"]).collect();
            let words = picks.iter().map(|(pick, is_upper)| {
                let word = pick.get(&vocabulary);
                if *is_upper { word.to_uppercase() } else { (*word).to_owned() }
            });
            let words: Vec<String> = words.collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let whole = phrases().filter(|phrase| phrase.common(&words) == phrase.len());
            let longest = whole.map(|phrase| phrase.len()).max();
            match find(&words) {
                Ok(Found { subject: Some(Subject::Protocol(_)), .. }) => prop_assert_eq!(longest, None),
                Ok(found) => prop_assert_eq!(Some(found.words), longest),
                Err(unknown) => {
                    let known = phrases().map(|phrase| phrase.common(&words)).max();
                    prop_assert_eq!((longest, Some(unknown.known)), (None, known));
                }
            }
        }
    }

    #[test]
    fn a_term_looks_at_few_phrases() {
        for phrase in phrases() {
            assert_eq!(phrase.text.to_ascii_lowercase(), phrase.text);
            let looked_at = begun_by(Some(&phrase.first_word()));
            assert!(looked_at.iter().any(|found| found.text == phrase.text));
            assert!(looked_at.len() < phrases().count() / 5, "{}: {}", phrase.text, looked_at.len());
        }
        assert!(begun_by(Some(&"ip")).len() <= 3 && begun_by(None).is_empty());
    }

    #[test]
    fn what_could_follow_is_known() {
        let unknown = find(&["dst", "prot", "22"]).unwrap_err();
        assert_eq!((unknown.known, &unknown.next[..3]), (1, &["port", "ip", "host"][..]));
        assert_eq!(find(&["80"]).unwrap_err().known, 0);
    }
}
