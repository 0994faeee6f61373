//! What is told of as one source: a folder, a capture, or the files of a log that a shell's `*` named one by one.

use std::path::{Path, PathBuf};

use flowcore::{Format, OpenOptions};

use crate::args::name_of;

/// Files and folders of one source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// What it is called in a report.
    pub(super) name: String,
    pub(super) paths: Vec<PathBuf>,
}

impl Input {
    fn new(path: PathBuf) -> Self {
        Self { name: path.display().to_string(), paths: vec![path] }
    }

    /// The paths as words of a command line.
    pub(super) fn shown(&self) -> Vec<String> {
        let word = |path: &PathBuf| match path.display().to_string() {
            word if word.starts_with('-') && word != "-" => format!("./{word}"),
            word => word,
        };
        self.paths.iter().map(word).collect()
    }

    /// The sources of these paths. Logs of the same format in the same folder are one; captures and flow files are one
    /// each: two of them can be two views of the same traffic.
    pub(super) fn group(paths: &[PathBuf], options: &OpenOptions) -> Vec<Self> {
        let mut groups: Vec<(Option<Log>, Vec<PathBuf>)> = Vec::new();
        for path in paths {
            let log = log(path, options);
            match groups.iter_mut().find(|(other, _)| log.is_some() && *other == log) {
                Some((_, paths)) => paths.push(path.clone()),
                None => groups.push((log, vec![path.clone()])),
            }
        }
        groups.into_iter().map(|(_, paths)| Self::of(paths, options)).collect()
    }

    /// A folder stands for its files where all of them were named.
    fn of(mut paths: Vec<PathBuf>, options: &OpenOptions) -> Self {
        if paths.len() == 1 {
            return Self::new(paths.remove(0));
        }
        let folder = paths.first().map(|path| folder(path)).unwrap_or_default();
        paths.sort_unstable();
        paths.dedup();
        let name = |path: &PathBuf| path.file_name().map(ToOwned::to_owned);
        let files = options.files([&folder]).map(|(files, _)| files).unwrap_or_default();
        if files.iter().map(name).eq(paths.iter().map(name)) {
            return Self::new(folder);
        }
        Self { name: name_of(&paths), paths }
    }
}

/// Folder and format.
type Log = (PathBuf, Format);

/// What a file is part of, if it is one of a log.
fn log(path: &Path, options: &OpenOptions) -> Option<Log> {
    let format = if path.is_file() { options.preview(path).format } else { None };
    let is_log = |format: &Format| {
        matches!(format, Format::Vpc | Format::Parquet | Format::Gcp | Format::Azure | Format::Nfdump)
    };
    format.filter(is_log).map(|format| (folder(path), format))
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/lab");

    fn named(paths: &[PathBuf]) -> Vec<(String, usize)> {
        let inputs = Input::group(paths, &OpenOptions::new());
        inputs.into_iter().map(|input| (input.name, input.paths.len())).collect()
    }

    #[test]
    fn files_of_a_log_are_one_source_and_captures_one_each() {
        let folder = PathBuf::from(LAB).join("logs");
        let (logs, _) = OpenOptions::new().files([&folder]).unwrap();
        let capture = PathBuf::from(LAB).join("attack.pcap");
        let capture_name = capture.display().to_string();
        let mut paths = logs.clone();
        paths.insert(1, capture.clone());
        paths.insert(1, capture);
        let both = [(capture_name.clone(), 1), (capture_name, 1)];
        assert_eq!(named(&paths), [&[(folder.display().to_string(), 1)], &both[..]].concat());
        let some = format!("{} + 2", logs[0].display());
        assert_eq!(named(&logs[..3]), [(some, 3)]);
        assert_eq!(named(&logs[..1]), [(logs[0].display().to_string(), 1)]);
        assert_eq!(named(&[PathBuf::from("no-such-file")]), [("no-such-file".to_owned(), 1)]);
    }
}
