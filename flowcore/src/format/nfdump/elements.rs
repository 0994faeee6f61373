//! The one table of what stands where in a flow record: reader, writer and `docs/nfdump-file.md` come from it.
//!
//! Element numbers and layouts are those of nfdump 1.7.0 to 1.7.8, layout version 2.

use crate::record::Field;

/// A part of a record that is there or not as a whole.
#[derive(Debug)]
pub struct Element {
    /// Its number in the file.
    pub id: u16,
    /// What it is about.
    pub name: &'static str,
    /// Bytes of its data, without the four bytes of number and length in front.
    pub size: Size,
    /// Whether it is written.
    pub written: Written,
    /// The fields that it holds.
    pub parts: &'static [Part],
}

/// How long the data of an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// So many bytes. Later versions may have more behind them; with fewer the element is of no use.
    Fixed(usize),
    /// At least so many bytes; the last part has all that is left.
    AtLeast(usize),
}

/// Whether an element is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// In every file: nfdump 1.7.1 and 1.7.8 read it.
    Always,
    /// In files that 1.7.1 does not read anyway, as they are compressed with zstd: it does not know the element, or
    /// shows other values.
    Newer,
    /// Read only: another version has another meaning or layout for it.
    Never,
}

/// A field in an element.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The field.
    pub field: Field,
    /// Offset in the element's data.
    pub at: usize,
    /// How the value is stored.
    pub form: Form,
    /// What a stored 0 says.
    pub zero: Zero,
}

/// How a value is stored. Numbers are little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A number of one byte.
    U8,
    /// A number of two bytes.
    U16,
    /// A number of four bytes.
    U32,
    /// A number of eight bytes.
    U64,
    /// A time in milliseconds since 1970 UTC, eight bytes.
    Millis,
    /// A span in microseconds, eight bytes.
    Micros,
    /// An IPv4 address as number.
    V4,
    /// An IPv6 address as two numbers of eight bytes, high half first.
    V6,
    /// An Ethernet address in the low 48 bits of eight bytes.
    Mac,
    /// A port of two bytes, 0 for protocols without ports. For ICMP the place of the destination port has type and
    /// code.
    Port,
    /// Type or code of ICMP, one byte; of another protocol it is part of a port.
    Icmp,
    /// TCP flags, one byte, 0 for other protocols.
    Tcp,
    /// 0 ingress, 1 egress, another number as such, one byte.
    FlowDirection,
    /// A number of flows of eight bytes, of which 0 and 1 say nothing: a record is one flow.
    FlowCount,
    /// Three numbers of four bytes: access list, entry, extended entry.
    Acl,
    /// Text of at most so many bytes, up to a byte of zero.
    Name(usize),
    /// Bytes, shown in hexadecimal.
    Hex,
    /// Bytes of a payload, filled up with zeros to a multiple of four; how many is not stored.
    Payload,
}

/// What a stored 0 (or an address of zeros) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    /// That the value is 0.
    Value,
    /// That there is no value.
    Absent,
    /// That there is no value where the record was made from packets, as a capture knows nothing of interfaces and
    /// routes; 0 where an exporter said so.
    Unstated,
}

/// The bytes 6 to 11 of a record's header when the flow was made from packets: engine type and number, exporter, marks
/// and version that nfpcapd writes. Such a header says nothing, and its fields stay absent.
pub(super) const FROM_PACKETS: [u8; 6] = [17, 1, 0, 0, 0, 0x41];

/// What the header of a record says, offsets from the record's first byte.
pub static HEADER: &[Part] = {
    use Field::{EngineId, EngineType, ExporterId, NetflowVersion, RecordFlags};
    &[
        part(EngineType, 6, Form::U8, Zero::Value),
        part(EngineId, 7, Form::U8, Zero::Value),
        part(ExporterId, 8, Form::U16, Zero::Value),
        part(RecordFlags, 10, Form::U8, Zero::Absent),
        part(NetflowVersion, 11, Form::U8, Zero::Value),
    ]
};

