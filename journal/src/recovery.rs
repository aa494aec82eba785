//! Opening: what a crash may have left is put in order, and what is damaged is told.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use hlc::{Clock, Stamp};

use crate::durable::{self, Boot, End, EndFile};
use crate::format::block::BlockBuilder;
use crate::format::segment::{Footer, SegmentHeader, Totals};
use crate::format::{Invalid, VERSION};
use crate::options::Options;
use crate::reader::{ReadError, Reader};
use crate::repeats::{REMEMBERED, Repeats};
use crate::request::Place;
use crate::retention::Held;
use crate::segment::{self, Damage, Depth, FIRST_BLOCK, Fault, Segment, Step, Walk};
use crate::storage::Storage;
use crate::writer::{Active, Counts, Writer};

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes to it.
    #[error("{} is held by another process; connect to it, or stop it first", path.display())]
    Locked {
        /// The lock's file.
        path: PathBuf,
        /// What the holder wrote into it: its addresses, as JSON. Empty where it wrote nothing yet.
        holder: String,
    },
    /// A later version of the program wrote to it.
    #[error(
        "segment {segment} has format version {version}, which is newer than this program: use a newer one"
    )]
    Version {
        /// The segment's number.
        segment: u64,
        /// Its version.
        version: u16,
    },
    /// The disk failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> OpenError {
        let what = what.into();
        move |source| OpenError::Io { what, source }
    }
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Segments held.
    pub segments: u64,
    /// Just past the last block.
    pub end: Place,
    /// A tail that was cut off because it was written in part and never acknowledged.
    pub torn: Option<Torn>,
    /// What was durable once and is not whole now, as far as opening looks: in footers, in headers and in the
    /// last segment. [`crate::Reader::verify`] looks at everything.
    pub damages: Vec<Damage>,
    /// Bodies remembered, to recognise repeats.
    pub remembered: u64,
}

/// A tail that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where it began.
    pub place: Place,
    /// How long it was.
    pub bytes: u64,
    /// The file in the journal's folder that it was put aside in; `None` where there was no room for it.
    pub kept: Option<String>,
}

/// No more of a torn tail than this is put aside: a batch has less.
const KEPT_MAX: u64 = 16 << 20;

/// What has been found so far.
struct Opening {
    storage: Arc<dyn Storage>,
    /// The end that the last writer told of, and whether this is still its boot.
    told: Option<End>,
    same_boot: bool,
    held: VecDeque<Held>,
    bound: Stamp,
    collector: Option<u128>,
    end: Place,
    recovered: Recovered,
}

/// Opens a journal for writing. Ends with every byte before [`Recovered::end`] durable.
pub(crate) fn open(
    storage: Arc<dyn Storage>,
    options: Options,
    boot: Boot,
    now_ns: u64,
) -> Result<(Writer, Recovered), OpenError> {
    let told = durable::read(&*storage).map_err(OpenError::io("reading the journal's end"))?;
    let mut opening = Opening {
        same_boot: told.is_some_and(|end| end.boot == boot),
        bound: told.map_or(Stamp::ZERO, |end| end.bound),
        told,
        storage,
        held: VecDeque::new(),
        collector: None,
        end: Place::default(),
        recovered: Recovered::default(),
    };
    let numbers =
        segment::numbers(&*opening.storage).map_err(OpenError::io("listing the journal's segments"))?;
    let told_last = told.map_or(0, |end| end.place.segment);
    let dropped =
        segment::dropped(&*opening.storage).map_err(OpenError::io("listing the journal's segments"))?;
    opening.note_missing(&numbers, &dropped, told_last);
    let mut active = None;
    if let Some((last, earlier)) = numbers.split_last() {
        for number in earlier {
            opening.take_sealed(*number).map_err(faults(*number))?;
        }
        active = opening.take_last(*last, now_ns).map_err(faults(*last))?;
    }
    let next_number = numbers.last().copied().unwrap_or(0).max(told_last) + 1;
    opening.finish(options, boot, active, next_number, now_ns)
}

