//! One flow tuple: the text with commas in which Azure packs a flow.

use std::borrow::Cow;
use std::fmt;

use crate::format::json::shown;
use crate::format::vpc::value::{self, ValueError};
use crate::record::{Addr, Timestamp};

/// What a tuple says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tuple {
    pub(super) time: Timestamp,
    pub(super) src: Addr,
    pub(super) dst: Addr,
    pub(super) src_port: Option<u64>,
    pub(super) dst_port: Option<u64>,
    pub(super) protocol: u64,
    pub(super) direction: &'static str,
    pub(super) is_denied: bool,
    pub(super) state: Option<State>,
    /// Code of the encryption.
    pub(super) encryption: Option<Cow<'static, str>>,
    /// Packets and bytes from source to destination, packets and bytes back.
    pub(super) counters: [Option<u64>; 4],
}

/// Where in its life a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Begin,
    Continue,
    End,
    Deny,
}

/// Why a text is no tuple. It is written out only where it is shown, as such texts can be millions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadTuple<'a> {
    /// It has so many parts.
    Parts(usize),
    Value {
        part: &'static str,
        text: &'a str,
        error: ValueError,
    },
    /// A part is none of these letters.
    Letter {
        part: &'static str,
        text: &'a str,
        letters: [&'static str; 4],
    },
}

impl fmt::Display for BadTuple<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts(count) => write!(f, "{count} parts; tuples have {SHORT} or {LONG}"),
            Self::Value { part, text, error } => write!(f, "{part}: {:?} {error}", shown(text)),
            Self::Letter { part, text, letters } => {
                let letters: Vec<_> = letters.iter().filter(|letter| !letter.is_empty()).copied().collect();
                write!(f, "{part}: {:?} is none of {}", shown(text), letters.join(", "))
            }
        }
    }
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Continue => "continue",
            Self::End => "end",
            Self::Deny => "deny",
        }
    }
}

/// Parts of a tuple of a security group's version 1.
const SHORT: usize = 8;
/// Parts of all others.
const LONG: usize = 13;
/// Bytes of the shortest tuple that there can be, such as `1,::,::,,,T,I,A`.
pub(super) const SHORTEST: usize = 15;

impl Tuple {
    /// Reads a tuple; the error says which part cannot be what it should.
    pub(super) fn parse(text: &str) -> Result<Self, BadTuple<'_>> {
        let mut parts = [""; LONG];
        let mut count = 0;
        for part in text.split(',') {
            if let Some(place) = parts.get_mut(count) {
                *place = part.trim_ascii();
            }
            count += 1;
        }
        let [time, src, dst, src_port, dst_port, protocol, direction, seventh, eighth, counters @ ..] = parts;
        let tuple = Self {
            time: value::time(time.as_bytes()).map_err(bad("time", time))?,
            src: value::addr(src.as_bytes()).map_err(bad("source address", src))?,
            dst: value::addr(dst.as_bytes()).map_err(bad("destination address", dst))?,
            src_port: number(src_port, 0xffff).map_err(bad("source port", src_port))?,
            dst_port: number(dst_port, 0xffff).map_err(bad("destination port", dst_port))?,
            protocol: 0,
            direction: letter("direction", direction, [("I", "ingress"), ("O", "egress")])?,
            is_denied: false,
            state: None,
            encryption: None,
            counters: [None; 4],
        };
        let is_group = protocol.starts_with(|first: char| first.is_ascii_alphabetic());
        match count {
            SHORT => tuple.of_group(protocol, seventh),
            LONG if is_group => tuple.of_group(protocol, seventh)?.in_group_state(eighth)?.counted(counters),
            LONG => tuple.of_network(protocol, seventh, eighth)?.counted(counters),
            _ => Err(BadTuple::Parts(count)),
        }
    }

    fn of_group<'a>(mut self, protocol: &'a str, decision: &'a str) -> Result<Self, BadTuple<'a>> {
        self.protocol = letter("protocol", protocol, [("T", 6), ("U", 17)])?;
        self.is_denied = letter("decision", decision, [("A", false), ("D", true)])?;
        Ok(self)
    }

    fn in_group_state(mut self, state: &str) -> Result<Self, BadTuple<'_>> {
        let states = [("B", State::Begin), ("C", State::Continue), ("E", State::End)];
        self.state = Some(letter("state", state, states)?);
        Ok(self)
    }

    fn of_network<'a>(
        mut self,
        protocol: &'a str,
        state: &'a str,
        encryption: &str,
    ) -> Result<Self, BadTuple<'a>> {
        let number = value::number(protocol.as_bytes(), 0xff).map_err(bad("protocol", protocol))?;
        let states = [("B", State::Begin), ("C", State::Continue), ("E", State::End), ("D", State::Deny)];
        self.protocol = number;
        self.state = Some(letter("state", state, states)?);
        self.is_denied = self.state == Some(State::Deny);
        self.encryption = code(encryption);
        Ok(self)
    }

    /// The tuple with its counters; one that begins a flow, or tells of a denied one, has counted nothing.
    fn counted<'a>(mut self, counters: [&'a str; 4]) -> Result<Self, BadTuple<'a>> {
        const NAMES: [&str; 4] = ["packets sent", "bytes sent", "packets received", "bytes received"];
        let counts_nothing = self.is_denied || self.state == Some(State::Begin);
        for ((counter, text), name) in self.counters.iter_mut().zip(counters).zip(NAMES) {
            *counter = number(text, u64::MAX).map_err(bad(name, text))?;
            *counter = counter.filter(|&count| count > 0 || !counts_nothing);
        }
        Ok(self)
    }
}

