//! Indexing one segment of the journal, a few blocks at a time.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Place, ReadError, Reader, Tail};

use crate::ends::Recent;
use crate::error::IndexError;
use crate::extract::Extractor;
use crate::shard::Shard;
use crate::state;
use crate::writer::ShardWriter;

/// What jobs share: the journal, what blocks had in common, and the shards made so far.
pub(crate) struct Workshop {
    pub(crate) dir: PathBuf,
    pub(crate) reader: Reader,
    extractor: Extractor,
    recent: Recent,
    shards: BTreeMap<u64, Arc<Shard>>,
    /// The segments that there were when last looked at, oldest first.
    held: Vec<u64>,
}

impl Workshop {
    pub(crate) fn new(dir: &Path) -> Result<Workshop, IndexError> {
        let reader = Reader::open(&state::journal_folder(dir))?;
        fs::create_dir_all(state::shards_folder(dir))?;
        Ok(Workshop {
            dir: dir.to_path_buf(),
            reader,
            extractor: Extractor::new(),
            recent: Recent::default(),
            shards: BTreeMap::new(),
            held: Vec::new(),
        })
    }

    /// The numbers of the journal's segments, oldest first.
    pub(crate) fn segments(&self) -> Result<Vec<u64>, IndexError> {
        Ok(self.reader.segments()?.iter().map(|info| info.number).collect())
    }

    /// The newest segment that something is committed of, and whether its shard is sealed.
    pub(crate) fn newest_committed(&self, segments: &[u64]) -> Option<(u64, bool)> {
        segments.iter().rev().find_map(|segment| {
            let shard = Shard::open(&state::shard_folder(&self.dir, *segment)).ok().flatten()?;
            Some((*segment, shard.state.sealed))
        })
    }

    /// The sealed shard of a segment, if there is one.
    pub(crate) fn sealed(&mut self, segment: u64) -> Option<Arc<Shard>> {
        if let Some(shard) = self.shards.get(&segment) {
            return Some(Arc::clone(shard));
        }
        let folder = state::shard_folder(&self.dir, segment);
        let shard = Shard::open(&folder).ok().flatten().filter(|shard| shard.state.sealed)?;
        let shard = Arc::new(shard);
        self.shards.insert(segment, Arc::clone(&shard));
        Some(shard)
    }

    /// Forgets a shard that has changed.
    pub(crate) fn forget(&mut self, segment: u64) {
        self.shards.remove(&segment);
    }

    /// The sealed shards of the segments before `segment`, and whether those are all.
    fn older(&mut self, segment: u64) -> Result<(Vec<Arc<Shard>>, bool), IndexError> {
        let mut older: Vec<_> = self.segments()?;
        older.retain(|number| *number < segment);
        let shards: Vec<_> = older.iter().filter_map(|number| self.sealed(*number)).collect();
        let all = shards.len() == older.len();
        Ok((shards, all))
    }

    /// Looks again for the repeats of a sealed shard that was made before the older ones; false while one is missing.
    pub(crate) fn settle(&mut self, segment: u64) -> Result<bool, IndexError> {
        let (older, all) = self.older(segment)?;
        if !all || self.sealed(segment).is_none_or(|shard| shard.state.settled) {
            return Ok(all);
        }
        let mut writer = ShardWriter::open(&state::shard_folder(&self.dir, segment), segment)?;
        writer.settle(&self.reader, &mut self.recent, &older)?;
        self.forget(segment);
        Ok(true)
    }

    /// Sweeps once the journal has dropped segments: the disk has their room back only when nobody has them open.
    pub(crate) fn follow_retention(&mut self) -> Result<(), IndexError> {
        let held = self.reader.numbers()?;
        let before = std::mem::replace(&mut self.held, held);
        if before.iter().any(|number| self.held.binary_search(number).is_err()) {
            self.sweep()
        } else {
            Ok(())
        }
    }

