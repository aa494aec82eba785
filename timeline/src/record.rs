//! Records: one span or one log record as received, in plain data.

use std::sync::Arc;

use hlc::Stamp;
use xxhash_rust::xxh3::Xxh3;

use crate::id::{RecordId, SpanId, TraceId};
use crate::time::Time;
use crate::value::{Attributes, Value};

/// How the names of attributes begin that an export adds to a record, and an import takes away again: what was
/// exported and imported is the same record.
pub const ADDED_BY_EXPORT: &str = "backstory.export.";

/// The tag in which an export to Jaeger says, as JSON, what Jaeger has no room for: nanoseconds, counts of what was cut,
/// that an entry was a log record. An import reads it and takes it away.
pub const EXPORT_REST: &str = "backstory.export.rest";

/// Where a record stands in a journal. It names a place, orders pages and is never evidence.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Position {
    /// The number of the journal's segment.
    pub segment: u64,
    /// The byte in the segment at which the record's block begins.
    pub offset: u64,
    /// The number of the request's frame within the block.
    pub frame: u32,
    /// The number of the item within the request, refused ones counted.
    pub item: u32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}-{}", self.segment, self.offset, self.frame, self.item)
    }
}

impl std::str::FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Position, ParsePositionError> {
        let error = || ParsePositionError(text.chars().take(64).collect());
        let mut numbers = text.split('-').map(str::parse::<u64>);
        let mut next = || numbers.next().and_then(Result::ok).ok_or_else(error);
        let position = Position {
            segment: next()?,
            offset: next()?,
            frame: u32::try_from(next()?).map_err(|_| error())?,
            item: u32::try_from(next()?).map_err(|_| error())?,
        };
        numbers.next().is_none().then_some(position).ok_or_else(error)
    }
}

/// A text that is not a position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a position is four numbers joined by '-', not {0:?}")]
pub struct ParsePositionError(String);

/// What made the telemetry: the attributes of an OTLP Resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its attributes: `service.name`, `host.name` and the like.
    pub attributes: Attributes,
    /// How many attributes the SDK dropped.
    pub dropped_attributes_count: u32,
    /// Invariant: the hash of the fields above.
    digest: u128,
}

impl Resource {
    /// The resource with these attributes.
    pub fn new(attributes: Attributes, dropped_attributes_count: u32) -> Resource {
        let mut hasher = Xxh3::new();
        attributes.hash_into(&mut hasher);
        hasher.update(&dropped_attributes_count.to_le_bytes());
        Resource { digest: hasher.digest128(), attributes, dropped_attributes_count }
    }

    /// A hash of the whole resource, the same on every machine.
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// The service's name; `unknown_service` where the sender gave none.
    pub fn service(&self) -> &str {
        self.text("service.name").unwrap_or("unknown_service")
    }

    /// The text of attribute `key`; `None` where it is absent, empty or no text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// The instrumentation scope that made a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The library's name; empty where unknown.
    pub name: String,
    /// The library's version; empty where unknown.
    pub version: String,
    /// The scope's own attributes.
    pub attributes: Attributes,
    /// Invariant: the hash of the fields above.
    digest: u128,
}

impl Scope {
    /// The scope with these parts.
    pub fn new(name: String, version: String, attributes: Attributes) -> Scope {
        let mut hasher = Xxh3::new();
        hash_text(&mut hasher, &name);
        hash_text(&mut hasher, &version);
        attributes.hash_into(&mut hasher);
        Scope { digest: hasher.digest128(), name, version, attributes }
    }

    /// A hash of the whole scope, the same on every machine.
    pub fn digest(&self) -> u128 {
        self.digest
    }
}

/// One span or one log record as received.
#[derive(Clone, Debug)]
pub struct Record {
    /// A hash of resource, scope and content; equal ids are one record.
    pub id: RecordId,
    /// Where it stands in the journal that it was read from.
    pub position: Position,
    /// The collector's stamp at receipt; `None` where it was imported without one.
    pub arrival: Option<Stamp>,
    /// What made it.
    pub resource: Arc<Resource>,
    /// Which library made it.
    pub scope: Arc<Scope>,
    /// What it says.
    pub body: Body,
    /// How many log records equal to this one stood before it in its request.
    pub repeat: u32,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A span.
    Span(Span),
    /// A log record.
    Log(Log),
}

