//! From views to records.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::Arc;

use hlc::Stamp;
use timeline::id::RecordId;
use timeline::record::{self, Body, Position, Record};

use super::view::{Event, Item, Link, Log, Request, Resource, Scope, Span};
use super::{Checked, Encoding, Malformed, Signal, check, protobuf};

/// Which items of a request are to become records.
///
/// Equal logs must all be chosen or none, or their record ids are not those of [`decode`].
pub trait Choice {
    /// The items that follow are of this resource.
    fn enter(&mut self, resource: &Resource<'_>);

    /// Whether an item may be wanted, as far as its encoding tells.
    fn may_want(&mut self, encoded: &[u8]) -> bool;

    /// Whether the item is wanted.
    fn wants(&mut self, item: &Item<'_>) -> bool;
}

/// All items.
struct Everything;

impl Choice for Everything {
    fn enter(&mut self, _: &Resource<'_>) {}

    fn may_want(&mut self, _: &[u8]) -> bool {
        true
    }

    fn wants(&mut self, _: &Item<'_>) -> bool {
        true
    }
}

/// The records of a request, in its order. `place` is the position of its first item, `refused` the
/// ordinals that were refused at intake, in order: they stay refused. What [`check`] refuses is left
/// out as well.
///
/// # Errors
/// Where [`check`] fails.
pub fn decode(
    signal: Signal,
    encoding: Encoding,
    body: &[u8],
    refused: &[u32],
    place: Position,
    arrival: Option<Stamp>,
) -> Result<Vec<Record>, Malformed> {
    let body = protobuf(signal, encoding, body)?;
    let checked = check(signal, Encoding::Protobuf, &body)?;
    let decoder = Decoder::new(kept(&checked), arrival);
    let is_kept = |ordinal| refused.binary_search(&ordinal).is_err() && !checked.refuses(ordinal);
    Ok(decoder.items(signal, &body, place, is_kept, &mut Everything))
}

/// As [`decode`], of the items that `choice` wants only, and without checking: for a body that was checked
/// at intake.
///
/// # Errors
/// Where JSON is malformed.
pub fn decode_where(
    signal: Signal,
    encoding: Encoding,
    body: &[u8],
    refused: &[u32],
    place: Position,
    arrival: Option<Stamp>,
    choice: &mut dyn Choice,
) -> Result<Vec<Record>, Malformed> {
    let body = protobuf(signal, encoding, body)?;
    let decoder = Decoder::new(0, arrival);
    Ok(decoder.items(signal, &body, place, |ordinal| refused.binary_search(&ordinal).is_err(), choice))
}

fn kept(checked: &Checked) -> usize {
    (checked.items as usize).saturating_sub(checked.refused.len())
}

struct Decoder {
    records: Vec<Record>,
    /// How often each log was seen in this request: equal lines are distinct events.
    seen: HashMap<RecordId, u32>,
    arrival: Option<Stamp>,
}

impl Decoder {
    fn new(expected: usize, arrival: Option<Stamp>) -> Decoder {
        Decoder { records: Vec::with_capacity(expected), seen: HashMap::new(), arrival }
    }

    /// The records of the items that are kept, by their ordinal, and wanted.
    fn items(
        mut self,
        signal: Signal,
        body: &[u8],
        place: Position,
        is_kept: impl Fn(u32) -> bool,
        choice: &mut dyn Choice,
    ) -> Vec<Record> {
        let mut position = place;
        for group in Request::new(signal, body).groups() {
            choice.enter(&group.resource);
            let resource = LazyCell::new(|| Arc::new(resource(&group.resource)));
            for scoped in group.scopes() {
                let scope = LazyCell::new(|| Arc::new(scope(&scoped.scope)));
                for encoded in scoped.encoded() {
                    if is_kept(position.item - place.item) && choice.may_want(encoded) {
                        let item = scoped.decode(encoded).filter(|item| choice.wants(item));
                        item.iter().for_each(|item| self.push(position, &resource, &scope, item));
                    }
                    position.item += 1;
                }
            }
        }
        self.records
    }

    fn push(
        &mut self,
        position: Position,
        resource: &Arc<record::Resource>,
        scope: &Arc<record::Scope>,
        item: &Item<'_>,
    ) {
        let make = |body, repeat| {
            Record::new(position, self.arrival, Arc::clone(resource), Arc::clone(scope), body, repeat)
        };
        let record = match item {
            Item::Span(span) => make(Body::Span(self::span(span)), 0),
            Item::Log(log) => {
                let first = make(Body::Log(self::log(log)), 0);
                let seen = self.seen.entry(first.id).or_default();
                *seen += 1;
                if *seen == 1 { first } else { make(first.body, *seen - 1) }
            }
        };
        self.records.push(record);
    }
}

/// The resource as plain data.
fn resource(resource: &Resource<'_>) -> record::Resource {
    record::Resource::new(resource.attributes.to_owned(), resource.dropped_attributes_count)
}

/// The scope as plain data.
fn scope(scope: &Scope<'_>) -> record::Scope {
    record::Scope::new(scope.name.to_string(), scope.version.to_string(), scope.attributes.to_owned())
}

fn span(span: &Span<'_>) -> record::Span {
    record::Span {
        trace_id: span.trace_id().unwrap_or_default(),
        span_id: span.span_id().unwrap_or_default(),
        parent_span_id: span.parent_span_id(),
        trace_state: span.trace_state.to_string(),
        flags: span.flags,
        name: span.name.to_string(),
        kind: span.kind,
        start: span.start,
        end: span.end,
        attributes: span.attributes.to_owned(),
        events: span.events().map(|event| span_event(&event)).collect(),
        links: span.links().map(|link| self::link(&link)).collect(),
        status: record::Status { code: span.status_code, message: span.status_message.to_string() },
        dropped: span.dropped,
    }
}

fn span_event(event: &Event<'_>) -> record::SpanEvent {
    record::SpanEvent {
        time: event.time,
        name: event.name.to_string(),
        attributes: event.attributes.to_owned(),
        dropped_attributes_count: event.dropped_attributes_count,
    }
}

/// A link whose ids are not valid keeps what else it says; its ids are all zero.
fn link(link: &Link<'_>) -> record::Link {
    record::Link {
        trace_id: link.trace_id().unwrap_or_default(),
        span_id: link.span_id().unwrap_or_default(),
        trace_state: link.trace_state.to_string(),
        attributes: link.attributes.to_owned(),
        flags: link.flags,
        dropped_attributes_count: link.dropped_attributes_count,
    }
}

fn log(log: &Log<'_>) -> record::Log {
    record::Log {
        time: log.time,
        observed: log.observed,
        severity_number: log.severity_number,
        severity_text: log.severity_text.to_string(),
        event_name: log.event_name.to_string(),
        body: log.body.to_owned(),
        attributes: log.attributes.to_owned(),
        trace_id: log.trace_id(),
        span_id: log.span_id(),
        flags: log.flags,
        dropped_attributes_count: log.dropped_attributes_count,
    }
}
