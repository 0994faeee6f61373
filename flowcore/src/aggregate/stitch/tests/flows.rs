//! Flows of captures: parts of one that follow each other, and those that began before.

use proptest::prelude::*;

use super::*;

/// A flow of a capture: flags of both ways, first and last second, bytes of both ways, why it ended.
fn flow(src: (&str, u16), dst: (&str, u16), flags: u64, times: (i64, i64), reason: EndReason) -> Flow {
    let mut flow = with(row(src, dst, flags, times, 10), Field::Action, Value::Absent);
    flow.reverse.bytes = Some(20);
    flow.end_reason = Some(reason);
    flow
}

#[test]
fn parts_of_a_flow_are_one_connection() {
    use EndReason::{ActiveTimeout, EndOfFlow, ForcedEnd, IdleTimeout};
    let parts = [
        flow(CLIENT, SERVER, 0x02, (0, 300), ActiveTimeout),
        // The server went on.
        flow(SERVER, CLIENT, 0x10, (301, 600), IdleTimeout),
        flow(CLIENT, SERVER, 0x11, (700, 710), EndOfFlow),
        // The same ports again, and a part of it that is in two captures.
        flow(CLIENT, SERVER, 0x12, (720, 800), ForcedEnd),
        flow(CLIENT, SERVER, 0x12, (720, 800), ForcedEnd),
    ];
    let joined = stitched(Connections::new(), &parts);
    let numbers: Vec<Numbers> = joined.iter().map(numbers).collect();
    let of = |to, back, flows| (Some(50_000), Some(443), Some(to), Some(back), Some(flows));
    assert_eq!(numbers, [of(40, 50, 3), of(10, 20, 1), of(10, 20, 1)]);
    assert_eq!(joined[0].end_reason, Some(EndOfFlow), "as its last part");
    assert_eq!((seconds(joined[0].first), seconds(joined[0].last)), (0, 710));
    assert_eq!(stitched(Connections::new().max_gap(60), &parts).len(), 4, "a pause of 100 s");

    let datagrams = [(0, 300, ActiveTimeout), (300, 400, IdleTimeout), (460, 500, IdleTimeout)].map(
        |(first, last, reason)| {
            with(flow(CLIENT, SERVER, 0, (first, last), reason), Field::Protocol, Some(17))
        },
    );
    assert_eq!(stitched(Connections::new(), &datagrams).len(), 2, "what was idle is another flow");
}

#[test]
fn a_flow_that_began_before_its_capture_is_told_by_its_ports() {
    let ports = |src, dst, flags, protocol: u64| {
        let flow = flow(src, dst, flags, (0, 9), EndReason::ForcedEnd);
        let joined = stitched(Connections::new(), &[with(flow, Field::Protocol, Some(protocol))]);
        (joined[0].key.src_port.unwrap(), joined[0].forward.bytes.unwrap())
    };
    assert_eq!(ports(SERVER, CLIENT, 0x18, 6), (50_000, 20));
    assert_eq!(ports(CLIENT, SERVER, 0x18, 6), (50_000, 10));
    assert_eq!(ports(SERVER, CLIENT, 0x1a, 6), (443, 10), "its SYN was seen");
    assert_eq!(ports(SERVER, CLIENT, 0x04, 6), (443, 10), "an answer to nothing, or a scan");
    assert_eq!(ports(SERVER, CLIENT, 0, 17), (443, 10), "UDP has no beginning to be missed");
    assert_eq!(ports(("10.0.0.1", 50_001), CLIENT, 0x18, 6), (50_001, 10));
}

fn any_flow() -> impl Strategy<Value = Flow> {
    let ends = prop::sample::select(vec![(CLIENT, SERVER), (SERVER, CLIENT), (CLIENT, ("10.0.0.1", 50_001))]);
    let flags = prop::sample::select(vec![0_u64, 2, 0x10, 0x12, 0x11, 4]);
    let reason = prop::sample::select(vec![EndReason::IdleTimeout, EndReason::ActiveTimeout]);
    (ends, flags, (0_i64..60, 0_i64..9), reason, prop::sample::select(vec![6_u64, 17])).prop_map(
        |((src, dst), flags, (first, long), reason, protocol)| {
            with(flow(src, dst, flags, (first, first + long), reason), Field::Protocol, Some(protocol))
        },
    )
}

proptest! {
    /// Joined or not, no flow is lost, and the order of rows says nothing.
    #[test]
    fn flows_of_captures_are_all_counted(flows in prop::collection::vec(any_flow(), 0..40)) {
        let joined = stitched(Connections::new().max_gap(3), &flows);
        let sums = |flows: &[Flow]| {
            let bytes = |flow: &Flow| flow.forward.bytes.unwrap() + flow.reverse.bytes.unwrap();
            let rows = |flow: &Flow| flow.get(Field::Flows).number().unwrap_or(1);
            (flows.iter().map(bytes).sum::<u64>(), flows.iter().map(rows).sum::<u64>())
        };
        prop_assert_eq!(sums(&joined), sums(&flows));
        let mut reversed = flows;
        reversed.reverse();
        prop_assert_eq!(stitched(Connections::new().max_gap(3), &reversed), joined);
    }
}
