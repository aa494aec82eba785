//! Grouping held against a naive model, and what an incident is called, named by and says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::group::distance;
use super::*;
use crate::annotation::{Annotation, IncidentStatus, Notebook, Says, Target, Written};
use crate::document::{
    Basis, Certainty, CompletenessBasis, Finding, FindingKind, FindingStatus, Grade, Identity, Pinned,
    ValueBasis,
};
use crate::id::{EventId, Point, RecordId, TraceId};
use crate::record::{Record, StatusCode};
use crate::testing::{at, log, span};
use crate::time::Time;

const MINUTE: u64 = 60_000_000_000;

/// A finding of order/KEY in TRACE that begins so many minutes after the first, resting on RECORD.
fn finding(number: u8, key: u8, trace: u8, record: u8, minute: u64, cause: Option<u8>) -> Member {
    let from = Time(MINUTE * (100 + minute));
    let event = EventId::new(RecordId([record; 16]), Point::Start);
    let id = |number: u8| format!("f-{number:016x}");
    let finding = Finding {
        id: id(number),
        kind: FindingKind::ALL[usize::from(number) % 5],
        grade: Grade::Proved,
        basis: Basis {
            order: Some(Certainty::Causal),
            identity: Identity::Own,
            value: ValueBasis::Seen,
            completeness: CompletenessBasis::NotNeeded,
        },
        status: FindingStatus::Settled,
        class: None,
        repaired_by: None,
        consequence_of: cause.map(id),
        entity: Some(format!("order/{key}")),
        entities: vec![format!("order/{key}")],
        events: vec![event],
        records: vec![RecordId([record; 16])],
        trace_ids: vec![TraceId([trace; 16])],
        summary: format!("finding {number}"),
        from,
        until: None,
    };
    let mut member = Member::of_finding_alone(finding);
    member.services = BTreeSet::from([format!("service-{}", key % 2)]);
    member.alike = format!("kind {}", number % 4);
    member.segments = BTreeSet::from([u64::from(trace)]);
    member
}

/// An error that names order/KEY, in TRACE if it is not 0.
fn error(number: u8, key: u8, trace: u8, minute: u64) -> Member {
    let mut member = finding(number, key, trace.max(1), number, minute, None);
    if trace == 0 {
        member.traces.clear();
    }
    member.digits = format!("e{number:015x}");
    member.alike = format!("error {}", number % 3);
    if number.is_multiple_of(3) {
        member.mentions = std::mem::take(&mut member.entities);
    }
    member.what = What::Error(ErrorSaid {
        is_log: true,
        words: format!("error {number}"),
        record: RecordId([number; 16]),
        trace_id: member.traces.first().copied(),
    });
    member
}

fn any_members() -> impl Strategy<Value = Vec<Member>> {
    let one = (prop::bool::weighted(0.5), 1u8..60, 0u8..8, 0u8..12, 1u8..30, 0u64..40, 0u8..60);
    let one = one.prop_map(|(is_finding, number, key, trace, record, minute, cause)| match is_finding {
        true => finding(number, key, trace.max(1), record, minute, (cause < 6).then_some(cause)),
        false => error(number, key, trace, minute),
    });
    prop::collection::vec(one, 0..24)
}

/// Whether two members lie near, and concern one entity or are alike.
fn near(a: &Member, b: &Member) -> bool {
    let shared = a.alike == b.alike || (a.scope == b.scope && !a.entities.is_disjoint(&b.entities));
    shared && distance(a, b) <= QUIET_NS
}

