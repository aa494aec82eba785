//! Records as lines of JSON, nothing lost: what is read back has the id that was written.
//!
//! The shape is OTLP/JSON's, but for values, whose kinds JSON must not confuse: a double that JSON has no number for is
//! written by its bits.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hlc::Stamp;
use serde::{Deserialize, Serialize};
use timeline::id::{RecordId, SpanId, TraceId};
use timeline::record::{
    self, Body, Dropped, Link, Log, Record, Resource, Scope, SpanEvent, SpanKind, Status, StatusCode,
};
use timeline::time::Time;
use timeline::value::{Attributes, Value};

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    /// The next resource.
    Resource(ResourceLine),
    /// The next scope.
    Scope(ScopeLine),
    /// The next record.
    Record(Box<RecordLine>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceLine {
    attributes: Pairs,
    #[serde(default, skip_serializing_if = "is_zero")]
    dropped: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeLine {
    name: String,
    version: String,
    attributes: Pairs,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordLine {
    /// The hash of its content, and of its resource's and scope's.
    pub(super) id: RecordId,
    position: String,
    arrival: Option<Stamp>,
    #[serde(default, skip_serializing_if = "is_zero")]
    repeat: u32,
    /// Numbers of lines, each kind counted by itself from 0.
    resource: usize,
    scope: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<SpanLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<LogLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpanLine {
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    trace_state: String,
    flags: u32,
    name: String,
    kind: SpanKind,
    start: u64,
    end: u64,
    attributes: Pairs,
    events: Vec<EventLine>,
    links: Vec<LinkLine>,
    status: StatusCode,
    message: String,
    /// Attributes, events and links.
    dropped: [u32; 3],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine {
    time: u64,
    name: String,
    attributes: Pairs,
    dropped: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkLine {
    trace_id: TraceId,
    span_id: SpanId,
    trace_state: String,
    attributes: Pairs,
    flags: u32,
    dropped: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogLine {
    time: u64,
    observed: u64,
    severity: i32,
    severity_text: String,
    event_name: String,
    body: ValueLine,
    attributes: Pairs,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    flags: u32,
    dropped: u32,
}

/// Keys and values; a key once.
type Pairs = Vec<(String, ValueLine)>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ValueLine {
    Empty,
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    /// A double that is no finite number, by its bits.
    Bits(u64),
    /// In base64.
    Bytes(String),
    List(Vec<ValueLine>),
    Map(Pairs),
}

/// Why a line says nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("it names a resource or scope that did not come")]
    Unknown,
    #[error("{0}")]
    Position(#[from] record::ParsePositionError),
    #[error("bytes in it are not in base64")]
    Base64,
    #[error("it is neither a span nor a log record")]
    Bodiless,
    #[error("record {0}: its content has another hash")]
    Hash(RecordId),
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl ResourceLine {
    pub(super) fn of(resource: &Resource) -> ResourceLine {
        ResourceLine { attributes: pairs(&resource.attributes), dropped: resource.dropped_attributes_count }
    }

    pub(super) fn resource(self) -> Result<Resource, LineError> {
        Ok(Resource::new(attributes(self.attributes)?, self.dropped))
    }
}

impl ScopeLine {
    pub(super) fn of(scope: &Scope) -> ScopeLine {
        let attributes = pairs(&scope.attributes);
        ScopeLine { name: scope.name.clone(), version: scope.version.clone(), attributes }
    }

    pub(super) fn scope(self) -> Result<Scope, LineError> {
        Ok(Scope::new(self.name, self.version, attributes(self.attributes)?))
    }
}

impl RecordLine {
    /// The line of a record whose resource and scope have these numbers.
    pub(super) fn of(record: &Record, resource: usize, scope: usize) -> RecordLine {
        let (span, log) = match &record.body {
            Body::Span(span) => (Some(SpanLine::of(span)), None),
            Body::Log(log) => (None, Some(LogLine::of(log))),
        };
        RecordLine {
            id: record.id,
            position: record.position.to_string(),
            arrival: record.arrival,
            repeat: record.repeat,
            resource,
            scope,
            span,
            log,
        }
    }

    /// The record; its content has the hash that the line states.
    pub(super) fn record(
        self,
        resources: &[Arc<Resource>],
        scopes: &[Arc<Scope>],
    ) -> Result<Record, LineError> {
        let (Some(resource), Some(scope)) = (resources.get(self.resource), scopes.get(self.scope)) else {
            return Err(LineError::Unknown);
        };
        let body = match (self.span, self.log) {
            (Some(span), None) => Body::Span(span.span()?),
            (None, Some(log)) => Body::Log(log.log()?),
            _ => return Err(LineError::Bodiless),
        };
        let (resource, scope) = (Arc::clone(resource), Arc::clone(scope));
        let record = Record::new(self.position.parse()?, self.arrival, resource, scope, body, self.repeat);
        if record.id == self.id { Ok(record) } else { Err(LineError::Hash(self.id)) }
    }
}

impl SpanLine {
    fn of(span: &record::Span) -> SpanLine {
        let event = |event: &SpanEvent| EventLine {
            time: event.time.0,
            name: event.name.clone(),
            attributes: pairs(&event.attributes),
            dropped: event.dropped_attributes_count,
        };
        let link = |link: &Link| LinkLine {
            trace_id: link.trace_id,
            span_id: link.span_id,
            trace_state: link.trace_state.clone(),
            attributes: pairs(&link.attributes),
            flags: link.flags,
            dropped: link.dropped_attributes_count,
        };
        SpanLine {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            trace_state: span.trace_state.clone(),
            flags: span.flags,
            name: span.name.clone(),
            kind: span.kind,
            start: span.start.0,
            end: span.end.0,
            attributes: pairs(&span.attributes),
            events: span.events.iter().map(event).collect(),
            links: span.links.iter().map(link).collect(),
            status: span.status.code,
            message: span.status.message.clone(),
            dropped: [span.dropped.attributes, span.dropped.events, span.dropped.links],
        }
    }

    fn span(self) -> Result<record::Span, LineError> {
        let event = |event: EventLine| {
            Ok(SpanEvent {
                time: Time(event.time),
                name: event.name,
                attributes: attributes(event.attributes)?,
                dropped_attributes_count: event.dropped,
            })
        };
        let link = |link: LinkLine| {
            Ok(Link {
                trace_id: link.trace_id,
                span_id: link.span_id,
                trace_state: link.trace_state,
                attributes: attributes(link.attributes)?,
                flags: link.flags,
                dropped_attributes_count: link.dropped,
            })
        };
        let [dropped_attributes, events, links] = self.dropped;
        Ok(record::Span {
            trace_id: self.trace_id,
            span_id: self.span_id,
            parent_span_id: self.parent_span_id,
            trace_state: self.trace_state,
            flags: self.flags,
            name: self.name,
            kind: self.kind,
            start: Time(self.start),
            end: Time(self.end),
            attributes: attributes(self.attributes)?,
            events: self.events.into_iter().map(event).collect::<Result<_, LineError>>()?,
            links: self.links.into_iter().map(link).collect::<Result<_, LineError>>()?,
            status: Status { code: self.status, message: self.message },
            dropped: Dropped { attributes: dropped_attributes, events, links },
        })
    }
}

impl LogLine {
    fn of(log: &Log) -> LogLine {
        LogLine {
            time: log.time.0,
            observed: log.observed.0,
            severity: log.severity_number,
            severity_text: log.severity_text.clone(),
            event_name: log.event_name.clone(),
            body: ValueLine::of(&log.body),
            attributes: pairs(&log.attributes),
            trace_id: log.trace_id,
            span_id: log.span_id,
            flags: log.flags,
            dropped: log.dropped_attributes_count,
        }
    }

    fn log(self) -> Result<Log, LineError> {
        Ok(Log {
            time: Time(self.time),
            observed: Time(self.observed),
            severity_number: self.severity,
            severity_text: self.severity_text,
            event_name: self.event_name,
            body: self.body.value()?,
            attributes: attributes(self.attributes)?,
            trace_id: self.trace_id,
            span_id: self.span_id,
            flags: self.flags,
            dropped_attributes_count: self.dropped,
        })
    }
}

fn pairs(attributes: &Attributes) -> Pairs {
    attributes.iter().map(|(key, value)| (key.to_owned(), ValueLine::of(value))).collect()
}

fn attributes(pairs: Pairs) -> Result<Attributes, LineError> {
    let values = pairs.into_iter().map(|(key, value)| Ok((key, value.value()?)));
    Ok(values.collect::<Result<Vec<_>, LineError>>()?.into_iter().collect())
}

impl ValueLine {
    fn of(value: &Value) -> ValueLine {
        match value {
            Value::Empty => ValueLine::Empty,
            Value::Text(text) => ValueLine::Text(text.clone()),
            Value::Bool(truth) => ValueLine::Bool(*truth),
            Value::Int(number) => ValueLine::Int(*number),
            Value::Double(number) if number.is_finite() => ValueLine::Double(*number),
            Value::Double(number) => ValueLine::Bits(number.to_bits()),
            Value::Bytes(bytes) => ValueLine::Bytes(STANDARD.encode(bytes)),
            Value::Array(values) => ValueLine::List(values.iter().map(ValueLine::of).collect()),
            Value::Map(map) => ValueLine::Map(pairs(map)),
        }
    }

    fn value(self) -> Result<Value, LineError> {
        Ok(match self {
            ValueLine::Empty => Value::Empty,
            ValueLine::Text(text) => Value::Text(text),
            ValueLine::Bool(truth) => Value::Bool(truth),
            ValueLine::Int(number) => Value::Int(number),
            ValueLine::Double(number) => Value::Double(number),
            ValueLine::Bits(bits) => Value::Double(f64::from_bits(bits)),
            ValueLine::Bytes(text) => Value::Bytes(STANDARD.decode(text).map_err(|_| LineError::Base64)?),
            ValueLine::List(values) => {
                Value::Array(values.into_iter().map(ValueLine::value).collect::<Result<_, _>>()?)
            }
            ValueLine::Map(pairs) => Value::Map(attributes(pairs)?),
        })
    }
}
