//! The order of a timeline's events, asked by their ids.

use std::collections::HashMap;

use super::relation::Relation;
use crate::document::Certainty;
use crate::held::Held;
use crate::id::EventId;
use crate::order::Order;
use crate::order::moment::{Index, Moments};
use crate::time::Time;

/// The order of a timeline's events, asked by their ids.
pub(crate) struct Listing<'a> {
    order: &'a Order,
    moments: &'a Moments,
    indexes: HashMap<EventId, Index>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(held: &Held, moments: &'a Moments, order: &'a Order) -> Listing<'a> {
        let id = |index: Index| {
            let moment = &moments.list[index as usize];
            EventId::new(held.record(moment.at).id, moment.point)
        };
        let indexes = (0..moments.len() as Index).map(|index| (id(index), index)).collect();
        Listing { order, moments, indexes }
    }

    pub(crate) fn index(&self, event: EventId) -> Option<Index> {
        self.indexes.get(&event).copied()
    }

    /// The event's time on the reference clock.
    pub(crate) fn time(&self, event: EventId) -> Option<Time> {
        self.index(event).map(|index| self.order.corrected[index as usize])
    }

    /// The time on the reference clock of the event at a place of the list.
    pub(crate) fn time_at(&self, place: usize) -> Option<Time> {
        self.order.list.get(place).map(|index| self.order.corrected[*index as usize])
    }

    /// The last place at which the list's stamps are not past `time`.
    pub(crate) fn place_at(&self, time: Time) -> Option<usize> {
        let past = self.order.list.partition_point(|index| self.order.stamps[*index as usize].l <= time.0);
        past.checked_sub(1)
    }

    /// What `b` is at least later than `a`, in nanoseconds, by their clocks; `None` where nothing bounds it.
    pub(crate) fn at_least_apart(&self, a: EventId, b: EventId) -> Option<i128> {
        self.order.apart(self.moments, self.index(a)?, self.index(b)?)[0]
    }
}

impl Relation for Listing<'_> {
    fn before(&self, a: EventId, b: EventId) -> Option<Certainty> {
        self.order.reachability.before(self.index(a)?, self.index(b)?)
    }

    fn place(&self, event: EventId) -> Option<usize> {
        self.index(event).map(|index| self.order.places[index as usize] as usize)
    }
}
