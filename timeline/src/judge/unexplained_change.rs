//! `unexplained_change`: a write says that it replaced a value which nobody is known to have written.

use super::case::{Case, is_volatile};
use super::draft::Draft;
use super::story;
use crate::document::{CompletenessBasis, FindingKind, Outcome, ValueBasis};
use crate::state::relation::agree;
use crate::state::{Operation, Slot};

/// Judges every write that tells what it replaced.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (slot, track) in &case.evidence.history.tracks {
        if slot.field.as_deref().is_none_or(is_volatile) || track.part {
            continue;
        }
        let absence = case.absence(&case.services(track), &slot.copy);
        if absence != CompletenessBasis::Partial {
            let writes = case.writes(track);
            let each = writes.iter().filter_map(|write| of_write(case, slot, &writes, write));
            drafts.extend(each.map(|draft| draft.with_absence(absence)));
        }
    }
    drafts
}

fn of_write(case: &Case<'_>, slot: &Slot, writes: &[&Operation], write: &Operation) -> Option<Draft> {
    let from = write.from.as_ref()?;
    let last = last_before(case, writes, write)?;
    let left = last.value.as_ref().filter(|left| !agree(left, from))?;
    let order = case.effect_before(last, write);
    let summary = format!(
        "{by} changed {field} of {thing} in {copy} from {from} to {to}, but the last known write had left {left} \
         {before} before: somebody unseen wrote between",
        by = story::who(case, write),
        field = slot.field.as_deref().unwrap_or("its state"),
        thing = slot.thing,
        copy = slot.copy,
        from = story::shown(from),
        to = write.value.as_ref().map_or_else(|| "something".to_owned(), story::shown),
        left = story::shown(left),
        before = story::apart(case, last, write),
    );
    let draft = Draft::new(FindingKind::UnexplainedChange, summary).on([last, write]).in_order(order);
    let until = Some(case.time(write.event));
    Some(draft.with_values(ValueBasis::Seen).lasting(case.time(last.effect_ended()), until))
}

/// The one write that surely was the last before `write`; `None` where another may have been.
fn last_before<'a>(case: &Case<'_>, writes: &[&'a Operation], write: &Operation) -> Option<&'a Operation> {
    let others = || writes.iter().copied().filter(|other| other.record != write.record);
    let last = others().rfind(|other| case.effect_before(other, write).is_some())?;
    let may_be_later = |other: &Operation| {
        other.record != last.record
            && case.effect_before(write, other).is_none()
            && case.effect_before(other, last).is_none()
    };
    (last.outcome == Outcome::Ok && !others().any(may_be_later)).then_some(last)
}
