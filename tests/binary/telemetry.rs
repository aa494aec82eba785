//! Requests as exporters send them, made by hand so that a test knows every id.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

/// 2026-11-23T10:00:00Z in nanoseconds.
pub(crate) const BASE: u64 = 1_795_428_000_000_000_000;

/// A text attribute.
pub(crate) fn attribute(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// A span of 5 ms whose ids are made from `trace` and `span`, which must not be 0.
pub(crate) fn span(trace: u64, span: u64, name: &str, attributes: Vec<KeyValue>) -> Span {
    let start = BASE + span * 1_000_000;
    Span {
        trace_id: (u128::from(trace) << 64 | 1).to_be_bytes().to_vec(),
        span_id: span.to_be_bytes().to_vec(),
        name: name.to_owned(),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 5_000_000,
        attributes,
        ..Span::default()
    }
}

/// A request of one service's spans.
pub(crate) fn traces(service: &str, spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource = Some(resource(service));
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// A request of one service's log records.
pub(crate) fn logs(service: &str, bodies: &[&str]) -> Vec<u8> {
    let record = |(number, body): (usize, &&str)| LogRecord {
        time_unix_nano: BASE + number as u64,
        severity_number: 13,
        body: Some(AnyValue { value: Some(any_value::Value::StringValue((*body).to_owned())) }),
        ..LogRecord::default()
    };
    let log_records = bodies.iter().enumerate().map(record).collect();
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource = Some(resource(service));
    let resource_logs = vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

fn resource(service: &str) -> Resource {
    let attributes = vec![attribute("service.name", service), attribute("host.name", "node-a")];
    Resource { attributes, ..Resource::default() }
}

/// Sends a request to `http://ADDRESS/v1/SIGNAL`; whether it was acknowledged.
pub(crate) fn send(address: &str, signal: &str, body: &[u8]) -> Result<(), ureq::Error> {
    ureq::post(format!("http://{address}/v1/{signal}"))
        .header("content-type", "application/x-protobuf")
        .send(body)
        .map(|_| ())
}
