//! Writes the inputs of the regression guard (`tests/bench/budget.py`): `make-bench FOLDER` puts captures and logs into the
//! folder, and into its folder `one` the same kinds with a single packet or row. What a program does with one of them is
//! taken off what it does with many, so that its beginning and end do not count.
//! Prints a line for each input: its name, a tab, and how many packets or rows the larger has more.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flow_tests::traffic::{Mix, Sizes, logs};

fn main() -> ExitCode {
    let result = match std::env::args_os().nth(1) {
        Some(folder) => write(&PathBuf::from(folder)),
        None => Err(io::Error::other("name the folder to write")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        #[allow(clippy::print_stderr, reason = "a program says why it fails")]
        Err(error) => {
            eprintln!("make-bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (name, mix) in CAPTURES {
        let single = Mix { packets: 1, flows: 1, ..*mix };
        for (folder, mix) in [(folder, *mix), (&folder.join("one"), single)] {
            fs::create_dir_all(folder)?;
            fs::write(folder.join(name), mix.pcap())?;
        }
        writeln!(out, "{name}\t{}", mix.packets - 1)?;
    }
    for (folder, files, rows) in [(folder, LOG_FILES, LOG_ROWS), (&folder.join("one"), 1, 1)] {
        fs::create_dir_all(folder.join("logs"))?;
        for (name, packed) in logs(files, rows) {
            fs::write(folder.join("logs").join(name), packed)?;
        }
    }
    writeln!(out, "logs\t{}", LOG_FILES * LOG_ROWS - 1)
}

/// The last is what flow files are made of.
const CAPTURES: &[(&str, Mix)] = &[
    ("mixed.pcap", Mix { packets: 20_000, flows: 5_000, sizes: Sizes::Mixed }),
    ("small.pcap", Mix { packets: 20_000, flows: 5_000, sizes: Sizes::Small }),
    ("flows.pcap", Mix { packets: 40_000, flows: 30_000, sizes: Sizes::Small }),
];

const LOG_FILES: u64 = 4;
const LOG_ROWS: u64 = 5_000;
