//! The comfortable way: open anything, filter, look at one flow after the other.
//!
//! `cargo run --example matching_flows -- testdata/lab/logs 'dst port 8889 and bytes > 100k'`

use flowcore::{Filter, Result};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let input = args.next().unwrap_or_else(|| "testdata/lab/logs".into());
    let filter = Filter::parse(&args.next().unwrap_or_default())?;
    let mut out = String::new();
    for flow in flowcore::open(&input)?.filtered(&filter) {
        let flow = flow?;
        out += &format!("{} -> {} {} bytes\n", flow.key.src, flow.key.dst, flow.bytes());
    }
    std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes())?;
    Ok(())
}
