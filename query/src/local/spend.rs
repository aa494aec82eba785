//! One budget over several questions to an archive.

use std::collections::BTreeSet;

use timeline::document::Incompleteness;
use timeline::id::TraceId;
use timeline::record::Record;

use crate::archive::{Archive, ArchiveError, Effort, Page, Window};
use crate::predicate::Predicate;

/// So many records are asked for at once. Large, because an archive counts all that match for every page;
/// bounded, because a page stands in memory.
const PAGE_RECORDS: usize = 1 << 16;

/// Asks an archive until the effort is spent; then nothing more, and says so.
pub(super) struct Spend<'a, A> {
    archive: &'a A,
    effort: Effort,
    reasons: BTreeSet<Incompleteness>,
}

impl<'a, A: Archive> Spend<'a, A> {
    pub(super) fn new(archive: &'a A, effort: &Effort) -> Spend<'a, A> {
        Spend { archive, effort: effort.clone(), reasons: BTreeSet::new() }
    }

    /// Calls `visit` with the records that match, newest arrival first; returns how many match in all.
    pub(super) fn each(
        &mut self,
        predicate: &Predicate,
        window: Window,
        mut visit: impl FnMut(Record),
    ) -> Result<u64, ArchiveError> {
        let mut total = 0;
        let mut before = None;
        loop {
            let limit = PAGE_RECORDS.min(usize::try_from(self.effort.records_max).unwrap_or(PAGE_RECORDS));
            if limit == 0 {
                self.reasons.insert(Incompleteness::Truncated);
                return Ok(total);
            }
            let found = self.archive.find(predicate, window, Page { before, limit }, &self.effort)?;
            self.spend(found.records.len(), found.reasons);
            total = total.max(found.total);
            found.records.into_iter().for_each(&mut visit);
            before = found.next;
            if before.is_none() {
                return Ok(total);
            }
        }
    }

    /// The records of these traces.
    pub(super) fn fetch(&mut self, traces: &[TraceId]) -> Result<Vec<Record>, ArchiveError> {
        if traces.is_empty() {
            return Ok(Vec::new());
        }
        let fetched = self.archive.fetch(traces, &self.effort)?;
        self.spend(fetched.records.len(), fetched.reasons);
        Ok(fetched.records)
    }

    /// Why the answers may lack something.
    pub(super) fn into_reasons(self) -> Vec<Incompleteness> {
        self.reasons.into_iter().collect()
    }

    fn spend(&mut self, records: usize, reasons: Vec<Incompleteness>) {
        self.effort.records_max = self.effort.records_max.saturating_sub(records as u64);
        self.reasons.extend(reasons);
    }
}
