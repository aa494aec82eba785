//! OTLP: protobuf, JSON, the Collector's files.

use std::io::Read;

use journal::otlp::{self, Encoding, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message;
use timeline::record::ADDED_BY_EXPORT;

use crate::document;
use crate::input::{Input, PIECE_BYTES_MAX, Piece};
use crate::request::{ImportError, Out};

/// A larger request is parted before it is handed on.
const REQUEST_BYTES_MAX: usize = 16 << 20;
/// Into parts of so many items.
const ITEMS_A_PART: usize = 8_192;

/// The whole file is one request.
pub(crate) fn protobuf(input: &mut Input<'_>, out: &mut Out<'_>) -> Result<(), ImportError> {
    match input.rest()? {
        Piece::Whole(body) => request(&body, "the file", out),
        Piece::TooLong | Piece::Torn => {
            out.fault("the file", too_long("a request"));
            Ok(())
        }
    }
}

/// Each frame is a request, perhaps compressed, in protobuf or in JSON.
pub(crate) fn frames(input: &mut Input<'_>, out: &mut Out<'_>) -> Result<(), ImportError> {
    loop {
        let place = format!("byte {}", input.offset());
        match input.next_frame()? {
            None => return Ok(()),
            Some(Piece::Torn) => {
                out.fault(place, "the file ends within a frame");
                return Ok(());
            }
            Some(Piece::TooLong) => out.fault(place, too_long("a frame")),
            Some(Piece::Whole(frame)) => match inflated(frame) {
                Ok(frame) => request(&frame, &place, out)?,
                Err(what) => out.fault(place, what),
            },
        }
    }
}

/// A request a line; or the file is one document over many lines.
pub(crate) fn json(input: &mut Input<'_>, out: &mut Out<'_>) -> Result<(), ImportError> {
    if !is_one_a_line(input.beginning()?) {
        let mut number = 0;
        let fault = document::elements(input, &[], &mut |value| {
            number += 1;
            request(value.to_string().as_bytes(), &format!("document {number}"), out)
        })?;
        if let Some(what) = fault {
            out.fault(format!("document {}", number + 1), what);
        }
        return Ok(());
    }
    while let Some(piece) = input.next_line()? {
        let place = format!("line {}", input.line());
        match piece {
            Piece::Whole(line) if line.trim_ascii().is_empty() => {}
            Piece::Whole(line) => request(&line, &place, out)?,
            Piece::TooLong | Piece::Torn => out.fault(place, too_long("a line")),
        }
    }
    Ok(())
}

/// Whether the first line is whole by itself: ends in a brace, and a second one begins with one.
fn is_one_a_line(beginning: &[u8]) -> bool {
    let mut lines =
        beginning.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        Some(second) => first.ends_with(b"}") && second.starts_with(b"{"),
        None => true,
    }
}

pub(crate) fn too_long(what: &str) -> String {
    format!("{what} is longer than {} MiB", PIECE_BYTES_MAX >> 20)
}

/// Undoes a frame's own zstd compression.
fn inflated(frame: Vec<u8>) -> Result<Vec<u8>, String> {
    if !frame.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Ok(frame);
    }
    let mut inflated = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(&frame[..]).map_err(|error| error.to_string())?;
    let read = decoder.take(PIECE_BYTES_MAX as u64 + 1).read_to_end(&mut inflated);
    read.map_err(|error| format!("its compression is broken: {error}"))?;
    if inflated.len() > PIECE_BYTES_MAX { Err(too_long("a frame, inflated,")) } else { Ok(inflated) }
}

/// One request in either encoding, of either signal.
fn request(body: &[u8], place: &str, out: &mut Out<'_>) -> Result<(), ImportError> {
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let encoding = if start.starts_with(b"{") { Encoding::Json } else { Encoding::Protobuf };
    let signals = match encoding {
        Encoding::Json => json_signals(body),
        Encoding::Protobuf => vec![protobuf_signal(body)],
    };
    if signals.is_empty() && holds(body, &["resourceMetrics", "resource_metrics"]) {
        out.metrics();
        return Ok(());
    }
    if signals.is_empty() {
        out.fault(place, "neither resourceSpans nor resourceLogs stand in it");
        return Ok(());
    }
    let marked = memchr::memmem::find(body, ADDED_BY_EXPORT.as_bytes()).is_some();
    for signal in signals {
        if marked && let Some(bare) = without_what_export_added(signal, encoding, body) {
            out.request(signal, Encoding::Protobuf, bare, place)?;
            continue;
        }
        if body.len() <= REQUEST_BYTES_MAX {
            out.request(signal, encoding, body.to_vec(), place)?;
            continue;
        }
        match otlp::protobuf(signal, encoding, body) {
            Ok(body) => parted(signal, body.into_owned(), place, out)?,
            Err(malformed) => out.fault(place, malformed.to_string()),
        }
    }
    Ok(())
}

