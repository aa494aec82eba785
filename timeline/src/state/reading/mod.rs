//! From records to operations on state: what each record says was read and written, of which thing, in which copy.
//!
//! | file             | what it alone knows                                                        |
//! |------------------|----------------------------------------------------------------------------|
//! | `reader.rs`      | the sources of one record, surest first                                    |
//! | `explicit.rs`    | `backstory.*` attributes                                                   |
//! | `described.rs`   | entity events of OpenTelemetry: the difference between two descriptions    |
//! | `sql/`           | statements                                                                 |
//! | `redis.rs`       | commands of Redis and Valkey                                               |
//! | `http.rs`        | methods on paths                                                           |
//! | `message.rs`     | messages sent and received                                                 |
//! | `log.rs`         | log lines and structured log attributes                                    |
//! | `repeats.rs`     | what several records of one trace tell is one operation                    |
//! | `table.rs`       | what a table's name says                                                   |
//! | `outcome.rs`     | whether what a span did took effect                                        |
//! | `draft.rs`       | an operation before other records have been asked                          |
//! | `transaction.rs` | which operations are one transaction, and whether it was committed         |
//! | `travel.rs`      | how a key that a record lacks comes from its trace                         |
//! | `unattributed.rs` | writes that could concern a timeline, and nobody knows whether they do    |
//!
//! # Invariants
//!
//! - **ST-1** The operations depend on the set of records, and on nothing else.
//! - **ST-2** No value is told that no record says: a value cut by a sanitiser is absent, not guessed.
//! - **ST-3** An inferred key says so, and none is inferred where the place that would name it names several things of
//!   the type.

mod described;
mod draft;
mod explicit;
mod http;
mod log;
mod message;
mod outcome;
mod reader;
mod redis;
mod repeats;
mod sql;
mod table;
#[cfg(test)]
mod tests;
mod transaction;
mod travel;
mod unattributed;

use std::collections::HashSet;

use crate::held::{At, Held};
use crate::id::{EventId, Point, RecordId};
use crate::order::moment::Moments;
use crate::record::Record;
use crate::state::{Operation, Thing};
use crate::value::Value;

use draft::{Draft, Key};
use reader::Reader;
pub(crate) use unattributed::unattributed;

/// An operation and what is known of it so far.
struct Told {
    at: At,
    draft: Draft,
    /// The event at which its transaction was committed.
    visible_at: Option<EventId>,
}

/// The operations that the records tell of, by record, each record's in the order in which it tells them.
pub(crate) fn operations(held: &Held) -> Vec<Operation> {
    let mut reader = Reader::default();
    let mut told = Vec::new();
    let mut controls = Vec::new();
    for (at, record) in held.records().iter().enumerate() {
        let read = reader.read(record);
        controls.extend(read.controls.into_iter().map(|(before, control)| (at, before, control)));
        told.extend(read.drafts.into_iter().map(|draft| Told { at, draft, visible_at: None }));
    }
    described::add(held, &mut told);
    repeats::drop_repeats(held, &mut told);
    transaction::settle(held, &mut told, &controls);
    travel::settle(held, &mut told);
    repeats::merge_lines(held, &mut told);
    told.sort_by_key(|told| (told.at, told.draft.point)); // stable: the order of telling stays
    told.into_iter().map(|told| operation(held, told)).collect()
}

/// What one record says by itself: before its key travels along the trace and its transaction ends.
pub(crate) fn drafts(record: &Record) -> Vec<Draft> {
    Reader::default().read(record).drafts
}

/// What one record says by itself of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The type of the thing.
    pub kind: String,
    /// The field.
    pub field: String,
    /// The values that it had, has, or changed by.
    pub values: Vec<Value>,
}

/// What a record says by itself of fields, its versions among them.
pub fn said(record: &Record) -> Vec<Said> {
    let mut said = Vec::new();
    for draft in drafts(record) {
        let mut add = |field: Option<&str>, values: [Option<Value>; 3]| {
            let values: Vec<Value> = values.into_iter().flatten().collect();
            if let (Some(field), false) = (field, values.is_empty()) {
                said.push(Said { kind: draft.kind.clone(), field: field.to_owned(), values });
            }
        };
        add(draft.field.as_deref(), [draft.from, draft.value, draft.delta]);
        add(Some("version"), [draft.version, draft.expected_version, None]);
    }
    said
}

fn operation(held: &Held, told: Told) -> Operation {
    let Told { at, draft, visible_at } = told;
    let record = held.record(at);
    let event = EventId::new(record.id, draft.point);
    let began = match draft.point {
        Point::End => EventId::new(record.id, Point::Start),
        _ => event,
    };
    let thing = match draft.key {
        Key::Known(key) => Some(Thing { kind: draft.kind.clone(), key }),
        Key::Hidden | Key::Many => None,
    };
    Operation {
        record: record.id,
        event,
        began,
        thing,
        kind: draft.kind,
        copy: draft.copy,
        part: draft.part,
        op: draft.op,
        field: draft.field,
        from: draft.from,
        value: draft.value,
        delta: draft.delta,
        version: draft.version,
        expected_version: draft.expected_version,
        outcome: draft.outcome,
        transaction: draft.transaction,
        visible_at,
        intent: draft.intent,
        evidence: draft.evidence,
        identity: draft.identity,
    }
}

/// Those of `operations` whose records are among the timeline's moments.
pub(crate) fn listed(held: &Held, moments: &Moments, operations: Vec<Operation>) -> Vec<Operation> {
    let listed = held.records().iter().enumerate().filter(|(at, _)| moments.start(*at).is_some());
    let listed: HashSet<RecordId> = listed.map(|(_, record)| record.id).collect();
    operations.into_iter().filter(|operation| listed.contains(&operation.record)).collect()
}
