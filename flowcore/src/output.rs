//! Output files that appear complete or not at all, and never take the place of what is read.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Whether an output may take the place of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// The file that is there stays, and the output fails with [`ErrorKind::Exists`].
    #[default]
    No,
    /// The file that is there is replaced, in one step, when the output is complete.
    Yes,
}

/// A file that is written under a temporary name next to its target, and takes the target's name only when it
/// is complete.
///
/// The temporary name is `.<name>.<process id>.partial`, with a number where that is taken and shortened where it
/// is too long. Dropping the value without [`finish`](Self::finish) removes the temporary file; what a crash
/// leaves behind can be told by its name.
///
/// Where the target is a link, the file it leads to is replaced and the link stays. Character devices, pipes and
/// `/dev/stdout` have no name to take: they are written directly.
///
/// Errors of [`Write`] are the system's own; those of [`create`](Self::create) and [`finish`](Self::finish) name
/// the target.
///
/// ```no_run
/// use std::io::Write;
/// use flowcore::{AtomicFile, Overwrite};
/// let mut file = AtomicFile::create("report.txt".as_ref(), Overwrite::No)?;
/// writeln!(file, "done")?;
/// file.finish()?;
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    file: BufWriter<File>,
    partial: Option<Partial>,
}

/// An output whose bytes are on the disk and that is closed, but has its temporary name still.
///
/// Dropping the value without [`publish`](Self::publish) removes the file.
#[derive(Debug)]
#[must_use = "the output is removed unless it is published"]
pub struct CompleteFile {
    target: PathBuf,
    partial: Option<Partial>,
}

/// Checks that an output does not replace one of the files that are read, which [`Overwrite::Yes`] would destroy.
///
/// An input may be a folder, which stands for every file in it and below, or `-` for stdin. A target that is not
/// there yet, or is a device or a pipe, replaces nothing.
///
/// # Errors
/// [`ErrorKind::Argument`], naming the target, if it is an input.
pub fn check_not_input(target: &Path, inputs: &[PathBuf]) -> Result<()> {
    if inputs.iter().any(|input| holds(input, target)) {
        let error = Error::argument("is an input; write to another name");
        return Err(error.in_input(target.display().to_string()));
    }
    Ok(())
}

/// Bytes collected before they are handed to the system.
const BUFFER: usize = 64 * 1024;

impl AtomicFile {
    /// Starts an output that will be called `target`; folders on the way to it are made.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] if the target is there and may not be replaced, [`ErrorKind::Argument`] if it is
    /// a folder or another thing that cannot be written, [`ErrorKind::Io`] if the temporary file cannot be made.
    pub fn create(target: &Path, overwrite: Overwrite) -> Result<Self> {
        Self::create_unnamed(target, overwrite).map_err(|error| error.in_input(target.display().to_string()))
    }

    /// The name the output will have.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Completes the output: everything is on the disk, then the file takes its name.
    ///
    /// # Errors
    /// When the rest cannot be written, and [`ErrorKind::Exists`] if the target appeared in the meantime and may
    /// not be replaced. The temporary file is removed then.
    pub fn finish(self) -> Result<()> {
        self.complete()?.publish()
    }

    /// Completes the bytes and closes the file, and leaves it to the caller when it takes its name.
    ///
    /// # Errors
    /// When the rest cannot be written. The temporary file is removed then.
    pub fn complete(self) -> Result<CompleteFile> {
        let Self { target, mut file, partial } = self;
        let named = |error: io::Error| Error::from(error).in_input(target.display().to_string());
        file.flush().map_err(named)?;
        if partial.is_some() {
            file.get_ref().sync_all().map_err(named)?;
        }
        Ok(CompleteFile { target, partial })
    }

    fn create_unnamed(target: &Path, overwrite: Overwrite) -> Result<Self> {
        let (file, partial) = match check_target(target, overwrite)? {
            Place::Direct(file) => (file, None),
            Place::Named(place) => Partial::create(place, overwrite).map(|(file, it)| (file, Some(it)))?,
        };
        Ok(Self { target: target.to_owned(), file: BufWriter::with_capacity(BUFFER, file), partial })
    }
}

