//! JSON: one array that is always closed, or one object a line. A record has a key for each value it has.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Write};

use flowcore::{Addr, Field, FieldKind, FieldSet, FlowBatch};

use super::Printer;
use super::csv::write_number;
use super::{escape, text};

/// Prints objects.
#[derive(Debug)]
pub(super) struct JsonPrinter {
    array: bool,
    rows: u64,
    objects: RecordObjects,
    buffer: Vec<u8>,
}

impl JsonPrinter {
    /// One array.
    pub(super) fn array() -> Self {
        Self::new(true)
    }

    /// One object a line.
    pub(super) fn lines() -> Self {
        Self::new(false)
    }

    fn new(array: bool) -> Self {
        Self { array, rows: 0, objects: RecordObjects::behind(&[]), buffer: Vec::new() }
    }
}

/// Makes an object of a record.
#[derive(Debug)]
pub(super) struct RecordObjects {
    fields: Vec<Field>,
    /// Keys of these fields and of what stands before them, which no other column may have.
    keys: HashSet<String>,
}

impl RecordObjects {
    /// Objects in which members with these keys stand before those of the record.
    pub(super) fn behind(keys: &[&str]) -> Self {
        let printed = |field: &Field| !field.is_derived() || *field == Field::TcpFlags;
        let fields: Vec<Field> = Field::all().filter(printed).collect();
        let own = fields.iter().flat_map(|&field| keys_of(field));
        let keys = own.chain(keys.iter().map(|&key| key.to_owned())).collect();
        Self { fields, keys }
    }

    /// Adds the object of a row, which begins with these members.
    pub(super) fn write(
        &self,
        members: &[(&str, &str)],
        batch: &FlowBatch,
        row: usize,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        out.push(b'{');
        let start = out.len();
        for (name, text) in members {
            key(name, start, out);
            escape::json(text, out);
        }
        for &field in &self.fields {
            write_member(batch, field, row, start, out)?;
        }
        for (name, column) in batch.unknown() {
            if let Some(text) = column.get(row) {
                key(&column_key(name, &self.keys), start, out);
                escape::json(text, out);
            }
        }
        out.push(b'}');
        Ok(())
    }
}

impl Printer for JsonPrinter {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.array { out.write_all(b"[") } else { Ok(()) }
    }

    fn row(&mut self, batch: &FlowBatch, row: usize, out: &mut dyn Write) -> io::Result<()> {
        self.buffer.clear();
        if self.array {
            self.buffer.extend_from_slice(if self.rows > 0 { b",\n" } else { b"\n" });
        }
        self.objects.write(&[], batch, row, &mut self.buffer)?;
        if !self.array {
            self.buffer.push(b'\n');
        }
        self.rows += 1;
        out.write_all(&self.buffer)
    }

    fn fork(&self) -> Option<Box<dyn Printer + Send>> {
        Some(Box::new(Self { rows: 1, ..Self::new(self.array) }))
    }

    /// Whether there are rows.
    fn state(&self) -> usize {
        usize::from(self.rows > 0)
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match (self.array, self.rows) {
            (false, _) => Ok(()),
            (true, 0) => out.write_all(b"]\n"),
            (true, _) => out.write_all(b"\n]\n"),
        }
    }

    fn fields(&self) -> FieldSet {
        FieldSet::all()
    }

    fn unknown_columns(&self) -> bool {
        true
    }
}

fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}

/// Writes `"key":value` if the row has the field.
fn write_member(
    batch: &FlowBatch,
    field: Field,
    row: usize,
    start: usize,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    match field.kind() {
        FieldKind::Addr => match batch.addr(field, row) {
            Addr::Unknown => Ok(()),
            addr => {
                key(&addr_key(field, addr.version()), start, out);
                out.push(b'"');
                text::addr(addr, out);
                out.push(b'"');
                Ok(())
            }
        },
        FieldKind::Time => match batch.time(field, row) {
            None => Ok(()),
            Some(time) => {
                key(field.info().key, start, out);
                out.push(b'"');
                text::rfc3339(time, out);
                out.push(b'"');
                Ok(())
            }
        },
        FieldKind::Text => match batch.text(field, row) {
            None => Ok(()),
            Some(text) => {
                key(field.info().key, start, out);
                escape::json(text, out);
                Ok(())
            }
        },
        kind => match batch.number(field, row) {
            None => Ok(()),
            Some(number) => {
                key(field.info().key, start, out);
                write_json_number(kind, number, out)
            }
        },
    }
}

