//! Many lines of text to rows at once, column by column.
//!
//! Nearly all lines of a log are alike: as many values as the layout has columns, one space between them, ASCII. Those are
//! read here: each column of all of them in a loop of its own, and where the query has a filter, texts only of the rows
//! that match it. Any other line goes to [`Parser::line`], in its turn, and so does a record that cannot be used, which it
//! names. Rows, account and messages are those that line by line gives.

use std::sync::Arc;

use super::columns::{Layout, TextTarget, ValueColumn};
use super::lines::{self, Line, MAX_LINE};
use super::parser::Parser;
use super::record::{Kind, Span};
use super::scan::Scan;
use super::usual::{Row, Table, Values};
use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::error::Result;
use crate::filter::Filter;
use crate::record::{Field, FieldSet};

/// What is needed to read lines together; memory of the last ones is used again.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Chooses rows, if there is one to be asked here.
    filter: Option<Arc<Filter>>,
    scan: Scan,
    /// Whether all of the lines are.
    is_ascii: bool,
    rows: Vec<Row>,
    /// The values of those rows in each column of the layout that has no text; `None` where it is only known whether they
    /// fit the column.
    values: Vec<Option<Values>>,
    /// Whether few of the last rows matched: then values of the others are only checked.
    is_selective: bool,
    /// Rows that cannot be used, as they were found.
    bad: Vec<usize>,
    /// Rows that are handed on.
    kept: Vec<usize>,
    /// What the filter looks at.
    asked: FlowBatch,
    spans: Vec<Span>,
}

/// Bytes of lines that are read together: few enough that all that is made of them stays near the processor.
const PIECE: usize = 64 * 1024;

impl Block {
    pub(super) fn new(filter: Option<Arc<Filter>>) -> Self {
        Self { filter, ..Self::default() }
    }
}

impl Parser {
    /// Takes whole lines, of which there is at least one: the first `whole` bytes of `text`, as many as the batch has room
    /// for. Gives how many bytes these are. `number` is that of the line before. What stands behind the lines may be looked
    /// at, and is not taken.
    pub(super) fn lines(
        &mut self,
        text: &[u8],
        whole: usize,
        number: &mut u64,
        batch: &mut FlowBatch,
    ) -> Result<usize> {
        let piece = piece(text.get(..whole).unwrap_or(text));
        let mut block = std::mem::take(&mut self.block);
        block.scan.read(piece);
        block.is_ascii = piece.is_ascii();
        let taken = self.scanned(&mut block, text, number, batch);
        self.block = block;
        Ok(taken?.unwrap_or(piece.len()))
    }

    /// Takes the lines that have been scanned; how many bytes these are, if they are not all.
    fn scanned(
        &mut self,
        block: &mut Block,
        text: &[u8],
        number: &mut u64,
        batch: &mut FlowBatch,
    ) -> Result<Option<usize>> {
        let mut at = 0;
        while let Some(&line) = block.scan.lines().get(at) {
            let (start, end) = block.scan.span(line);
            let room = BATCH_ROWS.saturating_sub(batch.len());
            if room == 0 && at > 0 {
                return Ok(Some(start));
            }
            let usual = self.usual(block, at, room, text, *number);
            at += usual;
            *number += usual as u64;
            if usual > 0 {
                self.take_rows(block, text, batch);
            } else {
                at += 1;
                *number += 1;
                self.line(line_of(text.get(start..end).unwrap_or_default()), *number, batch)?;
            }
        }
        Ok(None)
    }

    /// Makes rows of the usual lines from this one on, so many at most; those that are no flows are only counted, if so
    /// asked. How many lines there are.
    fn usual(&mut self, block: &mut Block, at: usize, room: usize, text: &[u8], number: u64) -> usize {
        let Self { layout: Some(layout), intake, .. } = self else { return 0 };
        let Block { scan, is_ascii, rows, spans, .. } = block;
        rows.clear();
        let mut count = 0;
        let lines = scan.lines().get(at..).unwrap_or_default();
        for (&line, number) in lines.iter().take(room).zip(number + 1..) {
            let table = Table { text, scan };
            if !table.is_usual(line, layout, *is_ascii) {
                break;
            }
            count += 1;
            match table.kind(line, layout, spans) {
                kind if kind == Kind::Flow || intake.status_rows => rows.push(Row { line, number, kind }),
                kind => intake.account.count(kind, layout, table.record(line, spans)),
            }
        }
        count
    }

