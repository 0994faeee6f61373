//! The unified flow record: what a packet capture, a flow file and a cloud log have in common, and the groups
//! that only some of them fill.
//!
//! [`Flow`] is the row form, for comfort; [`FlowBatch`](crate::FlowBatch) holds many in columns, for speed. Both
//! are described by the one table in [`field`](Field).

mod addr;
mod end_reason;
mod field;
mod flow;
mod opposite;
mod payload;
mod protocol;
mod tcp_flags;
mod time;
mod value;

pub use addr::Addr;
pub use end_reason::EndReason;
pub use field::{FIELD_COUNT, FIELDS, Field, FieldInfo, FieldKind, FieldSet, Storage};
pub use flow::{Direction, Flow, FlowKey};
pub use payload::{payload_bytes, payload_text};
pub use protocol::Protocol;
pub use tcp_flags::TcpFlags;
pub use time::{CivilTime, NANOS_PER_SEC, TimeParseError, Timestamp};
pub use value::{Text, Value};

/// The arithmetic of computed fields, shared by rows and columns.
pub(crate) mod flow_arithmetic {
    pub(crate) use super::flow::{duration, either, rate, ratio, sum};
}
