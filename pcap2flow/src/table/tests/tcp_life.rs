//! How TCP connections begin and end.

use super::*;

#[test]
fn an_orderly_connection_is_one_flow_with_its_last_ack() {
    let flows = meter_default([
        (0.0, tcp(true, "S", 100, 0)),
        (0.1, tcp(false, "SA", 500, 101)),
        (0.2, tcp(true, "A", 101, 501)),
        (0.3, tcp(true, "AF", 101, 501)),
        (0.4, tcp(false, "AF", 501, 102)),
        (0.5, tcp(true, "A", 102, 502)),
    ]);
    assert_eq!(flows.len(), 1);
    let flow = &flows[0];
    assert_eq!((flow.key.src.to_string(), flow.key.dst_port), (CLIENT.into(), Some(80)));
    assert_eq!(packets_each_way(flow), (4, 2));
    assert_eq!(flow.end_reason, Some(EndReason::EndOfFlow));
    assert_eq!(flow.forward.flags.unwrap().to_string(), "...A..SF");
    assert_eq!(flow.reverse.flags.unwrap().to_string(), "...A..SF");
}

#[test]
fn the_answer_to_a_syn_seen_first_turns_the_flow_round() {
    let flows = meter_default([
        (0.0, tcp(false, "SA", 500, 101)),
        (0.1, tcp(true, "S", 100, 0)),
        (0.2, tcp(true, "A", 101, 501)),
    ]);
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0].key.src.to_string(), CLIENT);
    assert_eq!(packets_each_way(&flows[0]), (2, 1));
}

#[test]
fn a_connection_seen_from_its_middle_starts_with_its_first_packet() {
    let flows = meter_default([(0.0, tcp(false, "AP", 500, 101)), (0.1, tcp(true, "A", 101, 600))]);
    assert_eq!(flows[0].key.src.to_string(), SERVER);
    assert_eq!(flows[0].end_reason, Some(EndReason::ForcedEnd));
}

#[test]
fn a_new_syn_starts_a_new_flow_a_repeated_one_does_not() {
    let repeated =
        [(0.0, tcp(true, "S", 100, 0)), (1.0, tcp(true, "S", 100, 0)), (3.0, tcp(true, "S", 100, 0))];
    assert_eq!(meter_default(repeated).len(), 1);
    let renewed = [
        (0.0, tcp(true, "S", 100, 0)),
        (0.1, tcp(false, "RA", 0, 101)),
        (0.2, tcp(true, "S", 900, 0)),
        (0.3, tcp(false, "RA", 0, 901)),
    ];
    let flows = meter_default(renewed);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(1, 1), (1, 1)]);
    assert!(flows.iter().all(|flow| flow.end_reason == Some(EndReason::EndOfFlow)));
}

#[test]
fn a_simultaneous_open_is_one_flow() {
    let flows = meter_default([
        (0.0, tcp(true, "S", 100, 0)),
        (0.1, tcp(false, "S", 500, 0)),
        (0.2, tcp(true, "SA", 100, 501)),
        (0.3, tcp(false, "SA", 500, 101)),
    ]);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(2, 2)]);
}

#[test]
fn packets_after_the_linger_are_another_flow() {
    let flows = meter_default([
        (0.0, tcp(true, "A", 100, 1)),
        (0.1, tcp(false, "R", 1, 0)),
        (5.0, tcp(true, "A", 100, 1)),
        (5.2, tcp(true, "A", 100, 1)),
    ]);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(2, 1), (1, 0)]);
}

#[test]
fn a_syn_that_comes_late_turns_the_flow_round() {
    let macs = |from_client: bool| Some(if from_client { ([1; 6], [2; 6]) } else { ([2; 6], [1; 6]) });
    let with_macs = |from_client, packet| Packet { macs: macs(from_client), ..packet };
    for first in ["A", "AP"] {
        for syn_time in [0.9, 1.0] {
            let flows = meter_default([
                (1.0, with_macs(false, tcp(false, first, 501, 101))),
                (syn_time, with_macs(true, tcp(true, "S", 100, 0))),
                (1.1, with_macs(false, tcp(false, "SA", 500, 101))),
            ]);
            assert_eq!(flows.len(), 1);
            assert_eq!((flows[0].key.src.to_string(), flows[0].key.dst_port), (CLIENT.into(), Some(80)));
            assert_eq!(packets_each_way(&flows[0]), (1, 2));
            assert_eq!(flows[0].get(Field::SrcMac).number(), Some(0x0101_0101_0101));
            assert_eq!(flows[0].forward.flags.unwrap().to_string(), "......S.");
        }
    }
}

