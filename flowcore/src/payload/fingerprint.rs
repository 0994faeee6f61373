//! Fingerprints of TLS hellos: what a program offers, and in which order, tells which program it is.
//!
//! JA3 and JA3S are the MD5 of numbers in the order in which they were sent (Salesforce,
//! <https://github.com/salesforce/ja3>, BSD 3-clause). JA4 sorts them first, for clients that shuffle (FoxIO,
//! <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>, BSD 3-clause). The other methods of the JA4+
//! family, JA4S among them, are under a licence that forbids some uses, and are not here.

use std::fmt::{Display, Write};

use md5::Md5;
use sha2::{Digest, Sha256};

use super::client_hello::{ALPN, ClientHello, SERVER_NAME};
use super::tls::{Version, is_grease};

/// What JA3 hashes: version, suites, extensions, groups, point formats.
pub(super) fn ja3_text(hello: &ClientHello) -> String {
    let lists = [hello.ciphers(), hello.extensions(), hello.groups()].map(dashed);
    let point_formats = joined(hello.point_formats().iter(), '-');
    format!("{},{},{point_formats}", hello.stated_version().0, lists.join(","))
}

/// What JA3S hashes: version, suite, extensions.
pub(super) fn ja3s_text(version: u16, cipher: u16, extensions: &[u16]) -> String {
    format!("{version},{cipher},{}", dashed(extensions))
}

/// JA4 of TLS over TCP; `digest` makes its second and third part of the lists.
pub(super) fn ja4(hello: &ClientHello, digest: impl Fn(&str) -> String) -> String {
    let ciphers = without_grease(hello.ciphers());
    let extensions = without_grease(hello.extensions());
    let server = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
    let (version, alpn) = (ja4_version(hello.version()), ja4_alpn(hello.alpn().unwrap_or_default()));
    let (suites, count) = (ciphers.len().min(99), extensions.len().min(99));
    let named = [SERVER_NAME, ALPN];
    let rest = extensions.into_iter().filter(|number| !named.contains(number)).collect();
    let mut extensions = sorted_hex(rest);
    let algorithms = without_grease(hello.signature_algorithms());
    if !algorithms.is_empty() {
        let _ = write!(extensions, "_{}", hex_list(&algorithms));
    }
    let (ciphers, extensions) = (digest(&sorted_hex(ciphers)), digest(&extensions));
    format!("t{version}{server}{suites:02}{count:02}{alpn}_{ciphers}_{extensions}")
}

/// The MD5 in hexadecimal.
pub(super) fn md5(text: &str) -> String {
    hex(&Md5::digest(text))
}

/// The first 12 hexadecimal digits of the SHA-256; zeros for an empty text.
pub(super) fn short_sha256(text: &str) -> String {
    if text.is_empty() { "0".repeat(12) } else { hex(Sha256::digest(text).iter().take(6)) }
}

fn ja4_version(version: Version) -> &'static str {
    match version {
        Version::TLS_1_3 => "13",
        Version::TLS_1_2 => "12",
        Version::TLS_1_1 => "11",
        Version::TLS_1_0 => "10",
        Version::SSL_3_0 => "s3",
        Version::SSL_2_0 => "s2",
        _ => "00",
    }
}

/// First and last character of a protocol; of its hexadecimal digits, if one of the two is no letter or digit.
fn ja4_alpn(protocol: &[u8]) -> String {
    let (Some(&first), Some(&last)) = (protocol.first(), protocol.last()) else { return "00".to_owned() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [first, last].map(char::from).iter().collect();
    }
    format!("{:x}{:x}", first >> 4, last & 0x0f)
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|&value| !is_grease(value)).collect()
}

fn dashed(values: &[u16]) -> String {
    joined(without_grease(values), '-')
}

fn sorted_hex(mut values: Vec<u16>) -> String {
    values.sort_unstable();
    hex_list(&values)
}

