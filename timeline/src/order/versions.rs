//! Causes that versions prove: what wrote a version happened before what wrote the next one, or read it.

use std::collections::{BTreeMap, HashMap};

use super::edge::Cause;
use super::moment::{Index, Moment, Moments};
use crate::document::{Evidence, Identity, Outcome, StateEvidence};
use crate::held::{At, Held};
use crate::id::{EventId, RecordId};
use crate::record::{Record, SpanKind};
use crate::state::{Operation, Thing};
use crate::value::Value;

/// The edges that versions prove, within each copy of each thing.
pub(super) fn causes(held: &Held, moments: &Moments, operations: &[Operation]) -> Vec<Cause> {
    let mut copies: BTreeMap<Copy, Versions> = BTreeMap::new();
    let mut add = |copy: Copy, access: Access| copies.entry(copy).or_default().accesses.push(access);
    if operations.iter().any(|operation| operation.version.is_some()) {
        let indexes = indexes(held, moments);
        let makers = makers(operations);
        operations.iter().for_each(|operation| by_operation(operation, &makers, &indexes, &mut add));
    }
    for (at, record) in held.records().iter().enumerate() {
        by_etag(at, record, moments, &mut add);
    }
    copies.values().flat_map(Versions::causes).collect()
}

fn indexes(held: &Held, moments: &Moments) -> HashMap<EventId, Index> {
    let id = |moment: &Moment| EventId::new(held.record(moment.at).id, moment.point);
    moments.list.iter().map(id).zip(0..).collect()
}

/// One thing in one copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Copy {
    /// An entity, by type and key, and who holds it.
    Entity { thing: Thing, copy: String },
    /// An HTTP resource of a service, by its path.
    Http { service: String, path: String },
}

/// One write or read of a version that took effect.
struct Access {
    record: RecordId,
    /// Before this it can't have taken effect; `None` where it belongs to no timeline.
    began: Option<Index>,
    /// By this it had taken effect; `None` where its end is unknown.
    done: Option<Index>,
    kind: Kind,
}

enum Kind {
    /// It made this version, or made its version from the one it expected. `counted` says that the copy counts its
    /// versions itself: then it made this one from the one before.
    Write { version: Option<String>, expected: Option<String>, counted: bool },
    /// It returned this version.
    Read { version: String },
}

/// All accesses to one copy.
#[derive(Default)]
struct Versions {
    accesses: Vec<Access>,
}

impl Versions {
    fn causes(&self) -> Vec<Cause> {
        let writers = self.writers();
        let mut causes = Vec::new();
        let mut push = |version: &str, access: &Access, evidence| {
            let from = writers.get(version).copied().flatten();
            if let (Some(from), Some(to)) = (from, access.done)
                && from.record != access.record
            {
                causes.push(Cause { from: from.began, to, evidence });
            }
        };
        for access in &self.accesses {
            match &access.kind {
                Kind::Read { version } => push(version, access, Evidence::ReadsFrom),
                Kind::Write { version, expected, counted } => {
                    let sole = |own: &&str| *counted && writers.get(own).is_some_and(Option::is_some);
                    let before = version.as_deref().filter(sole).and_then(previous);
                    for before in before.iter().chain(expected) {
                        push(before, access, Evidence::Version);
                    }
                }
            }
        }
        causes
    }

    /// Who wrote each version; `None` where several claim to have: nobody knows which of them the next one followed.
    /// What one record wrote is one write, from the first of it on.
    fn writers(&self) -> BTreeMap<&str, Option<Writer>> {
        let mut writers = BTreeMap::new();
        for access in &self.accesses {
            let Kind::Write { version: Some(version), .. } = &access.kind else { continue };
            let Some(began) = access.began else { continue };
            let own = Writer { record: access.record, began };
            let joined = |known: &mut Option<Writer>| {
                let same = known.filter(|known| known.record == own.record);
                *known = same.map(|known| Writer { began: known.began.min(began), ..known });
            };
            writers.entry(version.as_str()).and_modify(joined).or_insert(Some(own));
        }
        writers
    }
}

/// The record that wrote a version, and where it began to.
#[derive(Clone, Copy)]
struct Writer {
    record: RecordId,
    began: Index,
}

/// The version before, where versions are numbers.
fn previous(version: &str) -> Option<String> {
    version.parse::<u64>().ok()?.checked_sub(1).map(|before| before.to_string())
}

/// What took effect in one store that counts its versions. Services' own beliefs are a copy an instance, a stream's
/// offsets count within a partition, and an inferred key proves nothing.
fn counts(operation: &Operation) -> bool {
    operation.outcome == Outcome::Ok
        && operation.identity == Identity::Own
        && !operation.part
        && matches!(operation.evidence, StateEvidence::Attribute | StateEvidence::Sql)
}

