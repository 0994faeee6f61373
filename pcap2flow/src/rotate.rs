//! Output files per interval: which file a flow goes into, and what the files are called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flowcore::format::flow::WriterOptions;
use flowcore::{CompleteFile, Field, FlowBatch, FlowSink, FlowWriter, Mask, Overwrite, Result, Timestamp};

/// Writes flows into one file per interval of their last packet, named by the interval's start in UTC:
/// `flows.YYYYMMDDhhmm.flow`, with seconds where the interval is not of whole minutes.
///
/// Flows come in the order in which they were over, so a file gets no more once the flows that come ended an idle
/// timeout after its interval: it is completed and closed then. Flows whose interval is complete already, which
/// takes a capture whose time goes back, go into a further file of the same interval,
/// `flows.YYYYMMDDhhmm.2.flow`.
///
/// All files appear under their names at the end, or none does: a run that fails leaves the folder as it was. Only
/// files that were replaced just before another one could not get its name stay replaced.
pub(crate) struct RotatingWriter {
    folder: PathBuf,
    interval: i64,
    options: WriterOptions,
    overwrite: Overwrite,
    open: BTreeMap<i64, FlowWriter>,
    /// Files that get no more flows, not yet under their names.
    complete: Vec<CompleteFile>,
    /// Intervals whose files are open at a time.
    max_open: usize,
    /// Files begun per interval.
    begun: BTreeMap<i64, u32>,
}

/// Seconds by which a flow can come later than its idle timeout: a slot of the expiry queue, the tolerance for packets
/// out of order, and the wait for the first fragment of a datagram.
const LATENESS: i64 = 61;
/// Files that are open at a time, whatever the timeouts: systems allow a process about a thousand.
const MAX_OPEN: i64 = 512;

impl RotatingWriter {
    /// Files of `interval` seconds in `folder`, which is created with its parents if it is missing, for flows
    /// metered with this idle timeout.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub(crate) fn create(
        folder: &Path,
        interval: u32,
        idle_timeout: Duration,
        options: WriterOptions,
        overwrite: Overwrite,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .map_err(|error| flowcore::Error::from(error).in_input(folder.display().to_string()))?;
        let interval = i64::from(interval.max(1));
        let late = i64::try_from(idle_timeout.as_secs()).unwrap_or(MAX_OPEN).saturating_add(LATENESS);
        let max_open = usize::try_from((late / interval + 2).min(MAX_OPEN)).unwrap_or(2);
        Ok(Self {
            folder: folder.to_owned(),
            interval,
            options,
            overwrite,
            open: BTreeMap::new(),
            complete: Vec::new(),
            max_open,
            begun: BTreeMap::new(),
        })
    }

    fn slot(&self, batch: &FlowBatch, row: usize) -> i64 {
        let secs = batch.time(Field::Last, row).unwrap_or_default().as_secs();
        secs - secs.rem_euclid(self.interval)
    }

    fn writer(&mut self, slot: i64) -> Result<&mut FlowWriter> {
        if !self.open.contains_key(&slot) {
            if self.open.len() >= self.max_open
                && let Some((_, oldest)) = self.open.pop_first()
            {
                self.complete.push(oldest.complete()?);
            }
            let number = self.begun.entry(slot).or_default();
            *number += 1;
            let path = self.folder.join(file_name(slot, self.interval, *number));
            self.open.insert(slot, FlowWriter::create(&path, &self.options, self.overwrite)?);
        }
        self.open.get_mut(&slot).ok_or_else(|| flowcore::Error::argument("no file is open for this interval"))
    }
}

impl FlowSink for RotatingWriter {
    /// Adds the rows of a batch, each to the file of its interval.
    fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        let slots: Vec<i64> = (0..batch.len()).map(|row| self.slot(batch, row)).collect();
        let mut distinct = slots.clone();
        distinct.sort_unstable();
        distinct.dedup();
        for slot in distinct {
            let rows = Mask::from_values(&slots, |other| other == slot);
            let mut part = FlowBatch::new();
            part.append(batch, &rows);
            self.writer(slot)?.write_batch(&part)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        for writer in std::mem::take(&mut self.open).into_values() {
            self.complete.push(writer.complete()?);
        }
        publish_all(std::mem::take(&mut self.complete), self.overwrite)
    }
}

impl std::fmt::Debug for RotatingWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RotatingWriter")
            .field("folder", &self.folder)
            .field("files", &self.open.len())
            .finish_non_exhaustive()
    }
}

/// Gives the files their names; those that have theirs are removed again if one cannot get its own.
fn publish_all(files: Vec<CompleteFile>, overwrite: Overwrite) -> Result<()> {
    let mut published = Vec::with_capacity(files.len());
    for file in files {
        let target = file.target().to_owned();
        if let Err(error) = file.publish() {
            if overwrite == Overwrite::No {
                // The run fails already; what cannot be removed is a complete file.
                published.iter().for_each(|path| drop(std::fs::remove_file(path)));
            }
            return Err(error);
        }
        published.push(target);
    }
    Ok(())
}

fn file_name(slot: i64, interval: i64, number: u32) -> String {
    let t = Timestamp::from_secs(slot).civil();
    let minute = format!("{:04}{:02}{:02}{:02}{:02}", t.year, t.month, t.day, t.hour, t.minute);
    let second = if interval % 60 == 0 { String::new() } else { format!("{:02}", t.second) };
    let further = if number > 1 { format!(".{number}") } else { String::new() };
    format!("flows.{minute}{second}{further}.flow")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_utc_and_sort_by_time() {
        assert_eq!(file_name(1_695_921_600, 300, 1), "flows.202309281720.flow");
        assert_eq!(file_name(1_695_921_630, 30, 2), "flows.20230928172030.2.flow");
    }

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

    #[test]
    fn all_files_appear_or_none() {
        let folder = std::env::temp_dir().join(format!("pcap2flow-rotate-{}", std::process::id()));
        let rotate = || {
            let (idle, options) = (Duration::from_secs(1), WriterOptions::default());
            Box::new(RotatingWriter::create(&folder, 60, idle, options, Overwrite::No).unwrap())
        };
        let taken = folder.join(file_name(600, 60, 1));

        let mut writer = rotate();
        (0..10).for_each(|minute| writer.write_batch(&at(60 * minute)).unwrap());
        std::fs::write(&taken, "theirs").unwrap();
        assert!(writer.write_batch(&at(600)).is_err());
        drop(writer);
        assert_eq!(names(&folder), ["flows.197001010010.flow"]);

        std::fs::remove_file(&taken).unwrap();
        let mut writer = rotate();
        (0..12).for_each(|minute| writer.write_batch(&at(60 * minute)).unwrap());
        std::fs::write(&taken, "theirs").unwrap();
        assert!(writer.finish().is_err());
        assert_eq!(names(&folder), ["flows.197001010010.flow"]);
        assert_eq!(std::fs::read(&taken).unwrap(), b"theirs");

        std::fs::remove_file(&taken).unwrap();
        let mut writer = rotate();
        (0..12).for_each(|minute| writer.write_batch(&at(60 * minute)).unwrap());
        writer.finish().unwrap();
        assert_eq!(names(&folder).len(), 12);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
