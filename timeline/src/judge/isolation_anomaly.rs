//! `isolation_anomaly`: a transaction read what was rolled back (Adya's G1a), or what its writer overwrote before it
//! committed (G1b).
//!
//! A value is taken for one write's only where no other write of the slot left it, none hides what it left, and what
//! held before the first event is known to be something else.

use std::collections::BTreeSet;

use super::case::{Case, is_volatile};
use super::draft::Draft;
use super::story;
use crate::document::{Certainty, CompletenessBasis, FindingKind, Outcome, ValueBasis};
use crate::state::relation::agree;
use crate::state::{Operation, Slot, Track};
use crate::value::Value;

/// Judges every read whose value is told, of the owner or of a store without a known owner.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (slot, track) in &case.evidence.history.tracks {
        if track.part || slot.field.as_deref().is_none_or(is_volatile) {
            continue;
        }
        // What failed is not in the track: it left nothing. Here it is what is looked for.
        let all: Vec<&Operation> = case
            .evidence
            .operations
            .iter()
            .filter(|o| o.thing.as_ref() == Some(&slot.thing) && o.copy == slot.copy && o.field == slot.field)
            .collect();
        for read in case.reads(track) {
            drafts.extend(of_read(case, slot, track, &all, read));
        }
    }
    drafts
}

fn of_read(
    case: &Case<'_>,
    slot: &Slot,
    track: &Track,
    all: &[&Operation],
    read: &Operation,
) -> Option<Draft> {
    let value = read.value.as_ref().filter(|value| **value != Value::Empty)?;
    let left = |o: &&Operation| o.value.as_ref().is_none_or(|own| agree(own, value));
    let mut writers = all.iter().copied().filter(|o| o.writes()).filter(left);
    let writer = writers.next().filter(|writer| writer.value.is_some())?;
    if writers.next().is_some() || !was_something_else(case, track, all, read, value) {
        return None;
    }
    let apart = case.execution(writer) != case.execution(read)
        && (writer.transaction.is_none() || writer.transaction != read.transaction);
    let (class, what) = if !apart {
        return None;
    } else if writer.outcome == Outcome::Failed {
        ("G1a", "which was rolled back")
    } else {
        overwritten_by_itself(case, all, writer)?;
        ("G1b", "which its own transaction overwrote before it committed")
    };
    // The read returned what the writer had written: that, too, is an order.
    let services: BTreeSet<&str> = all.iter().map(|operation| case.service(operation)).collect();
    let absence = case.absence(&services, &slot.copy);
    if absence == CompletenessBasis::Partial {
        return None;
    }
    let summary = format!(
        "{reader} read {read_value} of {thing} in {copy}, {what} by {writer}",
        reader = story::who(case, read),
        read_value = story::held(slot.field.as_deref(), Some(value)),
        thing = slot.thing,
        copy = slot.copy,
        writer = story::who(case, writer),
    );
    let mut draft = Draft::new(FindingKind::IsolationAnomaly, summary)
        .on([writer, read])
        .in_order(Some(Certainty::Causal))
        .with_values(ValueBasis::Seen)
        .with_absence(absence)
        .lasting(case.time(writer.event), Some(case.time(read.event)));
    draft.class = Some(class);
    Some(draft)
}

/// A later write of the same transaction to the same field.
fn overwritten_by_itself<'a>(
    case: &Case<'_>,
    all: &[&'a Operation],
    writer: &Operation,
) -> Option<&'a Operation> {
    let transaction = writer.transaction.as_ref()?;
    all.iter().copied().find(|other| {
        other.writes()
            && other.event != writer.event
            && other.transaction.as_ref() == Some(transaction)
            && case.before(writer.event, other.began).is_some()
    })
}

/// Whether what held before the first event is known to be another value, or surely gone when the read began.
fn was_something_else(
    case: &Case<'_>,
    track: &Track,
    all: &[&Operation],
    read: &Operation,
    value: &Value,
) -> bool {
    let differs = |own: &Value| !agree(own, value);
    let read_first = |operation: &&Operation| operation.event != read.event;
    let initial = track.initial.as_ref().filter(|_| all.iter().copied().any(|o| read_first(&o)));
    let gone = || {
        all.iter().copied().any(|write| {
            write.writes()
                && write.outcome == Outcome::Ok
                && write.value.as_ref().is_some_and(differs)
                && case.seen_by(write, read).is_some()
        })
    };
    initial.is_some_and(differs) || gone()
}
