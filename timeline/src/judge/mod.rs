//! The judge: what is wrong in a timeline, with the events that prove it and a grade.
//!
//! | file                    | what it alone knows                                            |
//! |-------------------------|----------------------------------------------------------------|
//! | `settings.rs`, `rule.rs` | what a team declares                                          |
//! | `case.rs`               | all that is judged of one timeline, and what several kinds ask |
//! | `draft.rs`              | from what a kind's judge says to a finding: grade, status, id  |
//! | `story.rs`              | the words of a summary                                         |
//! | `relate.rs`             | one fault is one finding; what follows from what               |
//! | one file a kind         | when it holds: `docs/findings.md`                              |
//!
//! A pure function of one timeline. A kind that would have to guess stays silent.
//!
//! # Invariants
//!
//! - **FND-1** A finding's grade is the weakest of its basis.
//! - **FND-2** Where a stream is known to be sampled, dropped or cut, no finding rests on its absences.
//! - **FND-3** A finding's id depends on its kind, entities and records, and on nothing else.

pub(crate) mod case;
mod divergence;
mod draft;
mod duplicate_apply;
mod illegal_transition;
mod isolation_anomaly;
mod lost_update;
mod missed_update;
mod missing_telemetry;
mod out_of_order_apply;
mod relate;
mod retry_storm;
mod rule;
mod rule_broken;
mod settings;
#[cfg(test)]
mod simulated;
mod stale_read;
mod story;
#[cfg(test)]
mod tests;
mod unexplained_change;
mod unhandled_message;

pub use rule::{Holds, Pattern, Place, Rule};
pub use settings::{Budget, EntitySettings, Settings, Transitions, parse_window};

pub(crate) use case::Evidenced;
pub use case::owners;
pub(crate) use story::lasting;

use case::Case;
use draft::Draft;

use crate::document::Finding;

/// A kind's judge.
type Judge = fn(&Case<'_>) -> Vec<Draft>;

/// Every kind's judge.
const JUDGES: [Judge; 12] = [
    duplicate_apply::judge,
    lost_update::judge,
    stale_read::judge,
    out_of_order_apply::judge,
    missed_update::judge,
    unhandled_message::judge,
    illegal_transition::judge,
    unexplained_change::judge,
    divergence::judge,
    retry_storm::judge,
    rule_broken::judge,
    isolation_anomaly::judge,
];

/// What is wrong in one timeline, in the order of the list.
pub(crate) fn judge(evidence: Evidenced<'_>) -> Vec<Finding> {
    let case = Case::new(evidence);
    let mut drafts: Vec<Draft> = JUDGES.iter().flat_map(|judge| judge(&case)).collect();
    drafts.extend(missing_telemetry::judge(&case));
    relate::relate(&case, drafts)
}
