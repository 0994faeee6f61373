//! The orders AWS writes, recognised from the first record of a log without header line.

use super::columns::words;
use super::record::is_status;
use crate::record::Timestamp;

/// The columns of VPC flow logs in the order of the AWS documentation; the first 14 are the default format.
const TABLE_ORDER: [&str; 54] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "type",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "region",
    "az-id",
    "sublocation-type",
    "sublocation-id",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
    "ecs-cluster-arn",
    "ecs-cluster-name",
    "ecs-container-instance-arn",
    "ecs-container-instance-id",
    "ecs-container-id",
    "ecs-second-container-id",
    "ecs-service-name",
    "ecs-task-definition-arn",
    "ecs-task-arn",
    "ecs-task-id",
    "reject-reason",
    "resource-id",
    "encryption-status",
    "instance-tag",
    "instance-tag-2",
    "interface-tag",
    "interface-tag-2",
    "asg-tag",
    "asg-tag-2",
    "interface-type",
    "next-hop-interface-id",
    "next-hop-subnet-id",
    "next-hop-az-id",
    "next-hop-vpc-id",
    "next-hop-interface-type",
];
/// Number of columns of "everything up to" versions 2, 3, 4, 5, 7, 8, 9, 10 and 11.
const TABLE_WIDTHS: [usize; 9] = [14, 21, 25, 29, 39, 40, 41, 42, 54];
/// Where the status stands in table order.
const TABLE_STATUS: usize = 13;

/// The columns up to version 5 by name, as the console's "select all" gives them.
const SORTED_ORDER: [&str; 29] = [
    "account-id",
    "action",
    "az-id",
    "bytes",
    "dstaddr",
    "dstport",
    "end",
    "flow-direction",
    "instance-id",
    "interface-id",
    "log-status",
    "packets",
    "pkt-dst-aws-service",
    "pkt-dstaddr",
    "pkt-src-aws-service",
    "pkt-srcaddr",
    "protocol",
    "region",
    "srcaddr",
    "srcport",
    "start",
    "sublocation-id",
    "sublocation-type",
    "subnet-id",
    "tcp-flags",
    "traffic-path",
    "type",
    "version",
    "vpc-id",
];
/// Where the status stands in that order.
const SORTED_STATUS: usize = 10;

/// The default format of transit gateway flow logs.
const TRANSIT_GATEWAY_ORDER: [&str; 36] = [
    "version",
    "resource-type",
    "account-id",
    "tgw-id",
    "tgw-attachment-id",
    "tgw-src-vpc-account-id",
    "tgw-dst-vpc-account-id",
    "tgw-src-vpc-id",
    "tgw-dst-vpc-id",
    "tgw-src-subnet-id",
    "tgw-dst-subnet-id",
    "tgw-src-eni",
    "tgw-dst-eni",
    "tgw-src-az-id",
    "tgw-dst-az-id",
    "tgw-pair-attachment-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "log-status",
    "type",
    "packets-lost-no-route",
    "packets-lost-blackhole",
    "packets-lost-mtu-exceeded",
    "packets-lost-ttl-expired",
    "tcp-flags",
    "region",
    "flow-direction",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
];

/// The columns of a record, not counting the time of an export; `None` if it is in no order that AWS writes.
pub(super) fn columns(record: &str) -> Option<&'static [&'static str]> {
    let values: Vec<&str> = words(record).skip(export_time(record)).take(TABLE_ORDER.len() + 1).collect();
    let has_version = values.first().is_some_and(|value| is_version(value));
    let status_at = |at: usize| values.get(at).is_some_and(|value| is_status(value));
    let gateway = values.get(1).is_some_and(|value| value.starts_with("TransitGateway"));
    match values.len() {
        36 if has_version && gateway => Some(&TRANSIT_GATEWAY_ORDER),
        width if has_version && TABLE_WIDTHS.contains(&width) && status_at(TABLE_STATUS) => {
            TABLE_ORDER.get(..width)
        }
        29 if status_at(SORTED_STATUS) => Some(&SORTED_ORDER),
        _ => None,
    }
}

/// The columns of the default format.
pub(super) fn default_columns() -> &'static [&'static str] {
    let [width, ..] = TABLE_WIDTHS;
    TABLE_ORDER.get(..width).unwrap_or_default()
}

/// The columns of the default format of transit gateways.
pub(super) const fn default_gateway_columns() -> &'static [&'static str] {
    &TRANSIT_GATEWAY_ORDER
}

/// Every column that AWS has, in table order, then those of transit gateways alone.
pub(super) fn every_column() -> impl Iterator<Item = &'static str> {
    let of_gateways = TRANSIT_GATEWAY_ORDER.iter().filter(|name| !TABLE_ORDER.contains(name));
    TABLE_ORDER.iter().chain(of_gateways).copied()
}

/// Values before the record: 1 where a CloudWatch Logs export has put the time of the event, else 0.
pub(super) fn export_time(record: &str) -> usize {
    let is_time = |word: &str| word.as_bytes().get(10) == Some(&b'T') && word.parse::<Timestamp>().is_ok();
    usize::from(words(record).next().is_some_and(is_time))
}

fn is_version(value: &str) -> bool {
    (1..=3).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;

    #[test]
    fn every_name_is_a_known_column() {
        for name in TABLE_ORDER.iter().chain(&SORTED_ORDER).chain(&TRANSIT_GATEWAY_ORDER) {
            assert!(Field::from_aws(name).is_some(), "{name}");
        }
        assert_eq!((TABLE_ORDER[TABLE_STATUS], SORTED_ORDER[SORTED_STATUS]), ("log-status", "log-status"));
        let mut sorted = TABLE_ORDER[..29].to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, SORTED_ORDER);
    }

    /// A record with a version, and the status at this place.
    fn record(width: usize, status: usize) -> String {
        let value = |at| match at {
            0 => "3",
            at if at == status => "NODATA",
            _ => "-",
        };
        (0..width).map(value).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn table_order_needs_its_width_and_its_status() {
        for width in 1..60 {
            let expected = TABLE_WIDTHS.contains(&width).then(|| &TABLE_ORDER[..width]);
            assert_eq!(columns(&record(width, 13)), expected, "{width}");
            let exported = format!("2023-09-28T23:59:05.000Z {}", record(width, 13));
            assert_eq!(columns(&exported), expected, "{width}");
            let sorted = (width == 29).then_some(&SORTED_ORDER[..]);
            assert_eq!(columns(&record(width, 10)), sorted, "{width}");
        }
        assert_eq!(columns(&record(14, 13).replacen('3', "eni-1", 1)), None);
        assert_eq!(columns(&record(14, 13).replacen('3', "1695921755", 1)), None);
    }

    #[test]
    fn every_field_of_aws_has_a_column() {
        let columns: Vec<&str> = every_column().collect();
        for field in Field::all().filter(|field| !field.info().aws.is_empty()) {
            let count = columns.iter().filter(|name| **name == field.info().aws).count();
            assert_eq!(count, 1, "{field}");
        }
        assert_eq!((default_columns().len(), default_gateway_columns().len()), (14, 36));
    }

    #[test]
    fn transit_gateways_name_themselves() {
        for (kind, width, known) in [
            ("TransitGateway", 36, true),
            ("TransitGatewayAttachment", 36, true),
            ("TransitGateway", 35, false),
            ("Interface", 36, false),
        ] {
            let record = record(width, 25).replacen("3 -", &format!("6 {kind}"), 1);
            assert_eq!(columns(&record).is_some(), known, "{kind} {width}");
        }
    }
}
