//! What a TLS server answers first: the version and cipher suite it has chosen.

use super::bytes::Bytes;
use super::client_hello::{RANDOM, SUPPORTED_VERSIONS};
use super::fingerprint;
use super::tls::Version;

/// A server's hello (RFC 8446 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerHello {
    version: u16,
    /// The version chosen in an extension, as TLS 1.3 does.
    chosen: Option<u16>,
    cipher: Option<u16>,
    extensions: Vec<u16>,
    complete: bool,
}

impl ServerHello {
    /// Reads the body of the message. `cut` says that not all of it is there; a whole one has to be well-formed.
    pub(super) fn parse(body: &[u8], cut: bool) -> Option<Self> {
        let mut hello = Self::default();
        let read = hello.read(&mut Bytes::new(body), cut);
        hello.complete = read.is_some() && !cut;
        ((cut || read.is_some()) && Version(hello.version).begins_hello()).then_some(hello)
    }

    /// The version chosen.
    pub fn version(&self) -> Version {
        Version(self.chosen.unwrap_or(self.version))
    }

    /// The cipher suite chosen; `None` if the hello is cut before it.
    pub fn cipher(&self) -> Option<u16> {
        self.cipher
    }

    /// The numbers of the extensions in the server's order.
    pub fn extensions(&self) -> &[u16] {
        &self.extensions
    }

    /// Whether all of the hello was there.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The text whose MD5 is the JA3S fingerprint: stated version, cipher suite, extensions, in decimal.
    pub fn ja3s_text(&self) -> Option<String> {
        let cipher = self.cipher.filter(|_| self.complete)?;
        Some(fingerprint::ja3s_text(self.version, cipher, &self.extensions))
    }

    /// The [JA3S](https://github.com/salesforce/ja3) fingerprint, 32 hexadecimal digits.
    pub fn ja3s(&self) -> Option<String> {
        self.ja3s_text().map(|text| fingerprint::md5(&text))
    }

    fn read(&mut self, bytes: &mut Bytes<'_>, cut: bool) -> Option<()> {
        self.version = bytes.u16()?;
        bytes.take(RANDOM)?;
        bytes.sized8()?; // session
        self.cipher = Some(bytes.u16()?);
        bytes.u8()?; // compression
        if bytes.is_empty() {
            return Some(());
        }
        let len = usize::from(bytes.u16()?);
        let there = if cut { len.min(bytes.rest().len()) } else { len };
        let mut extensions = Bytes::new(bytes.take(there)?);
        while !extensions.is_empty() {
            let (number, mut data) = (extensions.u16()?, extensions.sized16()?);
            self.extensions.push(number);
            if number == SUPPORTED_VERSIONS {
                self.chosen = data.u16();
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::testing::{record, server_hello};
    use crate::payload::tls::Hello;

    #[test]
    fn a_choice_has_a_fingerprint() {
        let payload = record(&server_hello(0x0303, 0xc02f, &[(0xff01, &[0]), (0, &[]), (11, &[1, 0])]));
        let Some(Hello::Server(hello)) = Hello::find(&payload) else { panic!() };
        assert_eq!((hello.version(), hello.cipher()), (Version::TLS_1_2, Some(0xc02f)));
        assert_eq!(hello.ja3s_text().as_deref(), Some("771,49199,65281-0-11"));
        assert_eq!(hello.ja3s().as_deref(), Some("a704460bd0a887c62e4f462bf1bba96b"));
        let Some(Hello::Server(cut)) = Hello::find(&payload[..payload.len() - 1]) else { panic!() };
        assert_eq!((cut.version(), cut.cipher(), cut.ja3s()), (Version::TLS_1_2, Some(0xc02f), None));
    }
}
