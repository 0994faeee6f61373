//! Published AWS flow logs read as their files show: line by line counts, values checked by eye, and every value of every
//! row in `vpc_samples.txt`.
//!
//! After a wanted change, `UPDATE_GOLDEN=1 cargo test -p flowcore --test vpc_samples` writes that listing anew; the diff
//! is then reviewed.
//!
//! The samples are not part of this repository; the environment variable `FLOW_CORPUS` names the folder that holds
//! them (`samples/vpc/`). Without it the tests say that they are skipped.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flowcore::format::vpc::{VpcOptions, VpcReader, looks_like_log};
use flowcore::format::{Compression, decompress};
use flowcore::{Field, Flow, FlowBatch, FlowSource, ReadRequest, Result, SourceStats};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vpc_samples.txt");

/// What a file shows: header lines, flows, NODATA, SKIPDATA, bad lines, problems noted.
struct Sample {
    file: &'static str,
    counts: [u64; 6],
    /// Row, field and text of values.
    values: &'static [(usize, Field, &'static str)],
}

const SAMPLES: &[Sample] = &[
    Sample {
        file: "111111111111_vpcflowlogs_eu-west-2_fl-0dcbf7c4c2483c6b6_20220221T1955Z_7fe2e5f7.log.gz",
        counts: [1, 5, 0, 0, 0, 0],
        values: &[
            (0, Field::SrcAddr, "79.124.62.82"),
            (0, Field::DstPort, "39045"),
            (1, Field::Protocol, "17"),
            (1, Field::InBytes, "76"),
            (4, Field::Action, "REJECT"),
            (4, Field::First, "2022-02-21T18:54:29.000Z"),
        ],
    },
    Sample {
        file: "constructed-multi-member-default-v2.log.gz",
        counts: [1, 5, 1, 1, 0, 0],
        values: &[(0, Field::DstPort, "22"), (4, Field::SrcPort, "34892")],
    },
    Sample {
        file: "elastic-beats-default-v2.log",
        counts: [1, 5, 1, 1, 0, 0],
        values: &[
            (0, Field::Account, "123456789010"),
            (0, Field::InPackets, "20"),
            (0, Field::InBytes, "4249"),
            (1, Field::Action, "REJECT"),
            (2, Field::Protocol, "1"),
            (2, Field::SrcPort, "0"),
            (4, Field::SrcAddr, "2001:db8:1234:a100:8d6e:3477:df66:f105"),
            (4, Field::Last, "2016-10-31T11:37:00.000Z"),
        ],
    },
    Sample {
        file: "elastic-beats-ecs-v7.log",
        counts: [1, 1, 0, 0, 0, 0],
        values: &[
            (0, Field::Account, "64111117617"),
            (0, Field::InPackets, "52"),
            (0, Field::InBytes, "1"),
            (0, Field::EcsTask, "b9ad2f8a90b24f7bbce4b0341034852f"),
            (0, Field::EcsClusterArn, "arn:aws:ecs:us-east-1:123456789012:cluster/DEMOGO-ECS"),
            (0, Field::EcsContainer2, "-"),
            (0, Field::EcsService, "cats"),
        ],
    },
    Sample {
        file: "elastic-beats-nat-gateway-no-version.log",
        counts: [1, 6, 0, 0, 0, 1],
        values: &[
            (0, Field::Instance, "-"),
            (0, Field::DstAddr, "10.0.0.220"),
            (0, Field::PktDstAddr, "203.0.113.5"),
            (0, Field::First, "-"),
            (5, Field::Instance, "i-01234567890123456"),
            (5, Field::PktDstAddr, "10.0.1.5"),
        ],
    },
    Sample { file: "elastic-beats-repeated-header-skipdata-v3.log", counts: [2, 0, 1, 1, 0, 0], values: &[] },
    Sample {
        file: "elastic-beats-service-name-path-direction-v5.log",
        counts: [1, 2, 0, 0, 0, 0],
        values: &[
            (0, Field::SrcService, "S3"),
            (0, Field::TrafficPath, "-"),
            (0, Field::InFlags, "19"),
            (1, Field::TrafficPath, "8"),
            (1, Field::Direction, "egress"),
            (1, Field::Zone, "apse2-az3"),
        ],
    },
    Sample {
        file: "elastic-beats-tcp-flag-sequence-v3.log",
        counts: [1, 8, 0, 0, 0, 0],
        values: &[
            (0, Field::InFlags, "2"),
            (5, Field::InBytes, "23294588"),
            (7, Field::DstPort, "43638"),
            (7, Field::PktSrcAddr, "10.0.0.62"),
            (7, Field::InFlags, "19"),
        ],
    },
    Sample {
        file: "flowlogs-reader-v3-no-action-no-status.log",
        counts: [1, 2, 0, 0, 0, 0],
        values: &[
            (0, Field::Account, "000000000000"),
            (0, Field::Action, "-"),
            (1, Field::SrcPort, "8088"),
            (1, Field::Vpc, "vpc-0461a061"),
        ],
    },
    Sample {
        file: "flowlogs-reader-v5-bogus-line.log",
        counts: [1, 2, 0, 0, 1, 1],
        values: &[
            (0, Field::DstPort, "50318"),
            (1, Field::DstService, "S3"),
            (1, Field::TrafficPath, "7"),
            (1, Field::LogVersion, "5"),
        ],
    },
    Sample {
        file: "goaccess-cloudwatch-export-000000.gz",
        counts: [0, 4, 1, 0, 0, 0],
        values: &[(3, Field::SrcAddr, "134.119.193.57"), (3, Field::DstPort, "64133")],
    },
    Sample {
        file: "goaccess-cloudwatch-export.log",
        counts: [0, 4, 1, 0, 0, 0],
        values: &[
            (0, Field::LogVersion, "2"),
            (0, Field::Interface, "eni-d68830d4"),
            (1, Field::DstPort, "80"),
            (3, Field::First, "2018-09-22T20:28:40.000Z"),
        ],
    },
    Sample {
        file: "ocsf-security-lake-v5.csv",
        counts: [1, 1, 0, 0, 0, 0],
        values: &[
            (0, Field::Account, "123456789012"),
            (0, Field::DstPort, "39938"),
            (0, Field::InFlags, "2"),
            (0, Field::TrafficPath, "-"),
            (0, Field::Vpc, "vpc-00000000"),
            (0, Field::Last, "2022-04-12T00:03:08.000Z"),
        ],
    },
    Sample {
        file: "otel-cloudwatch-subscription.json",
        counts: [0, 2, 0, 0, 0, 0],
        values: &[
            (0, Field::DstPort, "22"),
            (0, Field::InBytes, "4249"),
            (1, Field::SrcAddr, "172.31.9.69"),
            (1, Field::Action, "REJECT"),
        ],
    },
    Sample {
        file: "otel-tgw-v6.log",
        counts: [1, 1, 0, 0, 0, 0],
        values: &[
            (0, Field::Tgw, "tgw-0abc12345def67890"),
            (0, Field::TgwPair, "tgw-attach-0def12345abc67890"),
            (0, Field::DstPort, "443"),
            (0, Field::LostNoRoute, "1"),
            (0, Field::LostTtl, "4"),
            (0, Field::Region, "us-east-1"),
        ],
    },
    Sample {
        file: "sekoia-json-rows-underscores.jsonl",
        counts: [0, 3, 0, 0, 0, 0],
        values: &[
            (0, Field::InBytes, "2610"),
            (1, Field::Action, "REJECT"),
            (2, Field::Account, "012345678901"),
            (2, Field::InBytes, "412"),
            (2, Field::InFlags, "3"),
            (2, Field::TrafficPath, "-"),
            (2, Field::Instance, "-"),
            (2, Field::Direction, "ingress"),
        ],
    },
    Sample {
        file: "vrl-transit-gateway-eni-v3.log",
        counts: [1, 4, 0, 0, 0, 0],
        values: &[
            (2, Field::SrcAddr, "10.40.1.175"),
            (2, Field::PktSrcAddr, "10.20.33.164"),
            (3, Field::InFlags, "19"),
            (3, Field::InBytes, "-"),
        ],
    },
    Sample {
        file: "vrl-v8-to-v11-fields.log",
        counts: [1, 2, 0, 0, 0, 0],
        values: &[
            (0, Field::RejectReason, "BPA"),
            (0, Field::Encryption, "1"),
            (0, Field::AsgTag2, "my-asg-2"),
            (0, Field::NextHopType, "network_load_balancer"),
            (1, Field::RejectReason, "-"),
            (1, Field::LogVersion, "11"),
        ],
    },
];

