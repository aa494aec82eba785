//! Epochs: where a clock was set, found by its messages.
//!
//! The round trips of a pair of clocks, sorted by when one of them read what, bound their offset from both sides; drift
//! allowed for, a new bound never contradicts the old ones unless a clock was set in between. Going forward, the first
//! message that does shows the latest moment by which the clock had been set; going back from the end, the first that
//! contradicts the new offset shows the earliest. In between nobody knows, and nothing is claimed.
//!
//! Which of the two clocks it was: that which fell out with more others. If that does not tell, both are parted there.
//!
//! An event belongs to an epoch if no other epoch's offset puts it where it could have been: into that epoch's time, and
//! between what causes put before it and after it. Else its epoch is unknown and its clock claims nothing of it.

use std::collections::BTreeMap;

use super::Skew;
use super::clock::{ClockNumber, Clocks, JITTER_NS_MAX};
use super::graph::Graph;
use super::message::{Between, End, Message};
use super::moment::{Index, Moments};
use crate::clocks::Drift;

/// A stretch of another clock's time.
pub(crate) type Stretch = (i64, i64);

/// A clock that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parted {
    /// Which.
    pub(crate) clock: ClockNumber,
    /// The clock whose time the stretches are in.
    pub(crate) axis: ClockNumber,
    /// It was set once within each: ascending.
    pub(crate) set: Vec<Stretch>,
}

/// After so many clocks were parted, the rest of the contradictions is left to be given up.
const PARTED_MAX: usize = 16;

/// A clock that falls out with another so often was not set each time.
const RESTLESS_MIN: usize = 3;

/// A pair of clocks whose messages contradict each other.
struct Broken {
    pair: (ClockNumber, ClockNumber),
    /// The breaks in either clock's time; `None` on an axis that can't tell.
    by: [Option<Vec<Stretch>>; 2],
}

/// A bound of the offset of one clock to that whose time it is sorted by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    /// The other clock was read then or later.
    at: i64,
    /// It was read then or earlier.
    until: i64,
    /// The other clock is ahead by this at least (`lower`) or at most.
    ahead: i64,
    lower: bool,
}

/// What clocks said to each other, and where they contradict each other.
pub(crate) struct Talks {
    pairs: Pairs,
    broken: Vec<Broken>,
}

impl Talks {
    pub(crate) fn of(clocks: &Clocks, messages: &[Message]) -> Talks {
        let pairs = by_pair(clocks, messages);
        Talks { broken: broken(&pairs, clocks.drift), pairs }
    }
}

/// Parts clocks that were set into epochs, and says which. Small contradictions make their clocks' stamps
/// coarser instead.
pub(crate) fn part(
    clocks: &mut Clocks,
    moments: &Moments,
    causal: &Graph,
    messages: &mut [Message],
    mut talks: Talks,
) -> Vec<Skew> {
    let mut skews = Vec::new();
    loop {
        if soften(clocks, &talks.pairs) {
            talks = Talks::of(clocks, messages);
        }
        let blamed = blamed(&talks.broken);
        if blamed.is_empty() || skews.len() >= PARTED_MAX {
            return skews;
        }
        let epochs: Vec<Epochs> = blamed.iter().map(|one| Epochs::of(one, clocks, messages)).collect();
        epochs.iter().for_each(|epochs| epochs.assign(clocks, moments, causal, messages));
        let of_clocks = blamed.iter().map(|one| one.clock).collect();
        skews.push(Skew::Set { clocks: of_clocks, by: epochs.first().and_then(Epochs::first_step) });
        talks = Talks::of(clocks, messages);
    }
}

/// The clocks that contradict others again and again: more often than one is set, so that they are rather several clocks
/// taken for one.
pub(crate) fn restless(talks: &Talks) -> Vec<ClockNumber> {
    let mut suspects: Vec<ClockNumber> = Vec::new();
    for one in &talks.broken {
        let often = |by: &Option<Vec<Stretch>>| by.as_ref().is_none_or(|set| set.len() >= RESTLESS_MIN);
        if often(&one.by[0]) && often(&one.by[1]) {
            suspects.extend([one.pair.0, one.pair.1]);
        }
    }
    suspects.sort_unstable();
    suspects.dedup();
    suspects
}

