//! Lines of plain logs, as OTLP log records: so that a service without OpenTelemetry is in the story too.
//!
//! | file              | what it alone knows                                              |
//! |-------------------|------------------------------------------------------------------|
//! | `fields.rs`       | which field of a structured line is its time, severity, message   |
//! | `times.rs`        | how times are written, and when zone or year must be given        |
//! | `syslog.rs`       | RFC 5424 and RFC 3164                                             |
//! | `vector_clock.rs` | logs with vector clocks, as ShiViz takes them                     |

mod fields;
mod syslog;
mod times;
pub(crate) mod vector_clock;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use regex::Regex;
use serde_json::{Map, Value};

pub(crate) use fields::logfmt_pairs;
pub use times::Zone;
pub(crate) use times::parse as parse_time;

use crate::format::Format;
use crate::input::{Input, Piece};
use crate::otlp::too_long;
use crate::request::{ImportError, Out, Source, attribute, text};

/// What plain logs don't say themselves.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Whose they are, where no field says so.
    pub service: Option<String>,
    /// The zone of times that name none.
    pub zone: Option<Zone>,
    /// The year of times that name none.
    pub year: Option<i32>,
    /// How times are written, in the notation of strftime; the usual forms are known.
    pub time_format: Option<String>,
    /// With named groups: `time`, `severity`, `message`, `trace_id`, `span_id`, `service`, `host`; any other
    /// becomes an attribute. With `host`, `clock` and `event` it reads vector clocks.
    pub pattern: Option<Regex>,
}

impl LogOptions {
    /// The format that the pattern asks for.
    pub(crate) fn format(&self) -> Option<Format> {
        let names: Vec<&str> = self.pattern.as_ref()?.capture_names().flatten().collect();
        let clocks = ["host", "clock", "event"].iter().all(|name| names.contains(name));
        Some(if clocks { Format::VectorClock } else { Format::Pattern })
    }
}

/// What must be given, since the file does not say it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The lines name no service.
    #[error("line {0} names no service: say whose log it is with --service NAME")]
    Service(u64),
    /// The times name no zone.
    #[error("the time {0:?} names no zone: say which with --zone (utc, local, or +02:00)")]
    Zone(String),
    /// The times name no year.
    #[error("the time {0:?} names no year: say which with --year")]
    Year(String),
    /// A pattern is needed.
    #[error(
        "this format is read by a pattern: give --pattern, a regular expression with named groups ({})",
        match .0 { Format::VectorClock => "host, clock, event", _ => "time, severity, message, service, trace_id …" }
    )]
    Pattern(Format),
}

/// One line as it was understood.
#[derive(Debug, Default, PartialEq)]
struct Line {
    time: Option<String>,
    severity: Option<String>,
    message: String,
    trace_id: String,
    span_id: String,
    service: Option<String>,
    host: Option<String>,
    attributes: Vec<(String, Value)>,
}

/// Reads the file's lines.
pub(crate) fn read(
    format: Format,
    options: &LogOptions,
    input: &mut Input<'_>,
    out: &mut Out<'_>,
) -> Result<(), ImportError> {
    if format == Format::VectorClock {
        return vector_clock::read(options, input, out);
    }
    if format == Format::Pattern && options.pattern.is_none() {
        return Err(OptionError::Pattern(format).into());
    }
    let mut pending: Option<(Source, LogRecord)> = None;
    while let Some(piece) = input.next_line()? {
        let number = input.line();
        let place = format!("line {number}");
        let Piece::Whole(line) = piece else {
            out.fault(place, too_long("a line"));
            continue;
        };
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        if let Some((_, record)) = pending.as_mut().filter(|_| goes_on(&line)) {
            append(record, &line);
            continue;
        }
        let understood = match understand(format, options, &line) {
            Ok(understood) => understood,
            Err(what) => {
                out.fault(place, what);
                continue;
            }
        };
        let read = record(understood, options, number)?;
        if let Some(what) = read.fault {
            out.fault(place, what);
        }
        if let Some((source, record)) = pending.replace((read.source, read.record)) {
            out.log(&source, record)?;
        }
    }
    pending.map_or(Ok(()), |(source, record)| out.log(&source, record))
}

/// Whether a line belongs to the one before: a stack trace's.
fn goes_on(line: &str) -> bool {
    line.starts_with([' ', '\t']) || line.starts_with("Caused by:")
}

fn append(record: &mut LogRecord, line: &str) {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    if let Some(Value::StringValue(body)) = record.body.as_mut().and_then(|body| body.value.as_mut()) {
        body.push('\n');
        body.push_str(line);
    }
}

fn understand(format: Format, options: &LogOptions, line: &str) -> Result<Line, String> {
    match format {
        Format::JsonLines => {
            let fields: Map<String, Value> =
                serde_json::from_str(line).map_err(|error| format!("not a JSON object: {error}"))?;
            Ok(fields::structured(fields))
        }
        Format::Logfmt => {
            fields::logfmt(line).map(fields::structured).ok_or_else(|| "no key=value in it".to_owned())
        }
        Format::Syslog => syslog::read(line).ok_or_else(|| "neither RFC 5424 nor RFC 3164".to_owned()),
        _ => options
            .pattern
            .as_ref()
            .and_then(|pattern| fields::matched(pattern, line))
            .ok_or_else(|| "the pattern does not match it".to_owned()),
    }
}

/// A line's record, whose it is, and what is wrong with it.
struct Read {
    source: Source,
    record: LogRecord,
    fault: Option<String>,
}

fn record(line: Line, options: &LogOptions, number: u64) -> Result<Read, OptionError> {
    let service = line.service.or_else(|| options.service.clone()).ok_or(OptionError::Service(number))?;
    let host = line.host.map(|host| attribute("host.name", text(host)));
    let source = Source {
        attributes: std::iter::once(attribute("service.name", text(service))).chain(host).collect(),
        scope: Default::default(),
    };
    let mut fault = None;
    let time = match line.time {
        Some(written) => times::parse(&written, options)?.unwrap_or_else(|| {
            fault = Some(format!("the time {written:?} can't be read: it is kept without (--time-format says how it is written)"));
            0
        }),
        None => 0,
    };
    let (severity_number, severity_text) =
        line.severity.map_or((0, String::new()), |severity| (fields::severity_number(&severity), severity));
    let attributes: Vec<KeyValue> =
        line.attributes.iter().map(|(key, value)| attribute(key, crate::request::json(value))).collect();
    let record = LogRecord {
        time_unix_nano: time,
        severity_number,
        severity_text,
        body: Some(text(line.message)),
        attributes,
        trace_id: hexadecimal(&line.trace_id, 16),
        span_id: hexadecimal(&line.span_id, 8),
        ..LogRecord::default()
    };
    Ok(Read { source, record, fault })
}

/// The bytes of an id of so many; none where it is none.
pub(crate) fn hexadecimal(id: &str, bytes: usize) -> Vec<u8> {
    let whole = id.len() == bytes * 2 && id.is_ascii();
    let byte = |at: usize| u8::from_str_radix(id.get(at..at + 2)?, 16).ok();
    let read: Option<Vec<u8>> = (0..id.len()).step_by(2).filter(|_| whole).map(byte).collect();
    read.unwrap_or_default()
}
