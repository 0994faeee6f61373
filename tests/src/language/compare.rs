//! Whether two programs printed the same rows, in an order that is right.

use std::collections::BTreeMap;

use flowcore::Timestamp;

use super::rows::{RECORD, Row, STATISTIC};

/// What a table is ordered by: the numbers, or texts, that the order compares.
type Key = (u128, String);

/// What differs between two statistics that have all rows, and how many rows were compared.
///
/// - nfdump counts a record without the field under 0, and flowdump not at all: rows of 0 are left out.
/// - Ordered by flows, nfdump's packets and bytes are those towards the destination only: these columns are left out.
pub fn statistics(theirs: &[Row], ours: &[Row], order: &str) -> (Vec<String>, usize) {
    let at = |name: &str| STATISTIC.iter().position(|column| *column == name);
    let value = |row: &Row, name: &str| at(name).and_then(|at| row.get(at).cloned()).unwrap_or_default();
    let known =
        |rows: &[Row]| -> Vec<Row> { rows.iter().filter(|row| value(row, "val") != "0").cloned().collect() };
    let compared = |row: &Row| -> Row {
        let mut columns = vec!["val", "fl", "flP", "ts", "te", "td"];
        columns.extend(
            (order != "flows").then_some(["pkt", "pktP", "byt", "bytP", "bpp"]).into_iter().flatten(),
        );
        columns.into_iter().map(|name| value(row, name)).collect()
    };
    let key = |row: &Row| -> Key {
        let column = match order.split(':').next().unwrap_or_default() {
            "packets" => "pkt",
            "bytes" => "byt",
            "flows" => "fl",
            rate => rate,
        };
        (value(row, column).parse().unwrap_or_default(), String::new())
    };
    let (theirs, ours) = (known(theirs), known(ours));
    let mut found = only_one_has(&theirs, &ours, compared);
    found.extend(misordered(&theirs, &ours, key));
    (found, theirs.len())
}

/// How two lists of records are compared.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// What `-O` or `-s record` named; without it the order of the file counts.
    pub order: Option<String>,
    /// Whether records with something in common are one. Where nothing else is named these stand in any order.
    pub groups: bool,
    /// Whether nfdump's order is wrong, and ours is right if the listed numbers say so.
    pub only_ours: bool,
}

/// What differs between two lists of records.
///
/// nfdump has records without a value in the group of value 0: rows that look alike are one.
pub fn records(theirs: &[Row], ours: &[Row], listing: &Listing) -> Vec<String> {
    let Some(order) = &listing.order else {
        return match listing.groups {
            true => only_one_has(&joined(theirs), &joined(ours), Clone::clone),
            false => texts(theirs, ours),
        };
    };
    let mut found = match listing.groups {
        true => only_one_has(&joined(theirs), &joined(ours), Clone::clone),
        false => only_one_has(theirs, ours, Clone::clone),
    };
    if listing.only_ours {
        let mut sorted = ours.to_vec();
        sorted.sort_by_cached_key(|row| record_key(row, order));
        if !order.ends_with(":a") {
            sorted.reverse();
        }
        found.extend(misordered(&sorted, ours, |row| record_key(row, order)));
    } else if theirs.len() == ours.len() {
        found.extend(misordered(theirs, ours, |row| record_key(row, order)));
    }
    found
}

/// What differs between lines of text.
pub fn texts(theirs: &[Row], ours: &[Row]) -> Vec<String> {
    let line = |rows: &[Row], at: usize| rows.get(at).map(|row| row.join(" ")).unwrap_or_default();
    let at = (0..theirs.len().max(ours.len())).find(|&at| theirs.get(at) != ours.get(at));
    at.map(|at| {
        format!("line {}:\n    nfdump   {}\n    flowdump {}", at + 1, line(theirs, at), line(ours, at))
    })
    .into_iter()
    .collect()
}

/// The first row on each side that the other one lacks.
fn only_one_has(theirs: &[Row], ours: &[Row], compared: impl Fn(&Row) -> Row) -> Vec<String> {
    let counted = |rows: &[Row]| {
        let mut counts: BTreeMap<Row, usize> = BTreeMap::new();
        rows.iter().for_each(|row| *counts.entry(compared(row)).or_default() += 1);
        counts
    };
    let (theirs, ours) = (counted(theirs), counted(ours));
    let lacking = |these: &BTreeMap<Row, usize>, others: &BTreeMap<Row, usize>| {
        let row = these.iter().find(|(row, count)| others.get(*row).is_none_or(|other| other < count));
        row.map(|(row, _)| row.join(" "))
    };
    let theirs_only = lacking(&theirs, &ours).map(|row| format!("nfdump only: {row}"));
    let ours_only = lacking(&ours, &theirs).map(|row| format!("flowdump only: {row}"));
    theirs_only.into_iter().chain(ours_only).collect()
}

