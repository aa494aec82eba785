use super::*;

fn resource(service: &str) -> Arc<Resource> {
    let attributes = [("service.name", Value::from(service))].into_iter().collect();
    Arc::new(Resource::new(attributes, 0))
}

fn scope() -> Arc<Scope> {
    Arc::new(Scope::new("http".into(), "1".into(), Attributes::default()))
}

fn record(service: &str, body: Body, repeat: u32) -> Record {
    Record::new(Position::default(), None, resource(service), scope(), body, repeat)
}

#[test]
fn an_id_depends_on_resource_and_content_and_on_nothing_else() {
    let span = |name: &str| Body::Span(Span { name: name.into(), ..Span::default() });
    let id = record("orders", span("POST"), 0).id;
    assert_eq!(id, record("orders", span("POST"), 3).id, "equal spans are one record");
    assert_ne!(id, record("orders", span("GET"), 0).id);
    assert_ne!(id, record("payments", span("POST"), 0).id);
    let mut elsewhere = record("orders", span("POST"), 0);
    elsewhere.position.segment = 9;
    elsewhere.arrival = Some(Stamp::MAX);
    assert_eq!(id, elsewhere.id);
}

#[test]
fn equal_logs_of_one_request_are_distinct_records() {
    let log = || Body::Log(Log { body: Value::from("tick"), ..Log::default() });
    assert_ne!(record("orders", log(), 0).id, record("orders", log(), 1).id);
    assert_eq!(record("orders", log(), 1).id, record("orders", log(), 1).id);
}

#[test]
fn the_order_of_attributes_means_nothing() {
    let with = |keys: [&str; 2]| {
        let attributes = keys.into_iter().map(|key| (key, Value::from(key))).collect();
        record("orders", Body::Log(Log { attributes, ..Log::default() }), 0).id
    };
    assert_eq!(with(["a", "b"]), with(["b", "a"]));
}

/// Ids outlive versions: notes, bundles and other machines refer to them.
#[test]
fn ids_do_not_change_between_versions() {
    let attributes = [("order.id", Value::Int(42)), ("ok", Value::Bool(true))].into_iter().collect();
    let span = Span {
        trace_id: TraceId([1; 16]),
        span_id: SpanId([2; 8]),
        name: "POST /orders".into(),
        start: Time(10),
        end: Time(20),
        attributes,
        ..Span::default()
    };
    let id = record("orders", Body::Span(span), 0).id.to_string();
    assert_eq!(id, "84e04e0d14b90e1cff6cdcc7ba4bb3c4");
}

#[test]
fn positions_round_trip_and_sort_by_place() {
    let position = Position { segment: 3, offset: 4096, frame: 1, item: 17 };
    assert_eq!(position.to_string().parse(), Ok(position));
    for text in ["", "1-2-3", "1-2-3-4-5", "1-2-x-4"] {
        assert!(text.parse::<Position>().is_err(), "{text:?}");
    }
}
