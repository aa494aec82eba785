use proptest::prelude::*;

use super::*;
use crate::clocks::{Declared, Extractor};
use crate::document::{Certainty, ClockBounds, GapKind};
use crate::id::SpanId;
use crate::record::SpanKind;
use crate::testing::*;

fn told(records: Vec<Record>) -> Timeline {
    let question: Question = "order/42".parse().expect("a question");
    tell(records, &question, &Given::default())
}

fn json(timeline: &Timeline) -> String {
    serde_json::to_string(timeline).expect("a document")
}

/// An event in words: its name, with `.` for a start and `;` for an end.
fn word(timeline: &Timeline, id: EventId) -> String {
    let event = timeline.events.iter().find(|event| event.id == id).expect("a listed event");
    let mark = match event.kind {
        EventKind::SpanStart => ".",
        EventKind::SpanEnd => ";",
        EventKind::SpanEvent | EventKind::Log => "",
    };
    format!("{}{mark}", event.name)
}

fn edges(timeline: &Timeline) -> Vec<String> {
    let line = |edge: &Edge| {
        let (from, to) = (word(timeline, edge.from), word(timeline, edge.to));
        format!("{from} < {to} {:?} {:?}", edge.certainty, edge.evidence)
    };
    timeline.edges.iter().map(line).collect()
}

fn list(timeline: &Timeline) -> String {
    timeline.events.iter().map(|event| word(timeline, event.id)).collect::<Vec<_>>().join(" ")
}

/// Sets of records that stand in for a set: shuffled, some of them twice.
fn resent(records: &[Record], seed: &[usize]) -> Vec<Record> {
    let mut again = records.to_vec();
    again.extend(seed.iter().map(|at| records[at % records.len()].clone()));
    for (at, swap) in seed.iter().enumerate() {
        let len = again.len();
        again.swap(at % len, swap % len);
    }
    again
}

proptest! {
    #[test]
    fn order_and_repetition_of_input_change_no_byte(
        records in any_records(30),
        seed in prop::collection::vec(0usize..1_000, 1..60),
    ) {
        prop_assert_eq!(json(&told(records.clone())), json(&told(resent(&records, &seed))));
    }

    /// Whether the store's evidence already holds what the records prove changes no byte.
    #[test]
    fn evidence_of_the_same_records_adds_nothing(records in any_records(30)) {
        let question: Question = "order/42".parse().expect("a question");
        let given = Given { clocks: Extractor::evidence_of(&records), ..Given::default() };
        prop_assert_eq!(json(&tell(records.clone(), &question, &given)), json(&told(records)));
    }

    #[test]
    fn every_document_is_consistent(records in any_records(30), events_max in 0usize..60) {
        let question: Question = "order/42".parse().expect("a question");
        let question = Question { events_max, ..question };
        let timeline = tell(records, &question, &Given::default());
        let place = |id| timeline.events.iter().position(|event| event.id == id);
        for edge in &timeline.edges {
            prop_assert!(place(edge.from).expect("listed") < place(edge.to).expect("listed"));
        }
        prop_assert!(timeline.events.is_sorted_by_key(|event| (event.hlc, event.record)));
        prop_assert!(timeline.events.len() <= events_max);
        prop_assert_eq!(timeline.completeness.shown, timeline.events.len() as u64);
        for event in &timeline.events {
            prop_assert!(timeline.processes.iter().any(|process| process.id == event.process));
            prop_assert!(event.hlc.l >= event.corrected);
        }
        let again: Timeline = serde_json::from_str(&json(&timeline)).expect("its own JSON");
        prop_assert_eq!(json(&again), json(&timeline));
    }
}

/// A call whose server's clock is two seconds behind.
fn call() -> Vec<Record> {
    vec![
        span(1, "orders@a", "POST /orders/42", 0.0, 30.0)
            .kind(SpanKind::Server)
            .with(&[("order.id", "42")])
            .record(),
        span(2, "orders@a", "charge", 1.0, 20.0).kind(SpanKind::Client).child_of(1).record(),
        span(3, "payments@b", "POST /charges", -1998.0, -1985.0).kind(SpanKind::Server).child_of(2).record(),
        log(3, "payments@b", "captured", -1990.0),
        log(1, "orders@a", "done", 25.0),
    ]
}

