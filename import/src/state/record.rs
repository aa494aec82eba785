//! An operation as a record: a log record, or a span where its moment is not exactly known.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::Row;
use super::options::Moment;
use crate::logs::hexadecimal;
use crate::request::{ImportError, Out, Source, attribute, json, text};

/// The name of the records made.
const NAME: &str = "backstory.state";

/// One read or write of one field of one thing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    pub(super) kind: String,
    pub(super) key: Value,
    pub(super) op: &'static str,
    pub(super) field: Option<String>,
    pub(super) from: Option<Value>,
    pub(super) value: Option<Value>,
    pub(super) version: Option<Value>,
    pub(super) transaction: Option<String>,
    pub(super) at: Moment,
    /// The trace and span in which it was done, in hexadecimal.
    pub(super) span: Option<(String, String)>,
}

impl Operation {
    /// Adds its record; `place` and `number` are where in the file it stands.
    pub(super) fn add(
        &self,
        copy: &str,
        place: &str,
        number: usize,
        source: &Source,
        out: &mut Out<'_>,
    ) -> Result<(), ImportError> {
        let attributes = self.attributes(copy, place);
        let told = self.told(copy);
        if self.at.error_ns > 0 {
            return out.span(source, self.as_span(attributes, told, place, number));
        }
        let (trace, span) = self.span.clone().unwrap_or_default();
        let log = LogRecord {
            time_unix_nano: self.at.time_ns,
            event_name: NAME.to_owned(),
            body: Some(text(told)),
            attributes,
            trace_id: hexadecimal(&trace, 16),
            span_id: hexadecimal(&span, 8),
            ..LogRecord::default()
        };
        out.log(source, log)
    }

    /// The stretch in which it happened. Ids are hashes of what it says and where: read again, it is the same span.
    fn as_span(&self, attributes: Vec<KeyValue>, name: String, place: &str, number: usize) -> Span {
        let hash =
            xxh3_128(format!("{attributes:?} {:?} {place} {number}", self.at).as_bytes()).to_be_bytes();
        let (trace, parent) = self.span.clone().unwrap_or_default();
        let trace = hexadecimal(&trace, 16);
        Span {
            trace_id: if trace.is_empty() { hash.to_vec() } else { trace },
            span_id: hash[..8].to_vec(),
            parent_span_id: hexadecimal(&parent, 8),
            name,
            kind: 1,
            start_time_unix_nano: self.at.time_ns.saturating_sub(self.at.error_ns),
            end_time_unix_nano: self.at.time_ns.saturating_add(self.at.error_ns),
            attributes,
            ..Span::default()
        }
    }

    /// One sentence for a person, which names the thing.
    fn told(&self, copy: &str) -> String {
        let key = single(&self.key).unwrap_or_default();
        match &self.field {
            Some(field) => format!("{} {field} of {} {key} in {copy}", self.op, self.kind),
            None => format!("{} {} {key} in {copy}", self.op, self.kind),
        }
    }

    fn attributes(&self, copy: &str, place: &str) -> Vec<KeyValue> {
        let mut attributes = vec![
            attribute("backstory.entity.type", text(&self.kind)),
            attribute("backstory.entity.key", json(&self.key)),
            attribute("backstory.copy", text(copy)),
            attribute("backstory.op", text(self.op)),
        ];
        let mut add = |name: &str, value: Option<AnyValue>| {
            attributes.extend(value.map(|value| attribute(format!("backstory.{name}"), value)));
        };
        add("field", self.field.as_deref().map(text));
        add("from", self.from.as_ref().map(json));
        add("value", self.value.as_ref().map(json));
        add("version", self.version.as_ref().map(json));
        // The fields of one row changed together.
        let transaction = self.transaction.clone().or_else(|| (self.op != "read").then(|| place.to_owned()));
        add("transaction", transaction.map(text));
        attributes
    }
}

/// A row's key: one column's value, or several by name.
pub(super) fn key(row: &Row, columns: &[String]) -> Result<Value, String> {
    let cell = |column: &String| {
        let cell = row.get(column).filter(|cell| single(cell).is_some_and(|text| !text.is_empty()));
        cell.cloned().ok_or_else(|| format!("it has no key in column {column}"))
    };
    match columns {
        [one] => cell(one),
        several => {
            let cells = several.iter().map(|column| Ok((column.clone(), cell(column)?)));
            Ok(Value::Object(cells.collect::<Result<Row, String>>()?))
        }
    }
}

/// A text or number as text.
pub(super) fn single(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
