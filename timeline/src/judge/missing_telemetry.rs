//! `missing_telemetry`: a span whose parent, or a message whose sender, is named and never came.
//!
//! A sampler, and a caller that is not instrumented, explain both. So it is silent where anything is known to be
//! sampled or dropped, and about parents in other processes. A log line whose span never came tells something only where the
//! service's spans are known to be whole: logs are kept where a sampler has dropped the spans, and do not say so.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::draft::Draft;
use crate::document::{CompletenessBasis, FindingKind, Gap, GapKind};
use crate::id::EventId;
use crate::record::SpanKind;

/// One finding a service and kind of gap.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let mut missing: BTreeMap<(&str, GapKind), Vec<EventId>> = BTreeMap::new();
    for gap in case.evidence.gaps {
        if let Some((service, event)) = telling(case, gap) {
            missing.entry((service, gap.kind)).or_default().push(event);
        }
    }
    missing
        .into_iter()
        .filter_map(|((service, kind), events)| of_service(case, service, kind, events))
        .collect()
}

/// A gap that a whole stream would not have.
fn telling<'a>(case: &Case<'a>, gap: &Gap) -> Option<(&'a str, EventId)> {
    let event = gap.event.filter(|event| case.is_overdue(*event))?;
    let record = case.record_of(event)?;
    let entered = |kind: SpanKind| matches!(kind, SpanKind::Server | SpanKind::Consumer);
    let inside = match record.as_span() {
        Some(span) => !entered(span.kind) && span.parent_is_remote() != Some(true),
        None => is_whole(case, record.resource.service()),
    };
    let tells = match gap.kind {
        GapKind::MissingParent => inside && gap.detail.contains("never arrived"),
        GapKind::EndedWithoutFlush => true,
        _ => false,
    };
    tells.then(|| (record.resource.service(), event))
}

fn is_whole(case: &Case<'_>, service: &str) -> bool {
    case.absence(&BTreeSet::from([service]), "") == CompletenessBasis::Whole
}

fn of_service(case: &Case<'_>, service: &str, kind: GapKind, events: Vec<EventId>) -> Option<Draft> {
    let absence = case.absence(&BTreeSet::from([service]), "");
    if absence == CompletenessBasis::Partial {
        return None;
    }
    let what = match kind {
        GapKind::EndedWithoutFlush => "ended without sending what it still held".to_owned(),
        _ => format!("named {} spans of its own that never came", events.len()),
    };
    let summary = format!("{service} {what}: what happened in them is not here");
    let times = events.iter().map(|event| case.time(*event));
    let (from, until) = (times.clone().min()?, times.max());
    let mut draft = Draft::new(FindingKind::MissingTelemetry, summary).with_absence(absence);
    draft.events = events;
    Some(draft.lasting(from, until))
}