/// A number that may be left empty.
fn number(text: &str, max: u64) -> Result<Option<u64>, ValueError> {
    if text.is_empty() { Ok(None) } else { value::number(text.as_bytes(), max).map(Some) }
}

/// What a letter stands for.
fn letter<'a, T: Copy, const N: usize>(
    part: &'static str,
    text: &'a str,
    meanings: [(&'static str, T); N],
) -> Result<T, BadTuple<'a>> {
    let meaning = meanings.iter().find(|(letter, _)| *letter == text);
    meaning.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let mut letters = [""; 4];
        letters.iter_mut().zip(meanings).for_each(|(place, (letter, _))| *place = letter);
        BadTuple::Letter { part, text, letters }
    })
}

/// The codes that are documented need no memory of their own.
fn code(text: &str) -> Option<Cow<'static, str>> {
    const KNOWN: [&str; 8] = [
        "X",
        "NX",
        "NX_HW_NOT_SUPPORTED",
        "NX_SW_NOT_READY",
        "NX_NOT_ACCEPTED",
        "NX_NOT_SUPPORTED",
        "NX_LOCAL_DST",
        "NX_FALLBACK",
    ];
    let known = KNOWN.into_iter().find(|known| *known == text).map(Cow::Borrowed);
    known.or_else(|| (!text.is_empty()).then(|| Cow::Owned(text.to_owned())))
}

