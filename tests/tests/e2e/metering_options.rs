//! The command line of `pcap2flow`: help, configuration files, reports, and what is said of wrong options.

use flow_tests::harness::{Run, TempDir, Tool, testdata};
use serde_json::Value;

/// A conversion of the laboratory's capture with these options, its flows thrown away.
fn convert(options: &[&str]) -> Run {
    Tool::pcap2flow().arg(testdata("lab/attack.pcap")).args(["-w", "/dev/null"]).args(options).run()
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

#[test]
fn nothing_asked_for_is_answered_by_the_usage() {
    let run = Tool::pcap2flow().run().exit_code(2);
    assert!(run.stderr.starts_with("Usage: pcap2flow [OPTIONS] [CAPTURE]... -w <OUT>\n"), "{}", run.stderr);
    assert!(run.stderr.lines().count() < 10 && run.stderr.contains("--help"), "{}", run.stderr);
}

#[test]
fn help_and_documentation_name_every_option() {
    let help = Tool::pcap2flow().arg("--help").run().success().stdout;
    assert_eq!(Tool::pcap2flow().arg("-h").run().success().stdout, help);
    let document = std::fs::read_to_string(testdata("../docs/pcap2flow.md")).unwrap();
    let options: Vec<&str> = help.lines().filter_map(option).collect();
    assert!(options.len() >= 27, "{options:?}");
    for option in options {
        assert!(document.contains(&format!("`{option}")), "docs/pcap2flow.md does not have {option}");
    }
    let version = Tool::pcap2flow().arg("-V").run().success().stdout;
    assert_eq!(version, format!("pcap2flow {}\n", env!("CARGO_PKG_VERSION")));
}

/// The name that a line of the help begins with: the long one where there is one.
fn option(line: &str) -> Option<&str> {
    let words = line.split_whitespace().take(2).map(|word| word.trim_end_matches(','));
    let name = words.filter(|word| word.starts_with('-')).last()?;
    Some(name.split(['[', '=', '<']).next().unwrap_or(name))
}

#[test]
fn a_wrong_option_is_said_in_one_line_that_names_it() {
    for (options, named) in [
        (&["-e", "300"][..], "-e 300: "),
        (&["-e", "0,60"], "-e 0,60: "),
        (&["-s", "53"], "-s 53: "),
        (&["-d=0"], "-d 0: "),
        (&["-d=8,99999"], "-d 8,99999: "),
        (&["-o", "slim"], "-o slim: "),
        (&["-o", "fat,payload=0"], "-o payload=0: "),
        (&["-B", "0"], "-B 0: "),
        (&["-t", "0"], "-t 0: "),
        (&["-t", "60"], "-t needs a folder"),
        (&["-S", "9"], "-S 9: "),
        (&["-S", "1"], "-S needs a folder"),
        (&["--tz", "Berlin"], "--tz Berlin: "),
        (&["-z", "lzo"], "-z lzo: a method of nfdump files (--format nfdump); .flow files take lz4"),
        (&["-z=bz2"], "-j makes the smallest (zstd:19)"),
        (&["-z=lz4:9"], "-z lz4:9: has no levels"),
        (&["-F", "server latency > 5"], "packet filter: a packet has no serverlatency"),
        (&["-F", ""], "--filter is empty: "),
        (&["-I", ""], "--ident is empty: "),
        (&["--key="], "--key is empty: "),
        (&["-z=zstd:99"], "-z zstd:99: "),
        (&["--tunnel", "both"], "--tunnel both: "),
        (&["--key", "ip"], "--key ip: "),
        (&["-W", "0"], "-W 0: "),
        (&["--stats=xml"], "--stats=xml: "),
        (&["-v=7"], "-v 7: "),
        (&["-v", "-q"], "--quiet"),
        (&["-C", "no/such/file"], "no/such/file: no such file"),
        (&["--sats"], "--sats: no such option; did you mean --stats?"),
        (&["-I"], "--ident"),
    ] {
        let run = convert(options).exit_code(2);
        let said = run.one_line_error("pcap2flow");
        assert!(said.contains(named), "{options:?}: {said}");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn options_that_only_nfpcapd_has_are_answered_by_what_to_do() {
    for (option, advice) in [
        ("-i", "tcpdump -i"),
        ("-p", "tcpdump -w"),
        ("-b", "no socket"),
        ("-E", "flowdump prints"),
        ("-H", "-w -"),
        ("-m", "--stats=json"),
        ("-P", "no daemon"),
        ("-D", "no daemon"),
        ("-u", "as that user"),
        ("-g", "as that group"),
    ] {
        let run = convert(&[option, "value"]).exit_code(2);
        let said = run.one_line_error("pcap2flow");
        assert!(said.starts_with(&format!("pcap2flow: {option}: ")) && said.contains(advice), "{said}");
    }
}

#[test]
fn a_wrong_packet_filter_is_shown_with_a_caret() {
    let run = convert(&["-F", "dst prot 22"]).exit_code(2);
    assert!(run.stderr.starts_with("pcap2flow: filter: "), "{}", run.stderr);
    assert!(run.stderr.contains("    dst prot 22\n        ^^^^"), "{}", run.stderr);
}

#[test]
fn a_configuration_file_stands_before_the_command_line() {
    let folder = TempDir::new();
    let capture = testdata("lab/attack.pcap");
    let text = format!(
        "# what every run has\n\n  timeout = 20,5\nident=web-1\nread = {}\nuniflow = false\nstats = json\n\
         options = fat,payload=64\ndedup\nfilter = proto tcp # and a comment of the filter\n",
        capture.display()
    );
    let config = folder.file("usual.conf", text);
    let (out, other) = (folder.join("out.flow"), folder.join("other.flow"));
    let run = Tool::pcap2flow().arg("-C").arg(&config).arg("-w").arg(&out).run().success();
    let counted = json(&run);
    assert!(counted["skipped"]["reasons"]["not in the packet filter"].as_u64().unwrap() > 0, "{counted}");
    assert_eq!(counted["inputs"].as_array().unwrap().len(), 1);
    let flows = |file| {
        Tool::flowdump().arg(file).args(["-o", "ndjson", "-q", "ident web-1"]).run().success().ndjson().len()
    };
    let short = flows(&out);

    // The command line's timeouts and capture replace those of the file.
    let run = Tool::pcap2flow().arg("-C").arg(&config).args(["-e", "300,60", "-r"]).arg(&capture);
    let run = run.arg("-w").arg(&other).run().success();
    assert_eq!(json(&run)["inputs"].as_array().unwrap().len(), 1);
    assert!(flows(&other) < short, "{} and {short}", flows(&other));
    convert(&["-C", "none"]).success();
}

#[test]
fn switches_of_a_configuration_file_can_be_undone() {
    let folder = TempDir::new();
    let config = folder.file("c", "uniflow\nthreads = 1\npacket-filter = proto tcp\nquiet = true\n");
    let flows = |options: &[&str]| {
        let options = [&["-C", config.to_str().unwrap(), "--stats=json"], options].concat();
        let counted = json(&convert(&options).success());
        assert!(counted["skipped"]["reasons"]["not in the packet filter"].as_u64().unwrap() > 0, "{counted}");
        counted["flows"].as_u64().unwrap()
    };
    let (uniflow, biflow) = (flows(&[]), flows(&["--uniflow=false"]));
    assert!(uniflow > biflow, "{uniflow} and {biflow}");
    assert_eq!((flows(&["--uniflow"]), flows(&["--uniflow=true"])), (uniflow, uniflow));
    let said = |option| convert(&["-C", config.to_str().unwrap(), option]).success().stderr;
    assert_eq!(said("-q"), "");
    assert!(said("-q=false").contains("frames"), "{}", said("-q=false"));
    assert!(said("-v").contains("attack.pcap: pcap, "));
    let config = folder.file("c", "quiet = false\nforce = false\nno-progress = true\nverbose = 2");
    assert!(convert(&["-C", config.to_str().unwrap(), "-q=false"]).success().stderr.contains("wrote"));
    assert_eq!(convert(&["-C", config.to_str().unwrap(), "-q"]).success().stderr, "");
}

#[test]
fn what_is_wrong_in_a_configuration_file_has_a_line() {
    let folder = TempDir::new();
    for (text, said) in [
        ("ident = a\ntimout = 3,3\n", "line 2: timout is no option"),
        ("\n# x\ntimeout = 3\n", "line 3: -e 3: write ACTIVE,IDLE"),
        ("ident = a\nident = b", "line 2: ident is set in line 1 already"),
        ("force = perhaps", "line 1: force is a switch"),
        ("config = other", "line 1: config is no option"),
        ("e = 3,3", "line 1: e is no option"),
        ("filter", "line 1: a value is required"),
        ("filter =", "line 1: --filter is empty"),
        ("ident=a\npacket-filter = tcp\nfilter = udp", "line 3: filter is set in line 2 already"),
        ("dedup =", "line 1: -d : write PACKETS"),
        ("uniflow =", "line 1: "),
        ("stats = ", "line 1: --stats="),
    ] {
        let config = folder.file("wrong.conf", text);
        let run = convert(&["-C", config.to_str().unwrap()]).exit_code(2);
        let error = run.one_line_error("pcap2flow");
        assert!(error.contains(&format!("wrong.conf: {said}")), "{error}");
    }
}

#[test]
fn statistics_are_a_table_or_json_with_the_same_numbers() {
    let run = convert(&["--stats=json"]).success();
    let all = json(&run);
    let number = |key: &str| all[key].as_u64().unwrap();
    assert_eq!((number("frames"), number("used"), number("flows")), (2816, 2786, 231));
    assert_eq!(all["skipped"]["total"], 30);
    assert_eq!(all["skipped"]["reasons"], serde_json::json!({"arp": 30}));
    assert_eq!((number("packets"), number("bytes"), number("evicted")), (2786, 4_889_399, 0));
    assert_eq!((number("problem_count"), &all["problems"]), (0, &serde_json::json!([])));
    let input = &all["inputs"][0];
    assert_eq!(
        (&input["format"], &input["frames"], &input["used"]),
        (&"pcap".into(), &2816.into(), &2786.into())
    );
    assert!(all["notes"].is_object());

    let table = convert(&["--stats"]).success().stdout;
    for line in
        ["2816  frames", "2786  used", "30  skipped", "30    arp", "231  flows", "4889399  bytes in flows"]
    {
        assert!(table.lines().any(|shown| shown.trim_start() == line), "{line}:\n{table}");
    }
}

#[test]
fn statistics_keep_clear_of_flows_on_stdout() {
    let folder = TempDir::new();
    let said = folder.join("said");
    let command = format!(
        "'{}' '{}' -w - --stats=json 2>'{}'",
        binary(),
        testdata("lab/attack.pcap").display(),
        said.display()
    );
    let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"\x89FLOW"));
    let said: Value = serde_json::from_str(&std::fs::read_to_string(said).unwrap()).unwrap();
    assert_eq!(said["flows"], 231);
}

/// A shell runs this with `$0` the program and `$1` a capture that is cut.
#[cfg(unix)]
fn shell(script: &str) -> (Option<i32>, String, String) {
    let folder = TempDir::new();
    let good = std::fs::read(testdata("lab/attack.pcap")).unwrap();
    let cut = folder.file("cut.pcap", &good[..good.len() - 40]);
    let mut shell = std::process::Command::new("bash");
    shell
        .args(["-c", script, &binary()])
        .arg(cut)
        .arg(testdata("lab/attack.pcap"))
        .current_dir(folder.path());
    let output = shell.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[cfg(unix)]
#[test]
fn nobody_reads_the_statistics() {
    let closed = |arguments: &str| shell(&format!("$0 {arguments} | true; exit ${{PIPESTATUS[0]}}"));
    let (code, _, said) = closed("$1 -w o --stats");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("inside frame 2816"), "{said}");
    assert_eq!(closed("$2 -w o --stats=json").0, Some(0));
    assert_eq!(closed("--help").0, Some(0));
    assert_eq!(closed("$2 -w -").0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_of_stdout() {
    if !std::path::Path::new("/dev/full").exists() {
        return flow_tests::harness::skipped("no /dev/full here");
    }
    for arguments in ["$2 -w o --stats", "$2 -w o --stats=json", "$2 -q -w -", "--help"] {
        let (code, _, said) = shell(&format!("$0 {arguments} > /dev/full"));
        assert_eq!(code, Some(2), "{arguments}");
        assert!(said.contains("pcap2flow: stdout: no space left"), "{arguments}: {said}");
    }
}

/// The program itself, which the harness has built.
fn binary() -> String {
    Tool::pcap2flow().program().to_string_lossy().into_owned()
}

#[test]
fn a_damaged_capture_is_in_the_statistics_and_in_the_exit_code() {
    let folder = TempDir::new();
    let good = std::fs::read(testdata("lab/attack.pcap")).unwrap();
    let cut = folder.file("cut.pcap", &good[..good.len() - 40]);
    for threads in ["1", "2", "3"] {
        let run = Tool::pcap2flow()
            .arg(&cut)
            .arg("missing.pcap")
            .args(["-w", "/dev/null", "--stats=json", "-W", threads])
            .run();
        let all = json(&run.exit_code(2));
        assert_eq!((&all["problem_count"], &all["frames"]), (&2.into(), &2815.into()));
        let problem = |at: usize| all["problems"][at].as_str().unwrap().to_owned();
        assert!(
            problem(0).contains("cut.pcap: byte ") && problem(0).contains("inside frame 2816"),
            "{}",
            problem(0)
        );
        assert!(problem(1).starts_with("missing.pcap: no such file"), "{}", problem(1));
    }
}

#[test]
fn verbosity_has_levels() {
    let said = |level: &str| convert(&["-v", level]).success().stderr;
    let capture = testdata("lab/attack.pcap").display().to_string();
    let lines: Vec<usize> = ["0", "1", "2", "3"].map(|level| said(level).lines().count()).to_vec();
    assert_eq!(lines, [1, 2, 3, 4]);
    assert!(said("1").starts_with(&format!("pcap2flow: {capture}: pcap, ")), "{}", said("1"));
    assert!(said("1").contains("2816 frames = 2786 used + 30 skipped\n"));
    assert!(said("2").contains("pcap2flow: wrote /dev/null\n"));
    assert!(said("3").contains(&format!("pcap2flow: {capture}: 30 skipped: arp\n")));
    assert!(said("4").lines().count() >= 4);
    assert_eq!(convert(&["-v"]).success().stderr, said("1"));
    assert_eq!(convert(&["-q"]).success().stderr, "");
}
