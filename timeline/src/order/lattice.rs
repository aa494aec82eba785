//! Causes and what clocks claim, as one graph without a node for every pair.
//!
//! A clock's claims are as many as its pairs of readings; they are carried by a chain of nodes, one for each reading's
//! upper end: a moment leads to the node of its upper end, a node to the next, and the last node not past a moment's
//! lower end to that moment. Claims from one clock to another by their offset lead from nodes of the one's chain to
//! entries of the other: a second chain, of lower ends, each leading to the next and to the moments from there on.
//!
//! With very many readings not every node leads to other clocks, but every so many; an order that rests on an offset is
//! then claimed only of readings that lie further apart than that.

use super::clock::{ClockNumber, Clocks, Reading};
use super::graph::Graph;
use super::offset::Offsets;

/// So many nodes of all chains together lead to each other clock, about.
const CROSSINGS_MAX: usize = 1 << 20;

/// Causes and clock claims as one graph.
pub(crate) struct Lattice {
    /// Nodes: first the moments, then the chains' and entries'.
    pub(crate) graph: Graph,
    /// One for each trusted clock with readings.
    pub(crate) chains: Vec<Chain>,
    /// How many moments there are.
    pub(crate) moments: usize,
    /// By chain: what its places lead to in others; sorted by place.
    crossings: Vec<Vec<Crossing>>,
}

/// The nodes of one clock's claims.
pub(crate) struct Chain {
    /// Whose claims they carry.
    pub(crate) clock: ClockNumber,
    /// The first node's number in the graph.
    pub(crate) first: usize,
    /// The upper ends, sorted, each once: one node for each.
    uppers: Vec<u64>,
    /// The first entry's number in the graph.
    entry: usize,
    /// The lower ends that other clocks' claims lead to, sorted, each once: one node for each.
    lowers: Vec<u64>,
}

/// From a place of one chain on, readings of another clock from a lower end on come after.
#[derive(Clone, Copy)]
pub(crate) struct Crossing {
    place: u32,
    /// Whose readings.
    pub(crate) clock: ClockNumber,
    /// From which lower end on.
    pub(crate) lower: u64,
}

impl Chain {
    /// How many places it has.
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

    /// The nodes of its entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = usize> {
        self.entry..self.entry + self.lowers.len()
    }

    /// The nodes of its places and entries.
    fn nodes(&self) -> impl Iterator<Item = usize> {
        (self.first..self.first + self.uppers.len()).chain(self.entries())
    }
}

impl Lattice {
    /// The causes, what the trusted clocks claim, and what the offsets between them prove.
    pub(crate) fn new(clocks: &Clocks, moments: usize, causal: &Graph, offsets: Option<&Offsets>) -> Lattice {
        // Each reading has a place and an entry at most, and is joined to both and to the place before.
        let readings: usize = clocks.list.iter().map(|clock| clock.readings.len()).sum();
        let mut edges: Vec<(u32, u32)> = Vec::with_capacity(causal.edges() + 5 * readings);
        edges.extend(
            (0..moments as u32).flat_map(|from| causal.successors(from).iter().map(move |to| (from, *to))),
        );
        let claiming = || clocks.list.iter().filter(|clock| clock.trusted && !clock.readings.is_empty());
        let stride = if offsets.is_some() { stride(claiming().map(|clock| clock.readings.len())) } else { 1 };
        let mut chains = Vec::new();
        let mut nodes = moments;
        for (number, clock) in clocks.list.iter().enumerate() {
            if !clock.trusted || clock.readings.is_empty() {
                continue;
            }
            let mut uppers: Vec<u64> = clock.readings.iter().map(|reading| reading.upper).collect();
            uppers.sort_unstable();
            uppers.dedup();
            let mut lowers = Vec::new();
            if offsets.is_some() {
                lowers = clock.readings.iter().map(|reading| reading.lower).collect();
                lowers.dedup();
                lowers = lowers.into_iter().step_by(stride).collect();
            }
            let entry = nodes + uppers.len();
            let chain = Chain { clock: number, first: nodes, uppers, entry, lowers };
            nodes = entry + chain.lowers.len();
            chain_edges(&chain, &clock.readings, &mut edges);
            chains.push(chain);
        }
        let mut crossings = vec![Vec::new(); chains.len()];
        for (from, crossings) in chains.iter().zip(&mut crossings) {
            let others = chains.iter().filter(|to| to.clock != from.clock);
            let offsets = offsets.into_iter();
            offsets.for_each(|offsets| {
                others.clone().for_each(|to| crossing(from, to, offsets, stride, crossings, &mut edges));
            });
            crossings.sort_unstable_by_key(|crossing| (crossing.place, crossing.clock));
        }
        Lattice { graph: Graph::new(nodes, &edges), chains, moments, crossings }
    }

