//! `pcap2flow` when it is told to end: what was read is written, or nothing is left behind.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flow_tests::harness::{TempDir, Tool, testdata};
use serde_json::Value;

/// The program with its input still open.
struct Running {
    child: Child,
    input: Option<Box<dyn Write>>,
}

impl Running {
    /// Waits for the capture's bytes to come through `source`: stdin (`-`) or a named pipe.
    fn start(source: &Path, output: &str, threads: &str, folder: &Path) -> Self {
        let mut command = Command::new(Tool::pcap2flow().program());
        command.arg(source).args(["-w", output, "-W", threads, "--stats=json"]).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let input: Box<dyn Write> = match source == Path::new("-") {
            true => Box::new(stdin),
            false => Box::new(std::fs::OpenOptions::new().write(true).open(source).unwrap()),
        };
        Self { child, input: Some(input) }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    /// More bytes of the capture, a few at a time, until the program takes no more: it looks for a signal whenever bytes
    /// come.
    fn feed_until_over(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(20) {
            if self.is_over() || self.input.as_mut().unwrap().write_all(part).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }

    fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Exit code, stdout and stderr.
    fn end(mut self) -> (Option<i32>, String, String) {
        self.input = None;
        let output = self.child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// All files in a folder and below.
fn files(folder: &Path) -> Vec<String> {
    let below = |(name, path): (String, PathBuf)| match path.is_dir() {
        true => files(&path),
        false => vec![name],
    };
    flow_tests::harness::files_in(folder).into_iter().flat_map(below).collect()
}

/// A signal, or the one that nobody ignores where these tests ignore it (under `nohup`, or in the background of a
/// script): then the programs ignore it too, as they should.
fn heeded(name: &'static str) -> &'static str {
    let bit = if name == "-HUP" { 1 } else { 2 };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    if u64::from_str_radix(ignored.trim(), 16).unwrap_or(0) & bit == 0 { name } else { "-TERM" }
}

/// The beginning of a capture, cut inside a frame, as a pipe's bytes are.
fn some_frames() -> Vec<u8> {
    capture()[..40_000].to_vec()
}

fn capture() -> Vec<u8> {
    std::fs::read(testdata("lab/attack.pcap")).unwrap()
}

#[test]
fn the_first_signal_writes_what_was_read() {
    for (number, (signal, threads)) in
        [("-INT", "1"), ("-TERM", "3"), ("-HUP", "2"), ("-INT", "3")].into_iter().enumerate()
    {
        let folder = TempDir::new();
        let pipe = folder.join("pipe.pcap");
        let source = if number < 2 { Path::new("-") } else { &pipe };
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let output = if number % 2 == 0 { "o.flow" } else { "flows/" };
        let mut running = Running::start(source, output, threads, folder.path());
        running.feed(&some_frames());
        // The output begins when signals are handled and the input is open.
        until("no output was begun", || {
            folder.join(output.trim_end_matches('/')).exists() || folder.names().len() > 1
        });
        running.signal(heeded(signal));
        running.feed_until_over(&capture()[40_000..]);
        let (code, stdout, stderr) = running.end();
        assert_eq!(code, Some(2), "{stderr}");
        let account: Value =
            serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
        let frames = account["frames"].as_u64().unwrap();
        assert!(frames > 0);
        let said = format!("stopped by a signal after {frames} frames; what was read is written");
        assert!(stderr.contains(&said), "{said}: {stderr}");
        let records = Tool::flowdump().arg(folder.join(output)).args(["-q", "-o", "ndjson"]).run().success();
        assert_eq!(crate::packets(&records.ndjson()), account["used"].as_u64().unwrap());
        assert!(files(folder.path()).iter().all(|name| !name.ends_with(".partial")));
    }
}

#[test]
fn what_a_signal_finds_waiting_for_the_first_bytes_is_written() {
    let folder = TempDir::new();
    let mut running = Running::start(Path::new("-"), "o.flow", "1", folder.path());
    let handles_signals = |id| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
        u64::from_str_radix(caught.trim(), 16).unwrap_or(0) & 1 << 14 != 0
    };
    if !Path::new("/proc/self/status").exists() {
        return flow_tests::harness::skipped("no /proc here");
    }
    until("no handler for signals", || handles_signals(running.child.id()));
    running.signal(heeded("-INT"));
    std::thread::sleep(Duration::from_millis(100));
    // As tcpdump does, which writes what it has when it is told to end.
    running.feed(&some_frames());
    let (code, stdout, stderr) = running.end();
    assert_eq!(code, Some(2), "{stderr}");
    let account: Value = serde_json::from_str(&stdout).unwrap();
    assert!(account["used"].as_u64().unwrap() > 0, "{account}");
    assert!(folder.join("o.flow").is_file());
}

#[test]
fn the_second_signal_leaves_nothing() {
    for (output, threads) in [("o.flow", "1"), ("o.flow", "3"), ("flows/", "1"), ("flows/", "3")] {
        let folder = TempDir::new();
        let mut running = Running::start(Path::new("-"), output, threads, folder.path());
        // No more than one read takes: bytes that wait would show the reader the first signal, and it would be done.
        running.feed(&some_frames()[..8_000]);
        until("no output was begun", || !folder.names().is_empty());
        running.signal(heeded("-INT"));
        std::thread::sleep(Duration::from_millis(100));
        assert!(!running.is_over(), "the input is open and nothing comes");
        running.signal("-TERM");
        until("the second signal does not end it", || running.is_over());
        let (code, stdout, _) = running.end();
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(files(folder.path()).is_empty(), "{:?}", files(folder.path()));
    }
}
