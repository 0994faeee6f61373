//! Time series: a row for each interval, as text with bars on a terminal, CSV, JSON or NDJSON.

use std::io::{self, Write};
use std::str::FromStr;

use flowcore::aggregate::{Bucket, Interval, Way};
use flowcore::{Error, NANOS_PER_SEC, Result};

use super::units::{Moment, Scaled, Second};
use super::{StatFormat, Style};

/// What the bars of a time series are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Records' flows.
    Flows,
    /// Packets of both directions.
    Packets,
    /// Bytes of both directions.
    #[default]
    Bytes,
    /// Packets a second.
    Pps,
    /// Bits a second.
    Bps,
}

/// Names of `-O`, which are the headings too.
const MEASURES: [(&str, Measure); 5] = [
    ("flows", Measure::Flows),
    ("packets", Measure::Packets),
    ("bytes", Measure::Bytes),
    ("pps", Measure::Pps),
    ("bps", Measure::Bps),
];

impl FromStr for Measure {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        MEASURES.iter().find(|(name, _)| *name == text).map(|(_, measure)| *measure).ok_or_else(|| {
            let names = MEASURES.map(|(name, _)| name).join(", ");
            Error::argument(format!(
                "-O {text}: rows of --every are in the order of time, and -O chooses what the bars show: {names}"
            ))
        })
    }
}

impl Measure {
    fn name(self) -> &'static str {
        MEASURES.iter().find(|(_, measure)| *measure == self).map_or("", |(name, _)| name)
    }

    fn of(self, row: &Row) -> u64 {
        let place = MEASURES.iter().position(|(_, measure)| *measure == self);
        place.and_then(|place| row.numbers.get(place).copied().flatten()).unwrap_or(0)
    }
}

/// Bars beside the rows of a text table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bars {
    pub(crate) measure: Measure,
    /// Columns of the window.
    pub(crate) window: usize,
    /// Blocks of Unicode rather than `#`.
    pub(crate) unicode: bool,
}

/// Prints one series.
pub(crate) struct SeriesPrinter {
    pub(crate) format: StatFormat,
    pub(crate) style: Style,
    pub(crate) interval: Interval,
    /// None in a pipe or file.
    pub(crate) bars: Option<Bars>,
}

/// The numbers of an interval, in the order of [`MEASURES`]; `None` for what no record of it had.
struct Row {
    bucket: Bucket,
    numbers: [Option<u64>; 5],
}

impl Row {
    fn new(bucket: Bucket, interval: Interval) -> Self {
        let counters = &bucket.counters;
        let numbers = [
            Some(counters.flows()),
            counters.packets(Way::Both),
            counters.bytes(Way::Both),
            bucket.pps(interval),
            bucket.bps(interval),
        ];
        // An interval without a record had no traffic; in one with records it may be unknown.
        let empty = *counters == flowcore::aggregate::Counters::NONE;
        Self { bucket, numbers: numbers.map(|number| number.or(empty.then_some(0))) }
    }
}

impl SeriesPrinter {
    /// Writes all rows.
    pub(crate) fn print(&self, buckets: impl Iterator<Item = Bucket>, out: &mut dyn Write) -> io::Result<()> {
        let rows = buckets.map(|bucket| Row::new(bucket, self.interval));
        match self.format {
            StatFormat::Text => self.text(rows, out),
            StatFormat::Csv => self.csv(rows, out),
            StatFormat::Json | StatFormat::Ndjson => self.json(rows, out),
        }
    }

    /// 80 columns leave 20 for the bars. Bars are parts of the longest one, so the rows are looked at before they are printed.
    fn text(&self, rows: impl Iterator<Item = Row>, out: &mut dyn Write) -> io::Result<()> {
        let (time, number) = (self.time_width(), self.number_width());
        let text_width = time + MEASURES.len() * (1 + number);
        let room = self.bars.map_or(0, |bars| bars.window.saturating_sub(text_width + 1));
        let bars = self.bars.filter(|_| room >= MIN_BAR);
        if self.style.heading {
            write!(out, "{:<time$}", "Start (UTC)")?;
            MEASURES.iter().try_for_each(|(name, _)| write!(out, " {name:>number$}"))?;
            let heading = bars.map_or(String::new(), |bars| format!(" {}", bars.measure.name()));
            writeln!(out, "{heading}")?;
        }
        let Some(bars) = bars else {
            return rows.into_iter().try_for_each(|row| writeln!(out, "{}", self.text_row(&row)));
        };
        let rows: Vec<Row> = rows.collect();
        let most = rows.iter().map(|row| bars.measure.of(row)).max().unwrap_or(0);
        rows.iter().try_for_each(|row| {
            let text = self.text_row(row);
            // A number that sticks out takes its room from the bar.
            let room = room.saturating_sub(text.chars().count().saturating_sub(text_width));
            let bar = bar(bars.measure.of(row), most, room, bars.unicode);
            writeln!(out, "{}", format!("{text} {bar}").trim_end())
        })
    }

