//! Records as searches and traces return them.

use serde_json::json;
use timeline::document::SearchRecord;
use timeline::id::{RecordId, SpanId, TraceId};
use timeline::record::{Severity, SpanKind, StatusCode};

use super::{at, attributes};

/// A record as a search returns it.
pub(crate) fn record(number: u64) -> SearchRecord {
    let services = ["orders", "payments", "inventory", "order-cache"];
    let names = ["POST /orders", "POST /charges", "process order.paid", "GET /orders/{id}"];
    let kind = (number % 4) as usize;
    let is_log = number % 5 == 4;
    let failed = number % 7 == 3;
    let time = at(number as f64 * 37.25);
    SearchRecord {
        record: RecordId(
            u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes(),
        ),
        position: format!("1-{number}-0-0"),
        kind: if is_log { "log" } else { "span" }.to_owned(),
        trace_id: Some(TraceId([(number % 250) as u8 + 1; 16])),
        span_id: Some(SpanId([(number % 250) as u8 + 1; 8])),
        parent_span_id: None,
        service: services[kind].to_owned(),
        name: if is_log { String::new() } else { names[kind].to_owned() },
        body: is_log.then(|| json!(format!("order {} was seen", 40 + number % 9))),
        span_kind: (!is_log).then_some(SpanKind::Server),
        severity: match (is_log, failed) {
            (_, true) => Some(Severity::Error),
            (true, false) => Some(Severity::Info),
            (false, false) => None,
        },
        status: (!is_log).then_some(if failed { StatusCode::Error } else { StatusCode::Unset }),
        start: (!is_log).then_some(time),
        end: (!is_log).then(|| time.shifted(12_300_000)),
        time,
        arrival: Some(hlc::Stamp::from_wall_ns(time.shifted(1_000_000_000).0)),
        attributes: attributes(json!({ "order.id": 40 + number % 9, "http.request.method": "POST" })),
        resource: attributes(json!({ "service.name": services[kind], "host.name": "node-a" })),
        scope: "shop".to_owned(),
        links: Vec::new(),
        events: Vec::new(),
    }
}

/// The records of a trace: a request that calls two services one after the other, publishes a message that is handled
/// after the answer, logs, fails once, and has a span whose parent never arrived.
pub(crate) fn trace_records(trace: TraceId) -> Vec<SearchRecord> {
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    let spans = [
        ("orders", Server, "POST /orders", 1, 0, 0.0, 420.0),
        ("orders", Client, "INSERT orders", 2, 1, 4.0, 22.0),
        ("orders", Client, "POST /charges", 3, 1, 25.0, 250.0),
        ("payments", Server, "POST /charges", 4, 3, 31.0, 254.0),
        ("payments", Internal, "risk check", 5, 4, 35.0, 190.0),
        ("payments", Client, "INSERT charges", 6, 4, 192.0, 240.0),
        ("orders", Client, "UPDATE orders", 7, 1, 255.0, 281.0),
        ("orders", Producer, "publish order.paid", 8, 1, 285.0, 290.0),
        ("inventory", Consumer, "process order.paid", 9, 8, 320.0, 640.0),
        ("inventory", Client, "UPDATE stock", 10, 9, 330.0, 630.0),
        ("order-cache", Server, "GET /orders/42", 11, 99, 300.0, 312.0),
    ];
    let mut records: Vec<SearchRecord> = spans
        .into_iter()
        .map(|(service, kind, name, id, parent, from, to)| SearchRecord {
            trace_id: Some(trace),
            span_id: Some(SpanId([id; 8])),
            parent_span_id: (parent > 0).then_some(SpanId([parent; 8])),
            kind: "span".to_owned(),
            service: service.to_owned(),
            name: name.to_owned(),
            body: None,
            span_kind: Some(kind),
            severity: (id == 6).then_some(Severity::Error),
            status: Some(if id == 6 { StatusCode::Error } else { StatusCode::Unset }),
            start: Some(at(from).shifted(offset_ns(service))),
            end: Some(at(to).shifted(offset_ns(service))),
            time: at(from).shifted(offset_ns(service)),
            resource: attributes(json!({ "service.name": service, "host.name": host(service) })),
            ..record(u64::from(id))
        })
        .collect();
    let log = |number: u64, span: u8, service: &str, text: &str, ms: f64| SearchRecord {
        trace_id: Some(trace),
        span_id: Some(SpanId([span; 8])),
        kind: "log".to_owned(),
        service: service.to_owned(),
        name: String::new(),
        body: Some(json!(text)),
        span_kind: None,
        severity: Some(Severity::Warn),
        status: None,
        start: None,
        end: None,
        time: at(ms).shifted(offset_ns(service)),
        resource: attributes(json!({ "service.name": service, "host.name": host(service) })),
        ..record(number)
    };
    records.push(log(100, 5, "payments", "risk check is slow", 120.0));
    records.push(log(101, 1, "orders", "order 42 accepted", 418.0));
    records
}

fn host(service: &str) -> &'static str {
    match service {
        "payments" => "node-b",
        "inventory" => "node-c",
        "order-cache" => "node-d",
        _ => "node-a",
    }
}

/// How far the service's clock is off, as in [`incident`].
fn offset_ns(service: &str) -> i128 {
    match service {
        "payments" => -7_300_000,
        "inventory" => 2_450_000_000,
        _ => 0,
    }
}
