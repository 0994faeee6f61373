//! Terms about what a payload says: regular expressions, DNS, TLS and its fingerprints.
//!
//! The phrases are here, [`read`] makes a condition of a term as written, and the [condition](PayloadCondition) looks
//! at the bytes of one payload at a time. What nfdump looks for in some records only has a guard, a condition like any
//! other: DNS is on port 53, TLS over TCP.

mod condition;
mod read;

pub(super) use condition::PayloadCondition;

use super::predicate::{Condition, Test};
use super::sets::Ranges;
use super::terms::{Meaning, Row, row};
use crate::record::{Field, Protocol};

/// What of a payload a term asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Regex,
    DnsDefined,
    DnsName,
    DnsAddress,
    TlsDefined,
    TlsVersion,
    SslVersion,
    Sni,
    Ja3Defined,
    Ja3,
    Ja4Defined,
    Ja4,
}

impl Part {
    /// Whether a value follows.
    pub(super) fn takes_value(self) -> bool {
        !matches!(self, Self::DnsDefined | Self::TlsDefined | Self::Ja3Defined | Self::Ja4Defined)
    }

    /// What a value looks like.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Regex => {
                "a regular expression in quotes, such as 'GET|POST', and perhaps the flags i, m, s"
            }
            Self::DnsName | Self::Sni => "a name or a part of one",
            Self::DnsAddress => "an address, a prefix, or a part of an address",
            Self::TlsVersion => "1.0, 1.1, 1.2 or 1.3",
            Self::SslVersion => "2.0 or 3.0",
            Self::Ja3 => "the 32 hexadecimal digits of an MD5",
            Self::Ja4 => "a fingerprint such as t13d1516h2_8daaf6152771_d8a2da3f94cd",
            _ => "",
        }
    }

    /// What its values are called.
    fn plural(self) -> &'static str {
        match self {
            Self::Regex => "regular expressions",
            Self::DnsAddress => "addresses",
            Self::Ja3 | Self::Ja4 => "fingerprints",
            _ => "names",
        }
    }

    /// Which records the term looks at.
    fn guard(self) -> Condition {
        let numbers = |fields: &[Field], number| Condition::Fields {
            fields: fields.to_vec(),
            protocols: &[],
            test: Test::Numbers(Ranges::new([(number, number)])),
            negated: false,
        };
        match self {
            Self::Regex => Condition::Any,
            Self::DnsDefined | Self::DnsName | Self::DnsAddress => {
                numbers(&[Field::SrcPort, Field::DstPort], DNS_PORT)
            }
            _ => numbers(&[Field::Protocol], Protocol::TCP.0.into()),
        }
    }
}

const DNS_PORT: u64 = 53;

/// Every phrase about a part of a payload: of both directions, of the source, of the destination.
pub(super) static PAYLOAD_TERMS: [[Row; 12]; 3] = {
    macro_rules! phrases {
        ($before:literal, $fields:expr; $($part:ident $($text:literal)|+;)*) => {
            [$(row(&[$(concat!($before, "payload ", $text)),+], Meaning::Payload(Part::$part, $fields))),*]
        };
    }
    macro_rules! directed {
        ($before:literal, $fields:expr) => {
            phrases! { $before, $fields;
                Regex "regex";
                DnsDefined "dns defined";
                DnsName "dns name";
                DnsAddress "dns address" | "dns addr";
                TlsDefined "tls defined" | "ssl defined";
                TlsVersion "tls version";
                SslVersion "ssl version";
                Sni "tls sni" | "ssl sni";
                Ja3Defined "ja3 defined";
                Ja3 "ja3";
                Ja4Defined "ja4 defined";
                Ja4 "ja4";
            }
        };
    }
    [
        directed!("", &[Field::InPayload, Field::OutPayload]),
        directed!("in ", &[Field::InPayload]),
        directed!("out ", &[Field::OutPayload]),
    ]
};

/// Why a phrase of nfdump's about payloads is not here, where that is for good.
pub(super) fn why_not(words: &[&str]) -> Option<&'static str> {
    words.last()?.eq_ignore_ascii_case("ja4s").then_some(JA4S_LICENCE)
}

const JA4S_LICENCE: &str = "JA4S is under the FoxIO License, which forbids some uses; ja3 knows servers too";

#[cfg(test)]
mod tests {
    use crate::batch::FlowBatch;
    use crate::filter::Filter;
    use crate::payload::testing::{Client, record, server_hello};
    use crate::record::{Field, Flow, Protocol, Value, payload_text};

