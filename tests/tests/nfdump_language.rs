//! The whole language side by side with Debian's nfdump 1.7.1: filters, statistics, aggregation, order and columns.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use flow_tests::harness::{TempDir, corpus, tool_available};
use flow_tests::language::compare::{self, Listing};
use flow_tests::language::inputs::{self, Input};
use flow_tests::language::records;
use flow_tests::language::rows::{self, Program};
use flow_tests::language::table::{self, Entry};

/// What the expressions of `filters.txt` may have under them.
///
/// - `nfdump`: what nfdump is asked in place of the expression, which it refuses or takes for something else.
/// - `columns`: what nfdump's columns say in place of the expression, which it refuses.
/// - `flowdump`: what flowdump is asked in place of the expression, which means something else to it.
/// - `where`: records that the question is limited to, in both programs.
/// - `constant`: why no input tells right from wrong here, as all or no records match.
const NOTES: &[&str] = &["nfdump", "columns", "flowdump", "where", "constant"];

#[test]
fn filters_choose_the_same_records() {
    if !tool_available("nfdump") {
        return;
    }
    let folder = TempDir::new();
    let inputs = inputs::make(&folder);
    let entries = table::read("filters.txt", NOTES);
    let answers = in_parallel(&entries, |entry| ask(entry, &inputs));
    let wrong: Vec<&str> = answers.iter().flat_map(|answer| &answer.wrong).map(String::as_str).collect();
    let telling = answers.iter().filter(|answer| answer.tells).count();
    assert!(wrong.is_empty(), "{} of {} expressions:\n{}", wrong.len(), entries.len(), wrong.join("\n"));
    assert!(entries.len() >= 300, "{} expressions", entries.len());
    assert!(telling * 100 >= entries.len() * 80, "{telling} of {} tell right from wrong", entries.len());
}

/// What came of an entry.
struct Answer {
    /// Whether some, but not all records of an input match.
    tells: bool,
    wrong: Vec<String>,
}

fn ask(entry: &Entry, inputs: &[Input]) -> Answer {
    let mut answer = Answer { tells: false, wrong: Vec::new() };
    let mut is_needed = !["nfdump", "columns", "flowdump"].iter().any(|name| entry.note(name).is_some());
    for input in inputs {
        let asked = Asked { entry, file: &input.path };
        let at = format!("line {}, {}: {}", entry.line, input.name, entry.text);
        match (asked.nfdump(), asked.flowdump()) {
            (Ok(theirs), Ok(ours)) => {
                answer.tells |= !theirs.is_empty() && theirs.len() < total(input);
                answer.wrong.extend(difference(&theirs, &ours).map(|words| format!("{at}: {words}")));
            }
            (Err(complaint), _) => answer.wrong.push(format!("{at}: nfdump: {complaint}")),
            (_, Err(complaint)) => answer.wrong.push(format!("{at}: {complaint}")),
        }
        if !answer.wrong.is_empty() {
            return answer;
        }
        is_needed = is_needed || asked.as_it_stands().is_none();
    }
    let about = format!("line {}: {}", entry.line, entry.text);
    if !is_needed {
        answer.wrong.push(format!("{about}: both programs choose the same without a note"));
    }
    if answer.tells == entry.note("constant").is_some() {
        answer.wrong.push(format!("{about}: tells right from wrong: {}", answer.tells));
    }
    answer
}

/// An entry asked about a file.
struct Asked<'a> {
    entry: &'a Entry,
    file: &'a Path,
}

impl Asked<'_> {
    fn nfdump(&self) -> Result<Vec<String>, String> {
        match self.entry.note("columns") {
            Some(condition) => {
                Ok(records::of_columns(self.file, self.entry.note("where").unwrap_or("any"), condition))
            }
            None => records::of_nfdump(self.file, &self.limited(self.entry.note("nfdump"))),
        }
    }

    fn flowdump(&self) -> Result<Vec<String>, String> {
        records::of_flowdump(self.file, &self.limited(self.entry.note("flowdump")))
    }

    /// What both programs choose by the expression itself, if it is the same.
    fn as_it_stands(&self) -> Option<Vec<String>> {
        let theirs = records::of_nfdump(self.file, &self.limited(None)).ok()?;
        records::of_flowdump(self.file, &self.limited(None)).ok().filter(|ours| *ours == theirs)
    }

    fn limited(&self, instead: Option<&str>) -> String {
        let expression = instead.unwrap_or(&self.entry.text);
        match self.entry.note("where") {
            Some(limit) => format!("({expression}) and ({limit})"),
            None => expression.to_owned(),
        }
    }
}

/// Records of an input.
fn total(input: &Input) -> usize {
    static KNOWN: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());
    if let Some(&known) = KNOWN.lock().unwrap().get(input.name) {
        return known;
    }
    let total = records::of_nfdump(&input.path, "any").unwrap().len();
    KNOWN.lock().unwrap().insert(input.name, total);
    total
}

