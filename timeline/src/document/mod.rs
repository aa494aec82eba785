//! The public JSON, as types: what commands print, the query API returns and exports start from.
//!
//! | file           | documents                                                        |
//! |----------------|------------------------------------------------------------------|
//! | `timeline.rs`  | `backstory.timeline/1`                                           |
//! | `state.rs`     | what events did to state, `backstory.state/1`                    |
//! | `finding.rs`   | anomalies and what proves them, `backstory.findings/1`           |
//! | `why.rs`       | `backstory.why/1`, `belongs/1`                                   |
//! | `diff.rs`      | `backstory.diff/1`                                               |
//! | `answers.rs`   | `backstory.find/1`, `search/1`, `stats/1`                        |
//! | `affected.rs`  | `backstory.affected/1`                                           |
//! | `entities.rs`  | `backstory.entities/1`                                           |
//! | `doctor.rs`    | `backstory.doctor/1`                                             |
//! | `incident.rs`  | `backstory.incidents/1`, `annotations/1`                         |
//! | `services.rs`  | `backstory.services/1`, `traces/1`                               |
//!
//! Fields may be added, never renamed or given another meaning without a new number in `schema`.
//! The JSON Schemas are in `docs/schema/`; a test validates what these types print against them.

mod affected;
mod answers;
mod diff;
mod doctor;
mod entities;
mod finding;
mod incident;
mod services;
mod state;
#[cfg(test)]
mod tests;
mod timeline;
mod why;

pub use affected::{Affected, AffectedBy, AffectedEntity, AffectedGroup, Still, Verdict};
pub use answers::{Clocks, Find, FindMatch, Search, SearchEvent, SearchLink, SearchRecord, Stats};
pub use diff::{Change, Diff, DiffSide, Difference, DifferenceKind};
pub use doctor::{Aspect, Check, Diagnosis, Doctor, Judgeable, Judged, Presence, Remedy, RemedyPlace};
pub use entities::{Entities, EntityKey, EntityType, NamePlace, SeenCopy};
pub use finding::{
    Basis, CannotJudge, CompletenessBasis, Finding, FindingKind, FindingStatus, Findings, Grade, Rollup,
    ValueBasis,
};
pub use incident::{
    Annotations, Incident, IncidentEntities, IncidentError, IncidentFinding, IncidentService, Incidents,
    Origin, Pinned,
};
pub use services::{Operation, ServiceOperations, Services, Traces};
pub use state::{CopyState, Identity, InitialState, Known, Op, Outcome, State, StateChange, StateEvidence};
pub use timeline::{
    Belongs, CausalStamp, Certainty, Clock, ClockBounds, Completeness, Edge, Entity, Event, EventKind,
    Evidence, Folded, Gap, GapKind, Incompleteness, Marker, Process, Range, Stream, StreamState, Timeline,
};
pub use why::{Belonging, BelongsStep, Relation, Why, WhyEvent};
