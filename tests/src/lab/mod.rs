//! The laboratory in `testdata/lab`: a capture of an attacked web server, and the cloud flow logs of its network
//! for the same two and a half hours, with the numbers that an analyst must find.
//!
//! `story` says who talks to whom and when, `talk` turns a conversation into packets, `flowlog` turns packets into
//! log rows, `truth` counts. The capture and the logs come from the same packets, so they agree to the byte.

mod flowlog;
mod payload;
mod story;
mod talk;
mod truth;
mod world;

use std::net::IpAddr;

use crate::capture::{Frame, Layout};
use crate::packet::{Link, Packet};
use crate::rng::Rng;
use crate::vpclog::{self, Row};

pub use world::{ATTACKER, LOOKALIKE, SNAP, VICTIM};

/// Everything that was made.
#[derive(Debug)]
pub struct Lab {
    /// The frames that the victim saw, whole.
    pub frames: Vec<Frame>,
    /// The files of flow logs, in order of their names.
    pub logs: Vec<LogFile>,
    /// What an analyst must find: `name<TAB>value` lines.
    pub expected: String,
}

/// One file of flow logs.
#[derive(Debug)]
pub struct LogFile {
    /// Name as the service would have chosen it.
    pub name: String,
    /// Header line and rows.
    pub text: String,
    /// Number of gzip members.
    pub members: usize,
}

/// A packet, and what the network did with it.
#[derive(Debug, Clone)]
struct Sent {
    /// Microseconds since 1970 UTC, as seen by the interfaces of the network.
    time: u64,
    packet: Packet,
    fate: Fate,
}

/// What the network did with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It arrived.
    Delivered,
    /// A security group refused it before the receiver saw it.
    RefusedInward,
    /// A network ACL refused it after the sender had sent it.
    RefusedOutward,
}

impl Lab {
    /// Makes the laboratory; the result is always the same.
    pub fn make() -> Self {
        let rng = Rng::new(SEED);
        let mut sent = story::tell(&rng);
        sent.sort_by_key(|sent| sent.time);
        let frames = frames(&sent);
        let rows = flowlog::rows(&sent);
        let logs = log_files(&rows, &mut rng.fork("log files"));
        let expected = truth::expected(&sent, &frames, &rows, &logs);
        Self { frames, logs, expected }
    }

    /// The capture as committed: cut to the snap length.
    pub fn capture(&self) -> Vec<u8> {
        Layout { snap: SNAP, ..Layout::default() }.pcap(&self.frames)
    }
}

impl LogFile {
    /// The file as the service would store it.
    pub fn packed(&self) -> Vec<u8> {
        vpclog::gzip(&self.text, self.members)
    }
}

impl Sent {
    /// Whether a capture on the victim sees the packet.
    fn seen_by_victim(&self) -> bool {
        let (src, dst) = (self.packet.src, self.packet.dst);
        world::is_victim(src) || world::is_victim(dst) && self.fate != Fate::RefusedInward
    }
}

/// Frames of the victim's interface: its packets, and now and then the router's ARP.
fn frames(sent: &[Sent]) -> Vec<Frame> {
    let mut frames: Vec<Frame> = sent
        .iter()
        .filter(|sent| sent.seen_by_victim())
        .map(|sent| Frame { time: sent.time * 1000, bytes: sent.packet.frame(&link(sent.packet.src)) })
        .collect();
    for at in (world::START + 97..world::END).step_by(600) {
        frames.extend(world::arp_exchange(at));
    }
    frames.sort_by_key(|frame| frame.time);
    frames
}

fn link(src: IpAddr) -> Link {
    let (victim, router) = (world::VICTIM_MAC, world::ROUTER_MAC);
    let (src, dst) = if world::is_victim(src) { (victim, router) } else { (router, victim) };
    Link { src, dst, vlans: Vec::new() }
}

/// Rows grouped by the five minutes of their end; inside a file they are only roughly in order.
fn log_files(rows: &[Row], rng: &mut Rng) -> Vec<LogFile> {
    let mut files = Vec::new();
    for (number, slot) in (world::START..world::END).step_by(world::SLOT as usize).enumerate() {
        let mut rows: Vec<(u64, u64, String)> = rows
            .iter()
            .filter(|row| row.end / world::SLOT * world::SLOT == slot)
            .map(|row| (row.end / 60, rng.bits(), row.line(world::COLUMNS)))
            .collect();
        rows.sort();
        let parts = if number == SLOT_IN_TWO_FILES { 2 } else { 1 };
        for part in rows.chunks(rows.len().div_ceil(parts).max(1)) {
            let lines = part.iter().map(|(_, _, line)| format!("{line}\n"));
            files.push(LogFile {
                name: vpclog::file_name(&world::VICTIM_INTERFACE, world::FLOW_LOG, slot, rng.bits() as u32),
                text: std::iter::once(world::COLUMNS.join(" ") + "\n").chain(lines).collect(),
                members: if number == SLOT_IN_THREE_MEMBERS { 3 } else { 1 },
            });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

const SEED: u64 = 401;
const SLOT_IN_THREE_MEMBERS: usize = 12;
const SLOT_IN_TWO_FILES: usize = 19;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn story() -> Vec<Sent> {
        let mut sent = story::tell(&Rng::new(SEED));
        sent.sort_by_key(|sent| sent.time);
        sent
    }

    /// With the usual timeouts of 60 and 300 seconds each conversation is one flow.
    #[test]
    fn no_conversation_outlives_the_usual_timeouts() {
        let mut times: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        for sent in story().iter().filter(|sent| sent.seen_by_victim()) {
            times.entry(truth::conversation(&sent.packet)).or_default().push(sent.time);
        }
        for (who, times) in times {
            let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
            let length = times[times.len() - 1] - times[0];
            assert!(gap < 60_000_000 && length < 300_000_000, "{who:?}: gap {gap}, length {length}");
        }
    }

    #[test]
    fn the_logs_of_the_victim_and_its_capture_agree_to_the_byte() {
        let sent = story();
        let totals = |packets: &mut dyn Iterator<Item = (u64, u64)>| {
            packets.fold((0, 0), |sum, (packets, bytes)| (sum.0 + packets, sum.1 + bytes))
        };
        let captured =
            totals(&mut sent.iter().filter(|s| s.seen_by_victim()).map(|sent| (1, sent.packet.ip_bytes())));
        let rows = flowlog::rows(&sent);
        let logged = rows.iter().filter(|row| row.interface == world::VICTIM_INTERFACE);
        let logged = logged.filter_map(Row::flow).filter(|flow| {
            flow.action == vpclog::Action::Accept || flow.direction != vpclog::Direction::Ingress
        });
        assert_eq!(totals(&mut logged.map(|flow| (flow.packets, flow.bytes))), captured);
    }

    #[test]
    fn all_packets_lie_inside_the_story() {
        let inside = world::START * 1_000_000..world::END * 1_000_000;
        assert!(story().iter().all(|sent| inside.contains(&sent.time)));
    }
}
