//! What journaling costs: `cargo run --release -p backstory-journal --example measure -- FOLDER [MILLIONS]`.
//!
//! Appends requests of 512 spans with 12 attributes, about 535 bytes a span, every id and time unique, from
//! a few senders that each wait for their acknowledgement; then opens the journal again and checks all of it.
//! CPU is this process's, user and system, without the making of the requests.

use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use journal::otlp::{Encoding, Signal};
use journal::{Journal, Options, Reader, Request, Source};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

const SPANS: u64 = 512;
/// Senders that wait each for its answer.
const SENDERS: usize = 8;
/// So many requests are made at once, outside the measure.
const LOT: u64 = 128;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name an empty folder")?;
    let millions: f64 = arguments.next().map_or(Ok(1.0), |millions| millions.parse())?;
    let folder = Path::new(&folder).join("journal");
    let requests = (millions * 1e6 / SPANS as f64).ceil() as u64;

    let (journal, _) = Journal::open(&folder, Options::default())?;
    let (mut cpu, mut wall, mut bytes) = (0.0, 0.0, 0);
    for first in (0..requests).step_by(LOT as usize) {
        let lot: Vec<_> = (first..requests.min(first + LOT)).map(request).collect();
        bytes += lot.iter().map(|request| request.body.len()).sum::<usize>();
        let (cpu_before, begun) = (cpu_seconds()?, Instant::now());
        send(&journal, lot)?;
        cpu += cpu_seconds()? - cpu_before;
        wall += begun.elapsed().as_secs_f64();
    }
    let counts = journal.counts();
    let spans = counts.items as f64;
    println!("appended   {:.2} M spans of {:.0} B", spans / 1e6, bytes as f64 / spans);
    println!("cpu        {:.2} s per million spans", cpu / spans * 1e6);
    println!("rate       {:.0} spans/s, {:.0} MB/s", spans / wall, bytes as f64 / wall / 1e6);
    println!("disk       {:.1} B a span", counts.bytes as f64 / spans);
    println!(
        "syncs      {}, {:.0} KiB each",
        counts.syncs,
        counts.block_bytes as f64 / counts.syncs as f64 / 1024.0
    );
    drop(journal);

    let begun = Instant::now();
    let (journal, recovered) = Journal::open(&folder, Options::default())?;
    println!(
        "reopened   in {:.3} s, {} bodies remembered",
        begun.elapsed().as_secs_f64(),
        recovered.remembered
    );
    drop(journal);
    let cpu_before = cpu_seconds()?;
    let verified = Reader::open(&folder)?.verify(|_, _| {})?;
    let cpu = cpu_seconds()? - cpu_before;
    println!(
        "verified   {} items, {} damages, {:.2} cpu s per million",
        verified.items,
        verified.damages.len(),
        cpu / spans * 1e6
    );
    Ok(())
}

/// Appends all, at most [`SENDERS`] at a time unanswered.
fn send(journal: &Journal, requests: Vec<Request>) -> Result<(), Box<dyn std::error::Error>> {
    let (done, answers) = mpsc::channel();
    let mut waiting = 0;
    for request in requests {
        if waiting == SENDERS {
            answers.recv()??;
            waiting -= 1;
        }
        let done = done.clone();
        journal.append(request, move |answer| drop(done.send(answer)));
        waiting += 1;
    }
    for _ in 0..waiting {
        answers.recv()??;
    }
    Ok(())
}

/// User and system time of this process, in seconds.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().ok_or("an odd /proc/self/stat")?;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_A_SECOND)
}

fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}

fn span(number: u64) -> Span {
    let order = mix(number / 16);
    let start = 1_763_892_000_000_000_000 + number * 31_337 + mix(number) % 1_000_000;
    let attributes = vec![
        text("http.request.method", ["GET", "POST", "PUT"][(number % 3) as usize]),
        text("http.route", "/orders/{id}"),
        text("url.path", format!("/orders/{}", order % 1_000_000)),
        text("order.id", (order % 1_000_000).to_string()),
        text("request.id", format!("{:016x}{:016x}", mix(number ^ 1), mix(number ^ 2))),
        text("server.address", format!("orders-{}.shop.svc.cluster.local", number % 5)),
        text("network.peer.address", format!("10.0.{}.{}", number % 7, number % 251)),
        text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) shop-client/4.1"),
        text("db.system.name", "postgresql"),
        text("db.query.text", "SELECT id, status FROM orders WHERE id = $1"),
        text("thread.name", format!("worker-{}", number % 16)),
        text("code.function.name", "shop.orders.handler.OrderHandler.handle"),
    ];
    Span {
        trace_id: [order.to_le_bytes(), mix(order).to_le_bytes()].concat(),
        span_id: mix(number ^ 3).to_le_bytes().to_vec(),
        parent_span_id: mix((number / 16) ^ 3).to_le_bytes().to_vec(),
        name: ["POST /orders", "GET /orders/{id}", "SELECT orders"][(number % 3) as usize].into(),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + mix(number ^ 4) % 200_000_000,
        attributes,
        ..Span::default()
    }
}

fn request(number: u64) -> Request {
    let group = |group: u64| {
        let first = number * SPANS + group * SPANS / 8;
        let attributes = vec![
            text("service.name", ["gateway", "orders", "payments", "inventory"][(group % 4) as usize]),
            text("service.instance.id", format!("instance-{group}")),
            text("host.name", format!("node-{}", group % 3)),
        ];
        let scope =
            InstrumentationScope { name: "shop".into(), version: "1.4.2".into(), ..Default::default() };
        let spans = (first..first + SPANS / 8).map(span).collect();
        ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }
    };
    let body = ExportTraceServiceRequest { resource_spans: (0..8).map(group).collect() }.encode_to_vec();
    Request {
        signal: Signal::Traces,
        encoding: Encoding::Protobuf,
        source: Source::Grpc,
        peer: "127.0.0.1:4000".into(),
        tenant: String::new(),
        arrival_is_evidence: true,
        items: SPANS as u32,
        refused: Vec::new(),
        carried: None,
        body: body.into(),
    }
}