/// The definition, word by word: every pair is looked at, until nothing changes.
fn naive(members: &[Member]) -> BTreeSet<BTreeSet<String>> {
    let mut of: BTreeMap<String, usize> = BTreeMap::new();
    let is_finding = |member: &Member| member.finding().is_some();
    let names = |a: &Member, b: &Member| {
        a.finding().and_then(|own| own.consequence_of.clone()) == b.finding().map(|other| other.id.clone())
    };
    let findings_join = |a: &Member, b: &Member| {
        !a.traces.is_disjoint(&b.traces)
            || !a.records.is_disjoint(&b.records)
            || names(a, b)
            || names(b, a)
            || near(a, b)
    };
    for (number, member) in members.iter().enumerate() {
        of.insert(member.digits.clone(), number);
    }
    let close =
        |of: &mut BTreeMap<String, usize>, list: &[&Member], join: &dyn Fn(&Member, &Member) -> bool| {
            loop {
                let mut changed = false;
                for (a, b) in list.iter().flat_map(|a| list.iter().map(move |b| (a, b))) {
                    let (one, other) = (of[&a.digits], of[&b.digits]);
                    if one != other && join(a, b) {
                        of.values_mut().filter(|own| **own == other).for_each(|own| *own = one);
                        changed = true;
                    }
                }
                if !changed {
                    return;
                }
            }
        };
    let findings: Vec<&Member> = members.iter().filter(|member| is_finding(member)).collect();
    close(&mut of, &findings, &findings_join);
    let mut left = Vec::new();
    for error in members.iter().filter(|member| !is_finding(member)) {
        let unit: Vec<&Member> = members
            .iter()
            .filter(|other| !is_finding(other))
            .filter(|other| {
                other.digits == error.digits || (!error.traces.is_empty() && error.traces == other.traces)
            })
            .collect();
        let by_trace = findings.iter().find(|finding| !finding.traces.is_disjoint(&error.traces)).copied();
        let by_entity = unit.iter().flat_map(|one| {
            let named: BTreeSet<&String> = one.entities.union(&one.mentions).collect();
            let about =
                findings.iter().filter(move |finding| finding.entities.iter().any(|e| named.contains(e)));
            about.map(|finding| (distance(one, finding), *finding))
        });
        let by_entity = by_entity.filter(|(distance, _)| *distance <= QUIET_NS);
        let nearest = by_entity.min_by(|a, b| (a.0, &a.1.digits).cmp(&(b.0, &b.1.digits))).map(|(_, f)| f);
        match by_trace.or(nearest) {
            Some(home) => drop(of.insert(error.digits.clone(), of[&home.digits])),
            None => left.push(error),
        }
    }
    let one_trace = |a: &Member, b: &Member| !a.traces.is_disjoint(&b.traces);
    close(&mut of, &left, &|a, b| one_trace(a, b) || near(a, b));
    let mut groups: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (digits, group) in of {
        groups.entry(group).or_default().insert(digits);
    }
    groups.into_values().collect()
}

fn divided(members: impl IntoIterator<Item = Member>) -> BTreeSet<BTreeSet<String>> {
    let digits = |group: Vec<Member>| group.into_iter().map(|member| member.digits).collect();
    group(members).into_iter().map(digits).collect()
}

/// Of members with one id the last, as [`group`] keeps it.
fn distinct(members: &[Member]) -> Vec<Member> {
    let last: BTreeMap<&str, &Member> =
        members.iter().map(|member| (member.digits.as_str(), member)).collect();
    last.into_values().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// INC-1: the division is the one that the definition says, whatever the order and however often they come.
    #[test]
    fn groups_are_what_the_definition_says(members in any_members(), turn in 0usize..24) {
        let members = distinct(&members);
        let expected = naive(&members);
        prop_assert_eq!(&divided(members.clone()), &expected);
        let mut turned = members.clone();
        turned.rotate_left(turn.min(members.len()));
        turned.extend(members.into_iter().rev());
        prop_assert_eq!(&divided(turned), &expected);
    }

    /// INC-2: an incident keeps its id when members join it that begin later; and by any id that it ever went by, it is
    /// found.
    #[test]
    fn an_id_survives_new_members(members in any_members(), more in any_members()) {
        let before = distinct(&members);
        let mut all = members.clone();
        all.extend(more.into_iter().filter(|member| before.iter().all(|own| own.digits != member.digits)));
        let told = |members: &[Member]| {
            tell(members, &Causes::default(), &Notebook::default(), &Pinned::default())
        };
        let after = group(all);
        for incident in group(before) {
            let id = told(&incident).id;
            let found: Vec<_> = after.iter().filter(|members| names(&id, members)).collect();
            prop_assert_eq!(found.len(), 1, "{}", id);
            let earliest = |members: &[Member]| {
                members.iter().map(|one| (one.finding().is_none(), one.from, one.digits.clone())).min()
            };
            if earliest(&incident) == earliest(found[0]) {
                prop_assert_eq!(told(found[0]).id, id);
            }
        }
    }
}

fn told(members: &[Member], notebook: &Notebook) -> crate::document::Incident {
    tell(members, &Causes::default(), notebook, &Pinned::default())
}

#[test]
fn an_error_that_always_happens_joins_no_findings() {
    let noise = (0..20).map(|minute| error(3 * minute + 1, 9, 0, u64::from(minute)));
    let about = [error(2, 1, 1, 0), error(5, 2, 2, 19)];
    let findings = [finding(1, 1, 1, 1, 0, None), finding(2, 2, 2, 2, 19, None)];
    let groups = divided(noise.chain(about).chain(findings));
    assert_eq!(groups.len(), 3, "{groups:#?}");
}

#[test]
fn it_is_called_after_its_most_telling_finding_and_goes_by_its_earliest() {
    let mut early = finding(3, 1, 1, 1, 0, None);
    let late = finding(1, 1, 1, 2, 1, None);
    if let What::Finding(own) = &mut early.what {
        own.grade = Grade::Possible;
    }
    let incident = told(&[early, late], &Notebook::default());
    assert_eq!((incident.title.as_str(), incident.id.as_str()), ("finding 1", "i-0000000000000003"));
    assert_eq!((incident.findings_total, incident.grade), (2, Some(Grade::Proved)));
    let alone = told(&[error(1, 1, 0, 0)], &Notebook::default());
    assert_eq!((alone.title.as_str(), alone.kind), ("service-1: error 1", None));
}

