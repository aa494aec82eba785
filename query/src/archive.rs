//! The archive: the questions that a store of records answers, whatever engine it is made of.
//!
//! Record ids are made at intake, no engine's offset is ever read as evidence, and no engine's query
//! type crosses this boundary. Answers may come in any order, and a record twice; a partial answer
//! says that it is partial.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use timeline::clocks::ClockEvidence;
use timeline::document::{Completeness, Incompleteness, Stats};
use timeline::id::TraceId;
use timeline::record::{Position, Record, SpanKind};
use timeline::time::Time;

use crate::predicate::Predicate;

/// A store of records.
pub trait Archive: Send + Sync {
    /// The records that match, newest arrival first, a page at a time.
    fn find(
        &self,
        predicate: &Predicate,
        window: Window,
        page: Page,
        effort: &Effort,
    ) -> Result<Found, ArchiveError>;

    /// Calls `visit` with every record that matches, each once, newest arrival first, however many there are: they
    /// never stand in memory together.
    fn visit(
        &self,
        predicate: &Predicate,
        window: Window,
        effort: &Effort,
        visit: &mut dyn FnMut(Record),
    ) -> Result<Visited, ArchiveError>;

    /// All records of these traces, in any order, perhaps twice.
    fn fetch(&self, traces: &[TraceId], effort: &Effort) -> Result<Fetched, ArchiveError>;

    /// What all traffic proves about clocks, of a stretch of time: every message sent or received in it, by its own clock,
    /// that [`ClockEvidence::within`] keeps. Kept as records come, not read from them for each question.
    fn clocks(&self, window: Window, effort: &Effort) -> Result<Proven, ArchiveError>;

    /// What any answer of this archive lacks at this moment: shards that cannot be read, records not yet indexed.
    fn completeness(&self) -> Result<Completeness, ArchiveError>;

    /// The records that arrived after `after`, oldest first, at most `limit`, without waiting;
    /// with `after` absent, none, but the position to go on from.
    fn follow(
        &self,
        after: Option<Position>,
        limit: usize,
        effort: &Effort,
    ) -> Result<Followed, ArchiveError>;

    /// Which services sent records, and under which names and kinds each sent spans, by what the store keeps of
    /// them: it reads no more records than it must.
    fn operations(&self, effort: &Effort) -> Result<Operations, ArchiveError>;

    /// What it holds.
    fn stats(&self) -> Result<Stats, ArchiveError>;
}

/// A shared archive is an archive.
impl<A: Archive + ?Sized> Archive for Arc<A> {
    fn find(
        &self,
        predicate: &Predicate,
        window: Window,
        page: Page,
        effort: &Effort,
    ) -> Result<Found, ArchiveError> {
        (**self).find(predicate, window, page, effort)
    }

    fn visit(
        &self,
        predicate: &Predicate,
        window: Window,
        effort: &Effort,
        visit: &mut dyn FnMut(Record),
    ) -> Result<Visited, ArchiveError> {
        (**self).visit(predicate, window, effort, visit)
    }

    fn fetch(&self, traces: &[TraceId], effort: &Effort) -> Result<Fetched, ArchiveError> {
        (**self).fetch(traces, effort)
    }

    fn clocks(&self, window: Window, effort: &Effort) -> Result<Proven, ArchiveError> {
        (**self).clocks(window, effort)
    }

    fn completeness(&self) -> Result<Completeness, ArchiveError> {
        (**self).completeness()
    }

    fn follow(
        &self,
        after: Option<Position>,
        limit: usize,
        effort: &Effort,
    ) -> Result<Followed, ArchiveError> {
        (**self).follow(after, limit, effort)
    }

    fn operations(&self, effort: &Effort) -> Result<Operations, ArchiveError> {
        (**self).operations(effort)
    }

    fn stats(&self) -> Result<Stats, ArchiveError> {
        (**self).stats()
    }
}

/// A stretch of the records' own times; open where `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The first moment inside.
    pub since: Option<Time>,
    /// The first moment past it.
    pub until: Option<Time>,
}

impl Window {
    /// Whether `time` lies inside.
    pub fn contains(self, time: Time) -> bool {
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }

