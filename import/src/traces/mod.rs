//! Traces of other tools, as OTLP spans.
//!
//! | file        | whose                                                            |
//! |-------------|------------------------------------------------------------------|
//! | `jaeger.rs` | Jaeger's JSON: the UI's download, the API's answer                |
//! | `zipkin.rs` | Zipkin v2 JSON                                                    |
//! | `tempo.rs`  | Grafana Tempo's trace JSON: OTLP with ids in base64               |

pub(crate) mod jaeger;
pub(crate) mod tempo;
pub(crate) mod zipkin;

use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

/// An id of at most `bytes` bytes in hexadecimal, leading zeros left out or not; what is none gives no bytes, and
/// the span is refused by itself.
fn id(text: &str, bytes: usize) -> Vec<u8> {
    let digits = bytes * 2;
    if text.is_empty() || text.len() > digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Vec::new();
    }
    let text = format!("{text:0>digits$}");
    (0..digits).step_by(2).filter_map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// `server`, `CLIENT` and the like.
fn kind(name: &str) -> SpanKind {
    match name.to_ascii_lowercase().as_str() {
        "server" => SpanKind::Server,
        "client" => SpanKind::Client,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn failed(message: &str) -> Status {
    Status { code: StatusCode::Error as i32, message: message.to_owned() }
}

/// Microseconds, which these tools keep, as OTLP's nanoseconds; saturating.
fn nanoseconds(microseconds: u64) -> u64 {
    microseconds.saturating_mul(1_000)
}
