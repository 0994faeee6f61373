//! TLS hellos: the first message that a client or a server sends, in the clear (RFC 8446 §4.1, RFC 5246 §7.4.1).
//!
//! A stream of TLS records comes in, a [`Hello`] out. A hello that does not fit into the first packet is cut: it
//! still shows its version, perhaps its server name, but has no fingerprint.

use std::fmt;

use super::bytes::Bytes;

pub use super::client_hello::ClientHello;
pub use super::server_hello::ServerHello;

/// The hello that a TLS stream begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hello {
    /// Of the side that opens the session.
    Client(ClientHello),
    /// Of the side that answers.
    Server(ServerHello),
}

impl Hello {
    /// The hello at the start of a payload, if it begins with one.
    ///
    /// A message spread over several records is put together; SSL 2.0 hellos, with which old clients offer newer
    /// versions too, are understood.
    ///
    /// ```
    /// use flowcore::payload::tls::Hello;
    /// assert_eq!(Hello::find(b"GET / HTTP/1.1\r\n\r\n"), None);
    /// ```
    pub fn find(payload: &[u8]) -> Option<Self> {
        match Message::first(payload) {
            Some(Message { kind: CLIENT_HELLO, body, cut }) => {
                ClientHello::parse(&body, cut).map(Self::Client)
            }
            Some(Message { kind: SERVER_HELLO, body, cut }) => {
                ServerHello::parse(&body, cut).map(Self::Server)
            }
            Some(_) => None,
            None => ClientHello::parse_ssl2(payload).map(Self::Client),
        }
    }

    /// The newest version offered, or the one chosen.
    pub fn version(&self) -> Version {
        match self {
            Self::Client(hello) => hello.version(),
            Self::Server(hello) => hello.version(),
        }
    }

    /// JA3 of a client, JA3S of a server; `None` if the hello is cut.
    pub fn ja3(&self) -> Option<String> {
        match self {
            Self::Client(hello) => hello.ja3(),
            Self::Server(hello) => hello.ja3s(),
        }
    }

    /// JA4 of a client; `None` if the hello is cut, and for a server.
    pub fn ja4(&self) -> Option<String> {
        match self {
            Self::Client(hello) => hello.ja4(),
            Self::Server(_) => None,
        }
    }
}

/// A version of TLS or SSL, by its number on the wire; a newer version is the larger one.
///
/// ```
/// use flowcore::payload::tls::Version;
/// assert_eq!(Version(0x0303).to_string(), "TLS 1.2");
/// assert_eq!(Version::SSL_3_0.to_string(), "SSL 3.0");
/// assert!(Version::SSL_3_0 < Version(0x0301));
/// assert_eq!(Version(0x7f17).to_string(), "0x7f17");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

impl Version {
    /// SSL 2.0.
    pub const SSL_2_0: Self = Self(0x0002);
    /// SSL 3.0 (RFC 6101).
    pub const SSL_3_0: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS_1_0: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS_1_1: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS_1_2: Self = Self(0x0303);
    /// TLS 1.3 (RFC 8446).
    pub const TLS_1_3: Self = Self(0x0304);

    /// Whether a hello can begin with this version: SSL 3.0 to TLS 1.3, which states an older one there.
    pub(super) fn begins_hello(self) -> bool {
        (Self::SSL_3_0..=Self::TLS_1_3).contains(&self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SSL_2_0 => f.write_str("SSL 2.0"),
            Self::SSL_3_0 => f.write_str("SSL 3.0"),
            Self(number @ 0x0301..=0x0304) => write!(f, "TLS 1.{}", number - Self::TLS_1_0.0),
            Self(number) => write!(f, "0x{number:04x}"),
        }
    }
}

/// Values that clients add at random so that servers learn to ignore what they do not know (RFC 8701): `0x0a0a`,
/// `0x1a1a` and so on.
pub(super) fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// The first handshake message of a stream.
struct Message {
    kind: u8,
    body: Vec<u8>,
    /// The payload ends before the message does.
    cut: bool,
}

impl Message {
    fn first(payload: &[u8]) -> Option<Self> {
        let mut records = Bytes::new(payload);
        let mut message = Vec::new();
        loop {
            message.extend_from_slice(record(&mut records)?);
            if let Some(whole) = Self::read(&message, false) {
                return Some(whole);
            }
            if records.is_empty() {
                return Self::read(&message, true);
            }
        }
    }

