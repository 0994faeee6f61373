//! Which column stands where: from the names of a header line or of the caller to the columns a request reads.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::error::{Error, Result};
use crate::record::{Field, FieldSet, Storage, Text};
use crate::status_rows::WATCHED;

/// Most columns a layout can have. AWS has about a hundred in all.
pub const MAX_COLUMNS: usize = 512;

/// Reads the column names of a log without header, as given on a command line: names separated by spaces or
/// commas, or the format string of the flow log (`aws ec2 describe-flow-logs`).
///
/// ```
/// use flowcore::format::vpc::parse_fields;
/// let names = parse_fields("${srcaddr} ${dstaddr} ${bytes}")?;
/// assert_eq!(names, ["srcaddr", "dstaddr", "bytes"]);
/// assert_eq!(names, parse_fields("srcaddr,dstaddr, bytes")?);
/// # Ok::<(), flowcore::Error>(())
/// ```
///
/// # Errors
/// When there is no name, a name cannot be a column's or comes twice, or there are more than [`MAX_COLUMNS`].
pub fn parse_fields(text: &str) -> Result<Vec<String>> {
    let separators = |c: char| c.is_whitespace() || matches!(c, ',' | '$' | '{' | '}');
    let names: Vec<&str> = text.split(separators).filter(|name| !name.is_empty()).collect();
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        let hint = "names are lower case letters, digits and hyphens, such as srcaddr or account-id";
        return Err(Error::argument(format!("{name:?} is no column of a flow log: {hint}")));
    }
    let repeated = |at: &usize| names[..*at].iter().any(|earlier| is_same(earlier, names[*at]));
    check_count(names.len())?;
    match (1..names.len()).find(repeated) {
        Some(at) => Err(Error::argument(format!("column {} is named twice", names[at]))),
        None => Ok(names.into_iter().map(String::from).collect()),
    }
}

/// An error unless a layout can have so many columns.
pub(super) fn check_count(count: usize) -> Result<()> {
    match count {
        0 => Err(Error::argument("no column is named")),
        1..=MAX_COLUMNS => Ok(()),
        _ => Err(Error::argument(format!("{count} columns are named; at most {MAX_COLUMNS} can be read"))),
    }
}

/// The values of a line: what stands between runs of spaces.
pub(super) fn words(line: &str) -> impl Iterator<Item = &str> + Clone {
    line.split(' ').filter(|word| !word.is_empty())
}

/// Whether a look at the first byte that counts leaves it open that a line names columns, which few records do.
pub(super) fn can_be_header(line: &[u8]) -> bool {
    line.trim_ascii_start().first().is_some_and(u8::is_ascii_lowercase)
}

/// Whether a line names columns: every word can be a name, and the first or half of them are known.
pub(super) fn is_header(line: &str) -> bool {
    let mut names = words(line);
    names.clone().all(is_name) && (names.next().is_some_and(is_known) || enough_known(line))
}

/// Whether a line names columns, when nothing else speaks for a flow log: half of the names are known, or many.
pub(super) fn is_clearly_header(line: &str) -> bool {
    is_header(line) && enough_known(line)
}

fn enough_known(line: &str) -> bool {
    let known = words(line).filter(|name| is_known(name)).count();
    known > 0 && (known * 2 >= words(line).count() || known >= MANY_KNOWN)
}

/// So many known names are no chance, whatever stands beside them.
pub(super) const MANY_KNOWN: usize = 10;

/// A value that begins with a letter could pass for a name; numbers, addresses and `-` cannot.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn is_known(name: &str) -> bool {
    field(name).is_some()
}

/// The field of a column, hyphens and underscores being the same. Quicker than [`Field::from_aws`], as header lines can be
/// many.
pub(super) fn field(name: &str) -> Option<Field> {
    static FIELDS: LazyLock<HashMap<&'static str, Field>> = LazyLock::new(|| {
        let named = Field::all().map(|field| (field.info().aws, field));
        named.filter(|(name, _)| !name.is_empty()).collect()
    });
    match name.contains('_') {
        true => FIELDS.get(name.replace('_', "-").as_str()),
        false => FIELDS.get(name),
    }
    .copied()
}

/// Whether two names are of the same column; the second spelling of AWS has underscores for hyphens.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let plain = |byte| if byte == b'_' { b'-' } else { byte };
    one.len() == other.len() && one.bytes().map(plain).eq(other.bytes().map(plain))
}

