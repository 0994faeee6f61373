//! Which inputs `-r`, `-R` and `-M` name, as nfdump reads them. In: the options; out: the inputs in order.
//!
//! `-R` takes a folder, the first file of a folder, or the first and the last file; the last one may lie in another
//! folder of a tree such as `2023/01/01`. Both ends are included, an end that is a folder with all that is in it. The
//! last one need not be there: its name is the limit. `-M` has the same read below each of several folders.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use flowcore::{Error, ErrorKind, Problems, Result, is_unfinished};

/// The inputs that options name.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// In the order in which they are read.
    pub(super) inputs: Vec<PathBuf>,
    /// Files of `-r` that some folders of `-M` do not have, while others do.
    pub(super) missing: Problems,
}

/// The inputs in the order in which they are read.
///
/// # Errors
/// When the first file of a range is not there or comes after the last one, a folder cannot be read, no folder of `-M`
/// has the file of `-r`, or nothing below them is in a range.
pub(super) fn inputs(read: &[PathBuf], ranges: &[PathBuf], folders: Option<&Path>) -> Result<Named> {
    let Some(folders) = folders else {
        let mut inputs = read.to_vec();
        for range in ranges {
            inputs.extend(expand(range)?);
        }
        return Ok(Named { inputs, ..Named::default() });
    };
    if read.is_empty() && ranges.is_empty() {
        return Err(Error::argument("-M needs -r or -R: what to read below each of its folders"));
    }
    let roots = roots(folders);
    let mut named = Named { missing: missing(read, &roots)?, ..Named::default() };
    for root in roots {
        named.inputs.extend(read.iter().map(|file| root.join(file)).filter(|file| file.exists()));
        for range in ranges {
            named.inputs.extend(expand_below(root.clone(), range)?);
        }
    }
    match ranges.first() {
        Some(range) if named.inputs.is_empty() => Err(nothing_in(&folders.join(range))),
        _ => Ok(named),
    }
}

/// The files that are in some folders only; one that is in none is an error.
fn missing(read: &[PathBuf], roots: &[PathBuf]) -> Result<Problems> {
    let mut missing = Problems::default();
    for file in read {
        let places = roots.iter().map(|root| root.join(file));
        let mut errors: Vec<Error> = places
            .filter_map(|place| {
                place.metadata().err().map(|error| Error::from(error).in_input(place.display().to_string()))
            })
            .collect();
        if errors.len() == roots.len() {
            errors.truncate(1);
            return errors.pop().map_or(Ok(missing), Err);
        }
        errors.into_iter().for_each(|error| missing.push_input(error));
    }
    Ok(missing)
}

/// The folders of `/flows/a:b:c`: `/flows/a`, `/flows/b` and `/flows/c`.
fn roots(folders: &Path) -> Vec<PathBuf> {
    let text = folders.to_string_lossy();
    let mut names = text.split(':').map(Path::new);
    let first = names.next().unwrap_or(folders);
    let parent = first.parent().unwrap_or(Path::new(""));
    std::iter::once(first.to_owned()).chain(names.map(|name| parent.join(name))).collect()
}

/// `-R` without `-M`.
fn expand(range: &Path) -> Result<Vec<PathBuf>> {
    if range.is_dir() || range == Path::new("-") {
        return Ok(vec![range.to_owned()]);
    }
    let (first, last) = ends(range);
    first.metadata().map_err(|error| Error::from(error).in_input(first.display().to_string()))?;
    let files = Range::of(&first, last).files()?;
    if files.is_empty() { Err(nothing_in(range)) } else { Ok(files) }
}

/// `-R` below a folder of `-M`: the first file need not be in each of them, and without a last one all that come
/// later in the tree are read.
fn expand_below(root: PathBuf, range: &Path) -> Result<Vec<PathBuf>> {
    let place = if range == Path::new(".") { root.clone() } else { root.join(range) };
    if place.is_dir() {
        return Ok(vec![place]);
    }
    let (first, last) = ends(range);
    let last = last.map(|last| if is_bare(&last) { first.with_file_name(last) } else { last });
    Range { root, first, last, reach: Reach::Tree }.files()
}

/// The first file, and the last one behind a colon; a colon can also be part of a name.
fn ends(range: &Path) -> (PathBuf, Option<PathBuf>) {
    match range.to_str().and_then(|text| text.rsplit_once(':')).filter(|_| !range.exists()) {
        Some((first, last)) => (first.into(), Some(last.into())),
        None => (range.to_owned(), None),
    }
}

/// The files from the first to the last one.
struct Range {
    root: PathBuf,
    /// Relative to the root, as the last one.
    first: PathBuf,
    /// None for no end.
    last: Option<PathBuf>,
    reach: Reach,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The files of one folder.
    Folder,
    /// The files of a tree, in the order of paths.
    Tree,
    /// The files of a tree whose folders are dates, such as `2023/01/01`: their names alone are in order.
    Dates,
}

impl Range {
    /// The range from a file or folder, as it is named, to the last one, which is relative to the nearest folder above
    /// the first one that has it, else to as many folders above as it names itself.
    fn of(first: &Path, last: Option<PathBuf>) -> Self {
        let name = || first.file_name().map(PathBuf::from).unwrap_or_default();
        let folder = first.parent().unwrap_or(Path::new(""));
        let bare = last.as_deref().is_none_or(is_bare);
        let above = above_dates(folder);
        let shared = last.as_deref().and_then(|last| root_of_both(first, last));
        if last.is_some() && bare && above != folder && shared.is_none() {
            return Self { root: above.to_owned(), first: name(), last, reach: Reach::Dates };
        }
        let levels = last.as_deref().map_or(1, |last| last.components().count());
        let root = shared.or_else(|| first.ancestors().nth(levels)).unwrap_or(folder);
        let from = first.strip_prefix(root).map_or_else(|_| name(), Path::to_owned);
        let reach = if bare && shared.is_none() { Reach::Folder } else { Reach::Tree };
        Self { root: root.to_owned(), first: from, last, reach }
    }

