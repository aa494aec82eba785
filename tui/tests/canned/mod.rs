//! A hand-made store: one incident of order/42, told as the terminal UI's goal draws it.

use std::sync::atomic::{AtomicU64, Ordering};

use query::archive::Effort;
use query::interface::{
    AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, FindingsRequest, FollowAnswer,
    FollowRequest, Query, QueryError, Records, SearchRequest, StateRequest, TimelineRequest, WhyAnswer,
    WhyRequest,
};
use serde_json::{Map, Value, json};
use timeline::document::{
    Affected, Basis, Belongs, CausalStamp, Certainty, Clock, ClockBounds, Clocks, Completeness,
    CompletenessBasis, Doctor, Edge, Entities, Entity, Event, EventKind, Evidence, Find, FindMatch, Finding,
    FindingKind, FindingStatus, Findings, Folded, Gap, GapKind, Grade, Identity, Incompleteness, Op, Outcome,
    Process, Range, Search, SearchRecord, State, StateChange, StateEvidence, Stats, Stream, StreamState,
    Timeline, ValueBasis,
};
use timeline::id::{EventId, Point, RecordId, SpanId, TraceId};
use timeline::record::{Severity, SpanKind, StatusCode};
use timeline::survey::Survey;
use timeline::time::Time;

/// 2026-11-23T10:00:00Z.
pub(crate) const START: Time = Time(1_795_428_000_000_000_000);

/// A moment so many milliseconds after [`START`].
pub(crate) fn at(ms: f64) -> Time {
    START.shifted((ms * 1e6).round() as i128)
}

/// A timeline in the making.
pub(crate) struct Story {
    events: Vec<Event>,
    edges: Vec<Edge>,
    gaps: Vec<Gap>,
    findings: Vec<Finding>,
    processes: Vec<Process>,
    offsets_ns: Vec<(i128, Option<u64>)>,
    records: u64,
}

impl Story {
    pub(crate) fn new() -> Story {
        Story {
            events: Vec::new(),
            edges: Vec::new(),
            gaps: Vec::new(),
            findings: Vec::new(),
            processes: Vec::new(),
            offsets_ns: Vec::new(),
            records: 0,
        }
    }

    /// A process whose clock is off by so much, known to within so much.
    pub(crate) fn process(
        &mut self,
        service: &str,
        host: &str,
        offset_ns: i128,
        error_ns: Option<u64>,
    ) -> usize {
        let number = self.processes.len();
        self.processes.push(Process {
            id: format!("p{number}"),
            service: service.to_owned(),
            instance: Some(format!("{service}-1")),
            host: Some(host.to_owned()),
            version: Some("2.14.0".to_owned()),
            clock: format!("c{number}"),
        });
        self.offsets_ns.push((offset_ns, error_ns));
        number
    }

    fn record(&mut self) -> RecordId {
        self.records += 1;
        // Spread over all digits, so that ids are told apart by their beginning.
        let spread = u128::from(self.records).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        RecordId(spread.to_be_bytes())
    }

    /// One event; `change` makes it what it is.
    pub(crate) fn event(
        &mut self,
        process: usize,
        record: RecordId,
        kind: (EventKind, Point),
        name: &str,
        ms: f64,
        change: impl FnOnce(&mut Event),
    ) -> EventId {
        let (offset_ns, error_ns) = self.offsets_ns[process];
        let corrected = at(ms);
        let mut event = Event {
            id: EventId::new(record, kind.1),
            record,
            revisions: 1,
            process: format!("p{process}"),
            kind: kind.0,
            name: name.to_owned(),
            span_kind: None,
            severity: None,
            trace_id: Some(TraceId([0x4b; 16])),
            span_id: Some(SpanId([record.0[0], 1, 2, 3, 4, 5, 6, 7])),
            time: corrected.shifted(offset_ns),
            corrected,
            error_ns,
            hlc: CausalStamp { l: corrected, c: 0 },
            arrival: Some(hlc::Stamp::from_wall_ns(at(ms + 812.5).0)),
            attributes: Some(attributes(json!({ "order.id": 42 }))),
            folded: None,
            unordered_with: Vec::new(),
            state: Vec::new(),
            belongs: Belongs::Own,
        };
        change(&mut event);
        let id = event.id;
        self.events.push(event);
        id
    }

