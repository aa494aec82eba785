use proptest::prelude::*;
use regex::Regex;
use timeline::record::{Body, Link, Record, Severity, SpanEvent, SpanKind, Status, StatusCode};
use timeline::time::Time;
use timeline::value::Value;

use super::*;
use crate::testing::{attributes, log, record, span, span_id, trace};

fn payment() -> Record {
    let mut span = span(1, 2, "POST /charge");
    span.parent_span_id = Some(span_id(1));
    span.kind = SpanKind::Client;
    span.status = Status { code: StatusCode::Error, message: "Card declined".into() };
    span.attributes = attributes([
        ("order.id", Value::Int(42)),
        ("amount", Value::Double(9.5)),
        ("tags", Value::Array(vec!["vip".into(), Value::Int(7)])),
        ("cart", Value::Map(attributes([("owner", "Alice B".into()), ("size", Value::Int(3))]))),
    ]);
    span.events = vec![SpanEvent {
        name: "retry".into(),
        attributes: attributes([("attempt", Value::Int(2))]),
        ..SpanEvent::default()
    }];
    span.links = vec![Link {
        trace_id: trace(9),
        attributes: attributes([("why", "batch".into())]),
        ..Link::default()
    }];
    record(1, "payments", Body::Span(span))
}

fn note() -> Record {
    let mut log = log("order 42 is now paid");
    log.severity_number = 13;
    log.trace_id = Some(trace(1));
    log.span_id = Some(span_id(2));
    log.event_name = "order.changed".into();
    record(2, "orders", Body::Log(log))
}

fn attribute(key: &str, value: TextMatch) -> Predicate {
    Predicate::Attribute { key: key.into(), value }
}

fn is(text: &str) -> TextMatch {
    TextMatch::Is(text.into())
}

fn like(pattern: &str) -> TextMatch {
    TextMatch::Like(Regex::new(pattern).expect("a pattern"))
}

fn starts(text: &str) -> TextMatch {
    TextMatch::StartsWith(text.into())
}

fn number(key: &str, comparison: Comparison, number: f64) -> Predicate {
    Predicate::Number { key: key.into(), comparison, number }
}

#[test]
fn each_predicate_tells_a_span_from_a_log() {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
    // (predicate, matches the payment, matches the note)
    let cases = [
        (Predicate::All(vec![]), true, true),
        (Predicate::Any(vec![]), false, false),
        (Predicate::Trace(trace(1)), true, true),
        (Predicate::Span(span_id(2)), true, true),
        (Predicate::Parent(span_id(1)), true, false),
        (Predicate::LinkTo(trace(9)), true, false),
        (Predicate::LinkTo(trace(1)), false, false),
        (Predicate::Signal(Signal::Spans), true, false),
        (Predicate::Signal(Signal::Logs), false, true),
        (Predicate::Service(is("payments")), true, false),
        (Predicate::Service(starts("or")), false, true),
        (Predicate::Name(is("POST /charge")), true, false),
        (Predicate::Name(is("retry")), true, false),
        (Predicate::Name(like("^order")), false, true),
        (Predicate::Kind(SpanKind::Client), true, false),
        (Predicate::Kind(SpanKind::Internal), false, false),
        (Predicate::Status(StatusCode::Error), true, false),
        (Predicate::Status(StatusCode::Unset), false, false),
        (Predicate::Severity(AtLeast, Severity::Warn), true, true),
        (Predicate::Severity(Equal, Severity::Warn), false, true),
        (Predicate::Severity(Less, Severity::Error), false, true),
        (Predicate::Duration(Greater, 200_000_000), true, false),
        (Predicate::Duration(Greater, 250_000_000), false, false),
        (Predicate::Duration(AtMost, 250_000_000), true, false),
        (attribute("order.id", is("42")), true, false),
        (attribute("order.id", starts("4")), true, false),
        (attribute("order.id", is("4")), false, false),
        (attribute("amount", is("9.5")), true, false),
        (attribute("tags", is("vip")), true, false),
        (attribute("tags", is("7")), true, false),
        (attribute("tags", is(r#"["vip",7]"#)), true, false),
        (attribute("cart.owner", is("Alice B")), true, false),
        (attribute("cart", TextMatch::Present), false, false),
        (attribute("attempt", TextMatch::Present), true, false),
        (attribute("why", is("batch")), true, false),
        (attribute("host.name", is("node-a")), true, true),
        (number("amount", Greater, 9.4), true, false),
        (number("order.id", Equal, 42.0), true, false),
        (number("tags", AtLeast, 7.0), true, false),
        (number("host.name", AtLeast, 0.0), false, false),
        (Predicate::Word("declined".into()), true, false),
        (Predicate::Word("alice".into()), true, false),
        (Predicate::Word("vip".into()), true, false),
        (Predicate::Word("paid".into()), false, true),
        (Predicate::Word("node".into()), false, false),
        (Predicate::Phrase(vec!["card".into(), "declined".into()]), true, false),
        (Predicate::Phrase(vec!["now".into(), "paid".into()]), false, true),
        (Predicate::Phrase(vec![]), true, true),
        (Predicate::Value("42".into()), true, true),
        (Predicate::Value(trace(1).to_string()), true, true),
        (Predicate::Value("node-a".into()), true, true),
        (Predicate::Value("43".into()), false, false),
        (Predicate::Value(String::new()), false, false),
    ];
    for (predicate, span, log) in cases {
        assert_eq!(predicate.matches(&payment()), span, "{predicate:?} on the span");
        assert_eq!(predicate.matches(&note()), log, "{predicate:?} on the log");
    }
}

#[test]
fn odd_spans_have_the_duration_that_the_words_say() {
    let long = |start, end| {
        let mut span = span(1, 1, "GET");
        (span.start, span.end) = (Time(start), Time(end));
        record(1, "orders", Body::Span(span))
    };
    let at_most_zero = Predicate::Duration(Comparison::AtMost, 0);
    assert!(at_most_zero.matches(&long(20, 10)), "it ends before it starts");
    assert!(!at_most_zero.matches(&long(20, 0)), "it has not ended");
    assert!(!Predicate::Not(Box::new(at_most_zero.clone())).matches(&long(20, 10)));
}

proptest! {
    #[test]
    fn comparisons_are_the_operators(a: i8, b: i8) {
        let holds = |comparison: Comparison| comparison.holds(a.cmp(&b));
        prop_assert_eq!(holds(Comparison::Less), a < b);
        prop_assert_eq!(holds(Comparison::AtMost), a <= b);
        prop_assert_eq!(holds(Comparison::Equal), a == b);
        prop_assert_eq!(holds(Comparison::AtLeast), a >= b);
        prop_assert_eq!(holds(Comparison::Greater), a > b);
    }

    /// A key looked up is a key that the flat form has.
    #[test]
    fn nested_keys_are_those_of_the_flat_form(path in "[ab.]{1,4}", asked in "[ab.]{1,4}") {
        let nested = path.rsplit('.').fold(Value::Int(1), |value, key| {
            Value::Map([(key, value)].into_iter().collect())
        });
        let Value::Map(list) = nested else { unreachable!("folded at least once") };
        let mut log = log("");
        log.attributes = list;
        let flat = log.attributes.to_flat_json();
        let found = attribute(&asked, is("1")).matches(&record(1, "orders", Body::Log(log)));
        prop_assert_eq!(found, flat.contains_key(&asked), "{:?}", flat);
    }
}
