//! The places of a record in which something can stand: the one walk that searches and `find` share.

use std::borrow::Cow;

use timeline::record::{Body, Record};
use timeline::value::{Attributes, Value};

/// Where in a record something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// The span's name, or a log event's.
    Name,
    /// The name of one of the span's events.
    EventName,
    /// The log's body, at this dotted path where it is a map; the path is empty where it is not.
    Body(&'a str),
    /// The word on the span's status.
    StatusMessage,
    /// An attribute of the record's own, by its flat key.
    Attribute(&'a str),
    /// An attribute of one of the span's events: the event's name, and the flat key.
    EventAttribute(&'a str, &'a str),
    /// An attribute of one of the span's links, by its flat key.
    LinkAttribute(&'a str),
    /// An attribute of the resource, by its flat key.
    Resource(&'a str),
}

/// What stands there.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A field's text; never empty.
    Text(&'a str),
    /// An attribute's value; never a map with something in it.
    Value(&'a Value),
}

/// Calls `visit` with every place of `record` that holds something, until it returns true; says whether it did.
/// Nested maps are walked into, their keys joined by dots; lists are one place.
pub fn any_place(record: &Record, mut visit: impl FnMut(Place<'_>, Content<'_>) -> bool) -> bool {
    let visit = &mut visit;
    let text = |place, text: &str, visit: &mut dyn FnMut(Place<'_>, Content<'_>) -> bool| {
        !text.is_empty() && visit(place, Content::Text(text))
    };
    let own = match &record.body {
        Body::Span(span) => {
            text(Place::Name, &span.name, visit)
                || text(Place::StatusMessage, &span.status.message, visit)
                || span.events.iter().any(|event| {
                    text(Place::EventName, &event.name, visit)
                        || any_leaf(&event.attributes, "", &mut |key, value| {
                            visit(Place::EventAttribute(&event.name, key), Content::Value(value))
                        })
                })
                || span.links.iter().any(|link| {
                    any_leaf(&link.attributes, "", &mut |key, value| {
                        visit(Place::LinkAttribute(key), Content::Value(value))
                    })
                })
        }
        Body::Log(log) => {
            text(Place::Name, &log.event_name, visit)
                || match &log.body {
                    Value::Empty => false,
                    Value::Text(body) => text(Place::Body(""), body, visit),
                    Value::Map(body) => {
                        any_leaf(body, "", &mut |key, value| visit(Place::Body(key), Content::Value(value)))
                    }
                    body => visit(Place::Body(""), Content::Value(body)),
                }
        }
    };
    own || any_leaf(record.attributes(), "", &mut |key, value| {
        visit(Place::Attribute(key), Content::Value(value))
    }) || any_leaf(&record.resource.attributes, "", &mut |key, value| {
        visit(Place::Resource(key), Content::Value(value))
    })
}

/// The lists of attributes that an attribute is looked up in: the record's own, its events', its links' and its resource's.
pub(crate) fn attribute_lists(record: &Record) -> impl Iterator<Item = &Attributes> {
    let (events, links) = match record.as_span() {
        Some(span) => (span.events.as_slice(), span.links.as_slice()),
        None => (&[][..], &[][..]),
    };
    std::iter::once(record.attributes())
        .chain(events.iter().map(|event| &event.attributes))
        .chain(links.iter().map(|link| &link.attributes))
        .chain(std::iter::once(&record.resource.attributes))
}

/// Whether `test` holds for a value that stands under the flat key `key`.
pub(crate) fn any_under(attributes: &Attributes, key: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    attributes.iter().any(|(own, value)| match (key.strip_prefix(own), value) {
        (Some(""), Value::Map(nested)) => nested.is_empty() && test(value),
        (Some(""), value) => test(value),
        (Some(rest), Value::Map(nested)) => {
            rest.strip_prefix('.').is_some_and(|rest| any_under(nested, rest, test))
        }
        _ => false,
    })
}

/// Whether `test` holds for a value, with its flat key: `prefix` and its own.
fn any_leaf(attributes: &Attributes, prefix: &str, test: &mut dyn FnMut(&str, &Value) -> bool) -> bool {
    attributes.iter().any(|(key, value)| {
        let key = if prefix.is_empty() { Cow::Borrowed(key) } else { Cow::Owned(format!("{prefix}{key}")) };
        match value {
            Value::Map(nested) if !nested.is_empty() => any_leaf(nested, &format!("{key}."), test),
            value => test(&key, value),
        }
    })
}
