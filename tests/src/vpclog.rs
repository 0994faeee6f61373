//! Writes AWS VPC flow logs: rows in any column order, file names and gzip as the service has them.
//!
//! Source: AWS documentation "Flow log records" and "Flow log files".

use std::io::Write;
use std::net::IpAddr;

use flate2::{Compression, GzBuilder};

use crate::clock::file_stamp;

/// One row: what an interface saw in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The interface that was watched.
    pub interface: Interface,
    /// First packet of the interval, or the interval's start where there was none, in seconds since 1970 UTC.
    pub start: u64,
    /// Last packet of the interval, or the interval's end, in seconds since 1970 UTC.
    pub end: u64,
    /// What was seen.
    pub content: Content,
}

/// Identity columns of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Interface id, `eni-...`.
    pub id: &'static str,
    /// Instance id, `-` for interfaces of services.
    pub instance: &'static str,
    /// Account that owns it.
    pub account: &'static str,
    /// Region it is in.
    pub region: &'static str,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Packets of one direction of a conversation.
    Flow(Flow),
    /// There was no traffic in the interval.
    NoData,
    /// Records of the interval were lost.
    SkipData,
}

/// Packets of one direction of a conversation in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Sender.
    pub src: IpAddr,
    /// Receiver.
    pub dst: IpAddr,
    /// Port of the sender, 0 where there is none.
    pub src_port: u16,
    /// Port of the receiver, 0 where there is none.
    pub dst_port: u16,
    /// IP protocol number.
    pub protocol: u8,
    /// Packets.
    pub packets: u64,
    /// Bytes, IP header included.
    pub bytes: u64,
    /// Flags as the service writes them, see [`logged_flags`].
    pub flags: u8,
    /// Let through, or refused.
    pub action: Action,
    /// Seen from the interface.
    pub direction: Direction,
}

/// What became of the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Let through.
    Accept,
    /// Refused by a security group or network ACL.
    Reject,
}

/// Direction seen from the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards the instance.
    Ingress,
    /// Away from the instance, with the number of the way it took.
    Egress {
        /// 1 within the VPC, 8 over the internet gateway.
        path: u8,
    },
}

impl Row {
    /// The row as a line without its end, with these columns.
    pub fn line(&self, columns: &[&str]) -> String {
        columns.iter().map(|column| self.value(column)).collect::<Vec<_>>().join(" ")
    }

    /// The flow of the row; `None` for rows that only report a state.
    pub fn flow(&self) -> Option<&Flow> {
        match &self.content {
            Content::Flow(flow) => Some(flow),
            Content::NoData | Content::SkipData => None,
        }
    }

    /// Value of a column, `-` where it does not apply.
    fn value(&self, column: &str) -> String {
        match column {
            "version" => "5".into(),
            "account-id" => self.interface.account.into(),
            "region" => self.interface.region.into(),
            "interface-id" => self.interface.id.into(),
            "instance-id" => self.interface.instance.into(),
            "start" => self.start.to_string(),
            "end" => self.end.to_string(),
            "log-status" => match self.content {
                Content::Flow(_) => "OK".into(),
                Content::NoData => "NODATA".into(),
                Content::SkipData => "SKIPDATA".into(),
            },
            _ => self.flow().and_then(|flow| flow.value(column)).unwrap_or_else(|| "-".into()),
        }
    }
}

impl Flow {
    fn value(&self, column: &str) -> Option<String> {
        Some(match column {
            "srcaddr" | "pkt-srcaddr" => self.src.to_string(),
            "dstaddr" | "pkt-dstaddr" => self.dst.to_string(),
            "srcport" => self.src_port.to_string(),
            "dstport" => self.dst_port.to_string(),
            "protocol" => self.protocol.to_string(),
            "packets" => self.packets.to_string(),
            "bytes" => self.bytes.to_string(),
            "tcp-flags" => self.flags.to_string(),
            "type" => if self.src.is_ipv4() { "IPv4" } else { "IPv6" }.into(),
            "action" => if self.action == Action::Accept { "ACCEPT" } else { "REJECT" }.into(),
            "flow-direction" => match self.direction {
                Direction::Ingress => "ingress".into(),
                Direction::Egress { .. } => "egress".into(),
            },
            "traffic-path" => match self.direction {
                Direction::Ingress => return None,
                Direction::Egress { path } => path.to_string(),
            },
            _ => return None,
        })
    }
}

