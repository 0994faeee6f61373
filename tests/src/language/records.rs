//! The records that a program chooses by a filter, as lines of text that are the same for both programs.

use std::path::Path;
use std::process::{Command, Stdio};

use super::condition::Condition;
use super::rows::normal_value;
use crate::harness::Tool;

/// A line for each record that nfdump chooses, in the order of the file.
///
/// # Errors
/// What it said, when nfdump refuses the expression.
pub fn of_nfdump(file: &Path, expression: &str) -> Result<Vec<String>, String> {
    let lines = listed(file, "", expression)?;
    Ok(lines.iter().map(|line| normal(line)).collect())
}

/// A line for each record that nfdump chooses and of whose columns in its output the condition holds.
pub fn of_columns(file: &Path, expression: &str, condition: &str) -> Vec<String> {
    let condition = Condition::parse(condition);
    let tags: String = condition.columns().map(|column| format!("%{column}|")).collect();
    let lines = listed(file, &tags, expression).unwrap_or_else(|complaint| panic!("{complaint}"));
    let columns = condition.columns().count();
    let chosen = lines.iter().filter(|line| condition.holds(line.split('|').map(str::trim)));
    chosen.filter_map(|line| line.splitn(columns + 1, '|').last().map(normal)).collect()
}

/// A line for each record that flowdump chooses, in the order of the file.
///
/// # Errors
/// What it said, when flowdump refuses the expression.
pub fn of_flowdump(file: &Path, expression: &str) -> Result<Vec<String>, String> {
    let run = Tool::flowdump()
        .arg("-r")
        .arg(file)
        .args(["-q", "-N", "-o", &format!("fmt:{MARK}{COLUMNS}"), "--", expression])
        .run();
    if run.code == Some(0) { Ok(marked(&run.stdout).map(normal).collect()) } else { Err(run.stderr) }
}

/// nfdump's lines of records, with these columns before the others.
fn listed(file: &Path, tags: &str, expression: &str) -> Result<Vec<String>, String> {
    let run = Command::new("nfdump")
        .arg("-r")
        .arg(file)
        .args(["-q", "-N", "-6", "-o", &format!("fmt:{MARK}%cnt|{tags}{COLUMNS}"), expression])
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("nfdump: {error}"));
    let text = String::from_utf8_lossy(&run.stdout);
    if !run.status.success() {
        return Err(format!("{} {}", text.trim(), String::from_utf8_lossy(&run.stderr).trim()));
    }
    // Before a record from a tunnel stands a line about the tunnel, of number 0.
    let records = marked(&text).filter_map(|line| line.split_once('|'));
    Ok(records.filter(|(number, _)| number.trim() != "0").map(|(_, record)| record.to_owned()).collect())
}

/// Lines of records; nfdump writes other ones between them.
fn marked(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix(MARK))
}

fn normal(record: &str) -> String {
    record.split('|').map(normal_value).collect::<Vec<_>>().join(" ")
}

const MARK: &str = "record|";
const COLUMNS: &str = "%ts|%te|%pr|%sa|%sp|%da|%dp|%ipkt|%ibyt|%opkt|%obyt|%stos";