/// Whether messages of any of these clocks contradict each other.
pub(crate) fn contradicted(clocks: &Clocks, messages: &[Message], of: impl Fn(ClockNumber) -> bool) -> bool {
    Talks::of(clocks, messages).broken.iter().any(|broken| of(broken.pair.0) || of(broken.pair.1))
}

/// The messages of each pair of clocks, the smaller number first; sorted by who sent, then when.
type Pairs = BTreeMap<(ClockNumber, ClockNumber), Vec<Between>>;

fn by_pair(clocks: &Clocks, messages: &[Message]) -> Pairs {
    let mut pairs = Pairs::new();
    for message in messages.iter().filter_map(|message| message.between(clocks)) {
        let pair = (message.from.min(message.to), message.from.max(message.to));
        pairs.entry(pair).or_default().push(message);
    }
    pairs.retain(|(first, _), list| {
        list.sort_unstable();
        list.dedup();
        let forth = list.iter().filter(|message| message.from == *first).count();
        forth > 0 && forth < list.len()
    });
    pairs
}

/// The bounds that round trips prove, in the time of `axis`, sorted. A message alone does not tell when its other end was:
/// sent before a clock is set and received after, it bounds the new offset. But a moment of one clock that heard from the
/// other, and that the other then heard of, lies between the two.
fn bounds(messages: &[Between], axis: ClockNumber) -> Vec<Bound> {
    let mut bounds = Vec::new();
    for there in messages {
        let sent = |message: &&Between| (message.from, message.sent) == (there.to, there.stamp);
        let begin =
            messages.partition_point(|message| (message.from, message.sent) < (there.to, there.stamp));
        let back = messages[begin..].iter().take_while(sent).map(|message| message.received);
        let Some(back) = back.filter(|back| there.sent <= *back).min() else { continue };
        let coarse = there.received - there.stamp;
        let (out, home, turn) = (there.sent, back, there.stamp);
        let (at, until, low, high) = if there.from == axis {
            (out, home, turn - home, turn + coarse - out)
        } else {
            (turn, turn + coarse, out - turn - coarse, home - turn)
        };
        bounds.push(Bound { at, until, ahead: low, lower: true });
        bounds.push(Bound { at, until, ahead: high, lower: false });
    }
    bounds.sort_unstable();
    bounds.dedup();
    bounds
}

/// The bounds of all messages in the time of `axis`, each where that clock was read.
fn all_bounds(messages: &[Between], axis: ClockNumber) -> Vec<Bound> {
    let bound = |message: &Between| {
        let lower = message.to == axis;
        let ahead = if lower { -message.most_ahead() } else { message.most_ahead() };
        let at = if lower { message.received } else { message.sent };
        Bound { at, until: at, ahead, lower }
    };
    let mut bounds: Vec<Bound> = messages.iter().map(bound).collect();
    bounds.sort_unstable();
    bounds
}

/// The offset as the bounds so far have it.
#[derive(Clone, Copy, Default)]
struct Interval {
    drift: Drift,
    low: Option<(i64, i64)>,
    high: Option<(i64, i64)>,
}

impl Interval {
    fn low_at(&self, at: i64) -> Option<i64> {
        self.low.map(|(since, ahead)| ahead - self.drift.within(at - since))
    }

    fn high_at(&self, at: i64) -> Option<i64> {
        self.high.map(|(since, ahead)| ahead + self.drift.within(at - since))
    }

    /// By how much the bound contradicts it.
    fn contradiction(&self, bound: &Bound) -> i64 {
        let beyond = if bound.lower {
            self.high_at(bound.at).map(|high| bound.ahead - high)
        } else {
            self.low_at(bound.at).map(|low| low - bound.ahead)
        };
        beyond.unwrap_or(0).max(0)
    }

