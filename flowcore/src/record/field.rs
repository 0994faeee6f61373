//! The one list of fields. Filter terms, CSV headings, JSON keys, `.flow` column names, the VPC reader and
//! `docs/fields.md` come from [`FIELDS`]; a field exists everywhere as soon as it has a row here.
//!
//! The name of a field is also its name inside `.flow` files and never changes.

use std::fmt;

/// What the values of a field mean, and so how they are read, compared and printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// A number of things: packets, bytes, flows, or a plain identifier.
    Count,
    /// A rate or ratio computed from counters.
    Rate,
    /// A span of time in nanoseconds.
    Duration,
    /// A short span of time in nanoseconds: shown in milliseconds, and a number without unit is microseconds in
    /// filters, both as in nfdump.
    Latency,
    /// A transport port, 0 to 65535.
    Port,
    /// An IP protocol number.
    Protocol,
    /// TCP control bits.
    Flags,
    /// A number from 0 to 255 without further meaning to us.
    Byte,
    /// An Ethernet address in the low 48 bits.
    Mac,
    /// An entry of an MPLS label stack without its TTL: label * 16 + traffic class * 2 + bottom of stack (RFC 3032).
    Mpls,
    /// Why the flow ended.
    EndReason,
    /// A point in time.
    Time,
    /// An IP address.
    Addr,
    /// Text, as the source wrote it.
    Text,
}

/// How the values of a field are held in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// Unsigned 64-bit numbers.
    Number,
    /// Nanoseconds since 1970 UTC.
    Time,
    /// IP addresses.
    Addr,
    /// Dictionary-coded text.
    Text,
}

impl FieldKind {
    /// What the values are, in a word or two.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "number",
            Self::Rate => "rate",
            Self::Duration => "duration",
            Self::Latency => "latency",
            Self::Port => "port",
            Self::Protocol => "protocol",
            Self::Flags => "TCP flags",
            Self::Byte => "0 to 255",
            Self::Mac => "MAC",
            Self::Mpls => "MPLS label",
            Self::EndReason => "reason",
            Self::Time => "time",
            Self::Addr => "address",
            Self::Text => "text",
        }
    }

    /// The column type that holds values of this kind.
    pub const fn storage(self) -> Storage {
        match self {
            Self::Time => Storage::Time,
            Self::Addr => Storage::Addr,
            Self::Text => Storage::Text,
            _ => Storage::Number,
        }
    }

    /// The largest value a number of this kind can have.
    pub const fn max_number(self) -> u64 {
        match self {
            Self::Port => 0xffff,
            Self::Protocol | Self::Flags | Self::Byte | Self::EndReason => 0xff,
            Self::Mac => 0xffff_ffff_ffff,
            Self::Mpls => 0xff_ffff,
            _ => u64::MAX,
        }
    }
}

/// One row of the field table.
#[derive(Debug)]
pub struct FieldInfo {
    /// The field.
    pub field: Field,
    /// Our name: `.flow` column, filter word, `--help-fields`.
    pub name: &'static str,
    /// What the values mean.
    pub kind: FieldKind,
    /// JSON key and CSV heading: nfdump's where nfdump has the field.
    pub key: &'static str,
    /// nfdump's output tag without the percent sign, empty if none.
    pub nfdump: &'static str,
    /// IPFIX information element (IANA "IPFIX Information Elements"), empty if none.
    pub ipfix: &'static str,
    /// Column of AWS VPC and transit gateway flow logs, empty if none.
    pub aws: &'static str,
    /// Key below `jsonPayload` of GCP VPC flow logs, or of the whole entry, empty if none; `*` stands for `src` or
    /// `dest`, whichever side reported the entry.
    pub gcp: &'static str,
    /// Names in Azure NSG and VNet flow logs, separated by commas, empty if none.
    pub azure: &'static str,
    /// Meaning and unit in one sentence.
    pub doc: &'static str,
}

macro_rules! fields {
    ($($variant:ident $name:literal $kind:ident $key:literal $nfdump:literal $ipfix:literal $aws:literal $gcp:literal $azure:literal $doc:literal;)*) => {
        /// A field of a flow record; [`FIELDS`] says all about each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Field { $(#[doc = $doc] $variant,)* }

        /// Every field, in the order of [`Field`]'s variants.
        pub static FIELDS: &[FieldInfo] = &[$(FieldInfo {
            field: Field::$variant,
            name: $name,
            kind: FieldKind::$kind,
            key: $key,
            nfdump: $nfdump,
            ipfix: $ipfix,
            aws: $aws,
            gcp: $gcp,
            azure: $azure,
            doc: $doc,
        },)*];

        /// Number of fields.
        pub const FIELD_COUNT: usize = [$(Field::$variant),*].len();
    };
}

