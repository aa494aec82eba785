//! What every implementation of the query interface does alike about incidents and what engineers write.

use hlc::Stamp;
use timeline::annotation::{Annotation, IncidentStatus, Says, Target};
use timeline::document::{Annotations, FindingKind, Incident, Incidents};
use timeline::record::{Body, Record};
use timeline::time::Time;

use super::conformance::repriced;
use super::{attributes, log, record};
use crate::annotations::ToWrite;
use crate::archive::{Effort, Window};
use crate::interface::{IncidentsRequest, Query, QueryError};

/// Two orders whose amounts somebody unseen changed, an error about one of them, and one about nothing.
pub(crate) fn world() -> Vec<Record> {
    let error = |text: &str, key: &str| {
        let mut error = log(text);
        error.severity_number = 17;
        error.attributes = attributes([("order.id", key.into())]);
        error
    };
    let near = error("amount of the order does not add up", "1");
    let mut far = error("backup failed", "9");
    far.time = far.time.shifted(3_600_000_000_000);
    let mut records = repriced();
    records.push(record(7, "payments", Body::Log(near)));
    records.push(record(8, "cron", Body::Log(far)));
    records
}

fn asked(query: &impl Query, request: &IncidentsRequest) -> Incidents {
    query.incidents(request, &Effort::new(10_000)).expect("an answer")
}

fn all() -> IncidentsRequest {
    IncidentsRequest { entities_max: 100, limit: 100, ..IncidentsRequest::default() }
}

fn written(query: &impl Query, says: Says) -> Annotations {
    query.annotate(&[Annotation::new("ada", Time(7), says).into()]).expect("it is written")
}

/// Runs this part of the suite; `query` is over [`world`], with nothing written yet.
pub(crate) fn conforms(query: &impl Query) {
    let incident = gathers(query);
    refuses_what_is_unfit(query);
    writes_and_merges(query);
    tells_what_was_written(query, &incident);
}

fn gathers(query: &impl Query) -> Incident {
    let found = asked(query, &all());
    assert_eq!((found.schema.as_str(), found.incidents.len()), (Incidents::SCHEMA, 2));
    assert_eq!((found.completeness.shown, found.completeness.total), (2, 2));
    assert_eq!((found.judged, found.cannot_judge), (3, 1), "of order 9 only an error is known");
    let [first, second] = &found.incidents[..] else { panic!("{:#?}", found.incidents) };
    assert_eq!((first.kind, first.findings_total), (Some(FindingKind::UnexplainedChange), 2));
    assert_eq!(first.title, first.findings[0].summary);
    assert_eq!(
        (first.errors_total, first.errors[0].what.as_str()),
        (1, "amount of the order does not add up")
    );
    assert_eq!(
        (first.entities[0].count, &first.entities[0].examples[..]),
        (2, &["order/1".into(), "order/2".into()][..])
    );
    let services: Vec<_> =
        first.services.iter().map(|own| (own.service.as_str(), own.findings, own.errors)).collect();
    assert_eq!(services, [("orders", 2, 0), ("payments", 0, 1)]);
    assert_eq!(
        (first.status, first.held, first.pinned, &first.written[..]),
        (IncidentStatus::Open, true, false, &[][..])
    );
    assert_eq!(first.origin, None, "no chain of causes leads to both orders");
    assert_eq!((second.kind, second.title.as_str()), (None, "cron: backup failed"));

    let one = |id: &str| asked(query, &IncidentsRequest { incident: Some(id.to_owned()), ..all() }).incidents;
    assert_eq!(one(&first.id), std::slice::from_ref(first));
    assert_eq!(one(&first.id[..8]), std::slice::from_ref(first), "a beginning is enough");
    assert_eq!(
        one(&first.findings[1].id.replacen("f-", "i-", 1)),
        std::slice::from_ref(first),
        "every member's digits name it"
    );
    assert_eq!(one("i-none"), []);
    let late = Window { since: Some(second.first), until: None };
    assert_eq!(
        asked(query, &IncidentsRequest { window: late, ..all() }).incidents,
        std::slice::from_ref(second)
    );
    let cut = asked(query, &IncidentsRequest { limit: 1, ..all() });
    assert_eq!((cut.incidents.len(), cut.completeness.total, cut.completeness.complete), (1, 2, false));
    first.clone()
}

fn refuses_what_is_unfit(query: &impl Query) {
    let empty = Says::Search { name: "errors".to_owned(), query: " ".to_owned() };
    let refused = query.annotate(&[Annotation::new("ada", Time(1), empty).into()]);
    assert!(
        matches!(&refused, Err(QueryError::Malformed { message, .. }) if message.contains("the query is empty"))
    );
    assert_eq!(query.annotations().expect("an answer").annotations, []);
}

fn writes_and_merges(query: &impl Query) {
    let search = |text: &str| Says::Search { name: "errors".to_owned(), query: text.to_owned() };
    let first = written(query, search("status:error"));
    assert_eq!(first.schema, Annotations::SCHEMA);
    let second = written(query, search("status:error -cron"));
    assert!(second.annotations[0].stamp > first.annotations[0].stamp);
    let standing = || query.annotations().expect("an answer").annotations;
    assert_eq!(standing(), second.annotations, "the later replaces the earlier");
    // What was written elsewhere, earlier than what stands, changes nothing; later, it does.
    let elsewhere = |stamp| ToWrite {
        annotation: Annotation::new("bob", Time(9), search("severity>=error")),
        stamp: Some(Stamp::from_bits(stamp)),
    };
    query.annotate(&[elsewhere(1)]).expect("it is written");
    assert_eq!(standing(), second.annotations);
    let removed = Annotation { says: Says::Removed, ..second.annotations[0].annotation.clone() };
    query.annotate(&[removed.into()]).expect("it is written");
    assert_eq!(standing(), []);
}

fn tells_what_was_written(query: &impl Query, incident: &Incident) {
    // Under the id of its other finding: it is the same incident, and goes by that id from now on.
    let id = incident.findings[1].id.replacen("f-", "i-", 1);
    let note = |text: &str| Says::Note { target: Target::Incident(id.clone()), text: text.to_owned() };
    written(query, Says::Outline(incident.outline()));
    written(query, note("somebody runs a script"));
    written(query, Says::Status { incident: id.clone(), status: IncidentStatus::Closed });
    let by_status = |status| asked(query, &IncidentsRequest { status: Some(status), ..all() }).incidents;
    let closed = by_status(IncidentStatus::Closed);
    assert_eq!(
        (closed.len(), closed[0].id.as_str()),
        (1, incident.id.as_str()),
        "the outline was the first word"
    );
    let said: Vec<_> = closed[0].written.iter().map(|written| &written.annotation.says).collect();
    assert!(matches!(said[..], [Says::Note { .. }, Says::Status { .. }]), "{said:?}");
    assert_eq!(by_status(IncidentStatus::Open).len(), 1);
    written(query, Says::Status { incident: id, status: IncidentStatus::Open });
    assert_eq!(by_status(IncidentStatus::Open).len(), 2);

    // Of an incident whose records are gone, what was written is told.
    let mut outline = incident.outline();
    (outline.incident, outline.title) = ("i-00000000000000aa".to_owned(), "long ago".to_owned());
    written(query, Says::Outline(outline));
    let request = IncidentsRequest { incident: Some("i-00000000000000aa".to_owned()), ..all() };
    let gone = asked(query, &request).incidents;
    assert_eq!((gone.len(), gone[0].held, gone[0].title.as_str()), (1, false, "long ago"));
}
