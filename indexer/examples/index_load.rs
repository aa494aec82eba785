//! Measures the index on generated load: CPU, bytes on disk, memory, and how long questions take.
//!
//! ```text
//! cargo run --release -p backstory-indexer --example index_load -- SPANS [--one-inverted-index]
//! ```
//!
//! Requests hold 512 spans of one service; the 16 spans of a trace lie in the requests of eight services, as
//! real exporters send them. With `--one-inverted-index` every term of a block, unique ones too, goes into
//! one tantivy document a block instead: the design that was not chosen.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use indexer::{Folder, Indexer, Options, TermsOfBlocks};
use journal::otlp::{Encoding, Signal};
use journal::{Journal, Place, Reader, Request, Source};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use query::archive::{Archive, Effort, Page, Window};
use query::predicate::{Predicate, TextMatch};
use timeline::document::Completeness;
use timeline::id::TraceId;
use timeline::record::Record;
use timeline::survey::Survey;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SERVICES: [&str; 8] = ["gateway", "orders", "payments", "stock", "cart", "mail", "search", "ledger"];
const SPANS_A_REQUEST: usize = 512;
const SPANS_A_TRACE: usize = 16;
const TRACES_A_ROUND: usize = SPANS_A_REQUEST * SERVICES.len() / SPANS_A_TRACE;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let spans: usize = arguments.first().ok_or("how many spans?")?.parse()?;
    let dir = tempfile::tempdir_in(".")?;
    let begun = cpu_seconds();
    generate(dir.path(), spans)?;
    let journal_bytes = bytes(&dir.path().join("journal"));
    println!("journal: {:.1} B/span, made in {:.1} CPU-s", per(journal_bytes, spans), cpu_seconds() - begun);
    if arguments.iter().any(|argument| argument == "--one-inverted-index") {
        return one_inverted_index(dir.path(), spans);
    }
    index(dir.path(), spans)?;
    ask(dir.path(), spans)?;
    survey(dir.path(), spans)
}

/// Reads every record: alone, for the entity types, and for the keys of one.
fn survey(dir: &Path, spans: usize) -> Outcome<()> {
    let folder = Folder::open(dir)?;
    let read = |what: &str, take: &mut dyn FnMut(Record)| -> Outcome<()> {
        let (begun, clock) = (cpu_seconds(), Instant::now());
        let all = Predicate::All(Vec::new());
        let visited = folder.visit(&all, Window::default(), &Effort::new(u64::MAX), take)?;
        println!(
            "{what}: {} records, {:.2} CPU-s/M, {:.1} s",
            visited.read,
            (cpu_seconds() - begun) * 1e6 / spans as f64,
            clock.elapsed().as_secs_f64(),
        );
        Ok(())
    };
    read("visit every record", &mut |_| {})?;
    let mut types = Survey::default();
    read("survey of types and services", &mut |record| types.add(&record))?;
    let mut orders = Survey::of_kind("order");
    read("survey of the keys of order", &mut |record| orders.add(&record))?;
    let told = orders.entities(Completeness::default(), 1);
    println!(
        "about {} orders (exact: {}), anonymous memory {} MiB",
        told.total,
        told.exact,
        anonymous_kib() / 1024
    );
    Ok(())
}

fn index(dir: &Path, spans: usize) -> Outcome<()> {
    let (begun, clock) = (cpu_seconds(), Instant::now());
    let folder = Folder::open(dir)?;
    let indexer = Indexer::start(dir, Options::default())?;
    let end = Reader::open(&dir.join("journal"))?.end()?.to_string();
    let mut memory_max = 0;
    loop {
        std::thread::sleep(Duration::from_millis(100));
        memory_max = memory_max.max(anonymous_kib());
        let newest = newest_commit(dir);
        if newest.as_deref() == Some(end.as_str()) {
            break;
        }
    }
    indexer.stop();
    let stats = folder.stats()?;
    println!(
        "index: {:.2} CPU-s/M, {:.1} s, {:.1} B/span, anonymous memory at most {} MiB, {} spans, {} traces, exact: {}",
        (cpu_seconds() - begun) * 1e6 / spans as f64,
        clock.elapsed().as_secs_f64(),
        per(stats.bytes_index, spans),
        memory_max / 1024,
        stats.spans,
        stats.traces,
        stats.exact,
    );
    Ok(())
}

