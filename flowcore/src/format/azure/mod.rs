//! Azure flow logs of network security groups (versions 1 and 2) and virtual networks (version 4), JSON.
//!
//! In goes a decompressed stream, out come batches ([`AzureReader`]). The rules, from Microsoft's documentation
//! (<https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview>, `.../vnet-flow-logs-overview`) and
//! from logs seen in the wild:
//!
//! * **Records.** An object with `records`, record objects by themselves, and objects that a forwarder has flattened
//!   (`"flow.0": "1663146003599,10.0.0.6,..."`). Wherever a text stands under `flowTuples` or `flow`, it is a tuple;
//!   whatever else stands in the objects around it is said of it, the innermost first.
//! * **Tuples.** One row each, both directions in it. 8 parts are a security group's version 1, 13 parts its version
//!   2 if the protocol is a letter, and a virtual network's if it is a number. A tuple with another number of parts
//!   or a value that cannot be one is a bad record; the others of its record are used.
//! * **Counters.** Those of `C` and `E` tuples count since the tuple before of the same flow, so sums are right as they
//!   stand. `B` and denied tuples count nothing: a zero there is absent, not zero. So is what is left empty.
//! * **Times.** A tuple has one time, the event's. It is the last of the flow as far as the row tells. The first is
//!   the time of the tuple before of the same flow and interface, if that is in the same file and among the last
//!   quarter of a million flows, else the same time; so `duration` is the span that the counters are of. `B` and
//!   denied tuples and those of version 1 are points in time.
//! * **Fields.** Decision `A` and states other than `D` are ACCEPT, `D` is REJECT; `I` is ingress, `O` egress. States
//!   are `flowstate` begin, continue, end and deny. The network card's address is the interface, the security group or
//!   network the resource, its subscription the account. Encryption is 1 for `X`, else 0; its code is kept as
//!   `flowEncryption`, and is the reject reason of what was dropped for want of it. Other names are kept as they are.
//! * **No traffic.** A record of a flow log without a tuple counts as NODATA. Records of another category and objects
//!   without tuples are counted as parts of another log ([`SourceStats::unknown_parts`](crate::SourceStats::unknown_parts)).

mod earlier;
mod records;
mod scopes;
mod tuple;

use std::io::Read;

use crate::batch::FlowBatch;
use crate::error::Result;
use crate::format::json::{JsonReader, looks_like_json};
use crate::source::{FlowSource, ReadRequest, SourceStats};
use records::TupleRecords;

/// Reads Azure flow logs from decompressed text; the [module](self) documents the rules.
///
/// ```
/// use flowcore::format::azure::AzureReader;
/// use flowcore::{Field, FlowBatch, FlowSource, ReadRequest};
/// let log = r#"{"rule":"web","flow.0":"1542110379,10.5.16.4,13.67.143.117,59932,443,T,O,A,E,1,66,1,70"}"#;
/// let mut reader = AzureReader::open(Box::new(log.as_bytes()), "example", &ReadRequest::default());
/// let mut batch = FlowBatch::new();
/// assert!(reader.read_batch(&mut batch)?);
/// assert_eq!(batch.number(Field::Bytes, 0), Some(136));
/// assert_eq!(batch.text(Field::Rule, 0), Some("web"));
/// # Ok::<(), flowcore::Error>(())
/// ```
pub struct AzureReader(JsonReader<TupleRecords>);

impl AzureReader {
    /// Reads `input`, which is called `name` in messages.
    pub fn open(input: Box<dyn Read + Send>, name: &str, request: &ReadRequest) -> Self {
        Self(JsonReader::new(input, name, request, TupleRecords::new(request)))
    }
}

impl FlowSource for AzureReader {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        self.0.read_batch(batch)
    }

    fn stats(&self) -> SourceStats {
        self.0.stats()
    }
}

/// Categories of the records that hold tuples: of security groups and of virtual networks.
const CATEGORIES: [&str; 2] = ["NetworkSecurityGroupFlowEvent", "FlowLogFlowEvent"];

