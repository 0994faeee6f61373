//! Tables of statistics: nfdump's text and CSV, JSON and NDJSON.
//!
//! Packets, bytes and rates of text and CSV are those of the order's direction, as in nfdump; percentages are of all
//! matching records, both directions.

use std::io::{self, Write};

use flowcore::aggregate::{Aggregation, Counters, Group, Order, Statistic, Way};
use flowcore::{Error, Field, FieldKind, FlowBatch, Protocol, Result, Timestamp, Value};

use super::csv::write_number;
use super::json::{RecordObjects, write_json_number};
use super::units::{Moment, Scaled, Seconds, Span};
use super::{Style, escape};
use crate::args::OutputFormat;

/// How tables look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatFormat {
    /// nfdump's columns, for people.
    Text,
    /// RFC 4180.
    Csv,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
}

impl StatFormat {
    /// Whether a row is an object, which may have other members than the one before.
    pub(crate) const fn is_of_objects(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }

    /// How tables are printed where `-o` asks for this; `None` for not at all.
    ///
    /// # Errors
    /// When the format is one of records only.
    pub(crate) fn of(output: &OutputFormat) -> Result<Option<Self>> {
        match output {
            OutputFormat::Custom(_) | OutputFormat::CsvColumns(_) => Err(Error::argument(
                "columns of your choice (fmt:, csv:) are for records; a table has its own: choose line, csv, json, \
                 ndjson or null with -o",
            )),
            OutputFormat::Flow | OutputFormat::Nfdump | OutputFormat::Vpc => Err(Error::argument(
                "a table is no record and goes into no flow file or log; choose csv, json or ndjson with -o, or by the suffix \
                 of -w FILE",
            )),
            OutputFormat::Csv | OutputFormat::CsvFast => Ok(Some(Self::Csv)),
            OutputFormat::Json => Ok(Some(Self::Json)),
            OutputFormat::Ndjson => Ok(Some(Self::Ndjson)),
            OutputFormat::Null => Ok(None),
            _ => Ok(Some(Self::Text)),
        }
    }
}

/// Prints the tables of one run.
#[derive(Debug)]
pub(crate) struct StatPrinter {
    format: StatFormat,
    style: Style,
    /// Rows of a table; `None` for all.
    top: Option<usize>,
    /// Objects printed.
    objects: u64,
    /// Makes objects of records.
    records: RecordObjects,
    /// Columns of the CSV heading that was printed last.
    csv_way: Option<Way>,
    buffer: Vec<u8>,
}

impl StatPrinter {
    pub(crate) fn new(format: StatFormat, style: Style, top: Option<usize>) -> Self {
        let records = RecordObjects::behind(&["statistic", "order"]);
        Self { format, style, top, objects: 0, records, csv_way: None, buffer: Vec::new() }
    }

