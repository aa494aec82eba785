//! What the traffic in an archive proves about clocks.

use timeline::clocks::{ClockEvidence, Extractor};
use timeline::document::Incompleteness;

use crate::archive::{Archive, ArchiveError, Effort, Window};
use crate::predicate::Predicate;

/// Evidence, and what it rests on.
pub(super) struct Proven {
    /// What the records prove.
    pub(super) evidence: ClockEvidence,
    /// How many records were read.
    pub(super) read: u64,
    /// How many there are, at most.
    pub(super) total: u64,
    /// Why it may lack something.
    pub(super) reasons: Vec<Incompleteness>,
}

/// Reads every record of `window`.
pub(super) fn of<A: Archive>(archive: &A, window: Window, effort: &Effort) -> Result<Proven, ArchiveError> {
    let mut extractor = Extractor::default();
    let all = Predicate::All(Vec::new());
    let visited = archive.visit(&all, window, effort, &mut |record| extractor.add(&record))?;
    let total = visited.read + visited.unread_max;
    Ok(Proven { evidence: extractor.evidence(), read: visited.read, total, reasons: visited.reasons })
}
