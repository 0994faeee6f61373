//! What the TLS hellos of a record's payloads say, as columns: server name, version, and fingerprints.

use std::borrow::Cow;

use flowcore::payload::tls::Hello;
use flowcore::{Field, FlowBatch, payload_bytes};

use super::escape;

/// A thing that hellos say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Name of the server that the client asks for.
    ServerName,
    /// The version that the server chose, or else the newest one that the client offers.
    Version,
    /// JA3 of the client, or else JA3S of the server.
    Ja3,
    /// JA4 of the client.
    Ja4,
}

/// The fields that hellos are found in: the client's is the first in most records.
pub(super) const FIELDS: [Field; 2] = [Field::InPayload, Field::OutPayload];

/// What the hellos of a row say; `None` where they do not, and where there is none.
pub(super) fn said(what: Said, batch: &FlowBatch, row: usize) -> Option<String> {
    let hellos = FIELDS.iter().filter_map(|&field| Hello::find(&payload_bytes(batch.text(field, row)?)));
    let mut hellos: Vec<Hello> = hellos.collect();
    hellos.sort_by_key(|hello| matches!(hello, Hello::Client(_)) == (what == Said::Version));
    hellos.iter().find_map(|hello| match (what, hello) {
        (Said::ServerName, Hello::Client(hello)) => hello.sni().map(str::to_owned),
        (Said::ServerName, Hello::Server(_)) => None,
        (Said::Version, hello) => Some(hello.version().to_string()),
        (Said::Ja3, hello) => hello.ja3(),
        (Said::Ja4, hello) => hello.ja4(),
    })
}

/// The same, safe for a terminal.
pub(super) fn shown(what: Said, batch: &FlowBatch, row: usize) -> Option<String> {
    said(what, batch, row).map(|text| match escape::terminal(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => escaped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client hello of TLS 1.2 with one cipher, this server name, and TLS 1.3 among its versions.
    fn client(name: &str) -> String {
        let mut sni = vec![0, 0];
        let len = u8::try_from(name.len()).unwrap();
        sni.extend([0, len + 5, 0, len + 3, 0, 0, len]);
        sni.extend(name.bytes());
        let extensions = [&sni[..], &[0, 0x2b, 0, 5, 4, 3, 4, 3, 3]].concat();
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0xc0, 0x2f, 1, 0, 0, u8::try_from(extensions.len()).unwrap()]);
        body.extend(extensions);
        record(1, &body)
    }

    /// A server hello of TLS 1.2.
    fn server() -> String {
        let mut body = vec![3, 3];
        body.extend([9; 32]);
        body.extend([0, 0xc0, 0x2f, 0]);
        record(2, &body)
    }

    fn record(kind: u8, body: &[u8]) -> String {
        let len = u8::try_from(body.len()).unwrap();
        let head = [22, 3, 1, 0, len + 4, kind, 0, 0, len];
        head.iter().chain(body).map(|&byte| char::from(byte)).collect()
    }

    fn batch(payloads: [Option<String>; 2]) -> FlowBatch {
        let mut batch = FlowBatch::new();
        for (field, payload) in FIELDS.into_iter().zip(payloads) {
            payload.into_iter().for_each(|payload| batch.set_text(field, &payload));
        }
        batch.end_row();
        batch
    }

    #[test]
    fn hellos_are_found_on_either_side() {
        for payloads in
            [[Some(client("example.com")), Some(server())], [Some(server()), Some(client("example.com"))]]
        {
            let batch = batch(payloads);
            let text = |what| said(what, &batch, 0).unwrap();
            assert_eq!(
                (text(Said::ServerName), text(Said::Version)),
                ("example.com".into(), "TLS 1.2".into())
            );
            assert_eq!(text(Said::Ja3).len(), 32);
            assert!(text(Said::Ja4).starts_with("t13d"), "{}", text(Said::Ja4));
        }
    }

    #[test]
    fn one_side_alone_says_what_it_can() {
        let client = batch([Some(client("a.example")), None]);
        assert_eq!(said(Said::Version, &client, 0).as_deref(), Some("TLS 1.3"));
        let server = batch([None, Some(server())]);
        assert_eq!(said(Said::ServerName, &server, 0), None);
        assert!(said(Said::Ja3, &server, 0).is_some() && said(Said::Ja4, &server, 0).is_none());
        let other = batch([Some("GET / HTTP/1.1\r\n".into()), None]);
        assert!(
            [Said::ServerName, Said::Version, Said::Ja3, Said::Ja4]
                .iter()
                .all(|&what| said(what, &other, 0).is_none())
        );
    }
}
