//! A finding in the making: what a kind's judge says of it. Grade, status and id follow from that.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::Xxh3;

use super::case::Case;
use crate::document::{
    Basis, Certainty, CompletenessBasis, Finding, FindingKind, FindingStatus, Grade, Identity, ValueBasis,
};
use crate::id::EventId;
use crate::record::hash_text;
use crate::state::{Operation, Slot, Thing};
use crate::time::Time;

/// A finding in the making.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) kind: FindingKind,
    pub(crate) class: Option<&'static str>,
    /// Whose state it concerns, the most telling first; empty for findings about clocks or telemetry.
    pub(crate) things: Vec<Thing>,
    /// The events that prove it.
    pub(crate) events: Vec<EventId>,
    pub(crate) basis: Basis,
    pub(crate) repaired_by: Option<EventId>,
    pub(crate) summary: String,
    pub(crate) from: Time,
    pub(crate) until: Option<Time>,
    /// The slots that are wrong because of it: by them findings of one fault are told to be one.
    pub(crate) slots: BTreeSet<Slot>,
}

impl Draft {
    /// Of this kind, resting on nothing yet.
    pub(crate) fn new(kind: FindingKind, summary: String) -> Draft {
        Draft {
            kind,
            class: None,
            things: Vec::new(),
            events: Vec::new(),
            basis: Basis {
                order: Some(Certainty::Causal),
                identity: Identity::Own,
                value: ValueBasis::NotNeeded,
                completeness: CompletenessBasis::NotNeeded,
            },
            repaired_by: None,
            summary,
            from: Time::default(),
            until: None,
            slots: BTreeSet::new(),
        }
    }

    /// Rests on these operations too: on their keys, and on their events.
    #[must_use]
    pub(crate) fn on<'o>(mut self, operations: impl IntoIterator<Item = &'o Operation>) -> Draft {
        for operation in operations {
            self.events.push(operation.event);
            self.basis.identity = self.basis.identity.min(operation.identity);
            if let Some(thing) = operation.thing.as_ref().filter(|thing| !self.things.contains(thing)) {
                self.things.push(thing.clone());
            }
            if let Some(slot) = slot_of(operation) {
                self.slots.insert(slot);
            }
        }
        self
    }

    /// Needs this order too.
    #[must_use]
    pub(crate) fn in_order(mut self, order: Option<Certainty>) -> Draft {
        self.basis.order = self.basis.order.min(order);
        self
    }

    #[must_use]
    pub(crate) fn with_values(mut self, value: ValueBasis) -> Draft {
        self.basis.value = self.basis.value.min(value);
        self
    }

    #[must_use]
    pub(crate) fn with_absence(mut self, completeness: CompletenessBasis) -> Draft {
        self.basis.completeness = self.basis.completeness.min(completeness);
        self
    }

    /// From the first moment to the second.
    #[must_use]
    pub(crate) fn lasting(mut self, from: Time, until: Option<Time>) -> Draft {
        (self.from, self.until) = (from, until.map(|until| until.max(from)));
        self
    }

    pub(crate) fn grade(&self) -> Grade {
        grade(&self.basis)
    }

    /// The finding; its id is a hash of kind, entities and records.
    pub(crate) fn finish(mut self, case: &Case<'_>) -> Finding {
        self.events.sort_by_key(|event| (case.place(*event), *event));
        self.events.dedup();
        let record = |event: &EventId| case.record_of(*event);
        let mut records: Vec<_> = Vec::new();
        let mut trace_ids = Vec::new();
        for record in self.events.iter().filter_map(record) {
            if !records.contains(&record.id) {
                records.push(record.id);
            }
            if let Some(trace) = record.trace_id().filter(|trace| !trace_ids.contains(trace)) {
                trace_ids.push(trace);
            }
        }
        let entities: Vec<String> = self.things.iter().map(Thing::to_string).collect();
        let mut hasher = Xxh3::new();
        hash_text(&mut hasher, self.kind.name());
        let sorted: BTreeSet<&String> = entities.iter().collect();
        sorted.iter().for_each(|entity| hash_text(&mut hasher, entity));
        let sorted: BTreeSet<_> = records.iter().collect();
        sorted.iter().for_each(|record| hasher.update(&record.0));
        Finding {
            id: format!("f-{:016x}", hasher.digest()),
            kind: self.kind,
            grade: self.grade(),
            basis: self.basis,
            status: if case.is_settled() { FindingStatus::Settled } else { FindingStatus::Provisional },
            class: self.class.map(str::to_owned),
            repaired_by: self.repaired_by,
            consequence_of: None,
            entity: entities.first().cloned(),
            entities,
            events: self.events,
            records,
            trace_ids,
            summary: self.summary,
            from: self.from,
            until: self.until,
        }
    }
}

fn slot_of(operation: &Operation) -> Option<Slot> {
    let thing = operation.thing.clone()?;
    Some(Slot { thing, copy: operation.copy.clone(), field: operation.field.clone() })
}

/// The weakest of the basis. What rests on order that nothing claims, on a key that the trace alone suggests, on a
/// value that is not seen, or on absence where not all is known to be here, is possible and no more.
pub(crate) fn grade(basis: &Basis) -> Grade {
    let known = !matches!(basis.identity, Identity::Trace | Identity::Unknown);
    let seen = basis.value != ValueBasis::Inferred;
    let whole = matches!(basis.completeness, CompletenessBasis::Whole | CompletenessBasis::NotNeeded);
    match basis.order {
        Some(Certainty::Causal) if known && seen && whole => Grade::Proved,
        Some(Certainty::Clock | Certainty::Corrected) if known && seen && whole => Grade::Clock,
        _ => Grade::Possible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: Basis = Basis {
        order: Some(Certainty::Causal),
        identity: Identity::Own,
        value: ValueBasis::Seen,
        completeness: CompletenessBasis::NotNeeded,
    };

    #[test]
    fn a_grade_is_the_weakest_of_its_basis() {
        assert_eq!(grade(&SURE), Grade::Proved);
        assert_eq!(grade(&Basis { order: Some(Certainty::Corrected), ..SURE }), Grade::Clock);
        assert_eq!(grade(&Basis { order: Some(Certainty::Clock), ..SURE }), Grade::Clock);
        let weak = [
            Basis { order: Some(Certainty::Assumed), ..SURE },
            Basis { order: None, ..SURE },
            Basis { identity: Identity::Trace, ..SURE },
            Basis { identity: Identity::Unknown, ..SURE },
            Basis { value: ValueBasis::Inferred, ..SURE },
            Basis { completeness: CompletenessBasis::Partial, ..SURE },
            Basis { completeness: CompletenessBasis::Unknown, ..SURE },
        ];
        for basis in weak {
            assert_eq!(grade(&basis), Grade::Possible, "{basis:?}");
        }
    }

    #[test]
    fn what_weakens_once_stays_weak() {
        let draft = Draft::new(FindingKind::Divergence, String::new());
        let weak = draft.clone().in_order(None).in_order(Some(Certainty::Causal));
        assert_eq!(weak.basis.order, None);
        let unseen = draft.with_values(ValueBasis::Inferred).with_values(ValueBasis::Seen);
        assert_eq!(unseen.basis.value, ValueBasis::Inferred);
    }
}