#[test]
fn a_call_is_in_order_whatever_the_servers_clock_says() {
    let timeline = told(call());
    assert_eq!(
        list(&timeline),
        "POST /orders/42. charge. POST /charges. captured charge; POST /charges; done POST /orders/42;"
    );
    assert_eq!(
        edges(&timeline),
        [
            "POST /orders/42. < charge. Causal Parent",
            "POST /orders/42. < done Causal LogInSpan",
            "POST /orders/42. < POST /orders/42; Causal Span",
            "charge. < POST /charges. Causal Request",
            "POST /charges. < captured Causal LogInSpan",
            "POST /charges. < charge; Causal Reply",
            "POST /charges. < POST /charges; Causal Span",
            "captured < POST /charges; Clock Process",
            "captured < POST /orders/42; Corrected Offset",
            "charge; < done Clock Process",
            "done < POST /orders/42; Clock Process",
        ]
    );
    assert!(timeline.completeness.complete && timeline.gaps.is_empty());
}

#[test]
fn without_an_answer_nothing_is_said_of_the_clients_end() {
    let mut records = call();
    records[1] = span(2, "orders@a", "charge", 1.0, 20.0)
        .kind(SpanKind::Client)
        .child_of(1)
        .change(|span| span.status.code = StatusCode::Error)
        .record();
    let timeline = told(records);
    assert!(!edges(&timeline).iter().any(|edge| edge.ends_with("Reply")));
    assert_eq!(timeline.gaps[0].kind, GapKind::MissingReply);
}

#[test]
fn a_handlers_end_never_precedes_its_callers_end() {
    let timeline = told(call());
    let end =
        |name: &str| timeline.events.iter().position(|e| e.name == name && e.kind == EventKind::SpanEnd);
    let ends = [end("POST /charges"), end("charge")].map(|place| timeline.events[place.expect("listed")].id);
    let reached = |from: EventId, to: EventId| {
        let mut queue = vec![from];
        while let Some(id) = queue.pop() {
            queue.extend(timeline.edges.iter().filter(|edge| edge.from == id).map(|edge| edge.to));
            if id == to {
                return true;
            }
        }
        false
    };
    assert!(!reached(ends[0], ends[1]) && !reached(ends[1], ends[0]));
}

#[test]
fn a_message_is_ordered_by_its_link_and_by_its_id() {
    let sent = |id: &str| {
        span(1, "orders@a", "send", 5.0, 6.0)
            .kind(SpanKind::Producer)
            .with(&[("order.id", "42"), ("messaging.message.id", id)])
            .record()
    };
    let received = span(9, "cache@b", "process", 1.0, 2.0).trace(2).kind(SpanKind::Consumer);
    let by_link = told(vec![sent("m1"), received.link(1, 1).record()]);
    assert!(edges(&by_link).contains(&"send. < process. Causal Link".to_owned()));
    let received = |id: &str| {
        span(9, "cache@b", "process", 1.0, 2.0)
            .trace(2)
            .kind(SpanKind::Consumer)
            .with(&[("messaging.message.id", id)])
            .record()
    };
    let by_id = told(vec![sent("m1"), received("m1")]);
    assert!(edges(&by_id).contains(&"send. < process. Causal Message".to_owned()));
    assert_eq!(by_id.events.iter().filter(|event| event.belongs == Belongs::Message).count(), 2);
    let other = told(vec![sent("m1"), received("m2")]);
    assert_eq!(other.events.len(), 2, "another message is another story");
    assert_eq!(other.gaps[0].kind, GapKind::MissingReceiver);
}

