//! A story to draw: order 42 is charged over a lost reply, retried, shipped to nobody, and cached by a
//! service whose clock runs 80 ms ahead.

use std::sync::Arc;

use timeline::document::{
    Basis, Certainty, CompletenessBasis, Finding, FindingKind, FindingStatus, Grade, Identity,
    Incompleteness, InitialState, Marker, Op, Outcome, StateChange, StateEvidence, Stream, StreamState,
    Timeline, ValueBasis,
};
use timeline::record::{Body, Link, Log, Position, Record, Resource, Scope, Span, SpanKind, StatusCode};
use timeline::time::Time;
use timeline::value::{Attributes, Value};
use timeline::{Given, Question, tell};

use crate::testing::{span_id, trace};

/// The timeline as the real thing tells it.
pub(crate) fn story() -> Timeline {
    let question: Question = "order/42".parse().expect("a question");
    tell(records(), &question, &Given::default())
}

/// The same with every field of a document filled, whatever the telling fills by itself.
pub(crate) fn whole() -> Timeline {
    let mut told = story();
    let change = |field: &str, from: &str, value: &str, outcome| StateChange {
        entity: "order/42".into(),
        copy: "shop/orders".into(),
        part: false,
        op: Op::Write,
        field: Some(field.into()),
        from: Some(from.into()),
        value: Some(value.into()),
        delta: None,
        version: Some(3.into()),
        outcome,
        visible_at: None,
        evidence: StateEvidence::Sql,
        identity: Identity::Ancestor,
    };
    let charges: Vec<usize> = (0..told.events.len())
        .filter(|at| told.events[*at].name == "POST /charges" && told.events[*at].process != "p0")
        .collect();
    let (first, last) = (charges[0], charges[charges.len() - 1]);
    told.events[first].state = vec![change("status", "created", "paid", Outcome::Ok)];
    told.events[last].state = vec![change("status", "paid", "paid", Outcome::Unknown)];
    told.initial_state = vec![InitialState {
        entity: "order/42".into(),
        copy: "shop/orders".into(),
        field: "status".into(),
        value: Some("created".into()),
        known: true,
    }];
    told.markers = vec![Marker {
        kind: "version_seen".into(),
        process: "p1".into(),
        time: told.events[first].corrected,
        detail: "payments 2.14.0 → 2.15.0".into(),
    }];
    told.completeness.complete = false;
    told.completeness.reasons = vec![Incompleteness::Sampled];
    told.completeness.streams = vec![Stream {
        service: "payments".into(),
        signal: "spans".into(),
        state: StreamState::Sampled,
        rate: Some(0.25),
        evidence: Some("tracestate ot=th:c".into()),
    }];
    told.findings = vec![Finding {
        id: "f-1c2a77e0b4d95f31".into(),
        kind: FindingKind::DuplicateApply,
        grade: Grade::Proved,
        basis: Basis {
            order: Some(Certainty::Causal),
            identity: Identity::Ancestor,
            value: ValueBasis::Seen,
            completeness: CompletenessBasis::NotNeeded,
        },
        status: FindingStatus::Settled,
        class: None,
        repaired_by: None,
        consequence_of: None,
        entity: Some("order/42".into()),
        entities: vec!["order/42".into()],
        events: vec![told.events[first].id, told.events[last].id],
        records: vec![told.events[first].record, told.events[last].record],
        trace_ids: vec![trace(1)],
        summary: "one intent took effect twice: a double-charge of order/42".into(),
        from: told.events[first].corrected,
        until: Some(told.events[last].corrected),
    }];
    told
}

/// The whole story with `text` wherever telemetry puts texts, and in one event among the others.
pub(crate) fn hostile(text: &str, place: usize) -> Timeline {
    let mut told = whole();
    let len = told.events.len();
    let event = &mut told.events[place % len];
    event.name = text.into();
    event.attributes.get_or_insert_default().insert(text.into(), text.into());
    for change in told.events.iter_mut().flat_map(|event| &mut event.state) {
        (change.entity, change.copy) = (text.into(), text.into());
        (change.field, change.value) = (Some(text.into()), Some(text.into()));
    }
    let state = &mut told.initial_state[0];
    (state.entity, state.copy, state.field) = (text.into(), text.into(), text.into());
    state.value = Some(text.into());
    let process = &mut told.processes[place % 3];
    (process.service, process.instance) = (text.into(), Some(text.into()));
    (process.host, process.version) = (Some(text.into()), Some(text.into()));
    told.clocks[0].host = Some(text.into());
    told.markers[0].detail = text.into();
    told.gaps.iter_mut().for_each(|gap| gap.detail = text.into());
    let stream = &mut told.completeness.streams[0];
    (stream.service, stream.evidence) = (text.into(), Some(text.into()));
    told.findings[0].summary = text.into();
    (told.findings[0].entity, told.findings[0].entities) = (Some(text.into()), vec![text.into()]);
    (told.entity.key, told.entity.scope) = (text.into(), text.into());
    told
}

