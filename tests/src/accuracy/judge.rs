//! Whether the counts are what they should be: equal to the reference, but for the listed exceptions, exactly.

use super::exceptions::{exceptions, flow_differences};
use super::{Metered, Row};

/// Everything that is wrong with the counts, a line each.
pub fn judge(rows: &[Row]) -> Vec<String> {
    let mut wrong: Vec<String> =
        rows.iter().flat_map(|row| [account(row), packets(row), flows(row)].into_iter().flatten()).collect();
    let is_there = |file: &str| rows.iter().any(|row| row.reference.file == file);
    let listed = exceptions().iter().map(|row| row.file).chain(flow_differences().iter().map(|row| row.file));
    wrong.extend(
        listed.filter(|file| !is_there(file)).map(|file| format!("{file}: listed, but not in the corpus")),
    );
    wrong
}

/// Every frame is used or skipped, and what is used is in flows.
fn account(row: &Row) -> Option<String> {
    let Metered { frames, used, skipped, packets, .. } = row.ours;
    let is_right = frames == used + skipped && packets == used;
    let file = &row.reference.file;
    (!is_right).then(|| {
        format!("{file}: {frames} frames, {used} used, {skipped} skipped, {packets} packets in flows")
    })
}

fn packets(row: &Row) -> Option<String> {
    let file = row.reference.file.as_str();
    let ours = (row.ours.packets, row.ours.bytes);
    let tshark = (row.reference.ip_packets, row.reference.ip_bytes);
    match exceptions().iter().find(|known| known.file == file) {
        Some(known) if (known.ours, known.tshark) == (ours, tshark) => None,
        Some(_) if ours == tshark => Some(format!("{file}: equal now; its row has to leave exceptions.tsv")),
        Some(known) => Some(format!(
            "{file}: {ours:?} for {tshark:?}, listed as {:?} for {:?}",
            known.ours, known.tshark
        )),
        None if ours == tshark => None,
        None => Some(format!("{file}: {ours:?} packets and bytes, tshark has {tshark:?}")),
    }
}

/// Flows are compared where nfpcapd has all packets; elsewhere it cannot be right.
fn flows(row: &Row) -> Option<String> {
    let file = row.reference.file.as_str();
    let ours = row.ours.biflows;
    let nfdump = row.reference.biflows.filter(|_| has_all_packets(row));
    match (nfdump, flow_differences().iter().find(|known| known.file == file)) {
        (Some(nfdump), Some(known)) if (known.ours, known.nfdump) == (ours, nfdump) => None,
        (Some(nfdump), None) if nfdump == ours => None,
        (None, None) => None,
        (Some(nfdump), Some(_)) if nfdump == ours => {
            Some(format!("{file}: flows are equal now; its row has to leave flow-differences.tsv"))
        }
        (None, Some(_)) => {
            Some(format!("{file}: flows are not compared; its row has to leave flow-differences.tsv"))
        }
        (Some(nfdump), _) => Some(format!("{file}: {ours} flows in nfdump's terms, nfdump -b has {nfdump}")),
    }
}

fn has_all_packets(row: &Row) -> bool {
    row.reference.biflow_packets == Some(row.reference.ip_packets)
}

/// Why the flows differ from `nfdump -b`; empty where they do not.
pub fn reason_for_flows(row: &Row) -> String {
    let reference = &row.reference;
    let (Some(biflows), Some(packets)) = (reference.biflows, reference.biflow_packets) else {
        return "nfpcapd gives no records".to_owned();
    };
    let listed =
        || flow_differences().iter().find(|known| known.file == reference.file).map(|row| row.reason);
    match packets.cmp(&reference.ip_packets) {
        _ if biflows == row.ours.biflows => String::new(),
        std::cmp::Ordering::Less => format!("nfpcapd counted {packets} of {} packets", reference.ip_packets),
        std::cmp::Ordering::Greater => {
            format!("nfpcapd counted {packets} packets for {}", reference.ip_packets)
        }
        std::cmp::Ordering::Equal => listed().unwrap_or_default().to_owned(),
    }
}