/// Whether the first bytes of an input are records with flow tuples.
///
/// ```
/// use flowcore::format::azure::looks_like_log;
/// assert!(looks_like_log(br#"{"records":[{"category":"FlowLogFlowEvent","#));
/// assert!(!looks_like_log(br#"{"records":[{"category":"Administrative"}]}"#));
/// ```
pub fn looks_like_log(head: &[u8]) -> bool {
    let has = |text: &str| memchr::memmem::find(head, text.as_bytes()).is_some();
    looks_like_json(head) && (CATEGORIES.into_iter().any(has) || has("\"flowTuples\"") || has("\"flow.0\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BATCH_ROWS;
    use crate::format::json::testing;
    use crate::record::{Field, FieldSet, Flow, Value};
    use proptest::prelude::*;

    const GROUP: &str = r#"{"time":"2018-11-13T12:00:35.3899262Z","systemId":"s1","macAddress":"000D3AF87856","category":"NetworkSecurityGroupFlowEvent","resourceId":"/SUBSCRIPTIONS/S-1/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/N","operationName":"NetworkSecurityGroupFlowEvents","properties":{"Version":2,"flows":[{"rule":"R1","flows":[{"mac":"000D3AF87856","flowTuples":["1493763938,185.170.185.105,10.2.0.4,35370,23,T,I,A,B,,,,","1493764238,185.170.185.105,10.2.0.4,35370,23,T,I,A,C,1021,588096,8005,4610880","1493764263,185.170.185.105,10.2.0.4,35370,23,T,I,A,E,52,29952,47,27072"]}]},{"flows":[{"flowTuples":["1493764000,10.2.0.4,10.2.0.5,1,53,U,O,D,B,,,,"],"mac":"000D3AF87857"}],"rule":"R2"}]}}"#;
    const NETWORK: &str = r#"{"time":"2022-09-14T09:00:52Z","flowLogVersion":4,"macAddress":"00224871C205","category":"FlowLogFlowEvent","flowLogResourceID":"/SUBSCRIPTIONS/S-2/X","targetResourceID":"/subscriptions/S-2/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/net","flowRecords":{"flows":[{"aclID":"A1","flowGroups":[{"rule":"web","flowTuples":["1663146003599,10.0.0.6,52.239.184.180,23956,443,6,O,B,X,0,0,0,0","1663146003606,10.0.0.6,52.239.184.180,23956,443,6,O,E,NX_FALLBACK,3,767,2,1580"]},{"rule":"unspecified","flowTuples":["1663145998065,101.33.218.153,10.0.0.6,0,0,1,I,D,NX_NOT_ACCEPTED,0,0,0,0"]}]}]}}"#;

    fn read_as(log: &str, request: &ReadRequest) -> (Vec<Flow>, SourceStats) {
        testing::read(|input| AzureReader::open(input, "log", request), log.as_bytes())
    }

    fn read(log: &str) -> (Vec<Flow>, SourceStats) {
        read_as(log, &ReadRequest::default())
    }

    /// What a row has in these fields, as text.
    fn row(flow: &Flow, fields: &[Field]) -> String {
        let texts: Vec<_> = fields.iter().map(|&field| flow.get(field).to_string()).collect();
        texts.join(" ")
    }

    const KEY: [Field; 5] = [Field::SrcAddr, Field::SrcPort, Field::DstAddr, Field::DstPort, Field::Protocol];

    #[test]
    fn tuples_of_security_groups_are_rows() {
        let (flows, stats) = read(&format!("{{\"records\":[{GROUP}]}}"));
        let what =
            [Field::First, Field::Last, Field::FlowState, Field::Action, Field::Direction, Field::Rule];
        let found: Vec<_> = flows.iter().map(|flow| row(flow, &what)).collect();
        assert_eq!(
            found,
            [
                "2017-05-02T22:25:38.000Z 2017-05-02T22:25:38.000Z begin ACCEPT ingress R1",
                "2017-05-02T22:25:38.000Z 2017-05-02T22:30:38.000Z continue ACCEPT ingress R1",
                "2017-05-02T22:30:38.000Z 2017-05-02T22:31:03.000Z end ACCEPT ingress R1",
                "2017-05-02T22:26:40.000Z 2017-05-02T22:26:40.000Z begin REJECT egress R2",
            ]
        );
        assert_eq!(row(&flows[1], &KEY), "185.170.185.105 35370 10.2.0.4 23 6");
        assert_eq!(row(&flows[3], &KEY), "10.2.0.4 1 10.2.0.5 53 17");
        let around = [Field::Account, Field::Interface, Field::LogVersion, Field::Received];
        assert_eq!(
            row(&flows[0], &around),
            "S-1 000D3AF87856 2 2018-11-13T12:00:35.389Z".replace(".389Z", ".389926200Z")
        );
        assert_eq!(flows[3].get(Field::Interface).text(), Some("000D3AF87857"), "the inner name counts");
        let unknown: Vec<_> = flows[0].unknown.iter().map(|(name, text)| (&**name, &**text)).collect();
        let category = "NetworkSecurityGroupFlowEvent";
        let operation = "NetworkSecurityGroupFlowEvents";
        assert_eq!(unknown, [("category", category), ("operationName", operation), ("systemId", "s1")]);
        assert_eq!((stats.records, stats.flows, stats.bad_records, stats.problems.total()), (4, 4, 0, 0));
    }

    /// The example of the documentation: 1021 + 52 packets one way, 8005 + 47 the other.
    #[test]
    fn counters_since_the_tuple_before_add_up() {
        let (flows, _) = read(GROUP);
        assert_eq!(flows.iter().map(Flow::packets).sum::<u64>(), 9125);
        assert_eq!(flows.iter().map(Flow::bytes).sum::<u64>(), 588_096 + 29_952 + 4_610_880 + 27_072);
        assert_eq!((flows[1].forward.packets, flows[1].reverse.packets), (Some(1021), Some(8005)));
        for flow in [&flows[0], &flows[3]] {
            assert_eq!((flow.forward.packets, flow.reverse.bytes), (None, None));
            assert_eq!(flow.get(Field::Packets), Value::Absent);
        }
    }

    #[test]
    fn tuples_of_networks_are_rows() {
        let (flows, stats) = read(NETWORK);
        let what = [
            Field::First,
            Field::Last,
            Field::FlowState,
            Field::Action,
            Field::InPackets,
            Field::OutBytes,
            Field::Encryption,
            Field::RejectReason,
            Field::Rule,
        ];
        let found: Vec<_> = flows.iter().map(|flow| row(flow, &what)).collect();
        assert_eq!(
            found,
            [
                "2022-09-14T09:00:03.599Z 2022-09-14T09:00:03.599Z begin ACCEPT - - 1 - web",
                "2022-09-14T09:00:03.599Z 2022-09-14T09:00:03.606Z end ACCEPT 3 1580 0 - web",
                "2022-09-14T08:59:58.065Z 2022-09-14T08:59:58.065Z deny REJECT - - 0 NX_NOT_ACCEPTED unspecified",
            ]
        );
        assert_eq!(row(&flows[2], &KEY), "101.33.218.153 0 10.0.0.6 0 1");
        let around = [Field::Account, Field::Vpc, Field::Interface, Field::LogVersion];
        assert_eq!(row(&flows[2], &around), "S-2 net 00224871C205 4");
        let unknown: Vec<_> = flows[1].unknown.iter().map(|(name, text)| (&**name, &**text)).collect();
        let category = ("category", "FlowLogFlowEvent");
        let log = ("flowLogResourceID", "/SUBSCRIPTIONS/S-2/X");
        assert_eq!(unknown, [("aclID", "A1"), category, ("flowEncryption", "NX_FALLBACK"), log]);
        assert_eq!((stats.records, stats.problems.total()), (3, 0));
    }

    #[test]
    fn records_come_in_every_shape() {
        let (expected, _) = read(NETWORK);
        let pretty = format!("{:#}", NETWORK.parse::<serde_json::Value>().unwrap());
        for log in [
            format!("\u{feff}{{\"records\":[{NETWORK}]}}"),
            format!("{NETWORK}\r\n"),
            format!("[{pretty}]"),
            format!("{{\n\"records\": [\n{pretty}\n]\n}}\n"),
        ] {
            assert!(looks_like_log(log.as_bytes()), "{log}");
            assert_eq!(read(&log).0, expected, "{log}");
        }
        let flat = |n: usize, tuple: &str| {
            format!(
                r#"{{"time":"2022-09-14T09:00:52Z","flowLogVersion":4,"macAddress":"00224871C205","aclID":"A1","rule":"web","flow.{n}":"{tuple}"}}"#
            )
        };
        let [begin, end] = [
            "1663146003599,10.0.0.6,52.239.184.180,23956,443,6,O,B,X,0,0,0,0",
            "1663146003606,10.0.0.6,52.239.184.180,23956,443,6,O,E,NX_FALLBACK,3,767,2,1580",
        ];
        let log = format!("{}\n{}\n", flat(0, begin), flat(17, end));
        assert!(looks_like_log(log.as_bytes()));
        for (found, expected) in read(&log).0.iter().zip(&expected) {
            for field in
                [Field::First, Field::Last, Field::Bytes, Field::Rule, Field::Interface, Field::LogVersion]
            {
                assert_eq!(found.get(field), expected.get(field), "{field}");
            }
        }
    }

    #[test]
    fn bad_tuples_are_told_and_the_others_used() {
        let bad = GROUP.replacen("35370", "70000", 1).replacen(",52,29952,47,27072", "", 1);
        let (flows, stats) = read(&format!("{GROUP}\n{bad}\n{GROUP}\n"));
        let messages: Vec<_> = stats.problems.kept().iter().map(ToString::to_string).collect();
        assert_eq!((flows.len(), stats.records, stats.bad_records), (10, 10, 2));
        let expected = [
            "log: line 2: tuple 1: source port: \"70000\" is larger than 65535",
            "log: line 2: tuple 3: 9 parts; tuples have 8 or 13",
        ];
        assert_eq!(messages, expected);
        let (flows, stats) = read(&NETWORK.replacen("\"unspecified\"", "unspecified", 1));
        assert_eq!((flows.len(), stats.bad_records), (2, 1), "what stands before the error is read");
    }

    #[test]
    fn records_without_tuples_are_counted_too() {
        let empty = r#"{"category":"FlowLogFlowEvent","macAddress":"M","flowRecords":{"flows":[]}}"#;
        let other = r#"{"category":"Administrative","x":{"flows":[]}}"#;
        let log = format!("{{\"records\":[{NETWORK},{empty},{other},{{}}]}}");
        let (flows, stats) = read(&log);
        assert_eq!((flows.len(), stats.records, stats.nodata, stats.bad_records), (3, 4, 1, 0));
        let others: Vec<_> = stats.unknown_parts.into_iter().collect();
        let expected = ["JSON values that have no flow tuples", "records of the category Administrative"];
        assert_eq!(others, expected.map(|what| (what.to_owned(), 1)));
        let request = ReadRequest { status_rows: true, ..ReadRequest::default() };
        let (flows, _) = read_as(&log, &request);
        assert_eq!(row(&flows[3], &[Field::LogStatus, Field::Interface, Field::SrcAddr]), "NODATA M -");
    }

    #[test]
    fn more_tuples_than_a_batch_holds_are_handed_out() {
        let tuple = "\"1542110379,10.5.16.4,13.67.143.117,59932,443,T,O,A,E,1,66,1,66\",";
        let count = 2 * BATCH_ROWS + 5;
        let log = format!("{{\"rule\":\"R\",\"flowTuples\":[{}\"\"]}}{NETWORK}", tuple.repeat(count));
        let (flows, stats) = read(&log);
        assert_eq!((flows.len(), stats.flows as usize, stats.bad_records), (count + 3, count + 3, 1));
        assert!(flows[..count].iter().all(|flow| flow.get(Field::Rule).text() == Some("R")));
    }

    #[test]
    fn only_what_is_wanted_is_read() {
        let fields = FieldSet::from([Field::InBytes]);
        let request = ReadRequest { fields, unknown_columns: false, ..ReadRequest::default() };
        for flow in read_as(&format!("{GROUP}{NETWORK}"), &request).0 {
            let mut only = Flow::default();
            only.forward.bytes = flow.forward.bytes;
            assert_eq!(flow, only);
        }
    }

    #[test]
    fn an_object_that_contradicts_itself_is_told_once() {
        let log = GROUP.replace("\"rule\":\"R1\"", "\"rule\":\"R1\",\"x.rule\":\"R2\"").repeat(3);
        let (flows, stats) = read(&log);
        assert_eq!((flows[0].get(Field::Rule).text(), stats.problems.total()), (Some("R1"), 1));
    }

    #[test]
    fn texts_that_would_be_said_of_every_tuple_are_bounded() {
        let tuples = "\"1542110379,10.5.16.4,13.67.143.117,59932,443,T,O,A\",".repeat(BATCH_ROWS) + "\"\"";
        let many: String = (0..40).map(|n| format!("\"n{n}\":\"x\",")).collect();
        for around in
            [format!("{many}\"o\":{{{many}"), format!("\"rule\":\"{}\",\"o\":{{", "x".repeat(1 << 20))]
        {
            let (flows, stats) = read(&format!("{{{around}\"flowTuples\":[{tuples}]}}}}"));
            assert_eq!((flows.len(), stats.bad_records, stats.problems.total()), (BATCH_ROWS, 1, 2));
            assert!(flows[0].unknown.len() <= 64);
        }
    }

    #[test]
    fn what_is_too_short_for_a_tuple_is_counted_and_not_kept() {
        let good = "1542110379,10.5.16.4,13.67.143.117,59932,443,T,O,A,E,1,66,1,66";
        let log = format!("{{\"flowTuples\":[{}\"{good}\",\"x,x,x,x,x,x,x,x,x\"]}}", "\"\",".repeat(100_000));
        let (flows, stats) = read(&log);
        assert_eq!((flows.len(), stats.bad_records, stats.problems.total()), (1, 100_001, 100_001));
        assert_eq!(stats.problems.kept().len(), 10);
        assert_eq!(
            stats.problems.kept()[9].to_string(),
            "log: line 1: tuple 10: \"\" is too short for a tuple"
        );
        let none = r#"{"category":"FlowLogFlowEvent","flows":[{"flowTuples":["x"]}]}"#;
        let (_, stats) = read(none);
        assert_eq!((stats.nodata, stats.bad_records, stats.unknown_parts.len()), (0, 1, 0));
    }

    #[test]
    fn things_said_of_tuples_are_bounded_in_all() {
        let object = |n: usize| {
            let said: String = (0..60).map(|k| format!("\"n{k}\":{n},")).collect();
            format!("{{{said}\"flowTuples\":[\"1542110379,10.5.16.4,13.67.143.117,59932,443,T,O,A\"]}}")
        };
        let objects: Vec<_> = (0..5000).map(object).collect();
        let (flows, stats) = read(&format!("{{\"flows\":[{}]}}", objects.join(",")));
        assert_eq!((flows.len(), stats.bad_records, stats.problems.total()), (5000, 0, 1));
        assert_eq!(flows.iter().map(|flow| flow.unknown.len()).sum::<usize>(), 1 << 18);
    }

    proptest! {
        #[test]
        fn any_change_is_read_or_refused(at in 0_usize..NETWORK.len(), cut in 0_usize..40, junk in "[\\[\\]{}\",:0-9A-Z]{0,4}") {
            let end = (at + cut).min(NETWORK.len());
            let changed = format!("{}{junk}{}", &NETWORK[..at], &NETWORK[end..]);
            let (flows, stats) = read(&format!("{GROUP}\n{changed}\n{GROUP}\n"));
            prop_assert_eq!(flows.len() as u64, stats.flows);
            prop_assert_eq!(stats.records, stats.flows + stats.nodata);
            prop_assert!(flows.len() >= 4);
            prop_assert_eq!(&flows[..4], &read(GROUP).0[..]);
        }
    }
}