    /// A row without its bar.
    fn text_row(&self, row: &Row) -> String {
        let (start, width) = (row.bucket.start, self.number_width());
        let time =
            if self.is_of_seconds() { Second(start).to_string() } else { Moment(Some(start)).to_string() };
        row.numbers.iter().fold(time, |text, number| match *number {
            Some(value) => {
                let number = Scaled { value, plain: self.style.plain_numbers };
                format!("{text} {number:>width$}")
            }
            None => format!("{text} {:>width$}", "-"),
        })
    }

    /// Whether all intervals begin at a whole second.
    fn is_of_seconds(&self) -> bool {
        self.interval.nanos() % NANOS_PER_SEC == 0
    }

    fn time_width(&self) -> usize {
        if self.is_of_seconds() { "2023-09-28 17:22:35".len() } else { "2023-09-28 17:22:35.000".len() }
    }

    /// Columns of a number: scaled as they usually are, plain as those of a busy day.
    fn number_width(&self) -> usize {
        if self.style.plain_numbers { "9000000000".len() } else { "999.9 M".len() }
    }

    fn csv(&self, mut rows: impl Iterator<Item = Row>, out: &mut dyn Write) -> io::Result<()> {
        if self.style.heading {
            write!(out, "start,{}\r\n", MEASURES.map(|(name, _)| name).join(","))?;
        }
        rows.try_for_each(|row| {
            write!(out, "{}", row.bucket.start)?;
            row.numbers.iter().try_for_each(|number| match number {
                Some(number) => write!(out, ",{number}"),
                None => write!(out, ","),
            })?;
            out.write_all(b"\r\n")
        })
    }

    fn json(&self, rows: impl Iterator<Item = Row>, out: &mut dyn Write) -> io::Result<()> {
        let array = self.format == StatFormat::Json;
        let [open, between, close] = if array { ["[\n", ",\n", "\n]\n"] } else { ["", "\n", "\n"] };
        let mut any = false;
        for row in rows {
            out.write_all(if any { between } else { open }.as_bytes())?;
            write!(out, "{{\"start\":\"{}\"", row.bucket.start)?;
            for ((name, _), number) in MEASURES.iter().zip(row.numbers) {
                match number {
                    Some(number) => write!(out, ",\"{name}\":{number}")?,
                    None => write!(out, ",\"{name}\":null")?,
                }
            }
            out.write_all(b"}")?;
            any = true;
        }
        match any {
            true => out.write_all(close.as_bytes()),
            false if array => out.write_all(b"[]\n"),
            false => Ok(()),
        }
    }
}

/// Columns of the longest bar below which bars say too little.
const MIN_BAR: usize = 8;

