//! Records as OTLP/JSON requests: what any collector's file receiver takes, and our own import.
//!
//! Times and contents are those of the records, never changed. What the timeline says beside them stands in
//! attributes whose names begin with [`ADDED_BY_EXPORT`]; an import takes them away again, so that a record that was exported
//! and imported is the same record.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use timeline::document::{Event, EventKind, Timeline};
use timeline::id::RecordId;
use timeline::record::{ADDED_BY_EXPORT, Body, Link, Log, Record, Resource, Scope, Span, SpanEvent};
use timeline::time::Time;
use timeline::value::{Attributes, Value};

/// So many records stand in one request: a line stays below the megabyte that file receivers read.
const RECORDS_MAX: usize = 200;

/// The requests that say what `records` say, in an order that depends on nothing but the records. Of equal ids one
/// stands. With `told`, what that timeline made of them is added.
pub fn otlp(records: Vec<Record>, told: Option<&Timeline>) -> Vec<Json> {
    let mut records = records;
    // Equal log records lie side by side: they must stay in one request, whose import counts them.
    records.sort_by(|a, b| key(a).cmp(&key(b)));
    records.dedup_by(|a, b| a.id == b.id);
    let corrections = told.map(corrections).unwrap_or_default();
    let requests = records.chunk_by(|a, b| group(a) == group(b)).flat_map(split);
    requests.map(|some| request(some, &corrections)).collect()
}

fn key(record: &Record) -> (u128, bool, &str, &str, Time, RecordId) {
    let (digest, is_log, name, version) = group(record);
    (digest, is_log, name, version, record.time(), record.id)
}

/// What stands once over the records of a request.
fn group(record: &Record) -> (u128, bool, &str, &str) {
    let scope = &record.scope;
    (record.resource.digest(), record.as_log().is_some(), scope.name.as_str(), scope.version.as_str())
}

/// Pieces of at most some hundred records, cut only where the time changes.
fn split(mut records: &[Record]) -> Vec<&[Record]> {
    let mut pieces = Vec::new();
    while records.len() > RECORDS_MAX {
        let cut = (RECORDS_MAX..records.len()).find(|at| records[*at].time() != records[at - 1].time());
        let (piece, rest) = records.split_at(cut.unwrap_or(records.len()));
        pieces.push(piece);
        records = rest;
    }
    if !records.is_empty() {
        pieces.push(records);
    }
    pieces
}

fn request(records: &[Record], corrections: &HashMap<RecordId, Correction>) -> Json {
    let Some(first) = records.first() else { return json!({}) };
    let scopes = records.chunk_by(|a, b| a.scope == b.scope);
    let resource = resource(&first.resource);
    match first.body {
        Body::Span(_) => {
            let spans = |some: &[Record]| -> Vec<Json> {
                let spans = some.iter().filter_map(|record| Some((record, record.as_span()?)));
                spans.map(|(record, own)| span(own, &added(record, corrections))).collect()
            };
            let scopes: Vec<Json> =
                scopes.map(|some| json!({ "scope": scope(&some[0].scope), "spans": spans(some) })).collect();
            json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": scopes }] })
        }
        Body::Log(_) => {
            let logs = |some: &[Record]| -> Vec<Json> {
                let logs = some.iter().filter_map(|record| Some((record, record.as_log()?)));
                logs.map(|(record, own)| log(own, &added(record, corrections))).collect()
            };
            let scopes: Vec<Json> = scopes
                .map(|some| json!({ "scope": scope(&some[0].scope), "logRecords": logs(some) }))
                .collect();
            json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": scopes }] })
        }
    }
}

/// What a timeline says of a record's times.
#[derive(Default)]
struct Correction {
    start: Option<Time>,
    end: Option<Time>,
    error_ns: Option<u64>,
}

fn corrections(told: &Timeline) -> HashMap<RecordId, Correction> {
    let mut corrections: HashMap<RecordId, Correction> = HashMap::new();
    let own = |event: &&Event| event.kind != EventKind::SpanEvent;
    for event in told.events.iter().filter(own) {
        let correction = corrections.entry(event.record).or_default();
        match event.kind {
            EventKind::SpanEnd => correction.end = Some(event.corrected),
            _ => correction.start = Some(event.corrected),
        }
        correction.error_ns = event.error_ns;
    }
    corrections
}