    /// Writes what stands before the first table.
    pub(crate) fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.format == StatFormat::Json { out.write_all(b"[") } else { Ok(()) }
    }

    /// Writes the top of a statistic in an order; percentages are parts of `total`.
    pub(crate) fn table(
        &mut self,
        statistic: &Statistic,
        order: Order,
        groups: &Aggregation,
        total: &Counters,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let table = Table { statistic, order, total, style: self.style };
        let rows = groups.top(self.top.unwrap_or(usize::MAX), order);
        match self.format {
            StatFormat::Text => self.text(&table, rows, out),
            StatFormat::Csv => self.csv(&table, rows, out),
            StatFormat::Json | StatFormat::Ndjson => self.json(&table, rows, out),
        }
    }

    /// Writes a record as a row of the table `record`; JSON and NDJSON only, others list records by themselves.
    pub(crate) fn record(
        &mut self,
        order: Order,
        batch: &FlowBatch,
        row: usize,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.begin_object();
        let order = order.to_string();
        let table = [("statistic", "record"), ("order", order.as_str())];
        self.records.write(&table, batch, row, &mut self.buffer)?;
        self.end_object(out)
    }

    /// Writes what stands behind the last table.
    pub(crate) fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match (self.format, self.objects) {
            (StatFormat::Json, 0) => out.write_all(b"]\n"),
            (StatFormat::Json, _) => out.write_all(b"\n]\n"),
            _ => Ok(()),
        }
    }

    fn text(
        &mut self,
        table: &Table<'_>,
        mut rows: impl Iterator<Item = Group>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let first: Vec<Group> = rows.by_ref().take(ROWS_MEASURED).collect();
        let width = table.value_width(&first);
        if self.style.heading {
            table.write_text_heading(self.top, width, out)?;
        }
        for group in first.into_iter().chain(rows) {
            table.write_text_row(&group, width, out)?;
        }
        out.write_all(b"\n")
    }

    fn csv(
        &mut self,
        table: &Table<'_>,
        rows: impl Iterator<Item = Group>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let way = table.order.way();
        if self.style.heading && self.csv_way.replace(way) != Some(way) {
            let w = prefix(way);
            write!(
                out,
                "ts,te,td,pr,val,fl,flP,{w}pkt,{w}pktP,{w}byt,{w}bytP,{w}pps,{w}bps,{w}bpp,statistic,order\r\n"
            )?;
        }
        for group in rows {
            self.buffer.clear();
            table.write_csv_row(&group, &mut self.buffer)?;
            out.write_all(&self.buffer)?;
        }
        Ok(())
    }

    fn json(
        &mut self,
        table: &Table<'_>,
        rows: impl Iterator<Item = Group>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for group in rows {
            self.begin_object();
            table.write_json(&group, &mut self.buffer)?;
            self.end_object(out)?;
        }
        Ok(())
    }

    fn begin_object(&mut self) {
        self.buffer.clear();
        if self.format == StatFormat::Json {
            self.buffer.extend_from_slice(if self.objects > 0 { b",\n" } else { b"\n" });
        }
        self.objects += 1;
    }

    fn end_object(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.format == StatFormat::Ndjson {
            self.buffer.push(b'\n');
        }
        out.write_all(&self.buffer)
    }
}

/// Width of nfdump's value column.
const VALUE_WIDTH: usize = 17;

/// Width that a longer value does not widen the column to, its row sticks out: that of an IPv6 address.
const MAX_VALUE_WIDTH: usize = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".len();

/// Rows whose values set the width of the column.
const ROWS_MEASURED: usize = 1000;

/// What stands before the names of counters in nfdump's CSV.
fn prefix(way: Way) -> &'static str {
    match way {
        Way::Both => "",
        Way::In => "i",
        Way::Out => "o",
    }
}

/// One table.
struct Table<'a> {
    statistic: &'a Statistic,
    order: Order,
    /// Of all matching records.
    total: &'a Counters,
    style: Style,
}