    /// Adds the rows that have been made to the batch.
    fn take_rows(&mut self, block: &mut Block, text: &[u8], batch: &mut FlowBatch) {
        let Self { layout: Some(layout), intake, .. } = self else { return };
        block.read_values(layout, text);
        let Block { scan, rows, bad, kept, spans, .. } = block;
        let table = Table { text, scan };
        for row in bad.iter().filter_map(|&at| rows.get(at)) {
            intake.take(layout, table.record(row.line, spans), row.number, batch);
        }
        let is_flow = |row: &&Row| row.kind == Kind::Flow;
        let kept_rows = || kept.iter().filter_map(|&at| rows.get(at));
        intake.account.count_flows(kept_rows().filter(is_flow).count());
        for row in kept_rows().filter(|row| !is_flow(row)) {
            intake.account.count(row.kind, layout, table.record(row.line, spans));
        }
        if let Some(span) = block.choose(layout, text) {
            intake.account.leave_out(span);
        }
        block.fill(layout, text, batch);
    }
}

impl Block {
    /// Reads the values of the rows, or only finds out which rows cannot be used.
    fn read_values(&mut self, layout: &Layout, text: &[u8]) {
        let Self { filter, scan, rows, values, is_selective, bad, kept, .. } = self;
        let table = Table { text, scan };
        // Times say which time the rows span that are left out.
        let soon = filter.as_ref().filter(|_| *is_selective);
        let soon = soon.map(|filter| filter.fields().union(FieldSet::from([Field::First, Field::Last])));
        bad.clear();
        values.clear();
        values.extend(layout.values.iter().map(|column| {
            if soon.is_none_or(|fields| fields.contains(column.field)) {
                return Some(table.read(column, rows, bad));
            }
            table.check(column, rows, bad);
            None
        }));
        bad.sort_unstable();
        bad.dedup();
        kept.clear();
        if bad.is_empty() {
            kept.extend(0..rows.len());
        } else {
            kept.extend((0..rows.len()).filter(|at| bad.binary_search(at).is_err()));
        }
    }

    /// Keeps the rows that match the filter; the time that all of them span, if some do not.
    fn choose(&mut self, layout: &Layout, text: &[u8]) -> Option<Span64> {
        let Self { filter: Some(filter), scan, rows, values, is_selective, kept, asked, .. } = self else {
            return None;
        };
        let rows = Chosen { table: Table { text, scan }, layout, rows, values };
        asked.clear();
        rows.fill(kept, Some(filter.fields()), asked);
        let chosen = filter.select(asked);
        let (before, count) = (kept.len(), chosen.count());
        *is_selective = count * 4 < before;
        if count == before {
            return None;
        }
        let span = rows.span(kept);
        for (to, from) in chosen.rows().enumerate() {
            // Chosen rows never stand before their new places.
            kept.swap(to, from);
        }
        kept.truncate(count);
        Some(span)
    }

    /// Adds the kept rows to a batch.
    fn fill(&mut self, layout: &Layout, text: &[u8], batch: &mut FlowBatch) {
        let Self { scan, rows, values, kept, .. } = self;
        if !kept.is_empty() {
            Chosen { table: Table { text, scan }, layout, rows, values }.fill(kept, None, batch);
        }
    }
}

/// Earliest start and latest end, in nanoseconds since 1970 UTC.
type Span64 = (Option<i64>, Option<i64>);

/// Rows of which some are chosen.
struct Chosen<'a> {
    table: Table<'a>,
    layout: &'a Layout,
    rows: &'a [Row],
    values: &'a [Option<Values>],
}

