//! What each copy held at one moment: `backstory.state/1`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::fold::{Belief, Slot, Track};
use super::listing::Listing;
use super::relation::agree;
use super::{History, Operation};
use crate::document::{CopyState, InitialState, Known, State, StateChange};
use crate::given::Given;
use crate::id::EventId;
use crate::judge;
use crate::question::Question;
use crate::record::Record;
use crate::time::Time;
use crate::told::Told;
use crate::value::Value;
use crate::why::{WhyError, find_event};

/// A moment of a timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Moment {
    /// Its end.
    #[default]
    End,
    /// Up to the last event whose causal stamp is not past this time, on the reference clock.
    Time(Time),
    /// Up to and including an event: its id, a unique beginning of it, a span id, or `span_id:end`.
    Event(String),
}

/// What each copy of the subject, and of what its timeline touches, held at a moment.
///
/// Both kinds of cut are consistent: with an event, all that is known to be before it lies in the cut too.
pub fn state(
    records: Vec<Record>,
    question: &Question,
    given: &Given,
    moment: &Moment,
) -> Result<State, WhyError> {
    let told = Told::of(records, question, given);
    let listing = told.listing();
    let place = match moment {
        Moment::End => told.order.list.len().checked_sub(1),
        Moment::Time(time) => listing.place_at(*time),
        Moment::Event(text) => Some(told.order.places[find_event(&told, text)? as usize] as usize),
    };
    let operations = &told.operations;
    let history = super::fold(operations, &listing);
    let at = match moment {
        Moment::Time(time) => Some(*time),
        _ => place.and_then(|place| listing.time_at(place)),
    };
    let asked = question.subject.to_string();
    let cut = Cut {
        listing: &listing,
        history: &history,
        owners: judge::owners(operations, &given.settings),
        place,
        at,
    };
    let mut copies: Vec<CopyState> =
        history.tracks.iter().map(|(slot, track)| cut.copy(slot, track)).collect();
    copies.sort_by(|a, b| {
        let rank = |copy: &CopyState| (copy.entity != asked, copy.part, !copy.owner);
        (rank(a), &a.entity, &a.copy, &a.field).cmp(&(rank(b), &b.entity, &b.copy, &b.field))
    });
    let mut completeness = told.completeness.clone();
    completeness.shown = copies.len() as u64;
    completeness.total = completeness.shown;
    Ok(State { schema: State::SCHEMA.to_owned(), at, completeness, copies })
}

/// One cut of a timeline.
struct Cut<'a> {
    listing: &'a Listing<'a>,
    history: &'a History,
    owners: BTreeMap<String, String>,
    place: Option<usize>,
    at: Option<Time>,
}

impl Cut<'_> {
    fn copy(&self, slot: &Slot, track: &Track) -> CopyState {
        let belief = track.at(self.place);
        CopyState {
            entity: slot.thing.to_string(),
            copy: slot.copy.clone(),
            part: track.part,
            owner: self.owners.get(&slot.thing.kind) == Some(&slot.copy),
            field: slot.field.clone(),
            value: belief.value.as_ref().map(Value::to_json),
            known: belief.known,
            alternatives: belief.alternatives.iter().map(Value::to_json).collect(),
            version: belief.version.as_ref().map(Value::to_json),
            since: belief.event.and_then(|event| self.listing.time(event)),
            event: belief.event,
            lag_ns: self.lag(slot, track, &belief),
        }
    }

    /// For how long the owner had held something else than the copy's value already.
    fn lag(&self, slot: &Slot, track: &Track, belief: &Belief) -> Option<u64> {
        let copy = self.owners.get(&slot.thing.kind)?.clone();
        if track.part || copy == slot.copy {
            return None;
        }
        let owner = self.history.tracks.get(&Slot { copy, ..slot.clone() })?;
        let value = belief.value.as_ref().filter(|_| belief.known == Known::Before)?;
        let truth = owner.at(self.place);
        let same = |own: &Belief| own.value.as_ref().is_some_and(|own| agree(own, value));
        if truth.known != Known::Before {
            return None;
        }
        if same(&truth) {
            return Some(0);
        }
        let past: Vec<&(usize, Belief)> =
            owner.steps().iter().take_while(|(place, _)| Some(*place) <= self.place).collect();
        let held = past.iter().rposition(|(_, own)| same(own));
        let replaced = match held {
            Some(held) => past.get(held + 1),
            None if owner.initial.as_ref().is_some_and(|own| agree(own, value)) => past.first(),
            None => None,
        };
        let since = self.listing.time(replaced?.1.event?)?;
        u64::try_from(self.at?.since(since)).ok()
    }
}

/// What held before the first event, slot by slot.
pub(crate) fn initial_state(history: &History) -> Vec<InitialState> {
    let rows = history.tracks.iter().filter_map(|(slot, track)| {
        Some(InitialState {
            entity: slot.thing.to_string(),
            copy: slot.copy.clone(),
            field: slot.field.clone()?,
            value: track.initial.as_ref().map(Value::to_json),
            known: track.initial.is_some(),
        })
    });
    rows.collect()
}

/// What each event did to state, as its timeline tells it: to the subject; and of what does nothing to the subject,
/// what it did to things of other types, but not to what those rows refer to.
pub(crate) fn changes(operations: &[Operation], question: &Question) -> HashMap<EventId, Vec<StateChange>> {
    let subject = question.subject.thing();
    let of_kind = |operation: &Operation| subject.as_ref().is_none_or(|thing| thing.kind == operation.kind);
    let of_subject = |operation: &Operation| match &operation.thing {
        Some(thing) => subject.as_ref().is_none_or(|subject| thing == subject),
        None => operation.writes() && of_kind(operation),
    };
    let own: HashSet<EventId> = operations.iter().filter(|o| of_subject(o)).map(|o| o.event).collect();
    let mut changes: HashMap<EventId, Vec<StateChange>> = HashMap::new();
    for operation in operations {
        let aside = !own.contains(&operation.event)
            && !operation.part
            && operation.thing.is_some()
            && !of_kind(operation);
        if of_subject(operation) || aside {
            changes.entry(operation.event).or_default().push(change(operation));
        }
    }
    changes
}

fn change(operation: &Operation) -> StateChange {
    StateChange {
        entity: match &operation.thing {
            Some(thing) => thing.to_string(),
            None => format!("{}/?", operation.kind),
        },
        copy: operation.copy.clone(),
        part: operation.part,
        op: operation.op,
        field: operation.field.clone(),
        from: operation.from.as_ref().map(Value::to_json),
        value: operation.value.as_ref().map(Value::to_json),
        delta: operation.delta.as_ref().map(Value::to_json),
        version: operation.version.as_ref().map(Value::to_json),
        outcome: operation.outcome,
        visible_at: operation.visible_at,
        evidence: operation.evidence,
        identity: operation.identity,
    }
}
