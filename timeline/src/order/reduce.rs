//! The edges to show: those that no chain of others, at least as sure, implies.

use super::clock::{Clock, Reading};
use super::edge::Cause;
use super::moment::{Index, Moment};
use super::{Order, clock::ClockNumber, graph::Graph};
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
    let clocks: Vec<NextReadings> =
        order.clocks.list.iter().map(|clock| NextReadings::new(clock, &visible)).collect();
    for (number, clock) in clocks.iter().enumerate() {
        for reading in &clock.readings {
            let (next, beyond) = next_readings(order, &clocks, number, reading);
            omitted += beyond + clock_edges_from(order, moments, &next, reading.moment, &mut edges);
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

    /// The smallest upper end of the readings from `end` on.
    fn least_upper_after(&self, end: u64) -> Option<u64> {
        self.least_upper.get(self.readings.partition_point(|next| next.lower < end)).copied()
    }

    /// The readings from `end` on that no other reading of the clock lies between.
    fn after(&self, end: u64) -> &[Reading] {
        let from = self.readings.partition_point(|next| next.lower < end);
        let Some(limit) = self.least_upper.get(from) else { return &[] };
        let to = from + self.readings[from..].iter().take_while(|next| next.lower < *limit).count();
        self.readings.get(from..to).unwrap_or_default()
    }
}

/// A reading that may come next after another, and how sure that is by their clocks.
type Next = (Index, Certainty);

/// The readings that come next after `reading` by its own clock, and by the bounds of the others, but for those that its own
/// next readings lead to as well; nearest first. And how many more there are of which nothing is said.
fn next_readings(
    order: &Order,
    clocks: &[NextReadings],
    own: ClockNumber,
    reading: &Reading,
) -> (Vec<Next>, u64) {
    let clock = &clocks[own];
    let by_clock = clock.after(reading.upper).iter().map(|next| (next.moment, Certainty::Clock));
    let mut next: Vec<Next> = by_clock.collect();
    let least_upper = clock.least_upper_after(reading.upper);
    for level in &order.levels {
        for crossing in level.lattice.crossings(own, reading, least_upper) {
            let after = clocks[crossing.clock].after(crossing.lower);
            next.extend(after.iter().map(|next| (next.moment, level.certainty)));
        }
    }
    next.sort_by_key(|(moment, certainty)| (order.places[*moment as usize], std::cmp::Reverse(*certainty)));
    next.dedup_by_key(|(moment, _)| *moment);
    let beyond = next.len().saturating_sub(NEXT_READINGS_MAX);
    next.truncate(NEXT_READINGS_MAX);
    (next, beyond as u64)
}

/// Adds the clock and corrected edges that leave `from`; returns how many were left out.
fn clock_edges_from(
    order: &Order,
    moments: &[Moment],
    next: &[Next],
    from: Index,
    edges: &mut Vec<Shown>,
) -> u64 {
    let reachability = &order.reachability;
    let implied = |&&(to, certainty): &&Next| {
        let as_sure = |claim: Option<Certainty>| claim.is_some_and(|claim| claim >= certainty);
        reachability.before(from, to).is_some_and(|claim| claim > certainty)
            || reachability.through_an_effect(from, to, certainty)
            || next.iter().any(|(other, sure)| {
                *other != to && *sure >= certainty && as_sure(reachability.before(*other, to))
            })
    };
    let mut needed = 0;
    for (to, certainty) in next.iter().filter(|next| !implied(next)) {
        needed += 1;
        if needed <= CLOCK_EDGES_MAX {
            let same_process = moments[from as usize].process == moments[*to as usize].process;
            let evidence = match certainty {
                Certainty::Clock if same_process => Evidence::Process,
                Certainty::Clock => Evidence::Clock,
                Certainty::Assumed => Evidence::Declared,
                _ => Evidence::Offset,
            };
            edges.push(Shown { from, to: *to, certainty: *certainty, evidence });
        }
    }
    needed.saturating_sub(CLOCK_EDGES_MAX) as u64
}
