//! Words and tokens: what a text is found by.
//!
//! A **word** is a run of letters and digits, in lower case. A **token** is a piece of a text that may
//! identify something, by its value alone: a UUID, an e-mail address, a number, a segment of a path, a
//! Redis key and its parts, what stands in quotes or behind `=`, and each piece of a short attribute.
//! Both are normalised, so that one thing has one form however it is written:
//!
//! | written                                | form                               |
//! |----------------------------------------|------------------------------------|
//! | `Jane%40Example.com`                   | `jane@example.com`                 |
//! | `4BF92F35-77B3-4DA6-A3CE-929D0E0E4736` | `4bf92f3577b34da6a3ce929d0e0e4736` |
//! | `42`, as a number or as a text         | `42`                               |
//! | `/orders/42`                           | `orders` and `42`                  |
//! | `order:42`                             | `order:42`, `order` and `42`       |
//!
//! A store indexes words and tokens; [`Sought`] says whether one record holds a value.

use std::borrow::Cow;
use std::io::Write;

use crate::record::{Body, Record};
use crate::value::{Attributes, Value};

/// What is longer, in bytes, identifies nothing: it is neither a word nor a token.
pub const TOKEN_BYTES_MAX: usize = 256;
/// Of an attribute's text up to this length, in bytes, every piece is a token; a longer one is prose.
pub const SHORT_TEXT_BYTES_MAX: usize = 128;
/// A UUID's text: 8-4-4-4-12 hexadecimal digits.
const UUID_BYTES: usize = 36;

/// Calls `found` with each word of `text`, in order. A UUID is one word.
pub fn words(text: &str, found: &mut impl FnMut(&str)) {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let length = uuid_length(rest).unwrap_or_else(|| word_length(rest));
        let (word, after) = rest.split_at(length);
        if word.is_empty() {
            return;
        }
        normal(word, found);
        rest = after;
    }
}

/// Calls `found` with each token of prose: a name, a log's text, a statement. Tokens may repeat.
pub fn in_prose(text: &str, found: &mut impl FnMut(&str)) {
    in_text(text, false, found);
}

/// Calls `found` with each token of an attribute's value, nested ones included. Tokens may repeat.
pub fn in_value(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Empty | Value::Bool(_) => {}
        Value::Text(text) => in_attribute(text, found),
        Value::Int(number) => in_integer(*number, found),
        Value::Double(_) | Value::Bytes(_) => in_text(&value.to_text(), true, found),
        Value::Array(values) => values.iter().for_each(|value| in_value(value, found)),
        Value::Map(attributes) => in_attributes(attributes, found),
    }
}

/// Calls `found` with each token of an attribute's text. Tokens may repeat.
pub fn in_attribute(text: &str, found: &mut impl FnMut(&str)) {
    in_text(text, text.len() <= SHORT_TEXT_BYTES_MAX, found);
}

/// Calls `found` with each token of an integer: its digits.
pub fn in_integer(number: i64, found: &mut impl FnMut(&str)) {
    let mut digits = [0u8; 20];
    let mut free = digits.as_mut_slice();
    if write!(free, "{}", number.unsigned_abs()).is_ok() {
        let unused = free.len();
        let used = digits.len() - unused;
        found(digits.get(..used).and_then(|used| std::str::from_utf8(used).ok()).unwrap_or_default());
    }
}

/// Calls `found` with each token of `record`: of its names, texts, attributes, resource and ids.
pub fn in_record(record: &Record, found: &mut impl FnMut(&str)) {
    in_attributes(&record.resource.attributes, found);
    in_attributes(record.attributes(), found);
    let ids = [record.trace_id().map(|id| id.to_string()), record.span_id().map(|id| id.to_string())];
    ids.iter().flatten().for_each(|id| found(id));
    match &record.body {
        Body::Span(span) => {
            in_prose(&span.name, found);
            in_prose(&span.status.message, found);
            if let Some(parent) = span.parent_span_id {
                found(&parent.to_string());
            }
            for event in &span.events {
                in_prose(&event.name, found);
                in_attributes(&event.attributes, found);
            }
            for link in &span.links {
                found(&link.trace_id.to_string());
                found(&link.span_id.to_string());
                in_attributes(&link.attributes, found);
            }
        }
        Body::Log(log) => {
            in_prose(&log.event_name, found);
            match &log.body {
                Value::Text(text) => in_prose(text, found),
                other => in_value(other, found),
            }
        }
    }
}

