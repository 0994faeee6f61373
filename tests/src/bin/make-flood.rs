//! Writes a capture of any size to standard output, to be piped into `pcap2flow -`:
//! `make-flood KIND PACKETS STEP_NANOSECONDS [FLOWS]`; see [`flow_tests::flood`] for the kinds.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use flow_tests::flood::Flood;

const USAGE: &str = "usage: make-flood KIND PACKETS STEP_NANOSECONDS [FLOWS]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let written = flood(&arguments).and_then(|flood| write(flood).map_err(|error| error.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        #[allow(clippy::print_stderr, reason = "a program says why it fails")]
        Err(error) => {
            eprintln!("make-flood: {error}");
            ExitCode::from(2)
        }
    }
}

fn flood(arguments: &[String]) -> Result<Flood, String> {
    let [kind, packets, step, rest @ ..] = arguments else { return Err(USAGE.into()) };
    let number = |text: &String| text.parse::<u64>().map_err(|error| format!("{text}: {error}; {USAGE}"));
    let flows = rest.first().map_or(Ok(1), number)?.max(1);
    Ok(Flood { kind: kind.parse()?, packets: number(packets)?, step: number(step)?, flows })
}

fn write(flood: Flood) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    flood.write(&mut out)?;
    out.flush()
}
