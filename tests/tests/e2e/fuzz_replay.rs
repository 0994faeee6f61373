//! The fuzz targets' bodies over seeds, damaged seeds, and everything fuzzing ever found.

use std::io::Read;
use std::path::PathBuf;

use flow_tests::{fuzz, harness};

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 15] = [
    ("pcap", fuzz::pcap),
    ("pcapng", fuzz::pcapng),
    ("packet", fuzz::packet),
    ("flow_file", fuzz::flow_file),
    ("nfdump_file", fuzz::nfdump_file),
    ("nfdump_round_trip", fuzz::nfdump_round_trip),
    ("vpc_text", fuzz::vpc_text),
    ("filter", fuzz::filter),
    ("template", fuzz::template),
    ("payload", fuzz::payload),
    ("lzo", fuzz::lzo),
    ("gcp", fuzz::gcp),
    ("azure", fuzz::azure),
    ("vpc_json", fuzz::vpc_json),
    ("parquet", fuzz::parquet),
];

fn crashers() -> PathBuf {
    harness::testdata("crashers")
}

#[test]
fn what_was_found_stays_fixed() {
    for (name, body) in TARGETS {
        let folder = crashers().join(name);
        let Ok(entries) = folder.read_dir() else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let data = std::fs::read(&path).unwrap();
            assert!(
                std::panic::catch_unwind(|| body(&data)).is_ok(),
                "{} fails again: cargo +nightly fuzz run {name} {}",
                path.display(),
                path.display()
            );
        }
    }
}

/// Every folder of crashers belongs to a target, so none is silently left out.
#[test]
fn every_crasher_has_its_target() {
    for entry in crashers().read_dir().into_iter().flatten() {
        let name = entry.unwrap().file_name();
        assert!(TARGETS.iter().any(|(target, _)| name == *target), "no target for {}", name.display());
    }
}

#[test]
fn captures_hold_when_bytes_are_damaged() {
    let capture = std::fs::read(harness::testdata("lab/attack.pcap")).unwrap();
    damaged(&capture[..20_000], fuzz::capture);
    let frame = [&[0, 1, 0, 80], &capture[40..120]].concat();
    damaged(&frame, fuzz::packet);
}

#[test]
fn logs_hold_when_bytes_are_damaged() {
    let (_, file) = harness::files_in(&harness::testdata("lab/logs")).remove(0);
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap()).read_to_end(&mut text).unwrap();
    text.truncate(2000);
    damaged(&text, fuzz::vpc_text);
}

#[test]
fn json_and_csv_logs_hold_when_bytes_are_damaged() {
    let record = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 41000 443 6 20 4249 1418530010 1418530070 ACCEPT OK";
    for text in [
        format!("{{\"message\":\"{record}\"}}{{\"message\":\"10.0.0.1 7\\n\"}}"),
        format!("{{\"x\":1,\"logEvents\":[{{\"id\":\"1\",\"message\":\"{record}\"}}],\"y\":[]}}"),
        format!("[[{{\"field\":\"@message\",\"value\":\"{record}\"}}]]"),
        "{\"srcaddr\":\"10.0.0.1\",\"bytes\":412.0,\"tag\":{\"a\":null},\"start\":\"2023-09-28T00:00:00Z\"}\n{\"dstPort\":1}".into(),
        format!("timestamp,message\n1,\"{record}\"\n"),
        "srcaddr,new,log_status,@timestamp\r\n10.0.0.1,\"a \"\"b\"\"\",OK,2023-09-28 00:00:00\r\n,,NODATA,\n".into(),
        // Two lines of base64 of gzip of an event each.
        "H4sIAAAAAAAC/6tWyk0tLk5MT1WyUjI00ANBQwVzpVoAYVp/IxgAAAA=\nH4sIAAAAAAAC/6tWyslPdy1LzSspVrKKrlbKTS0uTkxPVbJSMjTQA0EjBQul2thaAEkDfhooAAAA".into(),
    ] {
        damaged_in(150, text.as_bytes(), fuzz::vpc_json);
    }
}

#[test]
fn parquet_files_hold_when_bytes_are_damaged() {
    for (name, path) in harness::files_in(&harness::testdata("parquet")) {
        if name.ends_with(".parquet") {
            damaged_in(120, &std::fs::read(path).unwrap(), fuzz::parquet);
        }
    }
}

