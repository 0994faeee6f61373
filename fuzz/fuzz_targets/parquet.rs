//! Fuzz target: see `flow_tests::fuzz::parquet`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flow_tests::fuzz::parquet(data));
