use hlc::Stamp;
use timeline::annotation::{Annotation, IncidentStatus, Says, Target, Written};
use timeline::document::{
    Completeness, FindingKind, FindingStatus, Grade, IncidentEntities, IncidentError, IncidentFinding,
    IncidentService, Incidents, Origin, Pinned,
};
use timeline::id::{EventId, Point, RecordId};

use super::*;

const START: Time = Time(1_795_428_000_000_000_000);

fn at(seconds: i128) -> Time {
    START.shifted(seconds * 1_000_000_000)
}

fn double_charge() -> Incident {
    let id = "i-1c2a77e0b4d95f31".to_owned();
    let finding = |number: u8, order: u8| IncidentFinding {
        id: format!("f-{number:016x}"),
        kind: FindingKind::DuplicateApply,
        grade: Grade::Proved,
        status: if number == 1 { FindingStatus::Settled } else { FindingStatus::Provisional },
        entity: Some(format!("order/{order}")),
        summary: format!("one intent took effect twice: order/{order} was charged 2 × 19.90"),
        from: at(i128::from(number)),
        until: None,
        consequence_of: (number > 1).then(|| "f-0000000000000001".to_owned()),
    };
    let said = |seconds, says| {
        let annotation = Annotation::new("ada", at(seconds), says);
        Written { stamp: Stamp::from_wall_ns(annotation.time.0), annotation }
    };
    let note = |text: &str| Says::Note { target: Target::Incident(id.clone()), text: text.to_owned() };
    Incident {
        title: "one intent took effect twice: order/42 was charged 2 × 19.90".to_owned(),
        status: IncidentStatus::Closed,
        held: true,
        kind: Some(FindingKind::DuplicateApply),
        grade: Some(Grade::Proved),
        first: at(0),
        last: at(95),
        origin: Some(Origin {
            event: EventId::new(RecordId([7; 16]), Point::Start),
            trace_id: None,
            entity: Some("order/42".to_owned()),
            service: "web".to_owned(),
            name: "POST /orders \u{1b}[31m|".to_owned(),
            time: at(0),
        }),
        entities: vec![IncidentEntities {
            kind: "order".to_owned(),
            count: 22,
            examples: vec!["order/42".to_owned(), "order/<b>7</b>".to_owned()],
        }],
        services: vec![IncidentService { service: "payments".to_owned(), findings: 2, errors: 3 }],
        findings_total: 22,
        findings: vec![finding(1, 42), finding(2, 7)],
        errors_total: 3,
        errors: vec![IncidentError {
            service: "payments".to_owned(),
            kind: "log".to_owned(),
            what: "gateway timed out | retrying".to_owned(),
            count: 3,
            first: at(1),
            last: at(9),
            record: RecordId([9; 16]),
            trace_id: None,
        }],
        segments: vec![3, 4],
        pinned: false,
        written: vec![
            said(600, note("The gateway's idempotency key is made anew on each retry.\nFixed in 2.15.1.")),
            said(601, Says::Status { incident: id.clone(), status: IncidentStatus::Closed }),
        ],
        id,
    }
}

fn list() -> Incidents {
    let gone = Incident {
        id: "i-00000000000000aa".to_owned(),
        title: "long ago".to_owned(),
        status: IncidentStatus::Open,
        held: false,
        pinned: true,
        kind: None,
        grade: None,
        origin: None,
        findings: vec![],
        findings_total: 0,
        errors: vec![],
        errors_total: 0,
        last: at(200_000),
        ..double_charge()
    };
    Incidents {
        schema: Incidents::SCHEMA.to_owned(),
        completeness: Completeness::default(),
        judged_to: None,
        judged: 3,
        cannot_judge: 0,
        pinned: Pinned { segments: vec![3, 4], bytes: 90_000_000, bytes_max: 2_000_000_000 },
        incidents: vec![double_charge(), gone],
    }
}

#[test]
fn an_incident_as_text() {
    insta::assert_snapshot!(incident_text(&double_charge()));
}

#[test]
fn incidents_as_text() {
    insta::assert_snapshot!(incidents_text(&list()));
}

#[test]
fn an_incident_as_markdown() {
    insta::assert_snapshot!(incident_markdown(&double_charge()));
}

#[test]
fn incidents_as_markdown() {
    insta::assert_snapshot!(incidents_markdown(&list()));
}
