//! Help, reference pages, generated scripts, and what looks at a command line without reading a record.

use std::io::Write;
use std::process::{Command, Stdio};

use flow_tests::harness::{TempDir, Tool, testdata, tool_available};

fn flowdump(arguments: &[&str]) -> String {
    Tool::flowdump().args(arguments).run().success().stdout
}

/// Long options as the help page of a program lists them.
fn long_options(help: &str) -> Vec<&str> {
    let words =
        help.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(str::split_whitespace);
    let mut options: Vec<&str> = words.filter(|word| word.starts_with("--")).collect();
    options.iter_mut().for_each(|option| *option = option.split(['=', '[', ',']).next().unwrap_or(option));
    options
}

#[test]
fn the_short_help_is_a_part_of_the_long_one() {
    let (short, long) = (flowdump(&["-h"]), flowdump(&["--help"]));
    for heading in ["Input:", "Selection:", "Aggregation and statistics:", "Output:", "Checks:", "Examples:"]
    {
        assert!(
            short.contains(&format!("\n{heading}\n")) && long.contains(&format!("\n{heading}\n")),
            "{heading}"
        );
    }
    let (few, all) = (long_options(&short), long_options(&long));
    assert!(few.iter().all(|option| all.contains(option)) && few.len() < all.len(), "{few:?} {all:?}");
    for option in ["--read", "--every", "--time", "--generate", "--help-filter", "--version"] {
        assert!(all.contains(&option), "{option}");
    }
    assert!(short.lines().chain(long.lines()).all(|line| line.chars().count() <= 100), "{short}{long}");
    let narrow = Tool::flowdump().arg("-h").env("COLUMNS", "80").run().success().stdout;
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    assert!(flowdump(&["--version"]).starts_with("flowdump 0."));
    assert_eq!(flowdump(&["-V"]), flowdump(&["--version"]));
}

#[test]
fn reference_pages_come_from_the_tables() {
    let page = flowdump(&["--help-filter"]);
    for phrase in flowcore::filter::phrases() {
        assert!(phrase.spellings.iter().all(|spelling| page.contains(spelling)), "{phrase:?}");
    }
    let page = flowdump(&["--help-fields"]);
    for info in flowcore::FIELDS {
        assert!(page.lines().any(|line| line.starts_with(&format!("{} ", info.name))), "{}", info.name);
    }
    let page = flowdump(&["--help-formats"]);
    for name in ["ndjson", "csv:TAGS", "%sap", "srcip", "obpp"] {
        assert!(page.split_whitespace().any(|word| word == name), "{name}");
    }
}

#[test]
fn scripts_are_right_for_their_shells_and_name_every_option() {
    for (tool, name) in [(Tool::flowdump as fn() -> Tool, "flowdump"), (Tool::pcap2flow, "pcap2flow")] {
        let help = tool().arg("--help").run().success().stdout;
        let options = long_options(&help);
        assert!(options.len() > 20, "{options:?}");
        for what in ["man", "complete-bash", "complete-zsh", "complete-fish", "complete-powershell"] {
            let text = tool().args(["--generate", what]).run().success().stdout;
            let plain = text.replace('\\', "");
            for option in &options {
                let found = plain.contains(option.trim_start_matches('-'));
                assert!(found, "{name} --generate {what}: {option}");
            }
            match what {
                "complete-bash" => checked("bash", &["-n"], &text),
                "complete-zsh" => checked("zsh", &["-n"], &text),
                "complete-fish" => checked("fish", &["-n"], &text),
                "man" => checked("groff", &["-man", "-ww", "-z"], &text),
                _ => {}
            }
        }
        let run = tool().args(["--generate", "html"]).run().exit_code(2);
        let error = run.one_line_error(name);
        assert!(error.contains("--generate html: ") && error.contains("complete-fish"), "{error}");
    }
}

/// Fails unless a program, where it is installed, takes the text without a word.
fn checked(program: &str, arguments: &[&str], text: &str) {
    if !tool_available(program) {
        return;
    }
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program}: {said}");
}

#[test]
fn every_format_that_can_be_given_is_named() {
    let help = flowdump(&["--help"]);
    let line = help.split("Skip detection: ").nth(1).unwrap().split("\n\n").next().unwrap();
    for format in flowcore::Format::ALL {
        assert!(line.split([',', ' ', '\n']).any(|word| word == format.name()), "{format}: {line}");
    }
}

#[test]
fn a_filter_is_checked_without_reading() {
    let right = Tool::flowdump().args(["-Z", "tcp and port 80"]).run().success();
    assert_eq!((right.stdout.as_str(), right.stderr.as_str()), ("", ""));
    Tool::flowdump().args(["-r", "no/such/file", "-Z", "tcp"]).run().success();
    let wrong = Tool::flowdump().args(["-Z", "tcp and prot 80"]).run().exit_code(2);
    assert!(wrong.stderr.contains("^^^^") && wrong.stderr.contains("\"proto\""), "{}", wrong.stderr);
    assert_eq!(
        flowdump(&["-X", "not", "tcp", "or", "(host 10.0.0.1 && port=53)"]),
        "or\n  not\n    tcp\n  and\n    host 10.0.0.1\n    port = 53\n"
    );
    assert_eq!(flowdump(&["-X"]), "any\n");
}

