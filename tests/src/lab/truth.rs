//! The numbers that an analyst must find, counted on the packets and rows that were made: `name<TAB>value` lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};
use std::net::IpAddr;

use super::world::{ATTACKER, LOOKALIKE, SNAP, VICTIM_INTERFACE, interface_of, is_victim};
use super::{LogFile, Sent};
use crate::capture::Frame;
use crate::clock::{rfc3339, rfc3339_micros};
use crate::packet::{Content as Carried, Packet, flags};
use crate::vpclog::{Action, Content, Direction, Flow, Row};

/// Names and values, one a line.
pub(super) fn expected(sent: &[Sent], frames: &[Frame], rows: &[Row], logs: &[LogFile]) -> String {
    let mut list = List(String::new());
    let packets: Vec<&Sent> = sent.iter().filter(|sent| sent.seen_by_victim()).collect();
    of_the_capture(&mut list, &packets, frames);
    of_the_logs(&mut list, rows, logs);
    list.0
}

/// A conversation, whichever side sends: the smaller socket first, with the identifier of an echo in place of ports.
pub(super) fn conversation(packet: &Packet) -> ((IpAddr, u16), (IpAddr, u16), u8) {
    let ports = match &packet.content {
        Carried::Icmp { rest, .. } => {
            (u16::from_be_bytes([rest[0], rest[1]]), u16::from_be_bytes([rest[0], rest[1]]))
        }
        _ => packet.ports(),
    };
    let (a, b) = ((packet.src, ports.0), (packet.dst, ports.1));
    (a.min(b), a.max(b), packet.protocol())
}

fn of_the_capture(list: &mut List, packets: &[&Sent], frames: &[Frame]) {
    let wire: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
    let cut = frames.iter().filter(|frame| frame.bytes.len() > SNAP as usize).count();
    list.add("capture.frames", frames.len());
    list.add("capture.wire_bytes", wire);
    list.add("capture.cut_frames", cut);
    list.add("capture.arp_frames", frames.len() - packets.len());
    list.add("capture.ip_packets", packets.len());
    list.add("capture.ip_bytes", bytes(packets));
    list.add("capture.ipv6_packets", packets.iter().filter(|sent| sent.packet.src.is_ipv6()).count());
    list.add("capture.first_packet", packets.first().map_or_else(String::new, |s| rfc3339_micros(s.time)));
    list.add("capture.last_packet", packets.last().map_or_else(String::new, |s| rfc3339_micros(s.time)));
    list.add("capture.flows", conversations(packets));
    let of = |test: &dyn Fn(&Packet) -> bool| -> Vec<&Sent> {
        packets.iter().copied().filter(|sent| test(&sent.packet)).collect()
    };
    for (name, protocol) in [("tcp", 6), ("udp", 17), ("icmp", 1)] {
        list.add(
            &format!("capture.{name}_flows"),
            conversations(&of(&|packet| packet.protocol() == protocol)),
        );
    }
    let refusal = |packet: &Packet| packet.flags() == flags::RST | flags::ACK && is_victim(packet.src);
    list.add("capture.refused_connections", of(&refusal).len());
    let attacker = of(&|packet| [packet.src, packet.dst].contains(&ATTACKER));
    list.add("capture.attacker.packets", attacker.len());
    list.add("capture.attacker.bytes", bytes(&attacker));
    list.add("capture.attacker.connections", conversations(&attacker));
    for port in PORTS {
        let on_port = of(&|p| [p.src, p.dst].contains(&ATTACKER) && service(p.ports()) == port);
        let name = format!("capture.attacker.port_{port}");
        let (to, from): (Vec<&Sent>, Vec<&Sent>) = on_port.iter().partition(|s| is_victim(s.packet.dst));
        list.add(&format!("{name}.connections"), conversations(&on_port));
        list.add(&format!("{name}.packets"), on_port.len());
        list.add(&format!("{name}.bytes_to_victim"), bytes(&to));
        list.add(&format!("{name}.bytes_from_victim"), bytes(&from));
    }
}

