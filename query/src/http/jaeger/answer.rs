//! Jaeger's envelope: `{"data", "total", "limit", "offset", "errors": [{"code", "msg", "traceID"}]}`.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use timeline::document::{Completeness, Incompleteness};
use timeline::id::TraceId;

use crate::http::failure::{Code, Failure};

/// An answer, or a failure where there is no data.
#[derive(Serialize)]
pub(super) struct Answer<T> {
    pub(super) data: Option<T>,
    /// How many there are; more than in `data` where the limit cut.
    pub(super) total: u64,
    pub(super) limit: u64,
    pub(super) offset: u64,
    pub(super) errors: Option<Vec<Problem>>,
}

/// What is wrong, or lacking.
#[derive(Serialize)]
pub(super) struct Problem {
    code: u16,
    msg: String,
    #[serde(rename = "traceID", skip_serializing_if = "Option::is_none")]
    trace_id: Option<TraceId>,
}

impl Problem {
    pub(super) fn not_found(id: TraceId) -> Problem {
        Problem { code: 404, msg: "trace not found".to_owned(), trace_id: Some(id) }
    }
}

impl<T> Answer<T> {
    /// All `total` of them.
    pub(super) fn whole(total: usize, data: T) -> Answer<T> {
        Answer { data: Some(data), total: total as u64, limit: 0, offset: 0, errors: None }
    }

    pub(super) fn with(mut self, problems: Vec<Problem>) -> Answer<T> {
        if !problems.is_empty() {
            self.errors.get_or_insert_default().extend(problems);
        }
        self
    }

    pub(super) fn with_lacks(self, completeness: &Completeness) -> Answer<T> {
        self.with(lacks(completeness))
    }
}

/// Jaeger has no word for a partial answer: what one lacks stands among its errors, beside the data.
pub(super) fn lacks(completeness: &Completeness) -> Vec<Problem> {
    let told = completeness.reasons.iter().map(|reason| match reason {
        Incompleteness::Truncated => "a budget cut the answer: there is more",
        Incompleteness::MissingShard => {
            "a part of the journal or index cannot be read: run `backstory verify`"
        }
        Incompleteness::NotIndexed => "the index has not reached all records yet: ask again in a moment",
        Incompleteness::Sampled => "a source samples: not all of it arrives here",
        Incompleteness::DroppedBySdk => "an SDK says that it dropped something",
        Incompleteness::UnattributedWrites => "a write's entity is unknown",
    });
    told.map(|msg| Problem { code: 206, msg: msg.to_owned(), trace_id: None }).collect()
}

/// A failure, told as Jaeger tells it.
pub(super) struct Refusal(pub(super) Failure);

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal(failure)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Failure { code, message, .. } = self.0;
        let status = code.status();
        let problem = Problem { code: status.as_u16(), msg: message, trace_id: None };
        let answer: Answer<()> =
            Answer { data: None, total: 0, limit: 0, offset: 0, errors: Some(vec![problem]) };
        let mut response = (status, Json(answer)).into_response();
        if code == Code::Busy {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
