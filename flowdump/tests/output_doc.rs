//! `docs/output.md` lists the CSV columns as they are printed.

use flowdump::print::CSV_FIELDS;

#[test]
fn the_csv_columns_are_documented_in_order() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/output.md");
    let document = std::fs::read_to_string(path).unwrap();
    let block = document.split("```csv\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let documented: Vec<&str> = block.split([',', '\n']).filter(|name| !name.is_empty()).collect();
    let printed: Vec<&str> = CSV_FIELDS.iter().map(|field| field.info().key).collect();
    assert_eq!(documented, printed);
}
