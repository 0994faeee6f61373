//! What is missing in cloud logs, in lines for people: SKIPDATA rows, and slots of flow logs without a file.

use std::io::{self, Write};

use flowcore::{Gap, Origin, OriginAccount, SkipData, SourceStats, Timestamp};

use super::escape::terminal;

/// Prints the lines of the summary; none where nothing is missing.
pub(super) fn print(stats: &SourceStats, out: &mut dyn Write) -> io::Result<()> {
    let rows = stats.lost.kept();
    for row in rows.iter().take(SHOWN_ROWS) {
        writeln!(out, "SKIPDATA: {} (evidence missing)", lost(row))?;
    }
    let more = stats.skipdata.saturating_sub(rows.len().min(SHOWN_ROWS) as u64);
    if more > 0 {
        writeln!(out, "SKIPDATA: {more} more; --stats lists the first {}", flowcore::LostRecords::KEPT)?;
    }
    let logs: Vec<_> =
        stats.origins.iter().filter(|(_, account)| account.slots.missing() != Some(0)).collect();
    for (origin, account) in logs.iter().take(SHOWN_LOGS) {
        writeln!(out, "Missing slots: {}: {}", short_name(origin), missing(account))?;
    }
    match logs.len().saturating_sub(SHOWN_LOGS) {
        0 => Ok(()),
        more => writeln!(out, "Missing slots: {more} more flow logs; --stats lists all"),
    }
}

/// Rows that the summary shows.
const SHOWN_ROWS: usize = 3;
/// Flow logs with missing slots that the summary shows.
const SHOWN_LOGS: usize = 5;
/// Gaps of each that are shown in a line.
const SHOWN_GAPS: usize = 3;

/// Where and when records were lost.
pub(super) fn lost(row: &SkipData) -> String {
    let interface = row.interface.as_deref().unwrap_or("-");
    format!("{} {}", terminal(interface), span(row.first, row.last))
}

/// How many slots have no file, and the first ones of them.
fn missing(account: &OriginAccount) -> String {
    let slots = &account.slots;
    let Some(missing) = slots.missing() else { return "too scattered to be listed".into() };
    let shown: Vec<String> = slots.gaps().take(SHOWN_GAPS).map(|found| gap(&found)).collect();
    let more = match slots.gaps().count().saturating_sub(SHOWN_GAPS) {
        0 => String::new(),
        more => format!(" and {more} more gaps"),
    };
    format!("{missing} of {}: {}{more}", slots.expected(), shown.join(", "))
}

/// A gap by its first and its last slot.
pub(super) fn gap(gap: &Gap) -> String {
    let first = to_the_minute(gap.first);
    if gap.first == gap.last {
        first
    } else {
        format!("{first} to {}", end(gap.first, gap.last, to_the_minute))
    }
}

/// The name of a flow log that is enough in a line.
fn short_name(origin: &Origin) -> String {
    match origin {
        Origin::FlowLog { id, .. } => terminal(id).into_owned(),
        other => name(other),
    }
}

/// The whole name of a flow log, or the folder.
pub(super) fn name(origin: &Origin) -> String {
    match origin {
        Origin::FlowLog { account, region, id } => format!("{account} {region} {id}"),
        Origin::Folder(folder) => terminal(folder).into_owned(),
        Origin::Other => "others".into(),
    }
}

/// A span of time, its date once where both ends have the same; a dash for what is not known.
pub(super) fn span(first: Option<Timestamp>, last: Option<Timestamp>) -> String {
    let show = |time: Option<Timestamp>| time.map_or_else(|| "-".into(), to_the_second);
    match (first, last) {
        (Some(first), Some(last)) => {
            format!("{} to {}", to_the_second(first), end(first, last, to_the_second))
        }
        (None, None) => "at an unknown time".into(),
        (first, last) => format!("{} to {}", show(first), show(last)),
    }
}

/// The last end of a span, without its date where the first one has it.
fn end(first: Timestamp, last: Timestamp, show: fn(Timestamp) -> String) -> String {
    let (whole, start) = (show(last), show(first));
    match (whole.split_once(' '), start.split_once(' ')) {
        (Some((date, time)), Some((same, _))) if date == same => time.to_owned(),
        _ => whole,
    }
}

fn to_the_second(time: Timestamp) -> String {
    format!("{}:{:02}", to_the_minute(time), time.civil().second)
}

fn to_the_minute(time: Timestamp) -> String {
    let t = time.civil();
    format!("{:04}-{:02}-{:02} {:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_say_the_date_once() {
        let at = |text: &str| Some(text.parse().unwrap());
        for (first, last, shown) in [
            (at("2023-09-28T18:04:05Z"), at("2023-09-28T18:05:05Z"), "2023-09-28 18:04:05 to 18:05:05"),
            (
                at("2023-09-28T23:59:05Z"),
                at("2023-09-29T00:00:05Z"),
                "2023-09-28 23:59:05 to 2023-09-29 00:00:05",
            ),
            (at("2023-09-28T23:59:05Z"), None, "2023-09-28 23:59:05 to -"),
            (None, None, "at an unknown time"),
        ] {
            assert_eq!(span(first, last), shown);
        }
    }

    #[test]
    fn nothing_is_said_where_nothing_is_missing() {
        let mut out = Vec::new();
        print(&SourceStats::default(), &mut out).unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn an_interface_cannot_steer_a_terminal() {
        let row =
            SkipData { input: "a".into(), interface: Some("\u{1b}[2J".into()), first: None, last: None };
        assert!(!lost(&row).contains('\u{1b}'));
    }
}
