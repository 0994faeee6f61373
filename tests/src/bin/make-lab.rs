//! Writes the laboratory: `make-lab FOLDER` puts `attack.pcap` and `logs/` into the folder, and the numbers to be
//! found beside it, as `FOLDER.expected.tsv`. Nothing else is touched; log files of an earlier laboratory go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flow_tests::lab::Lab;

fn main() -> ExitCode {
    let result = match std::env::args_os().nth(1) {
        Some(folder) => write(&PathBuf::from(folder)),
        None => Err(io::Error::other("name the folder to write, for example testdata/lab")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        #[allow(clippy::print_stderr, reason = "a program says why it fails")]
        Err(error) => {
            eprintln!("make-lab: {error}");
            ExitCode::from(2)
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    let (lab, logs) = (Lab::make(), folder.join("logs"));
    fs::create_dir_all(&logs)?;
    for old in fs::read_dir(&logs)? {
        let old = old?.path();
        if old.extension().is_some_and(|extension| extension == "gz") {
            fs::remove_file(old)?;
        }
    }
    fs::write(folder.join("attack.pcap"), lab.capture())?;
    for log in &lab.logs {
        fs::write(logs.join(&log.name), log.packed())?;
    }
    fs::write(folder.with_extension("expected.tsv"), lab.expected)
}
