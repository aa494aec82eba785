//! From a block of the journal to records.

use journal::otlp::view::{Item, Resource};
use journal::otlp::{Choice, decode_where};
use journal::{Block, Frame};
use timeline::record::Record;

use crate::sieve::{Narrowed, Sieve};

/// All records of a block, in its order. A body that cannot be read has none.
pub(crate) fn all(block: &Block) -> Vec<Record> {
    some(block, &Sieve::Everything)
}

/// The records of a block that `sieve` lets through.
pub(crate) fn some(block: &Block, sieve: &Sieve<'_>) -> Vec<Record> {
    let mut records = Vec::new();
    for (number, frame) in (0..).zip(&block.frames) {
        records.extend(of_frame(block, number, frame, sieve));
    }
    records
}

fn of_frame(block: &Block, number: u32, frame: &Frame, sieve: &Sieve<'_>) -> Vec<Record> {
    let arrival = frame.arrival_is_evidence.then_some(frame.stamp);
    let place = block.place.position(number, 0);
    let mut choice = Sifting { sieve, narrowed: Narrowed::Known(true) };
    decode_where(frame.signal, frame.encoding, &frame.body, &frame.refused, place, arrival, &mut choice)
        .unwrap_or_default()
}

/// A sieve, and what it asks of the items of the resource at hand.
struct Sifting<'s> {
    sieve: &'s Sieve<'s>,
    narrowed: Narrowed<'s>,
}

impl Choice for Sifting<'_> {
    fn enter(&mut self, resource: &Resource<'_>) {
        self.narrowed = self.sieve.within(resource);
    }

    fn may_want(&mut self, encoded: &[u8]) -> bool {
        self.narrowed.may_hold(encoded)
    }

    fn wants(&mut self, item: &Item<'_>) -> bool {
        self.narrowed.lets_through(item)
    }
}
