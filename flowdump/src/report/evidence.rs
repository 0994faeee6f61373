//! What a report rests on: the files of each input, their sizes and hashes.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flowcore::{OpenOptions, Result};
use sha2::{Digest, Sha256};

/// The files of an input.
pub(super) struct Evidence {
    pub(super) files: Vec<Hashed>,
}

/// A file as it was when it was looked at.
pub(super) struct Hashed {
    pub(super) path: PathBuf,
    /// `None` for what can be read once only, as a pipe, and for what cannot be read.
    pub(super) content: Option<Content>,
}

/// Size and hash of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: u64,
    /// In hexadecimal.
    pub(super) sha256: String,
}

impl Evidence {
    /// The files of an input that are of the time looked at.
    ///
    /// # Errors
    /// When the input does not exist.
    pub(super) fn of(options: &OpenOptions, input: &[PathBuf]) -> Result<Self> {
        let (paths, _) = options.files(input)?;
        Ok(Self { files: paths.into_iter().map(Hashed::of).collect() })
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        let sizes = self.files.iter().filter_map(|file| file.content.as_ref()).map(|content| content.bytes);
        sizes.fold(0, u64::saturating_add)
    }

    /// The hash of the list of hashes, as `sha256sum FILE... | sha256sum` gives it.
    pub(super) fn sha256(&self) -> String {
        let mut list = Sha256::new();
        for file in &self.files {
            if let Some(content) = &file.content {
                list.update(format!("{}  {}\n", content.sha256, file.path.display()));
            }
        }
        hexadecimal(&list.finalize())
    }
}

impl Hashed {
    fn of(path: PathBuf) -> Self {
        let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
        let content = if is_file { Content::of(&path).ok() } else { None };
        Self { path, content }
    }
}

impl Content {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let (mut file, mut hash, mut bytes) = (File::open(path)?, Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 18];
        loop {
            let count = match file.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else { break };
            hash.update(part);
            bytes += count as u64;
        }
        Ok(Self { bytes, sha256: hexadecimal(&hash.finalize()) })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A String takes all that is written.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_hash_that_others_give_it() {
        let path = std::env::temp_dir().join(format!("flowdump-evidence-{}", std::process::id()));
        std::fs::write(&path, "abc").unwrap();
        let content = Content::of(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        // FIPS 180-4, example of "abc".
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        assert_eq!(content, Content { bytes: 3, sha256 });
        assert!(Hashed::of(path).content.is_none());
    }
}