    /// A span's start and end.
    pub(crate) fn span(
        &mut self,
        process: usize,
        kind: SpanKind,
        name: &str,
        from_ms: f64,
        to_ms: f64,
        change: impl FnOnce(&mut Event),
    ) -> (EventId, EventId) {
        let record = self.record();
        let start =
            self.event(process, record, (EventKind::SpanStart, Point::Start), name, from_ms, |event| {
                event.span_kind = Some(kind);
            });
        let end = self.event(process, record, (EventKind::SpanEnd, Point::End), name, to_ms, |event| {
            event.span_kind = Some(kind);
            change(event);
        });
        self.edge(start, end, Certainty::Causal, Evidence::Span);
        (start, end)
    }

    pub(crate) fn log(&mut self, process: usize, severity: Severity, text: &str, ms: f64) -> EventId {
        let record = self.record();
        self.event(process, record, (EventKind::Log, Point::Log), text, ms, |event| {
            event.severity = Some(severity);
            event.belongs = Belongs::Log;
        })
    }

    pub(crate) fn edge(&mut self, from: EventId, to: EventId, certainty: Certainty, evidence: Evidence) {
        self.edges.push(Edge { from, to, certainty, evidence });
    }

    pub(crate) fn causal(&mut self, from: EventId, to: EventId, evidence: Evidence) {
        self.edge(from, to, Certainty::Causal, evidence);
    }

    pub(crate) fn tell(mut self, kind: &str, key: &str) -> Timeline {
        self.events.sort_by_key(|event| (event.corrected, event.record));
        let first = self.events.first().map(|event| event.corrected);
        let last = self.events.last().map(|event| event.corrected);
        let total = self.events.len() as u64;
        let clocks = self.processes.iter().zip(&self.offsets_ns).map(|(process, (offset_ns, error_ns))| {
            let (offset, error) = (*offset_ns as i64, *error_ns);
            let known = error.is_some();
            Clock {
                id: process.clock.clone(),
                host: process.host.clone(),
                reference: process.id == "p0",
                at: first,
                offset_ns: known.then_some(offset),
                error_ns: error,
                bounds_ns: error.map_or([None; 2], |e| [Some(offset - e as i64), Some(offset + e as i64)]),
                drift_ppm: known.then_some(1.4),
                bounds: if known { ClockBounds::Both } else { ClockBounds::None },
                messages: 388,
                since: None,
                until: None,
            }
        });
        Timeline {
            schema: Timeline::SCHEMA.to_owned(),
            entity: Entity {
                kind: kind.to_owned(),
                key: key.to_owned(),
                scope: "production/shop".to_owned(),
            },
            range: first.zip(last).map(|(start, end)| Range { start, end }),
            completeness: Completeness { complete: true, shown: total, total, ..Completeness::default() },
            clocks: clocks.collect(),
            processes: self.processes,
            events: self.events,
            edges: self.edges,
            edges_omitted: 0,
            markers: Vec::new(),
            initial_state: Vec::new(),
            gaps: self.gaps,
            findings: self.findings,
        }
    }
}

