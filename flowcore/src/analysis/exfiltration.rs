//! Data that left: far more bytes out of the own network than into it, between two hosts.
//!
//! What is judged together is an internal host, a host outside, the service and who began: eight uploads of a part each
//! are one. A host inside that connects to the outside and sends is an **upload**; one outside that connects to a
//! service inside and gets is a **pull**. Services that are there to be asked are judged by their other peers too.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::crossing::{Crossing, Others};
use super::finding::{Group, Said};
use super::{Connection, Detector, Finding, Hosts, Part, service_name};
use crate::record::{Addr, NANOS_PER_SEC, Protocol};

/// When bytes that left are too many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExfiltrationOptions {
    /// Bytes of an upload within [`window`](Self::window) over a service with a registered name. 20 MB: above what a
    /// form with pictures or a push of sources sends, below an archive of documents.
    pub upload_bytes: u64,
    /// Bytes of an upload over a service without a registered name. 1 MB: little that is ordinary goes there.
    pub unnamed_bytes: u64,
    /// Bytes of a pull, where nothing is known of other peers. 50 MB: a page of today has 2 to 3 MB, so that it is the
    /// visit of twenty pages, none of them from a cache.
    pub pull_bytes: u64,
    /// Bytes out for each byte in. 5: a call has 1 to 3, an upload over TCP more than 20.
    pub min_ratio: f64,
    /// Times the bytes of an ordinary peer of the same service, which is at their third quartile. 8: visitors differ
    /// by as much among each other.
    pub times_ordinary: f64,
    /// Other peers that tell what is ordinary. 5: fewer than that say nothing of the rest.
    pub min_peers: usize,
    /// Bytes of a connection to a mail service that are a letter with attachments and do not count. 50 MB: servers
    /// accept 25 to 50 MB.
    pub mail_bytes: u64,
    /// Seconds in which the bytes have to leave. 86400, a day: over months any peer comes to megabytes.
    pub window: u32,
}

impl Default for ExfiltrationOptions {
    fn default() -> Self {
        Self {
            upload_bytes: 20_000_000,
            unnamed_bytes: 1_000_000,
            pull_bytes: 50_000_000,
            min_ratio: 5.0,
            times_ordinary: 8.0,
            min_peers: 5,
            mail_bytes: 50_000_000,
            window: 86_400,
        }
    }
}

/// SMTP, message submission with and without TLS from the start.
const MAIL_PORTS: [u16; 3] = [25, 465, 587];

