use super::*;
use crate::Given;
use crate::document::{Basis, CompletenessBasis, FindingStatus, Identity, ValueBasis};
use crate::question::{Question, Subject};
use crate::testing::{at, span};

/// The timeline of an order that `service` of this version wrote to `copy`, with a stale read if there is a grade.
fn timeline(key: &str, version: &str, copy: &str, grade: Option<Grade>) -> Timeline {
    let start = 10.0 * key.parse::<f64>().expect("a number");
    let pairs = [
        ("backstory.entity.type", "order"),
        ("backstory.entity.key", key),
        ("backstory.copy", copy),
        ("backstory.op", "write"),
        ("backstory.field", "status"),
        ("backstory.value", "paid"),
        ("messaging.destination.name", "orders"),
        ("messaging.destination.partition.id", "3"),
    ];
    let record = span(1, "cache", "GET", start, start + 1.0).with(&pairs).record();
    let subject = Subject::Entity { kind: "order".to_owned(), key: key.to_owned() };
    let mut timeline = crate::tell(vec![record], &Question::new(subject), &Given::default());
    timeline.processes[0].version = Some(version.to_owned());
    timeline.completeness.reasons.clear();
    let event = timeline.events[1].id;
    timeline.findings = grade.into_iter().map(|grade| finding(key, grade, event, at(start))).collect();
    timeline
}

fn finding(key: &str, grade: Grade, event: crate::id::EventId, from: Time) -> Finding {
    let entity = format!("order/{key}");
    Finding {
        id: format!("f-{key:0>16}"),
        kind: FindingKind::StaleRead,
        grade,
        basis: Basis {
            order: None,
            identity: Identity::Own,
            value: ValueBasis::Seen,
            completeness: CompletenessBasis::NotNeeded,
        },
        status: FindingStatus::Settled,
        class: None,
        repaired_by: None,
        consequence_of: None,
        entity: Some(entity.clone()),
        entities: vec![entity],
        events: vec![event],
        records: vec![],
        trace_ids: vec![],
        summary: String::new(),
        from,
        until: None,
    }
}

fn census() -> Census {
    let one = timeline("1", "2.15.0", "redis/order", Some(Grade::Proved));
    Census::new(Shape::of(&one.findings[0], &one))
}

#[test]
fn every_entity_is_affected_clean_or_cannot_be_told() {
    let mut census = census();
    let mut sampled = timeline("5", "2.15.0", "redis/order", None);
    sampled.completeness.reasons.push(Incompleteness::Sampled);
    for timeline in [
        timeline("1", "2.15.0", "redis/order", Some(Grade::Proved)),
        timeline("2", "2.15.0", "redis/order", Some(Grade::Possible)),
        timeline("3", "2.14.0", "redis/order", None),
        timeline("4", "2.14.0", "shop/orders", None),
        sampled,
        timeline("6", "2.14.0", "shop/orders", Some(Grade::Proved)),
    ] {
        census.take(&timeline);
    }
    let answer = census.answer(Completeness::default());
    assert_eq!(answer.shape, "stale_read of redis/order in cache");
    assert_eq!((answer.proved, answer.clock, answer.possible), (1, 0, 1));
    assert_eq!((answer.clean, answer.cannot_tell), (1, 3));
    let told: Vec<(&str, Verdict, &str)> =
        answer.entities.iter().map(|one| (one.entity.as_str(), one.verdict, one.reason.as_str())).collect();
    assert_eq!(
        told,
        [
            ("order/1", Verdict::Affected, ""),
            ("order/2", Verdict::Affected, ""),
            ("order/4", Verdict::CannotTell, "no record tells of its state in redis/order"),
            ("order/5", Verdict::CannotTell, "a source samples"),
            ("order/6", Verdict::CannotTell, "no record tells of its state in redis/order"),
            ("order/3", Verdict::Clean, ""),
        ]
    );
    assert_eq!((answer.first, answer.last), (Some(at(10.0)), Some(at(20.0))));
    assert_eq!((answer.still.affected, answer.still.entities), (2, 6));
    let schema = serde_json::from_str(include_str!("../../../docs/schema/affected.json")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let document = serde_json::to_value(&answer).expect("JSON");
    let wrong: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_version_stands_out_by_its_share_of_affected_ones() {
    let mut census = census();
    for (key, version, grade) in
        [("1", "2.15.0", Some(Grade::Proved)), ("2", "2.14.0", None), ("3", "2.14.0", Some(Grade::Clock))]
    {
        census.take(&timeline(key, version, "redis/order", grade));
    }
    let answer = census.answer(Completeness::default());
    let group = |name: &str, affected, of| AffectedGroup { name: name.to_owned(), affected, of };
    assert_eq!(answer.by.version, [group("cache 2.15.0", 1, 1), group("cache 2.14.0", 1, 2)]);
    assert_eq!(answer.by.partition, [group("orders 3", 2, 3)]);
    assert_eq!(answer.clock, 1);
}

#[test]
fn of_no_entity_nothing_is_told() {
    let answer = census().answer(Completeness::default());
    assert_eq!((answer.first, answer.still), (None, Still::default()));
    assert!(answer.entities.is_empty() && answer.by == AffectedBy::default());
}