#[test]
fn every_sample_reads_as_it_shows() {
    let Some(folder) = samples() else { return };
    for sample in SAMPLES {
        let (flows, stats) = read(&folder.join(sample.file), &ReadRequest::default()).unwrap();
        let counts = [
            stats.header_lines,
            stats.flows,
            stats.nodata,
            stats.skipdata,
            stats.bad_records,
            stats.problems.total(),
        ];
        assert_eq!(counts, sample.counts, "{}: {:?}", sample.file, stats.problems.kept());
        assert_eq!(flows.len() as u64, stats.flows, "{}", sample.file);
        for &(row, field, expected) in sample.values {
            assert_eq!(flows[row].get(field).to_string(), expected, "{} row {row} {field}", sample.file);
        }
        assert!(flows.iter().all(|flow| flow.unknown.is_empty()), "{}: all columns are known", sample.file);
    }
}

#[test]
fn every_value_of_every_row_is_as_listed() {
    let Some(folder) = samples() else { return };
    let list = |sample: &Sample| format!("# {}\n{}", sample.file, listing(&folder.join(sample.file)));
    let actual = SAMPLES.iter().map(list).collect::<Vec<_>>().join("\n");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &actual).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    for (expected, actual) in golden.lines().zip(actual.lines()) {
        assert_eq!(expected, actual);
    }
    assert_eq!(golden.len(), actual.len());
}

