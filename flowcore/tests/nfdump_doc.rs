//! The table of elements in `docs/nfdump-file.md` is the one in the code; `UPDATE_GOLDEN=1` writes it anew.

use std::fmt::Write;
use std::path::Path;

use flowcore::format::nfdump::elements::{ELEMENTS, Form, HEADER, Part, Size, Written};

const BEGIN: &str = "<!-- elements: made by flowcore/tests/nfdump_doc.rs -->\n";
const END: &str = "<!-- end of elements -->\n";

#[test]
fn the_table_of_elements_is_the_codes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/nfdump-file.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("a line that begins the table");
    let (_, behind) = rest.split_once(END).expect("a line that ends the table");
    let expected = [before, BEGIN, &table(), END, behind].concat();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == expected,
        "docs/nfdump-file.md is out of date: UPDATE_GOLDEN=1 cargo test -p flowcore --test nfdump_doc"
    );
}

fn table() -> String {
    let mut table = String::from(
        "| id | element | bytes | fields | written | shown by |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    writeln!(table, "| | header of the record | 12 | {} | always | layout, nfdump |", fields(HEADER))
        .unwrap();
    for element in ELEMENTS {
        let size = match element.size {
            Size::Fixed(size) => format!("{size}"),
            Size::AtLeast(size) => format!("{size} or more"),
        };
        let (written, shown) = match element.written {
            Written::Always => ("always", "layout, nfdump, round trip"),
            Written::Newer => ("with zstd", "round trip"),
            Written::Never => ("never", ""),
        };
        let fields = fields(element.parts);
        writeln!(table, "| {} | {} | {size} | {fields} | {written} | {shown} |", element.id, element.name)
            .unwrap();
    }
    table
}

fn fields(parts: &[Part]) -> String {
    let names: Vec<_> = parts.iter().map(|part| format!("`{}`{}", part.field, unit(part.form))).collect();
    names.join(", ")
}

fn unit(form: Form) -> &'static str {
    match form {
        Form::Millis => " (ms)",
        Form::Micros => " (µs)",
        _ => "",
    }
}
