//! Output files per interval: which file a flow goes into, and when the files get their names.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flowcore::format::nfdump::Dropped;
use flowcore::{
    CompleteFile, Error, ErrorKind, Field, FileOptions, FlowBatch, FlowWriter, Mask, Overwrite, Result,
};

use crate::slots::{Slot, Slots};

/// Writes flows into one file per interval of their last packet, called as [`Slots::stem`] says, with the suffix of the
/// format behind it.
///
/// Flows come in the order in which they were over, so a file gets no more once the flows that come ended an idle
/// timeout after its interval: it is completed and closed then. Flows whose interval is complete already, which
/// takes a capture whose time goes back, go into a further file of the same interval, `.2` before the suffix. So do those of an
/// interval whose name is taken by a file of another run, unless that may be replaced, or by another interval. Where the
/// system allows fewer open files than short intervals take, files are closed sooner.
///
/// All files appear under their names at the end, or none does: a run that fails leaves no file. Only those that
/// were replaced just before another one could not get its name stay replaced.
pub(crate) struct RotatingWriter {
    folder: PathBuf,
    slots: Slots,
    options: FileOptions,
    overwrite: Overwrite,
    open: BTreeMap<Slot, Open>,
    /// Files that get no more flows, not yet under their names.
    complete: Vec<Complete>,
    /// Intervals whose files are open at a time.
    max_open: usize,
    /// The last number that was tried per name.
    numbers: HashMap<PathBuf, u32>,
    /// What the files have no place for.
    dropped: Dropped,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    /// The name it would have had if a file of another run had not had it.
    pub(crate) instead_of: Option<PathBuf>,
}

/// A file that takes flows.
struct Open {
    writer: FlowWriter,
    stem: PathBuf,
    /// The first number that was tried; the file has a later one if that was taken.
    wanted: u32,
}

/// A file that is closed and has a temporary name.
struct Complete {
    file: CompleteFile,
    stem: PathBuf,
    wanted: u32,
}

/// Seconds by which a flow can come later than its idle timeout: a slot of the expiry queue, the tolerance for packets
/// out of order, and the wait for the first fragment of a datagram.
const LATENESS: i64 = 61;
/// Files that are open at a time, whatever the timeouts: systems allow a process about a thousand.
const MAX_OPEN: i64 = 512;
/// Files that are closed when the system allows no more, so that captures can be opened as well.
const RESERVE: usize = 8;

impl RotatingWriter {
    /// Files in `folder`, which is created with its parents if it is missing, for flows metered with this idle
    /// timeout.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub(crate) fn create(
        folder: &Path,
        slots: Slots,
        idle_timeout: Duration,
        options: FileOptions,
        overwrite: Overwrite,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::from(error).in_input(folder.display().to_string()))?;
        let late = i64::try_from(idle_timeout.as_secs()).unwrap_or(MAX_OPEN).saturating_add(LATENESS);
        let max_open = usize::try_from((late / slots.interval() + 2).min(MAX_OPEN)).unwrap_or(2);
        Ok(Self {
            folder: folder.to_owned(),
            slots,
            options,
            overwrite,
            open: BTreeMap::new(),
            complete: Vec::new(),
            max_open,
            numbers: HashMap::new(),
            dropped: Dropped::default(),
        })
    }

    /// Adds the rows of a batch, each to the file of its interval.
    pub(crate) fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        let slot = |row| self.slots.of(batch.time(Field::Last, row).unwrap_or_default());
        let slots: Vec<Slot> = (0..batch.len()).map(slot).collect();
        let mut distinct = slots.clone();
        distinct.sort_unstable();
        distinct.dedup();
        for slot in distinct {
            let rows = Mask::from_values(&slots, |other| other == slot);
            let mut part = FlowBatch::new();
            part.append(batch, &rows);
            self.file(slot)?.write_batch(&part)?;
        }
        Ok(())
    }

    /// Completes the files and gives them their names; those that have theirs are removed again if one cannot get
    /// its own.
    pub(crate) fn finish(mut self) -> Result<(Vec<Written>, Dropped)> {
        self.close_down_to(0)?;
        let mut written = Vec::with_capacity(self.complete.len());
        for complete in std::mem::take(&mut self.complete) {
            match self.publish(complete) {
                Ok(file) => written.push(file),
                Err(error) => {
                    if self.overwrite == Overwrite::No {
                        // The run fails already; what cannot be removed is a complete file.
                        written.iter().for_each(|file| drop(std::fs::remove_file(&file.path)));
                    }
                    return Err(error);
                }
            }
        }
        Ok((written, self.dropped))
    }

    /// The file of an interval, opened if it is not; the file that is open for longest is closed if there are too many.
    fn file(&mut self, slot: Slot) -> Result<&mut FlowWriter> {
        if !self.open.contains_key(&slot) {
            self.close_down_to(self.max_open.saturating_sub(1))?;
            let open = self.begin(slot)?;
            self.open.insert(slot, open);
        }
        let open = self.open.get_mut(&slot);
        Ok(&mut open.ok_or_else(|| Error::argument("no file is open for this interval"))?.writer)
    }

    /// Completes the files that are open for longest until no more than so many are left.
    fn close_down_to(&mut self, left: usize) -> Result<()> {
        while self.open.len() > left
            && let Some((_, oldest)) = self.open.pop_first()
        {
            if let Some(dropped) = oldest.writer.dropped() {
                self.dropped.merge(dropped);
            }
            self.complete.push(oldest.complete()?);
        }
        Ok(())
    }

    /// Begins a file under the first number that no file of this run or another has.
    fn begin(&mut self, slot: Slot) -> Result<Open> {
        let stem = self.slots.stem(slot);
        let wanted = self.next_number(&stem);
        let mut number = wanted;
        loop {
            match FlowWriter::create(self.path(&stem, number), &self.options, self.overwrite) {
                Err(error) if is_taken(&error) => number = self.next_number(&stem),
                Err(error) if are_too_many(&error) && !self.open.is_empty() => {
                    self.max_open = self.open.len().saturating_sub(RESERVE).max(1);
                    self.close_down_to(self.max_open - 1)?;
                }
                Err(error) => return Err(error),
                Ok(writer) => return Ok(Open { writer, stem, wanted }),
            }
        }
    }

    /// Gives a file its name, or the next one that is free if a file has that by now.
    fn publish(&mut self, complete: Complete) -> Result<Written> {
        let Complete { mut file, stem, wanted } = complete;
        let mut path = file.target().to_owned();
        while let Err(error) = file.publish_as(&path) {
            if !is_taken(&error) {
                return Err(error);
            }
            let number = self.next_number(&stem);
            path = self.path(&stem, number);
        }
        let wanted = self.path(&stem, wanted);
        Ok(Written { instead_of: (wanted != path).then_some(wanted), path })
    }

    fn next_number(&mut self, stem: &Path) -> u32 {
        let number = self.numbers.entry(stem.to_owned()).or_default();
        *number = number.saturating_add(1);
        *number
    }

    fn path(&self, stem: &Path, number: u32) -> PathBuf {
        let mut path = self.folder.join(stem).into_os_string();
        if number > 1 {
            path.push(format!(".{number}"));
        }
        path.push(self.slots.names().suffix);
        path.into()
    }
}

