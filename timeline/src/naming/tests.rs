use std::sync::Arc;

use super::*;
use crate::record::{Body, Log, Position, Scope as Library, Span, SpanEvent};
use crate::value::Attributes;

fn record(body: Body) -> Record {
    let resource = Arc::new(Resource::new(Attributes::default(), 0));
    let library = Arc::new(Library::new("test".into(), String::new(), Attributes::default()));
    Record::new(Position::default(), None, resource, library, body, 0)
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(key, value)| (*key, Value::from(*value))).collect()
}

fn named(record: &Record) -> String {
    let list: Vec<String> =
        names(record).iter().map(|n| format!("{}/{} {:?}", n.kind, n.key, n.how)).collect();
    list.join(", ")
}

fn span(pairs: &[(&str, &str)]) -> String {
    named(&record(Body::Span(Span { attributes: attributes(pairs), ..Span::default() })))
}

fn line(text: &str) -> String {
    named(&record(Body::Log(Log { body: Value::from(text), ..Log::default() })))
}

#[test]
fn attributes_named_after_a_type() {
    for name in ["order_id", "orderId", "order.id", "app.order.id", "OrderID", "orders.id", "order-id"] {
        assert_eq!(span(&[(name, "42")]), "order/42 Attribute", "{name}");
    }
    let number = [("order.id", Value::Int(42))].into_iter().collect();
    let record = record(Body::Span(Span { attributes: number, ..Span::default() }));
    assert_eq!(named(&record), "order/42 Attribute");
}

#[test]
fn the_telemetrys_own_identifiers_name_nothing() {
    let own = [
        ("thread.id", "1"),
        ("messaging.message.id", "9"),
        ("trace_id", "4b"),
        ("host.id", "h"),
        ("id", "3"),
    ];
    assert_eq!(span(&own), "");
}

#[test]
fn keys_are_normalised() {
    let uuid = "0B0C5B5E-65B7-4C0E-9F6E-0C8B9C1D2E3F";
    assert_eq!(span(&[("order_id", uuid)]), format!("order/{} Attribute", uuid.to_lowercase()));
    assert_eq!(span(&[("order_id", "a/b%c\n")]), "order/a%2Fb%25c Attribute");
    let parts: Attributes = [("shop", Value::Int(1)), ("number", Value::from("7"))].into_iter().collect();
    assert_eq!(key_of(&Value::Map(parts)).as_deref(), Some("number=7,shop=1"));
}

#[test]
fn routes_explain_their_paths() {
    let http = |route: &str, path: &str| span(&[("http.route", route), ("url.path", path)]);
    assert_eq!(http("/orders/{id}", "/orders/42"), "order/42 Route");
    assert_eq!(http("/orders/:orderId/lines/:id", "/orders/a/lines/b"), "line/b Route, order/a Route");
    assert_eq!(http("/categories/<int:id>", "/categories/7"), "category/7 Route");
    assert_eq!(http("/:id", "/api/charges/c1x9"), "charge/c1x9 Route", "a mounted router");
    assert_eq!(span(&[("http.url", "http://orders:8080/orders/42?x=1")]), "order/42 Path");
    assert_eq!(span(&[("http.target", "/v1/orders")]), "");
    assert_eq!(span(&[("http.target", "/v1/health/ready")]), "");
}

#[test]
fn statements_name_their_rows() {
    let sql = |text: &str| span(&[("db.query.text", text)]);
    assert_eq!(sql("UPDATE orders SET status = 'PAID' WHERE id = 42"), "order/42 Sql");
    assert_eq!(
        sql("SELECT * FROM \"shop\".\"orders\" o JOIN charges c ON c.order_id = o.id WHERE o.id = 'a'"),
        "order/a Sql"
    );
    assert_eq!(
        sql("INSERT INTO charges (id, order_id, state) VALUES (7, 42, 'new')"),
        "charge/7 Sql, order/42 Sql"
    );
    assert_eq!(sql("DELETE FROM orders WHERE id IN (1, 2)"), "order/1 Sql, order/2 Sql");
    assert_eq!(
        sql("SELECT status FROM orders WHERE id = %s"),
        "",
        "a value that is not there is not guessed"
    );
    let recorded =
        [("db.statement", "UPDATE orders SET a = $2 WHERE id = $1"), ("db.query.parameter.0", "42")];
    assert_eq!(span(&recorded), "order/42 Sql");
}

#[test]
fn redis_keys_and_message_keys() {
    let redis = |text: &str| span(&[("db.system", "redis"), ("db.statement", text)]);
    assert_eq!(redis("HSET order:42 status [7 other arguments]"), "order/42 Redis");
    assert_eq!(redis("DEL order:42 cart:alice"), "cart/alice Redis, order/42 Redis");
    assert_eq!(redis("SET ? ?"), "");
    let kafka = [("messaging.destination.name", "orders"), ("messaging.kafka.message.key", "42")];
    assert_eq!(span(&kafka), "order/42 Message");
}

#[test]
fn lines_name_things_by_type_and_key() {
    assert_eq!(line("order 42 status NEW -> PAID"), "order/42 Text");
    assert_eq!(line("charged order #42 (orderId=42), customer_id: 7"), "customer/7 Text, order/42 Text");
    assert_eq!(line("took 42 ms on port 8080 after 3 retries"), "");
}

#[test]
fn explicit_operations_in_span_events() {
    let event = SpanEvent {
        name: "backstory.state".into(),
        attributes: attributes(&[("backstory.entity.type", "order"), ("backstory.entity.key", "42")]),
        ..SpanEvent::default()
    };
    let record = record(Body::Span(Span { events: vec![event], ..Span::default() }));
    assert_eq!(named(&record), "order/42 Explicit");
    assert_eq!(names(&record)[0].place, "event:backstory.state:backstory.entity.key");
}

#[test]
fn scopes_meet_where_nothing_contradicts() {
    let scope = |text: &str| text.parse::<Scope>().expect("every text is a scope");
    assert!(scope("production/shop").meets(&scope("")));
    assert!(scope("production/shop").meets(&scope("/shop")));
    assert!(!scope("production/shop").meets(&scope("staging/shop")));
    assert_eq!(scope("production/shop").to_string(), "production/shop");
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it(text in "\\PC{0,80}", statement in "[a-z'$%?:@(),.= 0-9\"é]{0,60}") {
        line(&text);
        span(&[("db.query.text", &statement), ("http.route", &statement), ("url.path", &text)]);
        span(&[("db.system", "redis"), ("db.statement", &text)]);
    }
}
