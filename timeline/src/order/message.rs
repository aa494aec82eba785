//! The messages between clocks: those of the timeline's own causes, and those that the evidence kept.

use std::collections::HashMap;

use super::clock::{ClockNumber, Clocks};
use super::edge::Cause;
use super::moment::{Index, Moments};
use crate::clocks::{ClockEvidence, ProcessId};

/// One end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// A moment of the timeline.
    Moment(Index),
    /// A stamp that the evidence kept, of the reader with this number.
    Stamp(usize),
    /// A stamp that the evidence kept, of one epoch of a clock that was set.
    Epoch(ClockNumber),
    /// A stamp of a clock that was set, and nobody knows on which side of that.
    Doubtful,
}

impl End {
    /// The clock, and its epoch, that this end was read off.
    pub(crate) fn clock(self, clocks: &Clocks) -> Option<ClockNumber> {
        match self {
            End::Moment(index) => clocks.of_moment[index as usize],
            End::Stamp(reader) => Some(clocks.of_reader[reader]),
            End::Epoch(clock) => Some(clock),
            End::Doubtful => None,
        }
    }
}

/// A message: its sending is before its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    pub(crate) from: End,
    pub(crate) to: End,
    /// The sender's stamp, in nanoseconds.
    pub(crate) sent: i64,
    /// The receiver's stamp.
    pub(crate) received: i64,
    /// How coarse the receiver's stamp is.
    pub(crate) resolution: i64,
}

/// A message as its two clocks have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Between {
    pub(crate) from: ClockNumber,
    pub(crate) to: ClockNumber,
    /// The sender's clock read this at least.
    pub(crate) sent: i64,
    /// The receiver's clock read this at most.
    pub(crate) received: i64,
    /// The receiver's stamp.
    pub(crate) stamp: i64,
}

impl Between {
    /// The receiver's clock was at most so far ahead.
    pub(crate) fn most_ahead(&self) -> i64 {
        self.received.saturating_sub(self.sent)
    }
}

impl Message {
    /// As its two clocks have it; `None` where one of them says nothing, or both are one.
    pub(crate) fn between(&self, clocks: &Clocks) -> Option<Between> {
        let (from, to) = (self.from.clock(clocks)?, self.to.clock(clocks)?);
        let trusted = |number: ClockNumber| clocks.list[number].trusted;
        let jitter = i64::try_from(clocks.list[to].jitter_ns).unwrap_or(i64::MAX);
        let coarse = self.resolution.max(jitter).max(1) - 1;
        (from != to && trusted(from) && trusted(to)).then(|| Between {
            from,
            to,
            sent: self.sent,
            received: self.received.saturating_add(coarse),
            stamp: self.received,
        })
    }
}

/// All messages between processes: of the timeline's causes, and of the evidence.
pub(crate) fn messages(moments: &Moments, causes: &[Cause], evidence: &ClockEvidence) -> Vec<Message> {
    let mut messages: Vec<Message> = causes.iter().filter_map(|cause| of_cause(moments, cause)).collect();
    let number: HashMap<ProcessId, usize> = evidence.readers().map(|(id, _)| id).zip(0..).collect();
    for (from, to, tightest) in evidence.messages() {
        if let (Some(sender), Some(receiver)) = (number.get(&from), number.get(&to))
            && let (Ok(sent), Ok(received)) =
                (i64::try_from(tightest.sent.0), i64::try_from(tightest.received().0))
        {
            let resolution = |of| evidence.reader(of).map_or(1, |reader| reader.span_quantum_ns) as i64;
            let [own, other] = [End::Stamp(*sender), End::Stamp(*receiver)];
            messages.push(Message { from: own, to: other, sent, received, resolution: resolution(to) });
            // The call that it answers: together they are a round trip.
            if let Ok(began) = i64::try_from(tightest.began.0)
                && tightest.began.is_set()
            {
                let resolution = resolution(from);
                messages.push(Message { from: other, to: own, sent: began, received: sent, resolution });
            }
        }
    }
    messages
}

fn of_cause(moments: &Moments, cause: &Cause) -> Option<Message> {
    let [from, to] = [cause.from, cause.to].map(|index| &moments.list[index as usize]);
    from.resolution?;
    let resolution = i64::try_from(to.resolution?).ok()?;
    let apart = from.process != to.process;
    apart.then_some(Message {
        from: End::Moment(cause.from),
        to: End::Moment(cause.to),
        sent: i64::try_from(from.time.0).ok()?,
        received: i64::try_from(to.time.0).ok()?,
        resolution,
    })
}

/// How far each clock is ahead of the collector's, at least, by the receipt of its records: zero unless they came
/// before they happened. No bound of any pair: the collector answers nobody.
pub(crate) fn ahead_of_collector(clocks: &Clocks, evidence: &ClockEvidence) -> Vec<i64> {
    let mut ahead = vec![0; clocks.list.len()];
    let number: HashMap<ProcessId, usize> = evidence.readers().map(|(id, _)| id).zip(0..).collect();
    for (from, to, tightest) in evidence.messages() {
        if to == ProcessId::COLLECTOR
            && let Some(reader) = number.get(&from)
        {
            let clock = clocks.of_reader[*reader];
            ahead[clock] = ahead[clock].max(tightest.difference_ns.saturating_neg());
        }
    }
    ahead
}
