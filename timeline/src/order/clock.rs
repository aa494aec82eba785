//! What clocks claim: that of two readings of one clock, further apart than its stamps are coarse, the
//! smaller came first. And what they lose where causes contradict them.

use std::collections::BTreeMap;

use super::graph::Graph;
use super::moment::{Index, Moments};
use super::offset::Offsets;
use super::process::Process;
use crate::clocks::ClockKey;

/// Causes contradict the stamps of one machine by so much without any fault: SDKs that anchor a
/// precise clock to a coarse one, loggers that truncate. Measured on Node: 17 ms at most.
const JITTER_NS_MAX: u64 = 20_000_000;

/// The number of a clock in [`Clocks`].
pub(crate) type ClockNumber = usize;

/// One clock, with the moments that were read off it.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// Whose it is.
    pub(crate) key: ClockKey,
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
pub(crate) struct Clocks {
    /// All of them.
    pub(crate) list: Vec<Clock>,
    /// The clock that each process reads, by the process's number.
    pub(crate) of_process: Vec<ClockNumber>,
}

impl Clocks {
    /// The clocks that the processes name, before any contradiction is looked for.
    pub(crate) fn named(moments: &Moments) -> Clocks {
        let processes = moments.processes.list();
        let mut numbers: BTreeMap<&ClockKey, ClockNumber> = BTreeMap::new();
        processes.iter().for_each(|process| {
            numbers.entry(&process.clock).or_insert(0);
        });
        numbers.values_mut().enumerate().for_each(|(number, slot)| *slot = number);
        let of_process = processes.iter().map(|process| numbers[&process.clock]).collect();
        let list = numbers.into_keys().map(|key| Clock::new(key.clone())).collect();
        let mut clocks = Clocks { list, of_process };
        clocks.read(moments);
        clocks
    }

