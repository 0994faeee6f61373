//! What reading would do, without reading a record: which files, their formats, and the blocks that a filter skips.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::format::Format;
use crate::format::flow::{self, BlockCount};
use crate::input::Input;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_left_alone_and_a_missing_file_is_a_problem() {
        let options = OpenOptions::new();
        let stdin = options.preview(Path::new("-"));
        assert!(stdin.format.is_none() && stdin.problem.is_none());
        assert!(options.preview(Path::new("no/such/file")).problem.is_some());
        assert!(options.files(["no/such/file"]).is_err());
    }
}
