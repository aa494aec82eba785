//! What one record says of stores, messages and calls: which of the aspects that findings rest on could be there,
//! and which are.

use crate::document::{Aspect, Op};
use crate::message::Role;
use crate::record::{Log, Record, Span, SpanKind, StatusCode};
use crate::state::reading;
use crate::value::{Attributes, Value};

/// Calls `say` with every aspect that the span could carry, and whether it does.
pub(crate) fn span(span: &Span, say: &mut impl FnMut(Aspect, bool)) {
    let attributes = &span.attributes;
    let calls = matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    if calls || is_store(attributes) {
        say(Aspect::Outcomes, has_outcome(span));
    }
    if is_store(attributes) {
        store(attributes, say);
    }
    explicit(attributes, say);
    if is_message(attributes)
        && let Some(role) = Role::of(span)
    {
        let carried = role == Role::Receives && !span.links.is_empty();
        say(Aspect::Messages, carried || attributes.get_any(MESSAGE_IDENTITY).is_some());
        if role == Role::Receives {
            say(Aspect::Intents, attributes.get_any(INTENTS).is_some());
        }
    } else if is_command(span) {
        say(Aspect::Intents, attributes.get_any(INTENTS).is_some());
    }
}

/// The same of a log record.
pub(crate) fn log(record: &Record, log: &Log, say: &mut impl FnMut(Aspect, bool)) {
    say(Aspect::LogsInSpans, log.trace_id.is_some() && log.span_id.is_some());
    for draft in reading::drafts(record) {
        match draft.op {
            Op::Read => say(Aspect::ReadValues, draft.value.is_some()),
            Op::Write | Op::Append | Op::Add => {
                say(Aspect::WrittenValues, draft.value.is_some() || draft.delta.is_some());
            }
            Op::Delete => {}
        }
        if draft.version.is_some() {
            say(Aspect::Versions, true);
        }
    }
}

/// What identifies a message at both of its ends.
const MESSAGE_IDENTITY: &[&str] = &[
    "messaging.message.id",
    "messaging.message_id",
    "messaging.kafka.offset",
    "messaging.kafka.message.offset",
];

/// What makes two commands the same command.
const INTENTS: &[&str] = &[
    "backstory.intent",
    "http.request.header.idempotency-key",
    "http.request.resend_count",
    "http.resend_count",
    "messaging.message.id",
    "messaging.message_id",
    "cloudevents.event_id",
];

/// Versions as headers and explicit attributes carry them.
const VERSIONS: &[&str] = &["backstory.version", "http.request.header.if-match", "http.response.header.etag"];

fn is_store(attributes: &Attributes) -> bool {
    attributes.get_any(&["db.system.name", "db.system"]).is_some()
}

fn is_message(attributes: &Attributes) -> bool {
    attributes.get("messaging.system").is_some()
}

/// A call that changes something at its receiver.
fn is_command(span: &Span) -> bool {
    let method = span.attributes.get_any(&["http.request.method", "http.method"]).and_then(Value::as_str);
    let over_http = matches!(span.kind, SpanKind::Client | SpanKind::Server);
    over_http && method.is_some_and(|method| !["GET", "HEAD", "OPTIONS"].contains(&method))
}

/// It ended, and where it failed it says by which answer: a failure without an answer leaves the effect open.
fn has_outcome(span: &Span) -> bool {
    let answers = [
        "http.response.status_code",
        "http.status_code",
        "db.response.status_code",
        "rpc.response.status_code",
        "rpc.grpc.status_code",
    ];
    span.end.is_set()
        && (span.status.code != StatusCode::Error || span.attributes.get_any(&answers).is_some())
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Read,
    Write,
    Commit,
    Other,
}

fn store(attributes: &Attributes, say: &mut impl FnMut(Aspect, bool)) {
    let text = attributes.get_any(&["db.query.text", "db.statement"]).and_then(Value::as_str);
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        let operation = attributes.get_any(&["db.operation.name", "db.operation"]);
        match operation.map(|name| does(&name.to_text())) {
            Some(Does::Read) => say(Aspect::ReadValues, false),
            Some(Does::Write) => say(Aspect::WrittenValues, false),
            Some(Does::Commit) => return say(Aspect::Commits, true),
            Some(Does::Other) | None => {}
        }
        return say(Aspect::Statements, false);
    };
    say(Aspect::Statements, true);
    let has_values = has_parameters(attributes) || !has_placeholders(text);
    let has_version = attributes.get_any(VERSIONS).is_some()
        || (has_values && text.to_ascii_lowercase().contains("version"));
    let in_transactions = !matches!(
        attributes.get_any(&["db.system.name", "db.system"]).and_then(Value::as_str),
        Some("redis" | "valkey")
    );
    match does(text) {
        Does::Write => {
            say(Aspect::WrittenValues, has_values);
            say(Aspect::Versions, has_version);
            if in_transactions {
                say(Aspect::Commits, false); // the statement alone; a COMMIT span says it for all
            }
        }
        Does::Read => {
            say(Aspect::ReadValues, false); // no convention carries what a query returned
            say(Aspect::Versions, attributes.get_any(VERSIONS).is_some());
        }
        Does::Commit => say(Aspect::Commits, true),
        Does::Other => {}
    }
}

