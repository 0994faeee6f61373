//! Values as reports write them: names of services, times, words for a shell.

use flowcore::analysis::{Hosts, Outcomes, Role, Service, service_name};
use flowcore::{Protocol, Timestamp};

/// `tcp/443`; a protocol alone has no ports.
pub(super) fn name(protocol: Option<Protocol>, port: Option<u16>) -> String {
    let protocol = protocol.map_or_else(|| "-".to_owned(), |protocol| protocol.to_string().to_lowercase());
    port.map_or_else(|| protocol.clone(), |port| format!("{protocol}/{port}"))
}

/// ISO 8601, with a fraction of the second only where there is one.
pub(super) fn time(time: Timestamp) -> String {
    let text = time.to_string();
    text.strip_suffix(".000Z").map_or_else(|| text.clone(), |seconds| format!("{seconds}Z"))
}

/// `8 accepted, 1 refused`; what there is none of is not told.
pub(super) fn told(outcomes: Outcomes) -> String {
    let counts = [
        (outcomes.accepted, "accepted"),
        (outcomes.refused, "refused"),
        (outcomes.unanswered, "unanswered"),
        (outcomes.unknown, "not told"),
    ];
    let parts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// The name that the service is registered by.
pub(super) fn registered(protocol: Option<Protocol>, port: Option<u16>) -> &'static str {
    match port {
        Some(port) => service_name(protocol, port).unwrap_or("unregistered"),
        None => "-",
    }
}

/// Who asked for a service, and which way most of its bytes went.
pub(super) fn sentence(service: &Service, subject: &Hosts) -> String {
    let peers = match service.peers.first() {
        Some(peer) if service.peers.len() == 1 => peer.to_string(),
        _ => format!("{} hosts", service.peers.len()),
    };
    let (initiator, responder) = match service.role {
        Role::Initiator => (subject.to_string(), peers),
        Role::Responder => (peers, subject.to_string()),
        Role::Both => (subject.to_string(), "itself".to_owned()),
    };
    let (what, title) = (name(service.protocol, service.port), registered(service.protocol, service.port));
    let title = if title == "-" { String::new() } else { format!(" ({title})") };
    let (to, from) = (service.forward.bytes, service.reverse.bytes);
    let count = counted(service.connections, "connection");
    let way = way(to, from, &initiator, &responder);
    let to = counted(to, "byte");
    format!("{what}{title}: {initiator} began {count} to {responder}, sent {to} and got {from} back{way}")
}

/// Where the bytes went, if one way has ten times those of the other.
fn way(to: u64, from: u64, initiator: &str, responder: &str) -> String {
    match (to.max(from) >= LARGE, to / 10 >= from, from / 10 >= to) {
        (true, true, _) => format!(": an upload from {initiator} to {responder}"),
        (true, _, true) => format!(": a download by {initiator} from {responder}"),
        _ => String::new(),
    }
}

/// `1 record`, `2 records`.
pub(super) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Bytes from which a transfer is worth a word.
const LARGE: u64 = 1_000_000;

/// `1.2 MB`.
pub(super) fn short_bytes(bytes: u64) -> String {
    flowcore::readable_bytes(bytes)
}

/// Words as a shell reads them back.
pub(super) fn shell_words<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(shell_word).collect::<Vec<_>>().join(" ")
}

/// A word as a shell reads it back.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_would_take_apart_are_quoted() {
        assert_eq!(shell_word("logs/a.gz"), "logs/a.gz");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn a_service_is_named_by_protocol_and_port() {
        assert_eq!(name(Some(Protocol::TCP), Some(22)), "tcp/22");
        assert_eq!(name(Some(Protocol(47)), None), "gre");
        assert_eq!(name(None, None), "-");
    }
}
