//! What clocks claim: that of two readings of one clock, further apart than its stamps are coarse, the
//! smaller came first. And what they lose where causes contradict them.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Graph;
use super::lattice::Lattice;
use super::moment::{Index, Moments};
use crate::clocks::{ClockEvidence, ClockKey, Drift, ProcessId};

/// Causes contradict the stamps of one machine by so much without any fault: SDKs that anchor a
/// precise clock to a coarse one, loggers that truncate. Measured on Node: 17 ms at most.
pub(crate) const JITTER_NS_MAX: u64 = 20_000_000;

/// The number of a clock in [`Clocks`].
pub(crate) type ClockNumber = usize;

/// One clock, or one epoch of it, with the moments that were read off it.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// Whose it is.
    pub(crate) key: ClockKey,
    /// The number of its first epoch: its own, unless it was set.
    pub(crate) first: ClockNumber,
    /// When this epoch surely had begun, as a reading of another clock; `None` for the first.
    pub(crate) since: Option<(ClockNumber, i64)>,
    /// When it surely had not yet ended; `None` for the last.
    pub(crate) until: Option<(ClockNumber, i64)>,
    /// Readings closer than this, in nanoseconds, claim nothing: what causes showed to be noise.
    pub(crate) jitter_ns: u64,
    /// False where its readings contradict causes by more than noise: then it claims nothing.
    pub(crate) trusted: bool,
    /// Its moments with a time that says something; sorted by time.
    pub(crate) readings: Vec<Reading>,
}

/// A moment on a clock: it happened in `[lower, upper)` by that clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reading {
    /// The stamp, in nanoseconds.
    pub(crate) lower: u64,
    /// The stamp and its resolution, or the clock's jitter if that is more.
    pub(crate) upper: u64,
    /// Which moment.
    pub(crate) moment: Index,
}

/// The clocks of a timeline, once nothing contradicts what they claim.
#[derive(Clone)]
pub(crate) struct Clocks {
    /// All of them: those of the timeline's processes, then those that only the evidence knows, then epochs.
    pub(crate) list: Vec<Clock>,
    /// The clock (its first epoch) that each process reads, by the process's number.
    pub(crate) of_process: Vec<ClockNumber>,
    /// The epoch of its clock that each moment was read in; `None` where that is not known.
    pub(crate) of_moment: Vec<Option<ClockNumber>>,
    /// The clock (its first epoch) that each reader of the evidence reads, in the evidence's order.
    pub(crate) of_reader: Vec<ClockNumber>,
    /// Those readers.
    readers: Vec<ProcessId>,
    /// By how much two clocks may drift apart.
    pub(crate) drift: Drift,
}

impl Clocks {
    /// The clocks that the processes name, before any contradiction is looked for.
    pub(crate) fn named(moments: &Moments, evidence: &ClockEvidence, drift: Drift) -> Clocks {
        let processes = moments.processes.list();
        let own: BTreeSet<&ClockKey> = processes.iter().map(|process| &process.clock).collect();
        let others = evidence.readers().map(|(_, reader)| &reader.clock).filter(|key| !own.contains(key));
        let others: BTreeSet<&ClockKey> = others.collect();
        let keys: Vec<&ClockKey> = own.into_iter().chain(others).collect();
        let numbers: BTreeMap<&ClockKey, ClockNumber> = keys.iter().copied().zip(0..).collect();
        let of_process: Vec<ClockNumber> = processes.iter().map(|process| numbers[&process.clock]).collect();
        let (readers, of_reader) =
            evidence.readers().map(|(id, reader)| (id, numbers[&reader.clock])).unzip();
        let of_moment = moments.list.iter().map(|moment| Some(of_process[moment.process])).collect();
        let list = (0..).zip(keys).map(|(number, key)| Clock::new(key.clone(), number)).collect();
        let mut clocks = Clocks { list, of_process, of_moment, of_reader, readers, drift };
        clocks.read(moments);
        clocks
    }

    /// Makes a clock of each of `count` epochs; the first keeps the clock's number.
    pub(crate) fn part(&mut self, number: ClockNumber, count: usize) -> Vec<ClockNumber> {
        let later = self.list.len()..self.list.len() + count.saturating_sub(1);
        let epoch = Clock { readings: Vec::new(), ..self.list[number].clone() };
        self.list.extend(later.clone().map(|_| epoch.clone()));
        std::iter::once(number).chain(later).collect()
    }

    /// Whether the clock was set, and has several epochs.
    fn is_parted(&self, number: ClockNumber) -> bool {
        let first = self.list[number].first;
        self.list.iter().filter(|clock| clock.first == first).count() > 1
    }

