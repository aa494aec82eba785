//! `stale_read`, `out_of_order_apply`, `missed_update`, `divergence`.

use super::*;

/// The owner makes the order created, then paid, and a cache holds created.
fn cached() -> Story {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0).trace(1), "shop/orders", "status=created version=1")
        .writes(statement(2, "cache@a", 5.0).trace(2), "redis/order", "status=created")
        .writes(statement(3, "orders@a", 10.0).trace(3), "shop/orders", "status=paid version=2");
    story
}

fn budget(story: &mut Story, lag_ms: u64) -> &mut Story {
    story.settings(|settings| {
        settings.budgets.push(crate::judge::Budget {
            entity: "order".into(),
            copy: "redis/order".into(),
            lag_ns: lag_ms * 1_000_000,
        });
    })
}

#[test]
fn lag_alone_is_no_finding() {
    let mut story = cached();
    story.reads(statement(4, "cache@a", 3_000.0).trace(4), "redis/order", "status=created").writes(
        statement(5, "cache@a", 3_100.0).trace(5),
        "redis/order",
        "status=paid",
    );
    assert_eq!(story.told(), []);
}

#[test]
fn a_read_beyond_the_budget_is_stale() {
    let mut story = cached();
    story.reads(statement(4, "cache@a", 3_000.0).trace(4), "redis/order", "status=created").writes(
        statement(5, "cache@a", 3_100.0).trace(5),
        "redis/order",
        "status=paid",
    );
    budget(&mut story, 2_000);
    let findings = story.findings();
    let stale = findings.iter().find(|finding| finding.kind == FindingKind::StaleRead).expect("a stale read");
    assert_eq!(stale.grade, Grade::Clock);
    assert!(
        stale.summary.contains("status=created 3.0 s after shop/orders had made it paid (budget 2.0 s)"),
        "{}",
        stale.summary
    );
    story.given.settings.budgets.clear();
    budget(&mut story, 4_000);
    assert_eq!(story.told(), []);
}

#[test]
fn a_read_that_is_acted_on_is_stale_at_any_lag() {
    let mut story = cached();
    story
        .record(serving(9, "packer@a", 29.0, 60.0).trace(4))
        .reads(statement(4, "cache@a", 30.0).trace(4).child_of(9), "redis/order", "status=created")
        .writes(
            statement(5, "orders@a", 40.0).trace(4).child_of(9),
            "shop/orders",
            "status=shipped version=3",
        )
        .does(statement(6, "cache@a", 50.0).trace(6), "redis/order", Op::Delete, "status");
    assert_eq!(story.told(), [(FindingKind::StaleRead, Grade::Clock)]);
    assert!(story.only().summary.contains("status=shipped was written because of it"));
}

#[test]
fn a_value_that_the_owner_may_hold_again_is_not_stale() {
    let mut story = cached();
    story.writes(statement(7, "orders@b", 20.0).trace(7), "shop/orders", "status=created version=3").reads(
        statement(4, "cache@a", 3_000.0).trace(4),
        "redis/order",
        "status=created",
    );
    budget(&mut story, 2_000);
    let kinds: Vec<_> = story.told().into_iter().map(|(kind, _)| kind).collect();
    assert!(!kinds.contains(&FindingKind::StaleRead), "{kinds:?}");
}

#[test]
fn a_value_of_unknown_origin_is_no_anomaly() {
    let mut story = cached();
    story.reads(statement(4, "cache@a", 3_000.0).trace(4), "redis/order", "status=mystery").writes(
        statement(5, "cache@a", 3_100.0).trace(5),
        "redis/order",
        "status=paid",
    );
    budget(&mut story, 60_000);
    assert_eq!(story.told(), []);
}

fn consumer(number: u8, process: &str, from: f64, to: f64) -> Made {
    span(number, process, "process orders", from, to).kind(SpanKind::Consumer).trace(number)
}

/// Two consumers apply what the owner made: at these times, in these processes.
fn applied(processes: [&str; 2], times: [f64; 2]) -> Story {
    let mut story = Story::default();
    story.writes(statement(1, "orders@a", 0.0).trace(1), "shop/orders", "status=paid version=2").writes(
        statement(2, "orders@a", 10.0).trace(2),
        "shop/orders",
        "status=shipped version=3",
    );
    for (at, fields) in ["status=paid version=2", "status=shipped version=3"].into_iter().enumerate() {
        let number = 10 * (at as u8 + 1);
        let write = statement(number + 1, processes[at], times[at]).trace(number).child_of(number);
        story.record(consumer(number, processes[at], times[at] - 2.0, times[at] + 3.0)).writes(
            write,
            "search/order_view",
            fields,
        );
    }
    story
}