pub(crate) fn attributes(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn change(copy: &str, op: Op, field: &str, from: Option<&str>, value: &str) -> StateChange {
    StateChange {
        entity: "order/42".to_owned(),
        copy: copy.to_owned(),
        part: copy.contains("charges"),
        op,
        field: Some(field.to_owned()),
        from: from.map(Value::from),
        value: Some(Value::from(value)),
        delta: None,
        version: None,
        outcome: Outcome::Ok,
        visible_at: None,
        evidence: if copy.starts_with("redis") { StateEvidence::Redis } else { StateEvidence::Sql },
        identity: Identity::Own,
    }
}

/// The incident: a lost reply and a retry that charges twice, a stale cache, a message nobody handles.
pub(crate) fn incident() -> Timeline {
    use Evidence as E;
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    let mut s = Story::new();
    let orders = s.process("orders", "node-a", 0, Some(0));
    let payments = s.process("payments", "node-b", -7_300_000, Some(210_000));
    let inventory = s.process("inventory", "node-c", 2_450_000_000, Some(480_000));
    let cache = s.process("order-cache", "node-d", 0, None);

    let post = s.span(orders, Server, "POST /orders", 0.0, 1_912.6, |e| {
        e.attributes = Some(attributes(json!({
            "http.request.method": "POST", "http.route": "/orders", "order.id": 42, "url.path": "/orders",
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
        })));
    });
    let insert = s.span(orders, Client, "INSERT orders", 1.2, 4.1, |e| {
        e.state = vec![change("shop/orders", Op::Write, "status", None, "created")];
    });
    s.causal(post.0, insert.0, E::Parent);
    let charge = s.span(orders, Client, "POST /charges", 5.0, 1_005.0, |e| {
        e.severity = Some(Severity::Error);
        e.attributes = Some(attributes(json!({ "order.id": 42, "error.type": "timeout" })));
    });
    s.causal(insert.1, charge.0, E::Process);
    let charged = s.span(payments, Server, "POST /charges", 11.3, 214.9, |_| {});
    s.causal(charge.0, charged.0, E::Request);
    let capture = s.span(payments, Client, "INSERT charges", 180.4, 210.2, |e| {
        e.state = vec![change("pay/charges", Op::Write, "state", None, "captured")];
    });
    s.causal(charged.0, capture.0, E::Parent);
    s.gaps.push(Gap {
        kind: GapKind::MissingReply,
        event: Some(charge.1),
        detail: "no answer to POST /charges was seen".to_owned(),
    });
    let retry_log = s.log(orders, Severity::Warn, "charge timed out after 1.0 s, retrying", 1_005.4);
    s.causal(post.0, retry_log, E::LogInSpan);
    let again = s.span(orders, Client, "POST /charges", 1_006.0, 1_232.4, |_| {});
    s.causal(charge.0, again.0, E::Retry);
    let charged_again = s.span(payments, Server, "POST /charges", 1_012.5, 1_230.0, |_| {});
    s.causal(again.0, charged_again.0, E::Request);
    s.causal(charged_again.0, again.1, E::Reply);
    let capture_again = s.span(payments, Client, "INSERT charges", 1_190.0, 1_220.6, |e| {
        e.state = vec![change("pay/charges", Op::Write, "state", None, "captured")];
    });
    s.causal(charged_again.0, capture_again.0, E::Parent);
    let paid = s.span(orders, Client, "UPDATE orders", 1_908.0, 1_912.2, |e| {
        e.state = vec![change("shop/orders", Op::Write, "status", Some("created"), "paid")];
    });
    s.causal(post.0, paid.0, E::Parent);
    s.edge(again.1, paid.0, Certainty::Clock, E::Process);
    let publish = s.span(orders, Producer, "publish order.paid", 1_912.3, 1_912.5, |_| {});
    s.causal(post.0, publish.0, E::Parent);
    let reserve = s.span(inventory, Consumer, "process order.paid", 1_926.1, 1_934.8, |_| {});
    s.causal(publish.0, reserve.0, E::Message);
    let stock = s.span(inventory, Client, "UPDATE stock", 1_928.0, 1_931.7, |e| {
        e.state = vec![change("stock/reserved", Op::Write, "reserved", None, "1")];
    });
    s.causal(reserve.0, stock.0, E::Parent);
    let twin = s.span(inventory, Internal, "query", 1_928.1, 1_931.5, |e| e.folded = Some(Folded::Twin));
    s.causal(stock.0, twin.0, E::Parent);
    for event in s.events.iter_mut().filter(|event| event.id == twin.0) {
        event.folded = Some(Folded::Twin);
    }
    let get = s.span(cache, Server, "GET /orders/42", 4_930.1, 4_931.9, |_| {});
    let read = s.span(cache, Client, "GET order:42", 4_930.6, 4_930.9, |e| {
        e.state = vec![change("redis/order", Op::Read, "status", None, "created")];
    });
    s.causal(get.0, read.0, E::Parent);
    let set = s.span(cache, Client, "SET order:42", 5_100.0, 5_100.3, |e| {
        e.state = vec![change("redis/order", Op::Write, "status", Some("created"), "paid")];
    });
    s.causal(read.1, set.0, E::Process);
    let noise = s.log(inventory, Severity::Debug, "connection returned to pool", 5_100.1);
    for event in &mut s.events {
        match event.id {
            id if id == noise => {
                (event.folded, event.unordered_with) = (Some(Folded::Noise), vec![set.0, set.1]);
            }
            id if id == set.0 || id == set.1 => event.unordered_with = vec![noise],
            id if id == stock.1 => event.belongs = Belongs::Descendant,
            _ => {}
        }
    }
    let ship = s.span(orders, Producer, "publish order.shipped", 8_300.0, 8_300.4, |_| {});
    s.edge(post.1, ship.0, Certainty::Clock, E::Process);
    s.edge(set.1, ship.0, Certainty::Assumed, E::Declared);
    s.gaps.push(Gap {
        kind: GapKind::MissingReceiver,
        event: Some(ship.0),
        detail: "order.shipped: sent, nobody received it".to_owned(),
    });
    let last = s.log(orders, Severity::Error, "shipment\u{1b}[31m not confirmed for order 42", 9_120.0);
    s.edge(ship.1, last, Certainty::Clock, E::Process);
    s.findings = vec![
        finding(
            FindingKind::DuplicateApply,
            Grade::Proved,
            "charges of order/42 captured twice by one command",
            &[capture.1, capture_again.1],
        ),
        finding(
            FindingKind::StaleRead,
            Grade::Possible,
            "order-cache served status=created 3.0 s after it was paid",
            &[paid.1, read.1],
        ),
    ];
    let mut timeline = s.tell("order", "42");
    timeline.completeness = Completeness {
        complete: false,
        reasons: vec![Incompleteness::Sampled],
        streams: vec![Stream {
            service: "payments".to_owned(),
            signal: "spans".to_owned(),
            state: StreamState::Sampled,
            rate: Some(0.1),
            evidence: Some("tracestate ot=th".to_owned()),
        }],
        ..timeline.completeness
    };
    timeline
}

fn finding(kind: FindingKind, grade: Grade, summary: &str, events: &[EventId]) -> Finding {
    Finding {
        id: "f-1c2a77e0b4d95f31".to_owned(),
        kind,
        grade,
        basis: Basis {
            order: Some(Certainty::Causal),
            identity: Identity::Own,
            value: ValueBasis::Seen,
            completeness: CompletenessBasis::NotNeeded,
        },
        status: FindingStatus::Settled,
        class: None,
        repaired_by: None,
        consequence_of: None,
        entity: Some("order/42".to_owned()),
        entities: vec!["order/42".to_owned()],
        events: events.to_vec(),
        records: Vec::new(),
        trace_ids: Vec::new(),
        summary: summary.to_owned(),
        from: Time::UNSET,
        until: None,
    }
}

/// Many events of many services, to see that size does no harm.
pub(crate) fn large(events: usize, services: usize) -> Timeline {
    let mut s = Story::new();
    for number in 0..services {
        s.process(&format!("service-{number}"), "node-a", 0, Some(1000));
    }
    let mut previous = None;
    for number in 0..events / 2 {
        let ms = number as f64;
        let span =
            s.span(number % services, SpanKind::Server, &format!("step {number}"), ms, ms + 0.5, |_| {});
        if let Some(previous) = previous {
            s.causal(previous, span.0, Evidence::Request);
        }
        previous = Some(span.0);
    }
    s.tell("order", "large")
}

/// More services than there is room for, two of which write state.
pub(crate) fn crowded() -> Timeline {
    let mut timeline = large(60, 20);
    for (at, event) in timeline.events.iter_mut().enumerate() {
        let writes = event.kind == EventKind::SpanEnd && ["p3", "p7"].contains(&event.process.as_str());
        if writes {
            event.state = vec![change("shop/orders", Op::Write, "step", None, &at.to_string())];
        }
    }
    timeline
}

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

pub(crate) fn stats(records: u64) -> Stats {
    Stats {
        schema: Stats::SCHEMA.to_owned(),
        spans: records - records / 5,
        logs: records / 5,
        exact: true,
        resent_spans: 0,
        resent_logs: 0,
        rejected: 0,
        traces: records / 3,
        services: if records == 0 { 0 } else { 4 },
        bytes_journal: records * 80,
        bytes_index: records * 30,
        indexed_to: "1-0".to_owned(),
        journal_end: "1-0".to_owned(),
        first: (records > 0).then(|| at(0.0)),
        last: (records > 0).then(|| at(9_120.0)),
    }
}

/// A store of so many records, one more each second.
pub(crate) struct Canned {
    pub(crate) held: AtomicU64,
    pub(crate) growing: bool,
}

impl Canned {
    pub(crate) fn new(held: u64, growing: bool) -> Canned {
        Canned { held: AtomicU64::new(held), growing }
    }

    pub(crate) fn whole(shown: u64, total: u64) -> Completeness {
        Completeness { complete: true, shown, total, ..Completeness::default() }
    }
}

impl Query for Canned {
    fn timeline(&self, request: &TimelineRequest, effort: &Effort) -> Result<Timeline, QueryError> {
        effort.check()?;
        Ok(match request.entity.as_str() {
            "order/42" | "order.id=42" => incident(),
            "order/large" => large(3_000, 12),
            "order/huge" => large(100_000, 12),
            "order/crowded" => crowded(),
            "order/growing" => large(20 + 2 * self.held.load(Ordering::Relaxed) as usize, 3),
            other => {
                let (kind, key) = other.split_once(['/', '=']).unwrap_or(("", other));
                Story::new().tell(kind, key)
            }
        })
    }

    fn records(&self, _: &TimelineRequest, _: &Effort) -> Result<Records, QueryError> {
        Err(QueryError::Remote("the canned stories have no records".to_owned()))
    }

    fn why(&self, _: &WhyRequest, _: &Effort) -> Result<WhyAnswer, QueryError> {
        Err(QueryError::Remote("the canned stories have no records".to_owned()))
    }

    fn clocks(&self, _: &ClocksRequest, _: &Effort) -> Result<Clocks, QueryError> {
        Err(QueryError::Remote("the canned stories have no records".to_owned()))
    }

    fn find(&self, value: &str, _: &Effort) -> Result<Find, QueryError> {
        let entity = |entity: &str| FindMatch {
            entity: Some(entity.to_owned()),
            attribute: "order.id".to_owned(),
            value: value.to_owned(),
            records: 87,
            first: at(0.0),
            last: at(9_120.0),
        };
        let matches = if value == "42" { vec![entity("order/42")] } else { Vec::new() };
        Ok(Find { schema: Find::SCHEMA.to_owned(), completeness: Canned::whole(1, 1), matches })
    }

    fn search(&self, request: &SearchRequest, effort: &Effort) -> Result<Search, QueryError> {
        effort.check()?;
        if request.query.matches('"').count() % 2 == 1 {
            let at = request.query.find('"');
            return Err(QueryError::Malformed { message: "this quotation is never closed".to_owned(), at });
        }
        if let Some(Ok(trace)) = request.query.strip_prefix("trace:").map(str::parse) {
            let records = trace_records(trace);
            let total = records.len() as u64;
            let completeness = Canned::whole(total, total);
            let schema = Search::SCHEMA.to_owned();
            return Ok(Search { schema, completeness, records, shown: total, total, next: None });
        }
        let wanted = request.query.trim_matches('"').to_lowercase();
        let wanted = wanted.strip_prefix("service:").unwrap_or(&wanted);
        let before = request.before.map_or(u64::MAX, |position| position.offset);
        let matching: Vec<SearchRecord> = (0..self.held.load(Ordering::Relaxed))
            .rev()
            .map(record)
            .filter(|record| format!("{record:?}").to_lowercase().contains(wanted))
            .collect();
        let total = matching.len() as u64;
        let mut page: Vec<SearchRecord> = matching
            .into_iter()
            .filter(|r| r.position.split('-').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0) < before)
            .collect();
        let more = page.len() > request.limit;
        page.truncate(request.limit);
        let next = page.last().filter(|_| more).map(|record| record.position.clone());
        let shown = page.len() as u64;
        let completeness = Canned::whole(shown, total);
        Ok(Search { schema: Search::SCHEMA.to_owned(), completeness, records: page, shown, total, next })
    }

    fn follow(&self, request: &FollowRequest, _: &Effort) -> Result<FollowAnswer, QueryError> {
        let grown = request.after.is_some() && self.growing;
        let held = if grown {
            self.held.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            self.held.load(Ordering::Relaxed)
        };
        let records = if grown { vec![record(held - 1)] } else { Vec::new() };
        Ok(FollowAnswer { records, after: Some(format!("1-{held}-0-0")) })
    }

    fn entities(&self, _: &EntitiesRequest, _: &Effort) -> Result<Entities, QueryError> {
        Ok(Survey::default().entities(Canned::whole(0, 0), 0))
    }

    fn affected(&self, _: &AffectedRequest, _: &Effort) -> Result<Affected, QueryError> {
        Err(QueryError::Malformed { message: "no such finding".to_owned(), at: None })
    }

    fn doctor(&self, _: &DoctorRequest, _: &Effort) -> Result<Doctor, QueryError> {
        Ok(Survey::default().doctor(Canned::whole(0, 0), None))
    }

    fn state(&self, _: &StateRequest, _: &Effort) -> Result<State, QueryError> {
        let completeness = Canned::whole(0, 0);
        Ok(State { schema: State::SCHEMA.to_owned(), at: None, completeness, copies: Vec::new() })
    }

    fn findings(&self, _: &FindingsRequest, _: &Effort) -> Result<Findings, QueryError> {
        Ok(Findings {
            schema: Findings::SCHEMA.to_owned(),
            completeness: Canned::whole(0, 0),
            judged_to: None,
            judged: 0,
            cannot_judge: 0,
            cannot_judge_because: Vec::new(),
            findings: Vec::new(),
        })
    }

    fn stats(&self) -> Result<Stats, QueryError> {
        Ok(stats(self.held.load(Ordering::Relaxed)))
    }

    fn source(&self) -> String {
        "a canned store".to_owned()
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
