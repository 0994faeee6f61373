//! Runs our binaries as a user does.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

/// A command line of one of our binaries, under construction.
#[derive(Debug)]
pub struct Tool {
    command: Command,
}

/// What a run left: exit code and output.
#[derive(Debug)]
pub struct Run {
    /// Command line, for messages.
    command: String,
    /// Exit code; `None` if a signal ended the run.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Tool {
    /// The program that reads, filters and prints flows.
    pub fn flowdump() -> Self {
        Self::named("flowdump")
    }

    /// The program that turns captures into flows.
    pub fn pcap2flow() -> Self {
        Self::named("pcap2flow")
    }

    /// Far from UTC, so that local time in any output is noticed.
    fn named(name: &str) -> Self {
        let mut command = Command::new(binaries().join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
        command.env("TZ", "Asia/Kolkata").env("NO_COLOR", "1").stdin(Stdio::null());
        Self { command }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in a folder, so that names of files in it say nothing of the machine.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// The program itself, for command lines that a shell runs.
    pub fn program(&self) -> &Path {
        Path::new(self.command.get_program())
    }

    /// Runs to the end.
    pub fn run(mut self) -> Run {
        let output = self.command.output();
        self.finished(output)
    }

    /// Runs while somebody reads the first bytes of standard output and then closes it.
    pub fn run_with_closed_pipe(mut self) -> Run {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = self.command.spawn().and_then(|mut child| {
            let mut first = [0; 16];
            if let Some(mut pipe) = child.stdout.take() {
                std::io::Read::read_exact(&mut pipe, &mut first)?;
            }
            child.wait_with_output()
        });
        self.finished(output)
    }

    /// Runs with what `feed` writes as standard input and looks at the memory all along. The most that was resident at a
    /// time, in KiB; `None` where the system does not tell. Standard output and standard error have to be short.
    pub fn run_fed(mut self, feed: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> (Run, Option<u64>) {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut peak = None;
        let output = self.command.spawn().and_then(|mut child| {
            if let Some(mut pipe) = child.stdin.take() {
                feed(&mut pipe)?;
                peak = resident_peak(child.id());
            }
            while child.try_wait()?.is_none() {
                peak = peak.max(resident_peak(child.id()));
                std::thread::sleep(Duration::from_millis(2));
            }
            child.wait_with_output()
        });
        (self.finished(output), peak)
    }

    fn finished(&self, output: std::io::Result<Output>) -> Run {
        let command = format!("{:?}", self.command);
        let output = output.unwrap_or_else(|error| panic!("{command}: {error}"));
        let text = |bytes: Vec<u8>, name: &str| {
            String::from_utf8(bytes).unwrap_or_else(|_| panic!("{command}: {name} is not UTF-8"))
        };
        Run {
            code: output.status.code(),
            stdout: text(output.stdout, "standard output"),
            stderr: text(output.stderr, "standard error"),
            command,
        }
    }
}

impl Run {
    /// Fails unless the exit code is 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.exit_code(0)
    }

    /// Fails unless this is the exit code.
    #[track_caller]
    pub fn exit_code(self, code: i32) -> Self {
        let Self { command, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "exit code of {command}, which says:\n{stderr}");
        self
    }

    /// The records of `-o json`.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        match serde_json::from_str(&self.stdout) {
            Ok(Value::Array(records)) => records,
            Ok(other) => panic!("{}: an array was expected, not {other}", self.command),
            Err(error) => panic!("{}: {error}", self.command),
        }
    }

    /// The records of `-o ndjson`.
    #[track_caller]
    pub fn ndjson(&self) -> Vec<Value> {
        let record = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", self.command))
        };
        self.stdout.lines().map(record).collect()
    }

    /// Fails unless standard error holds one message: a line that begins with the program's name, all lower case
    /// there, and does not end in a full stop.
    #[track_caller]
    pub fn one_line_error(&self, program: &str) -> &str {
        let (command, stderr) = (&self.command, self.stderr.trim_end());
        assert_eq!(stderr.lines().count(), 1, "{command} says more or less than one line:\n{stderr}");
        assert!(stderr.starts_with(&format!("{program}: ")), "{command} does not say who speaks: {stderr}");
        assert!(!stderr.ends_with('.'), "{command} ends its message in a full stop: {stderr}");
        stderr
    }
}

/// Numbers that stand before a word of a text, thousands separated by commas or not: 1234 for `1,234 records` and
/// the word `records`.
pub fn numbers_before(text: &str, word: &str) -> Vec<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .windows(2)
        .filter(|pair| pair[1].trim_matches(|c: char| !c.is_alphanumeric()) == word)
        .filter_map(|pair| pair[0].trim_start_matches('(').replace(',', "").parse().ok())
        .collect()
}

/// The folder with our binaries, built once for the profile that the tests run in. Cargo builds the binaries of
/// other packages only when asked to, and says nothing about where they are.
fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().unwrap_or_else(|error| panic!("own path: {error}"));
        let folder = test.ancestors().nth(2).unwrap_or_else(|| panic!("{}: not in target", test.display()));
        build(folder);
        folder.to_owned()
    })
}

fn build(folder: &Path) {
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--profile", profile, "--bin", "flowdump", "--bin", "pcap2flow"]);
    command.arg("--target-dir").arg(folder.parent().unwrap_or(folder)).current_dir(super::workspace());
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} failed");
}

/// The most memory that a running process ever had resident, in KiB: Linux keeps count.
fn resident_peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_before_their_word() {
        let summary = "172,619 records (579 header lines, 237 NODATA); 33232 records.";
        assert_eq!(numbers_before(summary, "records"), [172_619, 33_232]);
        assert_eq!(numbers_before(summary, "header"), [579]);
        assert_eq!(numbers_before(summary, "NODATA"), [237]);
        assert!(numbers_before(summary, "lines").is_empty());
    }
}
