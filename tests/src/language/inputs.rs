//! The nfdump files that both programs are asked about: made here, and with the corpus those of many captures, of nfpcapd,
//! and of other projects.

use std::path::{Path, PathBuf};

use super::artificial;
use crate::harness::{TempDir, Tool, corpus, peer, testdata, tool_available};

/// A file to ask about.
#[derive(Debug)]
pub struct Input {
    /// What messages call it.
    pub name: &'static str,
    /// Where it is.
    pub path: PathBuf,
}

/// Makes the inputs in a folder. Without the corpus there are those of `testdata` and the artificial one.
///
/// They have no records without times or addresses: in nfdump such ones begin in 1970 and are IPv4.
pub fn make(folder: &TempDir) -> Vec<Input> {
    let made = Maker { folder, inputs: Vec::new() }.own();
    let inputs = match corpus() {
        Some(corpus) => made.of_corpus(&corpus).inputs,
        None => made.inputs,
    };
    inputs.into_iter().map(|input| whole(input, folder)).collect()
}

fn whole(input: Input, folder: &TempDir) -> Input {
    let path = folder.join(&format!("{} with times.nf", input.name));
    let filter = "first > 1970-01-02 and last > 1970-01-02 and (ipv4 or ipv6)";
    Tool::flowdump().arg("-r").arg(&input.path).arg("-w").arg(&path).args(["--", filter]).run().success();
    Input { path, ..input }
}

struct Maker<'a> {
    folder: &'a TempDir,
    inputs: Vec<Input>,
}

impl Maker<'_> {
    fn own(mut self) -> Self {
        let artificial = self.add("artificial");
        artificial::write(&artificial, 600);
        for (name, uniflow) in [("lab", "--uniflow=false"), ("lab uniflow", "--uniflow=true")] {
            convert(&testdata("lab/attack.pcap"), uniflow, &self.add(name));
        }
        self
    }

    fn of_corpus(mut self, corpus: &Path) -> Self {
        for (name, uniflow) in [("captures", "--uniflow=false"), ("captures uniflow", "--uniflow=true")] {
            let parts = CAPTURES.iter().enumerate().map(|(at, capture)| {
                let part = self.folder.join(&format!("{name}-{at}.nf"));
                convert(&corpus.join("captures").join(capture), uniflow, &part);
                part
            });
            merge(&parts.collect::<Vec<_>>(), &self.add(name));
        }
        // Written again: 1.7.1 does not read zstd and gives up on records with elements of later versions.
        for (name, file) in [("ext", "ext.nf"), ("records of nftest", "nftest-records.nf"), ("mix", "mix.nf")]
        {
            merge(&[corpus.join("flows").join(file)], &self.add(name));
        }
        if tool_available("nfpcapd") {
            self.of_nfpcapd(corpus);
        }
        self
    }

    /// What nfpcapd writes.
    fn of_nfpcapd(&mut self, corpus: &Path) {
        let (name, capture) = NFPCAPD;
        let folder = self.folder.join("of nfpcapd");
        std::fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let capture = corpus.join("captures").join(capture);
        let more = ["-o", "fat,payload", "-t", "31536000", "-r"].map(AsRef::as_ref);
        peer("nfpcapd", [&more[..], &[capture.as_os_str(), "-w".as_ref(), folder.as_os_str()]].concat());
        let files = crate::harness::files_in(&folder);
        let largest = files
            .into_iter()
            .map(|(_, path)| path)
            .max_by_key(|path| path.metadata().map_or(0, |data| data.len()));
        let path = largest.unwrap_or_else(|| panic!("nfpcapd wrote nothing"));
        self.inputs.push(Input { name, path });
    }

    fn add(&mut self, name: &'static str) -> PathBuf {
        let path = self.folder.join(&format!("{name}.nf"));
        self.inputs.push(Input { name, path: path.clone() });
        path
    }
}

fn convert(capture: &Path, uniflow: &str, to: &Path) {
    let run = Tool::pcap2flow().arg(capture).args(["-o", "fat,payload", uniflow, "-w"]).arg(to).run();
    assert!(matches!(run.code, Some(0 | 2)), "{}: {}", capture.display(), run.stderr);
}

fn merge(parts: &[PathBuf], to: &Path) {
    let read = parts.iter().flat_map(|part| ["-r".as_ref(), part.as_os_str()]);
    Tool::flowdump().args(read).arg("-w").arg(to).run().success();
}

/// TCP, UDP, ICMP, ICMPv6, IPv6, SCTP, AH, OSPF, VLAN, MPLS, tunnels of many kinds, fragments, a port scan.
const CAPTURES: &[&str] = &[
    "arkime-arkime_synthetic.pcap",
    "arkime-diameter_synthetic.pcap",
    "arkime-ipv6-in-ipv4.pcap",
    "arkime-m3ua_synthetic.pcap",
    "dpkt-nb6-http.pcap",
    "libpcap-AH-IPcomp-IPv4.pcap",
    "malcolm-OSPF.pcap",
    "ndpi-custom_categories.pcapng",
    "nfstream-android.pcap",
    "nfstream-mdns.pcap",
    "nfstream-pcaps-6in4tunnel.pcap",
    "pcapplusplus-PacketExamples-gtp.pcap",
    "suricata-bug-5437-01.pcap",
    "suricata-eve-flow-vlan-02.pcap",
    "suricata-frag-12.pcap",
    "suricata-ip_in_ip.pcap",
    "tcpdump-old-mpls-over-udp.pcap",
    "tcpreplay-test.pcap",
    "zeek-gtp_ext_header.pcap",
    "zeek-linux_dlt_sll2.pcap",
    "zeek-mpls-6in6-broken.pcap.gz",
    "zeek-ssh-ssh.pcap",
];

const NFPCAPD: (&str, &str) = ("nfpcapd", "ndpi-gnutella.pcap");
