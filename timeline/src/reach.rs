//! What to fetch next, given the records at hand: links and messages, one hop.

use std::collections::BTreeSet;

use crate::belongs::Members;
use crate::held::Held;
use crate::id::TraceId;
use crate::message::{self, MessageKey, Messages};
use crate::question::Question;
use crate::record::Record;

/// What a subject's timeline needs beside the records at hand. All lists are sorted, each item once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The traces to fetch whole: of the members, and of the spans that they link to.
    pub traces: Vec<TraceId>,
    /// The traces of members: spans of other traces that link to one of these belong to it.
    pub linked_to: Vec<TraceId>,
    /// The ids of messages that members sent or received: records with one of these values belong to it.
    pub message_ids: Vec<String>,
    /// The places in destinations of messages that members sent or received without an id that both ends know.
    pub places: Vec<MessagePlace>,
}

/// A message's place; which partition it is in, telling decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessagePlace {
    /// The topic.
    pub destination: String,
    /// The offset in a partition of it.
    pub offset: String,
}

/// What to fetch next for the timeline that `question` asks for, given `records`.
///
/// First all records that name the subject are found and their traces fetched whole; then this is
/// asked once, and what it names is fetched; then [`tell`](crate::tell()) is given all of it. Records may
/// come in any order, and repeatedly.
pub fn reach(records: &[Record], question: &Question) -> Reach {
    let held = Held::fold(records.to_vec());
    let members = Members::of(&held, &Messages::of(&held), question);
    hops(members.iter().map(|(at, _)| held.record(at)))
}

/// What `records` are joined to by links and messages, and what may be joined to them: whoever has one of `records` in its
/// timeline is named in their own traces or in these.
pub fn hops<'r>(records: impl IntoIterator<Item = &'r Record>) -> Reach {
    let mut traces = BTreeSet::new();
    let mut linked_to = BTreeSet::new();
    let mut message_ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for record in records {
        linked_to.extend(record.trace_id());
        if let Some(span) = record.as_span() {
            traces.extend(span.links.iter().map(|link| link.trace_id));
            for key in message::keys(span) {
                match key {
                    MessageKey::Id { id, .. } => drop(message_ids.insert(id)),
                    MessageKey::Offset { destination, offset, .. } => {
                        places.insert(MessagePlace { destination, offset });
                    }
                }
            }
        }
    }
    traces.extend(&linked_to);
    Reach {
        traces: traces.into_iter().collect(),
        linked_to: linked_to.into_iter().collect(),
        message_ids: message_ids.into_iter().collect(),
        places: places.into_iter().collect(),
    }
}