/// The first records that only one of the programs chose.
fn difference(theirs: &[String], ours: &[String]) -> Option<String> {
    if theirs == ours {
        return None;
    }
    let only = |these: &[String], others: &[String]| {
        let mut left = others.to_vec();
        let missing = these.iter().filter(|line| match left.iter().position(|other| other == *line) {
            Some(at) => {
                left.swap_remove(at);
                false
            }
            None => true,
        });
        missing.take(1).cloned().collect::<Vec<_>>()
    };
    let counts = format!("nfdump {} records, flowdump {}", theirs.len(), ours.len());
    let (theirs, ours) = (only(theirs, ours), only(ours, theirs));
    Some(format!("{counts}\n    nfdump only: {theirs:?}\n    flowdump only: {ours:?}"))
}

/// What the command lines of `commands.txt` may have under them.
///
/// - `nfdump`, `flowdump`: the command line for one of the programs.
/// - `inputs`: the only inputs to ask about, or `none` where nfdump has no answer that could be compared.
/// - `order`: `ours` where nfdump has the rows in a wrong order.
const COMMAND_NOTES: &[&str] = &["nfdump", "flowdump", "inputs", "order"];

#[test]
fn command_lines_print_the_same_rows() {
    if !tool_available("nfdump") {
        return;
    }
    let folder = TempDir::new();
    let inputs = inputs::make(&folder);
    let entries = table::read("commands.txt", COMMAND_NOTES);
    let answers = in_parallel(&entries, |entry| run(entry, &inputs));
    let wrong: Vec<&str> = answers.iter().flat_map(|answer| &answer.wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {} command lines:\n{}", wrong.len(), entries.len(), wrong.join("\n"));
    assert!(entries.len() >= 60, "{} command lines", entries.len());
    let silent = entries
        .iter()
        .zip(&answers)
        .filter(|(entry, answer)| !answer.tells && entry.note("inputs") != Some("none"));
    let silent: Vec<&str> = silent.map(|(entry, _)| entry.text.as_str()).collect();
    assert!(silent.is_empty() || corpus().is_none(), "without two rows on any input: {silent:?}");
}

fn run(entry: &Entry, inputs: &[Input]) -> Answer {
    let mut answer = Answer { tells: false, wrong: Vec::new() };
    let [theirs, ours] =
        ["nfdump", "flowdump"].map(|name| rows::words(entry.note(name).unwrap_or(&entry.text)));
    let is_asked = |input: &&Input| {
        entry.note("inputs").is_none_or(|names| names.split(", ").any(|name| name == input.name))
    };
    for input in inputs.iter().filter(is_asked) {
        let at = format!("commands.txt line {}, {}: {}", entry.line, input.name, entry.text);
        match compared(&input.path, &theirs, &ours, entry.note("order").is_some()) {
            Ok((found, rows)) => {
                answer.tells |= rows > 1;
                answer.wrong.extend(found.into_iter().map(|words| format!("{at}\n    {words}")));
            }
            Err(complaint) => answer.wrong.push(format!("{at}: {complaint}")),
        }
        if !answer.wrong.is_empty() {
            break;
        }
    }
    answer
}

/// What differs, and how many rows nfdump printed.
fn compared(
    file: &Path,
    theirs: &[String],
    ours: &[String],
    only_ours: bool,
) -> Result<(Vec<String>, usize), String> {
    let statistic = theirs.windows(2).filter(|pair| pair[0] == "-s").map(|pair| pair[1].as_str());
    let statistics: Vec<&str> = statistic.collect();
    if theirs.iter().any(|word| word == "-o") || statistics.len() > 1 {
        let (theirs, ours) = (Program::Nfdump.text(file, theirs)?, Program::Flowdump.text(file, ours)?);
        return Ok((compare::texts(&theirs, &ours), theirs.len()));
    }
    let order = |spec: &str| spec.split('/').nth(1).map(str::to_owned);
    match statistics.first().filter(|spec| !spec.starts_with("record")) {
        Some(spec) => {
            let (theirs, ours) =
                (Program::Nfdump.statistic(file, theirs)?, Program::Flowdump.statistic(file, ours)?);
            Ok(compare::statistics(&theirs, &ours, &order(spec).unwrap_or_else(|| "flows".to_owned())))
        }
        None => {
            let named = theirs.windows(2).find(|pair| pair[0] == "-O").map(|pair| pair[1].clone());
            let of_record = statistics.first().map(|spec| order(spec).unwrap_or_else(|| "flows".to_owned()));
            let groups = theirs.iter().any(|word| ["-a", "-A", "-b", "-B", "-s"].contains(&word.as_str()));
            let listing = Listing { order: named.or(of_record), groups, only_ours };
            let (theirs, ours) =
                (Program::Nfdump.records(file, theirs)?, Program::Flowdump.records(file, ours)?);
            Ok((compare::records(&theirs, &ours, &listing), theirs.len()))
        }
    }
}

/// Does the work in two threads; results come in the order of the entries.
fn in_parallel<T: Send>(entries: &[Entry], work: impl Fn(&Entry) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((at, entry)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, entries.get(at)?)))
                {
                    let result = work(entry);
                    done.lock().unwrap().insert(at, result);
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}
