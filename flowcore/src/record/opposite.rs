//! Which fields tell the same of the two ends, or of the two ways, of a flow.

use super::Field;

impl Field {
    /// The field that has this value if source and destination are exchanged: itself where it tells nothing of an end or a
    /// way.
    ///
    /// ```
    /// use flowcore::Field;
    /// assert_eq!(Field::SrcPort.opposite(), Field::DstPort);
    /// assert_eq!(Field::OutBytes.opposite(), Field::InBytes);
    /// assert_eq!(Field::Protocol.opposite(), Field::Protocol);
    /// ```
    pub fn opposite(self) -> Self {
        let pair = PAIRS.iter().find(|(one, other)| *one == self || *other == self);
        pair.map_or(self, |&(one, other)| if one == self { other } else { one })
    }
}

/// Fields of the two ends and of the two ways: packets of the other way come in where those of the one went out. VLANs are
/// not among them, since a capture has one for both ways.
const PAIRS: &[(Field, Field)] = &[
    (Field::SrcAddr, Field::DstAddr),
    (Field::SrcPort, Field::DstPort),
    (Field::InPackets, Field::OutPackets),
    (Field::InBytes, Field::OutBytes),
    (Field::InFlags, Field::OutFlags),
    (Field::SrcTos, Field::DstTos),
    (Field::SrcMask, Field::DstMask),
    (Field::SrcAs, Field::DstAs),
    (Field::InputIf, Field::OutputIf),
    (Field::PhysInIf, Field::PhysOutIf),
    (Field::IngressVrf, Field::EgressVrf),
    (Field::SrcMac, Field::DstMac),
    (Field::InDstMac, Field::OutSrcMac),
    (Field::ClientLatency, Field::ServerLatency),
    (Field::PktSrcAddr, Field::PktDstAddr),
    (Field::PktSrcPort, Field::PktDstPort),
    (Field::InPayload, Field::OutPayload),
    (Field::InRetransmits, Field::OutRetransmits),
    (Field::InOutOfOrder, Field::OutOutOfOrder),
    (Field::TunSrcAddr, Field::TunDstAddr),
    (Field::SrcService, Field::DstService),
    (Field::TgwSrcAccount, Field::TgwDstAccount),
    (Field::TgwSrcVpc, Field::TgwDstVpc),
    (Field::TgwSrcSubnet, Field::TgwDstSubnet),
    (Field::TgwSrcInterface, Field::TgwDstInterface),
    (Field::TgwSrcZone, Field::TgwDstZone),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FIELDS;

    #[test]
    fn every_opposite_is_one_of_the_same_kind_and_back() {
        for field in Field::all() {
            let other = field.opposite();
            assert_eq!(other.opposite(), field, "{field}");
            assert_eq!(other.kind(), field.kind(), "{field}");
        }
    }

    #[test]
    fn every_field_of_an_end_has_an_opposite() {
        for info in FIELDS.iter().filter(|info| info.name.contains("src") || info.name.contains("dst")) {
            let has = info.field.opposite() != info.field;
            assert!(has || ["dstvlan", "fwdstatus"].contains(&info.name), "{}", info.name);
        }
    }
}
