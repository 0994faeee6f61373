//! The files below a folder, in the order of names.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::source::Problems;

/// Whether a file's name says that it is still being written, or hidden: `.name`, or `nfcapd.current` and a number as
/// nfdump's collectors call the file of the present. Reading a folder passes over it.
///
/// ```
/// assert!(flowcore::is_unfinished("nfcapd.current.4711".as_ref()));
/// assert!(!flowcore::is_unfinished("nfcapd.202301010000".as_ref()));
/// ```
pub fn is_unfinished(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") || name.starts_with(b"nfcapd.current")
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Files that may hold flows.
    pub(crate) files: Vec<PathBuf>,
    /// Hidden files and those still being written.
    pub(crate) hidden: u64,
    /// What could not be looked at.
    pub(crate) problems: Problems,
}

/// Depth to which folders are walked.
const MAX_DEPTH: usize = 32;

/// A folder on the way down: its true path, and what of it is still to come.
struct Level {
    folder: PathBuf,
    entries: VecDeque<PathBuf>,
}

impl Walk {
    /// Walks a folder and the folders in it. Links are followed, but not back to a folder they lie in.
    pub(crate) fn new(folder: &Path) -> Self {
        let mut walk = Self::default();
        let mut levels = Vec::new();
        walk.enter(folder, &mut levels);
        while let Some(level) = levels.last_mut() {
            match level.entries.pop_front() {
                None => drop(levels.pop()),
                Some(path) => walk.visit(path, &mut levels),
            }
        }
        walk
    }

    fn visit(&mut self, path: PathBuf, levels: &mut Vec<Level>) {
        let is_hidden = path.file_name().is_some_and(is_unfinished);
        match path.metadata() {
            Err(error) => self.problem(&path, error.into()),
            Ok(metadata) if metadata.is_dir() => self.enter(&path, levels),
            Ok(_) if is_hidden => self.hidden += 1,
            Ok(metadata) if metadata.is_file() => self.files.push(path),
            Ok(_) => self.problem(&path, Error::unsupported("neither a file nor a folder; not read")),
        }
    }

    fn enter(&mut self, folder: &Path, levels: &mut Vec<Level>) {
        match Level::new(folder) {
            Err(error) => self.problem(folder, error),
            Ok(level) if levels.iter().any(|above| above.folder == level.folder) => {
                self.problem(folder, Error::unsupported("a link back to a folder it lies in; not followed"));
            }
            Ok(_) if levels.len() >= MAX_DEPTH => {
                let what = format!("folders are read {MAX_DEPTH} deep; this one is not");
                self.problem(folder, Error::unsupported(what));
            }
            Ok(level) => levels.push(level),
        }
    }

    fn problem(&mut self, path: &Path, error: Error) {
        self.problems.push_input(error.in_input(path.display().to_string()));
    }
}

impl Level {
    fn new(folder: &Path) -> Result<Self> {
        let entries = folder.read_dir()?.map(|entry| Ok(entry?.path()));
        let mut entries = entries.collect::<Result<Vec<_>>>()?;
        entries.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        Ok(Self { folder: folder.canonicalize()?, entries: entries.into() })
    }
}
