//! Who else has what a finding tells of.

use timeline::affected::{Census, Shape};
use timeline::document::{Affected, EntityKey, Finding, Incompleteness, Timeline};

use super::Local;
use crate::archive::{Archive, Effort, Window};
use crate::interface::{AffectedRequest, EntitiesRequest, Query, QueryError, TimelineRequest};

/// Finds the finding, then judges every entity of its type for the same shape.
pub(super) fn of<A: Archive>(
    local: &Local<A>,
    request: &AffectedRequest,
    effort: &Effort,
) -> Result<Affected, QueryError> {
    let (finding, timeline) = find(local, request, effort)?;
    let mut census = Census::new(Shape::of(&finding, &timeline));
    let listed = keys(local, &timeline.entity.kind, request, effort)?;
    let steps = listed.entities.len();
    for (step, key) in listed.entities.iter().enumerate() {
        effort.check()?;
        effort.report(step as f64 / steps as f64);
        census.take(&timeline_of(local, &scoped(key), effort)?);
    }
    let mut reasons = listed.completeness.reasons;
    if listed.total > listed.shown {
        reasons.push(Incompleteness::Truncated);
    }
    let completeness = local.completeness(reasons, census.taken(), listed.total.max(census.taken()))?;
    Ok(census.answer(completeness))
}

/// The finding and the timeline that it stands in: that of the entity named, else of whichever entity has it.
fn find<A: Archive>(
    local: &Local<A>,
    request: &AffectedRequest,
    effort: &Effort,
) -> Result<(Finding, Timeline), QueryError> {
    let held = |timeline: Timeline| {
        let found = timeline.findings.iter().find(|finding| finding.id.starts_with(&request.finding));
        found.filter(|_| !request.finding.is_empty()).cloned().map(|finding| (finding, timeline))
    };
    let mut judged = 0u64;
    if let Some(entity) = &request.entity {
        judged = 1;
        if let Some(found) = held(timeline_of(local, entity, effort)?) {
            return Ok(found);
        }
    } else {
        let all = EntitiesRequest { kind: None, window: request.window, limit: usize::MAX };
        let types = local.entities(&all, &effort.without_progress())?.types;
        for kind in types.iter().filter(|kind| !kind.guessed && kind.records > 0) {
            for key in keys(local, &kind.kind, request, effort)?.entities {
                effort.check()?;
                judged += 1;
                if let Some(found) = held(timeline_of(local, &scoped(&key), effort)?) {
                    return Ok(found);
                }
            }
        }
    }
    let message = format!(
        "no finding {} in the {judged} entities judged: `backstory findings` lists them; --entity names the one that has it",
        request.finding
    );
    Err(QueryError::Malformed { message, at: None })
}

/// The latest entities of a type that the window names.
fn keys<A: Archive>(
    local: &Local<A>,
    kind: &str,
    request: &AffectedRequest,
    effort: &Effort,
) -> Result<timeline::document::Entities, QueryError> {
    let of_kind =
        EntitiesRequest { kind: Some(kind.to_owned()), window: request.window, limit: request.entities_max };
    local.entities(&of_kind, &effort.without_progress())
}

/// The whole timeline: an entity's findings rest on all of it.
fn timeline_of<A: Archive>(local: &Local<A>, entity: &str, effort: &Effort) -> Result<Timeline, QueryError> {
    let request = TimelineRequest {
        entity: entity.to_owned(),
        window: Window::default(),
        events_max: usize::MAX,
        brief: false,
    };
    local.timeline(&request, &effort.without_progress())
}

/// The entity as it is asked for within its scope.
fn scoped(key: &EntityKey) -> String {
    let whole = key.scope.matches('/').count() == 1 && key.entity.matches('/').count() == 1;
    if whole { format!("{}/{}", key.scope, key.entity) } else { key.entity.clone() }
}