impl Table<'_> {
    /// Width of the value column where these rows are the first.
    fn value_width(&self, first: &[Group]) -> usize {
        let is_addr = self.statistic.kind() == FieldKind::Addr;
        let least = if is_addr && self.style.full_ipv6 { MAX_VALUE_WIDTH } else { VALUE_WIDTH };
        let widths = first.iter().map(|group| self.value(group).chars().count().min(MAX_VALUE_WIDTH));
        widths.fold(least.max(self.statistic.heading().len()), usize::max)
    }

    fn write_text_heading(&self, top: Option<usize>, width: usize, out: &mut dyn Write) -> io::Result<()> {
        let count = top.map_or("All".into(), |top| format!("Top {top}"));
        writeln!(out, "{count} {} ordered by {}:", self.statistic.heading(), self.order)?;
        writeln!(
            out,
            "{:<23} {:>16} Proto {:>width$} {:>11} {:>14} {:>14} {:>11} {:>8} {:>5}",
            "Date first seen (UTC)",
            "Duration",
            self.statistic.heading(),
            "Flows(%)",
            "Packets(%)",
            "Bytes(%)",
            "pps",
            "bps",
            "bpp"
        )
    }

    fn write_text_row(&self, group: &Group, width: usize, out: &mut dyn Write) -> io::Result<()> {
        let (counters, way) = (&group.counters, self.order.way());
        let scaled = |value: Option<u64>| match value {
            Some(value) => Scaled { value, plain: self.style.plain_numbers }.to_string(),
            None => "-".into(),
        };
        let part = |value, total| format!("{:>8}({:>4.1})", scaled(value), percent(value, total));
        writeln!(
            out,
            "{} {:>16} {:<5} {:>width$} {} {} {} {:>8} {:>8} {:>5}",
            Moment(counters.first()),
            self.duration(counters.duration()),
            self.plain_protocol(group),
            self.value(group),
            part(Some(counters.flows()), Some(self.total.flows())),
            part(counters.packets(way), self.total.packets(Way::Both)),
            part(counters.bytes(way), self.total.bytes(Way::Both)),
            scaled(counters.pps(way)),
            scaled(counters.bps(way)),
            counters.bpp(way).map_or("-".into(), |bpp| bpp.to_string()),
        )
    }

    fn write_csv_row(&self, group: &Group, out: &mut Vec<u8>) -> io::Result<()> {
        let (counters, way) = (&group.counters, self.order.way());
        csv_time(counters.first(), out)?;
        csv_time(counters.last(), out)?;
        if let Some(nanos) = counters.duration() {
            write!(out, "{}.{:03}", nanos / 1_000_000_000, nanos / 1_000_000 % 1000)?;
        }
        write!(out, ",{},", self.protocol(group))?;
        self.write_csv_value(group, out)?;
        csv_part(Some(counters.flows()), Some(self.total.flows()), out)?;
        csv_part(counters.packets(way), self.total.packets(Way::Both), out)?;
        csv_part(counters.bytes(way), self.total.bytes(Way::Both), out)?;
        [counters.pps(way), counters.bps(way), counters.bpp(way)]
            .iter()
            .try_for_each(|n| csv_number(*n, out))?;
        write!(out, ",{},{}\r\n", self.statistic.name(), self.order)
    }

    fn write_csv_value(&self, group: &Group, out: &mut Vec<u8>) -> io::Result<()> {
        match group.values.first() {
            Some(Value::Text(text)) if self.is_payload() => escape::csv_payload(text, out),
            Some(Value::Text(text)) => escape::csv(text, out),
            Some(Value::Number(number)) => write_number(self.statistic.kind(), *number, out)?,
            Some(value) => write!(out, "{value}")?,
            None => {}
        }
        Ok(())
    }

    /// Both directions and each of them, as far as the records have them.
    fn write_json(&self, group: &Group, out: &mut Vec<u8>) -> io::Result<()> {
        let counters = &group.counters;
        write!(out, "{{\"statistic\":\"{}\",\"order\":\"{}\"", self.statistic.name(), self.order)?;
        for (key, time) in [("first", counters.first()), ("last", counters.last())] {
            if let Some(time) = time {
                write!(out, ",\"{key}\":\"{time}\"")?;
            }
        }
        if let Some(number) = group.values.get(1).and_then(Value::number) {
            write!(out, ",\"proto\":{number}")?;
        }
        write!(out, ",\"{}\":", self.json_key())?;
        self.write_json_value(group, out)?;
        let numbers = [
            ("flows", Some(counters.flows())),
            ("packets", counters.packets(Way::Both)),
            ("bytes", counters.bytes(Way::Both)),
            ("pps", counters.pps(Way::Both)),
            ("bps", counters.bps(Way::Both)),
            ("bpp", counters.bpp(Way::Both)),
            ("in_packets", counters.packets(Way::In)),
            ("in_bytes", counters.bytes(Way::In)),
            ("out_packets", counters.packets(Way::Out)),
            ("out_bytes", counters.bytes(Way::Out)),
        ];
        for (key, number) in numbers {
            if let Some(number) = number {
                write!(out, ",\"{key}\":{number}")?;
            }
        }
        out.push(b'}');
        Ok(())
    }

    fn write_json_value(&self, group: &Group, out: &mut Vec<u8>) -> io::Result<()> {
        match group.values.first() {
            Some(Value::Text(text)) => escape::json(text, out),
            Some(Value::Number(number)) => write_json_number(self.statistic.kind(), *number, out)?,
            Some(Value::Absent) | None => out.extend_from_slice(b"null"),
            Some(value) => write!(out, "\"{value}\"")?,
        }
        Ok(())
    }

    /// The statistic's name, unless that is the key of something else.
    fn json_key(&self) -> &'static str {
        let name = self.statistic.name();
        let split_proto = name == "proto" && self.statistic.by_protocol();
        if split_proto || JSON_KEYS.contains(&name) { "value" } else { name }
    }

    /// The value as a person reads it.
    fn value(&self, group: &Group) -> String {
        match group.values.first() {
            Some(Value::Text(text)) if self.is_payload() => escape::payload(text),
            Some(Value::Text(text)) => escape::terminal(text).into_owned(),
            Some(Value::Time(time)) => Moment(Some(*time)).to_string(),
            Some(Value::Number(nanos)) if self.statistic.kind() == FieldKind::Duration => {
                self.duration(Some(*nanos))
            }
            Some(Value::Number(number)) => {
                let mut text = Vec::new();
                // Writing to a vector does not fail.
                drop(write_number(self.statistic.kind(), *number, &mut text));
                String::from_utf8_lossy(&text).into_owned()
            }
            Some(value) => value.to_string(),
            None => String::new(),
        }
    }

    /// A duration of the text table.
    fn duration(&self, nanos: Option<u64>) -> String {
        if self.style.plain_numbers { Seconds(nanos).to_string() } else { Span(nanos).to_string() }
    }

    /// The protocol of the text table.
    fn plain_protocol(&self, group: &Group) -> String {
        match self.protocol_value(group).and_then(Value::number) {
            Some(number) if self.style.plain_numbers => number.to_string(),
            _ => self.protocol(group),
        }
    }

    /// The protocol of all records of the group, `any` where they are not split by it.
    fn protocol(&self, group: &Group) -> String {
        match self.protocol_value(group) {
            None => "any".into(),
            Some(value) => match value.number().map(u8::try_from) {
                Some(Ok(number)) => Protocol(number).to_string(),
                _ => "-".into(),
            },
        }
    }

    fn protocol_value<'a>(&self, group: &'a Group) -> Option<&'a Value> {
        let is_value = self.statistic.fields() == [Field::Protocol];
        if is_value { group.values.first() } else { group.values.get(1) }
    }

    fn is_payload(&self) -> bool {
        let payloads = [Field::InPayload, Field::OutPayload];
        self.statistic.fields().iter().any(|field| payloads.contains(field))
    }
}

