//! How types and keys are written.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::value::{Attributes, Value};

/// Longer texts are no keys: nobody asks for them, and statements and bodies are not identifiers.
const KEY_BYTES_MAX: usize = 256;

/// First segments of attribute names that the semantic conventions own: an `.id` below them names
/// the telemetry or the platform, not a thing of the business.
const RESERVED: &[&str] = &[
    "android",
    "artifact",
    "aws",
    "azure",
    "browser",
    "cassandra",
    "cicd",
    "client",
    "cloud",
    "cloudevents",
    "cloudfoundry",
    "code",
    "container",
    "cpu",
    "db",
    "deployment",
    "destination",
    "device",
    "dns",
    "elasticsearch",
    "error",
    "event",
    "exception",
    "faas",
    "feature_flag",
    "file",
    "gcp",
    "gen_ai",
    "geo",
    "graphql",
    "heroku",
    "host",
    "http",
    "hw",
    "instrumentation",
    "ios",
    "jvm",
    "k8s",
    "linux",
    "log",
    "messaging",
    "net",
    "network",
    "nodejs",
    "oci",
    "opentracing",
    "os",
    "otel",
    "peer",
    "pool",
    "process",
    "profile",
    "rpc",
    "server",
    "service",
    "signalr",
    "source",
    "span",
    "spring",
    "system",
    "telemetry",
    "test",
    "thread",
    "tls",
    "trace",
    "url",
    "user_agent",
    "vcs",
    "webengine",
    "worker",
    "backstory",
    "entity",
    "hlc",
];

/// Types that names like `trace_id`, `request_id` would make: identifiers of telemetry, not of things.
const NO_KINDS: &[&str] = &[
    "trace",
    "span",
    "parent",
    "parent_span",
    "thread",
    "process",
    "correlation",
    "request",
    "message",
    "event",
    "instance",
    "service_instance",
    "session",
    "connection",
    "client",
    "consumer",
    "worker",
    "otel_trace",
    "otel_span",
    "x_request",
    "idempotency",
    "primary",
    "foreign",
    "api",
    "cache",
    "conversation",
    "batch",
    "task",
    "log",
    "delivery",
];

/// The entity type that an attribute's or column's name speaks of: `order` for `order_id`, `orderId`,
/// `order.id` and `app.OrderID`; `None` where it names no thing, or only the telemetry's own.
pub fn kind_of(name: &str) -> Option<String> {
    let (path, last) = name.rsplit_once('.').map_or(("", name), |(path, last)| (path, last));
    if is_reserved(name) {
        return None;
    }
    let snake = snake(last);
    let stem = match snake.as_str() {
        "id" | "key" | "uuid" => snake_of_last(path),
        _ => ["_id", "_key", "_uuid"].iter().find_map(|end| snake.strip_suffix(end)).map(str::to_owned)?,
    };
    let kind = singular(&stem);
    (!kind.is_empty() && !NO_KINDS.contains(&kind.as_ref())).then(|| kind.into_owned())
}

/// Whether the semantic conventions own an attribute's name by its first segment: `http.route`.
pub fn is_reserved(name: &str) -> bool {
    name.split_once('.').is_some_and(|(first, _)| RESERVED.contains(&first))
}

/// The entity type that a table's, route's or topic's name stands for: `order` for `Orders`.
pub(super) fn kind_of_plural(name: &str) -> String {
    singular(&snake(name)).into_owned()
}

fn snake_of_last(path: &str) -> String {
    snake(path.rsplit('.').next().unwrap_or(path))
}

/// `OrderLine` and `order-line` as `order_line`; an acronym stays one word: `orderID` is `order_id`.
pub fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    let mut chars = name.chars().peekable();
    let mut before: Option<char> = None;
    while let Some(char) = chars.next() {
        if !char.is_alphanumeric() {
            push_break(&mut snake);
        } else {
            let after_lower = before.is_some_and(|b| b.is_lowercase() || b.is_numeric());
            let ends_acronym = before.is_some_and(char::is_uppercase)
                && chars.peek().is_some_and(|next| next.is_lowercase());
            if char.is_uppercase() && (after_lower || ends_acronym) {
                push_break(&mut snake);
            }
            snake.extend(char.to_lowercase());
        }
        before = Some(char);
    }
    snake.trim_end_matches('_').to_owned()
}

fn push_break(snake: &mut String) {
    if !snake.is_empty() && !snake.ends_with('_') {
        snake.push('_');
    }
}

/// The singular of an English plural by its ending; other words stay.
pub(super) fn singular(word: &str) -> Cow<'_, str> {
    let unchanged = ["ss", "us", "is", "news", "series", "species"];
    if word.len() < 4 || unchanged.iter().any(|end| word.ends_with(end)) {
        return Cow::Borrowed(word);
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return Cow::Owned(format!("{stem}y"));
    }
    let sibilant = ["sses", "xes", "ches", "shes", "zes", "uses"];
    if sibilant.iter().any(|end| word.ends_with(end)) {
        return Cow::Borrowed(&word[..word.len() - 2]);
    }
    Cow::Borrowed(word.strip_suffix('s').unwrap_or(word))
}

/// The key that an attribute's value is: integers in decimal, UUIDs in lower case, a map's pairs as
/// `a=1,b=2` by name; `None` for what identifies nothing.
pub fn key_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => key_of_text(text),
        Value::Int(number) => Some(number.to_string()),
        Value::Map(parts) => composite(parts),
        _ => None,
    }
}

fn composite(parts: &Attributes) -> Option<String> {
    let mut values = parts.iter();
    if let (1, Some((_, only))) = (parts.len(), values.next()) {
        return key_of(only);
    }
    let pairs: Option<Vec<String>> =
        parts.iter().map(|(name, value)| Some(format!("{name}={}", key_of(value)?))).collect();
    pairs.filter(|pairs| !pairs.is_empty()).map(|pairs| pairs.join(","))
}

/// The key that a text is: `/`, `%` and control characters percent-encoded, a UUID in lower case.
pub(super) fn key_of_text(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > KEY_BYTES_MAX {
        return None;
    }
    if is_uuid(text) {
        return Some(text.to_ascii_lowercase());
    }
    let mut key = String::with_capacity(text.len());
    for char in text.chars() {
        if char == '/' || char == '%' || char.is_control() {
            let mut bytes = [0; 4];
            for byte in char.encode_utf8(&mut bytes).bytes() {
                let _ = write!(key, "%{byte:02X}"); // writing to a String cannot fail
            }
        } else {
            key.push(char);
        }
    }
    Some(key)
}

/// Whether a text looks like an identifier by itself: a number, a UUID, or a token with a digit in it
/// that no word has (`ord-17a`, `01J9ZK…`).
pub(crate) fn looks_like_key(text: &str) -> bool {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let version = text.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    plain && digits > 0 && !version && (digits == text.len() || is_uuid(text) || text.len() >= 4)
}

/// Whether `text` is a UUID in its usual form, in either case.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
