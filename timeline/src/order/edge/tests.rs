//! The table of `docs/order.md`, row by row, and what is no cause.

use super::super::tests::case;
use super::*;
use crate::document::Evidence::*;
use crate::id::Point;
use crate::record::{Body, Record};
use crate::testing::*;

/// The edges between records, but those within spans: `"send → receive ends: message"`.
fn edges(records: Vec<Record>) -> Vec<String> {
    let case = case(records);
    let name = |index: Index| {
        let moment = &case.moments.list[index as usize];
        let name = match &case.held.record(moment.at).body {
            Body::Span(span) => span.name.clone(),
            Body::Log(log) => log.body.to_text().into_owned(),
        };
        if moment.point == Point::End { format!("{name} ends") } else { name }
    };
    let found = causes(
        &case.held,
        &Messages::of(&case.held),
        &case.moments,
        &crate::state::reading::operations(&case.held),
    );
    let between = found.iter().filter(|cause| cause.evidence != Span);
    let mut shown: Vec<String> = between
        .map(|cause| format!("{} → {}: {:?}", name(cause.from), name(cause.to), cause.evidence))
        .collect();
    shown.sort();
    shown
}

fn own(made: Made) -> Made {
    made.with(&[("order.id", "42")])
}

fn made(number: u8, process: &str, name: &str, kind: SpanKind) -> Made {
    own(span(number, process, name, f64::from(number), 20.0)).kind(kind)
}

#[test]
fn a_span_runs_from_its_start_through_its_events_to_its_end() {
    let spans = vec![made(1, "a", "work", SpanKind::Internal).change(|span| {
        let event =
            |ms| crate::record::SpanEvent { time: at(ms), name: "event".into(), ..Default::default() };
        span.events = vec![event(9.0), event(3.0)];
    })];
    let case = case(spans.into_iter().map(Made::record).collect());
    let found = causes(
        &case.held,
        &Messages::of(&case.held),
        &case.moments,
        &crate::state::reading::operations(&case.held),
    );
    let chain: Vec<_> = found.iter().map(|cause| (cause.from, cause.to, cause.evidence)).collect();
    assert_eq!(chain, [(0, 1, Span), (1, 2, Span), (2, 3, Span)], "in list order, whatever their times say");
}

#[test]
fn a_parent_begins_before_its_child_and_nothing_is_said_of_ends() {
    let records = vec![
        made(1, "a", "outer", SpanKind::Internal).record(),
        made(2, "a", "inner", SpanKind::Internal).child_of(1).record(),
        made(3, "b", "elsewhere", SpanKind::Internal).child_of(1).record(),
    ];
    assert_eq!(edges(records), ["outer → elsewhere: Request", "outer → inner: Parent"]);
}

#[test]
fn an_answer_orders_the_servers_start_before_the_clients_end() {
    let call = |client: Made| {
        edges(vec![client.record(), made(2, "b", "serve", SpanKind::Server).child_of(1).record()])
    };
    let client = || made(1, "a", "call", SpanKind::Client);
    let in_error = |client: Made| client.change(|span| span.status.code = StatusCode::Error);
    let answered = ["call → serve: Request", "serve → call ends: Reply"];
    assert_eq!(call(client()), answered);
    assert_eq!(call(in_error(client().with(&[("http.response.status_code", "500")]))), answered);
    assert_eq!(call(in_error(client().with(&[("rpc.grpc.status_code", "5")]))), answered);
    // A timeout, a status that the client gave itself, and a call that never ended.
    assert_eq!(call(in_error(client())), answered[..1]);
    assert_eq!(call(in_error(client().with(&[("rpc.grpc.status_code", "4")]))), answered[..1]);
    assert_eq!(call(client().change(|span| span.end = crate::time::Time::UNSET)), answered[..1]);
}

#[test]
fn an_answer_of_one_of_two_servers_is_nobodys() {
    let records = vec![
        made(1, "a", "call", SpanKind::Client).record(),
        made(2, "b", "first", SpanKind::Server).child_of(1).record(),
        made(3, "c", "second", SpanKind::Server).child_of(1).record(),
    ];
    assert_eq!(edges(records), ["call → first: Request", "call → second: Request"]);
}

#[test]
fn a_log_follows_its_spans_start_and_nothing_more() {
    let records =
        vec![made(1, "a", "work", SpanKind::Internal).record(), log(1, "a", "order 42 is paid", 5.0)];
    assert_eq!(edges(records), ["work → order 42 is paid: LogInSpan"]);
}

#[test]
fn siblings_and_records_of_one_process_or_trace_are_not_ordered() {
    let records = vec![
        made(1, "a", "first", SpanKind::Server).record(),
        made(2, "a", "second", SpanKind::Server).record(),
        log(0, "a", "order 42", 30.0),
    ];
    assert_eq!(edges(records), [""; 0]);
}

/// A receiver's operation, and whether it may have waited since before the send.
const OPERATIONS: [(&str, &str); 3] = [("process", "take"), ("deliver", "take"), ("receive", "take ends")];

#[test]
fn a_message_by_its_link_reaches_the_start_of_what_processes_and_the_end_of_what_waits() {
    for (operation, reached) in OPERATIONS {
        let take = made(2, "b", "take", SpanKind::Consumer).trace(2).link(1, 1);
        let records = vec![
            made(1, "a", "send", SpanKind::Producer).record(),
            take.with(&[("messaging.operation.type", operation)]).record(),
        ];
        assert_eq!(edges(records), [format!("send → {reached}: Link")], "{operation}");
    }
}

