//! Journals full of small random telemetry.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use indexer::Folder;
use journal::otlp::{Encoding, Signal};
use journal::{Journal, Options, Receipt, Request, Source};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use query::archive::Archive;
use timeline::record::Record;

pub(crate) const EPOCH_NS: u64 = 1_763_892_000_000_000_000;

pub(crate) fn open_journal(dir: &Path, segment_bytes: u64) -> Journal {
    let options = Options { segment_bytes, ..Options::default() };
    Journal::open(&dir.join("journal"), options).expect("a journal").0
}

/// Appends a request and waits until it is durable.
pub(crate) fn append(journal: &Journal, signal: Signal, items: usize, body: Vec<u8>) -> Receipt {
    append_refusing(journal, signal, items, vec![], body)
}

/// The same with items that were refused at intake, by their ordinals.
pub(crate) fn append_refusing(
    journal: &Journal,
    signal: Signal,
    items: usize,
    refused: Vec<u32>,
    body: Vec<u8>,
) -> Receipt {
    let request = Request {
        signal,
        encoding: Encoding::Protobuf,
        source: Source::Grpc,
        peer: "127.0.0.1:1".into(),
        tenant: String::new(),
        arrival_is_evidence: true,
        items: items as u32,
        refused,
        carried: None,
        body: body.into(),
    };
    let (done, receipt) = mpsc::channel();
    journal.append(request, move |answer| done.send(answer).unwrap_or_default());
    receipt.recv().expect("an answer").expect("taken in")
}

/// All records of the journal, as it has them.
pub(crate) fn all_records(dir: &Path) -> Vec<Record> {
    let reader = journal::Reader::open(&dir.join("journal")).expect("a journal");
    let mut tail = reader.blocks_from(journal::Place::default());
    let mut records = Vec::new();
    while let Some(block) = tail.next().expect("readable") {
        for (number, frame) in (0..).zip(&block.frames) {
            records.extend(frame.records(block.place, number).expect("readable"));
        }
    }
    records
}

/// Waits until `holds`.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until every segment has its shard, and repeats are known.
pub(crate) fn wait_until_made(dir: &Path, folder: &Folder) {
    wait_until("all is indexed, and repeats are known", || {
        let found = indexer::verify(dir, &mut |_| {}).expect("verified");
        found.is_empty() && folder.stats().expect("stats").exact
    });
}

fn text(text: impl Into<String>) -> Any {
    Any::StringValue(text.into())
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn id<const N: usize>(rng: &mut Rng, kinds: u8) -> Vec<u8> {
    vec![rng.u8(1..=kinds); N]
}

fn resource(rng: &mut Rng) -> Option<Resource> {
    let services = ["orders", "payments", "stock"];
    let mut attributes = vec![pair("host.name", text(format!("node-{}", rng.u8(0..2))))];
    if rng.u8(0..8) > 0 {
        attributes.push(pair("service.name", text(services[rng.usize(0..services.len())])));
    }
    Some(Resource { attributes, ..Resource::default() })
}

fn value(rng: &mut Rng) -> Any {
    match rng.u8(0..9) {
        0 => Any::IntValue(rng.i64(0..50)),
        1 => Any::IntValue(rng.i64(100_000..100_020)),
        2 => text(format!("order-{}", rng.u8(0..20))),
        3 => text(["paid", "created", "Paid in full", "/orders/42/items", "order:7"][rng.usize(0..5)]),
        4 => Any::BoolValue(rng.bool()),
        5 => Any::DoubleValue(f64::from(rng.u8(0..9)) / 2.0),
        6 => Any::ArrayValue(ArrayValue {
            values: (0..2).map(|_| AnyValue { value: Some(text(format!("tag{}", rng.u8(0..4)))) }).collect(),
        }),
        7 => Any::KvlistValue(KeyValueList { values: vec![pair("id", Any::IntValue(rng.i64(0..5)))] }),
        _ => text(uuid(rng)),
    }
}

/// One of few UUIDs.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    format!("4BF92F35-77B3-4DA6-A3CE-929D0E0E47{:02X}", rng.u8(0..6))
}

fn attributes(rng: &mut Rng) -> Vec<KeyValue> {
    let keys = ["order.id", "status", "order", "n"];
    (0..rng.usize(0..4)).map(|_| pair(keys[rng.usize(0..keys.len())], value(rng))).collect()
}

pub(crate) fn span(rng: &mut Rng) -> Span {
    let start = EPOCH_NS + rng.u64(0..1000) * 1_000_000;
    let names = ["POST /orders", "UPDATE orders", "charge", ""];
    Span {
        trace_id: id::<16>(rng, 12),
        span_id: id::<8>(rng, 200),
        parent_span_id: if rng.bool() { id::<8>(rng, 200) } else { vec![] },
        name: names[rng.usize(0..names.len())].to_owned(),
        kind: rng.i32(0..6),
        start_time_unix_nano: if rng.u8(0..20) == 0 { 0 } else { start },
        end_time_unix_nano: start + rng.u64(0..500) * 1_000_000,
        attributes: attributes(rng),
        events: (0..rng.usize(0..2))
            .map(|_| Event { name: "cache miss".into(), attributes: attributes(rng), ..Event::default() })
            .collect(),
        links: (0..usize::from(rng.u8(0..5) == 0))
            .map(|_| Link { trace_id: id::<16>(rng, 12), span_id: id::<8>(rng, 200), ..Link::default() })
            .collect(),
        status: Some(Status {
            code: rng.i32(0..3),
            message: if rng.bool() { "Card declined".into() } else { String::new() },
        }),
        ..Span::default()
    }
}

pub(crate) fn log(rng: &mut Rng) -> LogRecord {
    let bodies = ["order 42 is paid", "tick", "mail to jane@example.com", "GET order:7 took 3.5"];
    let body = match rng.u8(0..4) {
        0 => value(rng),
        1 => text(format!("cart {}", uuid(rng))),
        _ => text(bodies[rng.usize(0..bodies.len())]),
    };
    LogRecord {
        time_unix_nano: EPOCH_NS + rng.u64(0..30) * 1_000_000,
        severity_number: rng.i32(0..25),
        body: Some(AnyValue { value: Some(body) }),
        attributes: attributes(rng),
        trace_id: if rng.bool() { id::<16>(rng, 12) } else { vec![] },
        span_id: if rng.bool() { id::<8>(rng, 200) } else { vec![] },
        event_name: if rng.u8(0..5) == 0 { "order.paid".into() } else { String::new() },
        ..LogRecord::default()
    }
}

pub(crate) fn traces_body(rng: &mut Rng, spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans =
        vec![ResourceSpans { resource: resource(rng), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

pub(crate) fn logs_body(rng: &mut Rng, log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { resource: resource(rng), scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

/// Appends some random requests; now and then one holds items that came before.
pub(crate) fn fill(journal: &Journal, rng: &mut Rng, requests: usize) {
    let mut sent: Vec<Span> = Vec::new();
    for _ in 0..requests {
        let count = rng.usize(1..12);
        if rng.bool() {
            let mut same = Rng::with_seed(rng.u64(0..3));
            let mut spans: Vec<_> = (0..count).map(|_| span(rng)).collect();
            if rng.u8(0..3) == 0 {
                spans.extend(sent.iter().rev().take(3).cloned());
            }
            sent.clone_from(&spans);
            append(journal, Signal::Traces, spans.len(), traces_body(&mut same, spans));
        } else {
            let logs: Vec<_> = (0..count).map(|_| log(rng)).collect();
            append(journal, Signal::Logs, count, logs_body(rng, logs));
        }
    }
}
