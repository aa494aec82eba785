//! One read or write of one thing in one copy, as one record tells it.

use crate::document::{Identity, Op, Outcome, StateEvidence};
use crate::id::{EventId, RecordId};
use crate::value::Value;

/// A thing with identity and state: `order/42`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thing {
    /// `order`.
    pub kind: String,
    /// `42`.
    pub key: String,
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.key)
    }
}

/// One read or write of one field of one thing in one copy.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The record that tells it.
    pub record: RecordId,
    /// The event that it stands on: a span's end, its start where it has none, a span event, a log.
    pub event: EventId,
    /// The event before which it can't have taken effect: a span's start; `event` for a log or span event.
    pub began: EventId,
    /// Whose state it is; `None` where the key is unknown.
    pub thing: Option<Thing>,
    /// The type of the thing, known even where its key is not.
    pub kind: String,
    /// Who holds the state: `shop/orders`, `redis/order`, `kafka/order-events`, `payments/memory`.
    pub copy: String,
    /// Whether it is a row elsewhere that refers to the thing (`charges.order_id`).
    pub part: bool,
    /// What was done.
    pub op: Op,
    /// The field; `None` where the statement names none that can be read (`SELECT *`, `DELETE`).
    pub field: Option<String>,
    /// The value before, where the record says so.
    pub from: Option<Value>,
    /// The value written or read, where the record says so.
    pub value: Option<Value>,
    /// By how much it changed, for [`Op::Add`].
    pub delta: Option<Value>,
    /// The version written or read.
    pub version: Option<Value>,
    /// The version that the write insisted on: `WHERE version = 3`, `If-Match`.
    pub expected_version: Option<Value>,
    /// Whether it took effect.
    pub outcome: Outcome,
    /// Which operations are one transaction: equal texts are one.
    pub transaction: Option<String>,
    /// The commit's event, where there is one: from there on others can see it.
    pub visible_at: Option<EventId>,
    /// What makes two commands the same command: an idempotency key, a message's id, a declared intent.
    pub intent: Option<String>,
    /// What it was read from.
    pub evidence: StateEvidence,
    /// How the key is known.
    pub identity: Identity,
}
