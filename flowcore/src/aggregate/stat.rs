//! Statistics as nfdump's `-s` names them: `srcip/bytes`, `port:p/flows/packets`.
//!
//! A word of the command line in, an [`Aggregation`] and the orders to show it in out. nfdump's names are in
//! [`STATISTICS`]; any other field of the field table is a statistic under its own name.

use std::str::FromStr;

use super::{Aggregation, Order};
use crate::error::{Error, Result};
use crate::filter::nearest;
use crate::record::{FIELDS, Field, FieldKind};

/// A table to make: by which fields, in which orders.
///
/// Records that do not have the value are in no group: nothing is counted under a 0 that nobody wrote.
///
/// ```
/// use flowcore::aggregate::{Order, Statistic};
/// let statistic: Statistic = "ip:p/bytes/packets:a".parse()?;
/// assert_eq!((statistic.name(), statistic.heading()), ("ip", "IP Addr"));
/// assert_eq!(statistic.orders(), [Order::BYTES, Order::PACKETS.ascending()]);
/// assert!("srcpi".parse::<Statistic>().unwrap_err().to_string().contains("\"srcip\""));
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistic {
    name: &'static str,
    heading: &'static str,
    /// A record counts once for each.
    fields: Vec<Field>,
    by_protocol: bool,
    orders: Vec<Order>,
}

impl Statistic {
    /// Its name on the command line, the same for all spellings of it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What stands above its values.
    pub fn heading(&self) -> &'static str {
        self.heading
    }

    /// What its values mean.
    pub fn kind(&self) -> FieldKind {
        self.fields.first().map_or(FieldKind::Text, |field| field.kind())
    }

    /// The fields whose values are counted; a record counts once for each, even where they are equal.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether each value is split by protocol.
    pub fn by_protocol(&self) -> bool {
        self.by_protocol
    }

    /// The orders in which the groups are shown, a table for each; one at least.
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Counts by the value and, if it is split by protocol, the protocol.
    ///
    /// # Errors
    /// Never for a statistic that was read from text.
    pub fn aggregation(&self) -> Result<Aggregation> {
        let protocol = self.by_protocol.then_some(Field::Protocol);
        let sides = self.fields.iter().map(|&field| std::iter::once(field).chain(protocol).collect());
        Ok(Aggregation::by_each(sides.collect())?.skip_absent(1))
    }

    /// nfdump's names, then other spellings of them, with their headings. Every field of the field table is a statistic
    /// too.
    pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        let heading =
            |name| STATISTICS.iter().find(|(known, ..)| *known == name).map_or(name, |entry| entry.1);
        let aliases = ALIASES.iter().map(move |&(alias, name)| (alias, heading(name)));
        STATISTICS.iter().map(|&(name, heading, _)| (name, heading)).chain(aliases)
    }
}

impl FromStr for Statistic {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.split('/');
        let subject = parts.next().unwrap_or_default();
        let (word, by_protocol) = match subject.split_once(':') {
            None => (subject, false),
            Some((word, "p")) => (word, true),
            Some((word, other)) => {
                return Err(Error::argument(format!(
                    "\":{other}\" behind {word}: ':p' splits by protocol, orders stand behind '/'"
                )));
            }
        };
        let (name, heading, fields) = find(&word.to_ascii_lowercase()).ok_or_else(|| unknown(word))?;
        let mut orders = parts.map(str::parse).collect::<Result<Vec<Order>>>()?;
        if orders.is_empty() {
            orders.push(Order::FLOWS);
        }
        Ok(Self { name, heading, fields, by_protocol, orders })
    }
}

type Found = (&'static str, &'static str, Vec<Field>);

/// A statistic by nfdump's name, or a field by one of its names.
fn find(word: &str) -> Option<Found> {
    let word = ALIASES.iter().find(|(alias, _)| *alias == word).map_or(word, |(_, name)| name);
    if let Some(&(name, heading, fields)) = STATISTICS.iter().find(|(name, ..)| *name == word) {
        return Some((name, heading, fields.to_vec()));
    }
    let by_key = || FIELDS.iter().find(|info| info.key == word).map(|info| info.field);
    let field = Field::from_name(word).or_else(by_key).or_else(|| Field::from_aws(word))?;
    let known = STATISTICS.iter().find(|(.., fields)| *fields == [field]);
    let (name, heading) = known.map_or((field.name(), field.name()), |(name, heading, _)| (name, heading));
    Some((name, heading, vec![field]))
}

fn unknown(word: &str) -> Error {
    if word == RECORD {
        return Error::argument("\"record\" is no field: whole records are groups, not a statistic");
    }
    if let Some(error) = of_payload(word) {
        return error;
    }
    if MISSING.contains(&word) {
        return Error::argument(format!(
            "\"{word}\": no record has this; --help-formats lists what can be counted"
        ));
    }
    let names = || std::iter::once(RECORD).chain(Statistic::names().map(|(name, _)| name));
    let fields = FIELDS.iter().map(|info| info.name);
    let meant = nearest(word, names().chain(fields));
    let meant = meant.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
    Error::argument(format!(
        "no statistic \"{word}\"{meant} (known: {}, and every field; SPEC is NAME[:p][/ORDER...])",
        names().collect::<Vec<_>>().join(" ")
    ))
}

