//! `illegal_transition`, `rule_broken`, and what follows from what.

use super::*;
use crate::judge::Rule;

fn with_transitions(story: &mut Story) -> &mut Story {
    story.settings(|settings| {
        let allowed = [("created", "paid"), ("paid", "shipped"), ("created", "cancelled")];
        let allowed = allowed.map(|(from, to)| (from.to_owned(), to.to_owned())).to_vec();
        settings.transitions.insert("order".into(), [("status".to_owned(), allowed)].into());
    })
}

fn rule(story: &mut Story, json: &str) {
    let rule: Rule = serde_json::from_str(json).expect("a rule");
    story.settings(|settings| settings.rules = vec![rule]);
}

#[test]
fn a_transition_that_is_not_declared_is_illegal() {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0), "shop/orders", "status=created")
        .writes(statement(2, "orders@a", 10.0), "shop/orders", "status=cancelled")
        .writes(statement(3, "orders@a", 20.0), "shop/orders", "status=shipped");
    assert_eq!(story.told(), []);
    with_transitions(&mut story);
    assert_eq!(story.told(), [(FindingKind::IllegalTransition, Grade::Possible)]);
    let finding = story.streams(StreamState::Whole).only();
    assert_eq!(finding.grade, Grade::Clock);
    assert!(finding.summary.contains("status=cancelled to shipped"), "{}", finding.summary);
    story.last(|operation| operation.from = Some(Value::from("cancelled")));
    assert_eq!(story.only().grade, Grade::Proved, "the write itself says what it replaced");
    story.last(|operation| operation.outcome = Outcome::Failed);
    assert_eq!(story.told(), []);
}

#[test]
fn declared_transitions_are_legal() {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0), "shop/orders", "status=created")
        .writes(statement(2, "orders@a", 10.0), "shop/orders", "status=paid")
        .writes(statement(3, "orders@a", 20.0), "shop/orders", "status=paid")
        .writes(statement(4, "orders@a", 30.0), "shop/orders", "status=shipped");
    assert_eq!(with_transitions(&mut story).streams(StreamState::Whole).told(), []);
}

#[test]
fn more_writes_than_a_rule_allows_break_it() {
    let mut story = Story::default();
    for number in 1..3 {
        let from = 10.0 * f64::from(number);
        story.writes(statement(number, "payments@a", from), "payments/charges", "state=captured");
    }
    rule(
        &mut story,
        r#"{"name":"one capture","entity":"order","at_most":1,"write":"charges.state = captured"}"#,
    );
    let finding = story.only();
    assert_eq!((finding.kind, finding.grade), (FindingKind::RuleBroken, Grade::Proved));
    story.last(|operation| operation.outcome = Outcome::Unknown);
    assert_eq!(story.only().grade, Grade::Possible);
    rule(&mut story, r#"{"name":"two","entity":"order","at_most":2,"write":"charges.state = captured"}"#);
    assert_eq!(story.told(), []);
}

#[test]
fn never_after_needs_the_order() {
    let never = r#"{"name":"n","entity":"order","never":"status = shipped","after":"status = cancelled"}"#;
    let mut story = Story::default();
    story.writes(statement(1, "orders@a", 0.0), "shop/orders", "status=cancelled").writes(
        statement(2, "orders@a", 10.0),
        "shop/orders",
        "status=shipped",
    );
    rule(&mut story, never);
    assert_eq!(story.told(), [(FindingKind::RuleBroken, Grade::Clock)]);
    let mut apart = Story::default();
    apart.writes(statement(1, "orders@a", 0.0), "shop/orders", "status=cancelled").writes(
        statement(2, "orders@b", 10.0),
        "shop/orders",
        "status=shipped",
    );
    rule(&mut apart, never);
    assert_eq!(apart.told(), []);
}

#[test]
fn eventually_rests_on_absence() {
    let then = r#"{"name":"refund","entity":"order","eventually":"charges.state = refunded",
        "after":"orders.status = cancelled","within":"30ms"}"#;
    let mut story = Story::default();
    story.writes(statement(1, "orders@a", 0.0), "shop/orders", "status=cancelled").writes(
        statement(2, "orders@a", 90.0),
        "shop/orders",
        "note=later",
    );
    rule(&mut story, then);
    assert_eq!(story.told(), [(FindingKind::RuleBroken, Grade::Possible)]);
    assert_eq!(story.streams(StreamState::Whole).told(), [(FindingKind::RuleBroken, Grade::Proved)]);
    assert_eq!(story.streams(StreamState::Sampled).told(), []);
    story.writes(statement(3, "payments@a", 20.0), "payments/charges", "state=refunded");
    assert_eq!(story.streams(StreamState::Whole).told(), []);
}

#[test]
fn sums_are_compared_with_a_number_or_a_field() {
    let mut story = Story::default();
    story.writes(statement(1, "orders@a", 0.0), "shop/orders", "total_cents=500");
    for number in 2..4 {
        story.writes(
            statement(number, "payments@a", 10.0 * f64::from(number)),
            "payments/charges",
            "amount_cents=500",
        );
    }
    rule(
        &mut story,
        r#"{"name":"paid","entity":"order","sum":"charges.amount_cents","equals":"orders.total_cents"}"#,
    );
    let finding = story.only();
    assert_eq!((finding.kind, finding.grade), (FindingKind::RuleBroken, Grade::Proved));
    assert!(finding.summary.contains("adds up to 1000, orders.total_cents is 500"), "{}", finding.summary);
    rule(&mut story, r#"{"name":"paid","entity":"order","sum":"charges.amount_cents","at_most":1000}"#);
    assert_eq!(story.told(), []);
}

#[test]
fn what_follows_from_a_finding_names_it() {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0).trace(1), "shop/orders", "status=created version=1")
        .writes(statement(2, "cache@a", 5.0).trace(2), "redis/order", "status=created")
        .writes(statement(3, "orders@a", 10.0).trace(3), "shop/orders", "status=cancelled version=2")
        .record(serving(9, "packer@a", 29.0, 60.0).trace(4))
        .reads(statement(4, "cache@a", 30.0).trace(4).child_of(9), "redis/order", "status=created")
        .writes(
            statement(5, "orders@a", 40.0).trace(4).child_of(9),
            "shop/orders",
            "status=shipped version=3",
        )
        .does(statement(6, "cache@a", 50.0).trace(6), "redis/order", Op::Delete, "status");
    let findings = with_transitions(&mut story).findings();
    let of = |kind| findings.iter().find(|finding| finding.kind == kind).expect("a finding");
    let stale = of(FindingKind::StaleRead);
    assert_eq!(of(FindingKind::IllegalTransition).consequence_of.as_ref(), Some(&stale.id));
    assert_eq!(findings.len(), 2, "{findings:#?}");
}
