//! `docs/output.md` is true: its commands print what stands below them, and its tables are those of the program.
//! `UPDATE_GOLDEN=1` writes the outputs and tables anew.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use flowdump::args::OutputFormat;
use flowdump::print::{CSV_FIELDS, CSV_OTHERS, refused_tags, tag_infos, tag_lists};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/output.md");

#[test]
fn the_csv_columns_are_documented_in_order() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let block = document.split("```csv\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let documented: Vec<&str> = block.split([',', '\n']).filter(|name| !name.is_empty()).collect();
    let printed: Vec<&str> = CSV_FIELDS.iter().map(|field| field.info().key).chain([CSV_OTHERS]).collect();
    assert_eq!(documented, printed);
}

#[test]
#[cfg(unix)]
fn commands_print_what_stands_below_them_and_tables_are_those_of_the_program() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (renewed, commands) = renewed(&document);
    assert!(commands >= 15, "only {commands} commands");
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(DOCUMENT, renewed).unwrap();
        return;
    }
    for (line, (there, right)) in document.lines().zip(renewed.lines()).enumerate() {
        assert_eq!(there, right, "line {} of docs/output.md; UPDATE_GOLDEN=1 writes it anew", line + 1);
    }
    assert_eq!(document.lines().count(), renewed.lines().count());
}

/// The document with outputs and tables as they are now, and how many blocks of commands it has.
fn renewed(document: &str) -> (String, usize) {
    let (mut text, mut commands) = (String::new(), 0);
    let mut output = None;
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        writeln!(text, "{line}").unwrap();
        if line == "```sh" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            writeln!(text, "{}\n```", block.join("\n")).unwrap();
            output = Some(printed(&block.join("\n")));
            commands += 1;
        } else if line.starts_with("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let old = block.iter().map(|line| format!("{line}\n")).collect();
            writeln!(text, "{}```", output.take().unwrap_or(old)).unwrap();
        } else if let Some(table) = table(line) {
            lines.by_ref().find(|line| *line == "<!-- end -->").expect("the end of a table");
            writeln!(text, "{table}<!-- end -->").unwrap();
        } else if !line.is_empty() {
            output = None;
        }
    }
    (text, commands)
}

/// What commands print to standard output, run where the document's paths are right.
fn printed(commands: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_flowdump"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let run = Command::new("sh")
        .args(["-e", "-c", commands])
        .env("PATH", path)
        .env("TZ", "Asia/Kolkata")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(run.status.success(), "{commands}\n{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().replace("\r\n", "\n")
}

/// The table that a mark begins.
fn table(mark: &str) -> Option<String> {
    let mut rows = String::new();
    match mark {
        "<!-- formats -->" => {
            rows.push_str("| `-o` | content |\n| --- | --- |\n");
            for (name, about) in OutputFormat::names() {
                writeln!(rows, "| `{name}` | {about} |").unwrap();
            }
        }
        "<!-- tags -->" => {
            rows.push_str("| tag | heading | heading of `csv:` | content |\n| --- | --- | --- | --- |\n");
            for tag in tag_infos() {
                let csv = tag.csv.map_or_else(String::new, |csv| format!("`{csv}`"));
                writeln!(rows, "| `%{}` | {} | {csv} | {} |", tag.name, tag.heading, tag.about).unwrap();
            }
            for (name, tags) in tag_lists() {
                writeln!(rows, "| `%{name}` | | | The list `{name}`: `{tags}` |").unwrap();
            }
        }
        "<!-- refused -->" => {
            rows.push_str("| tag | why |\n| --- | --- |\n");
            for (name, why) in refused_tags() {
                writeln!(rows, "| `%{name}` | {why} |").unwrap();
            }
        }
        _ => return None,
    }
    Some(rows)
}
