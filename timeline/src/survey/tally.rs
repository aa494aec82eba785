//! How many, and from when to when.

use super::sample::Merge;
use crate::time::Time;

/// How many records, and the earliest and latest of their times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many.
    pub(crate) records: u64,
    /// The earliest set time.
    pub(crate) first: Option<Time>,
    /// The latest set time.
    pub(crate) last: Option<Time>,
}

impl Tally {
    /// Counts one more of this time; an unset time is counted and moves no end.
    pub(crate) fn note(&mut self, time: Time) {
        let time = time.is_set().then_some(time);
        self.merge(Tally { records: 1, first: time, last: time });
    }
}

impl Merge for Tally {
    fn merge(&mut self, other: Tally) {
        self.records += other.records;
        self.first = match (self.first, other.first) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        self.last = self.last.max(other.last);
    }
}