    /// The stretch that lies inside both.
    #[must_use]
    pub fn intersection(self, other: Window) -> Window {
        let earlier = match (self.until, other.until) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        Window { since: self.since.max(other.since), until: earlier }
    }
}

/// Which part of a long answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only records that stand before this position; `None` for the newest.
    pub before: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// How hard to try: a budget, and a way to be told to stop.
#[derive(Clone)]
pub struct Effort {
    /// At most so many records are read from the journal before the answer is cut and says so.
    pub records_max: u64,
    cancelled: Arc<AtomicBool>,
    scanned: Option<Progress>,
}

/// Called with the share of a scan that is done, from 0 to 1.
pub type Progress = Arc<dyn Fn(f64) + Send + Sync>;

impl Effort {
    /// At most `records_max` records are read.
    pub fn new(records_max: u64) -> Effort {
        Effort { records_max, cancelled: Arc::default(), scanned: None }
    }

    /// The same effort, which tells `progress` how far a scan has come.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Effort {
        self.scanned = Some(progress);
        self
    }

    /// The same effort, which tells nobody how far it has come: for one of many steps.
    #[must_use]
    pub fn without_progress(&self) -> Effort {
        Effort { scanned: None, ..self.clone() }
    }

    /// What is left of this effort once `records` were read.
    #[must_use]
    pub fn after(&self, records: u64) -> Effort {
        Effort { records_max: self.records_max.saturating_sub(records), ..self.clone() }
    }

    /// Asks the work to stop; it does at the next block it reads.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// An error once [`Effort::cancel`] was called.
    pub fn check(&self) -> Result<(), ArchiveError> {
        if self.cancelled.load(Ordering::Relaxed) { Err(ArchiveError::Cancelled) } else { Ok(()) }
    }

    /// Tells how far a scan has come, from 0 to 1.
    pub fn report(&self, share: f64) {
        if let Some(progress) = &self.scanned {
            progress(share);
        }
    }
}

impl std::fmt::Debug for Effort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effort")
            .field("records_max", &self.records_max)
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}

/// A page of records that match.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Newest arrival first, no record twice.
    pub records: Vec<Record>,
    /// How many match in all; at least so many where `reasons` holds `Truncated`.
    pub total: u64,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Position>,
    /// Why the answer may lack something.
    pub reasons: Vec<Incompleteness>,
}

/// What a visit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visited {
    /// How many records were visited.
    pub read: u64,
    /// How many may match that were not, because the effort was spent; 0 where all were.
    pub unread_max: u64,
    /// Why the answer may lack something.
    pub reasons: Vec<Incompleteness>,
}

/// Records fetched by key.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// In any order, perhaps twice.
    pub records: Vec<Record>,
    /// Why the answer may lack something.
    pub reasons: Vec<Incompleteness>,
}

/// What traffic proves about clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proven {
    /// The evidence.
    pub evidence: ClockEvidence,
    /// Why it may lack something.
    pub reasons: Vec<Incompleteness>,
}

/// Records as they arrived.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// Oldest first.
    pub records: Vec<Record>,
    /// What to pass as `after` next time.
    pub after: Option<Position>,
}

/// Which services sent records, and under which names and kinds each sent spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// By service; empty for one that sent logs alone.
    pub services: BTreeMap<String, BTreeSet<(String, SpanKind)>>,
    /// Why the answer may lack something.
    pub reasons: Vec<Incompleteness>,
}

impl Operations {
    /// Takes in what `record` shows.
    pub fn add(&mut self, record: &Record) {
        let service = record.resource.service();
        if !self.services.contains_key(service) {
            self.services.insert(service.to_owned(), BTreeSet::new());
        }
        if let (Some(operations), Some(span)) = (self.services.get_mut(service), record.as_span()) {
            operations.insert((span.name.clone(), span.kind));
        }
    }
}

/// Why an archive could not answer.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Somebody asked it to stop.
    #[error("cancelled")]
    Cancelled,
    /// The store failed; the text says what, where and what to do.
    #[error("{0}")]
    Store(String),
}
