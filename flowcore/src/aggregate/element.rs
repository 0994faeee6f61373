//! What groups are made by: fields of a record, addresses perhaps as networks, and nfdump's words for them.
//!
//! A list as it stands behind `-A` in, the [`Element`]s of a key out. nfdump's names are in [`NAMES`]; every other field of
//! the field table that is neither counted nor added up is an element under its own name.

use std::fmt;

use crate::error::{Error, Result};
use crate::filter::nearest;
use crate::record::{FIELDS, Field, FieldKind, FieldSet};

/// One part of a key: a field, or the network that its address is in.
///
/// ```
/// use flowcore::Field;
/// use flowcore::aggregate::Element;
/// let elements = Element::parse_list("srcip4/24,srcip6/64,dstport")?;
/// assert_eq!(elements[0].to_string(), "srcip4/24,srcip6/64");
/// assert_eq!(elements[1], Element::from(Field::DstPort));
/// let error = Element::parse_list("scrip").unwrap_err().to_string();
/// assert!(error.contains("did you mean \"srcip\"?"));
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    field: Field,
    network: Network,
}

/// How much of an address counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// All of it; so for all other values.
    Whole,
    /// So many bits of an IPv4 and of an IPv6 address; an address of a family without a number does not count.
    Bits { v4: Option<u8>, v6: Option<u8> },
    /// As many bits as this field of the record says.
    Recorded(Field),
}

impl Element {
    /// Reads nfdump's list of elements, separated by commas.
    ///
    /// # Errors
    /// When an element does not exist, is no part of a key, or has a prefix that its addresses cannot have; the error
    /// names the element, and the nearest one.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let mut elements: Vec<Self> = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            for element in parse(&word.to_ascii_lowercase(), word)? {
                add(&mut elements, element, word)?;
            }
        }
        if elements.is_empty() {
            return Err(Error::argument("no element is named; as srcip,dstport or srcip4/24,proto"));
        }
        Ok(elements)
    }

    /// The field whose values are in the key.
    pub const fn field(self) -> Field {
        self.field
    }

    /// nfdump's names, in the order of its manual; those with a prefix are not among them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NETS.iter().map(|(name, ..)| *name).chain(NAMES.iter().map(|(name, _)| *name))
    }

    /// The fields that it looks at.
    pub(super) fn fields(self) -> FieldSet {
        match self.network {
            Network::Recorded(mask) => FieldSet::from([self.field, mask]),
            _ => FieldSet::from([self.field]),
        }
    }

    pub(super) const fn network(self) -> Network {
        self.network
    }

    /// Both elements in one, where they are prefixes of both families of the same address.
    fn joined(self, other: Self) -> Option<Self> {
        let (Network::Bits { v4: a4, v6: a6 }, Network::Bits { v4: b4, v6: b6 }) =
            (self.network, other.network)
        else {
            return (self == other).then_some(self);
        };
        let one = |a: Option<u8>, b: Option<u8>| match (a, b) {
            (Some(a), Some(b)) if a != b => None,
            (a, b) => Some(a.or(b)),
        };
        Some(Self { field: self.field, network: Network::Bits { v4: one(a4, b4)?, v6: one(a6, b6)? } })
    }
}

impl From<Field> for Element {
    fn from(field: Field) -> Self {
        Self { field, network: Network::Whole }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.field.name();
        match self.network {
            Network::Whole => f.pad(name),
            Network::Bits { v4: Some(v4), v6: Some(v6) } => write!(f, "{name}4/{v4},{name}6/{v6}"),
            Network::Bits { v4: Some(bits), .. } => write!(f, "{name}4/{bits}"),
            Network::Bits { v6: Some(bits), .. } => write!(f, "{name}6/{bits}"),
            Network::Bits { .. } => f.pad(name),
            Network::Recorded(mask) => write!(f, "{name}/{}", mask.name()),
        }
    }
}

/// Adds an element; twice the same is once.
fn add(elements: &mut Vec<Element>, element: Element, word: &str) -> Result<()> {
    let Some(known) = elements.iter_mut().find(|known| known.field == element.field) else {
        elements.push(element);
        return Ok(());
    };
    *known = known.joined(element).ok_or_else(|| {
        Error::argument(format!("\"{word}\" and \"{known}\" are the same address; leave one of them out"))
    })?;
    Ok(())
}

