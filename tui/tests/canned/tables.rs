//! The answers behind the tables: incidents, entities, state, affected, clocks, doctor.

use serde_json::{Value, json};
use timeline::annotation::{Annotation, IncidentStatus, Says, Target, Written};
use timeline::document::{
    Affected, AffectedBy, AffectedEntity, AffectedGroup, Aspect, Check, Clocks, CopyState, Diagnosis, Doctor,
    Entities, EntityKey, EntityType, FindingKind, Grade, Incident, IncidentEntities, IncidentError,
    IncidentFinding, IncidentService, Incidents, Incompleteness, Judgeable, Judged, Known, NamePlace, Origin,
    Pinned, Presence, Remedy, RemedyPlace, SeenCopy, State, Still, Verdict,
};
use timeline::id::{RecordId, TraceId};

use super::{Canned, at, incident};

pub(crate) fn incidents() -> Incidents {
    let told = incident();
    let trace_id = Some(TraceId([0x4b; 16]));
    let findings: Vec<IncidentFinding> = told
        .findings
        .iter()
        .enumerate()
        .map(|(number, finding)| IncidentFinding {
            id: format!("{}{number}", finding.id),
            kind: finding.kind,
            grade: finding.grade,
            status: finding.status,
            entity: finding.entity.clone(),
            summary: finding.summary.clone(),
            from: at(1_220.6 + 3_000.0 * number as f64),
            until: None,
            consequence_of: None,
        })
        .collect();
    let service =
        |service: &str, findings, errors| IncidentService { service: service.to_owned(), findings, errors };
    let note = Says::Note {
        target: Target::Incident("i-1c2a77e0b4d95f31".to_owned()),
        text: "refunded the second charge by hand".to_owned(),
    };
    let error = IncidentError {
        service: "orders".to_owned(),
        kind: "span".to_owned(),
        what: "POST /charges".to_owned(),
        count: 3,
        first: at(1_005.0),
        last: at(7_005.0),
        record: RecordId([9; 16]),
        trace_id,
    };
    let whole = Incident {
        id: "i-1c2a77e0b4d95f31".to_owned(),
        title: findings[0].summary.clone(),
        status: IncidentStatus::Open,
        held: true,
        kind: Some(FindingKind::DuplicateApply),
        grade: Some(Grade::Proved),
        first: at(1_220.6),
        last: at(4_930.9),
        origin: Some(Origin {
            event: told.events[0].id,
            trace_id,
            entity: Some("order/42".to_owned()),
            service: "orders".to_owned(),
            name: "POST /orders".to_owned(),
            time: at(0.0),
        }),
        entities: vec![IncidentEntities {
            kind: "order".to_owned(),
            count: 1,
            examples: vec!["order/42".to_owned()],
        }],
        services: vec![service("payments", 1, 0), service("orders", 2, 3), service("order-cache", 1, 0)],
        findings_total: 2,
        findings,
        errors_total: 3,
        errors: vec![error.clone()],
        segments: Vec::new(),
        pinned: true,
        written: vec![Written {
            stamp: hlc::Stamp::from_wall_ns(at(20_000.0).0),
            annotation: Annotation::new("ada", at(20_000.0), note),
        }],
    };
    let errors = Incident {
        id: "i-0909090909090909".to_owned(),
        title: "shipment not confirmed for order 42".to_owned(),
        status: IncidentStatus::Closed,
        kind: None,
        grade: None,
        first: at(9_120.0),
        last: at(9_120.0),
        origin: None,
        entities: vec![IncidentEntities {
            kind: "order".to_owned(),
            count: 3,
            examples: ["order/42", "order/43", "order/44"].map(str::to_owned).to_vec(),
        }],
        services: vec![service("orders", 0, 1)],
        findings_total: 0,
        findings: Vec::new(),
        errors: vec![IncidentError { what: "shipment not confirmed".to_owned(), ..error }],
        pinned: false,
        written: Vec::new(),
        ..whole.clone()
    };
    Incidents {
        schema: Incidents::SCHEMA.to_owned(),
        completeness: Canned::whole(2, 2),
        judged_to: Some(at(9_120.0)),
        judged: 41,
        cannot_judge: 3,
        pinned: Pinned::default(),
        incidents: vec![whole, errors],
    }
}

