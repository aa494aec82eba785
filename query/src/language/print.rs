//! The text of a predicate: parsing it gives a predicate that matches the same records.

use std::fmt::Write;

use timeline::token::Sought;

use super::terms::Field;
use crate::archive::Window;
use crate::predicate::{Comparison, Predicate, Signal, TextMatch};

const ALL: &str = "*";
const NONE: &str = "-*";

/// The query that asks for these records of this stretch of time. Words must be in their own form.
pub fn print(predicate: &Predicate, window: Window) -> String {
    let text = match predicate {
        Predicate::All(all) if !all.is_empty() => joined(all, " "),
        other => one(other),
    };
    with_window(text, window)
}

/// A query's text without times, and these times.
pub(super) fn with_window(mut text: String, window: Window) -> String {
    for (name, time) in [("since", window.since), ("until", window.until)] {
        if let Some(time) = time {
            // Writing to a string cannot fail.
            let _ = write!(text, " {name}:{time}");
        }
    }
    text
}

fn one(predicate: &Predicate) -> String {
    match predicate {
        Predicate::All(all) if all.is_empty() => ALL.to_owned(),
        Predicate::Any(any) if any.is_empty() => NONE.to_owned(),
        Predicate::All(all) => format!("({})", joined(all, " ")),
        Predicate::Any(any) => format!("({})", joined(any, " OR ")),
        Predicate::Not(other) => format!("-{}", one(other)),
        Predicate::Trace(id) => format!("trace:{id}"),
        Predicate::Span(id) => format!("span:{id}"),
        Predicate::Parent(id) => format!("parent:{id}"),
        Predicate::LinkTo(id) => format!("link:{id}"),
        Predicate::Signal(Signal::Spans) => "signal:spans".to_owned(),
        Predicate::Signal(Signal::Logs) => "signal:logs".to_owned(),
        Predicate::Service(text) => text_match("service", ":", text),
        Predicate::Name(text) => text_match("name", ":", text),
        Predicate::Kind(kind) => format!("kind:{}", kind.as_str()),
        Predicate::Status(code) => format!("status:{}", code.as_str()),
        Predicate::Severity(comparison, severity) => {
            format!("severity{}{}", operator(*comparison, ":"), severity.as_str().to_ascii_lowercase())
        }
        Predicate::Duration(comparison, ns) => format!("duration{}{ns}ns", operator(*comparison, ":")),
        Predicate::Attribute { key, value } => text_match(&key_text(key), "=", value),
        Predicate::Number { key, comparison, number } => {
            format!("{}{}{number}", key_text(key), operator(*comparison, "=="))
        }
        Predicate::Phrase(phrase) if phrase.is_empty() => ALL.to_owned(),
        Predicate::Word(word) => quoted(word),
        Predicate::Phrase(phrase) => quoted(&phrase.join(" ")),
        Predicate::Value(value) if Sought::new(value).tokens().is_empty() => NONE.to_owned(),
        Predicate::Value(value) => format!("value:{}", quoted(value)),
    }
}

fn joined(all: &[Predicate], with: &str) -> String {
    all.iter().map(one).collect::<Vec<_>>().join(with)
}

fn text_match(name: &str, operator: &str, text: &TextMatch) -> String {
    match text {
        TextMatch::Present => format!("{name}{operator}*"),
        TextMatch::Is(text) => format!("{name}{operator}{}", quoted(text)),
        TextMatch::StartsWith(start) => format!("{name}{operator}{}*", quoted(start)),
        TextMatch::Like(pattern) => format!("{name}~{}", quoted(pattern.as_str())),
    }
}

fn key_text(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let begins = key.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && key.chars().all(plain) && Field::named(key).is_none() { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn operator(comparison: Comparison, equal: &'static str) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Equal => equal,
        Comparison::AtLeast => ">=",
        Comparison::Greater => ">",
    }
}