/// What a packet adds to a row's flags: FIN, SYN and RST as they are, ACK only together with SYN.
pub fn logged_flags(flags: u8) -> u8 {
    let answer = if flags & 0b1_0010 == 0b1_0010 { 0b1_0000 } else { 0 };
    flags & 0b111 | answer
}

/// Name of the file of the five minutes that begin at `slot` (seconds since 1970 UTC).
pub fn file_name(interface: &Interface, flow_log: &str, slot: u64, hash: u32) -> String {
    let Interface { account, region, .. } = interface;
    format!("{account}_vpcflowlogs_{region}_{flow_log}_{}_{hash:08x}.log.gz", file_stamp(slot))
}

/// The text as gzip of at most this many members, cut at line ends, without time stamp: the same text always gives the
/// same bytes as long as the compressor does not change.
pub fn gzip(text: &str, members: usize) -> Vec<u8> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let per_member = lines.len().div_ceil(members.max(1)).max(1);
    lines.chunks(per_member).flat_map(|part| gzip_member(&part.concat())).collect()
}

fn gzip_member(text: &str) -> Vec<u8> {
    let mut member = GzBuilder::new().operating_system(0).write(Vec::new(), Compression::default());
    let written = member.write_all(text.as_bytes()).and_then(|()| member.finish());
    written.unwrap_or_else(|error| panic!("gzip into memory: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::MultiGzDecoder;
    use std::io::Read;

    const INTERFACE: Interface =
        Interface { id: "eni-1", instance: "i-1", account: "012345678901", region: "eu-central-1" };

    #[test]
    fn rows_follow_the_column_order() {
        let flow = Flow {
            src: "10.0.0.1".parse().unwrap(),
            dst: "203.0.113.9".parse().unwrap(),
            src_port: 443,
            dst_port: 50_000,
            protocol: 6,
            packets: 2,
            bytes: 80,
            flags: 19,
            action: Action::Reject,
            direction: Direction::Egress { path: 8 },
        };
        let row = Row { interface: INTERFACE, start: 60, end: 61, content: Content::Flow(flow) };
        let columns = ["version", "bytes", "srcaddr", "action", "traffic-path", "vpc-id", "log-status"];
        assert_eq!(row.line(&columns), "5 80 10.0.0.1 REJECT 8 - OK");
        let row = Row { content: Content::NoData, ..row };
        assert_eq!(row.line(&columns), "5 - - - - - NODATA");
    }

    #[test]
    fn flags_as_the_service_writes_them() {
        assert_eq!([2, 18, 17, 24, 20].map(logged_flags), [2, 18, 1, 0, 4]);
    }

    #[test]
    fn members_join_to_the_text() {
        let text = "header\none\ntwo\nthree\n";
        let packed = gzip(text, 3);
        assert_eq!(packed.windows(3).filter(|bytes| *bytes == [0x1f, 0x8b, 8]).count(), 2);
        let packed = gzip(text, 4);
        assert_eq!(packed.windows(3).filter(|bytes| *bytes == [0x1f, 0x8b, 8]).count(), 4);
        let mut read = String::new();
        MultiGzDecoder::new(&packed[..]).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }

    #[test]
    fn names_are_those_of_the_service() {
        assert_eq!(
            file_name(&INTERFACE, "fl-0a", 1_710_252_000, 0xbeef),
            "012345678901_vpcflowlogs_eu-central-1_fl-0a_20240312T1400Z_0000beef.log.gz"
        );
    }
}
