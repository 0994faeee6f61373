//! DNS messages: who asked for which name, and what it was told (RFC 1035 §4).
//!
//! The payload of a packet comes in, a [`Message`] out: names and addresses as text and numbers. Records past the
//! end of a cut payload are left out; what cannot be DNS is none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A DNS query or response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether it is a response.
    pub is_response: bool,
    /// What is asked for.
    pub questions: Vec<Question>,
    /// Answers, then authorities, then additional records.
    pub records: Vec<Record>,
    /// Whether all of the message was there.
    pub is_complete: bool,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// A name such as `example.com`; the root is `.`.
    pub name: String,
    /// Type of the records wanted (IANA, "DNS Parameters"): 1 is A, 28 is AAAA.
    pub kind: u16,
}

/// Something that is said about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The name it is about.
    pub name: String,
    /// Its type (IANA, "DNS Parameters").
    pub kind: u16,
    /// What is said.
    pub data: Data,
}

/// What a record says, as far as it is of interest to a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Data {
    /// An address: A, AAAA.
    Addr(IpAddr),
    /// Another name: NS, CNAME, PTR, MX, SRV, DNAME.
    Name(String),
    /// Anything else.
    Other,
}

impl Message {
    /// The message in a payload: the first of TCP, where its length stands before it, or that of a datagram.
    ///
    /// ```
    /// use flowcore::payload::dns::Message;
    /// let query = b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02fr\x00\x00\x02\x00\x01";
    /// let message = Message::find(query).unwrap();
    /// assert!(!message.is_response && message.is_complete);
    /// assert_eq!((message.questions[0].name.as_str(), message.questions[0].kind), ("fr", 2));
    /// assert_eq!(Message::find(&[b"\x00\x14", &query[..]].concat()), Some(message));
    /// assert_eq!(Message::find(b"SSH-2.0-OpenSSH_9.6\r\n"), None);
    /// ```
    pub fn find(payload: &[u8]) -> Option<Self> {
        Self::parse(payload).or_else(|| {
            let (len, message) = payload.split_first_chunk()?;
            let len = usize::from(u16::from_be_bytes(*len));
            (len >= HEADER).then(|| Self::parse(message.get(..len).unwrap_or(message)))?
        })
    }

    /// Reads one message; bytes after it do not matter.
    ///
    /// All questions have to be there, a record may be cut. The fields of the header have to be of the kind that
    /// RFC 1035 and RFC 2136 know.
    pub fn parse(message: &[u8]) -> Option<Self> {
        let mut reader = Reader { message, at: 2 };
        let flags = reader.u16().ok()?;
        if !KNOWN_OPCODES.contains(&(flags >> 11 & 0xf)) || flags & RESERVED != 0 {
            return None;
        }
        let questions = reader.u16().ok()?;
        let mut records = 0;
        for _ in 0..3 {
            records += u32::from(reader.u16().ok()?);
        }
        let questions: Vec<Question> =
            (0..questions).map(|_| reader.question().ok()).collect::<Option<_>>()?;
        let (records, is_complete) = reader.records(records)?;
        let says_something = is_complete || !questions.is_empty() || !records.is_empty();
        let is_response = flags & RESPONSE != 0;
        says_something.then_some(Self { is_response, questions, records, is_complete })
    }

    /// All names: asked for, told about, and told.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let told = self.records.iter().filter_map(|record| match &record.data {
            Data::Name(name) => Some(name.as_str()),
            Data::Addr(_) | Data::Other => None,
        });
        let asked = self.questions.iter().map(|question| question.name.as_str());
        asked.chain(self.records.iter().map(|record| record.name.as_str())).chain(told)
    }

    /// All addresses told.
    pub fn addrs(&self) -> impl Iterator<Item = IpAddr> {
        self.records.iter().filter_map(|record| match record.data {
            Data::Addr(addr) => Some(addr),
            Data::Name(_) | Data::Other => None,
        })
    }
}

/// Why reading stops.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    /// The message goes on where the payload ends.
    Cut,
    /// This is no DNS.
    Wrong,
}

type Read<T> = Result<T, Stop>;

