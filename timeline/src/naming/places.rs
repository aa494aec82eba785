//! Which parts of a record are read for names.

use super::form::{kind_of, kind_of_plural, looks_like_key, snake};
use super::{How, Names, sql, text};
use crate::record::{Body, Record};
use crate::value::{Attributes, Value};

/// Reads every place of a record that can name an entity.
pub(super) fn read(record: &Record, found: &mut Names) {
    read_attributes(record.attributes(), "", found);
    match &record.body {
        Body::Span(span) => {
            for event in &span.events {
                read_attributes(&event.attributes, &format!("event:{}:", event.name), found);
            }
            read_span_name(&span.name, &span.attributes, found);
        }
        Body::Log(log) => match &log.body {
            Value::Text(line) => text::read(line, "body", found),
            Value::Map(fields) => {
                read_attributes(fields, "body.", found);
                if let Some(line) = fields.get_any(&["message", "msg"]).and_then(Value::as_str) {
                    text::read(line, "body", found);
                }
            }
            _ => {}
        },
    }
}

fn read_attributes(attributes: &Attributes, prefix: &str, found: &mut Names) {
    if attributes.is_empty() {
        return;
    }
    read_named_after_a_type(attributes, prefix, found);
    read_explicit(attributes, prefix, found);
    read_url(attributes, prefix, found);
    read_store(attributes, prefix, found);
    read_message(attributes, prefix, found);
}

fn read_named_after_a_type(attributes: &Attributes, prefix: &str, found: &mut Names) {
    for (name, value) in attributes.iter() {
        let place = || format!("{prefix}{name}");
        if name == "enduser.id" {
            found.add("user", value, How::Attribute, &place());
        } else if let Value::Map(nested) = value {
            if name != "entity.id" {
                read_named_after_a_type(nested, &format!("{prefix}{name}."), found);
                read_nested_id(name, nested, &place(), found);
            }
        } else if let Some(kind) = kind_of(name) {
            found.add(&kind, value, How::Attribute, &place());
        }
    }
}

/// `order: {id: 42}` means what `order.id: 42` means.
fn read_nested_id(name: &str, nested: &Attributes, place: &str, found: &mut Names) {
    if let (Some(kind), Some(id)) = (kind_of(&format!("{name}.id")), nested.get("id")) {
        found.add(&kind, id, How::Attribute, &format!("{place}.id"));
    }
}

fn read_explicit(attributes: &Attributes, prefix: &str, found: &mut Names) {
    for (kind, key) in [("backstory.entity.type", "backstory.entity.key"), ("entity.type", "entity.id")] {
        if let (Some(kind), Some(value)) = (attributes.get(kind), attributes.get(key)) {
            found.add(&snake(&kind.to_text()), value, How::Explicit, &format!("{prefix}{key}"));
        }
    }
}

const PATHS: &[&str] = &["url.path", "http.target", "url.full", "http.url"];

fn read_url(attributes: &Attributes, prefix: &str, found: &mut Names) {
    let Some(name) = PATHS.iter().find(|name| attributes.get(name).is_some()) else { return };
    let Some(url) = attributes.get(name).and_then(Value::as_str) else { return };
    let place = format!("{prefix}{name}");
    let route = attributes.get_any(&["http.route", "url.template"]).and_then(Value::as_str);
    match route {
        Some(route) if read_route(route, path_of(url), &place, found) => {}
        _ => read_path(path_of(url), &place, found),
    }
}

/// A raw client's span may say its path in its name only: `POST /orders/42/pay`.
fn read_span_name(name: &str, attributes: &Attributes, found: &mut Names) {
    if PATHS.iter().any(|path| attributes.get(path).is_some()) {
        return;
    }
    if let Some((method, path)) = name.split_once(' ')
        && method.bytes().all(|b| b.is_ascii_uppercase())
        && path.starts_with('/')
    {
        read_path(path_of(path), "name", found);
    }
}

/// The path of a URL or of a request target, without query and fragment.
fn path_of(url: &str) -> &str {
    let past_host = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    past_host.split(['?', '#']).next().unwrap_or("")
}

/// The parameters of a route against the path that it matched. False where the two don't align.
fn read_route(route: &str, path: &str, place: &str, found: &mut Names) -> bool {
    let template: Vec<&str> = segments(route).collect();
    let actual: Vec<&str> = segments(path).collect();
    // A mounted router's route is the tail of the path.
    let Some(skipped) = actual.len().checked_sub(template.len()) else { return false };
    let aligned = template.iter().zip(&actual[skipped..]);
    if !aligned.clone().all(|(part, segment)| parameter(part).is_some() || part == segment) {
        return false;
    }
    let mut literal = skipped.checked_sub(1).and_then(|at| actual.get(at)).copied();
    for (part, segment) in aligned {
        match parameter(part) {
            None => literal = Some(part),
            Some(name) => {
                let kind = kind_of(name).or_else(|| literal.map(kind_of_plural));
                found.add_text(&kind.unwrap_or_default(), &decoded(segment), How::Route, place);
            }
        }
    }
    true
}

/// The thing that a path ends in.
pub(crate) struct PathThing {
    pub(crate) kind: String,
    pub(crate) key: String,
    /// The words after the key: `status` of `/orders/42/status`.
    pub(crate) tail: Vec<String>,
}

