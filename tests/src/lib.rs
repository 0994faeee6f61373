//! What the end-to-end tests of the workspace share: builders of packets, captures and cloud flow logs, the
//! laboratory made from them (`testdata/lab`), and a small harness that runs our binaries.
//!
//! But for [`fuzz`], [`accuracy`], [`nfdump`], [`language`] and [`labelled`], nothing here uses the crates under test,
//! so that an error in them cannot hide in their own expected results.
//! Functions of the [`harness`] panic when something is missing or wrong: that is how a test fails.

#![forbid(unsafe_code)]

pub mod accuracy;
pub mod capture;
pub mod clock;
pub mod flood;
pub mod fuzz;
pub mod harness;
pub mod lab;
pub mod labelled;
pub mod language;
pub mod nfdump;
pub mod packet;
pub mod rng;
pub mod traffic;
pub mod vantage;
pub mod vpclog;
