//! Opening anything: files, folders and standard input of any format, one after the other as one source.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ahead::{self, Ahead, Next, Opened};
use crate::batch::FlowBatch;
use crate::completeness::{Origin, OriginAccount};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Filter;
use crate::format::Format;
use crate::format::azure::AzureReader;
use crate::format::flow::{self, FlowFileReader};
use crate::format::gcp::GcpReader;
use crate::format::nfdump::{self, NfdumpReader};
use crate::format::vpc::{LogPath, VpcOptions, VpcParquetReader, VpcReader};
use crate::input::{Detection, Input};
use crate::progress::Progress;
use crate::record::{Field, FieldSet, Timestamp};
use crate::record_numbers::RecordNumbers;
use crate::source::{FlowSource, Flows, ReadRequest, SourceStats};
use crate::status_rows::StatusRows;
use crate::totals::Totals;
use crate::walk::Walk;

/// Meters a capture: how [`OpenOptions`] reads captures without this crate knowing how packets become flows.
///
/// `pcap2flow::capture_opener` makes one.
pub type CaptureOpener = Arc<dyn Fn(Input) -> Result<Box<dyn FlowSource>> + Send + Sync>;

/// Opens a flow file, a cloud log or a folder of them, and iterates over the flows.
///
/// ```no_run
/// for flow in flowcore::open("logs/")? {
///     println!("{}", flow?.key.src);
/// }
/// # Ok::<(), flowcore::Error>(())
/// ```
///
/// # Errors
/// When the path does not exist or cannot be read, or when nothing below it is of a known format. A capture is an
/// error here: `pcap2flow::Converter` meters it.
pub fn open(path: impl AsRef<Path>) -> Result<Flows<Inputs>> {
    OpenOptions::new().open(path).map(Flows::new)
}

/// How to open inputs; [`open`] is the short form for the usual case.
#[derive(Clone, Default)]
pub struct OpenOptions {
    request: ReadRequest,
    detection: Detection,
    vpc: VpcOptions,
    captures: Option<CaptureOpener>,
    log_fields: FieldSet,
    window: (Option<Timestamp>, Option<Timestamp>),
    threads: Option<usize>,
}

impl OpenOptions {
    /// Everything of everything, except captures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only these fields are needed; columns without a field are not.
    #[must_use]
    pub fn fields(mut self, fields: FieldSet) -> Self {
        self.request.fields = fields.stored();
        self.request.unknown_columns = false;
        self
    }

    /// What the query needs, in full.
    #[must_use]
    pub fn request(mut self, request: ReadRequest) -> Self {
        self.request = request;
        self
    }

    /// A filter that will be applied: blocks without a match may be left out.
    #[must_use]
    pub fn filter(mut self, filter: Arc<Filter>) -> Self {
        self.request.filter = Some(filter);
        self
    }

    /// How the format of each input is found.
    #[must_use]
    pub fn detection(mut self, detection: Detection) -> Self {
        self.detection = detection;
        self
    }

    /// How to read VPC logs.
    #[must_use]
    pub fn vpc(mut self, options: VpcOptions) -> Self {
        self.vpc = options;
        self
    }

    /// Reads captures too, through this.
    #[must_use]
    pub fn captures(mut self, opener: CaptureOpener) -> Self {
        self.captures = Some(opener);
        self
    }

    /// These fields are looked at too where they are those of a cloud log, or of a `.flow` file made from one.
    #[must_use]
    pub fn fields_of_logs(mut self, fields: FieldSet) -> Self {
        self.log_fields = fields.stored();
        self
    }

    /// Only flows from one time to another are needed, both included; an end that is `None` is open.
    ///
    /// Files in folders that are named as AWS names flow logs are not opened if their names say that nothing in them is
    /// inside ([`LogPath::is_outside`](crate::format::vpc::LogPath::is_outside)); they are counted. Flows outside the
    /// window that other files hold are read as ever: a filter chooses. Where records are numbered, nothing is left out.
    #[must_use]
    pub fn window(mut self, from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        self.window = (from, to);
        self
    }

    /// Reads cloud logs by so many threads where there are several inputs; as many as there are cores, eight at most, if
    /// nothing is said. The flows and their order do not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Opens a file, a folder, or standard input for `-`.
    ///
    /// # Errors
    /// As [`open_all`](Self::open_all).
    pub fn open(self, path: impl AsRef<Path>) -> Result<Inputs> {
        self.open_all([path])
    }