fn does(statement: &str) -> Does {
    let mut words = statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let verb = words.find(|word| !word.is_empty()).unwrap_or("").to_ascii_uppercase();
    match verb.as_str() {
        "SELECT" | "GET" | "MGET" | "HGET" | "HGETALL" | "HMGET" | "LRANGE" | "SMEMBERS" | "ZRANGE"
        | "FIND" | "EXISTS" | "QUERY" | "GETITEM" | "SCAN" => Does::Read,
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "REPLACE" | "UPSERT" | "SET" | "SETEX" | "SETNX"
        | "MSET" | "HSET" | "HMSET" | "HDEL" | "DEL" | "UNLINK" | "INCR" | "INCRBY" | "DECR" | "DECRBY"
        | "LPUSH" | "RPUSH" | "SADD" | "SREM" | "ZADD" | "ZREM" | "PUTITEM" | "UPDATEITEM" | "DELETEITEM" => {
            Does::Write
        }
        "COMMIT" => Does::Commit,
        "WITH" => {
            let writes = ["INSERT", "UPDATE", "DELETE", "MERGE"];
            let written = words.any(|word| writes.iter().any(|verb| word.eq_ignore_ascii_case(verb)));
            if written { Does::Write } else { Does::Read }
        }
        _ => Does::Other,
    }
}

/// Whether the values of the statement's parameters were recorded.
fn has_parameters(attributes: &Attributes) -> bool {
    let lists = ["db.statement.parameters", "db.postgresql.values", "db.mysql.values"];
    let named = |(name, _): (&str, &Value)| name.starts_with("db.query.parameter.");
    attributes.get_any(&lists).is_some() || attributes.iter().any(named)
}

/// Whether the text stands for values that it does not show: `?`, `$1`, `%s`, `:id`, `@id`, `[3 other arguments]`.
fn has_placeholders(text: &str) -> bool {
    let bytes = text.as_bytes();
    let quoted = |at: usize| bytes[..at].iter().filter(|byte| **byte == b'\'').count() % 2 == 1;
    let marks = bytes.iter().enumerate().any(|(at, byte)| {
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
        let mark = match byte {
            b'?' => true,
            b'$' => next.is_ascii_digit(),
            b'%' => next == b's' || next == b'(',
            b':' => next.is_ascii_alphabetic() && before != b':' && !before.is_ascii_alphanumeric(),
            b'@' => next.is_ascii_alphabetic() && !before.is_ascii_alphanumeric(),
            _ => false,
        };
        mark && !quoted(at)
    });
    marks || text.contains(" other arguments]")
}

/// What `backstory.*` attributes say.
fn explicit(attributes: &Attributes, say: &mut impl FnMut(Aspect, bool)) {
    let Some(op) = attributes.get("backstory.op").and_then(Value::as_str) else { return };
    let has_value = attributes.get("backstory.value").is_some();
    let read = op == "read";
    if op != "delete" {
        say(if read { Aspect::ReadValues } else { Aspect::WrittenValues }, has_value);
    }
    say(Aspect::Versions, attributes.get("backstory.version").is_some());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::attributes;

    fn said(pairs: &[(&str, &str)]) -> Vec<(Aspect, bool)> {
        let made = Span { attributes: attributes(pairs), kind: SpanKind::Client, ..Span::default() };
        let mut said = Vec::new();
        span(&made, &mut |aspect, carried| said.push((aspect, carried)));
        said
    }

    fn values(system: &str, text: &str) -> Option<bool> {
        let said = said(&[("db.system.name", system), ("db.query.text", text)]);
        said.iter().find(|(aspect, _)| *aspect == Aspect::WrittenValues).map(|(_, carried)| *carried)
    }

    #[test]
    fn a_statement_has_values_unless_something_stands_for_them() {
        for (text, expected) in [
            ("UPDATE orders SET status = 'paid' WHERE id = 42", Some(true)),
            ("UPDATE orders SET status = 'who?' WHERE id = 42", Some(true)),
            ("update orders set status = $1 where id = $2", Some(false)),
            ("UPDATE orders SET status = ? WHERE id = ?", Some(false)),
            ("INSERT INTO orders (id) VALUES (%s)", Some(false)),
            ("INSERT INTO orders (id) VALUES (:id)", Some(false)),
            ("INSERT INTO orders (id) VALUES (42::bigint)", Some(true)),
            ("WITH gone AS (DELETE FROM orders WHERE id = @id) SELECT 1", Some(false)),
            ("SELECT * FROM orders", None),
            ("BEGIN", None),
        ] {
            assert_eq!(values("postgresql", text), expected, "{text}");
        }
        assert_eq!(values("redis", "SET ? ?"), Some(false));
        assert_eq!(values("redis", "HSET order:42 status [7 other arguments]"), Some(false));
        assert_eq!(values("redis", "SET order:42 paid"), Some(true));
    }

    #[test]
    fn recorded_parameters_are_values() {
        let pairs = [
            ("db.system.name", "postgresql"),
            ("db.query.text", "UPDATE orders SET status = $1, version = version + 1 WHERE id = $2"),
            ("db.query.parameter.0", "paid"),
        ];
        let said = said(&pairs);
        assert!(said.contains(&(Aspect::WrittenValues, true)) && said.contains(&(Aspect::Versions, true)));
    }

    #[test]
    fn a_failure_without_an_answer_leaves_the_effect_open() {
        let mut made = Span { kind: SpanKind::Client, end: crate::time::Time(2), ..Span::default() };
        assert!(has_outcome(&made));
        made.status.code = StatusCode::Error;
        assert!(!has_outcome(&made), "it may have taken effect");
        made.attributes = attributes(&[("http.response.status_code", "409")]);
        assert!(has_outcome(&made));
        made.end = crate::time::Time::UNSET;
        assert!(!has_outcome(&made));
    }
}
