//! `docs/fields.md` is the field table, written out; `UPDATE_GOLDEN=1` writes it anew.

use std::fmt::Write;
use std::path::Path;

use flowcore::FIELDS;

const HEAD: &str = "\
# Fields

Generated from `flowcore/src/record/field.rs`; do not edit. *Name* is the word in filters (`field NAME = value`) and
the column name in `.flow` files, *key* the JSON key and CSV heading (address keys carry the family in JSON: `src4_addr`,
`src6_addr`). The other columns are the names elsewhere: nfdump's output tag, the IPFIX information element, and the
columns of AWS, GCP and Azure flow logs. Fields marked *computed* are made from others and never stored.

| name | key | type | meaning | nfdump | IPFIX | AWS | GCP | Azure |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

#[test]
fn the_document_is_the_table() {
    let mut document = HEAD.to_owned();
    for info in FIELDS {
        let computed = if info.field.is_derived() { " *Computed.*" } else { "" };
        let tag = if info.nfdump.is_empty() { String::new() } else { format!("`%{}`", info.nfdump) };
        writeln!(
            document,
            "| `{}` | `{}` | {} | {}{computed} | {tag} | {} | {} | {} | {} |",
            info.name,
            info.key,
            info.kind.name(),
            info.doc,
            info.ipfix,
            info.aws,
            info.gcp,
            info.azure
        )
        .unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fields.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == document,
        "docs/fields.md is out of date: UPDATE_GOLDEN=1 cargo test -p flowcore --test fields_doc"
    );
}