/// What a reader does with the values of a line.
#[derive(Debug)]
pub(super) struct Layout {
    /// Values a record must have.
    pub(super) width: usize,
    /// Who says so, for messages: `17 columns, header names 18`.
    pub(super) stated_by: &'static str,
    /// The columns to read whose values can be bad, and those that cannot.
    pub(super) values: Vec<ValueColumn>,
    pub(super) texts: Vec<TextColumn>,
    /// Where `log-status` stands.
    pub(super) status: Option<usize>,
    /// Where both ends of the flow stand.
    pub(super) ends: Option<[usize; 2]>,
    /// Where addresses and counters stand, one of which every flow has; empty if there is no address.
    pub(super) traffic: Vec<usize>,
    /// Where the interface and the window of a row about lost records stand.
    pub(super) interface: Option<usize>,
    pub(super) window: [Option<usize>; 2],
    /// Values of every row, from elsewhere than its columns.
    pub(super) constants: Vec<(Field, Text)>,
    /// The fields that have a column, wanted or not.
    pub(super) fields: FieldSet,
}

/// A column of numbers, times or addresses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValueColumn {
    /// Its place in the line, from 0.
    pub(super) at: usize,
    pub(super) field: Field,
    pub(super) kind: ValueKind,
}

/// How a value is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// A number up to this one.
    Number(u64),
    Time,
    Addr,
}

/// A column of text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TextColumn {
    /// Its place in the line, from 0.
    pub(super) at: usize,
    pub(super) target: TextTarget,
}

/// Where text goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TextTarget {
    Field(Field),
    Unknown(Text),
}

/// What a request reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) fields: FieldSet,
    pub(super) unknown: bool,
}

const ADDRESSES: [Field; 4] = [Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr];
const COUNTERS: [Field; 2] = [Field::InPackets, Field::InBytes];

impl Layout {
    /// A layout of these columns, of which the first `skipped` have no name. Also gives the first name that
    /// comes twice.
    pub(super) fn new<'a>(
        names: &[&'a str],
        skipped: usize,
        stated_by: &'static str,
        wanted: Wanted,
    ) -> (Self, Option<&'a str>) {
        let mut seen = HashSet::new();
        let (used, repeated): (Vec<_>, Vec<_>) =
            names.iter().enumerate().partition(|(_, name)| seen.insert(name.replace('_', "-")));
        let places: HashMap<Field, usize> =
            used.iter().filter_map(|(at, name)| Some((field(name)?, at + skipped))).collect();
        let place = |field| places.get(&field).copied();
        let addresses: Vec<_> = ADDRESSES.into_iter().filter_map(place).collect();
        let counters = COUNTERS.into_iter().filter_map(place).filter(|_| !addresses.is_empty());
        let mut layout = Self {
            width: names.len() + skipped,
            stated_by,
            values: Vec::new(),
            texts: Vec::new(),
            status: place(Field::LogStatus),
            ends: place(Field::SrcAddr).zip(place(Field::DstAddr)).map(|(src, dst)| [src, dst]),
            traffic: addresses.iter().copied().chain(counters).collect(),
            interface: WATCHED.into_iter().find_map(place),
            window: [Field::First, Field::Last].map(place),
            constants: Vec::new(),
            fields: places.keys().copied().collect(),
        };
        used.iter().for_each(|(at, name)| layout.add(at + skipped, name, wanted));
        (layout, repeated.first().map(|(_, name)| **name))
    }

    /// Takes out columns without a field unless they are to be kept; whether all are.
    pub(super) fn retain_unknown(&mut self, mut keep: impl FnMut(&Text) -> bool) -> bool {
        let before = self.texts.len();
        self.texts.retain(|column| match &column.target {
            TextTarget::Field(_) => true,
            TextTarget::Unknown(name) => keep(name),
        });
        self.texts.len() == before
    }

    /// Whether the values of a column go into rows.
    pub(super) fn reads(&self, at: usize) -> bool {
        self.values.iter().any(|column| column.at == at) || self.texts.iter().any(|column| column.at == at)
    }

