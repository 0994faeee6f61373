//! What a TLS client says first: versions, cipher suites and extensions it offers, and the server it wants.

use super::bytes::Bytes;
use super::fingerprint;
use super::tls::{Version, is_grease};

/// A client's hello (RFC 8446 §4.1.2).
///
/// ```
/// use flowcore::payload::tls::{Hello, Version};
///
/// let mut payload = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03".to_vec(); // record, message, version
/// payload.extend([7; 32]); // random
/// payload.extend(b"\x00\x00\x04\x13\x01\x13\x02\x01\x00"); // no session, two cipher suites, no compression
/// let Some(Hello::Client(hello)) = Hello::find(&payload) else { panic!() };
/// assert_eq!(hello.version(), Version::TLS_1_2);
/// assert_eq!(hello.ciphers(), [0x1301, 0x1302]);
/// assert_eq!(hello.ja3_text().as_deref(), Some("771,4865-4866,,,"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    version: u16,
    ciphers: Vec<u16>,
    extensions: Vec<u16>,
    /// Supported versions.
    versions: Vec<u16>,
    groups: Vec<u16>,
    point_formats: Vec<u8>,
    signature_algorithms: Vec<u16>,
    sni: Option<String>,
    alpn: Option<Vec<u8>>,
    complete: bool,
}

impl ClientHello {
    /// Reads the body of the message. `cut` says that not all of it is there; a whole one has to be well-formed.
    pub(super) fn parse(body: &[u8], cut: bool) -> Option<Self> {
        let mut hello = Self::default();
        let read = hello.read(&mut Bytes::new(body), cut);
        hello.complete = read.is_some() && !cut;
        ((cut || read.is_some()) && Version(hello.version).begins_hello()).then_some(hello)
    }

    /// A hello in the form of SSL 2.0, which has no extensions (RFC 5246 appendix E.2).
    pub(super) fn parse_ssl2(payload: &[u8]) -> Option<Self> {
        let mut bytes = Bytes::new(payload);
        let header = bytes.u16().filter(|header| header & 0x8000 != 0)?;
        let mut body = Bytes::new(bytes.take(usize::from(header & 0x7fff))?);
        let (kind, version) = (body.u8()?, body.u16()?);
        let (ciphers, session, challenge) = (body.u16()?, body.u16()?, body.u16()?);
        let specs = body.take(ciphers.into())?;
        body.take(session.into())?;
        let is_challenge = (16..=32).contains(&challenge) && body.rest().len() == usize::from(challenge);
        let known = version == Version::SSL_2_0.0 || Version(version).begins_hello();
        if kind != 1 || !known || !is_challenge || specs.is_empty() || !specs.len().is_multiple_of(3) {
            return None;
        }
        // A suite of newer versions has a zero before it.
        let newer = specs.as_chunks::<3>().0.iter().filter(|spec| spec[0] == 0);
        let ciphers = newer.map(|&[_, high, low]| u16::from_be_bytes([high, low])).collect();
        Some(Self { version, ciphers, ..Self::default() })
    }

    /// The newest version offered; values that stand for none (GREASE) do not count.
    pub fn version(&self) -> Version {
        let offered = self.versions.iter().copied().filter(|&version| !is_grease(version));
        Version(offered.max().unwrap_or(self.version))
    }

    /// The version that the hello itself states, which is TLS 1.2 where a newer one is offered.
    pub fn stated_version(&self) -> Version {
        Version(self.version)
    }

    /// The cipher suites in the client's order, GREASE included.
    pub fn ciphers(&self) -> &[u16] {
        &self.ciphers
    }

    /// The numbers of the extensions in the client's order, GREASE included.
    pub fn extensions(&self) -> &[u16] {
        &self.extensions
    }

    /// The elliptic curves and other groups in the client's order, GREASE included.
    pub fn groups(&self) -> &[u16] {
        &self.groups
    }

    /// The formats of points on elliptic curves.
    pub fn point_formats(&self) -> &[u8] {
        &self.point_formats
    }

    /// The signature algorithms in the client's order, GREASE included.
    pub fn signature_algorithms(&self) -> &[u16] {
        &self.signature_algorithms
    }

    /// The name of the server that the client wants (SNI, RFC 6066 §3).
    pub fn sni(&self) -> Option<&str> {
        self.sni.as_deref()
    }

    /// The first application protocol offered, such as `h2` (ALPN, RFC 7301).
    pub fn alpn(&self) -> Option<&[u8]> {
        self.alpn.as_deref()
    }

    /// Whether all of the hello was there, in the form of SSL 3.0 or newer. Others have no fingerprint.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The text whose MD5 is the JA3 fingerprint: version, suites, extensions, groups, point formats, in decimal.
    pub fn ja3_text(&self) -> Option<String> {
        self.complete.then(|| fingerprint::ja3_text(self))
    }

    /// The [JA3](https://github.com/salesforce/ja3) fingerprint, 32 hexadecimal digits.
    pub fn ja3(&self) -> Option<String> {
        self.ja3_text().map(|text| fingerprint::md5(&text))
    }