/// A place in a message.
struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// This many records, or those before the payload ends; whether all were there.
    fn records(&mut self, count: u32) -> Option<(Vec<Record>, bool)> {
        let mut records = Vec::new();
        for _ in 0..count {
            match self.record() {
                Ok(record) => records.push(record),
                Err(Stop::Cut) => return Some((records, false)),
                Err(Stop::Wrong) => return None,
            }
        }
        Some((records, true))
    }

    fn question(&mut self) -> Read<Question> {
        let question = Question { name: self.name()?, kind: self.u16()? };
        self.u16()?; // class
        Ok(question)
    }

    fn record(&mut self) -> Read<Record> {
        let (name, kind) = (self.name()?, self.u16()?);
        self.take(6)?; // class, time to live
        let len = self.u16()?;
        let start = self.at;
        let bytes = self.take(len.into())?;
        let data = Reader { message: self.message, at: start }.data(kind, bytes)?;
        Ok(Record { name, kind, data })
    }

    /// The data of a record, `bytes`, which begins here.
    fn data(mut self, kind: u16, bytes: &[u8]) -> Read<Data> {
        // Priority before a mail server; priority, weight and port before a service.
        let before = match kind {
            NS | CNAME | PTR | DNAME => 0,
            MX => 2,
            SRV => 6,
            _ => return Ok(addr(kind, bytes).map_or(Data::Other, Data::Addr)),
        };
        let end = self.at.saturating_add(bytes.len());
        self.take(before)?;
        let name = self.name()?;
        if self.at == end { Ok(Data::Name(name)) } else { Err(Stop::Wrong) }
    }

    /// A name, whose end may be that of an earlier one (RFC 1035 §4.1.4).
    fn name(&mut self) -> Read<String> {
        let mut name = String::new();
        let (mut len, mut start, mut back) = (0, self.at, None);
        loop {
            match self.u8()? {
                0 => break,
                label @ 1..=63 => {
                    len += usize::from(label) + 1;
                    if len >= MAX_NAME {
                        return Err(Stop::Wrong);
                    }
                    push_label(&mut name, self.take(label.into())?);
                }
                high @ 0xc0.. => {
                    let to = usize::from(u16::from_be_bytes([high & 0x3f, self.u8()?]));
                    // Always back, and further back each time, or a name could lead round in circles.
                    if to >= start {
                        return Err(Stop::Wrong);
                    }
                    back.get_or_insert(self.at);
                    (self.at, start) = (to, to);
                }
                _ => return Err(Stop::Wrong),
            }
        }
        self.at = back.unwrap_or(self.at);
        Ok(if name.is_empty() { ".".to_owned() } else { name })
    }

    fn u8(&mut self) -> Read<u8> {
        self.take(1)?.first().copied().ok_or(Stop::Cut)
    }

    fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let end = self.at.checked_add(len).ok_or(Stop::Cut)?;
        let taken = self.message.get(self.at..end).ok_or(Stop::Cut)?;
        self.at = end;
        Ok(taken)
    }
}