fn in_attributes(attributes: &Attributes, found: &mut impl FnMut(&str)) {
    attributes.iter().for_each(|(_, value)| in_value(value, found));
}

/// A value that is looked for, whatever key it stands under.
///
/// A value of several segments (`/orders/42`) is in a record that holds each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought(Vec<String>);

impl Sought {
    /// Looks for `value`.
    pub fn new(value: &str) -> Sought {
        let mut tokens = Vec::new();
        for (segment, _) in segments(&percent_decoded(value)) {
            normal(segment, &mut |token| tokens.push(token.to_owned()));
        }
        Sought(tokens)
    }

    /// The tokens that a record must hold; none where the value names nothing.
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// Whether `record` holds the value.
    pub fn is_in(&self, record: &Record) -> bool {
        self.is_among(|found| in_record(record, &mut |token: &str| found(token)))
    }

    /// Whether the value of an attribute holds it.
    pub fn is_in_value(&self, value: &Value) -> bool {
        self.is_among(|found| in_value(value, &mut |token: &str| found(token)))
    }

    /// Whether prose holds it.
    pub fn is_in_prose(&self, text: &str) -> bool {
        self.is_among(|found| in_prose(text, &mut |token: &str| found(token)))
    }

    fn is_among(&self, tokens: impl FnOnce(&mut dyn FnMut(&str))) -> bool {
        let mut missing: Vec<&str> = self.0.iter().map(String::as_str).collect();
        tokens(&mut |token| missing.retain(|sought| *sought != token));
        missing.is_empty() && !self.0.is_empty()
    }
}

fn in_text(text: &str, every_piece: bool, found: &mut impl FnMut(&str)) {
    let text = percent_decoded(text);
    for (segment, marked) in segments(&text) {
        let composed = segment.contains([':', '@']);
        let has_digit = segment.contains(char::is_numeric);
        if every_piece || marked || composed || has_digit {
            normal(segment, found);
        }
        let is_decimal = segment.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if segment.len() == word_length(segment) || is_decimal || uuid_length(segment) == Some(segment.len())
        {
            continue; // nothing smaller inside: a plain word, a decimal number, an address, a UUID
        }
        if segment.contains(':') {
            segment.split(':').for_each(|part| normal(trimmed(part), found));
        }
        words(segment, &mut |word| {
            if word.contains(char::is_numeric) {
                found(word);
            }
        });
    }
}

/// The pieces of `text` between delimiters, and whether what stands around one marks it as a value:
/// a path's slashes, quotes, `=`.
fn segments(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut before = ' ';
    text.split_inclusive(is_delimiter).filter_map(move |piece| {
        let after = piece.chars().next_back().filter(|c| is_delimiter(*c)).unwrap_or(' ');
        let marked = matches!(before, '/' | '\'' | '"' | '`' | '=') || after == '/';
        before = after;
        let segment = trimmed(piece);
        (!segment.is_empty()).then_some((segment, marked))
    })
}

fn trimmed(piece: &str) -> &str {
    piece.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_delimiter(c: char) -> bool {
    match c {
        '0'..='9' | 'a'..='z' | 'A'..='Z' => false,
        '-' | '_' | '.' | ':' | '@' | '%' | '+' => false,
        c => c.is_ascii() || c.is_whitespace() || c.is_control(),
    }
}

/// The length of the run of letters and digits that `text` begins with.
fn word_length(text: &str) -> usize {
    text.char_indices().find(|(_, c)| !c.is_alphanumeric()).map_or(text.len(), |(at, _)| at)
}

/// The length of the UUID that `text` begins with.
fn uuid_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(8) != Some(&b'-') {
        return None; // asked at every word of every text: nearly all end here
    }
    let (uuid, after) = bytes.split_at_checked(UUID_BYTES)?;
    let ends = after.first().is_none_or(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric());
    let shaped = uuid.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    (shaped && ends).then_some(UUID_BYTES)
}

