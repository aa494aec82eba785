//! The one writer: takes batches of requests, and says of each what became of it.
//!
//! It knows no thread and no queue; `journal.rs` runs it. A batch goes into one segment, as blocks
//! written and synced together.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hlc::{AHEAD_NS_MAX, Clock, Merge, Stamp};

use crate::durable::{Boot, End, EndFile};
use crate::format::block::{BlockBuilder, BlockHeader, Standing};
use crate::format::frame;
use crate::format::segment::{Footer, SegmentHeader};
use crate::options::Options;
use crate::recovery::{self, OpenError, Recovered};
use crate::repeats::Repeats;
use crate::request::{AppendError, Place, Receipt, Request};
use crate::retention::{self, Held};
use crate::segment::{self, FIRST_BLOCK, Segment};
use crate::storage::{Storage, is_full};

/// What is not yet indexed will take at most this part of its bytes again.
const INDEX_SHARE: u64 = 2;
/// When a sender whom a full disk turned away may come back.
pub(crate) const RETRY_FULL: Duration = Duration::from_secs(5);
/// A segment is sealed once it has so many frames, so that its footer stays a few megabytes.
const SEGMENT_FRAMES_MAX: u32 = 1 << 19;
/// Of the disk's room one segment takes at most this part ...
const SEGMENT_SHARE: u64 = 16;
/// ... but is not kept smaller than this.
const SEGMENT_BYTES_MIN: u64 = 1 << 20;

/// A request on its way to the disk.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) request: Request,
    pub(crate) hash: u128,
    /// The wall clock when it was handed over, in nanoseconds since the Unix epoch.
    pub(crate) arrived_ns: u64,
}

/// What a journal has done since it was opened, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Requests written.
    pub requests: u64,
    /// Items written, refused ones not counted.
    pub items: u64,
    /// Requests recognised as repeats and not written again.
    pub repeated: u64,
    /// Bytes of the bodies written.
    pub body_bytes: u64,
    /// Bytes of the blocks written.
    pub block_bytes: u64,
    /// Syncs that requests waited for.
    pub syncs: u64,
    /// Requests turned away by a full disk.
    pub turned_away: u64,
    /// Stamps carried by requests that were too far ahead of the wall clock to be merged.
    pub too_far_ahead: u64,
    /// Segments dropped.
    pub dropped: u64,
    /// Segments held, the one being written included.
    pub segments: u64,
    /// Bytes of the segments held.
    pub bytes: u64,
    /// Items in the segments held, as their blocks count them.
    pub items_held: u64,
    /// Whether the disk failed, so that nothing is taken in any more.
    pub poisoned: bool,
}

/// The segment being written.
pub(crate) struct Active {
    pub(crate) segment: Segment,
    pub(crate) index: Footer,
    /// Just past the last durable block.
    pub(crate) at: u64,
    pub(crate) sequence: u32,
}

pub(crate) struct Writer {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) options: Options,
    pub(crate) boot: Boot,
    pub(crate) clock: Clock,
    /// The clock's bound; every block carries it.
    pub(crate) bound: Stamp,
    pub(crate) collector: u128,
    /// Sealed segments, oldest first.
    pub(crate) held: VecDeque<Held>,
    pub(crate) active: Option<Active>,
    /// A segment is sealed once it has so many bytes, on a disk of this size.
    pub(crate) segment_bytes: u64,
    /// What lies before is indexed; `None` where nobody tells.
    pub(crate) indexed: Option<Place>,
    pub(crate) next_number: u64,
    pub(crate) end: Place,
    pub(crate) end_file: EndFile,
    pub(crate) repeats: Repeats,
    pub(crate) builder: BlockBuilder,
    pub(crate) counts: Counts,
}

/// What is to become of a request of a batch.
enum Fate {
    /// It stands in the journal already.
    Repeats(Receipt),
    /// It equals the batch's request of this number.
    Twin(usize),
    New,
}

/// A batch's blocks, ready to be written.
#[derive(Default)]
struct Encoded {
    bytes: Vec<u8>,
    blocks: Vec<(u64, BlockHeader)>,
    /// The receipts of the requests of these numbers, in their order.
    receipts: Vec<(usize, Receipt)>,
}