    /// Whether a column tells what kind of row a row is, or what a row about lost records is about.
    pub(super) fn is_evidence(&self, at: usize) -> bool {
        let places = [self.status, self.interface, self.window[0], self.window[1]];
        places.contains(&Some(at))
            || self.ends.is_some_and(|ends| ends.contains(&at))
            || self.traffic.contains(&at)
    }

    /// Gives the fields that have no column these values.
    pub(super) fn take_constants(&mut self, said: &[(Field, Text)]) {
        let is_missing = |(field, _): &&(Field, Text)| !self.fields.contains(*field);
        self.constants = said.iter().filter(is_missing).cloned().collect();
    }

    /// Adds a column, if it is wanted.
    fn add(&mut self, at: usize, name: &str, wanted: Wanted) {
        let field = field(name);
        if !field.map_or(wanted.unknown, |field| wanted.fields.contains(field)) {
            return;
        }
        let Some(field) = field else {
            return self.texts.push(TextColumn { at, target: TextTarget::Unknown(name.into()) });
        };
        let kind = match field.kind().storage() {
            Storage::Number => ValueKind::Number(field.kind().max_number()),
            Storage::Time => ValueKind::Time,
            Storage::Addr => ValueKind::Addr,
            Storage::Text => return self.texts.push(TextColumn { at, target: TextTarget::Field(field) }),
        };
        self.values.push(ValueColumn { at, field, kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: fn() -> Wanted = || Wanted { fields: FieldSet::all(), unknown: true };

    #[test]
    fn fields_are_given_in_many_spellings() {
        let expected = ["version", "account-id", "tcp_flags"];
        for text in [
            "version account-id tcp_flags",
            "version,account-id,tcp_flags",
            " version, account-id\ttcp_flags ",
            "${version} ${account-id} ${tcp_flags}",
            "${version}${account-id}${tcp_flags}",
        ] {
            assert_eq!(parse_fields(text).unwrap(), expected, "{text}");
        }
        for (text, message) in [
            ("", "no column is named"),
            ("Version", "\"Version\" is no column of a flow log"),
            ("2 1234", "\"2\" is no column"),
            ("log-status start log_status", "column log_status is named twice"),
        ] {
            let error = parse_fields(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(parse_fields(&"x ".repeat(MAX_COLUMNS + 1)).unwrap_err().to_string().contains("513 columns"));
    }

    #[test]
    fn headers_are_told_from_records() {
        for header in [
            "version",
            "srcaddr  brand-new other-new third-new",
            "brand-new bytes",
            "account_id action az_id",
        ] {
            assert!(is_header(header), "{header}");
        }
        for record in [
            "version 2",
            "version -",
            "version,account-id",
            "brand-new other-new bytes",
            "i-0123 eni-0123 vpc-0123",
            "2 123456789010 eni-1 10.0.0.1 10.0.0.2",
            "ACCEPT OK",
            "",
        ] {
            assert!(!is_header(record), "{record}");
        }
        assert!(is_header("start here now") && !is_clearly_header("start here now"));
    }

    #[test]
    fn the_first_of_two_equal_names_counts() {
        let names = ["bytes", "x", "log-status", "x", "log_status"];
        let (layout, repeated) = Layout::new(&names, 1, "header names", ALL());
        assert_eq!(repeated, Some("x"));
        assert_eq!(layout.width, 6);
        assert_eq!(layout.status, Some(3));
        assert_eq!(layout.values.iter().map(|column| column.at).collect::<Vec<_>>(), [1]);
        assert_eq!(layout.texts.iter().map(|column| column.at).collect::<Vec<_>>(), [2, 3]);
        assert!(layout.traffic.is_empty() && layout.ends.is_none());
    }

    #[test]
    fn only_wanted_columns_are_read() {
        let names = ["version", "srcaddr", "dstaddr", "new", "bytes", "log-status"];
        let wanted = Wanted { fields: FieldSet::from([Field::InBytes]), unknown: false };
        let (layout, _) = Layout::new(&names, 0, "header names", wanted);
        let bytes = ValueColumn { at: 4, field: Field::InBytes, kind: ValueKind::Number(u64::MAX) };
        assert_eq!((layout.values, layout.texts), (vec![bytes], vec![]));
        assert_eq!((layout.status, layout.ends), (Some(5), Some([1, 2])));
        assert_eq!(layout.traffic, [1, 2, 4]);
    }
}
