//! `docs/aggregation.md` has the elements and orders that there are, and its examples run.

use std::collections::BTreeSet;
use std::process::Command;

use flowcore::aggregate::{Element, Order};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn document() -> String {
    std::fs::read_to_string(format!("{WORKSPACE}/docs/aggregation.md")).unwrap()
}

/// The words between backquotes in the first column of the table behind a heading, and those in the second.
fn table(heading: &str) -> Vec<[Vec<String>; 2]> {
    let document = document();
    let section = document.split(heading).nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    rows.map(|(names, fields)| [words(&format!("`{names}")), words(fields)]).collect()
}

#[test]
fn every_element_is_documented_with_its_fields() {
    let documented: Vec<(String, Vec<String>)> = table("## Elements of `-A`")
        .into_iter()
        .map(|[names, fields]| (names.into_iter().next().unwrap(), fields))
        .collect();
    let known: Vec<(String, Vec<String>)> = Element::names()
        .map(|name| {
            let elements = Element::parse_list(name).unwrap();
            (name.to_owned(), elements.iter().map(|element| element.field().name().to_owned()).collect())
        })
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn every_order_is_documented() {
    let documented: BTreeSet<String> = table("## Orders").into_iter().flat_map(|[names, _]| names).collect();
    let known: BTreeSet<String> = Order::names().map(str::to_owned).collect();
    assert_eq!(documented, known);
}

#[test]
fn every_example_runs_and_shows_something() {
    let document = document();
    let blocks = document.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut examples = 0;
    for command in blocks.flat_map(str::lines) {
        let script = format!("{} -q", command.replacen("flowdump", env!("CARGO_BIN_EXE_flowdump"), 1));
        let output = Command::new("sh").arg("-c").arg(&script).current_dir(WORKSPACE).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output.stdout.is_empty(), "{command}: {errors}");
        examples += 1;
    }
    assert!(examples >= 6, "{examples}");
}
