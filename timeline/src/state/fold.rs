//! The fold: what each copy held at each place of the list, as far as the operations in it tell.
//!
//! Belief at a place folds the list up to and including it. The list extends every claimed "before", so that is
//! a consistent cut: with an event, all that is known to be before it is in the cut too.
//!
//! The value of a field is left open by every write that no other write is known to have replaced
//! (*maximal* writes), and, until a write surely took effect, by what held before.

use std::collections::{BTreeMap, BTreeSet};

use super::relation::{Relation, agree, effect_before, number};
use super::{Operation, Thing};
use crate::document::{Known, Op, Outcome};
use crate::id::EventId;
use crate::value::Value;

/// One field of one thing in one copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// Whose state.
    pub thing: Thing,
    /// Who holds it.
    pub copy: String,
    /// The field; `None` where the copy's operations name none at all.
    pub field: Option<String>,
}

/// What is believed of a slot from some place of the list on.
#[derive(Clone, Debug, PartialEq)]
pub struct Belief {
    /// The value; of several possible ones that which the list ends with. `None` where it is unknown,
    /// [`Value::Empty`] where nothing is held.
    pub value: Option<Value>,
    /// What else it may be: unordered writes, or writes of which nobody knows whether they took effect.
    pub alternatives: Vec<Value>,
    /// The version, where it is known.
    pub version: Option<Value>,
    /// The event that made it so; `None` for what held before the first event.
    pub event: Option<EventId>,
    /// How it is known.
    pub known: Known,
}

/// The history of one slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// Whether the copy is a row elsewhere that refers to the thing.
    pub part: bool,
    /// What held before the first event; `None` where it is unknown.
    pub initial: Option<Value>,
    /// The numbers of the operations on it that may have taken effect, by the place at which they had.
    pub operations: Vec<usize>,
    /// The beliefs, each from its place on. Invariant: places strictly increase.
    steps: Vec<(usize, Belief)>,
}

/// What every copy held, at every place of the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// By thing, copy and field.
    pub tracks: BTreeMap<Slot, Track>,
}

/// Folds the operations of a timeline.
///
/// What failed has no effect. A write without a field leaves every field of its copy unknown, a delete without one
/// empties them. Operations whose thing is unknown, or whose event is not listed, are left out.
pub fn fold(operations: &[Operation], relation: &impl Relation) -> History {
    let placed = placed(operations, relation);
    let fields = fields(operations);
    let mut tracks: BTreeMap<Slot, Track> = BTreeMap::new();
    for (_, at) in &placed {
        let operation = &operations[*at];
        let Some(thing) = &operation.thing else { continue };
        let holder = (thing.clone(), operation.copy.clone());
        let named = operation.field.as_ref().map(|field| BTreeSet::from([Some(field.clone())]));
        // What names no field concerns all of them; a read of unknown fields tells nothing.
        let concerned = named.or_else(|| fields.get(&holder).cloned());
        for field in concerned.unwrap_or_else(|| BTreeSet::from([None])) {
            let slot = Slot { thing: thing.clone(), copy: operation.copy.clone(), field };
            let track = tracks.entry(slot).or_default();
            track.part |= operation.part;
            track.operations.push(*at);
        }
    }
    for track in tracks.values_mut() {
        let own: Vec<(usize, &Operation)> = track
            .operations
            .iter()
            .filter_map(|at| Some((relation.place(operations[*at].effect_ended())?, &operations[*at])))
            .collect();
        track.initial = initial(&own, relation);
        track.steps = steps(&own, track.initial.as_ref(), relation);
    }
    History { tracks }
}

/// The operations that may have taken effect, by the place at which they had.
fn placed(operations: &[Operation], relation: &impl Relation) -> Vec<(usize, usize)> {
    let may_count = |operation: &Operation| operation.outcome != Outcome::Failed && operation.thing.is_some();
    let mut placed: Vec<(usize, usize)> = (0..operations.len())
        .filter(|at| may_count(&operations[*at]))
        .filter_map(|at| Some((relation.place(operations[at].effect_ended())?, at)))
        .collect();
    placed.sort_unstable();
    placed
}

