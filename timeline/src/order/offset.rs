//! Offsets: how far one clock can be ahead of another, proven by messages.
//!
//! A message sent when clock A read `s` and received when clock B read `r` proves that, at the sending, B read
//! at most `r`: B was at most `r − s` ahead of A. A message back bounds the other side. Both are widened by the
//! stamps' resolution, and by drift for the time between the message and the events that the bound is used for.
//! Bounds through a third clock need that clock bounded on both sides: else nobody knows how long its drift ran.
//!
//! These are difference constraints, relaxed as Bellman and Ford do, from each clock's own events outwards.

use super::clock::{ClockNumber, Clocks};
use super::edge::Cause;
use super::moment::Moments;

/// Two clocks within ±100 ppm of true time drift apart by at most one part in this many (1.0001 / 0.9999).
const DRIFT_ONE_IN: i128 = 4_990;

/// So many of a pair's tightest messages are kept: the others hardly tighten anything.
const MESSAGES_KEPT: usize = 64;

/// With more clocks than this in one timeline no offsets are computed.
const CLOCKS_MAX: usize = 64;

/// Bounds are passed on over so many clocks at most.
const ROUNDS_MAX: usize = 8;

/// What bounds one clock's reading minus another's; an open side is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// At least this, in nanoseconds.
    pub(crate) low: Option<i128>,
    /// At most this, in nanoseconds.
    pub(crate) high: Option<i128>,
}

impl Bounds {
    /// The middle of a closed interval; of a half-open or open one what is nearest to none: a clock is right
    /// unless it is proved wrong.
    pub(crate) fn middle(self) -> i128 {
        match (self.low, self.high) {
            (Some(low), Some(high)) => low + (high - low) / 2,
            (Some(low), None) => low.max(0),
            (None, Some(high)) => high.min(0),
            (None, None) => 0,
        }
    }

    /// Half the width of a closed interval, rounded up.
    pub(crate) fn error(self) -> Option<u64> {
        let width = self.high? - self.low?;
        u64::try_from((width + 1) / 2).ok()
    }
}

/// What is proven of every pair of clocks, for the events of one timeline.
pub(crate) struct Offsets {
    len: usize,
    /// By clock A, then B: B minus A at A's events.
    bounds: Vec<Bounds>,
    /// How many messages each clock sent to or received from others.
    pub(crate) messages: Vec<u64>,
    /// Clocks whose evidence contradicts itself: nothing is claimed of them.
    pub(crate) contradictory: Vec<bool>,
}

/// A message between two clocks, with what they could have read at its ends.
#[derive(Clone, Copy, Debug)]
struct Message {
    from: ClockNumber,
    to: ClockNumber,
    sent: [i128; 2],
    received: [i128; 2],
}

impl Message {
    /// The receiver's clock was at most so far ahead.
    fn most_ahead(&self) -> i128 {
        self.received[1] - self.sent[0]
    }
}

impl Offsets {
    /// What the causes between the clocks prove.
    pub(crate) fn of(clocks: &Clocks, moments: &Moments, causes: &[Cause]) -> Offsets {
        let len = clocks.list.len();
        let messages = messages(clocks, moments, causes);
        let mut offsets = Offsets {
            len,
            bounds: vec![Bounds::default(); len * len],
            messages: vec![0; len],
            contradictory: vec![false; len],
        };
        for message in &messages {
            offsets.messages[message.from] += 1;
            offsets.messages[message.to] += 1;
        }
        if len <= CLOCKS_MAX {
            let tightest = tightest(messages);
            (0..len).for_each(|clock| offsets.relax(clock, clocks, &tightest));
            offsets.find_contradictions();
        }
        offsets
    }

    /// `other` minus `clock` at the events of `clock`.
    pub(crate) fn bounds(&self, clock: ClockNumber, other: ClockNumber) -> Bounds {
        if clock == other {
            return Bounds { low: Some(0), high: Some(0) };
        }
        let usable = !self.contradictory[clock] && !self.contradictory[other];
        if usable { self.bounds[clock * self.len + other] } else { Bounds::default() }
    }

    /// Finds the bounds of all clocks at the events of `clock`.
    fn relax(&mut self, clock: ClockNumber, clocks: &Clocks, messages: &[Message]) {
        let Some(own) = clocks.list.get(clock).and_then(|clock| range(clock.readings.iter())) else { return };
        let mut known = vec![Bounds::default(); self.len];
        known[clock] = Bounds { low: Some(0), high: Some(0) };
        for _ in 0..ROUNDS_MAX {
            let before = known.clone();
            messages.iter().for_each(|message| pass_on(&mut known, own, message));
            if known == before {
                break;
            }
        }
        self.bounds[clock * self.len..(clock + 1) * self.len].copy_from_slice(&known);
    }

    fn find_contradictions(&mut self) {
        for at in 0..self.bounds.len() {
            if let Bounds { low: Some(low), high: Some(high) } = self.bounds[at]
                && low > high
            {
                self.contradictory[at / self.len] = true;
                self.contradictory[at % self.len] = true;
            }
        }
    }
}

/// What one message adds to what is known of its two clocks, at the events of a clock that read `own`.
fn pass_on(known: &mut [Bounds], own: [i128; 2], message: &Message) {
    let most = message.most_ahead();
    if let Bounds { low: Some(low), high: Some(high) } = known[message.from] {
        let drift = drift([own[0] + low, own[1] + high], message.sent);
        let slot = &mut known[message.to].high;
        *slot = Some(slot.map_or(high + most + drift, |old| old.min(high + most + drift)));
    }
    if let Bounds { low: Some(low), high: Some(high) } = known[message.to] {
        let drift = drift([own[0] + low, own[1] + high], message.received);
        let slot = &mut known[message.from].low;
        *slot = Some(slot.map_or(low - most - drift, |old| old.max(low - most - drift)));
    }
}

/// By how much two clocks can drift apart between any reading in `range` and one in `at`.
fn drift(range: [i128; 2], at: [i128; 2]) -> i128 {
    let apart = (range[1] - at[0]).abs().max((at[1] - range[0]).abs());
    apart / DRIFT_ONE_IN + 1
}

fn range<'a>(readings: impl Iterator<Item = &'a super::clock::Reading> + Clone) -> Option<[i128; 2]> {
    let first = readings.clone().map(|reading| reading.lower).min()?;
    let last = readings.map(|reading| reading.upper).max()?;
    Some([i128::from(first), i128::from(last)])
}

/// The causes that lead from one clock to another.
fn messages(clocks: &Clocks, moments: &Moments, causes: &[Cause]) -> Vec<Message> {
    let ends = |lower: u64, upper: u64| [i128::from(lower), i128::from(upper) - 1];
    let message = |cause: &Cause| {
        let (from, sent) = clocks.reading(moments, cause.from)?;
        let (to, received) = clocks.reading(moments, cause.to)?;
        (from != to).then(|| Message {
            from,
            to,
            sent: ends(sent.lower, sent.upper),
            received: ends(received.lower, received.upper),
        })
    };
    causes.iter().filter_map(message).collect()
}

/// The messages of each pair of clocks that bound it most.
fn tightest(mut messages: Vec<Message>) -> Vec<Message> {
    messages.sort_by_key(|m| (m.from, m.to, m.most_ahead(), m.sent, m.received));
    let pairs = messages.chunk_by(|a, b| (a.from, a.to) == (b.from, b.to));
    pairs.flat_map(|pair| pair.iter().take(MESSAGES_KEPT)).copied().collect()
}