impl Chosen<'_> {
    /// Adds the kept rows to a batch: these fields, or all columns.
    fn fill(&self, kept: &[usize], fields: Option<FieldSet>, batch: &mut FlowBatch) {
        let is_wanted = |field| fields.is_none_or(|fields| fields.contains(field));
        for (column, values) in self.layout.values.iter().zip(self.values) {
            match values {
                _ if !is_wanted(column.field) => {}
                Some(values) => values.fill(column.field, kept.iter().copied(), batch),
                None => self.read(column, kept).fill(column.field, 0..kept.len(), batch),
            }
        }
        for column in &self.layout.texts {
            let rows = kept.iter().filter_map(|&at| self.rows.get(at));
            let texts = rows.map(|row| self.table.value(row.line, column.at));
            match &column.target {
                TextTarget::Field(field) if is_wanted(*field) => batch.add_ascii(*field, texts),
                TextTarget::Unknown(name) if fields.is_none() => batch.add_unknown(name, texts),
                _ => {}
            }
        }
        for (field, text) in self.layout.constants.iter().filter(|(field, _)| is_wanted(*field)) {
            batch.add_texts(*field, kept.iter().map(|_| Some(&**text)));
        }
        kept.iter().for_each(|_| batch.end_row());
    }

    /// The values of a column in the kept rows, all of which fit it.
    fn read(&self, column: &ValueColumn, kept: &[usize]) -> Values {
        let rows: Vec<Row> = kept.iter().filter_map(|&at| self.rows.get(at).copied()).collect();
        self.table.read(column, &rows, &mut Vec::new())
    }

    /// The time that these rows span, where times are read.
    fn span(&self, kept: &[usize]) -> Span64 {
        let times = |wanted| {
            let column = self.layout.values.iter().position(|column| column.field == wanted)?;
            let Some(Values::Times(times)) = self.values.get(column)? else { return None };
            Some(kept.iter().filter_map(|&at| *times.get(at)?))
        };
        (times(Field::First).and_then(Iterator::min), times(Field::Last).and_then(Iterator::max))
    }
}

impl Values {
    fn fill(&self, field: Field, kept: impl Iterator<Item = usize> + Clone, batch: &mut FlowBatch) {
        match self {
            Self::Numbers(values) => {
                batch.add_numbers(field, kept.map(|at| values.get(at).copied().flatten()))
            }
            Self::Times(values) => batch.add_times(field, kept.map(|at| values.get(at).copied().flatten())),
            Self::Addrs(values) => {
                batch.add_addrs(field, kept.map(|at| values.get(at).copied().unwrap_or_default()))
            }
        }
    }
}

/// The beginning of whole lines: those that end within [`PIECE`] bytes, or the first one.
fn piece(lines: &[u8]) -> &[u8] {
    let end = match lines.get(..PIECE) {
        Some(start) => memchr::memrchr(b'\n', start).or_else(|| memchr::memchr(b'\n', lines)),
        None => None,
    };
    end.and_then(|end| lines.get(..=end)).unwrap_or(lines)
}

fn line_of(bytes: &[u8]) -> Line<'_> {
    let line = lines::strip_end(bytes);
    if line.len() > MAX_LINE { Line::TooLong } else { Line::Text(lines::strip_mark(line)) }
}

#[cfg(test)]
mod tests {
    use super::super::reader::tests::read_as;
    use super::super::{VpcOptions, lines::Lines};
    use super::*;
    use crate::record::{Flow, Timestamp};
    use crate::source::{ReadRequest, SourceStats};
    use proptest::prelude::*;

    /// What comes out line by line.
    fn plainly(log: &[u8], request: &ReadRequest) -> (Vec<Flow>, SourceStats) {
        let mut lines = Lines::new(Box::new(std::io::Cursor::new(log.to_vec())));
        let mut parser = Parser::new("log", request, None);
        let (mut batch, mut number) = (FlowBatch::new(), 0);
        while let Some(line) = lines.next().unwrap() {
            number += 1;
            parser.line(line, number, &mut batch).unwrap();
        }
        ((0..batch.len()).map(|row| batch.flow(row)).collect(), parser.stats().clone())
    }

