//! Single terms of every kind: how they are written and when they hold.

use std::fmt;

use flowcore::{Addr, FIELDS, Field, FieldKind, Flow, Protocol, Storage, TcpFlags, Timestamp, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::payloads::Payload;
use super::record::{TEXTS, addrs};

/// A term: in records of these protocols, whether one of these fields has a value that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    phrase: String,
    fields: Vec<Field>,
    guard: Guard,
    relation: Relation,
    wanted: Wanted,
}

/// Which records a term looks at.
#[derive(Debug, Clone, Copy)]
enum Guard {
    All,
    Protocols(&'static [u8]),
    /// Either port.
    Port(u16),
}

/// A relation, and which of its spellings is used.
#[derive(Debug, Clone, Copy)]
struct Relation {
    meaning: Meaning,
    spelling: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Equal,
    Unequal,
    More,
    Less,
    AtLeast,
    AtMost,
    In,
    NotIn,
}

/// The values asked for.
#[derive(Debug, Clone)]
enum Wanted {
    Any,
    /// IP version of the source or else of the destination.
    Version(u8),
    /// From, to; in the unit that the kind is written in.
    Numbers(FieldKind, Vec<(u64, u64)>),
    /// The traffic class of MPLS entries.
    Class(u64),
    /// The label of an MPLS entry at the bottom.
    Bottom(u64),
    Letters(u8),
    /// Seconds.
    Times(Vec<i64>),
    Prefixes(Vec<(Addr, u8)>),
    Texts(Vec<String>),
    /// Letters or a number.
    Column(String),
    /// That the first of these numbers lies between the other two, all in the same record.
    Between([Field; 3]),
    /// The field has this number.
    Fixed(Field, u64),
    Content(String),
    /// Letters and dots, and whether case does not matter.
    Regex(String, bool),
    DnsName(String),
    DnsAddress(Addr, u8),
    Server(String),
    TlsVersion(u16),
    /// DNS if true, else TLS.
    Defined(bool),
}

impl Term {
    pub(crate) fn kind(&self) -> &'static str {
        match &self.wanted {
            Wanted::Any => "any",
            Wanted::Version(_) => "version",
            Wanted::Numbers(FieldKind::Duration, _) => "duration",
            Wanted::Numbers(FieldKind::Latency, _) => "latency",
            Wanted::Numbers(FieldKind::Mac, _) => "mac",
            Wanted::Numbers(FieldKind::Mpls, _) => "label",
            Wanted::Numbers(FieldKind::Protocol, _) => "protocol",
            Wanted::Numbers(FieldKind::EndReason, _) => "end reason",
            Wanted::Numbers(..) => "number",
            Wanted::Class(_) => "class",
            Wanted::Bottom(_) => "bottom",
            Wanted::Letters(_) => "letters",
            Wanted::Times(_) => "time",
            Wanted::Prefixes(_) => "prefix",
            Wanted::Texts(_) => "text",
            Wanted::Column(text) if text.parse::<u64>().is_ok() => "column of numbers",
            Wanted::Column(_) => "column",
            Wanted::Between(_) => "between",
            Wanted::Fixed(..) => "fixed",
            Wanted::Content(_) => "content",
            Wanted::Regex(..) => "regex",
            Wanted::DnsName(_) => "dns name",
            Wanted::DnsAddress(..) => "dns address",
            Wanted::Server(_) => "server",
            Wanted::TlsVersion(_) => "tls version",
            Wanted::Defined(_) => "defined",
        }
    }

