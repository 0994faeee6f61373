//! The table of tags that a format of one's own is made of: nfdump's, with its headings and widths.
//!
//! A tag for one field stands in the field table ([`FieldInfo::nfdump`]) and here with its heading. Tags made of
//! several fields stand here only.

use flowcore::{FIELDS, Field, FieldInfo, FieldSet};

use super::ends;

/// One column of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    /// Heading, blanks included: it is as wide as the column.
    pub(super) heading: &'static str,
    pub(super) cell: Cell,
}

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// One field.
    Field(Field),
    /// Address and port of the source.
    Source,
    /// Address and port of the destination.
    Destination,
    /// The MPLS labels there are.
    Labels,
    /// Smallest and largest TTL.
    Ttl,
    /// Kind, id and ends of the tunnel.
    Tunnel,
    /// The end of the line.
    Newline,
}

impl Cell {
    /// The fields it is made of, computed ones as such.
    pub(super) fn fields(self) -> FieldSet {
        match self {
            Self::Field(Field::SrcPort | Field::DstPort) | Self::Source | Self::Destination => ends::fields(),
            Self::Field(field) => FieldSet::from([field]),
            Self::Labels => FieldSet::from(Field::MPLS),
            Self::Ttl => FieldSet::from([Field::MinTtl, Field::MaxTtl]),
            Self::Tunnel => {
                FieldSet::from([Field::TunType, Field::TunId, Field::TunSrcAddr, Field::TunDstAddr])
            }
            Self::Newline => FieldSet::EMPTY,
        }
    }
}

/// The tag with this name.
pub(super) fn find(name: &str) -> Option<Tag> {
    TAGS.iter().find(|(known, ..)| *known == name).map(|&(_, heading, cell)| Tag { heading, cell })
}

/// Any field by one of its names, as a column with nfdump's heading if it has one.
pub(super) fn of_field(name: &str) -> Option<Tag> {
    let is_named = |info: &&FieldInfo| info.name == name || info.key == name;
    let info = FIELDS.iter().find(is_named)?;
    let own = Tag { heading: info.name, cell: Cell::Field(info.field) };
    Some(find(info.nfdump).unwrap_or(own))
}

/// A predefined list that can be used like a tag.
pub(super) fn layout(name: &str) -> Option<&'static str> {
    LAYOUTS.iter().find(|(known, _)| *known == name).map(|entry| entry.1)
}

/// Every name that can follow a percent sign.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TAGS.iter().map(|(name, ..)| *name).chain(LAYOUTS.iter().map(|(name, _)| *name))
}

/// nfdump's lists in its own tags.
const LAYOUTS: [(&str, &str); 5] = [
    ("line", "%ts %td %pr %sap -> %dap %pkt %byt %fl"),
    ("long", "%ts %td %pr %sap -> %dap %flg %tos %pkt %byt %fl"),
    ("extended", "%ts %td %pr %sap -> %dap %flg %tos %pkt %byt %pps %bps %bpp %fl"),
    ("biline", "%ts %td %pr %sap <-> %dap %opkt %ipkt %obyt %ibyt %fl"),
    ("bilong", "%ts %td %pr %sap <-> %dap %flg %tos %opkt %ipkt %obyt %ibyt %fl"),
];

