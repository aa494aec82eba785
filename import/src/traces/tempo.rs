//! Grafana Tempo's trace JSON: OTLP's own messages, under `batches` or `trace`, with ids in base64 and
//! in old versions the old names of scopes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use journal::otlp::{Encoding, Signal};
use serde_json::{Value, json};

use crate::document;
use crate::input::Input;
use crate::request::{ImportError, Out};

/// Reads every batch.
pub(crate) fn read(input: &mut Input<'_>, out: &mut Out<'_>) -> Result<(), ImportError> {
    let mut number = 0;
    let fault = document::elements(input, &["batches"], &mut |value| {
        let place = format!("batches[{number}]");
        number += 1;
        let mut batches = match value {
            Value::Object(mut whole) if whole.contains_key("trace") => {
                let mut trace = whole.remove("trace").unwrap_or_default();
                let lists = ["resourceSpans", "batches"]
                    .iter()
                    .filter_map(|name| trace.get_mut(name).map(Value::take));
                Value::Array(lists.filter_map(|list| list.as_array().cloned()).flatten().collect())
            }
            batch => Value::Array(vec![batch]),
        };
        mend(&mut batches);
        let request = json!({ "resourceSpans": batches }).to_string();
        out.request(Signal::Traces, Encoding::Json, request.into_bytes(), &place)
    })?;
    if let Some(what) = fault {
        out.fault(format!("batches[{number}]"), what);
    }
    Ok(())
}

/// Old names made new, ids made hexadecimal, wherever they stand.
fn mend(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(mend),
        Value::Object(map) => {
            for (old, new) in
                [("instrumentationLibrarySpans", "scopeSpans"), ("instrumentationLibrary", "scope")]
            {
                if let Some(value) = map.remove(old) {
                    map.insert(new.to_owned(), value);
                }
            }
            for (name, value) in map.iter_mut() {
                let bytes = match name.as_str() {
                    "traceId" => 16,
                    "spanId" | "parentSpanId" => 8,
                    // Attributes are data, whatever they are called.
                    "attributes" => continue,
                    _ => 0,
                };
                match value {
                    Value::String(text) if bytes > 0 => *text = hexadecimal(text, bytes),
                    other => mend(other),
                }
            }
        }
        _ => {}
    }
}

/// An id of so many bytes in hexadecimal; what is no base64 of that many bytes stays as it is.
fn hexadecimal(text: &str, bytes: usize) -> String {
    let is_hexadecimal = text.len() == bytes * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match BASE64_STANDARD.decode(text) {
        Ok(id) if id.len() == bytes && !is_hexadecimal => {
            id.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        _ => text.to_owned(),
    }
}
