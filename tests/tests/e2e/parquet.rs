//! Flow logs in Parquet, by themselves and among other files.

use flow_tests::harness::{TempDir, Tool, files_in, testdata};
use flow_tests::vpclog::gzip;
use serde_json::Value;

fn table(name: &str) -> Vec<u8> {
    std::fs::read(testdata("parquet").join(name)).unwrap()
}

/// What the records say, without where they come from.
fn records(stdout: &str) -> Vec<Value> {
    let mut records: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for record in &mut records {
        let record = record.as_object_mut().unwrap();
        record.remove("source");
        record.remove("format");
    }
    records
}

fn of_text(filter: &str) -> Vec<Value> {
    let run =
        Tool::flowdump().arg(testdata("parquet/records.log")).args(["-q", "-o", "ndjson", filter]).run();
    records(&run.success().stdout)
}

#[test]
fn tables_are_told_by_their_bytes_and_say_what_the_text_says() {
    let folder = TempDir::new();
    let expected = of_text("any");
    assert_eq!(expected.len(), 54);
    for (name, path) in files_in(&testdata("parquet")) {
        if name == "records.log" || name == "other-types.parquet" {
            continue;
        }
        let renamed = folder.file("renamed.log", std::fs::read(path).unwrap());
        let run = Tool::flowdump().arg(&renamed).args(["-q", "-o", "ndjson", "any"]).run().success();
        assert_eq!(records(&run.stdout), expected, "{name}");
    }
    let filter = "dst port 8889 and bytes > 1M and field mytag = tag-4";
    let run = Tool::flowdump()
        .arg(testdata("parquet/duckdb.parquet"))
        .args(["--format", "parquet", "-q", "-o", "ndjson", filter])
        .run()
        .success();
    assert_eq!(records(&run.stdout), of_text(filter));
    assert!(!run.stdout.is_empty());
}

#[test]
fn a_stream_is_read_like_a_file() {
    for bytes in [table("snappy.parquet"), zstd::encode_all(&table("zstd-v2-delta.parquet")[..], 3).unwrap()]
    {
        let tool = Tool::flowdump().args(["-", "-q", "-o", "ndjson", "any"]);
        let run = tool.run_fed(|stdin| stdin.write_all(&bytes)).0.success();
        assert_eq!(records(&run.stdout), of_text("any"));
    }
}

#[test]
fn a_folder_of_tables_and_texts_is_one_input() {
    let folder = TempDir::new();
    folder.file("a.parquet", table("gzip-pages.parquet"));
    folder.file("b.log.gz", gzip(&String::from_utf8(table("records.log")).unwrap(), 2));
    folder.file("c.parquet", table("lz4-split-checksums.parquet"));
    let run = Tool::flowdump().arg(folder.path()).args(["-o", "null", "--stats=json"]).run().success();
    let account: Value =
        serde_json::from_str(if run.stdout.is_empty() { &run.stderr } else { &run.stdout }).unwrap();
    for (key, expected) in
        [("files", 3), ("records", 180), ("flows", 162), ("nodata", 9), ("problem_count", 0)]
    {
        assert_eq!(account[key], expected, "{key} in {account}");
    }
    assert_eq!(account["skipdata"]["total"], 9);

    let cut = table("snappy.parquet");
    folder.file("b2.parquet", &cut[..cut.len() / 2]);
    let run = Tool::flowdump().arg(folder.path()).args(["-o", "ndjson"]).run().exit_code(2);
    assert_eq!(records(&run.stdout).len(), 162);
    let message = "b2.parquet: no Parquet footer at the end; the file is cut, or still being written";
    assert!(run.stderr.contains(message), "{}", run.stderr);
}

#[test]
fn a_damaged_page_is_named_with_what_it_costs() {
    let mut bytes = table("lz4-split-checksums.parquet");
    // The last byte of the first column in the first row group; its pages have checksums.
    bytes[79] ^= 1;
    let folder = TempDir::new();
    let file = folder.file("a.parquet", bytes);
    let run = Tool::flowdump().arg(&file).args(["-o", "ndjson", "any"]).run().exit_code(2);
    assert_eq!(records(&run.stdout), of_text("any")[36..], "the second row group is whole");
    let message =
        "a.parquet: row 1: column version: page checksum differs; 40 rows, the rest of row group 1, are lost";
    assert!(run.stderr.contains(message), "{}", run.stderr);
}

#[test]
fn tables_of_other_things_are_refused() {
    let folder = TempDir::new();
    let file = folder.file("a.parquet", "PAR1, they say");
    let run = Tool::flowdump().arg(&file).run().exit_code(2);
    assert!(run.stderr.contains("a.parquet: no Parquet footer at the end"), "{}", run.stderr);
    let text = folder.file("a.log", table("records.log"));
    let run = Tool::flowdump().arg(&text).args(["--format", "parquet"]).run().exit_code(2);
    assert!(run.stderr.contains("a.log: no Parquet footer at the end"), "{}", run.stderr);
}