/// Keys of a JSON object that are not the value's.
const JSON_KEYS: &[&str] = &[
    "statistic",
    "order",
    "first",
    "last",
    "flows",
    "packets",
    "bytes",
    "pps",
    "bps",
    "bpp",
    "in_packets",
    "in_bytes",
    "out_packets",
    "out_bytes",
];

/// A part of a total in percent; 0 of nothing.
fn percent(part: Option<u64>, total: Option<u64>) -> f64 {
    match (part, total) {
        #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
        (Some(part), Some(total)) if total > 0 => part as f64 * 100.0 / total as f64,
        _ => 0.0,
    }
}

/// nfdump's time of statistics, which has no fraction, and a comma.
fn csv_time(time: Option<Timestamp>, out: &mut Vec<u8>) -> io::Result<()> {
    if let Some(time) = time {
        let t = time.civil();
        let date = format_args!("{:04}-{:02}-{:02}", t.year, t.month, t.day);
        write!(out, "{date} {:02}:{:02}:{:02}", t.hour, t.minute, t.second)?;
    }
    out.push(b',');
    Ok(())
}

/// A comma and a number.
fn csv_number(number: Option<u64>, out: &mut Vec<u8>) -> io::Result<()> {
    out.push(b',');
    number.map_or(Ok(()), |number| write!(out, "{number}"))
}

/// A number and how much of the total it is, a comma before each.
fn csv_part(part: Option<u64>, total: Option<u64>, out: &mut Vec<u8>) -> io::Result<()> {
    csv_number(part, out)?;
    out.push(b',');
    part.map_or(Ok(()), |_| write!(out, "{:.1}", percent(part, total)))
}

#[cfg(test)]
mod tests {
    use flowcore::{FlowBatch, Mask};

    use super::super::sample;
    use super::*;

    const STYLE: Style = Style::HEADED;

