//! OTLP/JSON, read leniently and turned into protobuf.
//!
//! | file          | what it alone knows                                              |
//! |---------------|------------------------------------------------------------------|
//! | `reader.rs`   | JSON: tokens, texts, nesting, where a fault lies                 |
//! | `number.rs`   | numbers without loss, whole ones in any notation                 |
//! | `messages.rs` | OTLP's messages and the names of their fields                    |
//!
//! What it forgives, beyond protobuf's own JSON mapping: names in snake case, enums by name, ids that
//! are none (they are refused later, with their item alone), whole numbers past the range, texts that
//! are not Unicode, a byte order mark. Unknown names are skipped, `null` is the default.

mod messages;
mod number;
mod reader;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{Malformed, Signal};
use reader::{Problem, Reader};

/// A JSON request as protobuf.
pub(super) struct Converted {
    pub(super) protobuf: Vec<u8>,
    pub(super) mended: Mended,
}

/// How often something had to be mended to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mended {
    /// Texts that are not Unicode.
    pub(super) invalid_texts: u32,
    /// Names that stand twice in one object: the last one counts.
    pub(super) repeated_names: u32,
    /// Integers beyond 64 bits: floating-point numbers.
    pub(super) wide_integers: u32,
}

/// Turns the JSON `body` into protobuf.
pub(super) fn convert(signal: Signal, body: &[u8]) -> Result<Converted, Malformed> {
    let mut reader = Reader::new(body);
    let protobuf = request(signal, &mut reader).map_err(|problem| Malformed {
        signal,
        offset: problem.at,
        what: problem.to_string(),
    })?;
    Ok(Converted { protobuf, mended: reader.mended })
}

/// The list that a request of each signal is.
const LISTS: [(&str, &str); 4] = [
    ("resourceSpans", "traces"),
    ("resourceLogs", "logs"),
    ("resourceMetrics", "metrics"),
    ("resourceProfiles", "profiles"),
];

fn request(signal: Signal, reader: &mut Reader<'_>) -> Result<Vec<u8>, Problem> {
    let (mut traces, mut logs) = (ExportTraceServiceRequest::default(), ExportLogsServiceRequest::default());
    let (mut found, mut foreign) = (false, None);
    reader.document(|reader, key| {
        match (key, signal) {
            ("resourceSpans", Signal::Traces) => traces.resource_spans = messages::resource_spans(reader)?,
            ("resourceLogs", Signal::Logs) => logs.resource_logs = messages::resource_logs(reader)?,
            _ => {
                foreign = foreign.or(LISTS.iter().find(|(list, _)| *list == key));
                return reader.skip();
            }
        }
        found = true;
        Ok(())
    })?;
    match foreign {
        Some((list, other)) if !found => Err(reader.problem(format!("it holds {list}: a {other} request"))),
        _ if signal == Signal::Traces => Ok(traces.encode_to_vec()),
        _ => Ok(logs.encode_to_vec()),
    }
}

#[cfg(test)]
mod tests;
