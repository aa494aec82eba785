//! Records' times on the reference clock, by what is known of their processes' clocks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use timeline::document::{Clock, Process, SearchRecord};
use timeline::time::Time;

/// What is known of each process's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Corrections {
    /// The clock of each process: by service, instance and host.
    exact: BTreeMap<(String, Option<String>, Option<String>), String>,
    /// The clock of each service whose processes all share one.
    by_service: BTreeMap<String, BTreeSet<String>>,
    clocks: Vec<Clock>,
}

/// A clock's error, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    /// How far the clock is ahead of the reference, in nanoseconds.
    pub offset_ns: i128,
    /// How sure that is; `None` where one side is open.
    pub error_ns: Option<u64>,
}

impl Corrections {
    /// What a document says of its clocks and processes.
    pub fn new(clocks: &[Clock], processes: &[Process]) -> Corrections {
        let mut corrections = Corrections { clocks: clocks.to_vec(), ..Corrections::default() };
        for process in processes {
            let key = (process.service.clone(), process.instance.clone(), process.host.clone());
            corrections.exact.insert(key, process.clock.clone());
            corrections.by_service.entry(process.service.clone()).or_default().insert(process.clock.clone());
        }
        corrections
    }

    /// Whether no clock is known.
    pub fn is_empty(&self) -> bool {
        self.clocks.is_empty()
    }

    /// What is known of the clock that `record`'s times were read from.
    pub fn of(&self, record: &SearchRecord) -> Option<Correction> {
        let clock = self.clock_of(record)?;
        let covers = |row: &&Clock| {
            row.id == *clock
                && row.since.is_none_or(|since| since <= record.time)
                && row.until.is_none_or(|until| record.time < until)
        };
        let row = self.clocks.iter().find(covers)?;
        let offset = i128::from(row.offset_ns?);
        let drift =
            row.drift_ppm.zip(row.at).map_or(0.0, |(ppm, at)| record.time.since(at) as f64 * ppm / 1e6);
        Some(Correction { offset_ns: offset + drift as i128, error_ns: row.error_ns })
    }

    fn clock_of(&self, record: &SearchRecord) -> Option<&String> {
        let named = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| record.resource.get(*name).and_then(Value::as_str).map(str::to_owned))
        };
        let instance = named(&["service.instance.id"]);
        let host = named(&["host.name", "k8s.node.name", "host.id"]);
        let one = || self.by_service.get(&record.service).filter(|clocks| clocks.len() == 1)?.first();
        self.exact.get(&(record.service.clone(), instance, host)).or_else(one)
    }
}

/// `time` on the reference clock.
pub(super) fn corrected(time: Time, correction: Option<Correction>) -> Time {
    correction.map_or(time, |correction| time.shifted(-correction.offset_ns))
}