/// What it is told from.
pub(crate) fn records() -> Vec<Record> {
    let mut records = vec![
        span(
            1,
            0,
            "orders",
            "POST /orders",
            SpanKind::Server,
            [0, 1_230_000],
            &[("http.response.status_code", "201")],
        ),
        span(
            2,
            1,
            "orders",
            "INSERT orders",
            SpanKind::Client,
            [1_200, 3_900],
            &[("db.system.name", "postgresql")],
        ),
        span(6, 5, "payments", "INSERT charges", SpanKind::Client, [12_300, 209_000], &[]),
        span(
            3,
            1,
            "orders",
            "POST /charges",
            SpanKind::Client,
            [4_100, 1_005_000],
            &[("error.type", "timeout")],
        ),
        span(4, 1, "orders", "POST /charges", SpanKind::Client, [1_006_000, 1_229_000], &[]),
        span(5, 3, "payments", "POST /charges", SpanKind::Server, [11_000, 214_000], &[]),
        span(7, 4, "payments", "POST /charges", SpanKind::Server, [1_012_000, 1_222_500], &[]),
        span(8, 1, "orders", "order.paid publish", SpanKind::Producer, [1_229_200, 1_229_700], &[]),
        span(10, 1, "orders", "order.shipped publish", SpanKind::Producer, [1_229_750, 1_229_900], &[]),
        log(1, "orders", 9, "order 42 is now paid", 1_229_050),
        log(5, "payments", 13, "client went away before the answer", 213_500),
    ];
    records.push(consumer());
    records
}

/// `node-b` and its cache run 80 ms ahead.
fn consumer() -> Record {
    let mut made = raw_span(9, 0, "order.paid process", SpanKind::Consumer, [1_311_000, 1_313_400], &[]);
    made.trace_id = trace(2);
    made.links = vec![Link { trace_id: trace(1), span_id: span_id(8), ..Link::default() }];
    record("order-cache", Body::Span(made))
}

fn span(
    number: u8,
    parent: u8,
    service: &str,
    name: &str,
    kind: SpanKind,
    us: [u64; 2],
    more: &[(&str, &str)],
) -> Record {
    let mut made = raw_span(number, parent, name, kind, us, more);
    if made.attributes.get("error.type").is_some() {
        made.status.code = StatusCode::Error;
    }
    record(service, Body::Span(made))
}

fn raw_span(number: u8, parent: u8, name: &str, kind: SpanKind, us: [u64; 2], more: &[(&str, &str)]) -> Span {
    let own = [("order.id", "42")].into_iter().filter(|_| number == 1);
    let attributes = own.chain(more.iter().copied()).map(|(key, value)| (key, Value::from(value))).collect();
    Span {
        trace_id: trace(1),
        span_id: span_id(number),
        parent_span_id: (parent > 0).then(|| span_id(parent)),
        name: name.into(),
        kind,
        start: at(us[0]),
        end: at(us[1]),
        attributes,
        ..Span::default()
    }
}

fn log(number: u8, service: &str, severity: i32, text: &str, us: u64) -> Record {
    let log = Log {
        time: at(us),
        severity_number: severity,
        body: Value::from(text),
        trace_id: Some(trace(1)),
        span_id: Some(span_id(number)),
        ..Log::default()
    };
    record(service, Body::Log(log))
}

fn at(us: u64) -> Time {
    Time(1_795_428_000_000_000_007 + us * 1_000)
}

fn record(service: &str, body: Body) -> Record {
    let host = if service == "order-cache" { "node-b" } else { "node-a" };
    let pairs = [
        ("service.name", service),
        ("service.namespace", "shop"),
        ("deployment.environment.name", "production"),
        ("host.name", host),
        ("service.instance.id", service),
    ];
    let attributes = pairs.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
    let scope = Scope::new("story".into(), String::new(), Attributes::default());
    Record::new(Position::default(), None, Arc::new(Resource::new(attributes, 0)), Arc::new(scope), body, 0)
}