    /// The smallest host name of the processes that read this clock and have moments.
    pub(crate) fn host_of<'a>(&self, number: ClockNumber, moments: &'a Moments) -> Option<&'a str> {
        let first = self.list[number].first;
        let own = self.of_process.iter().zip(moments.processes.list()).filter(|(clock, _)| **clock == first);
        own.filter_map(|(_, process)| process.host.as_deref()).min()
    }

    /// What a moment's clock read, and which clock that is; `None` where that says nothing.
    pub(crate) fn reading(&self, moments: &Moments, index: Index) -> Option<(ClockNumber, Reading)> {
        let moment = moments.list.get(index as usize)?;
        let number = (*self.of_moment.get(index as usize)?)?;
        let clock = self.list.get(number).filter(|clock| clock.trusted)?;
        let lower = moment.time.0;
        let upper = lower.saturating_add(moment.resolution?.max(clock.jitter_ns).max(1));
        Some((number, Reading { lower, upper, moment: index }))
    }

    /// Takes the readings anew.
    pub(crate) fn read(&mut self, moments: &Moments) {
        self.list.iter_mut().for_each(|clock| clock.readings.clear());
        for index in 0..moments.len() as Index {
            if let Some((number, reading)) = self.reading(moments, index) {
                self.list[number].readings.push(reading);
            }
        }
        self.list.iter_mut().for_each(|clock| clock.readings.sort_unstable());
    }

    /// Weakens what the clocks claim until it agrees with the causes: a clock contradicted by little
    /// has coarse stamps; a machine's clock contradicted by more falls apart into its processes' own;
    /// a process's clock contradicted by more claims nothing. Returns what then is claimed.
    pub(crate) fn settle(&mut self, moments: &Moments, causal: &Graph) -> Lattice {
        loop {
            let lattice = Lattice::new(self, moments.len(), causal, None);
            let contradicted = lattice.clocks_on_cycles();
            if contradicted.is_empty() {
                return lattice;
            }
            for number in contradicted {
                self.weaken(number, moments, causal);
            }
            self.read(moments);
        }
    }

    fn weaken(&mut self, number: ClockNumber, moments: &Moments, causal: &Graph) {
        let inversion = self.inversion(number, moments, causal);
        let Some(clock) = self.list.get_mut(number) else { return };
        if (1..=JITTER_NS_MAX).contains(&inversion) && clock.jitter_ns <= inversion {
            clock.jitter_ns = inversion + 1;
        } else if !self.split(number, moments) {
            self.list[number].trusted = false;
        }
    }

    /// Gives each process that reads this clock one of its own; says whether there was anything to split.
    pub(crate) fn split(&mut self, number: ClockNumber, moments: &Moments) -> bool {
        let own: Vec<usize> = (0..self.readers.len()).filter(|at| self.of_reader[*at] == number).collect();
        if own.len() < 2 || self.is_parted(number) {
            return false;
        }
        for (nth, reader) in own.into_iter().enumerate() {
            let place = if nth == 0 { number } else { self.list.len() };
            let clock = Clock::new(ClockKey::Process(self.readers[reader]), place);
            if nth == 0 {
                self.list[number] = clock;
            } else {
                self.list.push(clock);
            }
            self.of_reader[reader] = place;
        }
        for (process, clock) in moments.processes.list().iter().zip(&mut self.of_process) {
            if let Ok(reader) = self.readers.binary_search(&process.key.id()) {
                *clock = self.of_reader[reader];
            }
        }
        for (moment, clock) in moments.list.iter().zip(&mut self.of_moment) {
            if *clock == Some(number) {
                *clock = Some(self.of_process[moment.process]);
            }
        }
        self.read(moments);
        true
    }

    /// By how much, at most, this clock read less at an effect than at one of its causes.
    fn inversion(&self, number: ClockNumber, moments: &Moments, causal: &Graph) -> u64 {
        let mut own: Vec<Option<u64>> = vec![None; moments.len()];
        self.list[number].readings.iter().for_each(|r| own[r.moment as usize] = Some(r.lower));
        let mut past: Vec<u64> = vec![0; moments.len()];
        let mut inversion = 0;
        for node in causal.topological().iter().copied() {
            let mut latest = past[node as usize];
            if let Some(time) = own[node as usize] {
                inversion = inversion.max(latest.saturating_sub(time));
                latest = latest.max(time);
            }
            for to in causal.successors(node) {
                past[*to as usize] = past[*to as usize].max(latest);
            }
        }
        inversion
    }
}

impl Clock {
    fn new(key: ClockKey, first: ClockNumber) -> Clock {
        Clock { key, first, since: None, until: None, jitter_ns: 0, trusted: true, readings: Vec::new() }
    }
}