/// The attributes that are added to a record's own.
fn added(record: &Record, corrections: &HashMap<RecordId, Correction>) -> Vec<Json> {
    let mut added = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        added.extend(value.map(
            |value| json!({ "key": format!("{ADDED_BY_EXPORT}{name}"), "value": { "stringValue": value } }),
        ));
    };
    let Some(correction) = corrections.get(&record.id) else { return added };
    add("arrival", record.arrival.map(|stamp| stamp.to_string()));
    add("corrected", correction.start.map(|time| time.to_string()));
    add("corrected_end", correction.end.map(|time| time.to_string()));
    add("error_ns", correction.error_ns.map(|ns| ns.to_string()));
    added
}

fn resource(resource: &Resource) -> Json {
    json!({
        "attributes": attributes(&resource.attributes),
        "droppedAttributesCount": resource.dropped_attributes_count,
    })
}

fn scope(scope: &Scope) -> Json {
    json!({ "name": scope.name, "version": scope.version, "attributes": attributes(&scope.attributes) })
}

fn span(span: &Span, added: &[Json]) -> Json {
    let parent = span.parent_span_id.map(|id| id.to_string()).unwrap_or_default();
    json!({
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": parent,
        "traceState": span.trace_state,
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind as i32 + 1,
        "startTimeUnixNano": nanoseconds(span.start),
        "endTimeUnixNano": nanoseconds(span.end),
        "attributes": with(&span.attributes, added),
        "droppedAttributesCount": span.dropped.attributes,
        "events": span.events.iter().map(event).collect::<Vec<_>>(),
        "droppedEventsCount": span.dropped.events,
        "links": span.links.iter().map(link).collect::<Vec<_>>(),
        "droppedLinksCount": span.dropped.links,
        "status": { "code": span.status.code as i32, "message": span.status.message },
    })
}

fn event(event: &SpanEvent) -> Json {
    json!({
        "timeUnixNano": nanoseconds(event.time),
        "name": event.name,
        "attributes": attributes(&event.attributes),
        "droppedAttributesCount": event.dropped_attributes_count,
    })
}

fn link(link: &Link) -> Json {
    json!({
        "traceId": link.trace_id,
        "spanId": link.span_id,
        "traceState": link.trace_state,
        "attributes": attributes(&link.attributes),
        "flags": link.flags,
        "droppedAttributesCount": link.dropped_attributes_count,
    })
}

fn log(log: &Log, added: &[Json]) -> Json {
    let mut json = json!({
        "timeUnixNano": nanoseconds(log.time),
        "observedTimeUnixNano": nanoseconds(log.observed),
        "severityNumber": log.severity_number,
        "severityText": log.severity_text,
        "eventName": log.event_name,
        "attributes": with(&log.attributes, added),
        "flags": log.flags,
        "droppedAttributesCount": log.dropped_attributes_count,
        "traceId": log.trace_id.map(|id| id.to_string()).unwrap_or_default(),
        "spanId": log.span_id.map(|id| id.to_string()).unwrap_or_default(),
    });
    if log.body != Value::Empty {
        json["body"] = value(&log.body);
    }
    json
}

/// OTLP/JSON writes 64-bit numbers as texts.
fn nanoseconds(time: Time) -> String {
    time.0.to_string()
}

fn with(own: &Attributes, added: &[Json]) -> Vec<Json> {
    let mut all = attributes(own);
    all.extend_from_slice(added);
    all
}

fn attributes(attributes: &Attributes) -> Vec<Json> {
    attributes.iter().map(|(key, of)| json!({ "key": key, "value": value(of) })).collect()
}

