//! Redis and Valkey commands: what they read and write under which key.
//!
//! `order:42` is `order/42` in the copy `redis/order`; what follows the key (`order:42:status`) is the field.

use super::draft::{Draft, Key, normal_text};
use super::outcome::outcome;
use super::reader::Read;
use super::sql::Control;
use crate::document::{Op, Outcome, StateEvidence};
use crate::id::Point;
use crate::naming;
use crate::record::Span;
use crate::value::Value;

/// Longer pipelines are cut.
const COMMANDS_MAX: usize = 256;
/// Longer values are not taken apart.
const JSON_BYTES_MAX: usize = 16 * 1024;

/// What `span` says of a Redis or Valkey; nothing where it speaks of none.
pub(super) fn read(span: &Span, read: &mut Read) {
    let text = |names: &[&str]| span.attributes.get_any(names).and_then(Value::as_str);
    let Some(system @ ("redis" | "valkey")) = text(&["db.system.name", "db.system"]) else { return };
    let statement = text(&["db.query.text", "db.statement"]).unwrap_or("");
    let outcome = outcome(span);
    for command in statement.lines().take(COMMANDS_MAX) {
        let words = words(command);
        let Some((verb, arguments)) = words.split_first() else { continue };
        let verb = verb.to_ascii_uppercase();
        match verb.as_str() {
            "MULTI" => read.controls.push((read.drafts.len(), Control::Begin)),
            "EXEC" => read.controls.push((read.drafts.len(), Control::Commit)),
            "DISCARD" => read.controls.push((read.drafts.len(), Control::Rollback)),
            _ => Command { system, outcome, drafts: &mut read.drafts }.read(&verb, arguments),
        }
    }
}

struct Command<'a> {
    system: &'a str,
    outcome: Outcome,
    drafts: &'a mut Vec<Draft>,
}

