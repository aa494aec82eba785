//! Who sent what to whom: by links, by message id, by destination, partition and offset.
//!
//! A parent in another process is a message too; it needs no search and is read where it is needed.

use std::collections::BTreeMap;

use crate::document::{Belongs, Evidence};
use crate::held::{At, Held};
use crate::record::{Span, SpanKind};
use crate::value::{Attributes, Value};

/// A way from a sender to a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hop {
    /// The span that sent, or is linked to.
    pub(crate) sender: At,
    /// The span that received, or links.
    pub(crate) receiver: At,
    /// [`Evidence::Link`] or [`Evidence::Message`].
    pub(crate) evidence: Evidence,
    /// Whether the receiver received nothing else: then what it did, it did about this.
    pub(crate) alone: bool,
}

impl Hop {
    /// Why the far end of the hop belongs to the near end's timeline.
    pub(crate) fn belongs(self) -> Belongs {
        if self.evidence == Evidence::Link { Belongs::Link } else { Belongs::Message }
    }
}

/// What identifies one message: its id, or its place in a partition, within one messaging system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MessageKey {
    /// `messaging.message.id`.
    Id { system: String, id: String },
    /// Destination, partition and offset.
    Offset { system: String, destination: String, partition: String, offset: String },
}

/// The messages that spans speak of, with who sent and who received each.
#[derive(Default)]
pub(crate) struct Messages {
    ends: BTreeMap<MessageKey, Ends>,
}

/// The two ends of one message. Both lists are sorted.
#[derive(Default)]
pub(crate) struct Ends {
    /// Spans that created or sent it; nested twins both.
    pub(crate) senders: Vec<At>,
    /// Spans that received or processed it.
    pub(crate) receivers: Vec<At>,
}

impl Messages {
    /// Reads them off the spans.
    pub(crate) fn of(held: &Held) -> Messages {
        let mut messages = Messages::default();
        for (at, record) in held.records().iter().enumerate() {
            let Some(span) = record.as_span() else { continue };
            let Some(role) = Role::of(span) else { continue };
            for key in keys(span) {
                let ends = messages.ends.entry(key).or_default();
                let side = if role == Role::Sends { &mut ends.senders } else { &mut ends.receivers };
                if side.last() != Some(&at) {
                    side.push(at);
                }
            }
        }
        messages
    }

    /// Every message with its ends.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&MessageKey, &Ends)> {
        self.ends.iter()
    }
}

/// Which end of a message a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It creates, sends or publishes.
    Sends,
    /// It receives or processes.
    Receives,
}

impl Role {
    /// By the messaging operation, else by the span's kind; `None` where it is no end of a message.
    pub(crate) fn of(span: &Span) -> Option<Role> {
        match operation(span) {
            Some("create" | "send" | "publish") => Some(Role::Sends),
            Some("receive" | "process" | "deliver") => Some(Role::Receives),
            Some("settle") => None,
            _ => match span.kind {
                SpanKind::Producer => Some(Role::Sends),
                SpanKind::Consumer => Some(Role::Receives),
                _ => None,
            },
        }
    }
}

fn operation(span: &Span) -> Option<&str> {
    let names = ["messaging.operation.type", "messaging.operation"];
    span.attributes.get_any(&names).and_then(Value::as_str)
}

/// Whether the span waited for a message: it may have begun before the message was sent.
pub(crate) fn is_blocking_receive(span: &Span) -> bool {
    operation(span) == Some("receive")
}

/// Every hop that links and message keys prove, sorted, each once.
pub(crate) fn hops(held: &Held, messages: &Messages) -> Vec<Hop> {
    let mut hops = linked(held);
    hops.extend(messages.iter().filter_map(|(_, ends)| Some((sender(held, ends)?, ends))).flat_map(
        |(sender, ends)| {
            let received = ends.receivers.iter().filter(move |receiver| **receiver != sender);
            received.map(move |receiver| {
                let alone = held.span(*receiver).is_some_and(|span| span.links.len() <= 1);
                Hop { sender, receiver: *receiver, evidence: Evidence::Message, alone }
            })
        },
    ));
    hops.sort_unstable();
    hops.dedup();
    hops
}

fn linked(held: &Held) -> Vec<Hop> {
    let mut hops = Vec::new();
    for (receiver, record) in held.records().iter().enumerate() {
        let Some(span) = record.as_span() else { continue };
        for link in &span.links {
            let targets = held.spans(link.trace_id, link.span_id).iter().copied();
            hops.extend(targets.filter(|sender| *sender != receiver).map(|sender| Hop {
                sender,
                receiver,
                evidence: Evidence::Link,
                alone: span.links.len() == 1,
            }));
        }
    }
    hops
}

/// The one sender of a message: of nested twins the innermost; `None` where several unrelated spans
/// sent it, for then nothing says whose sending the receiver saw.
pub(crate) fn sender(held: &Held, ends: &Ends) -> Option<At> {
    let innermost = |candidate: &&At| {
        ends.senders.iter().all(|other| other == *candidate || is_ancestor(held, *other, **candidate))
    };
    ends.senders.iter().find(innermost).copied()
}

/// Twins nest directly or within a few spans of their library.
const TWIN_DEPTH_MAX: usize = 8;

fn is_ancestor(held: &Held, ancestor: At, of: At) -> bool {
    std::iter::successors(held.parent(of), |at| held.parent(*at))
        .take(TWIN_DEPTH_MAX)
        .any(|above| above == ancestor)
}

/// The message ids that a span and its links speak of.
pub(crate) fn ids(span: &Span) -> impl Iterator<Item = String> {
    keys(span).into_iter().filter_map(|key| match key {
        MessageKey::Id { id, .. } => Some(id),
        MessageKey::Offset { .. } => None,
    })
}

/// What identifies the messages that a span and its links speak of.
pub(crate) fn keys(span: &Span) -> Vec<MessageKey> {
    let system = text(&span.attributes, &["messaging.system"]).unwrap_or_default();
    let own = key(&span.attributes, &system, &span.attributes);
    let linked = span.links.iter().flat_map(|link| key(&link.attributes, &system, &span.attributes));
    own.into_iter().chain(linked).collect()
}

/// The keys in `attributes`; a link leaves the destination to its span, `shared`.
fn key(attributes: &Attributes, system: &str, shared: &Attributes) -> Vec<MessageKey> {
    let own = |names: &[&str]| text(attributes, names);
    let either = |names: &[&str]| own(names).or_else(|| text(shared, names));
    let mut keys = Vec::new();
    if let Some(id) = own(&["messaging.message.id", "messaging.message_id"]) {
        keys.push(MessageKey::Id { system: system.to_owned(), id });
    }
    let destination = either(&["messaging.destination.name", "messaging.destination"]);
    let partition = either(&[
        "messaging.destination.partition.id",
        "messaging.kafka.destination.partition",
        "messaging.kafka.partition",
    ]);
    let offset = own(&["messaging.kafka.offset", "messaging.kafka.message.offset"]);
    if let (Some(destination), Some(partition), Some(offset)) = (destination, partition, offset) {
        keys.push(MessageKey::Offset { system: system.to_owned(), destination, partition, offset });
    }
    keys
}

fn text(attributes: &Attributes, names: &[&str]) -> Option<String> {
    attributes.get_any(names).map(|value| value.to_text().into_owned()).filter(|text| !text.is_empty())
}
