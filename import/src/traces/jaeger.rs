//! Jaeger's JSON: the UI's download, the API's answer. The mapping is that of OpenTelemetry's specification
//! "OpenTelemetry to Jaeger Transformation", read backwards. What `backstory export` and its Jaeger API wrote comes in as
//! the records that they were, by the tag [`EXPORT_REST`].

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde::Deserialize;
use serde_json::Value;
use timeline::record::{ADDED_BY_EXPORT, EXPORT_REST};

use super::{failed, id, kind, nanoseconds};
use crate::document;
use crate::input::Input;
use crate::request::{ImportError, Out, Source, attribute, int, json, text};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    #[serde(default)]
    spans: Vec<Value>,
    #[serde(default)]
    processes: std::collections::HashMap<String, Process>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Clone, Deserialize)]
struct Tag {
    key: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JaegerSpan {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    /// Jaeger before 1.0 and its Elasticsearch documents.
    #[serde(default, rename = "parentSpanID")]
    parent_span_id: String,
    /// W3C's and Jaeger's "sampled" is bit 0 in both.
    #[serde(default)]
    flags: u32,
    #[serde(default)]
    operation_name: String,
    #[serde(default)]
    references: Vec<Reference>,
    /// Microseconds since 1970.
    start_time: u64,
    /// Microseconds.
    #[serde(default)]
    duration: u64,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    logs: Option<Vec<Log>>,
    #[serde(default, rename = "processID")]
    process_id: String,
    #[serde(default)]
    process: Option<Process>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default, rename = "refType")]
    kind: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Deserialize)]
struct Log {
    timestamp: u64,
    #[serde(default)]
    fields: Vec<Tag>,
}

/// What [`EXPORT_REST`] says of a span.
#[derive(Default, Deserialize)]
struct SpanRest {
    start: Option<String>,
    end: Option<String>,
    /// Attributes, events and links.
    #[serde(default)]
    cut: [u32; 3],
    /// All links, where one says more than whom it leads to.
    links: Option<Vec<LinkRest>>,
}

#[derive(Deserialize)]
struct LinkRest {
    trace: String,
    span: String,
    state: String,
    flags: u32,
    tags: Vec<Tag>,
    cut: u32,
}

/// What it says of an entry: a span's event, or a log record where `log` is there.
#[derive(Deserialize)]
struct EntryRest {
    time: String,
    #[serde(default)]
    cut: u32,
    /// How many of the fields are the log's own, no attributes.
    log: Option<usize>,
    #[serde(default)]
    observed: String,
    #[serde(default)]
    severity: i32,
    #[serde(default)]
    severity_text: String,
    #[serde(default)]
    flags: u32,
    #[serde(default)]
    scope: (String, String),
    /// The log's process where it is another than its span's.
    process: Option<String>,
    /// The body where it is no text.
    body: Option<Value>,
}

/// Reads every trace under `data`.
pub(crate) fn read(input: &mut Input<'_>, out: &mut Out<'_>) -> Result<(), ImportError> {
    let mut number = 0;
    let fault = document::elements(input, &["data"], &mut |value| {
        let place = format!("data[{number}]");
        number += 1;
        match Trace::deserialize(value) {
            Ok(trace) => read_trace(trace, &place, out),
            Err(error) => {
                out.fault(place, format!("not a trace of Jaeger: {error}"));
                Ok(())
            }
        }
    })?;
    if let Some(what) = fault {
        out.fault(format!("data[{number}]"), what);
    }
    Ok(())
}

fn read_trace(trace: Trace, place: &str, out: &mut Out<'_>) -> Result<(), ImportError> {
    for (number, span) in trace.spans.into_iter().enumerate() {
        match JaegerSpan::deserialize(span) {
            Ok(span) => {
                let own = span.process.clone();
                let process = own.as_ref().or_else(|| trace.processes.get(&span.process_id));
                let (logs, span) = parted(span);
                let (source, span) = converted(span, process);
                for (rest, fields) in logs {
                    let process = rest.process.as_ref().map_or(process, |id| trace.processes.get(id));
                    let (source, log) = log_record(rest, &fields, process, &span);
                    out.log(&source, log)?;
                }
                out.span(&source, span)?;
            }
            Err(error) => out.fault(format!("{place}.spans[{number}]"), error.to_string()),
        }
    }
    Ok(())
}

