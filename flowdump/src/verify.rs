//! `-v`: reads all of a flow file or an nfdump file and says what it is and whether it is sound.
//!
//! In: the file. Out: `name: value` lines on stdout, one for each problem among them; the outcome says whether there are
//! any.

use std::io::{self, Write};
use std::path::Path;

use flowcore::format::flow::{self, FlowFileReader};
use flowcore::format::nfdump;
use flowcore::{
    CountedFile, Detection, Error, FlowBatch, FlowSource, Format, Input, ReadRequest, Result, SourceStats,
    Totals,
};

use crate::exit::Outcome;
use crate::print::{terminal_lines, unknown_parts};

/// Verifies one file.
///
/// # Errors
/// When it is not there, compressed as a whole, of another format, or stdout cannot be written.
pub(crate) fn run(path: &Path, detection: Detection) -> Result<Outcome> {
    let (name, format, file) = open(path, detection)?;
    let report = match format {
        Format::Flow => flow_file(file, open(path, detection)?.2, &name)?,
        Format::Nfdump => nfdump_file(file, &name)?,
        _ => {
            let what = format!("a file of format {format}; -v verifies flow files and nfdump files");
            return Err(Error::unsupported(what).in_input(name));
        }
    };
    report.print(&name, &mut io::stdout().lock())?;
    Ok(if report.is_sound() { Outcome::Complete } else { Outcome::Incomplete })
}

fn open(path: &Path, detection: Detection) -> Result<(String, Format, CountedFile)> {
    let input = Input::open(path, detection)?;
    let (name, format) = (input.name().to_owned(), input.format());
    let what = "-v needs a file that is not compressed as a whole";
    let file = input.into_file().map_err(|_| Error::unsupported(what).in_input(&name))?;
    Ok((name, format, file))
}

/// What was found.
struct Report {
    /// What the file is.
    facts: Vec<(&'static str, String)>,
    /// Whether sums that the file holds are those of its flows; `None` if it has none.
    statistics_agree: Option<bool>,
    totals: Totals,
    stats: SourceStats,
    /// Of nfdump files.
    sequence_failures: Option<u64>,
}

fn nfdump_file(file: CountedFile, name: &str) -> Result<Report> {
    let found = nfdump::verify(file, name)?;
    let info = found.info;
    let facts = vec![
        ("Format", format!("nfdump, layout {}", info.version)),
        ("Written by", format!("{} {}", info.creator, info.creator_version)),
        ("Created", info.created.map_or_else(|| "-".into(), |time| time.to_string())),
        ("Compression", info.compression.to_owned()),
        ("Ident", info.ident),
    ];
    let statistics_agree = found.statistics_agree;
    let sequence_failures = Some(info.sequence_failures);
    Ok(Report { facts, statistics_agree, totals: info.totals, stats: found.stats, sequence_failures })
}

/// The file is read twice: what it says of itself, then all of it.
fn flow_file(about: CountedFile, file: CountedFile, name: &str) -> Result<Report> {
    let info = flow::read_info(about, name)?;
    let mut reader = FlowFileReader::open_file(file, name, &ReadRequest::default())?;
    let (mut totals, mut batch) = (Totals::default(), FlowBatch::new());
    while reader.read_batch(&mut batch)? {
        totals.add(&batch);
    }
    let facts = vec![
        ("Format", format!("flow, version {}", info.version)),
        ("Written by", info.creator),
        ("Compression", info.compression.join(", ")),
        ("Ident", info.ident),
    ];
    let statistics_agree = info.complete.then(|| totals == info.totals);
    Ok(Report { facts, statistics_agree, totals, stats: reader.stats(), sequence_failures: None })
}

impl Report {
    fn is_sound(&self) -> bool {
        let Self { stats, .. } = self;
        stats.problems.is_empty() && stats.bad_records == 0 && self.statistics_agree != Some(false)
    }

    fn print(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let mut line = |name: &str, value: &str| match value {
            "" => writeln!(out, "{name}: -"),
            _ => writeln!(out, "{name}: {}", terminal_lines(value)),
        };
        line("File", name)?;
        self.facts.iter().try_for_each(|(name, value)| line(name, value))?;
        line("Blocks", &self.stats.blocks.to_string())?;
        line("Records", &self.totals.rows().to_string())?;
        for (name, time) in [("First", self.totals.first()), ("Last", self.totals.last())] {
            line(name, &time.map_or_else(String::new, |time| time.to_string()))?;
        }
        line(
            "Statistics",
            match self.statistics_agree {
                Some(true) => "agree with the records",
                Some(false) => "differ from the records",
                None => "none",
            },
        )?;
        if self.stats.bad_records > 0 {
            line("Records that cannot be used", &self.stats.bad_records.to_string())?;
        }
        for what in unknown_parts(&self.stats) {
            line("Not understood", &what)?;
        }
        self.stats.problems.report("Problem", out)?;
        self.sequence_failures.map_or(Ok(()), |count| writeln!(out, "Sequence failures: {count}"))?;
        writeln!(out, "Sound: {}", if self.is_sound() { "yes" } else { "no" })
    }
}