    const TLS: usize = 0;
    const OLD: usize = 1;
    const QUIC: usize = 2;
    const DNS: usize = 3;
    const ODD_DNS: usize = 4;
    const WEB: usize = 5;
    const EMPTY: usize = 6;

    /// An expression and the sample flows it chooses.
    const CASES: &[(&str, &[usize])] = &[
        ("payload tls defined", &[TLS, OLD]),
        ("payload ssl defined", &[TLS, OLD]),
        ("out payload tls defined", &[TLS]),
        ("not payload tls defined", &[QUIC, DNS, ODD_DNS, WEB, EMPTY]),
        ("payload tls version 1.3", &[TLS]),
        ("out payload tls version 1.2", &[TLS]),
        ("payload tls version < 1.2", &[OLD]),
        ("payload tls version in [1.0 1.1]", &[]),
        ("payload tls version != 1.3", &[OLD]),
        ("in payload tls version != 1.2", &[TLS, OLD]),
        ("payload ssl version 3.0", &[OLD]),
        ("payload ssl version 1.0", &[]),
        ("payload tls sni example.com", &[TLS]),
        ("payload ssl sni 'EXAMPLE'", &[TLS]),
        ("payload tls sni ''", &[TLS]),
        ("payload tls sni != example", &[]),
        ("payload tls sni not in [a.org b.org]", &[TLS]),
        ("payload ja3 defined", &[TLS, OLD]),
        ("payload ja3 98487AA16281980e7d1120d399efb6a4", &[TLS]),
        ("out payload ja3 a704460bd0a887c62e4f462bf1bba96b", &[TLS]),
        ("in payload ja3 a704460bd0a887c62e4f462bf1bba96b", &[]),
        ("payload ja3 != 98487aa16281980e7d1120d399efb6a4", &[OLD]),
        ("payload ja4 defined", &[TLS, OLD]),
        ("out payload ja4 defined", &[]),
        ("payload ja4 t13d1516h2_8daaf6152771_d8a2da3f94cd", &[TLS]),
        ("payload ja4 t13d*_8daaf6152771_*", &[TLS]),
        ("payload dns defined", &[DNS]),
        ("payload dns name example", &[DNS]),
        ("payload dns name = WWW.example.com", &[DNS]),
        ("payload dns name example.org", &[]),
        ("payload dns name != example.org", &[DNS]),
        ("in payload dns addr 203.0.113.5", &[]),
        ("out payload dns address 203.0.113.5", &[DNS]),
        ("payload dns address 3.0.113.5", &[]),
        ("payload dns address 203.0.113.0/24", &[DNS]),
        ("payload dns address 203.0.", &[DNS]),
        ("payload dns address .113.", &[DNS]),
        ("payload dns address in [10.0.0.0/8 2001:db8::/32]", &[]),
        ("payload dns address != 10.0.0.1", &[DNS]),
        ("payload regex 'GET|POST'", &[WEB]),
        ("payload regex get", &[]),
        ("payload regex get i", &[WEB]),
        ("payload regex '^host: \\w+\\.org\\r$' im", &[WEB]),
        ("payload regex '^host:' i", &[]),
        ("payload regex 'HTTP/1.1.+Host'", &[]),
        ("payload regex 'HTTP/1.1.+?Host' s and tcp", &[WEB]),
        ("payload regex '\\xff[\\x00-\\x05]{2,3}$'", &[WEB]),
        ("payload regex != .", &[]),
        ("payload regex != 'Host'", &[TLS, OLD, QUIC, DNS, ODD_DNS]),
        ("payload regex 'ü+'", &[]),
        ("not payload regex ü", &[TLS, OLD, QUIC, DNS, ODD_DNS, WEB, EMPTY]),
        ("payload regex in ['^GET ' '^\\x16\\x03']", &[TLS, OLD, QUIC, WEB]),
        ("out payload regex . or in payload regex '^POST'", &[TLS, DNS]),
    ];

    fn samples() -> Vec<Flow> {
        let flow = |protocol, port, payloads: [&[u8]; 2]| {
            let mut flow = Flow::default();
            (flow.key.protocol, flow.key.dst_port) = (Some(Protocol(protocol)), Some(port));
            for (field, payload) in [Field::InPayload, Field::OutPayload].into_iter().zip(payloads) {
                if !payload.is_empty() {
                    flow.set(field, Value::from(payload_text(payload).as_str()));
                }
            }
            flow
        };
        let hello = record(&Client::browser().handshake());
        let chosen = record(&server_hello(0x0303, 0xc02f, &[(0xff01, &[0]), (0, &[]), (11, &[1, 0])]));
        let old = record(&Client { version: 0x0300, ciphers: vec![5], ..Client::default() }.handshake());
        let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01".to_vec();
        let mut answer = query.clone();
        (answer[2], answer[7]) = (0x81, 1);
        answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xcb\0\x71\x05");
        let web = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n\xff\0\x05";
        vec![
            flow(6, 443, [&hello, &chosen]),
            flow(6, 8443, [&old, &[]]),
            flow(17, 443, [&hello, &[]]),
            flow(17, 53, [&query, &answer]),
            flow(17, 54, [&query[..20], &[]]),
            flow(6, 80, [web, &[]]),
            flow(6, 443, [&[], &[]]),
        ]
    }

