//! Random filters and records, and what the filters mean.

pub(crate) mod block;
pub(crate) mod payloads;
pub(crate) mod record;
pub(crate) mod term;
pub(crate) mod tree;