    /// The JA4 fingerprint before hashing, "JA4_r".
    pub fn ja4_raw(&self) -> Option<String> {
        self.complete.then(|| fingerprint::ja4(self, str::to_owned))
    }

    /// The [JA4](https://github.com/FoxIO-LLC/ja4) fingerprint of TLS over TCP, such as
    /// `t13d1516h2_8daaf6152771_d8a2da3f94cd`.
    pub fn ja4(&self) -> Option<String> {
        self.complete.then(|| fingerprint::ja4(self, fingerprint::short_sha256))
    }

    fn read(&mut self, bytes: &mut Bytes<'_>, cut: bool) -> Option<()> {
        self.version = bytes.u16()?;
        bytes.take(RANDOM)?;
        bytes.sized8()?; // session
        self.ciphers = bytes.sized16()?.numbers();
        bytes.sized8()?; // compression
        if bytes.is_empty() {
            return Some(());
        }
        let len = usize::from(bytes.u16()?);
        let there = if cut { len.min(bytes.rest().len()) } else { len };
        let mut extensions = Bytes::new(bytes.take(there)?);
        while !extensions.is_empty() {
            let (number, mut data) = (extensions.u16()?, extensions.sized16()?);
            self.extensions.push(number);
            // An extension that is not well-formed in itself is there, and says nothing.
            let _ = self.extension(number, &mut data);
        }
        Some(())
    }

    fn extension(&mut self, number: u16, data: &mut Bytes<'_>) -> Option<()> {
        match number {
            SERVER_NAME => self.sni = Some(host_name(data.sized16()?)?),
            GROUPS => self.groups = data.sized16()?.numbers(),
            POINT_FORMATS => self.point_formats = data.sized8()?.rest().to_vec(),
            SIGNATURE_ALGORITHMS => self.signature_algorithms = data.sized16()?.numbers(),
            ALPN => self.alpn = Some(data.sized16()?.sized8()?.rest().to_vec()),
            SUPPORTED_VERSIONS => self.versions = data.sized8()?.numbers(),
            _ => {}
        }
        Some(())
    }
}

/// The host in a list of names.
fn host_name(mut names: Bytes<'_>) -> Option<String> {
    loop {
        let (kind, name) = (names.u8()?, names.sized16()?);
        if kind == 0 {
            return Some(String::from_utf8_lossy(name.rest()).into_owned());
        }
    }
}

/// Bytes of the random value of a hello.
pub(super) const RANDOM: usize = 32;

// Numbers of extensions (IANA, "TLS ExtensionType Values").
pub(super) const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
pub(super) const ALPN: u16 = 16;
pub(super) const SUPPORTED_VERSIONS: u16 = 43;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::testing::{Client, record};
    use crate::payload::tls::Hello;

    fn found(client: &Client) -> ClientHello {
        match Hello::find(&record(&client.handshake())) {
            Some(Hello::Client(hello)) => hello,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_a_client_says_is_read() {
        let hello = found(&Client::browser());
        assert_eq!(hello.sni(), Some("example.com"));
        assert_eq!(hello.alpn(), Some(&b"h2"[..]));
        assert_eq!(hello.ciphers().len(), 16);
        assert_eq!(hello.groups(), [0x1a1a, 4588, 29, 23, 24]);
        assert_eq!((hello.version(), hello.stated_version()), (Version::TLS_1_3, Version::TLS_1_2));
        assert!(hello.is_complete());
    }

    #[test]
    fn a_broken_extension_says_nothing_and_breaks_nothing() {
        let mut client = Client::browser();
        for extension in &mut client.extensions {
            extension.1.truncate(1);
        }
        let hello = found(&client);
        assert_eq!((hello.sni(), hello.alpn(), hello.groups()), (None, None, &[][..]));
        assert_eq!(hello.extensions(), found(&Client::browser()).extensions());
        // A length that leads out of the hello does break it.
        let mut payload = record(&Client::browser().handshake());
        let last = payload.len() - 3;
        payload[last] = 0xff;
        assert_eq!(Hello::find(&payload), None);
    }

    #[test]
    fn ssl2_hellos_have_a_version_and_no_fingerprint() {
        let ssl2 = |version: u16| {
            let mut payload = vec![0x80, 9 + 6 + 16, 1];
            payload.extend(version.to_be_bytes());
            payload.extend([0, 6, 0, 0, 0, 16, 7, 0, 0xc0, 0, 0, 0x2f]);
            payload.extend([9; 16]);
            payload
        };
        for version in [Version::SSL_2_0, Version::SSL_3_0, Version::TLS_1_0] {
            let Some(Hello::Client(hello)) = Hello::find(&ssl2(version.0)) else { panic!("{version}") };
            assert_eq!((hello.version(), hello.ciphers()), (version, &[0x002f][..]));
            assert_eq!((hello.ja3(), hello.ja4()), (None, None));
        }
        assert_eq!(Hello::find(&ssl2(0x0500)), None);
        assert_eq!(Hello::find(&ssl2(2)[..30]), None);
    }
}
