//! The values of a statement's parameters, where instrumentation recorded them: `db.query.parameter.<key>`, by name
//! or by number from 0, and the old `db.statement.parameters`, a list or map as JSON or as Python prints it.

use std::collections::HashMap;

use crate::state::reading::draft::{normal, normal_text};
use crate::value::{Attributes, Value};

const PREFIX: &str = "db.query.parameter.";

/// Recorded parameters by name, or by number from 0.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    values: HashMap<String, Value>,
}

impl Parameters {
    /// Those that `attributes` hold.
    pub(super) fn of(attributes: &Attributes) -> Parameters {
        let mut values = HashMap::new();
        match attributes.get("db.statement.parameters") {
            Some(Value::Text(text)) => values.extend(printed(text)),
            Some(Value::Array(list)) => {
                values.extend(
                    (0..).zip(list).map(|(at, value): (usize, _)| (at.to_string(), normal(value.clone()))),
                );
            }
            Some(Value::Map(map)) => {
                values.extend(map.iter().map(|(name, value)| (name.to_owned(), normal(value.clone()))));
            }
            _ => {}
        }
        for (name, value) in attributes.iter() {
            if let Some(key) = name.strip_prefix(PREFIX) {
                values.insert(key.to_owned(), normal(value.clone()));
            }
        }
        Parameters { values }
    }

    /// The parameter of this name or number.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }
}

/// A list or map of plain values, as JSON or Python print it. What is nested is one value.
fn printed(text: &str) -> Vec<(String, Value)> {
    let text = text.trim();
    let Some(inner) = text.get(1..text.len().saturating_sub(1)).filter(|_| text.starts_with(['(', '[', '{']))
    else {
        return Vec::new();
    };
    let items = split(inner, ',').into_iter().filter(|item| !item.trim().is_empty());
    let mut pairs = Vec::new();
    for (at, item) in items.enumerate() {
        let halves = if text.starts_with('{') { split(item, ':') } else { vec![item] };
        match halves.as_slice() {
            [value] => pairs.push((at.to_string(), plain(value))),
            [name, rest @ ..] => {
                let value = rest.join(":");
                pairs.push((plain(name).to_text().into_owned(), plain(&value)));
            }
            [] => {}
        }
    }
    pairs
}

/// Splits outside quotes and brackets.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0usize);
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (place, char) in text.char_indices() {
        match (quote, char) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if char == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(char),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) if char == at && depth == 0 => {
                parts.extend(text.get(from..place));
                from = place + char.len_utf8();
            }
            (None, _) => {}
        }
    }
    parts.extend(text.get(from..));
    parts
}

fn plain(text: &str) -> Value {
    let text = text.trim();
    let inner = ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    match (inner, text) {
        (Some(inner), _) => normal_text(inner),
        (None, "None" | "null" | "NULL") => Value::Empty,
        (None, "True" | "true") => Value::Bool(true),
        (None, "False" | "false") => Value::Bool(false),
        (None, text) => match text.parse() {
            Ok(number) => Value::Int(number),
            Err(_) => text.parse().map(Value::Double).unwrap_or_else(|_| Value::from(text)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_maps_as_json_and_as_python_print_them() {
        let pair = |key: &str, value: Value| (key.to_owned(), value);
        let list = [pair("0", 42.into()), pair("1", "it, is".into()), pair("2", Value::Empty)];
        assert_eq!(printed("(42, 'it, is', None)"), list);
        assert_eq!(printed("[\"42\", \"it, is\", null]"), list);
        assert_eq!(printed("{'id': 42, 'at': '10:30'}"), [pair("id", 42.into()), pair("at", "10:30".into())]);
        assert_eq!(printed("(42,)"), [pair("0", 42.into())]);
        assert_eq!(printed("42"), []);
    }
}