const TAGS: &[(&str, &str, Cell)] = &[
    ("ts", "Date first seen        ", Cell::Field(Field::First)),
    ("tfs", "Date first seen        ", Cell::Field(Field::First)),
    ("te", "Date last seen         ", Cell::Field(Field::Last)),
    ("td", "        Duration", Cell::Field(Field::Duration)),
    ("pr", "Proto", Cell::Field(Field::Protocol)),
    ("sa", "     Src IP Addr", Cell::Field(Field::SrcAddr)),
    ("da", "     Dst IP Addr", Cell::Field(Field::DstAddr)),
    ("sap", "     Src IP Addr:Port ", Cell::Source),
    ("dap", "     Dst IP Addr:Port ", Cell::Destination),
    ("sp", "Src Pt", Cell::Field(Field::SrcPort)),
    ("dp", "Dst Pt", Cell::Field(Field::DstPort)),
    ("it", "ICMP-T", Cell::Field(Field::IcmpType)),
    ("ic", "ICMP-C", Cell::Field(Field::IcmpCode)),
    ("pkt", " Packets", Cell::Field(Field::Packets)),
    ("ipkt", "  In Pkt", Cell::Field(Field::InPackets)),
    ("opkt", " Out Pkt", Cell::Field(Field::OutPackets)),
    ("byt", "   Bytes", Cell::Field(Field::Bytes)),
    ("ibyt", " In Byte", Cell::Field(Field::InBytes)),
    ("obyt", "Out Byte", Cell::Field(Field::OutBytes)),
    ("fl", "Flows", Cell::Field(Field::Flows)),
    ("flg", "   Flags", Cell::Field(Field::TcpFlags)),
    ("tos", "Tos", Cell::Field(Field::SrcTos)),
    ("stos", "STos", Cell::Field(Field::SrcTos)),
    ("dtos", "DTos", Cell::Field(Field::DstTos)),
    ("pps", "     pps", Cell::Field(Field::Pps)),
    ("bps", "     bps", Cell::Field(Field::Bps)),
    ("bpp", "   Bpp", Cell::Field(Field::Bpp)),
    ("end", "End              ", Cell::Field(Field::EndReason)),
    ("dir", "Dir    ", Cell::Field(Field::Direction)),
    ("idt", "Ident", Cell::Field(Field::Ident)),
    ("svln", "SVlan", Cell::Field(Field::Vlan)),
    ("ismc", "  In src MAC Addr", Cell::Field(Field::SrcMac)),
    ("odmc", " Out dst MAC Addr", Cell::Field(Field::DstMac)),
    ("minttl", "MinTTL", Cell::Field(Field::MinTtl)),
    ("maxttl", "MaxTTL", Cell::Field(Field::MaxTtl)),
    ("ttl", "    TTL", Cell::Ttl),
    ("mpls1", " MPLS lbl 1 ", Cell::Field(Field::Mpls1)),
    ("mpls2", " MPLS lbl 2 ", Cell::Field(Field::Mpls2)),
    ("mpls3", " MPLS lbl 3 ", Cell::Field(Field::Mpls3)),
    ("mpls4", " MPLS lbl 4 ", Cell::Field(Field::Mpls4)),
    ("mpls5", " MPLS lbl 5 ", Cell::Field(Field::Mpls5)),
    ("mpls6", " MPLS lbl 6 ", Cell::Field(Field::Mpls6)),
    ("mpls7", " MPLS lbl 7 ", Cell::Field(Field::Mpls7)),
    ("mpls8", " MPLS lbl 8 ", Cell::Field(Field::Mpls8)),
    ("mpls9", " MPLS lbl 9 ", Cell::Field(Field::Mpls9)),
    ("mpls10", " MPLS lbl 10", Cell::Field(Field::Mpls10)),
    ("mpls", "MPLS labels", Cell::Labels),
    ("tun", "Tunnel", Cell::Tunnel),
    ("cl", "C Latency", Cell::Field(Field::ClientLatency)),
    ("sl", "S latency", Cell::Field(Field::ServerLatency)),
    ("al", "A latency", Cell::Field(Field::AppLatency)),
    ("ipl", "In payload", Cell::Field(Field::InPayload)),
    ("opl", "Out payload", Cell::Field(Field::OutPayload)),
    ("nsa", "   X-late Src IP", Cell::Field(Field::PktSrcAddr)),
    ("nda", "   X-late Dst IP", Cell::Field(Field::PktDstAddr)),
    ("osmc", " Out src MAC Addr", Cell::Field(Field::OutSrcMac)),
    ("idmc", "  In dst MAC Addr", Cell::Field(Field::InDstMac)),
    ("dvln", "DVlan", Cell::Field(Field::DstVlan)),
    ("in", " Input", Cell::Field(Field::InputIf)),
    ("out", "Output", Cell::Field(Field::OutputIf)),
    ("smk", "SMask", Cell::Field(Field::SrcMask)),
    ("dmk", "DMask", Cell::Field(Field::DstMask)),
    ("sas", "Src AS", Cell::Field(Field::SrcAs)),
    ("das", "Dst AS", Cell::Field(Field::DstAs)),
    ("nas", "Next AS", Cell::Field(Field::NextAs)),
    ("pas", "Prev AS", Cell::Field(Field::PrevAs)),
    ("nh", "     Next-hop IP", Cell::Field(Field::NextHop)),
    ("nhb", " BGP next-hop IP", Cell::Field(Field::BgpNextHop)),
    ("ra", "       Router IP", Cell::Field(Field::RouterAddr)),
    ("fwd", "Fwd", Cell::Field(Field::FwdStatus)),
    ("ivrf", "  I-VRF-ID", Cell::Field(Field::IngressVrf)),
    ("evrf", "  E-VRF-ID", Cell::Field(Field::EgressVrf)),
    ("tr", "Date flow received     ", Cell::Field(Field::Received)),
    ("exp", "Exp ID", Cell::Field(Field::ExporterId)),
    ("nfv", "Ver", Cell::Field(Field::NetflowVersion)),
    ("bfd", "Bfd", Cell::Field(Field::BiflowDir)),
    ("opid", "  obsPointID", Cell::Field(Field::ObservationPoint)),
    ("odid", "obsDomainID", Cell::Field(Field::ObservationDomain)),
    ("nbid", "nbar ID", Cell::Field(Field::AppId)),
    ("lbl", "           label", Cell::Field(Field::FlowLabel)),
    ("nsp", "XsPort", Cell::Field(Field::PktSrcPort)),
    ("ndp", "XdPort", Cell::Field(Field::PktDstPort)),
    ("tevt", "Event time             ", Cell::Field(Field::EventTime)),
    ("nevt", " Event", Cell::Field(Field::NatEvent)),
    ("pbstart", "Pb-Start", Cell::Field(Field::PortBlockStart)),
    ("pbend", "Pb-End", Cell::Field(Field::PortBlockEnd)),
    ("pbstep", "Pb-Step", Cell::Field(Field::PortBlockStep)),
    ("pbsize", "Pb-Size", Cell::Field(Field::PortBlockSize)),
    ("nfc", "   Conn-ID", Cell::Field(Field::ConnectionId)),
    ("evt", " Event", Cell::Field(Field::FwEvent)),
    ("xevt", " XEvent", Cell::Field(Field::FwExtendedEvent)),
    ("iacl", "Ingress ACL                     ", Cell::Field(Field::IngressAcl)),
    ("eacl", "Egress ACL                      ", Cell::Field(Field::EgressAcl)),
    ("uname", "UserName", Cell::Field(Field::UserName)),
    ("n", "", Cell::Newline),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_table_and_this_one_agree() {
        for info in FIELDS.iter().filter(|info| !info.nfdump.is_empty()) {
            let tag = find(info.nfdump).unwrap_or_else(|| panic!("%{} has no heading", info.nfdump));
            assert_eq!(tag.cell, Cell::Field(info.field), "%{}", info.nfdump);
        }
        for (name, _, cell) in TAGS {
            let Cell::Field(field) = cell else { continue };
            let alias = ["tfs", "tos"].contains(name);
            assert!(alias || field.info().nfdump == *name, "%{name}");
        }
    }

    #[test]
    fn every_name_is_there_once_and_every_layout_is_made_of_tags() {
        let mut seen = std::collections::HashSet::new();
        assert!(names().all(|name| seen.insert(name)));
        for (_, text) in LAYOUTS {
            let used = text.split(' ').filter_map(|word| word.strip_prefix('%'));
            used.for_each(|name| assert!(find(name).is_some(), "%{name}"));
        }
    }
}