#[test]
fn a_blocking_receive_may_begin_before_the_send() {
    let sent =
        span(1, "orders@a", "send", 5.0, 6.0).kind(SpanKind::Producer).with(&[("order.id", "42")]).record();
    let received = span(9, "cache@b", "poll", 1.0, 9.0)
        .trace(2)
        .kind(SpanKind::Consumer)
        .with(&[("messaging.operation.type", "receive")])
        .link(1, 1)
        .record();
    assert!(edges(&told(vec![sent, received])).contains(&"send. < poll; Causal Link".to_owned()));
}

#[test]
fn whole_milliseconds_of_node_are_not_read_as_precise() {
    let whole = |ms: u64| Time(1_795_428_000_000_000_000 + ms * 1_000_000);
    let node = |number, start: u64, end_ns: u64| {
        span(number, "web@a", &format!("s{number}"), 0.0, 0.0)
            .with(&[("order.id", "42")])
            .change(|s| (s.start, s.end) = (whole(start), whole(start).shifted(i128::from(end_ns))))
            .record()
    };
    // s1 ends 0.3 ms into a millisecond that s2 begins in: which came first nobody can say.
    let timeline = told(vec![node(1, 10, 1_300_000), node(2, 11, 500_000), node(3, 14, 1)]);
    assert!(!edges(&timeline).iter().any(|edge| edge.starts_with("s1; < s2.")), "{:?}", edges(&timeline));
    assert!(edges(&timeline).iter().any(|edge| edge.starts_with("s2; < s3.")), "{:?}", edges(&timeline));
}

#[test]
fn processes_of_one_host_share_its_clock() {
    let records = |host: &str| {
        vec![
            span(1, "orders@a", "first", 0.0, 1.0).with(&[("order.id", "42")]).record(),
            span(2, &format!("payments@{host}"), "second", 5.0, 6.0)
                .trace(2)
                .with(&[("order.id", "42")])
                .record(),
        ]
    };
    assert!(edges(&told(records("a"))).contains(&"first; < second. Clock Clock".to_owned()));
    let apart = told(records("b"));
    assert_eq!(edges(&apart).len(), 2, "two spans, and nothing between them");
    let marked: Vec<_> = apart.events.iter().filter(|event| !event.unordered_with.is_empty()).collect();
    assert_eq!(marked.len(), 2, "the neighbours say so");
}

#[test]
fn a_clock_that_contradicts_causes_claims_nothing() {
    let jumped = vec![
        span(1, "orders@a", "before", 5_000.0, 5_001.0).with(&[("order.id", "42")]).record(),
        span(2, "orders@a", "after", 0.0, 1.0).child_of(1).record(),
        span(3, "orders@a", "elsewhere", 2_000.0, 2_001.0).trace(2).with(&[("order.id", "42")]).record(),
    ];
    let timeline = told(jumped);
    assert!(timeline.edges.iter().all(|edge| edge.certainty == Certainty::Causal));
    assert_eq!(timeline.clocks[0].bounds, ClockBounds::Contradictory);
}

/// Calls from machines to another, whose clock is set in the middle.
fn calls_with_a_jump(callers: &[&str], jump_ms: f64) -> Vec<Record> {
    let mut records = Vec::new();
    for number in 1..=20u8 {
        for (nth, caller) in (0u8..).zip(callers) {
            let ms = f64::from(number) * 1_000.0 + f64::from(nth) * 100.0;
            let wrong = if number > 10 { jump_ms } else { 0.0 };
            let own = number + 100 * nth;
            let client = span(1, caller, "charge", ms, ms + 8.0).kind(SpanKind::Client).trace(own);
            let server = span(2, "payments@b", "POST", ms + wrong + 2.0, ms + wrong + 5.0);
            let server = server.kind(SpanKind::Server).trace(own).child_of(1);
            records.push(client.with(&[("order.id", "42")]).record());
            records.push(server.with(&[("order.id", "42")]).record());
        }
    }
    records
}

