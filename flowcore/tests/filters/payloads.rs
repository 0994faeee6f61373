//! A few payloads of which it is known what they say.

use std::net::Ipv4Addr;

/// A payload, by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload {
    /// An answer about a name.
    Dns { name: &'static str, addr: Ipv4Addr },
    /// A client's hello to a server.
    Tls { server: &'static str, version: u16 },
}

pub(crate) const PAYLOADS: [Payload; 5] = [
    Payload::Dns { name: "www.ab.org", addr: Ipv4Addr::new(10, 0, 0, 1) },
    Payload::Dns { name: "mail.ba.net", addr: Ipv4Addr::new(192, 168, 3, 4) },
    Payload::Tls { server: "ab.org", version: 0x0303 },
    Payload::Tls { server: "Cloud.AB.net", version: 0x0301 },
    Payload::Tls { server: "x", version: 0x0300 },
];

impl Payload {
    /// The payload that this text of a flow is, if it is one of the known ones.
    pub(crate) fn of(text: &str) -> Option<Self> {
        PAYLOADS.into_iter().find(|payload| payload.text() == text)
    }

    pub(crate) fn text(self) -> String {
        flowcore::payload_text(&match self {
            Self::Dns { name, addr } => answer(name, addr),
            Self::Tls { server, version } => hello(server, version),
        })
    }
}

fn answer(name: &str, addr: Ipv4Addr) -> Vec<u8> {
    let labels: Vec<u8> = name.split('.').flat_map(|label| sized8(label.as_bytes())).chain([0]).collect();
    let head = [0, 9, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4];
    [&head[..], &labels, &[0, 1, 0, 1], &record, &addr.octets()].concat()
}

fn hello(server: &str, version: u16) -> Vec<u8> {
    let name = [&[0][..], &sized16(server.as_bytes())].concat();
    let extension = [&[0, 0][..], &sized16(&sized16(&name))].concat();
    let start = [&version.to_be_bytes()[..], &[1; 32], &[0], &sized16(&[0x13, 1]), &[1, 0]].concat();
    let body = [start, sized16(&extension)].concat();
    let message = [&[1, 0][..], &sized16(&body)].concat();
    [&[22, 3, 1][..], &sized16(&message)].concat()
}

fn sized8(data: &[u8]) -> Vec<u8> {
    [&[data.len() as u8], data].concat()
}

fn sized16(data: &[u8]) -> Vec<u8> {
    [&(data.len() as u16).to_be_bytes()[..], data].concat()
}
