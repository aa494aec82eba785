//! A record as the public JSON shows it.

use timeline::document::{SearchEvent, SearchLink, SearchRecord};
use timeline::record::{Body, Link, Log, Record, Span, SpanEvent};
use timeline::time::Time;

use crate::predicate::severity;

/// The whole record.
pub(super) fn record(record: &Record) -> SearchRecord {
    let span = record.as_span();
    let log = record.as_log();
    let set = |time: Time| time.is_set().then_some(time);
    SearchRecord {
        record: record.id,
        position: record.position.to_string(),
        kind: if span.is_some() { "span" } else { "log" }.to_owned(),
        trace_id: record.trace_id(),
        span_id: record.span_id(),
        parent_span_id: span.and_then(|span| span.parent_span_id),
        service: record.resource.service().to_owned(),
        name: match &record.body {
            Body::Span(Span { name, .. }) | Body::Log(Log { event_name: name, .. }) => name.clone(),
        },
        body: log.map(|log| log.body.to_json()),
        span_kind: span.map(|span| span.kind),
        severity: severity(record),
        status: span.map(|span| span.status.code),
        start: span.and_then(|span| set(span.start)),
        end: span.and_then(|span| set(span.end)),
        time: record.time(),
        arrival: record.arrival,
        attributes: record.attributes().to_flat_json(),
        resource: record.resource.attributes.to_flat_json(),
        scope: record.scope.name.clone(),
        links: span.map_or(Vec::new(), |span| span.links.iter().map(link).collect()),
        events: span.map_or(Vec::new(), |span| span.events.iter().map(event).collect()),
    }
}

fn link(link: &Link) -> SearchLink {
    SearchLink { trace_id: link.trace_id, span_id: link.span_id, attributes: link.attributes.to_flat_json() }
}

fn event(event: &SpanEvent) -> SearchEvent {
    SearchEvent { time: event.time, name: event.name.clone(), attributes: event.attributes.to_flat_json() }
}
