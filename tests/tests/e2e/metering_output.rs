//! Where `pcap2flow` writes: intervals, folders, names, compression, and what is there already.

use std::path::{Path, PathBuf};

use flow_tests::harness::{Run, TempDir, Tool, files_in, testdata};

fn lab() -> Tool {
    Tool::pcap2flow().arg(testdata("lab/attack.pcap"))
}

/// Converts the laboratory's capture into a folder.
fn into_folder(folder: &Path, options: &[&str]) -> Run {
    lab().arg("-w").arg(format!("{}/", folder.display())).args(options).run().success()
}

fn names(folder: &Path) -> Vec<String> {
    files_in(folder).into_iter().map(|(name, _)| name).collect()
}

fn flows(input: &Path) -> usize {
    Tool::flowdump().arg(input).args(["-q", "-o", "ndjson"]).run().success().stdout.lines().count()
}

#[test]
fn a_second_run_adds_files_and_says_so() {
    let folder = TempDir::new();
    let flows_folder = folder.join("flows");
    let first = into_folder(&flows_folder, &["-t", "1800"]);
    assert!(!first.stderr.contains("exists"), "{}", first.stderr);
    let before: Vec<(PathBuf, Vec<u8>)> = files_in(&flows_folder)
        .into_iter()
        .map(|(_, path)| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    assert_eq!(before.len(), 5);

    let second = into_folder(&flows_folder, &["-t", "30m"]);
    assert_eq!(names(&flows_folder).len(), 10);
    for (path, content) in &before {
        assert!(std::fs::read(path).unwrap() == *content, "{} is another one", path.display());
        let further = path.with_extension("2.flow");
        let notice = format!("pcap2flow: {} exists; wrote {}\n", path.display(), further.display());
        assert!(second.stderr.contains(&notice), "{notice}{}", second.stderr);
        assert!(std::fs::read(&further).unwrap() == *content);
    }
    assert_eq!(flows(&flows_folder), 2 * 231);

    into_folder(&flows_folder, &["-t", "1800", "--force", "-I", "third"]);
    assert_eq!(names(&flows_folder).len(), 10);
    assert!(before.iter().all(|(path, content)| std::fs::read(path).unwrap() != *content));
    assert_eq!(into_folder(&flows_folder, &["-t", "1800", "-q"]).stderr, "");
    assert!(names(&flows_folder).contains(&"flows.202403121530.3.flow".to_owned()));
}

#[test]
fn folders_below_the_output_folder() {
    for (number, file) in [
        ("0", "flows.202403121500.flow"),
        ("1", "2024/03/12/flows.202403121500.flow"),
        ("2", "2024/03/12/15/flows.202403121500.flow"),
        ("3", "2024/11/2/flows.202403121500.flow"),
        ("4", "2024/11/2/15/flows.202403121500.flow"),
        ("5", "2024/072/flows.202403121500.flow"),
        ("6", "2024/072/15/flows.202403121500.flow"),
        ("7", "2024-03-12/flows.202403121500.flow"),
        ("8", "2024-03-12/15/flows.202403121500.flow"),
    ] {
        let folder = TempDir::new();
        into_folder(&folder.join("new/flows"), &["-t", "1h", "-S", number]);
        assert!(folder.join("new/flows").join(file).is_file(), "-S {number}");
        let all = Tool::flowdump().arg("-R").arg(folder.join("new/flows")).args(["-q", "-o", "ndjson"]);
        assert_eq!(all.run().success().ndjson().len(), 231, "-S {number}");
    }
}

#[test]
fn names_are_of_utc_or_of_the_local_clock() {
    let folder = TempDir::new();
    let (utc, local) = (folder.join("utc"), folder.join("local"));
    into_folder(&utc, &["-t", "1h"]);
    assert_eq!(names(&utc)[0], "flows.202403121400.flow");
    // The zone as text, which needs no data of the system. Intervals stay those of UTC.
    let run = lab().arg("-w").arg(format!("{}/", local.display())).args(["-t", "1h", "--tz", "local"]);
    run.env("TZ", "IST-5:30").run().success();
    assert_eq!(names(&local)[0], "flows.202403121930.flow");
    assert_eq!(names(&local).len(), names(&utc).len());
}

#[test]
fn intervals_that_share_a_local_name_share_no_file() {
    let folder = TempDir::new();
    // A zone that goes back from 17:00 to 16:00 on this day, at 15:00 UTC: 16:00 comes twice.
    let zone = "AAA-1BBB-2,J1/0,J71/17";
    let output = format!("{}/", folder.join("flows").display());
    let run = lab().args(["-w", &output, "-t", "1h", "--tz", "local"]).env("TZ", zone).run().success();
    let names = names(&folder.join("flows"));
    assert!(names.contains(&"flows.202403121600.2.flow".to_owned()), "{names:?}");
    assert!(!run.stderr.contains("exists"), "{}", run.stderr);
    assert_eq!(flows(&folder.join("flows")), 231);
}

#[test]
fn the_old_form_of_w() {
    let folder = TempDir::new();
    lab().arg("-l").arg(folder.path()).args(["-t", "1d"]).run().success();
    assert_eq!(folder.names(), ["flows.202403120000.flow"]);
}

#[test]
fn compressions_differ_in_size_alone() {
    let folder = TempDir::new();
    let size = |name: &str, options: &[&str]| {
        let file = folder.join(name);
        lab().arg("-w").arg(&file).args(options).run().success();
        assert_eq!(flows(&file), 231, "{options:?}");
        std::fs::metadata(file).unwrap().len()
    };
    let usual = size("usual", &[]);
    for (at, options) in
        [&["-z"][..], &["-y"], &["-z=lz4"], &["-z", "lz4"], &["-zlz4"], &["-j", "-y"]].into_iter().enumerate()
    {
        assert_eq!(size(&format!("lz4-{at}"), options), usual, "{options:?}");
    }
    let none = size("none", &["-z", "none"]);
    let zstd = size("zstd", &["-z", "zstd"]);
    let smallest = size("smallest", &["-j"]);
    assert_eq!(size("zstd-19", &["-z=zstd:19"]), smallest);
    assert_eq!(size("compress", &["--compress", "zstd"]), zstd);
    assert!(none > usual && usual > zstd && zstd > smallest, "{none} {usual} {zstd} {smallest}");
}

#[test]
fn a_capture_behind_z_is_a_capture() {
    let folder = TempDir::new();
    let file = folder.join("a.flow");
    Tool::pcap2flow().arg("-w").arg(&file).arg("-z").arg(testdata("lab/attack.pcap")).run().success();
    assert_eq!(flows(&file), 231);
}

#[test]
fn the_examples_of_the_help_work() {
    let folder = TempDir::new();
    let capture = std::fs::read(testdata("lab/attack.pcap")).unwrap();
    for name in ["investigate.pcap", "monday-1.pcap.gz", "monday-2.pcap.gz"] {
        folder.file(name, &capture);
    }
    let help = Tool::pcap2flow().arg("--help").run().success().stdout;
    let examples: Vec<&str> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  pcap2flow "))
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(examples.len(), 4, "{help}");
    for example in examples {
        let command =
            format!("'{}' {}", Tool::pcap2flow().program().display(), example.split("    ").next().unwrap());
        let output =
            std::process::Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(folder.join("flows/2024/03/12/flows.202403121500.flow").is_file());
    assert_eq!(flows(&folder.join("investigate.flow")), 231);
    assert_eq!(flows(&folder.join("exported-netflow")), 231);
}

#[cfg(unix)]
#[test]
fn short_intervals_do_with_few_open_files() {
    let folder = TempDir::new();
    let run = |limit: &str, name: &str| {
        let script = format!("ulimit -n {limit}; exec \"$0\" \"$1\" -w {name}/ -t 1 -q");
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &script]).arg(lab_program()).arg(testdata("lab/attack.pcap"));
        let output = shell.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        flows(&folder.join(name))
    };
    assert_eq!((run("40", "few"), run("1000", "many")), (231, 231));
    assert!(names(&folder.join("many")).len() > 100);
}

#[cfg(unix)]
fn lab_program() -> PathBuf {
    Tool::pcap2flow().program().to_owned()
}
