//! The evidence: who reads which clock, and the tightest messages between them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;

use crate::time::Time;

/// The width of the buckets of time, in nanoseconds: of each pair's messages that were sent in one bucket and
/// received in one bucket, each by its own clock, the tightest is kept.
pub const BUCKET_NS: u64 = 10_000_000_000;

/// Coarser stamps than this are not read as a resolution, but as chance.
pub(crate) const QUANTUM_NS_MAX: u64 = 1_000_000_000;

/// A process: a hash of what identifies it, the same on every machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub [u8; 16]);

impl ProcessId {
    /// The collector, whose receipt of a record is a message like any other. It answers nobody, so it bounds
    /// every clock on one side only and never joins two.
    pub const COLLECTOR: ProcessId = ProcessId([0; 16]);
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A clock: whose it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockKey {
    /// A machine's: `host.id`, else `k8s.node.uid` or `.name`, else `host.name`.
    Host(String),
    /// A process's own: it names no machine, or contradicts its machine's clock.
    Process(ProcessId),
}

/// A process as a reader of a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The clock that it should read, by what it says of itself.
    pub clock: ClockKey,
    /// `service.name`.
    pub service: String,
    /// `service.instance.id`.
    pub instance: Option<String>,
    /// `host.name`, else `k8s.node.name`, else `host.id`.
    pub host: Option<String>,
    /// `service.version`; of several the largest text.
    pub version: Option<String>,
    /// The largest power of ten that divides all of its span starts, in nanoseconds.
    pub span_quantum_ns: u64,
    /// The same of its log times.
    pub log_quantum_ns: u64,
    /// The earliest and the latest time of its records that says anything, by its own clock; the type's ends, the
    /// wrong way round, where none does.
    pub seen: (Time, Time),
}

impl Reader {
    /// Joins what two sets of records say of one process.
    pub(super) fn merge(&mut self, other: &Reader) {
        self.span_quantum_ns = self.span_quantum_ns.min(other.span_quantum_ns);
        self.log_quantum_ns = self.log_quantum_ns.min(other.log_quantum_ns);
        self.seen = (self.seen.0.min(other.seen.0), self.seen.1.max(other.seen.1));
        // The identity is a hash of more than these, so they can differ; any fixed choice will do.
        let larger = |mine: &mut Option<String>, theirs: &Option<String>| {
            if *mine < *theirs {
                mine.clone_from(theirs);
            }
        };
        larger(&mut self.instance, &other.instance);
        larger(&mut self.host, &other.host);
        larger(&mut self.version, &other.version);
        if self.clock < other.clock {
            self.clock = other.clock.clone();
        }
    }
}

/// The largest power of ten that divides both; `quantum` is one.
pub(crate) fn common_quantum(quantum: u64, time: u64) -> u64 {
    let mut quantum = quantum;
    while quantum > 1 && !time.is_multiple_of(quantum) {
        quantum /= 10;
    }
    quantum
}

/// Which messages are compared: from one process to another, sent and received in these buckets, each by its
/// own clock. Both are needed: a clock that is set back reads the same time twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) from: ProcessId,
    pub(crate) to: ProcessId,
    /// Whether they are answers: those of a call with several servers count for nothing, their requests do.
    pub(crate) answer: bool,
}

impl Cell {
    /// The cell of a message. All of one bucket's receipts by the collector share one: it only ever counts how far
    /// behind its records the collector is at least, and a record that comes again comes later.
    pub(crate) fn of(from: ProcessId, to: ProcessId, answer: bool, message: Tightest) -> Cell {
        let sent = message.sent.0 / BUCKET_NS;
        let received = if to == ProcessId::COLLECTOR { sent } else { message.received().0 / BUCKET_NS };
        Cell { sent, received, from, to, answer }
    }
}

/// The tightest message of a cell: that with the smallest difference, then the smallest time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tightest {
    /// Receipt minus sending, in nanoseconds, each by its own clock, as they were stamped: how far the receiver's
    /// clock was ahead at most, but for the resolution of its stamps.
    pub difference_ns: i64,
    /// The sending, by the sender's clock.
    pub sent: Time,
    /// Of an answer, when the call began, by the receiver's clock: it was sent in between. Else unset.
    pub began: Time,
    /// Which call or message it was, as a hash of the sender's span; 0 for a receipt by the collector.
    pub exchange: u64,
}

impl Tightest {
    /// A message with these stamps; `None` where they are centuries apart.
    pub(super) fn between(sent: Time, received: Time, exchange: u64) -> Option<Tightest> {
        let difference_ns = i64::try_from(received.since(sent)).ok()?;
        Some(Tightest { difference_ns, sent, began: Time::UNSET, exchange })
    }

    /// The receipt, by the receiver's clock.
    pub fn received(&self) -> Time {
        self.sent.shifted(i128::from(self.difference_ns))
    }
}

/// Why the messages of a call or message count for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contest {
    /// Its sender came with several contents: nobody knows which of them is true.
    Senders,
    /// Several servers began to handle it: nobody knows whose answer the client got. Its requests count.
    Servers,
}

/// What a set of records proves about the clocks of the processes that made them: for every ordered pair of
/// processes and bucket of time the message with the smallest receipt minus sending.
///
/// It is the union of what single records and pairs of records prove, and a join semilattice: see the invariants of
/// [`clocks`](crate::clocks). So a message that turns out to be contested is not replaced by the next tightest of its
/// cell: the cell then says nothing, however the records were divided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockEvidence {
    pub(crate) readers: BTreeMap<ProcessId, Reader>,
    pub(crate) cells: BTreeMap<Cell, Tightest>,
    pub(crate) contested: BTreeSet<(u64, Contest)>,
}

