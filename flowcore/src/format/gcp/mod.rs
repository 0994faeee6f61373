//! GCP VPC flow logs: entries of Cloud Logging as JSON, one a line, in an array or printed over many lines.
//!
//! In goes a decompressed stream, out come batches ([`GcpReader`]). The rules, from Google's documentation ("About
//! VPC Flow Logs records", <https://docs.cloud.google.com/vpc/docs/about-flow-logs-records>):
//!
//! * **Entries.** An entry of a log called `...vpc_flows`, or of no named log but with a `jsonPayload.connection`, is
//!   one flow. Entries of other logs, which exports of a whole project hold too, are counted by the name of their log
//!   ([`SourceStats::unknown_parts`](crate::SourceStats::unknown_parts)). What is no JSON, or has a value that does
//!   not fit a field that is read, is a bad record.
//! * **Names.** The field table says which field a key fills. Every other key is kept under its own name, `jsonPayload`
//!   left off and dots between the parts: `src_location.country`, `dest_gke_details.cluster.cluster_name`,
//!   `insertId`. Elements of arrays have their place as name, from 0.
//! * **Sides.** The interface that was watched is the reporter's: where `SRC` wrote the entry, `src_instance` and
//!   `src_vpc` fill account, instance, network, subnet, region and zone, and the direction is egress; where `DEST`
//!   did, `dest_instance` and `dest_vpc` do, and it is ingress. The other side is kept under its own names. Without
//!   these two, project and subnet are those of the entry's resource. For gateways there is no direction.
//! * **Values.** Numbers stand as numbers or as texts. Records are one-way: reverse fields are absent. `bytes_sent` is
//!   payload without headers, and both counters are estimates from sampled packets. There is no action.
//! * **Copies.** Traffic between two machines that are both watched is there twice, once from each reporter;
//!   `reporter src` counts it once.

mod entries;
mod keys;

use std::io::Read;

use crate::batch::FlowBatch;
use crate::error::Result;
use crate::format::json::{JsonReader, looks_like_json};
use crate::source::{FlowSource, ReadRequest, SourceStats};
use entries::Entries;

/// Reads GCP flow logs from decompressed text; the [module](self) documents the rules.
///
/// ```
/// use flowcore::format::gcp::GcpReader;
/// use flowcore::{Field, FlowBatch, FlowSource, ReadRequest};
/// let log = r#"{"jsonPayload":{"connection":{"dest_port":443},"bytes_sent":"1500","reporter":"SRC"}}"#;
/// let mut reader = GcpReader::open(Box::new(log.as_bytes()), "example", &ReadRequest::default());
/// let mut batch = FlowBatch::new();
/// assert!(reader.read_batch(&mut batch)?);
/// assert_eq!(batch.number(Field::InBytes, 0), Some(1500));
/// assert_eq!(batch.text(Field::Direction, 0), Some("egress"));
/// # Ok::<(), flowcore::Error>(())
/// ```
pub struct GcpReader(JsonReader<Entries>);

impl GcpReader {
    /// Reads `input`, which is called `name` in messages.
    pub fn open(input: Box<dyn Read + Send>, name: &str, request: &ReadRequest) -> Self {
        Self(JsonReader::new(input, name, request, Entries::new(request)))
    }
}

impl FlowSource for GcpReader {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        self.0.read_batch(batch)
    }

    fn stats(&self) -> SourceStats {
        self.0.stats()
    }
}

/// Whether the first bytes of an input are entries of Cloud Logging. They need not be of a flow log: in an export of a
/// whole project those may come late.
///
/// ```
/// use flowcore::format::gcp::looks_like_log;
/// assert!(looks_like_log(br#"[{"jsonPayload": {"connection": {"#));
/// assert!(looks_like_log(br#"{"insertId": "i", "logName": "projects/p/logs/syslog", "textPayload": "x"}"#));
/// assert!(!looks_like_log(br#"{"jsonPayload":{"message":"x"}}"#));
/// ```
pub fn looks_like_log(head: &[u8]) -> bool {
    let has = |key: &[u8]| memchr::memmem::find(head, key).is_some();
    let has_flow = || has(b"\"jsonPayload\"") && (has(b"\"connection\"") || has(b"vpc_flows\""));
    let has_entry = || (has(b"\"insertId\"") || has(b"\"resource\"")) && has_log_name(head);
    looks_like_json(head) && (has_flow() || has_entry())
}

