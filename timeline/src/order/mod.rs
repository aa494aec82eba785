//! Order: what is before what, why, and one list that agrees with all of it.
//!
//! | file              | what it alone knows                                                     |
//! |-------------------|-------------------------------------------------------------------------|
//! | `process.rs`      | who a process is, and which clock it reads                              |
//! | `moment.rs`       | the events of records, and how coarse their stamps are                  |
//! | `edge.rs`         | the causes that telemetry proves                                        |
//! | `clock.rs`        | what clocks claim, and what contradiction costs them                    |
//! | `offset.rs`       | how far one clock can be ahead of another                               |
//! | `graph.rs`        | graphs: topological order, cycles                                       |
//! | `reachability.rs` | before or not, and how surely                                           |
//! | `reduce.rs`       | the edges to show                                                       |
//!
//! # Invariants
//!
//! - **ORD-1** The list is a linear extension of every relation claimed, whatever the clocks say.
//! - **ORD-2** A claim that contradicts a surer one is not made; causes that contradict each other are none.

pub(crate) mod clock;
pub(crate) mod edge;
mod graph;
pub(crate) mod moment;
pub(crate) mod offset;
pub(crate) mod process;
pub(crate) mod reachability;
pub(crate) mod reduce;

#[cfg(test)]
mod soundness;
#[cfg(test)]
mod tests;

use hlc::Hlc;

use clock::{ClockNumber, Clocks, Lattice};
use edge::Cause;
use graph::Graph;
use moment::{Index, Moments};
use offset::Offsets;
use reachability::Reachability;

use crate::document::Evidence;
use crate::held::Held;
use crate::time::Time;

/// The moments of a timeline, ordered.
pub(crate) struct Order {
    /// The causal edges that stand. Invariant: acyclic; sorted.
    pub(crate) causes: Vec<Cause>,
    /// Causal edges given up because they run in a circle.
    pub(crate) circular: Vec<Cause>,
    /// The same as a graph.
    pub(crate) causal: Graph,
    /// The clocks, and what they may claim.
    pub(crate) clocks: Clocks,
    /// Causes and clocks' claims as one graph.
    pub(crate) lattice: Lattice,
    /// The same with what offsets prove.
    pub(crate) corrected_lattice: Lattice,
    /// How far clocks are apart.
    pub(crate) offsets: Offsets,
    /// The clock that corrected times are on: that with most events, then the smallest host name.
    pub(crate) reference: Option<ClockNumber>,
    /// Each moment's time on the reference clock, as well as it is known.
    pub(crate) corrected: Vec<Time>,
    /// Each moment's causal stamp.
    pub(crate) stamps: Vec<Hlc>,
    /// The moments by stamp, then record id, then point.
    pub(crate) list: Vec<Index>,
    /// Each moment's place in `list`.
    pub(crate) places: Vec<u32>,
    /// Before or not.
    pub(crate) reachability: Reachability,
}

impl Order {
    /// Orders the moments by these causes and by their clocks.
    pub(crate) fn of(held: &Held, moments: &Moments, causes: Vec<Cause>) -> Order {
        let (causes, circular) = without_circles(moments.len(), causes);
        let causal = graph_of(moments.len(), &causes);
        let mut clocks = Clocks::named(moments);
        clocks.settle(moments, &causal);
        let lattice = Lattice::new(&clocks, moments.len(), &causal, None);
        let (offsets, corrected_lattice) = settled_offsets(&clocks, moments, &causes, &causal);
        let reference = reference(&clocks, moments);
        let corrected = corrected(&clocks, moments, &offsets, reference);
        let stamps = stamps(&corrected_lattice, &corrected);
        let mut list: Vec<Index> = (0..moments.len() as Index).collect();
        list.sort_unstable_by_key(|index| {
            let moment = &moments.list[*index as usize];
            (stamps[*index as usize], held.record(moment.at).id, moment.point)
        });
        let mut places = vec![0; list.len()];
        (0..).zip(&list).for_each(|(place, index)| places[*index as usize] = place);
        let reachability = Reachability::new(&causal, &lattice, &corrected_lattice, &clocks);
        Order {
            causes,
            circular,
            causal,
            clocks,
            lattice,
            corrected_lattice,
            offsets,
            reference,
            corrected,
            stamps,
            list,
            places,
            reachability,
        }
    }
}

