//! Offsets: how far one clock can be ahead of another, proven by messages.
//!
//! A message sent when clock A read `s` and received when clock B read `r` proves that, at the sending, B read at
//! most `r`. When A reads `x`, B then reads at most `x + (r − s)`, widened by drift for the time between `s` and `x`:
//! of all messages the tightest counts, a function `F` of `x` that never falls. Because it never falls, bounds are
//! passed on through a third clock by applying its function to the bound, whether that clock is bounded on the other
//! side or not: a shortest path in a network whose lengths depend on time (Dreyfus 1969), relaxed as Bellman and Ford
//! do. Read backwards, the same messages bound the other side. The result is the optimum of the linear program over
//! these messages (their difference constraints), but for the rounding of drift.
//!
//! Paths are searched from points of each clock's own time, close together; between two of them drift is allowed for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::clock::{Clock, ClockNumber, Clocks};
use super::message::Between;
use crate::clocks::Drift;

/// The points of a clock's time from which paths are searched lie so far apart at least, in nanoseconds.
const STEP_NS: i64 = 20_000_000;

/// So many steps along pairs of clocks the search may take in all, about; fewer points are used where that would
/// be more.
const EFFORT: usize = 1_500_000;

/// A search looks at each clock so often at most, on average.
const STEPS_PER_CLOCK_MAX: usize = 16;

/// So many points a clock has at least.
const POINTS_MIN: usize = 8;

/// What bounds one clock's reading minus another's; an open side is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// At least this, in nanoseconds.
    pub(crate) low: Option<i64>,
    /// At most this, in nanoseconds.
    pub(crate) high: Option<i64>,
}

impl Bounds {
    const ZERO: Bounds = Bounds { low: Some(0), high: Some(0) };

    /// The middle of a closed interval; else what lies in it nearest to `guess`.
    pub(crate) fn middle(self, guess: i64) -> i64 {
        match (self.low, self.high) {
            (Some(low), Some(high)) => low.saturating_add(high.saturating_sub(low) / 2),
            (low, high) => guess.min(high.unwrap_or(i64::MAX)).max(low.unwrap_or(i64::MIN)),
        }
    }

    /// Half the width of a closed interval, rounded up.
    pub(crate) fn error(self) -> Option<u64> {
        let width = i128::from(self.high?) - i128::from(self.low?);
        u64::try_from((width + 1) / 2).ok()
    }
}

/// What the messages from one clock to another prove.
#[derive(Default)]
struct Pair {
    drift: Drift,
    /// The sender's reading, and how far the receiver was ahead at most; sorted, none implied by another.
    ahead: Vec<(i64, i64)>,
    /// The receiver's reading, and how far it was ahead of the sender at most; likewise.
    behind: Vec<(i64, i64)>,
    /// How far the receiver is ahead at most at any time, where somebody declares that.
    always: Option<i64>,
}

impl Pair {
    /// The receiver's clock reads this at most when the sender's reads `x`.
    fn latest(&self, x: i64) -> i64 {
        x.saturating_add(self.tightest(&self.ahead, x).min(self.always.unwrap_or(i64::MAX)))
    }

    /// The sender's clock reads this at least when the receiver's reads `x`.
    fn earliest(&self, x: i64) -> i64 {
        x.saturating_sub(self.tightest(&self.behind, x).min(self.always.unwrap_or(i64::MAX)))
    }

    /// The least of these bounds at `x`, drift allowed for: that of a neighbour, since none implies another.
    fn tightest(&self, bounds: &[(i64, i64)], x: i64) -> i64 {
        let next = bounds.partition_point(|(at, _)| *at <= x);
        let neighbours =
            next.checked_sub(1).and_then(|at| bounds.get(at)).into_iter().chain(bounds.get(next));
        let widened = |(at, most): &(i64, i64)| most.saturating_add(self.drift.within(x.saturating_sub(*at)));
        neighbours.map(widened).min().unwrap_or(i64::MAX)
    }
}

/// Leaves out the bounds that another, widened by drift, implies.
fn envelope(mut bounds: Vec<(i64, i64)>, drift: Drift) -> Vec<(i64, i64)> {
    bounds.sort_unstable();
    let implied =
        |by: &(i64, i64), bound: &(i64, i64)| by.1.saturating_add(drift.within(bound.0 - by.0)) <= bound.1;
    let mut kept: Vec<(i64, i64)> = Vec::new();
    for bound in bounds {
        if kept.last().is_some_and(|last| last.0 == bound.0 || implied(last, &bound)) {
            continue;
        }
        while kept.last().is_some_and(|last| implied(&bound, last)) {
            kept.pop();
        }
        kept.push(bound);
    }
    kept
}

