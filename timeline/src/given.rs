//! What a timeline rests on besides its records and the question.

use std::collections::BTreeMap;

use crate::clocks::{ClockEvidence, Declared};
use crate::document::Completeness;

/// What a timeline rests on besides its records and the question: equal in all of it, equal in bytes.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What the archive knows that its answer lacks.
    pub completeness: Completeness,
    /// What the archive's traffic proves about clocks. It may contain what the timeline's own records prove, or not:
    /// that changes nothing.
    pub clocks: ClockEvidence,
    /// Offsets that the configuration declares, by the clock's host, else its service.
    pub declared: BTreeMap<String, Declared>,
}
