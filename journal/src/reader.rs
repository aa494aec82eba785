//! Reading a journal from any process, also while another writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use hlc::Stamp;
use parking_lot::Mutex;
use timeline::annotation::Notebook;

use crate::durable::{self, Boot};
use crate::format::Invalid;
use crate::format::block::Holds;
use crate::format::frame::{Frame, Remark};
use crate::request::Place;
use crate::segment::{self, Damage, Depth, FIRST_BLOCK, Fault, Segment, Step, Walk};
use crate::storage::{Disk, Storage};

/// A block: one or more requests, in the order of their stamps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it begins.
    pub place: Place,
    /// Where it ends, and the next one of its segment begins.
    pub next: Place,
    /// Its requests.
    pub frames: Vec<Frame>,
}

/// What a journal says of one of its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number.
    pub number: u64,
    /// Its file's length.
    pub bytes: u64,
    /// What its footer says; `None` while it is being written, or where the footer is not whole.
    pub sealed: Option<Sealed>,
}

/// What a sealed segment's footer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Blocks.
    pub blocks: u32,
    /// Requests.
    pub frames: u32,
    /// Items, refused ones not counted.
    pub items: u64,
    /// The stamp of its first request.
    pub first: Stamp,
    /// The stamp of its last request.
    pub last: Stamp,
}

