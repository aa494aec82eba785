//! The query interface over what is made by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use query::annotations::ToWrite;
use query::archive::Effort;
use query::bundle::Bundle;
use query::interface::{
    AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, FindingsRequest, FollowAnswer,
    FollowRequest, IncidentsRequest, Query, QueryError, Records, SearchRequest, ServicesRequest,
    StateRequest, TimelineRequest, TracesRequest, WhyAnswer, WhyRequest,
};
use timeline::annotation::Written;
use timeline::document::{
    Affected, Annotations, Clocks, Completeness, Doctor, Entities, Find, FindMatch, Findings, Incidents,
    Pinned, Search, SearchRecord, Services, State, Stats, Timeline, Traces,
};
use timeline::survey::Survey;

use super::{Story, at, crowded, healthy, incident, large, record, tables, trace_records};

pub(crate) fn stats(records: u64) -> Stats {
    Stats {
        schema: Stats::SCHEMA.to_owned(),
        spans: records - records / 5,
        logs: records / 5,
        exact: true,
        resent_spans: 0,
        resent_logs: 0,
        rejected: 0,
        traces: records / 3,
        services: if records == 0 { 0 } else { 4 },
        bytes_journal: records * 80,
        bytes_index: records * 30,
        indexed_to: "1-0".to_owned(),
        journal_end: "1-0".to_owned(),
        first: (records > 0).then(|| at(0.0)),
        last: (records > 0).then(|| at(9_120.0)),
    }
}

/// A store of so many records, one more each second.
pub(crate) struct Canned {
    pub(crate) held: AtomicU64,
    pub(crate) growing: bool,
    /// Whether nothing is wrong.
    pub(crate) healthy: bool,
    /// What was written about it.
    pub(crate) written: Mutex<Vec<Written>>,
}

impl Canned {
    pub(crate) fn new(held: u64, growing: bool) -> Canned {
        Canned { held: AtomicU64::new(held), growing, healthy: false, written: Mutex::default() }
    }

    fn is_empty(&self) -> bool {
        self.held.load(Ordering::Relaxed) == 0
    }

    fn notebook(&self) -> Annotations {
        let annotations = self.written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (schema, pinned) = (Annotations::SCHEMA.to_owned(), Pinned::default());
        Annotations { schema, pinned, annotations }
    }

    pub(crate) fn whole(shown: u64, total: u64) -> Completeness {
        Completeness { complete: true, shown, total, ..Completeness::default() }
    }
}

impl Query for Canned {
    fn timeline(&self, request: &TimelineRequest, effort: &Effort) -> Result<Timeline, QueryError> {
        effort.check()?;
        Ok(match request.entity.as_str() {
            "order/42" | "order.id=42" => incident(),
            "order/41" => healthy(),
            "order/large" => large(3_000, 12),
            "order/huge" => large(100_000, 12),
            "order/crowded" => crowded(),
            "order/growing" => large(20 + 2 * self.held.load(Ordering::Relaxed) as usize, 3),
            other => {
                let (kind, key) = other.split_once(['/', '=']).unwrap_or(("", other));
                Story::new().tell(kind, key)
            }
        })
    }

    fn records(&self, _: &TimelineRequest, _: &Effort) -> Result<Records, QueryError> {
        Err(QueryError::Remote("the canned stories have no records".to_owned()))
    }

    fn bundle(&self, _: &TimelineRequest, _: &Effort) -> Result<Bundle, QueryError> {
        Err(QueryError::Remote("the canned stories have no records".to_owned()))
    }

    fn why(&self, _: &WhyRequest, _: &Effort) -> Result<WhyAnswer, QueryError> {
        Err(QueryError::Remote("the canned stories have no records".to_owned()))
    }

    fn clocks(&self, _: &ClocksRequest, _: &Effort) -> Result<Clocks, QueryError> {
        Ok(tables::clocks())
    }

    fn find(&self, value: &str, _: &Effort) -> Result<Find, QueryError> {
        let entity = |entity: &str| FindMatch {
            entity: Some(entity.to_owned()),
            attribute: "order.id".to_owned(),
            value: value.to_owned(),
            records: 87,
            first: at(0.0),
            last: at(9_120.0),
        };
        let matches = if value == "42" { vec![entity("order/42")] } else { Vec::new() };
        Ok(Find { schema: Find::SCHEMA.to_owned(), completeness: Canned::whole(1, 1), matches })
    }

