//! How long exports of a large timeline take, and how large they are:
//! `cargo run --release -p backstory-query --example export_large -- 100000 FOLDER`
//!
//! One order that is worked on in traces of eight spans over eight services, a fifth of it failing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use query::export::{self, Format};
use timeline::id::{SpanId, TraceId};
use timeline::record::{Body, Position, Record, Resource, Scope, Span, SpanKind, Status, StatusCode};
use timeline::time::Time;
use timeline::value::{Attributes, Value};
use timeline::{Given, Question, tell};

const SERVICES: u64 = 8;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target/export_large".to_owned()));
    std::fs::create_dir_all(&folder).expect("the folder can be made");

    let question: Question = "order/42".parse().expect("a question");
    let question = Question { events_max: usize::MAX, ..question };
    let records = records(events / 2);
    let begun = Instant::now();
    let told = tell(records.clone(), &question, &Given::default());
    println!(
        "told       {:>9.2} s  {} events, {} edges",
        begun.elapsed().as_secs_f64(),
        told.events.len(),
        told.edges.len()
    );
    for format in Format::ALL {
        let begun = Instant::now();
        let made = format.of(&told);
        let seconds = begun.elapsed().as_secs_f64();
        let file = folder.join(format!("large.{}", format.endings()[0]));
        std::fs::write(file, &made.text).expect("the file can be written");
        let folded = made.folded.unwrap_or_default();
        println!(
            "{:<10} {seconds:>9.2} s  {:>9.1} MB  {folded}",
            format.name(),
            made.text.len() as f64 / 1e6
        );
    }
    let begun = Instant::now();
    let lines: Vec<String> =
        export::otlp(records, Some(&told)).iter().map(|request| request.to_string()).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    println!("{:<10} {:>9.2} s  {:>9.1} MB", "otlp", begun.elapsed().as_secs_f64(), bytes as f64 / 1e6);
}

fn records(spans: u64) -> Vec<Record> {
    let resources: Vec<Arc<Resource>> = (0..SERVICES).map(|service| Arc::new(resource(service))).collect();
    let scope = Arc::new(Scope::new("example".into(), String::new(), Attributes::default()));
    let record = |number: u64| {
        let resource = Arc::clone(&resources[(number % SERVICES) as usize]);
        Record::new(Position::default(), None, resource, Arc::clone(&scope), Body::Span(span(number)), 0)
    };
    (0..spans).map(record).collect()
}

fn resource(service: u64) -> Resource {
    let pairs = [
        ("service.name", format!("service-{service}")),
        ("service.instance.id", format!("service-{service}-1")),
        ("host.name", format!("node-{}", service / 2)),
        ("deployment.environment.name", "production".to_owned()),
    ];
    Resource::new(pairs.into_iter().map(|(key, value)| (key, Value::Text(value))).collect(), 0)
}

/// Each service calls the next one and waits for it.
fn span(number: u64) -> Span {
    let (trace, depth) = (number / SERVICES, number % SERVICES);
    let begun = 1_795_428_000_000_000_000 + trace * 50_000_000;
    let attributes = [
        ("order.id", Value::Int(42)),
        ("http.request.method", "POST".into()),
        ("http.response.status_code", Value::Int(if trace.is_multiple_of(5) { 500 } else { 200 })),
        ("url.path", "/orders/42/work".into()),
    ];
    let failed = trace.is_multiple_of(5) && depth == SERVICES - 1;
    let code = if failed { StatusCode::Error } else { StatusCode::Unset };
    Span {
        trace_id: TraceId((u128::from(trace) + 1).to_be_bytes()),
        span_id: SpanId((number + 1).to_be_bytes()),
        parent_span_id: (depth > 0).then(|| SpanId(number.to_be_bytes())),
        name: format!("POST /step/{depth}"),
        kind: SpanKind::Server,
        start: Time(begun + depth * 1_000_000),
        end: Time(begun + 40_000_000 - depth * 1_000_000),
        attributes: attributes.into_iter().collect(),
        status: Status { code, message: String::new() },
        ..Span::default()
    }
}
