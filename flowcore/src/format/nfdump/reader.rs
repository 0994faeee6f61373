//! Reads nfdump files: the columns a query needs, of the rows that can match.

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::appendix::Appendix;
use super::blocks::{Blocks, Next};
use super::header::FileHeader;
use super::unpack::{Task, Unpacked, Unpacker};
use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::format::pool::{self, Message, Pool, Ticket};
use crate::source::{FlowSource, ReadRequest, SourceStats};

/// An nfdump file being read.
///
/// A block that is cut or damaged is left out and noted in the [`stats`](FlowSource::stats), as are records that are
/// damaged; every other row is handed on. The name at the end of the file becomes the `ident` of its rows; a stream
/// comes to it too late, so that its rows have none. Blocks are decoded by several threads; rows come in the order of
/// the file.
pub struct NfdumpReader {
    name: String,
    header: FileHeader,
    appendix: Option<Appendix>,
    blocks: Blocks<Box<dyn Read + Send>>,
    /// Blocks that have been read and not been used up, and what was met between them. In front of the pool, whose
    /// threads end only when nobody waits for these.
    ahead: VecDeque<Step>,
    pool: Pool<Unpacker>,
    /// How many blocks are read ahead.
    depth: usize,
    /// Buffers of blocks, to be used again.
    buffers: Vec<Vec<u8>>,
    end: Ending,
    stats: SourceStats,
}

/// What comes next in the file.
enum Step {
    Block(Ticket<Unpacked>),
    Broken {
        error: Error,
        lost: u64,
    },
    /// The input cannot be read on.
    Failed(Error),
}

/// What has been seen of the end of the file.
#[derive(Debug, Default)]
struct Ending {
    /// Nothing more is read.
    is_reached: bool,
    /// The file broke off, which says it all.
    is_broken: bool,
    /// Blocks of the appendix met.
    appendix_blocks: u64,
    /// Why the appendix could not be used.
    no_appendix: Option<Error>,
}

impl NfdumpReader {
    /// Reads from anything, block after block; `name` is for messages.
    ///
    /// # Errors
    /// When the input is no nfdump file of a layout that is read, or cannot be read.
    pub fn open(mut input: Box<dyn Read + Send>, name: &str, request: &ReadRequest) -> Result<Self> {
        let header = FileHeader::read(&mut input).map_err(|error| error.in_input(name))?;
        Self::new(input, header, None, name, request)
    }

