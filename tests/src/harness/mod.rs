//! Runs our binaries and other people's tools, and finds test data. Everything here panics with a clear message
//! when it cannot do its work: that is how a test fails.

mod golden;
mod peer;
mod temp;
mod tool;

use std::path::{Path, PathBuf};

pub use golden::{assert_golden, assert_same_text};
pub use peer::{peer, tool_available, try_peer};
pub use temp::TempDir;
pub use tool::{Run, Tool, numbers_before};

/// The folder `testdata` of the workspace, or a file in it.
pub fn testdata(path: &str) -> PathBuf {
    workspace().join("testdata").join(path)
}

/// The folder of captures and logs of other projects that `FLOW_CORPUS` names; without it, says that the test is
/// skipped.
pub fn corpus() -> Option<PathBuf> {
    match std::env::var_os("FLOW_CORPUS") {
        Some(folder) => {
            let folder = PathBuf::from(folder);
            assert!(folder.is_dir(), "FLOW_CORPUS is {}, which is no folder", folder.display());
            Some(folder)
        }
        None => {
            skipped("FLOW_CORPUS does not name a folder of captures and logs");
            None
        }
    }
}

/// Says on standard error that the current test is skipped. With `FLOW_NO_SKIP` set, as one job of the automatic
/// checks has it, that is a failure.
pub fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("FLOW_NO_SKIP").is_none(), "{test} may not be skipped: {why}");
    #[allow(clippy::print_stderr, reason = "a skipped test has to say so")]
    {
        eprintln!("SKIPPED {test}: {why}");
    }
}

/// Files of a folder with their names, in order of these.
pub fn files_in(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    files.sort();
    files
}

fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}
