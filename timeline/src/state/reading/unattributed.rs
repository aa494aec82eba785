//! Writes whose thing is unknown: a gap in every timeline that they could concern.

use std::collections::HashSet;

use crate::belongs::Members;
use crate::document::{Belongs, Gap, GapKind, Outcome, StateEvidence};
use crate::held::Held;
use crate::id::{RecordId, TraceId};
use crate::question::Question;
use crate::state::{Operation, Thing};

/// The gaps of writes to things of the subject's type, none of which is known, in the traces that name the subject
/// and among all that belongs. One gap a record and copy.
pub(crate) fn unattributed(
    held: &Held,
    members: &Members,
    operations: &[Operation],
    question: &Question,
) -> Vec<Gap> {
    let Some(Thing { kind, .. }) = question.subject.thing() else { return Vec::new() };
    let own = |(at, why): (usize, Belongs)| {
        if why == Belongs::Own { held.record(at).trace_id() } else { None }
    };
    let traces: HashSet<TraceId> = members.iter().filter_map(own).collect();
    let listed: HashSet<RecordId> = members.iter().map(|(at, _)| held.record(at).id).collect();
    let near: HashSet<RecordId> = held
        .traces()
        .filter(|(trace, _)| traces.contains(trace))
        .flat_map(|(_, records)| records.iter().map(|at| held.record(*at).id))
        .collect();
    let mut gaps: Vec<Gap> = operations
        .iter()
        .filter(|o| o.thing.is_none() && o.writes() && o.outcome != Outcome::Failed && is_of_store(o))
        // A command whose key was cut may concern anything that its own trace is about.
        .filter(|o| {
            o.kind == kind && near.contains(&o.record)
                || (o.kind == kind || o.kind.is_empty()) && listed.contains(&o.record)
        })
        .map(|operation| Gap {
            kind: GapKind::UnattributedWrite,
            event: listed.contains(&operation.record).then_some(operation.event),
            detail: format!("a write to {}: nothing says which {kind} it concerns", operation.copy),
        })
        .collect();
    gaps.sort();
    gaps.dedup();
    gaps
}

/// Whether it wrote to a store. Messages and requests are commands; what they change is told by what follows.
fn is_of_store(operation: &Operation) -> bool {
    matches!(operation.evidence, StateEvidence::Sql | StateEvidence::Redis | StateEvidence::Attribute)
}
