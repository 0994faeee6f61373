//! What to do, with every option resolved.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowcore::format::{flow, nfdump};
use flowcore::{Error, FileOptions, Overwrite, Result};
use pcap2flow::MeterOptions;

use super::flags::Flags;
use super::values::{self, FileFormat, RecordPart, StatsFormat};
use crate::slots::{Names, Slots, Zone};

/// What to do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) meter: MeterOptions,
    pub(crate) output: Output,
    /// What is written, and how.
    pub(crate) format: FileOptions,
    pub(crate) overwrite: Overwrite,
    pub(crate) stats: Option<StatsFormat>,
    pub(crate) quiet: bool,
    /// 0 to 4.
    pub(crate) verbosity: u8,
    pub(crate) progress: bool,
    pub(crate) threads: usize,
}

/// Where the flows go.
#[derive(Debug)]
pub(crate) enum Output {
    Stdout,
    File(PathBuf),
    Folder { path: PathBuf, slots: Slots },
}

impl Plan {
    /// Resolves the command line.
    pub(super) fn new(flags: Flags) -> Result<Self> {
        let inputs: Vec<PathBuf> = flags.read.iter().chain(&flags.captures).cloned().collect();
        if inputs.is_empty() {
            return Err(Error::argument("nothing to read: name a capture, or '-' for stdin"));
        }
        check_inputs(&flags, &inputs)?;
        let format = file_format(&flags);
        let output = output(&flags, format)?;
        if let Output::File(path) = &output {
            flowcore::check_not_input(path, &inputs)?;
        }
        if flags.quiet && flags.verbose.is_some() {
            return Err(Error::argument("--verbose and --quiet contradict one another; leave one out"));
        }
        let verbosity = flags.verbose.unwrap_or(0);
        let silent = flags.no_progress || flags.quiet || verbosity > 0;
        Ok(Self {
            inputs,
            output,
            format: file_options(&flags, format)?,
            overwrite: if flags.force { Overwrite::Yes } else { Overwrite::No },
            stats: flags.stats,
            quiet: flags.quiet,
            verbosity,
            progress: !silent && std::io::stderr().is_terminal(),
            threads: flags.workers.unwrap_or_else(usual_threads),
            meter: meter(flags),
        })
    }
}

/// Refuses what is a slip before anything is read or written: a folder, and a word that is no file but the packet filter
/// that `nfpcapd` takes there. A capture that is missing among others is no reason to convert none.
fn check_inputs(flags: &Flags, inputs: &[PathBuf]) -> Result<()> {
    if let Some(folder) = inputs.iter().find(|path| path.is_dir()) {
        return Err(Error::argument(format!("{} is a folder; name captures", folder.display())));
    }
    let is_filter = |word: &Path| {
        let has_blanks = word.to_string_lossy().contains(char::is_whitespace);
        let may_be_one = has_blanks || !flags.read.is_empty();
        may_be_one && word != Path::new("-") && matches!(word.try_exists(), Ok(false))
    };
    match flags.captures.iter().find(|word| is_filter(word)) {
        Some(word) => {
            let error = Error::argument("no such file; a packet filter goes behind -F");
            Err(error.in_input(word.display().to_string()))
        }
        None => Ok(()),
    }
}

fn meter(flags: Flags) -> MeterOptions {
    let default = MeterOptions::default();
    let payload = |part: &RecordPart| match part {
        RecordPart::Payload(bytes) => Some(*bytes),
        RecordPart::Fat => None,
    };
    MeterOptions {
        active_timeout: flags.timeout.active,
        idle_timeout: flags.timeout.idle,
        ident: flags.ident,
        tunnels: flags.tunnel,
        key: flags.key.unwrap_or_default(),
        uniflow: flags.uniflow,
        tcp_quality: flags.options.contains(&RecordPart::Fat),
        payload_bytes: flags.options.iter().filter_map(payload).next_back().unwrap_or(0),
        max_flows: flags.cache.unwrap_or(default.max_flows),
        duplicates: flags.dedup,
        snap_length: flags.snaplen,
        packet_filter: flags.filter.map(Arc::new),
    }
}

fn output(flags: &Flags, format: FileFormat) -> Result<Output> {
    let Some(write) = &flags.write else {
        return Err(Error::argument("nowhere to write: name a file, a folder or '-' with -w"));
    };
    let is_folder = write.is_dir() || write.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_folder {
        let interval = flags.rotate.unwrap_or(DEFAULT_ROTATION);
        let names = match format {
            FileFormat::Flow => Names::FLOW,
            FileFormat::Nfdump => Names::NFDUMP,
        };
        let slots = Slots::new(interval, flags.subdir.unwrap_or_default(), flags.tz, names)?;
        return Ok(Output::Folder { path: write.clone(), slots });
    }
    let for_folders = [
        ("-t", flags.rotate.is_some()),
        ("-S", flags.subdir.is_some()),
        ("--tz local", flags.tz == Zone::Local),
    ];
    if let Some((option, _)) = for_folders.iter().find(|(_, is_set)| *is_set) {
        let path = write.display();
        return Err(Error::argument(format!(
            "{option} needs a folder to write to; for a new one write -w {path}/"
        )));
    }
    match write == Path::new("-") {
        true => Ok(Output::Stdout),
        false => Ok(Output::File(write.clone())),
    }
}

/// The format asked for, or the one that the name of the file is usual for.
fn file_format(flags: &Flags) -> FileFormat {
    let name = flags.write.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let is_nfdump = name.ends_with(".nf") || name.starts_with("nfcapd.");
    flags.format.unwrap_or(if is_nfdump { FileFormat::Nfdump } else { FileFormat::Flow })
}

fn file_options(flags: &Flags, format: FileFormat) -> Result<FileOptions> {
    let ident = flags.ident.clone().unwrap_or_default();
    let method = flags.compress.as_deref();
    Ok(match format {
        FileFormat::Flow => FileOptions::Flow(flow::WriterOptions {
            compression: match method {
                _ if flags.smallest => SMALLEST,
                method => method.map(values::flow_compression).transpose()?.unwrap_or_default(),
            },
            creator: concat!("pcap2flow ", env!("CARGO_PKG_VERSION")).into(),
            ident,
            ..flow::WriterOptions::default()
        }),
        FileFormat::Nfdump => FileOptions::Nfdump(nfdump::NfdumpOptions {
            compression: match method {
                _ if flags.smallest => nfdump::BlockCompression::Bzip2,
                method => method.map(values::nfdump_compression).transpose()?.unwrap_or_default(),
            },
            ident,
            creator: nfdump::Creator::Nfpcapd,
        }),
    })
}

/// One thread for each kind of work: four also keep two cores busy, whichever work is the most.
fn usual_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| if cores.get() > 1 { 4 } else { 1 })
}

/// Seconds per file unless `-t` says otherwise, as nfpcapd.
const DEFAULT_ROTATION: u32 = 300;
/// zstd's densest level that needs no more memory to read.
const SMALLEST: flow::BlockCompression = flow::BlockCompression::Zstd(19);
