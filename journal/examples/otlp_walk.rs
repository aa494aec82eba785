//! What reading OTLP costs: CPU seconds per million spans, for the check at intake, for a walk over
//! every view, for decoding into records, and for prost as the measure of all.
//!
//! ```text
//! cargo run --release -p backstory-journal --example otlp_walk
//! ```
//!
//! The load is 512 spans a request in 8 resource groups: 11 resource attributes, 12 span attributes,
//! two events on every fourth span, links on every 64th, about 535 bytes a span. Each figure is the
//! best of five passes over requests that do not fit the cache.

use std::hint::black_box;

use journal::otlp::view::{Attributes, Item, Request, Value};
use journal::otlp::{Encoding, Signal, check, decode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use timeline::record::Position;
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

const REQUESTS: u64 = 512;
const GROUPS: u64 = 8;
const SPANS_PER_GROUP: u64 = 64;
const SPANS: u64 = REQUESTS * GROUPS * SPANS_PER_GROUP;
const PASSES: u32 = 5;

fn main() -> std::io::Result<()> {
    let bodies: Vec<Vec<u8>> = (0..REQUESTS).map(|number| request(number).encode_to_vec()).collect();
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    println!("{SPANS} spans, {} bytes a span", bytes as u64 / SPANS);
    measure("check", &bodies, |body| {
        let checked = check(Signal::Traces, Encoding::Protobuf, body).map(|checked| checked.items);
        assert_eq!(checked, Ok((GROUPS * SPANS_PER_GROUP) as u32));
    })?;
    measure("walk every view", &bodies, |body| {
        black_box(walk(body));
    })?;
    measure("decode into records", &bodies, |body| {
        let records = decode(Signal::Traces, Encoding::Protobuf, body, &[], Position::default(), None);
        black_box(records.map_or(0, |records| records.len()));
    })?;
    measure("prost decode", &bodies, |body| {
        black_box(ExportTraceServiceRequest::decode(body).is_ok());
    })
}

/// Prints the least CPU time that `work` took for all bodies, per million spans.
fn measure(name: &str, bodies: &[Vec<u8>], work: impl Fn(&[u8])) -> std::io::Result<()> {
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let start = cpu_seconds()?;
        bodies.iter().for_each(|body| work(body));
        best = best.min(cpu_seconds()? - start);
    }
    println!("{name:<20} {:.3} CPU-s/M", best * 1e6 / SPANS as f64);
    Ok(())
}

/// The time that this thread has spent on a processor (Linux, `proc_pid_schedstat`).
fn cpu_seconds() -> std::io::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    Ok(nanoseconds as f64 / 1e9)
}

/// Reads every key, value, text and id of a request.
fn walk(body: &[u8]) -> usize {
    let mut sum = 0;
    for group in Request::new(Signal::Traces, body).groups() {
        sum += attributes(group.resource.attributes);
        for scope in group.scopes() {
            sum += scope.scope.name.len() + attributes(scope.scope.attributes);
            for item in scope.items() {
                let Item::Span(span) = item else { continue };
                sum += span.name.len() + span.start.0 as usize + attributes(span.attributes);
                sum += usize::from(span.trace_id().is_some()) + usize::from(span.parent_span_id().is_some());
                sum +=
                    span.events().map(|event| event.name.len() + attributes(event.attributes)).sum::<usize>();
                sum += span.links().map(|link| attributes(link.attributes)).sum::<usize>();
            }
        }
    }
    sum
}

fn attributes(attributes: Attributes<'_>) -> usize {
    attributes.iter().map(|attribute| attribute.key.len() + value(&attribute.value)).sum()
}

fn value(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Int(number) => *number as usize,
        Value::Array(values) => values.iter().map(|inner| self::value(&inner)).sum(),
        Value::Map(inner) => attributes(*inner),
        _ => 1,
    }
}

fn request(number: u64) -> ExportTraceServiceRequest {
    let resource_spans = (0..GROUPS).map(|group| resource_spans(number * GROUPS + group)).collect();
    ExportTraceServiceRequest { resource_spans }
}

fn resource_spans(group: u64) -> ResourceSpans {
    let service = ["gateway", "orders", "payments", "inventory"][group as usize % 4];
    let texts = [
        ("service.name", service.to_owned()),
        ("service.namespace", "shop".to_owned()),
        ("service.version", "1.4.2".to_owned()),
        ("service.instance.id", format!("{:032x}", xxh3_128_with_seed(b"instance", group))),
        ("deployment.environment.name", "production".to_owned()),
        ("host.name", format!("node-{}", group % 16)),
        ("os.type", "linux".to_owned()),
        ("process.runtime.name", "CPython".to_owned()),
        ("telemetry.sdk.language", "python".to_owned()),
        ("telemetry.sdk.version", "1.45.2".to_owned()),
    ];
    let mut attributes: Vec<KeyValue> = texts.map(|(key, value)| text(key, value)).into();
    attributes.push(attribute("process.pid", Any::IntValue(group as i64)));
    let scope = InstrumentationScope { name: "shop.http".into(), ..InstrumentationScope::default() };
    let spans = (0..SPANS_PER_GROUP).map(|span| self::span(group * SPANS_PER_GROUP + span)).collect();
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

fn span(number: u64) -> Span {
    let id = |seed: &[u8], number| xxh3_64_with_seed(seed, number).to_be_bytes().to_vec();
    let start = 1_763_892_000_000_000_000 + number * 1_000_003;
    let order = xxh3_64_with_seed(b"order", number / 16) % 10_000_000;
    let event = |at: u64| Event {
        time_unix_nano: start + at,
        name: "checkpoint".into(),
        attributes: vec![attribute("attempt", Any::IntValue(at as i64))],
        ..Event::default()
    };
    let link = Link { trace_id: vec![7; 16], span_id: id(b"link", number), ..Link::default() };
    let attributes = vec![
        text("http.request.method", "POST".into()),
        text("http.route", "/orders/{id}/items".into()),
        text("url.path", format!("/orders/{order}/items")),
        text("server.address", "orders.shop.svc".into()),
        attribute("server.port", Any::IntValue(8080)),
        attribute("http.response.status_code", Any::IntValue(200)),
        text("network.protocol.version", "1.1".into()),
        text("user_agent.original", "python-requests/2.32.3".into()),
        text("order.id", order.to_string()),
        text("request.id", format!("{:016x}", xxh3_64_with_seed(b"request", number))),
        attribute("retry", Any::BoolValue(false)),
        attribute("duration.ms", Any::DoubleValue(12.75)),
    ];
    Span {
        trace_id: xxh3_128_with_seed(b"trace", number / 16).to_be_bytes().to_vec(),
        span_id: id(b"span", number),
        parent_span_id: id(b"span", number / 2),
        name: "POST /orders/{id}/items".into(),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 12_750_000,
        flags: 0x301,
        attributes,
        events: if number.is_multiple_of(4) { vec![event(1_000), event(2_000)] } else { Vec::new() },
        links: if number.is_multiple_of(64) { vec![link] } else { Vec::new() },
        status: Some(Status { code: if number.is_multiple_of(50) { 2 } else { 0 }, ..Status::default() }),
        ..Span::default()
    }
}

fn text(key: &str, value: String) -> KeyValue {
    attribute(key, Any::StringValue(value))
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
