//! How many rows `nfdump -b` would print for nfpcapd's records, worked out from our flows.
//!
//! `nfdump -b` joins the records of a whole file by address, port and protocol, TCP and UDP in both directions, the
//! rest one way. nfpcapd gives ICMP type * 256 + code as destination port, gives ports to TCP and UDP only, and looks into
//! tunnels of IP alone: of GRE it shows the inner packet, of IP in IP both.

use std::collections::HashSet;

use flowcore::{Addr, Field, Flow, Protocol};

/// A row of `nfdump -b`: the ends, in one order for TCP and UDP, and the protocol.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    from: (Addr, u16),
    to: (Addr, u16),
    protocol: u8,
}

/// Rows for the flows of a capture, metered by the outermost and by the innermost packets.
pub(super) fn biflows(outer: &[Flow], inner: &[Flow]) -> u64 {
    let mut keys = HashSet::new();
    for flow in outer.iter().filter(|flow| flow.key.protocol != Some(GRE)) {
        add(flow, &mut keys);
    }
    let in_gre = |flow: &&Flow| tunnel(flow) == Some(GRE) || flow.key.protocol == Some(GRE);
    let in_ip = |flow: &&Flow| tunnel(flow).is_some_and(|protocol| IN_IP.contains(&protocol));
    for flow in inner.iter().filter(|flow| in_gre(flow) || in_ip(flow)) {
        add(flow, &mut keys);
    }
    keys.len() as u64
}

const GRE: Protocol = Protocol(47);
/// IPv4 and IPv6 in IP.
const IN_IP: [Protocol; 2] = [Protocol(4), Protocol(41)];

fn tunnel(flow: &Flow) -> Option<Protocol> {
    flow.get(Field::TunProto).number().and_then(|number| u8::try_from(number).ok()).map(Protocol)
}

/// Adds the rows that a flow stands for.
fn add(flow: &Flow, keys: &mut HashSet<Key>) {
    let protocol = flow.key.protocol.unwrap_or(Protocol(0));
    let (src, dst) = (flow.key.src, flow.key.dst);
    if [Protocol::TCP, Protocol::UDP].contains(&protocol) {
        let ends = [(src, flow.key.src_port.unwrap_or(0)), (dst, flow.key.dst_port.unwrap_or(0))];
        let [from, to] = if ends[0] <= ends[1] { ends } else { [ends[1], ends[0]] };
        keys.insert(Key { from, to, protocol: protocol.0 });
        return;
    }
    let (there, back) = message_numbers(flow, protocol);
    let sent = |packets: Option<u64>| packets.is_some_and(|packets| packets > 0);
    if sent(flow.forward.packets) {
        keys.insert(Key { from: (src, 0), to: (dst, there), protocol: protocol.0 });
    }
    if sent(flow.reverse.packets) {
        keys.insert(Key { from: (dst, 0), to: (src, back), protocol: protocol.0 });
    }
}

/// nfpcapd's destination port of an ICMP message and of what comes back in the same flow; 0 for other protocols.
fn message_numbers(flow: &Flow, protocol: Protocol) -> (u16, u16) {
    let number = |field| flow.get(field).number().and_then(|number| u8::try_from(number).ok());
    let (Some(kind), Some(code)) = (number(Field::IcmpType), number(Field::IcmpCode)) else { return (0, 0) };
    let there = u16::from_be_bytes([kind, code]);
    let has_request = flow.forward.packets.is_some_and(|packets| packets > 0);
    let back = match reply(protocol, kind) {
        Some(reply) if has_request && flow.get(Field::IcmpId).number().is_some() => {
            u16::from_be_bytes([reply, 0])
        }
        _ => there,
    };
    (there, back)
}

/// The type of the answer to an ICMP query (RFC 792, RFC 950, RFC 4443, RFC 8335).
fn reply(protocol: Protocol, kind: u8) -> Option<u8> {
    match (protocol, kind) {
        (Protocol::ICMP, 8) => Some(0),
        (Protocol::ICMP, 13 | 15 | 17 | 42) | (Protocol::ICMPV6, 128 | 160) => Some(kind + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowcore::{Direction, Value};

    fn flow(protocol: u8, ends: (&str, &str), ports: Option<(u16, u16)>, packets: (u64, u64)) -> Flow {
        let mut flow = Flow::default();
        flow.key.protocol = Some(Protocol(protocol));
        (flow.key.src, flow.key.dst) = (ends.0.parse().unwrap(), ends.1.parse().unwrap());
        (flow.key.src_port, flow.key.dst_port) = (ports.map(|ports| ports.0), ports.map(|ports| ports.1));
        flow.forward = Direction { packets: Some(packets.0), ..Direction::default() };
        flow.reverse = Direction { packets: Some(packets.1), ..Direction::default() };
        flow
    }

    const A_B: (&str, &str) = ("10.0.0.1", "10.0.0.2");
    const B_A: (&str, &str) = ("10.0.0.2", "10.0.0.1");

    #[test]
    fn tcp_and_udp_are_joined_both_ways_the_rest_is_not() {
        let same = [flow(6, A_B, Some((1, 2)), (3, 3)), flow(6, B_A, Some((2, 1)), (1, 0))];
        assert_eq!(biflows(&same, &[]), 1);
        let others = [flow(17, A_B, Some((1, 2)), (1, 0)), flow(17, A_B, Some((2, 1)), (1, 0))];
        assert_eq!(biflows(&others, &[]), 2);
        let sctp = [flow(132, A_B, Some((1, 2)), (1, 1)), flow(132, A_B, Some((3, 4)), (1, 0))];
        assert_eq!(biflows(&sctp, &[]), 2, "ports of SCTP are not read");
    }

    #[test]
    fn an_answered_echo_is_two_rows() {
        let echo = |id: u64, packets| {
            let mut flow = flow(1, A_B, None, packets);
            [(Field::IcmpType, 8), (Field::IcmpCode, 0), (Field::IcmpId, id)]
                .into_iter()
                .for_each(|(field, number)| flow.set(field, Value::Number(number)));
            flow
        };
        assert_eq!(biflows(&[echo(1, (5, 5)), echo(2, (1, 1)), echo(3, (1, 0))], &[]), 2);
    }

    #[test]
    fn gre_shows_what_is_in_it_and_ip_in_ip_both() {
        let mut inside = flow(6, ("192.168.0.1", "192.168.0.2"), Some((1, 2)), (1, 1));
        inside.set(Field::TunProto, Value::Number(47));
        let gre = [flow(47, A_B, None, (1, 1))];
        assert_eq!(biflows(&gre, std::slice::from_ref(&inside)), 1);
        assert_eq!(biflows(&gre, &gre), 2, "what cannot be looked into stays, one row each way");
        inside.set(Field::TunProto, Value::Number(4));
        assert_eq!(biflows(&[flow(4, A_B, None, (1, 1))], &[inside]), 3);
    }
}
