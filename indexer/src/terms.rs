//! Which terms a name, a text or an attribute gives: the half of the index that queries must mirror.

use std::fmt::Write;

use journal::otlp::view::Value;
use timeline::token;

use crate::term::{Term, is_distinctive};

/// Longer bytes are found by their key alone.
const BYTES_MAX: usize = 128;

/// The terms of prose: its words and tokens.
pub(crate) fn of_prose(text: &str, terms: &mut Vec<Term>) {
    let mut push = |token: &str| terms.push(Term::token(token));
    token::words(text, &mut push);
    token::in_prose(text, &mut push);
}

/// The terms of a name: itself, and those of prose.
pub(crate) fn of_name(name: &str, terms: &mut Vec<Term>) {
    if !name.is_empty() {
        terms.push(Term::name(name));
        of_prose(name, terms);
    }
}

/// The terms of an attribute, nested maps flattened by dots.
pub(crate) fn of_attribute(key: &str, value: &Value<'_>, terms: &mut Vec<Term>) {
    if let Value::Map(nested) = value {
        if nested.is_empty() {
            terms.push(Term::key(key));
        }
        nested.iter().for_each(|inner| of_attribute(&format!("{key}.{}", inner.key), &inner.value, terms));
        return;
    }
    terms.push(Term::key(key));
    of_leaf(Some(key), value, terms);
}

/// The terms of a value that no key leads to: of a log's body, of maps in lists.
pub(crate) fn of_value(value: &Value<'_>, terms: &mut Vec<Term>) {
    of_leaf(None, value, terms);
}

fn of_leaf(key: Option<&str>, value: &Value<'_>, terms: &mut Vec<Term>) {
    match value {
        Value::Text(text) => {
            of_pair(key, text, terms);
            let mut push = |token: &str| terms.push(Term::token(token));
            token::words(text, &mut push);
            token::in_attribute(text, &mut push);
        }
        Value::Int(number) => {
            let mut digits = String::with_capacity(20);
            if write!(digits, "{number}").is_ok() {
                of_pair(key, &digits, terms);
            }
            token::in_integer(*number, &mut |token: &str| terms.push(Term::token(token)));
        }
        Value::Empty => of_pair(key, "", terms),
        Value::Bool(truth) => of_pair(key, if *truth { "true" } else { "false" }, terms),
        Value::Bytes(bytes) if bytes.len() > BYTES_MAX => {}
        Value::Double(_) | Value::Bytes(_) => {
            let owned = value.to_owned();
            of_pair(key, &owned.to_text(), terms);
            token::in_value(&owned, &mut |token: &str| terms.push(Term::token(token)));
        }
        Value::Array(values) => values.iter().for_each(|value| of_leaf(key, &value, terms)),
        Value::Map(nested) => nested.iter().for_each(|inner| of_leaf(None, &inner.value, terms)),
    }
}

fn of_pair(key: Option<&str>, text: &str, terms: &mut Vec<Term>) {
    if let Some(key) = key.filter(|_| !is_distinctive(text)) {
        terms.push(Term::attribute(key, text));
    }
}

/// The longest text of an attribute that is sure to have a term of its own.
pub(crate) const PAIR_BYTES_MAX: usize = 2 * BYTES_MAX;
