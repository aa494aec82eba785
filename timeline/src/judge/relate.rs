//! One fault is one finding, of the most specific kind; others that follow from it name it.

use super::case::Case;
use super::draft::Draft;
use crate::document::{Finding, FindingKind};
use crate::id::TraceId;

/// How specific a kind is: of findings about one fault the first stands.
fn rank(kind: FindingKind) -> u8 {
    use FindingKind::*;
    match kind {
        DuplicateApply | LostUpdate | UnhandledMessage => 0,
        OutOfOrderApply => 1,
        MissedUpdate => 2,
        StaleRead => 3,
        IllegalTransition | IsolationAnomaly => 4,
        RuleBroken => 5,
        UnexplainedChange => 6,
        Divergence => 7,
        RetryStorm => 8,
        ClockSkew | MissingTelemetry => 9,
    }
}

/// Leaves one finding a fault, and has those that follow from another name it.
pub(super) fn relate(case: &Case<'_>, mut drafts: Vec<Draft>) -> Vec<Finding> {
    drafts.sort_by(|a, b| (rank(a.kind), a.from, &a.events).cmp(&(rank(b.kind), b.from, &b.events)));
    let mut kept: Vec<Draft> = Vec::new();
    for draft in drafts {
        if !kept.iter().any(|other| is_same_fault(other, &draft)) {
            kept.push(draft);
        }
    }
    let causes: Vec<Option<usize>> = kept
        .iter()
        .enumerate()
        .map(|(at, draft)| kept[..at].iter().position(|cause| follows(case, cause, draft)))
        .collect();
    let mut findings: Vec<Finding> = kept.into_iter().map(|draft| draft.finish(case)).collect();
    for (at, cause) in causes.into_iter().enumerate() {
        findings[at].consequence_of = cause.map(|cause| findings[cause].id.clone());
    }
    let place = |finding: &Finding| finding.events.first().map(|event| case.place(*event));
    findings.sort_by(|a, b| (place(a), a.from, &a.id).cmp(&(place(b), b.from, &b.id)));
    findings.dedup_by(|a, b| a.id == b.id);
    findings
}

/// Whether `draft` tells of the fault that `other`, more specific, tells of.
fn is_same_fault(other: &Draft, draft: &Draft) -> bool {
    use FindingKind::*;
    let same_state = other
        .slots
        .iter()
        .any(|own| draft.slots.iter().any(|slot| own.thing == slot.thing && own.copy == slot.copy));
    match (other.kind, draft.kind) {
        (OutOfOrderApply | MissedUpdate, MissedUpdate | Divergence) => same_state,
        (LostUpdate, UnexplainedChange | IsolationAnomaly) => same_state,
        // One stale answer may show in several fields, and in a log beside the statement.
        (StaleRead, StaleRead) => shares_event(other, draft) || (same_state && same_span(other, draft)),
        (a, b) => a == b && same_state && shares_event(other, draft),
    }
}

fn shares_event(a: &Draft, b: &Draft) -> bool {
    a.events.iter().any(|event| b.events.contains(event))
}

fn same_span(a: &Draft, b: &Draft) -> bool {
    a.from == b.from && a.until == b.until
}

/// Whether `draft` follows from `cause`.
fn follows(case: &Case<'_>, cause: &Draft, draft: &Draft) -> bool {
    use FindingKind::*;
    let same_copy = cause
        .slots
        .iter()
        .any(|own| draft.slots.iter().any(|slot| own.thing == slot.thing && own.copy == slot.copy));
    match (cause.kind, draft.kind) {
        // What was announced in vain is what the copy misses: the write and the message share their trace.
        (UnhandledMessage, MissedUpdate | Divergence | StaleRead | RuleBroken) => {
            shares_trace(case, cause, draft)
        }
        (OutOfOrderApply | MissedUpdate | Divergence, StaleRead) => same_copy,
        (StaleRead | LostUpdate, IllegalTransition) => shares_event(cause, draft),
        (DuplicateApply | StaleRead, RuleBroken) => shares_event(cause, draft),
        (RetryStorm, DuplicateApply) => shares_event(cause, draft),
        _ => false,
    }
}

fn shares_trace(case: &Case<'_>, a: &Draft, b: &Draft) -> bool {
    let traces = |draft: &Draft| -> Vec<TraceId> {
        draft.events.iter().filter_map(|event| case.record_of(*event)?.trace_id()).collect()
    };
    let own = traces(a);
    traces(b).iter().any(|trace| own.contains(trace))
}
