//! What the first payloads of a flow say: TLS hellos with their fingerprints, and DNS messages.
//!
//! Bytes go in, what was understood of them comes out. Payloads come from anyone, and a flow keeps only the first
//! packet of each direction, so a parser takes nothing for granted and makes the best of a message that is cut.
//! Flows hold payloads as text: [`payload_bytes`](crate::payload_bytes) gives the bytes.
//!
//! ```
//! use flowcore::payload::{dns, tls};
//!
//! let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01";
//! let message = dns::Message::find(query).unwrap();
//! assert_eq!(message.names().collect::<Vec<_>>(), ["example.com"]);
//! assert_eq!(tls::Hello::find(query), None);
//! ```

mod bytes;
mod client_hello;
pub mod dns;
mod fingerprint;
mod server_hello;
pub mod tls;

#[cfg(test)]
pub(crate) mod testing;