/// Three packets that open a connection at `time`, `seq` being the client's SYN.
fn handshake(time: f64, seq: u32) -> Vec<(f64, Packet)> {
    vec![
        (time, tcp(true, "S", seq, 0)),
        (time + 0.1, tcp(false, "SA", 500, seq + 1)),
        (time + 0.2, tcp(true, "A", seq + 1, 501)),
    ]
}

fn and(mut packets: Vec<(f64, Packet)>, more: impl IntoIterator<Item = (f64, Packet)>) -> Vec<(f64, Packet)> {
    packets.extend(more);
    packets
}

#[test]
fn a_simultaneous_close_is_one_flow_with_both_last_acks() {
    let close = [
        (1.0, tcp(true, "AF", 101, 501)),
        (1.01, tcp(false, "AF", 501, 101)),
        (1.1, tcp(true, "A", 102, 502)),
        (1.11, tcp(false, "A", 502, 102)),
    ];
    let flows = meter_default(and(handshake(0.0, 100), close));
    assert_eq!(counts(&flows), [(4, 3)]);
    assert_eq!(flows[0].end_reason, Some(EndReason::EndOfFlow));
}

#[test]
fn a_reset_ends_a_flow_and_late_data_within_the_linger_belongs_to_it() {
    let reset = and(handshake(0.0, 100), [(1.0, tcp(true, "R", 101, 0)), (5.9, tcp(false, "AP", 501, 101))]);
    let flows = meter_default(reset.clone());
    assert_eq!((counts(&flows), flows[0].end_reason), (vec![(3, 2)], Some(EndReason::EndOfFlow)));
    let flows = meter_default(and(reset, [(6.0, tcp(false, "AP", 501, 101))]));
    assert_eq!(counts(&flows), [(3, 2), (1, 0)]);
    assert_eq!(flows[1].key.src.to_string(), SERVER, "the beginning is not known any more");
}

#[test]
fn a_syn_without_an_answer_is_one_flow_however_often_it_is_sent() {
    let flows = meter_default([0.0, 1.0, 3.0, 7.0, 15.0, 31.0].map(|time| (time, tcp(true, "S", 100, 0))));
    assert_eq!((counts(&flows), flows[0].end_reason), (vec![(6, 0)], Some(EndReason::ForcedEnd)));
    assert_eq!(flows[0].reverse.flags.unwrap().to_string(), "........");
}

#[test]
fn a_half_closed_connection_goes_on_until_the_other_side_is_done() {
    let mut packets = and(handshake(0.0, 100), [(1.0, tcp(true, "AF", 101, 501))]);
    packets.extend((2..200).map(|n| (f64::from(n), tcp(false, "AP", 501 + n, 102))));
    packets.push((200.0, tcp(false, "AF", 1000, 102)));
    packets.push((200.1, tcp(true, "A", 102, 1001)));
    let flows = meter_default(packets);
    assert_eq!(counts(&flows), [(4, 200)]);
    assert_eq!(flows[0].end_reason, Some(EndReason::EndOfFlow));
}

#[test]
fn a_new_syn_on_an_established_or_lingering_flow_begins_another_at_once() {
    let again = and(handshake(0.0, 100), handshake(0.5, 900));
    assert_eq!(counts(&meter_default(again)), [(2, 1), (2, 1)]);
    let closed = [(0.3, tcp(true, "AF", 101, 501)), (0.4, tcp(false, "AF", 501, 102))];
    let reused = and(and(handshake(0.0, 100), closed), handshake(0.5, 900));
    let flows = meter_default(reused);
    assert_eq!(counts(&flows), [(3, 2), (2, 1)], "the port is used again within a second");
    assert_eq!(flows[0].last.unwrap().as_nanos(), secs(0.4));
}

#[test]
fn an_old_duplicate_syn_belongs_to_the_connection_it_opened() {
    let flows = meter_default(and(handshake(0.0, 100), [(0.3, tcp(true, "S", 100, 0))]));
    assert_eq!(counts(&flows), [(3, 1)]);
    // RFC 9293 §3.5, figure 8: a SYN of an earlier connection is answered, reset, and the present one tried again.
    let flows = meter_default([
        (0.0, tcp(true, "S", 90, 0)),
        (0.1, tcp(false, "SA", 300, 91)),
        (0.2, tcp(true, "R", 91, 0)),
        (0.3, tcp(true, "S", 100, 0)),
        (0.4, tcp(false, "SA", 400, 101)),
        (0.5, tcp(true, "A", 101, 401)),
    ]);
    assert_eq!(counts(&flows), [(2, 1), (2, 1)]);
    assert!(flows.iter().all(|flow| flow.key.src.to_string() == CLIENT));
}

