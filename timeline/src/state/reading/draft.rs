//! An operation in the making: what a record says by itself, before keys travel and transactions end.

use crate::document::{Identity, Op, Outcome, StateEvidence};
use crate::id::Point;
use crate::value::Value;

/// What a record says was done, before what other records say of it is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    /// Which point of the record it stands on.
    pub(crate) point: Point,
    /// The type.
    pub(crate) kind: String,
    /// The key, as far as the record says it.
    pub(crate) key: Key,
    /// The copy.
    pub(crate) copy: String,
    /// Whether it is a row elsewhere that refers to the thing.
    pub(crate) part: bool,
    /// What was done.
    pub(crate) op: Op,
    /// The field.
    pub(crate) field: Option<String>,
    /// The value before.
    pub(crate) from: Option<Value>,
    /// The value written or read.
    pub(crate) value: Option<Value>,
    /// By how much it changed.
    pub(crate) delta: Option<Value>,
    /// The version written or read.
    pub(crate) version: Option<Value>,
    /// The version insisted on.
    pub(crate) expected_version: Option<Value>,
    /// Whether it took effect, as far as the record says.
    pub(crate) outcome: Outcome,
    /// A declared transaction.
    pub(crate) transaction: Option<String>,
    /// A declared intent.
    pub(crate) intent: Option<String>,
    /// What it was read from.
    pub(crate) evidence: StateEvidence,
    /// How a known key is known.
    pub(crate) identity: Identity,
}

/// A key as far as one record says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// This one.
    Known(String),
    /// One thing; which, the record does not say.
    Hidden,
    /// Things that no key names.
    Many,
}

impl Draft {
    /// An operation of this kind at `point`, with all else unknown.
    pub(crate) fn new(point: Point, kind: &str, key: Key, copy: &str, op: Op) -> Draft {
        Draft {
            point,
            kind: kind.to_owned(),
            key,
            copy: copy.to_owned(),
            part: false,
            op,
            field: None,
            from: None,
            value: None,
            delta: None,
            version: None,
            expected_version: None,
            outcome: Outcome::Ok,
            transaction: None,
            intent: None,
            evidence: StateEvidence::Attribute,
            identity: Identity::Own,
        }
    }
}

/// One form for one value, whoever wrote it: a text that is an integer in plain decimal is that integer.
pub(crate) fn normal(value: Value) -> Value {
    match value {
        Value::Text(text) => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Value::Int(number),
            _ => Value::Text(text),
        },
        other => other,
    }
}

/// [`normal`] of a text.
pub(crate) fn normal_text(text: &str) -> Value {
    normal(Value::from(text))
}