#[test]
fn it_goes_by_the_id_that_was_written_about_first() {
    let members = [finding(3, 1, 1, 1, 0, None), finding(1, 1, 1, 2, 1, None)];
    let note = |stamp, incident: &str| Written {
        stamp: hlc::Stamp::from_bits(stamp),
        annotation: Annotation::new(
            "ada",
            Time(stamp),
            Says::Note { target: Target::Incident(incident.to_owned()), text: "why?".to_owned() },
        ),
    };
    let notebook: Notebook =
        [note(2, "i-0000000000000003"), note(1, "i-0000000000000001")].into_iter().collect();
    let incident = told(&members, &notebook);
    assert_eq!((incident.id.as_str(), incident.written.len()), ("i-0000000000000001", 2));
    assert_eq!(recalled(&notebook, &[members.to_vec()], &Pinned::default()), []);
}

#[test]
fn the_segments_of_open_incidents_are_pinned_as_far_as_there_is_room() {
    let outline = |stamp, incident: &str, segments: &[u64]| {
        let mut outline = told(&[finding(1, 1, 1, 1, 0, None)], &Notebook::default()).outline();
        (outline.incident, outline.segments) = (incident.to_owned(), segments.to_vec());
        let annotation = Annotation::new("ada", Time(stamp), Says::Outline(outline));
        Written { stamp: hlc::Stamp::from_bits(stamp), annotation }
    };
    let mut notebook: Notebook =
        [outline(1, "i-1", &[1, 2]), outline(2, "i-2", &[2, 3, 9])].into_iter().collect();
    let held = BTreeMap::from([(1, 100), (2, 100), (3, 100)]);
    let segments = |notebook: &Notebook, max| pinned(notebook, &held, max).segments;
    assert_eq!(segments(&notebook, 300), [1, 2, 3], "what is held no more is not pinned");
    assert_eq!(segments(&notebook, 250), [2, 3], "the incident touched last goes first");
    let recalled = recalled(&notebook, &[], &pinned(&notebook, &held, 250));
    assert!(recalled.iter().all(|incident| !incident.held && !incident.pinned), "segment 9 is gone");
    let closed = Says::Status { incident: "i-2".to_owned(), status: IncidentStatus::Closed };
    let annotation = Annotation::new("bob", Time(3), closed);
    notebook.add(Written { stamp: hlc::Stamp::from_bits(3), annotation });
    assert_eq!(segments(&notebook, 250), [1, 2]);
}

/// What fails in one span fails in its callers; a log says so; another trace fails by itself.
fn failures() -> Vec<Record> {
    let failed =
        |made: crate::testing::Made| made.change(|span| span.status.code = StatusCode::Error).record();
    let mut line = log(3, "payments", "card 4711 was refused", 2.0);
    if let crate::record::Body::Log(log) = &mut line.body {
        log.severity_number = 17;
    }
    vec![
        span(1, "web", "POST /orders", 0.0, 9.0).record(),
        failed(span(2, "orders", "pay", 1.0, 8.0).child_of(1)),
        failed(span(3, "payments", "charge", 2.0, 7.0).child_of(2)),
        line,
        failed(span(4, "cron", "backup", 1.0, 2.0).trace(2)),
    ]
}

#[test]
fn the_origin_is_the_earliest_event_that_all_follow() {
    let records = failures();
    let groups = group(records.iter().filter_map(Member::of_error));
    let mut sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 3]);
    let mut causes = Causes::default();
    causes.add_records(records.clone());
    let of_three = groups.iter().find(|members| members.len() == 3).expect("three");
    let origin = causes.origin(of_three).expect("an origin");
    assert_eq!(
        (origin.name.as_str(), origin.service.as_str(), origin.time),
        ("POST /orders", "web", at(0.0))
    );
    let all: Vec<Member> = groups.concat();
    assert_eq!(causes.origin(&all), None, "the backup follows nothing that the others do");
    assert_eq!(Causes::default().origin(of_three), None, "nothing is known of causes");

    // A timeline proves it too, and knows in whose story the event stands.
    let mut named = records;
    named[0] = span(1, "web", "POST /orders", 0.0, 9.0).with(&[("order.id", "42")]).record();
    let question = "order/42".parse().expect("a question");
    let mut causes = Causes::default();
    causes.add_timeline(&crate::tell(named, &question, &crate::Given::default()));
    let origin = causes.origin(of_three).expect("an origin");
    assert_eq!((origin.name.as_str(), origin.entity.as_deref()), ("POST /orders", Some("order/42")));
}

#[test]
fn errors_that_differ_in_an_id_are_alike() {
    let records = failures();
    let errors: Vec<Member> = records.iter().filter_map(Member::of_error).collect();
    let line = errors.iter().find(|error| error.alike.contains("log")).expect("the log");
    assert_eq!(line.alike, " payments log card # was refused");
    assert!(records.iter().filter_map(Member::of_error).count() == 4, "what did not fail is no error");
}
