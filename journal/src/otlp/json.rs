//! OTLP/JSON, turned into protobuf.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{Malformed, Signal};

/// The request that the JSON says, in protobuf.
pub(super) fn to_protobuf(signal: Signal, body: &[u8]) -> Result<Vec<u8>, Malformed> {
    match signal {
        Signal::Traces => {
            serde_json::from_slice::<ExportTraceServiceRequest>(body).map(|r| r.encode_to_vec())
        }
        Signal::Logs => serde_json::from_slice::<ExportLogsServiceRequest>(body).map(|r| r.encode_to_vec()),
    }
    .map_err(|error| Malformed { signal, offset: 0, what: error.to_string() })
}
