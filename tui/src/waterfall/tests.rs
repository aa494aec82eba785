//! Waterfalls of small traces, written as `id parent kind from..to`.

use serde_json::json;
use timeline::document::{Clock, ClockBounds, Process};
use timeline::id::RecordId;

use super::*;

fn at(ms: u64) -> Time {
    Time(1_795_428_000_000_000_000 + ms * 1_000_000)
}

/// Reads `1 0 server 0..10 | 2 1 client 2..8`; parent 0 is none.
fn spans(text: &str) -> Vec<SearchRecord> {
    text.split('|').map(span).collect()
}

fn span(text: &str) -> SearchRecord {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [id, parent, kind, times] = words.as_slice() else { panic!("{text:?} is no span") };
    let (from, to) = times.split_once("..").expect("a stretch of time");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let span_id = |text: &str| SpanId(number(text).to_be_bytes());
    let kind = match *kind {
        "server" => SpanKind::Server,
        "client" => SpanKind::Client,
        "consumer" => SpanKind::Consumer,
        _ => SpanKind::Internal,
    };
    SearchRecord {
        record: RecordId(u128::from(number(id)).to_be_bytes()),
        position: String::new(),
        kind: "span".to_owned(),
        trace_id: Some(TraceId([1; 16])),
        span_id: Some(span_id(id)),
        parent_span_id: (*parent != "0").then(|| span_id(parent)),
        service: format!("s{id}"),
        name: format!("n{id}"),
        body: None,
        span_kind: Some(kind),
        severity: None,
        status: None,
        start: Some(at(number(from))),
        end: Some(at(number(to))),
        time: at(number(from)),
        arrival: None,
        attributes: serde_json::Map::new(),
        resource: serde_json::Map::new(),
        scope: String::new(),
        links: Vec::new(),
        events: Vec::new(),
    }
}

fn laid(records: Vec<SearchRecord>) -> Waterfall {
    let total = records.len() as u64;
    let corrections = Corrections::default();
    Waterfall::new(TraceId([1; 16]), records, total, Completeness::default(), &corrections)
}

/// Each line as `depth name`, and its part of the path as `from-to`, the tail's with a `~`.
fn drawn(waterfall: &Waterfall) -> Vec<String> {
    let ms = |time: Time| time.since(at(0)) / 1_000_000;
    let line = |number: usize| {
        let node = &waterfall.nodes[number];
        let mut path: Vec<String> = node
            .path
            .iter()
            .map(|s| format!("{}{}-{}", if s.tail { "~" } else { "" }, ms(s.from), ms(s.to)))
            .collect();
        path.reverse();
        format!("{} {} {}", node.depth, waterfall.label(number), path.join(" ")).trim_end().to_owned()
    };
    (0..waterfall.nodes.len()).map(line).collect()
}

#[test]
fn the_path_runs_through_what_was_waited_for() {
    let waterfall =
        laid(spans("1 0 server 0..100 | 2 1 client 10..40 | 3 1 client 20..70 | 4 1 client 75..90"));
    assert_eq!(drawn(&waterfall), ["0 n1 0-20 70-75 90-100", "1 n2", "1 n3 20-70", "1 n4 75-90"]);
    assert_eq!(waterfall.path_ns(), (100_000_000, 0));
}

#[test]
fn asynchronous_work_delays_no_answer_and_has_a_path_of_its_own() {
    let waterfall =
        laid(spans("1 0 server 0..50 | 2 1 internal 10..30 | 3 1 consumer 40..90 | 4 3 client 60..80"));
    let expected = ["0 n1 0-10 30-50", "1 n2 10-30", "1 n3 ~40-60 ~80-90", "2 n4 ~60-80"];
    assert_eq!(drawn(&waterfall), expected);
}

#[test]
fn a_server_that_ends_a_little_late_was_waited_for_until_its_answer() {
    let waterfall = laid(spans("1 0 client 0..50 | 2 1 server 5..52"));
    assert_eq!(drawn(&waterfall)[..1], ["0 n1 0-5"]);
    assert_eq!(waterfall.nodes[1].path.first().map(|s| (s.from, s.to)), Some((at(5), at(50))));
}

#[test]
fn a_parent_that_never_arrived_is_a_ghost_over_its_children() {
    let waterfall = laid(spans("2 9 server 10..20 | 3 9 server 30..35"));
    let names: Vec<String> = drawn(&waterfall);
    assert!(names[0].starts_with("0 span 0000000000000009 never arrived"), "{names:?}");
    assert_eq!((waterfall.nodes[0].start, waterfall.nodes[0].end), (at(10), at(35)));
    assert_eq!(waterfall.nodes[0].below, 2);
}

#[test]
fn parents_in_a_circle_are_cut_apart() {
    let waterfall = laid(spans("1 2 internal 0..10 | 2 1 internal 1..9 | 3 3 internal 5..6"));
    assert_eq!(waterfall.nodes.len(), 4, "each span once, and a ghost of the one that is its own parent");
    assert_eq!(waterfall.nodes.iter().filter(|node| node.parent.is_none()).count(), 2);
}

#[test]
fn a_chain_of_any_depth_is_laid_out() {
    let chain: Vec<String> = (1..=50_000).map(|id| format!("{id} {} internal 0..9", id - 1)).collect();
    let waterfall = laid(spans(&chain.join("|")));
    assert_eq!(waterfall.nodes.last().map(|node| node.depth), Some(49_999));
}

#[test]
fn times_are_put_on_the_reference_clock() {
    let mut records = spans("1 0 client 0..50 | 2 1 server 1005..1052");
    records[1].resource.insert("host.name".to_owned(), json!("node-b"));
    let clock = |id: &str, offset_ns: i64| Clock {
        id: id.to_owned(),
        host: None,
        reference: offset_ns == 0,
        at: None,
        offset_ns: Some(offset_ns),
        error_ns: Some(1),
        bounds_ns: [None, None],
        drift_ppm: None,
        bounds: ClockBounds::Both,
        messages: 1,
        since: None,
        until: None,
    };
    let process = |service: &str, host: Option<&str>, clock: &str| Process {
        id: service.to_owned(),
        service: service.to_owned(),
        instance: None,
        host: host.map(str::to_owned),
        version: None,
        clock: clock.to_owned(),
    };
    let corrections = Corrections::new(
        &[clock("a", 0), clock("b", 1_000_000_000)],
        &[process("s1", None, "a"), process("s2", Some("node-b"), "b")],
    );
    let waterfall = Waterfall::new(TraceId([1; 16]), records, 2, Completeness::default(), &corrections);
    assert_eq!(waterfall.nodes[1].start, at(5));
    assert!(unbounded(&waterfall).is_empty());
}