impl Open {
    fn complete(self) -> Result<Complete> {
        let Self { writer, stem, wanted } = self;
        Ok(Complete { file: writer.complete()?, stem, wanted })
    }
}

fn is_taken(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Exists)
}

/// Whether the process (24), or the whole system (23), has as many files open as it may. The standard library has no
/// name for these; they are the same on all systems of the Unix family.
fn are_too_many(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io(error) if cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::{Folders, Names, Zone};
    use flowcore::Timestamp;
    use flowcore::format::flow::WriterOptions;

    fn at(secs: i64) -> FlowBatch {
        let mut batch = FlowBatch::new();
        batch.set_time(Field::Last, Timestamp::from_secs(secs));
        batch.end_row();
        batch
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A folder of this test alone, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("pcap2flow-{test}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn rotate(&self, overwrite: Overwrite) -> RotatingWriter {
            let (idle, options) = (Duration::from_secs(1), FileOptions::Flow(WriterOptions::default()));
            let slots = Slots::new(60, Folders::default(), Zone::Utc, Names::FLOW).unwrap();
            RotatingWriter::create(&self.0, slots, idle, options, overwrite).unwrap()
        }

        /// A writer with a flow in each of the first minutes.
        fn minutes(&self, minutes: i64, overwrite: Overwrite) -> RotatingWriter {
            let mut writer = self.rotate(overwrite);
            (0..minutes).for_each(|minute| writer.write_batch(&at(60 * minute)).unwrap());
            writer
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn all_files_appear_or_none() {
        let folder = Folder::new("all-or-none");
        let mut writer = folder.minutes(12, Overwrite::No);
        while let Some((_, open)) = writer.open.pop_first() {
            writer.complete.push(open.complete().unwrap());
        }
        let lost = folder.0.join(names(&folder.0).pop().unwrap());
        std::fs::remove_file(lost).unwrap();
        assert!(writer.finish().is_err());
        assert!(names(&folder.0).is_empty());

        drop(folder.minutes(12, Overwrite::No));
        assert!(names(&folder.0).is_empty());

        let written = folder.minutes(12, Overwrite::No).finish().unwrap().0;
        assert_eq!((written.len(), names(&folder.0).len()), (12, 12));
        assert!(written.iter().all(|file| file.instead_of.is_none()));
    }

    #[test]
    fn a_taken_name_leads_to_a_further_file_whenever_it_is_taken() {
        let folder = Folder::new("taken");
        let path = |name: &str| folder.0.join(format!("flows.197001010000{name}.flow"));
        std::fs::write(path(""), "theirs").unwrap();
        let writer = folder.minutes(1, Overwrite::No);
        // Somebody else takes the next name before this run is over.
        std::fs::write(path(".2"), "theirs too").unwrap();
        let written = writer.finish().unwrap().0;
        assert_eq!(written, [Written { path: path(".3"), instead_of: Some(path("")) }]);
        assert_eq!(std::fs::read(path("")).unwrap(), b"theirs");
        assert_eq!(std::fs::read(path(".2")).unwrap(), b"theirs too");
        assert_eq!(names(&folder.0).len(), 3);

        let written = folder.minutes(1, Overwrite::Yes).finish().unwrap().0;
        assert_eq!(written, [Written { path: path(""), instead_of: None }]);
        assert_ne!(std::fs::read(path("")).unwrap(), b"theirs");
    }

    #[test]
    fn flows_that_come_late_are_no_reason_to_warn() {
        let folder = Folder::new("late");
        let mut writer = folder.minutes(30, Overwrite::No);
        writer.write_batch(&at(1)).unwrap();
        let written = writer.finish().unwrap().0;
        assert_eq!(written.len(), 31);
        assert!(written.iter().all(|file| file.instead_of.is_none()));
        assert!(names(&folder.0).contains(&"flows.197001010000.2.flow".to_owned()));
    }
}