/// The elements of one word: `srcnet` is two of them.
fn parse(lower: &str, word: &str) -> Result<Vec<Element>> {
    if let Some(&(_, field, mask)) = NETS.iter().find(|(name, ..)| *name == lower) {
        return Ok(vec![Element { field, network: Network::Recorded(mask) }, mask.into()]);
    }
    let (name, bits) = lower.split_once('/').map_or((lower, None), |(name, bits)| (name, Some(bits)));
    let family = match (find(name), name.strip_suffix('4'), name.strip_suffix('6')) {
        (None, Some(base), _) => address(base).map(|field| (field, 4)),
        (None, _, Some(base)) => address(base).map(|field| (field, 6)),
        _ => None,
    };
    match (family, bits) {
        (Some((field, family)), Some(bits)) => Ok(vec![prefix(field, family, bits, word)?]),
        (Some((field, family)), None) => Err(Error::argument(format!(
            "\"{word}\": say how many bits, as {word}/{}; the whole address is {}",
            if family == 4 { 24 } else { 64 },
            field.name()
        ))),
        (None, Some(_)) => Err(without_family(name, word)),
        (None, None) => {
            let field = find(name).ok_or_else(|| unknown(word))?;
            if is_counted(field) { Err(counted(word)) } else { Ok(vec![field.into()]) }
        }
    }
}

fn prefix(field: Field, family: u8, bits: &str, word: &str) -> Result<Element> {
    let most = if family == 4 { 32 } else { 128 };
    let bits =
        bits.parse().ok().filter(|bits| (1..=most).contains(bits)).ok_or_else(|| {
            Error::argument(format!("\"{word}\": an IPv{family} prefix has 1 to {most} bits"))
        })?;
    let bits_of = |of: u8| (of == family).then_some(bits);
    Ok(Element { field, network: Network::Bits { v4: bits_of(4), v6: bits_of(6) } })
}

/// `srcip/24` does not say whether it is about IPv4 or IPv6, `proto/8` is no address.
fn without_family(name: &str, word: &str) -> Error {
    match find(name) {
        None => unknown(word),
        Some(_) if address(name).is_some() => Error::argument(format!(
            "\"{word}\": say of which addresses: {name}4/24 for IPv4, {name}6/64 for IPv6, or both with a comma between"
        )),
        Some(_) => Error::argument(format!("\"{word}\": only addresses have a prefix; leave out the '/'")),
    }
}

fn find(name: &str) -> Option<Field> {
    let listed = NAMES.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
    let by_key = || FIELDS.iter().find(|info| info.key == name).map(|info| info.field);
    listed.or_else(|| Field::from_name(name)).or_else(by_key).or_else(|| Field::from_aws(name))
}

fn address(name: &str) -> Option<Field> {
    find(name).filter(|field| field.kind() == FieldKind::Addr)
}

/// Whether a field is a sum over the records of a group, or follows from one. (TCP flags are ored, but those of a group
/// by flags are the same in all of its records.)
fn is_counted(field: Field) -> bool {
    let counted = super::Counters::fields();
    let inputs = field.inputs().unwrap_or(FieldSet::from([field]));
    inputs.iter().any(|input| counted.contains(input))
}

fn counted(word: &str) -> Error {
    Error::argument(format!(
        "\"{word}\" is added up, so it cannot tell groups apart; -s {word} counts records by it"
    ))
}

fn unknown(word: &str) -> Error {
    let name = word.split('/').next().unwrap_or_default().to_ascii_lowercase();
    if let Some(error) = super::stat::of_payload(&name) {
        return error;
    }
    if MISSING.contains(&&*name) {
        return Error::argument(format!("\"{word}\": no record has this"));
    }
    let keys = FIELDS.iter().filter(|info| !is_counted(info.field)).map(|info| info.name);
    let meant = nearest(&name, Element::names().chain(keys));
    let meant = meant.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
    Error::argument(format!(
        "no element \"{word}\"{meant} (known: {}, addresses with a prefix as srcip4/24 or dstip6/64, and every field that \
         is not added up)",
        Element::names().collect::<Vec<_>>().join(" ")
    ))
}

/// Names of nfdump's for what records here do not have.
const MISSING: &[&str] = &["srcgeo", "dstgeo", "srcasn", "dstasn"];

/// Networks by the masks that records have.
const NETS: &[(&str, Field, Field)] =
    &[("srcnet", Field::SrcAddr, Field::SrcMask), ("dstnet", Field::DstAddr, Field::DstMask)];

