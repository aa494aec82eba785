//! OTLP over HTTP: protobuf and JSON on one port, told apart by `Content-Type`.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use journal::Source;
use journal::otlp::{Encoding, Signal};
use serde_json::json;

use crate::answer::Answer;
use crate::body;
use crate::inflate::Coding;
use crate::receiver::{Post, Receiver, Route};
use crate::refusal::Refusal;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The header by which `backstory import` names the file that a request was read from. When such a request
/// arrives says nothing about when its items happened.
pub const IMPORT_HEADER: &str = "backstory-import";

/// A longer name of a file is cut.
const FILE_NAME_LEN_MAX: usize = 1_024;

const PAGE: &str = "This is Backstory's OTLP receiver. Exporters POST to /v1/traces, /v1/logs, /v1/metrics and \
                    /v1development/profiles; to look at what came, run `backstory tui`.\n";

/// How a request says that it is written, and how its answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MediaType {
    encoding: Encoding,
    /// The answer's content type: the request's own, without parameters.
    name: &'static str,
}

/// Answers one request.
pub(crate) async fn answer(
    receiver: &Receiver,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<Answer> {
    let (head, mut body) = request.into_parts();
    let mut response = match post(receiver, peer, &head, &mut body).await {
        Ok(response) => response,
        Err(refusal) => {
            receiver.counters.refusal(&refusal, &peer.to_string());
            failure(&refusal, MediaType::of(&head.headers))
        }
    };
    body::drain(body, receiver.request_bytes_max);
    receiver.cors.mark(&head.headers, &mut response);
    response
}

async fn post(
    receiver: &Receiver,
    peer: SocketAddr,
    head: &http::request::Parts,
    body: &mut Incoming,
) -> Result<Response<Answer>, Refusal> {
    let path = head.uri.path();
    if let Some(preflight) = receiver.cors.preflight(head) {
        return Ok(preflight);
    }
    if matches!(path, "/" | "/healthz") && matches!(head.method, Method::GET | Method::HEAD) {
        return Ok(text(StatusCode::OK, PAGE));
    }
    let route = route(path)?;
    if head.method != Method::POST {
        let mut response =
            text(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed, supported: [POST]\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Ok(response);
    }
    let Some(media_type) = MediaType::of(&head.headers) else {
        return Ok(text(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "415 unsupported media type, supported: [application/json, application/x-protobuf]\n",
        ));
    };
    receiver.admit(&head.headers)?;
    let coding = coding(&head.headers)?;
    let outcome = match route {
        Route::Keep(signal) => {
            let announced =
                head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            let mut share = receiver.budget.share();
            let body = body::read(body, announced, receiver.request_bytes_max, &mut share).await?;
            let encoding = media_type.encoding;
            let (source, peer) = origin(&head.headers, peer);
            let outcome =
                receiver.accept(Post { signal, encoding, source, peer, coding, body, share }).await?;
            match media_type.encoding {
                Encoding::Protobuf => outcome.to_protobuf(),
                Encoding::Json => outcome.to_json(),
            }
        }
        Route::DropMetrics | Route::DropProfiles => {
            body::skip(body, receiver.request_bytes_max).await?;
            receiver.counters.dropped(route);
            match media_type.encoding {
                Encoding::Protobuf => Vec::new(),
                Encoding::Json => b"{}".to_vec(),
            }
        }
    };
    Ok(respond(StatusCode::OK, media_type.name, outcome.into()))
}

/// How a request came, and from whom: an exporter, or a file.
fn origin(headers: &HeaderMap, peer: SocketAddr) -> (Source, String) {
    match headers.get(IMPORT_HEADER) {
        Some(file) => {
            let file = String::from_utf8_lossy(file.as_bytes());
            (Source::Import, file.chars().take(FILE_NAME_LEN_MAX).collect())
        }
        None => (Source::Http, peer.to_string()),
    }
}

fn route(path: &str) -> Result<Route, Refusal> {
    match path {
        "/v1/traces" => Ok(Route::Keep(Signal::Traces)),
        "/v1/logs" => Ok(Route::Keep(Signal::Logs)),
        "/v1/metrics" => Ok(Route::DropMetrics),
        "/v1development/profiles" => Ok(Route::DropProfiles),
        other => Err(Refusal::NoSuchMethod(format!(
            "nothing is received at {other:.200}; POST to /v1/traces, /v1/logs, /v1/metrics or \
             /v1development/profiles (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and its like are used as they are: \
             the path belongs to them; OTEL_EXPORTER_OTLP_ENDPOINT goes without)"
        ))),
    }
}

impl MediaType {
    /// The request's media type, whatever its case and parameters; `None` where it is none of ours.
    fn of(headers: &HeaderMap) -> Option<MediaType> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            PROTOBUF => Some(MediaType { encoding: Encoding::Protobuf, name: PROTOBUF }),
            // Not in the specification, but sent.
            "application/protobuf" => {
                Some(MediaType { encoding: Encoding::Protobuf, name: "application/protobuf" })
            }
            JSON => Some(MediaType { encoding: Encoding::Json, name: JSON }),
            _ => None,
        }
    }
}

fn coding(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let mut names = headers.get_all(CONTENT_ENCODING).iter();
    let name = names.next().map(|value| String::from_utf8_lossy(value.as_bytes()));
    match Coding::named(name.as_deref().unwrap_or_default()) {
        Some(coding) if names.next().is_none() => Ok(coding),
        _ => Err(Refusal::Coding {
            header: "Content-Encoding",
            coding: name.unwrap_or_default().chars().take(64).collect(),
        }),
    }
}

/// A `google.rpc.Status` in the request's own encoding; plain text where that is unknown.
fn failure(refusal: &Refusal, media_type: Option<MediaType>) -> Response<Answer> {
    let status = refusal.http_status();
    let mut response = match media_type {
        Some(MediaType { encoding: Encoding::Protobuf, name }) => {
            respond(status, name, Bytes::copy_from_slice(refusal.status().details()))
        }
        Some(MediaType { encoding: Encoding::Json, name }) => respond(status, name, to_json(refusal).into()),
        None => text(status, format!("{} {refusal}\n", status.as_u16())),
    };
    if let Some(delay) = refusal.retry_after() {
        // Whole seconds, and never sooner than asked for.
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Refusal::Token = refusal {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The proto3 JSON form of the status.
fn to_json(refusal: &Refusal) -> Vec<u8> {
    let mut details = Vec::new();
    if let Some(delay) = refusal.retry_after() {
        let delay = format!("{}s", delay.as_secs_f64());
        details.push(json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}));
    }
    if let Refusal::Malformed(reason) = refusal {
        let violation = json!({"description": reason});
        details.push(
            json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}),
        );
    }
    let mut status = json!({"code": refusal.code() as i32, "message": refusal.to_string()});
    if !details.is_empty() {
        status["details"] = details.into();
    }
    status.to_string().into_bytes()
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Answer> {
    respond(status, TEXT, text.into())
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Answer> {
    let mut response = Response::new(Answer::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
