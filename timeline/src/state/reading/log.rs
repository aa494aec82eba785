//! Log lines and structured log attributes: what a service says that it did or saw.
//!
//! A line counts only where it names a thing, or its attributes do. A change is read where the line says that
//! something changed (`from A to B`, `A -> B`, `is now A`); a state that is merely mentioned is a read: the service
//! believed it at that moment. The copy is the service's own belief, `<service>/memory`.

use super::draft::{Draft, Key, normal, normal_text};
use super::explicit::memory;
use crate::document::{Op, StateEvidence};
use crate::id::Point;
use crate::naming::{self, How, Name};
use crate::record::{Log, Record};
use crate::value::{Attributes, Value};

/// Of longer lines the beginning is read.
const LINE_BYTES_MAX: usize = 4 * 1024;

/// Attributes that hold a thing's state, by their last word.
const STATE_FIELDS: &[&str] = &["status", "state", "phase", "stage"];

/// Words after which a line tells a change.
const CHANGES: &[&str] = &[
    "now",
    "became",
    "becomes",
    "changed",
    "changes",
    "updated",
    "set",
    "marked",
    "moved",
    "transitioned",
    "indexed",
    "stored",
    "saved",
    "wrote",
    "switched",
    "promoted",
    "transition",
];

/// Adds what a log record says.
pub(super) fn read(record: &Record, log: &Log, drafts: &mut Vec<Draft>) {
    let (line, fields) = match &log.body {
        Value::Text(line) => (line.as_str(), None),
        Value::Map(fields) => {
            (fields.get_any(&["message", "msg"]).and_then(Value::as_str).unwrap_or(""), Some(fields))
        }
        _ => ("", None),
    };
    let line = prefix(line);
    let attributes = [Some(&log.attributes), fields];
    let structured: Vec<(&str, &Value)> =
        attributes.iter().flatten().flat_map(|attributes| stated(attributes)).collect();
    let told = Line::of(line);
    if structured.is_empty() && told.is_empty() {
        return;
    }
    let names = naming::names(record);
    let Some(thing) = thing(&names, line) else { return };
    let copy = memory(record.resource.service());
    let changes = words(line).any(|word| CHANGES.contains(&word.to_ascii_lowercase().as_str()));
    let version =
        attributes.iter().flatten().find_map(|attributes| version(attributes, &thing.kind)).or(told.version);
    let op = if changes || told.from.is_some() { Op::Write } else { Op::Read };
    let mut base = Draft::new(Point::Log, &thing.kind, Key::Known(thing.key.clone()), &copy, op);
    base.version = version;
    base.evidence = StateEvidence::Log;
    let field = told.field.unwrap_or_else(|| default_field(&structured, &thing.kind));
    for (name, value) in structured {
        let Some(own) = field_of(name, &thing.kind) else { continue };
        let value = Some(normal(value.clone()));
        // The line tells of another field: the attribute is what held beside it.
        let beside = told.value.is_some() && own != field;
        let from = if own == field { told.from.clone() } else { None };
        let op = if beside { Op::Read } else { op };
        push(drafts, Draft { op, field: Some(own), value, from, ..base.clone() });
    }
    if let Some(value) = told.value {
        push(drafts, Draft { field: Some(field), from: told.from, value: Some(value), ..base });
    }
}

/// What the attribute and the line both say is said once.
fn push(drafts: &mut Vec<Draft>, draft: Draft) {
    if !drafts.iter().any(|other| other.field == draft.field && other.evidence == StateEvidence::Log) {
        drafts.push(draft);
    }
}

/// The attributes that hold state: `status`, `order.status`, `orderStatus`, `new_state`.
fn stated(attributes: &Attributes) -> impl Iterator<Item = (&str, &Value)> {
    attributes.iter().filter(|(name, value)| {
        let last = name.rsplit(['.', '_']).next().unwrap_or(name);
        let ends = STATE_FIELDS.iter().any(|field| {
            last.eq_ignore_ascii_case(field)
                || (last.len() > field.len()
                    && last.to_ascii_lowercase().ends_with(field)
                    && !last.contains('-'))
        });
        let reserved = ["http.", "db.", "rpc.", "otel.", "process.", "thread.", "exit", "k8s.", "container."];
        ends && !matches!(value, Value::Map(_) | Value::Array(_))
            && !reserved.iter().any(|r| name.starts_with(r))
    })
}

/// The field of a thing of `kind` that an attribute holds; `None` where it speaks of another thing, or of before.
fn field_of(name: &str, kind: &str) -> Option<String> {
    let snake = naming::snake(name);
    let bare = snake.strip_prefix(kind).and_then(|rest| rest.strip_prefix('_')).unwrap_or(&snake);
    let bare = bare.strip_prefix("new_").unwrap_or(bare);
    let plain = ["old_", "previous_", "prev_", "from_", "http_", "response_", "exit_"]
        .iter()
        .all(|p| !bare.starts_with(p));
    (plain && STATE_FIELDS.contains(&bare)).then(|| bare.to_owned())
}

