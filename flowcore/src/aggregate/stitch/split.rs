//! The rows of one conversation, in the order of time, to its connections: a pause or a new handshake begins another one.

use std::cmp::Ordering;

use super::super::counters::{Counters, Way};
use super::super::direction::Starts;
use crate::record::TcpFlags;

/// A row, seen from the smaller end of its conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) counters: Counters,
    /// The conversation it belongs to.
    pub(super) conversation: u32,
    /// It went from the larger end to the smaller one.
    pub(super) is_turned: bool,
    /// It has both directions: a flow of a capture, or a record without addresses.
    pub(super) is_whole: bool,
    /// Its source is the initiator, as the log says.
    pub(super) is_stated: bool,
    /// It is of TCP, whose connections begin with a SYN.
    pub(super) is_tcp: bool,
    /// It was ended while it was alive, as by an active timeout: another one goes on with it.
    pub(super) was_cut: bool,
}

/// A connection, seen from the smaller end of its conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) counters: Counters,
    pub(super) starts: Starts,
    pub(super) conversation: u32,
    /// The first row of each way, that from the smaller end first.
    pub(super) rows: [Option<u32>; 2],
    /// The last row of all.
    pub(super) last: u32,
    /// The larger end is the source of the first row.
    pub(super) begins_turned: bool,
    pub(super) is_whole: bool,
    was_cut: bool,
    /// Whether the larger end is the initiator, where the log says so.
    pub(super) stated: Option<bool>,
}

impl Row {
    fn begin(&self) -> i64 {
        let time = self.counters.first().or(self.counters.last());
        time.map_or(i64::MIN, |time| time.as_nanos())
    }

    fn end(&self) -> i64 {
        let time = self.counters.last().or(self.counters.first());
        time.map_or(i64::MIN, |time| time.as_nanos())
    }

    /// The flags of what it sent, both ways together where it has both.
    fn flags(&self) -> TcpFlags {
        self.counters.tcp_flags(Way::Both).unwrap_or_default()
    }

    fn has_known_flags(&self) -> bool {
        self.flags() != TcpFlags::default()
    }

    /// The order of rows, conversation by conversation; equal ones are the same in all that is counted.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.conversation.cmp(&other.conversation).then_with(|| self.compare_counted(other))
    }

    /// The order of rows of a conversation.
    pub(super) fn compare_counted(&self, other: &Self) -> Ordering {
        let key = |row: &Self| {
            let counters = &row.counters;
            let ways = [Way::In, Way::Out];
            (
                // Of rows of the same second, the SYN comes before the FIN.
                (row.begin(), row.end(), !row.flags().contains(TcpFlags::SYN)),
                (row.is_turned, row.is_whole, row.is_stated, row.was_cut),
                ways.map(|way| counters.tcp_flags(way)),
                ways.map(|way| counters.packets(way)),
                ways.map(|way| counters.bytes(way)),
                counters.flows(),
            )
        };
        key(self).cmp(&key(other))
    }
}

impl Run {
    fn new(number: u32, row: &Row) -> Self {
        let mut run = Self {
            counters: Counters::NONE,
            starts: Starts::NONE,
            conversation: row.conversation,
            rows: [None; 2],
            last: number,
            begins_turned: row.is_turned,
            is_whole: row.is_whole,
            was_cut: false,
            stated: None,
        };
        run.add(number, row);
        run
    }

    fn add(&mut self, number: u32, row: &Row) {
        self.counters.add(&row.counters);
        self.starts.merge(Starts::of(row.counters.first(), row.is_turned));
        self.first_row(row.is_turned).get_or_insert(number);
        (self.last, self.was_cut) = (number, row.was_cut);
        self.stated = self.stated.or(row.is_stated.then_some(row.is_turned));
    }

    fn first_row(&mut self, is_turned: bool) -> &mut Option<u32> {
        let [to, back] = &mut self.rows;
        if is_turned { back } else { to }
    }

    fn has_row(&self, is_turned: bool) -> bool {
        self.rows[usize::from(is_turned)].is_some()
    }

    fn is_closed(&self) -> bool {
        let flags = self.counters.tcp_flags(Way::Both).unwrap_or_default();
        flags.contains(TcpFlags::FIN) || flags.contains(TcpFlags::RST)
    }
}

/// Joins rows, which come in the order of [`Row::compare`] with their numbers, to connections.
///
/// Another connection begins with a row of another conversation, with a pause of more than `max_gap` nanoseconds, and with
/// a SYN of an end that has sent before, once there was a FIN or RST. Rows without times are one connection. Of rows with
/// both directions, only those are joined that follow each other and are parts of one flow.
pub(super) fn runs<'a>(rows: impl Iterator<Item = (u32, &'a Row)>, max_gap: i64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut end = i64::MIN;
    for (number, row) in rows {
        match runs.last_mut() {
            Some(run) if belongs(run, end, row, max_gap) => {
                run.add(number, row);
                end = end.max(row.end());
            }
            _ => {
                runs.push(Run::new(number, row));
                end = row.end();
            }
        }
    }
    runs
}

/// Whether a row goes on with a connection that was last seen at `end`.
fn belongs(run: &Run, end: i64, row: &Row, max_gap: i64) -> bool {
    if run.is_whole || row.is_whole {
        return goes_on(run, end, row, max_gap);
    }
    let is_same = run.conversation == row.conversation;
    let is_near = row.begin() <= end.saturating_add(max_gap) && (end == i64::MIN) == (row.end() == i64::MIN);
    // Rows without times are in no order, so that a SYN says nothing about what comes before it.
    let is_timed = row.end() != i64::MIN;
    let opens = is_timed && row.flags().contains(TcpFlags::SYN) && run.has_row(row.is_turned);
    is_same && is_near && !(opens && run.is_closed())
}

/// Whether a row with both directions is the next part of a flow: the part before was cut off, or it is of TCP and has no
/// SYN. Parts do not overlap; a second record of the same packets does.
fn goes_on(run: &Run, end: i64, row: &Row, max_gap: i64) -> bool {
    let is_same = run.conversation == row.conversation && run.is_whole && row.is_whole;
    let is_next = row.begin() >= end && row.end() > end && row.begin() <= end.saturating_add(max_gap);
    let is_part =
        run.was_cut || (row.is_tcp && row.has_known_flags() && !row.flags().contains(TcpFlags::SYN));
    is_same && is_next && is_part && end != i64::MIN
}