    fn tighten(&mut self, bound: &Bound) {
        if bound.lower && self.low_at(bound.at).is_none_or(|low| low < bound.ahead) {
            self.low = Some((bound.at, bound.ahead));
        } else if !bound.lower && self.high_at(bound.at).is_none_or(|high| high > bound.ahead) {
            self.high = Some((bound.at, bound.ahead));
        }
    }
}

/// The places of the bounds that contradict those before them (since the last such place), in the order given.
fn breaks<'a>(bounds: impl Iterator<Item = (usize, &'a Bound)>, drift: Drift) -> Vec<usize> {
    let unknown = Interval { drift, ..Interval::default() };
    let mut interval = unknown;
    let mut places = Vec::new();
    for (place, bound) in bounds {
        if interval.contradiction(bound) > 0 {
            places.push(place);
            interval = unknown;
        }
        interval.tighten(bound);
    }
    places
}

/// The stretches in which one of the two clocks was set; empty where nothing contradicts.
fn stretches(bounds: &[Bound], drift: Drift) -> Option<Vec<Stretch>> {
    let forward = breaks(bounds.iter().enumerate(), drift);
    let mut back = breaks(bounds.iter().enumerate().rev(), drift);
    back.reverse();
    let pairs = forward.iter().zip(&back);
    let ordered = forward.len() == back.len() && pairs.clone().all(|(end, begin)| begin < end);
    ordered.then(|| pairs.map(|(end, begin)| (bounds[*begin].at, bounds[*end].until)).collect())
}

/// Contradictions as small as coarse stamps make: the stamps are coarser, then, than they look. Says whether any became so.
fn soften(clocks: &mut Clocks, pairs: &Pairs) -> bool {
    let mut softened = false;
    for ((first, second), list) in pairs {
        let bounds = all_bounds(list, *first);
        let mut interval = Interval { drift: clocks.drift, ..Interval::default() };
        let mut most = 0;
        for bound in &bounds {
            most = most.max(interval.contradiction(bound));
            interval.tighten(bound);
        }
        if let Ok(most) = u64::try_from(most)
            && (1..=JITTER_NS_MAX).contains(&most)
        {
            for number in [*first, *second] {
                let clock = &mut clocks.list[number];
                let jitter_ns = clock.jitter_ns.max(most + 1).min(2 * JITTER_NS_MAX);
                softened |= jitter_ns != clock.jitter_ns;
                clock.jitter_ns = jitter_ns;
            }
        }
    }
    softened
}

fn broken(pairs: &Pairs, drift: Drift) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (pair, list) in pairs {
        let by = [pair.0, pair.1].map(|axis| stretches(&bounds(list, axis), drift));
        if by.iter().any(|stretches| stretches.as_ref().is_none_or(|stretches| !stretches.is_empty())) {
            broken.push(Broken { pair: *pair, by });
        }
    }
    broken
}

/// The clocks to part next, and where.
fn blamed(broken: &[Broken]) -> Vec<Parted> {
    let mut score: BTreeMap<ClockNumber, usize> = BTreeMap::new();
    for one in broken {
        *score.entry(one.pair.0).or_default() += 1;
        *score.entry(one.pair.1).or_default() += 1;
    }
    let Some(most) = score.values().copied().max() else { return Vec::new() };
    let worst: Vec<ClockNumber> =
        score.iter().filter(|(_, count)| **count == most).map(|(clock, _)| *clock).collect();
    let part = |clock: ClockNumber| -> Option<Parted> {
        // In the time of the partner that tells most closely when.
        let candidates = broken.iter().filter(|one| one.pair.0 == clock || one.pair.1 == clock);
        let in_partners_time = candidates.filter_map(|one| {
            let (axis, by) =
                if one.pair.0 == clock { (one.pair.1, &one.by[1]) } else { (one.pair.0, &one.by[0]) };
            let set = by.clone().filter(|set| !set.is_empty())?;
            let width: i64 = set.iter().map(|(begin, end)| end.saturating_sub(*begin)).sum();
            Some((set.len(), width, Parted { clock, axis, set }))
        });
        in_partners_time.min_by_key(|(count, width, parted)| (*count, *width, parted.axis)).map(|(.., p)| p)
    };
    match worst.as_slice() {
        [one] => part(*one).into_iter().collect(),
        several => {
            // Of a pair that fell out with nobody else: a clock that was set back reads its own time twice, so that its
            // own time shows more breaks than there were.
            let mut parted: Vec<Parted> = several.iter().filter_map(|clock| part(*clock)).collect();
            let fewest = parted.iter().map(|parted| parted.set.len()).min().unwrap_or_default();
            parted.retain(|parted| parted.set.len() == fewest);
            parted
        }
    }
}

