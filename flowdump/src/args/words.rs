//! The words of a command line with the method of `-z` joined to it.
//!
//! The value of `-z` can be left out, so it has to be joined by `=`; otherwise an input or a filter behind `-z` could be
//! taken for it. A word that can be nothing but a method is joined here: `-z lz4` and `-zlz4` are `-z=lz4`.

use std::ffi::OsString;

use flowcore::format::is_compression;

/// The words with methods joined to `-z`.
pub(super) fn join(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words = words.into_iter().peekable();
    let mut joined = Vec::new();
    let mut only_filter = false;
    while let Some(mut word) = words.next() {
        only_filter |= word == "--";
        if !only_filter {
            if let Some(method) =
                word.to_str().and_then(|word| word.strip_prefix("-z")).filter(|m| is_compression(m))
            {
                word = format!("-z={method}").into();
            } else if word == "-z" || word == "--compress" {
                let method = words.next_if(|next| next.to_str().is_some_and(is_compression));
                method.into_iter().for_each(|method| {
                    word.push("=");
                    word.push(method);
                });
            }
        }
        joined.push(word);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_nothing_else_is_joined() {
        for (typed, expected) in [
            ("-z zstd a.pcap", "-z=zstd a.pcap"),
            ("-z zstd:9", "-z=zstd:9"),
            ("--compress lzo -w x", "--compress=lzo -w x"),
            ("-zlz4 -z=none", "-z=lz4 -z=none"),
            ("-z tcp", "-z tcp"),
            ("-qz -w x", "-qz -w x"),
            ("-- -z zstd -zlz4", "-- -z zstd -zlz4"),
            ("-z", "-z"),
        ] {
            let words = join(typed.split(' ').map(OsString::from));
            assert_eq!(words.join(std::ffi::OsStr::new(" ")), *expected, "{typed}");
        }
    }
}