/// The log records among a span's entries, and the span without them.
fn parted(mut span: JaegerSpan) -> (Vec<(EntryRest, Vec<Tag>)>, JaegerSpan) {
    let mut logs = Vec::new();
    let entries = span.logs.take().unwrap_or_default();
    let events = entries.into_iter().filter_map(|entry| match rest::<EntryRest>(&entry.fields) {
        Some(rest) if rest.log.is_some() => {
            logs.push((rest, entry.fields));
            None
        }
        _ => Some(entry),
    });
    span.logs = Some(events.collect());
    (logs, span)
}

/// What stands in [`EXPORT_REST`], if it is there and ours.
fn rest<T: serde::de::DeserializeOwned>(tags: &[Tag]) -> Option<T> {
    let tag = tags.iter().find(|tag| tag.key == EXPORT_REST)?;
    serde_json::from_str(tag.value.as_str()?).ok()
}

/// A log record that was exported as an entry of `span`.
fn log_record(
    rest: EntryRest,
    fields: &[Tag],
    process: Option<&Process>,
    span: &Span,
) -> (Source, LogRecord) {
    let own = rest.log.unwrap_or_default();
    let said = |name: &str| {
        let field = fields.iter().take(own).find(|field| field.key == name);
        field.and_then(|field| field.value.as_str()).unwrap_or_default().to_owned()
    };
    let body = rest.body.as_ref().map_or_else(|| text(said("message")), json);
    let attributes = fields.iter().skip(own).filter(|field| !field.key.starts_with(ADDED_BY_EXPORT));
    let log = LogRecord {
        time_unix_nano: rest.time.parse().unwrap_or_default(),
        observed_time_unix_nano: rest.observed.parse().unwrap_or_default(),
        severity_number: rest.severity,
        severity_text: rest.severity_text,
        event_name: said("event"),
        body: Some(body),
        attributes: attributes.map(|field| attribute(field.key.clone(), value(field))).collect(),
        dropped_attributes_count: rest.cut,
        flags: rest.flags,
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
    };
    (Source { attributes: process.map(resource).unwrap_or_default(), scope: rest.scope }, log)
}

fn converted(from: JaegerSpan, process: Option<&Process>) -> (Source, Span) {
    let mut source =
        Source { attributes: process.map(resource).unwrap_or_default(), scope: Default::default() };
    let rest: SpanRest = rest(&from.tags).unwrap_or_default();
    let mut span = Span {
        trace_id: id(&from.trace_id, 16),
        span_id: id(&from.span_id, 8),
        parent_span_id: id(&from.parent_span_id, 8),
        name: from.operation_name,
        flags: from.flags,
        start_time_unix_nano: in_full(rest.start, from.start_time),
        end_time_unix_nano: in_full(rest.end, from.start_time.saturating_add(from.duration)),
        dropped_attributes_count: rest.cut[0],
        dropped_events_count: rest.cut[1],
        dropped_links_count: rest.cut[2],
        kind: kind("") as i32,
        events: from.logs.unwrap_or_default().into_iter().map(event).collect(),
        ..Span::default()
    };
    for reference in from.references {
        refer(&mut span, &reference, &from.trace_id);
    }
    if let Some(links) = rest.links {
        span.links = links.into_iter().map(link).collect();
    }
    for tag in from.tags {
        read_tag(&mut span, &mut source, &tag);
    }
    for warning in from.warnings.unwrap_or_default() {
        span.attributes.push(attribute("jaeger.warning", text(warning)));
    }
    (source, span)
}

/// The nanoseconds that were written out, else those that the microseconds give.
fn in_full(written: Option<String>, microseconds: u64) -> u64 {
    written.and_then(|written| written.parse().ok()).unwrap_or_else(|| nanoseconds(microseconds))
}

/// The first reference of the own trace that says child-of is the parent; every other is a link.
fn refer(span: &mut Span, reference: &Reference, own_trace: &str) {
    let child = reference.kind != "FOLLOWS_FROM";
    if child && span.parent_span_id.is_empty() && reference.trace_id == own_trace {
        span.parent_span_id = id(&reference.span_id, 8);
        return;
    }
    let linked = id(&reference.span_id, 8);
    if linked == span.parent_span_id && reference.trace_id == own_trace {
        return; // the parent, named twice
    }
    // A link is taken to follow; a second parent says that it is one.
    let kind = child.then(|| attribute("opentracing.ref_type", text("child_of")));
    span.links.push(Link {
        trace_id: id(&reference.trace_id, 16),
        span_id: linked,
        attributes: kind.into_iter().collect(),
        ..Link::default()
    });
}

