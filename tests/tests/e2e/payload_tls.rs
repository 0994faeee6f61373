//! TLS hellos in captures of the corpus: what we read of them is what tshark reads.

use std::path::Path;

use flow_tests::harness::{self, TempDir, Tool};
use flowcore::payload::tls::{ClientHello, Hello};
use flowcore::{Field, payload_bytes};

/// Ports from and to, the JA3 or JA3S, the server's name, and JA4 before hashing.
type Seen = (String, String, String, String, String);

const CAPTURES: [&str; 8] = [
    "arkime-arkime_synthetic.pcap",
    "ipfixprobe-inputs-tls.pcap",
    "joy-firefox58.pcap",
    "ndpi-dns2tcp_tunnel.pcap",
    "ndpi-pcap-1kxun.pcap",
    "nfstream-android.pcap",
    "retina-tls_ciphers.pcap",
    "zeek-handshake.pcap",
];

#[test]
fn hellos_are_what_tshark_reads() {
    let Some(corpus) = harness::corpus() else { return };
    if !harness::tool_available("tshark") {
        return;
    }
    let (mut clients, mut servers) = (0, 0);
    for name in CAPTURES {
        let capture = corpus.join("captures").join(name);
        let (known, at_once) = tsharks(&capture);
        for hello in ours(&capture) {
            assert!(known.contains(&hello), "{name}: tshark does not know {hello:?} but {known:#?}");
            *(if hello.4.is_empty() { &mut servers } else { &mut clients }) += 1;
        }
        let found = ours(&capture);
        for hello in at_once {
            assert!(found.contains(&hello), "{name}: only tshark knows {hello:?}");
        }
    }
    assert!(clients > 80 && servers > 50, "{clients} clients, {servers} servers");
}

/// Every hello with a fingerprint at the start of what one side of a flow says.
fn ours(capture: &Path) -> Vec<Seen> {
    let folder = TempDir::new();
    let file = folder.join("a.flow");
    Tool::pcap2flow().arg("-r").arg(capture).args(["-o", "payload", "-w"]).arg(&file).run();
    let mut all = Vec::new();
    for flow in flowcore::open(&file).unwrap() {
        let flow = flow.unwrap();
        let ports =
            [Field::SrcPort, Field::DstPort].map(|field| flow.get(field).number().unwrap_or(0).to_string());
        for (field, [from, to]) in
            [(Field::InPayload, ports.clone()), (Field::OutPayload, [ports[1].clone(), ports[0].clone()])]
        {
            let payload = flow.get(field).text().map(payload_bytes).unwrap_or_default();
            let Some(hello) =
                Hello::find(&payload).filter(|_| flow.key.protocol == Some(flowcore::Protocol::TCP))
            else {
                continue;
            };
            let Some(ja3) = hello.ja3() else { continue };
            let client = |part: fn(&ClientHello) -> Option<String>| match &hello {
                Hello::Client(client) => part(client).unwrap_or_default(),
                Hello::Server(_) => String::new(),
            };
            let server = client(|hello| hello.sni().map(str::to_owned));
            all.push((from, to, ja3, server, client(ClientHello::ja4_raw)));
        }
    }
    all
}

/// Every hello over TCP, and those of clients that are whole in the first packet that says something.
fn tsharks(capture: &Path) -> (Vec<Seen>, Vec<Seen>) {
    let table = |filter: &str, fields: &[&str]| {
        let mut arguments =
            vec!["-r", capture.to_str().unwrap(), "-Y", filter, "-T", "fields", "-E", "occurrence=a"];
        fields.iter().for_each(|field| arguments.extend(["-e", *field]));
        let text = harness::peer("tshark", arguments);
        let row = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<String>>();
        text.lines().map(row).collect::<Vec<_>>()
    };
    let side = ["tcp.stream", "tcp.srcport", "tcp.dstport", "frame.number"];
    let first_words = table("tcp.len > 0", &side);
    let is_first = |row: &[String]| {
        first_words.iter().find(|first| first[..3] == row[..3]).is_some_and(|first| first[3] == row[3])
    };
    let fields = [
        &side[..],
        &["tls.handshake.ja3", "tls.handshake.ja3s", "tls.handshake.extensions_server_name"],
        &[
            "tls.handshake.ja3_full",
            "tls.handshake.extensions.supported_version",
            "tls.handshake.sig_hash_alg",
        ],
        &["tls.handshake.extensions_alpn_str"],
    ]
    .concat();
    let (mut all, mut at_once) = (Vec::new(), Vec::new());
    for row in table("tcp && tls.handshake.type in {1, 2}", &fields) {
        let client = !row[4].is_empty();
        let seen = (
            row[1].clone(),
            row[2].clone(),
            row[if client { 4 } else { 5 }].clone(),
            row[6].clone(),
            if client { ja4_raw(&row[6..]) } else { String::new() },
        );
        if client && is_first(&row) {
            at_once.push(seen.clone());
        }
        all.push(seen);
    }
    (all, at_once)
}

/// JA4 before hashing, from server name, JA3 before hashing, versions, signature algorithms and protocols.
fn ja4_raw(fields: &[String]) -> String {
    let lists: Vec<Vec<u16>> = fields[1]
        .split(',')
        .map(|list| list.split('-').filter_map(|number| number.parse().ok()).collect())
        .collect();
    let hex = |list: &str| -> Vec<u16> {
        let numbers =
            list.split(',').filter_map(|number| u16::from_str_radix(number.strip_prefix("0x")?, 16).ok());
        numbers.filter(|number| number & 0x0f0f != 0x0a0a).collect()
    };
    let text = |list: &[u16]| list.iter().map(|number| format!("{number:04x}")).collect::<Vec<_>>().join(",");
    let version = match hex(&fields[2]).into_iter().max().unwrap_or(lists[0][0]) {
        0x0300 => "s3".to_owned(),
        version @ 0x0301..=0x0304 => format!("1{}", version - 0x0301),
        _ => "00".to_owned(),
    };
    let protocol = fields[4].split(',').next().filter(|name| !name.is_empty()).unwrap_or("00");
    let ends = format!("{}{}", &protocol[..1], &protocol[protocol.len() - 1..]);
    let (mut ciphers, mut extensions) = (lists[1].clone(), lists[2].clone());
    let counts = format!("{:02}{:02}", ciphers.len().min(99), extensions.len().min(99));
    let server = if extensions.contains(&0) { 'd' } else { 'i' };
    ciphers.sort_unstable();
    extensions.sort_unstable();
    extensions.retain(|number| ![0, 16].contains(number));
    let algorithms = hex(&fields[3]);
    let last = if algorithms.is_empty() { String::new() } else { format!("_{}", text(&algorithms)) };
    format!("t{version}{server}{counts}{ends}_{}_{}{last}", text(&ciphers), text(&extensions))
}