/// How a fault that opening cannot get past is told.
fn faults(segment: u64) -> impl Fn(Fault) -> OpenError {
    move |fault| match fault {
        Fault::Invalid(Invalid::Version(version)) => OpenError::Version { segment, version },
        Fault::Invalid(invalid) => {
            OpenError::io(format!("segment {segment}"))(io::Error::other(invalid.to_string()))
        }
        Fault::Io(error) => OpenError::io(format!("segment {segment}"))(error),
    }
}

impl Opening {
    /// Retention takes the oldest, and never the last; what it takes while an older one is pinned, it says. Any other
    /// number missing in between or at the end is damage.
    fn note_missing(&mut self, numbers: &[u64], dropped: &BTreeSet<u64>, told_last: u64) {
        let ends = numbers.windows(2).map(|pair| (pair[0], pair[1]));
        let last = numbers.last().copied().unwrap_or(told_last.saturating_sub(1));
        for (before, after) in ends.chain([(last, told_last + 1)]) {
            let missing = (before + 1..after).filter(|number| !dropped.contains(number));
            let missing = missing.map(|segment| Damage::new(segment, 0, 0, "the segment is missing"));
            self.recovered.damages.extend(missing);
        }
    }

    /// Takes in the header of a segment. A later version's is an error, a damaged one is told.
    fn take_header(&mut self, segment: &Segment) -> Result<Option<SegmentHeader>, Fault> {
        match segment.header() {
            Ok(header) => {
                self.bound = self.bound.max(header.bound);
                self.collector = Some(header.collector);
                Ok(Some(header))
            }
            Err(Fault::Invalid(invalid)) if !matches!(invalid, Invalid::Version(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn header_damaged(&mut self, segment: u64) {
        let what = "the segment's header is not whole";
        self.recovered.damages.push(Damage::new(segment, 0, FIRST_BLOCK, what));
    }

    /// Takes in a segment that another follows. All of it was durable before that was begun.
    fn take_sealed(&mut self, number: u64) -> Result<(), Fault> {
        let segment = Segment::open(&*self.storage, number, false)?;
        if self.take_header(&segment)?.is_none() {
            self.header_damaged(number);
        }
        let (totals, at) = match segment.totals() {
            Ok(totals) => (totals, segment.footer_at()?),
            Err(Fault::Io(error)) => return Err(error.into()),
            Err(Fault::Invalid(_)) => {
                let mut walk = Walk::whole(segment.clone(), u64::MAX, Depth::Headers)?;
                let (index, damages) = index(&mut walk)?;
                let told = Damage::ends(&damages, number, walk.limit);
                self.recovered.damages.extend(damages);
                if !told {
                    let what = "the segment's footer is not whole, blocks before it may be missing";
                    self.recovered.damages.push(Damage::new(number, walk.at, walk.limit, what));
                }
                (index.totals, walk.at)
            }
        };
        self.hold(&segment, totals, at)
    }

    fn hold(&mut self, segment: &Segment, totals: Totals, at: u64) -> Result<(), Fault> {
        self.bound = self.bound.max(totals.bound);
        if totals.blocks > 0 {
            self.end = Place { segment: segment.number, offset: at };
        }
        self.held.push_back(Held { number: segment.number, bytes: segment.blob.len()?, totals });
        Ok(())
    }

    /// Takes in the last segment, and cuts a torn tail off it. `None` if it is sealed.
    fn take_last(&mut self, number: u64, now_ns: u64) -> Result<Option<Active>, Fault> {
        let segment = Segment::open(&*self.storage, number, true)?;
        let header = self.take_header(&segment)?;
        let proven = self.told.filter(|end| end.place.segment == number).map_or(0, |end| end.place.offset);
        let mut walk = Walk::whole(segment.clone(), proven, Depth::Payloads)?;
        let (index, damages) = index(&mut walk)?;
        self.recovered.damages.extend(damages);
        let outdated = header.is_some_and(|header| header.version < VERSION);
        if header.is_none() || (outdated && index.totals.blocks == 0) {
            self.mend_header(&segment, index.totals.blocks > 0, now_ns)?;
        }
        let sealed = segment.footer().is_ok_and(|footer| footer.totals == index.totals)
            && segment.footer_at().is_ok_and(|at| at == walk.at);
        if sealed {
            self.write_again(&segment, proven)?;
            self.hold(&segment, index.totals, walk.at)?;
            return Ok(None);
        }
        if walk.at < proven {
            // Places that were told of keep their meaning: what follows stands after them.
            let what = "the end of the segment is missing";
            self.recovered.damages.push(Damage::new(number, walk.at, proven, what));
            segment.blob.set_len(proven)?;
            walk.at = proven;
        }
        self.cut(&segment, walk.at)?;
        self.write_again(&segment, proven)?;
        self.bound = self.bound.max(index.totals.bound);
        // Where retention has dropped all before, the end lies at the beginning of what follows.
        if index.totals.blocks > 0 || (number > 1 && self.end == Place::default()) {
            self.end = Place { segment: number, offset: walk.at };
        }
        let begins = segment.begins(header.as_ref(), walk.at)?;
        Ok(Some(Active {
            version: if index.totals.blocks == 0 {
                VERSION
            } else {
                header.map_or(VERSION, |own| own.version)
            },
            begun: begins.to,
            is_annotated: begins.is_whole,
            segment,
            index,
            at: walk.at,
            sequence: walk.sequence,
        }))
    }

    /// A segment without a whole header: it was just being made, or its header is damaged.
    fn mend_header(&mut self, segment: &Segment, has_blocks: bool, now_ns: u64) -> Result<(), Fault> {
        if has_blocks {
            self.header_damaged(segment.number);
        }
        let header = SegmentHeader {
            version: VERSION,
            annotations: SegmentHeader::ANNOTATIONS_UNKNOWN,
            number: segment.number,
            collector: self.collector(),
            bound: self.bound,
            created_ns: now_ns,
        };
        Ok(segment.blob.write_all_at(&header.encode(), 0)?)
    }

    fn collector(&mut self) -> u128 {
        let chance = || u128::from(RandomState::new().hash_one(0));
        *self.collector.get_or_insert_with(|| chance() << 64 | chance())
    }

    /// Cuts off what follows the last whole block, and puts it aside.
    fn cut(&mut self, segment: &Segment, at: u64) -> Result<(), Fault> {
        let length = segment.blob.len()?;
        if length <= at {
            return Ok(());
        }
        let torn = segment.blob.read_up_to((length - at).min(KEPT_MAX) as usize, at)?;
        let name = format!("{}.cut-{at}", segment::name(segment.number));
        let kept = self.put_aside(&name, &torn).is_ok().then_some(name);
        segment.blob.set_len(at)?;
        let place = Place { segment: segment.number, offset: at };
        tracing::warn!(%place, bytes = length - at, ?kept, "a torn tail, never acknowledged, was cut off");
        self.recovered.torn = Some(Torn { place, bytes: length - at, kept });
        Ok(())
    }

    fn put_aside(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let blob = match self.storage.create(name) {
            Ok(blob) => blob,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.storage.open(name, true)?,
            Err(error) => return Err(error),
        };
        blob.set_len(0)?;
        let written = blob.write_all_at(bytes, 0).and_then(|()| blob.sync());
        if written.is_err() {
            self.storage.remove(name)?;
        }
        written
    }

    /// Makes durable what lies past the durable end. On the boot of the writer that wrote it, it may have
    /// failed to reach the disk and still stand in the page cache, clean: so it is written once more.
    fn write_again(&self, segment: &Segment, proven: u64) -> Result<(), Fault> {
        if self.same_boot {
            let mut at = proven;
            loop {
                let bytes = segment.blob.read_up_to(1 << 20, at)?;
                if bytes.is_empty() {
                    break;
                }
                segment.blob.write_all_at(&bytes, at)?;
                at += bytes.len() as u64;
            }
        }
        Ok(segment.blob.sync()?)
    }

    /// Remembers the bodies of the journal's last hour.
    fn repeats(&self, active: Option<&Active>, now_ns: u64) -> Result<(Repeats, u64), Fault> {
        let last = active.map(|active| active.index.totals.last);
        let last = last.into_iter().chain(self.held.iter().map(|held| held.totals.last)).max();
        let since = last.unwrap_or_default().wall_ns().saturating_sub(REMEMBERED.as_nanos() as u64);
        let mut repeats = Repeats::default();
        let mut remembered = 0;
        let mut take = |number: u64, index: &Footer| {
            for row in &index.rows {
                let place = Place { segment: number, offset: row.offset.into() };
                repeats.remember(&row.hashes, place, now_ns);
                remembered += row.hashes.len() as u64;
            }
        };
        for held in self.held.iter().filter(|held| held.totals.last.wall_ns() >= since) {
            let segment = Segment::open(&*self.storage, held.number, false)?;
            let footer = match segment.footer() {
                Ok(footer) => footer,
                Err(Fault::Io(error)) => return Err(error.into()),
                Err(Fault::Invalid(_)) => index(&mut Walk::whole(segment, u64::MAX, Depth::Headers)?)?.0,
            };
            take(held.number, &footer);
        }
        if let Some(active) = active {
            take(active.segment.number, &active.index);
        }
        Ok((repeats, remembered))
    }

    fn finish(
        mut self,
        options: Options,
        boot: Boot,
        active: Option<Active>,
        next_number: u64,
        now_ns: u64,
    ) -> Result<(Writer, Recovered), OpenError> {
        // Retention may have dropped the segment that the end lies in.
        self.end = self.end.max(self.told.map_or(Place::default(), |end| end.place));
        let (repeats, remembered) = self.repeats(active.as_ref(), now_ns).map_err(faults(next_number))?;
        let oldest = self.held.front().map_or(next_number, |held| held.number);
        let end = End { boot, place: self.end, bound: self.bound, oldest };
        let failed = || OpenError::io("writing the journal's end");
        let end_file = EndFile::open(&*self.storage, &end).map_err(failed())?;
        self.storage.sync_names().map_err(failed())?;
        self.recovered.segments = self.held.len() as u64 + u64::from(active.is_some());
        self.recovered.end = self.end;
        self.recovered.remembered = remembered;
        // What the last segment begins with and what follows; where that is not whole, what the older ones hold, too.
        let notebook =
            Reader::of(Arc::clone(&self.storage), boot).annotations().map_err(|error| match error {
                ReadError::Io { segment, source } => OpenError::io(format!("segment {segment}"))(source),
                error => OpenError::io("reading what engineers wrote")(io::Error::other(error.to_string())),
            })?;
        let mut writer = Writer {
            collector: self.collector(),
            segment_bytes: options.segment_bytes,
            let_go_ns: 0,
            indexed: None,
            options,
            boot,
            clock: Clock::resume(self.bound),
            bound: self.bound,
            held: self.held,
            active,
            next_number,
            end: self.end,
            end_file,
            repeats,
            notebook,
            builder: BlockBuilder::new().map_err(failed())?,
            counts: Counts::default(),
            storage: self.storage,
        };
        writer.fit_segments();
        writer.retire(now_ns);
        Ok((writer, self.recovered))
    }
}

/// Walks to the end of a segment: the index of its blocks, and what is damaged.
fn index(walk: &mut Walk) -> io::Result<(Footer, Vec<Damage>)> {
    let (mut index, mut damages) = (Footer::default(), Vec::new());
    loop {
        match walk.step()? {
            Step::Block { offset, header, .. } => index.push(offset, &header),
            Step::Damaged(damage) => damages.push(damage),
            Step::Sealed | Step::Limit | Step::Torn => return Ok((index, damages)),
        }
    }
}
