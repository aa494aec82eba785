//! A shop that really goes wrong: hosts with wrong clocks, an owner, a cache, a read model fed by messages, retries.
//!
//! It knows nothing of how findings are judged. What its spans say comes from the state that it keeps; every span has
//! the attributes of ordinary instrumentation for calls and messages, and states what it did to state outright.

use std::sync::Arc;

use crate::id::{SpanId, TraceId};
use crate::record::{
    Body, Link, Position, Record, Resource, Scope, Span, SpanEvent, SpanKind, Status, StatusCode,
};
use crate::time::Time;
use crate::value::{Attributes, Value};

/// Milliseconds in nanoseconds.
const MS: u64 = 1_000_000;

/// The processes, each on its own host.
pub(super) const GATEWAY: usize = 0;
pub(super) const ORDERS_1: usize = 1;
pub(super) const ORDERS_2: usize = 2;
pub(super) const PAYMENTS: usize = 3;
pub(super) const CACHE: usize = 4;
pub(super) const SEARCH_1: usize = 5;
pub(super) const SEARCH_2: usize = 6;
const SERVICES: [&str; 7] = ["gateway", "orders", "orders", "payments", "cache", "search", "search"];

/// What is known of the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streams {
    /// All of it is sent, and says so.
    Whole,
    /// All of it is sent, and nothing says so.
    Silent,
    /// Half of the traces are sent, and say so.
    Sampled,
}

/// Chance from a seed: SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low)
    }
}

/// Where something is done: in which process, in which trace, under which span.
#[derive(Clone, Copy)]
pub(super) struct Here {
    pub(super) process: usize,
    trace: TraceId,
    parent: Option<SpanId>,
}

/// A message on its way.
#[derive(Clone)]
pub(super) struct Message {
    trace: TraceId,
    span: SpanId,
    id: String,
    sent: u64,
    pub(super) status: &'static str,
    pub(super) version: i64,
}

/// One change or read of a field, as a span event states it.
pub(super) struct Stated {
    pub(super) op: &'static str,
    pub(super) field: &'static str,
    pub(super) value: Option<Value>,
    pub(super) from: Option<Value>,
    pub(super) version: Option<i64>,
}

pub(super) fn writes(field: &'static str, value: impl Into<Value>) -> Stated {
    Stated { op: "write", field, value: Some(value.into()), from: None, version: None }
}

pub(super) fn reads(field: &'static str, value: impl Into<Value>) -> Stated {
    Stated { op: "read", ..writes(field, value) }
}

impl Stated {
    pub(super) fn version(self, version: i64) -> Stated {
        Stated { version: Some(version), ..self }
    }

    pub(super) fn from(self, from: &str) -> Stated {
        Stated { from: Some(from.into()), ..self }
    }
}

/// All of it.
pub(super) struct World {
    pub(super) chance: Chance,
    /// True time, in nanoseconds.
    pub(super) now: u64,
    pub(super) records: Vec<Record>,
    offsets: Vec<i64>,
    streams: Streams,
    resources: Vec<Arc<Resource>>,
    scope: Arc<Scope>,
    ids: u64,
}

fn attributes(pairs: Vec<(&str, Value)>) -> Attributes {
    pairs.into_iter().collect()
}

impl World {
    pub(super) fn new(seed: u64, streams: Streams) -> World {
        let mut chance = Chance::new(seed);
        let offsets =
            SERVICES.iter().map(|_| chance.below(4_000 * MS) as i64 - (2_000 * MS) as i64).collect();
        let resource = |(number, service): (usize, &&str)| {
            let pairs = attributes(vec![
                ("service.name", (*service).into()),
                ("service.instance.id", format!("{service}-{number}").as_str().into()),
                ("host.name", format!("host-{number}").as_str().into()),
            ]);
            Arc::new(Resource::new(pairs, 0))
        };
        let resources = SERVICES.iter().enumerate().map(resource).collect();
        let scope = Arc::new(Scope::new("simulated".into(), String::new(), Attributes::default()));
        let now = 1_795_428_000_000_000_007;
        World { chance, now, records: Vec::new(), offsets, streams, resources, scope, ids: seed << 20 }
    }

    /// Lets `low..high` milliseconds pass.
    pub(super) fn pass(&mut self, low: u64, high: u64) {
        self.now += self.chance.between(low * MS, high * MS) + 1;
    }

    fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    fn local(&self, process: usize, time: u64) -> Time {
        Time(time.wrapping_add_signed(self.offsets[process]))
    }

    fn emit(&mut self, here: Here, span: SpanId, kind: SpanKind, name: &str, start: u64, more: Span) {
        let kept = self.streams != Streams::Sampled || here.trace.0[15].is_multiple_of(2);
        let trace_state = match self.streams {
            Streams::Whole => "ot=th:0",
            Streams::Silent => "",
            Streams::Sampled => "ot=th:8",
        };
        let body = Span {
            trace_id: here.trace,
            span_id: span,
            parent_span_id: here.parent,
            trace_state: trace_state.into(),
            name: name.into(),
            kind,
            start: self.local(here.process, start),
            end: self.local(here.process, self.now),
            ..more
        };
        if kept {
            let resource = Arc::clone(&self.resources[here.process]);
            let scope = Arc::clone(&self.scope);
            self.records.push(Record::new(Position::default(), None, resource, scope, Body::Span(body), 0));
        }
    }