fn default_field(structured: &[(&str, &Value)], kind: &str) -> String {
    structured.iter().find_map(|(name, _)| field_of(name, kind)).unwrap_or_else(|| "status".to_owned())
}

fn version(attributes: &Attributes, kind: &str) -> Option<Value> {
    let named = attributes.iter().find(|(name, _)| {
        let snake = naming::snake(name);
        let bare = snake.strip_prefix(kind).and_then(|rest| rest.strip_prefix('_')).unwrap_or(&snake);
        ["version", "rev", "revision"].contains(&bare)
    });
    named.map(|(_, value)| normal(value.clone())).filter(|value| matches!(value, Value::Int(_)))
}

/// Whose state the line tells: the only thing that it names; of several the one that stands first in its text.
fn thing<'a>(names: &'a [Name], line: &str) -> Option<&'a Name> {
    if let [only] = names {
        return Some(only);
    }
    let in_line = names.iter().filter(|name| matches!(name.how, How::Text | How::Attribute | How::Explicit));
    let placed = in_line.filter_map(|name| Some((line.find(name.value.as_str())?, name)));
    placed.min_by_key(|(at, _)| *at).map(|(_, name)| name)
}

/// What a line's text tells.
#[derive(Debug, Default, PartialEq)]
struct Line {
    field: Option<String>,
    from: Option<Value>,
    value: Option<Value>,
    version: Option<Value>,
}

impl Line {
    fn of(line: &str) -> Line {
        let mut told = Line::default();
        if line.is_empty() {
            return told;
        }
        told.version = after(line, "version ").map(|rest| token(rest).0).map(normal_text);
        told.version = told.version.filter(|version| matches!(version, Value::Int(_)));
        if let Some((from, value, before)) = arrow(line).or_else(|| from_to(line)) {
            told.field = field_before(before);
            (told.from, told.value) = (Some(normal_text(from)), Some(normal_text(value)));
        } else if let Some((field, value)) = assigned(line) {
            (told.field, told.value) = (Some(field), Some(normal_text(value)));
        } else {
            let says = [" is now ", " now ", " became ", " marked as ", " marked ", " as "];
            let value = says
                .iter()
                .find_map(|says| after(line, says))
                .map(token)
                .filter(|(value, _)| is_state(value));
            told.value = value.map(|(value, _)| normal_text(value));
        }
        told
    }

    fn is_empty(&self) -> bool {
        self.value.is_none()
    }
}

/// `A -> B`, `A → B`, `A => B`, and what stands before.
fn arrow(line: &str) -> Option<(&str, &str, &str)> {
    let (at, sign) = ["->", "→", "=>"].iter().find_map(|sign| Some((line.find(sign)?, *sign)))?;
    let (before, after) = (line.get(..at)?.trim_end(), line.get(at + sign.len()..)?.trim_start());
    let (from, before) = last_token(before)?;
    let (value, _) = token(after);
    (!value.is_empty()).then_some((from, value, before))
}

/// `from A to B`, and what stands before.
fn from_to(line: &str) -> Option<(&str, &str, &str)> {
    let at = line.find("from ").filter(|at| *at == 0 || line.get(..*at).is_some_and(|l| l.ends_with(' ')))?;
    let (from, rest) = token(line.get(at + 5..)?);
    let (value, _) = token(rest.strip_prefix(" to ")?);
    let quoted = line.get(at + 5..)?.starts_with(['\'', '"']);
    ((!from.is_empty() || quoted) && !value.is_empty()).then_some((from, value, line.get(..at)?))
}

/// `status=paid`, `state: paid`.
fn assigned(line: &str) -> Option<(String, &str)> {
    STATE_FIELDS.iter().find_map(|field| {
        let at = find_word(line, field)?;
        let rest = line.get(at + field.len()..)?.trim_start();
        let rest = rest.strip_prefix(['=', ':'])?.trim_start();
        let (value, _) = token(rest);
        is_state(value).then(|| ((*field).to_owned(), value))
    })
}

/// The field that a line speaks of before its values: `order 42 status NEW`, `note changed`.
fn field_before(before: &str) -> Option<String> {
    let skipped = [
        "changed",
        "changes",
        "moved",
        "updated",
        "transitioned",
        "went",
        "goes",
        "from",
        "was",
        "set",
        "is",
    ];
    let word = words(before).filter(|word| !skipped.contains(&word.to_ascii_lowercase().as_str())).last()?;
    let plain = word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let known = naming::snake(word);
    let is_field = plain && word.starts_with(|c: char| c.is_ascii_lowercase()) && known.len() > 2;
    // `order` in `moved order from NEW to PAID` is the thing, not a field; a field stands after the key.
    let after_key = words(before).take_while(|other| *other != word).any(naming::looks_like_key);
    (is_field && (after_key || STATE_FIELDS.contains(&known.as_str()))).then_some(known)
}

