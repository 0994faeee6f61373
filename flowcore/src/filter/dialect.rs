//! What people type who know the filters of tcpdump and Wireshark, and what that is here. Nothing of this is accepted;
//! it makes the errors helpful.

/// The term that a word of another program's language stands for.
pub(super) fn meant(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    WORDS.iter().find(|(theirs, _)| *theirs == lower).map(|entry| entry.1)
}

/// The comparator that a word stands for.
pub(super) fn comparator(word: &str) -> Option<&'static str> {
    COMPARATORS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(word)).map(|entry| entry.1)
}

/// The port of a service that is often called by its name.
pub(super) fn port_of(service: &str) -> Option<u16> {
    SERVICES.iter().find(|(name, _)| name.eq_ignore_ascii_case(service)).map(|entry| entry.1)
}

/// Words of English.
const COMPARATORS: &[(&str, &str)] = &[
    ("is", "="),
    ("are", "="),
    ("equal", "="),
    ("equals", "="),
    ("isnt", "!="),
    ("more", ">"),
    ("greater", ">"),
    ("larger", ">"),
    ("bigger", ">"),
    ("above", ">"),
    ("over", ">"),
    ("less", "<"),
    ("fewer", "<"),
    ("smaller", "<"),
    ("below", "<"),
    ("under", "<"),
];

/// Words of tcpdump (pcap-filter) and fields of Wireshark.
const WORDS: &[(&str, &str)] = &[
    ("ip6", "ipv6"),
    ("ip4", "ipv4"),
    ("portrange", "port"),
    ("greater", "bytes >="),
    ("less", "bytes <="),
    ("len", "bytes"),
    ("gateway", "router ip"),
    ("ether", "mac"),
    ("inbound", "direction ingress"),
    ("outbound", "direction egress"),
    ("ip.addr", "ip"),
    ("ip.src", "src ip"),
    ("ip.dst", "dst ip"),
    ("ip.host", "host"),
    ("ip.proto", "proto"),
    ("ip.ttl", "ttl"),
    ("ip.len", "bytes"),
    ("ip.version", "ipv4"),
    ("ip.dsfield", "tos"),
    ("ipv6.addr", "ip"),
    ("ipv6.src", "src ip"),
    ("ipv6.dst", "dst ip"),
    ("ipv6.nxt", "proto"),
    ("tcp.port", "port"),
    ("tcp.srcport", "src port"),
    ("tcp.dstport", "dst port"),
    ("tcp.flags", "flags"),
    ("tcp.flags.syn", "flags S"),
    ("tcp.flags.ack", "flags A"),
    ("tcp.flags.fin", "flags F"),
    ("tcp.flags.reset", "flags R"),
    ("tcp.analysis.retransmission", "retransmits > 0"),
    ("udp.port", "port"),
    ("udp.srcport", "src port"),
    ("udp.dstport", "dst port"),
    ("sctp.port", "port"),
    ("icmp.type", "icmp type"),
    ("icmp.code", "icmp code"),
    ("icmpv6.type", "icmp type"),
    ("icmpv6.code", "icmp code"),
    ("eth.addr", "mac"),
    ("eth.src", "src mac"),
    ("eth.dst", "dst mac"),
    ("eth.type", "ethertype"),
    ("vlan.id", "vlan"),
    ("mpls.label", "mpls any"),
    ("frame.len", "bytes"),
    ("frame.number", "count"),
    ("frame.time", "first"),
    ("http.host", "payload content"),
    ("vxlan.vni", "tun id"),
];

/// IANA "Service Name and Transport Protocol Port Number Registry", those that are known by heart.
const SERVICES: &[(&str, u16)] = &[
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("dns", 53),
    ("dhcp", 67),
    ("bootps", 67),
    ("tftp", 69),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("ntp", 123),
    ("netbios-ns", 137),
    ("imap", 143),
    ("snmp", 161),
    ("bgp", 179),
    ("ldap", 389),
    ("https", 443),
    ("smb", 445),
    ("microsoft-ds", 445),
    ("syslog", 514),
    ("ldaps", 636),
    ("imaps", 993),
    ("pop3s", 995),
    ("mssql", 1433),
    ("mysql", 3306),
    ("rdp", 3389),
    ("sip", 5060),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("vnc", 5900),
    ("redis", 6379),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::vocabulary;

    #[test]
    fn what_is_meant_begins_a_term_here_and_what_is_typed_does_not() {
        for (theirs, ours) in WORDS {
            let words: Vec<&str> = ours.split(' ').collect();
            assert!(vocabulary::find(&words).is_ok(), "{ours}");
            assert!(vocabulary::find(&[theirs]).is_err(), "{theirs}");
        }
        assert_eq!(meant("TCP.Port"), Some("port"));
        assert_eq!((comparator("Equals"), comparator("eq")), (Some("="), None));
        assert_eq!((port_of("HTTP"), port_of("x")), (Some(80), None));
    }
}
