//! The one meaning of a predicate.

use std::cmp::Ordering;

use timeline::record::{Body, Record, Severity, StatusCode};
use timeline::token::Sought;
use timeline::value::Value;

use super::places::{Content, Place, any_place, any_under, attribute_lists};
use super::words::contains;
use super::{Comparison, Predicate, Signal, TextMatch};

impl Predicate {
    /// Whether `record` is among those that the question is about.
    pub fn matches(&self, record: &Record) -> bool {
        let span = record.as_span();
        match self {
            Predicate::All(all) => all.iter().all(|one| one.matches(record)),
            Predicate::Any(any) => any.iter().any(|one| one.matches(record)),
            Predicate::Not(other) => !other.matches(record),
            Predicate::Trace(id) => record.trace_id() == Some(*id),
            Predicate::Span(id) => record.span_id() == Some(*id),
            Predicate::Parent(id) => span.is_some_and(|span| span.parent_span_id == Some(*id)),
            Predicate::LinkTo(id) => {
                span.is_some_and(|span| span.links.iter().any(|link| link.trace_id == *id))
            }
            Predicate::Signal(Signal::Spans) => span.is_some(),
            Predicate::Signal(Signal::Logs) => span.is_none(),
            Predicate::Service(text) => text.matches(record.resource.service()),
            Predicate::Name(text) => names(record).any(|name| text.matches(name)),
            Predicate::Kind(kind) => span.is_some_and(|span| span.kind == *kind),
            Predicate::Status(code) => span.is_some_and(|span| span.status.code == *code),
            Predicate::Severity(comparison, level) => {
                severity(record).is_some_and(|own| comparison.holds(own.cmp(level)))
            }
            Predicate::Duration(comparison, ns) => {
                duration_ns(record).is_some_and(|own| comparison.holds(own.cmp(ns)))
            }
            Predicate::Attribute { key, value } => {
                attribute_lists(record).any(|list| any_under(list, key, &mut |own| value_matches(own, value)))
            }
            Predicate::Number { key, comparison, number } => attribute_lists(record)
                .any(|list| any_under(list, key, &mut |own| number_compares(own, *comparison, *number))),
            Predicate::Word(word) => says(record, std::slice::from_ref(word)),
            Predicate::Phrase(phrase) => says(record, phrase),
            Predicate::Value(value) => Sought::new(value).is_in(record),
        }
    }
}

impl TextMatch {
    /// Whether `text`, which is there, is like this.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            TextMatch::Present => true,
            TextMatch::Is(whole) => text == whole,
            TextMatch::StartsWith(start) => text.starts_with(start.as_str()),
            TextMatch::Like(pattern) => pattern.is_match(text),
        }
    }
}

impl Comparison {
    /// Whether a quantity that orders so against the other compares so.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Less => ordering.is_lt(),
            Comparison::AtMost => ordering.is_le(),
            Comparison::Equal => ordering.is_eq(),
            Comparison::AtLeast => ordering.is_ge(),
            Comparison::Greater => ordering.is_gt(),
        }
    }
}

/// The severity of a log; ERROR for a span that ended in error.
pub(crate) fn severity(record: &Record) -> Option<Severity> {
    match &record.body {
        Body::Span(span) => (span.status.code == StatusCode::Error).then_some(Severity::Error),
        Body::Log(log) => log.severity(),
    }
}

/// How long a span took, in nanoseconds; `None` for a log and for a span whose start or end is unknown.
fn duration_ns(record: &Record) -> Option<u64> {
    let span = record.as_span().filter(|span| span.start.is_set() && span.end.is_set())?;
    Some(span.end.0.saturating_sub(span.start.0))
}

/// The names that are there: the span's and its events', or the log event's.
fn names(record: &Record) -> impl Iterator<Item = &str> {
    let (name, events) = match &record.body {
        Body::Span(span) => (&span.name, span.events.as_slice()),
        Body::Log(log) => (&log.event_name, &[][..]),
    };
    std::iter::once(name)
        .chain(events.iter().map(|event| &event.name))
        .map(String::as_str)
        .filter(|name| !name.is_empty())
}

/// A list matches as a whole, in JSON, or by one of its values.
fn value_matches(own: &Value, text: &TextMatch) -> bool {
    text.matches(&own.to_text())
        || matches!(own, Value::Array(values) if values.iter().any(|one| value_matches(one, text)))
}

fn number_compares(own: &Value, comparison: Comparison, number: f64) -> bool {
    let own = match own {
        Value::Int(own) => *own as f64,
        Value::Double(own) => *own,
        Value::Array(values) => return values.iter().any(|one| number_compares(one, comparison, number)),
        _ => return false,
    };
    own.partial_cmp(&number).is_some_and(|ordering| comparison.holds(ordering))
}

/// Whether a name, the body, a text attribute of its own, or the status message contains these words in a row.
fn says(record: &Record, phrase: &[String]) -> bool {
    phrase.is_empty()
        || any_place(record, |place, content| match (place, content) {
            (Place::Resource(_), _) => false,
            (_, Content::Text(text)) => contains(text, phrase),
            (_, Content::Value(value)) => value_says(value, phrase),
        })
}

fn value_says(value: &Value, phrase: &[String]) -> bool {
    match value {
        Value::Text(text) => contains(text, phrase),
        Value::Array(values) => values.iter().any(|one| value_says(one, phrase)),
        Value::Map(nested) => nested.iter().any(|(_, one)| value_says(one, phrase)),
        _ => false,
    }
}
