//! The reader: a stream in, batches out.

use std::io::Read;

use super::columns;
use super::parser::Parser;
use super::shape::Shape;
use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::error::Result;
use crate::format::rows_first::RowsFirst;
use crate::source::{FlowSource, ReadRequest, SourceStats};

/// How flow log text is read.
#[derive(Debug, Clone, Default)]
pub struct VpcOptions {
    /// Column names of logs that have no header line, in order; [`parse_fields`](super::parse_fields) reads them
    /// from text. A header line in the log overrides them.
    pub columns: Option<Vec<String>>,
}

/// Reads flow logs from decompressed text, JSON or CSV; the [module](super) documents the rules.
///
/// ```
/// use flowcore::format::vpc::{VpcOptions, VpcReader};
/// use flowcore::{Field, FlowBatch, FlowSource, ReadRequest};
/// let log = "dstport bytes log-status\n443 1500 OK\n- - NODATA\n";
/// let mut reader =
///     VpcReader::open(Box::new(log.as_bytes()), "example", &ReadRequest::default(), &VpcOptions::default())?;
/// let mut batch = FlowBatch::new();
/// assert!(reader.read_batch(&mut batch)?);
/// assert_eq!(batch.number(Field::DstPort, 0), Some(443));
/// assert_eq!((reader.stats().flows, reader.stats().nodata), (1, 1));
/// # Ok::<(), flowcore::Error>(())
/// ```
pub struct VpcReader {
    shape: Shape,
    parser: Parser,
    rows: RowsFirst,
}

/// Text after which a batch is handed on even if it has few rows, which bounds the memory that rows of very long
/// values take.
pub(super) const BATCH_BYTES: usize = 8 << 20;

impl VpcReader {
    /// Reads `input`, which is called `name` in messages.
    ///
    /// # Errors
    /// When the options name no column, or more than [`MAX_COLUMNS`](super::MAX_COLUMNS), or when not even the first bytes
    /// can be read.
    pub fn open(
        input: Box<dyn Read + Send>,
        name: &str,
        request: &ReadRequest,
        options: &VpcOptions,
    ) -> Result<Self> {
        if let Some(given) = &options.columns {
            columns::check_count(given.len())?;
        }
        let parser = Parser::new(name, request, options.columns.clone());
        let shape = Shape::of(input, &parser).map_err(|error| error.in_input(name))?;
        Ok(Self { shape, parser, rows: RowsFirst::default() })
    }
}

/// Adds rows until the batch is full or the input ends; whether more may follow.
fn fill(shape: &mut Shape, parser: &mut Parser, batch: &mut FlowBatch) -> Result<bool> {
    let mut bytes = 0;
    while batch.is_empty() || (batch.len() < BATCH_ROWS && bytes < BATCH_BYTES) {
        match shape.take(parser, batch) {
            Ok(Some(count)) => bytes += count,
            Ok(None) => return Ok(false),
            Err(error) => return Err(parser.place(error, shape.line())),
        }
    }
    Ok(true)
}

