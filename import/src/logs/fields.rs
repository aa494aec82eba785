//! Which field of a structured line is its time, severity, message; the rest are attributes.

use regex::Regex;
use serde_json::{Map, Value};

use super::Line;

const TIME: &[&str] = &["time", "timestamp", "@timestamp", "ts", "datetime", "date", "t"];
const SEVERITY: &[&str] =
    &["severity", "level", "log.level", "levelname", "lvl", "loglevel", "severity_text"];
const MESSAGE: &[&str] = &["message", "msg", "body", "event", "log"];
const TRACE: &[&str] = &["trace_id", "traceId", "traceid", "trace.id", "otelTraceID"];
const SPAN: &[&str] = &["span_id", "spanId", "spanid", "span.id", "otelSpanID"];
const SERVICE: &[&str] =
    &["service.name", "service_name", "service", "otelServiceName", "application", "app"];
const HOST: &[&str] = &["host.name", "hostname", "host"];

/// A line's fields by their usual names.
pub(super) fn structured(fields: Map<String, Value>) -> Line {
    let mut fields = flat(fields);
    let mut text = |names: &[&str]| {
        let name = names.iter().find(|name| fields.get(**name).is_some_and(is_single))?;
        fields.remove(*name).map(single)
    };
    let time = text(TIME);
    let severity = text(SEVERITY);
    let message = text(MESSAGE).unwrap_or_default();
    let trace_id = text(TRACE).unwrap_or_default();
    let span_id = text(SPAN).unwrap_or_default();
    let (service, host) = (text(SERVICE), text(HOST));
    let message = message.trim_end_matches('\n').to_owned(); // Docker's JSON keeps the line's end
    Line {
        time,
        severity,
        message,
        trace_id,
        span_id,
        service,
        host,
        attributes: fields.into_iter().collect(),
    }
}

/// Nested objects with their keys joined by dots, as the Elastic Common Schema nests `service.name`.
fn flat(fields: Map<String, Value>) -> Map<String, Value> {
    let mut flattened = Map::new();
    for (key, value) in fields {
        match value {
            Value::Object(nested) => {
                flattened
                    .extend(flat(nested).into_iter().map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
            value => {
                flattened.insert(key, value);
            }
        }
    }
    flattened
}

fn is_single(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

fn single(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// How many `key=value` pairs a line holds.
pub(crate) fn logfmt_pairs(line: &str) -> usize {
    logfmt(line).map_or(0, |fields| fields.len())
}

/// A line of `key=value` and `key="quoted value"`; `None` where it has no pair.
pub(super) fn logfmt(line: &str) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    let mut rest = line.trim();
    while let Some((before, after)) = rest.split_once('=') {
        let key = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let (value, left) = logfmt_value(after);
        if !key.is_empty() {
            fields.insert(key.to_owned(), Value::String(value));
        }
        rest = left;
    }
    (!fields.is_empty()).then_some(fields)
}

fn logfmt_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped)) => value.push(escaped),
                None => {}
            },
            other => value.push(other),
        }
    }
    (value, "")
}

/// A line's fields by the named groups of a pattern; `None` where it does not match.
pub(super) fn matched(pattern: &Regex, line: &str) -> Option<Line> {
    let captures = pattern.captures(line)?;
    let mut fields = Map::new();
    for name in pattern.capture_names().flatten() {
        if let Some(found) = captures.name(name) {
            fields.insert(name.to_owned(), Value::String(found.as_str().to_owned()));
        }
    }
    let whole = !fields.keys().any(|name| MESSAGE.contains(&name.as_str()));
    let mut read = structured(fields);
    if whole {
        read.message = line.to_owned();
    }
    Some(read)
}

/// OTLP's number of a severity by its usual names, and by the numbers of pino and bunyan; 0 where it is neither.
pub(super) fn severity_number(severity: &str) -> i32 {
    match severity.trim().to_ascii_lowercase().as_str() {
        "trace" | "verbose" | "finest" | "10" => 1,
        "debug" | "fine" | "20" => 5,
        "info" | "information" | "informational" | "30" => 9,
        "notice" => 10,
        "warn" | "warning" | "40" => 13,
        "error" | "err" | "severe" | "50" => 17,
        "critical" | "crit" => 18,
        "alert" => 19,
        "fatal" | "emerg" | "emergency" | "panic" | "60" => 21,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logfmt_has_quotes_and_stray_words() {
        let fields =
            logfmt(r#"at level=warn msg="order \"42\" is late" order_id=42 empty= x="a b" tail"#).unwrap();
        let shown: Vec<_> =
            fields.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap())).collect();
        assert_eq!(shown, ["empty=", "level=warn", "msg=order \"42\" is late", "order_id=42", "x=a b"]);
        assert_eq!(logfmt("no pair at all"), None);
    }

    #[test]
    fn usual_names_are_known_and_the_rest_are_attributes() {
        let fields = serde_json::json!({
            "@timestamp": "2026-11-23T10:00:00Z", "log": {"level": "ERROR"}, "message": "boom",
            "service": {"name": "orders"}, "trace": {"id": "4bf92f3577b34da6a3ce929d0e0e4736"}, "order": {"id": 42}
        });
        let Value::Object(fields) = fields else { unreachable!() };
        let line = structured(fields);
        assert_eq!(line.service.as_deref(), Some("orders"));
        assert_eq!((line.severity.as_deref(), line.message.as_str()), (Some("ERROR"), "boom"));
        assert_eq!(line.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(line.attributes, [("order.id".to_owned(), Value::from(42))]);
    }
}