    /// The clocks whose claims lie on a cycle.
    pub(crate) fn clocks_on_cycles(&self) -> Vec<ClockNumber> {
        if self.graph.is_acyclic() {
            return Vec::new();
        }
        let cycles = self.graph.cycles();
        let on_cycle = |chain: &Chain| chain.nodes().any(|node| cycles[node].is_some());
        self.chains.iter().filter(|chain| on_cycle(chain)).map(|chain| chain.clock).collect()
    }

    /// Adds what `reading` of `clock` leads to in other clocks by their word alone, and no reading of `clock` with the upper
    /// end `next` or a later one does: of each other clock the first.
    pub(crate) fn crossings(
        &self,
        clock: ClockNumber,
        reading: &Reading,
        next: Option<u64>,
        found: &mut Vec<Crossing>,
    ) {
        let Some(at) = self.chains.iter().position(|chain| chain.clock == clock) else { return };
        let (chain, crossings) = (&self.chains[at], &self.crossings[at]);
        if crossings.is_empty() {
            return;
        }
        let place = chain.place_of(reading) as u32;
        let end = next.map_or(u32::MAX, |next| chain.uppers.partition_point(|upper| *upper < next) as u32);
        let begin = crossings.partition_point(|crossing| crossing.place < place);
        for crossing in crossings[begin..].iter().take_while(|crossing| crossing.place < end) {
            if !found.iter().any(|known| known.clock == crossing.clock) {
                found.push(*crossing);
            }
        }
    }
}

/// How many readings apart the nodes that lead to other clocks are.
fn stride(readings: impl Iterator<Item = usize> + Clone) -> usize {
    let (clocks, all) = (readings.clone().count(), readings.sum::<usize>());
    (all * clocks.saturating_sub(1)).div_ceil(CROSSINGS_MAX).max(1)
}

fn chain_edges(chain: &Chain, readings: &[Reading], edges: &mut Vec<(u32, u32)>) {
    let node = |place: usize| (chain.first + place) as u32;
    let entry = |place: usize| (chain.entry + place) as u32;
    edges.extend((1..chain.len()).map(|place| (node(place - 1), node(place))));
    edges.extend((1..chain.lowers.len()).map(|place| (entry(place - 1), entry(place))));
    for reading in readings {
        edges.push((reading.moment, node(chain.place_of(reading))));
        edges.extend(chain.place_before(reading).map(|place| (node(place), reading.moment)));
        let entered = chain.lowers.partition_point(|lower| *lower <= reading.lower).checked_sub(1);
        edges.extend(entered.map(|place| (entry(place), reading.moment)));
    }
}

/// From places of one clock's chain to the entries of another that its bounds put after.
fn crossing(
    from: &Chain,
    to: &Chain,
    offsets: &Offsets,
    stride: usize,
    crossings: &mut Vec<Crossing>,
    edges: &mut Vec<(u32, u32)>,
) {
    let mut earliest = u64::MAX;
    // Backwards: what a later place leads to, an earlier one leads to as well.
    for place in (0..from.len()).rev().step_by(stride) {
        let upper = i64::try_from(from.uppers[place]).unwrap_or(i64::MAX);
        let Some(ahead) = offsets.bounds(from.clock, upper, to.clock).high else { continue };
        let latest = u64::try_from(upper.saturating_add(ahead)).unwrap_or(0);
        let entry = to.lowers.partition_point(|lower| *lower < latest);
        let Some(lower) = to.lowers.get(entry).copied().filter(|lower| *lower < earliest) else { continue };
        earliest = lower;
        crossings.push(Crossing { place: place as u32, clock: to.clock, lower });
        edges.push(((from.first + place) as u32, (to.entry + entry) as u32));
    }
}