/// A word that can be a state: no number, no stop word.
fn is_state(word: &str) -> bool {
    let stop = [
        "a",
        "an",
        "the",
        "being",
        "in",
        "at",
        "for",
        "to",
        "not",
        "well",
        "expected",
        "usual",
        "available",
        "soon",
        "it",
    ];
    word.len() > 1
        && word.len() <= 64
        && word.starts_with(|c: char| c.is_alphabetic())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        && !stop.contains(&word.to_ascii_lowercase().as_str())
}

/// The value at the beginning of `text`, quoted or a word, and what follows it.
fn token(text: &str) -> (&str, &str) {
    if let Some(quote @ ('\'' | '"')) = text.chars().next()
        && let Some(end) = text.get(1..).and_then(|rest| rest.find(quote))
    {
        return (text.get(1..end + 1).unwrap_or(""), text.get(end + 2..).unwrap_or(""));
    }
    let end = text
        .find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ')' | '(' | '"'))
        .unwrap_or(text.len());
    let word = text.get(..end).unwrap_or("");
    (word.trim_end_matches(['.', ':', '!']), text.get(end..).unwrap_or(""))
}

/// The value at the end of `text`, and what stands before it.
fn last_token(text: &str) -> Option<(&str, &str)> {
    if let Some(quote @ ('\'' | '"')) = text.chars().last() {
        let inner = text.get(..text.len() - 1)?;
        let start = inner.rfind(quote)?;
        return Some((inner.get(start + 1..)?, inner.get(..start)?));
    }
    let start =
        text.rfind(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | '(' | ',')).map_or(0, |at| at + 1);
    // The character at `start - 1` may be wider than a byte.
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at))?;
    let word = text.get(start..)?;
    (!word.is_empty()).then(|| (word, text.get(..start).unwrap_or("").trim_end_matches(['=', ':', ' '])))
}

fn after<'a>(line: &'a str, words: &str) -> Option<&'a str> {
    line.find(words).and_then(|at| line.get(at + words.len()..))
}

fn find_word(line: &str, word: &str) -> Option<usize> {
    line.match_indices(word)
        .map(|(at, _)| at)
        .find(|at| line.get(..*at).is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric())))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).filter(|word| !word.is_empty())
}

fn prefix(line: &str) -> &str {
    let end = (0..=line.len().min(LINE_BYTES_MAX)).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    line.get(..end).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{line as written, only};
    use super::*;
    use crate::record::Body;
    use crate::testing::{attributes, log};

    fn told(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
        let mut record = log(0, "orders", text, 1.0);
        if let Body::Log(log) = &mut record.body {
            log.attributes = attributes(pairs);
        }
        let mut drafts = Vec::new();
        let Body::Log(log) = &record.body else { return Vec::new() };
        read(&record, log, &mut drafts);
        drafts.iter().map(written).collect()
    }

    #[test]
    fn lines_tell_changes_of_the_thing_that_they_name() {
        let cases = [
            ("order 42 status NEW -> PAID", "write status=NEW->PAID"),
            ("order 42 status NEW → PAID", "write status=NEW->PAID"),
            ("Transitioned order 42 from NEW to PAID", "write status=NEW->PAID"),
            ("order 42 changed from NEW to PAID.", "write status=NEW->PAID"),
            ("order 42 is now paid", "write status=paid"),
            ("order #42 marked as shipped", "write status=shipped"),
            ("order_id=42 status=paid", "read status=paid"),
            ("order 42 served as paid (version 3) from cache", "read status=paid @3"),
            ("order 42 note changed from '' to 'leave it there'", "write note=->leave it there"),
            ("order 42 qty 3 -> 2", "write qty=3->2"),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text, &[]), [format!("order/42 orders/memory {expected}")], "{text}");
        }
    }

    #[test]
    fn attributes_say_whose_and_what() {
        let pairs = [("order.id", "42"), ("order.status", "paid"), ("order.version", "2")];
        assert_eq!(only(told("order 42 is now paid", &pairs)), "order/42 orders/memory write status=paid @2");
        assert_eq!(only(told("done", &pairs)), "order/42 orders/memory read status=paid @2");
        let beside = told("order 42 note changed from 'a' to 'b'", &pairs);
        assert_eq!(
            beside,
            ["order/42 orders/memory read status=paid @2", "order/42 orders/memory write note=a->b @2"]
        );
    }

    #[test]
    fn lines_that_name_nothing_or_no_state_tell_nothing() {
        for text in [
            "status NEW -> PAID",
            "order 42 took 7 ms",
            "GET /x -> 200",
            "order 42: see you as soon as possible",
            "retry from 1 to 3",
        ] {
            assert_eq!(told(text, &[]), [] as [&str; 0], "{text}");
        }
    }
}
