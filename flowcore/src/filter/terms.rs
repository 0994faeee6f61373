//! The table of phrases: every construct of the language is a row.
//!
//! The names of fields and protocols are phrases of their own and have no row here, unless they mean more than the
//! field's value.

use super::payload::Part as PayloadPart;
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
    /// Something that payloads say.
    Payload(PayloadPart, &'static [Field]),
    /// The field has this value; the term takes none.
    Fixed(Field, u64),
    /// One of the fields lies between two others; the term takes no value.
    Between(&'static [Field], [Field; 2]),
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
            Self::Payload(part, fields) => Some(Subject::Payload { part, fields }),
            Self::Fixed(field, number) => Some(Subject::Fixed(field, number)),
            Self::Between(several, limits) => Some(Subject::Between(several, limits)),
        }
    }
}

pub(super) const fn row(phrases: &'static [&'static str], meaning: Meaning) -> Row {
    Row { phrases, meaning }
}

const TCP: &[Protocol] = &[Protocol::TCP];
const ICMP: &[Protocol] = &[Protocol::ICMP, Protocol::ICMPV6];

const LABELS: &[Field] = &Field::MPLS;

const PORTS: &[Field] = &[Field::SrcPort, Field::DstPort];
const PORT_BLOCK: [Field; 2] = [Field::PortBlockStart, Field::PortBlockEnd];
const TTLS: [Field; 2] = [Field::MaxTtl, Field::MaxTtl];