/// Whether some log is named as Cloud Logging does, by what it belongs to.
fn has_log_name(head: &[u8]) -> bool {
    const NAME: &[u8] = b"\"logName\"";
    const OWNERS: [&[u8]; 4] = [b"projects/", b"organizations/", b"folders/", b"billingAccounts/"];
    memchr::memmem::find_iter(head, NAME).any(|at| {
        let value = head.get(at + NAME.len()..).unwrap_or_default().trim_ascii_start();
        let value = value.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        let name = value.and_then(|value| value.strip_prefix(b"\"")).unwrap_or_default();
        OWNERS.into_iter().any(|owner| name.starts_with(owner))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::json::testing;
    use crate::record::{Field, FieldSet, Flow, Timestamp, Value};
    use proptest::prelude::*;

    const ENTRY: &str = r#"{"insertId":"i1","logName":"projects/p/logs/compute.googleapis.com%2Fvpc_flows","receiveTimestamp":"2023-09-28T17:25:00Z","resource":{"labels":{"project_id":"rp","subnetwork_name":"rs"}},"jsonPayload":{"connection":{"src_ip":"10.0.0.1","src_port":41000,"dest_ip":"2001:db8::2","dest_port":"443","protocol":6},"reporter":"SRC","bytes_sent":"1784","packets_sent":7.0,"rtt_msec":"36.5","start_time":"2023-09-28T17:22:35.000000001Z","end_time":"2023-09-28T17:22:36.5+02:00","src_instance":{"project_id":"ip","vm_name":"web","region":"us-east1","zone":"us-east1-b"},"dest_instance":{"vm_name":"db"},"src_vpc":{"vpc_name":"default","subnetwork_name":"sub"},"dest_location":{"asn":15169,"country":"usa"},"dest_google_service":{"service_name":"storage","type":null},"load_balancing":{"backends":[{"name":"b0"},{"name":"b1"}],"is_external":true,"scheme":""}}}"#;

    fn read_as(log: &[u8], request: &ReadRequest) -> (Vec<Flow>, SourceStats) {
        testing::read(|input| GcpReader::open(input, "log", request), log)
    }

    fn read(log: &str) -> (Vec<Flow>, SourceStats) {
        read_as(log.as_bytes(), &ReadRequest::default())
    }

    #[test]
    fn an_entry_fills_its_fields() {
        let (flows, stats) = read(ENTRY);
        let number = Value::Number;
        for (field, expected) in [
            (Field::SrcAddr, Value::Addr("10.0.0.1".parse().unwrap())),
            (Field::DstAddr, Value::Addr("2001:db8::2".parse().unwrap())),
            (Field::SrcPort, number(41_000)),
            (Field::DstPort, number(443)),
            (Field::Protocol, number(6)),
            (Field::InBytes, number(1784)),
            (Field::InPackets, number(7)),
            (Field::OutBytes, Value::Absent),
            (Field::First, Value::Time(Timestamp::from_nanos(1_695_921_755_000_000_001))),
            (Field::Last, Value::Time(Timestamp::from_nanos(1_695_914_556_500_000_000))),
            (Field::Received, Value::Time(Timestamp::from_secs(1_695_921_900))),
            (Field::Reporter, "SRC".into()),
            (Field::Direction, "egress".into()),
            (Field::RoundTrip, number(36_500_000)),
            (Field::Account, "ip".into()),
            (Field::Instance, "web".into()),
            (Field::Region, "us-east1".into()),
            (Field::Zone, "us-east1-b".into()),
            (Field::Vpc, "default".into()),
            (Field::Subnet, "sub".into()),
            (Field::DstAs, number(15_169)),
            (Field::DstService, "storage".into()),
            (Field::Action, Value::Absent),
        ] {
            assert_eq!(flows[0].get(field), expected, "{field}");
        }
        let unknown: Vec<_> = flows[0].unknown.iter().map(|(name, text)| (&**name, &**text)).collect();
        let expected = [
            ("dest_instance.vm_name", "db"),
            ("dest_location.country", "usa"),
            ("insertId", "i1"),
            ("load_balancing.backends.0.name", "b0"),
            ("load_balancing.backends.1.name", "b1"),
            ("load_balancing.is_external", "true"),
            ("logName", "projects/p/logs/compute.googleapis.com%2Fvpc_flows"),
            ("resource.labels.project_id", "rp"),
            ("resource.labels.subnetwork_name", "rs"),
        ];
        assert_eq!(unknown, expected);
        assert!(stats.problems.is_empty());
    }

    #[test]
    fn the_watched_interface_is_the_reporters() {
        let of = |reporter: &str| read(&ENTRY.replace("\"SRC\"", reporter)).0.remove(0);
        let texts = |flow: &Flow| {
            [Field::Instance, Field::Account, Field::Subnet, Field::Direction]
                .map(|field| flow.get(field).text().unwrap_or("").to_owned())
        };
        assert_eq!(texts(&of("\"DEST\"")), ["db", "rp", "rs", "ingress"]);
        assert_eq!(texts(&of("\"SRC_GATEWAY\"")), ["web", "ip", "sub", ""]);
        assert_eq!(texts(&of("null")), ["", "rp", "rs", ""]);
        let flow = of("\"DEST\"");
        assert!(
            flow.unknown.iter().any(|(name, text)| &**name == "src_instance.vm_name" && &**text == "web")
        );
    }

    #[test]
    fn entries_come_in_every_shape() {
        let pretty = format!("{:#}", ENTRY.parse::<serde_json::Value>().unwrap());
        for log in [
            format!("{ENTRY}\n{ENTRY}\n"),
            format!("\u{feff}{ENTRY}{ENTRY}"),
            format!("[{ENTRY},\n{ENTRY}]"),
            format!("{pretty}\n{pretty}"),
            format!("[{pretty},{ENTRY}]\n"),
        ] {
            assert!(looks_like_log(log.as_bytes()), "{log}");
            let (flows, stats) = read(&log);
            assert_eq!((flows.len(), stats.records, stats.bad_records), (2, 2, 0), "{log}");
            assert_eq!(flows[0], read(ENTRY).0[0], "{log}");
        }
    }

    #[test]
    fn entries_of_other_logs_are_counted_by_name() {
        let firewall = ENTRY.replace("vpc_flows", "firewall");
        let (flows, stats) = read(&format!("{ENTRY}\n{firewall}\n{firewall}\n{{\"a\":1}}\n"));
        assert_eq!((flows.len(), stats.records, stats.bad_records), (1, 1, 0));
        let others: Vec<_> = stats.unknown_parts.into_iter().collect();
        let expected = [
            ("JSON values that are no entries of a flow log".to_owned(), 1),
            ("entries of the log compute.googleapis.com%2Ffirewall".to_owned(), 2),
        ];
        assert_eq!(others, expected);
    }

    #[test]
    fn exports_may_begin_with_entries_of_other_logs() {
        for owner in ["projects", "organizations", "folders", "billingAccounts"] {
            let name = format!("\"logName\" :\n \"{owner}/7/logs/syslog\"");
            let other = format!("{{\"insertId\":\"i\",{name},\"textPayload\":\"x\"}}\n");
            assert!(looks_like_log(other.as_bytes()), "{other}");
            let (flows, stats) = read(&format!("{other}{other}{ENTRY}"));
            assert_eq!((flows.len(), stats.unknown_parts.values().sum::<u64>()), (1, 2));
        }
        for other in [
            r#"{"logName":"projects/p/logs/x","a":1}"#,
            r#"{"logName":"project","insertId":"i"}"#,
            r#"{"insertId":"i","x":"logName","y":"projects/p"}"#,
            r#"x {"logName":"projects/p/logs/x","resource":{}}"#,
            r#"{"insertId":"i","logName""#,
        ] {
            assert!(!looks_like_log(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn entries_with_arrays_named_as_those_of_other_clouds_are_entries() {
        for more in [r#","records":[]"#, r#","events":["x"],"results":[{}]"#] {
            let entry = format!("{}{more}}}", ENTRY.strip_suffix('}').unwrap());
            let (flows, stats) = read(&format!("{ENTRY}{entry}"));
            let others = stats.unknown_parts.values().sum::<u64>();
            assert_eq!(flows, [&read(ENTRY).0[0]; 2].map(Clone::clone));
            assert_eq!(stats.bad_records + others, more.matches(['x', '{']).count() as u64);
        }
    }

    #[test]
    fn an_entry_that_cannot_be_used_says_why_and_where() {
        let with = |from: &str, to: &str| ENTRY.replacen(from, to, 1);
        let many: String = (0..1000).map(|n| format!("\"k{n}\":1,")).collect();
        for (entry, message) in [
            (with("41000", "65536"), "connection.src_port: \"65536\" is larger than 65535"),
            (with("\"10.0.0.1\"", "7"), "connection.src_ip: \"7\" is not an IP address"),
            (with("\"1784\"", "\"-1\""), "bytes_sent: \"-1\" is not a number"),
            (with("\"1784\"", "1.5"), "bytes_sent: \"1.5\" is not a number"),
            (with("\"36.5\"", "\"fast\""), "rtt_msec: \"fast\" is not a number of milliseconds"),
            (
                with("2023-09-28T17:22:35.000000001Z", "yesterday"),
                "start_time: \"yesterday\" is not a time such as 2023-09-28T17:22:35.123456789Z",
            ),
            (with("\"connection\"", "\"c\""), "no jsonPayload.connection in the entry"),
            (with("{\"insertId\"", &format!("{{{many}\"insertId\"")), "more than 1000 values in one entry"),
            (with("7.0", "07"), "no valid JSON: invalid number"),
        ] {
            let (flows, stats) = read(&format!("{ENTRY}\n{entry}\n{ENTRY}\n"));
            assert_eq!((flows.len(), stats.bad_records), (2, 1), "{message}");
            assert_eq!(stats.problems.kept()[0].to_string(), format!("log: line 2: {message}"));
        }
        let (_, stats) = read(&format!("{ENTRY}\nwhat is this\n{ENTRY}\n{}", &ENTRY[..100]));
        let messages: Vec<_> = stats.problems.kept().iter().map(ToString::to_string).collect();
        let expected =
            ["log: line 2: this is no JSON object", "log: line 4: the file ends inside a value; it is cut"];
        assert_eq!((stats.bad_records, messages), (2, expected.map(String::from).to_vec()));
    }

    #[test]
    fn round_trips_have_fractions() {
        for (text, nanos) in
            [("36", 36_000_000), ("0.25", 250_000), ("1.0000019", 1_000_001), ("2.000001", 2_000_001)]
        {
            let (flows, _) = read(&ENTRY.replace("\"36.5\"", &format!("\"{text}\"")));
            assert_eq!(flows[0].get(Field::RoundTrip), Value::Number(nanos), "{text}");
        }
        for text in ["1.", ".5", "1.x", "99999999999999999999", "18446744073709551615"] {
            assert_eq!(read(&ENTRY.replace("\"36.5\"", &format!("\"{text}\""))).1.bad_records, 1, "{text}");
        }
    }

    #[test]
    fn only_what_is_wanted_is_read() {
        let fields = FieldSet::from([Field::DstPort]);
        let request = ReadRequest { fields, unknown_columns: false, ..ReadRequest::default() };
        let (flows, stats) = read_as(ENTRY.replace("\"1784\"", "\"x\"").as_bytes(), &request);
        assert_eq!((flows[0].key.dst_port, flows[0].forward.bytes, stats.bad_records), (Some(443), None, 0));
        assert!(flows[0].unknown.is_empty());
        assert!(flows[0].get(Field::Direction).is_absent() && flows[0].get(Field::Account).is_absent());
    }

    #[test]
    fn columns_without_end_are_told() {
        let log: String =
            (0..600).map(|n| ENTRY.replace("\"vm_name\":\"db\"", &format!("\"x{n}\":1"))).collect();
        let (flows, stats) = read(&log);
        assert_eq!((flows.len(), stats.bad_records, stats.problems.total()), (600, 0, 1));
        let names: std::collections::HashSet<_> =
            flows.iter().flat_map(|flow| flow.unknown.iter().map(|(name, _)| name.clone())).collect();
        assert_eq!(names.len(), 500);
    }

    proptest! {
        #[test]
        fn any_change_is_read_or_refused(at in 0_usize..ENTRY.len(), cut in 0_usize..40, junk in "[\\[\\]{}\",:0-9a-z]{0,4}") {
            let end = (at + cut).min(ENTRY.len());
            let changed = format!("{}{junk}{}", &ENTRY[..at], &ENTRY[end..]);
            let (flows, stats) = read(&format!("{ENTRY}\n{changed}\n{ENTRY}\n"));
            prop_assert_eq!(flows.len() as u64, stats.records);
            prop_assert!(stats.records >= 1 && flows[0] == read(ENTRY).0[0]);
            let all = stats.records + stats.bad_records + stats.unknown_parts.values().sum::<u64>();
            prop_assert!(all >= 2, "{stats:?}");
        }
    }
}
