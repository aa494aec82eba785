//! `divergence`: a copy and its owner hold different values at one consistent cut: for longer than the copy's budget,
//! or with both quiet for a window.

use super::case::{Case, is_volatile};
use super::draft::Draft;
use super::story;
use crate::document::{Certainty, CompletenessBasis, FindingKind, Known, Outcome, ValueBasis};
use crate::state::relation::agree;
use crate::state::{Belief, Operation, Slot, Track};
use crate::value::Value;

/// Judges every field that a copy shares with its owner.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let copies = case.copies();
    copies
        .iter()
        .filter(|(slot, ..)| !slot.field.as_deref().is_none_or(is_volatile))
        .filter_map(|(slot, track, owner)| {
            beyond_budget(case, slot, track, owner).or_else(|| at_rest(case, slot, track, owner))
        })
        .collect()
}

/// Both are quiet, and differ.
fn at_rest(case: &Case<'_>, slot: &Slot, track: &Track, owner: &Track) -> Option<Draft> {
    let absence = case.absence(&case.services(track), &slot.copy);
    let [copied, owned] = [case.writes(track), case.writes(owner)].map(|writes| writes.last().copied());
    let (copied, owned) = (copied?, owned?);
    let quiet = case.is_overdue(copied.event) && case.is_overdue(owned.event);
    if !quiet || absence == CompletenessBasis::Partial {
        return None;
    }
    let last = Some(usize::MAX);
    let (held, truth) = (plain(track.at(last))?, plain(owner.at(last))?);
    if agree(&held, &truth) || held == Value::Empty || truth == Value::Empty {
        return None;
    }
    let order = case.effect_before(copied, owned).or_else(|| case.effect_before(owned, copied));
    let summary = format!(
        "{copy} holds {held} of {thing}, {owner} holds {truth}, and neither has changed since",
        copy = slot.copy,
        held = story::held(slot.field.as_deref(), Some(&held)),
        thing = slot.thing,
        owner = owned.copy,
        truth = story::shown(&truth),
    );
    let from = case.time(copied.effect_ended()).max(case.time(owned.effect_ended()));
    Some(drafted(slot, [owned, copied], summary).in_order(order).with_absence(absence).lasting(from, None))
}

/// The copy held the value that the owner had replaced for longer than is acceptable.
fn beyond_budget(case: &Case<'_>, slot: &Slot, track: &Track, owner: &Track) -> Option<Draft> {
    let budget = case.evidence.settings.budget(&slot.thing.kind, &slot.copy)?;
    let copied = case.writes(track);
    let mut worst: Option<(u64, Draft)> = None;
    for replaced in case.writes(owner).into_iter().filter(|write| write.outcome == Outcome::Ok) {
        let Some(truth) = replaced.value.as_ref() else { continue };
        let place = case.place(replaced.effect_ended());
        let Some(held) =
            plain(track.at(Some(place))).filter(|held| *held != Value::Empty && !agree(held, truth))
        else {
            continue;
        };
        let Some(made) =
            copied.iter().rev().copied().find(|w| w.value.as_ref().is_some_and(|v| agree(v, &held)))
        else {
            continue;
        };
        // Until the copy writes or drops it again; a later value of the owner does not make up for the lag.
        let next = copied.iter().copied().find(|write| case.place(write.effect_ended()) > place);
        let lag = match next {
            Some(next) => case.time(next.effect_ended()).since(case.time(replaced.effect_ended())),
            None => case.ends().since(case.time(replaced.effect_ended())),
        };
        let lag = u64::try_from(lag).unwrap_or_default();
        if lag <= budget || worst.as_ref().is_some_and(|(most, _)| *most >= lag) {
            continue;
        }
        let at_least = next.and_then(|next| {
            case.evidence.listing.at_least_apart(replaced.effect_ended(), next.effect_began())
        });
        let surely = at_least.is_some_and(|at_least| at_least > i128::from(budget));
        // That nothing was written to the copy before is absence, until a write that ends the lag is seen.
        let absence = case.absence(&case.services(track), &slot.copy);
        if absence == CompletenessBasis::Partial {
            continue;
        }
        let order = case.effect_before(made, replaced).filter(|_| surely || next.is_none());
        let summary = format!(
            "{copy} held {old} of {thing} for {lag} after {owner} had made it {new} (budget {budget})",
            copy = slot.copy,
            old = story::held(slot.field.as_deref(), Some(&held)),
            thing = slot.thing,
            lag = story::lasting(i128::from(lag)),
            owner = replaced.copy,
            new = story::shown(truth),
            budget = story::lasting(i128::from(budget)),
        );
        let until = next.map(|next| case.time(next.effect_ended()));
        let mut draft = drafted(slot, [replaced, made], summary)
            .in_order(order.map(|order| order.min(Certainty::Clock)))
            .with_absence(absence)
            .lasting(case.time(replaced.effect_ended()), until);
        draft.events.extend(next.map(|next| next.event));
        draft.repaired_by = next.map(|next| next.event);
        worst = Some((lag, draft));
    }
    worst.map(|(_, draft)| draft)
}

fn drafted(slot: &Slot, operations: [&Operation; 2], summary: String) -> Draft {
    let mut draft = Draft::new(FindingKind::Divergence, summary).on(operations).with_values(ValueBasis::Seen);
    draft.slots.retain(|own| own.copy == slot.copy);
    draft
}

/// A value that nothing leaves open.
fn plain(belief: Belief) -> Option<Value> {
    belief.value.filter(|_| belief.known == Known::Before)
}
