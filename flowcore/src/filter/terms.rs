//! The table of phrases: every construct of the language is a row.
//!
//! The names of fields and protocols are phrases of their own and have no row here, unless they mean more than the
//! field's value.

use super::vocabulary::{Aspect, Subject};
use crate::record::{Field, Protocol};

/// A construct of the language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Spellings; the first one is canonical.
    pub(super) phrases: &'static [&'static str],
    pub(super) meaning: Meaning,
}

/// What a phrase stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    Any,
    Family(u8),
    /// The next word names the field.
    Named,
    One(Field),
    Fields(&'static [Field]),
    /// A field that is looked at in records of these protocols only.
    Implying(&'static [Protocol], Field),
    /// A part of what the fields hold.
    Part(Aspect, &'static [Field]),
}

impl Meaning {
    /// The subject; `None` where the next word names it.
    pub(super) fn subject(self) -> Option<Subject> {
        let fields = |fields: &[Field], protocols, aspect| {
            Some(Subject::Fields { fields: fields.to_vec(), protocols, aspect })
        };
        match self {
            Self::Named => None,
            Self::Any => Some(Subject::Any),
            Self::Family(version) => Some(Subject::Family(version)),
            Self::One(field) => fields(&[field], &[], Aspect::Whole),
            Self::Fields(several) => fields(several, &[], Aspect::Whole),
            Self::Implying(protocols, field) => fields(&[field], protocols, Aspect::Whole),
            Self::Part(aspect, several) => fields(several, &[], aspect),
        }
    }
}

const fn row(phrases: &'static [&'static str], meaning: Meaning) -> Row {
    Row { phrases, meaning }
}

const TCP: &[Protocol] = &[Protocol::TCP];
const ICMP: &[Protocol] = &[Protocol::ICMP, Protocol::ICMPV6];

const LABELS: &[Field] = &Field::MPLS;

/// Every phrase that is not just the name of a field or protocol.
pub(super) static TERMS: &[Row] = {
    use Aspect::{Content, MplsBottom, MplsClass};
    use Meaning::{Any, Family, Fields, Implying, Named, One, Part};
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
        row(&["vlan", "src vlan"], One(Field::Vlan)),
        row(&["mpls any"], Fields(LABELS)),
        row(&["mpls eos"], Part(MplsBottom, LABELS)),
        row(&["mpls label0"], One(Field::Mpls1)),
        row(&["mpls label1"], One(Field::Mpls2)),
        row(&["mpls label2"], One(Field::Mpls3)),
        row(&["mpls label3"], One(Field::Mpls4)),
        row(&["mpls label4"], One(Field::Mpls5)),
        row(&["mpls label5"], One(Field::Mpls6)),
        row(&["mpls label6"], One(Field::Mpls7)),
        row(&["mpls label7"], One(Field::Mpls8)),
        row(&["mpls label8"], One(Field::Mpls9)),
        row(&["mpls label9"], One(Field::Mpls10)),
        row(&["mpls exp0"], Part(MplsClass, &[Field::Mpls1])),
        row(&["mpls exp1"], Part(MplsClass, &[Field::Mpls2])),
        row(&["mpls exp2"], Part(MplsClass, &[Field::Mpls3])),
        row(&["mpls exp3"], Part(MplsClass, &[Field::Mpls4])),
        row(&["mpls exp4"], Part(MplsClass, &[Field::Mpls5])),
        row(&["mpls exp5"], Part(MplsClass, &[Field::Mpls6])),
        row(&["mpls exp6"], Part(MplsClass, &[Field::Mpls7])),
        row(&["mpls exp7"], Part(MplsClass, &[Field::Mpls8])),
        row(&["mpls exp8"], Part(MplsClass, &[Field::Mpls9])),
        row(&["mpls exp9"], Part(MplsClass, &[Field::Mpls10])),
        row(&["src tun ip", "src tun host", "src tun net"], One(Field::TunSrcAddr)),
        row(&["dst tun ip", "dst tun host", "dst tun net"], One(Field::TunDstAddr)),
        row(&["tun ip", "tun host", "tun net"], Fields(&[Field::TunSrcAddr, Field::TunDstAddr])),
        row(&["tun proto", "tun protocol"], One(Field::TunProto)),
        row(&["tun type"], One(Field::TunType)),
        row(&["tun id"], One(Field::TunId)),
        row(&["client latency"], One(Field::ClientLatency)),
        row(&["server latency"], One(Field::ServerLatency)),
        row(&["app latency", "application latency"], One(Field::AppLatency)),
        row(&["in retransmits"], One(Field::InRetransmits)),
        row(&["out retransmits"], One(Field::OutRetransmits)),
        row(&["retransmits"], Fields(&[Field::InRetransmits, Field::OutRetransmits])),
        row(&["in outoforder"], One(Field::InOutOfOrder)),
        row(&["out outoforder"], One(Field::OutOutOfOrder)),
        row(&["outoforder"], Fields(&[Field::InOutOfOrder, Field::OutOutOfOrder])),
        row(&["in payload content"], Part(Content, &[Field::InPayload])),
        row(&["out payload content"], Part(Content, &[Field::OutPayload])),
        row(&["payload content"], Part(Content, &[Field::InPayload, Field::OutPayload])),
        row(&["end reason"], One(Field::EndReason)),
        row(&["src service"], One(Field::SrcService)),
        row(&["dst service"], One(Field::DstService)),
        row(&["service"], Fields(&[Field::SrcService, Field::DstService])),
        row(&["field"], Named),
    ]
};

/// Phrases of nfdump 1.7 without a row in [`TERMS`].
pub(super) static MISSING: &[&str] = &[
    "as",
    "asa",
    "bgp",
    "cnt",
    "count",
    "egress",
    "engine",
    "engine-id",
    "engine-type",
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
    "payload dns",
    "payload ja3",
    "payload ja4",
    "payload ja4s",
    "payload regex",
    "payload ssl",
    "payload tls",
    "pf",
    "prev",
    "router",
    "xlate",
    "@include",
];
