//! Base64 (RFC 4648, section 4) as a stream: the text form of what CloudWatch Logs hands to subscriptions.

use std::io::{self, Read};

/// The first letters of base64 whose bytes are a gzip stream.
pub(super) const OF_GZIP: &[u8] = b"H4sI";

/// Decodes text. Line ends mean nothing, and another text may follow the `=` that end one.
pub(super) struct Base64<R> {
    input: R,
    text: Vec<u8>,
    /// What of the text has not been decoded.
    at: usize,
    end: usize,
    /// Bits that are no byte yet, and how many.
    bits: u32,
    count: u32,
}

impl<R: Read> Base64<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, text: vec![0; 16 * 1024], at: 0, end: 0, bits: 0, count: 0 }
    }

    /// The byte of the text that comes next; `None` at the end.
    fn letter(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.end {
            (self.at, self.end) = (0, self.input.read(&mut self.text)?);
        }
        Ok(self.text.get(..self.end).and_then(|text| text.get(self.at)).copied())
    }

    /// The next decoded byte; `None` at the end.
    fn byte(&mut self) -> io::Result<Option<u8>> {
        while let Some(letter) = self.letter()? {
            if matches!(letter, b'=' | b'\r' | b'\n') {
                (self.bits, self.count) = (0, 0);
            } else if let Some(bits) = bits_of(letter) {
                (self.bits, self.count) = (self.bits << 6 | bits, self.count + 6);
            } else {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a character that is not base64"));
            }
            self.at += 1;
            if self.count >= 8 {
                self.count -= 8;
                let byte = self.bits >> self.count;
                self.bits &= (1 << self.count) - 1;
                return Ok(u8::try_from(byte).ok());
            }
        }
        Ok(None)
    }
}

impl<R: Read> Read for Base64<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while let Some(place) = buffer.get_mut(count) {
            match self.byte() {
                Ok(Some(byte)) => *place = byte,
                Ok(None) => break,
                // It comes again when there is nothing before it.
                Err(_) if count > 0 => break,
                Err(error) => return Err(error),
            }
            count += 1;
        }
        Ok(count)
    }
}

fn bits_of(letter: u8) -> Option<u32> {
    let (first, value) = match letter {
        b'A'..=b'Z' => (b'A', 0),
        b'a'..=b'z' => (b'a', 26),
        b'0'..=b'9' => (b'0', 52),
        b'+' => (b'+', 62),
        b'/' => (b'/', 63),
        _ => return None,
    };
    Some(u32::from(letter - first) + value)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text of these bytes, with `=` at its end.
    pub(in super::super) fn encode(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
            for at in 0..4 {
                let letter = char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize]);
                text.push(if at <= group.len() { letter } else { '=' });
            }
        }
        text
    }

    fn decode(text: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Base64::new(text.as_bytes()).read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn the_examples_of_rfc_4648_are_read() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
            assert_eq!(encode(bytes.as_bytes()), text);
        }
        assert_eq!(decode("Zg==\nZm8\r\nZm9v").unwrap(), b"ffofoo");
        assert!(decode("Zm9v-").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..200), width in 1_usize..20) {
            let text = encode(&bytes);
            let lines: Vec<&str> = text.as_bytes().chunks(width * 4).map(|line| std::str::from_utf8(line).unwrap()).collect();
            prop_assert_eq!(decode(&lines.join("\n")).unwrap(), bytes);
        }
    }
}
