//! LZO both ways against nfdump's tools: what nfpcapd compressed is read, and nfdump reads what is compressed here.

use std::path::Path;

use flow_tests::capture::Layout;
use flow_tests::harness::{TempDir, peer, tool_available};
use flow_tests::lab::Lab;
use flowcore::format::nfdump::lzo;

const HEADER: usize = 40;
const BLOCK_HEADER: usize = 12;

#[test]
fn blocks_of_nfpcapd_are_read_and_nfdump_reads_ours() {
    if !tool_available("nfpcapd") || !tool_available("nfdump") {
        return;
    }
    let folder = TempDir::new();
    let capture = folder.file("whole.pcap", Layout::default().pcap(&Lab::make().frames));
    let flows = folder.join("flows");
    std::fs::create_dir(&flows).unwrap();
    let arguments = ["-r".as_ref(), capture.as_os_str(), "-w".as_ref(), flows.as_os_str()];
    peer("nfpcapd", arguments.into_iter().chain(["-z", "-o", "fat,payload"].map(AsRef::as_ref)));
    let mut repacked = 0;
    for (name, path) in flow_tests::harness::files_in(&flows) {
        let file = std::fs::read(&path).unwrap();
        let ours = folder.file(&format!("ours-{name}"), repack(&file, &mut repacked));
        let (theirs, ours) = (listing(&path), listing(&ours));
        assert!(theirs.lines().count() > 5, "{theirs}");
        assert_eq!(ours, theirs, "{name}");
    }
    assert!(repacked > 1, "{repacked} blocks");
}

/// The same file with each block decompressed and compressed again.
fn repack(file: &[u8], repacked: &mut usize) -> Vec<u8> {
    assert_eq!(file[16], 1, "the file is compressed by LZO");
    let appendix = u64::from_le_bytes(file[24..32].try_into().unwrap());
    let (mut out, mut at) = (file[..HEADER].to_vec(), HEADER);
    while at < file.len() {
        if at as u64 == appendix {
            let moved = out.len() as u64;
            out[24..32].copy_from_slice(&moved.to_le_bytes());
        }
        let header = &file[at..at + BLOCK_HEADER];
        let size = u32::from_le_bytes(header[4..8].try_into().unwrap()) as usize;
        at += BLOCK_HEADER;
        let stream = again(&file[at..at + size]);
        out.extend_from_slice(&header[..4]);
        out.extend_from_slice(&u32::try_from(stream.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&header[8..]);
        out.extend(stream);
        at += size;
        *repacked += 1;
    }
    out
}

fn again(stream: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 5 << 20];
    let len = lzo::decompress(stream, &mut block).unwrap();
    let mut out = Vec::new();
    lzo::compress(&block[..len], &mut out);
    out
}

/// Every record with every field, then the totals of the file.
fn listing(file: &Path) -> String {
    let read = |options: &[&str]| {
        let file = ["-r".as_ref(), file.as_os_str()];
        peer("nfdump", file.into_iter().chain(options.iter().map(AsRef::as_ref)))
    };
    read(&["-q", "-o", "json"]) + &read(&["-I"])
}