/// The types, and the keys of orders.
pub(crate) fn entities(kind: Option<&str>) -> Entities {
    let kind_of = |kind: &str, keys, guessed, copies: &[&str]| EntityType {
        kind: kind.to_owned(),
        keys,
        exact: true,
        guessed,
        records: keys * 31,
        first: Some(at(0.0)),
        last: Some(at(9_120.0)),
        scopes: vec!["production/shop".to_owned()],
        services: vec!["orders".to_owned(), "payments".to_owned()],
        copies: copies
            .iter()
            .map(|copy| SeenCopy { copy: (*copy).to_owned(), records: 90, writes: 40 })
            .collect(),
        places: vec![NamePlace {
            how: "attribute".to_owned(),
            place: format!("{kind}.id"),
            records: keys * 20,
            example: "42".to_owned(),
        }],
    };
    let types = vec![
        kind_of("order", 300, false, &["shop/orders", "redis/order", "search/order_view"]),
        kind_of("charge", 41, false, &["pay/charges"]),
        kind_of("captured", 12, true, &[]),
    ];
    let key = |number: u64| EntityKey {
        entity: format!("order/{number}"),
        scope: "production/shop".to_owned(),
        records: 87 - number % 7,
        first: Some(at(if number == 41 { 0.0 } else { number as f64 * 10.0 })),
        last: Some(at(9_120.0 - number as f64 * 100.0)),
    };
    let keys: Vec<EntityKey> = match kind {
        Some("order") => (0..44).rev().map(key).collect(),
        _ => Vec::new(),
    };
    let (shown, total) = if kind.is_some() { (keys.len() as u64, 300) } else { (3, 3) };
    let mut completeness = Canned::whole(shown, total);
    if kind.is_some() {
        (completeness.complete, completeness.reasons) = (false, vec![Incompleteness::Truncated]);
    }
    Entities {
        schema: Entities::SCHEMA.to_owned(),
        completeness,
        types: types.into_iter().filter(|known| kind.is_none_or(|kind| kind == known.kind)).collect(),
        entities: keys,
        shown,
        total: if kind == Some("order") || kind.is_none() { total } else { 0 },
        exact: true,
    }
}

/// What the copies of an order hold: of order/42 the cache lags behind.
pub(crate) fn state(entity: &str) -> State {
    let copy = |copy: &str, field: &str, value: &str, owner: bool| CopyState {
        entity: entity.to_owned(),
        copy: copy.to_owned(),
        part: false,
        owner,
        field: Some(field.to_owned()),
        value: Some(Value::from(value)),
        known: Known::Before,
        alternatives: Vec::new(),
        version: None,
        since: Some(at(1_912.2)),
        event: None,
        lag_ns: None,
    };
    let mut copies = vec![
        copy("shop/orders", "status", "paid", true),
        copy("shop/orders", "total", "49.90", true),
        copy("redis/order", "status", "paid", false),
        copy("search/order_view", "status", "paid", false),
    ];
    if entity == "order/42" {
        (copies[2].value, copies[2].lag_ns) = (Some(json!("created")), Some(3_018_700_000));
        copies[3].known = Known::No;
    }
    let schema = State::SCHEMA.to_owned();
    State { schema, at: Some(at(9_120.0)), completeness: Canned::whole(4, 4), copies }
}