/// By type the copy that makes a thing's versions: the only table named after the type. A replica writes the numbers that
/// it was told, perhaps in another order: there they prove nothing of the order of its writes.
fn makers(operations: &[Operation]) -> BTreeMap<&str, Option<&str>> {
    let mut makers: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for operation in operations.iter().filter(|operation| operation.writes() && !operation.part) {
        let (store, table) = operation.copy.rsplit_once('/').unwrap_or(("", &operation.copy));
        if store == "redis" || crate::naming::kind_named(table) != operation.kind {
            continue;
        }
        let sole = |known: &mut Option<&str>| *known = known.filter(|known| *known == operation.copy);
        makers.entry(&operation.kind).and_modify(sole).or_insert(Some(&operation.copy));
    }
    makers
}

fn by_operation(
    operation: &Operation,
    makers: &BTreeMap<&str, Option<&str>>,
    indexes: &HashMap<EventId, Index>,
    add: &mut impl FnMut(Copy, Access),
) {
    let Some(thing) = operation.thing.clone().filter(|_| counts(operation)) else { return };
    let text = |value: &Option<Value>| value.as_ref().map(|value| value.to_text().into_owned());
    let (version, expected) = (text(&operation.version), text(&operation.expected_version));
    let kind = match (operation.writes(), version) {
        (false, Some(version)) => Kind::Read { version },
        (false, None) => return,
        (true, version) => {
            let maker = makers.get(operation.kind.as_str()).copied().flatten();
            Kind::Write { version, expected, counted: maker == Some(&operation.copy) }
        }
    };
    let index = |event: EventId| indexes.get(&event).copied();
    let (began, done) = (index(operation.effect_began()), index(operation.effect_ended()));
    add(
        Copy::Entity { thing, copy: operation.copy.clone() },
        Access { record: operation.record, began, done, kind },
    );
}

/// What a server answered with an `ETag`, where its headers were captured: of one path of one service.
fn by_etag(at: At, record: &Record, moments: &Moments, add: &mut impl FnMut(Copy, Access)) {
    let Some(span) = record.as_span().filter(|span| span.kind == SpanKind::Server) else { return };
    let text = |names: &[&str]| span.attributes.get_any(names).map(|value| value.to_text().into_owned());
    let status = text(&["http.response.status_code", "http.status_code"]);
    if !status.is_some_and(|status| status.starts_with('2')) {
        return;
    }
    let header = |name: &str| span.attributes.get(name).and_then(only);
    let etag = header("http.response.header.etag");
    let expected = header("http.request.header.if-match").filter(|etag| etag != "*");
    let kind = match text(&["http.request.method", "http.method"]).as_deref() {
        Some("GET" | "HEAD") => etag.map(|version| Kind::Read { version }),
        Some("PUT" | "POST" | "PATCH" | "DELETE") => {
            Some(Kind::Write { version: etag, expected, counted: false })
        }
        _ => None,
    };
    if let Some((kind, path)) = kind.zip(text(&["url.path", "http.target"])) {
        let access = Access { record: record.id, began: moments.start(at), done: moments.end(at), kind };
        add(Copy::Http { service: record.resource.service().to_owned(), path }, access);
    }
}

