//! Reading all of an nfdump file and comparing it with what it says of itself.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::appendix::{Statistics, Sums};
use super::info::FileInfo;
use super::reader::NfdumpReader;
use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::record::{Field, Timestamp};
use crate::source::{FlowSource, ReadRequest, SourceStats};
use crate::totals::{ProtocolTotals, Totals};

/// What was found in an nfdump file when all of it was read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verification {
    /// The file, with the sums of its flows.
    pub info: FileInfo,
    /// The account of blocks and records; its problems are all that is wrong with the file, statistics that differ from
    /// the flows included.
    pub stats: SourceStats,
    /// Whether the statistics at the end are those of the flows; `None` if there is no end.
    pub statistics_agree: Option<bool>,
}

impl Verification {
    /// Whether nothing is wrong with the file. Parts that are not understood are nothing wrong.
    pub fn is_sound(&self) -> bool {
        self.stats.problems.is_empty() && self.stats.bad_records == 0
    }
}

/// Reads every element of every record of a file, and compares the statistics at its end with the flows.
///
/// ```no_run
/// let file = std::fs::File::open("nfcapd.202309281720")?;
/// let found = flowcore::format::nfdump::verify(file, "nfcapd.202309281720")?;
/// println!("{} flows, {} problems", found.stats.flows, found.stats.problems.total());
/// # Ok::<(), flowcore::Error>(())
/// ```
///
/// # Errors
/// When the file is no nfdump file of a layout that is read, or cannot be read.
pub fn verify(file: impl Read + Seek + Send + 'static, name: &str) -> Result<Verification> {
    let mut reader = NfdumpReader::open_file(file, name, &ReadRequest::default())?;
    let found = Found::read(&mut reader)?;
    let mut stats = reader.stats();
    let mut statistics_agree = None;
    if let Some(appendix) = reader.appendix() {
        let differences = match &appendix.statistics {
            Some(statistics) => found.differences(statistics),
            None => vec!["they are not there in full".to_owned()],
        };
        statistics_agree = Some(differences.is_empty());
        for what in differences {
            stats
                .problems
                .push_input(Error::damaged(format!("statistics at the end: {what}")).in_input(name));
        }
    }
    let mut info = FileInfo::read(&reader, found.totals);
    info.problems = stats.problems.clone();
    Ok(Verification { info, stats, statistics_agree })
}

/// What the flows add up to.
#[derive(Default)]
struct Found {
    totals: Totals,
    /// Records by protocol, however many flows each stands for.
    records: BTreeMap<Option<u8>, u64>,
}

impl Found {
    fn read(reader: &mut NfdumpReader) -> Result<Self> {
        let (mut found, mut batch) = (Self::default(), FlowBatch::new());
        while reader.read_batch(&mut batch)? {
            found.totals.add(&batch);
            for row in 0..batch.len() {
                let protocol =
                    batch.number(Field::Protocol, row).and_then(|number| u8::try_from(number).ok());
                *found.records.entry(protocol).or_default() += 1;
            }
        }
        Ok(found)
    }

    /// What statistics say otherwise than the flows do.
    fn differences(&self, statistics: &Statistics) -> Vec<String> {
        let counters: [(&str, &Sums, Counter); 3] = [
            ("flows", &statistics.flows, |found, sums| found.flows(sums)),
            ("packets", &statistics.packets, |_, sums| both_ways(sums.in_packets, sums.out_packets)),
            ("bytes", &statistics.bytes, |_, sums| both_ways(sums.in_bytes, sums.out_bytes)),
        ];
        let mut differences = Vec::new();
        for (name, stated, counter) in counters {
            for (part, stated, found) in self.parts(stated, counter) {
                if !found.iter().flatten().any(|found| *found == stated) {
                    let found = found.first().and_then(|found| found.first()).copied().unwrap_or(0);
                    differences.push(format!("{stated} {name} of protocol {part}, found {found}"));
                }
            }
        }
        differences.extend(time_difference("first", statistics.first, self.totals.first()));
        differences.extend(time_difference("last", statistics.last, self.totals.last()));
        differences
    }

    /// Each number that is stated, with those that it may be.
    fn parts(&self, stated: &Sums, counter: Counter) -> [(&'static str, u64, Vec<Vec<u64>>); 5] {
        let found = |protocols: &dyn Fn(Option<u8>) -> bool| self.sum(protocols, counter);
        let icmp = |number| number == Some(1);
        let icmp6 = |number| number == Some(58);
        let named = |number: Option<u8>| matches!(number, Some(1 | 6 | 17));
        let other = vec![
            found(&|n| !named(n) && !icmp6(n)),
            found(&|n| !named(n)),
            // Records without protocol are among all of nfcapd, but not among the others.
            found(&|n| n.is_some() && !named(n) && !icmp6(n)),
            found(&|n| n.is_some() && !named(n)),
        ];
        [
            ("all", stated.all, vec![found(&|_| true)]),
            ("TCP", stated.tcp, vec![found(&|number| number == Some(6))]),
            ("UDP", stated.udp, vec![found(&|number| number == Some(17))]),
            // nfpcapd counts ICMPv6 among the others, nfdump as ICMP.
            ("ICMP", stated.icmp, vec![found(&|n| icmp(n) || icmp6(n)), found(&icmp)]),
            ("other", stated.other, other),
        ]
    }

    /// nfdump counts the flows that records stand for, nfcapd each record as one.
    fn flows(&self, sums: &ProtocolTotals) -> Vec<u64> {
        let protocol = sums.protocol.map(|protocol| protocol.0);
        vec![sums.flows, self.records.get(&protocol).copied().unwrap_or(0)]
    }

    /// The numbers that statistics may have for these protocols together.
    fn sum(&self, protocols: &dyn Fn(Option<u8>) -> bool, counter: Counter) -> Vec<u64> {
        let chosen =
            self.totals.protocols().filter(|sums| protocols(sums.protocol.map(|protocol| protocol.0)));
        let sums = chosen
            .map(|sums| counter(self, sums))
            .reduce(|sums, more| sums.iter().zip(more).map(|(sum, more)| sum.saturating_add(more)).collect());
        sums.unwrap_or_else(|| vec![0])
    }
}

/// Numbers of a protocol that statistics may have.
type Counter = fn(&Found, &ProtocolTotals) -> Vec<u64>;

/// nfdump counts both directions of a flow, nfpcapd writes flows of one.
fn both_ways(there: u64, back: u64) -> Vec<u64> {
    vec![there.saturating_add(back), there]
}

fn time_difference(name: &str, stated: u64, found: Option<Timestamp>) -> Option<String> {
    let found = found?;
    let stated = i64::try_from(stated).ok().and_then(|millis| millis.checked_mul(1_000_000));
    let stated = stated.map(Timestamp::from_nanos);
    (stated != Some(found)).then(|| {
        let stated = stated.map_or_else(|| "no time".to_owned(), |time| time.to_string());
        format!("{name} is {stated}, found {found}")
    })
}