fn of_the_logs(list: &mut List, rows: &[Row], logs: &[LogFile]) {
    let lines: usize = logs.iter().map(|log| log.text.lines().count()).sum();
    let state = |state: &Content| rows.iter().filter(|row| &row.content == state).count();
    let flows: Vec<&Row> = rows.iter().filter(|row| row.flow().is_some()).collect();
    list.add("logs.files", logs.len());
    list.add("logs.lines", lines);
    list.add("logs.header_lines", logs.len());
    list.add("logs.records", rows.len());
    list.add("logs.flows", flows.len());
    list.add("logs.nodata", state(&Content::NoData));
    list.add("logs.skipdata", state(&Content::SkipData));
    of_rows(list, "logs.accept", rows, &|flow| flow.action == Action::Accept);
    of_rows(list, "logs.reject", rows, &|flow| flow.action == Action::Reject);
    let refused = |flow: &Flow| flow.action == Action::Reject && flow.direction == Direction::Ingress;
    of_rows(list, "logs.refused_inward", rows, &refused);
    let sources: BTreeSet<IpAddr> =
        rows.iter().filter_map(Row::flow).filter(|flow| refused(flow)).map(|flow| flow.src).collect();
    list.add("logs.refused_inward.sources", sources.len());
    let both = |flow: &Flow| interface_of(flow.src).is_some() && interface_of(flow.dst).is_some();
    of_rows(list, "logs.written_by_both_ends", rows, &both);
    let victim: Vec<Row> = rows.iter().filter(|row| row.interface == VICTIM_INTERFACE).cloned().collect();
    of_rows(list, "logs.victim_interface", &victim, &|_| true);
    of_rows(list, "logs.lookalike", rows, &|flow| [flow.src, flow.dst].contains(&LOOKALIKE));
    of_the_attacker(list, rows);
}

fn of_the_attacker(list: &mut List, rows: &[Row]) {
    let attacker = |flow: &Flow| [flow.src, flow.dst].contains(&ATTACKER);
    let starts: Vec<u64> =
        rows.iter().filter(|row| row.flow().is_some_and(attacker)).map(|row| row.start).collect();
    of_rows(list, "logs.attacker", rows, &attacker);
    list.add("logs.attacker.first_start", rfc3339(starts.iter().copied().min().unwrap_or(0)));
    list.add("logs.attacker.last_start", rfc3339(starts.iter().copied().max().unwrap_or(0)));
    of_rows(list, "logs.attacker.refused", rows, &|flow| attacker(flow) && flow.action == Action::Reject);
    for port in PORTS {
        let on_port = |flow: &Flow| attacker(flow) && service((flow.src_port, flow.dst_port)) == port;
        let name = format!("logs.attacker.port_{port}");
        of_rows(list, &format!("{name}.to_victim"), rows, &|flow| on_port(flow) && is_victim(flow.dst));
        of_rows(list, &format!("{name}.from_victim"), rows, &|flow| on_port(flow) && is_victim(flow.src));
    }
}

/// Records, packets and bytes of the rows that pass a test.
fn of_rows(list: &mut List, name: &str, rows: &[Row], test: &dyn Fn(&Flow) -> bool) {
    let flows: Vec<&Flow> = rows.iter().filter_map(Row::flow).filter(|flow| test(flow)).collect();
    list.add(&format!("{name}.records"), flows.len());
    list.add(&format!("{name}.packets"), flows.iter().map(|flow| flow.packets).sum::<u64>());
    list.add(&format!("{name}.bytes"), flows.iter().map(|flow| flow.bytes).sum::<u64>());
}

fn bytes(packets: &[&Sent]) -> u64 {
    packets.iter().map(|sent| sent.packet.ip_bytes()).sum()
}

fn conversations(packets: &[&Sent]) -> usize {
    packets.iter().map(|sent| (conversation(&sent.packet), ())).collect::<BTreeMap<_, _>>().len()
}

/// Of two ports, the one that names a service: here all clients use higher ones.
fn service((a, b): (u16, u16)) -> u16 {
    a.min(b)
}

/// The list under construction.
struct List(String);

impl List {
    fn add(&mut self, name: &str, value: impl Display) {
        // Writing into a text cannot fail.
        let _ = writeln!(self.0, "{name}\t{value}");
    }
}

/// Services that the attacker used, in the order of the story.
const PORTS: [u16; 3] = [80, 22, 8889];