    fn printed_with(specs: &[&str], format: StatFormat, style: Style, batch: &FlowBatch) -> String {
        let mut printer = StatPrinter::new(format, style, Some(10));
        let mut out = Vec::new();
        printer.begin(&mut out).unwrap();
        for spec in specs {
            let statistic: Statistic = spec.parse().unwrap();
            let (mut groups, mut total) = (statistic.aggregation().unwrap(), Counters::NONE);
            groups.add(batch, &Mask::all(batch.len())).unwrap();
            total.add_rows(batch, &Mask::all(batch.len()));
            for &order in statistic.orders() {
                printer.table(&statistic, order, &groups, &total, &mut out).unwrap();
            }
        }
        printer.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn printed(specs: &[&str], format: StatFormat) -> String {
        printed_with(specs, format, STYLE, &sample::batch())
    }

    #[test]
    fn the_text_table_is_nfdumps() {
        let shown = "\
Top 10 IP Addr ordered by bytes:
Date first seen (UTC)           Duration Proto                   IP Addr    Flows(%)     Packets(%)       Bytes(%)         pps      bps   bpp
2023-09-28 17:22:35.000     00:00:02.499 TCP                    10.0.0.1        1(33.3)       18(94.7)   90.0 M(100.0)        7  288.0 M 5000083
2023-09-28 17:22:35.000     00:00:02.499 TCP               20.106.124.93        1(33.3)       18(94.7)   90.0 M(100.0)        7  288.0 M 5000083
-                                      - ICMP6 fe80::1234:5678:9abc:def0        1(33.3)        1( 5.3)        -( 0.0)        -        -     -
-                                      - ICMP6                   ff02::1        1(33.3)        1( 5.3)        -( 0.0)        -        -     -

";
        assert_eq!(printed(&["ip:p/bytes"], StatFormat::Text), shown);
    }

    #[test]
    fn quiet_and_plain_tables_have_no_heading_and_no_units() {
        let style = Style { heading: false, plain_numbers: true, ..Style::HEADED };
        let text = printed_with(&["dstport:p/obyte"], StatFormat::Text, style, &sample::batch());
        assert_eq!(
            text,
            "2023-09-28 17:22:35.000            2.499 6                   443        1(33.3)        8(42.1) \
             90000000(100.0)        3 288014222 11250000\n\n"
        );
    }

    #[test]
    fn a_long_value_sticks_out_of_its_own_row_only() {
        let mut batch = FlowBatch::new();
        for name in ["x".repeat(65_000).as_str(), "short"] {
            batch.set_text(Field::Account, name);
            batch.end_row();
        }
        let text = printed_with(&["account"], StatFormat::Text, STYLE, &batch);
        let widths: Vec<usize> = text.lines().map(str::len).collect();
        let row = widths[1];
        assert!(row < 170 && widths[2] == row, "{widths:?}");
        assert_eq!(widths[3], row + 65_000 - MAX_VALUE_WIDTH);
    }

    #[test]
    fn addresses_have_the_width_of_ipv6_from_the_start_where_it_is_asked_for() {
        let style = Style { full_ipv6: true, ..STYLE };
        let text = printed_with(&["dstip"], StatFormat::Text, style, &sample::batch());
        assert!(text.contains(&format!(" {:>39} ", "20.106.124.93")), "{text}");
        let text = printed_with(&["dstport"], StatFormat::Text, style, &sample::batch());
        assert!(
            text.contains(&format!(" {:>17} ", "443")) && !text.contains(&format!("{:>39}", "443")),
            "{text}"
        );
    }

    #[test]
    fn csv_has_nfdumps_columns_and_says_which_table_a_row_is_of() {
        let text = printed(&["dstport:p/bytes/ibyte", "outpayload/ibyte"], StatFormat::Csv);
        let shown = "\
ts,te,td,pr,val,fl,flP,pkt,pktP,byt,bytP,pps,bps,bpp,statistic,order\r
2023-09-28 17:22:35,2023-09-28 17:22:37,2.499,TCP,443,1,33.3,18,94.7,90001500,100.0,7,288019023,5000083,dstport,bytes\r
ts,te,td,pr,val,fl,flP,ipkt,ipktP,ibyt,ibytP,ipps,ibps,ibpp,statistic,order\r
2023-09-28 17:22:35,2023-09-28 17:22:37,2.499,TCP,443,1,33.3,10,52.6,1500,0.0,4,4800,150,dstport,ibyte\r
2023-09-28 17:22:35,2023-09-28 17:22:37,2.499,any,\"HTTP/1.1, 200\",1,33.3,10,52.6,1500,0.0,4,4800,150,outpayload,ibyte\r
";
        assert_eq!(text, shown);
    }

    #[test]
    fn json_is_one_document_whatever_there_is() {
        let specs = ["srcip/bytes", "proto:p", "bytes", "flags", "srcmac", "cl", "first", "inpayload"];
        let text = printed(&specs, StatFormat::Json);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let of = |name: &str| rows.iter().find(|row| row["statistic"] == name).unwrap();
        assert_eq!(of("srcip")["srcip"], "10.0.0.1");
        assert_eq!((&of("srcip")["bytes"], &of("srcip")["out_packets"]), (&90_001_500.into(), &8.into()));
        assert_eq!((&of("proto")["value"], &of("proto")["proto"]), (&6.into(), &6.into()));
        assert_eq!((&of("bytes")["value"], &of("bytes")["bytes"]), (&90_001_500.into(), &90_001_500.into()));
        assert_eq!(
            (&of("flags")["flags"], &of("srcmac")["srcmac"]),
            (&"...AP.SF".into(), &"02:00:5e:10:00:01".into())
        );
        assert_eq!(
            (&of("cl")["cl"], &of("first")["value"]),
            (&1.0002.into(), &"2023-09-28T17:22:35.000123456Z".into())
        );
        assert_eq!(of("inpayload")["inpayload"], "GET / \"\r\n\0\u{ff}");
        let lines = printed(&specs, StatFormat::Ndjson);
        let each: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(each, rows);
    }

    #[test]
    fn records_are_rows_of_a_table_of_their_own() {
        let mut batch = FlowBatch::new();
        batch.set_number(Field::SrcPort, 443);
        batch.set_unknown("order", "mine");
        batch.end_row();
        for (format, shown) in [(StatFormat::Json, "[\n{},\n{}\n]\n"), (StatFormat::Ndjson, "{}\n{}\n")] {
            let mut printer = StatPrinter::new(format, STYLE, None);
            let mut out = Vec::new();
            printer.begin(&mut out).unwrap();
            for order in [Order::BYTES, Order::PACKETS.ascending()] {
                printer.record(order, &batch, 0, &mut out).unwrap();
            }
            printer.end(&mut out).unwrap();
            let object = |order| {
                format!(
                    "{{\"statistic\":\"record\",\"order\":\"{order}\",\"src_port\":443,\
                     \"column:order\":\"mine\"}}"
                )
            };
            let shown = shown.replacen("{}", &object("bytes"), 1).replacen("{}", &object("packets:a"), 1);
            assert_eq!(String::from_utf8(out).unwrap(), shown);
        }
    }

    #[test]
    fn nothing_found_is_a_heading_or_an_empty_document() {
        let empty = |format| printed_with(&["srcip"], format, STYLE, &FlowBatch::new());
        let text = empty(StatFormat::Text);
        assert!(text.starts_with("Top 10 Src IP Addr ordered by flows:\nDate first"), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert_eq!(empty(StatFormat::Csv).lines().count(), 1);
        assert_eq!((empty(StatFormat::Json).as_str(), empty(StatFormat::Ndjson).as_str()), ("[]\n", ""));
    }

    #[test]
    fn hostile_text_stays_in_its_place() {
        let mut batch = FlowBatch::new();
        batch.set_text(Field::Action, "\u{1b}[2J,\"\n");
        batch.end_row();
        let shown = |format| printed_with(&["action"], format, STYLE, &batch);
        assert!(shown(StatFormat::Text).contains("\\u{1b}[2J,\"\\u{a}"));
        assert!(shown(StatFormat::Csv).contains(",\"\\u{1b}[2J,\"\"\\u{a}\",1,"));
        let json: serde_json::Value = serde_json::from_str(&shown(StatFormat::Json)).unwrap();
        assert_eq!(json[0]["action"], "\u{1b}[2J,\"\n");
    }
}
