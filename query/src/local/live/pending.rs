//! Which traces records arrived in, and when late ones are past.

use std::collections::HashMap;

use timeline::id::TraceId;
use timeline::record::Position;

use super::Identity;

/// What waits to be judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Stirred {
    /// All that a trace names.
    Trace(TraceId),
    /// An entity that a log line without a trace names.
    Entity(Identity),
}

/// Since when it waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// What was read before the first record of it that is not judged.
    since: Position,
    /// When its first record arrived that is not judged, on the collector's clock; `None` where arrivals are no evidence.
    first: Option<u64>,
    /// When its latest record arrived.
    last: Option<u64>,
}

/// What was taken out to be judged.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) what: Stirred,
    waiting: Waiting,
}

/// What waits to be judged.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: HashMap<Stirred, Waiting>,
}

impl Pending {
    /// A record arrived, at a position after `since`.
    pub(super) fn stir(&mut self, what: Stirred, since: Position, arrival: Option<u64>) {
        let waiting = self.waiting.entry(what).or_insert(Waiting { since, first: arrival, last: arrival });
        waiting.last = waiting.last.max(arrival);
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Puts back what was taken out and not judged.
    pub(super) fn put_back(&mut self, taken: Vec<Taken>) {
        for Taken { what, waiting } in taken {
            let later = self.waiting.insert(what.clone(), waiting);
            if let (Some(later), Some(own)) = (later, self.waiting.get_mut(&what)) {
                own.last = own.last.max(later.last);
            }
        }
    }

    /// Takes out at most `count` of those in which nothing arrived after `quiet_since`, the oldest first. Where arrivals are
    /// no evidence, those are past it once `import_ended`.
    pub(super) fn ready(&mut self, quiet_since: u64, import_ended: bool, count: usize) -> Vec<Taken> {
        let is_ready = |waiting: &Waiting| waiting.last.map_or(import_ended, |last| last <= quiet_since);
        self.take(count, is_ready)
    }

    /// Takes out the `count` that wait longest.
    pub(super) fn oldest(&mut self, count: usize) -> Vec<Taken> {
        self.take(count, |_| true)
    }

    fn take(&mut self, count: usize, is_wanted: impl Fn(&Waiting) -> bool) -> Vec<Taken> {
        let wanted = self.waiting.iter().filter(|(_, waiting)| is_wanted(waiting));
        let mut taken: Vec<(Position, Stirred)> =
            wanted.map(|(what, waiting)| (waiting.since, what.clone())).collect();
        if taken.len() > count {
            taken.select_nth_unstable(count);
            taken.truncate(count);
        }
        taken.sort_unstable();
        let take = |(_, what): (Position, Stirred)| {
            let waiting = self.waiting.remove(&what)?;
            Some(Taken { what, waiting })
        };
        taken.into_iter().filter_map(take).collect()
    }

    /// All before it is judged; `None` where nothing waits.
    pub(super) fn since(&self) -> Option<Position> {
        self.waiting.values().map(|waiting| waiting.since).min()
    }

    /// The arrival of the first record that is not judged, on the collector's clock; `None` where that is not known.
    pub(super) fn first_arrival(&self) -> Option<u64> {
        self.waiting.values().map(|waiting| waiting.first).min().flatten()
    }
}
