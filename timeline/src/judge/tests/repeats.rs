//! `duplicate_apply`, `retry_storm`, `unhandled_message`.

use super::*;

fn attempt(number: u8, from: f64, resent: &str) -> Made {
    let call =
        span(number, "orders@a", "POST /charges", from, from + 20.0).kind(SpanKind::Client).child_of(1);
    call.with(&[
        ("http.request.method", "POST"),
        ("url.full", "http://payments/charges"),
        ("http.request.resend_count", resent),
    ])
}

/// A call that is tried twice; each attempt is served and does `op`.
fn retried(op: Op, copy: &str, fields: [&str; 2]) -> Story {
    let mut story = Story::default();
    story.record(serving(1, "orders@a", 0.0, 100.0));
    for (number, from, resent, fields) in [(2, 10.0, "0", fields[0]), (5, 50.0, "1", fields[1])] {
        story
            .record(attempt(number, from, resent))
            .record(serving(number + 1, "payments@b", from + 1.0, from + 15.0).child_of(number))
            .does(statement(number + 2, "payments@b", from + 5.0).child_of(number + 1), copy, op, fields);
    }
    story
}

fn insert(operation: &mut Operation) {
    operation.part = true;
}

#[test]
fn a_retry_that_adds_again_is_proved() {
    let finding = retried(Op::Add, "shop/orders", ["paid_cents=500", "paid_cents=500"]).only();
    assert_eq!((finding.kind, finding.grade), (FindingKind::DuplicateApply, Grade::Proved));
    assert!(finding.summary.contains("took effect twice: a retry repeated it"), "{}", finding.summary);
    assert_eq!(finding.events.len(), 4, "the two attempts and the two effects");
}

#[test]
fn a_hidden_amount_may_be_the_same_or_nothing() {
    let finding = retried(Op::Add, "shop/orders", ["paid_cents", "paid_cents"]).only();
    assert_eq!((finding.kind, finding.grade), (FindingKind::DuplicateApply, Grade::Possible));
}

#[test]
fn a_repeat_with_the_same_effect_is_harmless() {
    assert_eq!(retried(Op::Write, "shop/orders", ["status=paid", "status=paid"]).told(), []);
    assert_eq!(retried(Op::Delete, "shop/orders", ["status", "status"]).told(), []);
    assert_eq!(
        retried(Op::Write, "shop/orders", ["status", "status"]).told(),
        [],
        "hidden: it would be a guess"
    );
}

#[test]
fn an_unknown_outcome_is_possible_and_says_so() {
    let mut story = retried(Op::Add, "shop/orders", ["paid_cents=500", "paid_cents=500"]);
    story.operations[0].outcome = Outcome::Unknown;
    let finding = story.only();
    assert_eq!(finding.grade, Grade::Possible);
    assert!(finding.summary.contains("may have taken effect twice"), "{}", finding.summary);
    story.operations[0].outcome = Outcome::Failed;
    assert_eq!(story.told(), [], "what failed had no effect");
}

#[test]
fn two_rows_that_refer_to_the_order_are_two_effects() {
    let mut story = retried(Op::Write, "payments/charges", ["state=captured", "state=captured"]);
    story.operations.iter_mut().for_each(insert);
    assert_eq!(story.told(), [], "nothing says that there are two rows");
    for (number, key) in [(0, "ch_1"), (1, "ch_2")] {
        let own = Operation {
            thing: Some(Thing { kind: "charge".into(), key: key.into() }),
            kind: "charge".into(),
            part: false,
            ..story.operations[number].clone()
        };
        story.operations.push(own);
    }
    assert_eq!(story.told(), [(FindingKind::DuplicateApply, Grade::Proved)]);
    for operation in story.operations.iter_mut().filter(|operation| operation.kind == "charge") {
        operation.thing = Some(Thing { kind: "charge".into(), key: "ch_1".into() });
    }
    assert_eq!(story.told(), [], "one row, written twice alike");
}

#[test]
fn a_key_that_the_trace_alone_suggests_is_possible() {
    let mut story = retried(Op::Add, "shop/orders", ["paid_cents=500", "paid_cents=500"]);
    story.operations[1].identity = Identity::Trace;
    assert_eq!(story.only().grade, Grade::Possible);
}