/// Where the shards end: asked of a new folder each time, whose own tail is not read.
fn newest_commit(dir: &Path) -> Option<String> {
    indexer::indexed_to(dir).ok().flatten().map(|place| place.to_string())
}

fn ask(dir: &Path, spans: usize) -> Outcome<()> {
    let folder = Folder::open(dir)?;
    let rng = &mut Rng::with_seed(7);
    let traces = spans / SPANS_A_TRACE / TRACES_A_ROUND * TRACES_A_ROUND;
    let mut number = || rng.usize(0..traces) as u64;
    let trace = |number| Predicate::Trace(TraceId(trace_id(number)));
    let order = |number| Predicate::Attribute {
        key: "order.id".into(),
        value: TextMatch::Is(order_id(number).to_string()),
    };
    let value = |number| Predicate::Value(request_id(number));
    time("trace by id", 300, &folder, &mut || trace(number()), 16)?;
    time("attribute order.id", 300, &folder, &mut || order(number()), 8)?;
    time("value by itself", 300, &folder, &mut || value(number()), 16)?;
    time("a trace that nobody sent", 300, &folder, &mut || trace(number() + (1 << 40)), 0)
}

fn time(
    what: &str,
    times: usize,
    folder: &Folder,
    predicate: &mut dyn FnMut() -> Predicate,
    expected: u64,
) -> Outcome<()> {
    let page = Page { before: None, limit: 100 };
    let mut took = Vec::new();
    for _ in 0..times {
        let predicate = predicate();
        let clock = Instant::now();
        let found = folder.find(&predicate, Window::default(), page, &Effort::new(1_000_000))?;
        took.push(clock.elapsed());
        assert_eq!(found.total, expected, "{predicate:?}");
    }
    took.sort();
    println!("{what}: median {:.2?}, p99 {:.2?}", took[times / 2], took[times * 99 / 100]);
    Ok(())
}

fn one_inverted_index(dir: &Path, spans: usize) -> Outcome<()> {
    use tantivy::schema::{NumericOptions, Schema, TantivyDocument};
    let mut schema = Schema::builder();
    let term = schema.add_u64_field("term", NumericOptions::default().set_indexed());
    let block_field = schema.add_u64_field("block", NumericOptions::default().set_fast());
    let folder = dir.join("one");
    std::fs::create_dir_all(&folder)?;
    let index = tantivy::Index::create_in_dir(&folder, schema.build())?;
    let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, 15_000_000)?;
    let reader = Reader::open(&dir.join("journal"))?;
    let begun = cpu_seconds();
    let (mut tail, mut terms, mut number) =
        (reader.blocks_from(Place::default()), TermsOfBlocks::default(), 0u64);
    while let Some(block) = tail.next()? {
        let mut document = TantivyDocument::default();
        document.add_u64(block_field, number);
        terms.of(&block).into_iter().for_each(|hash| document.add_u64(term, hash));
        writer.add_document(document)?;
        number += 1;
        if number.is_multiple_of(300) {
            writer.commit()?; // what 150,000 spans a second bring in a second
        }
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    println!(
        "one inverted index: {:.2} CPU-s/M, {:.1} B/span",
        (cpu_seconds() - begun) * 1e6 / spans as f64,
        per(bytes(&folder), spans),
    );
    Ok(())
}

fn generate(dir: &Path, spans: usize) -> Outcome<()> {
    let (journal, _) = Journal::open(&dir.join("journal"), journal::Options::default())?;
    let rng = &mut Rng::with_seed(1);
    let (done, receipts) = mpsc::channel();
    for round in 0..spans / (SPANS_A_REQUEST * SERVICES.len()) {
        for (service, name) in SERVICES.iter().enumerate() {
            let spans = (0..SPANS_A_REQUEST).map(|at| span(rng, round, service, at)).collect();
            let request = Request {
                signal: Signal::Traces,
                encoding: Encoding::Protobuf,
                source: Source::Grpc,
                peer: String::new(),
                tenant: String::new(),
                arrival_is_evidence: true,
                items: SPANS_A_REQUEST as u32,
                refused: vec![],
                carried: None,
                body: body(name, spans).into(),
            };
            let done = done.clone();
            journal.append(request, move |answer| done.send(answer.is_ok()).unwrap_or_default());
            assert!(receipts.recv()?, "the journal took it");
        }
    }
    Ok(())
}