pub(crate) fn affected() -> Affected {
    let one = |number: u64, verdict, grade: Option<Grade>, reason: &str| AffectedEntity {
        entity: format!("order/{number}"),
        scope: "production/shop".to_owned(),
        verdict,
        grade,
        finding: grade.map(|_| format!("f-{number:016x}")),
        at: grade.map(|_| at(number as f64 * 30.0)),
        reason: reason.to_owned(),
    };
    let group = |name: &str, affected, of| AffectedGroup { name: name.to_owned(), affected, of };
    let clean = (50..88).map(|number| one(number, Verdict::Clean, None, ""));
    let told = [
        one(42, Verdict::Affected, Some(Grade::Proved), ""),
        one(43, Verdict::Affected, Some(Grade::Possible), ""),
        one(44, Verdict::CannotTell, None, "no record tells of its state in pay/charges"),
    ];
    Affected {
        schema: Affected::SCHEMA.to_owned(),
        kind: FindingKind::DuplicateApply,
        shape: "duplicate_apply of pay/charges in orders, payments".to_owned(),
        completeness: Canned::whole(41, 41),
        proved: 1,
        clock: 0,
        possible: 1,
        clean: 38,
        cannot_tell: 1,
        first: Some(at(1_220.6)),
        last: Some(at(1_290.0)),
        still: Still { since: Some(at(0.0)), affected: 2, entities: 41 },
        by: AffectedBy {
            version: vec![group("payments 2.14.0", 2, 20), group("payments 2.13.9", 0, 21)],
            instance: (0..10)
                .map(|number| group(&format!("payments-{number}"), u64::from(number < 2), 4))
                .collect(),
            partition: Vec::new(),
        },
        entities: told.into_iter().chain(clean).collect(),
    }
}

/// The clocks of the incident's processes, and one of two epochs.
pub(crate) fn clocks() -> Clocks {
    let told = incident();
    let mut clocks = told.clocks;
    let mut second = clocks[1].clone();
    (clocks[1].until, second.since, second.offset_ns) =
        (Some(at(5_000.0)), Some(at(5_000.0)), Some(120_000_000));
    clocks.insert(2, second);
    let completeness = Canned::whole(390, 390);
    Clocks { schema: Clocks::SCHEMA.to_owned(), completeness, clocks, processes: told.processes }
}

pub(crate) fn doctor() -> Doctor {
    let check = |name, state, detail: &str| Check { name, state, seen: 1, of: 2, detail: detail.to_owned() };
    let judge = |kind, judged, lacks: &[Aspect]| Judgeable { kind, judged, lacks: lacks.to_vec() };
    let service = |service: &str, versions: bool| Diagnosis {
        service: service.to_owned(),
        language: Some("nodejs".to_owned()),
        libraries: Vec::new(),
        instances: 2,
        spans: 1089,
        logs: 61,
        first: Some(at(0.0)),
        last: Some(at(9_120.0)),
        checks: vec![
            check(Aspect::Spans, Presence::Present, "1089 came"),
            check(Aspect::Entities, Presence::Partial, "of 1089 spans 6 % name one, 94 % by nothing"),
            check(Aspect::WrittenValues, Presence::Absent, "none of 61 writes carry their values"),
            check(Aspect::Messages, Presence::NotApplicable, "none"),
        ],
        findings: vec![
            judge(FindingKind::ClockSkew, Judged::Yes, &[]),
            judge(FindingKind::Divergence, Judged::No, &[Aspect::WrittenValues]),
            judge(
                FindingKind::RuleBroken,
                if versions { Judged::Yes } else { Judged::No },
                &[Aspect::WrittenValues],
            ),
            judge(FindingKind::MissedUpdate, Judged::Partly, &[Aspect::Entities]),
            judge(FindingKind::UnhandledMessage, Judged::NotApplicable, &[]),
        ],
        next: Some(Remedy {
            aspect: Aspect::WrittenValues,
            unlocks: vec![FindingKind::Divergence, FindingKind::RuleBroken],
            place: RemedyPlace::Code,
            lines: vec!["new PgInstrumentation({ enhancedDatabaseReporting: true })".to_owned()],
            note: "values may hold personal data".to_owned(),
        }),
    };
    Doctor {
        schema: Doctor::SCHEMA.to_owned(),
        completeness: Canned::whole(390, 390),
        traces: 390,
        all_traces: true,
        services: vec![service("orders", true), service("payments", false)],
    }
}