#[test]
fn explain_names_inputs_columns_and_skipped_blocks() {
    let folder = TempDir::new();
    let file = folder.join("lab.flow");
    Tool::flowdump().arg(testdata("lab")).arg("-w").arg(&file).run().success();
    let explain = |filter: &str| {
        let run = Tool::flowdump().arg(&file).arg(testdata("lab/attack.pcap")).arg("--explain");
        run.args(["-s", "srcip/bytes", filter]).run().success()
    };
    let run = explain("dst port 8889 and tcp");
    assert!(run.stdout.starts_with("Filter:\n  and\n    dst port 8889\n    tcp\n"), "{}", run.stdout);
    for shown in
        ["Report: statistics of srcip, to stdout\n", "Inputs: 2\n", "lab.flow: flow, ", "attack.pcap: pcap"]
    {
        assert!(run.stdout.contains(shown), "{shown}: {}", run.stdout);
    }
    let columns = run.stdout.lines().find(|line| line.starts_with("Columns read: ")).unwrap();
    let read: Vec<&str> = columns.split(' ').collect();
    assert!(read.contains(&"srcip") && read.contains(&"inbytes") && !read.contains(&"srcmac"), "{columns}");
    let skipped = |text: &str| {
        let line = text.lines().find(|line| line.contains("blocks skipped")).unwrap().to_owned();
        line.split("; ").nth(1).unwrap().split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(skipped(&run.stdout), 0);
    assert!(skipped(&explain("first > 2030").stdout) >= 1);
    // Every record counts where the filter asks for its number.
    assert_eq!(skipped(&explain("first > 2030 and count < 5").stdout), 0);

    let missing = Tool::flowdump().args(["--explain", "-r", "no/such/file"]).run().exit_code(2);
    assert!(missing.one_line_error("flowdump").contains("no/such/file"));
    let junk = folder.file("junk", "neither this nor that");
    let run = Tool::flowdump().arg("--explain").arg(&junk).arg(&file).run().exit_code(2);
    assert!(run.stdout.contains("cannot be read") && run.stderr.contains("junk"), "{}", run.stdout);
}

#[test]
fn totals_of_each_file_are_nfdumps() {
    let folder = TempDir::new();
    let flows = format!("{}/", folder.join("flows").display());
    let capture = Tool::pcap2flow().arg(testdata("lab/attack.pcap")).args(["-w", &flows, "-t", "1800"]);
    capture.args(["--format", "nfdump"]).run().success();
    let ours = flowdump(&["-R", &flows, "-g"]);
    assert_eq!(
        ours,
        "# yyyy-mm-dd HH:MM:SS,flows,packets,bytes\n\
         2024-03-12 14:00:00,29,219,56572\n\
         2024-03-12 14:30:00,75,787,160235\n\
         2024-03-12 15:00:00,59,763,809407\n\
         2024-03-12 15:30:00,34,648,3767885\n\
         2024-03-12 16:00:00,34,369,95300\n"
    );
    if tool_available("nfdump") {
        assert_eq!(flow_tests::harness::peer("nfdump", ["-R", &flows, "-g"]), ours);
    }
    assert_eq!(flowdump(&["-g", "-q", testdata("lab/attack.pcap").to_str().unwrap()]).lines().count(), 1);
}

#[test]
fn options_of_nfdump_that_are_missing_say_what_to_use() {
    for (option, advice) in [
        ("-E", "-s exporterid"),
        ("-i", "pcap2flow -I"),
        ("-J", "-w NEW.nf"),
        ("-x", "-v FILE"),
        ("-D", "never looked up"),
    ] {
        let run = Tool::flowdump().args(["-r", "a.nf", option, "x"]).run().exit_code(2);
        let said = run.one_line_error("flowdump");
        assert!(said.starts_with(&format!("flowdump: {option} of nfdump is not supported: ")), "{said}");
        assert!(said.contains(advice), "{said}");
    }
    let ignored = ["-C", "none", "-G", "none", "-W", "2", "-m", "-q"];
    let starts =
        Tool::flowdump().arg(testdata("lab/logs")).args(ignored).args(["-o", "fmt:%ts"]).run().success();
    assert!(starts.stdout.lines().is_sorted() && starts.stdout.lines().count() > 1000);
    let run = Tool::flowdump().arg("--quite").run().exit_code(2);
    assert!(run.one_line_error("flowdump").contains("did you mean --quiet?"), "{}", run.stderr);
}
