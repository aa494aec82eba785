//! Operations that records state outright: the attributes `backstory.*`.

use crate::document::{Identity, Op, Outcome, StateEvidence};
use crate::held::Held;
use crate::id::{EventId, Point};
use crate::naming;
use crate::order::moment::Moments;
use crate::record::{Body, Record, Span, StatusCode};
use crate::state::{Operation, Thing};
use crate::value::{Attributes, Value};

/// The name of a span event that states one operation of several.
const EVENT: &str = "backstory.state";

/// The operations that the listed records state, by record.
pub(crate) fn operations(held: &Held, moments: &Moments) -> Vec<Operation> {
    let listed = held.records().iter().enumerate().filter(|(at, _)| moments.start(*at).is_some());
    listed.flat_map(|(_, record)| stated(record)).collect()
}

fn stated(record: &Record) -> Vec<Operation> {
    match &record.body {
        Body::Log(log) => {
            let event = EventId::new(record.id, Point::Log);
            one(record, &log.attributes, [event, event], Outcome::Ok).into_iter().collect()
        }
        Body::Span(span) => {
            let start = EventId::new(record.id, Point::Start);
            let end = if span.end.is_set() { EventId::new(record.id, Point::End) } else { start };
            let own = one(record, &span.attributes, [start, end], outcome(span));
            let events = (0..).zip(&span.events).filter(|(_, event)| event.name == EVENT);
            let listed = events.filter_map(|(number, event)| {
                let at = EventId::new(record.id, Point::SpanEvent(number));
                one(record, &event.attributes, [at, at], outcome(span))
            });
            let transaction = format!("{}/{}", span.trace_id, span.span_id);
            own.into_iter()
                .chain(listed)
                .map(|operation| Operation {
                    transaction: operation.transaction.or_else(|| Some(transaction.clone())),
                    ..operation
                })
                .collect()
        }
    }
}

/// A span that ended in error had no effect; one that did not end may have had.
fn outcome(span: &Span) -> Outcome {
    match span.status.code {
        StatusCode::Error => Outcome::Failed,
        _ if span.end.is_set() => Outcome::Ok,
        _ => Outcome::Unknown,
    }
}

/// The operation that one set of attributes states; `None` where it lacks a type, a key, or what was done.
fn one(
    record: &Record,
    attributes: &Attributes,
    [began, event]: [EventId; 2],
    otherwise: Outcome,
) -> Option<Operation> {
    let value = |name: &str| attributes.get(name).cloned();
    let text = |name: &str| attributes.get(name).map(|value| value.to_text().into_owned());
    let kind = naming::kind_named(&text("backstory.entity.type")?);
    let key = naming::key_of(attributes.get("backstory.entity.key")?)?;
    let op = match text("backstory.op")?.as_str() {
        "write" => Op::Write,
        "append" => Op::Append,
        "add" => Op::Add,
        "read" => Op::Read,
        "delete" => Op::Delete,
        _ => return None,
    };
    let outcome = match text("backstory.outcome").as_deref() {
        Some("ok") => Outcome::Ok,
        Some("failed") => Outcome::Failed,
        Some("unknown") => Outcome::Unknown,
        _ => otherwise,
    };
    let told = value("backstory.value");
    let (value_told, delta): (Option<Value>, Option<Value>) =
        if op == Op::Add { (None, told) } else { (told, None) };
    let service = record.resource.service();
    Some(Operation {
        record: record.id,
        event,
        began,
        thing: Some(Thing { kind: kind.clone(), key }),
        kind,
        copy: text("backstory.copy").unwrap_or_else(|| format!("{service}/memory")),
        part: false,
        op,
        field: text("backstory.field"),
        from: value("backstory.from"),
        value: value_told,
        delta,
        version: value("backstory.version"),
        expected_version: None,
        outcome,
        transaction: text("backstory.transaction"),
        visible_at: None,
        intent: text("backstory.intent"),
        evidence: StateEvidence::Attribute,
        identity: Identity::Own,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::SpanEvent;
    use crate::testing::*;

    const WRITE: [(&str, &str); 6] = [
        ("backstory.entity.type", "Orders"),
        ("backstory.entity.key", "42"),
        ("backstory.copy", "shop/orders"),
        ("backstory.op", "write"),
        ("backstory.field", "status"),
        ("backstory.value", "paid"),
    ];

    #[test]
    fn a_span_states_one_operation_and_its_events_more() {
        let event = |value: &str| SpanEvent {
            name: EVENT.into(),
            attributes: WRITE
                .iter()
                .map(|(key, _)| (*key, value))
                .zip(WRITE)
                .map(|((key, _), (_, own))| {
                    (key, Value::from(if key == "backstory.value" { value } else { own }))
                })
                .collect(),
            ..SpanEvent::default()
        };
        let record = span(1, "orders", "work", 0.0, 1.0).with(&WRITE).change(|span| {
            span.events = vec![event("shipped"), SpanEvent::default()];
        });
        let operations = stated(&record.record());
        let told: Vec<_> = operations.iter().map(|o| (o.event.point, o.value.clone(), o.outcome)).collect();
        let shipped = (Point::SpanEvent(0), Some(Value::from("shipped")), Outcome::Ok);
        assert_eq!(told, [(Point::End, Some(Value::from("paid")), Outcome::Ok), shipped]);
        assert_eq!(operations[0].thing.as_ref().map(Thing::to_string).as_deref(), Some("order/42"));
        assert!(
            operations[0].transaction.is_some() && operations[0].transaction == operations[1].transaction
        );
    }

    #[test]
    fn an_error_is_no_effect_and_no_end_may_be_one() {
        let failed =
            span(1, "orders", "work", 0.0, 1.0).with(&WRITE).change(|s| s.status.code = StatusCode::Error);
        assert_eq!(stated(&failed.record())[0].outcome, Outcome::Failed);
        let open =
            span(1, "orders", "work", 0.0, 1.0).with(&WRITE).change(|s| s.end = crate::time::Time::UNSET);
        assert_eq!(stated(&open.record())[0].outcome, Outcome::Unknown);
    }

    #[test]
    fn what_names_no_entity_or_operation_states_nothing() {
        assert!(stated(&span(1, "orders", "work", 0.0, 1.0).with(&WRITE[..3]).record()).is_empty());
        assert!(stated(&span(1, "orders", "work", 0.0, 1.0).with(&WRITE[3..]).record()).is_empty());
    }
}
