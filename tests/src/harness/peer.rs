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
#[track_caller]
pub fn peer(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    try_peer(program, arguments).unwrap_or_else(|complaint| panic!("{complaint}"))
}

/// Standard output of a program, or what it said when it failed; times it prints are UTC.
///
/// # Errors
/// When the program ends with another code than 0.
pub fn try_peer(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<String, String> {
    let run = Command::new(program)
        .args(arguments)
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&run.stderr);
    match run.status.success() {
        true => Ok(String::from_utf8_lossy(&run.stdout).into_owned()),
        false => Err(format!("{program} failed with {}: {errors}", run.status)),
    }
}
