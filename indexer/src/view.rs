//! What a reader of the folder sees at one moment: the shards committed, and the journal past them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use journal::{Block, Place, ReadError, Reader, SegmentInfo, Tail};
use timeline::clocks::ClockEvidence;
use timeline::document::Incompleteness;

use crate::ends::BlockEnds;
use crate::error::IndexError;
use crate::extract::Outline;
use crate::rows::Row;
use crate::shard::Shard;
use crate::state;

/// More blocks than this past the shards are not looked at: the index is still being made.
const TAIL_BLOCKS_MAX: usize = 8192;

/// One moment of a folder.
#[derive(Clone, Default)]
pub(crate) struct View {
    /// The shards of segments that the journal holds, oldest first.
    pub(crate) shards: Vec<Arc<Shard>>,
    /// The blocks past the newest shard, oldest first.
    pub(crate) tail: Vec<Arc<TailBlock>>,
    /// The journal's segments.
    pub(crate) segments: Vec<SegmentInfo>,
    /// Where the shards end.
    pub(crate) indexed_to: Place,
    /// The journal's durable end.
    pub(crate) end: Place,
    /// What no answer can have.
    pub(crate) reasons: BTreeSet<Incompleteness>,
}

/// A block that no shard holds yet.
pub(crate) struct TailBlock {
    pub(crate) place: Place,
    pub(crate) row: Row,
    /// The identity keys of its items, sorted.
    pub(crate) identities: Vec<u64>,
    /// What it says of clocks; read when that is first asked for.
    pub(crate) clocks: OnceLock<(ClockEvidence, BlockEnds)>,
}

impl TailBlock {
    fn of(block: &Block) -> TailBlock {
        let Outline { row, mut identities } = Outline::of(block);
        identities.sort_unstable();
        TailBlock { place: block.place, row, identities, clocks: OnceLock::new() }
    }
}

impl View {
    /// Whether the journal still holds a segment.
    pub(crate) fn holds(&self, segment: u64) -> bool {
        self.segments.iter().any(|info| info.number == segment)
    }
}

/// A commit of a shard: its metadata file is replaced by each.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Commit {
    inode: u64,
    changed: (i64, i64),
}

/// Keeps a view up to date.
pub(crate) struct Viewer {
    dir: PathBuf,
    reader: Reader,
    shards: BTreeMap<u64, (Commit, Arc<Shard>)>,
    tail: Vec<Arc<TailBlock>>,
    cursor: Tail,
    damaged: bool,
}

impl Viewer {
    pub(crate) fn new(dir: PathBuf, reader: Reader) -> Viewer {
        let cursor = reader.blocks_from(Place::default());
        Viewer { dir, reader, shards: BTreeMap::new(), tail: Vec::new(), cursor, damaged: false }
    }

    /// The folder as it is now.
    pub(crate) fn look(&mut self) -> Result<View, IndexError> {
        let mut reasons = BTreeSet::new();
        // The end is asked for first: what is committed meanwhile is only seen sooner.
        let end = self.reader.end()?;
        let segments = self.reader.segments()?;
        self.shards.retain(|number, _| segments.iter().any(|info| info.number == *number));
        for info in &segments {
            if let Err(error) = self.refresh(info.number) {
                tracing::warn!(segment = info.number, %error, "a shard cannot be read");
                reasons.insert(Incompleteness::MissingShard);
            }
        }
        let indexed_to = self.shards.last_key_value().map_or(Place::default(), |(number, (_, shard))| {
            Place { segment: *number, offset: shard.state.next }
        });
        let sealed = |number: &u64| self.shards.get(number).is_some_and(|(_, shard)| shard.state.sealed);
        if segments
            .iter()
            .map(|info| info.number)
            .any(|number| number < indexed_to.segment && !sealed(&number))
        {
            reasons.insert(Incompleteness::NotIndexed);
        }
        if self.follow(indexed_to)? {
            reasons.insert(Incompleteness::NotIndexed);
        }
        if self.damaged {
            reasons.insert(Incompleteness::MissingShard);
        }
        let shards = self.shards.values().map(|(_, shard)| Arc::clone(shard)).collect();
        Ok(View { shards, tail: self.tail.clone(), segments, indexed_to, end, reasons })
    }

    fn refresh(&mut self, segment: u64) -> Result<(), IndexError> {
        let folder = state::shard_folder(&self.dir, segment);
        let Ok(metadata) = fs::metadata(state::inverted_folder(&folder).join("meta.json")) else {
            self.shards.remove(&segment);
            return Ok(()); // none yet
        };
        let commit = Commit { inode: metadata.ino(), changed: (metadata.mtime(), metadata.mtime_nsec()) };
        if self.shards.get(&segment).is_some_and(|(held, _)| *held == commit) {
            return Ok(());
        }
        self.shards.remove(&segment);
        // A shard may have been made and nothing committed yet.
        if let Some(shard) = Shard::open(&folder)? {
            self.shards.insert(segment, (commit, Arc::new(shard)));
        }
        Ok(())
    }

    /// Brings the tail up to date, from `indexed_to` on; says whether there is more than it takes.
    fn follow(&mut self, indexed_to: Place) -> Result<bool, IndexError> {
        let begins = self.tail.first().map_or(self.cursor.place(), |block| block.place);
        if self.cursor.place() < indexed_to || begins > indexed_to {
            self.cursor = self.reader.blocks_from(indexed_to);
            self.tail.clear();
        }
        self.tail.retain(|block| block.place >= indexed_to);
        while self.tail.len() < TAIL_BLOCKS_MAX {
            match self.cursor.next() {
                Ok(Some(block)) => self.tail.push(Arc::new(TailBlock::of(&block))),
                Ok(None) => return Ok(false),
                Err(ReadError::Damaged(damage)) => {
                    tracing::warn!(%damage, "a part of the journal cannot be read");
                    self.damaged = true;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}
