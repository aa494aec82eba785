use super::draft::{Draft, Key};
use super::*;
use crate::document::{Identity, Op, Outcome};
use crate::record::{Record, SpanKind, StatusCode};
use crate::testing::*;

/// A draft in words: thing, copy, what was done, `@` its version, `if` the version insisted on, its outcome unless ok.
pub(super) fn line(draft: &Draft) -> String {
    let key = match &draft.key {
        Key::Known(key) => key.as_str(),
        Key::Hidden => "hidden",
        Key::Many => "many",
    };
    let mut line = format!("{}/{key} {}", draft.kind, draft.copy);
    if draft.part {
        line.push_str(" part");
    }
    line.push_str(match draft.op {
        Op::Write => " write",
        Op::Append => " append",
        Op::Add => " add",
        Op::Read => " read",
        Op::Delete => " delete",
    });
    let text = |value: &crate::value::Value| match value {
        crate::value::Value::Empty => "null".to_owned(),
        value => value.to_text().into_owned(),
    };
    if let Some(field) = &draft.field {
        line.push_str(&format!(" {field}"));
    }
    match (&draft.from, &draft.value) {
        (Some(from), Some(value)) => line.push_str(&format!("={}->{}", text(from), text(value))),
        (Some(from), None) => line.push_str(&format!("={}->?", text(from))),
        (None, Some(value)) if draft.field.is_none() => line.push_str(&format!(" = {}", text(value))),
        (None, Some(value)) => line.push_str(&format!("={}", text(value))),
        (None, None) => {}
    }
    for (sign, value) in [(" ", &draft.delta), (" @", &draft.version), (" if ", &draft.expected_version)] {
        if let Some(value) = value {
            line.push_str(&format!("{sign}{}", text(value)));
        }
    }
    match draft.outcome {
        Outcome::Ok => {}
        Outcome::Failed => line.push_str(" failed"),
        Outcome::Unknown => line.push_str(" unknown"),
    }
    line
}