fn bad<'a>(part: &'static str, text: &'a str) -> impl Fn(ValueError) -> BadTuple<'a> {
    move |error| BadTuple::Value { part, text, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GROUP: &str = "1542110379,10.5.16.4,13.67.143.117,59932,443,T,O,A,E,1,66,2,70";
    const NETWORK: &str = "1663146003606,10.0.0.6,2603:1030::8,23956,443,17,I,C,NX,3,767,2,1580";

    fn base() -> Tuple {
        Tuple {
            time: Timestamp::from_secs(1_542_110_379),
            src: "10.5.16.4".parse().unwrap(),
            dst: "13.67.143.117".parse().unwrap(),
            src_port: Some(59_932),
            dst_port: Some(443),
            protocol: 6,
            direction: "egress",
            is_denied: false,
            state: Some(State::End),
            encryption: None,
            counters: [Some(1), Some(66), Some(2), Some(70)],
        }
    }

    #[test]
    fn each_form_is_understood() {
        assert_eq!(Tuple::parse(GROUP), Ok(base()));
        assert_eq!(
            Tuple::parse("1542110379,10.5.16.4,13.67.143.117,59932,443,U,I,D"),
            Ok(Tuple {
                protocol: 17,
                direction: "ingress",
                is_denied: true,
                state: None,
                counters: [None; 4],
                ..base()
            })
        );
        assert_eq!(
            Tuple::parse(NETWORK),
            Ok(Tuple {
                time: Timestamp::from_nanos(1_663_146_003_606_000_000),
                src: "10.0.0.6".parse().unwrap(),
                dst: "2603:1030::8".parse().unwrap(),
                src_port: Some(23_956),
                protocol: 17,
                direction: "ingress",
                state: Some(State::Continue),
                encryption: Some("NX".into()),
                counters: [Some(3), Some(767), Some(2), Some(1580)],
                ..base()
            })
        );
    }

    #[test]
    fn what_is_not_counted_is_absent() {
        let counters = |text: &str| Tuple::parse(text).unwrap().counters;
        let network = |state: &str, counts: &str| format!("1,10.0.0.1,10.0.0.2,1,2,6,O,{state},X,{counts}");
        assert_eq!(counters(&network("B", "0,0,0,0")), [None; 4]);
        assert_eq!(counters(&network("D", "0,0,0,0")), [None; 4]);
        assert_eq!(counters(&network("D", "1,40,0,0")), [Some(1), Some(40), None, None]);
        assert_eq!(counters(&network("E", "3,120,0,0")), [Some(3), Some(120), Some(0), Some(0)]);
        assert_eq!(counters(&network("E", ",,,")), [None; 4]);
        assert_eq!(counters(&GROUP.replace("A,E,1,66,2,70", "D,B,,,,")), [None; 4]);
    }

    #[test]
    fn what_cannot_be_a_tuple_says_which_part() {
        for (from, to, message) in [
            (",2,70", "", "11 parts; tuples have 8 or 13"),
            (",70", ",70,1", "14 parts; tuples have 8 or 13"),
            ("59932", "70000", "source port: \"70000\" is larger than 65535"),
            ("443", "x", "destination port: \"x\" is not a number"),
            ("10.5.16.4", "10.5.16", "source address: \"10.5.16\" is not an IP address"),
            ("1542110379", "-1", "time: \"-1\" is not a time in Unix seconds"),
            (",T,", ",X,", "protocol: \"X\" is none of T, U"),
            (",T,", ",256,", "protocol: \"256\" is larger than 255"),
            (",O,", ",,", "direction: \"\" is none of I, O"),
            (",A,", ",x,", "decision: \"x\" is none of A, D"),
            (",E,", ",D,", "state: \"D\" is none of B, C, E"),
            (
                ",66,",
                ",18446744073709551616,",
                "bytes sent: \"18446744073709551616\" is larger than 18446744073709551615",
            ),
        ] {
            assert_eq!(Tuple::parse(&GROUP.replacen(from, to, 1)).unwrap_err().to_string(), message);
        }
        assert_eq!(Tuple::parse("").unwrap_err().to_string(), "time: \"\" is not a time in Unix seconds");
        assert_eq!(
            Tuple::parse(&"9,".repeat(100_000)).unwrap_err().to_string(),
            "source address: \"9\" is not an IP address"
        );
    }

    #[test]
    fn the_shortest_tuple_is_one() {
        let shortest = "1,::,::,,,T,I,A";
        assert_eq!(shortest.len(), SHORTEST);
        assert!(Tuple::parse(shortest).is_ok());
        for at in 0..shortest.len() {
            let shorter = format!("{}{}", &shortest[..at], &shortest[at + 1..]);
            assert!(Tuple::parse(&shorter).is_err(), "{shorter}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9.,:TUIOABCDEX_-]{0,80}", at in 0_usize..60, junk in "\\PC{0,3}") {
            let _ = Tuple::parse(&text);
            let _ = Tuple::parse(&format!("{}{junk}{}", &GROUP[..at], &GROUP[at..]));
        }
    }
}
