//! The one writer: takes batches of requests, and says of each what became of it.
//!
//! It knows no thread and no queue; `journal.rs` runs it. A batch goes into one segment, as blocks
//! written and synced together.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hlc::{AHEAD_NS_MAX, Clock, Merge, Stamp};
use timeline::annotation::{Notebook, Written};

use crate::durable::{Boot, End, EndFile};
use crate::format::VERSION;
use crate::format::block::{BlockBuilder, BlockHeader, Holds, Standing};
use crate::format::segment::{Footer, SegmentHeader};
use crate::options::Options;
use crate::recovery::{self, OpenError, Recovered};
use crate::repeats::{self, Repeats};
use crate::request::{AppendError, Content, Place, Receipt, Request};
use crate::retention::{self, Held};
use crate::segment::{self, FIRST_BLOCK, Segment};
use crate::storage::{Storage, is_full};

/// What is not yet indexed will take at most this part of its bytes again.
const INDEX_SHARE: u64 = 2;
/// When a sender whom a full disk turned away may come back.
pub(crate) const RETRY_FULL: Duration = Duration::from_secs(5);
/// How long readers may take to close a segment that was dropped for its room, before the next one goes.
const LET_GO_NS: u64 = 2_000_000_000;
/// A segment is sealed once it has so many frames, so that its footer stays a few megabytes.
const SEGMENT_FRAMES_MAX: u32 = 1 << 19;
/// Of the disk's room one segment takes at most this part ...
const SEGMENT_SHARE: u64 = 16;
/// ... but is not kept smaller than this.
const SEGMENT_BYTES_MIN: u64 = 1 << 20;

/// No more bytes of annotations than these stand at once: every segment begins with all of them.
const ANNOTATIONS_BYTES_MAX: usize = 8 << 20;
/// What takes an annotation back has no more bytes than these, but for a long author.
const REMOVAL_BYTES_MAX: usize = 256;

/// A request, or an annotation, on its way to the disk.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) content: Content,
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
    /// The version that its header is written in.
    pub(crate) version: u16,
    /// Just past the annotations that it begins with.
    pub(crate) begun: u64,
    /// Whether all annotations that stood before it stand in it, too: nothing older is needed for them.
    pub(crate) is_annotated: bool,
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
    /// No segment is dropped for its room before this moment: readers still have the last one open.
    pub(crate) let_go_ns: u64,
    /// What lies before is indexed; `None` where nobody tells.
    pub(crate) indexed: Option<Place>,
    pub(crate) next_number: u64,
    pub(crate) end: Place,
    pub(crate) end_file: EndFile,
    pub(crate) repeats: Repeats,
    /// What engineers wrote, as far as it is durable.
    pub(crate) notebook: Notebook,
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
    /// An annotation too many.
    Crowded,
}

/// A batch's blocks, ready to be written.
#[derive(Default)]
struct Encoded {
    bytes: Vec<u8>,
    blocks: Vec<(u64, BlockHeader)>,
    /// The receipts of the requests of these numbers, in their order.
    receipts: Vec<(usize, Receipt)>,
}

