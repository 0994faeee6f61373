//! Files of released versions, which every later release reads. `testdata/flow-file/README.md` says how they
//! were made.

use std::fs;
use std::path::PathBuf;

use super::super::chunk::BlockCompression;
use super::*;

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of version 1 that are kept, and how each is made.
fn golden_files() -> [(&'static str, Vec<Flow>, WriterOptions); 3] {
    let options = |compression| WriterOptions { compression, ident: "golden".into(), ..small_blocks(40) };
    let example =
        WriterOptions { compression: BlockCompression::None, creator: "example".into(), ..small_blocks(2) };
    [
        ("v1-example", example_flows(), example),
        ("v1-small", sample(60), options(BlockCompression::Lz4)),
        ("v1-zstd", sample(60), options(BlockCompression::Zstd(3))),
    ]
}

/// The two flows of the worked example in `docs/flow-file.md`.
fn example_flows() -> Vec<Flow> {
    let mut flows = vec![Flow::default(), Flow::default()];
    for (n, flow) in (1_u8..).zip(&mut flows) {
        flow.first = Some(Timestamp::from_secs(1_695_921_755 + 60 * i64::from(n)));
        flow.key.src = std::net::Ipv4Addr::new(10, 0, 0, n).into();
    }
    flows[0].key.dst_port = Some(443);
    flows[1].set(Field::Action, "REJECT".into());
    flows
}

/// A row as text: every field it has, then its columns without field.
fn line(flow: &Flow) -> String {
    let fields = Field::all().filter(|field| !field.is_derived() && !flow.get(*field).is_absent());
    let fields = fields.map(|field| format!("{field}={}", flow.get(field)));
    let unknown = flow.unknown.iter().map(|(name, text)| format!("{name:?}={text:?}"));
    fields.chain(unknown).collect::<Vec<_>>().join(" ")
}

#[test]
fn files_of_every_version_are_read() {
    for (name, _, _) in golden_files() {
        let path = repository("testdata/flow-file").join(name);
        let file = fs::read(path.with_extension("flow")).unwrap();
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap();
        assert!(file.len() < 4096, "{name}");
        for mode in MODES {
            let (flows, stats) = read(&file, mode, &ReadRequest::default()).unwrap();
            assert_eq!(flows.len(), expected.lines().count(), "{name}");
            flows.iter().zip(expected.lines()).for_each(|(flow, expected)| assert_eq!(line(flow), expected));
            assert!(stats.problems.is_empty(), "{name}: {:?}", stats.problems);
        }
    }
}

/// A change of these bytes is a change of the format: readers of earlier releases have to be thought of.
#[test]
fn the_same_flows_give_the_same_bytes_in_every_release() {
    for (name, flows, options) in golden_files() {
        if matches!(options.compression, BlockCompression::None) {
            let path = repository("testdata/flow-file").join(name).with_extension("flow");
            assert_eq!(write(&flows, 100, &options), fs::read(path).unwrap(), "{name}");
        }
    }
}

/// The hexadecimal listing of the document is the example file.
#[test]
fn the_worked_example_of_the_document_is_right() {
    let document = fs::read_to_string(repository("docs/flow-file.md")).unwrap();
    let listing = document.split("```hex\n").nth(1).unwrap().split("```").next().unwrap();
    let mut bytes = Vec::new();
    for line in listing.lines() {
        let (offset, rest) = line.split_once("  ").unwrap();
        assert_eq!(usize::from_str_radix(offset, 16).unwrap(), bytes.len(), "{line}");
        let hex = rest.split(" |").next().unwrap();
        bytes.extend(hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()));
    }
    assert_eq!(bytes, fs::read(repository("testdata/flow-file/v1-example.flow")).unwrap());
}

/// `cargo test -p flowcore make_golden_files -- --ignored` after a change of the format, with new names.
#[test]
#[ignore = "writes testdata/flow-file"]
fn make_golden_files() {
    let folder = repository("testdata/flow-file");
    fs::create_dir_all(&folder).unwrap();
    for (name, flows, options) in golden_files() {
        let path = folder.join(name);
        let file = write(&flows, 100, &options);
        let (rows, _) = read(&file, Mode::Stream, &ReadRequest::default()).unwrap();
        let lines: String = rows.iter().map(|flow| line(flow) + "\n").collect();
        fs::write(path.with_extension("flow"), file).unwrap();
        fs::write(path.with_extension("txt"), lines).unwrap();
    }
}
