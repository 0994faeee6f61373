//! The tags that a format of one's own is made of: what each shows, how it is found, and why some of nfdump's are none.

use flowcore::{FIELDS, Field, FieldInfo, FieldSet};

use super::ends;
use super::hello::{self, Said};
use super::tag_table::{LAYOUTS, REFUSED, TAGS};

/// One column of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    /// Heading of a list, blanks included: it is as wide as the column.
    pub(super) heading: &'static str,
    /// Heading of CSV.
    pub(super) csv: &'static str,
    pub(super) cell: Cell,
}

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// One field.
    Field(Field),
    /// A time to the millisecond, as nfdump prints it.
    Moment(Field),
    /// A time as seconds since 1970.
    Epoch(Field),
    /// A time as milliseconds since 1970.
    Millis(Field),
    /// A span of time in seconds.
    Seconds(Field),
    /// Address and port of one side.
    End(Field, Field),
    /// An address without the bits behind its mask.
    Network(Field, Field),
    /// Type and number of the exporter's engine.
    Engine,
    /// The MPLS labels there are.
    Labels,
    /// Smallest and largest TTL.
    Ttl,
    /// What the TLS hellos of the payloads say.
    Hello(Said),
    /// Kind, id and ends of the tunnel.
    Tunnel,
    /// The end of the line.
    Newline,
}

impl Cell {
    /// The fields it is made of, computed ones as such.
    pub(super) fn fields(self) -> FieldSet {
        match self {
            Self::Field(Field::SrcPort | Field::DstPort) | Self::End(Field::SrcAddr | Field::DstAddr, _) => {
                ends::fields()
            }
            Self::Field(field)
            | Self::Moment(field)
            | Self::Epoch(field)
            | Self::Millis(field)
            | Self::Seconds(field) => FieldSet::from([field]),
            Self::End(addr, other) | Self::Network(addr, other) => FieldSet::from([addr, other]),
            Self::Engine => FieldSet::from([Field::EngineType, Field::EngineId]),
            Self::Labels => FieldSet::from(Field::MPLS),
            Self::Ttl => FieldSet::from([Field::MinTtl, Field::MaxTtl]),
            Self::Tunnel => {
                FieldSet::from([Field::TunType, Field::TunId, Field::TunSrcAddr, Field::TunDstAddr])
            }
            Self::Hello(_) => FieldSet::from(hello::FIELDS),
            Self::Newline => FieldSet::EMPTY,
        }
    }

    /// Tags to take instead where a column has to be one value; `None` if it is one, or none at all.
    pub(super) const fn parts(self) -> Option<&'static str> {
        match self {
            Self::End(Field::SrcAddr, _) => Some("%sa,%sp"),
            Self::End(Field::DstAddr, _) => Some("%da,%dp"),
            Self::End(Field::PktSrcAddr, _) => Some("%nsa,%nsp"),
            Self::End(..) => Some("%nda,%ndp"),
            Self::Labels => Some("%mpls1,%mpls2"),
            Self::Ttl => Some("%minttl,%maxttl"),
            Self::Tunnel => Some("%{tuntype},%{tunid},%{tunsrcip},%{tundstip}"),
            _ => None,
        }
    }
}

/// A tag of `-o fmt:` and `-o csv:`, for reference pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagInfo {
    /// The name, without the percent sign.
    pub name: &'static str,
    /// Heading of a list.
    pub heading: &'static str,
    /// Heading of CSV; `None` for a tag that CSV cannot have.
    pub csv: Option<&'static str>,
    /// What the column shows, in one sentence.
    pub about: String,
}

/// Every tag, in the order of reference pages.
pub fn tag_infos() -> impl Iterator<Item = TagInfo> {
    TAGS.iter().map(|&(name, Tag { heading, csv, cell })| TagInfo {
        name,
        heading: heading.trim(),
        csv: Some(csv).filter(|csv| !csv.is_empty()),
        about: about(cell),
    })
}

/// nfdump's lists that can be used like tags, with the tags that they are made of.
pub fn tag_lists() -> impl Iterator<Item = (&'static str, &'static str)> {
    LAYOUTS.iter().copied()
}

/// Tags of nfdump that are none here, and why.
pub fn refused_tags() -> impl Iterator<Item = (&'static str, &'static str)> {
    REFUSED.iter().flat_map(|(names, why)| names.iter().map(|name| (*name, *why)))
}