fn hex_list(values: &[u16]) -> String {
    joined(values.iter().map(|value| format!("{value:04x}")), ',')
}

fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

fn joined(values: impl IntoIterator<Item = impl Display>, separator: char) -> String {
    let mut text = String::new();
    for value in values {
        if !text.is_empty() {
            text.push(separator);
        }
        let _ = write!(text, "{value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::testing::{Client, extension, record};
    use crate::payload::tls::Hello;

    fn hello(client: &Client) -> ClientHello {
        match Hello::find(&record(&client.handshake())) {
            Some(Hello::Client(hello)) => hello,
            other => panic!("{other:?}"),
        }
    }

    /// As browserleaks.com shows it for Chrome 143 on Android.
    #[test]
    fn a_browser_as_published() {
        let hello = hello(&Client::browser());
        assert_eq!(
            hello.ja3_text().unwrap(),
            "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,\
             45-51-16-65037-23-17613-0-11-10-43-65281-35-18-5-13-27,4588-29-23-24,0"
        );
        assert_eq!(hello.ja3().unwrap(), "98487aa16281980e7d1120d399efb6a4");
        assert_eq!(
            hello.ja4_raw().unwrap(),
            "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_\
             0005,000a,000b,000d,0012,0017,001b,0023,002b,002d,0033,44cd,fe0d,ff01_\
             0403,0804,0401,0503,0805,0501,0806,0601"
        );
        assert_eq!(hello.ja4().unwrap(), "t13d1516h2_8daaf6152771_d8a2da3f94cd");
    }

    /// The examples of JA3's README.
    #[test]
    fn ja3_as_published() {
        let mut client = Client { version: 769, ..Client::default() };
        client.ciphers = vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
        let groups = [0, 6, 0, 23, 0, 24, 0, 25];
        client.extensions = vec![extension(0, &[]), extension(10, &groups), extension(11, &[1, 0])];
        let old = hello(&client);
        assert_eq!(
            old.ja3_text().unwrap(),
            "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"
        );
        assert_eq!(old.ja3().unwrap(), "ada70206e40642a3e4461f35503241d5");
        client.ciphers = vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99];
        client.extensions.clear();
        let older = hello(&client);
        assert_eq!(older.ja3_text().unwrap(), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
        assert_eq!(older.ja3().unwrap(), "de350869b8c85de67a350c8d186f11e6");
        assert!(older.ja4().unwrap().starts_with("t10i110000_"));
        assert!(older.ja4().unwrap().ends_with("_000000000000"));
    }

    /// The examples of JA4's technical description.
    #[test]
    fn ja4_takes_the_ends_of_a_protocol() {
        for (protocol, expected) in [
            (&b"h2"[..], "h2"),
            (b"http/1.1", "h1"),
            (b"h", "hh"),
            (b"", "00"),
            (&[0xab], "ab"),
            (&[0xab, 0xcd], "ad"),
            (&[0x30, 0xab], "3b"),
            (&[0x30, 0x31, 0xab, 0xcd], "3d"),
            (&[0x30, 0xab, 0xcd, 0x31], "01"),
        ] {
            assert_eq!(ja4_alpn(protocol), expected, "{protocol:x?}");
        }
    }

    #[test]
    fn ja4_counts_to_99_and_leaves_an_empty_part_out() {
        let mut client = Client { version: 0x0303, ciphers: (0..150).collect(), ..Client::default() };
        client.extensions = (100..220).map(|number| extension(number, &[])).collect();
        let raw = hello(&client).ja4_raw().unwrap();
        assert!(raw.starts_with("t12i999900_0000,0001,") && raw.ends_with(",00db"), "{raw}");
    }

    #[test]
    fn grease_is_of_sixteen_values() {
        assert_eq!((0..=u16::MAX).filter(|&value| is_grease(value)).count(), 16);
        assert!(is_grease(0x0a0a) && is_grease(0xfafa) && !is_grease(0x0a1a) && !is_grease(0x0b0b));
    }
}
