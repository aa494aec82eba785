//! What a timeline rests on besides its records and the question.

use crate::document::Completeness;

/// What a timeline rests on besides its records and the question: equal in all of it, equal in bytes.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What the archive knows that its answer lacks.
    pub completeness: Completeness,
}
