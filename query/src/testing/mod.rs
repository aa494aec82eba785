//! Records for tests.

pub(crate) mod conformance;
pub(crate) mod incidents;
pub(crate) mod server;

use std::sync::Arc;

use hlc::Stamp;
use journal::otlp::{Encoding, Signal, decode};
use timeline::id::{SpanId, TraceId};
use timeline::record::{Body, Log, Position, Record, Resource, Scope, Span};
use timeline::time::Time;
use timeline::value::{Attributes, Value};

/// Attributes from pairs.
pub(crate) fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().collect()
}

/// A record of `service`, the `number`th that arrived.
pub(crate) fn record(number: u64, service: &str, body: Body) -> Record {
    let resource = attributes([
        ("service.name", service.into()),
        ("deployment.environment.name", "production".into()),
        ("host.name", "node-a".into()),
    ]);
    let position = Position { segment: 1, offset: 64 * number, frame: 0, item: 0 };
    let arrival = Stamp::from_bits(number << 20);
    let scope = Scope::new("http".into(), "1".into(), Attributes::default());
    Record::new(position, Some(arrival), Arc::new(Resource::new(resource, 0)), Arc::new(scope), body, 0)
}

/// The trace with this number.
pub(crate) fn trace(number: u8) -> TraceId {
    TraceId([number; 16])
}

/// The span with this number.
pub(crate) fn span_id(number: u8) -> SpanId {
    SpanId([number; 8])
}

/// A span of trace `trace`, 250 ms long.
pub(crate) fn span(in_trace: u8, number: u8, name: &str) -> Span {
    let start = Time(1_763_892_000_000_000_000 + u64::from(number) * 1_000_000);
    Span {
        trace_id: trace(in_trace),
        span_id: span_id(number),
        name: name.into(),
        start,
        end: start.shifted(250_000_000),
        ..Span::default()
    }
}

/// A log that says `body`, written in no span.
pub(crate) fn log(body: &str) -> Log {
    Log { time: Time(1_763_892_001_000_000_000), body: body.into(), severity_number: 9, ..Log::default() }
}

/// The recorded incidents: five orders, each with a fault.
pub(crate) fn incidents() -> Vec<Record> {
    let lines = include_str!("../../../fixtures/incidents/shop.otlp.jsonl").lines();
    let mut records = Vec::new();
    for (number, line) in (1..).zip(lines) {
        let signal = if line.contains("resourceSpans") { Signal::Traces } else { Signal::Logs };
        let place = Position { segment: 1, offset: 64 * number, frame: 0, item: 0 };
        records.extend(decode(signal, Encoding::Json, line.as_bytes(), &[], place, None).expect("a request"));
    }
    records
}