/// The epochs of one clock, told by another's time.
struct Epochs {
    parted: Parted,
    numbers: Vec<ClockNumber>,
    /// By epoch.
    ahead: Vec<Ahead>,
}

/// How far a clock is ahead of the axis in one epoch, by its tightest messages.
struct Ahead {
    drift: Drift,
    low: i64,
    high: i64,
    /// When its messages were, in the axis's time.
    first: i64,
    last: i64,
}

impl Ahead {
    /// What the axis read when the clock read `x`.
    fn on_axis(&self, x: i64) -> Span {
        let (early, late) = (x.saturating_sub(self.high), x.saturating_sub(self.low));
        // Since the message that says most it may have drifted: over all of them, and beyond them.
        let beyond = early.saturating_sub(self.last).max(self.first.saturating_sub(late)).max(0);
        let drift = |ns| self.drift.within(ns);
        let slack = drift(self.last.saturating_sub(self.first)).saturating_add(2 * drift(beyond));
        (early.saturating_sub(slack), late.saturating_add(slack))
    }
}

/// What is known of when something happened, in the axis's time.
type Span = (i64, i64);

const ANY: Span = (i64::MIN, i64::MAX);

impl Epochs {
    /// Makes a clock of every epoch; the first keeps the clock's number.
    fn of(parted: &Parted, clocks: &mut Clocks, messages: &[Message]) -> Epochs {
        let mut epochs = Epochs { parted: parted.clone(), numbers: Vec::new(), ahead: Vec::new() };
        let own = by_pair(clocks, messages);
        let pair = (parted.clock.min(parted.axis), parted.clock.max(parted.axis));
        let all = own.get(&pair).map(|list| bounds(list, parted.axis)).unwrap_or_default();
        for epoch in 0..=parted.set.len() {
            let (begin, end) = epochs.certain(epoch);
            let inside = all.iter().filter(|bound| begin <= bound.at && bound.until <= end);
            let low = inside.clone().filter(|bound| bound.lower).map(|bound| bound.ahead).max();
            let high = inside.clone().filter(|bound| !bound.lower).map(|bound| bound.ahead).min();
            epochs.ahead.push(Ahead {
                drift: clocks.drift,
                low: low.unwrap_or(i64::MIN),
                high: high.unwrap_or(i64::MAX),
                first: inside.clone().next().map_or(begin, |bound| bound.at),
                last: inside.clone().next_back().map_or(end, |bound| bound.at),
            });
        }
        epochs.numbers = clocks.part(parted.clock, parted.set.len() + 1);
        for (epoch, number) in epochs.numbers.iter().enumerate() {
            let (begin, end) = epochs.certain(epoch);
            let clock = &mut clocks.list[*number];
            clock.since = (begin != i64::MIN).then_some((parted.axis, begin)).or(clock.since);
            clock.until = (end != i64::MAX).then_some((parted.axis, end)).or(clock.until);
        }
        epochs
    }

    /// By how much the clock was set the first time, as well as its messages tell.
    fn first_step(&self) -> Option<i64> {
        let middle = |ahead: &Ahead| {
            let closed = ahead.low != i64::MIN && ahead.high != i64::MAX;
            closed.then(|| ahead.low + (ahead.high - ahead.low) / 2)
        };
        Some(middle(self.ahead.get(1)?)? - middle(self.ahead.first()?)?)
    }

    /// The stretch of the axis in which the clock was surely in this epoch.
    fn certain(&self, epoch: usize) -> Span {
        let set = &self.parted.set;
        let begin = epoch.checked_sub(1).and_then(|at| set.get(at)).map_or(i64::MIN, |stretch| stretch.1);
        (begin, set.get(epoch).map_or(i64::MAX, |stretch| stretch.0))
    }