/// A bar of a part of the room, to an eighth of a column. What is not zero is seen.
fn bar(value: u64, most: u64, room: usize, unicode: bool) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if value == 0 || most == 0 || room == 0 {
        return String::new();
    }
    let eighths = u128::from(value) * (room as u128 * 8) / u128::from(most);
    let eighths = usize::try_from(eighths).unwrap_or(0).clamp(1, room * 8);
    if !unicode {
        return "#".repeat(eighths.div_ceil(8));
    }
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS.get(eighths % 8).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use flowcore::aggregate::TimeSeries;
    use flowcore::{Field, FlowBatch, Mask, Timestamp};

    use super::*;

    fn shown(format: StatFormat, window: Option<usize>, records: &[(i64, Option<u64>)]) -> String {
        shown_as(Style::HEADED, "1m", format, window, records)
    }

    fn shown_as(
        style: Style,
        interval: &str,
        format: StatFormat,
        window: Option<usize>,
        records: &[(i64, Option<u64>)],
    ) -> String {
        let mut batch = FlowBatch::new();
        for (start, bytes) in records {
            batch.set_time(Field::First, Timestamp::from_secs(*start));
            if let Some(bytes) = bytes {
                batch.set_number(Field::InBytes, *bytes);
                batch.set_number(Field::InPackets, 1);
            }
            batch.end_row();
        }
        let interval = interval.parse().unwrap();
        let mut series = TimeSeries::new(interval);
        series.add(&batch, &Mask::all(batch.len()));
        let bars = window.map(|window| Bars { measure: Measure::Bytes, window, unicode: true });
        let printer = SeriesPrinter { format, style, interval, bars };
        let mut out = Vec::new();
        printer.print(series.buckets().unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const RECORDS: [(i64, Option<u64>); 4] =
        [(0, Some(6_000_000)), (61, Some(600)), (179, None), (180, Some(3_000_000))];

    #[test]
    fn a_table_in_a_pipe_has_no_bars_and_on_a_terminal_fills_the_window() {
        let text = shown(StatFormat::Text, None, &RECORDS);
        assert_eq!(
            text,
            "\
Start (UTC)           flows packets   bytes     pps     bps
1970-01-01 00:00:00       1       1   6.0 M       0  800000
1970-01-01 00:01:00       1       1     600       0      80
1970-01-01 00:02:00       1       -       -       -       -
1970-01-01 00:03:00       1       1   3.0 M       0  400000
"
        );
        let text = shown(StatFormat::Text, Some(100), &RECORDS);
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [65, 100, 61, 59, 80], "{text}");
        assert!(text.contains(" ▏\n") && text.ends_with(&format!(" {}\n", "█".repeat(20))), "{text}");
    }

    #[test]
    fn a_window_of_80_columns_has_bars() {
        let bars = |text: &str| text.lines().map(|line| line.matches('█').count()).collect::<Vec<_>>();
        assert_eq!(bars(&shown(StatFormat::Text, Some(80), &RECORDS)), [0, 20, 0, 0, 10]);
        assert_eq!(bars(&shown(StatFormat::Text, Some(67), &RECORDS)), [0; 5]);
        let fine = shown_as(Style::HEADED, "500ms", StatFormat::Text, Some(80), &RECORDS[..1]);
        assert!(
            fine.contains("\n1970-01-01 00:00:00.000 ") && fine.ends_with(&format!(" {}\n", "█".repeat(16))),
            "{fine}"
        );
    }

    #[test]
    fn a_row_with_a_large_number_ends_at_the_edge_of_the_window() {
        let records = [(0, Some(u64::MAX / 9))];
        for style in [Style::HEADED, Style { plain_numbers: true, ..Style::HEADED }] {
            let text = shown_as(style, "1m", StatFormat::Text, Some(100), &records);
            assert_eq!(text.lines().last().map(|line| line.chars().count()), Some(100), "{text}");
        }
    }

    #[test]
    fn programs_get_plain_numbers_and_null_for_what_is_unknown() {
        let csv = shown(StatFormat::Csv, None, &RECORDS[1..3]);
        assert_eq!(
            csv,
            "start,flows,packets,bytes,pps,bps\r\n1970-01-01T00:01:00.000Z,1,1,600,0,80\r\n\
             1970-01-01T00:02:00.000Z,1,,,,\r\n"
        );
        let json = shown(StatFormat::Json, None, &[(0, Some(1)), (120, None)]);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (rows.len(), &rows[1]["bytes"], &rows[2]["bytes"]),
            (3, &0.into(), &serde_json::Value::Null)
        );
        assert_eq!(shown(StatFormat::Json, None, &[]), "[]\n");
        assert_eq!(shown(StatFormat::Ndjson, None, &[]), "");
        assert_eq!(shown(StatFormat::Ndjson, None, &RECORDS).lines().count(), 4);
    }

    #[test]
    fn bars_never_leave_their_room() {
        assert_eq!(bar(5, 10, 0, true), "");
        for (value, most, expected) in [
            (0, 0, 0),
            (0, 9, 0),
            (1, u64::MAX, 1),
            (u64::MAX, u64::MAX, 8),
            (9, 5, 8),
            (5, 10, 4),
            (9, 16, 5),
        ] {
            for unicode in [true, false] {
                assert_eq!(bar(value, most, 8, unicode).chars().count(), expected, "{value} of {most}");
            }
        }
    }

    #[test]
    fn the_measure_is_one_of_the_columns() {
        for (name, measure) in MEASURES {
            assert_eq!((name.parse::<Measure>().unwrap(), measure.name()), (measure, name));
        }
        assert!("duration".parse::<Measure>().unwrap_err().to_string().contains("flows, packets, bytes"));
    }
}
