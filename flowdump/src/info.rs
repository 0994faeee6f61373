//! `-I`: totals of the inputs, in nfdump's `name: value` lines.

use std::io::{self, Write};

use flowcore::{ReadRequest, Result, SourceStats, Timestamp, Totals};

use crate::args::Plan;
use crate::exit::Outcome;
use crate::matching::{conclude, open_options};
use crate::print::{print_account, terminal_lines};

/// Prints the totals of all inputs. Flow files are summed up by their index alone.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let request = ReadRequest { fields: Totals::fields(), unknown_columns: false, ..ReadRequest::default() };
    let (totals, stats) = open_options(plan, request).totals(&plan.inputs)?;
    print(&totals, &stats, &mut io::stdout().lock())?;
    if !plan.quiet {
        // stderr may be closed; the totals are out all the same.
        drop(print_account(&stats, &mut io::stderr()));
    }
    Ok(conclude(plan, stats))
}

/// Protocols that have lines of their own, as in nfdump; the others are summed up.
const NAMED: [(&str, &[u8]); 3] = [("tcp", &[6]), ("udp", &[17]), ("icmp", &[1, 58])];

fn print(totals: &Totals, stats: &SourceStats, out: &mut dyn Write) -> io::Result<()> {
    if !stats.ident.is_empty() {
        writeln!(out, "Ident: {}", terminal_lines(&stats.ident))?;
    }
    writeln!(out, "Files: {}", stats.files)?;
    writeln!(out, "Records: {}", totals.rows())?;
    type Counter = (&'static str, fn(&flowcore::ProtocolTotals) -> u64);
    let counters: [Counter; 3] = [
        ("Flows", |sums| sums.flows),
        ("Packets", |sums| sums.in_packets.saturating_add(sums.out_packets)),
        ("Bytes", |sums| sums.in_bytes.saturating_add(sums.out_bytes)),
    ];
    for (name, count) in counters {
        let sum = |chosen: &dyn Fn(Option<u8>) -> bool| {
            let sums = totals.protocols().filter(|sums| chosen(sums.protocol.map(|protocol| protocol.0)));
            sums.fold(0_u64, |sum, sums| sum.saturating_add(count(sums)))
        };
        writeln!(out, "{name}: {}", sum(&|_| true))?;
        for (protocol, numbers) in NAMED {
            writeln!(out, "{name}_{protocol}: {}", sum(&|n| n.is_some_and(|n| numbers.contains(&n))))?;
        }
        let named = |n: Option<u8>| n.is_some_and(|n| NAMED.iter().any(|(_, numbers)| numbers.contains(&n)));
        writeln!(out, "{name}_other: {}", sum(&|n| !named(n)))?;
    }
    print_times(totals, out)?;
    writeln!(out, "Sequence failures: {}", stats.sequence_failures)
}

/// The span of time: in nfdump's four lines, seconds since 1970 and milliseconds, and for people.
fn print_times(totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
    let ends = [("First", totals.first()), ("Last", totals.last())];
    let part = |time: Option<Timestamp>, part: fn(i64) -> i64| {
        time.map_or_else(|| "-".into(), |time| part(time.as_nanos()).to_string())
    };
    for (name, time) in ends {
        writeln!(out, "{name}: {}", part(time, |nanos| nanos.div_euclid(1_000_000_000)))?;
    }
    for (name, time) in ends {
        let millis = part(time, |nanos| nanos.rem_euclid(1_000_000_000) / 1_000_000);
        writeln!(out, "msec_{}: {millis}", name.to_lowercase())?;
    }
    for (name, time) in ends {
        writeln!(out, "{name} seen: {}", time.map_or_else(|| "-".into(), |time| time.to_string()))?;
    }
    Ok(())
}