    pub(crate) fn holds(&self, flow: &Flow) -> bool {
        let answers: Vec<bool> = match &self.wanted {
            Wanted::Any => vec![true],
            Wanted::Version(version) => {
                let addrs = [Field::SrcAddr, Field::DstAddr].map(|field| flow.get(field).addr().version());
                return addrs.into_iter().find(|&of| of != 0) == Some(*version);
            }
            Wanted::Column(wanted) => {
                let same = |name: &str| name.to_lowercase().replace('_', "-") == "extra-2";
                let columns = flow.unknown.iter().filter(|(name, _)| same(name)).map(|(_, text)| text);
                let numbers = |text: &str| Some((text.parse::<u64>().ok()?, wanted.parse::<u64>().ok()?));
                let answer = |text: &str| match numbers(text) {
                    Some((value, wanted)) => self.compares(value, wanted, wanted),
                    None => text == wanted,
                };
                columns.map(|text| answer(text)).collect()
            }
            Wanted::Between(fields) => {
                let [value, low, high] = fields.map(|field| flow.get(field).number());
                return value
                    .zip(low)
                    .zip(high)
                    .is_some_and(|((value, low), high)| low <= value && value <= high);
            }
            Wanted::Fixed(field, number) => return flow.get(*field).number() == Some(*number),
            wanted => self.fields.iter().filter_map(|&field| self.answer(wanted, &flow.get(field))).collect(),
        };
        let looked_at = match self.guard {
            Guard::All => true,
            Guard::Protocols(list) => flow.key.protocol.is_some_and(|protocol| list.contains(&protocol.0)),
            Guard::Port(port) => [flow.key.src_port, flow.key.dst_port].contains(&Some(port)),
        };
        let negated = matches!(self.relation.meaning, Meaning::Unequal | Meaning::NotIn);
        looked_at && !answers.is_empty() && answers.contains(&true) != negated
    }

    /// Whether a value is wanted; `None` if there is none.
    fn answer(&self, wanted: &Wanted, value: &Value) -> Option<bool> {
        Some(match wanted {
            Wanted::Numbers(kind, ranges) => {
                let value = written(*kind, value.number()?);
                ranges.iter().any(|&(low, high)| self.compares(value, low, high))
            }
            Wanted::Class(wanted) => self.compares(value.number()? / 2 % 8, *wanted, *wanted),
            Wanted::Bottom(wanted) => {
                let entry = value.number().filter(|entry| entry % 2 == 1)?;
                self.compares(entry / 16, *wanted, *wanted)
            }
            Wanted::Letters(wanted) => {
                let flags = value.number()?;
                let bits = u64::from(*wanted);
                // Letters after a comparator are the whole byte, else the flags that have to be there.
                match self.relation.text() {
                    "" | "in" | "IN" | "not in" | "Not In" => flags & bits == bits,
                    _ => self.compares(flags, bits, bits),
                }
            }
            Wanted::Times(seconds) => {
                let millis = value.time()?.as_nanos().div_euclid(1_000_000);
                seconds.iter().any(|second| self.compares(millis, second * 1_000, second * 1_000))
            }
            Wanted::Prefixes(prefixes) => {
                let addr = value.addr();
                let given = addr.is_known().then_some(addr)?;
                prefixes.iter().any(|&(addr, len)| same_bits(given, addr, len))
            }
            Wanted::Texts(patterns) => {
                let text = value.text()?.to_lowercase();
                patterns.iter().any(|pattern| fits(pattern.to_lowercase().as_bytes(), text.as_bytes()))
            }
            Wanted::Content(part) => value.text()?.contains(part.as_str()),
            Wanted::Regex(pattern, caseless) => matches_anywhere(pattern, *caseless, value.text()?),
            about => return self.said(about, Payload::of(value.text()?)?),
        })
    }

    /// The answer of a payload of which it is known what it says.
    fn said(&self, wanted: &Wanted, payload: Payload) -> Option<bool> {
        let holds = |name: &str, part: &str| name.to_lowercase().contains(&part.to_lowercase());
        match (wanted, payload) {
            (Wanted::Defined(dns), payload) => {
                (matches!(payload, Payload::Dns { .. }) == *dns).then_some(true)
            }
            (Wanted::DnsName(part), Payload::Dns { name, .. }) => Some(holds(name, part)),
            (Wanted::DnsAddress(wanted, len), Payload::Dns { addr, .. }) => {
                Some(same_bits(Addr::V4(addr), *wanted, *len))
            }
            (Wanted::Server(part), Payload::Tls { server, .. }) => Some(holds(server, part)),
            (Wanted::TlsVersion(wanted), Payload::Tls { version, .. }) => {
                Some(self.compares(version, *wanted, *wanted))
            }
            _ => None,
        }
    }

    fn compares<T: Ord>(&self, value: T, low: T, high: T) -> bool {
        match self.relation.meaning {
            Meaning::More => value > high,
            Meaning::Less => value < low,
            Meaning::AtLeast => value >= low,
            Meaning::AtMost => value <= high,
            Meaning::Equal | Meaning::Unequal | Meaning::In | Meaning::NotIn => low <= value && value <= high,
        }
    }
}

