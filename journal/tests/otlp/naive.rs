//! Records from prost's structs: the slow and obvious way.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use timeline::id::{SpanId, TraceId};
use timeline::record::{self, Body, Position, Record, SpanKind, StatusCode};
use timeline::time::Time;
use timeline::value::{Attributes, Value};

pub(crate) fn traces(request: &ExportTraceServiceRequest) -> Vec<Record> {
    let mut records = Vec::new();
    let mut item = 0;
    for group in &request.resource_spans {
        let resource = resource(group.resource.clone().unwrap_or_default());
        for scoped in &group.scope_spans {
            let scope = scope(scoped.scope.clone().unwrap_or_default());
            for sent in &scoped.spans {
                if let Some(span) = span(sent) {
                    let position = Position { item, ..Position::default() };
                    let body = Body::Span(span);
                    records.push(Record::new(position, None, resource.clone(), scope.clone(), body, 0));
                }
                item += 1;
            }
        }
    }
    records
}

pub(crate) fn logs(request: &ExportLogsServiceRequest) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut first = Vec::new();
    for group in &request.resource_logs {
        let resource = resource(group.resource.clone().unwrap_or_default());
        for scoped in &group.scope_logs {
            let scope = scope(scoped.scope.clone().unwrap_or_default());
            for sent in &scoped.log_records {
                let position = Position { item: records.len() as u32, ..Position::default() };
                let make = |repeat| {
                    let body = Body::Log(log(sent));
                    Record::new(position, None, resource.clone(), scope.clone(), body, repeat)
                };
                let id = make(0).id;
                let repeat = first.iter().filter(|seen| **seen == id).count();
                first.push(id);
                records.push(make(repeat as u32));
            }
        }
    }
    records
}

fn resource(resource: Resource) -> Arc<record::Resource> {
    let attributes = attributes(resource.attributes);
    Arc::new(record::Resource::new(attributes, resource.dropped_attributes_count))
}

fn scope(scope: InstrumentationScope) -> Arc<record::Scope> {
    Arc::new(record::Scope::new(scope.name, scope.version, attributes(scope.attributes)))
}

fn span(span: &Span) -> Option<record::Span> {
    let span = span.clone();
    let status = span.status.unwrap_or_default();
    Some(record::Span {
        trace_id: trace_id(&span.trace_id)?,
        span_id: SpanId::from_slice(&span.span_id)?,
        parent_span_id: SpanId::from_slice(&span.parent_span_id),
        trace_state: span.trace_state,
        flags: span.flags,
        name: span.name,
        kind: SpanKind::from_number(span.kind.into()),
        start: Time(span.start_time_unix_nano),
        end: Time(span.end_time_unix_nano),
        attributes: attributes(span.attributes),
        events: span
            .events
            .into_iter()
            .map(|event| record::SpanEvent {
                time: Time(event.time_unix_nano),
                name: event.name,
                attributes: attributes(event.attributes),
                dropped_attributes_count: event.dropped_attributes_count,
            })
            .collect(),
        links: span
            .links
            .into_iter()
            .map(|link| record::Link {
                trace_id: trace_id(&link.trace_id).unwrap_or_default(),
                span_id: SpanId::from_slice(&link.span_id).unwrap_or_default(),
                trace_state: link.trace_state,
                attributes: attributes(link.attributes),
                flags: link.flags,
                dropped_attributes_count: link.dropped_attributes_count,
            })
            .collect(),
        status: record::Status { code: StatusCode::from_number(status.code.into()), message: status.message },
        dropped: record::Dropped {
            attributes: span.dropped_attributes_count,
            events: span.dropped_events_count,
            links: span.dropped_links_count,
        },
    })
}

fn log(log: &LogRecord) -> record::Log {
    let log = log.clone();
    record::Log {
        time: Time(log.time_unix_nano),
        observed: Time(log.observed_time_unix_nano),
        severity_number: log.severity_number,
        severity_text: log.severity_text,
        event_name: log.event_name,
        body: value(log.body),
        attributes: attributes(log.attributes),
        trace_id: trace_id(&log.trace_id),
        span_id: SpanId::from_slice(&log.span_id),
        flags: log.flags,
        dropped_attributes_count: log.dropped_attributes_count,
    }
}

fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    match bytes.len() {
        8 => TraceId::from_slice(&[&[0; 8], bytes].concat()),
        _ => TraceId::from_slice(bytes),
    }
}

fn attributes(list: Vec<KeyValue>) -> Attributes {
    list.into_iter().map(|KeyValue { key, value: sent, .. }| (key, value(sent))).collect()
}

fn value(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        None | Some(Any::StringValueStrindex(_)) => Value::Empty,
        Some(Any::StringValue(text)) => Value::Text(text),
        Some(Any::BoolValue(truth)) => Value::Bool(truth),
        Some(Any::IntValue(number)) => Value::Int(number),
        Some(Any::DoubleValue(number)) => Value::Double(number),
        Some(Any::BytesValue(bytes)) => Value::Bytes(bytes),
        Some(Any::ArrayValue(list)) => {
            Value::Array(list.values.into_iter().map(|element| self::value(Some(element))).collect())
        }
        Some(Any::KvlistValue(list)) => Value::Map(attributes(list.values)),
    }
}
