//! Random requests, and random damage to their bytes.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;
use proptest::sample::Index;

pub(crate) fn traces() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope_spans = (prop::option::of(scope()), few(span()), text())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource_spans = (prop::option::of(resource()), few(scope_spans), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    few(resource_spans).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

pub(crate) fn logs() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let scope_logs = (prop::option::of(scope()), few(log_record()), text())
        .prop_map(|(scope, log_records, schema_url)| ScopeLogs { scope, log_records, schema_url });
    let resource_logs = (prop::option::of(resource()), few(scope_logs), text())
        .prop_map(|(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url });
    few(resource_logs).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

fn few<S: Strategy>(element: S) -> impl Strategy<Value = Vec<S::Value>>
where
    S::Value: Clone,
{
    // Twins are common: a resent line, two spans of one batch.
    (prop::collection::vec(element, 0..4), any::<bool>()).prop_map(|(mut elements, twin)| {
        elements.extend(elements.first().cloned().filter(|_| twin));
        elements
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z.]{1,12}", any::<String>(), Just("hlc=00000000000000ab".to_owned())]
}

/// Mostly valid, and every way not to be.
fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), length),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => Just(Vec::new()),
        1 => Just(vec![0; length]),
        1 => prop::collection::vec(any::<u8>(), 8),
    ]
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|truth| Some(Value::BoolValue(truth))),
        any::<i64>().prop_map(|number| Some(Value::IntValue(number))),
        // JSON has no other: infinities and NaN have tests of their own.
        prop::num::f64::NORMAL.prop_map(|number| Some(Value::DoubleValue(number))),
        prop::collection::vec(any::<u8>(), 0..6).prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ];
    leaf.prop_map(|value| AnyValue { value }).prop_recursive(3, 12, 3, |inner| {
        let values = prop::collection::vec(inner.clone(), 0..3);
        let pairs = prop::collection::vec((text(), prop::option::of(inner)), 0..3);
        prop_oneof![
            values.prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            pairs.prop_map(|pairs| Value::KvlistValue(KeyValueList { values: key_values(pairs) })),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn key_values(pairs: Vec<(String, Option<AnyValue>)>) -> Vec<KeyValue> {
    pairs.into_iter().map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }).collect()
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    few((text(), prop::option::of(any_value()))).prop_map(key_values)
}

fn resource() -> impl Strategy<Value = Resource> {
    let entity = (text(), text(), few(text()), few(text())).prop_map(
        |(schema_url, r#type, id_keys, description_keys)| EntityRef {
            schema_url,
            r#type,
            id_keys,
            description_keys,
        },
    );
    (attributes(), any::<u32>(), few(entity)).prop_map(
        |(attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes,
            dropped_attributes_count,
            entity_refs,
        },
    )
}

fn scope() -> impl Strategy<Value = InstrumentationScope> {
    (text(), text(), attributes(), any::<u32>()).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), id(8), text(), any::<u32>());
    let head = (text(), -1..8i32, any::<u64>(), any::<u64>(), attributes());
    let tail = (few(event()), few(link()), prop::option::of(status()), any::<[u32; 3]>());
    (ids, head, tail).prop_map(|(ids, head, tail)| {
        let (trace_id, span_id, parent_span_id, trace_state, flags) = ids;
        let (name, kind, start_time_unix_nano, end_time_unix_nano, attributes) = head;
        let (events, links, status, dropped) = tail;
        let [dropped_attributes_count, dropped_events_count, dropped_links_count] = dropped;
        Span {
            trace_id,
            span_id,
            parent_span_id,
            trace_state,
            flags,
            name,
            kind,
            start_time_unix_nano,
            end_time_unix_nano,
            attributes,
            dropped_attributes_count,
            events,
            dropped_events_count,
            links,
            dropped_links_count,
            status,
        }
    })
}

fn status() -> impl Strategy<Value = Status> {
    (text(), -1..4i32).prop_map(|(message, code)| Status { message, code })
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), text(), attributes(), any::<u32>()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    (id(16), id(8), text(), attributes(), any::<u32>(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn log_record() -> impl Strategy<Value = LogRecord> {
    let times = (any::<u64>(), any::<u64>(), any::<i32>(), text(), text());
    let rest = (prop::option::of(any_value()), attributes(), any::<[u32; 2]>(), id(16), id(8));
    (times, rest).prop_map(|(times, rest)| {
        let (time_unix_nano, observed_time_unix_nano, severity_number, severity_text, event_name) = times;
        let (body, attributes, [dropped_attributes_count, flags], trace_id, span_id) = rest;
        LogRecord {
            time_unix_nano,
            observed_time_unix_nano,
            severity_number,
            severity_text,
            body,
            attributes,
            dropped_attributes_count,
            flags,
            trace_id,
            span_id,
            event_name,
        }
    })
}

/// One piece of damage.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mutation {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    /// What follows a place is written again behind it.
    Repeat(Index, u8),
}

impl Mutation {
    pub(crate) fn apply(self, mut body: Vec<u8>) -> Vec<u8> {
        if body.is_empty() {
            return body;
        }
        match self {
            Mutation::Set(at, byte) => *at.get_mut(&mut body) = byte,
            Mutation::Insert(at, byte) => body.insert(at.index(body.len()), byte),
            Mutation::Remove(at) => drop(body.remove(at.index(body.len()))),
            Mutation::Cut(at) => body.truncate(at.index(body.len())),
            Mutation::Repeat(at, length) => {
                let start = at.index(body.len());
                let end = body.len().min(start + usize::from(length));
                let again = body[start..end].to_vec();
                body.splice(end..end, again);
            }
        }
        body
    }
}

pub(crate) fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let mutation = prop_oneof![
        6 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => any::<Index>().prop_map(Mutation::Remove),
        1 => any::<Index>().prop_map(Mutation::Cut),
        1 => (any::<Index>(), 0..40u8).prop_map(|(at, length)| Mutation::Repeat(at, length)),
    ];
    prop::collection::vec(mutation, 1..4)
}

/// The same JSON with every name in snake case.
pub(crate) fn in_snake_case(json: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    let snake = |name: &str| {
        let words = name.chars().map(|c| match c {
            'A'..='Z' => format!("_{}", c.to_ascii_lowercase()),
            _ => c.to_string(),
        });
        words.collect::<String>()
    };
    match json {
        Json::Object(fields) => {
            fields.iter().map(|(name, value)| (snake(name), in_snake_case(value))).collect()
        }
        Json::Array(elements) => elements.iter().map(in_snake_case).collect(),
        other => other.clone(),
    }
}