/// A header's only value: captured headers are lists.
fn only(value: &Value) -> Option<String> {
    match value {
        Value::Array(values) => match values.as_slice() {
            [only] => only.as_str().map(str::to_owned),
            _ => None,
        },
        other => other.as_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::case;
    use super::*;
    use crate::id::Point;
    use crate::record::StatusCode;
    use crate::testing::*;

    /// Edges by the numbers of their spans: from the first's start to the second's end.
    fn edges(spans: Vec<Made>) -> Vec<(String, String, Evidence)> {
        let case = case(spans.into_iter().map(Made::record).collect());
        let name =
            |index: Index| case.held.span(case.moments.list[index as usize].at).expect("a span").name.clone();
        let mut found: Vec<_> =
            causes(&case.held, &case.moments, &crate::state::reading::operations(&case.held))
                .into_iter()
                .inspect(|cause| {
                    let point = |index: Index| case.moments.list[index as usize].point;
                    assert_eq!((point(cause.from), point(cause.to)), (Point::Start, Point::End));
                })
                .map(|cause| (name(cause.from), name(cause.to), cause.evidence))
                .collect();
        found.sort();
        found.dedup();
        found
    }

    fn edge(from: &str, to: &str, evidence: Evidence) -> (String, String, Evidence) {
        (from.to_owned(), to.to_owned(), evidence)
    }

    /// Span `number`, which does `op` to order 42 in a copy, with this version.
    fn access(number: u8, copy: &str, op: &str, version: &str) -> Made {
        let name = format!("{op} {version}");
        span(number, "a", &name, f64::from(number), f64::from(number) + 0.5).with(&[
            ("order.id", "42"),
            ("backstory.entity.type", "order"),
            ("backstory.entity.key", "42"),
            ("backstory.copy", copy),
            ("backstory.op", op),
            ("backstory.version", version),
        ])
    }

    #[test]
    fn a_write_follows_the_write_of_the_version_before_in_one_copy() {
        let spans = vec![
            access(1, "shop/orders", "write", "8"),
            access(2, "shop/orders", "write", "7"),
            access(3, "redis/order", "write", "9"),
            access(4, "shop/orders", "write", "10"),
        ];
        assert_eq!(edges(spans), [edge("write 7", "write 8", Evidence::Version)]);
    }

    #[test]
    fn a_replica_may_apply_versions_in_any_order() {
        let replica = |number, version| access(number, "search/order_view", "write", version);
        assert_eq!(edges(vec![replica(1, "8"), replica(2, "7")]), []);
        let two = |number, copy, version| access(number, copy, "write", version);
        let tables =
            vec![two(1, "shop/orders", "7"), two(2, "archive/orders", "7"), two(3, "archive/orders", "8")];
        assert_eq!(edges(tables), [], "nobody says which of the two tables makes the versions");
    }

    #[test]
    fn several_fields_written_at_once_are_one_write() {
        let field = |name: &str| crate::record::SpanEvent {
            time: at(1.1),
            name: "backstory.state".into(),
            attributes: attributes(&[
                ("backstory.entity.type", "order"),
                ("backstory.entity.key", "42"),
                ("backstory.copy", "shop/orders"),
                ("backstory.op", "write"),
                ("backstory.field", name),
                ("backstory.version", "7"),
            ]),
            ..Default::default()
        };
        let plain = span(1, "a", "write 7", 1.0, 1.5).with(&[("order.id", "42")]);
        let records = vec![
            plain.change(|span| span.events = vec![field("status"), field("total")]).record(),
            access(2, "shop/orders", "write", "8").record(),
        ];
        let case = case(records);
        let found = causes(&case.held, &case.moments, &crate::state::reading::operations(&case.held));
        let points: Vec<_> = found.iter().map(|cause| case.moments.list[cause.from as usize].point).collect();
        assert_eq!(
            points,
            [Point::SpanEvent(0)],
            "from the first field of version 7 to the end of version 8"
        );
    }

    #[test]
    fn a_version_that_two_wrote_orders_nothing() {
        let spans = vec![
            access(1, "shop/orders", "write", "7"),
            access(2, "shop/orders", "write", "8"),
            access(3, "shop/orders", "write", "8"),
            access(4, "shop/orders", "write", "9"),
            access(5, "shop/orders", "read", "8"),
        ];
        assert_eq!(edges(spans), []);
    }

    #[test]
    fn what_had_no_effect_or_an_unknown_one_orders_nothing() {
        for outcome in ["failed", "unknown"] {
            let spans = vec![
                access(1, "shop/orders", "write", "7").with(&[("backstory.outcome", outcome)]),
                access(2, "shop/orders", "write", "8"),
            ];
            assert_eq!(edges(spans), [], "{outcome}");
        }
        let in_error =
            access(1, "shop/orders", "write", "7").change(|span| span.status.code = StatusCode::Error);
        assert_eq!(edges(vec![in_error, access(2, "shop/orders", "write", "8")]), []);
    }

    #[test]
    fn a_read_follows_the_write_whose_version_it_returned() {
        let spans = vec![
            access(1, "shop/orders", "write", "7"),
            access(2, "shop/orders", "read", "7"),
            access(3, "shop/orders", "read", "8"),
            access(4, "redis/order", "read", "7"),
        ];
        assert_eq!(edges(spans), [edge("write 7", "read 7", Evidence::ReadsFrom)]);
    }

    fn http(number: u8, service: &str, name: &str, headers: &[(&str, &str)]) -> Made {
        let method = name.split(' ').next().unwrap_or_default();
        span(number, service, name, f64::from(number), f64::from(number) + 0.5)
            .kind(SpanKind::Server)
            .with(&[
                ("http.request.method", method),
                ("url.path", "/orders/42"),
                ("http.response.status_code", "200"),
            ])
            .with(headers)
    }

    #[test]
    fn etags_are_versions_of_one_path_of_one_service() {
        const ETAG: &str = "http.response.header.etag";
        let spans = vec![
            http(1, "orders", "PUT a", &[(ETAG, "\"a\"")]),
            http(2, "orders", "GET a", &[(ETAG, "\"a\"")]),
            http(3, "orders", "PUT b", &[(ETAG, "\"b\""), ("http.request.header.if-match", "\"a\"")]),
            http(4, "orders", "PUT c", &[("http.request.header.if-match", "*")]),
            http(5, "payments", "GET a elsewhere", &[(ETAG, "\"a\"")]),
            http(6, "orders", "GET a failed", &[(ETAG, "\"a\""), ("http.response.status_code", "500")]),
        ];
        let expected =
            [edge("PUT a", "GET a", Evidence::ReadsFrom), edge("PUT a", "PUT b", Evidence::Version)];
        assert_eq!(edges(spans), expected);
    }
}
