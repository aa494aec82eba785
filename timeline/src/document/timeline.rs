//! `backstory.timeline/1`: one causal timeline of one entity.

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::state::{InitialState, StateChange};
use crate::id::{EventId, RecordId, SpanId, TraceId};
use crate::record::{Severity, SpanKind};
use crate::time::Time;

/// The causal timeline of one entity: what happened, in which order, and why in that order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Always [`Timeline::SCHEMA`].
    pub schema: String,
    /// Whose timeline this is.
    pub entity: Entity,
    /// The first and last corrected time; `None` where there are no events.
    pub range: Option<Range>,
    /// What the answer rests on.
    pub completeness: Completeness,
    /// One row an epoch of a clock.
    pub clocks: Vec<Clock>,
    /// Whose events these are.
    pub processes: Vec<Process>,
    /// In causal order: a linear extension of the edges, sorted by stamp, then record id.
    pub events: Vec<Event>,
    /// The reasons: a transitive reduction that never trades a proof for a weaker one.
    pub edges: Vec<Edge>,
    /// How many clock and corrected edges the bound on edges left out.
    pub edges_omitted: u64,
    /// What changed around the events.
    pub markers: Vec<Marker>,
    /// What held before the first event, where it is known.
    pub initial_state: Vec<InitialState>,
    /// Evidence that something is missing.
    pub gaps: Vec<Gap>,
    /// Anomalies whose events are all in the list.
    pub findings: Vec<Finding>,
}

impl Timeline {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.timeline/1";
}

/// A thing with identity and state.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// `order`; or, where it was asked for by attribute, the attribute's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// `42`.
    pub key: String,
    /// Environment and namespace joined by a slash; empty where unknown.
    pub scope: String,
}

/// A stretch of corrected time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Its first moment.
    pub start: Time,
    /// Its last moment.
    pub end: Time,
}

/// What an answer rests on, and what it lacks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Completeness {
    /// Whether nothing is known to be missing.
    pub complete: bool,
    /// Why it is not complete; sorted, each once.
    pub reasons: Vec<Incompleteness>,
    /// How many items the answer shows.
    pub shown: u64,
    /// How many there are.
    pub total: u64,
    /// What is known of each source of records; sorted by service, then signal.
    pub streams: Vec<Stream>,
}

/// A reason why an answer may lack something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incompleteness {
    /// A budget cut it.
    Truncated,
    /// A shard or a part of the journal could not be read.
    MissingShard,
    /// Records were accepted that the index has not reached.
    NotIndexed,
    /// A source samples.
    Sampled,
    /// An SDK says that it dropped something.
    DroppedBySdk,
    /// A write's entity is unknown.
    UnattributedWrites,
}

/// What is known of one source of records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// The service that sends it.
    pub service: String,
    /// `spans` or `logs`.
    pub signal: String,
    /// Whether all of it arrives.
    pub state: StreamState,
    /// The share that arrives, from 0 to 1, where a sampler said so.
    pub rate: Option<f64>,
    /// How that is known; `None` where the state is unknown.
    pub evidence: Option<String>,
}

impl Completeness {
    /// Adds a reason why the answer is not complete.
    pub(crate) fn add(&mut self, reason: Incompleteness) {
        self.complete = false;
        self.reasons.push(reason);
        self.reasons.sort_unstable();
        self.reasons.dedup();
    }
}

/// Whether all of a stream arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    /// All of it.
    Whole,
    /// A sampler lets a share of it through.
    Sampled,
    /// Something is known to have been dropped.
    Lossy,
    /// Nothing says.
    Unknown,
}

/// One epoch of one clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// `c0`, `c1` …: the rows of one clock share it.
    pub id: String,
    /// The host whose clock it is, where one is named.
    pub host: Option<String>,
    /// Whether corrected times are on this clock.
    pub reference: bool,
    /// The moment that the numbers below hold for.
    pub at: Option<Time>,
    /// This clock minus the reference, in nanoseconds; `None` where nothing bounds it.
    pub offset_ns: Option<i64>,
    /// Half the width of `bounds_ns`; `None` where a side is open.
    pub error_ns: Option<u64>,
    /// The truth lies between these; an open side is `None`.
    pub bounds_ns: [Option<i64>; 2],
    /// How fast the offset changes, in parts per million; `None` where unknown.
    pub drift_ppm: Option<f64>,
    /// Which sides are bounded.
    pub bounds: ClockBounds,
    /// How many messages bound it.
    pub messages: u64,
    /// Where this epoch begins; `None` if it is the first.
    pub since: Option<Time>,
    /// Where this epoch ends; `None` if it is the last.
    pub until: Option<Time>,
}

/// Which sides of a clock's offset are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockBounds {
    /// Both.
    Both,
    /// From above only.
    Above,
    /// From below only.
    Below,
    /// Neither.
    None,
    /// By the configuration.
    Declared,
    /// The evidence contradicts itself.
    Contradictory,
}

/// A thing with one identity that emits events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// `p0`, `p1` …
    pub id: String,
    /// Its service.
    pub service: String,
    /// Its instance, where one is named.
    pub instance: Option<String>,
    /// Its host, where one is named.
    pub host: Option<String>,
    /// Its version, where one is named.
    pub version: Option<String>,
    /// The clock that it reads.
    pub clock: String,
}

