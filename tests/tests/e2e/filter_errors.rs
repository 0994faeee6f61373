//! Wrong filters on the command line: exit code 2 and a caret, whatever is wrong; files are named with their line.

use flow_tests::harness::{TempDir, Tool, testdata};

const INVALID: &str = include_str!("../../../flowcore/tests/filter_invalid.txt");

#[test]
fn every_wrong_expression_ends_with_2_and_shows_the_place() {
    for expression in INVALID.lines() {
        // flowdump reads the files that the library does not.
        let run = Tool::flowdump()
            .arg("-r")
            .arg(testdata("lab/attack.pcap"))
            .args(["-q", "--", expression])
            .run()
            .exit_code(2);
        let lines: Vec<&str> = run.stderr.lines().collect();
        let at = lines.iter().position(|line| line.trim_start().starts_with('^'));
        let caret = at.unwrap_or_else(|| panic!("no caret for {expression:?}:\n{}", run.stderr));
        let column = lines[caret].find('^').unwrap_or(0);
        assert!(column <= lines[caret - 1].trim_end().len(), "{expression:?}:\n{}", run.stderr);
        assert_eq!(run.stdout, "", "{expression:?}");
    }
}

#[test]
fn a_filter_in_a_file_is_shown_with_its_line() {
    let folder = TempDir::new();
    folder.file("part.nf", b"# shared\nport 80 or prt 22\n");
    let filter = folder.file("filter.nf", b"tcp and\n@include part.nf\n");
    let run = Tool::flowdump().arg(testdata("lab/attack.pcap")).arg("-f").arg(&filter).run().exit_code(2);
    assert!(run.stderr.contains("part.nf: line 2: unknown field \"prt\""), "{}", run.stderr);
    assert!(run.stderr.contains("\n    port 80 or prt 22\n               ^^^"), "{}", run.stderr);

    let wrong = folder.file("wrong.nf", b"tcp\nand dst prot 22");
    let run = Tool::flowdump().arg(testdata("lab/attack.pcap")).arg("-f").arg(&wrong).run().exit_code(2);
    assert!(run.stderr.contains("wrong.nf: line 2: unknown field \"prot\""), "{}", run.stderr);

    let tool = Tool::flowdump().arg(testdata("lab/attack.pcap")).args(["-f", "-"]);
    let run = tool.run_fed(|stdin| stdin.write_all(b"\ndst prot 22")).0.exit_code(2);
    assert!(run.stderr.contains("stdin: line 2: unknown field"), "{}", run.stderr);
}