impl Record {
    /// Makes a record and its id. `repeat` counts the records equal to this one that stand before
    /// it in the same request: equal log records of one request are distinct events, equal spans
    /// are not (for a span it is ignored).
    pub fn new(
        position: Position,
        arrival: Option<Stamp>,
        resource: Arc<Resource>,
        scope: Arc<Scope>,
        body: Body,
        repeat: u32,
    ) -> Record {
        let id = body.record_id(&resource, &scope, repeat);
        Record { id, position, arrival, resource, scope, body, repeat }
    }

    /// The span, if it is one.
    pub fn as_span(&self) -> Option<&Span> {
        match &self.body {
            Body::Span(span) => Some(span),
            Body::Log(_) => None,
        }
    }

    /// The log record, if it is one.
    pub fn as_log(&self) -> Option<&Log> {
        match &self.body {
            Body::Log(log) => Some(log),
            Body::Span(_) => None,
        }
    }

    /// The trace that it belongs to; `None` for a log outside a trace.
    pub fn trace_id(&self) -> Option<TraceId> {
        match &self.body {
            Body::Span(span) => Some(span.trace_id),
            Body::Log(log) => log.trace_id,
        }
    }

    /// The span that it is, or that the log was written in.
    pub fn span_id(&self) -> Option<SpanId> {
        match &self.body {
            Body::Span(span) => Some(span.span_id),
            Body::Log(log) => log.span_id,
        }
    }

    /// Its own attributes.
    pub fn attributes(&self) -> &Attributes {
        match &self.body {
            Body::Span(span) => &span.attributes,
            Body::Log(log) => &log.attributes,
        }
    }

    /// When it happened by its sender's clock: a span's start, a log's time (else when it was observed).
    pub fn time(&self) -> Time {
        match &self.body {
            Body::Span(span) => span.start,
            Body::Log(log) => log.best_time(),
        }
    }
}

/// A span as its SDK sent it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    /// Its trace; never all zero.
    pub trace_id: TraceId,
    /// Itself; never all zero.
    pub span_id: SpanId,
    /// Its parent; `None` for a root.
    pub parent_span_id: Option<SpanId>,
    /// The W3C tracestate that it was started with; empty where there was none.
    pub trace_state: String,
    /// W3C trace flags in bits 0–7, "parent is remote" known in bit 8 and its value in bit 9.
    pub flags: u32,
    /// Its name.
    pub name: String,
    /// What role it plays in a message or call.
    pub kind: SpanKind,
    /// Start by the sender's clock; unset where the sender did not say.
    pub start: Time,
    /// End by the sender's clock; unset for an unfinished span.
    pub end: Time,
    /// Its own attributes.
    pub attributes: Attributes,
    /// Its events in the order of the list.
    pub events: Vec<SpanEvent>,
    /// Its links in the order of the list.
    pub links: Vec<Link>,
    /// Its outcome.
    pub status: Status,
    /// How many attributes, events and links the SDK dropped.
    pub dropped: Dropped,
}

impl Span {
    /// Whether the parent lives in another process, where the SDK said so (OTLP `flags` bits 8 and 9).
    pub fn parent_is_remote(&self) -> Option<bool> {
        (self.flags & 0x100 != 0).then_some(self.flags & 0x200 != 0)
    }
}

/// What the SDK cut from a record, by count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Attributes cut.
    pub attributes: u32,
    /// Span events cut; 0 for a log.
    pub events: u32,
    /// Links cut; 0 for a log.
    pub links: u32,
}

impl Dropped {
    /// Whether anything was cut.
    pub fn any(self) -> bool {
        self != Dropped::default()
    }
}

