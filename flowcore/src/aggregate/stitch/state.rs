//! What became of a connection, from the rows that it is joined of.

use std::fmt;

use super::super::counters::{Counters, Way};
use crate::record::{Protocol, TcpFlags};

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnState {
    /// Something came back: of TCP a SYN-ACK or more than a reset, of other protocols anything.
    Accepted,
    /// The log says `REJECT`, or a reset was all that answered the SYN.
    Refused,
    /// Nothing came back: of TCP, to a SYN that nothing else followed.
    Unanswered,
    /// The rows do not tell: there is nothing of the other way, and no lone SYN that it would be the answer to.
    Unknown,
}

/// What the log says was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    None,
    Accept,
    Reject,
}

impl Verdict {
    /// Azure says `D` for denied; readers write all of them in AWS's words.
    pub(super) fn of(action: Option<&str>) -> Self {
        match action {
            None => Self::None,
            Some(action) if action.eq_ignore_ascii_case("REJECT") => Self::Reject,
            Some(_) => Self::Accept,
        }
    }
}

impl ConnState {
    /// The word that stands in [`Field::ConnState`](crate::Field::ConnState).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
            Self::Unknown => "unknown",
        }
    }

    /// The state of this [name](Self::name).
    ///
    /// ```
    /// use flowcore::aggregate::ConnState;
    /// assert_eq!(ConnState::from_name("refused"), Some(ConnState::Refused));
    /// assert_eq!(ConnState::from_name("ACCEPT"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Accepted, Self::Refused, Self::Unanswered, Self::Unknown]
            .into_iter()
            .find(|state| state.name() == name)
    }

    /// Judges a connection by its sums, source being the initiator, and by whether there was a row of the way back.
    pub(super) fn of(
        verdict: Verdict,
        protocol: Option<Protocol>,
        sums: &Counters,
        has_row_back: bool,
    ) -> Self {
        let counted = |count: Option<u64>| count.is_some_and(|count| count > 0);
        let known = sums.packets(Way::Out).or(sums.bytes(Way::Out)).is_some();
        let came_back =
            counted(sums.packets(Way::Out)) || counted(sums.bytes(Way::Out)) || (has_row_back && !known);
        match (verdict, protocol) {
            (Verdict::Reject, _) => Self::Refused,
            (_, None) if !came_back => Self::Unknown,
            (_, Some(Protocol::TCP)) => Self::of_tcp(sums, came_back),
            _ if came_back => Self::Accepted,
            _ => Self::Unanswered,
        }
    }

    fn of_tcp(sums: &Counters, came_back: bool) -> Self {
        let flags = |way| sums.tcp_flags(way).unwrap_or_default();
        let (to, back) = (flags(Way::In), flags(Way::Out));
        let asked = to.contains(TcpFlags::SYN);
        if back.contains(TcpFlags::SYN | TcpFlags::ACK) {
            Self::Accepted
        } else if asked && back.contains(TcpFlags::RST) && !back.contains(TcpFlags::SYN) {
            Self::Refused
        } else if came_back {
            Self::Accepted
        } else if asked && !HAS_ANSWER.iter().any(|&flag| to.contains(flag)) {
            Self::Unanswered
        } else {
            Self::Unknown
        }
    }
}

/// What an initiator sends after its SYN was answered only.
const HAS_ANSWER: [TcpFlags; 3] = [TcpFlags::ACK, TcpFlags::FIN, TcpFlags::RST];

impl fmt::Display for ConnState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::counters::CounterColumns;
    use super::*;
    use crate::batch::FlowBatch;
    use crate::record::Field;

    /// Flags of both ways and packets back, as far as a log has them.
    fn sums(to: Option<u64>, back: Option<u64>, packets_back: Option<u64>) -> Counters {
        let mut batch = FlowBatch::new();
        let numbers = [(Field::InFlags, to), (Field::OutFlags, back), (Field::OutPackets, packets_back)];
        for (field, number) in numbers {
            number.into_iter().for_each(|number| batch.set_number(field, number));
        }
        batch.end_row();
        CounterColumns::of(&batch).row(0)
    }

    #[test]
    fn each_rule_has_its_case() {
        use ConnState::{Accepted, Refused, Unanswered, Unknown};
        let (tcp, udp) = (Some(Protocol::TCP), Some(Protocol::UDP));
        let accept = Verdict::of(Some("ACCEPT"));
        for (verdict, protocol, to, back, packets_back, expected) in [
            (Verdict::of(Some("REJECT")), tcp, Some(2), None, None, Refused),
            (accept, tcp, Some(3), Some(19), Some(4), Accepted),
            (accept, tcp, Some(2), None, None, Unanswered),
            (Verdict::None, tcp, Some(2), Some(0), Some(0), Unanswered),
            (accept, tcp, Some(2), Some(4), Some(1), Refused),
            (accept, tcp, Some(2), Some(20), Some(1), Refused),
            (accept, tcp, Some(2), Some(22), Some(5), Accepted),
            (accept, tcp, Some(0), Some(4), Some(1), Accepted),
            (accept, tcp, Some(0), Some(0), Some(9), Accepted),
            (accept, tcp, Some(0), None, None, Unknown),
            (accept, tcp, None, None, None, Unknown),
            (accept, tcp, Some(3), None, None, Unknown),
            (accept, tcp, Some(6), None, None, Unknown),
            (Verdict::None, tcp, Some(0x1a), None, None, Unknown),
            (accept, udp, None, None, Some(1), Accepted),
            (accept, udp, None, None, None, Unanswered),
            (Verdict::None, Some(Protocol::ICMP), None, None, Some(0), Unanswered),
            (accept, None, None, None, None, Unknown),
            (accept, None, None, None, Some(3), Accepted),
        ] {
            let sums = sums(to, back, packets_back);
            let state = ConnState::of(verdict, protocol, &sums, packets_back.is_some());
            assert_eq!(state, expected, "{verdict:?} {protocol:?} {to:?} {back:?} {packets_back:?}");
        }
        // A log without packets and bytes still says that there was a row.
        assert_eq!(ConnState::of(accept, udp, &sums(None, None, None), true), Accepted);
    }
}
