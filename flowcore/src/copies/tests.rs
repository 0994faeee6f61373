//! Copies of rows, case by case, and what holds for any rows.

use proptest::prelude::*;

use super::*;
use crate::record::{Flow, Timestamp, Value};

/// A row: interface, flow log, first and last second, bytes.
fn row(interface: &str, log: &str, times: (i64, i64), bytes: u64) -> Flow {
    let mut flow = Flow::default();
    (flow.key.src, flow.key.src_port) = ("10.0.0.1".parse().unwrap(), Some(50_000));
    (flow.key.dst, flow.key.dst_port) = ("10.0.0.2".parse().unwrap(), Some(443));
    flow.set(Field::Protocol, Value::Number(6));
    flow.first = Some(Timestamp::from_secs(times.0));
    flow.last = Some(Timestamp::from_secs(times.1));
    flow.forward.bytes = Some(bytes);
    flow.set(Field::Interface, interface.into());
    if !log.is_empty() {
        flow.set(Field::FlowLog, log.into());
    }
    flow
}

fn with(mut flow: Flow, field: Field, value: impl Into<Value>) -> Flow {
    flow.set(field, value.into());
    flow
}

fn batch(flows: &[Flow]) -> FlowBatch {
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    batch
}

/// The rows that stay.
fn rest(flows: &[Flow]) -> (Vec<Flow>, u64, u64) {
    let mut copies = Copies::new();
    for part in flows.chunks(3) {
        copies.add(&batch(part), &Mask::all(part.len())).unwrap();
    }
    let folded = copies.fold();
    let rows = |(batch, rest): (&FlowBatch, Mask)| rest.rows().map(|row| batch.flow(row)).collect::<Vec<_>>();
    (folded.batches().flat_map(rows).collect(), folded.copies(), folded.bytes())
}

fn stay(flows: &[Flow]) -> usize {
    rest(flows).0.len()
}

#[test]
fn rows_of_two_interfaces_are_paired_one_to_one() {
    let at = |interface: &str, start| row(interface, "", (start, start + 58), 1000);
    let (kept, copies, bytes) =
        rest(&[at("eni-b", 102), at("eni-a", 100), at("eni-a", 160), at("eni-b", 161)]);
    assert_eq!((copies, bytes), (2, 2000));
    assert_eq!(kept, [at("eni-a", 100), at("eni-a", 160)], "those of the first name, in their order");
    assert_eq!(stay(&[at("eni-a", 100), at("eni-b", 160)]), 1, "sixty seconds apart");
    assert_eq!(stay(&[at("eni-a", 100), at("eni-b", 161)]), 2, "more");
    // A row that one of them lacks stays.
    assert_eq!(
        stay(&[at("eni-a", 100), at("eni-a", 220), at("eni-b", 100), at("eni-b", 160), at("eni-b", 220)]),
        3
    );
    // A third interface writes the third copy.
    assert_eq!(stay(&[at("eni-a", 100), at("eni-b", 101), at("eni-c", 99)]), 1);
    // Equal times come before near ones.
    let shifted = [at("eni-a", 130), at("eni-b", 100), at("eni-b", 130)];
    assert_eq!(rest(&shifted).0, [at("eni-a", 130), at("eni-b", 100)]);
}

#[test]
fn what_differs_is_no_copy() {
    let (one, other) = (row("eni-a", "", (100, 110), 9), row("eni-b", "", (100, 110), 9));
    assert_eq!(stay(&[one.clone(), other.clone()]), 1);
    for (field, value) in [
        (Field::SrcPort, Value::Number(1)),
        (Field::Protocol, Value::Number(17)),
        (Field::Action, "REJECT".into()),
        (Field::DstAddr, Value::Addr("10.0.0.3".parse().unwrap())),
        (Field::PktDstAddr, Value::Addr("10.0.0.3".parse().unwrap())),
        (Field::Interface, Value::Absent),
        (Field::Interface, "eni-a".into()),
    ] {
        assert_eq!(stay(&[one.clone(), with(other.clone(), field, value)]), 2, "{field}");
    }
    // The address in the packet is told apart where it is another one only.
    let same = with(other.clone(), Field::PktDstAddr, Value::Addr(one.key.dst));
    assert_eq!(stay(&[one.clone(), same]), 1);
    // The answer is no copy of the question.
    let mut back = other;
    std::mem::swap(&mut back.key.src, &mut back.key.dst);
    std::mem::swap(&mut back.key.src_port, &mut back.key.dst_port);
    assert_eq!(stay(&[one, back]), 2);
}

