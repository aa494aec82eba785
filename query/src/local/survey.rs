//! What an archive holds, by entity type and by service.

use timeline::document::Incompleteness;
use timeline::survey::Survey;

use crate::archive::{Archive, ArchiveError, Effort, Window};
use crate::predicate::Predicate;

/// A survey, and what it rests on.
pub(super) struct Surveyed {
    /// What was found.
    pub(super) survey: Survey,
    /// How many records were read.
    pub(super) read: u64,
    /// How many there are, at most.
    pub(super) total: u64,
    /// Why the answer may lack something.
    pub(super) reasons: Vec<Incompleteness>,
}

/// Takes every record of `window` into `survey`.
pub(super) fn of<A: Archive>(
    archive: &A,
    mut survey: Survey,
    window: Window,
    effort: &Effort,
) -> Result<Surveyed, ArchiveError> {
    let all = Predicate::All(Vec::new());
    let visited = archive.visit(&all, window, effort, &mut |record| survey.add(&record))?;
    let total = visited.read + visited.unread_max;
    Ok(Surveyed { survey, read: visited.read, total, reasons: visited.reasons })
}
