//! OTLP's messages in JSON: the names of their fields.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::number;
use super::reader::{Problem, Reader};
use crate::otlp::DEPTH_MAX;

type Read<T> = Result<T, Problem>;

/// Reads a message whose fields are all optional: name by name, unknown ones skipped, `null` empty.
macro_rules! message {
    ($reader:ident, $message:ident { $($name:literal => $field:ident = $value:expr,)* }) => {{
        let mut message = $message::default();
        $reader.object(|$reader, key| {
            match key {
                $($name => message.$field = $value,)*
                _ => $reader.skip()?,
            }
            Ok(())
        })?;
        Ok(message)
    }};
}

pub(super) fn resource_spans(reader: &mut Reader<'_>) -> Read<Vec<ResourceSpans>> {
    reader.list(|reader| {
        message!(reader, ResourceSpans {
            "resource" => resource = Some(resource(reader)?),
            "scopeSpans" => scope_spans = reader.list(scope_spans)?,
            "schemaUrl" => schema_url = text(reader)?,
        })
    })
}

pub(super) fn resource_logs(reader: &mut Reader<'_>) -> Read<Vec<ResourceLogs>> {
    reader.list(|reader| {
        message!(reader, ResourceLogs {
            "resource" => resource = Some(resource(reader)?),
            "scopeLogs" => scope_logs = reader.list(scope_logs)?,
            "schemaUrl" => schema_url = text(reader)?,
        })
    })
}

fn resource(reader: &mut Reader<'_>) -> Read<Resource> {
    message!(reader, Resource {
        "attributes" => attributes = attributes(reader)?,
        "droppedAttributesCount" => dropped_attributes_count = reader.integer()?,
        "entityRefs" => entity_refs = reader.list(entity_ref)?,
    })
}

fn entity_ref(reader: &mut Reader<'_>) -> Read<EntityRef> {
    message!(reader, EntityRef {
        "schemaUrl" => schema_url = text(reader)?,
        "type" => r#type = text(reader)?,
        "idKeys" => id_keys = reader.list(text)?,
        "descriptionKeys" => description_keys = reader.list(text)?,
    })
}

fn scope_spans(reader: &mut Reader<'_>) -> Read<ScopeSpans> {
    message!(reader, ScopeSpans {
        "scope" => scope = Some(scope(reader)?),
        "spans" => spans = reader.list(span)?,
        "schemaUrl" => schema_url = text(reader)?,
    })
}

fn scope_logs(reader: &mut Reader<'_>) -> Read<ScopeLogs> {
    message!(reader, ScopeLogs {
        "scope" => scope = Some(scope(reader)?),
        "logRecords" => log_records = reader.list(log_record)?,
        "schemaUrl" => schema_url = text(reader)?,
    })
}

fn scope(reader: &mut Reader<'_>) -> Read<InstrumentationScope> {
    message!(reader, InstrumentationScope {
        "name" => name = text(reader)?,
        "version" => version = text(reader)?,
        "attributes" => attributes = attributes(reader)?,
        "droppedAttributesCount" => dropped_attributes_count = reader.integer()?,
    })
}

fn span(reader: &mut Reader<'_>) -> Read<Span> {
    message!(reader, Span {
        "traceId" => trace_id = id(reader)?,
        "spanId" => span_id = id(reader)?,
        "traceState" => trace_state = text(reader)?,
        "parentSpanId" => parent_span_id = id(reader)?,
        "flags" => flags = reader.integer()?,
        "name" => name = text(reader)?,
        "kind" => kind = enumeration(reader, |name| SpanKind::from_str_name(name).map(i32::from))?,
        "startTimeUnixNano" => start_time_unix_nano = reader.integer()?,
        "endTimeUnixNano" => end_time_unix_nano = reader.integer()?,
        "attributes" => attributes = attributes(reader)?,
        "droppedAttributesCount" => dropped_attributes_count = reader.integer()?,
        "events" => events = reader.list(event)?,
        "droppedEventsCount" => dropped_events_count = reader.integer()?,
        "links" => links = reader.list(link)?,
        "droppedLinksCount" => dropped_links_count = reader.integer()?,
        "status" => status = Some(status(reader)?),
    })
}

fn event(reader: &mut Reader<'_>) -> Read<Event> {
    message!(reader, Event {
        "timeUnixNano" => time_unix_nano = reader.integer()?,
        "name" => name = text(reader)?,
        "attributes" => attributes = attributes(reader)?,
        "droppedAttributesCount" => dropped_attributes_count = reader.integer()?,
    })
}

fn link(reader: &mut Reader<'_>) -> Read<Link> {
    message!(reader, Link {
        "traceId" => trace_id = id(reader)?,
        "spanId" => span_id = id(reader)?,
        "traceState" => trace_state = text(reader)?,
        "attributes" => attributes = attributes(reader)?,
        "droppedAttributesCount" => dropped_attributes_count = reader.integer()?,
        "flags" => flags = reader.integer()?,
    })
}

fn status(reader: &mut Reader<'_>) -> Read<Status> {
    message!(reader, Status {
        "message" => message = text(reader)?,
        "code" => code = enumeration(reader, |name| StatusCode::from_str_name(name).map(i32::from))?,
    })
}