    /// Removes the shards of segments that the journal no longer holds, and what a crash left half done.
    pub(crate) fn sweep(&mut self) -> Result<(), IndexError> {
        let held = self.segments()?;
        self.shards.retain(|segment, _| held.contains(segment));
        for entry in fs::read_dir(state::shards_folder(&self.dir))? {
            let entry = entry?;
            let name = entry.file_name();
            let segment = name.to_str().and_then(|name| name.parse::<u64>().ok());
            // An empty journal folder is no reason: it may not be mounted.
            if segment.is_some_and(|segment| !held.is_empty() && !held.contains(&segment)) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// How a step of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is more to read at once.
    More,
    /// Nothing more is there for now.
    Waiting,
    /// The segment is over, its shard sealed and in its place.
    Over,
}

/// The making of one shard.
pub(crate) struct Job {
    segment: u64,
    folder: PathBuf,
    writer: ShardWriter,
    tail: Tail,
    /// Whether it is made beside the shard that it is to replace.
    anew: bool,
}

impl Job {
    /// Goes on with the shard of `segment`, or begins it; beside the one there is where `anew`.
    pub(crate) fn open(workshop: &Workshop, segment: u64, anew: bool) -> Result<Job, IndexError> {
        let folder = if anew {
            let folder = building_folder(&workshop.dir, segment);
            remove_folder(&folder)?;
            folder
        } else {
            state::shard_folder(&workshop.dir, segment)
        };
        let writer = match ShardWriter::open(&folder, segment) {
            Err(error @ (IndexError::Damaged(_) | IndexError::Tantivy(_))) => {
                tracing::warn!(segment, %error, "a shard is made anew");
                remove_folder(&folder)?;
                ShardWriter::open(&folder, segment)?
            }
            other => other?,
        };
        let tail = workshop.reader.blocks_from(writer.next());
        Ok(Job { segment, folder, writer, tail, anew })
    }

    /// The segment that it indexes.
    pub(crate) fn segment(&self) -> u64 {
        self.segment
    }

    /// Up to where all is committed.
    pub(crate) fn committed(&self) -> Place {
        self.writer.next()
    }

    /// How many blocks wait for a commit.
    pub(crate) fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// Takes in up to `blocks` blocks; commits where too much would wait, and where the segment is over.
    pub(crate) fn step(&mut self, workshop: &mut Workshop, blocks: usize) -> Result<Step, IndexError> {
        for _ in 0..blocks {
            match self.tail.next() {
                Ok(Some(block)) if block.place.segment == self.segment => {
                    self.writer.add(&block, &mut workshop.extractor)?;
                }
                Ok(None) if self.tail.place().segment <= self.segment => return Ok(Step::Waiting),
                Ok(_) => return self.finish(workshop).map(|()| Step::Over),
                Err(ReadError::Damaged(damage)) => {
                    tracing::warn!(%damage, "a part of the journal cannot be indexed");
                }
                Err(error) => return Err(error.into()),
            }
            if self.writer.is_full() {
                self.commit(workshop)?;
            }
        }
        Ok(Step::More)
    }

    /// Looks again for repeats, if the shard was begun before the older ones were there and now they are.
    pub(crate) fn settle(&mut self, workshop: &mut Workshop) -> Result<(), IndexError> {
        if self.writer.is_settled() {
            return Ok(());
        }
        let (older, all) = workshop.older(self.segment)?;
        if !all {
            return Ok(());
        }
        self.commit(workshop)?;
        self.writer.settle(&workshop.reader, &mut workshop.recent, &older)
    }

    /// Whether its repeats of older shards are known.
    pub(crate) fn is_settled(&self) -> bool {
        self.writer.is_settled()
    }

    /// Commits what waits.
    pub(crate) fn commit(&mut self, workshop: &mut Workshop) -> Result<(), IndexError> {
        if self.writer.waiting() == 0 {
            return Ok(());
        }
        let (older, all) = workshop.older(self.segment)?;
        self.writer.commit(&workshop.reader, &mut workshop.recent, &older, all)?;
        self.writer.tidy()
    }

    /// Puts a shard that was made anew in the place of the old one, and goes on with it there.
    pub(crate) fn replace_old(self, workshop: &mut Workshop) -> Result<Job, IndexError> {
        let Job { segment, anew, writer, .. } = self;
        drop(writer);
        if anew {
            replace(&workshop.dir, segment)?;
        }
        workshop.forget(segment);
        Job::open(workshop, segment, false)
    }

    fn finish(&mut self, workshop: &mut Workshop) -> Result<(), IndexError> {
        let (older, all) = workshop.older(self.segment)?;
        self.writer.commit(&workshop.reader, &mut workshop.recent, &older, all)?;
        self.writer.seal()?;
        workshop.forget(self.segment);
        if self.anew {
            tracing::debug!(folder = %self.folder.display(), "a shard is made anew");
            replace(&workshop.dir, self.segment)?;
        }
        Ok(())
    }
}

fn building_folder(dir: &Path, segment: u64) -> PathBuf {
    state::shard_folder(dir, segment).with_extension("building")
}

/// Puts the shard made beside the old one in its place.
fn replace(dir: &Path, segment: u64) -> io::Result<()> {
    let folder = state::shard_folder(dir, segment);
    let old = folder.with_extension("old");
    remove_folder(&old)?;
    match fs::rename(&folder, &old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(building_folder(dir, segment), &folder)?;
    fs::File::open(state::shards_folder(dir))?.sync_all()?;
    remove_folder(&old)
}

/// Undoes what a crash left of replacements.
pub(crate) fn recover(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(state::shards_folder(dir))? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("old") if !path.with_extension("").exists() => fs::rename(&path, path.with_extension(""))?,
            Some("old" | "building") => remove_folder(&path)?,
            _ => {}
        }
    }
    Ok(())
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
