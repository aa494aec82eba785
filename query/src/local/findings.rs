//! What is wrong with one entity, or with all that records name.

use timeline::document::{Findings, Incompleteness};

use super::Local;
use super::judged::Report;
use crate::archive::{Archive, Effort};
use crate::interface::{EntitiesRequest, FindingsRequest, Query, QueryError, TimelineRequest};

/// Judges the entity asked for, or every entity that records of the window name; where entities were judged as their
/// records arrived, that answers.
pub(super) fn of<A: Archive>(
    local: &Local<A>,
    request: &FindingsRequest,
    effort: &Effort,
) -> Result<Findings, QueryError> {
    let mut report = Report::default();
    let completeness = match (&request.entity, local.live()) {
        (Some(entity), _) => {
            // The answer rests on what the timeline rests on.
            let timeline = local.timeline(&TimelineRequest::whole(entity), effort)?;
            report.take(&timeline, request);
            timeline.completeness
        }
        (None, Some(live)) if !request.rescan => {
            let completeness = local.completeness(Vec::new(), 0, 0)?;
            return Ok(live.answer(request, completeness));
        }
        (None, _) => {
            let reasons = scan(local, request, effort, &mut report)?;
            let (shown, total) = (report.judged(), report.judged() + report.cannot());
            local.completeness(reasons, shown, total)?
        }
    };
    Ok(report.answer(completeness, local.archive.stats()?.last, 0))
}

/// Judges the entities of every type, but those that only words in texts suggest.
fn scan<A: Archive>(
    local: &Local<A>,
    request: &FindingsRequest,
    effort: &Effort,
    report: &mut Report,
) -> Result<Vec<Incompleteness>, QueryError> {
    let mut reasons = Vec::new();
    let every = EntitiesRequest { kind: None, window: request.window, limit: usize::MAX };
    let types = local.entities(&every, effort)?;
    reasons.extend(types.completeness.reasons);
    let kinds: Vec<String> =
        types.types.into_iter().filter(|kind| !kind.guessed).map(|kind| kind.kind).collect();
    for (done, kind) in kinds.iter().enumerate() {
        let of_kind =
            EntitiesRequest { kind: Some(kind.clone()), window: request.window, limit: request.entities_max };
        let listed = local.entities(&of_kind, effort)?;
        for (number, key) in listed.entities.iter().enumerate() {
            effort.check()?;
            let share = (number as f64 / listed.entities.len() as f64 + done as f64) / kinds.len() as f64;
            effort.report(share);
            let timeline =
                local.timeline(&TimelineRequest::whole(&scoped(&key.scope, &key.entity)), effort)?;
            report.take(&timeline, request);
        }
        let beyond = listed.total.saturating_sub(listed.shown);
        if beyond > 0 {
            report.refuse("more entities of the type than the limit: the latest were judged", beyond);
            reasons.push(Incompleteness::Truncated);
        }
    }
    Ok(reasons)
}

/// The entity as it is asked for within its scope.
fn scoped(scope: &str, entity: &str) -> String {
    let whole = scope.matches('/').count() == 1 && entity.matches('/').count() == 1;
    if whole { format!("{scope}/{entity}") } else { entity.to_owned() }
}
