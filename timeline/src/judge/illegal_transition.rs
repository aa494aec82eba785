//! `illegal_transition`: a transition that the entity's declared transitions do not allow.

use super::case::Case;
use super::draft::Draft;
use super::story;
use crate::document::{Certainty, CompletenessBasis, FindingKind, Known, Outcome, ValueBasis};
use crate::state::{Operation, Slot, Track};
use crate::value::Value;

/// Judges the writes of every field with declared transitions: the owner's; where none is known, those that tell
/// themselves what they replaced.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (slot, track) in &case.evidence.history.tracks {
        let Some(allowed) = allowed(case, slot) else { continue };
        let owned = case.owner(&slot.thing.kind).is_some();
        if track.part || (owned && !case.is_owner(slot)) {
            continue;
        }
        for write in case.writes(track).into_iter().filter(|write| write.outcome == Outcome::Ok) {
            drafts.extend(of_write(case, slot, track, allowed, write, owned));
        }
    }
    drafts
}

fn allowed<'a>(case: &Case<'a>, slot: &Slot) -> Option<&'a [(String, String)]> {
    let settings: &'a super::Settings = case.evidence.settings;
    let of_type = settings.transitions.get(&slot.thing.kind)?;
    of_type.get(slot.field.as_deref()?).map(Vec::as_slice)
}

/// What a write replaced, what says so, and how surely.
struct Replaced<'a> {
    value: Value,
    write: Option<&'a Operation>,
    order: Option<Certainty>,
    completeness: CompletenessBasis,
}

fn of_write(
    case: &Case<'_>,
    slot: &Slot,
    track: &Track,
    allowed: &[(String, String)],
    write: &Operation,
    may_infer: bool,
) -> Option<Draft> {
    let to = write.value.as_ref()?;
    let replaced = match &write.from {
        Some(from) => Replaced {
            value: from.clone(),
            write: None,
            order: Some(Certainty::Causal),
            completeness: CompletenessBasis::NotNeeded,
        },
        None if may_infer => last_value(case, slot, track, write)?,
        None => return None,
    };
    let (from, to) = (replaced.value.to_text(), to.to_text());
    let holds = allowed.iter().any(|(own, next)| *own == from && *next == to);
    if holds || from == to || replaced.value == Value::Empty {
        return None;
    }
    let next: Vec<&str> =
        allowed.iter().filter(|(own, _)| *own == from).map(|(_, next)| next.as_str()).collect();
    let told = match next.as_slice() {
        [] => format!("nothing follows {from}"),
        next => format!("{from} -> {} is allowed", next.join(" or ")),
    };
    let summary = format!(
        "{thing} went from {field}={from} to {to} in {copy} by {by}: {told}",
        thing = slot.thing,
        field = slot.field.as_deref().unwrap_or_default(),
        copy = slot.copy,
        by = story::who(case, write),
    );
    let draft = Draft::new(FindingKind::IllegalTransition, summary)
        .on(replaced.write)
        .on([write])
        .in_order(replaced.order)
        .with_values(ValueBasis::Seen)
        .with_absence(replaced.completeness);
    Some(draft.lasting(case.time(write.effect_ended()), None))
}

/// The value that the fold has just before the write, if it is plain and surely before it. That nobody unseen wrote
/// between rests on absence.
fn last_value<'a>(case: &Case<'a>, slot: &Slot, track: &Track, write: &Operation) -> Option<Replaced<'a>> {
    let place = case.place(write.effect_ended()).checked_sub(1);
    let belief = track.at(place);
    let value = belief.value.filter(|_| belief.known == Known::Before)?;
    let event = belief.event?;
    let last = case.operations(track).find(|own| own.effect_ended() == event || own.event == event)?;
    let order = case.effect_before(last, write)?;
    let completeness = case.absence(&case.services(track), &slot.copy);
    let silent = completeness == CompletenessBasis::Partial;
    (!silent).then_some(Replaced { value, write: Some(last), order: Some(order), completeness })
}