#[test]
fn rows_of_one_interface_are_copies_in_two_flow_logs_only() {
    let of = |log| row("eni-a", log, (100, 110), 9);
    assert_eq!(stay(&[of("fl-1"), of("fl-2")]), 1);
    assert_eq!(stay(&[of("fl-1"), of("fl-1")]), 2);
    assert_eq!(stay(&[of(""), of("")]), 2, "no name tells");
    assert_eq!(stay(&[of(""), of("fl-1")]), 2, "it may be the same");
    assert_eq!(stay(&[of(""), of("fl-1"), of("fl-2")]), 2);
    assert_eq!(stay(&[of("fl-1"), of("fl-1"), of("fl-2"), of("fl-2"), of("fl-2")]), 3);
    assert_eq!(stay(&[of("fl-1"), row("eni-a", "fl-2", (100, 111), 9)]), 2);
    assert_eq!(stay(&[of("fl-1"), row("eni-a", "fl-2", (100, 110), 8)]), 2);
    // Two interfaces, each in two flow logs: one row in four stays.
    let at_b = |log| row("eni-b", log, (101, 110), 9);
    assert_eq!(stay(&[of("fl-1"), at_b("fl-1"), of("fl-2"), at_b("fl-2")]), 1);
}

#[test]
fn minutes_inside_ten_minutes_are_copies() {
    let long = row("eni-a", "", (0, 599), 10_000);
    let minutes: Vec<Flow> = (0..10).map(|n| row("eni-b", "", (n * 60, n * 60 + 58), 1000)).collect();
    assert_eq!(rest(&[std::slice::from_ref(&long), &minutes].concat()).0, std::slice::from_ref(&long));
    // The other way round all minutes stay, and the sum is the same.
    let renamed = with(long, Field::Interface, "eni-z");
    assert_eq!(rest(&[&[renamed.clone()][..], &minutes].concat()), (minutes, 1, 10_000));
    let later = row("eni-zz", "", (700, 720), 5);
    assert_eq!(stay(&[renamed, later]), 2);
}

#[test]
fn what_counts_alike_is_paired_before_what_is_near() {
    let minute = |interface: &str, start, bytes| row(interface, "", (start, start + 59), bytes);
    // One interface lacks a minute, and the times of the other one are shifted: the lacking minute stays.
    for shift in [0, 1, 20, 29, 30] {
        let at = |n: i64| (n * 60, if n == 3 { 1_000_000 } else { 500 });
        let one = (0..10).filter(|n| *n != 3).map(|n| minute("eni-1", at(n).0, at(n).1));
        let other = (0..10).map(|n| minute("eni-2", at(n).0 + shift, at(n).1));
        let (kept, copies, bytes) = rest(&one.chain(other).collect::<Vec<_>>());
        assert_eq!((kept.len(), copies, bytes), (10, 9, 4500), "{shift}");
        assert_eq!(kept.iter().filter_map(|flow| flow.forward.bytes).sum::<u64>(), 1_004_500);
    }
    // Nothing counts alike: the nearest are pairs, and the gap does not run down the line.
    let one = (0..10_u64).filter(|n| *n != 3).map(|n| minute("eni-1", n as i64 * 60, 1000 + n));
    let other = (0..10_u64).map(|n| minute("eni-2", n as i64 * 60 + 20, 2000 + n));
    let (kept, ..) = rest(&one.chain(other).collect::<Vec<_>>());
    assert_eq!(kept.last(), Some(&minute("eni-2", 200, 2003)));
    assert_eq!(kept.len(), 10);
    // Of equal times, equal counters come first.
    let [low, high] = [500, 1000].map(|bytes| minute("eni-2", 0, bytes));
    let own = minute("eni-1", 0, 1000);
    assert_eq!(rest(&[high, low.clone(), own.clone()]).0, [low, own]);
    // Flags that differ are of other packets, where both interfaces have them.
    let flags = |flow: Flow, flags: u64| with(flow, Field::InFlags, Some(flags));
    let (syn, fin) = (flags(minute("eni-1", 0, 60), 2), flags(minute("eni-2", 50, 60), 1));
    let same = flags(minute("eni-2", 1, 60), 2);
    assert_eq!(rest(&[syn.clone(), fin.clone(), same]).0, [syn.clone(), fin]);
    assert_eq!(stay(&[syn, minute("eni-2", 50, 60)]), 1, "one says nothing of flags");
}

