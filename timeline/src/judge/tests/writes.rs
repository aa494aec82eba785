//! `lost_update`, `unexplained_change`, `isolation_anomaly`.

use super::*;

/// Two clerks edit one row: each reads it and writes it; the numbers say when.
fn edits(process: [&str; 2], reads: [f64; 2], writes: [f64; 2], fields: [&str; 2]) -> Story {
    let mut story = Story::default();
    story.writes(statement(90, "orders@a", -50.0), "shop/orders", "address=old note=none version=1");
    for at in 0..2 {
        let number = 10 * (at as u8 + 1);
        let from = reads[at].min(writes[at]) - 1.0;
        story
            .record(serving(number, process[at], from, writes[at] + 5.0).trace(number))
            .reads(
                statement(number + 1, process[at], reads[at]).trace(number).child_of(number),
                "shop/orders",
                "address note",
            )
            .writes(
                statement(number + 2, process[at], writes[at]).trace(number).child_of(number),
                "shop/orders",
                fields[at],
            );
    }
    story
}

const OVER: [&str; 2] = ["address=new note=none version=2", "address=old note=ring version=2"];

#[test]
fn a_row_saved_over_a_write_that_it_had_not_seen_is_a_lost_update() {
    let finding = edits(["orders@a", "orders@a"], [0.0, 3.0], [10.0, 20.0], OVER).only();
    assert_eq!((finding.kind, finding.grade), (FindingKind::LostUpdate, Grade::Clock));
    assert_eq!(finding.class.as_deref(), Some("P4"));
    assert!(finding.summary.contains("order/42 lost address=new: address=old"), "{}", finding.summary);
}

#[test]
fn the_same_version_read_proves_it() {
    let mut story = edits(["orders@a", "orders@a"], [0.0, 3.0], [10.0, 20.0], OVER);
    for operation in story.operations.iter_mut().filter(|operation| !operation.writes()) {
        operation.version = Some(Value::Int(1));
    }
    assert_eq!(story.only().grade, Grade::Proved);
}

#[test]
fn who_read_after_the_write_has_seen_it() {
    let fields = ["address=new note=none version=2", "address=old note=ring version=3"];
    assert_eq!(edits(["orders@a", "orders@a"], [0.0, 14.0], [10.0, 20.0], fields).told(), []);
}

#[test]
fn what_was_not_changed_is_not_lost() {
    let fields = ["address=old version=2", "address=newer version=2"];
    assert_eq!(edits(["orders@a", "orders@a"], [0.0, 3.0], [10.0, 20.0], fields).told(), []);
    let apart = ["address=new version=2", "note=ring version=2"];
    assert_eq!(edits(["orders@a", "orders@a"], [0.0, 3.0], [10.0, 20.0], apart).told(), []);
}

#[test]
fn where_nothing_orders_the_clerks_it_is_possible() {
    let story = edits(["orders@a", "orders@b"], [0.0, 3.0], [10.0, 20.0], OVER);
    assert_eq!(story.told(), [(FindingKind::LostUpdate, Grade::Possible)]);
}

#[test]
fn a_write_that_insists_on_its_version_loses_nothing() {
    let mut story = edits(["orders@a", "orders@a"], [0.0, 3.0], [10.0, 20.0], OVER);
    story.last(|operation| operation.expected_version = Some(Value::Int(2)));
    assert_eq!(story.told(), []);
}

#[test]
fn saving_it_again_repairs_it() {
    let mut story = edits(["orders@a", "orders@a"], [0.0, 3.0], [10.0, 20.0], OVER);
    story.writes(statement(80, "orders@a", 60.0).trace(8), "shop/orders", "address=new version=3");
    let repair = story.operations.last().map(|operation| operation.event);
    assert_eq!(story.only().repaired_by, repair);
}

#[test]
fn a_value_that_nobody_wrote_was_replaced() {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0), "shop/orders", "status=paid")
        .writes(statement(2, "orders@a", 10.0), "shop/orders", "status=shipped")
        .last(|operation| operation.from = Some(Value::from("cancelled")));
    assert_eq!(
        story.told(),
        [(FindingKind::UnexplainedChange, Grade::Possible)],
        "the stream may lack the writer"
    );
    assert_eq!(story.streams(StreamState::Whole).told(), [(FindingKind::UnexplainedChange, Grade::Clock)]);
    assert_eq!(story.streams(StreamState::Sampled).told(), []);
    story.streams(StreamState::Whole).last(|operation| operation.from = Some(Value::from("paid")));
    assert_eq!(story.told(), []);
}

#[test]
fn a_write_that_may_lie_between_explains_it() {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0), "shop/orders", "status=paid")
        .writes(statement(3, "orders@b", 5.0), "shop/orders", "status")
        .writes(statement(2, "orders@a", 10.0), "shop/orders", "status=shipped")
        .last(|operation| operation.from = Some(Value::from("cancelled")));
    assert_eq!(story.streams(StreamState::Whole).told(), []);
}

/// One transaction writes, another reads what it wrote.
fn read_of(outcome: Outcome, fields: &[&str]) -> Story {
    let mut story = Story::default();
    story.writes(statement(1, "orders@a", 0.0).trace(1), "shop/orders", "status=created");
    for (number, field) in (0..).zip(fields) {
        let write = statement(10 + number, "orders@a", 10.0 + 3.0 * f64::from(number)).trace(2);
        story.writes(write, "shop/orders", field).last(|operation| {
            operation.outcome = outcome;
            operation.transaction = Some("t2".into());
        });
    }
    story.reads(statement(20, "orders@a", 11.5).trace(3), "shop/orders", "status=paid");
    story
}

#[test]
fn a_read_of_what_was_rolled_back_is_g1a() {
    let mut story = read_of(Outcome::Failed, &["status=paid"]);
    assert_eq!(story.told(), [(FindingKind::IsolationAnomaly, Grade::Possible)]);
    let finding = story.streams(StreamState::Whole).only();
    assert_eq!((finding.grade, finding.class.as_deref()), (Grade::Proved, Some("G1a")));
    assert_eq!(read_of(Outcome::Ok, &["status=paid"]).told(), []);
}

#[test]
fn a_read_of_what_its_writer_overwrote_is_g1b() {
    let finding = read_of(Outcome::Ok, &["status=paid", "status=shipped"]).streams(StreamState::Whole).only();
    assert_eq!((finding.grade, finding.class.as_deref()), (Grade::Proved, Some("G1b")));
}
