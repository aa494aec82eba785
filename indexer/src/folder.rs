//! The archive of a data folder, for any process.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Block, Place, ReadError, Reader};
use parking_lot::Mutex;
use query::archive::{
    Archive, ArchiveError, Effort, Fetched, Followed, Found, Operations, Page, Proven, Visited, Window,
};
use query::predicate::Predicate;
use timeline::clocks::ClockEvidence;
use timeline::document::{Completeness, Incompleteness, Stats};
use timeline::id::TraceId;
use timeline::record::{Position, Record};

use crate::ends::{self, BySegment, Keyed, Others};
use crate::error::IndexError;
use crate::read;
use crate::scan::Scan;
use crate::shard::Shard;
use crate::state;
use crate::stats;
use crate::view::{View, Viewer};

/// Decompressed blocks are kept for the next question up to so many bytes.
const CACHE_BYTES: usize = 24 << 20;

/// The records of a data folder: its committed shards, and the journal past them.
///
/// It works in any process, beside a running indexer or without one, and sees what was acknowledged
/// before the question was asked.
pub struct Folder {
    dir: PathBuf,
    reader: Reader,
    viewer: Mutex<Viewer>,
    cache: Mutex<Cache>,
    counted: Mutex<stats::Counted>,
}

impl Folder {
    /// The archive of the data folder `dir`.
    ///
    /// # Errors
    /// Where there is no journal in it, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Folder, IndexError> {
        let reader = Reader::open(&state::journal_folder(dir))?;
        let viewer = Mutex::new(Viewer::new(dir.to_path_buf(), reader.clone()));
        Ok(Folder {
            dir: dir.to_path_buf(),
            reader,
            viewer,
            cache: Mutex::default(),
            counted: Mutex::default(),
        })
    }

    /// How far the shards reach into the journal, and how far the journal reaches.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn progress(&self) -> Result<(Place, Place), IndexError> {
        let view = self.viewer.lock().look()?;
        Ok((view.indexed_to, view.end))
    }

    pub(crate) fn view(&self) -> Result<View, ArchiveError> {
        self.viewer.lock().look().map_err(store)
    }

    /// Adds what the blocks past the shards prove of clocks, by themselves and together with the shards.
    fn clocks_of_tail(
        &self,
        view: &View,
        effort: &Effort,
        evidence: &mut ClockEvidence,
    ) -> Result<(), ArchiveError> {
        let mut all: Vec<Keyed> = Vec::new();
        for tail in &view.tail {
            effort.check()?;
            if tail.clocks.get().is_none()
                && let Some(block) = self.block(tail.place).map_err(store)?
            {
                tail.clocks.get_or_init(|| ends::of_block(&block));
            }
            if let Some((alone, ends)) = tail.clocks.get() {
                evidence.merge(alone);
                all.extend(ends.iter());
            }
        }
        all.sort_unstable();
        let mut others = Others::new();
        for shard in &view.shards {
            shard.look_up(&all, &mut others);
        }
        let mut proven = BySegment::new();
        ends::pair_within(&all, view.end.segment, &mut proven);
        effort.check()?;
        let ends_of = |place| Ok(self.block(place)?.map(|block| ends::of_block(&block).1));
        ends::pair_with(&all, &others, ends_of, &mut proven).map_err(store)?;
        proven.values().for_each(|own| evidence.merge(own));
        Ok(())
    }

    /// A block, from the cache or the journal; `None` where retention has taken it.
    pub(crate) fn block(&self, place: Place) -> Result<Option<Arc<Block>>, IndexError> {
        if let Some(block) = self.cache.lock().get(place) {
            return Ok(Some(block));
        }
        let block = match self.reader.block(place) {
            Err(ReadError::Gone(_)) => return Ok(None),
            other => Arc::new(other?),
        };
        self.cache.lock().keep(&block);
        Ok(Some(block))
    }
}

/// How far the shards of the data folder `dir` reach into its journal; `None` where there are none.
///
/// # Errors
/// Where the newest shard cannot be read.
pub fn indexed_to(dir: &Path) -> Result<Option<Place>, IndexError> {
    let segments = Reader::open(&state::journal_folder(dir))?.segments()?;
    for info in segments.iter().rev() {
        let folder = state::shard_folder(dir, info.number);
        if !folder.exists() {
            continue;
        }
        if let Some(shard) = Shard::open(&folder)? {
            return Ok(Some(Place { segment: info.number, offset: shard.state.next }));
        }
    }
    Ok(None)
}

pub(crate) fn store(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Store(error.to_string())
}

impl Archive for Folder {
    fn find(
        &self,
        predicate: &Predicate,
        window: Window,
        page: Page,
        effort: &Effort,
    ) -> Result<Found, ArchiveError> {
        Scan::new(self, predicate, window, effort)?.find(page)
    }