fn value(of: &Value) -> Json {
    match of {
        Value::Empty => json!({}),
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Bool(truth) => json!({ "boolValue": truth }),
        Value::Int(number) => json!({ "intValue": number.to_string() }),
        Value::Double(number) if number.is_finite() => json!({ "doubleValue": number }),
        Value::Double(number) if number.is_nan() => json!({ "doubleValue": "NaN" }),
        Value::Double(number) => {
            json!({ "doubleValue": if *number > 0.0 { "Infinity" } else { "-Infinity" } })
        }
        Value::Bytes(bytes) => json!({ "bytesValue": STANDARD.encode(bytes) }),
        Value::Array(values) => {
            json!({ "arrayValue": { "values": values.iter().map(value).collect::<Vec<_>>() } })
        }
        Value::Map(map) => json!({ "kvlistValue": { "values": attributes(map) } }),
    }
}

#[cfg(test)]
mod tests {
    use journal::otlp::{Encoding, Signal, decode};
    use proptest::prelude::*;
    use timeline::record::Position;

    use super::*;
    use crate::export::story;

    /// The records that a receiver makes of requests.
    fn received(requests: &[Json]) -> Vec<Record> {
        let of = |request: &Json| {
            let signal = if request.get("resourceSpans").is_some() { Signal::Traces } else { Signal::Logs };
            let body = request.to_string();
            decode(signal, Encoding::Json, body.as_bytes(), &[], Position::default(), None)
                .expect("a request")
        };
        requests.iter().flat_map(of).collect()
    }

    fn ids(records: &[Record]) -> Vec<RecordId> {
        let mut ids: Vec<RecordId> = records.iter().map(|record| record.id).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn what_is_received_of_an_export_is_what_was_exported() {
        let records = story::records();
        assert_eq!(ids(&received(&otlp(records.clone(), None))), ids(&records));
    }

    #[test]
    fn the_order_of_the_records_changes_nothing() {
        let mut records = story::records();
        let first = otlp(records.clone(), None);
        records.reverse();
        records.extend(story::records());
        assert_eq!(otlp(records, None), first);
    }

    #[test]
    fn corrections_stand_beside_raw_times() {
        let requests = otlp(story::records(), Some(&story::story()));
        let text = Json::from(requests).to_string();
        assert!(text.contains("backstory.export.corrected_end"));
        assert!(text.contains("\"startTimeUnixNano\":\"1795428000000000007\""));
    }

    #[test]
    fn many_records_are_many_requests_and_equal_logs_stay_together() {
        let log = |second: u64, repeat| {
            let body =
                Log { time: Time(1_763_892_000_000_000_000 + second), body: "tick".into(), ..Log::default() };
            let one = &story::records()[0];
            let (resource, scope) = (one.resource.clone(), one.scope.clone());
            Record::new(Position::default(), None, resource, scope, Body::Log(body), repeat)
        };
        let records: Vec<Record> =
            (0..150).flat_map(|second| (0..3).map(move |repeat| log(second, repeat))).collect();
        let requests = otlp(records.clone(), None);
        assert_eq!(requests.len(), 3);
        assert_eq!(ids(&received(&requests)), ids(&records));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Empty),
            any::<String>().prop_map(Value::Text),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_filter("NaN has many forms", |number| !number.is_nan()).prop_map(Value::Double),
            Just(Value::Double(f64::NAN)),
            any::<Vec<u8>>().prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let map = prop::collection::vec((any::<String>(), inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::Array),
                map.prop_map(|pairs| Value::Map(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_comes_back(own in values(), body in values(), name: String, key: String) {
            let mut record = story::records().remove(0);
            let Body::Span(mut span) = record.body.clone() else { unreachable!("the story begins with a span") };
            span.attributes = [(key.clone(), own)].into_iter().collect();
            span.name = name;
            let log = Log { body, time: Time(7), attributes: span.attributes.clone(), ..Log::default() };
            record.body = Body::Span(span);
            let make = |body| {
                let (resource, scope) = (record.resource.clone(), record.scope.clone());
                Record::new(Position::default(), None, resource, scope, body, 0)
            };
            let records = vec![make(record.body.clone()), make(Body::Log(log))];
            prop_assert_eq!(ids(&received(&otlp(records.clone(), None))), ids(&records));
        }
    }
}
