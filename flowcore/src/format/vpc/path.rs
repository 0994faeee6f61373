//! What the path of an AWS flow log says: account, region, flow log and the five minutes it was written for.
//!
//! In goes a path, out come the parts that it names; nothing is opened. Both layouts of folders are understood, with or
//! without the id of an organisation, and the names of files wherever they lie ("Flow log files",
//! <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html>):
//!
//! ```text
//! AWSLogs/<account>/vpcflowlogs/<region>/2023/09/28/
//! AWSLogs/aws-account-id=<account>/aws-service=vpcflowlogs/aws-region=<region>/year=2023/month=09/day=28/
//! <account>_vpcflowlogs_<region>_<flow log>_20230928T1620Z_<hash>.log.gz
//! ```

use std::path::Path;

use crate::record::{Field, FieldSet, NANOS_PER_SEC, Text, Timestamp};

/// What a path says; what it does not say is `None`.
///
/// ```
/// use flowcore::format::vpc::LogPath;
/// let path = "in/123456789012_vpcflowlogs_eu-west-3_fl-0c5d_20230928T1620Z_1e4feae1.log.gz".as_ref();
/// let path = LogPath::of(path);
/// assert_eq!((path.account, path.region), (Some("123456789012"), Some("eu-west-3")));
/// assert_eq!(path.slot, "2023-09-28T16:20Z".parse().ok());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogPath<'a> {
    /// The account that the flow log belongs to, 12 digits.
    pub account: Option<&'a str>,
    /// The region it is in, such as `eu-west-3`.
    pub region: Option<&'a str>,
    /// The flow log's id, `fl-` and hexadecimal digits.
    pub flow_log: Option<&'a str>,
    /// The time in the file's name: where the five minutes begin that it was written for.
    pub slot: Option<Timestamp>,
}

/// Length of a slot: files are written every five minutes.
pub(crate) const SLOT: i64 = 300 * NANOS_PER_SEC;
/// How much earlier or later than its slot a record can be by late delivery.
const SLACK: i64 = 900 * NANOS_PER_SEC;
/// How far from the time in a file's name its records can end: files hold the five minutes from that time on, older ones
/// those before it.
pub(crate) const REACH: i64 = SLOT + SLACK;

impl<'a> LogPath<'a> {
    /// What this path says. The name of the file counts before those of folders.
    pub fn of(path: &'a Path) -> Self {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let in_name = path.file_name().and_then(|name| name.to_str()).and_then(of_name);
        let in_folders = of_folders(&parts);
        let Self { account, region, flow_log, slot } = in_name.unwrap_or_default();
        Self { account: account.or(in_folders.account), region: region.or(in_folders.region), flow_log, slot }
    }

    /// Whether no record of the file can lie in this window, both ends included, by the time in its name. Records are
    /// taken to end within 20 minutes of it; an end of the window that is `None` is open.
    pub fn is_outside(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        self.slot.is_some_and(|slot| {
            from.is_some_and(|from| slot.saturating_add(REACH) < from)
                || to.is_some_and(|to| slot.saturating_add(-REACH) > to)
        })
    }

    /// The wanted fields that the path has a value for and the columns of a log, which say more, have not.
    pub(crate) fn values(&self, wanted: FieldSet, has_column: impl Fn(Field) -> bool) -> Vec<(Field, Text)> {
        let said =
            [(Field::Account, self.account), (Field::Region, self.region), (Field::FlowLog, self.flow_log)];
        let missing = said.into_iter().filter(|(field, _)| wanted.contains(*field) && !has_column(*field));
        missing.filter_map(|(field, value)| Some((field, value?.into()))).collect()
    }
}

/// The parts of a file's name, all of them or none.
fn of_name(name: &str) -> Option<LogPath<'_>> {
    let mut parts = name.splitn(6, '_');
    let mut next = |is_right: fn(&str) -> bool| parts.next().filter(|part| is_right(part));
    let account = next(is_account)?;
    next(is_service)?;
    let region = next(is_region)?;
    let flow_log = next(is_flow_log)?;
    let slot = slot(next(|_| true)?)?;
    next(|rest| !rest.is_empty())?;
    Some(LogPath { account: Some(account), region: Some(region), flow_log: Some(flow_log), slot: Some(slot) })
}

