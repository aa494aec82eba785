//! What is before what, for the few events that state is told by, over the edges of the document.

use std::collections::{BTreeSet, HashMap};

use timeline::document::Certainty;
use timeline::id::EventId;
use timeline::state::Relation;

use crate::told::Told;

/// Sources that one sweep over the list follows.
const A_SWEEP: usize = u64::BITS as usize;

/// Which of some events come before which.
pub(super) struct Reach<'a> {
    told: &'a Told,
    number: HashMap<usize, usize>,
    /// For each event, by its number, the events before it, a bit each.
    before: Vec<Vec<u64>>,
}

impl<'a> Reach<'a> {
    /// Follows the edges between `events`. Edges run forward in the list: a sweep from its first event to its last
    /// carries 64 sources at once.
    pub(super) fn new(told: &'a Told, events: &BTreeSet<EventId>) -> Reach<'a> {
        let places: Vec<usize> = events.iter().filter_map(|event| told.place(*event)).collect();
        let number: HashMap<usize, usize> =
            places.iter().enumerate().map(|(number, place)| (*place, number)).collect();
        let words = places.len().div_ceil(A_SWEEP);
        let mut before = vec![vec![0; words]; places.len()];
        let mut carried = vec![0_u64; told.len()];
        for word in 0..words {
            carried.fill(0);
            for at in 0..told.len() {
                let came: u64 = told
                    .incoming(at)
                    .filter_map(|edge| told.place(edge.from))
                    .filter(|from| *from < at)
                    .fold(0, |bits, from| bits | carried.get(from).copied().unwrap_or(0));
                let own = number.get(&at).copied();
                if let Some(row) = own.and_then(|own| before.get_mut(own)) {
                    row[word] = came;
                }
                let bit = own.filter(|own| own / A_SWEEP == word).map_or(0, |own| 1 << (own % A_SWEEP));
                carried[at] = came | bit;
            }
        }
        Reach { told, number, before }
    }
}

impl Relation for Reach<'_> {
    /// The certainty is the weakest there is: the document's edges are followed without asking for theirs.
    fn before(&self, a: EventId, b: EventId) -> Option<Certainty> {
        let number = |event| self.number.get(&self.told.place(event)?).copied();
        let (a, b) = (number(a)?, number(b)?);
        let bit = self.before.get(b)?.get(a / A_SWEEP)? >> (a % A_SWEEP) & 1;
        (bit == 1).then_some(Certainty::Assumed)
    }

    fn place(&self, event: EventId) -> Option<usize> {
        self.told.place(event)
    }
}
