//! Names of columns in JSON and CSV: which AWS column a name means, and whether names speak for a flow log.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::columns;
use crate::record::Field;

/// The AWS name of a column: written with hyphens or underscores, or as CloudWatch Logs Insights writes it
/// (`srcAddr`, `startTime`). `None` for other names.
pub(super) fn column(name: &str) -> Option<&'static str> {
    match name {
        "startTime" => Some(Field::First.info().aws),
        "endTime" => Some(Field::Last.info().aws),
        _ => columns::field(name).or_else(|| camel_case(name)).map(|field| field.info().aws),
    }
}

/// The name that CloudWatch Logs gives the time of an event, which is the `start` of the record in it.
pub(super) const EVENT_TIME: &str = "@timestamp";

/// Whether a name is that of a whole record's text, in CloudWatch Logs and everything that forwards from there.
pub(super) fn is_message(name: &str) -> bool {
    matches!(name, "message" | "@message")
}

/// Whether a name is that of an end of a flow. Where such names stand, a message beside them is a remark.
pub(super) fn is_end(name: &str) -> bool {
    matches!(name, "srcaddr" | "dstaddr" | "srcAddr" | "dstAddr")
}

/// Whether names speak for a table of flow log records: all are known, or half of them with an address among them, or many.
/// Other logs share words such as `action` and `region` with flow logs.
pub(super) fn are_of_log<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let (mut count, mut known, mut has_address) = (0, 0, false);
    for name in names {
        count += 1;
        if let Some(name) = column(name) {
            known += 1;
            has_address |= ADDRESSES.contains(&name);
        }
    }
    known > 1 && (known == count || has_address && (known * 2 >= count || known >= columns::MANY_KNOWN))
}

const ADDRESSES: [&str; 4] = ["srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr"];

/// The field whose AWS name, without its hyphens, is this name in capitals and small letters.
fn camel_case(name: &str) -> Option<Field> {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) || name.contains(['-', '_']) {
        return None;
    }
    static FIELDS: LazyLock<HashMap<String, Field>> = LazyLock::new(|| {
        let named = Field::all().map(|field| (field.info().aws.replace('-', ""), field));
        named.filter(|(name, _)| !name.is_empty()).collect()
    });
    FIELDS.get(&name.to_ascii_lowercase()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_many_spellings() {
        for (name, expected) in [
            ("account-id", Some("account-id")),
            ("account_id", Some("account-id")),
            ("accountId", Some("account-id")),
            ("pktSrcAwsService", Some("pkt-src-aws-service")),
            ("srcAddr", Some("srcaddr")),
            ("startTime", Some("start")),
            ("endTime", Some("end")),
            ("logStatus", Some("log-status")),
            ("start_time", None),
            ("src_addr", None),
            ("@message", None),
            ("", None),
        ] {
            assert_eq!(column(name), expected, "{name}");
        }
    }

    #[test]
    fn names_of_a_log_are_told_from_others() {
        let check = |names: &str| are_of_log(names.split(' '));
        assert!(check("version account_id interface_id"));
        assert!(check("srcAddr dstAddr sum(bytes) count(*)"));
        assert!(!check("action bytes region first last"));
        assert!(!check("srcaddr other more"));
        assert!(!check("bytes"));
        assert!(!check(""));
    }
}
