//! Entity events of OpenTelemetry: each describes a whole entity; the difference between two descriptions of one id
//! by one emitter is a transition.
//!
//! Both forms are read: the events `entity.state` and `entity.delete` with `entity.type`, `entity.id` and
//! `entity.description` (semantic conventions 1.44, in development), and the older attributes `otel.entity.*`.

use std::collections::BTreeMap;

use super::Told;
use super::draft::{Draft, Key, normal};
use super::explicit::memory;
use crate::document::{Op, StateEvidence};
use crate::held::{At, Held};
use crate::id::Point;
use crate::naming;
use crate::record::{Log, Record};
use crate::time::Time;
use crate::value::{Attributes, Value};

/// One description of an entity; `None` where it says that the entity is gone.
struct Description<'a> {
    kind: String,
    key: String,
    fields: Option<&'a Attributes>,
}

/// Adds what entity events tell: of the first description what was seen, of every next one what changed.
pub(super) fn add(held: &Held, told: &mut Vec<Told>) {
    // By emitter and entity, in the emitter's own order of time.
    let mut by_entity: BTreeMap<(String, String, u128), Vec<(Time, At)>> = BTreeMap::new();
    for (at, record) in held.records().iter().enumerate() {
        if let Some(log) = record.as_log()
            && let Some(description) = description(log)
        {
            let entity = (description.kind, description.key, record.resource.digest());
            by_entity.entry(entity).or_default().push((log.best_time(), at));
        }
    }
    for ((kind, key, _), mut events) in by_entity {
        events.sort_unstable();
        let mut before: Option<&Attributes> = None;
        for (_, at) in events {
            let record = held.record(at);
            let Some(now) = record.as_log().and_then(description) else { continue };
            let drafts = difference(&kind, &key, record, before, now.fields);
            told.extend(drafts.into_iter().map(|draft| Told { at, draft, visible_at: None }));
            before = now.fields;
        }
    }
}

fn description(log: &Log) -> Option<Description<'_>> {
    let attributes = &log.attributes;
    let name = attributes.get_any(&["event.name", "otel.entity.event.type"]).and_then(Value::as_str);
    let name = if log.event_name.is_empty() { name? } else { &log.event_name };
    let gone = match name {
        "entity.state" | "entity_state" => false,
        "entity.delete" | "entity_delete" => true,
        _ => return None,
    };
    let kind = attributes.get_any(&["entity.type", "otel.entity.type"])?.to_text();
    let key = naming::key_of(attributes.get_any(&["entity.id", "otel.entity.id"])?)?;
    let fields = match attributes.get_any(&["entity.description", "otel.entity.attributes"]) {
        Some(Value::Map(fields)) => Some(fields),
        _ => None,
    };
    Some(Description { kind: naming::kind_named(&kind), key, fields: fields.filter(|_| !gone) })
}

fn difference(
    kind: &str,
    key: &str,
    record: &Record,
    before: Option<&Attributes>,
    now: Option<&Attributes>,
) -> Vec<Draft> {
    let copy = record.attributes().get("backstory.copy").and_then(Value::as_str).map(str::to_owned);
    let copy = copy.unwrap_or_else(|| memory(record.resource.service()));
    let draft = |op, field: Option<&str>| {
        let mut draft = Draft::new(Point::Log, kind, Key::Known(key.to_owned()), &copy, op);
        draft.field = field.map(naming::snake);
        draft.evidence = StateEvidence::EntityEvent;
        draft
    };
    let own = |value: &Value| Some(normal(value.clone()));
    let Some(now) = now else { return vec![draft(Op::Delete, None)] };
    let mut drafts = Vec::new();
    for (field, value) in now.iter() {
        match before.map(|before| before.get(field)) {
            None => drafts.push(Draft { value: own(value), ..draft(Op::Read, Some(field)) }),
            Some(Some(old)) if old == value => {}
            Some(old) => {
                let from = old.and_then(own);
                drafts.push(Draft { from, value: own(value), ..draft(Op::Write, Some(field)) });
            }
        }
    }
    let gone = before.into_iter().flat_map(Attributes::iter).filter(|(field, _)| now.get(field).is_none());
    drafts.extend(gone.map(|(field, old)| Draft { from: own(old), ..draft(Op::Delete, Some(field)) }));
    drafts
}
