//! The evidence: who reads which clock, and the tightest messages between them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

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
}

impl Reader {
    /// Joins what two sets of records say of one process.
    pub(super) fn merge(&mut self, other: &Reader) {
        self.span_quantum_ns = self.span_quantum_ns.min(other.span_quantum_ns);
        self.log_quantum_ns = self.log_quantum_ns.min(other.log_quantum_ns);
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cell {
    pub(crate) from: ProcessId,
    pub(crate) to: ProcessId,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// The tightest message of a cell: that with the smallest difference, then the smallest time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tightest {
    /// Receipt minus sending, in nanoseconds, each by its own clock, as they were stamped: how far the receiver's
    /// clock was ahead at most, but for the resolution of its stamps.
    pub difference_ns: i64,
    /// The sending, by the sender's clock.
    pub sent: Time,
}

impl Tightest {
    /// The receipt, by the receiver's clock.
    pub fn received(&self) -> Time {
        self.sent.shifted(i128::from(self.difference_ns))
    }
}

/// What a set of records proves about the clocks of the processes that made them: for every ordered pair of
/// processes and bucket of time the message with the smallest receipt minus sending.
///
/// A join semilattice: see the invariants of [`clocks`](crate::clocks).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockEvidence {
    pub(crate) readers: BTreeMap<ProcessId, Reader>,
    pub(crate) cells: BTreeMap<Cell, Tightest>,
}

impl ClockEvidence {
    /// Whether it proves nothing.
    pub fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// The processes, by id.
    pub fn readers(&self) -> impl Iterator<Item = (ProcessId, &Reader)> {
        self.readers.iter().map(|(id, reader)| (*id, reader))
    }

    /// What is known of one process.
    pub fn reader(&self, id: ProcessId) -> Option<&Reader> {
        self.readers.get(&id)
    }

    /// The messages kept: from which process, to which ([`ProcessId::COLLECTOR`] for a record's receipt), and the
    /// tightest of each bucket; sorted.
    pub fn messages(&self) -> impl Iterator<Item = (ProcessId, ProcessId, Tightest)> {
        self.cells.iter().map(|(cell, tightest)| (cell.from, cell.to, *tightest))
    }

    /// Joins other evidence to this. The order of merging changes nothing, nor does merging the same twice.
    pub fn merge(&mut self, other: &ClockEvidence) {
        for (id, reader) in &other.readers {
            self.add_reader(*id, reader);
        }
        for (cell, tightest) in &other.cells {
            self.add_message(*cell, *tightest);
        }
    }

    /// Only the messages that were sent or received in a bucket that `from ..= until` touches, and all readers.
    #[must_use]
    pub fn between(&self, from: Time, until: Time) -> ClockEvidence {
        let buckets = from.0 / BUCKET_NS..=until.0 / BUCKET_NS;
        let inside = |cell: &Cell| buckets.contains(&cell.sent) || buckets.contains(&cell.received);
        let cells = self.cells.iter().filter(|(cell, _)| inside(cell));
        ClockEvidence {
            readers: self.readers.clone(),
            cells: cells.map(|(cell, tightest)| (*cell, *tightest)).collect(),
        }
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
