//! nfdump files against Debian's nfdump: what it prints of files we read, and of files we write.

use std::path::{Path, PathBuf};

use flow_tests::harness::{TempDir, Tool, assert_same_text, corpus, peer, skipped, tool_available, try_peer};
use flow_tests::nfdump::{Listed, differences, list};
use flowcore::{Field, Flow};

/// The folder of shared files, if it is there and nfdump is too.
fn corpus_and_nfdump() -> Option<PathBuf> {
    tool_available("nfdump").then(corpus).flatten()
}

fn flows(path: &Path) -> Vec<Flow> {
    let flows = flowcore::open(path).unwrap_or_else(|error| panic!("{error}"));
    flows.map(|flow| flow.unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// Holds every record of a file against nfdump's listing of (perhaps another form of) it.
fn assert_same(theirs: &Path, ours: &[Flow], about: &str) {
    let listed = list(theirs);
    assert_eq!(listed.len(), ours.len(), "{about}: records");
    for (at, (theirs, ours)) in listed.iter().zip(ours).enumerate() {
        let found = differences(theirs, ours);
        assert!(found.is_empty(), "{about}: record {}: {found:#?}", at + 1);
    }
}

/// Debian's nfdump reads no zstd, and gives up on records that have an element of later versions: for those the file as
/// we write it again is the referee, without such elements.
#[test]
fn every_shared_file_is_read_as_nfdump_reads_it() {
    let Some(corpus) = corpus_and_nfdump() else { return };
    let folder = TempDir::new();
    for (name, records, given_up) in
        [("ext", 35, 1), ("l2tun", 1445, 0), ("mix", 1627, 0), ("nftest-records", 103, 71)]
    {
        let file = corpus.join(format!("flows/{name}.nf"));
        let ours = flows(&file);
        assert_eq!(ours.len(), records, "{name}");
        let copy = folder.path().join(format!("{name}.nf"));
        Tool::flowdump().arg("-r").arg(&file).arg("-w").arg(&copy).run().success();
        assert_same(&copy, &ours, &format!("{name}, written again"));
        if is_zstd(&file) {
            continue;
        }
        let is_given_up =
            |theirs: &Listed, ours: &Flow| ours.key.protocol.is_some() && !theirs.contains_key("proto");
        let pairs: Vec<(Listed, Flow)> = list(&file).into_iter().zip(ours).collect();
        assert_eq!(pairs.len(), records, "{name}");
        let (read, not_read): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(theirs, ours)| !is_given_up(theirs, ours));
        assert_eq!(not_read.len(), given_up, "{name}");
        for (at, (theirs, ours)) in read.iter().enumerate() {
            let found = differences(theirs, ours);
            assert!(found.is_empty(), "{name}: record {}: {found:#?}", at + 1);
        }
    }
}

fn is_zstd(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|bytes| bytes.get(16) == Some(&4))
}

/// Captures with packets, spread over the corpus.
fn captures(corpus: &Path, count: usize) -> Vec<PathBuf> {
    let manifest = std::fs::read_to_string(corpus.join("captures/reference.tsv")).unwrap();
    let names: Vec<&str> = manifest.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    let files =
        names.into_iter().map(|name| corpus.join("captures").join(name)).filter(|file| file.is_file());
    let files: Vec<PathBuf> =
        files.filter(|file| file.metadata().is_ok_and(|data| data.len() < 4_000_000)).collect();
    let step = (files.len() / count).max(1);
    files.into_iter().step_by(step).take(count).collect()
}

#[test]
fn captures_written_with_every_compression_are_what_flowdump_prints() {
    let Some(corpus) = corpus_and_nfdump() else { return };
    let captures = captures(&corpus, 60);
    assert_eq!(captures.len(), 60);
    let folder = TempDir::new();
    for (at, capture) in captures.iter().enumerate() {
        let uniflow = if at % 3 == 2 { "--uniflow=true" } else { "--uniflow=false" };
        let convert = |name: &str, more: &[&str]| {
            let path = folder.path().join(format!("{at}-{name}"));
            let run = Tool::pcap2flow()
                .arg(capture)
                .args(["-o", "fat,payload", uniflow, "-w"])
                .arg(&path)
                .args(more)
                .run();
            assert!(matches!(run.code, Some(0 | 2)), "{}: {}", capture.display(), run.stderr);
            path
        };
        let ours = flows(&convert("a.flow", &[]));
        for method in ["none", "lzo", "lz4", "bz2"] {
            let file = convert(&format!("{method}.nf"), &["-z", method]);
            let about = format!("{} {method}", capture.display());
            assert_same(&file, &ours, &about);
            assert_statistics(&file, &ours, &about);
            assert_sound(&file, &about);
        }
        // nfdump 1.7.1 does not read zstd; ours does, and the TTL is in it.
        let zstd = flows(&convert("zstd.nf", &["-z", "zstd"]));
        let ttl = |flows: &[Flow]| -> Vec<_> { flows.iter().map(|flow| flow.get(Field::MinTtl)).collect() };
        assert_eq!(ttl(&zstd), ttl(&ours), "{}", capture.display());
    }
}

