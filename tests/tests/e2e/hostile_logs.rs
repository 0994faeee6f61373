//! Cloud logs that mean harm: values without end, headers without end, archives that are mostly air. Each is named with its
//! line, memory stays within bounds, and the rest of the folder is read.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use flow_tests::harness::{TempDir, Tool, skipped};

/// More than a value or a line may have.
const LONG: usize = 100 << 20;
/// The columns of the default format.
const NAMES: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
const GOOD: &str = "srcaddr dstaddr bytes log-status\n10.0.0.1 10.0.0.2 40 OK\n";

/// Writes the text, then a byte this many times, then another text, as gzip.
fn write(path: &Path, before: &str, (byte, count): (u8, usize), after: &str) -> io::Result<()> {
    let mut out = GzEncoder::new(File::create(path)?, Compression::fast());
    out.write_all(before.as_bytes())?;
    let piece = vec![byte; 1 << 20];
    for _ in 0..count / piece.len() {
        out.write_all(&piece)?;
    }
    out.write_all(after.as_bytes())?;
    out.finish().map(drop)
}

#[test]
fn hostile_logs_are_named_and_the_rest_of_the_folder_is_read() {
    let folder = TempDir::new();
    let mut expected = Vec::new();
    let mut file = |name: &str, before: &str, filling: (u8, usize), after: &str, message: &str| {
        write(&folder.join(name), before, filling, after).unwrap();
        expected.push(format!("{name}{message}"));
    };
    let x = (b'x', LONG);
    file("line.log.gz", GOOD, x, "\n10.0.0.3 10.0.0.4 1 OK\n", ": line 3: line is longer than 65536 bytes");
    let message = r#"{"message":"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1 2 ACCEPT OK"}"#;
    file(
        "value.json.gz",
        &format!("{message}\n{{\"message\":\""),
        x,
        "\"}\n",
        ": line 2: the value is longer",
    );
    file("value.csv.gz", "srcaddr,dstaddr,bytes\n10.0.0.1,10.0.0.2,40\n\"", x, "\",b,1\n", ": line 3: ");
    let deep = (b'[', 1 << 20);
    file("deep.json.gz", &format!("{message}\n{{\"message\":"), deep, "\n", ": line 2: ");
    // A gibibyte in a mebibyte.
    file("bomb.log.gz", GOOD, (b' ', 1 << 30), "", ": line 3: line is longer than 65536 bytes");
    let header: String = (14..10_000).map(|at| format!(" c{at}")).collect();
    let header = format!("{NAMES}{header}");
    folder.file("header.log", format!("{header}\n1 2\n{GOOD}"));
    expected.push("header.log: line 1: 10000 columns are named; at most 512 can be read".into());
    folder.file("header.csv", format!("{}\n1,2\n", header.replace(' ', ",")));
    expected.push("header.csv: line 1: 10000 columns are named; at most 512 can be read".into());
    folder.file("zzz.log", GOOD);

    let (run, peak) = Tool::flowdump().arg(folder.path()).args(["-o", "csv", "-q"]).run_fed(|_| Ok(()));
    let run = run.exit_code(2);
    for message in expected {
        assert!(run.stderr.contains(&message), "{message}:\n{}", run.stderr);
    }
    // What stands before, and of text also behind, what cannot be read: two rows, and one of each other file.
    assert_eq!(run.stdout.lines().count(), 7, "{}", run.stdout);
    match peak {
        Some(kib) => assert!(kib < 250 * 1024, "{kib} KiB"),
        None => skipped("the system does not tell how much memory a process has"),
    }
}
