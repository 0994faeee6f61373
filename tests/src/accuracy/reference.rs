//! `reference.tsv` of the corpus: what tshark, nfpcapd 1.7.8 and nfpcapd 1.7.1 count in each capture.

use std::collections::HashMap;
use std::io;
use std::path::Path;

/// A row of the reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// Name of the capture.
    pub file: String,
    /// IP packets by tshark, each by its outermost header.
    pub ip_packets: u64,
    /// Their bytes.
    pub ip_bytes: u64,
    /// nfpcapd 1.7.8 on the file as it is.
    pub new: Peer,
    /// nfpcapd 1.7.1 on the file as it is.
    pub old: Peer,
    /// Packets in the records from which [`biflows`](Self::biflows) was made: nfpcapd 1.7.8's, of the file rewritten as a plain pcap
    /// where it cannot read it as it is.
    pub biflow_packets: Option<u64>,
    /// Rows of `nfdump -b` 1.7.1 over those records.
    pub biflows: Option<u64>,
}

/// What a version of nfpcapd made of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Peer {
    /// It refused the file.
    #[default]
    Rejected,
    /// Packets and bytes in its flow records.
    Counted(u64, u64),
}

impl Peer {
    /// Packets in flow records.
    pub const fn packets(self) -> u64 {
        match self {
            Self::Rejected => 0,
            Self::Counted(packets, _) => packets,
        }
    }
}

impl Reference {
    /// Reads the table.
    ///
    /// # Errors
    /// When it cannot be read, or lacks a column or a number.
    pub fn read(path: &Path) -> io::Result<Vec<Self>> {
        let text = std::fs::read_to_string(path)?;
        Self::parse(&text).map_err(|why| io::Error::other(format!("{}: {why}", path.display())))
    }

    fn parse(text: &str) -> Result<Vec<Self>, String> {
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
        let row = |line: &str| {
            let cells: HashMap<&str, &str> = names.iter().copied().zip(line.split('\t')).collect();
            Self::from_cells(&cells).ok_or_else(|| format!("a column is missing or wrong in \"{line}\""))
        };
        lines.map(row).collect()
    }

    fn from_cells(cells: &HashMap<&str, &str>) -> Option<Self> {
        let number = |name: &str| cells.get(name)?.parse::<u64>().ok();
        let known = |name: &str| Some(cells.get(name)?.parse::<u64>().ok());
        let peer = |read: bool, packets: &str, bytes: &str| match (number(packets), number(bytes)) {
            (Some(packets), Some(bytes)) if read => Peer::Counted(packets, bytes),
            _ => Peer::Rejected,
        };
        let new = match *cells.get("verdict")? {
            "read as empty" => Peer::Counted(0, 0),
            verdict => peer(verdict != "rejected", "nf_packets", "nf_bytes"),
        };
        Some(Self {
            file: (*cells.get("file")?).to_owned(),
            ip_packets: number("ip_packets")?,
            ip_bytes: number("ip_bytes")?,
            new,
            old: peer(*cells.get("old_status")? == "ok", "old_packets", "old_bytes"),
            biflow_packets: known("nf_packets")?,
            biflows: known("biflows")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "file\tip_packets\tip_bytes\tverdict\tnf_packets\tnf_bytes\tbiflows\told_status\told_packets\told_bytes\n";

    #[test]
    fn what_was_rewritten_first_was_not_read() {
        let text = format!(
            "{HEAD}a\t5\t500\trejected\t5\t500\t2\tok\t4\t400\nb\t1\t28\tread as empty\t1\t28\t1\trejected\t-\t-\n"
        );
        let rows = Reference::parse(&text).unwrap();
        assert_eq!((rows[0].new, rows[0].old), (Peer::Rejected, Peer::Counted(4, 400)));
        assert_eq!((rows[0].biflow_packets, rows[0].biflows), (Some(5), Some(2)));
        assert_eq!((rows[1].new, rows[1].old.packets()), (Peer::Counted(0, 0), 0));
    }

    #[test]
    fn a_wrong_table_is_an_error() {
        assert!(Reference::parse("file\tip_packets\na\t5\n").is_err());
        assert!(Reference::parse(&format!("{HEAD}a\tmany\n")).is_err());
    }
}