/// Every element that is understood, in the order in which records are written. A number that is there twice has
/// another layout in some version: the length tells.
#[rustfmt::skip]
pub static ELEMENTS: &[Element] = {
    use Field::*;
    use Form::*;
    use Size::*;
    use Written::*;
    use Zero::*;
    &[
        element(1, "generic flow", Fixed(48), Always, &[
            part(First, 0, Millis, Absent), part(Last, 8, Millis, Absent),
            part(Received, 16, Millis, Absent), part(InPackets, 24, U64, Value),
            part(InBytes, 32, U64, Value), part(SrcPort, 40, Port, Value), part(DstPort, 42, Port, Value),
            part(IcmpType, 43, Icmp, Value), part(IcmpCode, 42, Icmp, Value),
            part(Protocol, 44, U8, Value), part(InFlags, 45, Tcp, Value),
            part(FwdStatus, 46, U8, Unstated), part(SrcTos, 47, U8, Value),
        ]),
        element(2, "IPv4 addresses", Fixed(8), Always, &[
            part(SrcAddr, 0, V4, Value), part(DstAddr, 4, V4, Value),
        ]),
        element(3, "IPv6 addresses", Fixed(32), Always, &[
            part(SrcAddr, 0, V6, Value), part(DstAddr, 16, V6, Value),
        ]),
        element(4, "flow miscellaneous", Fixed(16), Always, &[
            part(InputIf, 0, U32, Unstated), part(OutputIf, 4, U32, Unstated),
            part(SrcMask, 8, U8, Unstated), part(DstMask, 9, U8, Unstated),
            part(Direction, 10, FlowDirection, Unstated), part(DstTos, 11, U8, Unstated),
            part(BiflowDir, 12, U8, Absent), part(EndReason, 13, U8, Absent),
            part(OutFlags, 14, U8, Absent),
        ]),
        element(5, "counters of the other direction", Fixed(24), Always, &[
            part(Flows, 0, FlowCount, Value), part(OutPackets, 8, U64, Value), part(OutBytes, 16, U64, Value),
        ]),
        element(6, "VLAN", Fixed(8), Always, &[part(Vlan, 0, U32, Value), part(DstVlan, 4, U32, Absent)]),
        element(7, "autonomous systems", Fixed(8), Always, &[
            part(SrcAs, 0, U32, Value), part(DstAs, 4, U32, Value),
        ]),
        element(8, "IPv4 BGP next hop", Fixed(4), Always, &[part(BgpNextHop, 0, V4, Value)]),
        element(9, "IPv6 BGP next hop", Fixed(16), Always, &[part(BgpNextHop, 0, V6, Value)]),
        element(10, "IPv4 next hop", Fixed(4), Always, &[part(NextHop, 0, V4, Value)]),
        element(11, "IPv6 next hop", Fixed(16), Always, &[part(NextHop, 0, V6, Value)]),
        element(12, "IPv4 exporter", Fixed(4), Always, &[part(RouterAddr, 0, V4, Value)]),
        element(13, "IPv6 exporter", Fixed(16), Always, &[part(RouterAddr, 0, V6, Value)]),
        element(14, "MPLS labels", Fixed(40), Always, &[
            part(Mpls1, 0, U32, Absent), part(Mpls2, 4, U32, Absent), part(Mpls3, 8, U32, Absent),
            part(Mpls4, 12, U32, Absent), part(Mpls5, 16, U32, Absent), part(Mpls6, 20, U32, Absent),
            part(Mpls7, 24, U32, Absent), part(Mpls8, 28, U32, Absent), part(Mpls9, 32, U32, Absent),
            part(Mpls10, 36, U32, Absent),
        ]),
        element(15, "MAC addresses", Fixed(32), Always, &[
            part(SrcMac, 0, Mac, Value), part(DstMac, 8, Mac, Value), part(InDstMac, 16, Mac, Absent),
            part(OutSrcMac, 24, Mac, Absent),
        ]),
        element(16, "neighbouring autonomous systems", Fixed(8), Always, &[
            part(NextAs, 0, U32, Value), part(PrevAs, 4, U32, Value),
        ]),
        element(17, "latency", Fixed(24), Always, &[
            part(ClientLatency, 0, Micros, Absent), part(ServerLatency, 8, Micros, Absent),
            part(AppLatency, 16, Micros, Absent),
        ]),
        element(18, "sampler", Fixed(16), Never, &[part(SamplerId, 0, U64, Value)]),
        element(18, "sampler of 1.7.1", Fixed(12), Never, &[part(SamplerId, 0, U32, Value)]),
        element(19, "firewall event", Fixed(16), Always, &[
            part(EventTime, 0, Millis, Absent), part(ConnectionId, 8, U32, Value),
            part(FwExtendedEvent, 12, U16, Value), part(FwEvent, 14, U8, Value),
        ]),
        element(20, "translated IPv4 addresses", Fixed(8), Always, &[
            part(PktSrcAddr, 0, V4, Absent), part(PktDstAddr, 4, V4, Absent),
        ]),
        element(21, "translated IPv6 addresses", Fixed(32), Always, &[
            part(PktSrcAddr, 0, V6, Absent), part(PktDstAddr, 16, V6, Absent),
        ]),
        element(22, "translated ports", Fixed(4), Always, &[
            part(PktSrcPort, 0, U16, Value), part(PktDstPort, 2, U16, Value),
        ]),
        // nfdump 1.7.1 has these numbers in network order, later versions in that of the machine.
        element(23, "firewall access lists", Fixed(24), Newer, &[
            part(IngressAcl, 0, Acl, Absent), part(EgressAcl, 12, Acl, Absent),
        ]),
        element(24, "firewall user", Fixed(68), Always, &[part(UserName, 0, Name(66), Absent)]),
        element(25, "NAT event", Fixed(16), Always, &[
            part(EventTime, 0, Millis, Absent), part(NatPool, 8, U32, Absent),
            part(NatEvent, 12, U8, Value),
        ]),
        element(25, "NAT event with VRFs", Fixed(24), Never, &[
            part(EventTime, 0, Millis, Absent), part(EgressVrf, 8, U32, Value),
            part(IngressVrf, 12, U32, Value), part(NatEvent, 16, U8, Value),
        ]),
        element(26, "NAT port block", Fixed(8), Always, &[
            part(PortBlockStart, 0, U16, Value), part(PortBlockEnd, 2, U16, Value),
            part(PortBlockStep, 4, U16, Value), part(PortBlockSize, 6, U16, Value),
        ]),
        element(27, "application (NBAR)", AtLeast(1), Always, &[part(AppId, 0, Hex, Value)]),
        element(28, "label", AtLeast(1), Always, &[part(FlowLabel, 0, Name(usize::MAX), Absent)]),
        element(29, "payload", AtLeast(1), Always, &[part(InPayload, 0, Payload, Absent)]),
        element(30, "payload of the other direction", AtLeast(1), Always, &[
            part(OutPayload, 0, Payload, Absent),
        ]),
        element(31, "IPv4 tunnel", Fixed(12), Always, &[
            part(TunSrcAddr, 0, V4, Value), part(TunDstAddr, 4, V4, Value), part(TunProto, 8, U32, Value),
        ]),
        element(32, "IPv6 tunnel", Fixed(40), Always, &[
            part(TunSrcAddr, 0, V6, Value), part(TunDstAddr, 16, V6, Value),
            part(TunProto, 32, U32, Value),
        ]),
        element(33, "observation point", Fixed(16), Always, &[
            part(ObservationPoint, 0, U64, Value), part(ObservationDomain, 8, U32, Value),
        ]),
        element(36, "VRFs", Fixed(8), Always, &[
            part(EgressVrf, 0, U32, Value), part(IngressVrf, 4, U32, Value),
        ]),
        element(37, "pf log", AtLeast(20), Always, &[
            part(PfAction, 0, U8, Value), part(PfReason, 1, U8, Value), part(PfDir, 2, U8, Value),
            part(PfRewritten, 3, U8, Value), part(PfRule, 4, U32, Value), part(PfSubrule, 8, U32, Value),
            part(PfUid, 12, U32, Value), part(PfPid, 16, U32, Value),
            part(PfInterface, 20, Name(usize::MAX), Absent),
        ]),
        element(38, "layer 2", Fixed(32), Newer, &[
            part(Vlan, 0, U16, Absent), part(CustomerVlan, 2, U16, Absent), part(DstVlan, 4, U16, Absent),
            part(PostCustomerVlan, 6, U16, Absent), part(PhysInIf, 8, U32, Absent),
            part(PhysOutIf, 12, U32, Absent), part(TunId, 16, U64, Absent),
            part(EtherType, 24, U16, Absent),
        ]),
        element(39, "flow id", Fixed(8), Newer, &[part(FlowId, 0, U64, Value)]),
        element(40, "Nokia NAT services", Fixed(4), Newer, &[
            part(NatInside, 0, U16, Value), part(NatOutside, 2, U16, Value),
        ]),
        element(41, "Nokia NAT name", AtLeast(1), Newer, &[part(NatText, 0, Name(usize::MAX), Absent)]),
        element(42, "IP information", Fixed(4), Newer, &[
            part(FragFlags, 1, U8, Absent), part(MinTtl, 2, U8, Value), part(MaxTtl, 3, U8, Value),
        ]),
    ]
};

