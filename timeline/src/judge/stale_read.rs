//! `stale_read`: an observation returned a value that the owner had replaced before.
//!
//! Lag alone is no finding: the read must lie beyond the copy's declared budget, or a write to the owner must follow
//! from it in its trace.

use super::case::{Case, Outdated};
use super::draft::Draft;
use super::story;
use crate::document::{Certainty, FindingKind, Outcome, ValueBasis};
use crate::state::{Operation, Slot, Track};

/// Judges every read of a copy whose value is told.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (slot, track) in &case.evidence.history.tracks {
        if track.part || slot.field.as_deref().is_none_or(super::case::is_volatile) {
            continue;
        }
        let Some(owner) = case.owner_track(slot) else { continue };
        for read in case.reads(track) {
            let value = read.value.as_ref().filter(|value| **value != crate::value::Value::Empty);
            let outdated = value.and_then(|value| case.outdated(owner, value, read));
            drafts.extend(outdated.and_then(|outdated| of_read(case, slot, owner, read, &outdated)));
        }
    }
    drafts
}

fn of_read(
    case: &Case<'_>,
    slot: &Slot,
    owner: &Track,
    read: &Operation,
    outdated: &Outdated<'_>,
) -> Option<Draft> {
    let replaced = outdated.replaced_by;
    let budget = case.evidence.settings.budget(&slot.thing.kind, &slot.copy);
    let lag_at_least = case.evidence.listing.at_least_apart(replaced.effect_ended(), read.effect_began());
    let lag = case.time(read.event).since(case.time(replaced.effect_ended()));
    let beyond = budget.and_then(|budget| {
        let surely = lag_at_least.is_some_and(|lag| lag > i128::from(budget));
        let probably = lag > i128::from(budget);
        // By the clocks' bounds it is; by their best estimate it may be.
        let order = if surely { Some(Certainty::Causal) } else { None };
        (surely || probably).then(|| (order, format!("budget {}", story::lasting(i128::from(budget)))))
    });
    let followed = acted_on(case, owner, read);
    if beyond.is_none() && followed.is_none() {
        return None;
    }
    let owner_copy = &replaced.copy;
    let because = match (&beyond, &followed) {
        (_, Some((write, _))) => {
            format!(
                "and {} was written because of it",
                story::held(write.field.as_deref(), write.value.as_ref())
            )
        }
        (Some((_, told)), None) => told.clone(),
        (None, None) => String::new(),
    };
    let summary = format!(
        "{by} was told {thing} has {old} {lag} after {owner_copy} had made it {new} ({because})",
        by = story::who(case, read),
        thing = slot.thing,
        old = story::held(slot.field.as_deref(), read.value.as_ref()),
        lag = story::lasting(lag),
        new = replaced.value.as_ref().map(story::shown).unwrap_or_default(),
    );
    let order = match (beyond, &followed) {
        // Of two reasons the surer one carries it.
        (Some((beyond, _)), Some((_, follows))) => beyond.max(Some(*follows)),
        (Some((beyond, _)), None) => beyond,
        (None, follows) => follows.as_ref().map(|(_, certainty)| *certainty),
    };
    let mut draft = Draft::new(FindingKind::StaleRead, summary)
        .on([replaced, read])
        .in_order(Some(outdated.order))
        .in_order(order)
        .with_values(ValueBasis::Seen)
        .lasting(case.time(replaced.effect_ended()), Some(case.time(read.event)));
    draft.events.extend(outdated.wrote.map(|write| write.event));
    if let Some((write, _)) = followed {
        draft = draft.on([write]);
    }
    Some(draft)
}

/// A write to the owner that follows from the read in its trace, and how surely it came later.
fn acted_on<'a>(case: &Case<'a>, owner: &Track, read: &Operation) -> Option<(&'a Operation, Certainty)> {
    let trace = |operation: &Operation| case.record_of(operation.event).and_then(|record| record.trace_id());
    let own = trace(read)?;
    case.writes(owner)
        .into_iter()
        .filter(|write| write.outcome != Outcome::Failed && trace(write) == Some(own))
        .find_map(|write| Some((write, case.before(read.event, write.effect_began())?)))
}
