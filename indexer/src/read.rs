//! From a block of the journal to records.

use journal::otlp::decode_where;
use journal::otlp::view::{Group, Item};
use journal::{Block, Frame};
use timeline::record::Record;

/// All records of a block, in its order. A body that cannot be read has none.
pub(crate) fn all(block: &Block) -> Vec<Record> {
    some(block, &mut |_, _| true)
}

/// The records of a block that `wanted` wants, by what it is shown alone.
pub(crate) fn some(block: &Block, wanted: &mut dyn FnMut(&Group<'_>, &Item<'_>) -> bool) -> Vec<Record> {
    let mut records = Vec::new();
    for (number, frame) in (0..).zip(&block.frames) {
        records.extend(of_frame(block, number, frame, wanted));
    }
    records
}

fn of_frame(
    block: &Block,
    number: u32,
    frame: &Frame,
    wanted: &mut dyn FnMut(&Group<'_>, &Item<'_>) -> bool,
) -> Vec<Record> {
    let arrival = frame.arrival_is_evidence.then_some(frame.stamp);
    let place = block.place.position(number, 0);
    decode_where(frame.signal, frame.encoding, &frame.body, &frame.refused, place, arrival, wanted)
        .unwrap_or_default()
}