/// Why a block could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Retention has dropped the segment.
    #[error("segment {0} is no longer held")]
    Gone(u64),
    /// These bytes were durable once and are not whole now.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk failed.
    #[error("reading segment {segment}: {source}")]
    Io {
        /// The segment's number.
        segment: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads a journal.
#[derive(Clone)]
pub struct Reader {
    storage: Arc<dyn Storage>,
    boot: Boot,
    open: Arc<Mutex<BTreeMap<u64, Segment>>>,
}

/// How far what a segment holds may be believed.
#[derive(Clone, Copy)]
struct Trust {
    /// Nothing from here on is looked at.
    limit: u64,
    /// All before was durable: what is not whole is damaged.
    proven: u64,
}

impl Reader {
    /// A reader of the journal in `folder`, `DIR/journal`. The folder may still be empty.
    pub fn open(folder: &Path) -> io::Result<Reader> {
        std::fs::read_dir(folder)?;
        Ok(Reader::of(Arc::new(Disk::new(folder)), Boot::current()))
    }

    pub(crate) fn of(storage: Arc<dyn Storage>, boot: Boot) -> Reader {
        Reader { storage, boot, open: Arc::default() }
    }

    /// The segments held, oldest first.
    pub fn segments(&self) -> Result<Vec<SegmentInfo>, ReadError> {
        let mut infos = Vec::new();
        for number in self.numbers()? {
            let segment = match self.segment(number) {
                Err(ReadError::Gone(_)) => continue,
                other => other?,
            };
            let bytes = segment.blob.len().map_err(|source| ReadError::Io { segment: number, source })?;
            let sealed = segment.totals().ok().map(|totals| Sealed {
                blocks: totals.blocks,
                frames: totals.frames,
                items: totals.items,
                first: totals.first,
                last: totals.last,
            });
            infos.push(SegmentInfo { number, bytes, sealed });
        }
        Ok(infos)
    }

    /// Just past the last durable block; (0, 0) where there is none.
    pub fn end(&self) -> Result<Place, ReadError> {
        if let Some(told) = self.told()? {
            return Ok(told);
        }
        // No writer of this boot tells how far it came: all whole blocks there are, are on the disk.
        let numbers = self.numbers()?;
        for number in numbers.iter().copied().rev() {
            let mut walk = self.walk(number, FIRST_BLOCK, Depth::Headers)?;
            let mut end = None;
            loop {
                match walk.step().map_err(|source| ReadError::Io { segment: number, source })? {
                    Step::Block { offset, header, .. } => end = Some(offset + header.block_len()),
                    Step::Damaged(_) => {}
                    Step::Sealed | Step::Limit | Step::Torn => break,
                }
            }
            if let Some(offset) = end {
                return Ok(Place { segment: number, offset });
            }
        }
        let beyond = numbers.last().filter(|last| **last > 1);
        Ok(beyond.map_or(Place::default(), |last| Place { segment: *last, offset: FIRST_BLOCK }))
    }

    /// The block at `place`, checked.
    pub fn block(&self, place: Place) -> Result<Block, ReadError> {
        let segment = self.segment(place.segment)?;
        let limit = self.trust(&segment)?.limit;
        read(&segment, place.offset, limit).map_err(|fault| match fault {
            Fault::Io(source) => ReadError::Io { segment: place.segment, source },
            Fault::Invalid(invalid) => damaged(place, limit.max(place.offset), invalid).into(),
        })
    }

    /// The blocks from `place` on, in order, for as long as the caller asks for the next one.
    pub fn blocks_from(&self, place: Place) -> Tail {
        Tail { reader: self.clone(), place, sequence: 0 }
    }

    /// What engineers wrote, merged. It is read from the newest segment, which begins with all that stood before it; from
    /// older ones too, as far as that is not whole.
    pub fn annotations(&self) -> Result<Notebook, ReadError> {
        let mut notebook = Notebook::default();
        for number in self.numbers()?.into_iter().rev() {
            match self.annotations_of(number, &mut notebook) {
                Ok(true) => break,
                Ok(false) | Err(ReadError::Gone(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(notebook)
    }

    /// Takes in the annotations of a segment; true where it begins with all that stood before it.
    fn annotations_of(&self, number: u64, notebook: &mut Notebook) -> Result<bool, ReadError> {
        let failed = |source| ReadError::Io { segment: number, source };
        let mut walk = self.walk(number, FIRST_BLOCK, Depth::Headers)?;
        let segment = walk.segment.clone();
        loop {
            match walk.step().map_err(failed)? {
                Step::Block { offset, header, .. } if header.holds == Holds::Annotations => {
                    let stored = segment.stored(offset, &header);
                    match stored.and_then(|stored| Ok(header.remarks(number, stored)?)) {
                        Ok(remarks) => remarks.iter().filter_map(Remark::annotation).for_each(|own| {
                            notebook.add(own);
                        }),
                        Err(Fault::Io(source)) => return Err(failed(source)),
                        Err(Fault::Invalid(invalid)) => {
                            tracing::warn!(segment = number, offset, %invalid, "annotations cannot be read");
                        }
                    }
                }
                Step::Block { .. } | Step::Damaged(_) => {}
                Step::Sealed | Step::Limit | Step::Torn => break,
            }
        }
        let header = match segment.header() {
            Ok(header) => Some(header),
            Err(Fault::Io(source)) => return Err(failed(source)),
            Err(Fault::Invalid(_)) => None,
        };
        match segment.begins(header.as_ref(), walk.limit) {
            Ok(begins) => Ok(begins.is_whole),
            Err(Fault::Io(source)) => Err(failed(source)),
            Err(Fault::Invalid(_)) => Ok(false),
        }
    }

    /// The segments that went while an older one stayed.
    pub(crate) fn dropped(&self) -> Result<BTreeSet<u64>, ReadError> {
        segment::dropped(&*self.storage).map_err(|source| ReadError::Io { segment: 0, source })
    }

    /// The numbers of the segments there are, oldest first. Those that are gone are closed: until then the disk has not got their room back.
    pub fn numbers(&self) -> Result<Vec<u64>, ReadError> {
        let numbers =
            segment::numbers(&*self.storage).map_err(|source| ReadError::Io { segment: 0, source })?;
        self.open.lock().retain(|number, _| numbers.binary_search(number).is_ok());
        Ok(numbers)
    }

    /// The end that a writer of this boot tells.
    fn told(&self) -> Result<Option<Place>, ReadError> {
        let told = durable::read(&*self.storage).map_err(|source| ReadError::Io { segment: 0, source })?;
        Ok(told.filter(|end| end.boot == self.boot).map(|end| end.place))
    }

    fn segment(&self, number: u64) -> Result<Segment, ReadError> {
        let mut open = self.open.lock();
        if let Some(segment) = open.get(&number) {
            return Ok(segment.clone());
        }
        let segment = Segment::open(&*self.storage, number, false).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ReadError::Gone(number),
            _ => ReadError::Io { segment: number, source },
        })?;
        open.insert(number, segment.clone());
        Ok(segment)
    }

    /// How far `segment` may be believed now.
    fn trust(&self, segment: &Segment) -> Result<Trust, ReadError> {
        let number = segment.number;
        let length = segment.blob.len().map_err(|source| ReadError::Io { segment: number, source })?;
        Ok(match self.told()? {
            Some(end) if end.segment == number => {
                let sealed = segment.totals().is_ok();
                let limit = if sealed { length } else { length.min(end.offset) };
                Trust { limit, proven: limit }
            }
            Some(end) if end.segment < number => Trust { limit: FIRST_BLOCK, proven: 0 },
            Some(_) => Trust { limit: length, proven: length },
            None => {
                let last = self.numbers()?.last() == Some(&number);
                Trust { limit: length, proven: if last { 0 } else { length } }
            }
        })
    }

    pub(crate) fn walk(&self, number: u64, at: u64, depth: Depth) -> Result<Walk, ReadError> {
        let segment = self.segment(number)?;
        let Trust { limit, proven } = self.trust(&segment)?;
        Ok(Walk { segment, at, limit, proven, depth, sequence: 0 })
    }

    /// The smallest number held that is greater than `number`; lets go of the files of those that are not held.
    fn after(&self, number: u64) -> Result<Option<u64>, ReadError> {
        let numbers = self.numbers()?;
        self.open.lock().retain(|held, _| numbers.binary_search(held).is_ok());
        Ok(numbers.into_iter().find(|held| *held > number))
    }
}

fn damaged(place: Place, to: u64, invalid: Invalid) -> Damage {
    Damage::new(place.segment, place.offset, to, &invalid.to_string())
}

fn read(segment: &Segment, offset: u64, limit: u64) -> Result<Block, Fault> {
    let header = segment.block_header(offset, limit)?;
    let place = Place { segment: segment.number, offset };
    let next = Place { offset: offset + header.block_len(), ..place };
    Ok(Block { place, next, frames: segment.frames(offset, &header)? })
}

/// Walks a journal from block to block, segment to segment, and waits at the durable end.
pub struct Tail {
    reader: Reader,
    place: Place,
    sequence: u32,
}

impl Tail {
    /// Where the next block is looked for.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The next block; `None` at the durable end, for now. Damage is told once, as an error; the call after
    /// it goes on past it. Segments that retention took meanwhile are passed over.
    #[expect(clippy::should_implement_trait, reason = "it is not over when it says None")]
    pub fn next(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if self.place.segment == 0 && !self.hop()? {
                return Ok(None);
            }
            match self.step() {
                Err(ReadError::Gone(_)) | Ok(Reached::End { segment_is_over: true }) => {
                    if !self.hop()? {
                        return Ok(None);
                    }
                }
                Ok(Reached::End { segment_is_over: false }) => return Ok(None),
                Ok(Reached::Block(block)) => return Ok(Some(block)),
                Err(error) => return Err(error),
            }
        }
    }

    fn step(&mut self) -> Result<Reached, ReadError> {
        let number = self.place.segment;
        let failed = |source| ReadError::Io { segment: number, source };
        let mut walk = self.reader.walk(number, self.place.offset, Depth::Payloads)?;
        walk.sequence = self.sequence;
        let step = walk.step().map_err(failed)?;
        self.place.offset = walk.at;
        self.sequence = walk.sequence;
        match step {
            Step::Block { offset, header, stored } => {
                let place = Place { offset, ..self.place };
                match header.frames(number, stored) {
                    Ok(frames) => Ok(Reached::Block(Block { place, next: self.place, frames })),
                    Err(invalid) => Err(damaged(place, walk.at, invalid).into()),
                }
            }
            Step::Damaged(damage) => Err(damage.into()),
            Step::Sealed => Ok(Reached::End { segment_is_over: true }),
            // A segment whose footer is damaged is over too once another follows it.
            Step::Limit | Step::Torn => {
                let end = self.reader.end()?;
                Ok(Reached::End { segment_is_over: end.segment > number })
            }
        }
    }

    /// Goes on to the next segment held; false if there is none yet.
    fn hop(&mut self) -> Result<bool, ReadError> {
        let Some(number) = self.reader.after(self.place.segment)? else { return Ok(false) };
        self.place = Place { segment: number, offset: FIRST_BLOCK };
        self.sequence = 0;
        Ok(true)
    }
}

enum Reached {
    Block(Block),
    End { segment_is_over: bool },
}
