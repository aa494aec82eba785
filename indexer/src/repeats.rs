//! Items that came again: which items of new blocks stand, equal, further up in the journal.
//!
//! Equal items have equal identity keys, so that a repeat shows when keys are sorted. What looks like one
//! is decided by reading both blocks and comparing record ids. Time bounds the search: equal records have
//! equal times, hence only shards whose records reach into the time of the new blocks are asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;

use journal::{Place, Reader};
use timeline::id::RecordId;
use timeline::record::{Position, Record};

use crate::error::IndexError;
use crate::read;
use crate::run::{Entry, Run};

/// Where an item stands in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ItemPlace {
    pub(crate) block: u32,
    pub(crate) frame: u32,
    pub(crate) item: u32,
}

/// An item that stands further up too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeat {
    /// The later copy.
    pub(crate) place: ItemPlace,
    /// Whether it is a log.
    pub(crate) is_log: bool,
    /// The segment of the copy before it: once that is dropped, this one counts.
    pub(crate) earlier: u64,
}

/// block + frame + item + whether a log + segment
const REPEAT_LEN: usize = 4 + 4 + 4 + 4 + 8;

impl Repeat {
    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        for number in [self.place.block, self.place.frame, self.place.item, u32::from(self.is_log)] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.earlier.to_le_bytes());
    }

    /// The first `count` rows of a table of repeats.
    pub(crate) fn read(path: &Path, count: u32) -> io::Result<Vec<Repeat>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let bytes = std::fs::read(path)?;
        let rows = bytes.chunks_exact(REPEAT_LEN).take(count as usize).filter_map(Repeat::decode);
        let rows: Vec<_> = rows.collect();
        if rows.len() == count as usize { Ok(rows) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn decode(bytes: &[u8]) -> Option<Repeat> {
        let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        Some(Repeat {
            place: ItemPlace { block: number(0)?, frame: number(4)?, item: number(8)? },
            is_log: number(12)? != 0,
            earlier: u64::from_le_bytes(*bytes.get(16..)?.first_chunk()?),
        })
    }

    /// The bytes of so many rows.
    pub(crate) fn table_len(count: u32) -> u64 {
        u64::from(count) * REPEAT_LEN as u64
    }
}

/// A block is compared with at most so many before it for one key: equal keys of many different items are
/// those of logs without times, and then the latest are as equal as the first.
const EQUAL_KEYS_MAX: usize = 64;

/// New blocks whose identity keys stand in other blocks too, with those blocks.
#[derive(Debug, Default)]
pub(crate) struct Suspects(BTreeMap<u32, BTreeSet<Place>>);

impl Suspects {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Suspects those of `new`, which is sorted, that stand in several new blocks, or twice in one.
    pub(crate) fn among(&mut self, new: &[Entry], place: &dyn Fn(u32) -> Option<Place>) {
        for equal in new.chunk_by(|a, b| a.key() == b.key()).filter(|equal| equal.len() > 1) {
            for (count, entry) in equal.iter().enumerate().skip(1) {
                let before = equal.iter().take(count).rev().take(EQUAL_KEYS_MAX);
                let places = before.filter_map(|earlier| place(earlier.block()));
                self.0.entry(entry.block()).or_default().extend(places);
            }
        }
    }

    /// Suspects those of `new`, which is sorted, whose key stands in `run`.
    pub(crate) fn against(&mut self, new: &[Entry], run: &Run, place: &dyn Fn(u32) -> Option<Place>) {
        let mut cursor = run.cursor(0);
        for entry in new {
            for earlier in cursor.blocks_of(entry.key()) {
                self.0.entry(entry.block()).or_default().extend(place(earlier));
            }
        }
    }

    /// The items that are repeats indeed. `place` tells where a new block stands.
    pub(crate) fn judge(
        self,
        reader: &Reader,
        place: &dyn Fn(u32) -> Option<Place>,
    ) -> Result<Vec<Repeat>, IndexError> {
        let mut repeats = Vec::new();
        for (block, others) in self.0 {
            let Some(own) = place(block) else { continue };
            let mut held: HashMap<RecordId, u64> = HashMap::new();
            for other in others.into_iter().filter(|other| *other < own) {
                let records = read::all(&reader.block(other)?);
                held.extend(records.into_iter().map(|record| (record.id, other.segment)));
            }
            for record in read::all(&reader.block(own)?) {
                if let Some(earlier) = held.insert(record.id, own.segment) {
                    repeats.push(Repeat {
                        place: item_place(block, record.position),
                        is_log: is_log(&record),
                        earlier,
                    });
                }
            }
        }
        Ok(repeats)
    }
}

fn is_log(record: &Record) -> bool {
    record.as_log().is_some()
}

pub(crate) fn item_place(block: u32, position: Position) -> ItemPlace {
    ItemPlace { block, frame: position.frame, item: position.item }
}
