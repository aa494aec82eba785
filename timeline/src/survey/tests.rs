use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::document::{Aspect, Completeness, Diagnosis, Entities, Presence};
use crate::record::SpanKind;
use crate::testing::{any_records, log, span};

fn survey(kind: Option<&str>, records: &[Record]) -> Survey {
    let mut survey = kind.map_or_else(Survey::default, Survey::of_kind);
    records.iter().for_each(|record| survey.add(record));
    survey
}

fn entities(survey: &Survey) -> Entities {
    survey.entities(Completeness::default(), 100)
}

fn service(survey: &Survey, name: &str) -> Diagnosis {
    survey.doctor(Completeness::default(), Some(name)).services.remove(0)
}

fn detail(diagnosis: &Diagnosis, aspect: Aspect) -> &str {
    diagnosis.checks.iter().find(|check| check.name == aspect).map_or("", |check| &check.detail)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Neither the order of records nor their division among surveys changes an answer.
    #[test]
    fn a_survey_depends_on_its_records_alone(records in any_records(30), cut: prop::sample::Index) {
        let whole = survey(Some("order"), &records);
        let (left, right) = records.split_at(cut.index(records.len() + 1));
        let mut merged = survey(Some("order"), right);
        merged.merge(survey(Some("order"), left));
        prop_assert_eq!(entities(&merged), entities(&whole));
        let told = |survey: &Survey| survey.doctor(Completeness::default(), None);
        prop_assert_eq!(told(&merged), told(&whole));
    }

    /// What it counts is what a plain count over all names gives.
    #[test]
    fn it_counts_what_records_name(records in any_records(30)) {
        let mut keys: BTreeMap<String, u64> = BTreeMap::new();
        let mut naming_one = 0;
        for record in &records {
            let names: BTreeSet<String> = naming::names(record)
                .into_iter()
                .filter(|name| name.kind == "order")
                .map(|name| format!("order/{}", name.key))
                .collect();
            naming_one += u64::from(!names.is_empty());
            names.into_iter().for_each(|name| *keys.entry(name).or_default() += 1);
        }
        let answer = entities(&survey(Some("order"), &records));
        prop_assert_eq!(answer.types.first().map_or(0, |first| first.records), naming_one);
        prop_assert_eq!(answer.types.first().map_or(0, |first| first.keys), keys.len() as u64);
        let listed: BTreeMap<String, u64> =
            answer.entities.into_iter().map(|key| (key.entity, key.records)).collect();
        prop_assert_eq!(listed, keys);
    }
}

#[test]
fn a_type_says_where_its_names_stand() {
    let records = [
        span(1, "orders", "POST", 0.0, 3.0).with(&[("order.id", "42")]).record(),
        span(2, "orders", "POST", 1.0, 2.0)
            .with(&[("url.path", "/orders/7"), ("http.route", "/orders/{id}")])
            .record(),
        log(0, "payments", "order 42 is paid", 5.0),
        log(0, "payments", "user 9 logged in", 6.0),
    ];
    let types = entities(&survey(None, &records)).types;
    let names: Vec<&str> = types.iter().map(|kind| kind.kind.as_str()).collect();
    assert_eq!(names, ["order", "user"]);
    let order = &types[0];
    assert_eq!((order.keys, order.records, order.exact), (2, 3, true));
    assert_eq!(order.services, ["orders", "payments"]);
    let places: Vec<(&str, &str, &str)> =
        order.places.iter().map(|p| (p.how.as_str(), p.place.as_str(), p.example.as_str())).collect();
    assert_eq!(
        places,
        [("text", "body", "42"), ("attribute", "order.id", "42"), ("route", "url.path /orders/{id}", "7"),]
    );
}

#[test]
fn the_latest_keys_come_first_and_a_limit_says_how_many_there_are() {
    let records: Vec<Record> = (1..=9)
        .map(|number| log(0, "orders", &format!("order {number} is paid"), f64::from(number)))
        .collect();
    let answer = survey(Some("order"), &records).entities(Completeness::default(), 2);
    let keys: Vec<&str> = answer.entities.iter().map(|key| key.entity.as_str()).collect();
    assert_eq!((keys, answer.shown, answer.total), (vec!["order/9", "order/8"], 2, 9));
}

#[test]
fn spans_come_to_their_entity_by_the_surest_way() {
    let records = [
        span(1, "orders", "POST /orders/42", 0.0, 9.0).kind(SpanKind::Server).record(),
        span(2, "orders", "UPDATE", 1.0, 2.0).child_of(1).record(),
        span(3, "worker", "process", 3.0, 4.0).record(),
        span(4, "worker", "UPDATE", 3.2, 3.8).child_of(3).record(),
        log(3, "worker", "order 42 status created -> paid", 3.5),
        span(5, "worker", "poll", 5.0, 6.0).record(),
        span(6, "worker", "beat", 5.0, 6.0).trace(2).record(),
    ];
    let all = survey(None, &records);
    let orders = service(&all, "orders");
    assert_eq!(detail(&orders, Aspect::Entities), "of 2 spans 50 % name one, 50 % by an ancestor");
    let worker = service(&all, "worker");
    assert_eq!(
        detail(&worker, Aspect::Entities),
        "of 4 spans 50 % by a log line only, 25 % by their trace only, 25 % by nothing"
    );
}

#[test]
fn parents_in_a_circle_end() {
    let records =
        [span(1, "a", "x", 0.0, 1.0).child_of(2).record(), span(2, "a", "y", 0.0, 1.0).child_of(1).record()];
    assert_eq!(
        detail(&service(&survey(None, &records), "a"), Aspect::Entities),
        "of 2 spans 100 % by nothing"
    );
}

#[test]
fn a_parameterised_service_is_told_what_it_hides() {
    let statement = [
        ("order.id", "42"),
        ("db.system.name", "postgresql"),
        ("db.query.text", "UPDATE orders SET status = $1 WHERE id = $2"),
    ];
    let records = [span(1, "payments", "UPDATE", 0.0, 1.0).kind(SpanKind::Client).with(&statement).record()];
    let payments = service(&survey(None, &records), "payments");
    let values = payments.checks.iter().find(|check| check.name == Aspect::WrittenValues).expect("told");
    assert_eq!((values.state, values.seen, values.of), (Presence::Absent, 0, 1));
    let next = payments.next.expect("something would help");
    assert_eq!(next.aspect, Aspect::WrittenValues);
    assert!(next.unlocks.contains(&crate::document::FindingKind::Divergence), "{next:?}");
}

#[test]
fn a_log_line_tells_the_value_that_a_statement_hides() {
    let statement = [
        ("order.id", "42"),
        ("db.system.name", "postgresql"),
        ("db.query.text", "UPDATE orders SET status = $1 WHERE id = $2"),
    ];
    let records = [
        span(1, "payments", "UPDATE", 0.0, 1.0).kind(SpanKind::Client).with(&statement).record(),
        log(1, "payments", "order 42 status changed from created to paid", 0.5),
    ];
    let payments = service(&survey(None, &records), "payments");
    let values = payments.checks.iter().find(|check| check.name == Aspect::WrittenValues).expect("told");
    assert_eq!((values.state, values.seen, values.of), (Presence::Partial, 1, 2));
}

#[test]
fn aspects_are_numbered_as_they_are_told() {
    for (number, aspect) in Aspect::ALL.into_iter().enumerate() {
        assert_eq!(aspect as usize, number, "{aspect:?}");
    }
}