#[test]
fn a_delta_that_is_taken_back_repairs_it() {
    let mut story = retried(Op::Add, "shop/orders", ["paid_cents=500", "paid_cents=500"]);
    story.does(statement(9, "payments@b", 90.0), "shop/orders", Op::Add, "paid_cents=-500");
    let finding = story.only();
    let repair = story.operations.last().map(|operation| operation.event);
    assert_eq!((finding.repaired_by, finding.until.is_some()), (repair, true));
}

#[test]
fn a_message_that_is_handled_twice_adds_twice() {
    let delivered = |number: u8, from: f64| {
        let received = span(number, "stock@b", "process orders", from, from + 9.0).kind(SpanKind::Consumer);
        received.trace(number).with(&[
            ("messaging.system", "kafka"),
            ("messaging.destination.name", "orders"),
            ("messaging.message.id", "m-1"),
        ])
    };
    let mut story = Story::default();
    for (number, from) in [(1, 0.0), (3, 50.0)] {
        let add = statement(number + 1, "stock@b", from + 2.0).trace(number).child_of(number);
        story.record(delivered(number, from)).does(add, "stock/orders", Op::Add, "reserved=1");
    }
    assert_eq!(story.told(), [(FindingKind::DuplicateApply, Grade::Proved)]);
}

#[test]
fn two_services_that_handle_one_message_are_no_repeat() {
    let mut story = Story::default();
    for (number, service) in [(1, "stock@b"), (3, "search@c")] {
        let received = span(number, service, "process", 0.0, 9.0).kind(SpanKind::Consumer).trace(number);
        let received = received.with(&[("messaging.system", "kafka"), ("messaging.message.id", "m-1")]);
        let add = statement(number + 1, service, 2.0).trace(number).child_of(number);
        story.record(received).does(add, &format!("{service}/orders"), Op::Add, "reserved=1");
    }
    assert_eq!(story.told(), []);
}

#[test]
fn more_attempts_than_the_threshold_are_a_storm() {
    let mut story = Story::default();
    story.record(serving(1, "orders@a", 0.0, 900.0));
    for number in 0..6u8 {
        story.record(attempt(10 + number, 30.0 * f64::from(number), &number.to_string()));
    }
    let finding = story.only();
    assert_eq!(
        (finding.kind, finding.grade, finding.events.len()),
        (FindingKind::RetryStorm, Grade::Proved, 6)
    );
    story.settings(|settings| settings.attempts_max = 6);
    assert_eq!(story.told(), []);
}

fn sent(number: u8, from: f64, id: &str) -> Made {
    let sends = span(number, "orders@a", "publish orders", from, from + 1.0).kind(SpanKind::Producer);
    sends.trace(number).with(&[
        ("messaging.system", "rabbitmq"),
        ("messaging.destination.name", "orders"),
        ("messaging.message.id", id),
    ])
}

fn received(number: u8, from: f64, id: &str) -> Made {
    let receives = span(number, "search@b", "process orders", from, from + 1.0).kind(SpanKind::Consumer);
    receives.trace(number).with(&[
        ("messaging.system", "rabbitmq"),
        ("messaging.destination.name", "orders"),
        ("messaging.message.id", id),
    ])
}

#[test]
fn a_message_that_nobody_receives_is_as_sure_as_the_receivers_stream() {
    let mut story = Story::default();
    story.record(sent(1, 0.0, "m-1")).record(received(2, 5.0, "m-1")).record(sent(3, 10.0, "m-2"));
    assert_eq!(story.told(), [(FindingKind::UnhandledMessage, Grade::Possible)]);
    assert_eq!(story.streams(StreamState::Whole).told(), [(FindingKind::UnhandledMessage, Grade::Proved)]);
    assert_eq!(story.streams(StreamState::Sampled).told(), [], "absence says nothing");
}

#[test]
fn where_nobody_was_ever_seen_to_receive_nothing_is_said() {
    let mut story = Story::default();
    story.record(sent(3, 10.0, "m-2"));
    assert_eq!(story.streams(StreamState::Whole).told(), []);
}
