//! The edges to show: those that no chain of others, at least as sure, implies.

use super::clock::{Clock, Reading};
use super::edge::Cause;
use super::lattice::Crossing;
use super::moment::{Index, Moment};
use super::{Order, clock::ClockNumber};
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
    let mut walk = Walk::new(order, &visible);
    for number in 0..walk.clocks.len() {
        walk.begin();
        for at in 0..walk.clocks[number].readings.len() {
            let reading = walk.clocks[number].readings[at];
            omitted += walk.look(number, &reading);
            omitted += clock_edges_from(order, moments, &walk.next, reading.moment, &mut edges);
        }
    }
    edges.sort_unstable_by_key(|edge| {
        (order.places[edge.from as usize], order.places[edge.to as usize], edge.evidence)
    });
    (edges, omitted)
}

/// The causal edges that no chain of causes implies.
fn needed_causes(order: &Order, visible: &[bool]) -> Vec<Shown> {
    // The moments shown come before all others: what leads to one of them is shown itself.
    let needed = |cause: &&Cause| {
        let others = order.reachability.causes_of(cause.to).iter().filter(|other| **other != cause.from);
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

    /// The place of the first reading from `end` on; `hint` is where one a little before was found.
    fn place_from(&self, end: u64, hint: usize) -> usize {
        let is_before = |at: usize| self.readings.get(at).is_some_and(|reading| reading.lower < end);
        if hint > 0 && !is_before(hint - 1) {
            return self.readings.partition_point(|reading| reading.lower < end);
        }
        let (mut low, mut step) = (hint, 1);
        while is_before(low + step - 1) {
            low += step;
            step *= 2;
        }
        let high = (low + step).min(self.readings.len());
        low + self.readings[low.min(high)..high].partition_point(|reading| reading.lower < end)
    }

    /// The readings from a place on that no other reading of the clock lies between.
    fn after(&self, from: usize) -> &[Reading] {
        let Some(limit) = self.least_upper.get(from) else { return &[] };
        let to = from + self.readings[from..].iter().take_while(|next| next.lower < *limit).count();
        self.readings.get(from..to).unwrap_or_default()
    }
}

/// A reading that may come next after another, and how sure that is by their clocks.
#[derive(Clone, Copy)]
struct Next {
    /// Its place in the list.
    place: u32,
    to: Index,
    certainty: Certainty,
}

/// A walk over the readings of one clock after the other, earliest first, to those that come next.
struct Walk<'a> {
    order: &'a Order,
    clocks: Vec<NextReadings>,
    /// By clock: where the last search in its readings ended.
    hints: Vec<usize>,
    crossings: Vec<Crossing>,
    /// What comes next after the reading looked at, nearest first.
    next: Vec<Next>,
}

impl<'a> Walk<'a> {
    fn new(order: &'a Order, visible: &[bool]) -> Walk<'a> {
        let clocks: Vec<NextReadings> =
            order.clocks.list.iter().map(|clock| NextReadings::new(clock, visible)).collect();
        Walk { order, hints: vec![0; clocks.len()], clocks, crossings: Vec::new(), next: Vec::new() }
    }

    /// Begins with another clock.
    fn begin(&mut self) {
        self.hints.fill(0);
    }

    /// Finds the readings that come next after `reading` by its own clock, and by the bounds of the others, but for those
    /// that its own next readings lead to as well. Returns how many more there are of which nothing is said.
    fn look(&mut self, own: ClockNumber, reading: &Reading) -> u64 {
        self.next.clear();
        let least_upper = self.add_from(own, reading.upper, Certainty::Clock);
        for level in &self.order.levels {
            self.crossings.clear();
            level.lattice.crossings(own, reading, least_upper, &mut self.crossings);
            for at in 0..self.crossings.len() {
                let Crossing { clock, lower, .. } = self.crossings[at];
                self.add_from(clock, lower, level.certainty);
            }
        }
        self.next.sort_unstable_by_key(|next| (next.place, std::cmp::Reverse(next.certainty)));
        self.next.dedup_by_key(|next| next.place);
        let beyond = self.next.len().saturating_sub(NEXT_READINGS_MAX);
        self.next.truncate(NEXT_READINGS_MAX);
        beyond as u64
    }

    /// Adds the readings of `clock` from `end` on that come next; returns the smallest upper end of all from there on.
    fn add_from(&mut self, clock: ClockNumber, end: u64, certainty: Certainty) -> Option<u64> {
        let (readings, places) = (&self.clocks[clock], &self.order.places);
        let from = readings.place_from(end, self.hints[clock]);
        self.hints[clock] = from;
        let next = |reading: &Reading| Next {
            place: places[reading.moment as usize],
            to: reading.moment,
            certainty,
        };
        self.next.extend(readings.after(from).iter().map(next));
        readings.least_upper.get(from).copied()
    }
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
    let mut needed = 0;
    for (at, Next { to, certainty, .. }) in next.iter().copied().enumerate() {
        // Only what stands before it in the list can lead to it.
        let implied = reachability.before(from, to).is_some_and(|claim| claim > certainty)
            || reachability.through_an_effect(from, to, certainty)
            || next[..at].iter().any(|other| {
                other.certainty >= certainty
                    && reachability.before(other.to, to).is_some_and(|claim| claim >= certainty)
            });
        if implied {
            continue;
        }
        needed += 1;
        if needed <= CLOCK_EDGES_MAX {
            let same_process = moments[from as usize].process == moments[to as usize].process;
            let evidence = match certainty {
                Certainty::Clock if same_process => Evidence::Process,
                Certainty::Clock => Evidence::Clock,
                Certainty::Assumed => Evidence::Declared,
                _ => Evidence::Offset,
            };
            edges.push(Shown { from, to, certainty, evidence });
        }
    }
    needed.saturating_sub(CLOCK_EDGES_MAX) as u64
}