    /// Opens several inputs as one source, in this order; folders are walked in the order of names.
    ///
    /// One input that turns out to be unreadable among others is noted in the statistics and passed over.
    ///
    /// # Errors
    /// When a path does not exist, a folder holds no file, or the only input cannot be opened.
    pub fn open_all<P: AsRef<Path>>(self, paths: impl IntoIterator<Item = P>) -> Result<Inputs> {
        let mut inputs = self.inputs(paths)?;
        if inputs.waiting.len() == 1 {
            inputs.open_next()?;
        } else {
            inputs.ahead = Ahead::new(&inputs.options, inputs.options.threads.unwrap_or_else(ahead::threads));
        }
        Ok(inputs)
    }

    /// Sums up inputs; flow files by their index alone, where they have one.
    ///
    /// # Errors
    /// When a path does not exist or a folder holds no file. An input that cannot be read is noted in the
    /// statistics.
    pub fn totals<P: AsRef<Path>>(self, paths: impl IntoIterator<Item = P>) -> Result<(Totals, SourceStats)> {
        let mut inputs = self.inputs(paths)?;
        let (mut totals, mut batch) = (Totals::default(), FlowBatch::new());
        loop {
            match inputs.sum_up_next(&mut totals) {
                Ok(true) => continue,
                Ok(false) if !inputs.open_any() => return Ok((totals, inputs.stats)),
                Ok(false) => {}
                Err(error) => inputs.stats.problems.push_input(error),
            }
            while inputs.read_current(&mut batch) {
                totals.add(&batch);
            }
        }
    }

    fn inputs<P: AsRef<Path>>(self, paths: impl IntoIterator<Item = P>) -> Result<Inputs> {
        let mut inputs = Inputs::new(self);
        for path in paths {
            inputs.add(path.as_ref())?;
        }
        let (from, to) = inputs.options.window;
        inputs.stats.origins.limit(from, to);
        Ok(inputs)
    }

    /// The files that would be read, and what of the folders would not be.
    pub(crate) fn waiting<P: AsRef<Path>>(
        self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<(Vec<PathBuf>, SourceStats)> {
        let inputs = self.inputs(paths)?;
        Ok((inputs.waiting.into(), inputs.stats))
    }

    pub(crate) fn how_to_detect(&self) -> Detection {
        self.detection
    }

    /// The request as readers get it: where records are numbered, none may be left out.
    pub(crate) fn what_to_read(&self) -> ReadRequest {
        let mut request = self.request.clone();
        request.filter = request.filter.filter(|_| RecordNumbers::wanted(&self.request).is_none());
        request
    }

    /// The request as readers of cloud logs get it.
    fn request_of_logs(&self) -> ReadRequest {
        let mut request = self.request.clone();
        request.fields = self.fields_of(Format::Vpc);
        request
    }

    /// The fields that are looked at in inputs of this format.
    fn fields_of(&self, format: Format) -> FieldSet {
        let is_log = matches!(format, Format::Vpc | Format::Gcp | Format::Azure | Format::Parquet);
        if is_log { self.request.fields.union(self.log_fields) } else { self.request.fields }
    }

    /// An input with its reader.
    pub(crate) fn opened(&self, input: Input) -> Result<Opened> {
        let (name, format, bytes) = (input.name().to_owned(), input.format(), input.byte_count());
        Ok(Opened { name, format, bytes, source: self.reader(input)? })
    }

    /// The reader of one input.
    fn reader(&self, input: Input) -> Result<Box<dyn FlowSource>> {
        let name = input.name().to_owned();
        match input.format() {
            Format::Flow => {
                let reader = match input.into_file() {
                    Ok(file) => FlowFileReader::open_file(file, &name, &self.request)?,
                    Err(input) => FlowFileReader::open(input.into_reader(), &name, &self.request)?,
                };
                Ok(Box::new(reader.fields_of_logs(self.log_fields).tell_status_rows()))
            }
            Format::Nfdump => Ok(match input.into_file() {
                Ok(file) => Box::new(NfdumpReader::open_file(file, &name, &self.request)?),
                Err(input) => Box::new(NfdumpReader::open(input.into_reader(), &name, &self.request)?),
            }),
            Format::Vpc => {
                let request = self.request_of_logs();
                Ok(Box::new(VpcReader::open(input.into_reader(), &name, &request, &self.vpc)?))
            }
            Format::Pcap | Format::PcapNg | Format::Snoop => match &self.captures {
                Some(open) => open(input),
                None => {
                    let advice = "a packet capture; pcap2flow turns it into flows";
                    Err(Error::unsupported(advice).in_input(name))
                }
            },
            Format::Gcp => Ok(Box::new(GcpReader::open(input.into_reader(), &name, &self.request_of_logs()))),
            Format::Azure => {
                Ok(Box::new(AzureReader::open(input.into_reader(), &name, &self.request_of_logs())))
            }
            Format::Parquet => Ok(Box::new(VpcParquetReader::open(input, &self.request_of_logs())?)),
        }
    }
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions")
            .field("request", &self.request)
            .field("detection", &self.detection)
            .finish_non_exhaustive()
    }
}