/// The last thing that the path of a request names, by its route where there is one.
pub(crate) fn last_of_path(attributes: &Attributes) -> Option<PathThing> {
    let url = attributes.get_any(PATHS)?.as_str()?;
    let actual: Vec<&str> = segments(path_of(url)).collect();
    let route = attributes.get_any(&["http.route", "url.template"]).and_then(Value::as_str);
    let template: Vec<&str> = route.map(|route| segments(route).collect()).unwrap_or_default();
    let skipped = actual.len().checked_sub(template.len()).filter(|_| !template.is_empty());
    let place = match skipped {
        Some(skipped) => skipped + template.iter().rposition(|part| parameter(part).is_some())?,
        None => actual.iter().rposition(|segment| looks_like_key(segment))?,
    };
    let named = skipped.and_then(|skipped| template.get(place - skipped)).and_then(|part| parameter(part));
    let kind = named.and_then(kind_of).or_else(|| {
        let before = place.checked_sub(1).and_then(|at| actual.get(at))?;
        before
            .bytes()
            .all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'_')
            .then(|| kind_of_plural(before))
    })?;
    let key = super::form::key_of_text(&decoded(actual.get(place)?))?;
    let tail = actual.get(place + 1..).unwrap_or_default().iter().map(|segment| decoded(segment)).collect();
    Some(PathThing { kind, key, tail })
}

/// The name of a route's parameter: of `:id`, `{orderId}`, `<int:id>`.
fn parameter(part: &str) -> Option<&str> {
    let inner = part
        .strip_prefix(':')
        .or_else(|| part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')))
        .or_else(|| part.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')))?;
    let inner = inner.rsplit_once(':').map_or(inner, |(left, right)| {
        if part.starts_with('<') { right } else { left } // Flask puts the type first, others a pattern last
    });
    Some(inner.trim_end_matches(['?', '*', '+']))
}

/// Without a route: a segment that looks like a key has the type of the word before it.
fn read_path(path: &str, place: &str, found: &mut Names) {
    let mut before = None;
    for segment in segments(path) {
        let segment = decoded(segment);
        if looks_like_key(&segment) {
            if let Some(kind) = before.take() {
                found.add_text(&kind_of_plural(kind), &segment, How::Path, place);
            }
        } else {
            before = word(path, &segment);
        }
    }
}

/// The slice of `path` that is this word; `None` where it is no word.
fn word<'a>(path: &'a str, segment: &str) -> Option<&'a str> {
    let is_word = segment.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'_');
    let common = ["api", "v", "rest", "public", "internal"].contains(&segment);
    if !is_word || common {
        return None;
    }
    path.find(segment).map(|at| &path[at..at + segment.len()])
}

fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// A path segment with its percent-encoding undone; as it stands where that gives no text.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = (first == b'%').then(|| tail.get(..2)).flatten();
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| segment.to_owned())
}

fn read_store(attributes: &Attributes, prefix: &str, found: &mut Names) {
    let (name, statement) = match ["db.query.text", "db.statement"]
        .into_iter()
        .find_map(|name| Some((name, attributes.get(name)?.as_str()?)))
    {
        Some(found) => found,
        None => return,
    };
    let system = attributes.get_any(&["db.system.name", "db.system"]).and_then(Value::as_str);
    let place = format!("{prefix}{name}");
    match system {
        Some("redis" | "valkey") => read_redis(statement, &place, found),
        _ => sql::read(statement, attributes, &place, found),
    }
}

/// The keys of a Redis command: its first argument, or all of a command that takes only keys.
fn read_redis(statement: &str, place: &str, found: &mut Names) {
    for command in statement.lines() {
        let mut words = command.split_ascii_whitespace();
        let Some(verb) = words.next() else { continue };
        let many = ["DEL", "UNLINK", "MGET", "EXISTS", "TOUCH", "WATCH"]
            .iter()
            .any(|only_keys| verb.eq_ignore_ascii_case(only_keys));
        for key in words.take(if many { usize::MAX } else { 1 }) {
            read_composed_key(key, How::Redis, place, found);
        }
    }
}

/// `order:42`, `shop:order:42:lines`, `{order:42}`: a word, then its key.
fn read_composed_key(key: &str, how: How, place: &str, found: &mut Names) {
    let parts: Vec<&str> = key.trim_matches(['{', '}', '"', '\'']).split([':', '/']).collect();
    let pair = parts.len() == 2;
    for window in parts.windows(2) {
        let [kind, key] = window else { continue };
        let word = kind.bytes().all(|b| b.is_ascii_alphabetic() || b"_-".contains(&b));
        let masked = key.contains(['?', '*']);
        if word && !kind.is_empty() && !masked && (pair || looks_like_key(key)) {
            found.add_text(&kind_of_plural(kind), key, how, place);
        }
    }
}

const MESSAGE_KEYS: &[&str] = &[
    "messaging.kafka.message.key",
    "messaging.kafka.message_key",
    "messaging.gcp_pubsub.message.ordering_key",
    "messaging.rocketmq.message.group",
];

/// A message's key has the type of its destination (`orders`, `order-events`), unless it says its own.
pub(super) fn read_message(attributes: &Attributes, prefix: &str, found: &mut Names) {
    for name in MESSAGE_KEYS {
        let Some(value) = attributes.get(name) else { continue };
        let place = format!("{prefix}{name}");
        let text = value.to_text();
        if text.contains([':', '/']) {
            read_composed_key(&text, How::Message, &place, found);
        } else if let Some(destination) =
            attributes.get_any(&["messaging.destination.name", "messaging.destination"])
        {
            let topic = destination.to_text();
            let first = topic.split(['.', '-', '_', '/']).next().unwrap_or("");
            found.add(&kind_of_plural(first), value, How::Message, &place);
        }
    }
    if let Some(subject) = attributes.get("cloudevents.event_subject") {
        let place = format!("{prefix}cloudevents.event_subject");
        read_composed_key(&subject.to_text(), How::Message, &place, found);
    }
}
