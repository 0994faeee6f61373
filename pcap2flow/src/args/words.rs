//! The words of a command line, brought into the form in which options and values cannot be mixed up.
//!
//! `-z`, `-v` and `-d` have a value that can be left out, so a value has to be joined to them by `=`; otherwise the name
//! of a capture behind one could be taken for it. `nfpcapd` and earlier versions take `-z zstd` and `-v 2`: a word that
//! can be nothing but a value is joined here.

use std::ffi::{OsStr, OsString};

use flowcore::format::is_compression;

/// The words with values joined to their options.
pub(super) fn join(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words = words.into_iter().peekable();
    let mut joined = Vec::new();
    let mut all_captures = false;
    while let Some(word) = words.next() {
        all_captures |= word == "--";
        let value = words.next_if(|next| !all_captures && takes(&word, next));
        joined.push(match value {
            Some(value) => [&*word, OsStr::new("="), &*value].into_iter().collect(),
            None if all_captures => word,
            None => with_equals_sign(word),
        });
    }
    joined
}

/// Whether `next` is the value of `option` and nothing else.
fn takes(option: &OsStr, next: &OsStr) -> bool {
    let next = next.to_str().unwrap_or_default();
    match option.to_str() {
        Some("-z" | "--compress") => is_compression(next),
        Some("-v" | "--verbose") => matches!(next.as_bytes(), [b'0'..=b'4']),
        _ => false,
    }
}

/// `-zlz4` as `-z=lz4`, and the same for `-v` and `-d`.
fn with_equals_sign(word: OsString) -> OsString {
    let Some((option, value)) = word.to_str().and_then(|word| word.split_at_checked(2)) else { return word };
    let is_value = match option {
        "-z" => is_compression(value),
        "-v" | "-d" => value.starts_with(|c: char| c.is_ascii_digit()),
        _ => false,
    };
    if is_value { format!("{option}={value}").into() } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_nothing_else_is_joined() {
        for (typed, expected) in [
            ("-z zstd a.pcap", "-z=zstd a.pcap"),
            ("-z zstd:9", "-z=zstd:9"),
            ("--compress lzo", "--compress=lzo"),
            ("-zlz4 -v2 -d9,5", "-z=lz4 -v=2 -d=9,5"),
            ("-z a.pcap", "-z a.pcap"),
            ("-z=none -v 3", "-z=none -v=3"),
            ("-v 5", "-v 5"),
            ("-v a.pcap -d 8", "-v a.pcap -d 8"),
            ("-qz -w x", "-qz -w x"),
            ("-- -z zstd -v2", "-- -z zstd -v2"),
            ("-z", "-z"),
        ] {
            let words = join(typed.split(' ').map(OsString::from));
            assert_eq!(words.join(OsStr::new(" ")), *expected, "{typed}");
        }
    }
}
