//! Latency of both ends, retransmissions and reordering of TCP.

use super::*;

fn measured() -> MeterOptions {
    MeterOptions { tcp_quality: true, ..MeterOptions::default() }
}

fn segment(from_client: bool, letters: &str, seq: u32, payload_len: u32) -> Packet {
    let mut packet = tcp(from_client, letters, seq, 101);
    if let Some(tcp) = &mut packet.tcp {
        tcp.payload_len = payload_len;
    }
    packet
}

/// Server, client and application latency in milliseconds.
fn latency(flow: &Flow) -> [Option<u64>; 3] {
    [Field::ServerLatency, Field::ClientLatency, Field::AppLatency]
        .map(|field| number(flow, field).map(|nanos| (nanos + 500_000) / 1_000_000))
}

/// In and out retransmissions, in and out segments out of order.
fn segments(flow: &Flow) -> [Option<u64>; 4] {
    [Field::InRetransmits, Field::OutRetransmits, Field::InOutOfOrder, Field::OutOutOfOrder]
        .map(|field| number(flow, field))
}

#[test]
fn latency_is_taken_once_at_the_first_changes_of_direction() {
    let packets = [
        (0.000, segment(true, "S", 100, 0)),
        (0.020, segment(false, "SA", 500, 0)),
        (0.025, segment(true, "A", 101, 0)),
        (0.026, segment(true, "AP", 101, 10)),
        (0.076, segment(false, "AP", 501, 10)),
        (0.276, segment(true, "AP", 111, 10)),
        (0.976, segment(false, "AP", 511, 10)),
    ];
    let flows = meter(&measured(), packets.clone());
    assert_eq!(latency(&flows[0]), [Some(20), Some(5), Some(50)]);
    assert_eq!(segments(&flows[0]), [Some(0); 4]);
    let both = meter(&MeterOptions { uniflow: true, ..measured() }, packets.clone());
    assert_eq!(both.iter().map(latency).collect::<Vec<_>>(), vec![[Some(20), Some(5), Some(50)]; 2]);
    assert_eq!(segments(&both[1]), [Some(0), None, Some(0), None]);
    let without = meter_default(packets);
    assert_eq!((latency(&without[0]), segments(&without[0])), ([None; 3], [None; 4]));
}

#[test]
fn latency_is_what_was_measured_and_never_negative() {
    let open = [(0.0, segment(true, "S", 100, 0)), (0.02, segment(false, "SA", 500, 0))];
    assert_eq!(latency(&meter(&measured(), open)[0]), [Some(20), None, None]);
    let back = [
        (1.0, segment(true, "S", 100, 0)),
        (0.9, segment(false, "SA", 500, 0)),
        (1.1, segment(true, "A", 101, 0)),
    ];
    assert_eq!(latency(&meter(&measured(), back)[0]), [None, Some(200), None]);
    // The SYN is missing, or was captured behind its answer.
    let unasked = [
        (0.0, segment(false, "SA", 500, 0)),
        (0.005, segment(true, "A", 101, 0)),
        (0.05, segment(false, "A", 501, 1)),
    ];
    assert_eq!(latency(&meter(&measured(), unasked)[0]), [None, Some(5), Some(45)]);
    let swapped = [
        (0.01, segment(false, "SA", 500, 0)),
        (0.0, segment(true, "S", 100, 0)),
        (0.03, segment(true, "A", 101, 0)),
    ];
    assert_eq!(latency(&meter(&measured(), swapped)[0]), [Some(10), Some(20), None]);
    let udp =
        meter(&measured(), [(0.0, udp((CLIENT, 1), (SERVER, 2))), (0.1, udp((SERVER, 2), (CLIENT, 1)))]);
    assert_eq!((latency(&udp[0]), segments(&udp[0])), ([None; 3], [None; 4]));
}

#[test]
fn a_repeated_syn_counts_from_the_first_one() {
    let flows = meter(
        &measured(),
        [
            (0.0, segment(true, "S", 100, 0)),
            (1.0, segment(true, "S", 100, 0)),
            (1.02, segment(false, "SA", 500, 0)),
            (1.021, segment(true, "A", 101, 0)),
        ],
    );
    assert_eq!(latency(&flows[0]), [Some(1020), Some(1), None]);
    assert_eq!(segments(&flows[0]), [Some(1), Some(0), Some(0), Some(0)]);
}

#[test]
fn a_hole_is_filled_by_reordering_within_the_round_trip() {
    let handshake = [
        (0.0, segment(true, "S", 99, 0)),
        (0.020, segment(false, "SA", 500, 0)),
        (0.025, segment(true, "A", 100, 0)),
        (0.03, segment(true, "A", 150, 50)),
    ];
    let filled = |time| {
        let flows =
            meter(&measured(), handshake.clone().into_iter().chain([(time, segment(true, "A", 100, 50))]));
        segments(&flows[0])
    };
    assert_eq!(filled(0.031), [Some(0), Some(0), Some(1), Some(0)]);
    assert_eq!(filled(0.054), [Some(0), Some(0), Some(1), Some(0)]);
    assert_eq!(filled(0.056), [Some(1), Some(0), Some(0), Some(0)]);
}

#[test]
fn a_record_that_goes_on_remembers_sequence_numbers_and_measures_no_latency() {
    let mut packets = vec![(0.0, segment(true, "S", 99, 0)), (0.1, segment(false, "SA", 500, 0))];
    packets.extend((1..400).map(|n| (f64::from(n), segment(true, "A", 100, 50))));
    packets.push((400.0, segment(false, "A", 501, 5)));
    let flows = meter(&measured(), packets);
    assert_eq!(flows.len(), 2);
    assert_eq!(latency(&flows[0]), [Some(100), Some(900), None]);
    assert_eq!(latency(&flows[1]), [None; 3]);
    assert_eq!(segments(&flows[0]), [Some(298), Some(0), Some(0), Some(0)]);
    assert_eq!(segments(&flows[1]), [Some(100), Some(0), Some(0), Some(0)]);
}

#[test]
fn what_was_measured_follows_a_flow_that_is_turned_round() {
    let flows = meter(
        &measured(),
        [
            (1.0, segment(false, "A", 500, 10)),
            (1.1, segment(false, "A", 500, 10)),
            (0.9, segment(true, "S", 100, 0)),
            (1.2, segment(true, "A", 101, 5)),
        ],
    );
    assert_eq!(segments(&flows[0]), [Some(0), Some(1), Some(0), Some(0)]);
    assert_eq!(latency(&flows[0]), [Some(100), Some(100), None]);
}
