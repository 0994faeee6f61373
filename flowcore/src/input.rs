//! One input: a file or standard input, its compression taken off, its format found from its bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::format::{Compression, Format, SNIFF_BYTES, decompress, describe, sniff};

/// An input that is ready to be read.
pub struct Input {
    name: String,
    format: Format,
    compressed: bool,
    reader: Box<dyn Read + Send>,
    seekable: Option<File>,
    read: ByteCount,
}

/// How the format of an input is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detection {
    /// From its bytes.
    #[default]
    Bytes,
    /// From its bytes; this format if they carry no signature.
    BytesOr(Format),
    /// It is this format, whatever the bytes look like.
    Fixed(Format),
}

impl Detection {
    fn format(self, head: &[u8]) -> Option<Format> {
        match self {
            Self::Bytes => sniff(head),
            Self::BytesOr(format) => sniff(head).or(Some(format)),
            Self::Fixed(format) => Some(format),
        }
    }
}

/// Bytes read so far, counted while other code reads them.
#[derive(Debug, Clone, Default)]
pub struct ByteCount(Arc<AtomicU64>);

impl ByteCount {
    /// The number of bytes.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The same counter, at zero.
    fn restarted(count: Self) -> Self {
        count.0.store(0, Ordering::Relaxed);
        count
    }

    /// Sets the number, where the bytes are counted elsewhere.
    pub(crate) fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Input {
    /// Opens a file, or standard input for `-`.
    ///
    /// Compression is found from the bytes, whatever `detection` says of the format.
    ///
    /// # Errors
    /// When the file cannot be read, or its format is not recognised.
    pub fn open(path: &Path, detection: Detection) -> Result<Self> {
        if path == Path::new("-") {
            return Self::from_reader("stdin", Box::new(io::stdin()), detection);
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Error::from(error).in_input(&name))?;
        let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let copy = if regular { file.try_clone().ok() } else { None };
        let mut input = Self::from_reader(&name, Box::new(file), detection)?;
        input.seekable = copy.filter(|_| !input.compressed);
        Ok(input)
    }

    /// Takes any byte stream as an input; `name` stands in messages and in the `source` field.
    ///
    /// # Errors
    /// When the stream cannot be read, or its format is not recognised.
    pub fn from_reader(name: &str, reader: Box<dyn Read + Send>, detection: Detection) -> Result<Self> {
        let named = |error: Error| error.in_input(name);
        let read = ByteCount::default();
        let counted = Box::new(Counted { inner: reader, count: read.clone() });
        let (head, reader) = peek(counted, 16, |_| false).map_err(|error| named(error.into()))?;
        let compression = Compression::detect(&head);
        let reader = decompress(reader, compression).map_err(|error| named(error.into()))?;
        // A capture that is still being written tells itself by its first bytes, and the next ones may take long.
        let is_capture = |head: &[u8]| sniff(head).is_some_and(Format::is_capture);
        let (head, reader) = peek(reader, SNIFF_BYTES, is_capture).map_err(|error| named(error.into()))?;
        let Some(format) = detection.format(&head) else {
            return Err(named(Error::new(ErrorKind::UnknownFormat(describe(&head).into()))));
        };
        let compressed = compression != Compression::None;
        Ok(Self { name: name.to_owned(), format, compressed, reader, seekable: None, read })
    }

    /// File name or `stdin`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the bytes are.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether it is compressed as a whole.
    pub fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Counts the bytes read, before decompression.
    pub fn byte_count(&self) -> ByteCount {
        self.read.clone()
    }

    /// The file itself, positioned at its start, if it is not compressed and can be read from any place.
    ///
    /// # Errors
    /// Gives the input back where there is no such file.
    pub fn into_file(mut self) -> std::result::Result<CountedFile, Self> {
        match self.seekable.as_mut().map(|file| file.seek(SeekFrom::Start(0))) {
            Some(Ok(_)) => match self.seekable.take() {
                Some(file) => {
                    Ok(CountedFile(Counted { inner: file, count: ByteCount::restarted(self.read) }))
                }
                None => Err(self),
            },
            _ => Err(self),
        }
    }

    /// The decompressed bytes from the start.
    pub fn into_reader(self) -> Box<dyn Read + Send> {
        self.reader
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// A file that can be read from any place, and counts what is read.
#[derive(Debug)]
pub struct CountedFile(Counted<File>);

impl Read for CountedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for CountedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.inner.seek(to)
    }
}

#[derive(Debug)]
struct Counted<R> {
    inner: R,
    count: ByteCount,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.add(read);
        Ok(read)
    }
}

/// Up to `limit` first bytes of a stream, or as many as are `enough`, and the whole stream again.
///
/// An error after the first bytes is kept for the reader, so that what is there can be used.
pub(crate) fn peek(
    mut reader: Box<dyn Read + Send>,
    limit: usize,
    enough: impl Fn(&[u8]) -> bool,
) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = vec![0; limit];
    let mut filled = 0;
    let mut failure = None;
    while filled < limit && !enough(&head[..filled]) {
        match reader.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if filled == 0 => return Err(error),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    head.truncate(filled);
    let start = io::Cursor::new(head.clone());
    let rest: Box<dyn Read + Send> = match failure {
        Some(error) => Box::new(start.chain(Failing(Some(error)))),
        None => Box::new(start.chain(reader)),
    };
    Ok((head, rest))
}

/// Gives the error that a stream met while it was looked at, where the reader comes to it.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0.take() {
            Some(error) => Err(error),
            None => Ok(0),
        }
    }
}
