//! Jaeger's JSON, as its UI uploads and downloads it. Its times are microseconds; the rest of a time is lost.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use timeline::id::{SpanId, TraceId};
use timeline::record::{Log, Record, Span, StatusCode};
use timeline::time::Time;
use timeline::value::{Attributes, Value};

use super::format::Export;

/// The traces of `records`. Logs stand on their spans; those of no span that is here have no place.
pub fn jaeger(records: &[Record]) -> Export {
    let mut traces: BTreeMap<TraceId, Trace> = BTreeMap::new();
    for record in records {
        if let Some(span) = record.as_span() {
            traces.entry(span.trace_id).or_default().add(record, span);
        }
    }
    let mut homeless = 0;
    for record in records {
        let Some(log) = record.as_log() else { continue };
        let placed = log.trace_id.zip(log.span_id).and_then(|(trace, span)| {
            traces.get_mut(&trace)?.logs.entry(span).or_default().push(log_entry(log));
            Some(())
        });
        homeless += usize::from(placed.is_none());
    }
    let data: Vec<Json> = traces.iter().map(|(id, trace)| trace.to_json(*id)).collect();
    let text = super::json::json(
        &json!({ "data": data, "total": data.len(), "limit": 0, "offset": 0, "errors": null }),
    );
    let folded = (homeless > 0).then(|| {
        format!("Jaeger keeps logs on spans: {homeless} log records of no trace that is here are left out (otlp has all)")
    });
    Export { text, folded }
}

#[derive(Default)]
struct Trace<'a> {
    spans: Vec<(&'a Record, &'a Span)>,
    logs: BTreeMap<SpanId, Vec<Json>>,
    /// The number of each resource, by its hash.
    processes: BTreeMap<u128, usize>,
}

impl<'a> Trace<'a> {
    fn add(&mut self, record: &'a Record, span: &'a Span) {
        let next = self.processes.len() + 1;
        self.processes.entry(record.resource.digest()).or_insert(next);
        self.spans.push((record, span));
    }

    fn to_json(&self, id: TraceId) -> Json {
        let mut processes = serde_json::Map::new();
        for (record, _) in &self.spans {
            processes.entry(self.process(record)).or_insert_with(|| {
                json!({ "serviceName": record.resource.service(), "tags": tags(&record.resource.attributes) })
            });
        }
        let spans: Vec<Json> = self.spans.iter().map(|(record, span)| self.span(record, span)).collect();
        json!({ "traceID": id, "spans": spans, "processes": processes, "warnings": null })
    }

    fn process(&self, record: &Record) -> String {
        format!("p{}", self.processes.get(&record.resource.digest()).copied().unwrap_or_default())
    }

    fn span(&self, record: &Record, span: &Span) -> Json {
        let reference = |kind: &str, trace: TraceId, span: SpanId| json!({ "refType": kind, "traceID": trace, "spanID": span });
        let parent = span.parent_span_id.map(|parent| reference("CHILD_OF", span.trace_id, parent));
        let links = span.links.iter().map(|link| reference("FOLLOWS_FROM", link.trace_id, link.span_id));
        let mut logs: Vec<Json> = span
            .events
            .iter()
            .map(|event| {
                let mut fields = tags(&event.attributes);
                fields.insert(0, tag("event", &event.name.as_str().into()));
                json!({ "timestamp": microseconds(event.time), "fields": fields })
            })
            .collect();
        logs.extend(self.logs.get(&span.span_id).into_iter().flatten().cloned());
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
        if !span.status.message.is_empty() {
            tags.push(tag("otel.status_description", &span.status.message.as_str().into()));
        }
        if !record.scope.name.is_empty() {
            tags.push(tag("otel.scope.name", &record.scope.name.as_str().into()));
        }
        let length = u64::try_from(span.end.since(span.start)).unwrap_or_default();
        json!({
            "traceID": span.trace_id,
            "spanID": span.span_id,
            "flags": span.flags & 0xff,
            "operationName": span.name,
            "references": parent.into_iter().chain(links).collect::<Vec<_>>(),
            "startTime": microseconds(span.start),
            "duration": length / 1_000,
            "tags": tags,
            "logs": logs,
            "processID": self.process(record),
            "warnings": null,
        })
    }
}

fn log_entry(log: &Log) -> Json {
    let mut fields = tags(&log.attributes);
    fields.insert(0, tag("message", &log.body.to_text().as_ref().into()));
    if let Some(severity) = log.severity() {
        fields.insert(0, tag("level", &severity.as_str().into()));
    }
    json!({ "timestamp": microseconds(log.best_time()), "fields": fields })
}

fn microseconds(time: Time) -> u64 {
    time.0 / 1_000
}

fn tags(attributes: &Attributes) -> Vec<Json> {
    attributes.iter().map(|(key, value)| tag(key, value)).collect()
}

fn tag(key: &str, value: &Value) -> Json {
    let (kind, value) = match value {
        Value::Bool(truth) => ("bool", Json::from(*truth)),
        Value::Int(number) => ("int64", Json::from(*number)),
        Value::Double(number) if number.is_finite() => ("float64", Json::from(*number)),
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
}
