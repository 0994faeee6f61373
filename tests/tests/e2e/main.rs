//! End-to-end tests: each runs our binaries as a user does. One module per theme.

mod aggregation;
mod capture_filters;
mod clouds;
mod columns;
mod completeness;
mod corpus;
mod correlate;
mod duckdb;
mod errors;
mod examples;
mod filter_errors;
mod filter_files;
mod fuzz_replay;
mod help;
mod hostile_logs;
mod inputs;
mod investigate;
mod investigate_browser;
mod investigate_corpus;
mod investigate_forms;
mod lab;
mod memory;
mod metering_input;
mod metering_nfdump;
mod metering_options;
mod metering_output;
#[cfg(unix)]
mod metering_signals;
mod metering_threads;
mod nfdump_cli;
mod nfdump_lzo;
mod nfdump_manual;
mod options;
mod outputs;
mod parquet;
mod payload_tls;
mod peers;
mod same_records;
mod series;
mod statistics;
mod stitch;
mod two_readings;
mod vpc_forms;
mod vpc_lab;
mod window;

use serde_json::Value;

/// The sum of a number over records; absent numbers count as none.
fn sum(records: &[Value], key: &str) -> u64 {
    records.iter().map(|record| record[key].as_u64().unwrap_or(0)).sum()
}

/// Packets of both directions.
fn packets(records: &[Value]) -> u64 {
    sum(records, "in_packets") + sum(records, "out_packets")
}

/// Bytes of both directions.
fn bytes(records: &[Value]) -> u64 {
    sum(records, "in_bytes") + sum(records, "out_bytes")
}

/// A time of a record without the zeros that may end its fraction, so that times of all precisions compare as text.
fn time(record: &Value, key: &str) -> String {
    let text = record[key].as_str().unwrap_or_else(|| panic!("no time {key} in {record}"));
    without_zeros(text)
}

fn without_zeros(time: &str) -> String {
    let time = time.strip_suffix('Z').unwrap_or_else(|| panic!("{time} does not say that it is UTC"));
    match time.split_once('.') {
        Some((seconds, fraction)) if fraction.bytes().all(|digit| digit == b'0') => format!("{seconds}Z"),
        Some(_) => format!("{}Z", time.trim_end_matches('0')),
        None => format!("{time}Z"),
    }
}
