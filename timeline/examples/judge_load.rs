//! Measures what it takes to judge entities, given their records: processor time a million spans.
//!
//! ```text
//! cargo run --release -p backstory-timeline --example judge_load -- ENTITIES
//! ```
//!
//! Each entity is an order with one trace of 24 spans and 3 log lines over five services: calls, statements with and
//! without values, a cache. Once one span in six names the order, once one in two. The records are made first and not counted.

use std::sync::Arc;
use std::time::Duration;

use timeline::id::{SpanId, TraceId};
use timeline::record::{Body, Log, Position, Record, Resource, Scope, Span, SpanKind};
use timeline::time::Time;
use timeline::value::{Attributes, Value};
use timeline::{Given, Question, Subject};

const SERVICES: [&str; 5] = ["gateway", "orders", "payments", "stock", "search"];
const SPANS: u64 = 24;

fn main() {
    let entities: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let resources: Vec<Arc<Resource>> = SERVICES.iter().map(|name| Arc::new(resource(name))).collect();
    let scope = Arc::new(Scope::new("load".into(), String::new(), Attributes::default()));
    for one_in in [6, 2] {
        let mut spent = Duration::ZERO;
        let (mut events, mut changes, mut findings) = (0, 0, 0);
        for order in 0..entities {
            let records = of_order(order, one_in, &resources, &scope);
            let question = Question::new(Subject::Entity { kind: "order".into(), key: order.to_string() });
            let begun = cpu();
            let timeline = timeline::tell(records, &Question { brief: true, ..question }, &Given::default());
            spent += cpu() - begun;
            events += timeline.events.len();
            changes += timeline.events.iter().map(|event| event.state.len()).sum::<usize>();
            findings += timeline.findings.len();
        }
        println!(
            "one span in {one_in} names the order: {:.0} µs an order, {:.2} CPU-s a million spans; {events} events, \
             {changes} changes of state, {findings} findings",
            spent.as_secs_f64() * 1e6 / entities as f64,
            spent.as_secs_f64() * 1e6 / (entities * SPANS) as f64,
        );
    }
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
        ("host.name", format!("node-{service}")),
    ];
    Resource::new(attributes(&pairs), 0)
}

/// What one order's request leaves behind.
fn of_order(order: u64, one_in: u64, resources: &[Arc<Resource>], scope: &Arc<Scope>) -> Vec<Record> {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&(order + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let trace_id = TraceId(id);
    let span_id = |within: u64| SpanId((order * SPANS + within + 1).to_be_bytes());
    let begun = Time(1_795_428_000_000_000_000 + order * 50_000_000);
    let make = |service: u64, body| {
        let resource = Arc::clone(&resources[service as usize % resources.len()]);
        Record::new(Position::default(), None, resource, Arc::clone(scope), body, 0)
    };
    let mut records = Vec::new();
    for within in 0..SPANS {
        let names = within % one_in == 0;
        let mut pairs = vec![
            ("server.address", "db.internal".to_owned()),
            ("network.protocol.version", "1.1".to_owned()),
            ("thread.name", "worker-17".to_owned()),
        ];
        let kind = match within % 4 {
            0 => SpanKind::Server,
            1 => SpanKind::Internal,
            _ => SpanKind::Client,
        };
        pairs.extend(match (within % 4, names) {
            (0, true) => vec![
                ("http.request.method", "GET".to_owned()),
                ("url.path", format!("/orders/{order}")),
                ("http.route", "/orders/{id}".to_owned()),
            ],
            (2, true) if within < 4 => vec![
                ("db.system.name", "postgresql".to_owned()),
                ("db.namespace", "shop".to_owned()),
                (
                    "db.query.text",
                    format!("INSERT INTO orders (id, status, version) VALUES ({order}, 'created', 1)"),
                ),
            ],
            (2, true) if within < 16 => vec![
                ("db.system.name", "postgresql".to_owned()),
                ("db.namespace", "shop".to_owned()),
                (
                    "db.query.text",
                    format!(
                        "UPDATE orders SET status = 'paid', version = 2 WHERE id = {order} AND version = 1"
                    ),
                ),
            ],
            (2, true) => vec![
                ("db.system.name", "redis".to_owned()),
                ("db.query.text", format!("HSET order:{order} status paid")),
            ],
            (2, false) => vec![
                ("db.system.name", "postgresql".to_owned()),
                ("db.namespace", "shop".to_owned()),
                ("db.query.text", "SELECT * FROM prices WHERE currency = $1".to_owned()),
            ],
            _ => vec![("code.function.name", "shop.orders.Repository.save".to_owned())],
        });
        let start = begun.shifted(i128::from(within) * 1_000_000);
        records.push(make(
            within / 5,
            Body::Span(Span {
                trace_id,
                span_id: span_id(within),
                parent_span_id: within.checked_sub(1).map(|above| span_id(above / 2)),
                name: "POST /orders/{id}/pay".to_owned(),
                kind,
                start,
                end: start.shifted(900_000),
                attributes: attributes(&pairs),
                ..Span::default()
            }),
        ));
    }
    for (within, line) in [(4, "is now created"), (9, "is now paid"), (14, "indexed")] {
        let body = Value::Text(format!("order {order} {line}"));
        let time = begun.shifted(i128::from(within) * 1_000_000 + 500_000);
        let log = Log {
            time,
            body,
            trace_id: Some(trace_id),
            span_id: Some(span_id(within as u64)),
            ..Log::default()
        };
        records.push(make(within as u64 / 5, Body::Log(log)));
    }
    records
}

/// The processor time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let ns = stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
    Duration::from_nanos(ns)
}
