//! What every implementation of the query interface does alike.

use std::sync::Arc;

use timeline::document::{
    Affected, Belongs, Clocks, Doctor, Entities, Find, FindingKind, Findings, Incompleteness, Operation,
    Relation, Search, Services, State, Stats, Timeline, Traces,
};
use timeline::record::{Body, Record, SpanKind};
use timeline::state::Moment;
use timeline::time::Time;

use super::{attributes, incidents, log, record, span, span_id, trace};
use crate::archive::{Archive, ArchiveError, Effort, Window};
use crate::interface::{
    AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, FindingsRequest, FollowRequest, Query,
    QueryError, Records, SearchRequest, ServicesRequest, StateRequest, TimelineRequest, TracesRequest,
    WhyAnswer, WhyRequest,
};
use crate::language::{Now, Zone};
use crate::memory::Memory;

/// 2025-11-23T10:01:00Z, a minute after the records begin.
const NOW: Time = Time(1_763_892_060_000_000_000);

/// The moment of asking, in a zone that is not the server's.
pub(crate) fn now() -> Now {
    Now { time: NOW, zone: Zone::Fixed(chrono::FixedOffset::east_opt(2 * 3600).expect("an offset")) }
}

/// Order 42 in two traces and a log outside of any; order 7; a heartbeat.
pub(crate) fn world() -> Vec<Record> {
    let mut create = span(1, 1, "POST /orders");
    create.attributes = attributes([("order.id", 42.into())]);
    let mut pay = span(1, 2, "charge");
    pay.parent_span_id = Some(span_id(1));
    let mut ship = span(2, 3, "ship");
    ship.attributes = attributes([("url.path", "/orders/42".into())]);
    let mut other = span(3, 4, "POST /orders");
    other.attributes = attributes([("order.id", 7.into())]);
    let mut paid = log("order 42 is now paid");
    paid.attributes = attributes([("order.id", "42".into())]);
    vec![
        record(1, "orders", Body::Span(create)),
        record(2, "payments", Body::Span(pay)),
        record(3, "shipping", Body::Span(ship)),
        record(4, "orders", Body::Span(other)),
        record(5, "orders", Body::Log(paid)),
        record(6, "cron", Body::Log(log("tick"))),
    ]
}

/// An implementation, made over an archive.
pub(crate) trait Make {
    /// The implementation, which must be kept alive by what comes with it.
    type Query: Query;
    /// Makes it.
    fn over(&self, archive: Arc<dyn Archive>) -> Self::Query;
}

/// Runs the whole suite.
pub(crate) fn conforms(make: &impl Make) {
    let memory = Arc::new(Memory::new(world()));
    let query = make.over(memory.clone());
    searches(&query);
    refuses_what_is_malformed(&query);
    finds(&query);
    tells(&query);
    hands_out_records(&query);
    counts(&query);
    surveys(&query);
    tells_who_else(&make.over(Arc::new(Memory::new(repriced()))));
    judges(&query);
    explains(&query);
    incidents::conforms(&make.over(Arc::new(Memory::new(incidents::world()))));
    lists_services(&query);
    hands_out_traces(&query);
    says_what_a_budget_cut(&query);
    stops_when_cancelled(&query);
    follows(&query, &memory);
    says_how_the_store_failed(&make.over(Arc::new(Failing)));
    carries_what_the_archive_lacks(&make.over(Arc::new(Behind(Memory::new(world())))));
}

fn effort() -> Effort {
    Effort::new(10_000)
}

