//! HTTP requests: a method on a path whose last parameter, by its route or by itself, is the key.
//!
//! `GET` is a read, `PUT` and `PATCH` are writes, `DELETE` deletes. `POST` is a command: what it does to state is told
//! by what follows from it, not by the request. The copy is what the serving process believes: `<service>/memory`.

use super::draft::{Draft, Key, normal_text};
use super::explicit::memory;
use super::outcome::outcome;
use crate::document::{Op, Outcome, StateEvidence};
use crate::id::Point;
use crate::naming;
use crate::record::{Record, Span, SpanKind};
use crate::value::{Attributes, Value};

/// Adds what an HTTP span says was done to the thing that its path names.
pub(super) fn read(record: &Record, span: &Span, drafts: &mut Vec<Draft>) {
    let attributes = &span.attributes;
    let Some(method) = attributes.get_any(&["http.request.method", "http.method"]).and_then(Value::as_str)
    else {
        return;
    };
    let op = match method {
        "GET" => Op::Read,
        "PUT" | "PATCH" => Op::Write,
        "DELETE" => Op::Delete,
        _ => return,
    };
    let holder = match span.kind {
        SpanKind::Server => record.resource.service().to_owned(),
        SpanKind::Client => match peer(attributes) {
            Some(peer) => peer,
            None => return,
        },
        _ => return,
    };
    let Some(named) = naming::last_of_path(attributes) else { return };
    // `GET /orders/42/lines` reads the lines; `PUT /orders/42/status` writes one field.
    let field = match (op, named.tail.as_slice()) {
        (_, []) => None,
        (Op::Write | Op::Delete, [field]) => Some(naming::snake(field)),
        _ => return,
    };
    let mut draft = Draft::new(Point::End, &named.kind, Key::Known(named.key), &memory(&holder), op);
    draft.field = field;
    draft.version = header(attributes, "http.response.header.etag");
    draft.expected_version = header(attributes, "http.request.header.if-match")
        .or_else(|| header(attributes, "http.request.header.if_match"));
    let keys = ["idempotency-key", "idempotency_key", "x-idempotency-key"];
    draft.intent = keys
        .iter()
        .find_map(|name| header(attributes, &format!("http.request.header.{name}")))
        .filter(|_| op != Op::Read)
        .map(|key| key.to_text().into_owned());
    draft.outcome = by_status(attributes).unwrap_or_else(|| outcome(span));
    draft.evidence = StateEvidence::Http;
    drafts.push(draft);
}

/// 2xx and 304 took effect, 4xx did not; after 5xx nobody knows.
fn by_status(attributes: &Attributes) -> Option<Outcome> {
    let status = attributes.get_any(&["http.response.status_code", "http.status_code"])?;
    let status: u16 = status.to_text().parse().ok()?;
    Some(match status {
        200..=299 | 304 => Outcome::Ok,
        300..=499 if status != 408 => Outcome::Failed,
        _ => Outcome::Unknown,
    })
}

/// Headers are lists of texts; an entity tag is quoted, and may be weak.
fn header(attributes: &Attributes, name: &str) -> Option<Value> {
    let value = match attributes.get(name)? {
        Value::Array(values) => values.first()?.to_text().into_owned(),
        value => value.to_text().into_owned(),
    };
    let bare = value.trim().trim_start_matches("W/").trim_matches('"');
    (!bare.is_empty() && bare != "*").then(|| normal_text(bare))
}

/// Whom a client asked.
fn peer(attributes: &Attributes) -> Option<String> {
    let names = ["peer.service", "service.peer.name", "server.address", "net.peer.name"];
    let named = attributes.get_any(&names).and_then(Value::as_str).filter(|name| !name.is_empty());
    named.map(str::to_owned).or_else(|| {
        let url = attributes.get_any(&["url.full", "http.url"])?.as_str()?;
        let (_, rest) = url.split_once("://")?;
        let host = rest.split(['/', ':', '?']).next().unwrap_or("");
        (!host.is_empty()).then(|| host.to_owned())
    })
}
