//! The edges to show: those that no chain of others, at least as sure, implies.

use super::clock::{Clock, Reading};
use super::edge::Cause;
use super::moment::{Index, Moment};
use super::{Order, graph::Graph};
use crate::document::{Certainty, Evidence};

/// So many clock edges at most leave an event, nearest first: a busy clock orders everything.
pub(crate) const CLOCK_EDGES_MAX: usize = 8;

/// So many next readings of a clock are compared with each other; beyond, all are counted as left out.
const NEXT_READINGS_MAX: usize = 64;

/// An edge to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The earlier moment.
    pub(crate) from: Index,
    /// The later moment.
    pub(crate) to: Index,
    /// How sure it is.
    pub(crate) certainty: Certainty,
    /// Where it comes from.
    pub(crate) evidence: Evidence,
}

/// The transitive reduction among the first `shown` moments of the order, and how many clock edges the
/// bound left out.
pub(crate) fn reduce(order: &Order, moments: &[Moment], shown: usize) -> (Vec<Shown>, u64) {
    let mut visible = vec![false; moments.len()];
    order.list.iter().take(shown).for_each(|index| visible[*index as usize] = true);
    let mut edges = needed_causes(order, &visible);
    let mut omitted = 0;
    for clock in order.clocks.list.iter().filter(|clock| clock.trusted) {
        let next = NextReadings::new(clock, &visible);
        for reading in &next.readings {
            omitted += clock_edges_from(order, moments, &next, reading, &mut edges);
        }
    }
    edges.sort_unstable_by_key(|edge| {
        (order.places[edge.from as usize], order.places[edge.to as usize], edge.evidence)
    });
    (edges, omitted)
}

/// The causal edges that no chain of causes implies.
fn needed_causes(order: &Order, visible: &[bool]) -> Vec<Shown> {
    let reversed: Vec<(u32, u32)> = order.causes.iter().map(|cause| (cause.to, cause.from)).collect();
    let causes_of = Graph::new(visible.len(), &reversed);
    // The moments shown come before all others: what leads to one of them is shown itself.
    let needed = |cause: &&Cause| {
        let others = causes_of.successors(cause.to).iter().filter(|other| **other != cause.from);
        visible[cause.to as usize]
            && !others.into_iter().any(|other| order.reachability.caused(cause.from, *other))
    };
    let shown = |cause: &Cause| Shown {
        from: cause.from,
        to: cause.to,
        certainty: Certainty::Causal,
        evidence: cause.evidence,
    };
    order.causes.iter().filter(needed).map(shown).collect()
}

/// A clock's visible readings, prepared to find those that come next after one.
struct NextReadings {
    /// Sorted by lower end.
    readings: Vec<Reading>,
    /// The smallest upper end from each place on.
    least_upper: Vec<u64>,
}

impl NextReadings {
    fn new(clock: &Clock, visible: &[bool]) -> NextReadings {
        let readings: Vec<Reading> =
            clock.readings.iter().filter(|reading| visible[reading.moment as usize]).copied().collect();
        let mut least_upper: Vec<u64> = readings.iter().map(|reading| reading.upper).collect();
        for at in (1..least_upper.len()).rev() {
            least_upper[at - 1] = least_upper[at - 1].min(least_upper[at]);
        }
        NextReadings { readings, least_upper }
    }

    /// The readings after `reading` that no other reading of the clock lies between.
    fn after(&self, reading: &Reading) -> &[Reading] {
        let from = self.readings.partition_point(|next| next.lower < reading.upper);
        let Some(limit) = self.least_upper.get(from) else { return &[] };
        let to = self.readings.partition_point(|next| next.lower < *limit);
        self.readings.get(from..to).unwrap_or_default()
    }
}

/// Adds the clock edges that leave `reading`; returns how many were left out.
fn clock_edges_from(
    order: &Order,
    moments: &[Moment],
    clock: &NextReadings,
    reading: &Reading,
    edges: &mut Vec<Shown>,
) -> u64 {
    let all = clock.after(reading);
    let next = all.get(..NEXT_READINGS_MAX).unwrap_or(all);
    let reachability = &order.reachability;
    let from = reading.moment;
    let implied = |to: Index| {
        reachability.caused(from, to)
            || reachability.through_an_effect(from, to)
            || next.iter().any(|other| other.moment != to && reachability.before(other.moment, to).is_some())
    };
    let mut needed = 0;
    for to in next.iter().map(|next| next.moment).filter(|to| !implied(*to)) {
        needed += 1;
        if needed <= CLOCK_EDGES_MAX {
            let same_process = moments[from as usize].process == moments[to as usize].process;
            let evidence = if same_process { Evidence::Process } else { Evidence::Clock };
            edges.push(Shown { from, to, certainty: Certainty::Clock, evidence });
        }
    }
    (needed.saturating_sub(CLOCK_EDGES_MAX) + (all.len() - next.len())) as u64
}
