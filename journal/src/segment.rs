//! A segment's file: its name, its parts, and the walk from block to block past whatever is damaged.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::format::block::{BLOCK_HEADER_LEN, BLOCK_MAGIC, BlockHeader, HASH_LEN, Holds};
use crate::format::segment::{FOOTER_HEAD_LEN, FOOTER_MAGIC, Footer, SEGMENT_HEADER_LEN, SegmentHeader};
use crate::format::segment::{TAIL_LEN, Totals};
use crate::format::{Invalid, block};
use crate::storage::{Blob, Storage};

/// Where a segment's first block begins.
pub(crate) const FIRST_BLOCK: u64 = SEGMENT_HEADER_LEN as u64;
/// One read takes a block's header and this many hashes; more only for the rare block that has more.
const HASHES_AT_ONCE: usize = 16;
/// How much a search for the next whole block reads at once.
const SEARCH_CHUNK: usize = 1 << 20;

const SUFFIX: &str = ".segment";
const DROPPED: &str = ".dropped";

/// The name of segment `number`'s file.
pub(crate) fn name(number: u64) -> String {
    format!("{number:010}{SUFFIX}")
}

/// The number of the segment whose file is called `name`; `None` for other files.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    (digits.len() >= 10).then(|| digits.parse().ok()).flatten()
}

/// The numbers of the segments in `storage`, oldest first.
pub(crate) fn numbers(storage: &dyn Storage) -> io::Result<Vec<u64>> {
    let mut numbers: Vec<_> = storage.names()?.iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The name of the file that says that segment `number` was dropped while an older one stayed.
pub(crate) fn dropped_name(number: u64) -> String {
    format!("{number:010}{DROPPED}")
}

/// The numbers of the segments that were dropped while an older one stayed: that they are missing is no damage.
pub(crate) fn dropped(storage: &dyn Storage) -> io::Result<BTreeSet<u64>> {
    let names = storage.names()?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(DROPPED)?.parse().ok()).collect())
}

/// Why a part of a segment could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// Bytes of a segment that were durable once and are not whole now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("segment {segment}, bytes {from} to {to}: {what}{}", lost.map(|n| format!(", {n} blocks lost")).unwrap_or_default())]
pub struct Damage {
    /// The segment's number.
    pub segment: u64,
    /// The first byte that is not whole.
    pub from: u64,
    /// The byte at which reading goes on.
    pub to: u64,
    /// How many blocks are lost with them, where a later block tells.
    pub lost: Option<u32>,
    /// What is wrong.
    pub what: String,
}

impl Damage {
    pub(crate) fn new(segment: u64, from: u64, to: u64, what: &str) -> Damage {
        Damage { segment, from, to, lost: None, what: what.to_owned() }
    }

    /// Whether the last of `damages` reaches to `limit` of this segment.
    pub(crate) fn ends(damages: &[Damage], segment: u64, limit: u64) -> bool {
        damages.last().is_some_and(|damage| (damage.segment, damage.to) == (segment, limit))
    }
}

/// An open segment.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) blob: Arc<dyn Blob>,
}

impl Segment {
    pub(crate) fn open(storage: &dyn Storage, number: u64, writable: bool) -> io::Result<Segment> {
        Ok(Segment { number, blob: storage.open(&name(number), writable)? })
    }

    pub(crate) fn header(&self) -> Result<SegmentHeader, Fault> {
        let bytes = self.blob.read_up_to(SEGMENT_HEADER_LEN, 0)?;
        Ok(SegmentHeader::decode(self.number, &bytes)?)
    }

    /// The header of the block at `offset`, which ends at `limit` at the latest.
    pub(crate) fn block_header(&self, offset: u64, limit: u64) -> Result<BlockHeader, Fault> {
        let room = usize::try_from(limit.saturating_sub(offset)).unwrap_or(usize::MAX);
        let guess = room.min(BLOCK_HEADER_LEN + HASHES_AT_ONCE * HASH_LEN);
        let mut bytes = self.blob.read_up_to(guess, offset)?;
        let length = BLOCK_HEADER_LEN + HASH_LEN * BlockHeader::peek_frames(&bytes)?;
        if length > room {
            return Err(Invalid::Short.into());
        }
        if length > bytes.len() {
            let rest = self.blob.read_up_to(length - bytes.len(), offset + bytes.len() as u64)?;
            bytes.extend(rest);
        }
        let header = BlockHeader::decode(self.number, bytes.get(..length).ok_or(Invalid::Short)?)?;
        if header.block_len() > room as u64 { Err(Invalid::Short.into()) } else { Ok(header) }
    }

