//! What a timeline rests on besides its records and the question.

use std::collections::BTreeMap;

use crate::clocks::{ClockEvidence, Declared, Drift, Extractor};
use crate::document::Completeness;
use crate::judge::Settings;
use crate::record::Record;
use crate::time::Time;

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
    /// By how much two clocks may drift apart.
    pub drift: Drift,
    /// What findings are judged by: budgets, rules, windows.
    pub settings: Settings,
    /// The moment, on the collector's clock, up to which all that arrived is among the records; `None` where nothing
    /// more can come. Findings that later arrivals may change are provisional.
    pub judged_to: Option<Time>,
}

impl Given {
    /// The same, with what `records` themselves prove about clocks. Whether that was in it already makes no difference.
    pub(crate) fn joined(&self, records: &[Record]) -> Given {
        let mut clocks = Extractor::evidence_of(records);
        clocks.merge(&self.clocks);
        Given { clocks, ..self.clone() }
    }
}