impl Command<'_> {
    fn read(&mut self, verb: &str, arguments: &[&str]) {
        match (verb, arguments) {
            ("SET" | "GETSET", [key, value, options @ ..]) => {
                let guarded =
                    options.iter().any(|o| o.eq_ignore_ascii_case("nx") || o.eq_ignore_ascii_case("xx"));
                self.set(key, value, guarded);
            }
            ("SETNX", [key, value, ..]) => self.set(key, value, true),
            ("SETEX" | "PSETEX", [key, _, value, ..]) => self.set(key, value, false),
            ("SET" | "GETSET" | "SETNX" | "SETEX" | "PSETEX", [key, ..]) => self.set(key, "?", false),
            ("MSET", pairs) => {
                let (pairs, _) = pairs.as_chunks::<2>();
                pairs.iter().for_each(|[key, value]| self.set(key, value, false));
            }
            ("HSET" | "HMSET", [key, pairs @ ..]) => self.set_fields(key, pairs, false),
            ("HSETNX", [key, pairs @ ..]) => self.set_fields(key, pairs, true),
            ("HINCRBY" | "HINCRBYFLOAT", [key, field, by, ..]) => {
                let delta = told(by);
                self.push(key, Op::Add, Some(field), |draft| draft.delta = delta);
            }
            ("INCR", [key, ..]) => self.push(key, Op::Add, None, |draft| draft.delta = Some(Value::Int(1))),
            ("DECR", [key, ..]) => self.push(key, Op::Add, None, |draft| draft.delta = Some(Value::Int(-1))),
            ("INCRBY" | "INCRBYFLOAT", [key, rest @ ..]) => {
                let delta = rest.first().and_then(|by| told(by));
                self.push(key, Op::Add, None, |draft| draft.delta = delta);
            }
            ("DECRBY", [key, rest @ ..]) => {
                let by = rest.first().and_then(|by| by.parse::<i64>().ok()).and_then(i64::checked_neg);
                self.push(key, Op::Add, None, |draft| draft.delta = by.map(Value::Int));
            }
            ("APPEND" | "RPUSH" | "LPUSH" | "SADD" | "ZADD" | "XADD", [key, values @ ..]) => {
                let value = values.last().filter(|_| values.len() == 1).and_then(|value| told(value));
                self.push(key, Op::Append, None, |draft| draft.value = value);
            }
            ("GET" | "HGETALL" | "LRANGE" | "SMEMBERS" | "XRANGE" | "GETEX" | "HVALS", [key, ..]) => {
                self.push(key, Op::Read, None, |_| {});
            }
            ("MGET", keys) => keys.iter().for_each(|key| self.push(key, Op::Read, None, |_| {})),
            ("HGET" | "HMGET", [key, fields @ ..]) => {
                fields.iter().for_each(|field| self.push(key, Op::Read, Some(field), |_| {}));
            }
            ("DEL" | "UNLINK" | "GETDEL", keys) => {
                keys.iter().for_each(|key| self.push(key, Op::Delete, None, |_| {}));
            }
            ("EXPIRE" | "PEXPIRE", [key, "0", ..]) => self.push(key, Op::Delete, None, |_| {}),
            ("HDEL", [key, fields @ ..]) => {
                fields.iter().for_each(|field| self.push(key, Op::Delete, Some(field), |_| {}));
            }
            _ => {}
        }
    }

    fn set(&mut self, key: &str, value: &str, guarded: bool) {
        let fields: Option<serde_json::Map<String, serde_json::Value>> = Some(value)
            .filter(|v| v.starts_with('{') && v.len() <= JSON_BYTES_MAX)
            .and_then(|v| serde_json::from_str(v).ok());
        match fields {
            Some(fields) => {
                for (field, value) in &fields {
                    let value = plain(value);
                    self.push(key, Op::Write, Some(field), |draft| {
                        (draft.value, draft.outcome) = (value, open(draft, guarded));
                    });
                }
            }
            None => {
                let value = told(value);
                self.push(key, Op::Write, None, |draft| {
                    (draft.value, draft.outcome) = (value, open(draft, guarded));
                });
            }
        }
    }

    /// Fields and values in turn. A value with spaces in it shifts all that follow; then none is believed.
    fn set_fields(&mut self, key: &str, pairs: &[&str], guarded: bool) {
        let (pairs, rest) = pairs.as_chunks::<2>();
        let is_field = |field: &str| field.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let cut = pairs.iter().flatten().chain(rest).any(|word| is_masked(word));
        let shifted = !rest.is_empty() || pairs.iter().any(|[field, _]| !is_field(field));
        if shifted && !cut {
            return self.push(key, Op::Write, None, |_| {});
        }
        for [field, value] in pairs.iter().filter(|[field, _]| is_field(field)) {
            let value = told(value);
            self.push(key, Op::Write, Some(field), |draft| {
                (draft.value, draft.outcome) = (value, open(draft, guarded));
            });
        }
        // What a sanitiser left out may have set more.
        if cut {
            if let [field] = rest
                && is_field(field)
            {
                self.push(key, Op::Write, Some(field), |_| {});
            } else if pairs.is_empty() || !is_field(pairs[0][0]) {
                self.push(key, Op::Write, None, |_| {});
            }
        }
    }

    fn push(&mut self, key: &str, op: Op, field: Option<&str>, more: impl FnOnce(&mut Draft)) {
        let (prefix, kind, key, suffix) = parts(key);
        let copy =
            if prefix.is_empty() { self.system.to_owned() } else { format!("{}/{prefix}", self.system) };
        let mut draft = Draft::new(Point::End, &kind, key, &copy, op);
        draft.field = field.or(suffix).map(naming::snake).filter(|field| !field.is_empty());
        draft.outcome = self.outcome;
        draft.evidence = StateEvidence::Redis;
        more(&mut draft);
        self.drafts.push(draft);
    }
}

/// A guarded command that succeeded may have done nothing.
fn open(draft: &Draft, guarded: bool) -> Outcome {
    if guarded && draft.outcome == Outcome::Ok { Outcome::Unknown } else { draft.outcome }
}