/// The fields that any operation names, by thing and copy.
fn fields(operations: &[Operation]) -> BTreeMap<(Thing, String), BTreeSet<Option<String>>> {
    let mut fields: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for operation in operations {
        if let (Some(thing), Some(field)) = (&operation.thing, &operation.field) {
            let holder = (thing.clone(), operation.copy.clone());
            fields.entry(holder).or_default().insert(Some(field.clone()));
        }
    }
    fields
}

/// What held before the first event: what the first read returned or the first write replaced, if all writes
/// are known to come later.
fn initial(own: &[(usize, &Operation)], relation: &impl Relation) -> Option<Value> {
    let writes = || own.iter().map(|(_, operation)| *operation).filter(|operation| operation.writes());
    let first_read = own.iter().map(|(_, operation)| *operation).find(|o| !o.writes() && o.value.is_some());
    let read = first_read
        .filter(|read| writes().all(|write| relation.before(read.event, write.effect_began()).is_some()));
    if let Some(read) = read {
        return read.value.clone();
    }
    let first = writes().next().filter(|first| first.from.is_some())?;
    let is_first = writes().skip(1).all(|later| effect_before(relation, first, later).is_some());
    first.from.clone().filter(|_| is_first)
}

/// A value that the slot may have.
struct Candidate<'a> {
    /// The write that made it so; `None` for what held before the first event.
    write: Option<&'a Operation>,
    /// `None` where it is unknown.
    value: Option<Value>,
    version: Option<Value>,
    event: Option<EventId>,
}

fn steps(
    own: &[(usize, &Operation)],
    initial: Option<&Value>,
    relation: &impl Relation,
) -> Vec<(usize, Belief)> {
    let before_all = Candidate { write: None, value: initial.cloned(), version: None, event: None };
    let mut candidates = vec![before_all];
    let mut replaced: Vec<Value> = Vec::new();
    let mut steps: Vec<(usize, Belief)> = Vec::new();
    for (place, operation) in own {
        if operation.writes() {
            let before: Vec<Value> = candidates.iter().filter_map(|c| c.value.clone()).collect();
            apply(&mut candidates, operation, relation);
            for old in before {
                if replaced.iter().all(|known| !agree(known, &old)) {
                    replaced.push(old);
                }
            }
        } else {
            observe(&mut candidates, &replaced, operation, relation);
        }
        let belief = belief(&candidates);
        match steps.last_mut() {
            Some((last, own)) if last == place => *own = belief,
            Some((_, own)) if *own == belief => {}
            _ => steps.push((*place, belief)),
        }
    }
    steps
}

fn apply<'a>(candidates: &mut Vec<Candidate<'a>>, write: &'a Operation, relation: &impl Relation) {
    let replaced_already = candidates
        .iter()
        .filter_map(|candidate| candidate.write)
        .any(|other| other.outcome == Outcome::Ok && effect_before(relation, write, other).is_some());
    if replaced_already {
        return;
    }
    let value = value_after(candidates, write, relation);
    if write.outcome == Outcome::Ok {
        candidates.retain(|candidate| {
            candidate.write.is_some_and(|other| effect_before(relation, other, write).is_none())
        });
    }
    candidates.push(Candidate {
        write: Some(write),
        value,
        version: write.version.clone(),
        event: Some(write.effect_ended()),
    });
}