/// For every node whether it lies on a cycle of these edges, and on which.
pub(crate) fn cycles(len: usize, edges: &[(u32, u32)]) -> Vec<Option<u32>> {
    Graph::new(len, edges).cycles()
}

fn graph_of(len: usize, causes: &[Cause]) -> Graph {
    let edges: Vec<(u32, u32)> = causes.iter().map(|cause| (cause.from, cause.to)).collect();
    Graph::new(len, &edges)
}

/// Causes that run in a circle contradict each other, and none of them is evidence: they are given up,
/// but for the order within each span, which can't be circular by itself.
fn without_circles(len: usize, causes: Vec<Cause>) -> (Vec<Cause>, Vec<Cause>) {
    let cycles = graph_of(len, &causes).cycles();
    causes.into_iter().partition(|cause| {
        let (from, to) = (cycles[cause.from as usize], cycles[cause.to as usize]);
        cause.evidence == Evidence::Span || from.is_none() || from != to
    })
}

/// The offsets that contradict neither each other nor anything surer, and the lattice that they extend.
fn settled_offsets(
    clocks: &Clocks,
    moments: &Moments,
    causes: &[Cause],
    causal: &Graph,
) -> (Offsets, Lattice) {
    let mut offsets = Offsets::of(clocks, moments, causes);
    loop {
        let lattice = Lattice::new(clocks, moments.len(), causal, Some(&offsets));
        let contradicted = lattice.clocks_on_cycles();
        let news = contradicted.iter().any(|clock| !offsets.contradictory[*clock]);
        if !news {
            return (offsets, lattice);
        }
        contradicted.into_iter().for_each(|clock| offsets.contradictory[clock] = true);
    }
}

/// The clock with most moments, then the smallest host name, then the smallest key.
fn reference(clocks: &Clocks, moments: &Moments) -> Option<ClockNumber> {
    let mut events = vec![0usize; clocks.list.len()];
    moments.list.iter().for_each(|moment| events[clocks.of_process[moment.process]] += 1);
    let preference = |clock: &ClockNumber| {
        let host = clocks.host_of(*clock, moments);
        (std::cmp::Reverse(events[*clock]), host.is_none(), host, &clocks.list[*clock].key)
    };
    let listed = (0..clocks.list.len()).filter(|clock| events[*clock] > 0);
    listed.min_by(|a, b| preference(a).cmp(&preference(b)))
}

/// Each moment's time on the reference clock: its estimate, less the middle of its clock's offset.
fn corrected(
    clocks: &Clocks,
    moments: &Moments,
    offsets: &Offsets,
    reference: Option<ClockNumber>,
) -> Vec<Time> {
    let shift =
        |clock: ClockNumber| reference.map_or(0, |reference| offsets.bounds(clock, reference).middle());
    let shifts: Vec<i128> = (0..clocks.list.len()).map(shift).collect();
    let on_reference = |m: &moment::Moment| m.estimate.shifted(shifts[clocks.of_process[m.process]]);
    moments.list.iter().map(on_reference).collect()
}

/// The causal stamps: the rule of hybrid logical clocks, applied afterwards over every claimed relation.
fn stamps(lattice: &Lattice, corrected: &[Time]) -> Vec<Hlc> {
    let mut latest: Vec<Option<Hlc>> = vec![None; lattice.graph.len()];
    for node in lattice.graph.topological() {
        let before = latest[node as usize];
        let stamp = match corrected.get(node as usize) {
            Some(time) => Some(Hlc::after(time.0, before)),
            None => before, // a clock's chain passes on what it saw
        };
        latest[node as usize] = stamp;
        for to in lattice.graph.successors(node) {
            latest[*to as usize] = latest[*to as usize].max(stamp);
        }
    }
    latest.into_iter().take(corrected.len()).map(Option::unwrap_or_default).collect()
}