fn about(cell: Cell) -> String {
    let doc = |field: Field| field.info().doc;
    match cell {
        Cell::Field(field) | Cell::Moment(field) => doc(field).to_owned(),
        Cell::Epoch(field) => format!("{} Seconds since 1970.", doc(field)),
        Cell::Millis(field) => format!("{} Milliseconds since 1970.", doc(field)),
        Cell::Seconds(field) => format!("{} Always in seconds.", doc(field)),
        Cell::End(Field::SrcAddr, _) => "Address and port of the source.".into(),
        Cell::End(Field::DstAddr, _) => "Address and port of the destination; of ICMP, type and code.".into(),
        Cell::End(Field::PktSrcAddr, _) => "Translated address and port of the source.".into(),
        Cell::End(..) => "Translated address and port of the destination.".into(),
        Cell::Network(Field::SrcAddr, _) => "Network of the source: its address up to the mask.".into(),
        Cell::Network(..) => "Network of the destination: its address up to the mask.".into(),
        Cell::Engine => "Kind and number of the exporter's engine.".into(),
        Cell::Labels => "All MPLS labels there are, outermost first.".into(),
        Cell::Ttl => "Smallest and largest TTL; one number where they are the same.".into(),
        Cell::Hello(Said::ServerName) => {
            "Server name that the TLS client asks for; made from payload.".into()
        }
        Cell::Hello(Said::Version) => {
            "TLS version that the server chose, or the client's newest; made from payload.".into()
        }
        Cell::Hello(Said::Ja3) => "JA3 of the TLS client, or JA3S of the server; made from payload.".into(),
        Cell::Hello(Said::Ja4) => "JA4 of the TLS client; made from payload.".into(),
        Cell::Tunnel => "The tunnel: kind, id, and its ends.".into(),
        Cell::Newline => "The end of a line.".into(),
    }
}

/// The tag with this name.
pub(super) fn find(name: &str) -> Option<Tag> {
    TAGS.iter().find(|(known, _)| *known == name).map(|(_, tag)| *tag)
}

/// Any field by one of its names, as a column with nfdump's heading if it has one.
pub(super) fn of_field(name: &str) -> Option<Tag> {
    let is_named = |info: &&FieldInfo| info.name == name || info.key == name;
    let info = FIELDS.iter().find(is_named)?;
    let heading = find(info.nfdump).map_or(info.name, |tag| tag.heading);
    Some(Tag { heading, csv: info.key, cell: Cell::Field(info.field) })
}

/// A predefined list that can be used like a tag.
pub(super) fn layout(name: &str) -> Option<&'static str> {
    LAYOUTS.iter().find(|(known, _)| *known == name).map(|entry| entry.1)
}

/// Why one of nfdump's tags is none here.
pub(super) fn refusal(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(names, _)| names.contains(&name)).map(|(_, why)| *why)
}

/// Every name that can follow a percent sign.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TAGS.iter().map(|(name, _)| *name).chain(LAYOUTS.iter().map(|(name, _)| *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_table_and_this_one_agree() {
        for info in FIELDS.iter().filter(|info| !info.nfdump.is_empty()) {
            let tag = find(info.nfdump).unwrap_or_else(|| panic!("%{} has no heading", info.nfdump));
            let time = Cell::Moment(info.field);
            assert!(tag.cell == Cell::Field(info.field) || tag.cell == time, "%{}", info.nfdump);
        }
        for (name, tag) in TAGS {
            let Cell::Field(field) = tag.cell else { continue };
            let alias = ["tos", "vrf", "xsa", "xda", "xsp", "xdp"].contains(name);
            assert!(alias || field.info().nfdump == *name, "%{name}");
        }
    }

    #[test]
    fn every_name_is_there_once_and_every_layout_is_made_of_tags() {
        let mut seen = std::collections::HashSet::new();
        assert!(
            names()
                .chain(REFUSED.iter().flat_map(|(names, _)| *names).copied())
                .all(|name| seen.insert(name))
        );
        for (_, text) in LAYOUTS {
            let used = text.split(' ').filter_map(|word| word.strip_prefix('%'));
            used.for_each(|name| assert!(find(name).is_some(), "%{name}"));
        }
    }

    /// What nfdump 1.7.8 knows, from its manual.
    const NFDUMP: &str = "cnt idt nfv exp eng lbl ts tfs tsr tsg te ter teg tr trr trg td tds sa da sap dap sn dn nh nhb \
        ra gsa gda gsap gdap gra sp dp it ic pr flg fwd tos stos dtos dir bfd end pkt ipkt opkt byt ibyt obyt fl pps bps \
        bpp in out inam onam smk dmk svln dvln sas das nas pas ismc odmc idmc osmc mpls1 mpls2 mpls3 mpls4 mpls5 mpls6 \
        mpls7 mpls8 mpls9 mpls10 mpls minttl maxttl ttl frag eth cl sl al ipl opl ja3 ja4 sni tls sc dc sloc dloc sasn \
        dasn stor dtor nfc evt tevt xevt msec iacl eacl xsa xda xsp xdp xsap xdap uname nsa nda nsp ndp nsap ndap \
        pbstart pbend pbstep pbsize ivrf vrf ivrfnam evrf evrfnam flid isid osid nats nbid nbnam odid opid nevt pfifn \
        pfact pfrea pfdir pfrule n line long extended biline bilong nsel nat";

    #[test]
    fn every_tag_of_nfdump_is_a_tag_or_refused_for_a_reason() {
        for name in NFDUMP.split_whitespace() {
            let known = find(name).is_some() || layout(name).is_some();
            assert!(known != refusal(name).is_some(), "%{name}");
        }
    }

    #[test]
    fn csv_takes_the_tags_of_one_value() {
        for (name, tag) in TAGS {
            let is_one = tag.cell.parts().is_none() && tag.cell != Cell::Newline;
            assert_eq!(tag.csv.is_empty(), !is_one, "%{name}");
            assert!(tag.csv.bytes().all(|b| b.is_ascii_alphanumeric()), "%{name}");
        }
    }
}
