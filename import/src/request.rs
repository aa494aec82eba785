//! Items gathered into requests; what is handed on, and what was wrong.

use std::collections::HashMap;

use bytes::Bytes;
use journal::otlp::{self, Checked, Encoding, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use crate::format::Format;

/// So many items are gathered into one request.
const ITEMS_A_REQUEST: usize = 2_048;

/// So many faults of one file are kept in words; the rest is counted.
const FAULTS_KEPT: usize = 20;

/// One request, ready for the journal.
#[derive(Clone, Debug)]
pub struct Request {
    /// Spans or logs.
    pub signal: Signal,
    /// The form of `body`.
    pub encoding: Encoding,
    /// What a walk over it found.
    pub checked: Checked,
    /// The request.
    pub body: Bytes,
}

/// What was read of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The format that it had.
    pub format: Option<Format>,
    /// What it held.
    pub counts: Counts,
    /// What was wrong, the first ones in words.
    pub faults: Vec<Fault>,
    /// How many further faults there were.
    pub more_faults: u64,
}

/// What a file held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Spans handed on.
    pub spans: u64,
    /// Log records handed on.
    pub logs: u64,
    /// Spans and log records that can't be kept.
    pub refused: u64,
    /// Lines or documents of metrics, which are not kept.
    pub metrics: u64,
}

/// Something wrong in a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `line 7`, `byte 1034`, `data[3].spans[0]`.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file system or the decompression failed.
    #[error("it cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// Nothing tells what the file is.
    #[error(
        "nothing in its beginning tells its format: name it with --from ({})",
        crate::NAMES.map(|(name, _)| name).join(", ")
    )]
    UnknownFormat,
    /// Something that the file does not say must be given.
    #[error("{0}")]
    Option(#[from] crate::OptionError),
    /// Something must be said of a file of state.
    #[error("{0}")]
    State(#[from] crate::StateOptionError),
    /// What was read could not be handed on.
    #[error("{0}")]
    Taken(String),
}

/// Where a reader puts what it read.
pub(crate) struct Out<'a> {
    take: &'a mut dyn FnMut(Request) -> Result<(), ImportError>,
    import: Import,
    spans: Gathered<Span>,
    logs: Gathered<LogRecord>,
}