/// A span's kind, by OTLP's numbers; absent and unknown ones are internal.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Work inside a process.
    #[default]
    Internal,
    /// The receiving side of a call.
    Server,
    /// The sending side of a call.
    Client,
    /// The sending side of a message.
    Producer,
    /// The receiving side of a message.
    Consumer,
}

impl SpanKind {
    /// The kind with OTLP's number.
    pub fn from_number(number: i64) -> SpanKind {
        match number {
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Internal,
        }
    }

    /// Its name in the query language and the public JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            SpanKind::Internal => "internal",
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            SpanKind::Producer => "producer",
            SpanKind::Consumer => "consumer",
        }
    }
}

/// A span's status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What became of it.
    pub code: StatusCode,
    /// A word on an error; empty where there is none.
    pub message: String,
}

/// A span's status code, by OTLP's numbers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum StatusCode {
    /// Nobody said.
    #[default]
    Unset,
    /// Declared good.
    Ok,
    /// Ended in error.
    Error,
}

impl StatusCode {
    /// The code with OTLP's number; unknown ones are unset.
    pub fn from_number(number: i64) -> StatusCode {
        match number {
            1 => StatusCode::Ok,
            2 => StatusCode::Error,
            _ => StatusCode::Unset,
        }
    }

    /// Its name in the query language and the public JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            StatusCode::Unset => "unset",
            StatusCode::Ok => "ok",
            StatusCode::Error => "error",
        }
    }
}

/// A point in a span's life that its code named.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanEvent {
    /// When, by the span's clock.
    pub time: Time,
    /// Its name.
    pub name: String,
    /// Its own attributes.
    pub attributes: Attributes,
    /// How many attributes the SDK cut.
    pub dropped_attributes_count: u32,
}

/// A span's reference to another span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// The tracestate carried with the link.
    pub trace_state: String,
    /// Its own attributes.
    pub attributes: Attributes,
    /// Flags as a span's.
    pub flags: u32,
    /// How many attributes the SDK cut.
    pub dropped_attributes_count: u32,
}

/// A log record as its SDK or agent sent it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// When it happened by the sender's clock; unset where unknown.
    pub time: Time,
    /// When the telemetry pipeline first saw it; unset where unknown.
    pub observed: Time,
    /// OTLP's severity number, 1 (TRACE) to 24 (FATAL4); 0 where the sender gave none.
    pub severity_number: i32,
    /// The severity as the source wrote it; empty where it did not.
    pub severity_text: String,
    /// The event's name, for a log that is a typed event; empty otherwise.
    pub event_name: String,
    /// What it says.
    pub body: Value,
    /// Its own attributes.
    pub attributes: Attributes,
    /// The trace that it was written in; `None` where absent or invalid.
    pub trace_id: Option<TraceId>,
    /// The span that it was written in; `None` where absent or invalid.
    pub span_id: Option<SpanId>,
    /// W3C trace flags in bits 0–7.
    pub flags: u32,
    /// How many attributes the SDK cut.
    pub dropped_attributes_count: u32,
}

impl Log {
    /// The time, or when it was observed where the time is unset.
    pub fn best_time(&self) -> Time {
        if self.time.is_set() { self.time } else { self.observed }
    }

    /// The severity, by number where given, else by its text.
    pub fn severity(&self) -> Option<Severity> {
        Severity::from_number(self.severity_number).or_else(|| Severity::from_name(&self.severity_text))
    }
}

/// A log's severity in OTLP's six ranges, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// 1–4.
    Trace,
    /// 5–8.
    Debug,
    /// 9–12.
    Info,
    /// 13–16.
    Warn,
    /// 17–20.
    Error,
    /// 21–24.
    Fatal,
}

impl Severity {
    /// The range that OTLP's `number` falls in; `None` outside 1–24.
    pub fn from_number(number: i32) -> Option<Severity> {
        Some(match number {
            1..=4 => Severity::Trace,
            5..=8 => Severity::Debug,
            9..=12 => Severity::Info,
            13..=16 => Severity::Warn,
            17..=20 => Severity::Error,
            21..=24 => Severity::Fatal,
            _ => return None,
        })
    }