enum WriteFault {
    Full,
    Failed(io::Error),
}

impl From<io::Error> for WriteFault {
    fn from(error: io::Error) -> WriteFault {
        if is_full(&error) { WriteFault::Full } else { WriteFault::Failed(error) }
    }
}

impl Writer {
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        options: Options,
        boot: Boot,
        now_ns: u64,
    ) -> Result<(Writer, Recovered), OpenError> {
        recovery::open(storage, options, boot, now_ns)
    }

    /// Makes a batch durable. Returns what became of each request, in order.
    pub(crate) fn commit(&mut self, batch: &[Pending], now_ns: u64) -> Vec<Result<Receipt, AppendError>> {
        if self.counts.poisoned {
            return batch.iter().map(|_| Err(AppendError::Poisoned)).collect();
        }
        let fates = self.fates(batch);
        let written = self.write_new(batch, &fates, now_ns);
        let new: HashMap<usize, Receipt> = written.iter().flatten().copied().collect();
        let receipt = |index| match (new.get(&index), &written) {
            (Some(receipt), _) => Ok(*receipt),
            (None, Err(error)) => Err(error.clone()),
            (None, Ok(_)) => Err(AppendError::Poisoned),
        };
        let repeated = |receipt: Receipt| Receipt { repeated: true, ..receipt };
        let answers: Vec<_> = fates
            .iter()
            .enumerate()
            .map(|(index, fate)| match fate {
                Fate::Repeats(receipt) => Ok(repeated(*receipt)),
                Fate::Twin(first) => receipt(*first).map(repeated),
                Fate::New => receipt(index),
            })
            .collect();
        self.counts.repeated += answers.iter().flatten().filter(|receipt| receipt.repeated).count() as u64;
        let full = |answer: &&Result<_, _>| matches!(answer, Err(AppendError::Full(_)));
        self.counts.turned_away += answers.iter().filter(full).count() as u64;
        self.retire(now_ns);
        answers
    }

    fn fates(&self, batch: &[Pending]) -> Vec<Fate> {
        let mut first_of: HashMap<u128, usize> = HashMap::with_capacity(batch.len());
        let mut fates: Vec<Fate> = Vec::with_capacity(batch.len());
        for (index, pending) in batch.iter().enumerate() {
            let first = *first_of.entry(pending.hash).or_insert(index);
            let twin = first != index && same(&batch[first].request, &pending.request);
            fates.push(match fates.get(first) {
                Some(Fate::Repeats(receipt)) if twin => Fate::Repeats(*receipt),
                Some(_) if twin => Fate::Twin(first),
                _ => self.find_repeat(pending).map_or(Fate::New, Fate::Repeats),
            });
        }
        fates
    }

    /// The receipt of the request that `pending` repeats. A block that cannot be read proves no repeat.
    fn find_repeat(&self, pending: &Pending) -> Option<Receipt> {
        let place = self.repeats.get(pending.hash)?;
        let segment = match &self.active {
            Some(active) if active.segment.number == place.segment => active.segment.clone(),
            _ => Segment::open(&*self.storage, place.segment, false).ok()?,
        };
        let header = segment.block_header(place.offset, u64::MAX).ok()?;
        let number = header.hashes.iter().position(|hash| *hash == pending.hash)?;
        let found = segment.frames(place.offset, &header).ok()?.into_iter().nth(number)?;
        let request = &pending.request;
        let same = (found.signal, found.encoding) == (request.signal, request.encoding)
            && found.tenant == request.tenant
            && found.body == request.body;
        same.then_some(Receipt { place, frame: number as u32, stamp: found.stamp, repeated: true })
    }

    fn write_new(
        &mut self,
        batch: &[Pending],
        fates: &[Fate],
        now_ns: u64,
    ) -> Result<Vec<(usize, Receipt)>, AppendError> {
        if !fates.iter().any(|fate| matches!(fate, Fate::New)) {
            return Ok(Vec::new());
        }
        self.with_room(now_ns, |writer| writer.rotate(now_ns))?;
        let new = fates.iter().zip(batch).enumerate();
        let new = new.filter(|(_, (fate, _))| matches!(fate, Fate::New)).map(|(index, (_, p))| (index, p));
        let encoded = self.encode(new).map_err(|error| self.poison(&error))?;
        self.with_room(now_ns, |writer| writer.put(&encoded.bytes))?;
        self.settle(&encoded, now_ns).map_err(|error| self.poison(&error))?;
        self.counts.body_bytes +=
            encoded.receipts.iter().map(|(index, _)| batch[*index].request.body.len() as u64).sum::<u64>();
        Ok(encoded.receipts)
    }

    /// Does `work`, dropping the oldest segments for as long as the disk is full.
    fn with_room(
        &mut self,
        now_ns: u64,
        mut work: impl FnMut(&mut Writer) -> Result<(), WriteFault>,
    ) -> Result<(), AppendError> {
        loop {
            match work(self) {
                Ok(()) => return Ok(()),
                Err(WriteFault::Failed(error)) => return Err(self.poison(&error)),
                Err(WriteFault::Full) => {
                    let oldest = self.held.front();
                    let yields = oldest.is_some_and(|held| retention::may_yield(held, now_ns, &self.options));
                    let room = self.room();
                    // What a reader still has open gives its room back later: dropping more would not help now.
                    if !yields || !self.drop_oldest(1) || self.room() <= room {
                        return Err(AppendError::Full(RETRY_FULL));
                    }
                }
            }
        }
    }

    /// JNL-4: after a failed write or sync nothing tells what is on the disk, so nothing more is taken in.
    fn poison(&mut self, error: &io::Error) -> AppendError {
        tracing::error!(%error, end = %self.end, "the journal's disk failed: it takes nothing until it is opened anew");
        self.counts.poisoned = true;
        AppendError::Poisoned
    }

    fn encode<'a>(&mut self, new: impl Iterator<Item = (usize, &'a Pending)>) -> io::Result<Encoded> {
        let mut encoded = Encoded::default();
        let mut block_of = Vec::new();
        for (index, pending) in new {
            if !self.builder.has_room(frame::encoded_len(&pending.request)) {
                self.finish_block(&mut encoded)?;
            }
            let stamp = self.stamp(pending);
            let frame = self.builder.push(&pending.request, pending.hash, stamp);
            block_of.push(encoded.blocks.len());
            encoded
                .receipts
                .push((index, Receipt { place: Place::default(), frame, stamp, repeated: false }));
        }
        self.finish_block(&mut encoded)?;
        let segment = self.active.as_ref().map_or(0, |active| active.segment.number);
        for ((_, receipt), block) in encoded.receipts.iter_mut().zip(block_of) {
            receipt.place = Place { segment, offset: encoded.blocks[block].0 };
        }
        Ok(encoded)
    }

    fn finish_block(&mut self, encoded: &mut Encoded) -> io::Result<()> {
        let Some(active) = &self.active else { return Err(io::ErrorKind::NotFound.into()) };
        let standing = Standing {
            segment: active.segment.number,
            sequence: active.sequence + encoded.blocks.len() as u32,
            batch: encoded.bytes.len() as u32,
            bound: self.bound,
        };
        let offset = active.at + encoded.bytes.len() as u64;
        let header = self.builder.finish(standing, &mut encoded.bytes)?;
        encoded.blocks.push((offset, header));
        Ok(())
    }

    /// JNL-3: a stamp is told to nobody before a block that carries a bound above it is durable.
    fn stamp(&mut self, pending: &Pending) -> Stamp {
        let wall_ns = pending.arrived_ns;
        let carried = pending.request.carried.unwrap_or_default();
        let merged = carried.wall_ns().saturating_sub(wall_ns) <= AHEAD_NS_MAX;
        let reach_ns = if merged { wall_ns.max(carried.wall_ns()) } else { wall_ns };
        if let Some(bound) = self.clock.lease(reach_ns, u64::from(carried.counter()) + 2) {
            self.bound = self.bound.max(bound);
            self.clock.extend(bound);
        }
        match self.clock.merge(carried, wall_ns) {
            Merge::Merged(stamp) => stamp,
            Merge::TooFarAhead { stamp, .. } => {
                self.counts.too_far_ahead += 1;
                stamp
            }
        }
    }

    /// Writes and syncs a batch. Where there is no room for all of it, none of it stays.
    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteFault> {
        let Some(active) = &self.active else { return Err(io::Error::from(io::ErrorKind::NotFound).into()) };
        if self.room() < (bytes.len() as u64).saturating_add(self.kept_free()) {
            return Err(WriteFault::Full);
        }
        let blob = &active.segment.blob;
        if let Err(error) = blob.write_all_at(bytes, active.at) {
            blob.set_len(active.at).map_err(WriteFault::Failed)?;
            return Err(error.into());
        }
        self.counts.syncs += 1;
        blob.sync().map_err(WriteFault::Failed)
    }

    /// Takes a durable batch into the books, and tells readers how far they may read.
    fn settle(&mut self, encoded: &Encoded, now_ns: u64) -> io::Result<()> {
        let Some(active) = &mut self.active else { return Err(io::ErrorKind::NotFound.into()) };
        for (offset, header) in &encoded.blocks {
            active.index.push(*offset, header);
            active.at = offset + header.block_len();
            active.sequence = header.sequence + 1;
            let place = Place { segment: active.segment.number, offset: *offset };
            self.repeats.remember(&header.hashes, place, now_ns);
            self.counts.requests += u64::from(header.frames);
            self.counts.items += u64::from(header.items);
        }
        self.counts.block_bytes += encoded.bytes.len() as u64;
        self.end = Place { segment: active.segment.number, offset: active.at };
        self.publish()
    }

    fn publish(&self) -> io::Result<()> {
        self.end_file.write(&End {
            boot: self.boot,
            place: self.end,
            bound: self.bound,
            oldest: self.oldest(),
        })
    }

    /// The number of the oldest segment held; of the next one where there is none.
    pub(crate) fn oldest(&self) -> u64 {
        let active = self.active.as_ref().map_or(self.next_number, |active| active.segment.number);
        self.held.front().map_or(active, |held| held.number)
    }

    /// Sees to it that there is a segment to write to: seals the present one where it is full or old.
    fn rotate(&mut self, now_ns: u64) -> Result<(), WriteFault> {
        let due = self.active.as_ref().is_some_and(|active| {
            let totals = &active.index.totals;
            let age_ns = u128::from(now_ns.saturating_sub(totals.first.wall_ns()));
            totals.blocks > 0
                && (active.at >= self.segment_bytes
                    || totals.frames >= SEGMENT_FRAMES_MAX
                    || age_ns >= self.options.segment_age.as_nanos())
        });
        if due {
            self.seal()?;
        }
        if self.active.is_none() { self.create(now_ns) } else { Ok(()) }
    }

    fn seal(&mut self) -> Result<(), WriteFault> {
        let Some(active) = &self.active else { return Ok(()) };
        let Segment { number, blob } = &active.segment;
        let footer = active.index.encode(*number);
        if let Err(error) = blob.write_all_at(&footer, active.at) {
            blob.set_len(active.at).map_err(WriteFault::Failed)?;
            return Err(error.into());
        }
        blob.sync().map_err(WriteFault::Failed)?;
        let bytes = active.at + footer.len() as u64;
        self.held.push_back(Held { number: *number, bytes, totals: active.index.totals });
        self.active = None;
        Ok(())
    }

    /// The disk's room; where it cannot be told, writing will show.
    fn room(&self) -> u64 {
        self.storage.room().unwrap_or(u64::MAX)
    }

    /// How many bytes are left to the index: what it lacks will grow it, and merging its parts takes room meanwhile.
    fn kept_free(&self) -> u64 {
        let spare = self.options.keep_free.min(self.segment_bytes / 2);
        let Some(indexed) = self.indexed else { return spare };
        let sealed = self.held.iter().map(|held| (held.number, held.bytes));
        let active = self.active.iter().map(|active| (active.segment.number, active.at));
        let behind = sealed.chain(active).map(|(number, bytes)| match number.cmp(&indexed.segment) {
            Ordering::Less => 0,
            Ordering::Equal => bytes.saturating_sub(indexed.offset),
            Ordering::Greater => bytes,
        });
        spare + behind.sum::<u64>() / INDEX_SHARE
    }

    /// How large segments are on this disk.
    pub(crate) fn fit_segments(&mut self) {
        let held: u64 = self.held.iter().map(|segment| segment.bytes).sum();
        let share = self.room().saturating_add(held) / SEGMENT_SHARE;
        self.segment_bytes =
            self.options.segment_bytes.min(Options::SEGMENT_BYTES_MAX).min(share.max(SEGMENT_BYTES_MIN));
    }

    fn create(&mut self, now_ns: u64) -> Result<(), WriteFault> {
        self.fit_segments();
        let number = self.next_number;
        let header =
            SegmentHeader { number, collector: self.collector, bound: self.bound, created_ns: now_ns };
        let segment = match self.storage.create(&segment::name(number)) {
            Ok(blob) => Segment { number, blob },
            // An attempt before this one found no room for the header.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let segment = Segment::open(&*self.storage, number, true)?;
                segment.blob.set_len(0)?;
                segment
            }
            Err(error) => return Err(error.into()),
        };
        segment.blob.write_all_at(&header.encode(), 0)?;
        segment.blob.sync().map_err(WriteFault::Failed)?;
        self.storage.sync_names().map_err(WriteFault::Failed)?;
        self.active = Some(Active { segment, index: Footer::default(), at: FIRST_BLOCK, sequence: 0 });
        self.next_number = number + 1;
        Ok(())
    }

    /// Drops what retention no longer keeps; seals the segment being written where it is past its age.
    pub(crate) fn retire(&mut self, now_ns: u64) {
        let past = self.active.as_ref().is_some_and(|active| {
            let age_ns = u128::from(now_ns.saturating_sub(active.index.totals.last.wall_ns()));
            active.index.totals.blocks > 0 && age_ns > self.options.keep_for.as_nanos()
        });
        if past && !self.counts.poisoned {
            match self.seal().and_then(|()| self.create(now_ns)) {
                Ok(()) | Err(WriteFault::Full) => {}
                Err(WriteFault::Failed(error)) => drop(self.poison(&error)),
            }
        }
        let active_bytes = self.active.as_ref().map_or(0, |active| active.at);
        self.drop_oldest(retention::due(&self.held, active_bytes, now_ns, &self.options));
        self.counts.segments = (self.held.len() + usize::from(self.active.is_some())) as u64;
        self.counts.bytes = active_bytes + self.held.iter().map(|held| held.bytes).sum::<u64>();
        self.counts.items_held = self.held.iter().map(|held| held.totals.items).sum::<u64>()
            + self.active.as_ref().map_or(0, |active| active.index.totals.items);
    }

    /// Drops the `count` oldest segments, but never the last of all; false if that or the disk stops it.
    fn drop_oldest(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let Some(held) = self.held.front().copied() else { return false };
            if self.active.is_none() && self.held.len() == 1 {
                return false;
            }
            if let Err(error) = self.remove(held.number) {
                tracing::warn!(%error, segment = held.number, "a segment past retention cannot be removed");
                return false;
            }
            tracing::info!(
                segment = held.number,
                items = held.totals.items,
                "a segment was dropped by retention"
            );
            self.held.pop_front();
            self.counts.dropped += 1;
        }
        if count > 0
            && let Err(error) = self.storage.sync_names().and_then(|()| self.publish())
        {
            tracing::warn!(%error, "dropped segments may come back after a crash");
        }
        true
    }

    /// Removes a segment, and last what was cut off it.
    fn remove(&self, number: u64) -> io::Result<()> {
        let name = segment::name(number);
        self.storage.remove(&name)?;
        let names = self.storage.names()?;
        names.iter().filter(|other| other.starts_with(&name)).try_for_each(|cut| self.storage.remove(cut))
    }

    /// Leaves the files as they should be found: the durable end durable too.
    pub(crate) fn close(&mut self) {
        if !self.counts.poisoned
            && let Err(error) = self.publish().and_then(|()| self.end_file.sync())
        {
            tracing::warn!(%error, "the journal's end could not be synced; the next start checks its tail");
        }
    }
}

fn same(a: &Request, b: &Request) -> bool {
    (a.signal, a.encoding, &a.tenant) == (b.signal, b.encoding, &b.tenant) && a.body == b.body
}
