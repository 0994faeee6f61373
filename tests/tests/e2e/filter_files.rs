//! Filters that read files, and the terms that need more than one record: `@list`, `@include`, `-f`, `count`.

use flow_tests::harness::{Run, TempDir, Tool, testdata};
use serde_json::Value;

fn lab(filter: &[&str]) -> Vec<Value> {
    run(filter).success().json()
}

fn run(filter: &[&str]) -> Run {
    Tool::flowdump().arg("-r").arg(testdata("lab/attack.pcap")).args(["-q", "-o", "json"]).args(filter).run()
}

#[test]
fn a_list_in_a_file_is_the_list() {
    let folder = TempDir::new();
    let ports = folder.file("the ports.txt", b"22, 80 # web\n443\n");
    let quoted = format!("dst port in @\"{}\"", ports.display());
    let wanted = lab(&["dst port in [22 80 443]"]);
    assert!(!wanted.is_empty() && wanted.len() < lab(&[]).len());
    assert_eq!(lab(&[&quoted]), wanted);

    let nets = folder.file("nets.txt", b"10.0.0.0/8\n172.16.0.0/12\n192.168.0.0/16\n2001:db8::/32\n");
    let typed = lab(&["src ip not in [10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 2001:db8::/32]"]);
    assert_eq!(lab(&[&format!("src ip not in @{}", nets.display())]), typed);
}

#[test]
fn a_file_can_hold_the_filter_and_include_others() {
    let folder = TempDir::new();
    folder.file("ports.txt", b"22 80 443");
    folder.file("part.nf", b"dst port in @ports.txt");
    let filter = folder.file("filter.nf", b"# tcp only\ntcp and\n@include part.nf\n");
    let wanted = lab(&["tcp and dst port in [22 80 443]"]);
    assert_eq!(lab(&["-f", &filter.display().to_string()]), wanted);
    assert_eq!(lab(&[&format!("@include {}", filter.display())]), wanted);
    let two = run(&["-f", &filter.display().to_string(), "tcp"]).exit_code(2);
    assert!(two.stderr.contains("two filters"), "{}", two.stderr);
}

#[test]
fn records_are_counted_across_inputs_and_blocks() {
    let folder = TempDir::new();
    let file = folder.join("lab.flow");
    Tool::flowdump().arg("-r").arg(testdata("lab/attack.pcap")).arg("-w").arg(&file).run().success();
    let list = |filter: &str| {
        let tool = Tool::flowdump().arg("-r").arg(&file).arg("-r").arg(&file);
        let mut records = tool.args(["-q", "-o", "json", filter]).run().success().json();
        // A query for the numbers prints them.
        records.iter_mut().filter_map(Value::as_object_mut).for_each(|record| drop(record.remove("cnt")));
        records
    };
    let all = list("any");
    assert_eq!(list("count <= 3"), all[..3]);
    assert_eq!(list(&format!("count > {}", all.len() - 2)), all[all.len() - 2..]);
    assert_eq!(list(&format!("cnt {}", all.len() / 2 + 1)), all[..1], "the second input counts on");
    // A term that would let blocks be left out does not change the numbers.
    let first_udp = list("udp").first().cloned().unwrap();
    let at = all.iter().position(|record| *record == first_udp).unwrap() + 1;
    assert_eq!(list(&format!("udp and count {at}")), [first_udp]);
}