fn log_record(reader: &mut Reader<'_>) -> Read<LogRecord> {
    message!(reader, LogRecord {
        "timeUnixNano" => time_unix_nano = reader.integer()?,
        "observedTimeUnixNano" => observed_time_unix_nano = reader.integer()?,
        "severityNumber" => severity_number =
            enumeration(reader, |name| SeverityNumber::from_str_name(name).map(i32::from))?,
        "severityText" => severity_text = text(reader)?,
        "body" => body = Some(any_value(reader, 1)?),
        "attributes" => attributes = attributes(reader)?,
        "droppedAttributesCount" => dropped_attributes_count = reader.integer()?,
        "flags" => flags = reader.integer()?,
        "traceId" => trace_id = id(reader)?,
        "spanId" => span_id = id(reader)?,
        "eventName" => event_name = text(reader)?,
    })
}

fn attributes(reader: &mut Reader<'_>) -> Read<Vec<KeyValue>> {
    reader.list(|reader| key_value(reader, 1))
}

fn key_value(reader: &mut Reader<'_>, depth: u32) -> Read<KeyValue> {
    message!(reader, KeyValue {
        "key" => key = text(reader)?,
        "value" => value = Some(any_value(reader, depth)?),
        "keyStrindex" => key_strindex = reader.integer()?,
    })
}

/// A value that lies in `depth` values, itself counted. What is deeper than anything that is accepted
/// is only passed over: its item is refused for the value around it.
fn any_value(reader: &mut Reader<'_>, depth: u32) -> Read<AnyValue> {
    let mut found = AnyValue::default();
    if depth > DEPTH_MAX {
        reader.skip()?;
        return Ok(found);
    }
    reader.object(|reader, key| {
        if !key.ends_with("Value") {
            return reader.skip();
        }
        if reader.null()? {
            return Ok(());
        }
        let value = match key {
            "stringValue" => Value::StringValue(text(reader)?),
            "boolValue" => Value::BoolValue(reader.boolean()?),
            "intValue" => int_value(reader)?,
            "doubleValue" => Value::DoubleValue(double(reader)?),
            "arrayValue" => Value::ArrayValue(array_value(reader, depth + 1)?),
            "kvlistValue" => Value::KvlistValue(key_value_list(reader, depth + 1)?),
            "bytesValue" => Value::BytesValue(bytes(reader)?),
            _ => return reader.skip(),
        };
        found.value = Some(value); // of several the last stands
        Ok(())
    })?;
    Ok(found)
}

fn array_value(reader: &mut Reader<'_>, depth: u32) -> Read<ArrayValue> {
    message!(reader, ArrayValue {
        "values" => values = reader.list(|reader| any_value(reader, depth))?,
    })
}

fn key_value_list(reader: &mut Reader<'_>, depth: u32) -> Read<KeyValueList> {
    message!(reader, KeyValueList {
        "values" => values = reader.list(|reader| key_value(reader, depth))?,
    })
}

fn text(reader: &mut Reader<'_>) -> Read<String> {
    reader.text().map(String::from)
}

/// An id in hexadecimal. A text that is none becomes bytes of a length that no id has, so that only
/// its own item suffers from it.
fn id(reader: &mut Reader<'_>) -> Read<Vec<u8>> {
    let text = reader.text()?;
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((digit(high)? * 16 + digit(low)?) as u8),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    Ok(bytes.unwrap_or_else(|| vec![0xff]))
}

/// A number, or a name that `number_of` knows.
fn enumeration(reader: &mut Reader<'_>, number_of: impl Fn(&str) -> Option<i32>) -> Read<i32> {
    let Some(text) = reader.number()? else {
        return Ok(0);
    };
    let number = number::whole(&text).and_then(|number| i32::try_from(number).ok());
    number
        .or_else(|| number_of(&text))
        .ok_or_else(|| reader.problem("a number or a known name must stand here"))
}

/// An integer; beyond 64 bits, or with a fraction, a floating-point number, as JavaScript's senders
/// write them.
fn int_value(reader: &mut Reader<'_>) -> Read<Value> {
    let text = reader.number()?.unwrap_or_default();
    let whole = number::whole(&text);
    let integer = whole.and_then(|number| i64::try_from(number).ok()).map(Value::IntValue);
    reader.mended.wide_integers += u32::from(whole.is_some() && integer.is_none());
    let value = integer.or_else(|| number::double(&text).map(Value::DoubleValue));
    value.ok_or_else(|| reader.problem("a number must stand here"))
}

fn double(reader: &mut Reader<'_>) -> Read<f64> {
    let text = reader.number()?.unwrap_or_default();
    number::double(&text).ok_or_else(|| reader.problem("a number must stand here"))
}

/// Bytes in base64, of either alphabet, padded or not.
fn bytes(reader: &mut Reader<'_>) -> Read<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let text = reader.text()?.replace('-', "+").replace('_', "/");
    let decoded = GeneralPurpose::new(&alphabet::STANDARD, config).decode(text);
    decoded.map_err(|_| reader.problem("base64 must stand here"))
}
