//! `backstory.diff/1`: where the timelines of two entities part.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Completeness, Entity};
use crate::id::EventId;

/// Where two timelines part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// Always [`Diff::SCHEMA`].
    pub schema: String,
    /// The one.
    pub a: DiffSide,
    /// The other.
    pub b: DiffSide,
    /// How many steps both have, with nothing different about them.
    pub same: u64,
    /// The first of `differences` at which they take another way: a different duration alone is none.
    /// `None` where they go the same way.
    pub parts_at: Option<usize>,
    /// In A's causal order; what only B has stands behind the last step before it that A has too.
    pub differences: Vec<Difference>,
}

impl Diff {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.diff/1";
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffSide {
    /// Whose timeline it is.
    pub entity: Entity,
    /// What it rests on: what is missing on one side may never have arrived.
    pub completeness: Completeness,
}

/// One step that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// How.
    pub kind: DifferenceKind,
    /// The step in A: a span's start, a span event, a log.
    pub a: Option<EventId>,
    /// The step in B.
    pub b: Option<EventId>,
    /// The service that took it.
    pub service: String,
    /// Its name, A's where it has one.
    pub name: String,
    /// Nanoseconds since the first event of A.
    pub a_ns: Option<i64>,
    /// Nanoseconds since the first event of B.
    pub b_ns: Option<i64>,
    /// What differs about a step that both have.
    pub changes: Vec<Change>,
}

/// How a step differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Only A has it.
    OnlyA,
    /// Only B has it.
    OnlyB,
    /// Both have it, and it went another way.
    Changed,
    /// Both have it, and it took much longer in one.
    Slower,
}

/// One thing that differs about a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// `outcome`, `duration_ns`, or a piece of state as `shop/orders status`.
    pub what: String,
    /// In A.
    pub a: Value,
    /// In B.
    pub b: Value,
}
