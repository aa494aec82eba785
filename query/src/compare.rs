//! One entity beside another, or beside the nearest healthy one: asked of any query interface.

use timeline::compare;
use timeline::document::{Diff, Event, Timeline};
use timeline::record::Severity;
use timeline::time::Time;

use crate::archive::{Effort, Window};
use crate::interface::{EntitiesRequest, Query, QueryError, TimelineRequest};

/// So many entities of the type are looked at for a healthy one.
const CANDIDATES_MAX: usize = 24;
/// Of so many keys the nearest in time are candidates.
const KEYS_MAX: usize = 10_000;

/// Where two entities part, and whether the second was chosen for being healthy.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Where they part.
    pub diff: Diff,
    /// Whether nobody named the second: it is the nearest healthy one.
    pub chosen: bool,
}

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// None of the entities that began nearest in time is healthy.
    #[error("no healthy {kind} stands near {entity}: name one")]
    NoneHealthy {
        /// The type.
        kind: String,
        /// Whose neighbours were looked at.
        entity: String,
    },
    /// A question failed.
    #[error("{error}")]
    Query {
        /// How.
        #[source]
        error: QueryError,
        /// What was asked about.
        about: String,
    },
}

/// Compares the timelines of `a` and `b`; without `b`, of `a` and the entity of its type with the fewest differences
/// among the healthy ones that began nearest in time. An unknown entity has an empty timeline.
pub fn entities(
    query: &dyn Query,
    a: &str,
    b: Option<&str>,
    effort: &Effort,
) -> Result<Compared, CompareError> {
    let a = told(query, a, &effort.without_progress())?;
    let b = match b {
        Some(b) => told(query, b, &effort.without_progress())?,
        None => return Ok(Compared { diff: nearest_healthy(query, &a, effort)?, chosen: true }),
    };
    Ok(Compared { diff: compare(&a, &b), chosen: false })
}

fn told(query: &dyn Query, entity: &str, effort: &Effort) -> Result<Timeline, CompareError> {
    let request = TimelineRequest::whole(entity);
    let failed = |error| CompareError::Query { error, about: entity.to_owned() };
    query.timeline(&request, effort).map_err(failed)
}

fn nearest_healthy(query: &dyn Query, a: &Timeline, effort: &Effort) -> Result<Diff, CompareError> {
    let kind = &a.entity.kind;
    let own = format!("{kind}/{}", a.entity.key);
    let quiet = effort.without_progress();
    let request = EntitiesRequest { kind: Some(kind.clone()), window: Window::default(), limit: KEYS_MAX };
    let failed = |error| CompareError::Query { error, about: kind.clone() };
    let found = query.entities(&request, &quiet).map_err(failed)?;
    let began = a.range.map(|range| range.start).unwrap_or_default();
    let apart = |time: Option<Time>| time.map_or(u64::MAX, |time| time.0.abs_diff(began.0));
    let same_scope = |scope: &String| a.entity.scope.is_empty() || *scope == a.entity.scope;
    let mut keys: Vec<_> =
        found.entities.iter().filter(|key| key.entity != own && same_scope(&key.scope)).collect();
    keys.sort_by(|x, y| (apart(x.first), &x.entity).cmp(&(apart(y.first), &y.entity)));
    keys.truncate(CANDIDATES_MAX);
    let mut nearest: Option<Diff> = None;
    for (number, key) in keys.iter().enumerate() {
        effort.report(number as f64 / keys.len() as f64);
        let candidate = told(query, &key.entity, &quiet)?;
        let diff = compare(a, &candidate);
        let fewer = nearest.as_ref().is_none_or(|found| diff.differences.len() < found.differences.len());
        if is_healthy(&candidate) && fewer {
            nearest = Some(diff);
        }
    }
    nearest.ok_or_else(|| CompareError::NoneHealthy { kind: kind.clone(), entity: own })
}

/// Something happened: no finding, no gap, no error.
fn is_healthy(timeline: &Timeline) -> bool {
    let failed = |event: &Event| event.severity.is_some_and(|severity| severity >= Severity::Error);
    let begun = !timeline.events.is_empty();
    begun && timeline.findings.is_empty() && timeline.gaps.is_empty() && !timeline.events.iter().any(failed)
}
