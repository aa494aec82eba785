//! `backstory.why/1`: why one event is before, after or unordered with another.

use serde::{Deserialize, Serialize};

use super::{Certainty, Edge};

/// Why one event, A, is before, after or unordered with another, B.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// Always [`Why::SCHEMA`].
    pub schema: String,
    /// How A stands to B.
    pub relation: Relation,
    /// How sure that is; `None` where nothing is claimed.
    pub certainty: Option<Certainty>,
    /// The shortest chain of the strongest certainty, from the earlier to the later event.
    pub chain: Vec<Edge>,
    /// B's time minus A's lies between these, in nanoseconds; an open side is `None`.
    pub interval_ns: [Option<i64>; 2],
}

impl Why {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.why/1";
}

/// How one event stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It happened before it.
    Before,
    /// It happened after it.
    After,
    /// Nothing says.
    Unordered,
    /// Evidence says both, and so nothing.
    Contradictory,
}