/// Rows of one rank may stand in any order, so the ranks are compared.
fn misordered(theirs: &[Row], ours: &[Row], key: impl Fn(&Row) -> Key) -> Option<String> {
    let keys = |rows: &[Row]| rows.iter().map(&key).collect::<Vec<Key>>();
    let (theirs, ours) = (keys(theirs), keys(ours));
    let at = theirs.iter().zip(&ours).position(|(theirs, ours)| theirs != ours)?;
    Some(format!("another order: row {}: nfdump {:?}, flowdump {:?}", at + 1, theirs.get(at), ours.get(at)))
}

/// What a record of [`RECORD`]'s columns is ordered by.
fn record_key(row: &Row, order: &str) -> Key {
    let at = |name: &str| RECORD.iter().position(|column| *column == name);
    let text = |name: &str| at(name).and_then(|at| row.get(at).cloned()).unwrap_or_default();
    let number = |name: &str| text(name).parse::<u128>().unwrap_or_default();
    let name = order.split(':').next().unwrap_or_default();
    let (packets, bytes) = match name.as_bytes().first() {
        Some(b'i') => (number("ipkt"), number("ibyt")),
        Some(b'o') => (number("opkt"), number("obyt")),
        _ => (number("ipkt") + number("opkt"), number("ibyt") + number("obyt")),
    };
    let millis = millis(&text("te")).saturating_sub(millis(&text("ts")));
    let rate = |amount: u128| amount.checked_div(millis).unwrap_or_default();
    match name.trim_start_matches(['i', 'o']) {
        "flows" => (number("fl"), String::new()),
        "packets" | "pkg" => (packets, String::new()),
        "bytes" | "byte" => (bytes, String::new()),
        "pps" => (rate(packets * 1000), String::new()),
        "bps" => (rate(bytes * 8000), String::new()),
        "bpp" => (bytes.checked_div(packets).unwrap_or_default(), String::new()),
        "tstart" => (0, text("ts")),
        "tend" => (0, text("te")),
        "duration" => (millis, String::new()),
        other => panic!("{other}: no such order"),
    }
}

/// Milliseconds since 1970 of a listed time.
fn millis(time: &str) -> u128 {
    let time: Option<Timestamp> = format!("{}Z", time.replace(' ', "T")).parse().ok();
    time.and_then(|time| u128::try_from(time.as_nanos() / 1_000_000).ok()).unwrap_or_default()
}

/// Rows that differ in times and counters only, as one.
fn joined(rows: &[Row]) -> Vec<Row> {
    let mut groups: BTreeMap<Vec<String>, Row> = BTreeMap::new();
    for row in rows {
        let (numbers, key) = row.split_at_checked(NUMBERS).unwrap_or_else(|| panic!("{row:?}: too short"));
        match groups.get_mut(key) {
            None => drop(groups.insert(key.to_vec(), row.clone())),
            Some(group) => add(group, numbers),
        }
    }
    groups.into_values().collect()
}

/// Columns of [`RECORD`] that are times and counters.
const NUMBERS: usize = 7;

fn add(group: &mut Row, numbers: &[String]) {
    for (at, (sum, more)) in group.iter_mut().zip(numbers).enumerate() {
        match at {
            0 => *sum = sum.clone().min(more.clone()),
            1 => *sum = sum.clone().max(more.clone()),
            _ => {
                let number = |text: &str| text.parse::<u128>().unwrap_or_default();
                *sum = (number(sum) + number(more)).to_string();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(first: &str, bytes: &str, addr: &str) -> Row {
        [first, "2024-03-12 14:00:01.000", "1", bytes, "0", "0", "1", "6", addr, "1", "x", "2"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn rows_that_look_alike_are_one() {
        let rows = [record("b", "10", "0"), record("a", "5", "0"), record("c", "1", "z")];
        let joined = joined(&rows);
        assert_eq!(joined.len(), 2);
        assert_eq!(joined[0][..4], ["a", "2024-03-12 14:00:01.000", "2", "15"]);
    }

    #[test]
    fn ties_may_stand_in_any_order_and_others_not() {
        let (a, b, c) = (record("t", "5", "a"), record("t", "5", "b"), record("t", "9", "c"));
        let by_bytes = Listing { order: Some("bytes".to_owned()), ..Listing::default() };
        let theirs = [c.clone(), a.clone(), b.clone()];
        let (tied, wrong) = ([c.clone(), b.clone(), a.clone()], [a.clone(), c.clone(), b.clone()]);
        assert!(records(&theirs, &tied, &by_bytes).is_empty());
        assert!(!records(&theirs, &wrong, &by_bytes).is_empty());
        let only_ours = Listing { only_ours: true, ..by_bytes };
        assert!(records(&wrong, &theirs, &only_ours).is_empty());
        assert!(!records(&theirs, &wrong, &only_ours).is_empty());
        assert!(!records(&theirs, &[a, b], &Listing { groups: true, ..Listing::default() }).is_empty());
    }

    #[test]
    fn rates_are_those_of_the_listed_times() {
        let row = record("2024-03-12 14:00:00.000", "1000", "a");
        assert_eq!(record_key(&row, "bps:a").0, 8000);
        assert_eq!(record_key(&row, "obpp").0, 0);
        assert_eq!(record_key(&row, "duration").0, 1000);
    }
}
