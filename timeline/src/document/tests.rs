//! What these types print is valid under the schemas in `docs/schema/`.

use jsonschema::Validator;
use proptest::prelude::*;
use serde::Serialize;

use super::*;
use crate::Given;
use crate::question::Question;
use crate::record::SpanKind;
use crate::testing::{any_records, at, log, span};

fn schema(text: &str) -> Validator {
    let schema: serde_json::Value = serde_json::from_str(text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

fn errors(schema: &Validator, document: &impl Serialize) -> Vec<String> {
    let document = serde_json::to_value(document).expect("JSON");
    schema.iter_errors(&document).map(|error| format!("{error} at {}", error.instance_path())).collect()
}

fn question() -> Question {
    "order/42".parse().expect("a question")
}

fn some_timeline() -> Timeline {
    let records = vec![
        span(1, "orders@a", "POST", 0.0, 3.0).kind(SpanKind::Server).with(&[("order.id", "42")]).record(),
        span(2, "orders@a", "send", 1.0, 2.0).kind(SpanKind::Producer).child_of(1).record(),
        log(1, "orders@a", "order 42 is paid", 2.5),
    ];
    crate::tell(records, &question(), &Given::default())
}

const TIMELINE: &str = include_str!("../../../docs/schema/timeline.json");

#[test]
fn a_timeline_is_valid_and_what_is_none_is_not() {
    let schema = schema(TIMELINE);
    let timeline = some_timeline();
    assert_eq!(errors(&schema, &timeline), [""; 0]);
    let mut broken = serde_json::to_value(&timeline).expect("JSON");
    broken["events"][0]["kind"] = "span_middle".into();
    assert!(!schema.is_valid(&broken));
    let mut renamed = serde_json::to_value(&timeline).expect("JSON");
    renamed["edges"][0]["extra"] = 1.into();
    assert!(!schema.is_valid(&renamed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_timeline_is_valid(records in any_records(24), brief: bool) {
        let timeline = crate::tell(records, &Question { brief, ..question() }, &Given::default());
        prop_assert_eq!(errors(&schema(TIMELINE), &timeline), [""; 0]);
    }
}

#[test]
fn why_is_valid() {
    let records = vec![span(1, "orders", "POST", 0.0, 3.0).with(&[("order.id", "42")]).record()];
    let ends = ["0000000000000101", "0000000000000101:end"];
    let schema = schema(include_str!("../../../docs/schema/why.json"));
    for (a, b) in [(ends[0], ends[1]), (ends[1], ends[0]), (ends[0], ends[0])] {
        let why = crate::why(records.clone(), &question(), &Given::default(), a, b).expect("an answer");
        assert_eq!(errors(&schema, &why), [""; 0]);
    }
}

#[test]
fn answers_are_valid() {
    let found = FindMatch {
        entity: Some("order/42".into()),
        attribute: "order.id".into(),
        value: "42".into(),
        records: 3,
        first: at(0.0),
        last: at(1.0),
    };
    let find =
        Find { schema: Find::SCHEMA.into(), completeness: Completeness::default(), matches: vec![found] };
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/find.json")), &find), [""; 0]);
    let stats = Stats {
        schema: Stats::SCHEMA.into(),
        spans: 1,
        logs: 2,
        exact: true,
        resent_spans: 0,
        resent_logs: 0,
        rejected: 0,
        traces: 1,
        services: 1,
        bytes_journal: 10,
        bytes_index: 20,
        indexed_to: "1-0".into(),
        journal_end: "1-0".into(),
        first: Some(at(0.0)),
        last: None,
    };
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/stats.json")), &stats), [""; 0]);
}

#[test]
fn surveys_are_valid() {
    let statement =
        [("db.system", "postgresql"), ("db.statement", "UPDATE orders SET status = ? WHERE id = ?")];
    let records = [
        span(1, "orders@a", "POST", 0.0, 3.0).kind(SpanKind::Server).with(&[("order.id", "42")]).record(),
        span(2, "orders@a", "UPDATE", 1.0, 2.0).kind(SpanKind::Client).child_of(1).with(&statement).record(),
        log(1, "payments", "order 42 is paid", 2.5),
    ];
    let mut survey = crate::survey::Survey::of_kind("order");
    records.iter().for_each(|record| survey.add(record));
    let entities = survey.entities(Completeness::default(), 10);
    assert_eq!((entities.types.len(), entities.entities.len()), (1, 1));
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/entities.json")), &entities), [""; 0]);
    let doctor = survey.doctor(Completeness::default(), None);
    assert!(doctor.services.iter().all(|service| service.next.is_some()));
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/doctor.json")), &doctor), [""; 0]);
}

#[test]
fn services_and_traces_are_valid() {
    let operations = vec![Operation { name: "POST /orders".into(), kind: SpanKind::Server }];
    let services = Services {
        schema: Services::SCHEMA.into(),
        completeness: Completeness::default(),
        services: vec![ServiceOperations { service: "orders".into(), operations }],
    };
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/services.json")), &services), [""; 0]);
    let trace = serde_json::json!({ "traceID": "00000000000000000000000000000007", "spans": [], "processes": {}, "warnings": null });
    let traces =
        Traces { schema: Traces::SCHEMA.into(), completeness: Completeness::default(), traces: vec![trace] };
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/traces.json")), &traces), [""; 0]);
}

#[test]
fn a_search_is_valid() {
    let record = SearchRecord {
        record: crate::id::RecordId([1; 16]),
        position: "1-0-0-0".into(),
        kind: "log".into(),
        trace_id: None,
        span_id: None,
        parent_span_id: None,
        service: "orders".into(),
        name: String::new(),
        body: Some("paid".into()),
        span_kind: None,
        severity: Some(crate::record::Severity::Info),
        status: None,
        start: None,
        end: None,
        time: at(0.0),
        arrival: None,
        attributes: serde_json::Map::new(),
        resource: serde_json::Map::new(),
        scope: String::new(),
        links: Vec::new(),
        events: vec![SearchEvent { time: at(0.0), name: "e".into(), attributes: serde_json::Map::new() }],
    };
    let search = Search {
        schema: Search::SCHEMA.into(),
        completeness: Completeness::default(),
        records: vec![record],
        shown: 1,
        total: 1,
        next: None,
    };
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/search.json")), &search), [""; 0]);
}

/// A timeline with a finding, and the states and findings of it, are valid under their schemas.
#[test]
fn states_and_findings_are_valid() {
    let write = |number: u8, from: f64, value: &str, replaced: &str| {
        span(number, "orders@a", "UPDATE orders", from, from + 1.0)
            .with(&[
                ("order.id", "42"),
                ("backstory.entity.type", "order"),
                ("backstory.entity.key", "42"),
                ("backstory.copy", "shop/orders"),
                ("backstory.op", "write"),
                ("backstory.field", "status"),
                ("backstory.from", replaced),
                ("backstory.value", value),
            ])
            .record()
    };
    let records = vec![write(1, 0.0, "paid", "created"), write(2, 5.0, "shipped", "cancelled")];
    let timeline = crate::tell(records.clone(), &question(), &Given::default());
    assert_eq!(timeline.findings.len(), 1, "{:?}", timeline.findings);
    assert_eq!(timeline.findings[0].kind, FindingKind::UnexplainedChange);
    assert_eq!(timeline.initial_state[0].value, Some("created".into()));
    assert_eq!(errors(&schema(TIMELINE), &timeline), [""; 0]);
    let moments = [crate::state::Moment::End, crate::state::Moment::Time(at(2.0))];
    for (moment, value) in moments.into_iter().zip(["shipped", "paid"]) {
        let state =
            crate::state::state(records.clone(), &question(), &Given::default(), &moment).expect("a state");
        assert_eq!(state.copies[0].value, Some(value.into()));
        assert_eq!(errors(&schema(include_str!("../../../docs/schema/state.json")), &state), [""; 0]);
    }
    let mut alike = crate::rollup::Rollups::default();
    for finding in &timeline.findings {
        alike.add(crate::rollup::Signature::of(finding, &timeline), finding);
    }
    let findings = Findings {
        schema: Findings::SCHEMA.into(),
        completeness: Completeness::default(),
        judged_to: Some(at(9.0)),
        judged: 1,
        cannot_judge: 1,
        cannot_judge_because: vec![CannotJudge { reason: "no state".into(), entities: 1 }],
        pending: 2,
        rollups: alike.told(&crate::rollup::Versions::default()),
        findings: timeline.findings,
    };
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/findings.json")), &findings), [""; 0]);
}

proptest! {
    #[test]
    fn every_diff_is_valid(a in any_records(12), b in any_records(12)) {
        let [a, b] = [a, b].map(|records| crate::tell(records, &question(), &Given::default()));
        let diff = crate::compare(&a, &b);
        prop_assert_eq!(errors(&schema(include_str!("../../../docs/schema/diff.json")), &diff), [""; 0]);
    }
}

#[test]
fn incidents_and_annotations_are_valid() {
    use crate::annotation::{Annotation, IncidentStatus, Notebook, Says, Target, Written};
    use crate::incident::{self, Causes, Member};

    let mut failed = span(1, "orders@a", "POST /orders", 0.0, 3.0).with(&[("order.id", "42")]);
    failed = failed.change(|span| span.status.code = crate::record::StatusCode::Error);
    let within = span(2, "orders@a", "UPDATE orders", 1.0, 2.0).child_of(1);
    let within = within.change(|span| span.status.code = crate::record::StatusCode::Error);
    let records = vec![failed.record(), within.record()];
    let groups = incident::group(records.iter().filter_map(Member::of_error));
    let mut causes = Causes::default();
    causes.add_records(records);
    let pinned = Pinned::default();
    let told = |notebook: &Notebook| incident::tell(&groups[0], &causes, notebook, &pinned);
    let mut one = told(&Notebook::default());
    assert!(one.origin.is_some() && groups.len() == 1);
    let event = one.origin.as_ref().map(|origin| origin.event).expect("an origin");
    let entity = || "order/42".to_owned();
    let says = [
        Says::Note { target: Target::Incident(one.id.clone()), text: "a".into() },
        Says::Note { target: Target::Entity(entity()), text: "b".into() },
        Says::Note { target: Target::Event { entity: entity(), event }, text: "c".into() },
        Says::Status { incident: one.id.clone(), status: IncidentStatus::Closed },
        Says::Outline(one.outline()),
        Says::Bookmark { entity: entity(), event: Some(event), text: String::new() },
        Says::Search { name: "errors".into(), query: "status:error".into() },
        Says::Removed,
    ];
    let written: Vec<Written> = (1u64..)
        .zip(says)
        .map(|(number, says)| Written {
            stamp: hlc::Stamp::from_bits(number),
            annotation: Annotation::new("ada", at(number as f64), says),
        })
        .collect();
    one = told(&written.iter().cloned().collect());
    assert_eq!((one.status, one.written.len()), (IncidentStatus::Closed, 2));
    let incidents = Incidents {
        schema: Incidents::SCHEMA.into(),
        completeness: Completeness::default(),
        judged_to: Some(at(1.0)),
        judged: 1,
        cannot_judge: 0,
        pinned: Pinned { segments: vec![1], bytes: 10, bytes_max: 20 },
        incidents: vec![one],
    };
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/incidents.json")), &incidents), [""; 0]);
    let annotations =
        Annotations { schema: Annotations::SCHEMA.into(), pinned: Pinned::default(), annotations: written };
    assert_eq!(errors(&schema(include_str!("../../../docs/schema/annotations.json")), &annotations), [""; 0]);
}
