//! A hand-made store: one incident of order/42, told as the terminal UI's goal draws it.
//!
//! | file          | what it alone knows                        |
//! |---------------|--------------------------------------------|
//! | `story.rs`    | how a timeline is put together             |
//! | `incident.rs` | what befell order/42, and larger timelines |
//! | `records.rs`  | records as searches and traces return them |
//! | `tables.rs`   | the answers behind the tables              |
//! | `store.rs`    | the query interface over these             |

mod incident;
mod records;
mod store;
mod story;
mod tables;

use serde_json::{Map, Value};
use timeline::time::Time;

pub(crate) use incident::{crowded, healthy, incident, large};
pub(crate) use records::{record, trace_records};
pub(crate) use store::Canned;
pub(crate) use story::Story;

/// 2026-11-23T10:00:00Z.
pub(crate) const START: Time = Time(1_795_428_000_000_000_000);

/// A moment so many milliseconds after [`START`].
pub(crate) fn at(ms: f64) -> Time {
    START.shifted((ms * 1e6).round() as i128)
}

pub(crate) fn attributes(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