    fn request(filter: Option<&str>, status_rows: bool) -> ReadRequest {
        let filter = filter.map(|filter| Arc::new(Filter::parse(filter).unwrap()));
        ReadRequest { filter, status_rows, ..ReadRequest::default() }
    }

    const HEADER: &str = "version interface-id srcaddr dstaddr srcport bytes start tag action log-status";

    fn any_line() -> impl Strategy<Value = String> {
        let addr = || "10\\.0\\.[0-9]\\.[0-9]{1,2}|2001:db8::[0-9]|-|10\\.0\\.0\\.300";
        let record = (
            "[23]|-",
            "eni-[0-3]",
            addr(),
            addr(),
            "[0-9]{1,5}|-|x|[0-9]{6}",
            "[0-9]{1,9}|[0-9]{12,22}|-",
            "16959[0-9]{5}|16959[0-9]{8}|-",
            "-|a|\u{fc}",
            "ACCEPT|REJECT",
            "OK|OK|OK|NODATA|SKIPDATA|-",
        );
        let record =
            record.prop_map(|(a, b, c, d, e, f, g, h, i, j)| [a, b, c, d, e, f, g, h, i, j].join(" "));
        prop_oneof![
            20 => record.clone(),
            1 => record.clone().prop_map(|line| line.replace(' ', "  ")),
            1 => record.clone().prop_map(|line| line + "\r"),
            1 => record.clone().prop_map(|line| line + " more"),
            1 => record.prop_map(|line| format!("\u{feff}{line}")),
            1 => Just(HEADER.to_owned()),
            1 => Just("srcaddr dstaddr bytes".to_owned()),
            1 => "[ a-z0-9-]{0,30}",
        ]
    }

    proptest! {
        #[test]
        fn lines_together_are_what_they_are_one_by_one(
            lines in prop::collection::vec(any_line(), 0..60),
            status_rows: bool,
        ) {
            let log = format!("{HEADER}\n{}", lines.join("\n"));
            let (plain, plain_stats) = plainly(log.as_bytes(), &request(None, status_rows));
            let read = |filter| {
                read_as(log.as_bytes(), &request(filter, status_rows), &VpcOptions::default()).unwrap()
            };
            let (flows, stats) = read(None);
            prop_assert_eq!(&flows, &plain);
            prop_assert_eq!(format!("{stats:?}"), format!("{plain_stats:?}"));
            // Of the second one few rows match, so that the values of the others are only checked.
            for filter in ["src port > 20000 and action REJECT or bytes < 1000", "src port < 50 and interface eni-1"] {
                let matches = |flows: Vec<Flow>| {
                    let filter = Filter::parse(filter).unwrap();
                    flows.into_iter().filter(|flow| filter.matches(flow)).collect::<Vec<_>>()
                };
                let (some, mut some_stats) = read(Some(filter));
                prop_assert!(some.len() <= flows.len());
                prop_assert_eq!(matches(some), matches(flows.clone()));
                some_stats.left_out = stats.left_out;
                prop_assert_eq!(format!("{some_stats:?}"), format!("{plain_stats:?}"));
            }
        }
    }

    #[test]
    fn rows_that_do_not_match_are_left_out_and_their_time_is_known() {
        let rows: String = (0..5000).map(|n| format!("10.0.0.1 {n} {} {}\n", 1000 + n, 2000 + n)).collect();
        let log = format!("srcaddr dstport start end\n{rows}");
        let read = |filter| read_as(log.as_bytes(), &request(filter, false), &VpcOptions::default()).unwrap();
        let (flows, stats) = read(Some("dst port 4321"));
        assert_eq!((flows.len(), stats.flows), (1, 5000));
        let fields = FieldSet::from([Field::First]);
        let unread = ReadRequest { fields, ..request(Some("dst port 4321"), false) };
        let (rows, _) = read_as(log.as_bytes(), &unread, &VpcOptions::default()).unwrap();
        assert_eq!(rows.len(), 5000, "what is not read cannot be asked about");
        let secs = |time: Option<Timestamp>| time.unwrap().as_secs();
        assert_eq!((secs(stats.left_out.first), secs(stats.left_out.last)), (1000, 6999));
    }
}