    /// The payload, as stored and unchecked, of the block at `offset`.
    pub(crate) fn stored(&self, offset: u64, header: &BlockHeader) -> Result<Bytes, Fault> {
        let stored = self.blob.read_up_to(header.stored_len as usize, offset + header.payload_at())?;
        Ok(stored.into())
    }

    /// The frames of the block at `offset`.
    pub(crate) fn frames(&self, offset: u64, header: &BlockHeader) -> Result<Vec<block::Frame>, Fault> {
        Ok(header.frames(self.number, self.stored(offset, header)?)?)
    }

    /// What the segment begins with, up to `limit`.
    pub(crate) fn begins(&self, header: Option<&SegmentHeader>, limit: u64) -> Result<Begins, Fault> {
        let (mut to, mut annotations) = (FIRST_BLOCK, 0);
        while to < limit {
            match self.block_header(to, limit) {
                Ok(block) if block.holds == Holds::Annotations => {
                    to += block.block_len();
                    annotations += block.frames;
                }
                Ok(_) | Err(Fault::Invalid(_)) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Begins { to, is_whole: header.is_some_and(|header| header.annotations <= annotations) })
    }

    /// Where the footer begins, if the segment ends like a sealed one.
    pub(crate) fn footer_at(&self) -> Result<u64, Fault> {
        let tail_at = self.blob.len()?.checked_sub(TAIL_LEN as u64).ok_or(Invalid::Short)?;
        let tail = self.blob.read_up_to(TAIL_LEN, tail_at)?;
        let length = Footer::length(self.number, &tail)?;
        Ok((tail_at + TAIL_LEN as u64).checked_sub(length).ok_or(Invalid::Short)?)
    }

    /// What the footer says of the whole segment; an error where there is no whole footer.
    pub(crate) fn totals(&self) -> Result<Totals, Fault> {
        let head = self.blob.read_up_to(FOOTER_HEAD_LEN, self.footer_at()?)?;
        Ok(Totals::decode(self.number, &head)?.0)
    }

    /// The footer; an error where there is no whole one.
    pub(crate) fn footer(&self) -> Result<Footer, Fault> {
        let at = self.footer_at()?;
        let length = usize::try_from(self.blob.len()?.saturating_sub(at)).map_err(|_| Invalid::Short)?;
        Ok(Footer::decode(self.number, &self.blob.read_up_to(length, at)?)?)
    }
}

/// The annotations that a segment begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begins {
    /// Where they end.
    pub(crate) to: u64,
    /// Whether they are as many as stood before it.
    pub(crate) is_whole: bool,
}

/// How closely a walk looks at a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Its header and hashes.
    Headers,
    /// Its stored payload's check too.
    Payloads,
}

/// The next thing that a walk comes to.
#[derive(Debug)]
pub(crate) enum Step {
    Block {
        offset: u64,
        header: BlockHeader,
        /// The payload as stored, where the walk looks at payloads.
        stored: Bytes,
    },
    Damaged(Damage),
    /// The segment is sealed: its footer begins where the walk stands.
    Sealed,
    /// The limit is reached, after a whole block.
    Limit,
    /// From here on nothing is whole, and nothing proves that it ever was durable.
    Torn,
}

/// Walks a segment from block to block.
pub(crate) struct Walk {
    pub(crate) segment: Segment,
    /// Where the next block should begin.
    pub(crate) at: u64,
    /// What lies from here on is not looked at.
    pub(crate) limit: u64,
    /// What lies before was durable: if it is not whole, it is damaged and not torn.
    pub(crate) proven: u64,
    pub(crate) depth: Depth,
    /// No block with a smaller number belongs here.
    pub(crate) sequence: u32,
}

enum Found {
    Block(BlockHeader, Bytes),
    Footer,
}