/// A stored number in the unit in which filters compare it.
fn written(kind: FieldKind, number: u64) -> u64 {
    match kind {
        FieldKind::Duration => number / 1_000_000,
        FieldKind::Latency => number / 1_000,
        FieldKind::Mpls => number / 16,
        _ => number,
    }
}

fn same_bits(a: Addr, b: Addr, len: u8) -> bool {
    let bits = |addr: Addr| match addr {
        Addr::V4(addr) => format!("{:032b}", u32::from(addr)),
        Addr::V6(addr) => format!("{:0128b}", u128::from(addr)),
        Addr::Unknown => String::new(),
    };
    let (a, b) = (bits(a), bits(b));
    a.len() == b.len() && a[..usize::from(len)] == b[..usize::from(len)]
}

fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|at| fits(rest, &text[at..])),
        Some((c, rest)) => {
            text.split_first().is_some_and(|(t, after)| (*c == b'?' || c == t) && fits(rest, after))
        }
    }
}

fn matches_anywhere(pattern: &str, caseless: bool, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let same = |(&p, &t): (&char, &char)| match p {
        '.' => t != '\n',
        p => p == t || (caseless && p.eq_ignore_ascii_case(&t)),
    };
    text.windows(pattern.len()).any(|window| pattern.iter().zip(window).all(same))
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.wanted.values();
        let relation = self.relation.text();
        match self.relation.meaning {
            _ if values.is_empty() => f.write_str(&self.phrase),
            Meaning::In | Meaning::NotIn => {
                let comma = [" ", ",", " , "][self.relation.spelling % 3];
                write!(f, "{} {relation} [{}]", self.phrase, values.join(comma))
            }
            _ => write!(f, "{} {relation} {}", self.phrase, values.concat()),
        }
    }
}

impl Relation {
    fn text(self) -> &'static str {
        let spellings: &[&str] = match self.meaning {
            Meaning::Equal => &["", "=", "==", "eq"],
            Meaning::Unequal => &["!=", "ne", "NE"],
            Meaning::More => &[">", "gt"],
            Meaning::Less => &["<", "lt"],
            Meaning::AtLeast => &[">=", "ge"],
            Meaning::AtMost => &["<=", "le"],
            Meaning::In => &["in", "IN"],
            Meaning::NotIn => &["not in", "Not In"],
        };
        spellings[self.spelling % spellings.len()]
    }
}

impl Wanted {
    fn values(&self) -> Vec<String> {
        match self {
            Self::Any | Self::Version(_) | Self::Defined(_) | Self::Between(_) | Self::Fixed(..) => {
                Vec::new()
            }
            Self::Numbers(kind, ranges) => ranges.iter().map(|&range| number_text(*kind, range)).collect(),
            Self::Class(number) | Self::Bottom(number) => vec![number.to_string()],
            Self::Letters(bits) => vec![TcpFlags(*bits).to_string().replace('.', "")],
            Self::Times(seconds) => seconds.iter().map(|&at| Timestamp::from_secs(at).to_string()).collect(),
            Self::Prefixes(prefixes) => prefixes.iter().map(|(addr, len)| format!("{addr}/{len}")).collect(),
            Self::Texts(texts) => texts.iter().map(|text| format!("'{text}'")).collect(),
            Self::Column(text) => vec![text.clone()],
            Self::Content(text) => vec![format!("\"{text}\"")],
            Self::Regex(pattern, caseless) => {
                vec![format!("'{pattern}'{}", if *caseless { " i" } else { "" })]
            }
            Self::DnsName(text) | Self::Server(text) => vec![format!("'{text}'")],
            Self::DnsAddress(addr, len) => vec![format!("{addr}/{len}")],
            Self::TlsVersion(version) => vec![format!("1.{}", version - 0x0301)],
        }
    }
}

fn number_text(kind: FieldKind, (low, high): (u64, u64)) -> String {
    match kind {
        FieldKind::Mac => format!("00:00:00:00:{:02x}:{:02x}", low >> 8 & 0xff, low & 0xff),
        FieldKind::Protocol if low == high && low < 100 => Protocol(low as u8).to_string(),
        _ if low == high && low % 3 == 1 && takes_hex(kind) => format!("0x{low:x}"),
        _ if low == high => low.to_string(),
        _ => format!("{low}-{high}"),
    }
}

