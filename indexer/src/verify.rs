//! Holding the index against the journal: is every record found again?

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use journal::{Block, Place, ReadError, Reader};
use timeline::clocks::ClockEvidence;

use crate::blocks::Blocks;
use crate::clocks;
use crate::ends::{self, BySegment, Keyed};
use crate::error::IndexError;
use crate::extract::{Extractor, Gathered};
use crate::run::{Entry, Run};
use crate::shard::Shard;
use crate::state;
use crate::term::Term;

/// So many terms' blocks are remembered while a shard is verified.
const MEMO_MAX: usize = 8192;

/// How the index differs from the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// No shard holds this segment, or it cannot be read.
    NoShard {
        /// The segment.
        segment: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A segment's shard ends before the segment does.
    Unindexed {
        /// Where the shard ends.
        from: Place,
    },
    /// A block is not where the index says, or its counts, times or durations are not what the index says.
    Row {
        /// The block.
        block: Place,
    },
    /// A block is not found by all that it holds.
    Terms {
        /// The block.
        block: Place,
        /// How many of its terms or keys do not lead to it.
        missing: usize,
    },
    /// What a shard has of clocks is not what its segment proves.
    Clocks {
        /// The segment.
        segment: u64,
    },
    /// A shard holds more than its segment.
    Surplus {
        /// The segment.
        segment: u64,
        /// How many blocks it speaks of that are not there.
        blocks: u64,
    },
    /// A part of the journal itself cannot be read.
    Journal {
        /// What is wrong, and where.
        what: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::NoShard { segment, what } => write!(f, "segment {segment} has no shard: {what}"),
            Difference::Unindexed { from } => write!(f, "what follows {from} is not indexed"),
            Difference::Row { block } => write!(f, "block {block} is not as the index has it"),
            Difference::Terms { block, missing } => write!(f, "{missing} terms do not lead to block {block}"),
            Difference::Clocks { segment } => {
                write!(f, "the clock evidence of segment {segment} is not what its records prove")
            }
            Difference::Surplus { segment, blocks } => {
                write!(f, "the shard of segment {segment} has {blocks} blocks more than the segment")
            }
            Difference::Journal { what } => f.write_str(what),
        }
    }
}

/// Compares the index of the data folder `dir` with its journal, block by block: every record must be
/// found by all that it holds. `progress` is told the share done, from 0 to 1. What came while it ran is not compared.
///
/// # Errors
/// Where the journal cannot be read at all.
pub fn verify(dir: &Path, progress: &mut dyn FnMut(f64)) -> Result<Vec<Difference>, IndexError> {
    let reader = Reader::open(&state::journal_folder(dir))?;
    let end = reader.end()?;
    let segments = reader.segments()?;
    let mut differences = Vec::new();
    for (done, info) in segments.iter().enumerate() {
        let last = info.number == end.segment;
        match Shard::open(&state::shard_folder(dir, info.number)) {
            Ok(Some(shard)) => Comparison::of(&shard).with(&reader, last.then_some(end), &mut differences)?,
            Ok(None) => differences.push(no_shard(info.number, "nothing is committed")),
            Err(error) => differences.push(no_shard(info.number, &error.to_string())),
        }
        progress((done + 1) as f64 / segments.len() as f64);
    }
    Ok(differences)
}

fn no_shard(segment: u64, what: &str) -> Difference {
    Difference::NoShard { segment, what: what.to_owned() }
}

/// The comparison of one shard.
struct Comparison<'a> {
    shard: &'a Shard,
    extractor: Extractor,
    memo: HashMap<Term, Blocks>,
    /// What the blocks so far prove of clocks, each by itself; and their ends of calls.
    clocks: ClockEvidence,
    ends: Vec<Keyed>,
}

impl<'a> Comparison<'a> {
    fn of(shard: &'a Shard) -> Comparison<'a> {
        Comparison {
            shard,
            extractor: Extractor::of_all_terms(),
            memo: HashMap::new(),
            clocks: ClockEvidence::default(),
            ends: Vec::new(),
        }
    }

    /// Compares up to the shard's end. `end` is the journal's, where it lies in this segment.
    fn with(
        mut self,
        reader: &Reader,
        end: Option<Place>,
        differences: &mut Vec<Difference>,
    ) -> Result<(), IndexError> {
        let segment = self.shard.state.segment;
        let reached = Place { segment, offset: self.shard.state.next };
        let mut tail = reader.blocks_from(Place::first_of(segment));
        let mut number = 0;
        loop {
            let block = match tail.next() {
                Ok(Some(block)) if block.place.segment == segment => block,
                Ok(_) => break,
                Err(ReadError::Damaged(damage)) => {
                    differences.push(Difference::Journal { what: damage.to_string() });
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if block.place >= reached {
                if end.is_none_or(|end| block.place < end) {
                    differences.push(Difference::Unindexed { from: reached });
                }
                break;
            }
            self.block(&block, number, differences)?;
            number += 1;
        }
        let documents = self.shard.documents() as u64;
        let surplus = u64::from(self.shard.state.blocks.max(number) - number)
            .max(documents.saturating_sub(number.into()));
        if surplus > 0 {
            differences.push(Difference::Surplus { segment, blocks: surplus });
        }
        if !self.proves_the_same() {
            differences.push(Difference::Clocks { segment });
        }
        Ok(())
    }

    /// Whether the shard has of clocks what its own blocks prove.
    fn proves_the_same(self) -> bool {
        let Comparison { shard, mut ends, clocks, .. } = self;
        let segment = shard.state.segment;
        let mut proven = BySegment::from([(segment, clocks)]);
        ends.sort_unstable();
        ends::pair_within(&ends, segment, &mut proven);
        let held = clocks::merged(&shard.clocks);
        held.is_ok_and(|held| held.get(&segment).cloned().unwrap_or_default() == proven[&segment])
    }

    fn block(
        &mut self,
        block: &Block,
        number: u32,
        differences: &mut Vec<Difference>,
    ) -> Result<(), IndexError> {
        let mut gathered = Gathered::default();
        self.extractor.add(block, number, &mut gathered);
        if gathered.rows.first().copied() != self.shard.row(number) {
            differences.push(Difference::Row { block: block.place });
        }
        self.clocks.merge(&gathered.clocks());
        self.ends.extend(gathered.ends.iter().flat_map(|ends| ends.iter()));
        let mut missing =
            lost(&self.shard.terms, &gathered.terms) + lost(&self.shard.identities, &gathered.identities);
        missing += lost(&self.shard.exchanges, &gathered.exchanges);
        for term in gathered.documents.iter().flatten() {
            missing += usize::from(!self.leads(*term, number)?);
        }
        if missing > 0 {
            differences.push(Difference::Terms { block: block.place, missing });
        }
        Ok(())
    }

    fn leads(&mut self, term: Term, block: u32) -> Result<bool, IndexError> {
        if let Some(blocks) = self.memo.get(&term) {
            return Ok(blocks.contains(block));
        }
        let blocks = self.shard.with_term(term)?;
        let leads = blocks.contains(block);
        if self.memo.len() >= MEMO_MAX {
            self.memo.clear();
        }
        self.memo.insert(term, blocks);
        Ok(leads)
    }
}

/// How many of these entries are in none of the runs.
fn lost(runs: &[Run], entries: &[Entry]) -> usize {
    let held =
        |entry: &Entry| runs.iter().any(|run| run.range(entry.key()..=entry.key()).any(|own| own == *entry));
    entries.iter().filter(|entry| !held(entry)).count()
}
