//! The time window of `-t`: what is typed in, a filter out.
//!
//! Two spellings are read: nfdump's, in which parts are separated by `/`, `.` and `:` and the ends by `-`, and ISO 8601
//! with a slash between the ends. Parts left off at the end are the lowest. A record is inside if it starts at the
//! first end or later and ends at the last one or earlier.

use std::time::SystemTime;

use flowcore::aggregate::Interval;
use flowcore::{Error, Filter, Result, Timestamp, Totals};

/// A part of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// From one time to another, both included; an end that is `None` is open.
    Between(Option<Timestamp>, Option<Timestamp>),
    /// So many nanoseconds from the start of the earliest flow.
    Head(i64),
    /// So many nanoseconds to the end of the latest flow.
    Tail(i64),
}

impl Window {
    /// Reads a window; `now` is what the word `now` means in it.
    ///
    /// # Errors
    /// When it is no window, or nothing can be in it.
    pub(super) fn parse(text: &str, now: Timestamp) -> Result<Self> {
        let wrong = |why: String| Error::argument(format!("-t {text}: {why}"));
        let window = read(text.trim(), now).map_err(wrong)?;
        match window {
            Self::Between(Some(from), Some(to)) if from > to || from == to && !is_to_the_second(text) => {
                Err(wrong(format!(
                    "nothing is inside, as it ends at {to} and begins at {from}; parts of a time that are left off are the \
                 lowest"
                )))
            }
            window => Ok(window),
        }
    }

    /// Whether the flows have to be looked at before it is known where it lies.
    pub fn is_relative(self) -> bool {
        !matches!(self, Self::Between(..))
    }

    /// Its ends, where they are known; `None` for an open one.
    pub const fn ends(self) -> (Option<Timestamp>, Option<Timestamp>) {
        match self {
            Self::Between(from, to) => (from, to),
            Self::Head(_) | Self::Tail(_) => (None, None),
        }
    }

    /// The same window in the time of these flows.
    #[must_use]
    pub fn in_time_of(self, flows: &Totals) -> Self {
        match self {
            Self::Between(..) => self,
            Self::Head(nanos) => {
                let from = flows.first();
                Self::Between(from, from.map(|from| from.saturating_add(nanos)))
            }
            Self::Tail(nanos) => {
                let to = flows.last();
                Self::Between(to.map(|to| to.saturating_add(nanos.saturating_neg())), to)
            }
        }
    }

    /// The records inside that match a filter too.
    ///
    /// # Errors
    /// None, unless the language of filters changes under it.
    pub fn and(self, filter: &Filter) -> Result<Filter> {
        let Self::Between(from, to) = self else { return Ok(filter.clone()) };
        let from = from.map(|time| format!("first >= {time}"));
        let to = to.map(|time| format!("last <= {time}"));
        let terms: Vec<String> = from.into_iter().chain(to).collect();
        let window = Filter::parse(&terms.join(" and "))?;
        // Nothing but the window is asked for.
        if filter.expression().trim().is_empty() { Ok(window) } else { Ok(filter.and(&window)) }
    }
}

/// The present.
pub(super) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX))
}

type Read<T> = std::result::Result<T, String>;

fn read(text: &str, now: Timestamp) -> Read<Window> {
    if let Some(length) = text.strip_prefix('+') {
        return Ok(Window::Head(length_of(length)?));
    }
    if let Some(length) = text.strip_prefix('-') {
        return Ok(Window::Tail(length_of(length)?));
    }
    let (from, to) = ends(text);
    let from = (!from.is_empty()).then(|| moment(from, now)).transpose()?;
    let to = to.filter(|to| !to.is_empty()).map(|to| end(to, from, now)).transpose()?;
    match (from, to) {
        (None, None) => Err(FORMS.into()),
        ends => Ok(Window::Between(ends.0, ends.1)),
    }
}

/// What can be written.
const FORMS: &str = "write YYYY/MM/DD.hh:mm:ss[-YYYY/MM/DD.hh:mm:ss], an ISO time or two with a slash between them \
                     (2023-09-28T17:22/18:00), now-2h, or +10m or -10m for the first or last ten minutes of all flows";

/// Whether both ends have seconds; such a window may be one moment.
fn is_to_the_second(text: &str) -> bool {
    let since_1970 = |end: &str| end.len() > 4 && end.bytes().all(|byte| byte.is_ascii_digit());
    text.matches(':').count() >= 4 || text.split(['-', '/']).all(since_1970)
}