fn key(name: &str, start: usize, out: &mut Vec<u8>) {
    separate(out, start);
    escape::json(name, out);
    out.push(b':');
}

/// The key of a column without a field. One that is called like a field gets [`COLUMN`] in front, and so does one
/// that begins so already: no two keys of an object are equal.
fn column_key<'a>(name: &'a str, keys: &HashSet<String>) -> Cow<'a, str> {
    if keys.contains(name) || name.starts_with(COLUMN) {
        Cow::Owned(format!("{COLUMN}{name}"))
    } else {
        Cow::Borrowed(name)
    }
}

const COLUMN: &str = "column:";

/// The keys under which a field can be printed.
fn keys_of(field: Field) -> Vec<String> {
    match field.kind() {
        FieldKind::Addr => [4, 6].map(|version| addr_key(field, version)).to_vec(),
        _ => vec![field.info().key.to_owned()],
    }
}

/// nfdump names the address family in the key: `src4_addr`, `src6_xlt_ip`.
fn addr_key(field: Field, version: u8) -> String {
    let (side, rest) = field.info().key.split_once('_').unwrap_or((field.info().key, "addr"));
    format!("{side}{version}_{rest}")
}

/// Kinds that print as words are strings, the others numbers.
pub(super) fn write_json_number(kind: FieldKind, number: u64, out: &mut Vec<u8>) -> io::Result<()> {
    let word = matches!(kind, FieldKind::Flags | FieldKind::Mac | FieldKind::EndReason | FieldKind::Mpls);
    if word {
        out.push(b'"');
    }
    write_number(kind, number, out)?;
    if word {
        out.push(b'"');
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_a_capture_have_keys() {
        let text = super::super::sample::printed(&mut JsonPrinter::array());
        let records: serde_json::Value = serde_json::from_str(&text).unwrap();
        let record = &records[0];
        for (key, value) in [
            ("mpls_1", serde_json::json!("100-5-0")),
            ("mpls_2", serde_json::json!("1048575-0-1")),
            ("spi", serde_json::json!(4096)),
            ("src4_tun_ip", serde_json::json!("192.0.2.1")),
            ("dst6_tun_ip", serde_json::json!("2001:db8::2")),
            ("tun_proto", serde_json::json!(17)),
            ("tun_type", serde_json::json!("vxlan")),
            ("tun_id", serde_json::json!(4096)),
            ("cli_latency", serde_json::json!(1.0002)),
            ("srv_latency", serde_json::json!(0.000999)),
            ("app_latency", serde_json::json!(61_000.0)),
            ("in_retransmits", serde_json::json!(0)),
            ("out_retransmits", serde_json::json!(2)),
            ("in_out_of_order", serde_json::json!(3)),
            ("in_payload", serde_json::json!("GET / \"\r\n\0\u{ff}")),
        ] {
            assert_eq!(record[key], value, "{key}");
        }
        assert!(records[1].get("mpls_1").is_none() && records[1].get("src4_tun_ip").is_none());
        assert_eq!(records[2], serde_json::json!({}));
    }

    #[test]
    fn keys_of_addresses_are_those_of_nfdump() {
        for (field, keys) in [
            (Field::SrcAddr, ["src4_addr", "src6_addr"]),
            (Field::PktDstAddr, ["dst4_xlt_ip", "dst6_xlt_ip"]),
            (Field::NextHop, ["ip4_next_hop", "ip6_next_hop"]),
            (Field::BgpNextHop, ["bgp4_next_hop", "bgp6_next_hop"]),
            (Field::RouterAddr, ["ip4_router", "ip6_router"]),
        ] {
            assert_eq!(keys_of(field), keys);
        }
    }

    #[test]
    fn no_two_keys_are_equal() {
        let mut batch = FlowBatch::new();
        batch.set_number(Field::SrcPort, 443);
        let columns = ["src_port", "src4_addr", "src6_xlt_ip", "tcp_flags", "column:src_port", "mine"];
        columns.iter().for_each(|name| batch.set_unknown(name, "text"));
        batch.end_row();
        let mut out = Vec::new();
        JsonPrinter::lines().row(&batch, 0, &mut out).unwrap();
        let shown = "{\"src_port\":443,\"column:src_port\":\"text\",\"column:src4_addr\":\"text\",\
                     \"column:src6_xlt_ip\":\"text\",\"column:tcp_flags\":\"text\",\
                     \"column:column:src_port\":\"text\",\"mine\":\"text\"}\n";
        assert_eq!(String::from_utf8(out).unwrap(), shown);
    }
}