/// Inputs read one after the other.
pub struct Inputs {
    options: OpenOptions,
    waiting: VecDeque<PathBuf>,
    current: Option<Current>,
    /// Reads logs before their turn; below `current`, which has to be dropped first.
    ahead: Option<Ahead>,
    stats: SourceStats,
    progress: Progress,
    /// Numbers the records, where that is asked for.
    numbers: Option<RecordNumbers>,
}

/// The input being read.
struct Current {
    opened: Opened,
    /// Rows of a flow file that are no flows, handed on or not.
    status_rows: StatusRows,
    origin: Origin,
    read: OriginAccount,
}

impl Inputs {
    fn new(mut options: OpenOptions) -> Self {
        let numbers = RecordNumbers::wanted(&options.request);
        if numbers.is_some() {
            options.window = (None, None);
        }
        options.request = options.what_to_read();
        Self {
            options,
            numbers,
            waiting: VecDeque::new(),
            current: None,
            ahead: None,
            stats: SourceStats::default(),
            progress: Progress::default(),
        }
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Only the flows that match, one by one.
    pub fn filtered(self, filter: &Filter) -> Flows<Self> {
        Flows::new(self).filtered(filter)
    }

    /// Sums up the next input if it is a flow file, without opening it; `false` if it is not, or there is none.
    fn sum_up_next(&mut self, totals: &mut Totals) -> Result<bool> {
        let Some(path) = self.waiting.front().filter(|path| *path != Path::new("-")) else {
            return Ok(false);
        };
        let Ok(input) = Input::open(path, self.options.detection) else { return Ok(false) };
        let format = input.format();
        if !matches!(format, Format::Flow | Format::Nfdump) {
            return Ok(false);
        }
        let (name, bytes) = (input.name().to_owned(), input.byte_count());
        let Ok(file) = input.into_file() else { return Ok(false) };
        let origin = Origin::of(path);
        self.waiting.pop_front();
        self.stats.files += 1;
        let (sums, stats) = if format == Format::Flow {
            let info = flow::read_info(file, &name)?;
            let (ident, problems) = (info.ident, info.problems);
            (info.totals, SourceStats { ident, problems, ..SourceStats::default() })
        } else {
            let info = nfdump::read_info(file, &name)?;
            let (ident, sequence_failures, problems) = (info.ident, info.sequence_failures, info.problems);
            (info.totals, SourceStats { ident, sequence_failures, problems, ..SourceStats::default() })
        };
        totals.merge(&sums);
        let (rows, bytes) = (sums.rows(), bytes.get());
        let (first, last) = (sums.first(), sums.last());
        self.stats.origins.add(origin, &OriginAccount { files: 1, first, last, ..OriginAccount::default() });
        self.stats.merge(SourceStats { records: rows, flows: rows, bytes, ..stats });
        Ok(true)
    }

    fn add(&mut self, path: &Path) -> Result<()> {
        if path == Path::new("-") {
            self.waiting.push_back(path.to_owned());
            return Ok(());
        }
        let metadata =
            path.metadata().map_err(|error| Error::from(error).in_input(path.display().to_string()))?;
        if !metadata.is_dir() {
            self.progress.expect(metadata.len());
            self.waiting.push_back(path.to_owned());
            return Ok(());
        }
        self.add_folder(path)
    }

    fn add_folder(&mut self, path: &Path) -> Result<()> {
        let walk = Walk::new(path);
        if walk.files.is_empty() && walk.problems.is_empty() {
            return Err(Error::new(ErrorKind::NothingToRead).in_input(path.display().to_string()));
        }
        walk.files.iter().for_each(|file| self.stats.origins.see(file));
        let ((from, to), found) = (self.options.window, walk.files.len());
        let files = walk.files.into_iter().filter(|file| !LogPath::of(file).is_outside(from, to));
        let before = self.waiting.len();
        self.waiting.extend(files);
        let added = self.waiting.range(before..);
        self.stats.files_outside_window += (found - added.len()) as u64;
        self.progress.expect(added.map(|file| file.metadata().map_or(0, |metadata| metadata.len())).sum());
        self.stats.files_ignored += walk.hidden;
        self.stats.problems.merge(walk.problems);
        Ok(())
    }

    /// Opens the next waiting input; `false` if there is none.
    fn open_next(&mut self) -> Result<bool> {
        let next = self.ahead.as_mut().and_then(|ahead| ahead.next(&self.waiting));
        let Some(path) = self.waiting.pop_front() else { return Ok(false) };
        self.stats.files += 1;
        let opened = match next.transpose()? {
            Some(Next::Log(opened)) => opened,
            Some(Next::NoLog(input)) => self.options.opened(*input)?,
            None => self.options.opened(Input::open(&path, self.options.detection)?)?,
        };
        self.progress.begin(opened.bytes.clone());
        let (status_rows, origin) = (StatusRows::default(), Origin::of(&path));
        let read = OriginAccount { files: 1, ..OriginAccount::default() };
        self.current = Some(Current { opened, status_rows, origin, read });
        Ok(true)
    }

    /// Opens the next input that can be opened; `false` if there is none. Those that cannot are noted.
    fn open_any(&mut self) -> bool {
        loop {
            let about_data = self.waiting.front().is_some_and(|path| is_about_data(path));
            match self.open_next() {
                Ok(opened) => return opened,
                Err(error) if about_data && matches!(error.kind(), ErrorKind::UnknownFormat(_)) => {
                    self.stats.files -= 1;
                    self.stats.files_ignored += 1;
                }
                Err(error) => self.stats.problems.push_input(error),
            }
        }
    }

    /// Reads on in the input that is open, and closes it at its end; `false` if there is nothing more in it.
    fn read_current(&mut self, batch: &mut FlowBatch) -> bool {
        let Some(current) = &mut self.current else { return false };
        let Opened { name, format, source, .. } = &mut current.opened;
        match source.read_batch(batch) {
            Ok(true) => {
                match self.options.request.status_rows {
                    _ if *format != Format::Flow => {}
                    true => drop(current.status_rows.count(batch, name)),
                    false => current.status_rows.take_from(batch, name),
                }
                current.read.add_times(batch);
                name_rows(batch, self.options.fields_of(*format), name, *format);
                if let Some(numbers) = &mut self.numbers {
                    numbers.fill(batch);
                }
                return true;
            }
            Ok(false) => self.close_current(),
            Err(error) => {
                let error = error.in_input(name.as_str());
                self.close_current();
                self.stats.problems.push_input(error);
            }
        }
        false
    }

    fn close_current(&mut self) {
        if let Some(current) = self.current.take() {
            self.progress.end(current.opened.bytes.get());
            self.stats.merge(current.stats());
        }
    }
}

impl Current {
    fn stats(&self) -> SourceStats {
        let mut stats = self.opened.source.stats();
        stats.bytes += self.opened.bytes.get();
        let StatusRows { nodata, skipdata, lost } = self.status_rows.clone();
        stats.flows -= nodata + skipdata;
        stats.nodata += nodata;
        stats.skipdata += skipdata;
        stats.lost.merge(lost);
        let mut read = self.read.clone();
        read.widen(stats.left_out);
        stats.origins.add(self.origin.clone(), &read);
        stats
    }
}

impl FlowSource for Inputs {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        loop {
            if self.read_current(batch) {
                return Ok(true);
            }
            if !self.open_any() {
                batch.clear();
                return Ok(false);
            }
        }
    }

    fn stats(&self) -> SourceStats {
        let mut stats = self.stats.clone();
        if let Some(current) = &self.current {
            stats.merge(current.stats());
        }
        stats
    }
}

impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs")
            .field("waiting", &self.waiting)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// Says where rows come from, where they do not say it themselves.
fn name_rows(batch: &mut FlowBatch, wanted: FieldSet, name: &str, format: Format) {
    if wanted.contains(Field::Source) {
        batch.fill_text(Field::Source, name);
    }
    if wanted.contains(Field::Format) {
        batch.fill_text(Field::Format, format.name());
    }
}

/// Whether a file's name says that it is a text about data, or what CloudWatch Logs writes to see if an export can.
fn is_about_data(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let upper = name.to_string_lossy().to_ascii_uppercase();
    name == "aws-logs-write-test"
        || upper.ends_with(".MD")
        || upper.starts_with("README")
        || upper.starts_with("LICENSE")
}