#[test]
fn a_clock_that_was_set_has_epochs_and_a_finding() {
    for (jump, word) in [(3_500.0, "b was set forward by 3.5"), (-3_500.0, "b was set back by 3.5")] {
        let timeline = told(calls_with_a_jump(&["orders@a", "web@c"], jump));
        let epochs: Vec<_> =
            timeline.clocks.iter().filter(|clock| clock.host.as_deref() == Some("b")).collect();
        assert_eq!(epochs.len(), 2, "{:#?}", timeline.clocks);
        assert!(epochs[0].id == epochs[1].id && epochs[0].until < epochs[1].since);
        let off = epochs[1].offset_ns.zip(epochs[0].offset_ns).map(|(after, before)| after - before);
        assert!(off.is_some_and(|off| (off.abs() - 3_500_000_000).abs() < 10_000_000), "{off:?}");
        assert_eq!(timeline.findings.len(), 1, "{:#?}", timeline.findings);
        assert!(timeline.findings[0].summary.contains(word), "{}", timeline.findings[0].summary);
    }
}

#[test]
fn of_two_clocks_nobody_knows_which_was_set_forward() {
    let timeline = told(calls_with_a_jump(&["orders@a"], 3_500.0));
    let summary = &timeline.findings[0].summary;
    assert!(summary.contains(" or that of "), "{summary}");
}

#[test]
fn a_process_that_contradicts_its_host_gets_its_own_clock_and_a_finding() {
    let mut records = calls_with_a_jump(&["orders@a", "web@c"], 0.0);
    for number in 1..=20u8 {
        // Another process of b, whose clock is faked.
        let ms = f64::from(number) * 1_000.0 + 300.0;
        let client = span(1, "orders@a", "ask", ms, ms + 8.0).kind(SpanKind::Client).trace(number + 50);
        let server = span(2, "faked@b", "GET", ms + 7_002.0, ms + 7_005.0).kind(SpanKind::Server);
        records.push(client.with(&[("order.id", "42")]).record());
        records.push(server.trace(number + 50).child_of(1).with(&[("order.id", "42")]).record());
    }
    let timeline = told(records);
    let clocks_of_b: std::collections::BTreeSet<_> =
        timeline.processes.iter().filter(|p| p.host.as_deref() == Some("b")).map(|p| &p.clock).collect();
    assert_eq!(clocks_of_b.len(), 2);
    assert!(timeline.findings[0].summary.contains("processes of b"), "{}", timeline.findings[0].summary);
}

#[test]
fn what_a_declared_offset_orders_is_assumed() {
    let own = |number: u8, process: &str, ms: f64| {
        span(number, process, &format!("s{number}"), ms, ms + 1.0).with(&[("order.id", "42")]).record()
    };
    let records = vec![own(1, "orders@a", 0.0), own(2, "orders@a", 50.0), own(3, "legacy", 10_000.0)];
    let question: Question = "order/42".parse().expect("a question");
    let declared = [("legacy".to_owned(), "0s ± 2s".parse::<Declared>().expect("an offset"))].into();
    let timeline = tell(records, &question, &Given { declared, ..Given::default() });
    assert!(edges(&timeline).contains(&"s2; < s3. Assumed Declared".to_owned()), "{:?}", edges(&timeline));
    let legacy = timeline.clocks.iter().find(|clock| clock.host.is_none()).expect("a row");
    assert_eq!((legacy.bounds, legacy.error_ns), (ClockBounds::Declared, Some(2_000_000_000)));
}

#[test]
fn drift_is_told_where_messages_bound_it() {
    let mut records = Vec::new();
    for number in 1..=60u8 {
        let ms = f64::from(number) * 10_000.0;
        let server_ms = ms * 1.000_050 + 0.2; // 50 ppm fast
        let client = span(1, "orders@a", "charge", ms, ms + 1.0).kind(SpanKind::Client).trace(number);
        let server = span(2, "payments@b", "POST", server_ms, server_ms + 0.1).kind(SpanKind::Server);
        records.push(client.with(&[("order.id", "42")]).record());
        records.push(server.trace(number).child_of(1).with(&[("order.id", "42")]).record());
    }
    let timeline = told(records);
    let ppm = timeline.clocks[1].drift_ppm.expect("ten minutes bound it");
    assert!((ppm - 50.0).abs() < 3.0, "{ppm}");
}