/// nfdump's names and the fields.
const NAMES: &[(&str, Field)] = &[
    ("proto", Field::Protocol),
    ("srcip", Field::SrcAddr),
    ("dstip", Field::DstAddr),
    ("srcport", Field::SrcPort),
    ("dstport", Field::DstPort),
    ("tos", Field::SrcTos),
    ("srctos", Field::SrcTos),
    ("dsttos", Field::DstTos),
    ("flags", Field::TcpFlags),
    ("srcmask", Field::SrcMask),
    ("dstmask", Field::DstMask),
    ("srcvlan", Field::Vlan),
    ("dstvlan", Field::DstVlan),
    ("srcas", Field::SrcAs),
    ("dstas", Field::DstAs),
    ("nextas", Field::NextAs),
    ("prevas", Field::PrevAs),
    ("inif", Field::InputIf),
    ("outif", Field::OutputIf),
    ("next", Field::NextHop),
    ("bgpnext", Field::BgpNextHop),
    ("router", Field::RouterAddr),
    ("insrcmac", Field::SrcMac),
    ("outdstmac", Field::DstMac),
    ("indstmac", Field::InDstMac),
    ("outsrcmac", Field::OutSrcMac),
    ("mpls1", Field::Mpls1),
    ("mpls2", Field::Mpls2),
    ("mpls3", Field::Mpls3),
    ("mpls4", Field::Mpls4),
    ("mpls5", Field::Mpls5),
    ("mpls6", Field::Mpls6),
    ("mpls7", Field::Mpls7),
    ("mpls8", Field::Mpls8),
    ("mpls9", Field::Mpls9),
    ("mpls10", Field::Mpls10),
    ("exp", Field::ExporterId),
    ("odid", Field::ObservationDomain),
    ("opid", Field::ObservationPoint),
    ("ethertype", Field::EtherType),
    ("minttl", Field::MinTtl),
    ("maxttl", Field::MaxTtl),
    ("xsrcip", Field::PktSrcAddr),
    ("xdstip", Field::PktDstAddr),
    ("xsrcport", Field::PktSrcPort),
    ("xdstport", Field::PktDstPort),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        let elements = Element::parse_list(text).unwrap();
        elements.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_name_and_every_field_that_is_no_sum_is_an_element() {
        for name in Element::names() {
            assert!(!Element::parse_list(name).unwrap().is_empty(), "{name}");
        }
        for info in FIELDS {
            let is_element = Element::parse_list(info.name).is_ok();
            let is_sum = Element::parse_list(info.name).is_err_and(|e| e.to_string().contains("added up"));
            assert!(is_element != is_sum, "{}", info.name);
            assert_eq!(is_sum, is_counted(info.field), "{}", info.name);
        }
    }

    #[test]
    fn prefixes_of_both_families_are_one_element() {
        assert_eq!(parsed("srcip4/24,proto,srcip6/64"), "srcip4/24,srcip6/64 proto");
        assert_eq!(parsed("SrcIP4/32, dstip6/128,"), "srcip4/32 dstip6/128");
        assert_eq!(parsed("router4/8"), "routerip4/8");
        assert_eq!(parsed("mpls4,vlan,interface-id,src_addr"), "mpls4 vlan interface srcip");
        assert_eq!(parsed("srcnet"), "srcip/srcmask srcmask");
        assert_eq!(parsed("srcip,srcip,srcip4/8".trim_end_matches(",srcip4/8")), "srcip");
    }

    #[test]
    fn mistakes_are_named_with_the_way_out() {
        for (text, advice) in [
            ("scrip", "did you mean \"srcip\"?"),
            ("srcip,proot", "no element \"proot\"; did you mean \"proto\"?"),
            ("srcip4", "\"srcip4\": say how many bits, as srcip4/24"),
            ("dstip6", "as dstip6/64; the whole address is dstip"),
            ("srcip/24", "srcip4/24 for IPv4, srcip6/64 for IPv6"),
            ("srcip4/33", "an IPv4 prefix has 1 to 32 bits"),
            ("srcip4/0", "1 to 32 bits"),
            ("srcip6/129", "an IPv6 prefix has 1 to 128 bits"),
            ("srcip4/", "1 to 32 bits"),
            ("srcip4/-1", "1 to 32 bits"),
            ("srcip4/300", "1 to 32 bits"),
            ("proto/8", "only addresses have a prefix"),
            ("srcpot/8", "did you mean \"srcport\"?"),
            ("srcip,srcip4/24", "\"srcip4/24\" and \"srcip\" are the same address"),
            ("srcip4/16,srcip4/24", "are the same address"),
            ("srcnet,srcip", "are the same address"),
            ("bytes", "-s bytes counts records by it"),
            ("first", "added up"),
            ("srcgeo", "no record has this"),
            ("srcip,JA4", "\"ja4\" is made from payload"),
            ("", "no element is named"),
            (",,", "no element is named"),
        ] {
            let error = Element::parse_list(text).unwrap_err().to_string();
            assert!(error.contains(advice), "{text}: {error}");
        }
    }
}