/// The prefix that names the copy, the type, the key, and what follows the key.
fn parts(key: &str) -> (String, String, Key, Option<&str>) {
    let bare = key.trim_matches(['"', '\'']);
    let pieces: Vec<&str> = bare.split([':', '/']).map(|piece| piece.trim_matches(['{', '}'])).collect();
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic() || b"_-".contains(&b));
    for at in 1..pieces.len() {
        let (kind, own) = (pieces[at - 1], pieces[at]);
        if is_word(kind) && !is_masked(own) && (pieces.len() == 2 || naming::looks_like_key(own)) {
            let key = naming::key_of(&Value::from(own)).map_or(Key::Hidden, Key::Known);
            return (pieces[..at].join(":"), naming::kind_named(kind), key, pieces.get(at + 1).copied());
        }
    }
    match pieces.as_slice() {
        [kind, own, ..] if is_word(kind) && is_masked(own) => {
            ((*kind).to_owned(), naming::kind_named(kind), Key::Hidden, None)
        }
        _ => (String::new(), String::new(), Key::Hidden, None),
    }
}

/// Whether a sanitiser wrote it.
fn is_masked(word: &str) -> bool {
    word == "?" || word.contains('*') || word.starts_with('[') || word.ends_with(']')
}

fn told(word: &str) -> Option<Value> {
    (!is_masked(word)).then(|| normal_text(word.trim_matches(['"', '\''])))
}

fn plain(value: &serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::Null => Value::Empty,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64()?),
        },
        serde_json::Value::String(text) => normal_text(text),
        nested => Value::Text(nested.to_string()),
    })
}

/// Splits at spaces outside quotes and braces; `[7 other arguments]` is one word.
fn words(command: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut from, mut depth, mut quoted) = (None, 0usize, false);
    for (at, char) in command.char_indices() {
        match char {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends = char.is_whitespace() && !quoted && depth == 0;
        match (from, ends) {
            (Some(start), true) => {
                words.extend(command.get(start..at));
                from = None;
            }
            (None, false) => from = Some(at),
            _ => {}
        }
    }
    words.extend(from.and_then(|start| command.get(start..)));
    words
}

#[cfg(test)]
mod tests {
    use super::super::tests::{line, only};
    use super::*;
    use crate::testing::attributes;

    fn told_by(command: &str) -> Vec<String> {
        let attributes = attributes(&[("db.system", "redis"), ("db.statement", command)]);
        let span = Span { attributes, end: crate::testing::at(1.0), ..Span::default() };
        let mut found = Read::default();
        read(&span, &mut found);
        found.drafts.iter().map(line).collect()
    }

    #[test]
    fn commands_write_fields_of_the_thing_that_their_key_names() {
        assert_eq!(
            told_by("HSET order:42 status paid version 2"),
            ["order/42 redis/order write status=paid", "order/42 redis/order write version=2"]
        );
        assert_eq!(only(told_by("SET order:42:status paid EX 60")), "order/42 redis/order write status=paid");
        assert_eq!(
            only(told_by("SET order:42 {\"status\": \"paid\"}")),
            "order/42 redis/order write status=paid"
        );
        assert_eq!(only(told_by("HINCRBY stock:7 left -3")), "stock/7 redis/stock add left -3");
        assert_eq!(only(told_by("INCR shop:order:42:views")), "order/42 redis/shop:order add views 1");
        assert_eq!(only(told_by("SET order:42 x NX")), "order/42 redis/order write = x unknown");
        assert_eq!(only(told_by("DEL order:42")), "order/42 redis/order delete");
        assert_eq!(only(told_by("RPUSH order:42:notes late")), "order/42 redis/order append notes=late");
        assert_eq!(only(told_by("GET {order:42}")), "order/42 redis/order read");
        assert_eq!(told_by("EXPIRE order:42 60"), [] as [&str; 0]);
    }

    #[test]
    fn what_a_sanitiser_left_out_is_not_guessed() {
        assert_eq!(
            only(told_by("HSET order:42 status [7 other arguments]")),
            "order/42 redis/order write status"
        );
        assert_eq!(only(told_by("SET order:42 [1 other arguments]")), "order/42 redis/order write");
        assert_eq!(only(told_by("SET ? ?")), "/hidden redis write");
        let shifted = told_by("HSET order:42 address 12 Elm Street status paid");
        assert_eq!(only(shifted), "order/42 redis/order write", "a space in a value shifts all that follows");
    }
}