#[test]
fn an_older_state_applied_over_a_newer_is_out_of_order() {
    let finding = applied(["search@b", "search@b"], [60.0, 30.0]).only();
    assert_eq!((finding.kind, finding.grade), (FindingKind::OutOfOrderApply, Grade::Clock));
    assert!(
        finding.summary.starts_with("search/order_view went back from status=shipped to status=paid"),
        "{}",
        finding.summary
    );
    assert_eq!(applied(["search@b", "search@b"], [30.0, 60.0]).told(), []);
}

#[test]
fn where_nothing_orders_the_consumers_a_later_read_makes_it_possible() {
    let mut story = applied(["search@b", "search@c"], [60.0, 30.0]);
    assert_eq!(story.told(), []);
    story.reads(statement(40, "search@c", 90.0).trace(4), "search/order_view", "status=paid");
    assert_eq!(story.told(), [(FindingKind::OutOfOrderApply, Grade::Possible)]);
}

#[test]
fn a_newer_state_applied_later_repairs_it() {
    let mut story = applied(["search@b", "search@b"], [60.0, 30.0]);
    story.writes(statement(50, "search@b", 90.0).trace(5), "search/order_view", "status=shipped version=3");
    let repair = story.operations.last().map(|operation| operation.event);
    assert_eq!(story.only().repaired_by, repair);
}

#[test]
fn a_copy_that_never_got_the_last_transition_missed_it() {
    let mut story = cached();
    assert_eq!(story.told(), [(FindingKind::MissedUpdate, Grade::Possible)]);
    // The owner's versions prove its order.
    assert_eq!(story.streams(StreamState::Whole).told(), [(FindingKind::MissedUpdate, Grade::Proved)]);
    assert_eq!(story.streams(StreamState::Sampled).told(), []);
    story.does(statement(5, "cache@a", 20.0).trace(5), "redis/order", Op::Delete, "status");
    assert_eq!(story.streams(StreamState::Whole).told(), [], "what was dropped is not wrong");
}

#[test]
fn what_is_not_yet_late_is_not_missed() {
    let mut story = cached();
    let arrival = hlc::Stamp::from_bits(((at(100.0).0 >> 10) << 12) | 1);
    story.records.iter_mut().for_each(|record| record.arrival = Some(arrival));
    story.given.judged_to = Some(at(1_000.0));
    assert_eq!(story.told(), []);
    story.given.judged_to = Some(at(11_000.0));
    assert_eq!(story.told(), [(FindingKind::MissedUpdate, Grade::Possible)]);
}

#[test]
fn a_consumer_that_skips_a_transition_missed_it_though_it_went_on() {
    let mut story = applied(["search@b", "search@b"], [30.0, 60.0]);
    story.writes(statement(3, "orders@a", 5.0).trace(3), "shop/orders", "status=packed version=9");
    story.operations.iter_mut().for_each(|operation| {
        let renumbered = match operation.value.as_ref().map(|value| value.to_text().into_owned()).as_deref() {
            Some("packed") => 3,
            Some("shipped") => 4,
            _ => 2,
        };
        operation.version = Some(Value::Int(renumbered));
    });
    let finding = story.streams(StreamState::Whole).only();
    assert_eq!(finding.kind, FindingKind::MissedUpdate);
    assert!(finding.repaired_by.is_some(), "the next one made up for it");
}

#[test]
fn a_write_without_a_known_key_may_be_the_missed_one() {
    let mut story = cached();
    story.streams(StreamState::Whole);
    let hidden = Operation { thing: None, ..story.operations[1].clone() };
    story.operations.push(hidden);
    assert_eq!(story.told(), [(FindingKind::MissedUpdate, Grade::Possible)]);
}

#[test]
fn copies_at_rest_with_different_values_diverge() {
    let mut story = cached();
    story.writes(statement(5, "cache@a", 20.0).trace(5), "redis/order", "status=mangled");
    assert_eq!(story.told(), [(FindingKind::Divergence, Grade::Possible)]);
    assert_eq!(story.streams(StreamState::Whole).told(), [(FindingKind::Divergence, Grade::Clock)]);
}

#[test]
fn a_copy_that_lags_beyond_its_budget_diverges_and_is_repaired() {
    let mut story = cached();
    story.writes(statement(5, "cache@a", 3_100.0).trace(5), "redis/order", "status=paid");
    budget(&mut story, 2_000);
    let finding = story.streams(StreamState::Whole).only();
    assert_eq!((finding.kind, finding.grade), (FindingKind::Divergence, Grade::Clock));
    assert!(finding.repaired_by.is_some() && finding.summary.contains("for 3.1 s"), "{}", finding.summary);
}

#[test]
fn a_part_is_never_compared_with_the_owner() {
    let mut story = cached();
    story.operations[1].part = true;
    assert_eq!(story.streams(StreamState::Whole).told(), []);
}