impl Walk {
    /// A walk from the first block to the end of the file, where all before `proven` was durable once.
    pub(crate) fn whole(segment: Segment, proven: u64, depth: Depth) -> io::Result<Walk> {
        let limit = segment.blob.len()?;
        Ok(Walk { segment, at: FIRST_BLOCK, limit, proven, depth, sequence: 0 })
    }

    /// The next thing. After `Sealed`, `Limit` or `Torn` the same comes again.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        if self.at >= self.limit {
            return Ok(Step::Limit);
        }
        match self.look(self.at) {
            Ok(Found::Footer) => Ok(Step::Sealed),
            Ok(Found::Block(header, stored)) => Ok(self.pass(header, stored)),
            Err(Fault::Io(error)) => Err(error),
            Err(Fault::Invalid(invalid)) => self.resume(invalid),
        }
    }

    fn pass(&mut self, header: BlockHeader, stored: Bytes) -> Step {
        let offset = self.at;
        self.at += header.block_len();
        self.sequence = header.sequence.saturating_add(1);
        Step::Block { offset, header, stored }
    }

    /// What stands whole at `offset`.
    fn look(&self, offset: u64) -> Result<Found, Fault> {
        let header = match self.segment.block_header(offset, self.limit) {
            Err(Fault::Invalid(Invalid::Magic)) => return self.look_for_footer(offset),
            other => other?,
        };
        if header.sequence < self.sequence {
            return Err(Invalid::Field("a block's number").into());
        }
        if self.depth == Depth::Headers {
            return Ok(Found::Block(header, Bytes::new()));
        }
        let stored = self.segment.stored(offset, &header)?;
        if header.is_whole(self.segment.number, &stored) {
            Ok(Found::Block(header, stored))
        } else {
            Err(Invalid::Checksum.into())
        }
    }

    fn look_for_footer(&self, offset: u64) -> Result<Found, Fault> {
        let head = self.segment.blob.read_up_to(FOOTER_HEAD_LEN, offset)?;
        Totals::decode(self.segment.number, &head)?;
        Ok(Found::Footer)
    }

    /// Goes on past bytes that are not whole. They are damaged if they were durable once: because the
    /// caller knows, or because a whole block after them began a batch (JNL-5).
    fn resume(&mut self, invalid: Invalid) -> io::Result<Step> {
        let from = self.at;
        let mut next = None;
        let mut proven = from < self.proven;
        let mut search = from + 1;
        while next.is_none() || !proven {
            let Some((offset, found)) = self.search(search)? else { break };
            proven |= match &found {
                Found::Footer => true,
                Found::Block(header, _) => offset.saturating_sub(header.batch.into()) > from,
            };
            search = match &found {
                Found::Footer => self.limit,
                Found::Block(header, _) => offset + header.block_len(),
            };
            next.get_or_insert((offset, found));
        }
        if !proven {
            return Ok(Step::Torn);
        }
        let lost = match &next {
            Some((_, Found::Block(header, _))) => Some(header.sequence - self.sequence),
            _ => None,
        };
        let lost = lost.filter(|lost| *lost > 0);
        self.at = next.map_or(self.limit, |(offset, _)| offset);
        let damage = Damage::new(self.segment.number, from, self.at, &invalid.to_string());
        Ok(Step::Damaged(Damage { lost, ..damage }))
    }

    /// The first whole block or footer at `from` or later.
    fn search(&self, from: u64) -> io::Result<Option<(u64, Found)>> {
        let mut at = from;
        while at < self.limit {
            let length = SEARCH_CHUNK.min(usize::try_from(self.limit - at).unwrap_or(SEARCH_CHUNK));
            let bytes = self.segment.blob.read_up_to(length, at)?;
            for (index, window) in bytes.windows(4).enumerate() {
                if window != BLOCK_MAGIC && window != FOOTER_MAGIC {
                    continue;
                }
                match self.look(at + index as u64) {
                    Ok(found) => return Ok(Some((at + index as u64, found))),
                    Err(Fault::Io(error)) => return Err(error),
                    Err(Fault::Invalid(_)) => {}
                }
            }
            // A magic may lie across two chunks.
            at += (bytes.len().saturating_sub(3)).max(1) as u64;
        }
        Ok(None)
    }
}