impl ClockEvidence {
    /// Whether it proves nothing.
    pub fn is_empty(&self) -> bool {
        self.readers.is_empty() && self.cells.is_empty() && self.contested.is_empty()
    }

    /// How many messages it keeps.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// The processes, by id.
    pub fn readers(&self) -> impl Iterator<Item = (ProcessId, &Reader)> {
        self.readers.iter().map(|(id, reader)| (*id, reader))
    }

    /// What is known of one process.
    pub fn reader(&self, id: ProcessId) -> Option<&Reader> {
        self.readers.get(&id)
    }

    /// The messages that count: from which process, to which ([`ProcessId::COLLECTOR`] for a record's receipt), and
    /// the tightest of each bucket; sorted by time.
    pub fn messages(&self) -> impl Iterator<Item = (ProcessId, ProcessId, Tightest)> {
        let counts = |(cell, tightest): &(&Cell, &Tightest)| {
            let contested = |why| self.contested.contains(&(tightest.exchange, why));
            !(contested(Contest::Senders) || cell.answer && contested(Contest::Servers))
        };
        let counting = self.cells.iter().filter(counts);
        counting.map(|(cell, tightest)| (cell.from, cell.to, *tightest))
    }

    /// Joins other evidence to this. The order of merging changes nothing, nor does merging the same twice.
    pub fn merge(&mut self, other: &ClockEvidence) {
        for (id, reader) in &other.readers {
            self.add_reader(*id, reader);
        }
        for (cell, tightest) in &other.cells {
            self.add_message(*cell, *tightest);
        }
        self.contested.extend(&other.contested);
    }

    /// Only the messages that were sent or received in a bucket that the stretch touches, and the processes that have
    /// such messages or records in it. `since` is the first moment inside, `until` the first past it; `None` is open.
    #[must_use]
    pub fn within(mut self, since: Option<Time>, until: Option<Time>) -> ClockEvidence {
        let stretch = Stretch { since, until };
        self.cells.retain(|cell, _| stretch.touches(cell));
        let talking: BTreeSet<ProcessId> = self.cells.keys().flat_map(|cell| [cell.from, cell.to]).collect();
        self.readers.retain(|id, reader| talking.contains(id) || stretch.overlaps(reader.seen));
        let kept: BTreeSet<u64> = self.cells.values().map(|message| message.exchange).collect();
        self.contested.retain(|(exchange, _)| kept.contains(exchange));
        self
    }

    /// The same with other names: `id` gives a process another id, `text` what stands under an attribute of its resource
    /// another text.
    #[must_use]
    pub fn renamed(
        &self,
        id: &dyn Fn(ProcessId) -> ProcessId,
        text: &mut dyn FnMut(&str, &str) -> String,
    ) -> ClockEvidence {
        let mut renamed = ClockEvidence { contested: self.contested.clone(), ..ClockEvidence::default() };
        for (own, reader) in &self.readers {
            let clock = match &reader.clock {
                ClockKey::Host(host) => ClockKey::Host(text("host.name", host)),
                ClockKey::Process(own) => ClockKey::Process(id(*own)),
            };
            let service = text("service.name", &reader.service);
            let mut maybe = |key, name: &Option<String>| name.as_deref().map(|name| text(key, name));
            let instance = maybe("service.instance.id", &reader.instance);
            let host = maybe("host.name", &reader.host);
            let version = maybe("service.version", &reader.version);
            renamed.add_reader(id(*own), &Reader { clock, service, instance, host, version, ..*reader });
        }
        let kept = |own: ProcessId| if own == ProcessId::COLLECTOR { own } else { id(own) };
        for (cell, tightest) in &self.cells {
            renamed.add_message(Cell { from: kept(cell.from), to: kept(cell.to), ..*cell }, *tightest);
        }
        renamed
    }

    pub(crate) fn add_reader(&mut self, id: ProcessId, reader: &Reader) {
        match self.readers.entry(id) {
            Entry::Vacant(slot) => {
                slot.insert(reader.clone());
            }
            Entry::Occupied(mut slot) => slot.get_mut().merge(reader),
        }
    }

    pub(crate) fn add_message(&mut self, cell: Cell, tightest: Tightest) {
        let slot = self.cells.entry(cell).or_insert(tightest);
        *slot = (*slot).min(tightest);
    }
}

/// A stretch of time, by whosever clock; open where `None`.
#[derive(Clone, Copy, Default)]
pub(super) struct Stretch {
    pub(super) since: Option<Time>,
    pub(super) until: Option<Time>,
}

impl Stretch {
    /// Whether a message of this cell counts.
    fn touches(self, cell: &Cell) -> bool {
        let buckets = self.buckets();
        buckets.contains(&cell.sent) || buckets.contains(&cell.received)
    }

    fn overlaps(self, (first, last): (Time, Time)) -> bool {
        let is_whole = self.since.is_none() && self.until.is_none();
        is_whole
            || self.since.is_none_or(|since| since <= last) && self.until.is_none_or(|until| first < until)
    }

    /// The buckets that it touches.
    pub(super) fn buckets(self) -> RangeInclusive<u64> {
        let last = self.until.map_or(u64::MAX, |until| until.0.saturating_sub(1));
        self.since.unwrap_or_default().0 / BUCKET_NS..=last / BUCKET_NS
    }
}