/// The request without the attributes that an export adds beside a record's own: what comes in again is the same record.
/// `None` where it can't be decoded: the check tells why.
fn without_what_export_added(signal: Signal, encoding: Encoding, body: &[u8]) -> Option<Vec<u8>> {
    let own = |attribute: &KeyValue| !attribute.key.starts_with(ADDED_BY_EXPORT);
    let body = otlp::protobuf(signal, encoding, body).ok()?;
    match signal {
        Signal::Traces => {
            let mut request = ExportTraceServiceRequest::decode(&*body).ok()?;
            let scopes = request.resource_spans.iter_mut().flat_map(|group| &mut group.scope_spans);
            scopes.flat_map(|scope| &mut scope.spans).for_each(|span| span.attributes.retain(own));
            Some(request.encode_to_vec())
        }
        Signal::Logs => {
            let mut request = ExportLogsServiceRequest::decode(&*body).ok()?;
            let scopes = request.resource_logs.iter_mut().flat_map(|group| &mut group.scope_logs);
            scopes.flat_map(|scope| &mut scope.log_records).for_each(|log| log.attributes.retain(own));
            Some(request.encode_to_vec())
        }
    }
}

fn json_signals(body: &[u8]) -> Vec<Signal> {
    let spans = holds(body, &["resourceSpans", "resource_spans"]).then_some(Signal::Traces);
    let logs = holds(body, &["resourceLogs", "resource_logs"]).then_some(Signal::Logs);
    spans.into_iter().chain(logs).collect()
}

fn holds(body: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| memchr::memmem::find(body, format!("\"{name}\"").as_bytes()).is_some())
}

/// Spans and logs have other wire types at the same numbers: what reads as one is not the other.
fn protobuf_signal(body: &[u8]) -> Signal {
    let reads = |signal| otlp::check(signal, Encoding::Protobuf, body).is_ok();
    if !reads(Signal::Traces) && reads(Signal::Logs) { Signal::Logs } else { Signal::Traces }
}

/// Hands a large request on in parts. What prost can't decode goes on whole: the check tells why.
fn parted(signal: Signal, body: Vec<u8>, place: &str, out: &mut Out<'_>) -> Result<(), ImportError> {
    let parts = match signal {
        Signal::Traces => ExportTraceServiceRequest::decode(&body[..]).map(parts_of_spans),
        Signal::Logs => ExportLogsServiceRequest::decode(&body[..]).map(parts_of_logs),
    };
    match parts {
        Ok(parts) => {
            parts.into_iter().try_for_each(|part| out.request(signal, Encoding::Protobuf, part, place))
        }
        Err(_) => out.request(signal, Encoding::Protobuf, body, place),
    }
}

fn parts_of_spans(request: ExportTraceServiceRequest) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    for group in request.resource_spans {
        let (resource, schema_url) = (group.resource, group.schema_url);
        for scope in group.scope_spans {
            for spans in scope.spans.chunks(ITEMS_A_PART) {
                let scope_spans = vec![ScopeSpans {
                    spans: spans.to_vec(),
                    scope: scope.scope.clone(),
                    ..ScopeSpans::default()
                }];
                let (resource, schema_url) = (resource.clone(), schema_url.clone());
                let resource_spans = vec![ResourceSpans { resource, scope_spans, schema_url }];
                parts.push(ExportTraceServiceRequest { resource_spans }.encode_to_vec());
            }
        }
    }
    parts
}

fn parts_of_logs(request: ExportLogsServiceRequest) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    for group in request.resource_logs {
        let (resource, schema_url) = (group.resource, group.schema_url);
        for scope in group.scope_logs {
            for logs in scope.log_records.chunks(ITEMS_A_PART) {
                let scope_logs = vec![ScopeLogs {
                    log_records: logs.to_vec(),
                    scope: scope.scope.clone(),
                    ..ScopeLogs::default()
                }];
                let (resource, schema_url) = (resource.clone(), schema_url.clone());
                let resource_logs = vec![ResourceLogs { resource, scope_logs, schema_url }];
                parts.push(ExportLogsServiceRequest { resource_logs }.encode_to_vec());
            }
        }
    }
    parts
}
