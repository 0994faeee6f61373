//! Other people's tools, which judge ours where they are installed.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// Whether a program can be started; if not, says that the test is skipped.
pub fn tool_available(program: &str) -> bool {
    let started = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if started.is_err() {
        super::skipped(&format!("{program} is not installed"));
    }
    started.is_ok()
}

/// Standard output of a program that must succeed; times it prints are UTC.
pub fn peer(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let run = Command::new(program)
        .args(arguments)
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{program} failed with {}: {errors}", run.status);
    String::from_utf8_lossy(&run.stdout).into_owned()
}