    #[test]
    fn every_case_chooses_its_flows_by_row_and_by_batch() {
        let flows = samples();
        let mut batch = FlowBatch::new();
        flows.iter().chain(&flows).for_each(|flow| batch.push(flow));
        for &(expression, expected) in CASES {
            let filter = Filter::parse(expression).unwrap_or_else(|error| panic!("{error}"));
            let rows: Vec<usize> = (0..flows.len()).filter(|&row| filter.matches(&flows[row])).collect();
            assert_eq!(rows, expected, "{expression}");
            let twice: Vec<usize> =
                rows.iter().copied().chain(rows.iter().map(|row| row + flows.len())).collect();
            assert_eq!(filter.select(&batch).rows().collect::<Vec<_>>(), twice, "{expression}");
            let again = Filter::parse(&filter.to_string()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(again.0.tree, filter.0.tree, "{filter}");
        }
    }

    #[test]
    fn a_filter_says_which_fields_it_needs() {
        let fields = |text: &str| Filter::parse(text).unwrap().fields().iter().collect::<Vec<_>>();
        assert_eq!(fields("in payload regex x"), [Field::InPayload]);
        assert_eq!(fields("out payload ja4 defined"), [Field::Protocol, Field::OutPayload]);
        assert_eq!(fields("out payload dns defined"), [Field::SrcPort, Field::DstPort, Field::OutPayload]);
    }

    #[test]
    fn the_caret_stands_in_the_pattern() {
        for (expression, wrong, message) in [
            ("payload regex 'GET('", "(", "the regular expression is wrong: unclosed group"),
            ("payload regex \"a{3,1}b\" i and tcp", "{3,1}", "the regular expression is wrong: invalid"),
            ("tcp and payload regex in [a '[b-']", "[", "unclosed character class"),
            ("payload regex '[aü]'", "ü", "write a letter beyond ASCII as its bytes, such as \\xc3\\xbc"),
            ("payload regex '\\d{1000}{1000}'", "'\\d{1000}{1000}'", "takes more than 1024 KiB"),
            ("payload regex a x", "x", "\"x\" is no flag of a regular expression"),
            ("payload regex a port 80", "port", "no flag"),
            ("payload regex", "", "needs a value"),
            ("payload regex > a", ">", "regular expressions are not larger or smaller"),
            ("payload tls version 1.4", "1.4", "\"1.4\" is no version of TLS"),
            ("payload ja3 123", "123", "\"123\" is no JA3"),
            ("payload ja4 t13d1516h2", "t13d1516h2", "is no JA4"),
            ("payload dns address 10.0.0.300", "10.0.0.300", "300 is larger than 255"),
            ("payload dns address x", "x", "is not an IP address"),
            (
                "payload ja4s t130200_1302_234ea6891581",
                "ja4s",
                "\"payload ja4s\" is not supported: JA4S is under",
            ),
            ("in payload ja4s t130200_1302_234ea6891581", "ja4s", "is not supported: JA4S is under"),
            ("payload dns", "dns", "incomplete"),
        ] {
            let error = Filter::parse(expression).expect_err(expression);
            assert_eq!(&expression[error.span()], wrong, "{error}");
            assert!(error.message().contains(message), "{error}");
        }
        let meant = |text: &str| Filter::parse(text).unwrap_err().suggestion().map(str::to_owned);
        assert_eq!(meant("payload tls version 3.0").as_deref(), Some("payload ssl version 3.0"));
        assert_eq!(meant("payload ssl version 1.2").as_deref(), Some("payload tls version 1.2"));
        assert_eq!(meant("payload regex a port").as_deref(), Some("and port"));
    }

    #[test]
    fn flags_become_a_part_of_the_pattern() {
        let canonical = |text: &str| Filter::parse(text).unwrap().to_string();
        assert_eq!(canonical("PAYLOAD REGEX get si"), "payload regex \"(?is)get\"");
        assert_eq!(canonical("payload ssl sni x"), "payload tls sni x");
        assert_eq!(canonical("payload regex 'a\"'"), "payload regex 'a\"'");
    }
}
