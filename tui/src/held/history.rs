//! The fold over what the document says was read and written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use timeline::document::{Event, Op, StateChange};
use timeline::id::{EventId, Point};
use timeline::judge::{Settings, owners};
use timeline::state::{History, Operation, Thing, fold};
use timeline::value::Value;

use super::reach::Reach;
use crate::told::Told;

/// From so many operations on, what each copy held is not told: their order takes the square of their number.
pub const OPERATIONS_MAX: usize = 4_000;

/// What each copy held, at each place of the list.
#[derive(Debug, Default)]
pub struct Held {
    /// The fold; empty where there are too many operations.
    pub history: History,
    /// How many operations there are.
    pub operations: usize,
    /// The system of record of each type of thing, where it can be told.
    pub owners: BTreeMap<String, String>,
}

impl Held {
    /// Folds the events of `told`.
    pub fn new(told: &Told) -> Held {
        let operations: Vec<Operation> = told
            .document
            .events
            .iter()
            .flat_map(|event| event.state.iter().filter_map(|change| operation(event, change)))
            .collect();
        let count = operations.len();
        if count == 0 || count > OPERATIONS_MAX {
            return Held { operations: count, ..Held::default() };
        }
        let events: BTreeSet<EventId> = operations
            .iter()
            .flat_map(|own| [own.event, own.began, own.effect_began(), own.effect_ended()])
            .collect();
        let history = fold(&operations, &Reach::new(told, &events));
        Held { history, operations: count, owners: owners(&operations, &Settings::default()) }
    }

    /// Whether there are more operations than are told of.
    pub fn is_too_much(&self) -> bool {
        self.operations > OPERATIONS_MAX
    }
}

fn operation(event: &Event, change: &StateChange) -> Option<Operation> {
    let (kind, key) = change.entity.split_once('/')?;
    let value = |json: &Option<Json>| json.as_ref().map(value_of);
    Some(Operation {
        record: event.record,
        event: event.id,
        began: match event.id.point {
            Point::End => EventId { point: Point::Start, ..event.id },
            _ => event.id,
        },
        thing: Some(Thing { kind: kind.to_owned(), key: key.to_owned() }),
        kind: kind.to_owned(),
        copy: change.copy.clone(),
        part: change.part,
        op: change.op,
        field: change.field.clone(),
        from: value(&change.from),
        value: match change.op {
            Op::Delete => None,
            _ => value(&change.value),
        },
        delta: value(&change.delta),
        version: value(&change.version),
        expected_version: None,
        outcome: change.outcome,
        transaction: None,
        visible_at: change.visible_at,
        intent: None,
        evidence: change.evidence,
        identity: change.identity,
    })
}

fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::Empty,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(list) => Value::Array(list.iter().map(value_of).collect()),
        Json::Object(map) => {
            Value::Map(map.iter().map(|(key, value)| (key.clone(), value_of(value))).collect())
        }
    }
}
