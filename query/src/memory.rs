//! The archive in memory: plain and obviously right, so that others can be measured against it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use timeline::clocks::{ClockEvidence, Extractor};
use timeline::document::{Completeness, Incompleteness, Stats};
use timeline::id::{RecordId, TraceId};
use timeline::record::{Position, Record};

use crate::archive::{
    Archive, ArchiveError, Effort, Fetched, Followed, Found, Operations, Page, Proven, Visited, Window,
};
use crate::predicate::Predicate;

/// Records in memory, each once: of equal ids the one that stands first.
///
/// Positions come with the records and lie after `0-0-0-0`, which stands for the beginning.
#[derive(Debug, Default)]
pub struct Memory {
    held: RwLock<Held>,
    /// What the archive that the records are from lacked, and what its traffic proved about clocks.
    origin: Option<(Completeness, ClockEvidence)>,
}

#[derive(Debug, Default)]
struct Held {
    records: BTreeMap<Position, Record>,
    places: HashMap<RecordId, Position>,
    resent_spans: u64,
    resent_logs: u64,
}

impl Memory {
    /// An archive of these records.
    pub fn new(records: impl IntoIterator<Item = Record>) -> Memory {
        let memory = Memory::default();
        memory.extend(records);
        memory
    }

    /// The same, taken from another archive, which lacked something, and whose traffic proved this about clocks.
    #[must_use]
    pub fn from_archive(self, lacked: Completeness, proved: ClockEvidence) -> Memory {
        Memory { origin: Some((lacked, proved)), ..self }
    }

    /// Adds records.
    pub fn extend(&self, records: impl IntoIterator<Item = Record>) {
        let mut held = self.write();
        records.into_iter().for_each(|record| held.add(record));
    }

    /// A lock is poisoned only by a panic while it was held; what it guards is whole at every step.
    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, record: Record) {
        if let Some(place) = self.places.get(&record.id).copied() {
            match &record.as_span() {
                Some(_) => self.resent_spans += 1,
                None => self.resent_logs += 1,
            }
            if place <= record.position {
                return;
            }
            self.records.remove(&place);
        }
        self.places.insert(record.id, record.position);
        self.records.insert(record.position, record);
    }
}

/// Reads at most the records that an effort allows, and remembers whether it had to stop.
struct Budget<'a> {
    effort: &'a Effort,
    left: u64,
    reasons: Vec<Incompleteness>,
}

impl<'a> Budget<'a> {
    fn of(effort: &'a Effort) -> Budget<'a> {
        Budget { effort, left: effort.records_max, reasons: Vec::new() }
    }

    /// Whether one more record may be read.
    fn take(&mut self) -> Result<bool, ArchiveError> {
        self.effort.check()?;
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.reasons = vec![Incompleteness::Truncated],
        }
        Ok(self.reasons.is_empty())
    }
}

impl Archive for Memory {
    fn find(
        &self,
        predicate: &Predicate,
        window: Window,
        page: Page,
        effort: &Effort,
    ) -> Result<Found, ArchiveError> {
        let held = self.read();
        let mut budget = Budget::of(effort);
        let mut found = Found::default();
        let mut more = false;
        for (position, record) in held.records.iter().rev() {
            if !budget.take()? {
                break;
            }
            if !window.contains(record.time()) || !predicate.matches(record) {
                continue;
            }
            found.total += 1;
            let wanted = page.before.is_none_or(|before| *position < before);
            if wanted && found.records.len() < page.limit {
                found.records.push(record.clone());
            } else {
                more |= wanted;
            }
        }
        // A page of no records is only counted.
        found.next = found.records.last().filter(|_| more).map(|record| record.position);
        found.reasons = budget.reasons;
        Ok(found)
    }

    fn visit(
        &self,
        predicate: &Predicate,
        window: Window,
        effort: &Effort,
        visit: &mut dyn FnMut(Record),
    ) -> Result<Visited, ArchiveError> {
        let held = self.read();
        let mut budget = Budget::of(effort);
        let mut visited = Visited::default();
        for (at, record) in held.records.values().rev().enumerate() {
            if !budget.take()? {
                visited.unread_max = (held.records.len() - at) as u64;
                break;
            }
            if window.contains(record.time()) && predicate.matches(record) {
                visited.read += 1;
                visit(record.clone());
            }
        }
        visited.reasons = budget.reasons;
        Ok(visited)
    }

    fn fetch(&self, traces: &[TraceId], effort: &Effort) -> Result<Fetched, ArchiveError> {
        let wanted: BTreeSet<TraceId> = traces.iter().copied().collect();
        let mut budget = Budget::of(effort);
        let mut records = Vec::new();
        for record in self.read().records.values() {
            if record.trace_id().is_some_and(|trace| wanted.contains(&trace)) {
                if !budget.take()? {
                    break;
                }
                records.push(record.clone());
            }
        }
        Ok(Fetched { records, reasons: budget.reasons })
    }

    fn clocks(&self, window: Window, effort: &Effort) -> Result<Proven, ArchiveError> {
        effort.check()?;
        let evidence = match &self.origin {
            Some((_, proved)) => proved.clone(),
            None => Extractor::evidence_of(self.read().records.values()),
        };
        Ok(Proven { evidence: evidence.within(window.since, window.until), reasons: Vec::new() })
    }

    fn completeness(&self) -> Result<Completeness, ArchiveError> {
        let whole = || Completeness { complete: true, ..Completeness::default() };
        Ok(self.origin.as_ref().map_or_else(whole, |(lacked, _)| lacked.clone()))
    }