/// The two ends. nfdump has a dash between them, which is part of an ISO date.
fn ends(text: &str) -> (&str, Option<&str>) {
    let dashed = text.split_once('-').map(|(from, to)| (from.trim_end(), to.trim_start()));
    // With slashes in the first end, a dash can only be the one between the ends.
    if let Some((from, to)) = dashed.filter(|(from, to)| is_old(from) && (is_old(to) || from.contains('/'))) {
        return (from, Some(to));
    }
    if is_old(text) {
        return (text, None);
    }
    let separators = [" - ", "..", "/", " to "];
    let split = separators.iter().find_map(|separator| text.split_once(separator));
    split.map_or((text, None), |(from, to)| (from.trim(), Some(to.trim())))
}

/// Whether this is one time as nfdump writes it, or seconds since 1970.
fn is_old(text: &str) -> bool {
    let (year, rest) = text.split_at_checked(4).unwrap_or(("", text));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_date = rest.is_empty() || rest.starts_with('/') && !digits(rest.get(1..5).unwrap_or("x"));
    !year.is_empty() && digits(year) && (is_date || digits(rest))
}

/// Whether this is `hh:mm`, with seconds or without.
fn is_time_of_day(text: &str) -> bool {
    text.get(2..3) == Some(":") && text.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte))
}

/// Whether what follows a time of day and a dash, the date before it being set off by a blank, can be a zone or the
/// end of the window.
fn is_ambiguous(text: &str) -> bool {
    let time = text.split_once(' ').map_or("", |(_, time)| time);
    time.split_once('-').is_some_and(|(from, to)| is_time_of_day(from) && is_time_of_day(to))
}

fn moment(text: &str, now: Timestamp) -> Read<Timestamp> {
    if is_ambiguous(text) {
        return Err(format!(
            "\"{text}\" has a zone or two ends; write 2023-09-28T17:22-05:00 for a zone, 2023-09-28 17:22 - 18:00 for \
             two ends"
        ));
    }
    if let Some(ago) = text.strip_prefix("now") {
        return match (ago.is_empty(), ago.strip_prefix('-')) {
            (true, _) => Ok(now),
            (_, Some(ago)) => Ok(now.saturating_add(length_of(ago)?.saturating_neg())),
            _ => Err(format!("\"{text}\" is not a time; now-2h is two hours ago")),
        };
    }
    text.parse().map_err(|_| format!("\"{text}\" is not a time; {FORMS}"))
}

/// The last end: a time, a time of the day of the first end, or the length of the window.
fn end(text: &str, from: Option<Timestamp>, now: Timestamp) -> Read<Timestamp> {
    match from {
        Some(from) if text.starts_with('+') => Ok(from.saturating_add(length_of(&text[1..])?)),
        Some(from) if is_time_of_day(text) => {
            let day = from.civil();
            moment(&format!("{:04}-{:02}-{:02}T{text}", day.year, day.month, day.day), now)
        }
        _ => moment(text, now),
    }
}

