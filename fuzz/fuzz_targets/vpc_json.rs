//! Fuzz target: see `flow_tests::fuzz::vpc_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flow_tests::fuzz::vpc_json(data));
