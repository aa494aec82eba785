//! Why a request was not accepted, as one type that both transports turn into their own words.

use std::time::Duration;

use http::StatusCode;
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt};

use crate::budget::Full;
use crate::inflate::Coding;

/// When a sender that met a full budget should come back. Exporters give up after about ten seconds,
/// all attempts together, so the wait is short.
pub(crate) const COME_BACK: Duration = Duration::from_secs(1);

/// Why a request was not accepted.
///
/// The codes follow the OTLP specification: what is worth sending again has a retryable code, and
/// what would fail again has not, so that no client drops data over a passing fault.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    Malformed(String),
    #[error("the request is larger than {limit} bytes; let the exporter send smaller batches")]
    TooLarge { limit: usize },
    #[error("unsupported {header}: {coding}; supported: {supported}", supported = Coding::NAMES)]
    Coding { header: &'static str, coding: String },
    #[error("{0}")]
    NoSuchMethod(String),
    #[error(
        "this collector wants a token that it knows: send the header `authorization: Bearer TOKEN` \
         (OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN)"
    )]
    Token,
    #[error("too many bytes are waiting to be written; send this request again in {} s", retry.as_secs_f32())]
    Busy { retry: Duration },
    #[error("{reason}; send this request again")]
    Unavailable { reason: String, retry: Option<Duration> },
    #[error("the request's body stalled for {} s", .0.as_secs())]
    Stalled(Duration),
    #[error("the request's body ended early: {0}")]
    Cut(String),
}

impl From<Full> for Refusal {
    fn from(Full: Full) -> Refusal {
        Refusal::Busy { retry: COME_BACK }
    }
}

/// A reason longer than this is cut: gRPC carries it three times in headers, of which a client takes 8 KiB.
const REASON_CHARS_MAX: usize = 400;

impl Refusal {
    /// The body can't be read, for this reason.
    pub(crate) fn malformed(reason: impl std::fmt::Display) -> Refusal {
        Refusal::Malformed(reason.to_string().chars().take(REASON_CHARS_MAX).collect())
    }

    /// The same refusal, where a limit is told without what the transport adds to it.
    pub(crate) fn with_limit(self, limit: usize) -> Refusal {
        match self {
            Refusal::TooLarge { .. } => Refusal::TooLarge { limit },
            other => other,
        }
    }

    /// The gRPC status code.
    pub(crate) fn code(&self) -> Code {
        match self {
            Refusal::Malformed(_) => Code::InvalidArgument,
            Refusal::TooLarge { .. } => Code::ResourceExhausted,
            Refusal::Coding { .. } | Refusal::NoSuchMethod(_) => Code::Unimplemented,
            Refusal::Token => Code::Unauthenticated,
            Refusal::Busy { .. } | Refusal::Unavailable { .. } => Code::Unavailable,
            Refusal::Stalled(_) => Code::DeadlineExceeded,
            Refusal::Cut(_) => Code::Cancelled,
        }
    }

    /// The HTTP status.
    pub(crate) fn http_status(&self) -> StatusCode {
        match self {
            Refusal::Malformed(_) | Refusal::Coding { .. } => StatusCode::BAD_REQUEST,
            Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::NoSuchMethod(_) => StatusCode::NOT_FOUND,
            Refusal::Token => StatusCode::UNAUTHORIZED,
            // 429 would say more of a full budget, but Python's exporter drops what is answered with it.
            Refusal::Busy { .. } | Refusal::Unavailable { .. } | Refusal::Stalled(_) | Refusal::Cut(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// How long the sender should wait; `None` where it should not retry, or may at will.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Refusal::Busy { retry } => Some(*retry),
            Refusal::Unavailable { retry, .. } => *retry,
            _ => None,
        }
    }

    /// The status with its details; `details()` of it is a whole `google.rpc.Status`.
    pub(crate) fn status(&self) -> tonic::Status {
        let mut details = ErrorDetails::new();
        if let Some(delay) = self.retry_after() {
            details.set_retry_info(Some(delay));
        }
        if let Refusal::Malformed(reason) = self {
            details.add_bad_request_violation("", reason);
        }
        tonic::Status::with_error_details(self.code(), self.to_string(), details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every client sends again; of `RESOURCE_EXHAUSTED` they think differently.
    fn is_retried_by_grpc_clients(refusal: &Refusal) -> bool {
        let code = refusal.code();
        assert!(code != Code::ResourceExhausted || refusal.retry_after().is_none(), "{refusal}");
        matches!(
            code,
            Code::Cancelled
                | Code::DeadlineExceeded
                | Code::Aborted
                | Code::OutOfRange
                | Code::Unavailable
                | Code::DataLoss
        )
    }

    #[test]
    fn both_transports_agree_on_what_is_sent_again() {
        let unavailable = |retry| Refusal::Unavailable { reason: "x".into(), retry };
        let passing = [
            Refusal::Busy { retry: COME_BACK },
            unavailable(None),
            unavailable(Some(COME_BACK)),
            Refusal::Stalled(COME_BACK),
            Refusal::Cut("x".into()),
        ];
        let lasting = [
            Refusal::Malformed("x".into()),
            Refusal::TooLarge { limit: 1 },
            Refusal::Coding { header: "Content-Encoding", coding: "br".into() },
            Refusal::NoSuchMethod("x".into()),
            Refusal::Token,
        ];
        // Of the retryable statuses, what Python's exporter sends again too: not 429.
        let over_http = |refusal: &Refusal| [502, 503, 504].contains(&refusal.http_status().as_u16());
        for refusal in passing {
            assert!(is_retried_by_grpc_clients(&refusal) && over_http(&refusal), "{refusal}");
        }
        for refusal in lasting {
            assert!(!is_retried_by_grpc_clients(&refusal) && !over_http(&refusal), "{refusal}");
        }
    }
}
