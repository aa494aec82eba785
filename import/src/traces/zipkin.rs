//! Zipkin v2 JSON (`zipkin2-api.yaml`): a list of spans, or one span a line.
//!
//! A client's and its server's half may share one id: they stay two spans, and the client's half is the
//! parent of the server's.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use serde::Deserialize;

use super::{failed, id, kind, nanoseconds};
use crate::document;
use crate::input::Input;
use crate::request::{ImportError, Out, Source, attribute, int, text};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinSpan {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    /// Microseconds since 1970.
    timestamp: Option<u64>,
    /// Microseconds.
    duration: Option<u64>,
    #[serde(default)]
    shared: bool,
    #[serde(default)]
    debug: bool,
    local_endpoint: Option<Endpoint>,
    remote_endpoint: Option<Endpoint>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    service_name: Option<String>,
    ipv4: Option<String>,
    ipv6: Option<String>,
    port: Option<u16>,
}

#[derive(Deserialize)]
struct Annotation {
    timestamp: u64,
    value: String,
}

/// Reads every span.
pub(crate) fn read(input: &mut Input<'_>, out: &mut Out<'_>) -> Result<(), ImportError> {
    let mut number = 0;
    let fault = document::elements(input, &[], &mut |value| {
        let place = format!("[{number}]");
        number += 1;
        match ZipkinSpan::deserialize(value) {
            Ok(span) => {
                let source =
                    Source { attributes: resource(span.local_endpoint.as_ref()), scope: Default::default() };
                out.span(&source, converted(span))
            }
            Err(error) => {
                out.fault(place, format!("not a span of Zipkin: {error}"));
                Ok(())
            }
        }
    })?;
    if let Some(what) = fault {
        out.fault(format!("[{number}]"), what);
    }
    Ok(())
}

fn resource(endpoint: Option<&Endpoint>) -> Vec<KeyValue> {
    let name = endpoint.and_then(|endpoint| endpoint.service_name.as_deref()).unwrap_or_default();
    let address = endpoint.and_then(|endpoint| endpoint.ipv4.as_ref().or(endpoint.ipv6.as_ref()));
    let mut attributes = vec![attribute("service.name", text(name))];
    attributes.extend(address.map(|address| attribute("host.ip", text(address.clone()))));
    attributes
}

fn converted(from: ZipkinSpan) -> Span {
    let start = from.timestamp.unwrap_or_default();
    let end = from.duration.map(|duration| nanoseconds(start.saturating_add(duration)));
    let mut span = Span {
        trace_id: id(&from.trace_id, 16),
        span_id: id(&from.id, 8),
        parent_span_id: from.parent_id.as_deref().map(|parent| id(parent, 8)).unwrap_or_default(),
        name: from.name.unwrap_or_default(),
        kind: from.kind.as_deref().map_or(SpanKind::Internal, kind) as i32,
        start_time_unix_nano: nanoseconds(start),
        end_time_unix_nano: end.unwrap_or_default(),
        events: from.annotations.into_iter().map(event).collect(),
        ..Span::default()
    };
    span.attributes.extend(from.remote_endpoint.into_iter().flat_map(peer));
    for (key, value) in from.tags {
        if key == "error" {
            span.status = Some(failed(if value == "true" { "" } else { &value }));
        }
        span.attributes.push(attribute(key, text(value)));
    }
    let marks = [("zipkin.shared", from.shared), ("zipkin.debug", from.debug)];
    span.attributes.extend(marks.iter().filter(|(_, is)| *is).map(|(key, _)| attribute(*key, text("true"))));
    span
}

fn peer(endpoint: Endpoint) -> Vec<KeyValue> {
    let service = endpoint.service_name.map(|name| attribute("peer.service", text(name)));
    let address =
        endpoint.ipv4.or(endpoint.ipv6).map(|address| attribute("network.peer.address", text(address)));
    let port = endpoint.port.map(|port| attribute("network.peer.port", int(i64::from(port))));
    [service, address, port].into_iter().flatten().collect()
}

fn event(annotation: Annotation) -> Event {
    Event { time_unix_nano: nanoseconds(annotation.timestamp), name: annotation.value, ..Event::default() }
}