pub(super) fn only(mut lines: Vec<String>) -> String {
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// The operations of `records`, in words.
fn told(records: Vec<Record>) -> Vec<String> {
    let held = Held::fold(records);
    let mut lines: Vec<(crate::time::Time, String)> = operations(&held)
        .iter()
        .map(|operation| {
            let thing =
                operation.thing.as_ref().map_or_else(|| format!("{}/?", operation.kind), Thing::to_string);
            let value =
                operation.value.as_ref().map_or_else(String::new, |value| format!("={}", value.to_text()));
            let field = operation.field.as_deref().unwrap_or("*");
            let record =
                held.records().iter().find(|record| record.id == operation.record).expect("its record");
            let seen = if operation.visible_at.is_some() { " visible at commit" } else { "" };
            let line = format!(
                "{thing} {} {:?} {field}{value} {:?} {:?}{seen}",
                operation.copy, operation.op, operation.outcome, operation.identity
            );
            (record.time(), line)
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

fn sql(number: u8, process: &str, text: &str, ms: f64) -> Made {
    span(number, process, "query", ms, ms + 1.0).kind(SpanKind::Client).with(&[
        ("db.system.name", "postgresql"),
        ("db.namespace", "shop"),
        ("db.query.text", text),
    ])
}

const UPDATE: &str = "UPDATE orders SET status = ? WHERE id = ?";

#[test]
fn a_hidden_key_comes_from_the_nearest_place_that_names_one_thing() {
    let root = |pairs: &[(&str, &str)]| span(1, "orders", "work", 0.0, 9.0).with(pairs).record();
    let update = || sql(2, "orders", UPDATE, 1.0).child_of(1).record();
    let by_ancestor = told(vec![root(&[("order.id", "42")]), update()]);
    assert_eq!(by_ancestor, ["order/42 shop/orders Write status Ok Ancestor"]);
    let by_log = told(vec![root(&[]), update(), log(1, "orders", "order 42 paid for", 3.0)]);
    assert_eq!(by_log, ["order/42 shop/orders Write status Ok Log"]);
    let sibling = || span(3, "orders", "notify", 4.0, 5.0).child_of(1).with(&[("order.id", "42")]).record();
    let by_trace = told(vec![root(&[]), update(), sibling()]);
    assert_eq!(by_trace, ["order/42 shop/orders Write status Ok Trace"]);
}

#[test]
fn no_key_is_inferred_where_a_trace_names_several_things() {
    let named = |number: u8, order: &str| {
        span(number, "job", "item", 2.0, 3.0).child_of(1).with(&[("order.id", order)]).record()
    };
    let batch = vec![
        span(1, "job", "batch", 0.0, 9.0).record(),
        named(2, "42"),
        named(3, "43"),
        sql(4, "job", UPDATE, 4.0).child_of(1).record(),
    ];
    assert_eq!(told(batch.clone()), ["order/? shop/orders Write status Ok Unknown"]);
    let timeline = crate::tell(batch, &"order/42".parse().expect("a question"), &crate::Given::default());
    let gaps: Vec<_> = timeline.gaps.iter().map(|gap| gap.kind).collect();
    assert_eq!(gaps, [crate::document::GapKind::UnattributedWrite]);
    assert!(timeline.completeness.reasons.contains(&crate::document::Incompleteness::UnattributedWrites));
}

#[test]
fn a_transaction_takes_effect_at_its_commit_and_never_after_a_rollback() {
    let within = |end: &str| {
        vec![
            span(1, "orders", "work", 0.0, 9.0).record(),
            sql(2, "orders", "BEGIN", 1.0).child_of(1).record(),
            sql(3, "orders", "UPDATE orders SET status = 'paid' WHERE id = 42", 2.5).child_of(1).record(),
            sql(4, "orders", end, 4.0).child_of(1).record(),
        ]
    };
    assert_eq!(told(within("COMMIT")), ["order/42 shop/orders Write status=paid Ok Own visible at commit"]);
    assert_eq!(told(within("ROLLBACK")), ["order/42 shop/orders Write status=paid Failed Own"]);
    let mut open = within("COMMIT");
    open.pop();
    assert_eq!(told(open), ["order/42 shop/orders Write status=paid Unknown Own"]);
}

#[test]
fn a_refused_statement_breaks_a_transaction_of_postgresql() {
    let records = vec![
        sql(2, "orders", "BEGIN", 1.0).record(),
        sql(3, "orders", "UPDATE orders SET status = 'paid' WHERE id = 42", 2.5).record(),
        sql(4, "orders", "INSERT INTO charges (id, order_id) VALUES (1, 42)", 4.0)
            .change(|span| {
                span.status.code = StatusCode::Error;
                span.status.message = "duplicate key value violates unique constraint".into();
            })
            .record(),
        sql(5, "orders", "COMMIT", 6.0).record(),
    ];
    assert!(told(records).iter().all(|line| line.contains("Failed")));
}

#[test]
fn a_savepoint_takes_back_what_came_after_it() {
    let records = vec![
        sql(2, "orders", "BEGIN", 1.0).record(),
        sql(3, "orders", "UPDATE orders SET status = 'paid' WHERE id = 42", 2.5).record(),
        sql(4, "orders", "SAVEPOINT a", 4.0).record(),
        sql(5, "orders", "UPDATE orders SET note = 'x' WHERE id = 42", 6.0).record(),
        sql(6, "orders", "ROLLBACK TO SAVEPOINT a", 8.0).record(),
        sql(7, "orders", "COMMIT", 10.0).record(),
    ];
    assert_eq!(
        told(records),
        [
            "order/42 shop/orders Write status=paid Ok Own visible at commit",
            "order/42 shop/orders Write note=x Failed Own",
        ]
    );
}

#[test]
fn errors_that_the_server_gave_did_nothing_and_silence_leaves_it_open() {
    let failed = |message: &str| {
        let update =
            sql(3, "orders", "UPDATE orders SET status = 'paid' WHERE id = 42", 2.5).change(|span| {
                span.status.code = StatusCode::Error;
                span.status.message = message.into();
            });
        told(vec![update.record()]).remove(0)
    };
    assert!(failed("ERROR 40001: could not serialize access").contains("Failed"));
    assert!(failed("statement timeout").contains("Unknown"));
    assert!(failed("").contains("Unknown"));
}

#[test]
fn two_descriptions_of_an_entity_differ_by_a_transition() {
    let described = |status: &str, ms: f64| {
        let mut record = log(0, "orders", "", ms);
        if let crate::record::Body::Log(log) = &mut record.body {
            log.event_name = "entity.state".into();
            let description = attributes(&[("status", status), ("sku", "lamp")]);
            log.attributes = [
                ("entity.type", crate::value::Value::from("order")),
                ("entity.id", crate::value::Value::from("42")),
                ("entity.description", crate::value::Value::Map(description)),
            ]
            .into_iter()
            .collect();
        }
        let crate::record::Record { position, arrival, resource, scope, body, .. } = record;
        Record::new(position, arrival, resource, scope, body, 0)
    };
    assert_eq!(
        told(vec![described("paid", 5.0), described("new", 1.0)]),
        [
            "order/42 orders/memory Read sku=lamp Ok Own",
            "order/42 orders/memory Read status=new Ok Own",
            "order/42 orders/memory Write status=paid Ok Own",
        ]
    );
}

const DECLARED: [(&str, &str); 6] = [
    ("backstory.entity.type", "Orders"),
    ("backstory.entity.key", "42"),
    ("backstory.copy", "shop/orders"),
    ("backstory.op", "write"),
    ("backstory.field", "status"),
    ("backstory.value", "paid"),
];

#[test]
fn a_span_declares_one_operation_and_its_events_more() {
    let event = crate::record::SpanEvent {
        name: "backstory.state".into(),
        attributes: attributes(&DECLARED[..5]),
        ..crate::record::SpanEvent::default()
    };
    let declared =
        span(1, "orders", "work", 0.0, 1.0).with(&DECLARED).change(|span| span.events = vec![event]);
    let held = Held::fold(vec![declared.record()]);
    let operations = operations(&held);
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[0].transaction, operations[1].transaction);
    assert_eq!(operations[0].event.point, Point::SpanEvent(0));
    assert_eq!(operations[1].identity, Identity::Own);
}

#[test]
fn what_the_events_of_a_refused_span_declare_took_no_effect() {
    let event = crate::record::SpanEvent {
        name: "backstory.state".into(),
        attributes: attributes(&DECLARED),
        ..crate::record::SpanEvent::default()
    };
    let refused = span(1, "orders", "work", 0.0, 1.0).change(|span| {
        span.events = vec![event];
        span.status.code = crate::record::StatusCode::Error;
        span.status.message = "refused: card declined".to_owned();
    });
    let operations = operations(&Held::fold(vec![refused.record()]));
    assert_eq!(operations.iter().map(|operation| operation.outcome).collect::<Vec<_>>(), [Outcome::Failed]);
}

#[test]
fn what_names_no_type_or_does_nothing_declares_nothing() {
    assert!(told(vec![span(1, "orders", "work", 0.0, 1.0).with(&DECLARED[..3]).record()]).is_empty());
    assert!(told(vec![span(1, "orders", "work", 0.0, 1.0).with(&DECLARED[3..]).record()]).is_empty());
}

#[test]
fn a_served_request_is_told_once_and_by_the_server() {
    let web = |number: u8, process: &str, kind: SpanKind| {
        span(number, process, "GET", 1.0, 2.0).kind(kind).with(&[
            ("http.request.method", "GET"),
            ("url.path", "/orders/42"),
            ("http.response.status_code", "200"),
            ("server.address", "orders"),
        ])
    };
    let client = || web(1, "gateway", SpanKind::Client).record();
    let server = web(2, "orders", SpanKind::Server).child_of(1).record();
    assert_eq!(told(vec![client(), server]), ["order/42 orders/memory Read * Ok Own"]);
    assert_eq!(told(vec![client()]), ["order/42 orders/memory Read * Ok Own"], "its peer sends nothing");
}

#[test]
fn a_server_whose_client_gave_up_proves_no_reply() {
    let get = [("http.request.method", "GET"), ("url.path", "/orders/42")];
    let client = span(1, "gateway", "GET", 0.0, 2.0)
        .kind(SpanKind::Client)
        .with(&get)
        .change(|span| span.status.code = StatusCode::Error)
        .record();
    let server = span(2, "orders", "GET", 1.0, 9.0)
        .kind(SpanKind::Server)
        .child_of(1)
        .with(&get)
        .with(&[("http.response.status_code", "200")])
        .record();
    assert_eq!(told(vec![client, server]), ["order/42 orders/memory Read * Unknown Own"]);
}

#[test]
fn one_statement_seen_by_two_libraries_is_one() {
    let text = "UPDATE orders SET status = 'paid' WHERE id = 42";
    let outer = sql(1, "orders", text, 1.0).record();
    let inner = sql(2, "orders", text, 1.2).child_of(1).record();
    assert_eq!(told(vec![outer, inner]).len(), 1);
}

#[test]
fn a_line_fills_in_the_value_that_its_spans_only_statement_lacks() {
    let root = span(1, "orders", "work", 0.0, 9.0).with(&[("order.id", "42")]).record();
    let update = |number: u8| sql(number, "orders", UPDATE, f64::from(number)).child_of(1).record();
    let line = || log(1, "orders", "order 42 status NEW -> PAID", 5.0);
    let one = told(vec![root.clone(), update(2), line()]);
    assert!(one.contains(&"order/42 shop/orders Write status=PAID Ok Ancestor".to_owned()), "{one:?}");
    let two = told(vec![root, update(2), update(3), line()]);
    assert!(
        !two.iter().any(|line| line.contains("shop/orders Write status=PAID")),
        "which of the two, nobody says"
    );
}

proptest::proptest! {
    #[test]
    fn no_telemetry_breaks_it(
        records in any_records(12),
        text in "\\PC{0,60}",
        statement in "(SELECT|UPDATE orders SET|INSERT INTO o|DELETE FROM|MERGE INTO|BEGIN|HSET|SET)[ a-z'\"`$%?:@(),.=*{}\\[\\]0-9é-]{0,60}",
    ) {
        let mut all = records;
        for system in ["postgresql", "mysql", "mssql", "redis", "sqlite"] {
            all.push(span(9, "a", "q", 0.0, 1.0).with(&[("db.system", system), ("db.statement", &statement)]).record());
        }
        all.push(log(9, "a", &format!("order 42 {text} from {text} to -> {text}"), 1.0));
        all.push(log(9, "a", &text, 2.0));
        told(all);
    }
}
