//! Turns packet captures into bidirectional flow records.
//!
//! ```no_run
//! use flowcore::{FlowBatch, FlowSource};
//! use pcap2flow::{Converter, MeterOptions};
//!
//! let mut converter = Converter::open("investigate.pcap", &MeterOptions::default())?;
//! let mut batch = FlowBatch::new();
//! while converter.read_batch(&mut batch)? {
//!     for row in 0..batch.len() {
//!         println!("{:?}", batch.flow(row));
//!     }
//! }
//! let stats = converter.stats();
//! assert_eq!(stats.frames, stats.frames_used + stats.skipped());
//! # Ok::<(), flowcore::Error>(())
//! ```
//!
//! The stages are public for programs that bring their own packets: [`capture`] finds frames in bytes, [`packet`]
//! finds the IP packet in a frame, [`table`] joins packets to flows. None of them opens a file or reads a clock.
//!
//! A [`Converter`] works in the thread that calls it; [`Converter::on_threads`] spreads the same work over several.

pub mod capture;
pub mod packet;
pub mod table;

mod converter;
mod duplicates;
mod options;
mod packet_filter;

pub use converter::{Converter, InputAccount, Stopper, capture_opener};
pub use options::{DuplicateWindow, KeyParts, MeterOptions, TunnelMode};
pub use packet_filter::check_packet_filter;