    fn visit(
        &self,
        predicate: &Predicate,
        window: Window,
        effort: &Effort,
        visit: &mut dyn FnMut(Record),
    ) -> Result<Visited, ArchiveError> {
        Scan::new(self, predicate, window, effort)?.visit(visit)
    }

    fn fetch(&self, traces: &[TraceId], effort: &Effort) -> Result<Fetched, ArchiveError> {
        let predicate = Predicate::Any(traces.iter().copied().map(Predicate::Trace).collect());
        let page = Page { before: None, limit: usize::MAX };
        let Found { records, reasons, .. } =
            Scan::new(self, &predicate, Window::default(), effort)?.find(page)?;
        Ok(Fetched { records, reasons })
    }

    fn clocks(&self, window: Window, effort: &Effort) -> Result<Proven, ArchiveError> {
        effort.check()?;
        let view = self.view()?;
        let mut evidence = ClockEvidence::default();
        for shard in &view.shards {
            effort.check()?;
            let wants = |segment| view.holds(segment);
            for file in &shard.clocks {
                file.read(window, wants, |_, own| evidence.merge(&own)).map_err(store)?;
            }
        }
        self.clocks_of_tail(&view, effort, &mut evidence)?;
        let evidence = evidence.within(window.since, window.until);
        Ok(Proven { evidence, reasons: view.reasons.into_iter().collect() })
    }

    fn completeness(&self) -> Result<Completeness, ArchiveError> {
        let reasons: Vec<_> = self.view()?.reasons.into_iter().collect();
        Ok(Completeness { complete: reasons.is_empty(), reasons, ..Completeness::default() })
    }

    fn follow(
        &self,
        after: Option<Position>,
        limit: usize,
        effort: &Effort,
    ) -> Result<Followed, ArchiveError> {
        effort.check()?;
        let Some(after) = after else {
            let end = self.reader.end().map_err(store)?;
            return Ok(Followed { records: Vec::new(), after: Some(just_before(end)) });
        };
        let mut followed = Followed { records: Vec::new(), after: Some(after) };
        let mut tail = self.reader.blocks_from(resume(after));
        while followed.records.len() < limit {
            effort.check()?;
            let block = match tail.next() {
                Ok(Some(block)) => block,
                Ok(None) => break,
                Err(ReadError::Damaged(_)) => continue, // told by every search
                Err(error) => return Err(store(error)),
            };
            let mut records = read::all(&block);
            records.retain(|record| record.position > after);
            let whole = records.len() <= limit - followed.records.len();
            records.truncate(limit - followed.records.len());
            followed.after = match records.last() {
                Some(last) if !whole => Some(last.position),
                _ => Some(just_before(block.next)),
            };
            followed.records.append(&mut records);
        }
        Ok(followed)
    }

    fn operations(&self, effort: &Effort) -> Result<Operations, ArchiveError> {
        let view = self.view()?;
        let mut operations = Operations::default();
        for shard in &view.shards {
            for (service, names) in &shard.state.operations.services {
                operations.services.entry(service.clone()).or_default().extend(names.iter().cloned());
            }
            if shard.state.operations.left_out {
                operations.reasons = vec![Incompleteness::Truncated];
            }
        }
        for block in &view.tail {
            effort.check()?;
            let records = self.block(block.place).map_err(store)?.map(|block| read::all(&block));
            records.into_iter().flatten().for_each(|record| operations.add(&record));
        }
        Ok(operations)
    }

    fn stats(&self) -> Result<Stats, ArchiveError> {
        stats::of(self, &self.dir, &self.view()?, &mut self.counted.lock())
    }
}

/// A position after all that stands before `place`, and before all that stands from there on.
fn just_before(place: Place) -> Position {
    match place.offset.checked_sub(1) {
        Some(offset) => Position { segment: place.segment, offset, frame: u32::MAX, item: u32::MAX },
        None => Position { segment: place.segment, ..Position::default() },
    }
}

/// The block to go on with after `position`.
fn resume(position: Position) -> Place {
    let between = position.frame == u32::MAX && position.item == u32::MAX;
    Place { segment: position.segment, offset: position.offset + u64::from(between) }
}

/// The blocks read last.
#[derive(Default)]
struct Cache {
    blocks: VecDeque<Arc<Block>>,
    bytes: usize,
}

impl Cache {
    fn get(&mut self, place: Place) -> Option<Arc<Block>> {
        let at = self.blocks.iter().position(|block| block.place == place)?;
        let block = self.blocks.remove(at)?;
        self.blocks.push_back(Arc::clone(&block));
        Some(block)
    }

    fn keep(&mut self, block: &Arc<Block>) {
        self.bytes += bytes(block);
        self.blocks.push_back(Arc::clone(block));
        while self.bytes > CACHE_BYTES {
            let Some(oldest) = self.blocks.pop_front() else { break };
            self.bytes -= bytes(&oldest);
        }
    }
}

fn bytes(block: &Block) -> usize {
    block.frames.iter().map(|frame| frame.body.len()).sum()
}
