//! Flows that the benches of this crate read: the same every time, of as many sources as asked for.

use flowcore::{Addr, Field, FlowBatch, Timestamp};
use std::net::Ipv4Addr;

/// Rows of a batch, as readers hand them out.
pub(crate) const ROWS: usize = 8_192;

/// Batches whose sources, ports and sizes are spread evenly.
pub(crate) fn batches(rows: usize, sources: u64) -> Vec<FlowBatch> {
    let mut bits = bits();
    let mut batch_of = |rows: usize| {
        let mut batch = FlowBatch::new();
        for row in 0..rows {
            let start = Timestamp::from_nanos(1_700_000_100_000_000_000 + row as i64 * 1_000_000);
            batch.set_time(Field::First, start);
            batch.set_time(Field::Last, start);
            let src = Ipv4Addr::from(0x0a00_0000 | (bits() % sources) as u32);
            batch.set_addr(Field::SrcAddr, Addr::from(src));
            batch.set_addr(Field::DstAddr, Addr::from(Ipv4Addr::from(0xc633_0000 | (bits() % 1_000) as u32)));
            batch.set_number(Field::SrcPort, 1_024 + bits() % 60_000);
            batch.set_number(Field::DstPort, bits() % 1_000);
            batch.set_number(Field::Protocol, if bits().is_multiple_of(5) { 17 } else { 6 });
            let packets = 1 + bits() % 10;
            batch.set_number(Field::InPackets, packets);
            batch.set_number(Field::InBytes, packets * (40 + bits() % 1_400));
            batch.end_row();
        }
        batch
    };
    (0..rows.div_ceil(ROWS)).map(|number| batch_of(ROWS.min(rows - number * ROWS))).collect()
}

/// Xorshift: a bench needs no better numbers, but the same ones every time.
fn bits() -> impl FnMut() -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}