/// nfdump's own check finds nothing to say.
fn assert_sound(file: &Path, about: &str) {
    let text = peer("nfdump", ["-v".as_ref(), file.as_os_str()]);
    let words = text.to_lowercase();
    assert!(
        !words.contains("error") && !words.contains("corrupt") && words.contains("checking"),
        "{about}: {text}"
    );
}

/// The statistics in the file, by protocol, are the sums of the flows.
fn assert_statistics(file: &Path, ours: &[Flow], about: &str) {
    let text = peer("nfdump", ["-I".as_ref(), "-r".as_ref(), file.as_os_str()]);
    let stated = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{about}: no {name} in {text}"))
    };
    type IsOf = fn(u8) -> bool;
    let protocols: [(&str, IsOf); 5] = [
        ("", |_| true),
        ("_tcp", |protocol| protocol == 6),
        ("_udp", |protocol| protocol == 17),
        ("_icmp", |protocol| matches!(protocol, 1 | 58)),
        ("_other", |protocol| !matches!(protocol, 1 | 6 | 17 | 58)),
    ];
    for (suffix, is_of) in protocols {
        let of = || ours.iter().filter(|flow| flow.key.protocol.is_some_and(|protocol| is_of(protocol.0)));
        assert_eq!(stated(&format!("Flows{suffix}")), of().count() as u64, "{about}");
        assert_eq!(stated(&format!("Packets{suffix}")), of().map(Flow::packets).sum::<u64>(), "{about}");
        assert_eq!(stated(&format!("Bytes{suffix}")), of().map(Flow::bytes).sum::<u64>(), "{about}");
    }
}

#[test]
fn what_nfpcapd_wrote_comes_back_record_for_record() {
    let Some(corpus) = corpus_and_nfdump().filter(|_| tool_available("nfpcapd")) else { return };
    let (folder, mut records) = (TempDir::new(), 0);
    for (at, capture) in captures(&corpus, 60).iter().enumerate() {
        let theirs = folder.path().join(format!("theirs-{at}"));
        std::fs::create_dir(&theirs).unwrap();
        let compression = ["-y", "-z"][at % 2];
        let run = [capture.as_os_str(), "-w".as_ref(), theirs.as_os_str(), compression.as_ref()];
        let more = ["-o", "fat,payload", "-t", "31536000", "-r"].map(AsRef::as_ref);
        if let Err(complaint) = try_peer("nfpcapd", [&more[..], &run].concat()) {
            // Link types that it does not know.
            skipped(&format!("{}: {complaint}", capture.display()));
            continue;
        }
        for file in std::fs::read_dir(&theirs).unwrap().map(|entry| entry.unwrap().path()) {
            let copy = |name: &str, from: &Path| {
                let path = folder.path().join(format!("{at}-{name}"));
                Tool::flowdump().arg("-r").arg(from).arg("-w").arg(&path).arg("--force").run().success();
                path
            };
            let direct = copy("direct.nf", &file);
            let by_flow = copy("back.nf", &copy("between.flow", &file));
            let raw = |file: &Path| {
                let text = peer("nfdump", ["-r".as_ref(), file.as_os_str(), "-o".as_ref(), "raw".as_ref()]);
                // What it took is printed behind them.
                text.split("\nSummary:").next().unwrap_or_default().to_owned()
            };
            let expected = raw(&file);
            assert_same_text(&format!("{}, written again", capture.display()), &expected, &raw(&direct));
            assert_same_text(
                &format!("{}, through a .flow file", capture.display()),
                &expected,
                &raw(&by_flow),
            );
            records += expected.matches("Flow Record:").count();
        }
    }
    assert!(records > 1000, "{records} records");
}