/// Why this cannot be counted, if it is something that records do not hold but lists make from their payload.
pub(super) fn of_payload(word: &str) -> Option<Error> {
    let tags = OF_PAYLOAD.iter().find(|(name, _)| word.eq_ignore_ascii_case(name))?.1;
    Some(Error::argument(format!(
        "\"{word}\" is made from payload and cannot be counted; a list shows it, as -o 'fmt:%sap -> %dap {tags}'"
    )))
}

/// nfdump's name for groups of whole records, which are an [`Aggregation`] too, but of another kind.
const RECORD: &str = "record";

/// Names for what the hellos of TLS in a payload say, and the tag that shows it.
const OF_PAYLOAD: &[(&str, &str)] =
    &[("sni", "%sni"), ("tls", "%tls"), ("ja3", "%ja3"), ("ja3s", "%ja3"), ("ja4", "%ja4")];

/// Names of nfdump's for what records here do not have.
const MISSING: &[&str] = &["srcgeo", "dstgeo", "geo", "srcasn", "dstasn", "asn", "ja4s"];

/// Other spellings of nfdump's versions.
const ALIASES: &[(&str, &str)] = &[
    ("srctos", "tos"),
    ("nhb", "nhbip"),
    ("next", "nhip"),
    ("bgpnext", "nhbip"),
    ("nevent", "nat"),
    ("nsrcip", "natsrcip"),
    ("ndstip", "natdstip"),
    ("nip", "natip"),
    ("xsrcip", "natsrcip"),
    ("xdstip", "natdstip"),
    ("nsrcport", "natsrcport"),
    ("ndstport", "natdstport"),
    ("nport", "natport"),
    ("xsrcport", "natsrcport"),
    ("xdstport", "natdstport"),
    ("xevt", "xevent"),
    ("exp", "exporterid"),
];

/// nfdump's names, its headings, and the fields. Where a name is a field's too, nfdump's meaning stands: `vlan` and
/// `srcmac` count both sides.
const STATISTICS: &[(&str, &str, &[Field])] = &[
    ("srcip", "Src IP Addr", &[Field::SrcAddr]),
    ("dstip", "Dst IP Addr", &[Field::DstAddr]),
    ("ip", "IP Addr", &[Field::SrcAddr, Field::DstAddr]),
    ("srcport", "Src Port", &[Field::SrcPort]),
    ("dstport", "Dst Port", &[Field::DstPort]),
    ("port", "Port", &[Field::SrcPort, Field::DstPort]),
    ("proto", "Protocol", &[Field::Protocol]),
    ("tunip", "Tun IP Addr", &[Field::TunSrcAddr, Field::TunDstAddr]),
    ("tunproto", "Tun Proto", &[Field::TunProto]),
    ("flags", "Flags", &[Field::TcpFlags]),
    ("tos", "Tos", &[Field::SrcTos]),
    ("dsttos", "Dst Tos", &[Field::DstTos]),
    ("dir", "Dir", &[Field::Direction]),
    ("srcas", "Src AS", &[Field::SrcAs]),
    ("dstas", "Dst AS", &[Field::DstAs]),
    ("as", "AS", &[Field::SrcAs, Field::DstAs]),
    ("nextas", "Next AS", &[Field::NextAs]),
    ("prevas", "Prev AS", &[Field::PrevAs]),
    ("inif", "Input If", &[Field::InputIf]),
    ("outif", "Output If", &[Field::OutputIf]),
    ("if", "In/Out If", &[Field::InputIf, Field::OutputIf]),
    ("srcmask", "Src Mask", &[Field::SrcMask]),
    ("dstmask", "Dst Mask", &[Field::DstMask]),
    ("mask", "Mask", &[Field::SrcMask, Field::DstMask]),
    ("srcvlan", "Src Vlan", &[Field::Vlan]),
    ("dstvlan", "Dst Vlan", &[Field::DstVlan]),
    ("vlan", "Vlan", &[Field::Vlan, Field::DstVlan]),
    ("insrcmac", "In Src Mac", &[Field::SrcMac]),
    ("outdstmac", "Out Dst Mac", &[Field::DstMac]),
    ("indstmac", "In Dst Mac", &[Field::InDstMac]),
    ("outsrcmac", "Out Src Mac", &[Field::OutSrcMac]),
    ("srcmac", "Src Mac", &[Field::SrcMac, Field::OutSrcMac]),
    ("dstmac", "Dst Mac", &[Field::DstMac, Field::InDstMac]),
    ("inmac", "In Mac", &[Field::SrcMac, Field::InDstMac]),
    ("outmac", "Out Mac", &[Field::OutSrcMac, Field::DstMac]),
    ("mac", "Mac", &[Field::SrcMac, Field::DstMac, Field::InDstMac, Field::OutSrcMac]),
    ("ethertype", "Ether Type", &[Field::EtherType]),
    ("mpls1", "MPLS lab 1", &[Field::Mpls1]),
    ("mpls2", "MPLS lab 2", &[Field::Mpls2]),
    ("mpls3", "MPLS lab 3", &[Field::Mpls3]),
    ("mpls4", "MPLS lab 4", &[Field::Mpls4]),
    ("mpls5", "MPLS lab 5", &[Field::Mpls5]),
    ("mpls6", "MPLS lab 6", &[Field::Mpls6]),
    ("mpls7", "MPLS lab 7", &[Field::Mpls7]),
    ("mpls8", "MPLS lab 8", &[Field::Mpls8]),
    ("mpls9", "MPLS lab 9", &[Field::Mpls9]),
    ("mpls10", "MPLS lab 10", &[Field::Mpls10]),
    ("nhip", "Nexthop IP", &[Field::NextHop]),
    ("nhbip", "Nexthop BGP IP", &[Field::BgpNextHop]),
    ("router", "Router IP", &[Field::RouterAddr]),
    ("nbar", "nbar", &[Field::AppId]),
    ("cl", "Client Latency", &[Field::ClientLatency]),
    ("sl", "Server Latency", &[Field::ServerLatency]),
    ("al", "Appl Latency", &[Field::AppLatency]),
    ("minttl", "Min TTL", &[Field::MinTtl]),
    ("maxttl", "Max TTL", &[Field::MaxTtl]),
    ("odid", "obs domainID", &[Field::ObservationDomain]),
    ("opid", "obs pointID", &[Field::ObservationPoint]),
    ("ivrf", "I-vrf-ID", &[Field::IngressVrf]),
    ("evrf", "E-vrf-ID", &[Field::EgressVrf]),
    ("event", "Event", &[Field::FwEvent]),
    ("xevent", "X-Event", &[Field::FwExtendedEvent]),
    ("nat", "NAT Event", &[Field::NatEvent]),
    ("natsrcip", "X-Src IP Addr", &[Field::PktSrcAddr]),
    ("natdstip", "X-Dst IP Addr", &[Field::PktDstAddr]),
    ("natip", "X-IP Addr", &[Field::PktSrcAddr, Field::PktDstAddr]),
    ("natsrcport", "X-Src Port", &[Field::PktSrcPort]),
    ("natdstport", "X-Dst Port", &[Field::PktDstPort]),
    ("natport", "X-Port", &[Field::PktSrcPort, Field::PktDstPort]),
    ("iacl", "Ingress ACL", &[Field::IngressAcl]),
    ("eacl", "Egress ACL", &[Field::EgressAcl]),
];

