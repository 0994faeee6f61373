//! The report as text for a terminal: a section for each source, tables whose columns are as wide as their values.

use std::io::{self, Write};

use flowcore::analysis::{Hop, Link, Period, Service};

use super::source::{PAUSE, Source};
use super::words::{name, shell_word, table, time, told};
use crate::args::Case;
use crate::print::{print_account, terminal_lines};

/// The heading.
pub(super) fn head(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Investigation of {} (times are UTC)", case.subject)
}

/// What one source says.
pub(super) fn source(case: &Case, source: &Source, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n== {} ==\n", terminal_lines(&source.input.display().to_string()))?;
    window(source, out)?;
    counts(source, out)?;
    if source.rows.records() > 0 {
        periods(&source.periods, out)?;
        services(source, out)?;
        contacts(&source.reached, out)?;
        chain(&source.hops, out)?;
    }
    writeln!(out, "\nWhat was read")?;
    let mut account = Vec::new();
    print_account(&source.stats, &mut account)?;
    String::from_utf8_lossy(&account).lines().try_for_each(|line| writeln!(out, "  {line}"))?;
    commands(case, source, out)
}

fn window(source: &Source, out: &mut dyn Write) -> io::Result<()> {
    let (counters, start) = (source.rows.counters(), source.rows.last_start());
    let (Some(first), Some(start)) = (counters.first(), start) else {
        return writeln!(out, "Window        no record of it");
    };
    let last = counters.last().unwrap_or(start);
    let (first, start, last) = (time(first), time(start), time(last));
    writeln!(out, "Window        {first} to {start}, the start of the last record; the last end is {last}")
}

fn counts(source: &Source, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "Counts        {} records, {} connections ({}); {} packets, {} bytes, both ways, each counted once",
        source.rows.records(),
        source.connections,
        told(source.outcomes),
        source.traffic.packets,
        source.traffic.bytes
    )
}

/// The periods of activity, with the pauses between them.
fn periods(periods: &[Period], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nActive, with pauses of more than {} minutes between", PAUSE / 60)?;
    let rows = periods.iter().map(|one| {
        vec![time(one.first), "to".to_owned(), time(one.last), format!("{} connections", one.connections)]
    });
    table(&[], rows, out)
}

fn services(source: &Source, out: &mut dyn Write) -> io::Result<()> {
    let title = "Services: all connections are in one of these, there is no other service";
    writeln!(out, "\n{title}")?;
    let head = [
        "service",
        "subject is",
        "peers",
        ">connections",
        "outcome",
        ">bytes to it",
        ">bytes from it",
        "first",
        "last",
    ];
    table(&head, source.services.iter().map(service), out)
}

fn service(one: &Service) -> Vec<String> {
    let peers = match one.peers.first() {
        Some(peer) if one.peers.len() == 1 => peer.to_string(),
        _ => format!("{} hosts", one.peers.len()),
    };
    vec![
        name(one.protocol, one.port),
        one.role.name().to_owned(),
        peers,
        one.connections.to_string(),
        told(one.outcomes),
        one.forward.bytes.to_string(),
        one.reverse.bytes.to_string(),
        time(one.first),
        time(one.last),
    ]
}

/// Hosts and services that answered, with the largest connection to each.
fn contacts(reached: &[Link], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nReached: services that answered it, and the largest connection to each")?;
    if reached.is_empty() {
        return writeln!(out, "  none");
    }
    let head =
        ["host", "service", ">connections", "first", "largest begins", "ends", ">bytes to host", ">back"];
    let row = |link: &Link| {
        let largest = &link.largest;
        vec![
            link.to.to_string(),
            name(link.protocol, link.port),
            link.connections.to_string(),
            time(link.first),
            time(largest.first),
            time(largest.last),
            largest.forward.bytes.to_string(),
            largest.reverse.bytes.to_string(),
        ]
    };
    table(&head, reached.iter().take(MOST).map(row), out)?;
    more(reached.len(), out)
}

/// The chain of hops.
fn chain(hops: &[Hop], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\nSecond hops: what hosts it reached began afterwards, and had not done before, over administration ports"
    )?;
    if hops.is_empty() {
        return writeln!(out, "  none");
    }
    let head = [
        ">step",
        "first",
        "last",
        "from",
        "to",
        "service",
        ">connections",
        ">bytes to it",
        ">bytes back",
        "reached",
    ];
    let row = |hop: &Hop| {
        let link = &hop.link;
        vec![
            hop.depth.to_string(),
            time(link.first),
            time(link.last),
            link.from.to_string(),
            link.to.to_string(),
            name(link.protocol, link.port),
            link.connections.to_string(),
            link.forward.bytes.to_string(),
            link.reverse.bytes.to_string(),
            time(hop.contact),
        ]
    };
    table(&head, hops.iter().take(MOST).map(row), out)?;
    more(hops.len(), out)
}

/// Rows of a table that are shown.
const MOST: usize = 50;

fn more(total: usize, out: &mut dyn Write) -> io::Result<()> {
    match total.saturating_sub(MOST) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

/// Commands that give these numbers.
fn commands(case: &Case, source: &Source, out: &mut dyn Write) -> io::Result<()> {
    let input = terminal_lines(&shell_word(&source.input.display().to_string()));
    let filter = shell_word(&case.filter.to_string());
    writeln!(out, "\nTo look closer")?;
    writeln!(out, "  flowdump {input} {filter}")?;
    writeln!(out, "  flowdump {input} --stitch --dedup -O tstart {filter}")?;
    for hop in source.hops.iter().take(3) {
        let Some(port) = hop.link.port else { continue };
        let pair = format!("ip {} and ip {} and port {port}", hop.link.from, hop.link.to);
        writeln!(out, "  flowdump {input} --stitch --dedup -O tstart {}", shell_word(&pair))?;
    }
    Ok(())
}
