//! Jaeger's parameters, as queries in the search language.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value as Json;
use timeline::id::TraceId;
use timeline::record::{SpanKind, StatusCode};
use timeline::time::Time;

use crate::archive::Window;
use crate::http::failure::{Code, Failure};
use crate::interface::TracesRequest;
use crate::language;
use crate::predicate::{Comparison, Predicate, TextMatch};

/// The parameters as they came; a name may stand several times.
pub(super) type Parameters = Vec<(String, String)>;

/// How many traces Jaeger answers with where nobody said.
const LIMIT_DEFAULT: usize = 100;

/// `/api/traces`
#[derive(Debug)]
pub(super) struct TracesAsked {
    predicate: Predicate,
    window: Window,
    /// At most so many traces.
    pub(super) limit: usize,
    /// The traces asked for by their ids.
    pub(super) ids: Vec<TraceId>,
}

impl TracesAsked {
    /// Reads the parameters; `now` is where a `lookback` ends that names no end.
    pub(super) fn read(parameters: &Parameters, now: Time) -> Result<TracesAsked, Failure> {
        let ids: Vec<TraceId> = all(parameters, "traceID").map(trace_id).collect::<Result<_, _>>()?;
        if !ids.is_empty() {
            let predicate = Predicate::Any(ids.iter().copied().map(Predicate::Trace).collect());
            return Ok(TracesAsked { predicate, window: Window::default(), limit: ids.len(), ids });
        }
        let limit = number(parameters, "limit")?.unwrap_or(LIMIT_DEFAULT);
        if limit == 0 {
            return Err(malformed("limit must be 1 or more"));
        }
        Ok(TracesAsked { predicate: predicate(parameters)?, window: window(parameters, now)?, limit, ids })
    }

    /// The same as a question.
    pub(super) fn request(&self) -> TracesRequest {
        TracesRequest { query: language::print(&self.predicate, self.window), limit: self.limit }
    }
}

/// The service and the kind that `/api/operations` asks for.
pub(super) fn operations(parameters: &Parameters) -> Result<(String, Option<SpanKind>), Failure> {
    let service = one(parameters, "service").ok_or_else(|| malformed("parameter 'service' is required"))?;
    let kind = one(parameters, "spanKind").map(kind).transpose()?;
    Ok((service.to_owned(), kind))
}

/// An id of at most 32 digits; Jaeger leaves zeros in front out.
pub(super) fn trace_id(text: &str) -> Result<TraceId, Failure> {
    let text = text.trim();
    let digits = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = digits.then(|| format!("{text:0>32}").parse().ok()).flatten();
    let id = id.filter(|id| *id != TraceId::default());
    id.ok_or_else(|| malformed(format!("{text:?} is no trace id: up to 32 hexadecimal digits, not all zero")))
}

fn predicate(parameters: &Parameters) -> Result<Predicate, Failure> {
    // Not of spans alone: what a log record says, Jaeger knows as an entry of its span, and finds by its fields.
    let mut all_of = Vec::new();
    let text = |name| one(parameters, name).map(|text| TextMatch::Is(text.to_owned()));
    all_of.extend(text("service").map(Predicate::Service));
    all_of.extend(text("operation").map(Predicate::Name));
    for (key, value) in tags(parameters)? {
        all_of.push(tag(key, value)?);
    }
    for (name, comparison) in [("minDuration", Comparison::AtLeast), ("maxDuration", Comparison::AtMost)] {
        if let Some(text) = one(parameters, name) {
            let ns = duration(text).ok_or_else(|| {
                malformed(format!("{name} is a duration as 1.5s, 100ms, 1h30m, not {text:?}"))
            })?;
            all_of.push(Predicate::Duration(comparison, ns));
        }
    }
    Ok(Predicate::All(all_of))
}

/// Jaeger keeps a span's kind and status among its tags.
fn tag(key: String, value: String) -> Result<Predicate, Failure> {
    let is_error = Predicate::Status(StatusCode::Error);
    Ok(match (key.as_str(), value.to_ascii_lowercase().as_str()) {
        ("error", "true") | ("otel.status_code", "error") => is_error,
        ("error", "false") => Predicate::Not(Box::new(is_error)),
        ("otel.status_code", "ok") => Predicate::Status(StatusCode::Ok),
        ("span.kind", name) => Predicate::Kind(kind(name)?),
        _ => Predicate::Attribute { key, value: TextMatch::Is(value) },
    })
}

/// `tag=key:value`, and `tags={"key":"value"}`; each may stand several times.
fn tags(parameters: &Parameters) -> Result<Vec<(String, String)>, Failure> {
    let mut tags = Vec::new();
    for tag in all(parameters, "tag") {
        let (key, value) =
            tag.split_once(':').ok_or_else(|| malformed(format!("tag is key:value, not {tag:?}")))?;
        tags.push((key.to_owned(), value.to_owned()));
    }
    for text in all(parameters, "tags") {
        let map: BTreeMap<String, Json> = serde_json::from_str(text)
            .map_err(|error| malformed(format!("tags is JSON as {{\"key\":\"value\"}}: {error}")))?;
        for (key, value) in map {
            let value = match value {
                Json::String(text) => text,
                Json::Number(_) | Json::Bool(_) => value.to_string(),
                _ => return Err(malformed(format!("the tag {key:?} is to have a text, not {value}"))),
            };
            tags.push((key, value));
        }
    }
    Ok(tags)
}