#[test]
fn a_message_by_its_id_or_its_place_needs_no_context() {
    let id = [("messaging.system", "kafka"), ("messaging.message.id", "m-1")];
    let place = [
        ("messaging.system", "kafka"),
        ("messaging.destination.name", "orders"),
        ("messaging.destination.partition.id", "3"),
        ("messaging.kafka.offset", "17"),
    ];
    let old_place = [
        ("messaging.system", "kafka"),
        ("messaging.destination", "orders"),
        ("messaging.kafka.destination.partition", "3"),
        ("messaging.kafka.message.offset", "17"),
    ];
    for (operation, reached) in OPERATIONS {
        for (sent, taken) in [(&id[..], &id[..]), (&place, &place), (&place, &old_place)] {
            let take = made(2, "b", "take", SpanKind::Consumer).trace(2).with(taken);
            let records = vec![
                made(1, "a", "send", SpanKind::Producer).with(sent).record(),
                take.with(&[("messaging.operation.type", operation)]).record(),
            ];
            assert_eq!(edges(records), [format!("send → {reached}: Message")], "{operation} {taken:?}");
        }
    }
}

#[test]
fn an_offset_of_another_partition_destination_or_system_is_another_message() {
    let place = |system, destination, partition| {
        [
            ("messaging.system", system),
            ("messaging.destination.name", destination),
            ("messaging.destination.partition.id", partition),
            ("messaging.kafka.offset", "17"),
        ]
    };
    for other in
        [place("kafka", "orders", "4"), place("kafka", "payments", "3"), place("pulsar", "orders", "3")]
    {
        let records = vec![
            made(1, "a", "send", SpanKind::Producer).with(&place("kafka", "orders", "3")).record(),
            made(2, "b", "take", SpanKind::Consumer).trace(2).with(&other).record(),
        ];
        assert_eq!(edges(records), [""; 0], "{other:?}");
    }
}

#[test]
fn an_id_that_two_unrelated_spans_sent_is_nobodys() {
    let id = [("messaging.message.id", "m-1")];
    let records = vec![
        made(1, "a", "send", SpanKind::Producer).with(&id).record(),
        made(3, "a", "send again", SpanKind::Producer).with(&id).record(),
        made(2, "b", "take", SpanKind::Consumer).trace(2).with(&id).record(),
    ];
    assert_eq!(edges(records), [""; 0]);
}

#[test]
fn of_a_producer_made_twice_the_inner_one_sent() {
    let id = [("messaging.message.id", "m-1")];
    let records = vec![
        made(1, "a", "send", SpanKind::Producer).with(&id).record(),
        made(2, "a", "send inner", SpanKind::Producer).child_of(1).with(&id).record(),
        made(3, "b", "take", SpanKind::Consumer).trace(2).with(&id).record(),
    ];
    assert_eq!(edges(records), ["send inner → take: Message", "send → send inner: Parent"]);
}

/// Some instrumentations give a blocking receive its message's sender as parent, and a start before the call.
#[test]
fn what_is_done_in_the_name_of_a_received_message_follows_its_send() {
    let records = vec![
        made(1, "a", "send", SpanKind::Producer).record(),
        made(2, "b", "take", SpanKind::Consumer)
            .child_of(1)
            .with(&[("messaging.operation", "receive")])
            .record(),
        made(3, "b", "handle", SpanKind::Internal).child_of(2).record(),
        log(2, "b", "order 42 is paid", 5.0),
    ];
    assert_eq!(
        edges(records),
        [
            "send → handle: Message",
            "send → order 42 is paid: Message",
            "send → take ends: Message",
            "take → handle: Parent",
            "take → order 42 is paid: LogInSpan",
        ]
    );
    // Below a loop of its own process it is a child like any other.
    let polling = vec![
        made(1, "b", "poll", SpanKind::Internal).record(),
        made(2, "b", "take", SpanKind::Client)
            .child_of(1)
            .with(&[("messaging.operation.type", "receive")])
            .record(),
    ];
    assert_eq!(edges(polling), ["poll → take: Parent"]);
}

#[test]
fn attempts_follow_each_other_by_their_resend_count() {
    let attempt = |number, name: &str, url: &str, count: &str| {
        let request =
            [("http.request.method", "POST"), ("url.full", url), ("http.request.resend_count", count)];
        made(number, "a", name, SpanKind::Client).child_of(1).with(&request).record()
    };
    let outer = || made(1, "a", "outer", SpanKind::Internal).record();
    let retries =
        |records| edges(records).into_iter().filter(|edge| edge.ends_with("Retry")).collect::<Vec<_>>();
    let all = vec![
        outer(),
        attempt(2, "first", "/a", "0"),
        attempt(3, "second", "/a", "1"),
        attempt(4, "third", "/a", "2"),
    ];
    assert_eq!(retries(all), ["first → second: Retry", "second → third: Retry"]);
    // Another address, a missing attempt between, two of one count.
    let others = [
        vec![outer(), attempt(2, "first", "/a", "0"), attempt(3, "second", "/b", "1")],
        vec![outer(), attempt(2, "first", "/a", "0"), attempt(3, "third", "/a", "2")],
        vec![
            outer(),
            attempt(2, "first", "/a", "0"),
            attempt(3, "also first", "/a", "0"),
            attempt(4, "second", "/a", "1"),
        ],
    ];
    for records in others {
        assert_eq!(retries(records), [""; 0]);
    }
}
