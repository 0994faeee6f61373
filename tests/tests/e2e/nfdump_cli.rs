//! nfdump files on flowdump's command line: written for nfdump, chosen as nfdump chooses them, verified.

use std::path::{Path, PathBuf};
use std::process::Command;

use flow_tests::harness::{Run, TempDir, Tool, files_in, peer, testdata, tool_available};

const COMPRESSIONS: [&str; 4] = ["none", "lzo", "lz4", "bz2"];

/// The laboratory as an nfdump file.
fn lab(folder: &TempDir, name: &str, options: &[&str]) -> PathBuf {
    let file = folder.join(name);
    let run = Tool::flowdump().arg("-r").arg(testdata("lab/attack.pcap")).arg("-w").arg(&file).args(options);
    run.run().success();
    file
}

fn nfdump(file: &Path, options: &[&str]) -> String {
    peer("nfdump", ["-r".as_ref(), file.as_os_str()].into_iter().chain(options.iter().map(AsRef::as_ref)))
}

#[test]
fn nfdump_reads_what_is_written_in_every_compression() {
    if !tool_available("nfdump") {
        return;
    }
    let folder = TempDir::new();
    let columns = "fmt:%ts %te %pr %sa %sp %da %dp %pkt %byt %opkt %obyt %flg";
    let mut listings = COMPRESSIONS.map(|method| {
        let file = lab(&folder, &format!("{method}.nf"), &["-z", method]);
        let listing = nfdump(&file, &["-q", "-6", "-N", "-o", columns]);
        assert!(listing.lines().count() > 100, "{method}: {listing}");
        listing
    });
    listings.sort();
    assert_eq!(listings.first(), listings.last());

    let file = folder.join("lz4.nf");
    let sums = nfdump(&file, &["-I"]);
    let flows = Tool::flowdump().arg(testdata("lab/attack.pcap")).args(["-o", "json"]).run().success().json();
    for (name, sum) in [
        ("Flows: ", flows.len() as u64),
        ("Packets: ", crate::packets(&flows)),
        ("Bytes: ", crate::bytes(&flows)),
    ] {
        assert!(
            sums.lines().any(|line| line.strip_prefix(name) == Some(&sum.to_string())),
            "{name}{sum}: {sums}"
        );
    }
}

#[test]
fn a_name_of_nfcapd_is_an_nfdump_file_and_order_and_filter_apply() {
    if !tool_available("nfdump") {
        return;
    }
    let folder = TempDir::new();
    let file = lab(&folder, "nfcapd.202309281720", &["-O", "bytes", "-n", "3", "proto tcp"]);
    let listing = nfdump(&file, &["-q", "-N", "-o", "fmt:%pr %ibyt"]);
    let rows: Vec<Vec<u64>> = listing
        .lines()
        .map(|line| line.split_whitespace().map(|number| number.parse().unwrap()).collect())
        .collect();
    assert!(rows.len() == 3 && rows.iter().all(|row| row[0] == 6), "{listing}");
}

#[test]
fn what_has_no_place_is_one_line() {
    let folder = TempDir::new();
    let log = "srcaddr dstaddr bytes start end vpc-id\n10.0.0.1 10.0.0.2 40 1695921755 1695921756 vpc-1\n";
    let log = folder.file("a.log", log);
    let write = |name: &str| Tool::flowdump().arg("-r").arg(&log).arg("-w").arg(folder.join(name));
    let run = write("a.nf").run().success();
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("flowdump: ")).collect();
    assert_eq!(lines, ["flowdump: nfdump files have no place for vpc; .flow files keep them"]);
    assert_eq!(write("b.nf").arg("-q").run().success().stderr, "");
    assert!(!write("b.flow").run().success().stderr.contains("no place"));
}

#[test]
fn compressions_and_places_that_do_not_go_are_refused() {
    let folder = TempDir::new();
    let to = |name: &str, method: &str| {
        let input = Tool::flowdump().arg("-r").arg(testdata("lab/attack.pcap"));
        let run = input.arg("-w").arg(folder.join(name)).arg(format!("-z={method}")).run().exit_code(2);
        assert!(!folder.join(name).exists() || name == "pipe.nf");
        run.one_line_error("flowdump").to_owned()
    };
    assert!(to("a.flow", "lzo").contains("only nfdump files"));
    assert!(to("a.nf", "gzip").contains("none, lzo, lz4, bz2"));
    assert!(to("a.nf", "zstd:20").contains("1 to 19"));
    if cfg!(unix) && Command::new("mkfifo").arg(folder.join("pipe.nf")).status().is_ok_and(|s| s.success()) {
        assert!(to("pipe.nf", "lz4").contains("pipe or device"));
    }
}