    /// The smallest host name of the processes that read this clock and have moments.
    pub(crate) fn host_of<'a>(&self, number: ClockNumber, moments: &'a Moments) -> Option<&'a str> {
        let processes = moments.processes.list();
        let reads = |process: &&Process| {
            moments.processes.find(&process.key).is_some_and(|p| self.of_process[p] == number)
        };
        processes.iter().filter(reads).filter_map(|process| process.host.as_deref()).min()
    }

    /// What a moment's clock read, and which clock that is; `None` where that says nothing.
    pub(crate) fn reading(&self, moments: &Moments, index: Index) -> Option<(ClockNumber, Reading)> {
        let moment = moments.list.get(index as usize)?;
        let number = *self.of_process.get(moment.process)?;
        let clock = self.list.get(number).filter(|clock| clock.trusted)?;
        let lower = moment.time.0;
        let upper = lower.saturating_add(moment.resolution?.max(clock.jitter_ns).max(1));
        Some((number, Reading { lower, upper, moment: index }))
    }

    /// Takes the readings anew.
    fn read(&mut self, moments: &Moments) {
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
    /// a process's clock contradicted by more claims nothing.
    pub(crate) fn settle(&mut self, moments: &Moments, causal: &Graph) {
        loop {
            let contradicted = self.contradicted(moments, causal);
            if contradicted.is_empty() {
                return;
            }
            for number in contradicted {
                self.weaken(number, moments, causal);
            }
            self.read(moments);
        }
    }

    /// The clocks whose claims lie on a cycle with causes.
    fn contradicted(&self, moments: &Moments, causal: &Graph) -> Vec<ClockNumber> {
        Lattice::new(self, moments.len(), causal, None).clocks_on_cycles()
    }

    fn weaken(&mut self, number: ClockNumber, moments: &Moments, causal: &Graph) {
        let inversion = self.inversion(number, moments, causal);
        let processes: Vec<usize> =
            (0..self.of_process.len()).filter(|process| self.of_process[*process] == number).collect();
        let Some(clock) = self.list.get_mut(number) else { return };
        if (1..=JITTER_NS_MAX).contains(&inversion) && clock.jitter_ns <= inversion {
            clock.jitter_ns = inversion + 1;
        } else if let [_, others @ ..] = processes.as_slice()
            && !others.is_empty()
        {
            self.split(number, &processes, moments.processes.list());
        } else {
            clock.trusted = false;
        }
    }

    /// Gives each of these processes a clock of its own.
    fn split(&mut self, number: ClockNumber, processes: &[usize], list: &[Process]) {
        for (nth, process) in processes.iter().enumerate() {
            let clock = Clock::new(ClockKey::Process(list[*process].key.id()));
            if nth == 0 {
                self.list[number] = clock;
            } else {
                self.of_process[*process] = self.list.len();
                self.list.push(clock);
            }
        }
    }

    /// By how much, at most, this clock read less at an effect than at one of its causes.
    fn inversion(&self, number: ClockNumber, moments: &Moments, causal: &Graph) -> u64 {
        let mut own: Vec<Option<u64>> = vec![None; moments.len()];
        self.list[number].readings.iter().for_each(|r| own[r.moment as usize] = Some(r.lower));
        let mut past: Vec<u64> = vec![0; moments.len()];
        let mut inversion = 0;
        for node in causal.topological() {
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
    fn new(key: ClockKey) -> Clock {
        Clock { key, jitter_ns: 0, trusted: true, readings: Vec::new() }
    }
}

/// Causes and clock claims as one graph. A clock's claims are as many as its pairs of readings; they
/// are carried by a chain of nodes, one for each reading's upper end: a moment leads to the node of its
/// upper end, a node to the next, and the last node not past a moment's lower end to that moment.
pub(crate) struct Lattice {
    /// Nodes: first the moments, then the chains'.
    pub(crate) graph: Graph,
    /// One for each trusted clock with two readings or more.
    pub(crate) chains: Vec<Chain>,
    /// How many moments there are.
    pub(crate) moments: usize,
}

/// The nodes of one clock's claims.
pub(crate) struct Chain {
    /// Whose claims they carry.
    pub(crate) clock: ClockNumber,
    /// The first node's number in the graph.
    pub(crate) first: usize,
    /// The upper ends, sorted, each once: one node for each.
    uppers: Vec<u64>,
}

impl Chain {
    /// How many nodes it has.
    pub(crate) fn len(&self) -> usize {
        self.uppers.len()
    }

    /// The place in the chain that this reading leads to.
    pub(crate) fn place_of(&self, reading: &Reading) -> usize {
        self.uppers.partition_point(|upper| *upper < reading.upper)
    }

    /// The place in the chain that leads to this reading.
    fn place_before(&self, reading: &Reading) -> Option<usize> {
        self.uppers.partition_point(|upper| *upper <= reading.lower).checked_sub(1)
    }
}

impl Lattice {
    /// The causes, what the trusted clocks claim, and what the offsets between them prove.
    pub(crate) fn new(clocks: &Clocks, moments: usize, causal: &Graph, offsets: Option<&Offsets>) -> Lattice {
        let mut edges: Vec<(u32, u32)> = (0..moments as u32)
            .flat_map(|from| causal.successors(from).iter().map(move |to| (from, *to)))
            .collect();
        let mut chains = Vec::new();
        let mut nodes = moments;
        // A lone reading is in no relation with its own clock, but may be with others.
        let least = if offsets.is_some() { 1 } else { 2 };
        let claiming = |clock: &&(ClockNumber, &Clock)| clock.1.trusted && clock.1.readings.len() >= least;
        for (number, clock) in clocks.list.iter().enumerate().collect::<Vec<_>>().iter().filter(claiming) {
            let mut uppers: Vec<u64> = clock.readings.iter().map(|reading| reading.upper).collect();
            uppers.sort_unstable();
            uppers.dedup();
            let chain = Chain { clock: *number, first: nodes, uppers };
            nodes += chain.len();
            edges.extend(chain_edges(&chain, &clock.readings));
            chains.push(chain);
        }
        if let Some(offsets) = offsets {
            chains.iter().for_each(|chain| edges.extend(edges_to_other_clocks(chain, clocks, offsets)));
        }
        Lattice { graph: Graph::new(nodes, &edges), chains, moments }
    }

    /// The clocks whose claims lie on a cycle.
    pub(crate) fn clocks_on_cycles(&self) -> Vec<ClockNumber> {
        let cycles = self.graph.cycles();
        let on_cycle =
            |chain: &Chain| (chain.first..chain.first + chain.len()).any(|node| cycles[node].is_some());
        self.chains.iter().filter(|chain| on_cycle(chain)).map(|chain| chain.clock).collect()
    }
}

fn chain_edges(chain: &Chain, readings: &[Reading]) -> Vec<(u32, u32)> {
    let node = |place: usize| (chain.first + place) as u32;
    let links = (1..chain.len()).map(|place| (node(place - 1), node(place)));
    let out = readings.iter().map(|reading| (reading.moment, node(chain.place_of(reading))));
    let into = readings
        .iter()
        .filter_map(|reading| chain.place_before(reading).map(|place| (node(place), reading.moment)));
    links.chain(out).chain(into).collect()
}

/// From a clock's chain to the readings of other clocks that its bounds put after.
fn edges_to_other_clocks(chain: &Chain, clocks: &Clocks, offsets: &Offsets) -> Vec<(u32, u32)> {
    let mut edges = Vec::new();
    for (number, clock) in clocks.list.iter().enumerate().filter(|(number, _)| *number != chain.clock) {
        let Some(ahead) = offsets.bounds(chain.clock, number).high.filter(|_| clock.trusted) else {
            continue;
        };
        for reading in &clock.readings {
            let latest = i128::from(reading.lower) - ahead;
            let place = chain.uppers.partition_point(|upper| i128::from(*upper) <= latest);
            edges.extend(place.checked_sub(1).map(|place| ((chain.first + place) as u32, reading.moment)));
        }
    }
    edges
}