/// The paths found from points of one clock's time.
#[derive(Default)]
struct Paths {
    /// Readings of the clock, ascending.
    points: Vec<i64>,
    /// By point, then clock: how far that clock is ahead at most; `i64::MAX` where nothing says.
    high: Vec<i64>,
    /// By point, then clock: how far it is ahead at least; `i64::MIN` where nothing says.
    low: Vec<i64>,
}

impl Paths {
    /// What is known at one point holds at the others, drift allowed for: through a third clock, whose messages were then,
    /// a path is shorter from there than from here.
    fn pass_on(&mut self, len: usize, drift: Drift) {
        let mut step = |from: usize, to: usize| {
            let drift = drift.within(self.points[to] - self.points[from]);
            for clock in 0..len {
                let (here, there) = (to * len + clock, from * len + clock);
                self.high[here] = self.high[here].min(self.high[there].saturating_add(drift));
                if self.low[there] != i64::MIN {
                    self.low[here] = self.low[here].max(self.low[there].saturating_sub(drift));
                }
            }
        };
        let last = self.points.len().saturating_sub(1);
        (0..last).for_each(|point| step(point, point + 1));
        (0..last).rev().for_each(|point| step(point + 1, point));
    }
}

/// What is proven of every pair of clocks.
pub(crate) struct Offsets {
    len: usize,
    drift: Drift,
    pairs: BTreeMap<(ClockNumber, ClockNumber), Arc<Pair>>,
    /// By clock: whom it sent to, whom it heard from, and what that proves.
    sent_to: Vec<Vec<(ClockNumber, Arc<Pair>)>>,
    heard_from: Vec<Vec<(ClockNumber, Arc<Pair>)>>,
    paths: Vec<Paths>,
    /// How many messages, each cell's tightest and each of the timeline's own, bound each clock.
    pub(crate) messages: Vec<u64>,
    /// Clocks whose evidence contradicts itself: nothing is claimed of them.
    pub(crate) contradictory: Vec<bool>,
}

impl Offsets {
    /// What these messages prove for the readings of the clocks. `declared`: how far a clock is ahead of another at
    /// any time, as somebody says.
    pub(crate) fn of(
        clocks: &Clocks,
        mut messages: Vec<Between>,
        declared: &[(ClockNumber, ClockNumber, Bounds)],
    ) -> Offsets {
        messages.sort_unstable();
        messages.dedup();
        let len = clocks.list.len();
        let mut pairs: BTreeMap<(ClockNumber, ClockNumber), Pair> = BTreeMap::new();
        let drift = clocks.drift;
        let mut offsets = Offsets {
            len,
            drift,
            pairs: BTreeMap::new(),
            sent_to: vec![Vec::new(); len],
            heard_from: vec![Vec::new(); len],
            paths: Vec::new(),
            messages: vec![0; len],
            contradictory: vec![false; len],
        };
        for pair in messages.chunk_by(|a, b| (a.from, a.to) == (b.from, b.to)) {
            offsets.messages[pair[0].from] += pair.len() as u64;
            offsets.messages[pair[0].to] += pair.len() as u64;
            let ahead = envelope(pair.iter().map(|m| (m.sent, m.most_ahead())).collect(), drift);
            let behind = envelope(pair.iter().map(|m| (m.received, m.most_ahead())).collect(), drift);
            pairs.insert((pair[0].from, pair[0].to), Pair { drift, ahead, behind, always: None });
        }
        for (reference, clock, bounds) in declared {
            let silent = || Pair { drift, ..Pair::default() };
            pairs.entry((*reference, *clock)).or_insert_with(silent).always = bounds.high;
            pairs.entry((*clock, *reference)).or_insert_with(silent).always =
                bounds.low.map(i64::saturating_neg);
        }
        for ((from, to), pair) in pairs {
            let pair = Arc::new(pair);
            offsets.sent_to[from].push((to, pair.clone()));
            offsets.heard_from[to].push((from, pair.clone()));
            offsets.pairs.insert((from, to), pair);
        }
        offsets.find_paths(clocks);
        offsets
    }

