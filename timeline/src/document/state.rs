//! What events did to state, as the public JSON has it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::timeline::Completeness;
use crate::id::EventId;
use crate::time::Time;

/// What an event did to one field of an entity in one copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateChange {
    /// `order/42`.
    pub entity: String,
    /// Who holds the state.
    pub copy: String,
    /// Whether it is a row elsewhere that refers to the entity.
    pub part: bool,
    /// What was done.
    pub op: Op,
    /// The field, where it is known.
    pub field: Option<String>,
    /// The value before, where it is known.
    pub from: Option<Value>,
    /// The value written or read, where it is known.
    pub value: Option<Value>,
    /// By how much it changed, for [`Op::Add`].
    pub delta: Option<Value>,
    /// The version written or read, where it is known.
    pub version: Option<Value>,
    /// Whether it took effect.
    pub outcome: Outcome,
    /// The commit's event, where there is one.
    pub visible_at: Option<EventId>,
    /// What it was read from.
    pub evidence: StateEvidence,
    /// How the key is known.
    pub identity: Identity,
}

/// What an operation does to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// It sets it.
    Write,
    /// It adds an element to a list.
    Append,
    /// It adds a delta to a number.
    Add,
    /// It reads it.
    Read,
    /// It deletes the field; the whole thing where no field is named.
    Delete,
}

/// Whether an operation took effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did.
    Ok,
    /// It did not: an error, a rollback, no row.
    Failed,
    /// Nobody knows: no answer, a crash.
    #[default]
    Unknown,
}

/// What a piece of state was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateEvidence {
    /// `backstory.*` attributes.
    Attribute,
    /// A statement.
    Sql,
    /// A Redis command.
    Redis,
    /// A method, a route and a path.
    Http,
    /// A message's key.
    Message,
    /// A log line or structured log attributes.
    Log,
    /// An entity event of OpenTelemetry.
    EntityEvent,
}

/// How an operation's key is known, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// It is not.
    Unknown,
    /// The trace concerns exactly one entity of the type.
    Trace,
    /// A configured rule says so.
    Rule,
    /// A log line of the span names it.
    Log,
    /// An ancestor names it.
    Ancestor,
    /// The record itself names it.
    Own,
}

/// What each copy held at one moment: `backstory.state/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Always [`State::SCHEMA`].
    pub schema: String,
    /// The moment, on the reference clock; `None` where there are no events.
    pub at: Option<Time>,
    /// What the answer rests on.
    pub completeness: Completeness,
    /// One row a field of a copy: the asked entity first, its owner first, parts last.
    pub copies: Vec<CopyState>,
}

impl State {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.state/1";
}

/// What one copy held of one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopyState {
    /// `order/42`.
    pub entity: String,
    /// Who holds the state.
    pub copy: String,
    /// Whether it is a row elsewhere that refers to the entity.
    pub part: bool,
    /// Whether it is the system of record for entities of this type.
    pub owner: bool,
    /// The field; `None` where nothing names one.
    pub field: Option<String>,
    /// The value; null with `known: before` where the copy held none.
    pub value: Option<Value>,
    /// How it is known.
    pub known: Known,
    /// What else it may have been.
    pub alternatives: Vec<Value>,
    /// The version, where it is known.
    pub version: Option<Value>,
    /// Since when, on the reference clock; `None` for what held before the first event.
    pub since: Option<Time>,
    /// The event that made it so.
    pub event: Option<EventId>,
    /// For how long the owner had held another value already, in nanoseconds; 0 where they agree; `None` where
    /// it can't be told.
    pub lag_ns: Option<u64>,
}

/// How a copy's value is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// The operation that made it so is before the moment, and none that is unordered with it left another.
    Before,
    /// Unordered operations, or such of unknown outcome, leave it open.
    Unordered,
    /// It is not.
    No,
}

/// What held before the first event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitialState {
    /// `order/42`.
    pub entity: String,
    /// Who holds it.
    pub copy: String,
    /// The field.
    pub field: String,
    /// Its value, where it is known.
    pub value: Option<Value>,
    /// Whether it is known.
    pub known: bool,
}

impl StateEvidence {
    /// The name in the public JSON.
    pub fn name(self) -> &'static str {
        match self {
            StateEvidence::Attribute => "attribute",
            StateEvidence::Sql => "sql",
            StateEvidence::Redis => "redis",
            StateEvidence::Http => "http",
            StateEvidence::Message => "message",
            StateEvidence::Log => "log",
            StateEvidence::EntityEvent => "entity_event",
        }
    }
}

impl Identity {
    /// The name in the public JSON.
    pub fn name(self) -> &'static str {
        match self {
            Identity::Unknown => "unknown",
            Identity::Trace => "trace",
            Identity::Rule => "rule",
            Identity::Log => "log",
            Identity::Ancestor => "ancestor",
            Identity::Own => "own",
        }
    }
}
