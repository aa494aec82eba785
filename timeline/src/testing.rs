//! Records for tests, in few words.

use std::sync::Arc;

use hlc::Stamp;
use proptest::prelude::*;

use crate::id::{SpanId, TraceId};
use crate::record::{Body, Link, Log, Position, Record, Resource, Scope, Span, SpanEvent, SpanKind};
use crate::time::Time;
use crate::value::{Attributes, Value};

/// Milliseconds after 2026-11-23T10:00:00Z, and some nanoseconds so that stamps are not coarse.
pub(crate) fn at(ms: f64) -> Time {
    Time(1_795_428_000_000_000_001).shifted((ms * 1e6) as i128)
}

pub(crate) fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(key, value)| (*key, Value::from(*value))).collect()
}

/// A process: `service` or `service@host`.
pub(crate) fn resource(process: &str) -> Arc<Resource> {
    let (service, host) = process.split_once('@').unwrap_or((process, ""));
    let mut pairs = vec![("service.name", service)];
    if !host.is_empty() {
        pairs.push(("host.name", host));
    }
    Arc::new(Resource::new(attributes(&pairs), 0))
}

pub(crate) fn trace(number: u8) -> TraceId {
    TraceId([number; 16])
}

pub(crate) fn span_id(number: u8) -> SpanId {
    SpanId([0, 0, 0, 0, 0, 0, 1, number])
}

/// A span of trace 1 in the making.
pub(crate) struct Made {
    process: String,
    span: Span,
}

/// Span `number` in `process`, from `start` to `end` in milliseconds.
pub(crate) fn span(number: u8, process: &str, name: &str, start: f64, end: f64) -> Made {
    let span = Span {
        trace_id: trace(1),
        span_id: span_id(number),
        name: name.into(),
        start: at(start),
        end: at(end),
        ..Span::default()
    };
    Made { process: process.into(), span }
}

impl Made {
    pub(crate) fn kind(mut self, kind: SpanKind) -> Made {
        self.span.kind = kind;
        self
    }

    pub(crate) fn trace(mut self, number: u8) -> Made {
        self.span.trace_id = trace(number);
        self
    }

    pub(crate) fn child_of(mut self, number: u8) -> Made {
        self.span.parent_span_id = Some(span_id(number));
        self
    }

    pub(crate) fn link(mut self, trace_number: u8, number: u8) -> Made {
        self.span.links.push(Link {
            trace_id: trace(trace_number),
            span_id: span_id(number),
            ..Link::default()
        });
        self
    }

    pub(crate) fn with(mut self, pairs: &[(&str, &str)]) -> Made {
        let own = self.span.attributes.iter().map(|(key, value)| (key.to_owned(), value.clone()));
        let new = pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
        self.span.attributes = own.chain(new).collect();
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Span)) -> Made {
        change(&mut self.span);
        self
    }

    pub(crate) fn record(self) -> Record {
        make(&self.process, Body::Span(self.span))
    }
}

/// A log line of `process`, in span `number` of trace 1 if it is not 0.
pub(crate) fn log(number: u8, process: &str, text: &str, ms: f64) -> Record {
    let inside = (number > 0).then_some(number);
    let log = Log {
        time: at(ms),
        body: Value::from(text),
        trace_id: inside.map(|_| trace(1)),
        span_id: inside.map(span_id),
        ..Log::default()
    };
    make(process, Body::Log(log))
}

fn make(process: &str, body: Body) -> Record {
    let scope = Arc::new(Scope::new("test".into(), String::new(), Attributes::default()));
    Record::new(Position::default(), None, resource(process), scope, body, 0)
}

/// Two writes of an order between which somebody unseen wrote: an `unexplained_change`.
pub(crate) fn unseen_writer(order: u8) -> Vec<Record> {
    let key = order.to_string();
    let write = |number: u8, from: f64, value: &str, replaced: &str| {
        let made = span(number, "orders@a", "UPDATE orders", from, from + 1.0).trace(order);
        made.with(&[
            ("backstory.entity.type", "order"),
            ("backstory.entity.key", &key),
            ("backstory.copy", "shop/orders"),
            ("backstory.op", "write"),
            ("backstory.field", "status"),
            ("backstory.from", replaced),
            ("backstory.value", value),
        ])
        .record()
    };
    let begun = f64::from(order) * 100.0;
    vec![write(1, begun, "paid", "created"), write(2, begun + 5.0, "shipped", "cancelled")]
}

/// Any telemetry of `order/42`, broken in every way: parents and links in circles or nowhere, equal and
/// absurd times, ends before starts, spans sent in several revisions, machines shared or unknown.
pub(crate) fn any_records(size: usize) -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(any_record(), 1..size)
}

fn any_time() -> impl Strategy<Value = Time> {
    prop_oneof![
        12 => (0u32..60).prop_map(|ms| at(f64::from(ms) / 2.0)),
        1 => Just(Time::UNSET),
        1 => Just(Time(u64::MAX)),
        1 => (0u64..10).prop_map(Time),
    ]
}

fn any_process() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a@x", "b@x", "c@y", "d", "e"])
}

fn any_record() -> impl Strategy<Value = Record> {
    let span = (
        (1u8..14, prop::option::of(1u8..14), prop::option::of(1u8..14), 1u8..3),
        any_process(),
        (any_time(), any_time(), prop::collection::vec(any_time(), 0..3)),
        0i64..6,
        prop::option::of(prop::sample::select(vec!["42", "41"])),
    );
    let span = span.prop_map(|((number, parent, link, trace_number), process, times, kind, order)| {
        let mut made =
            span_with_times(number, process, times).kind(SpanKind::from_number(kind)).trace(trace_number);
        made.span.parent_span_id = parent.map(span_id);
        made = link.into_iter().fold(made, |made, link| made.link(3 - trace_number, link));
        order.iter().fold(made, |made, order| made.with(&[("order.id", order)])).record()
    });
    let line = (0u8..14, any_process(), any_time(), prop::option::of(0u64..1 << 60)).prop_map(
        |(number, process, time, arrival)| {
            let mut record = log(number, process, "order 42", 0.0);
            if let Body::Log(log) = record.body {
                record = make(process, Body::Log(Log { time, ..log }));
            }
            record.arrival = arrival.map(Stamp::from_bits);
            record
        },
    );
    prop_oneof![4 => span, 1 => line]
}

fn span_with_times(number: u8, process: &str, times: (Time, Time, Vec<Time>)) -> Made {
    let mut made = span(number, process, "work", 0.0, 0.0);
    (made.span.start, made.span.end) = (times.0, times.1);
    let events =
        times.2.into_iter().map(|time| SpanEvent { time, name: "event".into(), ..SpanEvent::default() });
    made.span.events = events.collect();
    made
}
