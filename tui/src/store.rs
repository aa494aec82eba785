//! What is known of the store, second by second.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use timeline::document::{IncidentFinding, Incidents, SearchRecord, Stats};
use timeline::id::RecordId;
use timeline::record::{Position, Severity};
use timeline::time::Time;

use crate::message::{Effect, Failure, Live, Question};
use crate::state::Asked;

/// So many of the newest records are kept for the live list.
pub const NEWEST_MAX: usize = 500;

/// What is known of the store.
#[derive(Debug, Default)]
pub struct Store {
    /// What it holds; `None` before the first answer.
    pub stats: Option<Stats>,
    /// The newest records, newest first, no record twice.
    pub newest: VecDeque<Arc<SearchRecord>>,
    /// What the program around the screen says of itself.
    pub status: String,
    /// Why the last question failed.
    pub failure: Option<Failure>,
    /// Items accepted a second, between the last two answers.
    pub rate: Option<f64>,
    /// Records that arrived since the screen opened.
    pub arrived: u64,
    /// How often it answered again after it had failed.
    pub recoveries: u64,
    /// What is wrong, as far as home has asked.
    pub incidents: Option<Arc<Incidents>>,
    asked: Option<Asked>,
    after: Option<Position>,
    answered_at: Option<Time>,
}

/// What the newest records tell of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRow {
    /// The service.
    pub service: String,
    /// Its records among the newest.
    pub records: u64,
    /// Those of them that are errors.
    pub errors: u64,
    /// The time of its newest record.
    pub last: Time,
}

impl Store {
    /// Asks what is new, unless it was asked and not answered yet.
    pub(crate) fn ask(&mut self, number: &mut u64) -> Option<Effect> {
        if self.asked.is_some() {
            return None;
        }
        *number += 1;
        self.asked = Some(Asked::new(*number));
        Some(Effect::Ask { number: *number, question: Question::Live { after: self.after } })
    }

    /// Takes what is new. A failure is shown, and the next tick asks again.
    pub(crate) fn answer(&mut self, number: u64, answer: Result<Live, Failure>, now: Time) {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.asked = None;
        let live = match answer {
            Ok(live) => live,
            Err(failure) => {
                self.failure = Some(failure);
                self.rate = None;
                return;
            }
        };
        self.recoveries += u64::from(self.failure.take().is_some());
        self.status = live.status;
        self.rate = self.rate_since(&live.stats, now);
        self.stats = Some(live.stats);
        self.answered_at = Some(now);
        // An answer without a position is the first: its records were there before the screen.
        if self.after.is_some() {
            self.arrived += live.records.records.len() as u64;
        }
        if let Some(after) = live.records.after {
            self.after = after.parse().ok();
        }
        self.take(live.records.records);
    }

    fn rate_since(&self, stats: &Stats, now: Time) -> Option<f64> {
        let before = self.stats.as_ref()?;
        let ns = now.since(self.answered_at?);
        let accepted = |stats: &Stats| stats.spans + stats.logs + stats.resent_spans + stats.resent_logs;
        let grown = accepted(stats).saturating_sub(accepted(before));
        (ns > 0).then(|| grown as f64 * 1e9 / ns as f64)
    }

    fn take(&mut self, records: Vec<SearchRecord>) {
        let mut known: HashSet<RecordId> = self.newest.iter().map(|record| record.record).collect();
        for record in records {
            if known.insert(record.record) {
                self.newest.push_front(Arc::new(record));
            }
        }
        self.newest.truncate(NEWEST_MAX);
    }

    /// Whether the store answered and holds nothing.
    pub fn is_empty(&self) -> bool {
        self.stats.as_ref().is_some_and(|stats| stats.spans == 0 && stats.logs == 0) && self.newest.is_empty()
    }

    /// The findings that home knows of.
    pub fn findings(&self) -> impl Iterator<Item = &IncidentFinding> {
        self.incidents.iter().flat_map(|found| &found.incidents).flat_map(|incident| &incident.findings)
    }

    /// How many findings home knows of each entity.
    pub fn findings_by_entity(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for entity in self.findings().filter_map(|finding| finding.entity.as_deref()) {
            *counts.entry(entity).or_default() += 1;
        }
        counts
    }

    /// The services of the newest records, by name.
    pub fn services(&self) -> Vec<ServiceRow> {
        let mut rows: BTreeMap<&str, ServiceRow> = BTreeMap::new();
        for record in &self.newest {
            let row = rows.entry(&record.service).or_insert_with(|| ServiceRow {
                service: record.service.clone(),
                records: 0,
                errors: 0,
                last: record.time,
            });
            row.records += 1;
            row.errors += u64::from(record.severity >= Some(Severity::Error));
            row.last = row.last.max(record.time);
        }
        rows.into_values().collect()
    }
}
