//! A type followed by its key in a line of text: `order 42`, `order #42`, `order_id=42`, `Order(42)`.

use super::form::{kind_of, looks_like_key, singular, snake};
use super::{How, Names};

/// Words that stand before numbers without being the type of a thing: measures, counts, positions.
const NO_KINDS: &[&str] = &[
    "a",
    "about",
    "after",
    "all",
    "an",
    "and",
    "approximately",
    "are",
    "at",
    "attempt",
    "before",
    "between",
    "by",
    "byte",
    "code",
    "count",
    "duration",
    "elapsed",
    "error",
    "every",
    "exit",
    "for",
    "from",
    "had",
    "has",
    "http",
    "id",
    "in",
    "is",
    "item",
    "its",
    "last",
    "least",
    "length",
    "level",
    "limit",
    "line",
    "listening",
    "max",
    "min",
    "more",
    "most",
    "ms",
    "near",
    "next",
    "no",
    "number",
    "of",
    "offset",
    "on",
    "only",
    "or",
    "over",
    "page",
    "partition",
    "per",
    "pid",
    "port",
    "position",
    "quantity",
    "qty",
    "rank",
    "rate",
    "received",
    "response",
    "retry",
    "returned",
    "row",
    "second",
    "sent",
    "seq",
    "size",
    "sku",
    "status",
    "step",
    "stock",
    "than",
    "the",
    "then",
    "thread",
    "time",
    "timeout",
    "to",
    "took",
    "total",
    "under",
    "until",
    "up",
    "version",
    "was",
    "were",
    "with",
    "within",
    "amount",
    "price",
    "value",
    "now",
    "left",
    "remaining",
    "trace",
    "span",
    "message",
    "request",
];

/// Adds every pair of a word and the key that follows it.
pub(super) fn read(line: &str, place: &str, found: &mut Names) {
    let mut before: Option<&str> = None;
    for token in line.split(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))) {
        let token = token.trim_matches(['.', '-', '_']);
        if token.is_empty() {
            continue;
        }
        match before {
            Some(word) if looks_like_key(token) => {
                if let Some(kind) = kind_of_word(word) {
                    found.add_text(&kind, token, How::Text, place);
                }
                before = None;
            }
            // "order id 42" and "order number 42" speak of the order.
            Some(_) if ["id", "no", "number", "nr"].contains(&token.to_ascii_lowercase().as_str()) => {}
            _ => before = Some(token),
        }
    }
}

fn kind_of_word(word: &str) -> Option<String> {
    if let Some(kind) = kind_of(word) {
        return Some(kind);
    }
    let is_word = word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let snake = snake(word);
    let kind = singular(&snake);
    (is_word && kind.len() > 1 && !NO_KINDS.contains(&kind.as_ref()) && !NO_KINDS.contains(&snake.as_str()))
        .then(|| kind.into_owned())
}
