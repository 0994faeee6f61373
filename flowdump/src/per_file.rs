//! `-g`: the totals of each file in a line, as nfdump prints them for plotting.
//!
//! In: files and folders. Out: `time,flows,packets,bytes` a file. The time is that in the file's name, such as
//! `nfcapd.202309281720`, for files that are cut by the clock; for others the start of the earliest flow.

use std::io::{self, Write};
use std::path::Path;

use flowcore::{ReadRequest, Result, Timestamp, Totals};

use crate::args::Plan;
use crate::exit::Outcome;
use crate::matching::{conclude, open_options};

/// Prints the lines. Flow files and nfdump files are summed up by what they say of themselves alone.
///
/// # Errors
/// When an input is missing, or stdout cannot be written.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let request = ReadRequest { fields: Totals::fields(), unknown_columns: false, ..ReadRequest::default() };
    let options = open_options(plan, request);
    let (files, mut stats) = options.files(&plan.inputs)?;
    let mut out = io::stdout().lock();
    if !plan.quiet {
        writeln!(out, "# yyyy-mm-dd HH:MM:SS,flows,packets,bytes")?;
    }
    for file in files {
        let (totals, of_file) = options.clone().totals([&file])?;
        // A file that cannot be read has no line; the problem is named.
        if totals.rows() > 0 || of_file.problems.is_empty() {
            writeln!(out, "{}", line(&file, &totals))?;
        }
        stats.merge(of_file);
    }
    out.flush()?;
    Ok(conclude(plan, stats))
}

fn line(file: &Path, totals: &Totals) -> String {
    let time = time_of_name(file).or(totals.first());
    let time = time.map_or_else(
        || "-".into(),
        |time| {
            let t = time.civil();
            format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second)
        },
    );
    let sum = |count: fn(&flowcore::ProtocolTotals) -> u64| {
        totals.protocols().map(count).fold(0, u64::saturating_add)
    };
    let flows = sum(|sums| sums.flows);
    let packets = sum(|sums| sums.in_packets.saturating_add(sums.out_packets));
    let bytes = sum(|sums| sums.in_bytes.saturating_add(sums.out_bytes));
    format!("{time},{flows},{packets},{bytes}")
}

/// The `YYYYMMDDhhmm` or `YYYYMMDDhhmmss` that is a part of a file's name between dots.
fn time_of_name(file: &Path) -> Option<Timestamp> {
    let name = file.file_name()?.to_str()?;
    let digits =
        |part: &&str| matches!(part.len(), 12 | 14) && part.bytes().all(|byte| byte.is_ascii_digit());
    let part = name.split('.').find(digits)?;
    let at = |from: usize, to: usize| part.get(from..to).unwrap_or("00");
    let text = format!("{}-{}-{}T{}:{}:{}", at(0, 4), at(4, 6), at(6, 8), at(8, 10), at(10, 12), at(12, 14));
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_times() {
        for (name, time) in [
            ("nfcapd.202309281720", Some("2023-09-28T17:20:00.000Z")),
            ("a/flows.20230928172035.flow", Some("2023-09-28T17:20:35.000Z")),
            ("nfcapd.202313281720", None),
            ("investigate.flow", None),
            ("202309281720.1", Some("2023-09-28T17:20:00.000Z")),
        ] {
            assert_eq!(time_of_name(Path::new(name)).map(|time| time.to_string()).as_deref(), time, "{name}");
        }
        assert_eq!(line(Path::new("a.flow"), &Totals::default()), "-,0,0,0");
    }
}