#[test]
fn every_aws_sample_is_in_the_table() {
    let Some(folder) = samples() else { return };
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let is_listed = SAMPLES.iter().any(|sample| path.ends_with(sample.file));
        assert_eq!(looks_like_log(&text(&path)), is_listed, "{}", path.display());
    }
}

#[test]
fn other_text_is_refused() {
    let Some(folder) = samples() else { return };
    let path = folder.join("elastic-beats-bad.log");
    let error = read(&path, &ReadRequest::default()).unwrap_err().to_string();
    assert!(error.contains("line 1: no header line and 4 columns; name them with --vpc-fields"), "{error}");
}

fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("FLOW_CORPUS").map(|corpus| Path::new(&corpus).join("samples/vpc"));
    if folder.is_none() {
        #[expect(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
        {
            eprintln!("skipped: FLOW_CORPUS does not name a folder of samples");
        }
    }
    folder
}

fn text(path: &Path) -> Vec<u8> {
    let mut head = [0; 4];
    let read = File::open(path).unwrap().read(&mut head).unwrap();
    let input = Box::new(File::open(path).unwrap());
    let mut text = Vec::new();
    decompress(input, Compression::detect(&head[..read])).unwrap().read_to_end(&mut text).unwrap();
    text
}

/// The rows of a file, each with the AWS names of its values, our own where the path says them; NODATA and SKIPDATA rows too.
fn listing(path: &Path) -> String {
    let request = ReadRequest { status_rows: true, ..ReadRequest::default() };
    let (flows, _) = read(path, &request).unwrap();
    let mut text = String::new();
    for (row, flow) in flows.iter().enumerate() {
        text += &format!("row {row}:");
        for field in Field::all().filter(|field| !field.is_derived() && !flow.get(*field).is_absent()) {
            let names = [field.info().aws, field.name()];
            let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
            text += &format!(" {name}={}", flow.get(field));
        }
        text += "\n";
    }
    text
}

fn read(path: &Path, request: &ReadRequest) -> Result<(Vec<Flow>, SourceStats)> {
    let input = Box::new(std::io::Cursor::new(text(path)));
    let mut reader = VpcReader::open(input, &path.display().to_string(), request, &VpcOptions::default())?;
    let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
    while reader.read_batch(&mut batch)? {
        flows.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    Ok((flows, reader.stats()))
}
