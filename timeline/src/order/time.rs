//! Corrected times with their errors, and causal stamps.

use hlc::Hlc;

use super::Level;
use super::clock::{ClockNumber, Clocks, Reading};
use super::lattice::Lattice;
use super::moment::Moments;
use super::offset::{Bounds, Offsets};
use crate::time::Time;

/// Each moment's time on the reference clock.
pub(crate) struct Times {
    /// As well as it is known.
    pub(crate) corrected: Vec<Time>,
    /// The truth lies so close to it, in nanoseconds; `None` where nothing says.
    pub(crate) errors: Vec<Option<u64>>,
}

/// What the reference clock read at a moment: at least, at most. Open sides are the type's ends.
type Interval = (i64, i64);

impl Times {
    /// Corrects by `top`'s offsets, and tightens along all that it claims. `ahead`: how far each clock is ahead of the
    /// collector's at least; where nothing else bounds a clock it is taken to be that far ahead, and not further.
    pub(crate) fn of(
        clocks: &Clocks,
        moments: &Moments,
        top: &Level,
        reference: Option<ClockNumber>,
        ahead: &[i64],
    ) -> Times {
        let (Some(reference), Some(offsets)) = (reference, &top.offsets) else {
            let corrected = moments.list.iter().map(|moment| moment.estimate).collect();
            return Times { corrected, errors: vec![None; moments.len()] };
        };
        let mut intervals = vec![(i64::MIN, i64::MAX); moments.len()];
        for (number, clock) in clocks.list.iter().enumerate() {
            on_reference(&clock.readings, number, reference, offsets, &mut intervals);
        }
        tighten(&top.lattice, &mut intervals);
        let ahead_of = |clock: ClockNumber| ahead.get(clock).copied().unwrap_or_default();
        let mut times = Times { corrected: Vec::new(), errors: Vec::new() };
        for (index, (low, high)) in (0..).zip(intervals) {
            let closed = low != i64::MIN && high != i64::MAX && low <= high;
            let width = high.saturating_sub(low);
            times.errors.push(closed.then(|| (width / 2 + width % 2) as u64));
            times.corrected.push(if closed {
                time(low + width / 2)
            } else {
                let moment = &moments.list[index as usize];
                let first = clocks.of_process[moment.process];
                let (number, x) = match clocks.reading(moments, index) {
                    Some((number, reading)) => (number, reading.lower),
                    None => (clocks.of_moment[index as usize].unwrap_or(first), moment.estimate.0),
                };
                let x = i64::try_from(x).unwrap_or(i64::MAX);
                let guess = ahead_of(clocks.list[reference].first) - ahead_of(clocks.list[number].first);
                let bounds = if moment.resolution.is_some() {
                    offsets.bounds(number, x, reference)
                } else {
                    Bounds::default()
                };
                moment.estimate.shifted(i128::from(bounds.middle(guess)))
            });
        }
        times
    }
}

fn time(ns: i64) -> Time {
    Time(u64::try_from(ns).unwrap_or(0))
}

/// The intervals of one clock's readings. Along its stamps they never go back: what bounds one reading from below bounds
/// every later one.
fn on_reference(
    readings: &[Reading],
    number: ClockNumber,
    reference: ClockNumber,
    offsets: &Offsets,
    intervals: &mut [Interval],
) {
    let mut least = i64::MIN;
    for reading in readings {
        let lower = i64::try_from(reading.lower).unwrap_or(i64::MAX);
        let last = i64::try_from(reading.upper - 1).unwrap_or(i64::MAX);
        let bounds = offsets.bounds(number, lower, reference);
        let low = bounds.low.map_or(i64::MIN, |low| lower.saturating_add(low));
        least = least.max(low);
        let at_last = if last == lower { bounds } else { offsets.bounds(number, last, reference) };
        let high = at_last.high.map_or(i64::MAX, |high| last.saturating_add(high));
        intervals[reading.moment as usize] = (least, high);
    }
    let mut latest: Option<(u64, i64)> = None;
    for reading in readings.iter().rev() {
        let interval = &mut intervals[reading.moment as usize];
        if let Some((upper, most)) = latest
            && reading.upper <= upper
        {
            interval.1 = interval.1.min(most);
        }
        if latest.is_none_or(|(_, most)| interval.1 <= most) {
            latest = Some((reading.upper, interval.1));
        }
    }
}

/// What is claimed to be before a moment is no later than it, and what is after it no earlier. Where that leaves nothing,
/// evidence contradicts itself and the clock's own word stands.
fn tighten(lattice: &Lattice, intervals: &mut [Interval]) {
    let len = lattice.graph.len();
    let order = lattice.graph.topological();
    let own =
        |intervals: &[Interval], node: usize| intervals.get(node).copied().unwrap_or((i64::MIN, i64::MAX));
    let mut low: Vec<i64> = (0..len).map(|node| own(intervals, node).0).collect();
    for node in order {
        let least = low[*node as usize];
        for to in lattice.graph.successors(*node) {
            low[*to as usize] = low[*to as usize].max(least);
        }
    }
    let mut high: Vec<i64> = (0..len).map(|node| own(intervals, node).1).collect();
    for node in order.iter().rev() {
        let most = lattice.graph.successors(*node).iter().map(|to| high[*to as usize]).min();
        let slot = &mut high[*node as usize];
        *slot = most.map_or(*slot, |most| most.min(*slot));
    }
    for (node, interval) in intervals.iter_mut().enumerate() {
        if low[node] <= high[node] {
            *interval = (low[node], high[node]);
        }
    }
}

/// The causal stamps: the rule of hybrid logical clocks, applied afterwards over every claimed relation.
pub(crate) fn stamps(lattice: &Lattice, corrected: &[Time]) -> Vec<Hlc> {
    let mut latest: Vec<Option<Hlc>> = vec![None; lattice.graph.len()];
    for node in lattice.graph.topological().iter().copied() {
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