fn takes_hex(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Count | FieldKind::Rate | FieldKind::Port | FieldKind::Byte)
}

pub(crate) fn term() -> impl Strategy<Value = Term> {
    prop_oneof![
        8 => phrases(),
        6 => any_field(),
        2 => alone(),
        1 => (any::<u8>(), any_relation(), select(&[("flags", Field::TcpFlags), ("field inflags", Field::InFlags)][..]))
            .prop_map(|(bits, relation, (phrase, field))| {
                let guard = if phrase == "flags" { Guard::Protocols(&[6]) } else { Guard::All };
                Term::new(phrase, &[field], relation, Wanted::Letters(bits.max(1))).within(guard)
            }),
        1 => (any_relation(), 0_u64..7).prop_map(|(relation, label)| {
            Term::new("mpls eos", &Field::MPLS, relation, Wanted::Bottom(label))
        }),
        1 => (any_relation(), 0_u64..7).prop_map(|(relation, class)| {
            Term::new("mpls exp1", &[Field::Mpls2], relation, Wanted::Class(class))
        }),
        1 => (equality(), "[xyz]").prop_map(|(relation, text)| {
            Term::new("field EXTRA-2", &[], relation, Wanted::Column(text))
        }),
        1 => (any_relation(), 0_u64..20).prop_map(|(relation, number)| {
            Term::new("field extra_2", &[], relation, Wanted::Column(number.to_string()))
        }),
        5 => payload(),
    ]
}

impl Term {
    fn new(phrase: &str, fields: &[Field], relation: Relation, wanted: Wanted) -> Self {
        Self { phrase: phrase.to_owned(), fields: fields.to_vec(), guard: Guard::All, relation, wanted }
    }

    fn within(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }
}

/// Terms of the language that are not just the name of a field.
fn phrases() -> impl Strategy<Value = Term> {
    select(PHRASES).prop_flat_map(|(phrase, fields, guard)| {
        of_kind(fields[0].kind())
            .prop_map(move |(relation, wanted)| Term::new(phrase, fields, relation, wanted).within(guard))
    })
}

const PHRASES: &[(&str, &[Field], Guard)] = &[
    ("port", &[Field::SrcPort, Field::DstPort], Guard::All),
    ("SRC Port", &[Field::SrcPort], Guard::All),
    ("ip", &[Field::SrcAddr, Field::DstAddr], Guard::All),
    ("dst net", &[Field::DstAddr], Guard::All),
    ("src if host", &[Field::SrcAddr], Guard::All),
    ("src host", &[Field::SrcAddr, Field::PktSrcAddr], Guard::All),
    ("host", &[Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr], Guard::All),
    ("pkt host", &[Field::PktSrcAddr, Field::PktDstAddr], Guard::All),
    ("proto", &[Field::Protocol], Guard::All),
    ("packets", &[Field::Packets], Guard::All),
    ("in packets", &[Field::InPackets], Guard::All),
    ("bytes", &[Field::Bytes], Guard::All),
    ("out bytes", &[Field::OutBytes], Guard::All),
    ("first seen", &[Field::First], Guard::All),
    ("last", &[Field::Last], Guard::All),
    ("duration", &[Field::Duration], Guard::All),
    ("pps", &[Field::Pps], Guard::All),
    ("bpp", &[Field::Bpp], Guard::All),
    ("ttl", &[Field::MinTtl, Field::MaxTtl], Guard::All),
    ("tos", &[Field::SrcTos], Guard::All),
    ("src vlan", &[Field::Vlan], Guard::All),
    ("vlan", &[Field::Vlan, Field::DstVlan], Guard::All),
    ("mac", &[Field::SrcMac, Field::DstMac, Field::InDstMac, Field::OutSrcMac], Guard::All),
    ("as", &[Field::SrcAs, Field::DstAs], Guard::All),
    ("prev as", &[Field::PrevAs], Guard::All),
    ("mask", &[Field::SrcMask, Field::DstMask], Guard::All),
    ("if", &[Field::InputIf, Field::OutputIf], Guard::All),
    ("out if", &[Field::OutputIf], Guard::All),
    ("fwdstat", &[Field::FwdStatus], Guard::All),
    ("next ip", &[Field::NextHop], Guard::All),
    ("router ip", &[Field::RouterAddr], Guard::All),
    ("nat ip", &[Field::PktSrcAddr, Field::PktDstAddr], Guard::All),
    ("src nat port", &[Field::PktSrcPort], Guard::All),
    ("nat event", &[Field::NatEvent], Guard::All),
    ("asa user", &[Field::UserName], Guard::All),
    ("flows", &[Field::Flows], Guard::All),
    ("mpls label1", &[Field::Mpls2], Guard::All),
    ("mpls any", &Field::MPLS, Guard::All),
    ("icmp type", &[Field::IcmpType], Guard::Protocols(&[1, 58])),
    ("tun ip", &[Field::TunSrcAddr, Field::TunDstAddr], Guard::All),
    ("client latency", &[Field::ClientLatency], Guard::All),
    ("retransmits", &[Field::InRetransmits, Field::OutRetransmits], Guard::All),
    ("end reason", &[Field::EndReason], Guard::All),
    ("service", &[Field::SrcService, Field::DstService], Guard::All),
    ("action", &[Field::Action], Guard::All),
];