/// One point in a process's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its record's id.
    pub record: RecordId,
    /// How many contents the record's span came with; the latest end, then the largest id, is shown.
    pub revisions: u32,
    /// The process that it happened in.
    pub process: String,
    /// Which point of its record it is.
    pub kind: EventKind,
    /// The span's or span event's name, or the log's text.
    pub name: String,
    /// The span's kind; `None` for a log.
    pub span_kind: Option<SpanKind>,
    /// The log's severity; ERROR too for a span that ended in error.
    pub severity: Option<Severity>,
    /// Its trace, if any.
    pub trace_id: Option<TraceId>,
    /// Its span, if any.
    pub span_id: Option<SpanId>,
    /// The time as the process's clock had it; never changed.
    pub time: Time,
    /// The time on the reference clock; a feasible estimate where unbounded.
    pub corrected: Time,
    /// The truth is `corrected` ± this; `None` where unbounded.
    pub error_ns: Option<u64>,
    /// The causal stamp.
    pub hlc: CausalStamp,
    /// The collector's stamp; `None` if imported without one.
    pub arrival: Option<hlc::Stamp>,
    /// The record's own attributes, flat; `None` with `--brief`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// Why a screen folds it away by default.
    pub folded: Option<Folded>,
    /// Of the events just before and just after it in the list, those that nothing orders it against.
    pub unordered_with: Vec<EventId>,
    /// What it did to state.
    pub state: Vec<StateChange>,
    /// Why it is here.
    pub belongs: Belongs,
}

/// A causal stamp in the public form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CausalStamp {
    /// The largest corrected time of the event and all before it.
    pub l: Time,
    /// Breaks ties.
    pub c: u32,
}

/// Which point of its record an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A span's start.
    SpanStart,
    /// A span's end.
    SpanEnd,
    /// A span event.
    SpanEvent,
    /// A log record.
    Log,
}

/// Why a screen folds an event away by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Folded {
    /// Instrumentation told the same thing twice.
    Twin,
    /// Instrumentation's own plumbing.
    Noise,
}

/// Why an event belongs to the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Belongs {
    /// It names the entity.
    Own,
    /// It is an ancestor of one that does.
    Ancestor,
    /// It is a descendant of one that does, and names no other entity of the type.
    Descendant,
    /// It is a log written in a span that is here.
    Log,
    /// Its trace concerns exactly this entity of the type.
    Trace,
    /// A link joins it to one that is here.
    Link,
    /// A message joins it to one that is here.
    Message,
    /// A configured rule says so.
    Rule,
    /// It names something that the entity is known to be related to.
    Related,
}

/// A reason to say that one event happened before another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The earlier event.
    pub from: EventId,
    /// The later event.
    pub to: EventId,
    /// How sure that is.
    pub certainty: Certainty,
    /// Where it comes from.
    pub evidence: Evidence,
}

/// How sure a "before" is, weakest first, so that a chain's certainty is the smallest of its edges'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Rests on an offset that the configuration declares.
    Assumed,
    /// The proven bound of the pair of clocks excludes the contrary.
    Corrected,
    /// Read off one clock in one epoch, further apart than its stamps' resolution.
    Clock,
    /// A chain of causal edges proves it.
    Causal,
}

/// Where an edge comes from: the table of evidence in `docs/order.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Within one span: start, its events in list order, end.
    Span,
    /// A parent's start, a child's start in the same process.
    Parent,
    /// A parent's start, a child's start in another process.
    Request,
    /// A link's target's start, the linking span's start.
    Link,
    /// A sender's start, a receiver's start.
    Message,
    /// A server's start, its client's end, if the client got an answer.
    Reply,
    /// A span's start, a log written in it.
    LogInSpan,
    /// A write of version n, the write of version n + 1.
    Version,
    /// A write, a read that returned its version.
    ReadsFrom,
    /// An attempt, the next attempt.
    Retry,
    /// A carried hybrid logical stamp.
    Hlc,
    /// A carried vector clock.
    VectorClock,
    /// One process.
    Process,
    /// Two processes on one clock.
    Clock,
    /// The proven bounds of two clocks.
    Offset,
    /// An offset that the configuration declares.
    Declared,
}

impl Certainty {
    /// Its word in the public JSON.
    pub fn name(self) -> &'static str {
        match self {
            Certainty::Assumed => "assumed",
            Certainty::Corrected => "corrected",
            Certainty::Clock => "clock",
            Certainty::Causal => "causal",
        }
    }
}

impl Evidence {
    /// Its name in the words of `docs/order.md`.
    pub fn name(self) -> &'static str {
        match self {
            Evidence::Span => "span",
            Evidence::Parent => "parent",
            Evidence::Request => "request",
            Evidence::Link => "link",
            Evidence::Message => "message",
            Evidence::Reply => "reply",
            Evidence::LogInSpan => "log in span",
            Evidence::Version => "version",
            Evidence::ReadsFrom => "reads from",
            Evidence::Retry => "retry",
            Evidence::Hlc => "hlc",
            Evidence::VectorClock => "vector clock",
            Evidence::Process => "process",
            Evidence::Clock => "clock",
            Evidence::Offset => "offset",
            Evidence::Declared => "declared",
        }
    }
}

/// What changed around the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// `version_seen`, `instance_started`, `instance_ended`, `rebalance` or `flag_changed`.
    pub kind: String,
    /// The process concerned.
    pub process: String,
    /// When, on the reference clock.
    pub time: Time,
    /// A line for a person.
    pub detail: String,
}

/// Evidence that something is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// What is missing.
    pub kind: GapKind,
    /// The event that tells; `None` where no single one does.
    pub event: Option<EventId>,
    /// A line for a person.
    pub detail: String,
}

/// What a gap is evidence of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// A parent that never arrived.
    MissingParent,
    /// A request that was never seen answered.
    MissingReply,
    /// A message whose sender never arrived.
    MissingSender,
    /// A message that nobody was seen to receive.
    MissingReceiver,
    /// An instance that ended without a flush.
    EndedWithoutFlush,
    /// A write whose entity is unknown.
    UnattributedWrite,
    /// A source samples.
    Sampled,
    /// A budget or an SDK's limit cut something.
    Truncated,
}