    fn follow(
        &self,
        after: Option<Position>,
        limit: usize,
        effort: &Effort,
    ) -> Result<Followed, ArchiveError> {
        effort.check()?;
        let held = self.read();
        let Some(after) = after else {
            let end = held.records.keys().next_back().copied().unwrap_or_default();
            return Ok(Followed { records: Vec::new(), after: Some(end) });
        };
        let later = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let records: Vec<Record> =
            held.records.range(later).take(limit).map(|(_, record)| record.clone()).collect();
        let after = records.last().map_or(after, |record| record.position);
        Ok(Followed { records, after: Some(after) })
    }

    fn operations(&self, effort: &Effort) -> Result<Operations, ArchiveError> {
        effort.check()?;
        let mut operations = Operations::default();
        self.read().records.values().for_each(|record| operations.add(record));
        Ok(operations)
    }

    fn stats(&self) -> Result<Stats, ArchiveError> {
        let held = self.read();
        let records = || held.records.values();
        let count =
            |spans: bool| records().filter(|record| record.as_span().is_some() == spans).count() as u64;
        let times = || records().map(Record::time).filter(|time| time.is_set());
        let end = held.records.keys().next_back().copied().unwrap_or_default().to_string();
        Ok(Stats {
            schema: Stats::SCHEMA.to_owned(),
            spans: count(true),
            logs: count(false),
            exact: true,
            resent_spans: held.resent_spans,
            resent_logs: held.resent_logs,
            rejected: 0,
            traces: records().filter_map(Record::trace_id).collect::<BTreeSet<_>>().len() as u64,
            services: records().map(|record| record.resource.service()).collect::<BTreeSet<_>>().len() as u64,
            bytes_journal: 0,
            bytes_index: 0,
            indexed_to: end.clone(),
            journal_end: end,
            first: times().min(),
            last: times().max(),
        })
    }
}

#[cfg(test)]
mod tests {
    use timeline::record::Body;

    use super::*;
    use crate::predicate::Signal;
    use crate::testing::{log, record, span, trace};

    fn archive() -> Memory {
        Memory::new((1..=5).map(|number| {
            let body = if number == 3 {
                Body::Log(log("tick"))
            } else {
                Body::Span(span(number as u8 % 2, number as u8, "GET"))
            };
            record(number, "orders", body)
        }))
    }

    fn find(archive: &Memory, predicate: &Predicate, page: Page, records_max: u64) -> Found {
        archive.find(predicate, Window::default(), page, &Effort::new(records_max)).expect("an answer")
    }

    #[test]
    fn pages_come_newest_first_and_cover_all_once() {
        let archive = archive();
        let spans = Predicate::Signal(Signal::Spans);
        let mut before = None;
        let mut offsets = Vec::new();
        loop {
            let found = find(&archive, &spans, Page { before, limit: 3 }, 100);
            assert_eq!(found.total, 4);
            offsets.extend(found.records.iter().map(|record| record.position.offset / 64));
            before = found.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(offsets, [5, 4, 2, 1]);
    }

    #[test]
    fn a_budget_cuts_and_says_so() {
        let found = find(&archive(), &Predicate::All(vec![]), Page { before: None, limit: 10 }, 2);
        assert_eq!((found.records.len(), found.reasons), (2, vec![Incompleteness::Truncated]));
        let fetched = archive().fetch(&[trace(0), trace(1)], &Effort::new(3)).expect("an answer");
        assert_eq!((fetched.records.len(), fetched.reasons), (3, vec![Incompleteness::Truncated]));
        let whole = archive().fetch(&[trace(0), trace(1)], &Effort::new(4)).expect("an answer");
        assert_eq!((whole.records.len(), whole.reasons), (4, vec![]));
    }

    #[test]
    fn what_is_cancelled_stops() {
        let effort = Effort::new(100);
        effort.cancel();
        let page = Page { before: None, limit: 1 };
        let answer = archive().find(&Predicate::All(vec![]), Window::default(), page, &effort);
        assert!(matches!(answer, Err(ArchiveError::Cancelled)));
    }

    #[test]
    fn what_comes_again_counts_once_and_stands_where_it_came_first() {
        let archive = archive();
        let again = |number, span_number| record(number, "orders", Body::Span(span(1, span_number, "GET")));
        archive.extend([again(9, 1), again(0, 5)]);
        let stats = archive.stats().expect("stats");
        assert_eq!((stats.spans, stats.logs, stats.resent_spans), (4, 1, 2));
        let found = find(&archive, &Predicate::All(vec![]), Page { before: None, limit: 10 }, 100);
        let offsets: Vec<u64> = found.records.iter().map(|record| record.position.offset / 64).collect();
        assert_eq!(offsets, [4, 3, 2, 1, 0]);
    }

    #[test]
    fn following_from_the_end_sees_each_new_record_once() {
        let memory = Memory::default();
        let follow = |after, limit| memory.follow(after, limit, &Effort::new(100)).expect("an answer");
        let begun = follow(None, 10);
        assert!(begun.records.is_empty());
        memory.extend(archive().read().records.values().cloned());
        let first = follow(begun.after, 3);
        let second = follow(first.after, 3);
        assert_eq!((first.records.len(), second.records.len()), (3, 2));
        let last = follow(second.after, 3);
        assert_eq!((last.records.len(), last.after), (0, second.after));
    }
}