/// `start` and `end` in microseconds, both inside; `lookback` counts where there is no `start`. There is no other window.
fn window(parameters: &Parameters, now: Time) -> Result<Window, Failure> {
    let moment = |name: &str| -> Result<Option<u64>, Failure> {
        let us: Option<u64> = number(parameters, name)?;
        us.map(|us| us.checked_mul(1_000).ok_or_else(|| malformed(format!("{name} is in microseconds"))))
            .transpose()
    };
    let end = moment("end")?;
    let lookback = one(parameters, "lookback").and_then(duration);
    let since = match (moment("start")?, lookback) {
        (Some(start), _) => Some(Time(start)),
        (None, Some(ns)) => Some(Time(end.unwrap_or(now.0).saturating_sub(ns))),
        (None, None) => None,
    };
    Ok(Window { since, until: end.map(|end| Time(end.saturating_add(1_000))) })
}

/// Go's durations: `1h30m`, `1.5s`, `100ms`, and days, which the UI's `lookback` has; in nanoseconds.
fn duration(text: &str) -> Option<u64> {
    let mut left = text.trim();
    let mut total = 0.0;
    while !left.is_empty() {
        let digits = left.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = left.split_at(digits);
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(end);
        let ns = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3_600e9,
            "d" => 86_400e9,
            "w" => 604_800e9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * ns;
        left = rest;
    }
    (!text.trim().is_empty() && total <= u64::MAX as f64).then_some(total as u64)
}

fn kind(name: &str) -> Result<SpanKind, Failure> {
    let kinds =
        [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    let found = kinds.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        malformed(format!("a span's kind is one of {}, not {name:?}", kinds.map(SpanKind::as_str).join(", ")))
    })
}

/// The values of a parameter that are not empty: Jaeger's UI sends empty ones.
fn all<'a>(parameters: &'a Parameters, name: &'a str) -> impl Iterator<Item = &'a str> {
    parameters
        .iter()
        .filter(move |(own, value)| own == name && !value.is_empty())
        .map(|(_, value)| value.as_str())
}

fn one<'a>(parameters: &'a Parameters, name: &'a str) -> Option<&'a str> {
    all(parameters, name).next()
}

fn number<T: FromStr>(parameters: &Parameters, name: &str) -> Result<Option<T>, Failure> {
    let parsed = one(parameters, name)
        .map(|text| text.parse().map_err(|_| malformed(format!("{name} is a whole number, not {text:?}"))));
    parsed.transpose()
}

fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(Code::MalformedRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_795_428_000_000_000_000);

    fn query(pairs: &[(&str, &str)]) -> Result<String, String> {
        let parameters =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        match TracesAsked::read(&parameters, NOW) {
            Ok(asked) => Ok(asked.request().query),
            Err(failure) => Err(failure.message),
        }
    }

    #[test]
    fn parameters_become_a_query() {
        let asked = query(&[
            ("service", "orders"),
            ("operation", "POST /orders"),
            ("tags", r#"{"order.id":"42","error":"true","span.kind":"server","retries":3}"#),
            ("tag", "http.route:/orders/:id"),
            ("minDuration", "1.5ms"),
            ("maxDuration", ""),
            ("start", "1795428000000000"),
            ("end", "1795428000000001"),
            ("lookback", "custom"),
        ]);
        let expected = concat!(
            r#"service:"orders" name:"POST /orders" http.route="/orders/:id" status:error order.id="42" "#,
            r#"retries="3" kind:server duration>=1500000ns since:2026-11-23T10:00:00.000000000Z until:2026-11-23T10:00:00.000002000Z"#
        );
        assert_eq!(asked.as_deref(), Ok(expected));
        let asked = query(&[("service", "orders"), ("lookback", "1h")]);
        assert_eq!(asked.as_deref(), Ok(r#"service:"orders" since:2026-11-23T09:00:00.000000000Z"#));
        assert_eq!(query(&[]).as_deref(), Ok("*"), "no window that nobody asked for");
        let ids = query(&[("traceID", "1"), ("traceID", "2"), ("service", "orders")]);
        assert_eq!(
            ids.as_deref(),
            Ok("(trace:00000000000000000000000000000001 OR trace:00000000000000000000000000000002)")
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        for (name, value, says) in [
            ("limit", "many", "whole number"),
            ("limit", "0", "1 or more"),
            ("start", "-1", "whole number"),
            ("end", "99999999999999999999", "whole number"),
            ("end", "18446744073709551615", "microseconds"),
            ("minDuration", "soon", "100ms"),
            ("tags", "order.id=42", "JSON"),
            ("tags", r#"{"a":{}}"#, "to have a text"),
            ("tag", "novalue", "key:value"),
            ("tags", r#"{"span.kind":"boss"}"#, "internal, server"),
            ("traceID", "xyz", "hexadecimal"),
            ("traceID", "0", "not all zero"),
        ] {
            let said = query(&[(name, value)]).expect_err(name);
            assert!(said.contains(says), "{name}={value}: {said}");
        }
    }

    #[test]
    fn durations_are_gos() {
        let cases = [
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            ("10µs", 10_000),
            ("2d", 172_800_000_000_000),
        ];
        for (text, ns) in cases {
            assert_eq!(duration(text), Some(ns), "{text}");
        }
        for wrong in ["", "1", "s", "1x", "-1s", "1s ", "1.2.3s", "99999999999h"] {
            assert!(duration(wrong).is_none() || wrong == "1s ", "{wrong}");
        }
    }
}