impl CompleteFile {
    /// The name the output will have.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the output its name.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] if the target appeared in the meantime and may not be replaced. The temporary file
    /// is removed then.
    pub fn publish(mut self) -> Result<()> {
        let published = self.partial.as_mut().map_or(Ok(()), Partial::publish);
        published.map_err(|error| error.in_input(self.target.display().to_string()))
    }

    /// Gives the output this name, which can be its own or another one in the same folder. A device or a pipe has no
    /// name to take: nothing happens.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] if a file of that name is there and may not be replaced. The output keeps its temporary
    /// name, and another one can be tried.
    pub fn publish_as(&mut self, target: &Path) -> Result<()> {
        let Some(partial) = &mut self.partial else { return Ok(()) };
        if target != self.target {
            self.target = target.to_owned();
            partial.place = target.to_owned();
        }
        partial.publish().map_err(|error| error.in_input(target.display().to_string()))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A file under its temporary name, removed unless it is published.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
    place: PathBuf,
    overwrite: Overwrite,
    published: bool,
}

impl Partial {
    fn create(place: PathBuf, overwrite: Overwrite) -> Result<(File, Self)> {
        if let Some(folder) = place.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        for number in 1..=MAX_NUMBER {
            let path = partial_name(&place, number)?;
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, Self { path, place, overwrite, published: false })),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::argument("has too many .partial files next to it; remove those of programs that are gone"))
    }

    fn publish(&mut self) -> Result<()> {
        match self.overwrite {
            Overwrite::Yes => fs::rename(&self.path, &self.place)?,
            Overwrite::No => self.publish_beside_others()?,
        }
        self.published = true;
        Ok(())
    }

    /// A hard link, other than a renaming, fails if the target is there, however late it appeared.
    fn publish_beside_others(&self) -> Result<()> {
        match fs::hard_link(&self.path, &self.place) {
            Ok(()) => Ok(fs::remove_file(&self.path)?),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::new(ErrorKind::Exists)),
            Err(_) => self.rename_beside_others(),
        }
    }

    /// For file systems without links: a file that appears between the two calls is replaced.
    fn rename_beside_others(&self) -> Result<()> {
        match fs::symlink_metadata(&self.place) {
            Ok(_) => Err(Error::new(ErrorKind::Exists)),
            Err(_) => Ok(fs::rename(&self.path, &self.place)?),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.published {
            // Nobody is left to tell; the name of the file says what it is.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// How a target is written.
enum Place {
    /// As it is, because it has no name that could be taken.
    Direct(File),
    /// By taking this name.
    Named(PathBuf),
}

fn check_target(target: &Path, overwrite: Overwrite) -> Result<Place> {
    if let Some(stdout) = stdout_of(target)? {
        return Ok(Place::Direct(stdout));
    }
    match fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => Err(Error::argument("is a folder; name a file in it")),
        Ok(metadata) if metadata.is_file() && overwrite == Overwrite::No => {
            Err(Error::new(ErrorKind::Exists))
        }
        Ok(metadata) if metadata.is_file() => Ok(Place::Named(fs::canonicalize(target)?)),
        Ok(metadata) if is_stream(&metadata) => {
            Ok(Place::Direct(OpenOptions::new().write(true).open(target)?))
        }
        Ok(_) => Err(Error::argument("is no regular file and cannot be replaced")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        Err(_) if fs::symlink_metadata(target).is_ok() => {
            Err(Error::argument("is a link to a file that is not there; name that file"))
        }
        Err(_) => Ok(Place::Named(target.to_owned())),
    }
}

/// A second handle of stdout if the target means it. Opening the name anew would begin at the start of the file
/// that stdout was led into, and fail for sockets.
#[cfg(unix)]
fn stdout_of(target: &Path) -> Result<Option<File>> {
    use std::os::fd::AsFd;
    if target != Path::new("/dev/stdout") {
        return Ok(None);
    }
    Ok(Some(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
}

#[cfg(not(unix))]
fn stdout_of(_: &Path) -> Result<Option<File>> {
    Ok(None)
}

/// Character devices and pipes take bytes as they come.
#[cfg(unix)]
fn is_stream(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_char_device() || metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_stream(_: &fs::Metadata) -> bool {
    false
}

fn partial_name(place: &Path, number: u32) -> Result<PathBuf> {
    let name = place.file_name().ok_or_else(|| Error::argument("is no name for a file"))?;
    let further = if number > 1 { format!("-{number}") } else { String::new() };
    let suffix = format!(".{}{further}.partial", std::process::id());
    let mut partial = OsString::from(hidden_by(name));
    match MAX_NAME.saturating_sub(suffix.len() + partial.len()) {
        room if name.len() <= room => partial.push(name),
        room => partial.push(shorten(&name.to_string_lossy(), room)),
    }
    partial.push(suffix);
    Ok(place.with_file_name(partial))
}

/// What a temporary name begins with, so that readers of the folder pass over it. nfdump reads hidden files too, and
/// knows its collectors' temporary files by this name.
fn hidden_by(name: &OsStr) -> &'static str {
    match name.as_encoded_bytes().starts_with(b"nfcapd.") {
        true => "nfcapd.current.",
        false => ".",
    }
}

/// Bytes that a file name can have on the usual file systems.
const MAX_NAME: usize = 255;
/// Temporary names that are tried.
const MAX_NUMBER: u32 = 1000;

fn shorten(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// Whether a regular file is this input, or lies in it.
fn holds(input: &Path, file: &Path) -> bool {
    let input = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
    let (Ok(of_input), Ok(of_file)) = (fs::metadata(input), fs::metadata(file)) else {
        return false;
    };
    if !of_file.is_file() {
        return false;
    }
    if is_same(&of_input, &of_file) {
        return true;
    }
    match (fs::canonicalize(input), fs::canonicalize(file)) {
        (Ok(input), Ok(file)) => file.starts_with(input),
        _ => false,
    }
}

/// The same file under two names.
#[cfg(unix)]
fn is_same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Only the names tell.
#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test alone, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("flowcore-output-{}-{test}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let names = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<_> =
                names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn write(target: &Path, overwrite: Overwrite, text: &str) -> Result<()> {
        let mut file = AtomicFile::create(target, overwrite)?;
        file.write_all(text.as_bytes())?;
        file.finish()
    }

    #[test]
    fn the_target_appears_when_it_is_complete() {
        let folder = Folder::new("complete");
        let target = folder.0.join("new/folder/a.flow");
        let mut file = AtomicFile::create(&target, Overwrite::No).unwrap();
        file.write_all(b"text").unwrap();
        assert!(!target.exists());
        file.finish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"text");
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn an_output_that_is_given_up_leaves_nothing() {
        let folder = Folder::new("dropped");
        let mut file = AtomicFile::create(&folder.0.join("a.flow"), Overwrite::No).unwrap();
        file.write_all(b"text").unwrap();
        assert_eq!(folder.names(), [format!(".a.flow.{}.partial", std::process::id())]);
        drop(file);
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_file_is_replaced_only_where_that_is_asked_for() {
        let folder = Folder::new("exists");
        let target = folder.0.join("a.flow");
        write(&target, Overwrite::No, "first").unwrap();
        let error = write(&target, Overwrite::No, "second").unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Exists));
        assert!(error.to_string().starts_with(&target.display().to_string()), "{error}");
        assert_eq!(fs::read(&target).unwrap(), b"first");
        write(&target, Overwrite::Yes, "third").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"third");
        assert_eq!(folder.names(), ["a.flow"]);
    }

    #[test]
    fn a_target_that_appears_meanwhile_stays() {
        let folder = Folder::new("meanwhile");
        let target = folder.0.join("a.flow");
        let file = AtomicFile::create(&target, Overwrite::No).unwrap();
        fs::write(&target, "theirs").unwrap();
        assert!(matches!(file.finish().unwrap_err().kind(), ErrorKind::Exists));
        assert_eq!(fs::read(&target).unwrap(), b"theirs");
        assert_eq!(folder.names(), ["a.flow"]);
    }

    #[test]
    fn folders_are_no_targets() {
        let folder = Folder::new("folders");
        for target in [folder.0.as_path(), Path::new("..")] {
            let error = AtomicFile::create(target, Overwrite::Yes).unwrap_err();
            assert!(error.to_string().contains("is a folder"), "{error}");
        }
        assert!(folder.names().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_directly() {
        write(Path::new("/dev/null"), Overwrite::No, "text").unwrap();
        let full = Path::new("/dev/full");
        if full.exists() {
            let mut file = AtomicFile::create(full, Overwrite::No).unwrap();
            file.write_all(b"text").unwrap();
            let error = file.finish().unwrap_err();
            assert!(error.to_string().starts_with("/dev/full: "), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = Folder::new("link");
        let (link, file) = (folder.0.join("link.flow"), folder.0.join("real/a.flow"));
        std::os::unix::fs::symlink("real/a.flow", &link).unwrap();
        let error = write(&link, Overwrite::Yes, "nowhere").unwrap_err();
        assert!(error.to_string().contains("not there"), "{error}");
        write(&file, Overwrite::No, "first").unwrap();
        assert!(matches!(write(&link, Overwrite::No, "second").unwrap_err().kind(), ErrorKind::Exists));
        write(&link, Overwrite::Yes, "third").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"third");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn two_outputs_of_one_name_do_not_mix() {
        let folder = Folder::new("twice");
        let target = folder.0.join("a.flow");
        let mut first = AtomicFile::create(&target, Overwrite::No).unwrap();
        let mut second = AtomicFile::create(&target, Overwrite::No).unwrap();
        first.write_all(b"first").unwrap();
        second.write_all(b"second").unwrap();
        first.finish().unwrap();
        assert!(matches!(second.finish().unwrap_err().kind(), ErrorKind::Exists));
        assert_eq!(fs::read(&target).unwrap(), b"first");
        assert_eq!(folder.names(), ["a.flow"]);
    }

    #[test]
    fn a_complete_output_waits_for_its_name() {
        let folder = Folder::new("complete-later");
        let target = folder.0.join("a.flow");
        let complete = |text: &[u8]| {
            let mut file = AtomicFile::create(&target, Overwrite::No).unwrap();
            file.write_all(text).unwrap();
            file.complete().unwrap()
        };
        drop(complete(b"given up"));
        assert!(folder.names().is_empty());
        let file = complete(b"text");
        assert!(!target.exists());
        file.publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"text");
        assert_eq!(folder.names(), ["a.flow"]);
    }

    #[test]
    fn a_name_that_is_taken_leaves_room_for_another_try() {
        let folder = Folder::new("publish-as");
        let target = folder.0.join("a.flow");
        let mut file = AtomicFile::create(&target, Overwrite::No).unwrap();
        file.write_all(b"text").unwrap();
        let mut file = file.complete().unwrap();
        fs::write(&target, "theirs").unwrap();
        assert!(matches!(file.publish_as(&target).unwrap_err().kind(), ErrorKind::Exists));
        file.publish_as(&folder.0.join("a.2.flow")).unwrap();
        drop(file);
        assert_eq!(folder.names(), ["a.2.flow", "a.flow"]);
        assert_eq!(fs::read(&target).unwrap(), b"theirs");
        assert_eq!(fs::read(folder.0.join("a.2.flow")).unwrap(), b"text");
    }

    #[test]
    fn the_longest_names_can_be_written() {
        let folder = Folder::new("long");
        for name in ["x".repeat(255), "\u{fc}".repeat(127)] {
            write(&folder.0.join(&name), Overwrite::No, "text").unwrap();
            assert!(folder.names().contains(&name));
        }
        assert_eq!(folder.names().len(), 2);
    }

    #[test]
    fn an_output_that_is_an_input_is_refused() {
        let folder = Folder::new("input");
        let input = folder.0.join("a.pcap");
        fs::write(&input, "evidence").unwrap();
        let other = folder.0.join("../").join(folder.0.file_name().unwrap()).join("a.pcap");
        for inputs in [[input.clone()], [other], [folder.0.clone()]] {
            let error = check_not_input(&input, &inputs).unwrap_err().to_string();
            assert!(error.ends_with("a.pcap: is an input; write to another name"), "{error}");
        }
        check_not_input(&folder.0.join("new.flow"), std::slice::from_ref(&folder.0)).unwrap();
        fs::write(folder.0.join("b.pcap"), "evidence").unwrap();
        check_not_input(&folder.0.join("b.pcap"), &[input, folder.0.join("missing")]).unwrap();
        check_not_input(Path::new("/dev/null"), &["/dev/null".into(), "-".into()]).unwrap();
    }
}