fn body(service: &str, spans: Vec<Span>) -> Vec<u8> {
    let mut attributes = vec![text("service.name", service)];
    let fixed = [
        ("service.namespace", "shop"),
        ("service.version", "2.14.0"),
        ("deployment.environment.name", "production"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.version", "0.33.1"),
        ("os.type", "linux"),
        ("k8s.namespace.name", "shop"),
    ];
    attributes.extend(fixed.map(|(key, value)| text(key, value)));
    attributes.push(text("service.instance.id", &format!("{service}-7d9f8b6c5d-x2x1z")));
    attributes.push(text("host.name", &format!("node-{}", service.len())));
    let resource_spans = vec![ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// Span `at` of a service's request: each trace of the round has two spans in each service.
fn span(rng: &mut Rng, round: usize, service: usize, at: usize) -> Span {
    let trace = (round * TRACES_A_ROUND + at / 2) as u64;
    let number = trace * SPANS_A_TRACE as u64 + (service * 2 + at % 2) as u64;
    let start = 1_763_892_000_000_000_000 + trace * 100_000 + rng.u64(0..50_000_000);
    let route = ["/orders/{id}", "/payments/{id}", "/stock/{sku}", "/carts/{id}"][at % 4];
    let mut attributes = vec![
        text("http.request.method", ["GET", "POST", "PUT"][at % 3]),
        text("http.route", route),
        int("http.response.status_code", if rng.u8(0..50) == 0 { 500 } else { 200 }),
        text("server.address", "orders.shop.svc.cluster.local"),
        int("server.port", 8080),
        text("network.protocol.version", "1.1"),
        text("user_agent.original", "shop-client/1.4"),
        text("db.system.name", "postgresql"),
        text("db.query.text", "UPDATE orders SET status = $1 WHERE id = $2"),
        text("thread.name", ["worker-1", "worker-2", "worker-3", "worker-4"][rng.usize(0..4)]),
        text("request.id", &request_id(trace)),
        int("http.response.body.size", rng.i64(0..20_000)),
    ];
    if number.is_multiple_of(2) {
        attributes.push(int("order.id", order_id(trace)));
    }
    let event =
        |name: &str| Event { name: name.to_owned(), time_unix_nano: start + 1_000, ..Event::default() };
    Span {
        trace_id: trace_id(trace).to_vec(),
        span_id: span_id(number),
        parent_span_id: if number.is_multiple_of(16) { vec![] } else { span_id(number - 1) },
        name: format!("{} {route}", ["GET", "POST", "PUT"][at % 3]),
        kind: 2 + (at % 2) as i32,
        start_time_unix_nano: start,
        end_time_unix_nano: start + rng.u64(100_000..30_000_000),
        attributes,
        events: if rng.u8(0..100) < 27 { vec![event("cache miss"), event("retry")] } else { vec![] },
        status: Some(Status { code: if rng.u8(0..50) == 0 { 2 } else { 0 }, message: String::new() }),
        flags: 0x101,
        ..Span::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Any::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    pair(key, Any::IntValue(value))
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn scrambled(number: u64) -> u64 {
    let mut rng = Rng::with_seed(number);
    rng.u64(1..)
}

fn trace_id(trace: u64) -> [u8; 16] {
    let [low, high] = [scrambled(trace), scrambled(trace ^ 1 << 63)];
    (u128::from(low) << 64 | u128::from(high)).to_be_bytes()
}

fn span_id(number: u64) -> Vec<u8> {
    scrambled(number ^ 1 << 62).to_be_bytes().to_vec()
}

fn order_id(trace: u64) -> i64 {
    1_000_000 + trace as i64
}

fn request_id(trace: u64) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(trace_id(trace ^ 1 << 60)));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn per(bytes: u64, spans: usize) -> f64 {
    bytes as f64 / spans as f64
}

fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// User and system time of this process, in seconds; a tick is 10 ms on Linux.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn anonymous_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