    /// `other` minus `clock` when `clock` reads `x`.
    pub(crate) fn bounds(&self, clock: ClockNumber, x: i64, other: ClockNumber) -> Bounds {
        if clock == other {
            return Bounds::ZERO;
        }
        if self.contradictory[clock] || self.contradictory[other] {
            return Bounds::default();
        }
        let paths = &self.paths[clock];
        let next = paths.points.partition_point(|point| *point <= x);
        let (mut low, mut high) = (i64::MIN, i64::MAX);
        for point in next.saturating_sub(1)..(next + 1).min(paths.points.len()) {
            let drift = self.drift.within(x.saturating_sub(paths.points[point]));
            let at = point * self.len + other;
            high = high.min(paths.high[at].saturating_add(drift));
            if paths.low[at] != i64::MIN {
                low = low.max(paths.low[at].saturating_sub(drift));
            }
        }
        Bounds { low: (low != i64::MIN).then_some(low), high: (high != i64::MAX).then_some(high) }
    }

    /// The same without the rounding of points: for a single question.
    pub(crate) fn bounds_exactly(&self, clock: ClockNumber, x: i64, other: ClockNumber) -> Bounds {
        if clock == other {
            return Bounds::ZERO;
        }
        if self.contradictory[clock] || self.contradictory[other] {
            return Bounds::default();
        }
        let (low, high) = (self.search(clock, x, false)[other], self.search(clock, x, true)[other]);
        let from_points = self.bounds(clock, x, other);
        let low = (low != i64::MIN).then(|| low.saturating_sub(x));
        let high = (high != i64::MAX).then(|| high.saturating_sub(x));
        Bounds { low: low.max(from_points.low), high: high.into_iter().chain(from_points.high).min() }
    }

    fn find_paths(&mut self, clocks: &Clocks) {
        let reading = clocks.list.iter().filter(|clock| !clock.readings.is_empty()).count().max(1);
        let points_max = (EFFORT / (reading * self.pairs.len().max(1))).max(POINTS_MIN);
        let paths = clocks.list.iter().enumerate().map(|(number, clock)| {
            let points = points(self.times_of(number, clock), points_max);
            let mut paths = Paths { points, high: Vec::new(), low: Vec::new() };
            for x in &paths.points {
                let ahead = |reading: &i64, none: i64| {
                    if *reading == none { none } else { reading.saturating_sub(*x) }
                };
                paths.high.extend(self.search(number, *x, true).iter().map(|y| ahead(y, i64::MAX)));
                paths.low.extend(self.search(number, *x, false).iter().map(|y| ahead(y, i64::MIN)));
            }
            paths.pass_on(self.len, self.drift);
            paths
        });
        self.paths = paths.collect();
        self.refine();
    }

    /// Once more through a third clock, by what is known at the points nearest to it: a path's messages may have been long
    /// before and long after.
    fn refine(&mut self) {
        let mut refined: Vec<(Vec<i64>, Vec<i64>)> = Vec::new();
        for paths in &self.paths {
            let (mut high, mut low) = (paths.high.clone(), paths.low.clone());
            for (point, x) in paths.points.iter().enumerate() {
                let row = point * self.len..(point + 1) * self.len;
                for (third, (ahead, behind)) in
                    paths.high[row.clone()].iter().zip(&paths.low[row.clone()]).enumerate()
                {
                    if self.paths[third].points.is_empty() {
                        continue;
                    }
                    for other in 0..self.len {
                        let at = row.start + other;
                        if *ahead != i64::MAX
                            && let Some(further) = self.bounds(third, x.saturating_add(*ahead), other).high
                        {
                            high[at] = high[at].min(ahead.saturating_add(further));
                        }
                        if *behind != i64::MIN
                            && let Some(further) = self.bounds(third, x.saturating_add(*behind), other).low
                        {
                            low[at] = low[at].max(behind.saturating_add(further));
                        }
                    }
                }
            }
            refined.push((high, low));
        }
        for (paths, (high, low)) in self.paths.iter_mut().zip(refined) {
            (paths.high, paths.low) = (high, low);
            paths.pass_on(self.len, self.drift);
        }
    }

