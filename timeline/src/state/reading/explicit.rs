//! `backstory.*` attributes: one operation is one set of them on a span, a log, or a span event `backstory.state`.

use super::draft::{Draft, Key, normal};
use super::outcome::outcome;
use crate::document::{Op, Outcome, StateEvidence};
use crate::id::Point;
use crate::naming;
use crate::record::{Body, Record};
use crate::value::{Attributes, Value};

/// Adds the operations that `record` declares.
pub(super) fn read(record: &Record, drafts: &mut Vec<Draft>) {
    let service = record.resource.service();
    match &record.body {
        Body::Span(span) => {
            let point = if span.end.is_set() { Point::End } else { Point::Start };
            // What a span's events declare took effect if the span did.
            let outcome = outcome(span);
            drafts.extend(declared(&span.attributes, point, service, outcome));
            let events = (0..).zip(&span.events).filter(|(_, event)| event.name == "backstory.state");
            drafts.extend(events.filter_map(|(number, event)| {
                declared(&event.attributes, Point::SpanEvent(number), service, outcome)
            }));
        }
        Body::Log(log) => {
            drafts.extend(declared(&log.attributes, Point::Log, service, Outcome::Ok));
            if let Value::Map(fields) = &log.body {
                drafts.extend(declared(fields, Point::Log, service, Outcome::Ok));
            }
        }
    }
}

fn declared(attributes: &Attributes, point: Point, service: &str, otherwise: Outcome) -> Option<Draft> {
    let text = |name: &str| attributes.get(name).map(Value::to_text).filter(|text| !text.is_empty());
    let kind = naming::kind_named(&text("backstory.entity.type")?);
    let has = |name: &str| attributes.get(name).is_some();
    let op = match text("backstory.op").as_deref() {
        Some("write") => Op::Write,
        Some("append") => Op::Append,
        Some("add") => Op::Add,
        Some("read") => Op::Read,
        Some("delete") => Op::Delete,
        Some(_) => return None,
        // Naming a thing is no operation; a value or the field it stood in is.
        None if has("backstory.from") || has("backstory.value") => Op::Write,
        None => return None,
    };
    let key = attributes.get("backstory.entity.key").and_then(naming::key_of).map_or(Key::Hidden, Key::Known);
    let value = |name: &str| attributes.get(name).cloned().map(normal);
    let copy = text("backstory.copy").map_or_else(|| memory(service), |copy| copy.into_owned());
    let mut draft = Draft::new(point, &kind, key, &copy, op);
    draft.field = text("backstory.field").map(|field| naming::snake(&field));
    draft.from = value("backstory.from");
    match op {
        Op::Add => draft.delta = value("backstory.value"),
        _ => draft.value = value("backstory.value"),
    }
    draft.version = value("backstory.version");
    draft.outcome = match text("backstory.outcome").as_deref() {
        Some("ok") => Outcome::Ok,
        Some("failed") => Outcome::Failed,
        Some(_) => Outcome::Unknown,
        None => otherwise,
    };
    draft.transaction = text("backstory.transaction").map(|text| text.into_owned());
    draft.intent = text("backstory.intent").map(|text| text.into_owned());
    draft.evidence = StateEvidence::Attribute;
    Some(draft)
}

/// What a service believes, where no store is named.
pub(super) fn memory(service: &str) -> String {
    format!("{service}/memory")
}