/// The value that a write leaves. What it adds to must be known for the sum to be.
fn value_after(candidates: &[Candidate<'_>], write: &Operation, relation: &impl Relation) -> Option<Value> {
    let only = || match candidates {
        [only] if only.write.is_none_or(|other| effect_before(relation, other, write).is_some()) => {
            only.value.as_ref()
        }
        _ => None,
    };
    match write.op {
        Op::Delete => Some(Value::Empty),
        Op::Add => write.value.clone().or_else(|| add(only()?, write.delta.as_ref()?)),
        Op::Append => append(only()?, write.value.as_ref()?),
        Op::Write | Op::Read => write.value.clone().filter(|_| write.field.is_some()),
    }
}

fn add(level: &Value, delta: &Value) -> Option<Value> {
    if let (Value::Int(level), Value::Int(delta)) = (level, delta) {
        return level.checked_add(*delta).map(Value::Int);
    }
    let sum = number(level)? + number(delta)?;
    Some(if sum.fract() == 0.0 && sum.abs() < 9e15 { Value::Int(sum as i64) } else { Value::Double(sum) })
}

fn append(list: &Value, element: &Value) -> Option<Value> {
    let mut list = match list {
        Value::Array(list) => list.clone(),
        Value::Empty => Vec::new(),
        _ => return None,
    };
    list.push(element.clone());
    Some(Value::Array(list))
}

/// A read tells what the slot holds if all that was written is known to be before it, also where somebody unseen
/// wrote that. A value that was replaced before is an old answer, and tells nothing of the present.
fn observe<'a>(
    candidates: &mut Vec<Candidate<'a>>,
    replaced: &[Value],
    read: &'a Operation,
    relation: &impl Relation,
) {
    let Some(value) = read.value.as_ref().filter(|_| read.field.is_some()) else { return };
    let seen = |candidate: &Candidate<'_>| {
        candidate
            .write
            .is_none_or(|write| relation.before(write.effect_ended(), read.effect_began()).is_some())
    };
    if !candidates.iter().all(seen) {
        return;
    }
    let held = candidates.iter().position(|c| c.value.as_ref().is_some_and(|own| agree(own, value)));
    if let Some(held) = held {
        candidates.swap(0, held);
        candidates.truncate(1);
    } else if replaced.iter().all(|old| !agree(old, value)) {
        let write = candidates.last().and_then(|candidate| candidate.write);
        let version = read.version.clone();
        *candidates = vec![Candidate { write, value: Some(value.clone()), version, event: Some(read.event) }];
    }
}

fn belief(candidates: &[Candidate<'_>]) -> Belief {
    let Some(last) = candidates.last() else {
        return Belief {
            value: None,
            alternatives: Vec::new(),
            version: None,
            event: None,
            known: Known::No,
        };
    };
    let mut alternatives: Vec<Value> = Vec::new();
    for other in candidates.iter().filter_map(|candidate| candidate.value.as_ref()) {
        let is_new = alternatives.iter().all(|own| !agree(own, other));
        if is_new && last.value.as_ref().is_none_or(|own| !agree(own, other)) {
            alternatives.push(other.clone());
        }
    }
    let one_value = candidates.iter().all(|candidate| candidate.value == last.value);
    let known = match (&last.value, one_value) {
        (Some(_), true) => Known::Before,
        (None, true) => Known::No,
        (_, false) => Known::Unordered,
    };
    let version = last.version.clone().filter(|_| candidates.len() == 1);
    Belief { value: last.value.clone(), alternatives, version, event: last.event, known }
}

impl Track {
    /// The belief once the list up to and including `place` has happened; before the first step, what held initially.
    pub fn at(&self, place: Option<usize>) -> Belief {
        let past = place.map_or(0, |place| self.steps.partition_point(|(own, _)| *own <= place));
        match past.checked_sub(1).and_then(|at| self.steps.get(at)) {
            Some((_, belief)) => belief.clone(),
            None => Belief {
                value: self.initial.clone(),
                alternatives: Vec::new(),
                version: None,
                event: None,
                known: if self.initial.is_some() { Known::Before } else { Known::No },
            },
        }
    }

    /// The beliefs, each from its place on.
    pub fn steps(&self) -> &[(usize, Belief)] {
        &self.steps
    }
}

#[cfg(test)]
mod tests;