    /// When the clock is asked about: at its readings; and when most is known of it: at its messages. Sorted.
    fn times_of(&self, number: ClockNumber, clock: &Clock) -> Vec<i64> {
        if clock.readings.is_empty() {
            return Vec::new();
        }
        let time = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
        let mut times: Vec<i64> = clock.readings.iter().map(|reading| time(reading.lower)).collect();
        let sent = self.sent_to[number].iter().flat_map(|(_, pair)| &pair.ahead);
        let heard = self.heard_from[number].iter().flat_map(|(_, pair)| &pair.behind);
        times.extend(sent.chain(heard).map(|(at, _)| *at));
        times.sort_unstable();
        times
    }

    /// What every clock reads at most (or at least) when `clock` reads `x`; `i64::MAX` (or `MIN`) where nothing says.
    fn search(&self, clock: ClockNumber, x: i64, at_most: bool) -> Vec<i64> {
        let none = if at_most { i64::MAX } else { i64::MIN };
        let mut known = vec![none; self.len];
        let mut waiting = vec![false; self.len];
        let mut queue = VecDeque::from([clock]);
        known[clock] = x;
        let mut steps = 0;
        while let Some(from) = queue.pop_front() {
            waiting[from] = false;
            let next = if at_most { &self.sent_to[from] } else { &self.heard_from[from] };
            for (to, pair) in next.iter().filter(|(to, _)| !self.contradictory[*to]) {
                let to = *to;
                let reading = if at_most { pair.latest(known[from]) } else { pair.earliest(known[from]) };
                let better = if at_most { reading < known[to] } else { reading > known[to] };
                if better && reading != none {
                    known[to] = reading;
                    if !std::mem::replace(&mut waiting[to], true) {
                        queue.push_back(to);
                    }
                }
            }
            // Contradictory evidence runs in a circle for ever: `contradictions` sees that it came back. Whatever was
            // found until then holds if its messages do.
            let came_back = if at_most { known[clock] < x } else { known[clock] > x };
            steps += 1;
            if came_back || steps > STEPS_PER_CLOCK_MAX * self.len {
                break;
            }
        }
        known
    }

    /// The clocks that messages prove to be ahead of themselves.
    pub(crate) fn contradictions(&self) -> Vec<ClockNumber> {
        let ahead_of_itself = |clock: &ClockNumber| {
            let paths = &self.paths[*clock];
            (0..paths.points.len()).any(|point| {
                let at = point * self.len + clock;
                paths.high[at] < 0 || paths.low[at] > 0
            })
        };
        (0..self.len).filter(ahead_of_itself).collect()
    }

    /// How fast `clock` gains on `reference`, in parts per million, where their own messages bound that closely: the
    /// middle of the slopes that separate the upper bounds from the lower ones.
    pub(crate) fn drift_ppm(&self, reference: ClockNumber, clock: ClockNumber) -> Option<f64> {
        let thinned = |bounds: &[(i64, i64)], sign: i64| -> Vec<(i64, i64)> {
            let stride = bounds.len().div_ceil(DRIFT_POINTS_MAX).max(1);
            bounds.iter().step_by(stride).map(|(at, most)| (*at, sign * most)).collect()
        };
        let above = thinned(&self.pairs.get(&(reference, clock))?.ahead, 1);
        let below = thinned(&self.pairs.get(&(clock, reference))?.behind, -1);
        let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
        for (upper_at, upper) in &above {
            for (lower_at, lower) in &below {
                let (time, rise) = ((upper_at - lower_at) as f64, (upper - lower) as f64);
                if time > 0.0 {
                    most = most.min(rise / time);
                } else if time < 0.0 {
                    least = least.max(rise / time);
                }
            }
        }
        let close = most - least <= DRIFT_WIDTH_MAX && least <= most;
        // Two decimals: a hundredth of a part in a million is all that anybody reads.
        close.then(|| ((least + most) / 2.0 * 1e8).round() / 1e2)
    }
}

/// So many bounds of a side are compared for the drift.
const DRIFT_POINTS_MAX: usize = 256;

/// A drift is given where it is known to ±50 ppm: half of what is allowed for anyhow.
const DRIFT_WIDTH_MAX: f64 = 100e-6;

/// Some of these times, so that each lies between two of them, or next to one.
fn points(times: Vec<i64>, most: usize) -> Vec<i64> {
    let Some((first, last)) = times.first().copied().zip(times.last().copied()) else { return times };
    let step = STEP_NS.max(last.saturating_sub(first) / most as i64 + 1);
    let mut points = vec![first];
    for x in times {
        if points.last().is_some_and(|point| x - point >= step) {
            points.push(x);
        }
    }
    if points.last() != Some(&last) {
        points.push(last);
    }
    points
}
