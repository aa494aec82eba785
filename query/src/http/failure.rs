//! How a failure is told: `{"error": {"code", "message", "at"}}`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::archive::ArchiveError;
use crate::interface::QueryError;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The question is not well formed; `at` is the byte at which it is wrong.
    MalformedQuery,
    /// A parameter is unknown, missing or not of its form.
    MalformedRequest,
    /// The request carries no token that is allowed.
    Unauthorized,
    /// The request names a host that this server does not go by.
    Misdirected,
    /// There is no such route.
    NotFound,
    /// The route answers other methods.
    MethodNotAllowed,
    /// Too many questions at once.
    Busy,
    /// The question was given up.
    Cancelled,
    /// The store failed.
    StoreFailed,
    /// The server that this one asks failed.
    UpstreamFailed,
    /// A bug in Backstory.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 11] = [
        Code::MalformedQuery,
        Code::MalformedRequest,
        Code::Unauthorized,
        Code::Misdirected,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::Busy,
        Code::Cancelled,
        Code::StoreFailed,
        Code::UpstreamFailed,
        Code::Internal,
    ];

    /// The HTTP status that goes with it.
    pub fn status(self) -> StatusCode {
        match self {
            Code::MalformedQuery | Code::MalformedRequest => StatusCode::BAD_REQUEST,
            Code::Unauthorized => StatusCode::UNAUTHORIZED,
            Code::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::Busy | Code::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
            Code::StoreFailed | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Code::UpstreamFailed => StatusCode::BAD_GATEWAY,
        }
    }
}

/// A failure, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind it is.
    pub code: Code,
    /// What is wrong and what to do.
    pub message: String,
    /// The byte of the question's text at which it is wrong.
    pub at: Option<usize>,
}

/// The document that carries a failure.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FailureDocument {
    pub(crate) error: Failure,
}

impl Failure {
    /// A failure that points at no byte.
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), at: None }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        let message = error.to_string();
        match error {
            QueryError::Malformed { at, .. } => Failure { code: Code::MalformedQuery, message, at },
            QueryError::Archive(ArchiveError::Cancelled) => Failure::new(Code::Cancelled, message),
            QueryError::Archive(ArchiveError::Store(_)) => Failure::new(Code::StoreFailed, message),
            QueryError::Remote(_) => Failure::new(Code::UpstreamFailed, message),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let busy = self.code == Code::Busy;
        let mut response = (status, axum::Json(FailureDocument { error: self })).into_response();
        if busy {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}