fn addr(kind: u16, bytes: &[u8]) -> Option<IpAddr> {
    match kind {
        A => <[u8; 4]>::try_from(bytes).ok().map(|octets| Ipv4Addr::from(octets).into()),
        AAAA => <[u8; 16]>::try_from(bytes).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// Adds a label as zone files write it (RFC 1035 §5.1).
fn push_label(name: &mut String, label: &[u8]) {
    if !name.is_empty() {
        name.push('.');
    }
    for &byte in label {
        match byte {
            b'.' | b'\\' => name.extend(['\\', char::from(byte)]),
            b'!'..=b'~' => name.push(char::from(byte)),
            _ => name.push_str(&format!("\\{byte:03}")),
        }
    }
}

/// Bytes of a message's header.
const HEADER: usize = 12;
/// Bytes of the longest name on the wire.
const MAX_NAME: usize = 255;

const RESPONSE: u16 = 0x8000;
/// The bit between those of DNSSEC and the others, which is zero.
const RESERVED: u16 = 0x0040;
/// Query, inverse query, status, notify, update, stateful operations.
const KNOWN_OPCODES: [u16; 6] = [0, 1, 2, 4, 5, 6];

// Types of records.
const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const MX: u16 = 15;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const DNAME: u16 = 39;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `www.example.com` is an alias of `web.example.com`, which has two addresses; mail goes to `mx.example.com`.
    fn response() -> Vec<u8> {
        let mut message = b"\x00\x01\x81\x80\x00\x01\x00\x03\x00\x00\x00\x01".to_vec();
        message.extend(b"\x03www\x07example\x03com\x00\x00\x01\x00\x01");
        message.extend(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03web\xc0\x10");
        message.extend(b"\xc0\x2d\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xcb\x00\x71\x05");
        message.extend(b"\xc0\x2d\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10\x20\x01\x0d\xb8");
        message.extend(b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07");
        message.extend(b"\xc0\x10\x00\x0f\x00\x01\x00\x00\x00\x3c\x00\x07\x00\x0a\x02mx\xc0\x10");
        message
    }

    #[test]
    fn names_and_addresses_of_a_response() {
        let message = Message::find(&response()).unwrap();
        assert!(message.is_response && message.is_complete);
        let names: Vec<&str> = message.names().collect();
        assert_eq!(
            names,
            [
                "www.example.com",
                "www.example.com",
                "web.example.com",
                "web.example.com",
                "example.com",
                "web.example.com",
                "mx.example.com"
            ]
        );
        let addrs: Vec<String> = message.addrs().map(|addr| addr.to_string()).collect();
        assert_eq!(addrs, ["203.0.113.5", "2001:db8::7"]);
    }

    #[test]
    fn a_cut_message_says_less_and_nothing_else() {
        let payload = response();
        let whole = Message::find(&payload).unwrap();
        let found = (0..payload.len()).filter(|&len| {
            let Some(message) = Message::find(&payload[..len]) else { return false };
            assert!(!message.is_complete && whole.records.starts_with(&message.records), "{len}");
            message.questions == whole.questions
        });
        assert_eq!(found.collect::<Vec<_>>(), (33..payload.len()).collect::<Vec<_>>());
        let by_tcp = [&[0, payload.len() as u8][..], &payload].concat();
        assert_eq!(Message::find(&by_tcp), Some(whole));
        assert!(Message::find(&by_tcp[..60]).is_some_and(|message| message.records.len() == 1));
    }

    #[test]
    fn names_that_lead_nowhere_are_none() {
        let question = |name: &[u8]| {
            let header = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";
            Message::find(&[header, name, b"\x00\x01\x00\x01"].concat()).map(|m| m.questions[0].name.clone())
        };
        assert_eq!(question(b"\x00").as_deref(), Some("."));
        assert_eq!(question(b"\x04a.\x07\\\x00").as_deref(), Some("a\\.\\007\\\\"));
        for wrong in [&b"\xc0\x0c"[..], b"\x01a\xc0\x0c", b"\xc0\xff", b"\x40a\x00", b"\x80a\x00"] {
            assert_eq!(question(wrong), None, "{wrong:x?}");
        }
        let label = [&[63][..], &[b'a'; 63]].concat();
        let long = |last: u8| [&label.repeat(3)[..], &[last], &vec![b'b'; last.into()], &[0]].concat();
        assert_eq!(question(&long(61)).map(|name| name.len()), Some(253));
        assert_eq!(question(&long(62)), None);
    }

    #[test]
    fn what_is_no_dns_is_none() {
        let payload = response();
        for (at, byte) in [(2, 0x99), (3, 0xc0), (5, 200), (12, 70), (45, 0xff)] {
            let mut wrong = payload.clone();
            wrong[at] = byte;
            assert_eq!(Message::find(&wrong), None, "{at}");
        }
        assert_eq!(Message::find(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), None);
        assert_eq!(Message::find(&[0xff; 512]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(
            header in any::<[u8; 2]>(),
            counts in prop::collection::vec(0_u8..3, 4),
            rest in prop::collection::vec(prop_oneof![0_u8..20, Just(0xc0), any::<u8>()], 0..120),
        ) {
            let counts: Vec<u8> = counts.into_iter().flat_map(|count| [0, count]).collect();
            let payload = [&header[..], &[0x81, 0x80], &counts, &rest].concat();
            if let Some(message) = Message::find(&payload) {
                prop_assert!(message.names().all(|name| !name.is_empty() && name.is_ascii() && name.len() < 1100));
                prop_assert!(message.records.len() <= rest.len() / 11 + 1);
            }
        }
    }
}
