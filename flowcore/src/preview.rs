//! What reading would do, without reading a record: which files, their formats, and the blocks that a filter skips.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::format::flow::{self, BlockCount};
use crate::format::{Format, SNIFF_BYTES, vpc};
use crate::input::{Input, peek};
use crate::open::OpenOptions;
use crate::source::SourceStats;

/// An input as it would be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Preview {
    /// Its file name, or `-` for standard input, which is not looked at.
    pub path: PathBuf,
    /// Its size in bytes, if it is a file.
    pub bytes: Option<u64>,
    /// Its format, if it could be found.
    pub format: Option<Format>,
    /// Whether it is compressed as a whole.
    pub compressed: bool,
    /// The blocks that would be read, of a flow file with an index.
    pub blocks: Option<BlockCount>,
    /// Why it could not be read.
    pub problem: Option<Error>,
}

impl OpenOptions {
    /// The files that would be read, folders walked, in order; and what of the folders would not be read.
    ///
    /// # Errors
    /// When a path does not exist or a folder holds no file.
    pub fn files<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<(Vec<PathBuf>, SourceStats)> {
        self.clone().waiting(paths)
    }

    /// How one of these files would be read.
    pub fn preview(&self, path: &Path) -> Preview {
        let mut preview = Preview {
            path: path.to_owned(),
            bytes: None,
            format: None,
            compressed: false,
            blocks: None,
            problem: None,
        };
        // Standard input can be read once, and a pipe too.
        let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file);
        if path == Path::new("-") || (metadata.is_none() && path.exists()) {
            return preview;
        }
        preview.bytes = metadata.map(|metadata| metadata.len());
        preview.problem = self.look_at(path, &mut preview).err();
        preview
    }

    /// The columns that these inputs have in common, in order: all are AWS flow logs in text, and the first lines of all say
    /// the same. `None` otherwise, and for standard input, which is not looked at. Files that cannot be read are passed over.
    ///
    /// # Errors
    /// When a path does not exist or a folder holds no file.
    pub fn log_columns<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Option<Vec<String>>> {
        let mut common = None;
        for path in self.files(paths)?.0 {
            if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
                return Ok(None);
            }
            let Ok(input) = Input::open(&path, self.how_to_detect()) else { continue };
            match columns_of(input) {
                Some(columns) if common.as_ref().is_none_or(|common| *common == columns) => {
                    common = Some(columns);
                }
                _ => return Ok(None),
            }
        }
        Ok(common)
    }

    fn look_at(&self, path: &Path, preview: &mut Preview) -> Result<()> {
        let input = Input::open(path, self.how_to_detect())?;
        preview.format = Some(input.format());
        preview.compressed = input.is_compressed();
        if input.format() == Format::Flow {
            let name = input.name().to_owned();
            if let Ok(file) = input.into_file() {
                preview.blocks = flow::count_blocks(file, &name, &self.what_to_read())?;
            }
        }
        Ok(())
    }
}

/// The columns of a log in text, as its first line says them.
fn columns_of(input: Input) -> Option<Vec<String>> {
    let is_log = input.format() == Format::Vpc;
    let head = is_log.then(|| peek(input.into_reader(), SNIFF_BYTES, |_| false).ok()).flatten();
    head.and_then(|(head, _)| vpc::columns_of_text(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_common_where_all_first_lines_agree() {
        let folder = std::env::temp_dir().join(format!("flowcore-preview-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let options = OpenOptions::new();
        let columns = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap();
            options.log_columns([&folder]).unwrap()
        };
        let expected = Some(vec!["bytes".to_owned(), "packets".to_owned()]);
        assert_eq!(columns("a.log", "bytes packets\n1 2\n"), expected);
        assert_eq!(columns("b.log", "\n\u{feff}bytes  packets\r\n"), expected);
        assert_eq!(columns("c.txt", "no log\n"), expected, "what cannot be read is passed over");
        assert_eq!(columns("d.log", "packets bytes\n1 2\n"), None);
        assert_eq!(columns("d.log", "{\"bytes\":1,\"packets\":2,\"srcaddr\":\"10.0.0.1\"}"), None);
        assert_eq!(options.log_columns([Path::new("-")]).unwrap(), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn standard_input_is_left_alone_and_a_missing_file_is_a_problem() {
        let options = OpenOptions::new();
        let stdin = options.preview(Path::new("-"));
        assert!(stdin.format.is_none() && stdin.problem.is_none());
        assert!(options.preview(Path::new("no/such/file")).problem.is_some());
        assert!(options.files(["no/such/file"]).is_err());
    }
}