/// Any field by its name.
fn any_field() -> impl Strategy<Value = Term> {
    (0..FIELDS.len()).prop_flat_map(|at| {
        let info = &FIELDS[at];
        of_kind(info.kind).prop_map(|(relation, wanted)| {
            Term::new(&format!("field {}", info.name), &[info.field], relation, wanted)
        })
    })
}

/// Terms without a value.
fn alone() -> impl Strategy<Value = Term> {
    let terms = [
        ("any", Wanted::Any, Guard::All),
        ("ipv4", Wanted::Version(4), Guard::All),
        ("ipv6", Wanted::Version(6), Guard::All),
        ("tcp", Wanted::Any, Guard::Protocols(&[6])),
        ("UDP", Wanted::Any, Guard::Protocols(&[17])),
        ("ttl equal", Wanted::Between([Field::MinTtl, Field::MaxTtl, Field::MaxTtl]), Guard::All),
        (
            "src port in nat pblock",
            Wanted::Between([Field::SrcPort, Field::PortBlockStart, Field::PortBlockEnd]),
            Guard::All,
        ),
        ("asa event denied nosyn", Wanted::Fixed(Field::FwExtendedEvent, 1004), Guard::All),
    ];
    select(terms.to_vec())
        .prop_map(|(phrase, wanted, guard)| Term::new(phrase, &[], EQUAL, wanted).within(guard))
}

/// As a term without comparator has it.
const EQUAL: Relation = Relation { meaning: Meaning::Equal, spelling: 0 };

fn payload() -> impl Strategy<Value = Term> {
    const IN: &[Field] = &[Field::InPayload];
    const OUT: &[Field] = &[Field::OutPayload];
    const BOTH: &[Field] = &[Field::InPayload, Field::OutPayload];
    let parts = select(vec!["a", "AB", "ab.", "ba.net", "o", "zz", ""]);
    let about = prop_oneof![
        2 => "[abABG]{1,2}".prop_map(|text| ("content", Wanted::Content(text), Guard::All)),
        2 => ("[abAB.]{1,3}", any::<bool>())
            .prop_map(|(pattern, caseless)| ("regex", Wanted::Regex(pattern, caseless), Guard::All)),
        1 => parts.clone().prop_map(|part| ("dns name", Wanted::DnsName(part.into()), Guard::Port(53))),
        1 => (select(addrs()), 0_u8..=32).prop_map(|(addr, len)| {
            ("dns address", Wanted::DnsAddress(addr, len), Guard::Port(53))
        }),
        1 => parts.prop_map(|part| ("tls sni", Wanted::Server(part.into()), Guard::Protocols(&[6]))),
        1 => Just(("dns defined", Wanted::Defined(true), Guard::Port(53))),
        1 => Just(("ssl defined", Wanted::Defined(false), Guard::Protocols(&[6]))),
    ];
    let side = select(vec![("", BOTH), ("in ", IN), ("Out ", OUT)]);
    let version = (0x0301_u16..=0x0304, any_relation()).prop_map(|(version, relation)| {
        ("tls version", Wanted::TlsVersion(version), Guard::Protocols(&[6]), relation)
    });
    let others =
        (about, equality()).prop_map(|((what, wanted, guard), relation)| (what, wanted, guard, relation));
    (side, prop_oneof![5 => others, 1 => version]).prop_map(
        |((before, fields), (what, wanted, guard, relation))| {
            let relation = match wanted {
                Wanted::Defined(_) => Relation { meaning: Meaning::Equal, spelling: 0 },
                // A flag does not stand in a list.
                Wanted::Regex(_, true) if relation.meaning == Meaning::In => {
                    Relation { meaning: Meaning::Equal, ..relation }
                }
                Wanted::Regex(_, true) if relation.meaning == Meaning::NotIn => {
                    Relation { meaning: Meaning::Unequal, ..relation }
                }
                _ => relation,
            };
            Term::new(&format!("{before}payload {what}"), fields, relation, wanted).within(guard)
        },
    )
}