/// The number of a hole: bytes that mean nothing. Every other number without a row above is an unknown element; 34 and 35
/// are, too, as they are frames of sFlow in some versions and names of interfaces and VRFs in others.
pub(super) const HOLE: u16 = 0;

/// Where the layer 2 element says which of two pairs of addresses is meant: its number, and the place of the IP version
/// in its data.
pub(super) const IP_VERSION: (u16, usize) = (38, 26);

const fn element(
    id: u16,
    name: &'static str,
    size: Size,
    written: Written,
    parts: &'static [Part],
) -> Element {
    Element { id, name, size, written, parts }
}

const fn part(field: Field, at: usize, form: Form, zero: Zero) -> Part {
    Part { field, at, form, zero }
}

impl Form {
    /// Bytes that the value takes; `None` for all that is left of the element.
    pub const fn width(self) -> Option<usize> {
        Some(match self {
            Self::U8 | Self::Icmp | Self::Tcp | Self::FlowDirection => 1,
            Self::U16 | Self::Port => 2,
            Self::U32 | Self::V4 => 4,
            Self::U64 | Self::Millis | Self::Micros | Self::Mac | Self::FlowCount => 8,
            Self::Acl => 12,
            Self::V6 => 16,
            Self::Name(most) if most < usize::MAX => most,
            Self::Name(_) | Self::Hex | Self::Payload => return None,
        })
    }
}