fields! {
//  variant      name           kind      JSON, CSV key    nfdump  IPFIX                         AWS             GCP                     Azure      meaning
    First        "first"        Time      "first"          "ts"    "flowStartNanoseconds"        "start"         "start_time"            "time (tuple)" "Time of the first packet, or start of the cloud log's window.";
    Last         "last"         Time      "last"           "te"    "flowEndNanoseconds"          "end"           "end_time"              "time (tuple)" "Time of the last packet, or end of the cloud log's window.";
    Protocol     "proto"        Protocol  "proto"          "pr"    "protocolIdentifier"          "protocol"      "connection.protocol"   "protocol" "IP protocol number.";
    SrcAddr      "srcip"        Addr      "src_addr"       "sa"    "sourceIPAddress"             "srcaddr"       "connection.src_ip"     "src"      "Address of the initiator, or of the sender where the source is one-way.";
    DstAddr      "dstip"        Addr      "dst_addr"       "da"    "destinationIPAddress"        "dstaddr"       "connection.dest_ip"    "dst"      "Address of the responder, or of the receiver where the source is one-way.";
    SrcPort      "srcport"      Port      "src_port"       "sp"    "sourceTransportPort"         "srcport"       "connection.src_port"   "src port" "Port of the initiator; absent for protocols without ports.";
    DstPort      "dstport"      Port      "dst_port"       "dp"    "destinationTransportPort"    "dstport"       "connection.dest_port"  "dst port" "Port of the responder; absent for protocols without ports.";
    IcmpType     "icmptype"     Byte      "icmp_type"      "it"    "icmpTypeIPv4"                ""              ""                      ""         "ICMP or ICMPv6 type of the initiator's first packet.";
    IcmpCode     "icmpcode"     Byte      "icmp_code"      "ic"    "icmpCodeIPv4"                ""              ""                      ""         "ICMP or ICMPv6 code of the initiator's first packet.";
    IcmpId       "icmpid"       Port      "icmp_id"        ""      ""                            ""              ""                      ""         "Identifier of an ICMP echo or other query, which pairs request and reply.";
    InPackets    "inpackets"    Count     "in_packets"     "ipkt"  "packetDeltaCount"            "packets"       "packets_sent"          "packets s->d" "Packets from source to destination.";
    InBytes      "inbytes"      Count     "in_bytes"       "ibyt"  "octetDeltaCount"             "bytes"         "bytes_sent"            "bytes s->d"   "Bytes from source to destination, IP header included.";
    OutPackets   "outpackets"   Count     "out_packets"    "opkt"  "reversePacketDeltaCount"     ""              ""                      "packets d->s" "Packets from destination to source; absent where the source is one-way.";
    OutBytes     "outbytes"     Count     "out_bytes"      "obyt"  "reverseOctetDeltaCount"      ""              ""                      "bytes d->s"   "Bytes from destination to source, IP header included; absent where the source is one-way.";
    InFlags      "inflags"      Flags     "in_tcp_flags"   ""      "tcpControlBits"              "tcp-flags"     ""                      ""         "TCP flags of all packets from source to destination.";
    OutFlags     "outflags"     Flags     "out_tcp_flags"  ""      "reverseTcpControlBits"       ""              ""                      ""         "TCP flags of all packets from destination to source.";
    SrcTos       "srctos"       Byte      "src_tos"        "stos"  "ipClassOfService"            ""              ""                      ""         "Type of service or traffic class of the first packet from source to destination.";
    DstTos       "dsttos"       Byte      "dst_tos"        "dtos"  "reverseIpClassOfService"     ""              ""                      ""         "Type of service or traffic class of the first packet from destination to source.";
    EndReason    "endreason"    EndReason "end_reason"     "end"   "flowEndReason"               ""              ""                      ""         "Why the flow ended.";
    Flows        "flows"        Count     "aggr_flows"     "fl"    "deltaFlowCount"              ""              ""                      ""         "Flows in this record; one where the source does not say.";

    Packets      "packets"      Count     "packets"        "pkt"   ""                            ""              ""                      ""         "Packets of both directions.";
    Bytes        "bytes"        Count     "bytes"          "byt"   ""                            ""              ""                      ""         "Bytes of both directions.";
    TcpFlags     "flags"        Flags     "tcp_flags"      "flg"   ""                            ""              ""                      ""         "TCP flags of both directions.";
    Duration     "duration"     Duration  "duration"       "td"    "flowDurationMicroseconds"    ""              ""                      ""         "Time from first to last.";
    Pps          "pps"          Rate      "pps"            "pps"   ""                            ""              ""                      ""         "Packets of both directions a second, 0 for a flow without duration.";
    Bps          "bps"          Rate      "bps"            "bps"   ""                            ""              ""                      ""         "Bits of both directions a second, 0 for a flow without duration.";
    Bpp          "bpp"          Rate      "bpp"            "bpp"   ""                            ""              ""                      ""         "Bytes a packet of both directions, 0 without packets.";

    SrcMac       "srcmac"       Mac       "in_src_mac"     "ismc"  "sourceMacAddress"            ""              ""                      ""         "Link source address of the initiator's first packet.";
    DstMac       "dstmac"       Mac       "out_dst_mac"    "odmc"  "destinationMacAddress"       ""              ""                      ""         "Link destination address of the initiator's first packet.";
    Vlan         "vlan"         Count     "src_vlan"       "svln"  "vlanId"                      ""              ""                      ""         "Innermost VLAN id of the initiator's first packet.";
    MinTtl       "minttl"       Byte      "ip_minttl"      "minttl" "minimumTTL"                 ""              ""                      ""         "Smallest TTL or hop limit, both directions.";
    MaxTtl       "maxttl"       Byte      "ip_maxttl"      "maxttl" "maximumTTL"                 ""              ""                      ""         "Largest TTL or hop limit, both directions.";
    OutSrcMac    "outsrcmac"    Mac       "out_src_mac"    "osmc"  "postSourceMacAddress"        ""              ""                      ""         "Link source address of the packets when they leave the exporter.";
    InDstMac     "indstmac"     Mac       "in_dst_mac"     "idmc"  ""                            ""              ""                      ""         "Link destination address of the packets when they reach the exporter.";
    DstVlan      "dstvlan"      Count     "dst_vlan"       "dvln"  "postVlanId"                  ""              ""                      ""         "VLAN id of the packets when they leave the exporter.";
    CustomerVlan "customervlan" Count     "customer_vlan"  ""      "dot1qCustomerVlanId"         ""              ""                      ""         "Inner VLAN id of packets with two, when they reach the exporter.";
    PostCustomerVlan "postcustomervlan" Count     "post_customer_vlan" ""      "postDot1qCustomerVlanId"     ""              ""                      ""         "Inner VLAN id of packets with two, when they leave the exporter.";
    PhysInIf     "physinif"     Count     "ingress_phys_interface" ""      "ingressPhysicalInterface"    ""              ""                      ""         "SNMP index of the physical interface the packets came in by.";
    PhysOutIf    "physoutif"    Count     "egress_phys_interface" ""      "egressPhysicalInterface"     ""              ""                      ""         "SNMP index of the physical interface the packets went out by.";
    EtherType    "ethertype"    Port      "ether_type"     "eth"   "ethernetType"                ""              ""                      ""         "EtherType of the frames.";
    FragFlags    "fragflags"    Byte      "ip_fragment"    "frag"  "fragmentFlags"               ""              ""                      ""         "What was seen of fragments, as nfdump stores it: 64 do not fragment, 32 reassembled.";

    Mpls1        "mpls1"        Mpls      "mpls_1"         "mpls1" "mplsTopLabelStackSection"    ""              ""                      ""         "Outermost MPLS label of the initiator's first packet.";
    Mpls2        "mpls2"        Mpls      "mpls_2"         "mpls2" "mplsLabelStackSection2"      ""              ""                      ""         "MPLS label 2 of the initiator's first packet.";
    Mpls3        "mpls3"        Mpls      "mpls_3"         "mpls3" "mplsLabelStackSection3"      ""              ""                      ""         "MPLS label 3 of the initiator's first packet.";
    Mpls4        "mpls4"        Mpls      "mpls_4"         "mpls4" "mplsLabelStackSection4"      ""              ""                      ""         "MPLS label 4 of the initiator's first packet.";
    Mpls5        "mpls5"        Mpls      "mpls_5"         "mpls5" "mplsLabelStackSection5"      ""              ""                      ""         "MPLS label 5 of the initiator's first packet.";
    Mpls6        "mpls6"        Mpls      "mpls_6"         "mpls6" "mplsLabelStackSection6"      ""              ""                      ""         "MPLS label 6 of the initiator's first packet.";
    Mpls7        "mpls7"        Mpls      "mpls_7"         "mpls7" "mplsLabelStackSection7"      ""              ""                      ""         "MPLS label 7 of the initiator's first packet.";
    Mpls8        "mpls8"        Mpls      "mpls_8"         "mpls8" "mplsLabelStackSection8"      ""              ""                      ""         "MPLS label 8 of the initiator's first packet.";
    Mpls9        "mpls9"        Mpls      "mpls_9"         "mpls9" "mplsLabelStackSection9"      ""              ""                      ""         "MPLS label 9 of the initiator's first packet.";
    Mpls10       "mpls10"       Mpls      "mpls_10"        "mpls10" "mplsLabelStackSection10"     ""              ""                      ""         "MPLS label 10 of the initiator's first packet.";
    Spi          "spi"          Count     "spi"            ""      "ipsecSPI"                    ""              ""                      ""         "Security parameters index of the first ESP packet.";

    TunSrcAddr   "tunsrcip"     Addr      "src_tun_ip"     ""      ""                            ""              ""                      ""         "Source address of the outermost tunnel, in the direction of the flow.";
    TunDstAddr   "tundstip"     Addr      "dst_tun_ip"     ""      ""                            ""              ""                      ""         "Destination address of the outermost tunnel, in the direction of the flow.";
    TunProto     "tunproto"     Protocol  "tun_proto"      ""      ""                            ""              ""                      ""         "IP protocol of the outermost tunnel: 4 IPv4, 17 UDP, 41 IPv6, 47 GRE, 115 L2TP.";
    TunType      "tuntype"      Text      "tun_type"       ""      ""                            ""              ""                      ""         "Kind of the outermost tunnel, such as ipip, gre, vxlan, geneve, gtp-u, l2tp, teredo.";
    TunId        "tunid"        Count     "tun_id"         ""      "layer2SegmentId"             ""              ""                      ""         "What tells tunnels between the same ends apart: network identifier, key, session, endpoint identifier.";

    ClientLatency "clientlatency" Latency  "cli_latency"   "cl"    ""                            ""              ""                      ""         "Time from the responder's first TCP packet to the initiator's next one.";
    ServerLatency "serverlatency" Latency  "srv_latency"   "sl"    ""                            ""              ""                      ""         "Time from the initiator's first TCP packet to the responder's first one.";
    AppLatency   "applatency"   Latency   "app_latency"    "al"    ""                            ""              ""                      ""         "Time from the initiator's last TCP packet before it to the responder's second one.";
    InRetransmits "inretransmits" Count   "in_retransmits" ""      ""                            ""              ""                      ""         "TCP segments from source to destination that repeat what was sent before.";
    OutRetransmits "outretransmits" Count "out_retransmits" ""     ""                            ""              ""                      ""         "TCP segments from destination to source that repeat what was sent before.";
    InOutOfOrder "inoutoforder" Count     "in_out_of_order" ""     ""                            ""              ""                      ""         "TCP segments from source to destination that came after segments sent later.";
    OutOutOfOrder "outoutoforder" Count   "out_out_of_order" ""    ""                            ""              ""                      ""         "TCP segments from destination to source that came after segments sent later.";
    InPayload    "inpayload"    Text      "in_payload"     "ipl"   ""                            ""              ""                      ""         "First payload from source to destination; each byte is the character of that number (ISO 8859-1).";
    OutPayload   "outpayload"   Text      "out_payload"    "opl"   ""                            ""              ""                      ""         "First payload from destination to source; each byte is the character of that number (ISO 8859-1).";

    InputIf      "inif"         Count     "input_snmp"     "in"    "ingressInterface"            ""              ""                      ""         "SNMP index of the interface the packets came in by.";
    OutputIf     "outif"        Count     "output_snmp"    "out"   "egressInterface"             ""              ""                      ""         "SNMP index of the interface the packets went out by; 0 for packets that were dropped or for the exporter itself.";
    SrcMask      "srcmask"      Byte      "src_mask"       "smk"   "sourceIPv4PrefixLength"      ""              ""                      ""         "Prefix length of the route to the source.";
    DstMask      "dstmask"      Byte      "dst_mask"       "dmk"   "destinationIPv4PrefixLength" ""              ""                      ""         "Prefix length of the route to the destination.";
    SrcAs        "srcas"        Count     "src_as"         "sas"   "bgpSourceAsNumber"           ""              "src_location.asn"      ""         "Autonomous system of the source; 0 unknown or the exporter's own.";
    DstAs        "dstas"        Count     "dst_as"         "das"   "bgpDestinationAsNumber"      ""              "dest_location.asn"     ""         "Autonomous system of the destination; 0 unknown or the exporter's own.";
    NextAs       "nextas"       Count     "next_as"        "nas"   "bgpNextAdjacentAsNumber"     ""              ""                      ""         "Neighbouring autonomous system on the way to the destination.";
    PrevAs       "prevas"       Count     "prev_as"        "pas"   "bgpPrevAdjacentAsNumber"     ""              ""                      ""         "Neighbouring autonomous system on the way to the source.";
    NextHop      "nexthop"      Addr      "ip_next_hop"    "nh"    "ipNextHopIPv4Address"        ""              ""                      ""         "Next router on the way to the destination.";
    BgpNextHop   "bgpnexthop"   Addr      "bgp_next_hop"   "nhb"   "bgpNextHopIPv4Address"       ""              ""                      ""         "Next router of another autonomous system on the way to the destination.";
    RouterAddr   "routerip"     Addr      "ip_router"      "ra"    "exporterIPv4Address"         ""              ""                      ""         "Address of the exporter that sent the record.";
    FwdStatus    "fwdstatus"    Byte      "fwd_status"     "fwd"   "forwardingStatus"            ""              ""                      ""         "What became of the packets: from 64 forwarded, from 128 dropped, from 192 consumed.";
    IngressVrf   "ingressvrf"   Count     "ingress_vrf"    "ivrf"  "ingressVRFID"                ""              ""                      ""         "Routing instance the packets came in by.";
    EgressVrf    "egressvrf"    Count     "egress_vrf"     "evrf"  "egressVRFID"                 ""              ""                      ""         "Routing instance the packets went out by.";

    Received     "received"     Time      "received"       "tr"    "collectionTimeMilliseconds"  ""              "receiveTimestamp"      "time"     "Time at which the collector received the record.";
    ExporterId   "exporterid"   Port      "export_sysid"   "exp"   ""                            ""              ""                      ""         "Number that the collector gave to the exporter.";
    EngineType   "enginetype"   Byte      "engine_type"    ""      "engineType"                  ""              ""                      ""         "Kind of the exporter's engine.";
    EngineId     "engineid"     Byte      "engine_id"      ""      "engineId"                    ""              ""                      ""         "Number of the exporter's engine.";
    NetflowVersion "netflowversion" Byte      "netflow_version" "nfv"   "exportProtocolVersion"       ""              ""                      ""         "Version of NetFlow the record came by; 10 is IPFIX.";
    RecordFlags  "recordflags"  Byte      "record_flags"   ""      ""                            ""              ""                      ""         "nfdump's marks of the record: 1 event, 2 sampled, 4 anonymised.";
    SamplerId    "samplerid"    Count     "sampler_id"     ""      "selectorId"                  ""              ""                      ""         "Sampler that selected the packets.";
    BiflowDir    "biflowdir"    Byte      "biflow_dir"     "bfd"   "biflowDirection"             ""              ""                      ""         "How the exporter chose the source: 0 arbitrarily, 1 the initiator, 2 the other side, 3 by its perimeter (RFC 5103).";
    FlowId       "flowid"       Count     "flow_id"        "flid"  "flowId"                      ""              ""                      ""         "Number that the exporter gave to the flow.";
    ObservationPoint "observationpoint" Count     "observation_point_id" "opid"  "observationPointId"          ""              ""                      ""         "Place in the exporter where the packets were seen.";
    ObservationDomain "observationdomain" Count     "observation_domain_id" "odid"  "observationDomainId"         ""              ""                      ""         "Part of the exporter that the record is of.";
    AppId        "appid"        Text      "application_id" "nbid"  "applicationId"               ""              ""                      ""         "Application as the exporter classified it (NBAR), bytes in hexadecimal.";
    FlowLabel    "label"        Text      "label"          "lbl"   ""                            ""              ""                      ""         "Text that a person or program put on the record.";

    PktSrcAddr   "pktsrcip"     Addr      "src_xlt_ip"     "nsa"   "postNATSourceIPAddress"      "pkt-srcaddr"   "connection.nat_ip"     ""         "Source address in the packet itself, where the recording interface stands for another.";
    PktDstAddr   "pktdstip"     Addr      "dst_xlt_ip"     "nda"   "postNATDestinationIPAddress" "pkt-dstaddr"   ""                      ""         "Destination address in the packet itself, where the recording interface stands for another.";
    PktSrcPort   "pktsrcport"   Port      "src_xlt_port"   "nsp"   "postNAPTSourceTransportPort" ""              ""                      ""         "Source port in the packet on the other side of an address translation.";
    PktDstPort   "pktdstport"   Port      "dst_xlt_port"   "ndp"   "postNAPTDestinationTransportPort" ""              ""                      ""         "Destination port in the packet on the other side of an address translation.";
    EventTime    "eventtime"    Time      "t_event"        "tevt"  "observationTimeMilliseconds" ""              ""                      ""         "Time of the event that the record is about.";
    NatEvent     "natevent"     Byte      "nat_event_id"   "nevt"  "natEvent"                    ""              ""                      ""         "Event of an address translation: 1 session created, 2 deleted, and others.";
    NatPool      "natpool"      Count     "nat_pool_id"    ""      "natPoolId"                   ""              ""                      ""         "Pool that the translated address is from.";
    PortBlockStart "portblockstart" Port      "pblock_start"   "pbstart" "portRangeStart"              ""              ""                      ""         "First port of a block given to a host.";
    PortBlockEnd "portblockend" Port      "pblock_end"     "pbend" "portRangeEnd"                ""              ""                      ""         "Last port of a block given to a host.";
    PortBlockStep "portblockstep" Port      "pblock_step"    "pbstep" "portRangeStepSize"           ""              ""                      ""         "Distance of the ports of a block given to a host.";
    PortBlockSize "portblocksize" Port      "pblock_size"    "pbsize" "portRangeNumPorts"           ""              ""                      ""         "Number of ports of a block given to a host.";
    NatInside    "natinside"    Port      "in_service_id"  "isid"  ""                            ""              ""                      ""         "Service on the inner side of a Nokia address translation.";
    NatOutside   "natoutside"   Port      "out_service_id" "osid"  ""                            ""              ""                      ""         "Service on the outer side of a Nokia address translation.";
    NatText      "nattext"      Text      "nat_string"     "nats"  ""                            ""              ""                      ""         "Name that a Nokia address translation gives to a subscriber.";
    ConnectionId "connectionid" Count     "connect_id"     "nfc"   ""                            ""              ""                      ""         "Number of the connection in a firewall (NSEL).";
    FwEvent      "fwevent"      Byte      "event_id"       "evt"   ""                            ""              ""                      ""         "Event of a firewall (NSEL): 1 created, 2 deleted, 3 denied, 5 updated.";
    FwExtendedEvent "fwextendedevent" Port      "xevent_id"      "xevt"  ""                            ""              ""                      ""         "Reason of that event, as the firewall's maker numbers them.";
    IngressAcl   "ingressacl"   Text      "ingress_acl"    "iacl"  ""                            ""              ""                      ""         "Access list, entry and extended entry that the packets met coming in, in hexadecimal with slashes between.";
    EgressAcl    "egressacl"    Text      "egress_acl"     "eacl"  ""                            ""              ""                      ""         "Access list, entry and extended entry that the packets met going out, in hexadecimal with slashes between.";
    UserName     "username"     Text      "user_name"      "uname" "userName"                    ""              ""                      ""         "User that a firewall knows behind the source.";
    PfAction     "pfaction"     Byte      "pf_action"      "pfact" ""                            ""              ""                      ""         "Action of the packet filter pf: 0 pass, 1 block, and others.";
    PfReason     "pfreason"     Byte      "pf_reason"      "pfrea" ""                            ""              ""                      ""         "Reason of that action, as pf numbers them.";
    PfDir        "pfdir"        Byte      "pf_dir"         "pfdir" ""                            ""              ""                      ""         "Direction pf saw: 1 in, 0 out.";
    PfRewritten  "pfrewritten"  Byte      "pf_rewritten"   ""      ""                            ""              ""                      ""         "1 if pf changed addresses or ports.";
    PfRule       "pfrule"       Count     "pf_rule"        "pfrule" ""                           ""              ""                      ""         "Number of the pf rule.";
    PfSubrule    "pfsubrule"    Count     "pf_subrule"     ""      ""                            ""              ""                      ""         "Number of the pf rule in its anchor.";
    PfUid        "pfuid"        Count     "pf_uid"         ""      ""                            ""              ""                      ""         "User id of the socket pf knows.";
    PfPid        "pfpid"        Count     "pf_pid"         ""      ""                            ""              ""                      ""         "Process id of the socket pf knows.";
    PfInterface  "pfinterface"  Text      "pf_interface"   "pfifn" ""                            ""              ""                      ""         "Interface pf saw the packets on.";

    Source       "source"       Text      "source"         ""      ""                            ""              ""                      ""         "Input the record was read from.";
    Format       "format"       Text      "format"         ""      ""                            ""              ""                      ""         "Format of that input.";
    Ident        "ident"        Text      "ident"          "idt"   ""                            ""              ""                      ""         "Name given to the recording (-I).";
    RecordNumber "count"       Count     "cnt"            "cnt"   ""                            ""              ""                      ""         "Number of the record among all that are read, from 1.";

    Action       "action"       Text      "action"         ""      "firewallEvent"               "action"        ""                      "decision" "ACCEPT or REJECT.";
    LogStatus    "status"       Text      "log_status"     ""      ""                            "log-status"    ""                      ""         "OK; NODATA and SKIPDATA rows only where they are asked for.";
    Account      "account"      Text      "account_id"     ""      ""                            "account-id"    "*_instance.project_id" "subscription of resourceId, targetResourceID" "Account that owns the interface.";
    Interface    "interface"    Text      "interface_id"   ""      ""                            "interface-id"  ""                      "mac, macAddress" "Interface that was watched.";
    Instance     "instance"     Text      "instance_id"    ""      ""                            "instance-id"   "*_instance.vm_name"    ""         "Instance of the interface.";
    Vpc          "vpc"          Text      "vpc_id"         ""      ""                            "vpc-id"        "*_vpc.vpc_name"        "virtualNetworks of targetResourceID" "Virtual network of the interface.";
    Subnet       "subnet"       Text      "subnet_id"      ""      ""                            "subnet-id"     "*_vpc.subnetwork_name" "subnets of targetResourceID" "Subnet of the interface.";
    Region       "region"       Text      "region"         ""      ""                            "region"        "*_instance.region"     ""         "Region of the interface.";
    Zone         "zone"         Text      "az_id"          ""      ""                            "az-id"         "*_instance.zone"       ""         "Availability zone id of the interface.";
    Direction    "direction"    Text      "flow_direction" "dir"   "flowDirection"               "flow-direction" "reporter"             "direction" "ingress or egress, seen from the interface.";
    TrafficPath  "path"         Byte      "traffic_path"   ""      ""                            "traffic-path"  ""                      ""         "Way out of the interface: 1 same VPC, 2 internet or gateway endpoint, 3 virtual private gateway, 4 peering within the region, 5 peering between regions, 6 local gateway, 7 gateway endpoint (Nitro), 8 internet gateway (Nitro).";
    SrcService   "srcservice"   Text      "pkt_src_aws_service" "" ""                            "pkt-src-aws-service" "src_google_service.service_name" "" "Cloud service that owns the source address.";
    DstService   "dstservice"   Text      "pkt_dst_aws_service" "" ""                            "pkt-dst-aws-service" "dest_google_service.service_name" "" "Cloud service that owns the destination address.";
    LogVersion   "logversion"   Count     "version"        ""      ""                            "version"       ""                      "Version, flowLogVersion" "Version the log record states.";
    TrafficType  "type"         Text      "traffic_type"   ""      ""                            "type"          ""                      ""         "IPv4, IPv6 or EFA.";
    SublocationType "sublocationtype" Text "sublocation_type" ""   ""                            "sublocation-type" ""                   ""         "wavelength, outpost or localzone.";
    SublocationId   "sublocation"  Text    "sublocation_id"   ""   ""                            "sublocation-id" ""                     ""         "Id of that sublocation.";
    EcsClusterArn   "ecsclusterarn" Text   "ecs_cluster_arn"  ""   ""                            "ecs-cluster-arn" ""                    ""         "ECS cluster that owns the traffic, as ARN.";
    EcsCluster      "ecscluster"   Text    "ecs_cluster_name" ""   ""                            "ecs-cluster-name" ""                   ""         "ECS cluster that owns the traffic, by name.";
    EcsInstanceArn  "ecsinstancearn" Text  "ecs_container_instance_arn" "" ""                    "ecs-container-instance-arn" ""         ""         "ECS container instance, as ARN.";
    EcsInstance     "ecsinstance"  Text    "ecs_container_instance_id"  "" ""                    "ecs-container-instance-id" ""          ""         "ECS container instance.";
    EcsContainer    "ecscontainer" Text    "ecs_container_id" ""   ""                            "ecs-container-id" ""                   ""         "Runtime id of the task's first container.";
    EcsContainer2   "ecscontainer2" Text   "ecs_second_container_id" "" ""                       "ecs-second-container-id" ""            ""         "Runtime id of the task's second container.";
    EcsService      "ecsservice"   Text    "ecs_service_name" ""   ""                            "ecs-service-name" ""                   ""         "ECS service that started the task.";
    EcsTaskDefinition "ecstaskdefinition" Text "ecs_task_definition_arn" "" ""                   "ecs-task-definition-arn" ""            ""         "ECS task definition, as ARN.";
    EcsTaskArn      "ecstaskarn"   Text    "ecs_task_arn"     ""   ""                            "ecs-task-arn"  ""                      ""         "ECS task, as ARN.";
    EcsTask         "ecstask"      Text    "ecs_task_id"      ""   ""                            "ecs-task-id"   ""                      ""         "ECS task.";
    RejectReason    "rejectreason" Text    "reject_reason"    ""   ""                            "reject-reason" ""                      "encryption" "Why it was rejected, where that is neither a security group nor a list: BPA (VPC Block Public Access), EC (encryption controls), NX_... (Azure encryption).";
    Resource        "resource"     Text    "resource_id"      ""   ""                            "resource-id"   ""                      "resourceId, targetResourceID" "Resource the record is about: regional NAT gateway of AWS, security group or network of Azure.";
    Encryption      "encryption"   Byte    "encryption_status" ""  ""                            "encryption-status" ""                  "encryption" "0 not encrypted, 1 by hardware, 2 by the application, 3 both.";
    InstanceTag     "instancetag"  Text    "instance_tag"     ""   ""                            "instance-tag"  ""                      ""         "First chosen tag of the instance, percent-encoded.";
    InstanceTag2    "instancetag2" Text    "instance_tag_2"   ""   ""                            "instance-tag-2" ""                     ""         "Second chosen tag of the instance, percent-encoded.";
    InterfaceTag    "interfacetag" Text    "interface_tag"    ""   ""                            "interface-tag" ""                      ""         "First chosen tag of the interface, percent-encoded.";
    InterfaceTag2   "interfacetag2" Text   "interface_tag_2"  ""   ""                            "interface-tag-2" ""                    ""         "Second chosen tag of the interface, percent-encoded.";
    AsgTag          "asgtag"       Text    "asg_tag"          ""   ""                            "asg-tag"       ""                      ""         "First chosen tag of the Auto Scaling group, percent-encoded.";
    AsgTag2         "asgtag2"      Text    "asg_tag_2"        ""   ""                            "asg-tag-2"     ""                      ""         "Second chosen tag of the Auto Scaling group, percent-encoded.";
    InterfaceType   "interfacetype" Text   "interface_type"   ""   ""                            "interface-type" ""                     ""         "Kind of the recording interface.";
    NextHopInterface "nexthopinterface" Text "next_hop_interface_id" "" ""                       "next-hop-interface-id" ""              ""         "Neighbour interface of the flow.";
    NextHopSubnet   "nexthopsubnet" Text   "next_hop_subnet_id" "" ""                            "next-hop-subnet-id" ""                 ""         "Subnet of the neighbour interface.";
    NextHopZone     "nexthopzone"  Text    "next_hop_az_id"   ""   ""                            "next-hop-az-id" ""                     ""         "Zone of the neighbour interface.";
    NextHopVpc      "nexthopvpc"   Text    "next_hop_vpc_id"  ""   ""                            "next-hop-vpc-id" ""                    ""         "Virtual network of the neighbour interface.";
    NextHopType     "nexthoptype"  Text    "next_hop_interface_type" "" ""                       "next-hop-interface-type" ""            ""         "Kind of the neighbour interface.";
    ResourceType    "resourcetype" Text    "resource_type"    ""   ""                            "resource-type" ""                      ""         "TransitGateway or TransitGatewayAttachment.";
    Tgw             "tgw"          Text    "tgw_id"           ""   ""                            "tgw-id"        ""                      ""         "Transit gateway.";
    TgwAttachment   "tgwattachment" Text   "tgw_attachment_id" ""  ""                            "tgw-attachment-id" ""                  ""         "Attachment of the transit gateway.";
    TgwSrcAccount   "tgwsrcaccount" Text   "tgw_src_vpc_account_id" "" ""                        "tgw-src-vpc-account-id" ""             ""         "Account of the source network.";
    TgwDstAccount   "tgwdstaccount" Text   "tgw_dst_vpc_account_id" "" ""                        "tgw-dst-vpc-account-id" ""             ""         "Account of the destination network.";
    TgwSrcVpc       "tgwsrcvpc"    Text    "tgw_src_vpc_id"   ""   ""                            "tgw-src-vpc-id" ""                     ""         "Source network.";
    TgwDstVpc       "tgwdstvpc"    Text    "tgw_dst_vpc_id"   ""   ""                            "tgw-dst-vpc-id" ""                     ""         "Destination network.";
    TgwSrcSubnet    "tgwsrcsubnet" Text    "tgw_src_subnet_id" ""  ""                            "tgw-src-subnet-id" ""                  ""         "Source subnet.";
    TgwDstSubnet    "tgwdstsubnet" Text    "tgw_dst_subnet_id" ""  ""                            "tgw-dst-subnet-id" ""                  ""         "Destination subnet.";
    TgwSrcInterface "tgwsrcinterface" Text "tgw_src_eni"      ""   ""                            "tgw-src-eni"   ""                      ""         "Attachment interface of the source.";
    TgwDstInterface "tgwdstinterface" Text "tgw_dst_eni"      ""   ""                            "tgw-dst-eni"   ""                      ""         "Attachment interface of the destination.";
    TgwSrcZone      "tgwsrczone"   Text    "tgw_src_az_id"    ""   ""                            "tgw-src-az-id" ""                      ""         "Zone of the source.";
    TgwDstZone      "tgwdstzone"   Text    "tgw_dst_az_id"    ""   ""                            "tgw-dst-az-id" ""                      ""         "Zone of the destination.";
    TgwPair         "tgwpair"      Text    "tgw_pair_attachment_id" "" ""                        "tgw-pair-attachment-id" ""             ""         "The other attachment of the flow.";
    LostNoRoute     "lostnoroute"  Count   "packets_lost_no_route" "" ""                         "packets-lost-no-route" ""              ""         "Packets lost for want of a route.";
    LostBlackhole   "lostblackhole" Count  "packets_lost_blackhole" "" ""                        "packets-lost-blackhole" ""             ""         "Packets lost to a blackhole route.";
    LostMtu         "lostmtu"      Count   "packets_lost_mtu_exceeded" "" ""                     "packets-lost-mtu-exceeded" ""          ""         "Packets lost for being larger than the MTU.";
    LostTtl         "lostttl"      Count   "packets_lost_ttl_expired" "" ""                      "packets-lost-ttl-expired" ""           ""         "Packets lost because the TTL ran out.";
    ConnState       "connstate"    Text    "conn_state"       ""   ""                            ""              ""                      ""         "What became of a connection joined from the rows of a log: accepted, refused, unanswered or unknown.";
    Rule         "rule"         Text      "rule"           ""      ""                            ""              ""                      "rule"     "Rule that decided.";
    FlowState    "flowstate"    Text      "flow_state"     ""      ""                            ""              ""                      "flow state" "What the record says of its flow: begin (no counters), continue and end (counters since the record before), deny.";
    Reporter     "reporter"     Text      "reporter"       ""      ""                            ""              "reporter"              ""         "Side that wrote the record: SRC, DEST, SRC_GATEWAY or DEST_GATEWAY.";
    RoundTrip    "rtt"          Latency   "rtt"            ""      ""                            ""              "rtt_msec"              ""         "Round-trip time of TCP in the window.";
    FlowLog      "flowlog"      Text      "flow_log_id"    ""      ""                            ""              ""                      ""         "AWS flow log that wrote the record, from the name of its file.";
}