impl FlowSource for VpcReader {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        let Self { shape, parser, rows } = self;
        rows.read(batch, |batch| fill(shape, parser, batch))
    }

    fn stats(&self) -> SourceStats {
        self.parser.stats().clone()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::lines::tests::Pieces;
    use super::*;
    use crate::record::{Field, FieldSet, Flow, Storage, Timestamp, Value};
    use proptest::prelude::*;
    use std::io;

    /// Everything of a log called "log", with the default request and options.
    pub(in super::super) fn read(log: &str) -> (Vec<Flow>, SourceStats) {
        read_as(log.as_bytes(), &ReadRequest::default(), &VpcOptions::default()).unwrap()
    }

    pub(in super::super) fn read_as(
        log: &[u8],
        request: &ReadRequest,
        options: &VpcOptions,
    ) -> Result<(Vec<Flow>, SourceStats)> {
        read_from(Box::new(io::Cursor::new(log.to_vec())), request, options)
    }

    pub(in super::super) fn messages(stats: &SourceStats) -> Vec<String> {
        stats.problems.kept().iter().map(ToString::to_string).collect()
    }

    pub(in super::super) fn read_from(
        input: Box<dyn Read + Send>,
        request: &ReadRequest,
        options: &VpcOptions,
    ) -> Result<(Vec<Flow>, SourceStats)> {
        let mut reader = VpcReader::open(input, "log", request, options)?;
        let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
        while reader.read_batch(&mut batch)? {
            flows.extend((0..batch.len()).map(|row| batch.flow(row)));
        }
        Ok((flows, reader.stats()))
    }

    #[test]
    fn nothing_is_no_error() {
        for log in ["", "\n\n", "   \r\n", "version bytes", "version bytes\n"] {
            let (flows, stats) = read(log);
            assert!(flows.is_empty() && stats.problems.is_empty(), "{log}");
        }
    }

    #[test]
    fn options_are_checked() {
        for count in [0, super::super::MAX_COLUMNS + 1] {
            let options = VpcOptions { columns: Some(vec!["x".into(); count]) };
            assert!(
                VpcReader::open(Box::new(io::empty()), "log", &ReadRequest::default(), &options).is_err()
            );
        }
    }

    #[test]
    fn rows_come_in_batches_of_the_usual_size() {
        let log = format!("bytes\n{}", "1\n".repeat(BATCH_ROWS + 5));
        let request = ReadRequest::default();
        let options = VpcOptions::default();
        let mut reader = VpcReader::open(Box::new(io::Cursor::new(log)), "log", &request, &options).unwrap();
        let mut batch = FlowBatch::new();
        let mut lengths = Vec::new();
        while reader.read_batch(&mut batch).unwrap() {
            lengths.push(batch.len());
        }
        assert_eq!(lengths, [BATCH_ROWS, 5]);
    }

    #[test]
    fn rows_before_an_error_are_handed_out() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gzip data ends early; the file is cut"))
            }
        }
        let input = Box::new((&b"bytes\n1\n2\n3"[..]).chain(Broken));
        let mut reader =
            VpcReader::open(input, "log", &ReadRequest::default(), &VpcOptions::default()).unwrap();
        let mut batch = FlowBatch::new();
        assert!(reader.read_batch(&mut batch).unwrap());
        assert_eq!(batch.len(), 2);
        let error = reader.read_batch(&mut batch).unwrap_err();
        assert_eq!(error.to_string(), "log: line 4: gzip data ends early; the file is cut");
        assert!(!reader.read_batch(&mut batch).unwrap());
        assert!(batch.is_empty());
        assert_eq!(reader.stats().records, 2);
    }

    /// Columns of a layout in any order: fields of the table and unknown ones.
    fn any_columns() -> impl Strategy<Value = Vec<Option<Field>>> {
        let fields: Vec<Field> = Field::all().filter(|field| !field.info().aws.is_empty()).collect();
        let count = fields.len();
        let mut columns: Vec<Option<Field>> = fields.into_iter().map(Some).collect();
        columns.extend([None; 3]);
        let columns = (Just(columns).prop_shuffle(), 1..=count + 3).prop_map(|(mut columns, count)| {
            columns.truncate(count);
            columns
        });
        columns.prop_filter("a header begins with a known column", |columns| columns[0].is_some())
    }

    fn column_name(at: usize, column: Option<Field>) -> String {
        column.map_or_else(|| format!("new-column-{at}"), |field| field.info().aws.to_owned())
    }

    /// A value that fits a column, made from random bits; absent for one in four.
    fn value(field: Field, bits: u64) -> Value {
        let number = bits >> 8;
        match field.kind().storage() {
            _ if bits.is_multiple_of(4) => Value::Absent,
            Storage::Number => Value::Number(number % field.kind().max_number().saturating_add(1).max(1)),
            Storage::Time => Value::Time(Timestamp::from_secs(i64::from(number as u32 >> 1))),
            Storage::Addr if bits.is_multiple_of(3) => {
                Value::Addr(std::net::Ipv6Addr::from(u128::from(number) << 64 | u128::from(bits)).into())
            }
            Storage::Addr => Value::Addr(std::net::Ipv4Addr::from(number as u32).into()),
            Storage::Text => format!("text-{:x}", number % 1000).as_str().into(),
        }
    }

    fn text_of(value: &Value) -> String {
        match value {
            Value::Time(time) => time.as_secs().to_string(),
            other => other.to_string(),
        }
    }

    /// A log of these columns and the flows that it says.
    fn log(columns: &[Option<Field>], rows: &[Vec<u64>], spaces: usize) -> (String, Vec<Flow>) {
        let space = " ".repeat(spaces);
        let names: Vec<_> = columns.iter().enumerate().map(|(at, column)| column_name(at, *column)).collect();
        let mut text = names.join(&space) + "\n";
        let mut flows = Vec::new();
        for row in rows {
            let mut flow = Flow::default();
            let mut words = Vec::new();
            for ((&column, name), &bits) in columns.iter().zip(&names).zip(row) {
                let value = value(column.unwrap_or(Field::Account), bits);
                words.push(text_of(&value));
                match (column, value.text()) {
                    (Some(field), _) => flow.set(field, value),
                    (None, Some(text)) => flow.unknown.push((name.as_str().into(), text.into())),
                    (None, None) => {}
                }
            }
            text += &(words.join(&space) + "\n");
            flows.push(flow);
        }
        (text, flows)
    }

    fn sorted(mut flow: Flow) -> Flow {
        flow.unknown.sort();
        flow
    }

    proptest! {
        #[test]
        fn any_layout_reads_back(
            columns in any_columns(),
            rows in prop::collection::vec(prop::collection::vec(any::<u64>(), 120), 0..20),
            spaces in 1_usize..4,
            lengths in prop::collection::vec(1_usize..300, 1..5),
        ) {
            let (text, flows) = log(&columns, &rows, spaces);
            let request = ReadRequest { status_rows: true, ..ReadRequest::default() };
            let input = Pieces { data: text.into_bytes(), lengths, at: 0, calls: 0 };
            let (found, stats) = read_from(Box::new(input), &request, &VpcOptions::default()).unwrap();
            prop_assert_eq!(found.into_iter().map(sorted).collect::<Vec<_>>(), flows.into_iter().map(sorted).collect::<Vec<_>>());
            prop_assert_eq!(stats.records, rows.len() as u64);
            prop_assert_eq!(stats.records, stats.flows + stats.nodata + stats.skipdata);
            prop_assert!(stats.problems.is_empty());
        }

        #[test]
        fn any_projection_gives_the_same_values(
            columns in any_columns(),
            rows in prop::collection::vec(prop::collection::vec(any::<u64>(), 120), 1..10),
            choice: u128,
        ) {
            let (text, flows) = log(&columns, &rows, 1);
            let fields: FieldSet =
                FieldSet::all().iter().enumerate().filter(|(at, _)| choice >> (at % 128) & 1 == 1).map(|(_, field)| field).collect();
            let request = ReadRequest { status_rows: true, fields, ..ReadRequest::default() };
            let (found, _) = read_as(text.as_bytes(), &request, &VpcOptions::default()).unwrap();
            for (found, flow) in found.iter().zip(&flows) {
                for field in FieldSet::all().iter() {
                    let expected = if fields.contains(field) { flow.get(field) } else { Value::Absent };
                    prop_assert_eq!(found.get(field), expected, "{}", field);
                }
            }
            prop_assert_eq!(found.len(), flows.len());
        }

        #[test]
        fn every_line_is_accounted_for(
            words in prop::collection::vec("[ \r\n]|srcaddr|bytes|log-status|-|10\\.0\\.0\\.1|7|NODATA|SKIPDATA|OK|\u{feff}|\\PC", 0..200),
            separator in "[ \n]",
            junk in prop::collection::vec(any::<u8>(), 0..100),
            at in any::<prop::sample::Index>(),
            lengths in prop::collection::vec(1_usize..50, 1..5),
        ) {
            let mut data = words.join(&separator).into_bytes();
            let at = at.index(data.len() + 1);
            data.splice(at..at, junk);
            // Text, not CSV and not JSON.
            data.iter_mut().filter(|byte| matches!(byte, b',' | b'{' | b'[')).for_each(|byte| *byte = b'.');
            let options = VpcOptions { columns: Some(vec!["srcaddr".into(), "bytes".into(), "log-status".into()]) };
            let whole = read_as(&data, &ReadRequest::default(), &options).unwrap();
            let input = Pieces { data: data.clone(), lengths, at: 0, calls: 0 };
            let (flows, stats) = read_from(Box::new(input), &ReadRequest::default(), &options).unwrap();
            prop_assert_eq!(&flows, &whole.0);
            prop_assert_eq!(format!("{stats:?}"), format!("{:?}", whole.1));

            let lines: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
            let count = lines.len() - usize::from(lines.last().is_none_or(|line| line.is_empty()));
            let blank = lines[..count].iter().filter(|line| {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).iter().all(|&byte| byte == b' ')
            });
            let counted = stats.records + stats.header_lines + stats.bad_records + blank.count() as u64;
            prop_assert_eq!(counted, count as u64);
            prop_assert_eq!(stats.records, stats.flows + stats.nodata + stats.skipdata);
            prop_assert_eq!(flows.len() as u64, stats.flows);
        }

        #[test]
        fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = super::super::looks_like_log(&data);
            let _ = read_as(&data, &ReadRequest::default(), &VpcOptions::default());
        }
    }
}
