//! Jaeger's JSON, as its API answers and its UI uploads and downloads it.
//!
//! Its times are microseconds, its logs are entries of spans: what that loses stands in the tag [`EXPORT_REST`],
//! so that `backstory import` makes the same record of it again.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};
use timeline::id::{SpanId, TraceId};
use timeline::record::{Dropped, EXPORT_REST, Link, Log, Record, Span, SpanEvent, StatusCode};
use timeline::time::Time;
use timeline::value::{Attributes, Value};

use super::format::Export;

/// The traces of `records`. Logs stand on their spans; those of no span that is here have no place.
pub fn jaeger(records: &[Record]) -> Export {
    let (traces, homeless) = gathered(records);
    let data: Vec<Json> = traces.iter().map(|(id, trace)| trace.to_json(*id)).collect();
    let text = super::json::json(
        &json!({ "data": data, "total": data.len(), "limit": 0, "offset": 0, "errors": null }),
    );
    let folded = (homeless > 0).then(|| {
        format!("Jaeger keeps logs on spans: {homeless} log records of no trace that is here are left out (otlp has all)")
    });
    Export { text, folded }
}

/// The traces of `records` one by one, the latest to begin first.
pub fn jaeger_traces(records: &[Record]) -> Vec<Json> {
    let (traces, _) = gathered(records);
    let mut traces: Vec<(TraceId, Trace<'_>)> = traces.into_iter().collect();
    traces.sort_by_key(|(_, trace)| std::cmp::Reverse(trace.start())); // stable: equal starts stay by id
    traces.iter().map(|(id, trace)| trace.to_json(*id)).collect()
}

/// The traces, and how many logs have no place in them.
fn gathered(records: &[Record]) -> (BTreeMap<TraceId, Trace<'_>>, usize) {
    let mut traces: BTreeMap<TraceId, Trace<'_>> = BTreeMap::new();
    for record in records {
        if let Some(span) = record.as_span() {
            traces.entry(span.trace_id).or_default().add(record, span);
        }
    }
    let mut homeless = 0;
    for record in records {
        let Some(log) = record.as_log() else { continue };
        let placed = log.trace_id.zip(log.span_id).and_then(|(trace, span)| {
            let trace = traces.get_mut(&trace).filter(|trace| trace.has(span))?;
            trace.number(record);
            trace.logs.entry(span).or_default().push((record, log));
            Some(())
        });
        homeless += usize::from(placed.is_none());
    }
    traces.values_mut().for_each(Trace::sort);
    (traces, homeless)
}

#[derive(Default)]
struct Trace<'a> {
    spans: Vec<(&'a Record, &'a Span)>,
    logs: BTreeMap<SpanId, Vec<(&'a Record, &'a Log)>>,
    /// The number of each resource by its hash, and a record that has it.
    processes: BTreeMap<u128, (usize, &'a Record)>,
}

impl<'a> Trace<'a> {
    fn add(&mut self, record: &'a Record, span: &'a Span) {
        self.number(record);
        self.spans.push((record, span));
    }

    fn number(&mut self, record: &'a Record) {
        let next = self.processes.len() + 1;
        self.processes.entry(record.resource.digest()).or_insert((next, record));
    }

    fn has(&self, span: SpanId) -> bool {
        self.spans.iter().any(|(_, own)| own.span_id == span)
    }

    fn start(&self) -> Option<Time> {
        self.spans.iter().map(|(_, span)| span.start).min()
    }

    fn sort(&mut self) {
        self.spans.sort_by_key(|(record, span)| (span.start, record.id));
        self.logs
            .values_mut()
            .for_each(|logs| logs.sort_by_key(|(record, log)| (log.best_time(), record.id)));
    }

    fn to_json(&self, id: TraceId) -> Json {
        let processes: serde_json::Map<String, Json> =
            self.processes.values().map(|(_, record)| (self.process(record), process(record))).collect();
        let spans: Vec<Json> = self.spans.iter().map(|(record, span)| self.span(record, span)).collect();
        json!({ "traceID": id, "spans": spans, "processes": processes, "warnings": null })
    }

    fn process(&self, record: &Record) -> String {
        let number = self.processes.get(&record.resource.digest()).map(|(number, _)| *number);
        format!("p{}", number.unwrap_or_default())
    }

    fn span(&self, record: &Record, span: &Span) -> Json {
        let reference = |kind: &str, trace: TraceId, span: SpanId| json!({ "refType": kind, "traceID": trace, "spanID": span });
        let parent = span.parent_span_id.map(|parent| reference("CHILD_OF", span.trace_id, parent));
        let links = span.links.iter().map(|link| reference("FOLLOWS_FROM", link.trace_id, link.span_id));
        let logs = self.logs.get(&span.span_id).into_iter().flatten();
        let entries = span
            .events
            .iter()
            .map(event_entry)
            .chain(logs.map(|(own, log)| self.log_entry(record, own, log)));
        json!({
            "traceID": span.trace_id,
            "spanID": span.span_id,
            "flags": span.flags,
            "operationName": span.name,
            "references": parent.into_iter().chain(links).collect::<Vec<_>>(),
            "startTime": microseconds(span.start),
            "duration": duration(span),
            "tags": span_tags(record, span),
            "logs": entries.collect::<Vec<_>>(),
            "processID": self.process(record),
            "warnings": null,
        })
    }

    /// A log record, as an entry of the span of `owner`.
    fn log_entry(&self, owner: &Record, record: &Record, log: &Log) -> Json {
        let mut fields = Vec::new();
        if !log.event_name.is_empty() {
            fields.push(tag("event", &log.event_name.as_str().into()));
        }
        if let Some(severity) = log.severity() {
            fields.push(tag("level", &severity.as_str().into()));
        }
        fields.push(tag("message", &log.body.to_text().as_ref().into()));
        let mut rest = json!({
            // So many fields are the log's own, no attributes.
            "log": fields.len(),
            "time": nanoseconds(log.time),
            "observed": nanoseconds(log.observed),
            "severity": log.severity_number,
            "severity_text": log.severity_text,
            "flags": log.flags,
            "scope": [record.scope.name, record.scope.version],
            "cut": log.dropped_attributes_count,
        });
        if record.resource.digest() != owner.resource.digest() {
            rest["process"] = self.process(record).into();
        }
        if log.body.as_str().is_none() {
            rest["body"] = log.body.to_json();
        }
        fields.extend(tags(&log.attributes));
        fields.push(rest_tag(&rest));
        json!({ "timestamp": microseconds(log.best_time()), "fields": fields })
    }
}

fn process(record: &Record) -> Json {
    let own = record.resource.attributes.iter().filter(|(key, _)| *key != "service.name");
    let tags: Vec<Json> = own.map(|(key, value)| tag(key, value)).collect();
    json!({ "serviceName": record.resource.service(), "tags": tags })
}

fn span_tags(record: &Record, span: &Span) -> Vec<Json> {
    let mut tags = tags(&span.attributes);
    tags.push(tag("span.kind", &span.kind.as_str().into()));
    match span.status.code {
        StatusCode::Unset => {}
        StatusCode::Ok => tags.push(tag("otel.status_code", &"OK".into())),
        StatusCode::Error => {
            tags.push(tag("otel.status_code", &"ERROR".into()));
            tags.push(tag("error", &Value::Bool(true)));
        }
    }
    let texts = [
        ("otel.status_description", &span.status.message),
        ("otel.scope.name", &record.scope.name),
        ("otel.scope.version", &record.scope.version),
        ("w3c.tracestate", &span.trace_state),
    ];
    let said = texts.into_iter().filter(|(_, text)| !text.is_empty());
    tags.extend(said.map(|(key, text)| tag(key, &text.as_str().into())));
    let mut rest = serde_json::Map::new();
    if !span.start.0.is_multiple_of(1_000) {
        rest.insert("start".to_owned(), nanoseconds(span.start));
    }
    if span.end.0 != (microseconds(span.start) + duration(span)) * 1_000 {
        rest.insert("end".to_owned(), nanoseconds(span.end));
    }
    let Dropped { attributes, events, links } = span.dropped;
    if span.dropped.any() {
        rest.insert("cut".to_owned(), json!([attributes, events, links]));
    }
    let bare =
        |link: &Link| *link == Link { trace_id: link.trace_id, span_id: link.span_id, ..Link::default() };
    if !span.links.iter().all(bare) {
        rest.insert("links".to_owned(), span.links.iter().map(link).collect());
    }
    if !rest.is_empty() {
        tags.push(rest_tag(&Json::Object(rest)));
    }
    tags
}

/// A link with what a reference has no room for.
fn link(link: &Link) -> Json {
    json!({
        "trace": link.trace_id,
        "span": link.span_id,
        "state": link.trace_state,
        "flags": link.flags,
        "tags": tags(&link.attributes),
        "cut": link.dropped_attributes_count,
    })
}

fn event_entry(event: &SpanEvent) -> Json {
    let mut fields = vec![tag("event", &event.name.as_str().into())];
    fields.extend(tags(&event.attributes));
    if !event.time.0.is_multiple_of(1_000) || event.dropped_attributes_count > 0 {
        fields.push(rest_tag(
            &json!({ "time": nanoseconds(event.time), "cut": event.dropped_attributes_count }),
        ));
    }
    json!({ "timestamp": microseconds(event.time), "fields": fields })
}

fn rest_tag(rest: &Json) -> Json {
    tag(EXPORT_REST, &Value::Text(rest.to_string()))
}

/// A time in full: as text, since JavaScript would round the number.
fn nanoseconds(time: Time) -> Json {
    time.0.to_string().into()
}

fn microseconds(time: Time) -> u64 {
    time.0 / 1_000
}

/// A span's length in microseconds; 0 where it ends before it starts, or not at all.
fn duration(span: &Span) -> u64 {
    u64::try_from(span.end.since(span.start)).unwrap_or_default() / 1_000
}

fn tags(attributes: &Attributes) -> Vec<Json> {
    attributes.iter().map(|(key, value)| tag(key, value)).collect()
}

fn tag(key: &str, value: &Value) -> Json {
    let (kind, value) = match value {
        Value::Bool(truth) => ("bool", Json::from(*truth)),
        Value::Int(number) => ("int64", Json::from(*number)),
        Value::Double(number) if number.is_finite() => ("float64", Json::from(*number)),
        Value::Bytes(bytes) => ("binary", Json::from(BASE64_STANDARD.encode(bytes))),
        other => ("string", Json::from(other.to_text())),
    };
    json!({ "key": key, "type": kind, "value": value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::story;

    #[test]
    fn spans_and_their_logs_stand_in_their_traces() {
        let made = jaeger(&story::records());
        let read: Json = serde_json::from_str(&made.text).expect("JSON");
        let traces = read["data"].as_array().expect("traces");
        assert_eq!(traces.len(), 2);
        let spans = traces[0]["spans"].as_array().expect("spans");
        assert_eq!(spans.len(), 9);
        assert!(made.text.contains("client went away"));
        assert_eq!(made.folded, None);
        assert_eq!(traces[1]["spans"][0]["references"][0]["refType"], "FOLLOWS_FROM");
    }

    #[test]
    fn the_latest_trace_comes_first_and_its_spans_in_order() {
        let traces = jaeger_traces(&story::records());
        let starts = |trace: &Json| -> Vec<u64> {
            let spans = trace["spans"].as_array().expect("spans");
            spans.iter().filter_map(|span| span["startTime"].as_u64()).collect()
        };
        let (first, second) = (starts(&traces[0]), starts(&traces[1]));
        assert!(first[0] > second[0] && second.is_sorted(), "{first:?} {second:?}");
    }
}