/// Every phrase that is not just the name of a field or protocol. Of spellings, those of older versions stand last.
pub(super) static TERMS: &[Row] = {
    use Aspect::{Acl, Content, FlowDirection, MplsBottom, MplsClass};
    use Meaning::{Any, Between, Family, Fields, Fixed, Implying, Named, One, Part};
    &[
        row(&["any"], Any),
        row(&["ipv4", "inet"], Family(4)),
        row(&["ipv6", "inet6"], Family(6)),
        row(&["src port"], One(Field::SrcPort)),
        row(&["dst port"], One(Field::DstPort)),
        row(&["port"], Fields(PORTS)),
        row(&["src ip", "src net", "src if host", "src if ip", "src if net"], One(Field::SrcAddr)),
        row(&["dst ip", "dst net", "dst if host", "dst if ip", "dst if net"], One(Field::DstAddr)),
        row(&["ip", "net", "if host", "if ip", "if net"], Fields(&[Field::SrcAddr, Field::DstAddr])),
        row(&["src host"], Fields(&[Field::SrcAddr, Field::PktSrcAddr])),
        row(&["dst host"], Fields(&[Field::DstAddr, Field::PktDstAddr])),
        row(&["host"], Fields(&[Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr])),
        row(&["proto", "protocol"], One(Field::Protocol)),
        row(&["flags"], Implying(TCP, Field::TcpFlags)),
        row(&["icmp type", "icmp-type", "icmptype"], Implying(ICMP, Field::IcmpType)),
        row(&["icmp code", "icmp-code", "icmpcode"], Implying(ICMP, Field::IcmpCode)),
        row(&["in packets"], One(Field::InPackets)),
        row(&["out packets"], One(Field::OutPackets)),
        row(&["in bytes"], One(Field::InBytes)),
        row(&["out bytes"], One(Field::OutBytes)),
        row(&["flows", "flow"], One(Field::Flows)),
        row(&["first seen", "first"], One(Field::First)),
        row(&["last seen", "last"], One(Field::Last)),
        row(&["src tos", "tos"], One(Field::SrcTos)),
        row(&["dst tos"], One(Field::DstTos)),
        row(&["src as"], One(Field::SrcAs)),
        row(&["dst as"], One(Field::DstAs)),
        row(&["as"], Fields(&[Field::SrcAs, Field::DstAs])),
        row(&["prev as", "previous as"], One(Field::PrevAs)),
        row(&["next as"], One(Field::NextAs)),
        row(&["src mask"], One(Field::SrcMask)),
        row(&["dst mask"], One(Field::DstMask)),
        row(&["mask"], Fields(&[Field::SrcMask, Field::DstMask])),
        row(&["in if"], One(Field::InputIf)),
        row(&["out if"], One(Field::OutputIf)),
        row(&["if"], Fields(&[Field::InputIf, Field::OutputIf])),
        row(&["next ip", "next host", "next net"], One(Field::NextHop)),
        row(
            &["bgp next ip", "bgp next host", "bgp next net", "bgpnext ip", "bgpnext host", "bgpnext net"],
            One(Field::BgpNextHop),
        ),
        row(
            &["router ip", "router host", "router net", "exporter ip", "exporter host", "exporter net"],
            One(Field::RouterAddr),
        ),
        row(&["exporter id", "exporter sysid", "sysid"], One(Field::ExporterId)),
        row(&["engine type", "engine-type"], One(Field::EngineType)),
        row(&["engine id", "engine-id"], One(Field::EngineId)),
        row(&["observation domain id"], One(Field::ObservationDomain)),
        row(&["observation point id"], One(Field::ObservationPoint)),
        row(&["flowdir", "dir"], Part(FlowDirection, &[Field::Direction])),
        row(&["fwdstat"], One(Field::FwdStatus)),
        row(&["count", "cnt"], One(Field::RecordNumber)),
        row(&["min ttl"], One(Field::MinTtl)),
        row(&["max ttl"], One(Field::MaxTtl)),
        row(&["ttl equal"], Between(&[Field::MinTtl], TTLS)),
        row(&["ttl"], Fields(&[Field::MinTtl, Field::MaxTtl])),
        row(&["in src mac"], One(Field::SrcMac)),
        row(&["in dst mac"], One(Field::InDstMac)),
        row(&["out src mac"], One(Field::OutSrcMac)),
        row(&["out dst mac"], One(Field::DstMac)),
        row(&["src mac"], Fields(&[Field::SrcMac, Field::OutSrcMac])),
        row(&["dst mac"], Fields(&[Field::DstMac, Field::InDstMac])),
        row(&["in mac"], Fields(&[Field::SrcMac, Field::InDstMac])),
        row(&["out mac"], Fields(&[Field::OutSrcMac, Field::DstMac])),
        row(&["mac"], Fields(&[Field::SrcMac, Field::DstMac, Field::InDstMac, Field::OutSrcMac])),
        row(&["src vlan"], One(Field::Vlan)),
        row(&["dst vlan"], One(Field::DstVlan)),
        row(&["vlan"], Fields(&[Field::Vlan, Field::DstVlan])),
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
        row(&["src tun ip", "src tun host", "src tun net", "src tunip"], One(Field::TunSrcAddr)),
        row(&["dst tun ip", "dst tun host", "dst tun net", "dst tunip"], One(Field::TunDstAddr)),
        row(&["tun ip", "tun host", "tun net", "tunip"], Fields(&[Field::TunSrcAddr, Field::TunDstAddr])),
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
        row(
            &[
                "src nat ip",
                "src nat host",
                "src nat net",
                "src xlate ip",
                "src xlate host",
                "src xlate net",
                "src xip",
                "src xnet",
                "src nip",
                "src pkt host",
                "src pkt ip",
                "src pkt net",
            ],
            One(Field::PktSrcAddr),
        ),
        row(
            &[
                "dst nat ip",
                "dst nat host",
                "dst nat net",
                "dst xlate ip",
                "dst xlate host",
                "dst xlate net",
                "dst xip",
                "dst xnet",
                "dst nip",
                "dst pkt host",
                "dst pkt ip",
                "dst pkt net",
            ],
            One(Field::PktDstAddr),
        ),
        row(
            &[
                "nat ip",
                "nat host",
                "nat net",
                "xlate ip",
                "xlate host",
                "xlate net",
                "xip",
                "xnet",
                "nip",
                "pkt host",
                "pkt ip",
                "pkt net",
            ],
            Fields(&[Field::PktSrcAddr, Field::PktDstAddr]),
        ),
        row(&["src nat port", "src xlate port", "src xport", "src nport"], One(Field::PktSrcPort)),
        row(&["dst nat port", "dst xlate port", "dst xport", "dst nport"], One(Field::PktDstPort)),
        row(&["nat port", "xlate port", "xport", "nport"], Fields(&[Field::PktSrcPort, Field::PktDstPort])),
        row(&["nat event", "xlate event"], One(Field::NatEvent)),
        row(&["nat pblock start", "xlate pblock start", "pblock start"], One(Field::PortBlockStart)),
        row(&["nat pblock end", "xlate pblock end", "pblock end"], One(Field::PortBlockEnd)),
        row(&["nat pblock step", "xlate pblock step", "pblock step"], One(Field::PortBlockStep)),
        row(&["nat pblock size", "xlate pblock size", "pblock size"], One(Field::PortBlockSize)),
        row(&["src port in nat pblock", "src port in pblock"], Between(&[Field::SrcPort], PORT_BLOCK)),
        row(&["dst port in nat pblock", "dst port in pblock"], Between(&[Field::DstPort], PORT_BLOCK)),
        row(&["port in nat pblock", "port in pblock"], Between(PORTS, PORT_BLOCK)),
        row(&["asa event"], One(Field::FwEvent)),
        row(&["asa xevent", "asa denied"], One(Field::FwExtendedEvent)),
        row(&["asa event denied ingress"], Fixed(Field::FwExtendedEvent, 1001)),
        row(&["asa event denied egress"], Fixed(Field::FwExtendedEvent, 1002)),
        row(&["asa event denied interface"], Fixed(Field::FwExtendedEvent, 1003)),
        row(&["asa event denied nosyn"], Fixed(Field::FwExtendedEvent, 1004)),
        row(&["netflowversion", "nfversion"], One(Field::NetflowVersion)),
        row(&["label", "flowlabel"], One(Field::FlowLabel)),
        row(&["asa user"], One(Field::UserName)),
        row(&["ingress acl"], Part(Acl, &[Field::IngressAcl])),
        row(&["egress acl"], Part(Acl, &[Field::EgressAcl])),
        row(&["ingress vrf"], One(Field::IngressVrf)),
        row(&["egress vrf"], One(Field::EgressVrf)),
        row(&["pf action"], One(Field::PfAction)),
        row(&["pf reason"], One(Field::PfReason)),
        row(&["pf dir"], One(Field::PfDir)),
        row(&["pf interface"], One(Field::PfInterface)),
        row(&["pf rule"], One(Field::PfRule)),
        row(&["end reason"], One(Field::EndReason)),
        row(&["src service"], One(Field::SrcService)),
        row(&["dst service"], One(Field::DstService)),
        row(&["service"], Fields(&[Field::SrcService, Field::DstService])),
        row(&["field"], Named),
    ]
};

