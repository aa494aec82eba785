//! What is kept against what timelines tell, in any order of arrival.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hlc::Stamp;
use proptest::prelude::*;
use timeline::document::{Completeness, Finding, Stats};
use timeline::id::TraceId;
use timeline::record::{Body, Link, Log, Position, Record, Resource, Scope, Span, SpanKind};
use timeline::time::Time;
use timeline::value::Attributes;

use super::super::judged::Verdict;
use super::{Identity, Judging, Live, LiveOptions};
use crate::Local;
use crate::archive::{
    Archive, ArchiveError, Effort, Fetched, Followed, Found, Operations, Page, Proven, Visited, Window,
};
use crate::interface::{FindingsRequest, Query, TimelineRequest};
use crate::language::{Now, Zone};
use crate::memory::Memory;
use crate::predicate::Predicate;
use crate::testing::{attributes, span, span_id, trace};

const BEGUN: u64 = 1_763_892_000_000_000_000;
const WINDOW: u64 = 10_000_000_000;

/// One record in the making: what it says, and where.
#[derive(Clone, Debug)]
struct Said {
    environment: &'static str,
    service: &'static str,
    in_trace: u8,
    parent: Option<u8>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Write { order: u8, copy: &'static str, from: Option<&'static str>, value: &'static str },
    Sql { order: u8, value: &'static str },
    Sent { message: u8 },
    Received { message: u8, order: Option<u8> },
    Linked { to: u8 },
    Line { order: u8, loose: bool },
}

fn any_what() -> impl Strategy<Value = What> {
    let value = || prop::sample::select(vec!["created", "paid", "shipped"]);
    let order = || 1u8..4;
    prop_oneof![
        4 => (order(), prop::sample::select(vec!["shop/orders", "redis/order"]), prop::option::of(value()), value())
            .prop_map(|(order, copy, from, value)| What::Write { order, copy, from, value }),
        2 => (order(), value()).prop_map(|(order, value)| What::Sql { order, value }),
        1 => (1u8..4).prop_map(|message| What::Sent { message }),
        2 => (1u8..4, prop::option::of(order())).prop_map(|(message, order)| What::Received { message, order }),
        1 => (1u8..6).prop_map(|to| What::Linked { to }),
        2 => (order(), any::<bool>()).prop_map(|(order, loose)| What::Line { order, loose }),
    ]
}

fn any_said() -> impl Strategy<Value = Said> {
    (
        prop::sample::select(vec!["production", "production", "production", "staging"]),
        prop::sample::select(vec!["orders", "payments"]),
        1u8..6,
        prop::option::of(1u8..30),
        any_what(),
    )
        .prop_map(|(environment, service, in_trace, parent, what)| Said {
            environment,
            service,
            in_trace,
            parent,
            what,
        })
}

/// The `number`th thing that happened.
fn record(number: u8, said: &Said) -> Record {
    let resource = attributes([
        ("service.name", said.service.into()),
        ("service.version", "2.14.0".into()),
        ("deployment.environment.name", said.environment.into()),
        ("host.name", "node-a".into()),
    ]);
    let scope = Scope::new("test".into(), "1".into(), Attributes::default());
    let made = |pairs: Vec<(&'static str, String)>| -> Attributes {
        pairs.into_iter().map(|(key, value)| (key, value.as_str().into())).collect()
    };
    let explicit = |order: u8, copy: &str, value: &str| {
        vec![
            ("backstory.entity.type", "order".to_owned()),
            ("backstory.entity.key", order.to_string()),
            ("backstory.copy", copy.to_owned()),
            ("backstory.op", "write".to_owned()),
            ("backstory.field", "status".to_owned()),
            ("backstory.value", value.to_owned()),
        ]
    };
    let message = |id: u8| {
        vec![
            ("messaging.system", "kafka".to_owned()),
            ("messaging.destination.name", "order-events".to_owned()),
            ("messaging.message.id", format!("m-{id}")),
        ]
    };
    let base = |kind, pairs| Span {
        parent_span_id: said.parent.filter(|parent| *parent != number).map(span_id),
        kind,
        attributes: made(pairs),
        // Odd nanoseconds: stamps of whole milliseconds would be taken for coarse ones.
        start: Time(BEGUN + u64::from(number) * 1_700_001),
        end: Time(BEGUN + u64::from(number) * 1_700_001 + 500_003),
        ..span(said.in_trace, number, "work")
    };
    let body = match &said.what {
        What::Write { order, copy, from, value } => {
            let mut pairs = explicit(*order, copy, value);
            pairs.extend(from.map(|from| ("backstory.from", from.to_owned())));
            Body::Span(base(SpanKind::Client, pairs))
        }
        What::Sql { order, value } => {
            let text = format!("UPDATE orders SET status = '{value}' WHERE id = {order}");
            let pairs = vec![
                ("db.system.name", "postgresql".to_owned()),
                ("db.namespace", "shop".to_owned()),
                ("db.query.text", text),
            ];
            Body::Span(base(SpanKind::Client, pairs))
        }
        What::Sent { message: id } => Body::Span(base(SpanKind::Producer, message(*id))),
        What::Received { message: id, order } => {
            let mut pairs = message(*id);
            pairs.push(("messaging.operation.type", "process".to_owned()));
            pairs.extend(order.map(|order| ("order.id", order.to_string())));
            Body::Span(base(SpanKind::Consumer, pairs))
        }
        What::Linked { to } => {
            let link = Link { trace_id: trace(*to), span_id: span_id(1), ..Link::default() };
            Body::Span(Span { links: vec![link], ..base(SpanKind::Internal, Vec::new()) })
        }
        What::Line { order, loose } => Body::Log(Log {
            time: Time(BEGUN + u64::from(number) * 1_000_000),
            body: format!("order {order} is now paid").as_str().into(),
            trace_id: (!loose).then(|| trace(said.in_trace)),
            span_id: said.parent.filter(|_| !loose).map(span_id),
            ..Log::default()
        }),
    };
    Record::new(Position::default(), None, Arc::new(Resource::new(resource, 0)), Arc::new(scope), body, 0)
}

/// An archive that keeps no clock evidence of other records than a timeline's own. What is kept was told by the evidence of its time;
/// here it must be what any time tells.
struct Clockless(Memory);

impl Archive for Clockless {
    fn find(
        &self,
        predicate: &Predicate,
        window: Window,
        page: Page,
        effort: &Effort,
    ) -> Result<Found, ArchiveError> {
        self.0.find(predicate, window, page, effort)
    }

    fn visit(
        &self,
        predicate: &Predicate,
        window: Window,
        effort: &Effort,
        visit: &mut dyn FnMut(Record),
    ) -> Result<Visited, ArchiveError> {
        self.0.visit(predicate, window, effort, visit)
    }

    fn fetch(&self, traces: &[TraceId], effort: &Effort) -> Result<Fetched, ArchiveError> {
        self.0.fetch(traces, effort)
    }

    fn clocks(&self, _: Window, _: &Effort) -> Result<Proven, ArchiveError> {
        Ok(Proven::default())
    }

    fn completeness(&self) -> Result<Completeness, ArchiveError> {
        self.0.completeness()
    }

    fn follow(
        &self,
        after: Option<Position>,
        limit: usize,
        effort: &Effort,
    ) -> Result<Followed, ArchiveError> {
        self.0.follow(after, limit, effort)
    }

    fn operations(&self, effort: &Effort) -> Result<Operations, ArchiveError> {
        self.0.operations(effort)
    }

    fn stats(&self) -> Result<Stats, ArchiveError> {
        self.0.stats()
    }
}

/// Records that arrive one after the other, and what judges them.
struct Play {
    clock: Arc<AtomicU64>,
    archive: Arc<Clockless>,
    local: Arc<Local<Arc<Clockless>>>,
    live: Arc<Live>,
    judging: Judging<Arc<Clockless>>,
    arrived: u64,
}

impl Play {
    fn new(options: LiveOptions) -> Play {
        // Past the ends of all spans: what arrived before it happened would be refuted.
        let clock = Arc::new(AtomicU64::new(BEGUN + 1_000_000_000));
        let archive = Arc::new(Clockless(Memory::default()));
        let read = Arc::clone(&clock);
        let now = move || Now { time: Time(read.load(Ordering::Relaxed)), zone: Zone::Utc };
        let local = Arc::new(Local::new(Arc::clone(&archive), "memory", now));
        let live = Arc::new(Live::new(options, String::new()));
        let judging = Judging::new(Arc::clone(&local), Arc::clone(&live));
        Play { clock, archive, local, live, judging, arrived: 0 }
    }

    /// The next record arrives, `pause` later.
    fn arrive(&mut self, record: &Record, pause: u64) {
        self.arrived += 1;
        let now = self.clock.fetch_add(pause, Ordering::Relaxed) + pause;
        let mut record = record.clone();
        record.position = Position { segment: 1, offset: 64 * self.arrived, frame: 0, item: 0 };
        record.arrival = Some(Stamp::from_wall_ns(now));
        self.archive.0.extend([record]);
    }

    /// Judges what is past the window now.
    fn judge(&mut self) {
        while self.judging.notice(3, &effort()).expect("an archive in memory") {}
        while self.judging.judge(&effort()).expect("an archive in memory") > 0 {}
    }

    /// The window passes, and all is judged.
    fn come_to_rest(&mut self) {
        self.clock.fetch_add(WINDOW + 1_000, Ordering::Relaxed);
        self.judge();
        assert_eq!(self.judging.waiting(), 0);
    }

    /// What the timeline of an order tells, and what is kept of it.
    fn both(&self, environment: &str, order: u8) -> (Vec<Finding>, Option<(Verdict, Vec<Finding>)>) {
        let request = TimelineRequest::whole(&format!("{environment}//order/{order}"));
        let timeline = self.local.timeline(&request, &effort()).expect("a timeline");
        let identity = Identity { kind: "order".to_owned(), key: order.to_string() };
        (timeline.findings, self.live.of(environment, &identity))
    }
}

fn effort() -> Effort {
    Effort::new(u64::MAX)
}

/// What happened, and what of it arrives when.
fn any_world() -> impl Strategy<Value = (Vec<Said>, Vec<prop::sample::Index>, Vec<u8>)> {
    (
        prop::collection::vec(any_said(), 1..24),
        prop::collection::vec(any::<prop::sample::Index>(), 40),
        prop::collection::vec(0u8..40, 40),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    /// LIV-1: however records arrive, what is kept is what timelines tell. Some arrive at the end alone, long after the rest.
    #[test]
    fn what_is_kept_is_what_timelines_tell((world, order, pauses) in any_world()) {
        let records: Vec<Record> = world.iter().zip(1..).map(|(said, number)| record(number, said)).collect();
        let mut play = Play::new(LiveOptions::default());
        // A random part, in random order and with repeats, judged in between; then all.
        for (pick, pause) in order.iter().zip(&pauses) {
            play.arrive(&records[pick.index(records.len())], u64::from(*pause) * 1_000_000_000);
            play.judge();
        }
        for record in &records {
            play.arrive(record, 1_000_000);
        }
        play.come_to_rest();
        for environment in ["production", "staging"] {
            for order in 1..4 {
                let (told, kept) = play.both(environment, order);
                let (verdict, kept) = kept.unwrap_or((Verdict::Unnamed, Vec::new()));
                // A type that only words in texts suggest is not judged.
                let named = verdict != Verdict::Unnamed;
                let expected = if named { told } else { Vec::new() };
                prop_assert_eq!(kept, expected, "{} {}", environment, order);
            }
        }
    }
}

fn said(in_trace: u8, what: What) -> Said {
    Said { environment: "production", service: "orders", in_trace, parent: None, what }
}

/// Between the two writes somebody unseen wrote.
fn unseen_writer(order: u8) -> [Record; 2] {
    let write = |from, value| What::Write { order, copy: "shop/orders", from: Some(from), value };
    [
        record(2 * order, &said(order, write("created", "paid"))),
        record(2 * order + 1, &said(order, write("shipped", "created"))),
    ]
}

#[test]
fn a_late_record_is_judged_with_what_was_there() {
    let mut play = Play::new(LiveOptions::default());
    let [first, second] = unseen_writer(1);
    play.arrive(&first, 0);
    play.judge();
    assert_eq!(play.live.counts(), (0, 0), "more may come within the window");
    play.come_to_rest();
    assert_eq!(play.live.counts(), (1, 0));
    play.arrive(&second, 60_000_000_000);
    play.judge();
    assert_eq!(play.live.counts(), (1, 0), "more may come after the late one, too");
    play.come_to_rest();
    assert_eq!(play.live.counts(), (1, 1));
}

#[test]
fn memory_is_bounded_and_what_is_not_kept_is_counted() {
    let options = LiveOptions { entities_max: 8, findings_max: 4, ..LiveOptions::default() };
    let mut play = Play::new(options);
    for order in 1..=20 {
        unseen_writer(order).iter().for_each(|record| play.arrive(record, 1_000_000));
        play.come_to_rest();
    }
    let (entities, findings) = play.live.counts();
    assert!(entities <= 8 && findings <= 4, "{entities} entities, {findings} findings");
    let local =
        Local::new(Arc::clone(&play.archive), "memory", || Now { time: Time(BEGUN), zone: Zone::Utc });
    let found = local.with_live(Arc::clone(&play.live)).findings(&FindingsRequest::default(), &effort());
    let found = found.expect("an answer");
    assert_eq!(found.judged + found.cannot_judge, 20, "{:?}", found.cannot_judge_because);
    assert_eq!(found.findings.len(), findings);
    assert_eq!(found.rollups.iter().map(|rollup| rollup.findings).sum::<u64>(), findings as u64);
}

#[test]
fn an_entity_that_too_many_traces_name_is_not_judged_and_counted() {
    let mut play = Play::new(LiveOptions { traces_max: 3, ..LiveOptions::default() });
    for number in 1..=5 {
        let write = What::Write { order: 1, copy: "shop/orders", from: None, value: "paid" };
        play.arrive(&record(number, &said(number, write)), 1_000_000);
    }
    play.come_to_rest();
    let (_, kept) = play.both("production", 1);
    assert_eq!(kept, Some((Verdict::TooLarge, Vec::new())));
}

#[test]
fn a_trace_with_too_many_records_is_not_judged_and_counted() {
    let mut play = Play::new(LiveOptions { records_max: 3, ..LiveOptions::default() });
    for number in 1..=5 {
        let write = What::Write { order: 1, copy: "shop/orders", from: None, value: "paid" };
        play.arrive(&record(number, &said(1, write)), 1_000_000);
    }
    play.come_to_rest();
    let local =
        Local::new(Arc::clone(&play.archive), "memory", || Now { time: Time(BEGUN), zone: Zone::Utc });
    let found = local.with_live(Arc::clone(&play.live)).findings(&FindingsRequest::default(), &effort());
    let found = found.expect("an answer");
    assert_eq!((found.judged, found.cannot_judge), (0, 1), "{:?}", found.cannot_judge_because);
}

#[test]
fn what_is_written_down_is_read_again_where_it_was_judged_by_the_same() {
    let mut play = Play::new(LiveOptions::default());
    unseen_writer(1).iter().for_each(|record| play.arrive(record, 1_000_000));
    play.come_to_rest();
    let mut bytes = Vec::new();
    play.live.save(&mut bytes).expect("memory takes it");
    let load = |judged_by: &str, bytes: &[u8]| {
        let live = Live::load(LiveOptions::default(), judged_by.to_owned(), bytes);
        (live.counts(), Arc::new(live))
    };
    let (counts, live) = load("", &bytes);
    assert_eq!(counts, (1, 1));
    let mut judging = Judging::new(Arc::clone(&play.local), live);
    assert!(!judging.notice(100, &effort()).expect("an archive"), "it goes on where it was");
    assert_eq!(load("other budgets", &bytes).0, (0, 0));
    assert_eq!(load("", &bytes[..bytes.len() / 2]).0, (0, 0), "torn");
    assert_eq!(load("", b"[]").0, (0, 0));
}

#[test]
fn what_waits_is_judged_after_a_restart() {
    let mut play = Play::new(LiveOptions::default());
    unseen_writer(1).iter().for_each(|record| play.arrive(record, 1_000_000));
    play.judge();
    assert_eq!(play.judging.waiting(), 1);
    play.judging = Judging::new(Arc::clone(&play.local), Arc::clone(&play.live));
    play.come_to_rest();
    assert_eq!(play.live.counts(), (1, 1));
}

#[test]
fn what_retention_dropped_is_forgotten() {
    let mut play = Play::new(LiveOptions::default());
    unseen_writer(1).iter().for_each(|record| play.arrive(record, 1_000_000));
    play.come_to_rest();
    play.judging.retain_from(1);
    assert_eq!(play.live.counts(), (1, 1));
    play.judging.retain_from(2);
    assert_eq!(play.live.counts(), (0, 0));
}

/// `cargo test -p backstory-query --lib a_million_entities -- --ignored --nocapture`
#[test]
#[ignore = "a benchmark: cargo test -p backstory-query --lib a_million_entities -- --ignored --nocapture"]
fn a_million_entities_take_so_much_memory() {
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default().to_owned();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default()
    };
    let live = Live::new(LiveOptions::default(), String::new());
    let before = resident();
    let identity = |number: u32| Identity { kind: "order".to_owned(), key: number.to_string() };
    let mut named = record(1, &said(1, What::Sql { order: 1, value: "paid" }));
    for number in 0..1_200_000u32 {
        if let Body::Span(span) = &mut named.body {
            span.trace_id.0[..4].copy_from_slice(&number.to_be_bytes());
        }
        let mut seen = super::store::Sighting::default();
        seen.note(&named);
        live.lock().sight(&identity(number), &seen, &live.options);
    }
    let taken = resident().saturating_sub(before) / 1024;
    println!("1,200,000 distinct entities: {} are kept, {taken} MiB", live.counts().0);
    assert!(live.counts().0 <= 1_000_000 && taken < 400, "{taken} MiB");
}
