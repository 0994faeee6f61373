//! Lists with columns of the user's choice: `-o fmt:`.

use flow_tests::harness::{TempDir, Tool, testdata};

fn lab() -> Tool {
    Tool::flowdump().arg(testdata("lab/attack.pcap"))
}

#[test]
fn the_columns_hold_what_json_has() {
    let records = lab().args(["-o", "ndjson", "-q", "tcp and ipv4"]).run().success().ndjson();
    let list =
        lab().args(["-N", "-q", "-o", "fmt:%sa|%{srcport}|%da|%{dstport}|%ibyt|%{outbytes}", "tcp and ipv4"]);
    let list = list.run().success().stdout;
    let expected: Vec<Vec<String>> = records
        .iter()
        .map(|record| {
            let keys = ["src4_addr", "src_port", "dst4_addr", "dst_port", "in_bytes", "out_bytes"];
            keys.map(|key| record[key].to_string().trim_matches('"').to_owned()).to_vec()
        })
        .collect();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(list.lines().map(cells).collect::<Vec<_>>(), expected);
    assert!(expected.len() > 10);
}

#[test]
fn a_list_of_one_s_own_goes_into_files_too() {
    let folder = TempDir::new();
    let file = folder.join("list.txt");
    lab().args(["-o", "fmt:%pr", "-c", "2", "port 8889"]).arg("-w").arg(&file).run().success();
    assert_eq!(std::fs::read_to_string(file).unwrap(), "Proto\nTCP  \nTCP  \n");
}

#[test]
fn a_wrong_tag_is_an_error_with_its_place() {
    let said = lab().args(["-o", "fmt:%ts %sapp"]).run().exit_code(2).stderr;
    assert!(said.contains("%sapp at character 5 is no tag; did you mean %sap?"), "{said}");
}
