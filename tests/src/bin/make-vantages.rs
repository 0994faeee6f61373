//! Writes what a host's interface log and a capture on the host, whose clock is 37 s ahead, have of a folder of VPC flow logs:
//!
//!     make-vantages FOLDER HOST OUT
//!
//! writes `OUT/host.log` and `OUT/host.pcap`. See [`flow_tests::vantage`].

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use flow_tests::harness::files_in;
use flow_tests::vantage::{Options, Vantages};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, host, out] = words.as_slice() else { return Err("make-vantages FOLDER HOST OUT".into()) };
    let mut text = String::new();
    for (_, file) in files_in(Path::new(folder)) {
        MultiGzDecoder::new(File::open(file)?).read_to_string(&mut text)?;
    }
    let made = Vantages::of(text.lines(), host.parse()?, Options { ahead: 37, gateway: None });
    fs::create_dir_all(out)?;
    fs::write(Path::new(out).join("host.pcap"), made.capture)?;
    fs::write(Path::new(out).join("host.log"), made.log)?;
    Ok(())
}
