//! Hellos made for tests.

/// What goes into a client's hello.
#[derive(Debug, Clone, Default)]
pub(crate) struct Client {
    pub(crate) version: u16,
    pub(crate) ciphers: Vec<u16>,
    pub(crate) extensions: Vec<(u16, Vec<u8>)>,
}

impl Client {
    /// What Chrome 143 sends, without the data of extensions that no fingerprint looks into.
    pub(crate) fn browser() -> Self {
        let ciphers = [
            0x5a5a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
            0x009c, 0x009d, 0x002f, 0x0035,
        ];
        let algorithms = [0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1];
        let extensions = vec![
            extension(0xfafa, &[]),
            extension(0x002d, &[1, 1]),
            extension(0x0033, &[]),
            extension(0x0010, b"\x00\x0c\x02h2\x08http/1.1"),
            extension(0xfe0d, &[]),
            extension(0x0017, &[]),
            extension(0x44cd, &[]),
            extension(0x0000, b"\x00\x0e\x00\x00\x0bexample.com"),
            extension(0x000b, &[1, 0]),
            extension(0x000a, &[0, 10, 0x1a, 0x1a, 0x11, 0xec, 0, 29, 0, 23, 0, 24]),
            extension(0x002b, &[6, 0x2a, 0x2a, 3, 4, 3, 3]),
            extension(0xff01, &[0]),
            extension(0x0023, &[]),
            extension(0x0012, &[]),
            extension(0x0005, &[1, 0, 0, 0, 0]),
            extension(0x000d, &algorithms),
            extension(0x001b, &[2, 0, 2]),
            extension(0x8a8a, &[0]),
        ];
        Self { version: 0x0303, ciphers: ciphers.to_vec(), extensions }
    }

    /// The handshake message.
    pub(crate) fn handshake(&self) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(sized(&self.ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()).collect::<Vec<_>>()));
        body.extend([1, 0]);
        body.extend(extensions(&self.extensions));
        message(1, &body)
    }
}

pub(crate) fn extension(number: u16, data: &[u8]) -> (u16, Vec<u8>) {
    (number, data.to_vec())
}

/// A server's hello as a handshake message.
pub(crate) fn server_hello(version: u16, cipher: u16, chosen: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(cipher.to_be_bytes());
    body.push(0);
    body.extend(extensions(
        &chosen.iter().map(|(number, data)| (*number, data.to_vec())).collect::<Vec<_>>(),
    ));
    message(2, &body)
}

/// A record of the handshake.
pub(crate) fn record(data: &[u8]) -> Vec<u8> {
    [&[22, 3, 1][..], &sized(data)].concat()
}

fn extensions(list: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let all: Vec<Vec<u8>> =
        list.iter().map(|(number, data)| [&number.to_be_bytes()[..], &sized(data)].concat()).collect();
    if all.is_empty() { Vec::new() } else { sized(&all.concat()) }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind][..], &len[1..], body].concat()
}

/// The data behind its length in two bytes.
fn sized(data: &[u8]) -> Vec<u8> {
    [&u16::try_from(data.len()).unwrap().to_be_bytes()[..], data].concat()
}
