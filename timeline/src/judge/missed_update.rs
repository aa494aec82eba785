//! `missed_update`: a copy never applied a transition that the owner made, though its stream is whole and it applied
//! later ones, or the window passed.
//!
//! It rests on absence. Where records are known to be lost or sampled away it is silent.

use super::case::{Case, is_volatile};
use super::draft::Draft;
use super::out_of_order_apply::{owner_order, source};
use super::story;
use crate::document::{CompletenessBasis, FindingKind, Op, Outcome, ValueBasis};
use crate::state::relation::agree;
use crate::state::{Operation, Slot, Track};

/// Judges every field that a copy shares with its owner.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let copies = case.copies();
    copies.iter().filter_map(|(slot, track, owner)| of_copy(case, slot, track, owner)).collect()
}

fn of_copy(case: &Case<'_>, slot: &Slot, track: &Track, owner: &Track) -> Option<Draft> {
    let absence = case.absence(&case.services(track), &slot.copy);
    if slot.field.as_deref().is_none_or(is_volatile) || absence == CompletenessBasis::Partial {
        return None;
    }
    let (copied, owned) = (case.writes(track), case.writes(owner));
    // A write that hides its value, or may not have happened, may be the one that is missed.
    let tells =
        |write: &&Operation| write.value.is_some() && write.outcome == Outcome::Ok && write.op == Op::Write;
    if !copied.iter().all(&tells) || !owned.iter().all(tells) {
        return None;
    }
    let applied: Vec<Option<&Operation>> = copied.iter().map(|write| source(&owned, write)).collect();
    let last = copied.last()?;
    let last_applied = (*applied.last()?)?;
    let is_applied = |write: &Operation| {
        applied.iter().flatten().any(|own| own.event == write.event && own.field == write.field)
    };
    let missed = owned.iter().copied().filter(|write| !is_applied(write));
    let (missed, order, repaired) = missed
        .filter_map(|missed| {
            if let Some(order) = owner_order(case, last_applied, missed) {
                // The copy stopped before it. That is a miss once the window has passed, and only where another
                // value was left.
                let differs = !agree(missed.value.as_ref()?, last.value.as_ref()?);
                return (differs && case.is_overdue(missed.event)).then_some((missed, order, None));
            }
            // It applied later ones: a miss only where it applies every transition, as a consumer does.
            let order = owner_order(case, missed, last_applied)?;
            let next = copied.iter().zip(&applied).find(|(_, source)| {
                source.is_some_and(|source| owner_order(case, missed, source).is_some())
            })?;
            applies_each(case, &copied, &owned).then_some((missed, order, Some(*next.0)))
        })
        .next_back()?;
    let until = repaired.map(|write: &Operation| case.time(write.effect_ended()));
    let left = match repaired {
        Some(write) => format!(
            "the next that it applied was {}",
            story::held(None, write.value.as_ref()).trim_start_matches("its state=")
        ),
        None => {
            let lasted = story::lasting(case.ends().since(case.time(missed.event)));
            format!("{lasted} later it still had {}", last.value.as_ref().map(story::shown)?)
        }
    };
    let summary = format!(
        "{copy} never applied {what} of {thing}, which {owner} had made: {left}",
        copy = slot.copy,
        what = story::held(slot.field.as_deref(), missed.value.as_ref()),
        thing = slot.thing,
        owner = missed.copy,
    );
    let mut draft = Draft::new(FindingKind::MissedUpdate, summary)
        .on([missed, *last])
        .in_order(Some(order))
        .with_values(ValueBasis::Seen)
        .with_absence(absence)
        .lasting(case.time(missed.effect_ended()), until);
    draft.slots.retain(|own| own.copy == slot.copy);
    draft.repaired_by = repaired.map(|write| write.event);
    Some(draft)
}

/// Whether the copy is fed transition by transition: each of its writes was made on receipt of a message, and at least
/// two were. A cache that is filled on demand skips what nobody asks for.
fn applies_each(case: &Case<'_>, copied: &[&Operation], owned: &[&Operation]) -> bool {
    let received = |write: &&Operation| {
        let execution = case.execution(write).and_then(|at| case.evidence.held.span(at));
        execution.is_some_and(|span| crate::message::Role::of(span) == Some(crate::message::Role::Receives))
    };
    copied.len() >= 2 && owned.len() > 2 && copied.iter().all(received)
}