    /// A new trace, entered at a process.
    pub(super) fn enter<T>(&mut self, process: usize, act: impl FnOnce(&mut World, Here) -> T) -> T {
        let id = self.id();
        let mut bytes = [1; 16];
        bytes[8..].copy_from_slice(&id.to_be_bytes());
        let here = Here { process, trace: TraceId(bytes), parent: None };
        self.within(here, SpanKind::Server, "request", vec![("order.id", 42.into())], act)
    }

    fn within<T>(
        &mut self,
        here: Here,
        kind: SpanKind,
        name: &str,
        pairs: Vec<(&str, Value)>,
        act: impl FnOnce(&mut World, Here) -> T,
    ) -> T {
        let span = SpanId(self.id().to_be_bytes());
        let start = self.now;
        self.pass(0, 1);
        let done = act(self, Here { parent: Some(span), ..here });
        self.pass(0, 1);
        self.emit(here, span, kind, name, start, Span { attributes: attributes(pairs), ..Span::default() });
        done
    }

    /// Calls another process, which answers. `resent` counts earlier attempts; without an answer the caller waits on.
    pub(super) fn call<T>(
        &mut self,
        here: Here,
        to: usize,
        (resent, answered): (i64, bool),
        act: impl FnOnce(&mut World, Here) -> T,
    ) -> T {
        let mut pairs: Vec<(&str, Value)> = vec![
            ("http.request.method", "POST".into()),
            ("url.full", format!("http://{}/orders/42", SERVICES[to]).as_str().into()),
            ("http.request.resend_count", resent.into()),
        ];
        let status = if answered { StatusCode::Unset } else { StatusCode::Error };
        if answered {
            pairs.push(("http.response.status_code", 200.into()));
        }
        let client = SpanId(self.id().to_be_bytes());
        let start = self.now;
        self.pass(0, 1);
        let there = Here { process: to, trace: here.trace, parent: Some(client) };
        let done =
            self.within(there, SpanKind::Server, "POST /orders/42", vec![("order.id", 42.into())], act);
        self.pass(0, 1);
        if !answered {
            self.pass(500, 1_000);
        }
        let status = Status { code: status, message: String::new() };
        let more = Span { attributes: attributes(pairs), status, ..Span::default() };
        self.emit(here, client, SpanKind::Client, "POST", start, more);
        done
    }

    /// One statement on a copy, with what it did; failed where it did not take effect.
    pub(super) fn state(&mut self, here: Here, copy: &str, failed: bool, stated: Vec<Stated>) {
        let span = SpanId(self.id().to_be_bytes());
        let start = self.now;
        self.pass(0, 2);
        let time = self.local(here.process, self.now);
        let event = |stated: Stated| {
            let mut pairs: Vec<(&str, Value)> = vec![
                ("backstory.entity.type", "order".into()),
                ("backstory.entity.key", "42".into()),
                ("backstory.copy", copy.into()),
                ("backstory.op", stated.op.into()),
                ("backstory.field", stated.field.into()),
            ];
            pairs.extend(stated.value.map(|value| ("backstory.value", value)));
            pairs.extend(stated.from.map(|from| ("backstory.from", from)));
            pairs.extend(stated.version.map(|version| ("backstory.version", version.into())));
            SpanEvent {
                time,
                name: "backstory.state".into(),
                attributes: attributes(pairs),
                ..SpanEvent::default()
            }
        };
        let events = stated.into_iter().map(event).collect();
        self.pass(0, 1);
        let status = match failed {
            true => Status { code: StatusCode::Error, message: "refused: card declined".to_owned() },
            false => Status::default(),
        };
        let attributes = attributes(vec![("order.id", 42.into())]);
        self.emit(
            here,
            span,
            SpanKind::Client,
            "statement",
            start,
            Span { events, status, attributes, ..Span::default() },
        );
    }

    /// Sends what the order has become.
    pub(super) fn publish(&mut self, here: Here, status: &'static str, version: i64) -> Message {
        let (span, id) = (SpanId(self.id().to_be_bytes()), format!("m-{}", self.id()));
        let start = self.now;
        self.pass(0, 1);
        let pairs = message(&id);
        self.emit(
            here,
            span,
            SpanKind::Producer,
            "publish orders",
            start,
            Span { attributes: pairs, ..Span::default() },
        );
        Message { trace: here.trace, span, id, sent: start, status, version }
    }

    /// Receives a message in a trace of its own and works on it.
    pub(super) fn consume(&mut self, process: usize, received: &Message, act: impl FnOnce(&mut World, Here)) {
        self.now = self.now.max(received.sent);
        self.pass(1, 4);
        let id = self.id();
        let mut bytes = [2; 16];
        bytes[8..].copy_from_slice(&id.to_be_bytes());
        let here = Here { process, trace: TraceId(bytes), parent: None };
        let span = SpanId(self.id().to_be_bytes());
        let start = self.now;
        act(self, Here { parent: Some(span), ..here });
        let link = Link { trace_id: received.trace, span_id: received.span, ..Link::default() };
        let more = Span { attributes: message(&received.id), links: vec![link], ..Span::default() };
        self.emit(here, span, SpanKind::Consumer, "process orders", start, more);
    }
}

fn message(id: &str) -> Attributes {
    attributes(vec![
        ("messaging.system", "kafka".into()),
        ("messaging.destination.name", "orders".into()),
        ("messaging.message.id", id.into()),
        ("order.id", 42.into()),
    ])
}
