//! Identity keys: short hashes of what makes a record the record it is, to recognise those that come again.

use timeline::id::{SpanId, TraceId};
use timeline::record::{Body, Record};
use timeline::time::Time;
use timeline::value::Value;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Bits of an identity key.
pub(crate) const IDENTITY_BITS: u32 = 40;
/// The low bits of a span's key, which tell apart equal span ids of different traces.
const TRACE_BITS: u32 = 12;
/// The bit that marks a log's key.
const LOG_BIT: u64 = 1 << (IDENTITY_BITS - 1);

/// A span's key. Its high bits depend on the span's id alone, so that the id leads to it.
pub(crate) fn of_span(trace: TraceId, span: SpanId) -> u64 {
    of_span_id(span).start() | xxh3_64(&trace.0) >> (64 - TRACE_BITS)
}

/// The keys of the spans with this id.
pub(crate) fn of_span_id(span: SpanId) -> std::ops::RangeInclusive<u64> {
    let low = xxh3_64(&span.0) >> (64 - IDENTITY_BITS) & !LOG_BIT & !((1 << TRACE_BITS) - 1);
    low..=low | ((1 << TRACE_BITS) - 1)
}

/// What a log's key is made of; equal logs have equal keys, few others do.
pub(crate) struct LogParts<'a> {
    pub(crate) time: Time,
    pub(crate) observed: Time,
    pub(crate) severity_number: i32,
    pub(crate) trace: Option<TraceId>,
    pub(crate) span: Option<SpanId>,
    pub(crate) text: &'a str,
}

impl LogParts<'_> {
    pub(crate) fn key(&self) -> u64 {
        let mut hasher = Xxh3::new();
        hasher.update(&self.time.0.to_le_bytes());
        hasher.update(&self.observed.0.to_le_bytes());
        hasher.update(&self.severity_number.to_le_bytes());
        hasher.update(&self.trace.unwrap_or_default().0);
        hasher.update(&self.span.unwrap_or_default().0);
        hasher.update(self.text.as_bytes());
        hasher.digest() >> (64 - IDENTITY_BITS) | LOG_BIT
    }
}

/// The key of a record.
pub(crate) fn of_record(record: &Record) -> u64 {
    match &record.body {
        Body::Span(span) => of_span(span.trace_id, span.span_id),
        Body::Log(log) => LogParts {
            time: log.time,
            observed: log.observed,
            severity_number: log.severity_number,
            trace: log.trace_id,
            span: log.span_id,
            text: match &log.body {
                Value::Text(text) => text,
                _ => "",
            },
        }
        .key(),
    }
}