/// Calls `found` with the form of a word or token: lower case, a UUID without its dashes.
fn normal(token: &str, found: &mut impl FnMut(&str)) {
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        return;
    }
    let is_uuid = token.len() == UUID_BYTES && uuid_length(token).is_some();
    if !is_uuid && !token.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        return found(token);
    }
    if !token.is_ascii() {
        return found(&token.to_lowercase());
    }
    let mut buffer = [0u8; TOKEN_BYTES_MAX];
    let mut length = 0;
    let kept = token.bytes().filter(|byte| !is_uuid || *byte != b'-');
    for (place, byte) in buffer.iter_mut().zip(kept) {
        *place = byte.to_ascii_lowercase();
        length += 1;
    }
    found(buffer.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default());
}

/// `text` with each `%` and two hexadecimal digits made the byte that they stand for; as it is where
/// that gives no UTF-8.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let encoded = |at: usize| {
        let (high, low) = digit(bytes.get(at + 1)).zip(digit(bytes.get(at + 2)))?;
        Some((high * 16 + low) as u8)
    };
    if !bytes.iter().enumerate().any(|(at, byte)| *byte == b'%' && encoded(at).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let whole = if *byte == b'%' { encoded(at) } else { None };
        decoded.push(whole.unwrap_or(*byte));
        at += if whole.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::id::{SpanId, TraceId};
    use crate::record::{Log, Position, Resource, Scope, Span};

    fn collected(emit: impl FnOnce(&mut dyn FnMut(&str))) -> Vec<String> {
        let mut all = Vec::new();
        emit(&mut |token| all.push(token.to_owned()));
        all
    }

    fn prose(text: &str) -> BTreeSet<String> {
        collected(|found| in_prose(text, &mut |token: &str| found(token))).into_iter().collect()
    }

    fn value(value: impl Into<Value>) -> BTreeSet<String> {
        collected(|found| in_value(&value.into(), &mut |token: &str| found(token))).into_iter().collect()
    }

    fn set<const N: usize>(tokens: [&str; N]) -> BTreeSet<String> {
        tokens.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_and_a_uuid_is_one() {
        let of = |text| collected(|found| words(text, &mut |word: &str| found(word)));
        assert_eq!(of("UPDATE orders SET a=42;"), ["update", "orders", "set", "a", "42"]);
        assert_eq!(of("x-4BF92F35-77B3-4DA6-A3CE-929D0E0E4736."), ["x", "4bf92f3577b34da6a3ce929d0e0e4736"]);
        assert_eq!(of("Größe ÄNDERN"), ["größe", "ändern"]);
        assert_eq!(of(" -- "), [""; 0]);
    }

    #[test]
    fn prose_gives_what_may_identify_something() {
        assert_eq!(prose("order 42 is now paid."), set(["42"]));
        assert_eq!(prose("GET /orders/Alice?x=7"), set(["orders", "alice", "7"]));
        assert_eq!(prose("mail to Jane.Doe%40Example.COM failed"), set(["jane.doe@example.com"]));
        assert_eq!(prose("GET order:42"), set(["order:42", "order", "42"]));
        assert_eq!(prose("name = 'bob'"), set(["bob"]));
        assert_eq!(prose("took 3.14 from 10.0.0.1"), set(["3.14", "10.0.0.1"]));
        assert_eq!(prose("ORD-2024-000123"), set(["ord-2024-000123", "2024", "000123"]));
        assert_eq!(
            prose("cart:4BF92F35-77B3-4DA6-A3CE-929D0E0E4736"),
            set(["cart:4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "cart", "4bf92f3577b34da6a3ce929d0e0e4736"])
        );
        assert_eq!(prose("nothing here"), set([]));
    }

    #[test]
    fn each_piece_of_a_short_attribute_is_a_token() {
        assert_eq!(value("alice"), set(["alice"]));
        assert_eq!(value("Jane Doe"), set(["jane", "doe"]));
        assert_eq!(value(42), set(["42"]));
        assert_eq!(value(i64::MIN), set(["9223372036854775808"]));
        assert_eq!(value(Value::Double(42.0)), value(42));
        assert_eq!(value(Value::Array(vec!["a".into(), Value::Int(7)])), set(["a", "7"]));
        assert_eq!(value("a ".repeat(100).as_str()), set([]), "prose");
    }

    fn log(body: &str) -> Record {
        let resource = Arc::new(Resource::new([("pod", Value::from("pod-1"))].into_iter().collect(), 0));
        let scope = Arc::new(Scope::new(String::new(), String::new(), Attributes::default()));
        let log = Log {
            body: body.into(),
            attributes: [("user", Value::from("alice"))].into_iter().collect(),
            trace_id: Some(TraceId([0xab; 16])),
            ..Log::default()
        };
        Record::new(Position::default(), None, resource, scope, Body::Log(log), 0)
    }

    #[test]
    fn a_value_is_found_however_it_is_written() {
        let record = log("paid /orders/42 of 4bf92f3577b34da6a3ce929d0e0e4736");
        let trace = "ab".repeat(16);
        for value in ["42", "/Orders/42", "ALICE", "pod-1", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", &trace] {
            assert!(Sought::new(value).is_in(&record), "{value}");
        }
        for value in ["4", "43", "/orders/43", "paid", "", "--", "bob"] {
            assert!(!Sought::new(value).is_in(&record), "{value}");
        }
    }

    #[test]
    fn a_span_is_found_by_its_parent_and_links() {
        let mut record = log("");
        record.body = Body::Span(Span {
            parent_span_id: Some(SpanId([1; 8])),
            links: vec![crate::record::Link { span_id: SpanId([2; 8]), ..Default::default() }],
            ..Span::default()
        });
        assert!(Sought::new("0101010101010101").is_in(&record));
        assert!(Sought::new("0202020202020202").is_in(&record));
    }

    /// The definition again, plainly: words by collecting characters one by one.
    fn words_plainly(text: &str) -> Vec<String> {
        let mut all = vec![String::new()];
        for c in text.chars() {
            match (c.is_alphanumeric(), all.last_mut()) {
                (true, Some(last)) => last.push(c),
                _ => all.push(String::new()),
            }
        }
        all.retain(|word| !word.is_empty());
        all.iter().map(|word| word.to_lowercase()).collect()
    }

    proptest! {
        #[test]
        fn words_are_what_they_are_said_to_be(text in "[ -~äÖß-]{0,80}") {
            prop_assert_eq!(collected(|found| words(&text, &mut |word: &str| found(word))), words_plainly(&text));
        }

        #[test]
        fn no_text_makes_it_fail(text in any::<String>()) {
            for token in prose(&text).into_iter().chain(value(text.as_str())) {
                prop_assert!(!token.is_empty());
            }
            Sought::new(&text);
        }

        #[test]
        fn an_attribute_is_found_by_its_own_text(text in "[a-zA-Z0-9:/@ .%_-]{1,40}") {
            let sought = Sought::new(&text);
            prop_assert_eq!(sought.is_in_value(&text.as_str().into()), !sought.tokens().is_empty());
        }

        #[test]
        fn tokens_are_in_their_normal_form(text in "[a-zA-Z0-9:/@ ._-]{0,60}") {
            for token in prose(&text) {
                let sought = Sought::new(&token);
                prop_assert_eq!(sought.tokens(), std::slice::from_ref(&token));
            }
        }

        #[test]
        fn case_and_percent_encoding_mean_nothing(text in "[a-z0-9@:/ -]{0,40}") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(prose(&text), prose(&encoded));
            prop_assert_eq!(prose(&text), prose(&text.to_uppercase()));
        }

        #[test]
        fn numbers_are_found_in_texts_and_as_numbers(number: i64) {
            let sought = Sought::new(&number.to_string());
            prop_assert!(sought.is_in_value(&Value::Int(number)));
            for text in [format!("order {number} paid"), format!("/orders/{number}/items")] {
                prop_assert!(sought.is_in_prose(&text), "{}", text);
            }
        }
    }
}
