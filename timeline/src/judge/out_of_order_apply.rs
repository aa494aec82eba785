//! `out_of_order_apply`: a copy applied two transitions in an order that contradicts the owner's, and was left with
//! the older one.

use super::case::{Case, is_volatile};
use super::draft::Draft;
use super::story;
use crate::document::{Certainty, FindingKind, Op, Outcome, ValueBasis};
use crate::state::relation::{agree, number};
use crate::state::{Operation, Slot, Track};

/// Judges every field that a copy shares with its owner.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let copies = case.copies();
    copies.iter().filter_map(|(slot, track, owner)| of_copy(case, slot, track, owner)).collect()
}

/// The last time that the copy went back behind what it had.
fn of_copy(case: &Case<'_>, slot: &Slot, track: &Track, owner: &Track) -> Option<Draft> {
    if slot.field.as_deref().is_none_or(is_volatile) {
        return None;
    }
    let all = case.writes(track);
    let applied: Vec<&Operation> = all
        .iter()
        .copied()
        .filter(|write| write.op == Op::Write && write.outcome == Outcome::Ok && write.value.is_some())
        .collect();
    let owner_writes = case.writes(owner);
    let reads = case.reads(track);
    let mut found: Option<(Draft, usize)> = None;
    for (at, older) in applied.iter().enumerate().rev() {
        // What the copy had just before: the newest that it went back behind.
        for newer in applied[..at].iter().rev() {
            let Some(draft) = of_pair(case, slot, &all, &owner_writes, &reads, newer, older) else {
                continue;
            };
            let place = case.place(older.effect_ended());
            if found.as_ref().is_none_or(|(own, _)| draft.grade() > own.grade()) {
                found = Some((draft, place));
            }
        }
    }
    found.map(|(draft, _)| draft)
}

/// `newer` stands before `older` in the list.
fn of_pair(
    case: &Case<'_>,
    slot: &Slot,
    all: &[&Operation],
    owner: &[&Operation],
    reads: &[&Operation],
    newer: &Operation,
    older: &Operation,
) -> Option<Draft> {
    if newer.record == older.record || agree(newer.value.as_ref()?, older.value.as_ref()?) {
        return None;
    }
    let sources = [source(owner, newer)?, source(owner, older)?];
    let by_owner = owner_order(case, sources[1], sources[0])?;
    let by_copy = case.effect_before(newer, older);
    // Where nothing orders the two, the list's order is no evidence; a read of the older state after the newer one is.
    let shown = reads.iter().find(|read| {
        let old = read.value.as_ref().zip(older.value.as_ref()).is_some_and(|(own, old)| agree(own, old));
        old && case.seen_by(newer, read).is_some()
    });
    if by_copy.is_none() && shown.is_none() {
        return None;
    }
    let next = all.iter().find(|write| {
        let later = case.effect_before(older, write).is_some();
        let mends = write.op == Op::Delete
            || write.value.as_ref().zip(newer.value.as_ref()).is_some_and(|(own, value)| agree(own, value))
            || source(owner, write).is_some_and(|source| owner_order(case, sources[1], source).is_some());
        later && mends
    });
    let summary = format!(
        "{copy} went back from {had} to {got}: it applied {newer} before {older} ({by}, {after} later), the owner \
         had made them the other way round",
        copy = slot.copy,
        had = story::held(slot.field.as_deref(), newer.value.as_ref()),
        got = story::held(slot.field.as_deref(), older.value.as_ref()),
        newer = newer.value.as_ref().map(story::shown)?,
        older = older.value.as_ref().map(story::shown)?,
        by = story::who(case, older),
        after = story::apart(case, newer, older),
    );
    let mut draft = Draft::new(FindingKind::OutOfOrderApply, summary)
        .on([newer, older])
        .on(sources)
        .on(shown.filter(|_| by_copy.is_none()).copied())
        .in_order(by_copy)
        .in_order(Some(by_owner))
        .with_values(ValueBasis::Seen)
        .lasting(case.time(older.effect_ended()), next.map(|write| case.time(write.effect_ended())));
    draft.slots.retain(|own| own.copy == slot.copy);
    draft.repaired_by = next.map(|write| write.event);
    Some(draft)
}

/// The owner's write that a copy's write applies: the one of its version, else the only one of its value.
pub(super) fn source<'a>(owner: &[&'a Operation], applied: &Operation) -> Option<&'a Operation> {
    let sure = || owner.iter().copied().filter(|write| write.outcome == Outcome::Ok);
    let value = applied.value.as_ref()?;
    let same_value = |write: &&Operation| write.value.as_ref().is_some_and(|own| agree(own, value));
    if let Some(version) = &applied.version {
        let mut of_version =
            sure().filter(|write| write.version.as_ref().is_some_and(|own| agree(own, version)));
        if let Some(write) = of_version.next() {
            return (of_version.next().is_none() && same_value(&write)).then_some(write);
        }
    }
    // A write whose value is unknown may have made it so too.
    if owner.iter().any(|write| write.value.is_none()) {
        return None;
    }
    let mut of_value = sure().filter(same_value);
    let only = of_value.next()?;
    of_value.next().is_none().then_some(only)
}

/// How surely the owner made `a` before `b`: by its versions, else by the order of effects.
pub(super) fn owner_order(case: &Case<'_>, a: &Operation, b: &Operation) -> Option<Certainty> {
    let versions = a.version.as_ref().and_then(number).zip(b.version.as_ref().and_then(number));
    match versions {
        Some((own, other)) if own < other => Some(Certainty::Causal),
        Some((own, other)) if own > other => None,
        _ => case.effect_before(a, b),
    }
}