/// Nanoseconds of a length such as `10`, which is seconds, or `5m`.
fn length_of(text: &str) -> Read<i64> {
    text.parse().map(Interval::nanos).map_err(|_| {
        format!("\"{text}\" is no length of time; write seconds, or a number and s, m, h, d or w such as 2h")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn window(text: &str) -> Result<Window> {
        Window::parse(text, NOW)
    }

    fn between(from: &str, to: &str) -> Window {
        let time = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        Window::Between(time(from), time(to))
    }

    #[test]
    fn both_spellings_are_read() {
        for (text, from, to) in [
            ("2023/09/28.17:22:35-2023/09/28.18:00:00", "2023-09-28T17:22:35Z", "2023-09-28T18:00:00Z"),
            ("2023/09/28.17:22:35-+10", "2023-09-28T17:22:35Z", "2023-09-28T17:22:45Z"),
            ("2023/09/28.17:22-18:00", "2023-09-28T17:22:00Z", "2023-09-28T18:00:00Z"),
            ("2023/09/28.17:22:35 - 18:00:01", "2023-09-28T17:22:35Z", "2023-09-28T18:00:01Z"),
            ("2023/09/28.17:22-2023/09/28.18:00", "2023-09-28T17:22:00Z", "2023-09-28T18:00:00Z"),
            ("2023/09/28.19:22+02:00", "2023-09-28T17:22:00Z", ""),
            (
                "2023/09/28.17:22:35.5-2023/09/28.17:22:35.5",
                "2023-09-28T17:22:35.5Z",
                "2023-09-28T17:22:35.5Z",
            ),
            ("1695921755-1695921755", "2023-09-28T17:22:35Z", "2023-09-28T17:22:35Z"),
            ("2023/09/28.17-2023/09/28.18", "2023-09-28T17:00:00Z", "2023-09-28T18:00:00Z"),
            ("2023/09/28.17:22", "2023-09-28T17:22:00Z", ""),
            ("2023/09/28", "2023-09-28", ""),
            ("2023-2024", "2023-01-01", "2024-01-01"),
            ("2023/2024", "2023-01-01", "2024-01-01"),
            ("2023/09-2023/10/02", "2023-09-01", "2023-10-02"),
            ("1695921755", "2023-09-28T17:22:35Z", ""),
            ("1695921755-1695924000", "2023-09-28T17:22:35Z", "2023-09-28T18:00:00Z"),
            ("1695921755/1695924000", "2023-09-28T17:22:35Z", "2023-09-28T18:00:00Z"),
            ("2023-09-28T17:22:35Z/2023-09-28T23:59Z", "2023-09-28T17:22:35Z", "2023-09-28T23:59:00Z"),
            (
                "2023-09-28T19:22:35+02:00/2023-09-28T18:00:00Z",
                "2023-09-28T17:22:35Z",
                "2023-09-28T18:00:00Z",
            ),
            ("2023-09-28 17:22 - 18:00", "2023-09-28T17:22:00Z", "2023-09-28T18:00:00Z"),
            ("2023-09-28 17:22/18:00:30.5", "2023-09-28T17:22:00Z", "2023-09-28T18:00:30.5Z"),
            ("2023-09-28 to 2023-09-29", "2023-09-28", "2023-09-29"),
            ("2023-09-28..2023-09-29", "2023-09-28", "2023-09-29"),
            ("2023-09-28T17:00/+90m", "2023-09-28T17:00:00Z", "2023-09-28T18:30:00Z"),
            ("2023-09", "2023-09-01", ""),
            ("/2023-09-28", "", "2023-09-28"),
            ("2023-09-28/", "2023-09-28", ""),
            ("now-2h", "2023-11-14T20:13:20Z", ""),
            ("now-2h/now", "2023-11-14T20:13:20Z", "2023-11-14T22:13:20Z"),
        ] {
            assert_eq!(window(text).unwrap(), between(from, to), "{text}");
        }
        assert_eq!(window("+10").unwrap(), Window::Head(10_000_000_000));
        assert_eq!(window("-2h").unwrap(), Window::Tail(7_200_000_000_000));
    }

    #[test]
    fn what_is_no_window_is_refused_with_the_way_out() {
        for (text, advice) in [
            ("yesterday", "now-2h"),
            ("", "write YYYY/MM/DD"),
            ("/", "write YYYY/MM/DD"),
            ("2023/13", "is not a time"),
            ("2023-2023", "are the lowest"),
            ("2023/09/28.17-03", "is not a time"),
            ("2023-09-28 17:22-18:00", "a zone or two ends"),
            ("2023-09-28 17:22:01-18:00", "a zone or two ends"),
            ("2023-09-28T17:22/17:22", "are the lowest"),
            ("+x", "is no length of time"),
            ("-", "is no length of time"),
            ("now+2h", "two hours ago"),
            ("2023-09-29/2023-09-28", "nothing is inside"),
            ("2023/09/28-2023/09/28", "are the lowest"),
            ("17:00/ü", "is not a time"),
        ] {
            let error = window(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("-t {text}: ")) && error.contains(advice), "{text}: {error}");
        }
    }

    #[test]
    fn a_window_is_a_filter_that_includes_both_ends() {
        let closed = window("2023-09-28T17:00/18:00").unwrap();
        let filter = closed.and(&Filter::parse("tcp or udp").unwrap()).unwrap();
        assert_eq!(
            filter.to_string(),
            "(tcp or udp) and first seen >= 2023-09-28T17:00:00.000Z and last seen <= 2023-09-28T18:00:00.000Z"
        );
        let mut flow = flowcore::Flow::default();
        let inside = |flow: &flowcore::Flow| closed.and(&Filter::parse("").unwrap()).unwrap().matches(flow);
        flow.first = "2023-09-28T17:00".parse().ok();
        flow.last = "2023-09-28T18:00".parse().ok();
        assert!(inside(&flow));
        flow.last = "2023-09-28T18:00:00.001Z".parse().ok();
        assert!(!inside(&flow));
        flow.last = None;
        assert!(!inside(&flow));
    }

    #[test]
    fn a_relative_window_lies_in_the_time_of_the_flows() {
        let mut batch = flowcore::FlowBatch::new();
        batch.set_time(flowcore::Field::First, Timestamp::from_secs(100));
        batch.set_time(flowcore::Field::Last, Timestamp::from_secs(200));
        batch.end_row();
        let mut flows = Totals::default();
        flows.add(&batch);
        let ends =
            |from, to| Window::Between(Some(Timestamp::from_secs(from)), Some(Timestamp::from_secs(to)));
        assert_eq!(window("+10").unwrap().in_time_of(&flows), ends(100, 110));
        assert_eq!(window("-1m").unwrap().in_time_of(&flows), ends(140, 200));
        assert_eq!(Window::Head(5).in_time_of(&Totals::default()), Window::Between(None, None));
    }
}
