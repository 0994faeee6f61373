//! One flow record for packet captures and cloud flow logs, the file formats flows come in, and a filter language.
//!
//! # The comfortable way
//!
//! [`open`] takes a file, a folder or `-` for stdin, finds out what it holds, and iterates over its flows.
//!
//! ```no_run
//! let filter = flowcore::Filter::parse("proto tcp and dst port 443 and bytes > 1M")?;
//! for flow in flowcore::open("logs/2023-09-28.log.gz")?.filtered(&filter) {
//!     let flow = flow?;
//!     println!("{} {} bytes", flow.key.dst, flow.bytes());
//! }
//! # Ok::<(), flowcore::Error>(())
//! ```
//!
//! # The fast way
//!
//! [`OpenOptions`] says which fields are needed, so that readers decode no others; [`FlowSource::read_batch`] yields
//! thousands of flows at a time in columns, and [`Filter::select`] marks those that match.
//!
//! ```no_run
//! use flowcore::{Field, FieldSet, Filter, FlowBatch, FlowSource, OpenOptions};
//!
//! let filter = Filter::parse("dst port 443")?;
//! let fields = FieldSet::from([Field::Bytes]).union(filter.fields());
//! let mut input = OpenOptions::new().fields(fields).open("flows/")?;
//! let (mut batch, mut bytes) = (FlowBatch::new(), 0);
//! while input.read_batch(&mut batch)? {
//!     for row in filter.select(&batch).rows() {
//!         bytes += batch.number(Field::Bytes, row).unwrap_or(0);
//!     }
//! }
//! println!("{bytes} bytes, {} problems", input.stats().problems.total());
//! # Ok::<(), flowcore::Error>(())
//! ```
//!
//! # What is where
//!
//! - [`Flow`] is one flow, [`FlowBatch`] many; [`Field`] and [`FIELDS`] name what they hold.
//! - [`format`](mod@format) has the formats: [`.flow` files](format::flow), [nfdump files](format::nfdump),
//!   [AWS VPC flow logs](format::vpc) in text, JSON, CSV and Parquet.
//! - [`aggregate`] counts by the values of fields: top talkers, nfdump's statistics.
//! - [`Copies`] finds rows that two interfaces wrote of the same traffic; [`aggregate::Connections`] joins rows to connections.
//! - [`payload`] understands what flows carry: TLS hellos and their fingerprints, DNS.
//! - [`filter`] is the language of expressions; its errors point at the text.
//! - [`SourceStats`] accounts for everything that was read and everything that could not be used.
//! - Captures are metered by the `pcap2flow` crate, which plugs into [`OpenOptions::captures`].

mod ahead;
mod batch;
mod codec;
mod completeness;
mod copies;
mod error;
mod input;
mod observer;
mod open;
mod output;
mod preview;
mod progress;
mod record;
mod record_numbers;
mod sink;
mod source;
mod status_rows;
mod totals;
mod visible;
mod walk;

pub mod aggregate;
pub mod analysis;
pub mod filter;
pub mod format;
pub mod payload;

pub use batch::{
    AddrColumn, BATCH_ROWS, BATCH_TEXT_BYTES, Column, FlowBatch, Mask, NumberColumn, Presence, TextColumn,
    TimeColumn, Values,
};
pub use completeness::{Gap, LostRecords, Origin, OriginAccount, Origins, SkipData, Slots, TimeSpan};
pub use copies::{Copies, CopyEstimate, Folded, LikelyCopies};
pub use error::{Error, ErrorKind, Position, Result};
pub use filter::{Filter, FilterError};
pub use format::Format;
pub use input::{ByteCount, CountedFile, Detection, Input};
pub use open::{CaptureOpener, Inputs, OpenOptions, open};
pub use output::{AtomicFile, CompleteFile, Overwrite, check_not_input};
pub use preview::Preview;
pub use progress::{Progress, ProgressLine, readable_bytes};
pub use record::{
    Addr, CivilTime, Direction, EndReason, FIELD_COUNT, FIELDS, Field, FieldInfo, FieldKind, FieldSet, Flow,
    FlowKey, NANOS_PER_SEC, Protocol, Storage, TcpFlags, Text, TimeParseError, Timestamp, Value,
    payload_bytes, payload_text,
};
pub use sink::{FileOptions, FlowSink, FlowWriter};
pub use source::{FlowSource, Flows, Problems, ReadRequest, SourceStats};
pub use totals::{ProtocolTotals, Totals};
pub use visible::{steers_text, visible};
pub use walk::is_unfinished;
