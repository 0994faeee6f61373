//! Registered names of services.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::record::Protocol;

/// The name that IANA has registered for a port, of services that are met today; `None` stands for a port that has no
/// name, or one of a product long gone (8889 is `ddi-tcp-2` at IANA, which nobody would expect there).
///
/// Source: the [registry](https://www.iana.org/assignments/service-names-port-numbers) of IANA, which is under CC0.
///
/// ```
/// use flowcore::Protocol;
/// use flowcore::analysis::service_name;
/// assert_eq!(service_name(Some(Protocol::TCP), 22), Some("ssh"));
/// assert_eq!(service_name(Some(Protocol::TCP), 8889), None);
/// ```
pub fn service_name(protocol: Option<Protocol>, port: u16) -> Option<&'static str> {
    NAMES.get(&(protocol?, port)).copied()
}

/// A line is a name and its ports: `domain 53/tcp 53/udp`.
static NAMES: LazyLock<HashMap<(Protocol, u16), &'static str>> = LazyLock::new(|| {
    let lines = include_str!("names.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(ports).collect()
});

fn ports(line: &'static str) -> impl Iterator<Item = ((Protocol, u16), &'static str)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next().unwrap_or_default();
    words.filter_map(move |word| {
        let (port, protocol) = word.split_once('/')?;
        let protocol = if protocol == "udp" { Protocol::UDP } else { Protocol::TCP };
        Some(((protocol, port.parse().ok()?), name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_of_the_table_is_found_by_its_name() {
        let lines = include_str!("names.txt").lines().filter(|line| !line.starts_with('#'));
        let mut found = 0;
        for line in lines {
            let (name, words) = line.split_once(' ').unwrap();
            for word in words.split(' ') {
                let (port, protocol) = word.split_once('/').unwrap();
                let protocol = if protocol == "tcp" { Protocol::TCP } else { Protocol::UDP };
                assert_eq!(service_name(Some(protocol), port.parse().unwrap()), Some(name), "{word}");
                found += 1;
            }
        }
        assert_eq!(found, NAMES.len(), "no port is there twice");
        assert_eq!(service_name(None, 22), None);
    }
}
