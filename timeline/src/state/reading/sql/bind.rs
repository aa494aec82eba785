//! From a shape and the values of one execution to operations.

use super::Flavour;
use super::normal::Bound;
use super::parameters::Parameters;
use super::shape::{Cell, Change, Own, Row, Touch, Verb};
use crate::document::{Op, Outcome, StateEvidence};
use crate::id::Point;
use crate::naming;
use crate::state::reading::draft::{Draft, Key, normal};
use crate::state::reading::table;
use crate::value::Value;

/// More operations of one statement are not told; what they would touch is said to be unknown.
const OPERATIONS_MAX: usize = 1_000;

/// Where a statement ran and what became of it.
pub(super) struct Place<'a> {
    pub(super) flavour: Flavour,
    pub(super) namespace: &'a str,
    pub(super) outcome: Outcome,
    /// How many rows it changed, and how many it handed back, where that is recorded.
    pub(super) affected: (Option<i64>, Option<i64>),
}

/// The values of one execution.
pub(super) struct Bindings<'a> {
    pub(super) bound: &'a [Bound],
    pub(super) parameters: Parameters,
}

impl Bindings<'_> {
    /// The value of `cell`; `None` where nobody recorded it, or the database computed it.
    fn value(&self, cell: &Cell) -> Option<Value> {
        match cell {
            Cell::Bound(number) => match self.bound.get(*number)? {
                Bound::Literal(value) => Some(normal(value.clone())),
                Bound::Parameter(key) => self.parameters.get(key).cloned(),
                Bound::Hidden => None,
            },
            Cell::Negative(number) => negative(&self.value(&Cell::Bound(*number))?),
            Cell::Constant(value) => Some(normal(value.clone())),
            Cell::Computed => None,
        }
    }

    fn key(&self, cell: &Cell) -> Key {
        self.value(cell).and_then(|value| naming::key_of(&value)).map_or(Key::Hidden, Key::Known)
    }
}

fn negative(value: &Value) -> Option<Value> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int),
        Value::Double(number) => Some(Value::Double(-number)),
        _ => None,
    }
}

impl Place<'_> {
    fn copy(&self, touch: &Touch) -> String {
        match (&touch.schema, self.flavour) {
            (Some(schema), Flavour::MySql) => table::copy(schema, None, &touch.table), // a schema is a database there
            (schema, _) => table::copy(self.namespace, schema.as_deref(), &touch.table),
        }
    }

    /// No row changed: no effect. A statement that may do nothing leaves it open, unless rows were counted.
    fn outcome(&self, touch: &Touch) -> Outcome {
        if self.outcome != Outcome::Ok || touch.verb == Verb::Select {
            return self.outcome;
        }
        let (affected, returned) = self.affected;
        match affected.or(returned.filter(|_| touch.returning)) {
            Some(0) => Outcome::Failed,
            Some(_) => Outcome::Ok,
            None if touch.conditional => Outcome::Unknown,
            None => Outcome::Ok,
        }
    }
}

/// Whose state a row is, by one of its keys.
struct Whose {
    kind: String,
    key: Key,
    part: bool,
}

/// Adds what `touch` did in this execution.
pub(super) fn bind(touch: &Touch, bindings: &Bindings<'_>, place: &Place<'_>, drafts: &mut Vec<Draft>) {
    let before = drafts.len();
    let copy = place.copy(touch);
    let outcome = place.outcome(touch);
    for row in &touch.rows {
        for whose in whose(touch, row, bindings) {
            let mut base = Draft::new(Point::End, &whose.kind, whose.key, &copy, Op::Read);
            base.part = whose.part;
            base.outcome = outcome;
            base.evidence = StateEvidence::Sql;
            push(touch, row, bindings, base, drafts);
            if drafts.len() - before > OPERATIONS_MAX {
                drafts.truncate(before + OPERATIONS_MAX);
                let mut rest = Draft::new(Point::End, &touch.kind, Key::Many, &copy, Op::Write);
                (rest.outcome, rest.evidence) = (outcome, StateEvidence::Sql);
                drafts.push(rest);
                return;
            }
        }
    }
}

/// The row's own thing, and those that it refers to.
fn whose(touch: &Touch, row: &Row, bindings: &Bindings<'_>) -> Vec<Whose> {
    let own = |key| Whose { kind: touch.kind.clone(), key, part: false };
    let mut all = Vec::new();
    match &row.own {
        Own::Cells(cells) => {
            all.extend(cells.iter().map(|cell| own(bindings.key(cell))));
        }
        Own::Hidden => all.push(own(Key::Hidden)),
        Own::Many if touch.verb == Verb::Select => {}
        Own::Many => all.push(own(Key::Many)),
    }
    for (kind, cells) in &row.refers {
        all.extend(cells.iter().map(|cell| Whose {
            kind: kind.clone(),
            key: bindings.key(cell),
            part: true,
        }));
    }
    all
}

fn push(touch: &Touch, row: &Row, bindings: &Bindings<'_>, base: Draft, drafts: &mut Vec<Draft>) {
    let mut base = base;
    base.expected_version = row.expected_version.as_ref().and_then(|cell| bindings.value(cell));
    base.version = match &row.version {
        Some(Change::Set(cell)) => bindings.value(cell),
        Some(Change::Add(cell)) => next(base.expected_version.as_ref(), bindings.value(cell)),
        _ => None,
    };
    if touch.verb == Verb::Delete {
        drafts.push(Draft { op: Op::Delete, ..base });
        return;
    }
    if row.changes.is_empty() {
        let op = if touch.verb == Verb::Select { Op::Read } else { Op::Write };
        drafts.push(Draft { op, ..base });
        return;
    }
    for (field, change) in &row.changes {
        let mut draft = Draft { field: Some(field.clone()), ..base.clone() };
        let guard = row.guards.iter().find(|(guarded, _)| guarded == field);
        match change {
            Change::Read => draft.op = Op::Read,
            Change::Set(cell) => {
                draft.op = Op::Write;
                draft.value = bindings.value(cell);
                draft.from = guard.and_then(|(_, cell)| bindings.value(cell));
            }
            Change::Add(cell) => (draft.op, draft.delta) = (Op::Add, bindings.value(cell)),
            Change::Subtract(cell) => {
                (draft.op, draft.delta) = (Op::Add, bindings.value(cell).as_ref().and_then(negative));
            }
            Change::Append(cell) => (draft.op, draft.value) = (Op::Append, bindings.value(cell)),
        }
        drafts.push(draft);
    }
}

/// `version = version + 1 WHERE version = 3` writes version 4.
fn next(expected: Option<&Value>, by: Option<Value>) -> Option<Value> {
    match (expected?, by?) {
        (Value::Int(version), Value::Int(by)) => version.checked_add(by).map(Value::Int),
        _ => None,
    }
}
