//! The command line resolved: paths that exist, a filter that parses, formats that are known.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowcore::aggregate::Order;
use flowcore::filter::FilterParser;
use flowcore::format::vpc::{VpcOptions, VpcWriterOptions, parse_fields};
use flowcore::{Detection, Error, Field, FieldSet, FileOptions, Filter, Problems, Result, Timestamp};
use pcap2flow::MeterOptions;

use super::format::OutputFormat;
use super::inputs::{detection, inputs_and_filter};
use super::memory;
use super::output;
use super::range::Named;
use super::report::Report;
use super::stitch::{Stitch, Stitched};
use super::window::{Window, now};
use super::{Flags, StatsFormat};

/// What to do.
#[derive(Debug)]
pub struct Plan {
    /// What to make of the records.
    pub report: Report,
    /// Files and folders; `-` is stdin.
    pub inputs: Vec<PathBuf>,
    /// Files that folders of `-M` do not have; the others are read.
    pub missing: Problems,
    /// Which records.
    pub filter: Arc<Filter>,
    /// A window of time that is relative to the flows; any other one is part of the filter.
    pub window: Option<Window>,
    /// How the inputs' formats are found.
    pub detection: Detection,
    /// How VPC logs are read.
    pub vpc: VpcOptions,
    /// How captures are metered.
    pub meter: MeterOptions,
    /// Matching records after which reading stops.
    pub limit: Option<u64>,
    /// Sorting of the list.
    pub order: Option<Order>,
    /// Records printed after sorting, or rows of each statistic; `None` for all.
    pub top: Option<usize>,
    /// Which groups are shown.
    pub post_filter: Option<Filter>,
    /// Rows are joined to connections, which the report is made of.
    pub stitched: Option<Stitched>,
    /// Copies of the same traffic are counted once.
    pub dedup: bool,
    /// Bytes that groups may take, and rows among which copies are looked for.
    pub memory: usize,
    /// Text format of the list.
    pub output: OutputFormat,
    /// Where records go instead of stdout.
    pub write: Option<PathBuf>,
    /// How a file of flows is written.
    pub file: FileOptions,
    /// How a flow log of AWS is written.
    pub log: VpcWriterOptions,
    /// Rows of logs that are no flows are records too: a log is turned into another file, and none of its rows may be lost.
    pub all_rows: bool,
    /// An existing output may be replaced.
    pub force: bool,
    /// No K, M, G.
    pub plain_numbers: bool,
    /// Neither heading nor summary.
    pub quiet: bool,
    /// Columns of addresses are as wide as IPv6 addresses from the start.
    pub full_ipv6: bool,
    /// Colour the list.
    pub color: bool,
    /// Show progress.
    pub progress: bool,
    /// A window of time that is known: files outside it need not be opened.
    pub period: Period,
    /// How the account of what was read is printed.
    pub stats: Option<StatsFormat>,
    /// Missing evidence is an error.
    pub strict: bool,
}

/// Two ends of a window, both included; one that is `None` is open.
pub type Period = (Option<Timestamp>, Option<Timestamp>);

impl Plan {
    /// Resolves the command line.
    ///
    /// # Errors
    /// When an option's value is wrong, the filter does not parse, or there is nothing to read.
    pub fn new(flags: Flags) -> Result<Self> {
        let (Named { inputs, missing }, filter) = inputs_and_filter(&flags)?;
        let is_unfiltered = filter.to_string() == Filter::any().to_string();
        let window = flags.time.as_deref().map(|text| Window::parse(text, now())).transpose()?;
        let filter = window.map_or(Ok(filter.clone()), |window| window.and(&filter))?;
        let period = window.map_or((None, None), Window::ends);
        let window = window.filter(|window| window.is_relative());
        check_window(&flags, window, &inputs)?;
        let report = Report::new(&flags, &inputs, &filter)?;
        if inputs.is_empty() && !matches!(report, Report::Verify(_)) {
            return Err(Error::argument(
                "nothing to read: name a capture, flow file, nfdump file, log or folder, or '-' for stdin",
            ));
        }
        let asked = flags.output.is_some() || flags.write.is_some();
        let output = match report {
            Report::List if flags.stats.is_some() && !asked => OutputFormat::Null,
            _ => report.output(asked.then(|| output::format(&flags)).transpose()?)?,
        };
        let post_filter = flags.post_filter.as_deref().map(post_filter).transpose()?;
        let meter = meter(&flags, asked_fields(&filter, post_filter.as_ref(), &output, &report))?;
        let (connections, groups) =
            if Stitch::is_first(&flags) { (post_filter, None) } else { (None, post_filter) };
        let top = flags.top.or(report.usual_rows()).filter(|&top| top > 0);
        Ok(Self {
            inputs,
            missing,
            meter,
            filter: Arc::new(filter),
            window,
            detection: detection(&flags)?,
            vpc: VpcOptions { columns: flags.vpc_fields.as_deref().map(parse_fields).transpose()? },
            limit: flags.limit.filter(|&limit| limit > 0),
            order: order(&flags, &report)?,
            top,
            post_filter: groups,
            stitched: Stitched::asked(&flags, connections),
            dedup: flags.dedup,
            memory: memory::for_groups(flags.memory.as_deref())?,
            all_rows: is_unfiltered
                && !flags.dedup
                && matches!(report, Report::List)
                && matches!(output, OutputFormat::Flow | OutputFormat::Vpc),
            report,
            file: output::file_options(&flags, &output)?,
            log: output::log_options(&flags, &output)?,
            output,
            force: flags.force,
            plain_numbers: flags.plain_numbers,
            full_ipv6: output::full_ipv6(&flags),
            quiet: flags.quiet,
            color: output::wants_color(flags.color, flags.write.as_deref(), std::io::stdout().is_terminal()),
            write: flags.write,
            period,
            stats: flags.stats,
            strict: flags.strict,
            progress: !flags.no_progress && !flags.quiet && std::io::stderr().is_terminal(),
        })
    }
}

