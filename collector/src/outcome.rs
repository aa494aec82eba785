//! The answer to an accepted request: empty, or what was refused or mended of it.

use std::time::{Duration, Instant};

use journal::otlp::{Checked, Defects, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use parking_lot::Mutex;
use prost::Message;
use serde_json::json;

/// An exporter logs every warning it gets: one a minute and kind is enough.
const QUIET: Duration = Duration::from_secs(60);

/// What was refused of an accepted request, or mended; nothing, as a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) signal: Signal,
    pub(crate) refused: u32,
    /// Why, or what was mended; empty where there is nothing to tell.
    pub(crate) message: String,
}

impl Outcome {
    pub(crate) fn new(signal: Signal, checked: &Checked, warnings: &Warnings) -> Outcome {
        let refused = u32::try_from(checked.refused.len()).unwrap_or(u32::MAX);
        let tell = refused > 0 || warnings.are_due(&checked.defects);
        Outcome { signal, refused, message: if tell { checked.message(signal) } else { String::new() } }
    }

    /// The `Export…ServiceResponse`; zero bytes where all was accepted and nothing is to tell.
    pub(crate) fn to_protobuf(&self) -> Vec<u8> {
        if self.message.is_empty() {
            return Vec::new();
        }
        let (refused, error_message) = (i64::from(self.refused), self.message.clone());
        match self.signal {
            Signal::Traces => {
                let partial = ExportTracePartialSuccess { rejected_spans: refused, error_message };
                ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
            }
            Signal::Logs => {
                let partial = ExportLogsPartialSuccess { rejected_log_records: refused, error_message };
                ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
            }
        }
    }

    /// The same in JSON, where a 64-bit number is a string.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        if self.message.is_empty() {
            return b"{}".to_vec();
        }
        let key = match self.signal {
            Signal::Traces => "rejectedSpans",
            Signal::Logs => "rejectedLogRecords",
        };
        json!({"partialSuccess": {key: self.refused.to_string(), "errorMessage": self.message}})
            .to_string()
            .into_bytes()
    }
}

/// When each kind of defect was last told to a sender.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    told: Mutex<[Option<Instant>; Defects::KINDS]>,
}

impl Warnings {
    /// Whether one of these defects was not told in the last minute; then it counts as told.
    fn are_due(&self, defects: &Defects) -> bool {
        if *defects == Defects::default() {
            return false;
        }
        let mut due = false;
        for (count, told) in defects.counts().into_iter().zip(self.told.lock().iter_mut()) {
            if count > 0 && told.is_none_or(|at| at.elapsed() >= QUIET) {
                *told = Some(Instant::now());
                due = true;
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use journal::otlp::{Reason, Refused};

    use super::*;

    fn outcome(signal: Signal, refused: u32, defects: Defects, warnings: &Warnings) -> Outcome {
        let refused = (0..refused).map(|item| Refused { item, reason: Reason::TooDeep }).collect();
        Outcome::new(signal, &Checked { items: 9, refused, defects, ..Checked::default() }, warnings)
    }

    #[test]
    fn full_success_has_no_partial_success() {
        let outcome = outcome(Signal::Traces, 0, Defects::default(), &Warnings::default());
        assert_eq!(outcome.to_protobuf(), b"");
        assert_eq!(outcome.to_json(), b"{}");
    }

    #[test]
    fn what_was_refused_is_counted_in_the_signals_own_field() {
        let traces = outcome(Signal::Traces, 3, Defects::default(), &Warnings::default());
        let decoded = ExportTraceServiceResponse::decode(&traces.to_protobuf()[..]).unwrap();
        assert_eq!(decoded.partial_success.unwrap().rejected_spans, 3);
        let logs = outcome(Signal::Logs, 2, Defects::default(), &Warnings::default());
        let decoded = ExportLogsServiceResponse::decode(&logs.to_protobuf()[..]).unwrap();
        assert_eq!(decoded.partial_success.unwrap().rejected_log_records, 2);
        let json: serde_json::Value = serde_json::from_slice(&logs.to_json()).unwrap();
        assert_eq!(json["partialSuccess"]["rejectedLogRecords"], "2");
        assert_eq!(json["partialSuccess"]["errorMessage"], logs.message);
    }

    #[test]
    fn a_warning_is_told_once_a_minute_and_kind() {
        let warnings = Warnings::default();
        let blank = Defects { blank_spans: 1, ..Defects::default() };
        let texts = Defects { invalid_texts: 1, ..Defects::default() };
        let told = |refused, defects| outcome(Signal::Traces, refused, defects, &warnings);
        let first = told(0, blank);
        assert!(!first.message.is_empty() && first.refused == 0);
        assert_eq!(told(0, blank).message, "");
        assert!(!told(0, texts).message.is_empty());
        assert!(!told(1, blank).message.is_empty(), "what is refused is always told");
    }
}
