//! Whether what a span did took effect.

use crate::document::Outcome;
use crate::record::{Span, StatusCode};
use crate::value::{Attributes, Value};

/// Words of answers: the server refused, so nothing took effect.
const REFUSALS: &[&str] = &[
    "abort",
    "already exists",
    "cannot be null",
    "check constraint",
    "conflict",
    "constraint",
    "deadlock",
    "denied",
    "does not exist",
    "duplicate",
    "foreign key",
    "integrity",
    "invalid",
    "no such",
    "not null",
    "not-null",
    "out of range",
    "permission",
    "refused",
    "serializ",
    "syntax",
    "undefined",
    "unique",
    "violat",
    "wrongtype",
    "precondition",
    "stale",
    "optimistic",
];

/// Words of silence: nobody answered, so nobody knows.
const SILENCES: &[&str] = &[
    "timeout",
    "timed out",
    "deadline",
    "reset",
    "closed",
    "broken pipe",
    "cancel",
    "gone away",
    "lost connection",
    "eof",
    "unreachable",
];

/// `Ok` without an error, `Failed` where a server refused, `Unknown` where no answer came or nobody says.
pub(crate) fn outcome(span: &Span) -> Outcome {
    let attributes = &span.attributes;
    if !span.end.is_set() {
        return Outcome::Unknown;
    }
    let told = attributes.get("error.type").map(Value::to_text).filter(|text| !text.is_empty());
    if span.status.code != StatusCode::Error && told.is_none() {
        return Outcome::Ok;
    }
    let mut words = span.status.message.to_lowercase();
    for event in span.events.iter().filter(|event| event.name == "exception") {
        for name in ["exception.type", "exception.message"] {
            words.push(' ');
            words
                .push_str(&event.attributes.get(name).map(Value::to_text).unwrap_or_default().to_lowercase());
        }
    }
    words.push(' ');
    words.push_str(&told.unwrap_or_default().to_lowercase());
    if SILENCES.iter().any(|word| words.contains(word)) {
        return Outcome::Unknown;
    }
    let code = attributes.get_any(&["db.response.status_code", "db.sql.error_code"]);
    let answered = code.is_some_and(|code| !code.to_text().starts_with("08")); // SQLSTATE class 08: the connection
    if answered || words.split(' ').any(is_sql_state) || REFUSALS.iter().any(|word| words.contains(word)) {
        return Outcome::Failed;
    }
    Outcome::Unknown
}

/// Five characters, two of a class and three of a code: `23505`, `40P01`.
fn is_sql_state(word: &str) -> bool {
    let classes = ["21", "22", "23", "25", "28", "2d", "3d", "3f", "40", "42", "44", "55"];
    word.len() == 5
        && word.bytes().all(|b| b.is_ascii_alphanumeric())
        && word.bytes().filter(u8::is_ascii_digit).count() >= 3
        && word.get(..2).is_some_and(|class| classes.contains(&class))
}

/// How many rows a statement changed, and how many it handed back, where instrumentation says so.
pub(crate) fn affected(attributes: &Attributes) -> (Option<i64>, Option<i64>) {
    let number = |names: &[&str]| match attributes.get_any(names)? {
        Value::Int(number) => Some(*number),
        other => other.to_text().parse().ok(),
    };
    let affected = number(&[
        "db.response.affected_rows",
        "db.rows_affected",
        "db.sql.rows_affected",
        "db.affected_rows",
        "rows_affected",
        "db.row_count",
        "db.rowcount",
    ]);
    (affected, number(&["db.response.returned_rows"]))
}