pub(crate) enum WriteFault {
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
        let mut fates = self.fates(batch);
        self.turn_away_crowd(batch, &mut fates);
        let written = self.write_new(batch, &fates, now_ns);
        let new: HashMap<usize, Receipt> = written.iter().flatten().copied().collect();
        let receipt = |index| match (new.get(&index), &written) {
            (Some(receipt), _) => Ok(*receipt),
            (None, Err(error)) => Err(error.clone()),
            (None, Ok(_)) => Err(AppendError::Poisoned),
        };
        let crowded = || AppendError::Crowded { max: ANNOTATIONS_BYTES_MAX };
        let repeated = |receipt: Receipt| Receipt { repeated: true, ..receipt };
        let answers: Vec<_> = fates
            .iter()
            .enumerate()
            .map(|(index, fate)| match fate {
                Fate::Repeats(receipt) => Ok(repeated(*receipt)),
                Fate::Twin(first) if matches!(fates[*first], Fate::Crowded) => Err(crowded()),
                Fate::Twin(first) => receipt(*first).map(repeated),
                Fate::New => receipt(index),
                Fate::Crowded => Err(crowded()),
            })
            .collect();
        self.counts.repeated += answers.iter().flatten().filter(|receipt| receipt.repeated).count() as u64;
        let full = |answer: &&Result<_, _>| matches!(answer, Err(AppendError::Full(_)));
        self.counts.turned_away += answers.iter().filter(full).count() as u64;
        self.retire(now_ns);
        answers
    }

    /// Whether this annotation stands already, and with which stamp.
    fn find_written(&self, body: &[u8], first: Option<Stamp>) -> Option<Receipt> {
        let annotation: timeline::annotation::Annotation = serde_json::from_slice(body).ok()?;
        let own = self.notebook.get(&annotation.id)?;
        let same = own.annotation == annotation && first.is_none_or(|first| first <= own.stamp);
        same.then_some(Receipt { place: self.end, frame: 0, stamp: own.stamp, repeated: true })
    }

    /// Takes durable annotations into the notebook.
    fn note_down(&mut self, batch: &[Pending], receipts: &[(usize, Receipt)]) {
        for (index, receipt) in receipts {
            if let Some(Content::Annotation { body, first }) = batch.get(*index).map(|own| &own.content)
                && let Ok(annotation) = serde_json::from_slice(body)
            {
                self.notebook.add(Written { stamp: first.unwrap_or(receipt.stamp), annotation });
            }
        }
    }

    /// Turns annotations away that would be too much together with those that stand. What is taken back makes room, so
    /// it always goes in.
    fn turn_away_crowd(&self, batch: &[Pending], fates: &mut [Fate]) {
        let is_new = |(own, fate): &(&Pending, &mut Fate)| {
            matches!(fate, Fate::New) && own.content.kind() == Holds::Annotations
        };
        let mut bytes = None;
        for (own, fate) in batch.iter().zip(fates).filter(is_new) {
            let length = own.content.body().len();
            let bytes = bytes.get_or_insert_with(|| self.notebook.bytes());
            *bytes += length;
            if *bytes > ANNOTATIONS_BYTES_MAX && length > REMOVAL_BYTES_MAX {
                *fate = Fate::Crowded;
            }
        }
    }

    fn fates(&self, batch: &[Pending]) -> Vec<Fate> {
        let mut first_of: HashMap<u128, usize> = HashMap::with_capacity(batch.len());
        let mut fates: Vec<Fate> = Vec::with_capacity(batch.len());
        for (index, pending) in batch.iter().enumerate() {
            let first = *first_of.entry(pending.hash).or_insert(index);
            let twin = first != index && same(&batch[first].content, &pending.content);
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
        let request = match &pending.content {
            Content::Request(request) => request,
            Content::Annotation { body, first } => return self.find_written(body, *first),
        };
        let place = self.repeats.get(pending.hash)?;
        let segment = match &self.active {
            Some(active) if active.segment.number == place.segment => active.segment.clone(),
            _ => Segment::open(&*self.storage, place.segment, false).ok()?,
        };
        let header = segment.block_header(place.offset, u64::MAX).ok()?;
        let number = header.hashes.iter().position(|hash| *hash == pending.hash)?;
        let found = segment.frames(place.offset, &header).ok()?.into_iter().nth(number)?;
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
        self.with_room(batch, now_ns, |writer| writer.rotate(now_ns))?;
        let new = fates.iter().zip(batch).enumerate();
        let new = new.filter(|(_, (fate, _))| matches!(fate, Fate::New)).map(|(index, (_, p))| (index, p));
        let encoded = self.encode(new).map_err(|error| self.poison(&error))?;
        self.with_room(batch, now_ns, |writer| writer.put(&encoded.bytes))?;
        self.settle(&encoded, now_ns).map_err(|error| self.poison(&error))?;
        self.note_down(batch, &encoded.receipts);
        let requests = encoded.receipts.iter().filter_map(|(index, _)| batch[*index].content.as_request());
        self.counts.body_bytes += requests.map(|request| request.body.len() as u64).sum::<u64>();
        Ok(encoded.receipts)
    }

    /// Does `work`, dropping the oldest segments for as long as the disk is full.
    fn with_room(
        &mut self,
        batch: &[Pending],
        now_ns: u64,
        mut work: impl FnMut(&mut Writer) -> Result<(), WriteFault>,
    ) -> Result<(), AppendError> {
        loop {
            match work(self) {
                Ok(()) => return Ok(()),
                Err(WriteFault::Failed(error)) => return Err(self.poison(&error)),
                Err(WriteFault::Full) => {
                    let pinned = self.pinned(batch);
                    let oldest = self.held.iter().find(|held| !pinned.contains(&held.number)).copied();
                    let yields = oldest.filter(|held| retention::may_yield(held, now_ns, &self.options));
                    let room = self.room();
                    if now_ns < self.let_go_ns
                        || yields.is_none_or(|held| !self.drop_segments(&[held.number]))
                    {
                        return Err(AppendError::Full(RETRY_FULL));
                    }
                    // What a reader still has open gives its room back later: dropping more would not help now.
                    if self.room() <= room {
                        self.let_go_ns = now_ns.saturating_add(LET_GO_NS);
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
            if !self.builder.has_room(&pending.content) {
                self.finish_block(&mut encoded)?;
            }
            let stamp = self.stamp(pending);
            let frame = self.builder.push(&pending.content, pending.hash, stamp);
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
        let carried = pending.content.carried().unwrap_or_default();
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
            if header.holds == Holds::Requests {
                self.counts.requests += u64::from(header.frames);
            }
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

    /// The numbers of the segments held.
    #[cfg(test)]
    pub(crate) fn segments(&self) -> BTreeSet<u64> {
        let active = self.active.as_ref().map(|active| active.segment.number);
        self.held.iter().map(|held| held.number).chain(active).collect()
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
                && (active.version < VERSION
                    || active.at.saturating_sub(active.begun) >= self.segment_bytes
                    || totals.frames >= SEGMENT_FRAMES_MAX
                    || age_ns >= self.options.segment_age.as_nanos())
        });
        if due {
            self.seal()?;
        }
        if self.active.is_none() { self.create(now_ns) } else { self.annotate(now_ns) }
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
        let header = SegmentHeader {
            version: VERSION,
            annotations: self.notebook.all().count() as u32,
            number,
            collector: self.collector,
            bound: self.bound,
            created_ns: now_ns,
        };
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
        self.active = Some(Active {
            segment,
            index: Footer::default(),
            at: FIRST_BLOCK,
            sequence: 0,
            version: VERSION,
            begun: FIRST_BLOCK,
            is_annotated: false,
        });
        if let Err(fault) = self.annotate(now_ns) {
            self.active = None;
            return Err(fault);
        }
        self.next_number = number + 1;
        Ok(())
    }

    /// JNL-9: a segment begins with all annotations that stand, so that retention never takes one. Until it does, no
    /// older segment goes.
    pub(crate) fn annotate(&mut self, now_ns: u64) -> Result<(), WriteFault> {
        if self.active.as_ref().is_none_or(|active| active.is_annotated) {
            return Ok(());
        }
        let standing: Vec<Pending> =
            self.notebook.all().filter_map(|own| Pending::again(own, now_ns)).collect();
        if !standing.is_empty() {
            let encoded = self.encode(standing.iter().enumerate()).map_err(WriteFault::Failed)?;
            self.put(&encoded.bytes)?;
            self.settle(&encoded, now_ns).map_err(WriteFault::Failed)?;
        }
        if let Some(active) = &mut self.active {
            (active.begun, active.is_annotated) = (active.at, true);
        }
        Ok(())
    }

    /// Drops what retention no longer keeps; seals the segment being written where it is past its age.
    pub(crate) fn retire(&mut self, now_ns: u64) {
        let past = self.active.as_ref().is_some_and(|active| {
            let age_ns = u128::from(now_ns.saturating_sub(active.index.totals.last.wall_ns()));
            active.index.totals.blocks > 0 && age_ns > self.options.keep_for.as_nanos()
        });
        if !self.counts.poisoned {
            let kept =
                if past { self.seal().and_then(|()| self.create(now_ns)) } else { self.annotate(now_ns) };
            match kept {
                Ok(()) | Err(WriteFault::Full) => {}
                Err(WriteFault::Failed(error)) => drop(self.poison(&error)),
            }
        }
        let active_bytes = self.active.as_ref().map_or(0, |active| active.at);
        let due =
            |pinned: &BTreeSet<u64>| retention::due(&self.held, active_bytes, now_ns, &self.options, pinned);
        // Most often nothing is due, and nobody need look what is pinned.
        let none = due(&BTreeSet::new()).is_empty();
        let due = if none { Vec::new() } else { due(&self.pinned(&[])) };
        self.drop_segments(&due);
        self.counts.segments = (self.held.len() + usize::from(self.active.is_some())) as u64;
        self.counts.bytes = active_bytes + self.held.iter().map(|held| held.bytes).sum::<u64>();
        self.counts.items_held = self.held.iter().map(|held| held.totals.items).sum::<u64>()
            + self.active.as_ref().map_or(0, |active| active.index.totals.items);
    }

    /// The segments that are kept longer for open incidents, those that annotations of `batch` open too: making room for
    /// a pin must not take what it pins.
    fn pinned(&self, batch: &[Pending]) -> BTreeSet<u64> {
        let mut notebook = self.notebook.clone();
        for own in batch {
            if let Content::Annotation { body, first } = &own.content
                && let Ok(annotation) = serde_json::from_slice(body)
            {
                notebook.add(Written { stamp: first.unwrap_or(Stamp::MAX), annotation });
            }
        }
        let active = self.active.as_ref().map(|active| (active.segment.number, active.at));
        let held: BTreeMap<u64, u64> =
            self.held.iter().map(|held| (held.number, held.bytes)).chain(active).collect();
        let bytes_max = self.options.pinned_bytes();
        timeline::incident::pinned(&notebook, &held, bytes_max).segments.into_iter().collect()
    }

    /// Drops these segments, but never the last of all; false if that or the disk stops it.
    fn drop_segments(&mut self, numbers: &[u64]) -> bool {
        for number in numbers {
            let newest = self.active.is_none().then(|| self.held.back()).flatten();
            if newest.is_some_and(|newest| newest.number == *number)
                || self.active.as_ref().is_some_and(|active| !active.is_annotated)
            {
                return false;
            }
            let Some(at) = self.held.iter().position(|held| held.number == *number) else { return false };
            let stays = at > 0; // an older one does
            if let Err(error) = self.remove(*number, stays) {
                tracing::warn!(%error, segment = number, "a segment past retention cannot be removed");
                return false;
            }
            if let Some(held) = self.held.remove(at) {
                tracing::info!(
                    segment = number,
                    items = held.totals.items,
                    "a segment was dropped by retention"
                );
            }
            self.counts.dropped += 1;
        }
        if !numbers.is_empty()
            && let Err(error) =
                self.forget_dropped().and_then(|()| self.storage.sync_names()).and_then(|()| self.publish())
        {
            tracing::warn!(%error, "dropped segments may come back after a crash");
        }
        true
    }

    /// Removes the word on dropped segments that are older than all that is held: nobody misses them.
    fn forget_dropped(&self) -> io::Result<()> {
        let oldest = self.oldest();
        let old = segment::dropped(&*self.storage)?.into_iter().filter(|number| *number < oldest);
        old.into_iter().try_for_each(|number| self.storage.remove(&segment::dropped_name(number)))
    }

    /// Removes a segment, and last what was cut off it. Where an older one `stays`, it is said before that this one is
    /// not missing.
    fn remove(&self, number: u64, stays: bool) -> io::Result<()> {
        if stays {
            match self.storage.create(&segment::dropped_name(number)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => self.storage.sync_names()?,
            }
        }
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

/// Whether two are one for whoever sent them.
fn same(a: &Content, b: &Content) -> bool {
    let key = |request: &Request| (request.signal, request.encoding, request.tenant.clone());
    a.as_request().map(key) == b.as_request().map(key) && a.kind() == b.kind() && a.body() == b.body()
}

impl Pending {
    /// What was written before, to be written once more.
    fn again(written: &Written, now_ns: u64) -> Option<Pending> {
        // Every value of this type was read from JSON or written as such.
        let body = serde_json::to_vec(&written.annotation).ok()?.into();
        let content = Content::Annotation { body, first: Some(written.stamp) };
        Some(Pending { hash: repeats::hash(&content), content, arrived_ns: now_ns })
    }
}
