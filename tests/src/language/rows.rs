//! What both programs print for a command line, as rows that can be compared: statistics as CSV, records in chosen columns,
//! and text as it is.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::Tool;

/// A program that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Debian's nfdump, the referee.
    Nfdump,
    /// Ours.
    Flowdump,
}

/// A printed row: its values, without the blanks around them.
pub type Row = Vec<String>;

/// The columns of a statistic in CSV, as both programs order them.
pub const STATISTIC: [&str; 14] =
    ["ts", "te", "td", "pr", "val", "fl", "flP", "pkt", "pktP", "byt", "bytP", "pps", "bps", "bpp"];

/// The columns that records are printed in, by their tags: times, counters, and after them what tells records apart.
pub const RECORD: [&str; 12] =
    ["ts", "te", "ipkt", "ibyt", "opkt", "obyt", "fl", "pr", "sa", "sp", "da", "dp"];

/// What `-A` may name, and the tag of its column, where that is none of [`RECORD`].
const ELEMENTS: [(&str, &str); 32] = [
    ("tos", "stos"),
    ("srctos", "stos"),
    ("dsttos", "dtos"),
    ("srcmask", "smk"),
    ("dstmask", "dmk"),
    ("srcvlan", "svln"),
    ("dstvlan", "dvln"),
    ("srcas", "sas"),
    ("dstas", "das"),
    ("nextas", "nas"),
    ("prevas", "pas"),
    ("inif", "in"),
    ("outif", "out"),
    ("next", "nh"),
    ("bgpnext", "nhb"),
    ("router", "ra"),
    ("insrcmac", "ismc"),
    ("outdstmac", "odmc"),
    ("indstmac", "idmc"),
    ("outsrcmac", "osmc"),
    ("mpls1", "mpls1"),
    ("mpls2", "mpls2"),
    ("mpls3", "mpls3"),
    ("mpls4", "mpls4"),
    ("mpls5", "mpls5"),
    ("mpls10", "mpls10"),
    ("odid", "odid"),
    ("opid", "opid"),
    ("xsrcip", "xsa"),
    ("xdstip", "xda"),
    ("xsrcport", "xsp"),
    ("xdstport", "xdp"),
];

impl Program {
    /// The rows of a statistic; `words` are the command line without the input.
    ///
    /// # Errors
    /// What the program said, when it refuses the command line.
    pub fn statistic(self, file: &Path, words: &[String]) -> Result<Vec<Row>, String> {
        let text = self.printed(file, &["-q", "-N", "-o", "csv"], words)?;
        let is_row = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit() || c == ',');
        Ok(text.lines().filter(is_row).map(|line| row(line.split(','))).collect())
    }

    /// Records in the columns of [`RECORD`] and of the elements that `-A` names.
    ///
    /// # Errors
    /// What the program said, when it refuses the command line.
    pub fn records(self, file: &Path, words: &[String]) -> Result<Vec<Row>, String> {
        let elements = words.windows(2).filter(|pair| pair[0] == "-A").flat_map(|pair| pair[1].split(','));
        let named = elements.filter_map(|name| ELEMENTS.iter().find(|(element, _)| *element == name));
        let columns = RECORD.iter().chain(named.map(|(_, tag)| tag)).map(|tag| format!("%{tag}"));
        let format = format!("fmt:{MARK}{}", columns.collect::<Vec<_>>().join("|"));
        let text = self.printed(file, &["-q", "-N", "-6", "-o", &format], words)?;
        let lines = text.lines().filter_map(|line| line.strip_prefix(MARK));
        Ok(lines.map(|line| row(line.split('|'))).filter(|row| !is_about_a_tunnel(row)).collect())
    }

    /// All lines up to the summary, each as its words.
    ///
    /// # Errors
    /// What the program said, when it refuses the command line.
    pub fn text(self, file: &Path, words: &[String]) -> Result<Vec<Row>, String> {
        let text = self.printed(file, &[], words)?;
        let lines = text.lines().take_while(|line| !line.starts_with("Summary"));
        // Times are UTC in both, and flowdump says so.
        let words = lines.map(|line| row(line.split_whitespace().filter(|word| *word != "(UTC)")));
        Ok(words.filter(|row| !row.is_empty()).collect())
    }

    fn printed(self, file: &Path, options: &[&str], words: &[String]) -> Result<String, String> {
        match self {
            Self::Flowdump => {
                let run = Tool::flowdump().arg("-r").arg(file).args(options).args(words).run();
                if run.code == Some(0) { Ok(run.stdout) } else { Err(run.stderr) }
            }
            Self::Nfdump => {
                let run = Command::new("nfdump")
                    .arg("-r")
                    .arg(file)
                    .args(options)
                    .args(words)
                    .env("TZ", "UTC")
                    .stdin(Stdio::null())
                    .output()
                    .unwrap_or_else(|error| panic!("nfdump: {error}"));
                let text = String::from_utf8_lossy(&run.stdout).into_owned();
                if run.status.success() { Ok(text) } else { Err(text) }
            }
        }
    }
}

const MARK: &str = "record|";

fn row<'a>(values: impl Iterator<Item = &'a str>) -> Row {
    values.map(normal_value).collect()
}

/// What a record does not have is 0 in nfdump's columns: a number, an address, a label or a time of zeros. Its numbers of
/// observation are hexadecimal, and its directions numbers.
pub(super) fn normal_value(text: &str) -> String {
    let value = text.trim();
    let hexadecimal = value.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match (value, hexadecimal) {
        (_, Some(number)) => number.to_string(),
        ("egress", _) => "1".to_owned(),
        _ if NOTHING.contains(&value) || value.starts_with("1970-01-01 00:00:00") => "0".to_owned(),
        _ => value.to_owned(),
    }
}

/// The last ones are no duration, and type and code of ICMP in the place of a port.
const NOTHING: [&str; 12] = [
    "",
    "-",
    "0.0.0.0",
    "::",
    "00:00:00:00:00:00",
    "0-0-0",
    "........",
    "ingress",
    "<empty>",
    "<none>",
    "0.000",
    "0.0",
];

/// Before a record from a tunnel nfdump prints a line about the tunnel, without any counter.
fn is_about_a_tunnel(row: &Row) -> bool {
    row.get(2..7).is_some_and(|counters| counters.iter().all(|counter| counter == "0"))
}

/// The words of a command line, with single quotes around those that have blanks in them.
pub fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_cut_into_words() {
        assert_eq!(
            words("-s srcip/bytes -n 3 'proto tcp' x"),
            ["-s", "srcip/bytes", "-n", "3", "proto tcp", "x"]
        );
    }
}