impl Field {
    /// The entries of the MPLS label stack, outermost first.
    pub const MPLS: [Self; 10] = [
        Self::Mpls1,
        Self::Mpls2,
        Self::Mpls3,
        Self::Mpls4,
        Self::Mpls5,
        Self::Mpls6,
        Self::Mpls7,
        Self::Mpls8,
        Self::Mpls9,
        Self::Mpls10,
    ];

    /// Every field, in table order.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().map(|info| info.field)
    }

    /// The field's row of the table.
    pub fn info(self) -> &'static FieldInfo {
        &FIELDS[self as usize]
    }

    /// What the values mean.
    pub fn kind(self) -> FieldKind {
        self.info().kind
    }

    /// Our name of the field.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The field with this name of ours.
    pub fn from_name(name: &str) -> Option<Self> {
        FIELDS.iter().find(|info| info.name == name).map(|info| info.field)
    }

    /// The field that this AWS column fills; hyphens and underscores are the same.
    pub fn from_aws(column: &str) -> Option<Self> {
        let column = column.replace('_', "-");
        FIELDS.iter().find(|info| !info.aws.is_empty() && info.aws == column).map(|info| info.field)
    }

    /// The stored fields this one is computed from; `None` for a field that is stored itself.
    pub fn inputs(self) -> Option<FieldSet> {
        let inputs: &[Self] = match self {
            Self::Packets => &[Self::InPackets, Self::OutPackets],
            Self::Bytes => &[Self::InBytes, Self::OutBytes],
            Self::TcpFlags => &[Self::InFlags, Self::OutFlags],
            Self::Duration => &[Self::First, Self::Last],
            Self::Pps => &[Self::InPackets, Self::OutPackets, Self::First, Self::Last],
            Self::Bps => &[Self::InBytes, Self::OutBytes, Self::First, Self::Last],
            Self::Bpp => &[Self::InBytes, Self::OutBytes, Self::InPackets, Self::OutPackets],
            _ => return None,
        };
        Some(inputs.iter().copied().collect())
    }

    /// Whether the field is computed from others and never stored.
    pub fn is_derived(self) -> bool {
        self.inputs().is_some()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of fields: what a query needs, what a source has.
///
/// ```
/// use flowcore::{Field, FieldSet};
/// let set = FieldSet::from([Field::SrcAddr, Field::Bytes]).stored();
/// assert!(set.contains(Field::InBytes) && !set.contains(Field::Bytes));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldSet([u64; 4]);

impl FieldSet {
    /// No field.
    pub const EMPTY: Self = Self([0; 4]);

    /// Every stored field. The number of a record is none of them: it comes with reading, where it is asked for.
    pub fn all() -> Self {
        Field::all().filter(|field| !field.is_derived() && *field != Field::RecordNumber).collect()
    }

    /// Adds a field.
    pub fn insert(&mut self, field: Field) {
        self.0[field as usize / 64] |= 1 << (field as usize % 64);
    }

    /// Whether the field is in the set.
    pub const fn contains(&self, field: Field) -> bool {
        self.0[field as usize / 64] & (1 << (field as usize % 64)) != 0
    }

    /// The fields of both sets together.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
        self
    }

    /// The set with each computed field replaced by the stored fields it is computed from.
    #[must_use]
    pub fn stored(self) -> Self {
        self.iter().fold(Self::EMPTY, |mut set, field| match field.inputs() {
            Some(inputs) => set.union(inputs),
            None => {
                set.insert(field);
                set
            }
        })
    }

    /// The fields of the set in table order.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::all().filter(move |&field| self.contains(field))
    }

    /// Whether there is no field in the set.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut set = Self::EMPTY;
        fields.into_iter().for_each(|field| set.insert(field));
        set
    }
}

