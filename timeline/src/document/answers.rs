//! `backstory.find/1`, `backstory.search/1`, `backstory.clocks/1` and `backstory.stats/1`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Clock, Completeness, Process};
use crate::id::{RecordId, SpanId, TraceId};
use crate::record::{Severity, SpanKind, StatusCode};
use crate::time::Time;

/// Under which keys and entities a value occurs, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Find {
    /// Always [`Find::SCHEMA`].
    pub schema: String,
    /// What the answer rests on.
    pub completeness: Completeness,
    /// One row a place, most records first.
    pub matches: Vec<FindMatch>,
}

impl Find {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.find/1";
}

/// One place that a value occurs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindMatch {
    /// The entity that the value is the key of; `None` where it is no entity's key.
    pub entity: Option<String>,
    /// The attribute, `resource.`-prefixed where it is the resource's; or `name`, `body`, `event`,
    /// `trace_id`, `span_id` and the like for a field of the record itself.
    pub attribute: String,
    /// The value as it stands there.
    pub value: String,
    /// In how many records.
    pub records: u64,
    /// The earliest of their times.
    pub first: Time,
    /// The latest of their times.
    pub last: Time,
}

/// Records that match a query, newest arrival first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Always [`Search::SCHEMA`].
    pub schema: String,
    /// What the answer rests on.
    pub completeness: Completeness,
    /// The records of this page.
    pub records: Vec<SearchRecord>,
    /// How many those are.
    pub shown: u64,
    /// How many match in all; at least so many where `completeness` says `truncated`.
    pub total: u64,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

impl Search {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.search/1";
}

/// One record, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchRecord {
    /// Its id.
    pub record: RecordId,
    /// Where it stands in the journal.
    pub position: String,
    /// `span` or `log`.
    pub kind: String,
    /// Its trace, if any.
    pub trace_id: Option<TraceId>,
    /// Its span, if any.
    pub span_id: Option<SpanId>,
    /// Its parent, if any.
    pub parent_span_id: Option<SpanId>,
    /// Its service.
    pub service: String,
    /// The span's or event's name; empty for a plain log.
    pub name: String,
    /// The log's body; `None` for a span.
    pub body: Option<Value>,
    /// The span's kind; `None` for a log.
    pub span_kind: Option<SpanKind>,
    /// The log's severity; ERROR too for a span that ended in error.
    pub severity: Option<Severity>,
    /// The span's status; `None` for a log.
    pub status: Option<StatusCode>,
    /// The span's start; `None` for a log.
    pub start: Option<Time>,
    /// The span's end; `None` for a log and an unfinished span.
    pub end: Option<Time>,
    /// The span's start, or the log's time.
    pub time: Time,
    /// The collector's stamp; `None` if imported without one.
    pub arrival: Option<hlc::Stamp>,
    /// Its own attributes, flat.
    pub attributes: Map<String, Value>,
    /// Its resource's attributes, flat.
    pub resource: Map<String, Value>,
    /// The instrumentation scope's name.
    pub scope: String,
    /// The span's links.
    pub links: Vec<SearchLink>,
    /// The span's events.
    pub events: Vec<SearchEvent>,
}

/// A span's link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchLink {
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// Its attributes, flat.
    pub attributes: Map<String, Value>,
}

/// A span's event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchEvent {
    /// When.
    pub time: Time,
    /// Its name.
    pub name: String,
    /// Its attributes, flat.
    pub attributes: Map<String, Value>,
}

/// Every clock's offset, error and drift, and who reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clocks {
    /// Always [`Clocks::SCHEMA`].
    pub schema: String,
    /// What the answer rests on.
    pub completeness: Completeness,
    /// One row an epoch of a clock, the reference first.
    pub clocks: Vec<Clock>,
    /// Who reads them, by service and instance.
    pub processes: Vec<Process>,
}

impl Clocks {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.clocks/1";
}

/// What a store holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Always [`Stats::SCHEMA`].
    pub schema: String,
    /// Spans, each counted once, journaled but not yet indexed ones too.
    pub spans: u64,
    /// Log records, counted alike.
    pub logs: u64,
    /// False while repeats that came packed otherwise may still be counted twice.
    pub exact: bool,
    /// Spans that came again.
    pub resent_spans: u64,
    /// Log records that came again.
    pub resent_logs: u64,
    /// Items refused.
    pub rejected: u64,
    /// Traces seen.
    pub traces: u64,
    /// Services seen.
    pub services: u64,
    /// The journal's bytes on disk.
    pub bytes_journal: u64,
    /// The index's bytes on disk.
    pub bytes_index: u64,
    /// The journal position that the index has reached.
    pub indexed_to: String,
    /// The journal's end.
    pub journal_end: String,
    /// The earliest time of a record.
    pub first: Option<Time>,
    /// The latest time of a record.
    pub last: Option<Time>,
}

impl Stats {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.stats/1";
}
