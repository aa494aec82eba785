//! Measures the survey on generated spans: CPU and memory.
//!
//! ```text
//! cargo run --release -p backstory-timeline --example survey_load -- SPANS
//! ```
//!
//! Eight services; a trace has 16 spans; 13 attributes a span; one span in three names its order, by an attribute, a
//! route, a statement or a Redis key; a tenth are log lines. The spans are made first, 65,536 at a time, and not counted.

use std::sync::Arc;
use std::time::Duration;

use timeline::document::Completeness;
use timeline::id::{SpanId, TraceId};
use timeline::record::{Body, Log, Position, Record, Resource, Scope, Span, SpanKind};
use timeline::survey::Survey;
use timeline::time::Time;
use timeline::value::{Attributes, Value};

const SERVICES: [&str; 8] = ["gateway", "orders", "payments", "stock", "cart", "mail", "search", "ledger"];
const CHUNK: u64 = 1 << 16;

fn main() {
    let spans: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let resources: Vec<Arc<Resource>> = SERVICES.iter().map(|name| Arc::new(resource(name))).collect();
    let scope = Arc::new(Scope::new("load".into(), String::new(), Attributes::default()));
    let mut surveys =
        [("types and services", Survey::default()), ("the keys of order", Survey::of_kind("order"))];
    let mut spent = [Duration::ZERO; 2];
    for first in (0..spans).step_by(CHUNK as usize) {
        let records: Vec<Record> =
            (first..spans.min(first + CHUNK)).map(|number| record(number, &resources, &scope)).collect();
        for ((_, survey), spent) in surveys.iter_mut().zip(&mut spent) {
            let begun = cpu();
            records.iter().for_each(|record| survey.add(record));
            *spent += cpu() - begun;
        }
    }
    for ((what, survey), spent) in surveys.iter().zip(spent) {
        let told = survey.entities(Completeness::default(), 1);
        let keys = told.types.first().map_or(0, |kind| kind.keys);
        let per_million = spent.as_secs_f64() * 1e6 / spans as f64;
        println!("{what}: {per_million:.2} CPU-s a million records; {keys} orders, exact: {}", told.exact);
    }
    let begun = cpu();
    let doctor = surveys[0].1.doctor(Completeness::default(), None);
    println!("doctor: {} services told in {:.3} CPU-s", doctor.services.len(), (cpu() - begun).as_secs_f64());
    println!("memory at most: {} MiB", peak_kib() / 1024);
}

fn attributes(pairs: &[(&str, String)]) -> Attributes {
    pairs.iter().map(|(key, value)| (*key, Value::Text(value.clone()))).collect()
}

fn resource(service: &str) -> Resource {
    let pairs = [
        ("service.name", service.to_owned()),
        ("service.instance.id", format!("{service}-1")),
        ("service.version", "2.14.0".to_owned()),
        ("deployment.environment.name", "production".to_owned()),
        ("host.name", "node-a".to_owned()),
        ("telemetry.sdk.language", "java".to_owned()),
    ];
    Resource::new(attributes(&pairs), 0)
}

fn record(number: u64, resources: &[Arc<Resource>], scope: &Arc<Scope>) -> Record {
    let (trace, within) = (number / 16, number % 16);
    let order = trace % 1_000_000;
    let mut id = [7; 16];
    id[..8].copy_from_slice(&trace.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let span_id = |within: u64| SpanId((trace * 16 + within + 1).to_be_bytes());
    let start = Time(1_795_428_000_000_000_000 + number * 1_000);
    let body = if number.is_multiple_of(10) {
        let line = format!("order {order} status created -> paid");
        Body::Log(Log {
            time: start,
            body: Value::Text(line),
            trace_id: Some(TraceId(id)),
            span_id: Some(span_id(within)),
            ..Log::default()
        })
    } else {
        let mut pairs = vec![
            ("server.address", "db.internal".to_owned()),
            ("server.port", "5432".to_owned()),
            ("network.peer.address", "10.0.0.7".to_owned()),
            ("network.protocol.version", "1.1".to_owned()),
            ("thread.id", "17".to_owned()),
            ("thread.name", "worker-17".to_owned()),
            ("code.function.name", "shop.orders.Repository.save".to_owned()),
            ("user_agent.original", "shop/1.0".to_owned()),
            ("http.request.method", "POST".to_owned()),
            ("http.response.status_code", "200".to_owned()),
        ];
        pairs.extend(match within {
            0 => vec![
                ("url.path", format!("/orders/{order}/pay")),
                ("http.route", "/orders/{id}/pay".to_owned()),
            ],
            1 | 2 => vec![("order.id", order.to_string())],
            3 => vec![
                ("db.system.name", "redis".to_owned()),
                ("db.query.text", format!("HSET order:{order} status paid")),
            ],
            4..=7 => vec![
                ("db.system.name", "postgresql".to_owned()),
                ("db.namespace", "shop".to_owned()),
                (
                    "db.query.text",
                    "UPDATE orders SET status = $1, version = version + 1 WHERE id = $2".to_owned(),
                ),
            ],
            _ => vec![],
        });
        Body::Span(Span {
            trace_id: TraceId(id),
            span_id: span_id(within),
            parent_span_id: within.checked_sub(1).map(|above| span_id(above / 2)),
            name: "POST /orders/{id}/pay".to_owned(),
            kind: if within % 2 == 0 { SpanKind::Server } else { SpanKind::Client },
            start,
            end: start.shifted(900_000),
            attributes: attributes(&pairs),
            ..Span::default()
        })
    };
    let resource = Arc::clone(&resources[(number % 8) as usize]);
    Record::new(Position::default(), None, resource, Arc::clone(scope), body, 0)
}

/// The processor time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let ns = stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
    Duration::from_nanos(ns)
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