impl Size {
    /// Bytes that the data has at least.
    pub const fn least(self) -> usize {
        match self {
            Self::Fixed(size) | Self::AtLeast(size) => size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Storage;

    #[test]
    fn parts_lie_inside_their_element_and_hold_what_their_field_does() {
        for element in ELEMENTS {
            for part in element.parts {
                let end = part.at + part.form.width().unwrap_or(0);
                assert!(end <= element.size.least(), "{} {}", element.name, part.field);
                let storage = match part.form {
                    Form::Millis => Storage::Time,
                    Form::V4 | Form::V6 => Storage::Addr,
                    Form::FlowDirection | Form::Acl | Form::Name(_) | Form::Hex | Form::Payload => {
                        Storage::Text
                    }
                    _ => Storage::Number,
                };
                assert_eq!(part.field.kind().storage(), storage, "{} {}", element.name, part.field);
            }
        }
    }

    #[test]
    fn parts_of_an_element_do_not_overlap_except_ports_and_icmp() {
        for element in ELEMENTS {
            let mut taken = vec![false; element.size.least()];
            for part in element.parts.iter().filter(|part| part.form != Form::Icmp) {
                for byte in &mut taken[part.at..part.at + part.form.width().unwrap_or(0)] {
                    assert!(!*byte, "{} {}", element.name, part.field);
                    *byte = true;
                }
            }
        }
    }
}