    fn files(&self) -> Result<Vec<PathBuf>> {
        if let Some(last) = self.last.as_deref().filter(|last| *last < self.first.as_path()) {
            let what = format!("-R: {} comes after {}", self.first.display(), last.display());
            return Err(Error::argument(what));
        }
        let mut files = Vec::new();
        self.collect(Path::new(""), MAX_DEPTH, &mut files)?;
        Ok(files)
    }

    /// Adds the files of a folder below the root, and of the folders in it.
    fn collect(&self, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
        let place = if folder.as_os_str().is_empty() { self.root.clone() } else { self.root.join(folder) };
        for name in names(&place)? {
            let (path, is_skipped) = (folder.join(&name), is_unfinished(&name));
            let place = self.root.join(&path);
            let refused = |error: Error| Err(error.in_input(place.display().to_string()));
            match place.metadata() {
                Ok(metadata) if metadata.is_dir() && self.enters(&path) => match depth.checked_sub(1) {
                    Some(depth) => self.collect(&path, depth, files)?,
                    None => {
                        return refused(Error::unsupported(format!(
                            "lies {MAX_DEPTH} folders deep; not read"
                        )));
                    }
                },
                Ok(metadata) if metadata.is_file() && !is_skipped && self.contains(&path) => {
                    files.push(place)
                }
                Err(error) if !is_skipped && self.contains(&path) => return refused(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn contains(&self, file: &Path) -> bool {
        let name = file.file_name().map(Path::new);
        let place = if self.reach == Reach::Dates { name.unwrap_or(file) } else { file };
        place >= self.first && self.is_before_end(place)
    }

    /// Whether a place is not behind the last one; what is in a folder that is the last one is not.
    fn is_before_end(&self, place: &Path) -> bool {
        self.last.as_ref().is_none_or(|last| place <= last || place.starts_with(last))
    }

    /// Whether a folder may hold files of the range.
    fn enters(&self, folder: &Path) -> bool {
        match self.reach {
            Reach::Folder => false,
            Reach::Dates => is_date(folder.file_name().unwrap_or_default()),
            Reach::Tree => {
                (folder >= self.first || self.first.starts_with(folder)) && self.is_before_end(folder)
            }
        }
    }
}

/// Names of a folder's entries, in order.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let named = |error: std::io::Error| Error::from(error).in_input(folder.display().to_string());
    let entries = folder.read_dir().map_err(named)?;
    let mut names =
        entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>().map_err(named)?;
    names.sort();
    Ok(names)
}

fn is_bare(path: &Path) -> bool {
    path.components().count() == 1
}

/// The folder that holds a tree of dates, or the folder itself.
fn above_dates(folder: &Path) -> &Path {
    let above = folder.ancestors().find(|folder| !folder.file_name().is_some_and(is_date));
    above.unwrap_or(folder)
}

/// The nearest folder above the first end that has the last one; a file without folders may be in any, and says nothing.
fn root_of_both<'a>(first: &'a Path, last: &Path) -> Option<&'a Path> {
    let has = |place: PathBuf| if is_bare(last) { place.is_dir() } else { place.exists() };
    first.ancestors().skip(1).find(|root| has(root.join(last)))
}

/// Whether a folder's name is a part of a date: `2023`, `01`, `2023-01-01`.
fn is_date(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
}

fn nothing_in(range: &Path) -> Error {
    Error::new(ErrorKind::NothingToRead).in_input(range.display().to_string())
}

/// Depth to which trees are walked: a link may lead back up.
const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_m_lie_beside_the_first() {
        let roots = |text: &str| roots(Path::new(text));
        assert_eq!(
            roots("/flows/a:b:c"),
            [Path::new("/flows/a"), Path::new("/flows/b"), Path::new("/flows/c")]
        );
        assert_eq!(roots("a:b"), [Path::new("a"), Path::new("b")]);
        assert_eq!(roots("x/a:/y/b"), [Path::new("x/a"), Path::new("/y/b")]);
        assert_eq!(roots("a"), [Path::new("a")]);
    }

    #[test]
    fn the_tree_of_a_range_follows_from_its_ends() {
        let range = |first: &str, last: Option<&str>| {
            let range = Range::of(Path::new(first), last.map(PathBuf::from));
            (range.root.display().to_string(), range.first.display().to_string(), range.reach)
        };
        let same = |found: (String, String, Reach), root: &str, first: &str, reach: Reach| {
            assert!(found.0 == root && found.1 == first && found.2 == reach, "{} {}", found.0, found.1);
        };
        same(range("d/2023/01/a", Some("2023/02/b")), "d", "2023/01/a", Reach::Tree);
        same(range("2023/01/a", Some("2023/02/b")), "", "2023/01/a", Reach::Tree);
        same(range("d/a", Some("b")), "d", "a", Reach::Folder);
        same(range("d/2023/01/a", Some("b")), "d", "a", Reach::Dates);
        same(range("d/2023/01/a", None), "d/2023/01", "a", Reach::Folder);
        same(range("a", None), "", "a", Reach::Folder);
        // More folders than the first one has.
        same(range("a", Some("x/y/b")), "", "a", Reach::Tree);
    }
}
