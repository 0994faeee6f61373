//! Payloads as flows hold them: texts in which each byte is the character of its number, U+0000 to U+00FF.
//!
//! A text column keeps equal payloads once, and every format that has texts can carry them.

/// The text that stands for these bytes.
///
/// ```
/// assert_eq!(flowcore::payload_text(b"\x16\x03GET"), "\u{16}\u{3}GET");
/// ```
pub fn payload_text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The bytes a text stands for. A character that stands for no byte, which a payload does not have, gives the bytes
/// of its UTF-8 form.
///
/// ```
/// assert_eq!(flowcore::payload_bytes("é\u{0}"), [0xe9, 0]);
/// ```
pub fn payload_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(payload_bytes(&payload_text(&all)), all);
        assert_eq!(payload_bytes("€"), "€".as_bytes());
    }
}
