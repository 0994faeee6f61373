//! Real nfdump files: counts, and what a check of them says. Their fields are compared with nfdump's listing in the
//! end-to-end tests.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flowcore::Flow;
use flowcore::format::nfdump::{read_info, verify};

fn samples() -> Vec<PathBuf> {
    let Some(corpus) = std::env::var_os("FLOW_CORPUS") else {
        drop(writeln!(
            io::stderr(),
            "skipped: FLOW_CORPUS is not set, so that there are no real nfdump files"
        ));
        return Vec::new();
    };
    let files = std::fs::read_dir(Path::new(&corpus).join("flows")).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "nf"));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn flows(path: &Path) -> Vec<Flow> {
    let mut opened = flowcore::open(path).unwrap();
    let flows = opened.by_ref().map(Result::unwrap).collect();
    let stats = opened.stats();
    assert!(stats.problems.is_empty() && stats.bad_records == 0, "{}: {stats:?}", path.display());
    flows
}

#[test]
fn every_file_has_the_flows_that_its_maker_counted() {
    for path in samples() {
        let expected = match path.file_name().and_then(|name| name.to_str()) {
            Some("mix.nf") => 1627,
            Some("l2tun.nf") => 1445,
            Some("ext.nf") => 35,
            Some("nftest-records.nf") => 103,
            other => panic!("{other:?} is new: say here what is in it"),
        };
        assert_eq!(flows(&path).len(), expected, "{}", path.display());
    }
}

#[test]
fn what_nfdumps_programs_wrote_verifies() {
    for path in samples().iter().filter(|path| !path.ends_with("nftest-records.nf")) {
        let found = verify(File::open(path).unwrap(), "file").unwrap();
        assert!(found.is_sound(), "{}: {:?}", path.display(), found.stats.problems);
        if path.ends_with("ext.nf") {
            // Its parts are records, its whole is flows: they do not add up.
            continue;
        }
        let info = read_info(File::open(path).unwrap(), "file").unwrap();
        assert!(info.has_statistics && info.totals.rows() == found.stats.flows);
    }
}
