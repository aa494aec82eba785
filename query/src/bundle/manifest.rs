//! A bundle's first line: whose it is, what is in it, and what its timelines rest on besides the records.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use timeline::annotation::Written;
use timeline::clocks::ClockEvidence;
use timeline::document::Completeness;
use timeline::record::Record;
use timeline::time::Time;

use super::premises::Premises;
use super::{Bundle, BundleError, BundleQuestion, range};
use crate::redact::Preview;

/// The name and version of this format.
const SCHEMA: &str = "backstory.bundle/1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    schema: String,
    made_by: String,
    asked_at: Time,
    questions: Vec<BundleQuestion>,
    /// The records' own times.
    first: Option<Time>,
    last: Option<Time>,
    spans: u64,
    logs: u64,
    completeness: Completeness,
    premises: Premises,
    /// Clock evidence, in base64.
    clocks: String,
    notes: Vec<Written>,
    redacted: Option<Preview>,
}

impl Manifest {
    pub(super) fn of(bundle: &Bundle) -> Manifest {
        let (first, last) = range(&bundle.records);
        let spans = count_spans(&bundle.records);
        Manifest {
            schema: SCHEMA.to_owned(),
            made_by: bundle.made_by.clone(),
            asked_at: bundle.asked_at,
            questions: bundle.questions.clone(),
            first,
            last,
            spans,
            logs: bundle.records.len() as u64 - spans,
            completeness: bundle.completeness.clone(),
            premises: Premises::of(&bundle.settings, &bundle.declared),
            clocks: STANDARD.encode(bundle.clocks.to_bytes()),
            notes: bundle.notes.clone(),
            redacted: bundle.redacted.clone(),
        }
    }

    pub(super) fn read(line: &[u8]) -> Result<Manifest, BundleError> {
        #[derive(Deserialize)]
        struct Schema {
            schema: String,
        }
        let damaged = |error: serde_json::Error| BundleError::Damaged(format!("its manifest: {error}"));
        let Schema { schema } = serde_json::from_slice(line).map_err(|_| BundleError::NoBundle)?;
        match schema.strip_prefix("backstory.bundle/") {
            Some("1") => serde_json::from_slice(line).map_err(damaged),
            Some(version) => Err(BundleError::Version(version.chars().take(20).collect())),
            None => Err(BundleError::NoBundle),
        }
    }

    /// The bundle of these records.
    pub(super) fn bundle(self, records: Vec<Record>) -> Result<Bundle, BundleError> {
        let (settings, declared) = self.premises.read();
        let bytes = STANDARD.decode(&self.clocks);
        let clocks = bytes.map_err(|_| "its clock evidence is not in base64".to_owned());
        let clocks =
            clocks.and_then(|bytes| ClockEvidence::from_bytes(&bytes).map_err(|error| error.to_string()));
        Ok(Bundle {
            made_by: self.made_by,
            asked_at: self.asked_at,
            questions: self.questions,
            records,
            completeness: self.completeness,
            settings,
            declared,
            clocks: clocks.map_err(BundleError::Damaged)?,
            notes: self.notes,
            redacted: self.redacted,
        })
    }

    /// What the manifest counts that is not there.
    pub(super) fn lacks(&self, records: &[Record]) -> Option<String> {
        let spans = count_spans(records);
        let logs = records.len() as u64 - spans;
        let whole = (spans, logs, range(records)) == (self.spans, self.logs, (self.first, self.last));
        (!whole).then(|| {
            format!(
                "it holds {spans} spans and {logs} log records that can be read, and should hold {} and {}",
                self.spans, self.logs
            )
        })
    }
}

fn count_spans(records: &[Record]) -> u64 {
    records.iter().filter(|record| record.as_span().is_some()).count() as u64
}
