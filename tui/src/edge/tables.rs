//! The questions behind the tables, and their answers laid out.

use query::archive::{ArchiveError, Effort};
use query::compare;
use query::interface::{
    AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, Query, QueryError, StateRequest,
};
use timeline::document::{Completeness, State};
use timeline::state::Moment;

use super::workers::ENTITIES_MAX;
use crate::message::Failure;
use crate::report::entities::Beliefs;
use crate::report::{Report, Topic, affected, clocks, compare as compared, doctor, entities};

/// So many types or keys are listed at most.
const LISTED_MAX: usize = 10_000;

/// Asks what `topic` is about, and lays the answer out.
pub fn report(query: &dyn Query, topic: &Topic, effort: &Effort) -> Result<Report, Failure> {
    let listed = |kind: Option<&String>| {
        let request =
            EntitiesRequest { kind: kind.cloned(), limit: LISTED_MAX, ..EntitiesRequest::default() };
        query.entities(&request, effort)
    };
    Ok(match topic {
        Topic::Types => entities::types(&listed(None)?),
        Topic::Keys(kind) => entities::keys(kind, &listed(Some(kind))?),
        Topic::Affected { finding, entity } => {
            let request = AffectedRequest {
                finding: finding.clone(),
                entity: entity.clone(),
                entities_max: ENTITIES_MAX,
                ..AffectedRequest::default()
            };
            affected::report(&query.affected(&request, effort)?)
        }
        Topic::Compare { a, b } => {
            let found = compare::entities(query, a, b.as_deref(), effort);
            compared::report(&found.map_err(|error| match error {
                compare::CompareError::Query { error, .. } => Failure::from(error),
                other => Failure { message: other.to_string(), at: None, cancelled: false },
            })?)
        }
        Topic::Clocks => clocks::report(&query.clocks(&ClocksRequest::default(), effort)?),
        Topic::Doctor => doctor::report(&query.doctor(&DoctorRequest::default(), effort)?),
    })
}

/// What each copy of these entities held at a moment; nothing of those that cannot be told.
pub fn beliefs(
    query: &dyn Query,
    entities: Vec<String>,
    moment: &Moment,
    effort: &Effort,
) -> Result<Beliefs, QueryError> {
    let mut beliefs = Beliefs::new();
    let steps = entities.len();
    for (step, entity) in entities.into_iter().enumerate() {
        effort.check()?;
        effort.report(step as f64 / steps as f64);
        let request = StateRequest { entity: entity.clone(), moment: moment.clone() };
        match query.state(&request, &effort.without_progress()) {
            Ok(state) => {
                beliefs.insert(entity, state);
            }
            Err(QueryError::Archive(ArchiveError::Cancelled)) => return Err(ArchiveError::Cancelled.into()),
            // An entity that did not exist yet has no state: the line stays empty, the others are told.
            Err(QueryError::Malformed { .. }) => {
                beliefs.insert(entity, unknown());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(beliefs)
}

fn unknown() -> State {
    let schema = State::SCHEMA.to_owned();
    State { schema, at: None, completeness: Completeness::default(), copies: Vec::new() }
}