impl<const N: usize> From<[Field; N]> for FieldSet {
    fn from(fields: [Field; N]) -> Self {
        fields.into_iter().collect()
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

const _: () = assert!(FIELD_COUNT <= 256, "FieldSet holds 256 fields");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn rows_stand_in_the_order_of_the_variants() {
        assert_eq!(FIELDS.len(), FIELD_COUNT);
        for (at, info) in FIELDS.iter().enumerate() {
            assert_eq!(info.field as usize, at, "{}", info.name);
        }
    }

    #[test]
    fn names_and_keys_are_unique_and_plain() {
        let plain =
            |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let mut names = HashSet::new();
        let mut keys = HashSet::new();
        let mut aws = HashSet::new();
        for info in FIELDS {
            assert!(names.insert(info.name) && plain(info.name), "{}", info.name);
            assert!(keys.insert(info.key) && plain(info.key), "{}", info.key);
            assert!(info.aws.is_empty() || aws.insert(info.aws), "{}", info.aws);
            assert!(info.doc.ends_with('.'), "{}", info.name);
            assert_eq!(Field::from_name(info.name), Some(info.field));
        }
    }

    #[test]
    fn derived_fields_rest_on_stored_ones() {
        for field in Field::all() {
            assert!(field.inputs().is_none_or(|inputs| inputs.iter().all(|input| !input.is_derived())));
        }
        assert_eq!(Field::from_aws("pkt_src_aws_service"), Some(Field::SrcService));
    }
}