    fn search(&self, request: &SearchRequest, effort: &Effort) -> Result<Search, QueryError> {
        effort.check()?;
        if request.query.matches('"').count() % 2 == 1 {
            let at = request.query.find('"');
            return Err(QueryError::Malformed { message: "this quotation is never closed".to_owned(), at });
        }
        if let Some(Ok(trace)) = request.query.strip_prefix("trace:").map(str::parse) {
            let records = trace_records(trace);
            let total = records.len() as u64;
            let completeness = Canned::whole(total, total);
            let schema = Search::SCHEMA.to_owned();
            return Ok(Search { schema, completeness, records, shown: total, total, next: None });
        }
        let wanted = request.query.trim_matches('"').to_lowercase();
        let wanted = wanted.strip_prefix("service:").unwrap_or(&wanted);
        let before = request.before.map_or(u64::MAX, |position| position.offset);
        let matching: Vec<SearchRecord> = (0..self.held.load(Ordering::Relaxed))
            .rev()
            .map(record)
            .filter(|record| format!("{record:?}").to_lowercase().contains(wanted))
            .collect();
        let total = matching.len() as u64;
        let mut page: Vec<SearchRecord> = matching
            .into_iter()
            .filter(|r| r.position.split('-').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0) < before)
            .collect();
        let more = page.len() > request.limit;
        page.truncate(request.limit);
        let next = page.last().filter(|_| more).map(|record| record.position.clone());
        let shown = page.len() as u64;
        let completeness = Canned::whole(shown, total);
        Ok(Search { schema: Search::SCHEMA.to_owned(), completeness, records: page, shown, total, next })
    }

    fn follow(&self, request: &FollowRequest, _: &Effort) -> Result<FollowAnswer, QueryError> {
        let grown = request.after.is_some() && self.growing;
        let held = if grown {
            self.held.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            self.held.load(Ordering::Relaxed)
        };
        let records = if grown { vec![record(held - 1)] } else { Vec::new() };
        Ok(FollowAnswer { records, after: Some(format!("1-{held}-0-0")) })
    }

    fn entities(&self, request: &EntitiesRequest, _: &Effort) -> Result<Entities, QueryError> {
        match self.is_empty() {
            true => Ok(Survey::default().entities(Canned::whole(0, 0), 0)),
            false => Ok(tables::entities(request.kind.as_deref())),
        }
    }

    fn affected(&self, request: &AffectedRequest, _: &Effort) -> Result<Affected, QueryError> {
        if request.finding.starts_with("f-1c2a77e0b4d95f31") {
            return Ok(tables::affected());
        }
        let message = format!("no finding {} in the 41 entities judged", request.finding);
        Err(QueryError::Malformed { message, at: None })
    }

    fn doctor(&self, _: &DoctorRequest, _: &Effort) -> Result<Doctor, QueryError> {
        match self.is_empty() {
            true => Ok(Survey::default().doctor(Canned::whole(0, 0), None)),
            false => Ok(tables::doctor()),
        }
    }

    fn state(&self, request: &StateRequest, _: &Effort) -> Result<State, QueryError> {
        Ok(tables::state(&request.entity))
    }

    fn findings(&self, _: &FindingsRequest, _: &Effort) -> Result<Findings, QueryError> {
        Err(QueryError::Remote("the screens ask for incidents".to_owned()))
    }

    fn incidents(&self, _: &IncidentsRequest, effort: &Effort) -> Result<Incidents, QueryError> {
        effort.check()?;
        match self.healthy {
            true => Ok(Incidents {
                incidents: Vec::new(),
                completeness: Canned::whole(0, 0),
                ..tables::incidents()
            }),
            false => Ok(tables::incidents()),
        }
    }

    fn annotations(&self) -> Result<Annotations, QueryError> {
        Ok(self.notebook())
    }

    fn annotate(&self, annotations: &[ToWrite]) -> Result<Annotations, QueryError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = |number: usize| hlc::Stamp::from_wall_ns(at(30_000.0).0 + number as u64 * 1_000_000);
        for to_write in annotations {
            let number = written.len();
            written.push(Written { stamp: stamp(number), annotation: to_write.annotation.clone() });
        }
        drop(written);
        Ok(self.notebook())
    }

    fn services(&self, _: &ServicesRequest, _: &Effort) -> Result<Services, QueryError> {
        let completeness = Canned::whole(0, 0);
        Ok(Services { schema: Services::SCHEMA.to_owned(), completeness, services: Vec::new() })
    }

    fn traces(&self, _: &TracesRequest, _: &Effort) -> Result<Traces, QueryError> {
        let completeness = Canned::whole(0, 0);
        Ok(Traces { schema: Traces::SCHEMA.to_owned(), completeness, traces: Vec::new() })
    }

    fn stats(&self) -> Result<Stats, QueryError> {
        Ok(stats(self.held.load(Ordering::Relaxed)))
    }

    fn source(&self) -> String {
        "a canned store".to_owned()
    }
}