fn link(from: LinkRest) -> Link {
    Link {
        trace_id: id(&from.trace, 16),
        span_id: id(&from.span, 8),
        trace_state: from.state,
        attributes: from.tags.iter().map(|tag| attribute(tag.key.clone(), value(tag))).collect(),
        dropped_attributes_count: from.cut,
        flags: from.flags,
    }
}

fn resource(process: &Process) -> Vec<KeyValue> {
    let named = |key: &str| process.tags.iter().any(|tag| tag.key == key);
    let host = (!named("host.name")).then(|| process.tags.iter().find(|tag| tag.key == "hostname")).flatten();
    let host = host.map(|tag| attribute("host.name", value(tag)));
    let mut attributes = vec![attribute("service.name", text(process.service_name.clone()))];
    attributes.extend(host);
    attributes.extend(process.tags.iter().map(|tag| attribute(tag.key.clone(), value(tag))));
    attributes
}

fn read_tag(span: &mut Span, source: &mut Source, tag: &Tag) {
    let as_text = || tag.value.as_str().unwrap_or_default().to_owned();
    let is_error = |tag: &Tag| tag.value == Value::Bool(true) || tag.value.as_str() == Some("true");
    match tag.key.as_str() {
        "span.kind" => span.kind = kind(&as_text()) as i32,
        "w3c.tracestate" => span.trace_state = as_text(),
        "otel.scope.name" | "otel.library.name" => source.scope.0 = as_text(),
        "otel.scope.version" | "otel.library.version" => source.scope.1 = as_text(),
        "otel.status_description" => span.status.get_or_insert_default().message = as_text(),
        "otel.status_code" => {
            let code = if as_text() == "ERROR" { StatusCode::Error } else { StatusCode::Ok };
            span.status.get_or_insert_default().code = code as i32;
        }
        "error" if is_error(tag) => {
            let message = span.status.take().map(|status: Status| status.message).unwrap_or_default();
            span.status = Some(failed(&message));
        }
        "internal.span.format" => {}
        added if added.starts_with(ADDED_BY_EXPORT) => {}
        _ => span.attributes.push(attribute(tag.key.clone(), value(tag))),
    }
}

fn event(log: Log) -> Event {
    let rest: Option<EntryRest> = rest(&log.fields);
    let (time, cut) = rest.map_or((None, 0), |rest| (Some(rest.time), rest.cut));
    let mut event = Event {
        time_unix_nano: in_full(time, log.timestamp),
        dropped_attributes_count: cut,
        ..Event::default()
    };
    for field in log.fields {
        match (field.key.as_str(), field.value.as_str()) {
            (added, _) if added.starts_with(ADDED_BY_EXPORT) => {}
            ("event", Some(name)) if event.name.is_empty() => event.name = name.to_owned(),
            _ => event.attributes.push(attribute(field.key.clone(), value(&field))),
        }
    }
    event
}

/// A tag's value by its type; whole numbers may be written as texts, since JavaScript would round them.
fn value(tag: &Tag) -> AnyValue {
    let digits = tag.value.as_str();
    match tag.kind.as_str() {
        "int64" => match digits.and_then(|digits| digits.parse().ok()) {
            Some(number) => int(number),
            None => json(&tag.value),
        },
        "bool" if digits.is_some() => json(&Value::Bool(digits == Some("true"))),
        "float64" => match digits.and_then(|digits| digits.parse().ok()) {
            Some(number) => AnyValue { value: Some(any_value::Value::DoubleValue(number)) },
            None => AnyValue { value: tag.value.as_f64().map(any_value::Value::DoubleValue) },
        },
        "binary" => match digits.and_then(|digits| BASE64_STANDARD.decode(digits).ok()) {
            Some(bytes) => AnyValue { value: Some(any_value::Value::BytesValue(bytes)) },
            None => json(&tag.value),
        },
        _ => json(&tag.value),
    }
}