#[test]
fn a_parent_that_never_came_is_a_gap() {
    let orphan = span(2, "orders", "work", 0.0, 1.0).child_of(7).with(&[("order.id", "42")]).record();
    let timeline = told(vec![orphan, log(5, "orders", "order 42 seen", 3.0)]);
    assert_eq!(timeline.gaps.len(), 2);
    assert!(timeline.gaps.iter().all(|gap| gap.kind == GapKind::MissingParent));
}

#[test]
fn parents_in_a_circle_are_no_order() {
    let own = |number: u8, parent: u8| {
        span(number, "a", &format!("s{number}"), 1.0, 2.0)
            .child_of(parent)
            .with(&[("order.id", "42")])
            .record()
    };
    let timeline = told(vec![own(1, 2), own(2, 3), own(3, 1), own(4, 1)]);
    assert!(timeline.edges.iter().any(|edge| edge.evidence == crate::document::Evidence::Parent));
    assert!(timeline.gaps.iter().any(|gap| gap.detail.contains("circle")));
}

#[test]
fn resent_spans_are_one_and_the_latest_end_stands() {
    let revision = |end: f64| span(1, "a", "work", 0.0, end).with(&[("order.id", "42")]).record();
    let timeline = told(vec![revision(1.0), revision(3.0), revision(2.0), revision(3.0)]);
    assert_eq!(timeline.events.len(), 2);
    assert_eq!((timeline.events[1].time, timeline.events[1].revisions), (at(3.0), 3));
}

#[test]
fn descendants_that_name_another_thing_stay_out() {
    let timeline = told(vec![
        span(1, "job", "batch", 0.0, 9.0).record(),
        span(2, "job", "order 42", 1.0, 2.0).child_of(1).with(&[("order.id", "42")]).record(),
        span(3, "job", "order 41", 3.0, 4.0).child_of(1).with(&[("order.id", "41")]).record(),
        span(4, "job", "update", 1.2, 1.5).child_of(2).record(),
    ]);
    let belongs: Vec<_> = timeline.events.iter().map(|e| (e.name.as_str(), e.belongs)).collect();
    assert_eq!(
        belongs,
        [
            ("batch", Belongs::Ancestor),
            ("order 42", Belongs::Own),
            ("update", Belongs::Descendant),
            ("update", Belongs::Descendant),
            ("order 42", Belongs::Own),
            ("batch", Belongs::Ancestor),
        ]
    );
}

#[test]
fn an_unknown_entity_has_an_empty_timeline() {
    let timeline = told(vec![span(1, "a", "work", 0.0, 1.0).with(&[("order.id", "7")]).record()]);
    assert!(timeline.events.is_empty() && timeline.range.is_none() && timeline.gaps.is_empty());
}

#[test]
fn sampling_and_drops_are_said() {
    let sampled = span(1, "a", "work", 0.0, 1.0)
        .with(&[("order.id", "42")])
        .change(|span| {
            span.trace_state = "ot=th:c".into();
            span.dropped.events = 2;
        })
        .record();
    let timeline = told(vec![sampled]);
    assert!(!timeline.completeness.complete);
    assert_eq!(timeline.completeness.streams[0].rate, Some(0.25));
    assert!(timeline.gaps.iter().any(|gap| gap.kind == GapKind::Truncated));
}

#[test]
fn a_trace_of_fifty_thousand_spans_is_told() {
    let mut records = vec![span(1, "a@x", "root", 0.0, 60_000.0).with(&[("order.id", "42")]).record()];
    for number in 0..50_000u64 {
        let process = ["a@x", "b@x", "c@y", "d"][(number % 4) as usize];
        let start = number as f64;
        let child = span(1, process, "child", start, start + 7.5).change(|span| {
            let own = number + 10_000;
            span.parent_span_id =
                Some(if number % 3 == 0 { span_id(1) } else { SpanId((own - 1).to_be_bytes()) });
            span.span_id = SpanId(own.to_be_bytes());
        });
        records.push(child.record());
    }
    let timeline = told(records);
    assert_eq!(timeline.events.len(), 100_002);
}