/// The account and the region of the innermost folders that name both.
fn of_folders<'a>(parts: &[&'a str]) -> LogPath<'a> {
    let said = |triple: &[&'a str]| {
        let [account, service, region] = *triple else { return None };
        let plain = (account, service, region);
        let hive = plain.0.strip_prefix("aws-account-id=").and_then(|account| {
            Some((account, service.strip_prefix("aws-service=")?, region.strip_prefix("aws-region=")?))
        });
        let (account, service, region) = hive.unwrap_or(plain);
        (is_account(account) && is_service(service) && is_region(region)).then_some((account, region))
    };
    let (account, region) = parts.windows(3).rev().find_map(said).unzip();
    LogPath { account, region, ..LogPath::default() }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_service(text: &str) -> bool {
    text == "vpcflowlogs"
}

/// Two or more words and a number, as `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    text.rsplit_once('-').is_some_and(|(words, number)| {
        words.contains('-')
            && words.split('-').all(is_word)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_flow_log(text: &str) -> bool {
    text.strip_prefix("fl-")
        .is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The time that is written `20230928T1620Z`.
fn slot(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, 8) || !digits(time, 4) {
        return None;
    }
    let (year, date) = date.split_at_checked(4)?;
    let (month, day) = date.split_at_checked(2)?;
    let (hour, minute) = time.split_at_checked(2)?;
    format!("{year}-{month}-{day}T{hour}:{minute}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: &str =
        "123456789012_vpcflowlogs_eu-central-1_fl-0c5d1e9ab37f4420d_20240312T1405Z_0a789423.log.gz";
    const PLAIN: &str = "bucket/prefix/AWSLogs/123456789012/vpcflowlogs/eu-central-1/2024/03/12/14";
    const ORGANISED: &str = "AWSLogs/o-a1b2c3d4e5/123456789012/vpcflowlogs/eu-central-1/2024/03/12";
    const HIVE: &str = "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-central-1/\
                        year=2024/month=03/day=12/hour=14";

    fn of(path: &str) -> LogPath<'_> {
        LogPath::of(Path::new(path))
    }

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn names_of_files_say_all() {
        let all = LogPath {
            account: Some("123456789012"),
            region: Some("eu-central-1"),
            flow_log: Some("fl-0c5d1e9ab37f4420d"),
            slot: at("2024-03-12T14:05Z"),
        };
        assert_eq!(of(NAME), all);
        for suffix in [".log.parquet", ".log", ".log.zst", "(1).log.gz"] {
            let path = format!("{PLAIN}/{}", NAME.replace(".log.gz", suffix));
            assert_eq!(of(&path), all, "{suffix}");
        }
    }

    #[test]
    fn folders_of_each_layout_say_account_and_region() {
        let some =
            LogPath { account: Some("123456789012"), region: Some("eu-central-1"), ..LogPath::default() };
        for folder in [PLAIN, ORGANISED, HIVE, "AWSLogs/x/../123456789012/vpcflowlogs/eu-central-1"] {
            assert_eq!(of(&format!("{folder}/renamed.log.gz")), some, "{folder}");
        }
        // The innermost folders count, and the name before them.
        let copied = format!("case/111111111111/vpcflowlogs/us-east-1/{PLAIN}/x.log");
        assert_eq!(of(&copied), some);
        let path = format!("AWSLogs/111111111111/vpcflowlogs/us-east-1/{NAME}");
        assert_eq!(of(&path).account, Some("123456789012"));
    }

    #[test]
    fn what_only_resembles_them_is_unknown() {
        for path in [
            "",
            "-",
            "investigate.log.gz",
            "AWSLogs/12345678901/vpcflowlogs/eu-central-1/a.log",
            "AWSLogs/123456789012/CloudTrail/eu-central-1/a.log",
            "AWSLogs/123456789012/vpcflowlogs/2024/a.log",
            "AWSLogs/aws-account-id=123456789012/vpcflowlogs/eu-central-1/a.log",
            "123456789012_vpcflowlogs_eu-central-1_fl-0c5d_20240312T1405Z",
            "123456789012_vpcflowlogs_eu-central-1_fl-0c5d_20240312T1405Z_",
            "123456789012_vpcflowlogs_eu-central-1_fl-0c5d_20240312T1465Z_x.log",
            "123456789012_vpcflowlogs_eu-central-1_fl-0c5d_20240231T1400Z_x.log",
            "123456789012_vpcflowlogs_eu-central-1_fl-0c5d_2024031221405Z_x.log",
            "123456789012_vpcflowlogs_eu-central-1_fl-_20240312T1405Z_x.log",
            "123456789012_vpcflowlogs_central_fl-0c5d_20240312T1405Z_x.log",
            "123456789012_CloudTrail_eu-central-1_20240312T1405Z_x.json.gz",
        ] {
            assert_eq!(of(path), LogPath::default(), "{path}");
        }
    }

    #[test]
    fn regions_of_all_partitions_are_known() {
        for region in ["us-east-1", "us-gov-west-1", "cn-northwest-1", "us-isob-east-1", "eusc-de-east-1"] {
            assert!(is_region(region), "{region}");
        }
        for other in ["", "1", "east-1", "us-east", "us--1", "us-east-", "us-east-1a", "US-east-1"] {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn files_are_outside_20_minutes_from_the_window() {
        let path = of(NAME);
        for (from, to, expected) in [
            (None, None, false),
            (at("2024-03-12T14:25Z"), None, false),
            (at("2024-03-12T14:25:01Z"), None, true),
            (None, at("2024-03-12T13:45Z"), false),
            (None, at("2024-03-12T13:44:59Z"), true),
            (at("2024-03-12T14:00Z"), at("2024-03-12T14:01Z"), false),
            (Some(Timestamp::MIN), Some(Timestamp::MAX), false),
            (Some(Timestamp::MAX), None, true),
        ] {
            assert_eq!(path.is_outside(from, to), expected, "{from:?} {to:?}");
            assert!(!of("renamed.log").is_outside(from, to));
        }
    }

    #[test]
    fn columns_come_before_paths() {
        let wanted = FieldSet::from([Field::Account, Field::Region, Field::Bytes]);
        let values = of(NAME).values(wanted, |field| field == Field::Account);
        assert_eq!(values, [(Field::Region, "eu-central-1".into())]);
        assert!(of("a.log").values(FieldSet::all(), |_| false).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_written_into_a_path_is_read(
            account in "[0-9]{12}",
            region in "[a-z]{2,4}(-[a-z]{1,9}){1,3}-[0-9]{1,2}",
            flow_log in "fl-[0-9a-f]{8,17}",
            minute in 0_i64..80_000_000,
            hash in "[0-9a-f]{8}",
            folder in prop::sample::select(vec!["", PLAIN, ORGANISED, HIVE]),
        ) {
            let slot = Timestamp::from_secs(minute * 60);
            let t = slot.civil();
            let stamp = format!("{:04}{:02}{:02}T{:02}{:02}Z", t.year, t.month, t.day, t.hour, t.minute);
            let path = format!("{folder}/{account}_vpcflowlogs_{region}_{flow_log}_{stamp}_{hash}.log.gz");
            let expected = LogPath {
                account: Some(&account),
                region: Some(&region),
                flow_log: Some(&flow_log),
                slot: Some(slot),
            };
            prop_assert_eq!(of(&path), expected);
        }

        #[test]
        fn any_text_is_a_path(path in "(/|_|-|=|vpcflowlogs|[0-9]{12}|20240312T1405Z|\\PC){0,30}") {
            let path = LogPath::of(Path::new(&path));
            prop_assert!(path.flow_log.is_some() == path.slot.is_some());
        }
    }
}