#[test]
fn a_window_with_a_copy_has_no_parts() {
    let (one, other) = (row("eni-1", "", (0, 595), 5000), row("eni-2", "", (0, 595), 5000));
    let later = row("eni-2", "", (540, 590), 700);
    assert_eq!(rest(&[one.clone(), other, later.clone()]).0, [one.clone(), later.clone()]);
    assert_eq!(stay(&[one.clone(), later]), 1, "it is part of a window that has none");
    assert_eq!(stay(&[one.clone(), row("eni-2", "", (596, 640), 700)]), 2, "begins after it");
    assert_eq!(stay(&[one.clone(), row("eni-2", "", (-61, -3), 700)]), 2, "begins long before it");
    assert_eq!(stay(&[one.clone(), row("eni-2", "", (60, 110), 5001)]), 2, "is more than all of it");
    // Minutes that are not all there are no copy of the whole.
    let half: Vec<Flow> = (0..5).map(|n| row("eni-0", "", (n * 60, n * 60 + 59), 500)).collect();
    assert_eq!(rest(&[&half[..], std::slice::from_ref(&one)].concat()).1, 0);
}

#[test]
fn a_time_that_is_absent_is_not_guessed() {
    let row = |interface: &str, last: Option<i64>, bytes| {
        let mut flow = row(interface, "", (0, 0), bytes);
        (flow.first, flow.last) = (None, last.map(Timestamp::from_secs));
        flow
    };
    assert_eq!(stay(&[row("eni-1", Some(100), 500), row("eni-2", Some(900_000), 700)]), 2);
    assert_eq!(stay(&[row("eni-1", Some(100), 500), row("eni-2", Some(110), 500)]), 1);
    assert_eq!(stay(&[row("eni-1", None, 500), row("eni-2", None, 500)]), 2);
}

#[test]
fn many_observers_of_one_conversation_take_no_time() {
    // So many interfaces: one after the other, all in one minute, and all in the minute of an interface with as many rows.
    let name = |n: i64| format!("eni-{n:06}");
    let apart = (0..100_000).map(|n| row(&name(n), "", (n * 100, n * 100 + 50), 1000));
    let together = (0..100_000).map(|n| row(&name(n), "", (n % 60, 59), n as u64));
    let crowd =
        (0..100_000).map(|n| row(if n % 2 == 0 { "eni-0" } else { "eni-x" }, "", (n % 60, 59), n as u64));
    let alone = (0..50_000).map(|n| row(&name(n), "", (n % 60, 59), 7));
    let cases: [(Vec<Flow>, u64); 3] =
        [(apart.collect(), 0), (together.collect(), 99_999), (crowd.chain(alone).collect(), 100_000)];
    for (flows, expected) in cases {
        let mut copies = Copies::new();
        for part in flows.chunks(BATCH_ROWS) {
            copies.add(&batch(part), &Mask::all(part.len())).unwrap();
        }
        let start = std::time::Instant::now();
        assert_eq!(copies.fold().copies(), expected);
        let seconds = start.elapsed().as_secs_f64();
        // The machine may be busy: quadratic work would take minutes.
        assert!(seconds < 10.0, "{} rows took {seconds:.2} s", flows.len());
    }
}

#[test]
fn memory_counts_conversations_too() {
    let flows: Vec<Flow> =
        (0..2000_u64).map(|n| with(row("eni-a", "", (0, 9), 1), Field::SrcPort, Some(n))).collect();
    let memory = |flows: &[Flow]| {
        let mut copies = Copies::new();
        copies.add(&batch(flows), &Mask::all(flows.len())).unwrap();
        copies.memory()
    };
    let one = vec![flows[0].clone(); 2000];
    let pairing = 1999 * pair::BYTES_OF_A_ROW;
    assert!(memory(&flows) + pairing > memory(&one) + 1999 * size_of::<Key>());
}

#[test]
fn memory_has_a_limit_that_is_named() {
    let flows: Vec<Flow> = (0..2000).map(|n| row("eni-a", "", (n, n), 1)).collect();
    let error =
        Copies::new().max_memory(100_000).add(&batch(&flows), &Mask::all(2000)).unwrap_err().to_string();
    assert!(error.contains("2000 rows") && error.contains("100.0 kB"), "{error}");
    Copies::new().max_memory(1_000_000).add(&batch(&flows), &Mask::all(2000)).unwrap();
}