/// A relation and values for a field of this kind.
fn of_kind(kind: FieldKind) -> BoxedStrategy<(Relation, Wanted)> {
    let several = |relation: Relation| if relation.is_list() { 1..4_usize } else { 1..2 };
    match kind.storage() {
        Storage::Number => any_relation()
            .prop_flat_map(move |relation| {
                vec(numbers(kind, relation), several(relation))
                    .prop_map(move |ranges| (relation, Wanted::Numbers(kind, ranges)))
            })
            .boxed(),
        Storage::Time => any_relation()
            .prop_flat_map(move |relation| {
                vec(0_i64..9, several(relation)).prop_map(move |times| (relation, Wanted::Times(times)))
            })
            .boxed(),
        Storage::Addr => equality()
            .prop_flat_map(move |relation| {
                let prefix = (select(addrs()), 0_u8..=128)
                    .prop_map(|(addr, len)| (addr, len.min(if addr.version() == 4 { 32 } else { 128 })));
                vec(prefix, several(relation)).prop_map(move |list| (relation, Wanted::Prefixes(list)))
            })
            .boxed(),
        Storage::Text => equality()
            .prop_flat_map(move |relation| {
                let text = prop_oneof![select(&TEXTS[..]).prop_map(str::to_owned), "[abAB*?]{0,3}"];
                vec(text, several(relation)).prop_map(move |list| (relation, Wanted::Texts(list)))
            })
            .boxed(),
    }
}

/// From and to of a value; mostly the same, and always where only one value may stand.
fn numbers(kind: FieldKind, relation: Relation) -> impl Strategy<Value = (u64, u64)> {
    let one = matches!(kind, FieldKind::Mac | FieldKind::Flags)
        || matches!(relation.meaning, Meaning::More | Meaning::Less | Meaning::AtLeast | Meaning::AtMost);
    let values = match kind {
        FieldKind::Protocol => vec![1, 6, 17, 58, 255],
        FieldKind::EndReason => vec![1, 2, 3, 4, 5],
        FieldKind::Port => vec![0, 1, 2, 53, 443, 65_535],
        FieldKind::Duration | FieldKind::Latency | FieldKind::Mpls | FieldKind::Mac => {
            vec![0, 1, 2, 3, 4, 5, 6]
        }
        kind => vec![0, 1, 2, 3, 4, 5, 6, kind.max_number()],
    };
    (select(values.clone()), select(values), any::<bool>())
        .prop_map(move |(a, b, range)| if one || !range { (a, a) } else { (a.min(b), a.max(b)) })
}

impl Relation {
    fn is_list(self) -> bool {
        matches!(self.meaning, Meaning::In | Meaning::NotIn)
    }
}

fn any_relation() -> impl Strategy<Value = Relation> {
    let meanings = [
        Meaning::Equal,
        Meaning::Equal,
        Meaning::Unequal,
        Meaning::More,
        Meaning::Less,
        Meaning::AtLeast,
        Meaning::AtMost,
        Meaning::In,
        Meaning::NotIn,
    ];
    (select(meanings.to_vec()), 0_usize..12).prop_map(|(meaning, spelling)| Relation { meaning, spelling })
}

fn equality() -> impl Strategy<Value = Relation> {
    let meanings = [Meaning::Equal, Meaning::Equal, Meaning::Unequal, Meaning::In, Meaning::NotIn];
    (select(meanings.to_vec()), 0_usize..12).prop_map(|(meaning, spelling)| Relation { meaning, spelling })
}