impl<'a> Out<'a> {
    pub(crate) fn new(
        format: Format,
        take: &'a mut dyn FnMut(Request) -> Result<(), ImportError>,
    ) -> Out<'a> {
        let import = Import { format: Some(format), ..Import::default() };
        Out { take, import, spans: Gathered::default(), logs: Gathered::default() }
    }

    /// Notes a fault.
    pub(crate) fn fault(&mut self, place: impl Into<String>, what: impl Into<String>) {
        if self.import.faults.len() < FAULTS_KEPT {
            self.import.faults.push(Fault { place: place.into(), what: what.into() });
        } else {
            self.import.more_faults += 1;
        }
    }

    /// Notes metrics, which are not kept.
    pub(crate) fn metrics(&mut self) {
        self.import.counts.metrics += 1;
    }

    /// Hands a request on as it stands; what is wrong with it is noted at `place`.
    pub(crate) fn request(
        &mut self,
        signal: Signal,
        encoding: Encoding,
        body: Vec<u8>,
        place: &str,
    ) -> Result<(), ImportError> {
        let checked = match otlp::check(signal, encoding, &body) {
            Ok(checked) => checked,
            Err(malformed) => {
                self.fault(place, malformed.to_string());
                return Ok(());
            }
        };
        let told = checked.message(signal);
        if !told.is_empty() {
            self.fault(place, told);
        }
        if checked.items == 0 {
            return Ok(());
        }
        let refused = checked.refused.len() as u64;
        let kept = u64::from(checked.items) - refused;
        let counts = &mut self.import.counts;
        counts.refused += refused;
        *(if signal == Signal::Traces { &mut counts.spans } else { &mut counts.logs }) += kept;
        (self.take)(Request { signal, encoding, checked, body: body.into() })
    }

    /// Adds a span; a request goes out once enough are gathered.
    pub(crate) fn span(&mut self, source: &Source, span: Span) -> Result<(), ImportError> {
        self.spans.add(source, span);
        if self.spans.count >= ITEMS_A_REQUEST { self.flush_spans() } else { Ok(()) }
    }

    /// Adds a log record.
    pub(crate) fn log(&mut self, source: &Source, log: LogRecord) -> Result<(), ImportError> {
        self.logs.add(source, log);
        if self.logs.count >= ITEMS_A_REQUEST { self.flush_logs() } else { Ok(()) }
    }

    /// Hands on what is gathered.
    pub(crate) fn finish(mut self) -> Result<Import, ImportError> {
        self.flush_spans()?;
        self.flush_logs()?;
        Ok(self.import)
    }

    fn flush_spans(&mut self) -> Result<(), ImportError> {
        let resource_spans = self.spans.take(|source, spans| ResourceSpans {
            resource: Some(source.resource()),
            scope_spans: vec![ScopeSpans { scope: source.scope(), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        });
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        self.request(Signal::Traces, Encoding::Protobuf, body, "spans")
    }

    fn flush_logs(&mut self) -> Result<(), ImportError> {
        let resource_logs = self.logs.take(|source, log_records| ResourceLogs {
            resource: Some(source.resource()),
            scope_logs: vec![ScopeLogs { scope: source.scope(), log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        });
        let body = ExportLogsServiceRequest { resource_logs }.encode_to_vec();
        self.request(Signal::Logs, Encoding::Protobuf, body, "log records")
    }
}

/// Who emitted an item: its resource's attributes and its scope.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Source {
    /// The resource's attributes, in the order in which they came.
    pub(crate) attributes: Vec<KeyValue>,
    /// The instrumentation scope's name and version; empty where unknown.
    pub(crate) scope: (String, String),
}

impl Source {
    fn resource(&self) -> Resource {
        Resource { attributes: self.attributes.clone(), ..Resource::default() }
    }

    fn scope(&self) -> Option<InstrumentationScope> {
        let (name, version) = self.scope.clone();
        (!name.is_empty()).then(|| InstrumentationScope { name, version, ..InstrumentationScope::default() })
    }

    /// What tells it from others.
    fn key(&self) -> Vec<u8> {
        let resource = self.resource();
        let mut key = resource.encode_to_vec();
        key.extend(self.scope.0.as_bytes());
        key.push(0);
        key.extend(self.scope.1.as_bytes());
        key
    }
}

/// Items by their source, in the order in which the sources came.
struct Gathered<T> {
    groups: Vec<(Source, Vec<T>)>,
    by_key: HashMap<Vec<u8>, usize>,
    count: usize,
}

impl<T> Default for Gathered<T> {
    fn default() -> Gathered<T> {
        Gathered { groups: Vec::new(), by_key: HashMap::new(), count: 0 }
    }
}

impl<T> Gathered<T> {
    fn add(&mut self, source: &Source, item: T) {
        self.count += 1;
        // Most items come from the source of the one before.
        if let Some((last, items)) = self.groups.last_mut()
            && last == source
        {
            return items.push(item);
        }
        let at = *self.by_key.entry(source.key()).or_insert(self.groups.len());
        match self.groups.get_mut(at) {
            Some((_, items)) => items.push(item),
            None => self.groups.push((source.clone(), vec![item])),
        }
    }

    fn take<G>(&mut self, group: impl Fn(&Source, Vec<T>) -> G) -> Vec<G> {
        let taken = std::mem::take(self);
        taken.groups.into_iter().map(|(source, items)| group(&source, items)).collect()
    }
}

/// One attribute.
pub(crate) fn attribute(key: impl Into<String>, value: AnyValue) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value), ..KeyValue::default() }
}

/// A text as a value.
pub(crate) fn text(text: impl Into<String>) -> AnyValue {
    AnyValue { value: Some(any_value::Value::StringValue(text.into())) }
}

/// An integer as a value.
pub(crate) fn int(number: i64) -> AnyValue {
    AnyValue { value: Some(any_value::Value::IntValue(number)) }
}

/// Any JSON as a value: OTLP has all of its kinds.
pub(crate) fn json(value: &serde_json::Value) -> AnyValue {
    use any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};
    let value = match value {
        serde_json::Value::Null => None,
        serde_json::Value::Bool(truth) => Some(Value::BoolValue(*truth)),
        serde_json::Value::Number(number) => Some(match number.as_i64() {
            Some(whole) => Value::IntValue(whole),
            None => Value::DoubleValue(number.as_f64().unwrap_or(f64::NAN)),
        }),
        serde_json::Value::String(text) => Some(Value::StringValue(text.clone())),
        serde_json::Value::Array(list) => {
            Some(Value::ArrayValue(ArrayValue { values: list.iter().map(json).collect() }))
        }
        serde_json::Value::Object(map) => {
            let values = map.iter().map(|(key, value)| attribute(key, json(value))).collect();
            Some(Value::KvlistValue(KeyValueList { values }))
        }
    };
    AnyValue { value }
}
