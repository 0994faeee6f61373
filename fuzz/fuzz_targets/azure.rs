//! Fuzz target: see `flow_tests::fuzz::azure`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flow_tests::fuzz::azure(data));