/// The order of the list; of a time series, `-O` chooses the bars.
fn order(flags: &Flags, report: &Report) -> Result<Option<Order>> {
    let order = flags.order.as_deref().filter(|_| !matches!(report, Report::Series(..)));
    let named = |text: &str| text.parse().map_err(|error| Error::argument(format!("-O {text}: {error}")));
    order.map(named).transpose()
}

/// A window that is relative to the flows needs flows that can be read twice, and no totals of whole inputs.
fn check_window(flags: &Flags, relative: Option<Window>, inputs: &[PathBuf]) -> Result<()> {
    let (Some(_), Some(text)) = (relative, &flags.time) else { return Ok(()) };
    if inputs.iter().any(|input| input == Path::new("-")) {
        let why = "is relative to the flows, for which they are read twice, and stdin cannot be";
        return Err(Error::argument(format!("-t {text} {why}; write the times, or now-2h")));
    }
    if flags.info || flags.per_file || flags.verify.is_some() {
        return Err(Error::argument(format!("-t {text}: -I, -g and -v are about whole files; leave it out")));
    }
    Ok(())
}

fn post_filter(text: &str) -> Result<Filter> {
    FilterParser::new().files_in("").parse(text).map_err(|error| Error::from(error).in_input("-P"))
}

/// The fields that filters and chosen columns look at.
fn asked_fields(
    filter: &Filter,
    post_filter: Option<&Filter>,
    output: &OutputFormat,
    report: &Report,
) -> FieldSet {
    let filtered = post_filter.map_or(FieldSet::EMPTY, Filter::fields).union(filter.fields());
    filtered.union(output.chosen_fields()).union(report.fields())
}

/// Captures are metered with all that filters and columns can ask for, except that payload, which takes far more room
/// than all the rest, is kept only where one does.
fn meter(flags: &Flags, asked: FieldSet) -> Result<MeterOptions> {
    let with_payload = asked.contains(Field::InPayload) || asked.contains(Field::OutPayload);
    Ok(MeterOptions {
        tcp_quality: true,
        payload_bytes: if with_payload { MAX_PAYLOAD } else { 0 },
        ..MeterOptions::default().timeouts(&flags.timeout)?
    })
}

/// The longest payload that a packet can have, as `pcap2flow -o payload` keeps it.
const MAX_PAYLOAD: u32 = 65_535;

#[cfg(test)]
pub(super) mod tests {
    use std::ffi::OsString;

    use super::*;

    /// What `flowdump -r -` with these words means.
    pub(in crate::args) fn flags(words: &[&str]) -> Flags {
        let words = ["flowdump", "-r", "-"].iter().chain(words).map(OsString::from);
        Flags::parse(words).unwrap().unwrap()
    }

    #[test]
    fn payload_is_kept_where_it_is_asked_for() {
        let kept = |words: &[&str]| Plan::new(flags(words)).unwrap().meter.payload_bytes;
        for words in [
            &["payload content GET"][..],
            &["tcp and not (out payload content x)"],
            &["-o", "fmt:%opl"],
            &["-a", "-P", "payload content GET"],
            &["-A", "inpayload"],
            &["-s", "inpayload"],
            &["-o", "fmt:%{inpayload}", "-w", "a.txt"],
        ] {
            assert_eq!(kept(words), 65_535, "{words:?}");
        }
        for words in [&["tcp"][..], &["-o", "json"], &["-w", "a.flow"], &["-o", "fmt:%line"]] {
            assert_eq!(kept(words), 0, "{words:?}");
        }
    }

    #[test]
    fn a_log_that_is_turned_into_a_file_loses_no_row() {
        let all_rows = |words: &[&str]| Plan::new(flags(words)).unwrap().all_rows;
        for words in [&["-w", "a.flow"][..], &["-w", "a.log", "any"], &["-o", "vpc", "-t", "2023-09-28"]] {
            assert!(all_rows(words), "{words:?}");
        }
        for words in [
            &["-w", "a.flow", "tcp"][..],
            &["-w", "a.flow", "--dedup"],
            &["-w", "a.log", "-b"],
            &["-w", "a.nf"],
            &["-w", "a.csv"],
            &[],
        ] {
            assert!(!all_rows(words), "{words:?}");
        }
    }

    #[test]
    fn a_statistic_shows_ten_rows_unless_told_otherwise() {
        let plan = |words: &[&str]| Plan::new(flags(words));
        let top = |words: &[&str]| plan(words).unwrap().top;
        assert_eq!(top(&["-s", "srcip"]), Some(10));
        assert_eq!(top(&["-s", "srcip", "-n", "0"]), None);
        assert_eq!(top(&["-s", "srcip", "-n", "3"]), Some(3));
        assert_eq!((top(&[]), top(&["-n", "3"])), (None, Some(3)));
        for (words, advice) in [
            (&["-s", "srcip/byts"][..], "-s srcip/byts: no order \"byts\"; did you mean \"bytes\"?"),
            (&["-s", "srcip/flows", "-O", "bytes"], "-s srcip/bytes"),
            (&["-s", "srcip", "-I"], "one at a time"),
        ] {
            let error = plan(words).unwrap_err().to_string();
            assert!(error.contains(advice), "{words:?}: {error}");
        }
    }
}