#[cfg(test)]
mod tests {
    use super::super::Way;
    use super::*;

    fn parse(text: &str) -> Statistic {
        text.parse().unwrap()
    }

    #[test]
    fn every_name_makes_an_aggregation() {
        let fields = FIELDS.iter().flat_map(|info| [info.name, info.key, info.aws]);
        let words = Statistic::names().map(|(name, _)| name).chain(fields);
        for word in words.filter(|word| !word.is_empty()) {
            let statistic = parse(&format!("{word}:p/bytes"));
            assert!(statistic.aggregation().unwrap().is_empty(), "{word}");
            assert_eq!(parse(statistic.name()).fields(), statistic.fields(), "{word}");
        }
    }

    #[test]
    fn no_name_is_there_twice() {
        let mut seen = std::collections::HashSet::new();
        assert!(Statistic::names().all(|(name, heading)| seen.insert(name) && !heading.is_empty()));
        assert!(seen.contains("tos") && seen.contains("srctos"));
    }

    #[test]
    fn the_default_order_is_flows() {
        assert_eq!(parse("dstport").orders(), [Order::FLOWS]);
        assert_eq!(
            parse("DstPort/ibyte/obytes:a").orders(),
            [Order::BYTES.of(Way::In), Order::BYTES.of(Way::Out).ascending()]
        );
        assert_eq!(parse("interface-id").name(), "interface");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, advice) in [
            ("srcpi/bytes", "did you mean \"srcip\"?"),
            ("srcip/byte", "did you mean \"bytes\"?"),
            ("srcip:q", "':p' splits by protocol"),
            ("", "no statistic \"\""),
            ("srcip/", "no order \"\""),
            ("geo", "no record has this; --help-formats"),
            (
                "ja3",
                "made from payload and cannot be counted; a list shows it, as -o 'fmt:%sap -> %dap %ja3'",
            ),
            ("sni:p/bytes", "\"sni\" is made from payload"),
            ("wrong", "(known: record srcip"),
            ("wrong", " srctos "),
        ] {
            let error = text.parse::<Statistic>().unwrap_err().to_string();
            assert!(error.contains(advice), "{text}: {error}");
        }
    }
}