/// Phrases of nfdump without a row in [`TERMS`], and why there is none.
pub(super) static MISSING: &[(&str, &str)] = &[
    ("geo", "no record holds a country, and no database of places is read"),
    ("tz", "no record holds a time zone, and no database of places is read"),
    ("hostname", "names are not looked up; write the address after \"host\""),
    ("ace", "\"ingress acl\" and \"egress acl\" look at all three numbers of a list"),
    ("xace", "\"ingress acl\" and \"egress acl\" look at all three numbers of a list"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::payload::PAYLOAD_TERMS;
    use std::fmt::Write;

    const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/filter.md");
    const HEADING: &str = "\n## Every phrase\n\n";

    /// The table of all phrases, in three columns.
    fn table() -> String {
        let mut table = "| phrase | other spellings | value |\n| --- | --- | --- |\n".to_owned();
        for row in TERMS.iter().chain(PAYLOAD_TERMS.as_flattened()) {
            let spelled = row.phrases.iter().map(|phrase| format!("`{phrase}`")).collect::<Vec<_>>();
            let value = match row.meaning.subject() {
                Some(subject) if subject.kind().is_none() => "none",
                Some(subject) => subject.expected(),
                None => "name of a field, comparator and value",
            };
            let value = value.replace('|', "\\|");
            writeln!(table, "| {} | {} | {value} |", spelled[0], spelled[1..].join(", ")).unwrap();
        }
        table
    }

    /// `UPDATE_GOLDEN=1` writes the table anew.
    #[test]
    fn every_phrase_stands_in_the_document() {
        let document = std::fs::read_to_string(DOCUMENT).unwrap();
        let (before, section) = document.split_once(HEADING).unwrap();
        let (section, after) = section.split_once("\n## ").unwrap();
        let intro = section.split("\n| phrase").next().unwrap().trim_end();
        let expected = format!("{intro}\n\n{}", table());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(DOCUMENT, format!("{before}{HEADING}{expected}\n## {after}")).unwrap();
        } else {
            let at = section.lines().zip(expected.lines()).find(|(now, new)| now != new);
            assert!(section == expected, "not as the table has it (UPDATE_GOLDEN=1 writes it): {at:?}");
        }
    }
}
