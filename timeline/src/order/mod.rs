//! Order: what is before what, why, and one list that agrees with all of it.
//!
//! | file              | what it alone knows                                                     |
//! |-------------------|-------------------------------------------------------------------------|
//! | `process.rs`      | who a process is, and which clock it reads                              |
//! | `moment.rs`       | the events of records, and how coarse their stamps are                  |
//! | `edge.rs`         | the causes that telemetry proves                                        |
//! | `stamps.rs`       | the causes that services carry: hybrid logical stamps, vector clocks    |
//! | `versions.rs`     | the causes that versions prove                                          |
//! | `clock.rs`        | the clocks, their readings, and what contradiction by causes costs them |
//! | `message.rs`      | the messages between clocks: the timeline's own, and the evidence's     |
//! | `epoch.rs`        | where a clock was set                                                   |
//! | `offset.rs`       | how far one clock can be ahead of another                               |
//! | `lattice.rs`      | causes and clocks' claims as one graph                                  |
//! | `settle.rs`       | from evidence to clocks and claims that contradict nothing              |
//! | `time.rs`         | corrected times, their intervals, and causal stamps                     |
//! | `graph.rs`        | graphs: topological order, cycles                                       |
//! | `reachability.rs` | before or not, and how surely                                           |
//! | `places.rs`       | which places of the clocks' chains lead to a moment, and follow it      |
//! | `reduce.rs`       | the edges to show                                                       |
//! | `table.rs`        | the clocks that traffic tells of, in whosever timeline                  |
//!
//! # Invariants
//!
//! - **ORD-1** The list is a linear extension of every relation claimed, whatever the clocks say.
//! - **ORD-2** A claim that contradicts a surer one is not made; causes that contradict each other are none.

pub(crate) mod clock;
pub(crate) mod edge;
mod epoch;
mod graph;
pub(crate) mod lattice;
mod message;
pub(crate) mod moment;
pub(crate) mod offset;
mod places;
pub(crate) mod process;
pub(crate) mod reachability;
pub(crate) mod reduce;
mod settle;
mod stamps;
pub(crate) mod table;
mod time;
mod versions;

#[cfg(test)]
mod scale;
#[cfg(test)]
mod soundness;
#[cfg(test)]
mod tests;

use hlc::Hlc;

use clock::{ClockNumber, Clocks};
use edge::Cause;
use graph::Graph;
use lattice::Lattice;
use moment::{Index, Moments};
use offset::Offsets;
use reachability::Reachability;

use crate::document::{Certainty, Evidence};
use crate::given::Given;
use crate::time::Time;

/// What is claimed at one certainty or more.
pub(crate) struct Level {
    /// How sure it is.
    pub(crate) certainty: Certainty,
    /// Causes and clocks' claims as one graph.
    pub(crate) lattice: Lattice,
    /// How far clocks are apart, where that is used.
    pub(crate) offsets: Option<Offsets>,
}

/// Why a clock is not taken at its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skew {
    /// It was set, and has epochs; or another was, and nothing tells which. By how much the first of them, in
    /// nanoseconds, at the first time.
    Set { clocks: Vec<ClockNumber>, by: Option<i64> },
    /// The processes of a machine contradict each other, and each has a clock of its own.
    Apart { host: String },
    /// Its evidence contradicts itself: nothing that rests on it is claimed.
    GivenUp { clock: ClockNumber },
}

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
    /// What is claimed besides: surest first; never empty. The last holds all of the others.
    pub(crate) levels: Vec<Level>,
    /// The clock that corrected times are on: that with most events, then the smallest host name.
    pub(crate) reference: Option<ClockNumber>,
    /// The clocks that are not taken at their word, and why.
    pub(crate) skews: Vec<Skew>,
    /// Each moment's time on the reference clock, as well as it is known.
    pub(crate) corrected: Vec<Time>,
    /// The truth lies so close to it, in nanoseconds; `None` where nothing says.
    pub(crate) errors: Vec<Option<u64>>,
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
    /// Orders the moments by these causes, by their clocks, and by what is given of clocks (joined with what the records
    /// prove).
    pub(crate) fn of(moments: &Moments, causes: Vec<Cause>, given: &Given) -> Order {
        let (causes, circular, causal) = without_circles(moments.len(), causes);
        let settled = settle::settle(moments, &causes, &causal, given);
        let settle::Settled { clocks, levels, reference, skews, ahead } = settled;
        let top = &levels[levels.len() - 1];
        let times = time::Times::of(&clocks, moments, top, reference, &ahead);
        let stamps = time::stamps(&top.lattice, &times.corrected);
        let mut list: Vec<Index> = (0..moments.len() as Index).collect();
        // Moments are sorted by record id, then point.
        list.sort_unstable_by_key(|index| (stamps[*index as usize], *index));
        let mut places = vec![0; list.len()];
        (0..).zip(&list).for_each(|(place, index)| places[*index as usize] = place);
        let reachability = Reachability::new(&causal, &levels, &clocks);
        let (corrected, errors) = (times.corrected, times.errors);
        Order {
            causes,
            circular,
            causal,
            clocks,
            levels,
            reference,
            skews,
            corrected,
            errors,
            stamps,
            list,
            places,
            reachability,
        }
    }

    /// What `b` is later than `a` by their clocks: at least, and at most, in nanoseconds.
    pub(crate) fn apart(&self, moments: &Moments, a: Index, b: Index) -> [Option<i128>; 2] {
        let readings = self.clocks.reading(moments, a).zip(self.clocks.reading(moments, b));
        let Some(((from, a), (to, b))) = readings else { return [None, None] };
        // B's clock minus A's. The upper ends are exclusive: equal stamps of 1 ns are no time apart.
        let ns = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
        let early = self.offsets().bounds_exactly(from, ns(a.lower), to);
        let late = self.offsets().bounds_exactly(from, ns(a.upper - 1), to);
        let apart = |later: u64, earlier: u64| i128::from(later) - i128::from(earlier);
        [
            late.high.map(|high| apart(b.lower, a.upper) + 1 - i128::from(high)),
            early.low.map(|low| apart(b.upper, a.lower) - 1 - i128::from(low)),
        ]
    }

    /// The offsets that corrected times rest on.
    pub(crate) fn offsets(&self) -> &Offsets {
        let with_offsets = self.levels.iter().rev().find_map(|level| level.offsets.as_ref());
        with_offsets.expect("settle gives a level with offsets")
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
fn without_circles(len: usize, causes: Vec<Cause>) -> (Vec<Cause>, Vec<Cause>, Graph) {
    let graph = graph_of(len, &causes);
    if graph.is_acyclic() {
        return (causes, Vec::new(), graph);
    }
    let cycles = graph.cycles();
    let (causes, circular): (Vec<Cause>, Vec<Cause>) = causes.into_iter().partition(|cause| {
        let (from, to) = (cycles[cause.from as usize], cycles[cause.to as usize]);
        cause.evidence == Evidence::Span || from.is_none() || from != to
    });
    let causal = graph_of(len, &causes);
    (causes, circular, causal)
}