fn search(query: &impl Query, text: &str, limit: usize) -> Search {
    let request = SearchRequest { query: text.to_owned(), limit, before: None };
    query.search(&request, &effort()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn searches(query: &impl Query) {
    let names = |text: &str| -> Vec<String> {
        search(query, text, 10).records.into_iter().map(|record| record.name).collect()
    };
    assert_eq!(names("signal:spans service:orders"), ["POST /orders", "POST /orders"]);
    assert_eq!(names("order.id=42 signal:spans"), ["POST /orders"]);
    assert_eq!(names(r#"name~"^(ship|charge)$" -service:payments"#), ["ship"]);
    assert_eq!(names("paid"), [""], "the log has no name");
    assert_eq!(names("\"POST orders\" until:12:00:00.003"), ["POST /orders"], "the zone is the caller's");
    assert_eq!(names("charge since:58s"), [""; 0]);
    assert_eq!(names("charge since:2m"), ["charge"]);

    let mut request = SearchRequest { query: "*".to_owned(), limit: 4, before: None };
    let first = query.search(&request, &effort()).expect("a page");
    assert_eq!((first.schema.as_str(), first.shown, first.total), (Search::SCHEMA, 4, 6));
    assert!(first.completeness.complete && first.completeness.reasons.is_empty());
    assert_eq!((first.completeness.shown, first.completeness.total), (4, 6));
    request.before = first.next.as_deref().map(|next| next.parse().expect("a position"));
    let second = query.search(&request, &effort()).expect("a page");
    assert_eq!((second.shown, second.total, &second.next), (2, 6, &None));
    let positions: Vec<&String> =
        first.records.iter().chain(&second.records).map(|record| &record.position).collect();
    assert_eq!(positions, ["1-384-0-0", "1-320-0-0", "1-256-0-0", "1-192-0-0", "1-128-0-0", "1-64-0-0"]);
}

fn refuses_what_is_malformed(query: &impl Query) {
    let request = SearchRequest { query: "a status:bad".to_owned(), limit: 1, before: None };
    match query.search(&request, &effort()) {
        Err(QueryError::Malformed { message, at: Some(9) }) => {
            assert!(message.contains("unset"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let timeline = timeline_of(query, "42", &effort());
    assert!(
        matches!(&timeline, Err(QueryError::Malformed { message, .. }) if message.contains("order/42")),
        "{timeline:?}"
    );
    let find = query.find("...", &effort());
    assert!(matches!(&find, Err(QueryError::Malformed { .. })), "{find:?}");
}

fn finds(query: &impl Query) {
    let found = query.find("42", &effort()).expect("an answer");
    assert_eq!(found.schema, Find::SCHEMA);
    assert_eq!((found.completeness.shown, found.completeness.total), (3, 3));
    let rows: Vec<(&str, &str, Option<&str>, u64)> = found
        .matches
        .iter()
        .map(|row| (row.attribute.as_str(), row.value.as_str(), row.entity.as_deref(), row.records))
        .collect();
    assert_eq!(
        rows,
        [
            ("order.id", "42", Some("order/42"), 2),
            ("body", "42", None, 1),
            ("url.path", "/orders/42", Some("order/42"), 1),
        ]
    );
    let row = &found.matches[0];
    assert_eq!(row.first.to_string(), "2025-11-23T10:00:00.001000000Z");
    assert_eq!(row.last.to_string(), "2025-11-23T10:00:01.000000000Z");
    let found = query.find(&trace(1).to_string(), &effort()).expect("an answer");
    assert_eq!((found.matches[0].attribute.as_str(), found.matches[0].records), ("trace_id", 2));
    assert_eq!(query.find("nowhere-1", &effort()).expect("an answer").matches, []);
}

fn timeline_of(query: &impl Query, entity: &str, effort: &Effort) -> Result<Timeline, QueryError> {
    let request = TimelineRequest {
        entity: entity.to_owned(),
        window: Window::default(),
        events_max: 1000,
        brief: false,
    };
    query.timeline(&request, effort)
}

fn tells(query: &impl Query) {
    let timeline = timeline_of(query, "order/42", &effort()).expect("a timeline");
    assert_eq!(timeline.schema, Timeline::SCHEMA);
    assert_eq!((timeline.entity.kind.as_str(), timeline.entity.key.as_str()), ("order", "42"));
    let mut names: Vec<&str> = timeline.events.iter().map(|event| event.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, ["POST /orders", "charge", "order 42 is now paid", "ship"]);
    let by_attribute = timeline_of(query, "order.id=42", &effort()).expect("a timeline");
    assert!(by_attribute.events.iter().any(|event| event.name == "charge"), "its trace is its own");
    let unknown = timeline_of(query, "order/a b%2F~é", &effort()).expect("a timeline");
    assert_eq!((unknown.entity.key.as_str(), unknown.events.len()), ("a b%2F~é", 0));
    let request = TimelineRequest {
        entity: "order/42".to_owned(),
        window: Window { since: Some(NOW), until: None },
        events_max: 1000,
        brief: true,
    };
    let later = query.timeline(&request, &effort()).expect("a timeline");
    assert_eq!(later.events, [], "nothing names it so late");
}

fn hands_out_records(query: &impl Query) {
    let request = TimelineRequest {
        entity: "order/42".to_owned(),
        window: Window::default(),
        events_max: 1000,
        brief: false,
    };
    let records = query.records(&request, &effort()).expect("records");
    assert_eq!(records.schema, Records::SCHEMA);
    let text = serde_json::to_string(&records.requests).expect("JSON");
    for name in ["POST /orders", "charge", "order 42 is now paid", "ship"] {
        assert!(text.contains(name), "{name}");
    }
    assert!(!text.contains("tick"), "a heartbeat is no part of the story");
}

fn counts(query: &impl Query) {
    let stats = query.stats().expect("stats");
    assert_eq!(stats.schema, Stats::SCHEMA);
    assert_eq!((stats.spans, stats.logs, stats.traces, stats.services), (4, 2, 3, 4));
}

fn entities(query: &impl Query, kind: Option<&str>, effort: &Effort) -> Result<Entities, QueryError> {
    let kind = kind.map(str::to_owned);
    query.entities(&EntitiesRequest { kind, window: Window::default(), limit: 10 }, effort)
}

fn surveys(query: &impl Query) {
    let types = entities(query, None, &effort()).expect("an answer");
    assert_eq!((types.schema.as_str(), types.types.len()), (Entities::SCHEMA, 1));
    assert_eq!((types.completeness.shown, types.completeness.total), (6, 6));
    let order = &types.types[0];
    assert_eq!((order.kind.as_str(), order.keys, order.records), ("order", 2, 4));
    assert_eq!(order.services, ["orders", "shipping"]);
    let keys = entities(query, Some("Orders"), &effort()).expect("an answer");
    let listed: Vec<(&str, u64)> =
        keys.entities.iter().map(|key| (key.entity.as_str(), key.records)).collect();
    assert_eq!(listed, [("order/42", 3), ("order/7", 1)], "the latest first");
    let request = EntitiesRequest { kind: None, window: Window { since: Some(NOW), until: None }, limit: 10 };
    assert_eq!(query.entities(&request, &effort()).expect("an answer").types, [], "nothing is so late");

    let request = DoctorRequest { service: None, window: Window::default() };
    let doctor = query.doctor(&request, &effort()).expect("an answer");
    let services: Vec<&str> = doctor.services.iter().map(|one| one.service.as_str()).collect();
    assert_eq!(
        (doctor.schema.as_str(), services),
        (Doctor::SCHEMA, vec!["cron", "orders", "payments", "shipping"])
    );
    let request = DoctorRequest { service: Some("orders".to_owned()), ..request };
    let orders = query.doctor(&request, &effort()).expect("an answer");
    assert_eq!((orders.services.len(), orders.services[0].spans, orders.services[0].logs), (1, 2, 1));
}

/// A write to `order/key`, `number` seconds after the records begin.
fn priced(number: u8, key: &str, from: i64, to: i64) -> Record {
    let mut write = span(number, number, "UPDATE orders");
    write.start = write.start.shifted(i128::from(number) * 1_000_000_000);
    write.end = write.start.shifted(1_000_000);
    write.attributes = attributes([
        ("backstory.entity.type", "order".into()),
        ("backstory.entity.key", key.into()),
        ("backstory.copy", "shop/orders".into()),
        ("backstory.op", "write".into()),
        ("backstory.field", "amount".into()),
        ("backstory.from", from.into()),
        ("backstory.value", to.into()),
    ]);
    // Imported: the arrivals of `record` lie long before these times, and refute them.
    Record { arrival: None, ..record(u64::from(number), "orders", Body::Span(write)) }
}

/// Somebody unseen changed the amounts of orders 1 and 2, not that of order 3.
pub(crate) fn repriced() -> Vec<Record> {
    vec![
        priced(1, "1", 0, 5),
        priced(2, "2", 0, 5),
        priced(3, "3", 0, 5),
        priced(4, "1", 7, 9),
        priced(5, "2", 7, 9),
        priced(6, "3", 5, 9),
    ]
}

fn tells_who_else(query: &impl Query) {
    let timeline = timeline_of(query, "order/1", &effort()).expect("a timeline");
    let finding = timeline.findings.first().expect("somebody unseen wrote");
    let mut request = AffectedRequest {
        finding: finding.id[..8].to_owned(),
        entity: None,
        window: Window::default(),
        entities_max: 10,
    };
    let answer = query.affected(&request, &effort()).expect("an answer");
    assert_eq!((answer.schema.as_str(), answer.kind), (Affected::SCHEMA, finding.kind));
    assert_eq!(answer.shape, "unexplained_change of shop/orders in orders");
    assert_eq!((answer.completeness.shown, answer.completeness.total), (3, 3));
    let affected: Vec<&str> =
        answer.entities.iter().filter(|one| one.finding.is_some()).map(|one| one.entity.as_str()).collect();
    assert_eq!((affected, answer.clean, answer.cannot_tell), (vec!["order/1", "order/2"], 1, 0));
    assert_eq!(answer.entities[0].finding.as_ref(), Some(&finding.id));
    request.entity = Some("order/1".to_owned());
    assert_eq!(query.affected(&request, &effort()).expect("an answer"), answer, "only the way there differs");
    request.entities_max = 1;
    let cut = query.affected(&request, &effort()).expect("an answer").completeness;
    assert_eq!((cut.shown, cut.total, cut.reasons), (1, 3, vec![Incompleteness::Truncated]));
    for (finding, entity) in [("f-none", None), ("f-none", Some("order/1".to_owned())), ("", None)] {
        let request = AffectedRequest { finding: finding.to_owned(), entity, ..request.clone() };
        let unknown = query.affected(&request, &effort());
        assert!(
            matches!(&unknown, Err(QueryError::Malformed { message, .. }) if message.contains("no finding")),
            "{unknown:?}"
        );
    }
}

fn judges(query: &impl Query) {
    let request = StateRequest { entity: "order/42".to_owned(), moment: Moment::End };
    let state = query.state(&request, &effort()).expect("an answer");
    assert_eq!(state.schema, State::SCHEMA);
    let unknown = StateRequest { moment: Moment::Event("zz".to_owned()), ..request };
    assert!(matches!(
        query.state(&unknown, &effort()),
        Err(QueryError::Malformed { .. } | QueryError::Remote(_))
    ));
    let nobody = StateRequest { entity: "order/none".to_owned(), moment: Moment::End };
    assert_eq!(query.state(&nobody, &effort()).expect("an answer").copies, []);

    let request = FindingsRequest { entities_max: 10, ..FindingsRequest::default() };
    let all = query.findings(&request, &effort()).expect("an answer");
    assert_eq!((all.schema.as_str(), all.judged + all.cannot_judge), (Findings::SCHEMA, 2), "two orders");
    let one = FindingsRequest { entity: Some("order/42".to_owned()), ..request.clone() };
    let one = query.findings(&one, &effort()).expect("an answer");
    assert_eq!(one.judged + one.cannot_judge, 1);
    assert!(one.findings.iter().all(|finding| all.findings.contains(finding)));
    let none = FindingsRequest { kinds: vec![FindingKind::ClockSkew], ..request };
    assert_eq!(query.findings(&none, &effort()).expect("an answer").findings, []);
}

fn explains(query: &impl Query) {
    let request = |a: &str, b: Option<&str>| WhyRequest {
        entity: "order/42".to_owned(),
        window: Window::default(),
        a: a.to_owned(),
        b: b.map(str::to_owned),
    };
    let [create, pay] = [1, 2].map(|number| span_id(number).to_string());
    let WhyAnswer::Order(why) = query.why(&request(&pay, Some(&create)), &effort()).expect("an answer")
    else {
        panic!("not about an order");
    };
    assert_eq!((why.relation, why.chain.len(), why.events.len()), (Relation::After, 1, 2));
    let WhyAnswer::Belongs(why) = query.why(&request(&pay, None), &effort()).expect("an answer") else {
        panic!("not about belonging");
    };
    assert_eq!((why.belongs, why.chain.len()), (Belongs::Descendant, 2));
    for nobody in ["", "zz"] {
        let error = query.why(&request(nobody, None), &effort()).expect_err("no such event");
        assert!(matches!(error, QueryError::Malformed { .. }), "{error:?}");
    }
    let clocks = query.clocks(&ClocksRequest::default(), &effort()).expect("an answer");
    assert_eq!((clocks.schema.as_str(), clocks.processes.len()), (Clocks::SCHEMA, 4));
    assert_eq!((clocks.completeness.shown, clocks.clocks.len()), (1, 1), "they share a machine");
}

fn lists_services(query: &impl Query) {
    let all = query.services(&ServicesRequest::default(), &effort()).expect("an answer");
    assert_eq!((all.schema.as_str(), all.completeness.shown), (Services::SCHEMA, 4));
    let names: Vec<(&str, usize)> =
        all.services.iter().map(|one| (one.service.as_str(), one.operations.len())).collect();
    assert_eq!(names, [("cron", 0), ("orders", 1), ("payments", 1), ("shipping", 1)]);
    let one = ServicesRequest { service: Some("payments".to_owned()) };
    let one = query.services(&one, &effort()).expect("an answer");
    let charge = Operation { name: "charge".to_owned(), kind: SpanKind::Internal };
    assert_eq!((one.services.len(), &one.services[0].operations), (1, &vec![charge]));
    let none = ServicesRequest { service: Some("none".to_owned()) };
    assert_eq!(query.services(&none, &effort()).expect("an answer").services, []);
}

fn hands_out_traces(query: &impl Query) {
    let ask = |text: &str, limit: usize| {
        let request = TracesRequest { query: text.to_owned(), limit };
        query.traces(&request, &effort()).expect("an answer")
    };
    let id = |number| timeline::id::TraceId::to_string(&trace(number));
    let ids = |answer: &Traces| -> Vec<String> {
        answer.traces.iter().filter_map(|one| Some(one["traceID"].as_str()?.to_owned())).collect()
    };
    let all = ask("name:\"POST /orders\"", 10);
    assert_eq!((all.schema.as_str(), ids(&all)), (Traces::SCHEMA, vec![id(3), id(1)]), "the latest first");
    assert_eq!((all.completeness.shown, all.completeness.total), (2, 2));
    assert_eq!(all.traces[1]["spans"].as_array().map(Vec::len), Some(2), "the whole trace");
    let cut = ask("name:\"POST /orders\"", 1);
    assert_eq!((ids(&cut), cut.completeness.shown, cut.completeness.total), (vec![id(3)], 1, 2));
    let by_id = ask(&format!("trace:{}", id(2)), 10);
    assert_eq!(by_id.traces[0]["spans"][0]["operationName"], "ship");
    assert_eq!(ask("service:none", 10).traces, Vec::<serde_json::Value>::new());
}

fn says_what_a_budget_cut(query: &impl Query) {
    let cut = entities(query, None, &Effort::new(2)).expect("an answer").completeness;
    assert_eq!((cut.reasons, cut.shown, cut.total), (vec![Incompleteness::Truncated], 2, 6));
    let request = SearchRequest { query: "*".to_owned(), limit: 10, before: None };
    let cut = query.search(&request, &Effort::new(2)).expect("a page").completeness;
    assert_eq!((cut.complete, cut.reasons), (false, vec![Incompleteness::Truncated]));
    let cut = query.find("42", &Effort::new(1)).expect("an answer").completeness;
    assert_eq!((cut.complete, cut.reasons), (false, vec![Incompleteness::Truncated]));
    let cut = timeline_of(query, "order/42", &Effort::new(1)).expect("a timeline").completeness;
    assert!(!cut.complete && cut.reasons.contains(&Incompleteness::Truncated), "{cut:?}");
}

fn stops_when_cancelled(query: &impl Query) {
    let cancelled = effort();
    cancelled.cancel();
    let answer = query.find("42", &cancelled);
    assert!(matches!(answer, Err(QueryError::Archive(ArchiveError::Cancelled))), "{answer:?}");
}

fn follows(query: &impl Query, memory: &Memory) {
    let mut request = FollowRequest { query: "signal:spans".to_owned(), after: None, limit: 2 };
    let begun = query.follow(&request, &effort()).expect("an answer");
    assert_eq!(begun.records, []);
    memory.extend((7..=12).map(|number| {
        let body = match number % 2 {
            0 => Body::Log(log("tick")),
            _ => Body::Span(span(9, number as u8, "late")),
        };
        record(number, "orders", body)
    }));
    let mut after = begun.after;
    let mut seen = Vec::new();
    loop {
        request.after = after.as_deref().map(|after| after.parse().expect("a position"));
        let answer = query.follow(&request, &effort()).expect("an answer");
        assert!(answer.records.len() <= 2);
        if answer.records.is_empty() {
            break;
        }
        seen.extend(answer.records.into_iter().map(|record| record.position));
        after = answer.after;
    }
    assert_eq!(seen, ["1-448-0-0", "1-576-0-0", "1-704-0-0"]);
}

fn says_how_the_store_failed(query: &impl Query) {
    for answer in [query.find("42", &effort()).err(), query.stats().err()] {
        match answer {
            Some(QueryError::Archive(ArchiveError::Store(text))) => assert_eq!(text, BROKEN),
            other => panic!("{other:?}"),
        }
    }
}

fn carries_what_the_archive_lacks(query: &impl Query) {
    let not_indexed = |completeness: timeline::document::Completeness| {
        assert!(!completeness.complete);
        assert!(completeness.reasons.contains(&Incompleteness::NotIndexed), "{completeness:?}");
    };
    not_indexed(search(query, "*", 1).completeness);
    not_indexed(query.find("42", &effort()).expect("an answer").completeness);
    not_indexed(timeline_of(query, "order/42", &effort()).expect("a timeline").completeness);
}

const BROKEN: &str = "shard 7 cannot be read: run `backstory reindex`";

/// An archive whose every answer is an error.
struct Failing;

/// An archive whose index is behind.
struct Behind(Memory);

mod archives {
    use timeline::document::{Completeness, Incompleteness, Stats};
    use timeline::id::TraceId;
    use timeline::record::{Position, Record};

    use super::{BROKEN, Behind, Failing};
    use crate::archive::*;
    use crate::predicate::Predicate;

    fn broken<T>() -> Result<T, ArchiveError> {
        Err(ArchiveError::Store(BROKEN.to_owned()))
    }

    impl Archive for Failing {
        fn visit(
            &self,
            _: &Predicate,
            _: Window,
            _: &Effort,
            _: &mut dyn FnMut(Record),
        ) -> Result<Visited, ArchiveError> {
            broken()
        }

        fn find(&self, _: &Predicate, _: Window, _: Page, _: &Effort) -> Result<Found, ArchiveError> {
            broken()
        }

        fn fetch(&self, _: &[TraceId], _: &Effort) -> Result<Fetched, ArchiveError> {
            broken()
        }

        fn clocks(&self, _: Window, _: &Effort) -> Result<Proven, ArchiveError> {
            broken()
        }

        fn completeness(&self) -> Result<Completeness, ArchiveError> {
            broken()
        }

        fn follow(&self, _: Option<Position>, _: usize, _: &Effort) -> Result<Followed, ArchiveError> {
            broken()
        }

        fn operations(&self, _: &Effort) -> Result<Operations, ArchiveError> {
            broken()
        }

        fn stats(&self) -> Result<Stats, ArchiveError> {
            broken()
        }
    }

    impl Archive for Behind {
        fn visit(
            &self,
            p: &Predicate,
            w: Window,
            e: &Effort,
            visit: &mut dyn FnMut(Record),
        ) -> Result<Visited, ArchiveError> {
            self.0.visit(p, w, e, visit)
        }

        fn find(&self, p: &Predicate, w: Window, page: Page, e: &Effort) -> Result<Found, ArchiveError> {
            self.0.find(p, w, page, e)
        }

        fn fetch(&self, traces: &[TraceId], effort: &Effort) -> Result<Fetched, ArchiveError> {
            self.0.fetch(traces, effort)
        }

        fn clocks(&self, window: Window, effort: &Effort) -> Result<Proven, ArchiveError> {
            self.0.clocks(window, effort)
        }

        fn completeness(&self) -> Result<Completeness, ArchiveError> {
            Ok(Completeness { reasons: vec![Incompleteness::NotIndexed], ..Completeness::default() })
        }

        fn follow(
            &self,
            after: Option<Position>,
            limit: usize,
            e: &Effort,
        ) -> Result<Followed, ArchiveError> {
            self.0.follow(after, limit, e)
        }

        fn operations(&self, effort: &Effort) -> Result<Operations, ArchiveError> {
            self.0.operations(effort)
        }

        fn stats(&self) -> Result<Stats, ArchiveError> {
            self.0.stats()
        }
    }
}