#[test]
fn the_estimate_is_exact_for_few_rows_and_near_for_many() {
    let flows: Vec<Flow> = (0..4000_u64)
        .map(|n| {
            with(row(["eni-a", "eni-b"][n as usize % 2], "", (100, 110), 7), Field::SrcPort, Some(n / 2))
        })
        .collect();
    let rows = batch(&flows);
    let mut exact = CopyEstimate::new();
    exact.add(&rows, &Mask::all(4000));
    assert_eq!(exact.finish(), LikelyCopies { records: 2000, bytes: 14_000, one_in: 1 });
    let mut sampled = CopyEstimate::of_rows(1000);
    for start in [0, 1000, 2000, 3000] {
        sampled.add(&rows, &Mask::from_fn(4000, |row| (start..start + 1000).contains(&row)));
    }
    let LikelyCopies { records, bytes, one_in } = sampled.finish();
    assert!(one_in > 1 && records.abs_diff(2000) < 500 && bytes == records * 7, "{records} {bytes} {one_in}");
    // One large conversation is sampled by hours.
    let hours: Vec<Flow> = (0..4000)
        .map(|n| row(["eni-a", "eni-b"][n as usize % 2], "", (n / 2 * 600, n / 2 * 600 + 58), 7))
        .collect();
    let mut sampled = CopyEstimate::of_rows(1000);
    sampled.add(&batch(&hours), &Mask::all(4000));
    let LikelyCopies { records, one_in, .. } = sampled.finish();
    assert!(one_in > 1 && records.abs_diff(2000) < 600, "{records} {one_in}");
    // Two flow logs of one interface are seen, and flags told apart.
    let of = |log, flags: u64| with(row("eni-a", log, (100, 110), 9), Field::InFlags, Some(flags));
    let mut exact = CopyEstimate::new();
    exact.add(&batch(&[of("fl-1", 2), of("fl-2", 2), of("fl-2", 1)]), &Mask::all(3));
    assert_eq!(exact.finish(), LikelyCopies { records: 1, bytes: 9, one_in: 1 });
    // Both ways of a two-way record are in its bytes.
    let of = |interface| with(row(interface, "", (100, 110), 9), Field::OutBytes, Some(5));
    let mut exact = CopyEstimate::new();
    exact.add(&batch(&[of("eni-a"), of("eni-b")]), &Mask::all(2));
    assert_eq!(exact.finish(), LikelyCopies { records: 1, bytes: 14, one_in: 1 });
    // A source that does not say who wrote its rows has no copies.
    let plain: Vec<Flow> =
        flows.iter().map(|flow| with(flow.clone(), Field::Interface, Value::Absent)).collect();
    let mut none = CopyEstimate::new();
    none.add(&batch(&plain), &Mask::all(4000));
    assert_eq!(none.finish(), LikelyCopies { records: 0, bytes: 0, one_in: 1 });
}

fn any_row() -> impl Strategy<Value = Flow> {
    let names = (
        prop::sample::select(vec!["eni-a", "eni-b", "eni-c"]),
        prop::sample::select(vec!["fl-1", "fl-2", ""]),
    );
    (names, 0_i64..300, prop::sample::select(vec![0_i64, 58, 599]), 0_u64..2, 0_u64..2).prop_map(
        |((interface, log), first, long, bytes, port)| {
            with(row(interface, log, (first, first + long), bytes), Field::SrcPort, Some(port))
        },
    )
}

proptest! {
    #[test]
    fn what_stays_does_not_depend_on_the_order(flows in prop::collection::vec(any_row(), 0..40)) {
        let sorted = |flows: &[Flow]| {
            let mut kept: Vec<String> = rest(flows).0.iter().map(|flow| format!("{flow:?}")).collect();
            kept.sort();
            kept
        };
        let kept = sorted(&flows);
        let mut reversed = flows.clone();
        reversed.reverse();
        prop_assert_eq!(sorted(&reversed), kept.clone());
        let (rest, copies, _) = rest(&flows);
        prop_assert_eq!(rest.len() as u64 + copies, flows.len() as u64);
        // Each interface with rows has somebody who speaks for them.
        prop_assert_eq!(rest.is_empty(), flows.is_empty());
    }

    #[test]
    fn one_interface_and_one_log_lose_nothing(flows in prop::collection::vec(any_row(), 0..40)) {
        let alike = |flow: &Flow| with(with(flow.clone(), Field::Interface, "eni-a"), Field::FlowLog, Value::Absent);
        let flows: Vec<Flow> = flows.iter().map(alike).collect();
        prop_assert_eq!(rest(&flows).0, flows);
    }
}
