//! Application data that is what its port promises, as far as a dissector looks at it.

use crate::rng::Rng;

/// A request with a body of this many bytes.
pub(super) fn http_request(method: &str, path: &str, body: usize) -> Vec<u8> {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {body}\r\n\r\n");
    filled(head.into_bytes(), body)
}

/// A response with a body of this many bytes.
pub(super) fn http_response(status: &str, body: usize) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nServer: nginx\r\nContent-Length: {body}\r\n\r\n");
    filled(head.into_bytes(), body)
}

/// TLS application data of this many bytes in all, in records of at most 16 KiB.
pub(super) fn tls(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let mut left = bytes.max(30);
    let mut data = Vec::new();
    while left > 5 {
        let record = (left - 5).min(16_384);
        data.extend([0x17, 3, 3]);
        data.extend((record as u16).to_be_bytes());
        data.extend(rng.bytes(record));
        left -= record + 5;
    }
    data
}

/// The greeting of an SSH program.
pub(super) fn ssh_greeting(program: &str) -> Vec<u8> {
    format!("SSH-2.0-{program}\r\n").into_bytes()
}

/// Bytes as they look after encryption.
pub(super) fn encrypted(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    rng.bytes(bytes)
}

/// Part of an archive: a tar header at its beginning, then text.
pub(super) fn archive(bytes: usize) -> Vec<u8> {
    filled(b"var/lib/shop/customers.csv".to_vec(), bytes.saturating_sub(26))
}

/// A DNS question for an address, and the answer to it.
pub(super) fn dns(rng: &mut Rng, name: &str) -> [Vec<u8>; 2] {
    let id = rng.bytes(2);
    let mut question: Vec<u8> = name.split('.').flat_map(label).collect();
    question.extend([0, 0, 1, 0, 1]);
    let ask = [&id[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &question].concat();
    let address = [198, 18, 7, rng.range(1, 254) as u8];
    let record = [&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4][..], &address].concat();
    let answer = [&id[..], &[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], &question, &record].concat();
    [ask, answer]
}

/// A client's and a server's NTP packet (RFC 5905) at this time, in microseconds since 1970 UTC.
pub(super) fn ntp(at: u64) -> [Vec<u8>; 2] {
    let seconds = (at / 1_000_000 + FROM_1900_TO_1970) as u32;
    let stamp = [&seconds.to_be_bytes()[..], &[0; 4]].concat();
    let ask = [&[0x23, 0, 6, 0xe9][..], &[0; 36], &stamp].concat();
    let head = [&[0x24, 2, 6, 0xe9, 0, 0, 1, 0, 0, 0, 1, 0, 198, 18, 0, 1][..], &stamp].concat();
    [ask, [&head[..], &stamp, &stamp, &stamp].concat()]
}

/// A MySQL packet with a text command of this many bytes, and one that says that a command went well.
pub(super) fn sql(command: usize, answer: usize) -> [Vec<u8>; 2] {
    let packet = |sequence: u8, kind: u8, bytes: usize| {
        let length = (bytes as u32 + 1).to_le_bytes();
        filled([&length[..3], &[sequence, kind]].concat(), bytes)
    };
    [packet(0, 3, command), packet(1, 0, answer)]
}

fn label(part: &str) -> Vec<u8> {
    [&[part.len() as u8], part.as_bytes()].concat()
}

fn filled(mut head: Vec<u8>, more: usize) -> Vec<u8> {
    head.extend(b"the quick brown fox jumps over the lazy dog\n".iter().cycle().take(more));
    head
}

const FROM_1900_TO_1970: u64 = 2_208_988_800;