/// Files of flows that differ by file, in a flat folder and in trees of dates below two folders.
fn archive() -> TempDir {
    let folder = TempDir::new();
    let mut number = 0;
    let mut add = |place: String| {
        number += 1;
        let flow =
            format!("srcaddr dstaddr bytes start end\n10.0.0.1 10.0.0.2 {number} 1695921755 1695921756\n");
        let (log, place) = (folder.file("a.log", flow), folder.join(&place));
        Tool::flowdump().arg("-r").arg(log).args(["-q", "--force", "-w"]).arg(place).run().success();
    };
    for minute in ["00", "05", "10", "15"] {
        add(format!("flat/nfcapd.2023010100{minute}"));
    }
    add("flat/sub/nfcapd.202301010007".into());
    for source in ["s1", "s2"] {
        for day in ["01", "02", "03"] {
            for minute in ["00", "05"] {
                add(format!("{source}/2023/01/{day}/nfcapd.202301{day}00{minute}"));
            }
        }
    }
    folder
}

/// The same files in the same order as nfdump.
#[test]
fn ranges_of_files_are_those_of_nfdump() {
    if !tool_available("nfdump") {
        return;
    }
    let folder = archive();
    for options in [
        &["-R", "flat"][..],
        &["-R", "flat/nfcapd.202301010005:nfcapd.202301010010"],
        &["-R", "flat/nfcapd.202301010005:nfcapd.202301010012"],
        &["-R", "s1/2023/01/01/nfcapd.202301010005"],
        &["-R", "s1/2023/01/01/nfcapd.202301010005:2023/01/02/nfcapd.202301020000"],
        &["-R", "s1/2023/01/01/nfcapd.202301010005:nfcapd.202301030000"],
        &["-M", "s1:s2", "-r", "2023/01/01/nfcapd.202301010000"],
        &["-M", "s1:s2", "-R", "2023/01/01/nfcapd.202301010005:2023/01/02/nfcapd.202301020000"],
        &["-M", "s1:s2", "-R", "2023/01/02/nfcapd.202301020005"],
        &["-M", "s1:s2", "-R", "."],
    ] {
        let options: Vec<String> = options.iter().map(|option| in_folder(&folder, option)).collect();
        let theirs =
            peer("nfdump", options.iter().map(String::as_str).chain(["-q", "-N", "-o", "fmt:%ibyt"]));
        let theirs: Vec<&str> = theirs.lines().map(str::trim).collect();
        let run = Tool::flowdump().args(&options).args(["-q", "-N", "-o", "fmt:%ibyt"]).run().success();
        let ours: Vec<&str> = run.stdout.lines().map(str::trim).collect();
        assert!(!ours.is_empty());
        assert_eq!(ours, theirs, "{options:?}");
    }
}

/// Names of files and folders at the start of an option lie in the folder; those behind are relative.
fn in_folder(folder: &TempDir, option: &str) -> String {
    match ["flat", "s1"].iter().any(|name| option.starts_with(name)) {
        true => folder.join(option).display().to_string(),
        false => option.to_owned(),
    }
}

#[test]
fn a_first_file_brings_the_later_ones_of_its_folder() {
    let folder = archive();
    folder.file("flat/nfcapd.current.4711", "not complete");
    folder.file("flat/.hidden", "not complete");
    let list = |range: &str| {
        Tool::flowdump().arg("-R").arg(folder.join(range)).args(["-q", "-o", "fmt:%ibyt"]).run()
    };
    let numbers = |run: Run| run.success().stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(numbers(list("flat/nfcapd.202301010005")), "2 3 4");
    assert_eq!(numbers(list("flat")), "1 2 3 4 5");
    let said = |range: &str| list(range).exit_code(2).one_line_error("flowdump").to_owned();
    assert!(said("flat/nfcapd.202301010010:nfcapd.202301010005").contains("comes after"));
    assert!(said("flat/nfcapd.202301010003:nfcapd.202301010012").contains("no such file"));
    let run = Tool::flowdump().args(["-M", "a:b"]).run().exit_code(2);
    assert!(run.one_line_error("flowdump").contains("-M needs -r or -R"), "{}", run.stderr);
}

#[test]
fn a_last_folder_is_read_with_all_that_is_in_it() {
    let folder = archive();
    let list = |options: [&str; 4]| {
        let options = options.map(|option| in_folder(&folder, option));
        let run = Tool::flowdump().args(options.iter().filter(|option| !option.is_empty()));
        let run = run.args(["-q", "-o", "fmt:%ibyt"]).run().success();
        run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list(["-R", "s1/2023/01/01:2023/01/02", "", ""]), "6 7 8 9");
    assert_eq!(list(["-R", "s1/2023/01/02:03", "", ""]), "8 9 10 11");
    assert_eq!(list(["-R", "s1/2023/01/01/nfcapd.202301010005:2023/01/02", "", ""]), "7 8 9");
    assert_eq!(list(["-R", "s1/2023/01/01:2023/01/02/nfcapd.202301020000", "", ""]), "6 7 8");
    assert_eq!(list(["-M", "s1", "-R", "2022/12/31:2023/01/02"]), "6 7 8 9");
    assert_eq!(list(["-M", "s1:s2", "-R", "2023/01/03:2023/01/03"]), "10 11 16 17");
}