#[test]
fn nfdump_files_hold_when_bytes_are_damaged() {
    let folder = harness::TempDir::new();
    for method in ["none", "lzo", "lz4", "bz2", "zstd"] {
        let file = folder.join("a.nf");
        let mut convert = harness::Tool::pcap2flow()
            .arg(harness::testdata("lab/attack.pcap"))
            .args(["-o", "fat", "--force"]);
        convert = convert.args(["-F", "port 8889", "-z", method, "-w"]).arg(&file);
        convert.run().success();
        let bytes = [&[0][..], &std::fs::read(&file).unwrap()].concat();
        // Every body opens the file a dozen times, each with threads of its own.
        damaged_in(30, &bytes, fuzz::nfdump_file);
        if method == "none" {
            // The records of the first block.
            let size = u32::from_le_bytes(bytes[45..49].try_into().unwrap()) as usize;
            damaged_in(60, &[&[2][..], &bytes[53..53 + size]].concat(), fuzz::nfdump_file);
        }
    }
    let flow =
        [&[4, 4, 10, 0, 0, 1][..], &[5, 0x84, 1, 2, 3, 4, 11, 3, 9, 9, 9, 0], &[3, 1, 6, 7, 2, 1, 187, 0]];
    damaged(&flow.concat(), fuzz::nfdump_round_trip);
}

#[test]
fn filters_hold_when_letters_are_damaged() {
    for text in [
        "src ip in [10.0.0.0/8 2001:db8::/32] and not (dst port 80-90 or flags S)",
        "duration > 1.5m and first seen >= 2023-09-28T17:22:35Z && action != \"REJECT\"",
    ] {
        damaged(text.as_bytes(), fuzz::filter);
        damaged(&[text.as_bytes(), b"\xff", &RECORD.repeat(4)].concat(), fuzz::filter);
    }
}

/// Some fields and values of a record.
const RECORD: &[u8] = b"\x02\x06\x00\x00\x05\x35\x00\x00\x03\x0a\x00\x00\x0b\xff\xff\xff\x40GET";

#[test]
fn templates_hold_when_letters_are_damaged() {
    for text in ["\x00%ts %{tunid}|%sap -> %dap%%%n%mpls", "\x07%ts,%{inbytes} , %{in_payload},%flg", "\x0d%"]
    {
        damaged(text.as_bytes(), fuzz::template);
        damaged(&[text.as_bytes(), b"\xff", RECORD].concat(), fuzz::template);
    }
}

#[test]
fn payloads_hold_when_bytes_are_damaged() {
    let extensions = b"\x00\x21\x00\x00\x00\x08\x00\x06\x00\x00\x03a.b\x00\x0a\x00\x04\x00\x02\x00\x1d\x00\x10\x00\x05\x00\x03\x02h2\x0a\x0a\x00\x00";
    let client = [b"\x03\x03", &[7; 32][..], b"\x00\x00\x04\x13\x01\x0a\x0a\x01\x00", extensions].concat();
    let server = [b"\x03\x03", &[7; 32][..], b"\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04"].concat();
    for (kind, body) in [(1, client), (2, server)] {
        let len = u8::try_from(body.len()).unwrap();
        let hello = [&[22, 3, 1, 0, len + 4, kind, 0, 0, len][..], &body].concat();
        assert!(flowcore::payload::tls::Hello::find(&hello).is_some_and(|hello| hello.ja3().is_some()));
        damaged(&hello, fuzz::payload);
    }
    let answer = b"\x00\x01\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00\x03www\x01a\x00\x00\x01\x00\x01\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01b\xc0\x10\xc0\x23\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xcb\x00\x71\x05";
    assert!(
        flowcore::payload::dns::Message::find(answer).is_some_and(|message| message.addrs().count() == 1)
    );
    damaged(answer, fuzz::payload);
    damaged(&[&[0, answer.len() as u8][..], answer].concat(), fuzz::payload);
}

#[test]
fn cloud_logs_hold_when_bytes_are_damaged() {
    let folder = harness::testdata("cloud");
    damaged(&std::fs::read(folder.join("gcp.jsonl")).unwrap(), fuzz::gcp);
    for name in ["azure-nsg.json", "azure-vnet.json", "azure-flat.jsonl"] {
        damaged(&std::fs::read(folder.join(name)).unwrap(), fuzz::azure);
    }
}

#[test]
fn lzo_data_holds_when_bytes_are_damaged() {
    let text = std::fs::read(harness::testdata("lab/attack.pcap")).unwrap();
    let mut stream = Vec::new();
    flowcore::format::nfdump::lzo::compress(&text[..2000], &mut stream);
    damaged(&stream, fuzz::lzo);
}

/// Runs the body over the data, and over it with single bytes changed, cut and doubled.
fn damaged(data: &[u8], body: fn(&[u8])) {
    damaged_in(400, data, body);
}

/// The same, with changes in about so many places.
fn damaged_in(places: usize, data: &[u8], body: fn(&[u8])) {
    body(data);
    let step = (data.len() / places).max(1);
    for at in (0..data.len()).step_by(step) {
        for change in [0x00, 0x01, 0x20, 0x80, 0xff] {
            let mut changed = data.to_vec();
            changed[at] ^= change;
            body(&changed);
        }
        body(&data[..at]);
        body(&[&data[..at], &data[at.saturating_sub(3)..]].concat());
    }
}