    /// The same with the stretches in which it may have been.
    fn possible(&self, epoch: usize) -> Span {
        let set = &self.parted.set;
        let begin = epoch.checked_sub(1).and_then(|at| set.get(at)).map_or(i64::MIN, |stretch| stretch.0);
        (begin, set.get(epoch).map_or(i64::MAX, |stretch| stretch.1))
    }

    /// The epoch in which the clock read `x`, given when that was at all; `None` where that is not certain.
    fn epoch_of(&self, x: i64, when: Span) -> Option<usize> {
        let overlap = |a: Span, b: Span| a.0 <= b.1 && b.0 <= a.1;
        let mut possible = (0..self.ahead.len()).filter_map(|epoch| {
            let by_clock = self.ahead[epoch].on_axis(x);
            let both = (by_clock.0.max(when.0), by_clock.1.min(when.1));
            (overlap(by_clock, when) && overlap(both, self.possible(epoch))).then_some((epoch, both))
        });
        let (epoch, both) = possible.next()?;
        let certain = self.certain(epoch);
        (possible.next().is_none() && certain.0 <= both.0 && both.1 <= certain.1).then_some(epoch)
    }

    /// Gives every moment and every stamp of the clock its epoch.
    fn assign(&self, clocks: &mut Clocks, moments: &Moments, causal: &Graph, messages: &mut [Message]) {
        let when = self.when(clocks, moments, causal);
        for (index, when) in when.iter().enumerate() {
            if clocks.of_moment[index] == Some(self.parted.clock) {
                let x = i64::try_from(moments.list[index].time.0).unwrap_or(i64::MAX);
                clocks.of_moment[index] = self.epoch_of(x, *when).map(|epoch| self.numbers[epoch]);
            }
        }
        for message in messages {
            let axis = clocks.list[self.parted.axis].first;
            let on_axis = |end: End| end.clock(clocks).is_some_and(|clock| clocks.list[clock].first == axis);
            let (after, before) = (on_axis(message.from), on_axis(message.to));
            let coarse = message.resolution.max(JITTER_NS_MAX as i64);
            let sent_by = if before { message.received.saturating_add(coarse) } else { i64::MAX };
            let received_from = if after { message.sent } else { i64::MIN };
            self.assign_end(clocks, &mut message.from, message.sent, (i64::MIN, sent_by));
            self.assign_end(clocks, &mut message.to, message.received, (received_from, i64::MAX));
        }
        clocks.read(moments);
    }

    fn assign_end(&self, clocks: &Clocks, end: &mut End, stamp: i64, when: Span) {
        if matches!(end, End::Stamp(_) | End::Epoch(_)) && end.clock(clocks) == Some(self.parted.clock) {
            let epoch = self.epoch_of(stamp, when).map(|epoch| self.numbers[epoch]);
            *end = epoch.map_or(End::Doubtful, End::Epoch);
        }
    }

    /// Between what readings of the axis causes put each moment.
    fn when(&self, clocks: &Clocks, moments: &Moments, causal: &Graph) -> Vec<Span> {
        let mut when = vec![ANY; moments.len()];
        for index in 0..moments.len() as Index {
            if let Some((number, reading)) = clocks.reading(moments, index)
                && clocks.list[number].first == clocks.list[self.parted.axis].first
            {
                let ns = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
                when[index as usize] = (ns(reading.lower), ns(reading.upper));
            }
        }
        let order = causal.topological();
        for node in order {
            let after = when[*node as usize].0;
            causal.successors(*node).iter().for_each(|to| {
                let slot = &mut when[*to as usize].0;
                *slot = (*slot).max(after);
            });
        }
        for node in order.iter().rev() {
            let before = causal.successors(*node).iter().map(|to| when[*to as usize].1).min();
            let slot = &mut when[*node as usize].1;
            *slot = before.map_or(*slot, |before| before.min(*slot));
        }
        when
    }
}