#[test]
fn keep_alives_hold_a_flow_only_within_the_idle_timeout() {
    let every = |step: f64| {
        let probes = (1..4).map(move |n| f64::from(n) * step);
        probes.flat_map(|time| [(time, tcp(true, "A", 100, 501)), (time + 0.1, tcp(false, "A", 501, 101))])
    };
    assert_eq!(counts(&meter_default(and(handshake(0.0, 100), every(45.0)))), [(5, 4)]);
    let apart = [(2, 1), (1, 1), (1, 1), (1, 1)];
    assert_eq!(counts(&meter_default(and(handshake(0.0, 100), every(75.0)))), apart);
}

#[test]
fn repeated_fins_belong_to_the_connection_they_close() {
    let close = [
        (1.0, tcp(true, "AF", 101, 501)),
        (1.2, tcp(true, "AF", 101, 501)),
        (1.3, tcp(false, "AF", 501, 102)),
        (1.5, tcp(false, "AF", 501, 102)),
        (3.5, tcp(false, "AF", 501, 102)),
        (3.6, tcp(true, "A", 102, 502)),
    ];
    assert_eq!(counts(&meter_default(and(handshake(0.0, 100), close))), [(5, 4)]);
}

#[test]
fn data_in_a_syn_belongs_to_its_flow() {
    let syn = Packet { ip_bytes: 200, ..tcp(true, "S", 100, 0) };
    let flows = meter_default([(0.0, syn.clone()), (0.1, tcp(false, "SA", 500, 201)), (0.2, syn)]);
    assert_eq!((counts(&flows), flows[0].forward.bytes), (vec![(2, 1)], Some(400)));
}

#[test]
fn what_follows_the_end_of_a_connection_is_not_split_off_by_the_active_timeout() {
    let flows = meter_default(and(
        (0..3).map(|n| (f64::from(n) * 59.0, tcp(true, "A", 101, 501))).collect(),
        [(170.0, 101), (229.0, 101), (288.0, 101)]
            .map(|(time, seq)| (time, tcp(true, "A", seq, 501)))
            .into_iter()
            .chain([
                (299.8, tcp(true, "AF", 101, 501)),
                (299.9, tcp(false, "AF", 501, 102)),
                (300.0, tcp(true, "A", 102, 502)),
            ]),
    ));
    assert_eq!(counts(&flows), [(8, 1)]);
    assert_eq!(flows[0].end_reason, Some(EndReason::EndOfFlow));
}

#[test]
fn a_record_that_goes_on_knows_that_one_side_is_done() {
    let data = (1..10).map(|n| (f64::from(n) * 35.0, tcp(false, "A", 501, 102)));
    let flows = meter_default(
        std::iter::once((0.3, tcp(true, "AF", 101, 501)))
            .chain(data)
            .chain([(316.0, tcp(false, "AF", 501, 102)), (330.0, tcp(true, "A", 102, 502))]),
    );
    let reasons: Vec<_> = flows.iter().map(|flow| flow.end_reason.unwrap()).collect();
    assert_eq!(reasons[..2], [EndReason::ActiveTimeout, EndReason::EndOfFlow]);
    assert_eq!(counts(&flows), [(1, 8), (0, 2), (1, 0)]);
}

#[test]
fn answers_alone_tell_connections_apart() {
    let answers = [
        (0.0, tcp(false, "SA", 100, 51)),
        (0.1, tcp(false, "SA", 100, 51)),
        (0.2, tcp(false, "AF", 101, 60)),
        (0.3, tcp(false, "SA", 9000, 7001)),
        (0.4, tcp(false, "A", 9001, 7010)),
    ];
    assert_eq!(counts(&meter_default(answers)), [(0, 3), (0, 2)]);
    // Where the SYN was seen, a second answer with another number is an answer to it all the same.
    let answered_twice =
        [(0.0, tcp(true, "S", 50, 0)), (0.1, tcp(false, "SA", 100, 51)), (0.2, tcp(false, "SA", 9000, 51))];
    assert_eq!(counts(&meter_default(answered_twice)), [(1, 2)]);
}

#[test]
fn a_flow_ended_by_a_new_syn_says_so() {
    let flows = meter_default([(0.0, tcp(true, "S", 100, 0)), (0.001, tcp(true, "S", 900, 0))]);
    assert_eq!(flows[0].end_reason, Some(EndReason::EndOfFlow));
    let late = meter_default([(0.0, tcp(true, "S", 100, 0)), (100.0, tcp(true, "S", 900, 0))]);
    assert_eq!(late[0].end_reason, Some(EndReason::IdleTimeout));
}