    /// The severity that loggers call `name`, in any case.
    pub fn from_name(name: &str) -> Option<Severity> {
        Some(match name.to_ascii_lowercase().as_str() {
            "trace" => Severity::Trace,
            "debug" => Severity::Debug,
            "info" | "information" | "notice" => Severity::Info,
            "warn" | "warning" => Severity::Warn,
            "error" | "err" => Severity::Error,
            "fatal" | "critical" | "alert" | "emergency" => Severity::Fatal,
            _ => return None,
        })
    }

    /// Its name in the public JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Trace => "TRACE",
            Severity::Debug => "DEBUG",
            Severity::Info => "INFO",
            Severity::Warn => "WARN",
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
        }
    }
}

impl Body {
    fn record_id(&self, resource: &Resource, scope: &Scope, repeat: u32) -> RecordId {
        let mut hasher = Xxh3::new();
        hasher.update(&resource.digest.to_le_bytes());
        hasher.update(&scope.digest.to_le_bytes());
        match self {
            Body::Span(span) => span.hash_into(&mut hasher),
            Body::Log(log) => {
                log.hash_into(&mut hasher);
                hasher.update(&repeat.to_le_bytes());
            }
        }
        RecordId(hasher.digest128().to_be_bytes())
    }
}

// The canonical form that ids are hashed over: every field in the order below, numbers little-endian,
// texts and lists behind their length. Changing it changes every record id: it is part of the format.
impl Span {
    fn hash_into(&self, hasher: &mut Xxh3) {
        hasher.update(b"span");
        hasher.update(&self.trace_id.0);
        hasher.update(&self.span_id.0);
        hasher.update(&self.parent_span_id.unwrap_or_default().0);
        hash_text(hasher, &self.trace_state);
        hasher.update(&self.flags.to_le_bytes());
        hash_text(hasher, &self.name);
        hasher.update(&[self.kind as u8]);
        hasher.update(&self.start.0.to_le_bytes());
        hasher.update(&self.end.0.to_le_bytes());
        self.attributes.hash_into(hasher);
        hash_length(hasher, self.events.len());
        for event in &self.events {
            hasher.update(&event.time.0.to_le_bytes());
            hash_text(hasher, &event.name);
            event.attributes.hash_into(hasher);
            hasher.update(&event.dropped_attributes_count.to_le_bytes());
        }
        hash_length(hasher, self.links.len());
        for link in &self.links {
            hasher.update(&link.trace_id.0);
            hasher.update(&link.span_id.0);
            hash_text(hasher, &link.trace_state);
            link.attributes.hash_into(hasher);
            hasher.update(&link.flags.to_le_bytes());
            hasher.update(&link.dropped_attributes_count.to_le_bytes());
        }
        hasher.update(&[self.status.code as u8]);
        hash_text(hasher, &self.status.message);
        for count in [self.dropped.attributes, self.dropped.events, self.dropped.links] {
            hasher.update(&count.to_le_bytes());
        }
    }
}

impl Log {
    fn hash_into(&self, hasher: &mut Xxh3) {
        hasher.update(b"log");
        hasher.update(&self.time.0.to_le_bytes());
        hasher.update(&self.observed.0.to_le_bytes());
        hasher.update(&self.severity_number.to_le_bytes());
        hash_text(hasher, &self.severity_text);
        hash_text(hasher, &self.event_name);
        self.body.hash_into(hasher);
        self.attributes.hash_into(hasher);
        hasher.update(&self.trace_id.unwrap_or_default().0);
        hasher.update(&self.span_id.unwrap_or_default().0);
        hasher.update(&self.flags.to_le_bytes());
        hasher.update(&self.dropped_attributes_count.to_le_bytes());
    }
}

pub(crate) fn hash_text(hasher: &mut Xxh3, text: &str) {
    hash_length(hasher, text.len());
    hasher.update(text.as_bytes());
}

pub(crate) fn hash_length(hasher: &mut Xxh3, length: usize) {
    hasher.update(&(length as u64).to_le_bytes());
}

#[cfg(test)]
mod tests;