    /// Reads from a file, or anything else that can be read from any place.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_file(
        mut file: impl Read + Seek + Send + 'static,
        name: &str,
        request: &ReadRequest,
    ) -> Result<Self> {
        let (header, appendix) = read_ends(&mut file).map_err(|error| error.in_input(name))?;
        Self::new(Box::new(file), header, Some(appendix), name, request)
    }

    /// The name given to the recording; empty if there is none, and where the end of the input cannot be read first.
    pub fn ident(&self) -> &str {
        self.appendix.as_ref().map_or("", |appendix| &appendix.ident)
    }

    /// The program that wrote the file, and its version: `nfpcapd 1.7.1`.
    pub fn creator(&self) -> String {
        format!("{} {}", self.header.creator_name(), self.header.writer_version())
    }

    fn new(
        input: Box<dyn Read + Send>,
        header: FileHeader,
        appendix: Option<Result<Appendix>>,
        name: &str,
        request: &ReadRequest,
    ) -> Result<Self> {
        let mut end = Ending::default();
        let is_stream = appendix.is_none();
        let appendix =
            appendix.and_then(|appendix| appendix.map_err(|error| end.no_appendix = Some(error)).ok());
        let ident = appendix.as_ref().map_or("", |appendix| &appendix.ident);
        let task = Arc::new(Task::new(name, header.compression, ident, request));
        let workers = (0..pool::threads(header.blocks)).map(|_| Unpacker::new(Arc::clone(&task)));
        let pool = Pool::new("nfdump", workers).map_err(|error| error.in_input(name))?;
        Ok(Self {
            name: name.to_owned(),
            blocks: Blocks::new(input, &header),
            depth: if is_stream { 1 } else { pool.depth() },
            pool,
            header,
            appendix,
            ahead: VecDeque::new(),
            buffers: Vec::new(),
            end,
            stats: SourceStats::default(),
        })
    }

    /// Keeps the threads busy.
    fn read_ahead(&mut self) {
        while !self.end.is_reached && self.ahead.len() < self.depth {
            let buffer = self.buffers.pop().unwrap_or_default();
            let step = match self.blocks.next(buffer) {
                Ok(Next::Block(block)) => Step::Block(self.pool.submit(block)),
                Ok(Next::Broken { error, lost }) => Step::Broken { error, lost },
                Ok(Next::End) => {
                    self.end.is_reached = true;
                    return;
                }
                Err(error) => Step::Failed(error),
            };
            self.end.is_reached = !matches!(step, Step::Block(_));
            self.ahead.push_back(step);
        }
    }

    /// The next batch of the file; `None` if there is none left.
    fn next_batch(&mut self) -> Result<Option<FlowBatch>> {
        loop {
            self.read_ahead();
            let message = match self.ahead.front() {
                Some(Step::Block(ticket)) => ticket.wait(),
                Some(_) => {
                    self.pass_break()?;
                    continue;
                }
                None => {
                    self.check_end();
                    return Ok(None);
                }
            };
            if let Ok(Message::Batch { batch, flows }) = message {
                self.count_flows(flows);
                return Ok(Some(batch));
            }
            self.ahead.pop_front();
            if let Message::End(unpacked) = message? {
                self.take(*unpacked);
            }
        }
    }

    /// Takes what is met between blocks.
    fn pass_break(&mut self) -> Result<()> {
        match self.ahead.pop_front() {
            Some(Step::Broken { error, lost }) => {
                self.end.is_broken = true;
                self.stats.bad_records += lost;
                self.note(error);
                Ok(())
            }
            Some(Step::Failed(error)) => Err(error),
            Some(Step::Block(_)) | None => Ok(()),
        }
    }

    fn count_flows(&mut self, flows: u64) {
        self.stats.records += flows;
        self.stats.flows += flows;
    }

    /// Takes the account of a block that is used up.
    fn take(&mut self, unpacked: Unpacked) {
        let Unpacked { is_appendix, flows, bad_records, unknown_parts, problems, buffer } = unpacked;
        if is_appendix {
            self.end.appendix_blocks += 1;
        } else {
            self.stats.blocks += 1;
        }
        self.count_flows(flows);
        self.stats.bad_records += bad_records;
        for (part, count) in unknown_parts {
            self.stats.add_unknown_part(part.to_string(), count);
        }
        self.stats.problems.merge_part(problems);
        self.buffers.push(buffer);
        self.depth = self.depth.saturating_mul(2).min(self.pool.depth());
    }

    /// Says once what is wrong with the end of the file, if it has not been said.
    fn check_end(&mut self) {
        let end = std::mem::replace(
            &mut self.end,
            Ending { is_reached: true, is_broken: true, ..Ending::default() },
        );
        if end.is_broken {
            return;
        }
        let (read, stated) = (self.stats.blocks, u64::from(self.header.blocks));
        let what = match end.no_appendix {
            _ if !self.header.is_closed() => {
                format!("the file was not closed by its writer; all of its {read} blocks are read")
            }
            _ if read != stated => {
                format!("{read} blocks are in the file, {stated} are stated in its header")
            }
            Some(_) if end.appendix_blocks > 0 && !self.stats.problems.is_empty() => return,
            Some(error) => format!("no name and statistics at the end of the file: {error}"),
            None if end.appendix_blocks == 0 => "the file ends without name and statistics".to_owned(),
            None => match self.appendix.as_ref().and_then(Appendix::shortage) {
                Some(error) => return self.note(error),
                None => return,
            },
        };
        self.note(Error::damaged(what));
    }

    fn note(&mut self, error: Error) {
        self.stats.problems.push_input(error.in_input(self.name.as_str()));
    }

    pub(super) fn header(&self) -> &FileHeader {
        &self.header
    }

    pub(super) fn appendix(&self) -> Option<&Appendix> {
        self.appendix.as_ref()
    }
}

impl FlowSource for NfdumpReader {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        let next = self.next_batch().map_err(|error| error.in_input(self.name.as_str()))?;
        let Some(next) = next else {
            batch.clear();
            return Ok(false);
        };
        self.pool.give_back(std::mem::replace(batch, next));
        Ok(true)
    }

    fn stats(&self) -> SourceStats {
        self.stats.clone()
    }
}

impl std::fmt::Debug for NfdumpReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NfdumpReader")
            .field("name", &self.name)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// Header and appendix of a file, which is left at its first block.
pub(super) fn read_ends(file: &mut (impl Read + Seek)) -> Result<(FileHeader, Result<Appendix>)> {
    file.seek(SeekFrom::Start(0))?;
    let header = FileHeader::read(file)?;
    let appendix = Appendix::read(file, &header)?;
    Ok((header, appendix))
}
