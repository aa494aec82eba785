//! The formats, and how a file shows which one it has.

use serde_json::Value;

use crate::logs::LogOptions;
use crate::request::ImportError;

/// What a file can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// One OTLP export request in protobuf.
    OtlpProtobuf,
    /// OTLP requests, each behind its length in four bytes, most significant first: the Collector's file
    /// exporter with `format: proto` or a compression.
    OtlpFrames,
    /// OTLP/JSON: one document, or one request a line as the Collector's file exporter writes them.
    OtlpJson,
    /// Jaeger's JSON: what its UI downloads and its API answers.
    Jaeger,
    /// Zipkin v2 JSON.
    Zipkin,
    /// Grafana Tempo's trace JSON.
    Tempo,
    /// Logs, one JSON object a line.
    JsonLines,
    /// Logs of `key=value` lines.
    Logfmt,
    /// Syslog, RFC 5424 or the older RFC 3164.
    Syslog,
    /// Logs that a regular expression with named groups reads.
    Pattern,
    /// Logs with vector clocks, as ShiViz takes them, read by a regular expression with `host`, `clock` and `event`.
    VectorClock,
    /// Changes of a copy's state: Debezium's JSON envelopes, rows of audit and outbox tables.
    Changes,
    /// What a copy held at one moment: rows.
    Snapshot,
}

/// The names that a user gives the formats.
pub const NAMES: [(&str, Format); 13] = [
    ("otlp", Format::OtlpProtobuf),
    ("otlp-frames", Format::OtlpFrames),
    ("otlp-json", Format::OtlpJson),
    ("jaeger", Format::Jaeger),
    ("zipkin", Format::Zipkin),
    ("tempo", Format::Tempo),
    ("json-lines", Format::JsonLines),
    ("logfmt", Format::Logfmt),
    ("syslog", Format::Syslog),
    ("pattern", Format::Pattern),
    ("vector-clock", Format::VectorClock),
    ("changes", Format::Changes),
    ("snapshot", Format::Snapshot),
];

impl Format {
    /// The name that a user gives it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}

const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Tells a file's format from its beginning.
pub(crate) fn detect(beginning: &[u8], logs: &LogOptions) -> Result<Format, ImportError> {
    if let Some(format) = logs.format() {
        return Ok(format);
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    if crate::logs::vector_clock::expression_of(text).is_some() {
        return Ok(Format::VectorClock);
    }
    let found = match beginning {
        [0x0a, ..] if text.first().is_none_or(|byte| !matches!(byte, b'{' | b'[')) => {
            Some(Format::OtlpProtobuf)
        }
        [_, _, _, _, rest @ ..] if rest.starts_with(ZSTD_MAGIC) => Some(Format::OtlpFrames),
        [0, _, _, _, 0x0a | b'{', ..] => Some(Format::OtlpFrames),
        _ => match text.first() {
            Some(b'{') => object(text),
            Some(b'[') => Some(Format::Zipkin),
            Some(b'<') => Some(Format::Syslog),
            _ => lines(text),
        },
    };
    found.ok_or(ImportError::UnknownFormat)
}

/// By the first names that stand in the document.
fn object(text: &[u8]) -> Option<Format> {
    let whole_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if let Ok(Value::Object(line)) = serde_json::from_slice::<Value>(whole_line) {
        let has = |name: &str| line.contains_key(name);
        let is_spans = has("traceId") && has("id") && (has("timestamp") || has("localEndpoint"));
        let known = [
            (
                ["resourceSpans", "resource_spans", "resourceLogs", "resource_logs"].into_iter().any(has),
                Format::OtlpJson,
            ),
            (has("resourceMetrics"), Format::OtlpJson),
            (has("batches") || has("trace"), Format::Tempo),
            (has("data") || (has("traceID") && has("spans")), Format::Jaeger),
            (is_spans, Format::Zipkin),
        ];
        let known = known.into_iter().find(|(is, _)| *is).map(|(_, format)| format);
        return Some(known.unwrap_or(Format::JsonLines));
    }
    let marks: [(&[u8], Format); 7] = [
        (b"\"resourceSpans\"", Format::OtlpJson),
        (b"\"resource_spans\"", Format::OtlpJson),
        (b"\"resourceLogs\"", Format::OtlpJson),
        (b"\"resource_logs\"", Format::OtlpJson),
        (b"\"batches\"", Format::Tempo),
        (b"\"data\"", Format::Jaeger),
        (b"\"traceID\"", Format::Jaeger),
    ];
    let places = marks.iter().filter_map(|(mark, format)| Some((memchr::memmem::find(text, mark)?, *format)));
    let first = places.min_by_key(|(place, _)| *place).map(|(_, format)| format);
    // Tempo's second form wraps OTLP: {"trace": {"resourceSpans": …
    let wrapped = memchr::memmem::find(text, b"\"trace\"");
    match (first, wrapped) {
        (Some(Format::OtlpJson), Some(at))
            if memchr::memmem::find(text, b"\"resource").is_some_and(|r| at < r) =>
        {
            Some(Format::Tempo)
        }
        (first, _) => first,
    }
}

fn lines(text: &[u8]) -> Option<Format> {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).ok()?;
    (crate::logs::logfmt_pairs(line) >= 2).then_some(Format::Logfmt)
}