/// Transfers out of the `internal` hosts that nothing of the like came back for, most bytes first. Connections from and
/// to `allowed` hosts are left out: those that get backups, for one.
///
/// ```
/// use flowcore::analysis::{Connection, ExfiltrationOptions, Hosts, exfiltration};
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// batch.set_addr(Field::SrcAddr, "10.0.0.5".parse()?);
/// batch.set_addr(Field::DstAddr, "20.1.2.3".parse()?);
/// for (field, number) in [(Field::Protocol, 6), (Field::DstPort, 8889), (Field::InBytes, 265_183_813)] {
///     batch.set_number(field, number);
/// }
/// batch.end_row();
/// let (internal, allowed) = (Hosts::internal(), Hosts::new([]));
/// let found =
///     exfiltration(&[Connection::of(&batch, 0)], &ExfiltrationOptions::default(), &internal, &allowed);
/// assert_eq!(found[0].criteria.to_string(), "src ip 10.0.0.5 and dst ip 20.1.2.3 and proto 6 and dst port 8889");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn exfiltration(
    connections: &[Connection],
    options: &ExfiltrationOptions,
    internal: &Hosts,
    allowed: &Hosts,
) -> Vec<Finding> {
    let groups = Crossing::groups(connections, [internal, allowed], |one| is_transfer(one, options));
    let amounts: BTreeMap<Crossing, Amount> = groups
        .iter()
        .map(|(crossing, group)| (*crossing, Amount::of(crossing, group, options.window)))
        .collect();
    let others = Others::of(amounts.iter().map(|(crossing, amount)| (service(crossing), amount.most)));
    let mut found: Vec<(u64, Finding)> = Vec::new();
    for (crossing, group) in &groups {
        let amount = amounts[crossing];
        let usual = others.quartile(&service(crossing), amount.most, 3, options.min_peers);
        if amount.is_too_much(crossing, usual, options) {
            let said = said(crossing, group, amount, usual);
            found.extend(group.finding(Detector::Exfiltration, said).map(|one| (amount.out, one)));
        }
    }
    found.sort_by_key(|(out, _)| Reverse(*out));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Whether a connection can have carried data away: TCP needs an answer for it, and letters are none.
fn is_transfer(one: &Connection, options: &ExfiltrationOptions) -> bool {
    let is_mail = one.protocol == Some(Protocol::TCP)
        && one.dst_port.is_some_and(|port| MAIL_PORTS.contains(&port))
        && one.bytes() <= options.mail_bytes;
    !is_mail && (one.was_answered() || one.protocol != Some(Protocol::TCP))
}

/// Bytes of a group.
#[derive(Debug, Clone, Copy)]
struct Amount {
    out: u64,
    back: u64,
    /// Out, in the window that has the most.
    most: u64,
}

impl Amount {
    fn of(crossing: &Crossing, group: &Group<'_>, window: u32) -> Self {
        let mut sorted: Vec<_> =
            group.connections.iter().map(|one| (one.last, crossing.out_and_in(one))).collect();
        sorted.sort_unstable();
        let (mut total, mut back, mut sum, mut start) = (0_u64, 0_u64, 0_u128, 0);
        let (mut most, window) = (0, i64::from(window) * NANOS_PER_SEC);
        for (last, (out, into)) in &sorted {
            total = total.saturating_add(out.bytes);
            back = back.saturating_add(into.bytes);
            sum += u128::from(out.bytes);
            while let Some(early) = sorted.get(start).filter(|early| last.since(early.0) > window) {
                sum -= u128::from(early.1.0.bytes);
                start += 1;
            }
            most = most.max(sum);
        }
        Self { out: total, back, most: u64::try_from(most).unwrap_or(u64::MAX) }
    }

    fn ratio(self) -> f64 {
        self.out as f64 / self.back.max(1) as f64
    }

    fn is_too_much(self, crossing: &Crossing, usual: Option<u64>, options: &ExfiltrationOptions) -> bool {
        let is_named = crossing.port.is_some_and(|port| service_name(crossing.protocol, port).is_some());
        let least = match (crossing.from_inside, is_named) {
            (false, _) => options.pull_bytes,
            (true, true) => options.upload_bytes,
            (true, false) => options.unnamed_bytes,
        };
        let is_ordinary =
            usual.is_some_and(|usual| (self.most as f64) < usual as f64 * options.times_ordinary);
        self.most >= least && self.ratio() >= options.min_ratio && !is_ordinary
    }
}

/// What the peers of a service are compared by: protocol, port, who began, and the internal host.
const fn service(crossing: &Crossing) -> (Option<Protocol>, Option<u16>, bool, Addr) {
    (crossing.protocol, crossing.port, crossing.from_inside, crossing.inside)
}

fn said(crossing: &Crossing, group: &Group<'_>, amount: Amount, usual: Option<u64>) -> Said {
    let began = crossing.began(group.connections.len());
    let times = match amount.back {
        0 => "while nothing came back".to_owned(),
        _ => format!("{:.0} times what came back", amount.ratio()),
    };
    let what = match crossing.from_inside {
        true => format!("sent {} bytes, {times}: an upload out of the protected side", amount.out),
        false => format!("got {} bytes, {times}: a pull out of the protected side", amount.out),
    };
    let others = usual
        .map_or_else(String::new, |usual| format!(" Three in four other peers have {usual} bytes or less."));
    let mut parts = vec![
        Part { name: "bytes-out", value: amount.out as f64 },
        Part { name: "bytes-in", value: amount.back as f64 },
        Part { name: "times-what-came-back", value: amount.ratio() },
        Part { name: "most-bytes-in-window", value: amount.most as f64 },
    ];
    parts.extend(usual.map(|usual| Part { name: "ordinary-bytes", value: usual as f64 }));
    Said { parts, reason: format!("{began} and {what}.{others}"), criteria: crossing.criteria() }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    fn transfer(src: &str, dst: &str, port: u16, forward: u64, reverse: u64) -> Connection {
        let mut one = connection(src, dst, port, 1000, 1100);
        (one.forward.bytes, one.reverse.bytes) = (forward, reverse);
        one
    }

    fn found(connections: &[Connection], allowed: &str) -> Vec<Finding> {
        let allowed = Hosts::new(allowed.split_whitespace().map(|one| one.parse().unwrap()));
        exfiltration(connections, &ExfiltrationOptions::default(), &Hosts::internal(), &allowed)
    }

    #[test]
    fn uploads_and_pulls_are_told_in_words() {
        let mut connections: Vec<_> =
            (0..8).map(|_| transfer("10.0.0.5", "20.1.2.3", 8889, 33_147_976, 331_479)).collect();
        connections.push(transfer("20.1.2.3", "10.0.0.5", 80, 900_000, 190_000_000));
        let found = found(&connections, "");
        assert_eq!(
            found[0].reason,
            "10.0.0.5 began 8 connections to tcp/8889 (unregistered) of 20.1.2.3 and sent 265183808 bytes, 100 times \
             what came back: an upload out of the protected side."
        );
        assert_eq!(
            found[1].reason,
            "20.1.2.3 began 1 connection to tcp/80 (http) of 10.0.0.5 and got 190000000 bytes, 211 times what came \
             back: a pull out of the protected side."
        );
        assert_eq!(
            found[1].criteria.to_string(),
            "src ip 20.1.2.3 and dst ip 10.0.0.5 and proto 6 and dst port 80"
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn other_peers_tell_what_is_ordinary() {
        let visitor = |at: u8, bytes| transfer(&format!("20.1.2.{at}"), "10.0.0.5", 443, 100_000, bytes);
        let mut connections: Vec<_> = (1..9).map(|at| visitor(at, 60_000_000)).collect();
        assert_eq!(found(&connections, ""), [], "all of them get the same installer");
        connections.push(visitor(99, 900_000_000));
        let found = found(&connections, "");
        assert_eq!(found.len(), 1);
        assert!(found[0].reason.ends_with("Three in four other peers have 60000000 bytes or less."));
    }

    #[test]
    fn downloads_calls_letters_and_allowed_hosts_are_none() {
        let connections = [
            transfer("10.0.0.5", "20.1.2.3", 443, 1_000_000, 900_000_000),
            transfer("10.0.0.5", "20.1.2.4", 8801, 300_000_000, 280_000_000),
            transfer("10.0.0.5", "20.1.2.5", 587, 30_000_000, 300_000),
            transfer("10.0.0.5", "20.1.2.6", 443, 900_000_000, 300_000),
            transfer("10.0.0.5", "10.0.0.6", 445, 900_000_000, 300_000),
        ];
        assert_eq!(found(&connections, "20.1.2.6"), []);
        assert_eq!(found(&connections, "20.1.2.0/24 10.0.0.5"), []);
    }

    #[test]
    fn bytes_of_months_are_no_transfer_but_those_of_a_day_are() {
        let mut connections: Vec<_> =
            (0..40).map(|_| transfer("10.0.0.5", "20.1.2.3", 443, 5_000_000, 90_000)).collect();
        assert_eq!(found(&connections, "").len(), 1);
        for (day, one) in connections.iter_mut().enumerate() {
            let start = 86_400 * 2 * day as i64;
            one.first = crate::Timestamp::from_secs(start);
            one.last = crate::Timestamp::from_secs(start + 60);
        }
        assert_eq!(found(&connections, ""), []);
    }

    #[test]
    fn the_ends_of_all_ranges_are_no_matter() {
        let mut connections = vec![transfer("10.0.0.5", "20.1.2.3", 443, u64::MAX, 0); 3];
        connections[0].first = crate::Timestamp::MIN;
        connections[1].last = crate::Timestamp::MAX;
        assert_eq!(found(&connections, "").len(), 1);
    }
}
