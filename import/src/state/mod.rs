//! State from outside: changes and snapshots of a copy, as log records with `backstory.*` attributes, so that they are in the
//! journal like all else.
//!
//! | file         | what it alone knows                                                    |
//! |--------------|------------------------------------------------------------------------|
//! | `rows.rs`    | a file's rows: CSV or JSON lines                                       |
//! | `changes.rs` | a row as a change: Debezium's envelopes, audit and outbox tables       |
//! | `options.rs` | what a user says of a file                                             |
//! | `record.rs`  | an operation as a record                                               |
//!
//! An operation at a known moment is a log record. One whose moment is known to a second is a span of that second: what a span did
//! took effect between its start and its end, and nothing more is claimed.

mod changes;
mod options;
mod record;
mod rows;

use serde_json::{Map, Value};

pub use options::{Moment, StateOptionError, StateOptions};

use self::record::Operation;
use self::rows::Rows;
use crate::format::Format;
use crate::input::Input;
use crate::logs::LogOptions;
use crate::request::{ImportError, Out};

/// A row by its columns.
type Row = Map<String, Value>;

/// Reads a file of changes, or a snapshot.
pub(crate) fn read(
    format: Format,
    options: &StateOptions,
    times: &LogOptions,
    input: &mut Input<'_>,
    out: &mut Out<'_>,
) -> Result<(), ImportError> {
    let copy = options.copy.as_deref().ok_or(StateOptionError::Copy)?;
    let at = match format {
        Format::Snapshot => Some(options.at.ok_or(StateOptionError::At)?),
        _ => None,
    };
    let source = options.source(copy);
    let mut rows = Rows::open(input)?;
    while let Some((place, row)) = rows.next(input)? {
        let row = match row {
            Ok(row) => row,
            Err(what) => {
                out.fault(place, what);
                continue;
            }
        };
        let operations = match at {
            Some(at) => observations(&row, at, options),
            None => changes::of(&row, options, times)?,
        };
        match operations {
            Ok(operations) => {
                for (number, operation) in operations.iter().enumerate() {
                    operation.add(copy, &place, number, &source, out)?;
                }
            }
            Err(what) => out.fault(place, what),
        }
    }
    Ok(())
}

/// A row of a snapshot: what the copy held of one thing.
fn observations(row: &Row, at: Moment, options: &StateOptions) -> Result<Vec<Operation>, String> {
    let kind = options.entity.clone().ok_or("say whose rows they are with --entity TYPE")?;
    let keys = options.keys(row)?;
    let key = record::key(row, &keys)?;
    let read = |(field, value): (&String, &Value)| Operation {
        kind: kind.clone(),
        key: key.clone(),
        op: "read",
        field: Some(field.clone()),
        from: None,
        value: Some(value.clone()),
        version: options.column("version").and_then(|column| row.get(column)).cloned(),
        transaction: None,
        at,
        span: None,
    };
    let fields = row.iter().filter(|(field, _)| !keys.contains(field) && options.takes(field));
    let observations: Vec<Operation> = fields.map(read).collect();
    if observations.is_empty() { Err(options.no_field()) } else { Ok(observations) }
}

#[cfg(test)]
mod tests;