#[test]
fn folders_of_m_without_the_file_are_named_and_the_others_read() {
    let folder = archive();
    let file = "2023/01/02/nfcapd.202301020000";
    std::fs::remove_file(folder.join("s1").join(file)).unwrap();
    let list = |file: &str, options: &[&str]| {
        Tool::flowdump().arg("-M").arg(folder.join("s1:s2")).args(["-q", "-r", file]).args(options).run()
    };
    for (options, found) in
        [(&["-o", "fmt:%ibyt"][..], "14"), (&["-I"], "Flows: 1"), (&["-s", "srcip"], "10.0.0.1")]
    {
        let run = list(file, options).exit_code(2);
        assert!(run.stdout.contains(found), "{options:?}: {}", run.stdout);
        let error = run.one_line_error("flowdump");
        assert!(error.contains("s1/2023/01/02/nfcapd") && error.contains("no such file"), "{error}");
    }
    let run = list("nfcapd.199901010000", &["-o", "csv"]).exit_code(2);
    assert!(
        run.stdout.is_empty() && run.one_line_error("flowdump").contains("no such file"),
        "{}",
        run.stderr
    );
}

#[test]
fn sound_files_are_told_from_damaged_ones() {
    let folder = TempDir::new();
    for name in ["a.nf", "a.flow"] {
        let file = lab(&folder, name, &[]);
        let verify = |file: &Path| Tool::flowdump().arg("-v").arg(file).run();
        let run = verify(&file).success();
        let has =
            |run: &Run, line: &str| assert!(run.stdout.lines().any(|l| l == line), "{line}: {}", run.stdout);
        has(&run, "Statistics: agree with the records");
        assert_eq!(
            run.stdout.ends_with("\nSequence failures: 0\nSound: yes\n"),
            name == "a.nf",
            "{}",
            run.stdout
        );
        has(&run, "Sound: yes");
        assert!(run.stdout.contains("\nCompression: ") && run.stdout.contains("lz4\n"), "{}", run.stdout);
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 40].fill(0xff);
        let run = verify(&folder.file(&format!("damaged-{name}"), &bytes)).exit_code(2);
        has(&run, "Sound: no");
        assert!(run.stdout.contains("\nProblem: "), "{}", run.stdout);
        let run = verify(&folder.file(&format!("cut-{name}"), &bytes[..middle])).exit_code(2);
        has(&run, "Sound: no");
    }
    let run = Tool::flowdump().arg("-v").arg(testdata("lab/attack.pcap")).run().exit_code(2);
    assert!(
        run.one_line_error("flowdump").contains("-v verifies flow files and nfdump files"),
        "{}",
        run.stderr
    );
    let run = Tool::flowdump().arg("-v").arg(folder.join("a.nf")).arg("proto tcp").run().exit_code(2);
    assert!(run.one_line_error("flowdump").contains("leave out"), "{}", run.stderr);
}

#[test]
fn totals_begin_with_the_ident_and_end_with_sequence_failures() {
    let folder = TempDir::new();
    let capture = testdata("lab/attack.pcap");
    let file = folder.join("named.nf");
    Tool::pcap2flow().arg(&capture).args(["-I", "web-1", "-w"]).arg(&file).run().success();
    let named = Tool::flowdump().arg("-I").arg("-r").arg(&file).run().success().stdout;
    assert!(named.starts_with("Ident: web-1\nFiles: 1\n"), "{named}");
    assert!(named.ends_with("\nSequence failures: 0\n"), "{named}");
    // The failures are the last number of the file; two files have both's.
    let mut bytes = std::fs::read(lab(&folder, "plain.nf", &["-z=none"])).unwrap();
    let at = bytes.len() - 8;
    bytes[at..].copy_from_slice(&7_u64.to_le_bytes());
    let lossy = folder.file("lossy.nf", &bytes);
    let both = Tool::flowdump().args(["-I", "-r"]).arg(&lossy).arg("-r").arg(&lossy).run().success().stdout;
    assert!(both.starts_with("Files: 2\n") && both.ends_with("\nSequence failures: 14\n"), "{both}");
    let verified = Tool::flowdump().arg("-v").arg(&lossy).run().success().stdout;
    assert!(verified.ends_with("\nSequence failures: 7\nSound: yes\n"), "{verified}");
}

#[test]
fn what_nfpcapd_says_is_agreed_with() {
    if !tool_available("nfpcapd") {
        return;
    }
    let folder = TempDir::new();
    std::fs::create_dir(folder.join("flows")).unwrap();
    let (capture, flows) = (testdata("lab/attack.pcap"), folder.join("flows"));
    let arguments = ["-r".as_ref(), capture.as_os_str(), "-z".as_ref(), "-w".as_ref(), flows.as_os_str()];
    peer("nfpcapd", arguments);
    for (name, file) in files_in(&flows) {
        let run = Tool::flowdump().arg("-v").arg(&file).run().success();
        assert!(run.stdout.contains("Compression: lzo\n"), "{name}: {}", run.stdout);
        assert!(run.stdout.contains("Statistics: agree"), "{name}: {}", run.stdout);
    }
}