    fn read(bytes: &[u8], cut: bool) -> Option<Self> {
        let mut bytes = Bytes::new(bytes);
        let (kind, len) = (bytes.u8()?, bytes.u24()?);
        let body = if cut { bytes.rest() } else { bytes.take(len)? };
        Some(Self { kind, body: body.to_vec(), cut })
    }
}

/// What the next record carries, as far as it is there, if it is one of the handshake.
fn record<'a>(records: &mut Bytes<'a>) -> Option<&'a [u8]> {
    let header = (records.u8()?, records.u8()?, records.u8()?);
    let len = records.u16()?;
    if !matches!(header, (HANDSHAKE, 3, 0..=4)) || !(1..=MAX_RECORD).contains(&len) {
        return None;
    }
    let there = records.rest().len().min(len.into());
    records.take(there)
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// The longest record, of TLS 1.2 (RFC 5246 §6.2.3).
const MAX_RECORD: u16 = (1 << 14) + 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::testing::{Client, record, server_hello};
    use proptest::prelude::*;

    #[test]
    fn a_message_in_several_records_is_one() {
        let hello = Client::browser().handshake();
        let whole = Hello::find(&record(&hello)).unwrap();
        for at in [1, 3, 4, 5, 50, hello.len() - 1] {
            let (a, b) = hello.split_at(at);
            assert_eq!(Hello::find(&[record(a), record(b)].concat()).as_ref(), Some(&whole), "{at}");
        }
        let alert = [&record(&hello[..50])[..], &[21, 3, 1, 0, 2, 2, 40]].concat();
        assert_eq!(Hello::find(&alert), None);
    }

    #[test]
    fn a_cut_hello_shows_less_and_never_something_else() {
        let payload = record(&Client::browser().handshake());
        let Some(Hello::Client(whole)) = Hello::find(&payload) else { panic!() };
        assert_eq!(whole.sni(), Some("example.com"));
        let (mut hellos, mut names) = (0, 0);
        for len in 0..payload.len() {
            let Some(found) = Hello::find(&payload[..len]) else { continue };
            let Hello::Client(hello) = found else { panic!() };
            assert!(!hello.is_complete() && hello.ja3().is_none() && hello.ja4().is_none(), "{len}");
            assert!(hello.sni().is_none() || hello.sni() == whole.sni());
            assert!(whole.ciphers().starts_with(hello.ciphers()));
            assert!(whole.extensions().starts_with(hello.extensions()));
            (hellos, names) = (hellos + 1, names + usize::from(hello.sni().is_some()));
        }
        assert!(hellos > payload.len() - 12 && names > 20, "{hellos} {names}");
    }

    #[test]
    fn what_is_no_hello_is_none() {
        let hello = Client::browser().handshake();
        assert!(Hello::find(&record(&hello)).is_some());
        for (at, byte) in [(0, 23), (1, 2), (3, 0xff), (5, 3), (9, 0x7f)] {
            let mut wrong = record(&hello);
            wrong[at] = byte;
            assert_eq!(Hello::find(&wrong), None, "{at}");
        }
        assert_eq!(Hello::find(&[22, 3, 1, 0, 0]), None);
    }

    #[test]
    fn versions_are_what_was_offered_and_chosen() {
        let client = |client: Client| Hello::find(&record(&client.handshake())).unwrap().version();
        assert_eq!(client(Client::browser()), Version::TLS_1_3);
        assert_eq!(client(Client { version: 0x0300, ..Client::default() }), Version::SSL_3_0);
        let server = |bytes: Vec<u8>| Hello::find(&record(&bytes)).unwrap().version();
        assert_eq!(server(server_hello(0x0302, 0xc013, &[])), Version::TLS_1_1);
        assert_eq!(server(server_hello(0x0303, 0x1301, &[(43, &[3, 4])])), Version::TLS_1_3);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(
            mut payload in prop::collection::vec(any::<u8>(), 0..200), kind in 1_u8..=2, len in 0_usize..220,
        ) {
            let _ = Hello::find(&payload);
            payload.splice(..0, [kind, 0, 0, u8::try_from(len).unwrap_or(0), 3, 3]);
            if let Some(hello) = Hello::find(&record(&payload)) {
                prop_assert!(hello.ja3().is_none_or(|ja3| ja3.len() == 32));
                prop_assert!(hello.ja4().is_none_or(|ja4| ja4.len() == 36));
            }
        }
    }
}
