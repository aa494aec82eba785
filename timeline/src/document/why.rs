//! `backstory.why/1`: why one event is before, after or unordered with another; `backstory.belongs/1`: why one belongs.

use serde::{Deserialize, Serialize};

use super::{Belongs, Certainty, Edge, EventKind};
use crate::id::{EventId, RecordId};
use crate::time::Time;

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
    /// A, B and the events of the chain, A and B first.
    pub events: Vec<WhyEvent>,
}

/// An event that an answer speaks of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhyEvent {
    /// Its id.
    pub id: EventId,
    /// Its record.
    pub record: RecordId,
    /// Its kind.
    pub kind: EventKind,
    /// The span's or span event's name, or the log's text.
    pub name: String,
    /// The service that it happened in.
    pub service: String,
    /// The instance of that service, where it says so.
    pub instance: Option<String>,
    /// As the process's clock had it.
    pub time: Time,
    /// On the reference clock.
    pub corrected: Time,
}

/// Why an event belongs to an entity's timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Belonging {
    /// Always [`Belonging::SCHEMA`].
    pub schema: String,
    /// Whose timeline.
    pub entity: String,
    /// The event asked about.
    pub event: EventId,
    /// Why it is there.
    pub belongs: Belongs,
    /// From a record that names the entity to the event.
    pub chain: Vec<BelongsStep>,
    /// The events of the chain.
    pub events: Vec<WhyEvent>,
}

impl Belonging {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.belongs/1";
}

/// One step of the reason why an event belongs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BelongsStep {
    /// The event: a span stands for its start.
    pub event: EventId,
    /// Why it belongs.
    pub belongs: Belongs,
    /// The same in words; "it" is the step before, for the first step the entity.
    pub because: String,
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
