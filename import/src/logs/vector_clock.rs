//! Logs with vector clocks, as ShiViz takes them: a regular expression with the groups `host`, `clock` and
//! `event` runs over the whole file, and may span lines; the clock is a JSON object of counts by host. As a file for
//! ShiViz' upload has it, the expression may stand in the first line and one that parts executions in the second.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use regex::Regex;
use serde_json::{Map, Value};

use super::{LogOptions, OptionError, times};
use crate::format::Format;
use crate::input::{Input, Piece};
use crate::otlp::too_long;
use crate::request::{ImportError, Out, Source, attribute, int, text};

/// The attribute that carries an event's vector clock: `docs/hlc.md`.
const VECTOR_CLOCK: &str = "vector_clock";

/// Reads every match.
pub(super) fn read(
    options: &LogOptions,
    input: &mut Input<'_>,
    out: &mut Out<'_>,
) -> Result<(), ImportError> {
    let named = expression_of(input.beginning()?);
    let pattern = options.pattern.as_ref().or(named.as_ref());
    let pattern = pattern.ok_or(OptionError::Pattern(Format::VectorClock))?;
    if named.is_some() {
        // The expression itself, and the one that parts executions: all of them are read.
        input.next_line()?;
        input.next_line()?;
    }
    let mut line = 1 + input.line() as usize;
    let Piece::Whole(file) = input.rest()? else {
        out.fault("the file", too_long("a log with vector clocks"));
        return Ok(());
    };
    let file = String::from_utf8_lossy(&file);
    let mut counted = 0;
    let mut found = false;
    for captures in pattern.captures_iter(&file) {
        found = true;
        let start = captures.get(0).map_or(0, |whole| whole.start());
        line += file.get(counted..start).unwrap_or_default().matches('\n').count();
        counted = start;
        let group = |name| captures.name(name).map_or("", |found| found.as_str());
        let clock = match serde_json::from_str::<Map<String, Value>>(group("clock")) {
            Ok(clock) => clock,
            Err(error) => {
                out.fault(format!("line {line}"), format!("its clock is no JSON object of counts: {error}"));
                continue;
            }
        };
        let mut record = LogRecord { body: Some(text(group("event"))), ..LogRecord::default() };
        record.attributes.push(attribute(VECTOR_CLOCK, counts(&clock)));
        for name in
            pattern.capture_names().flatten().filter(|name| !["host", "clock", "event"].contains(name))
        {
            match name {
                "time" | "date" => {
                    record.time_unix_nano = times::parse(group(name), options)?.unwrap_or_default();
                }
                _ => record.attributes.push(attribute(name, text(group(name)))),
            }
        }
        // The host of a vector clock is what keeps one count: a process.
        let named = [("service.name", group("host")), ("service.instance.id", group("host"))];
        let attributes = named.map(|(key, host)| attribute(key, text(host))).to_vec();
        out.log(&Source { attributes, scope: Default::default() }, record)?;
    }
    if !found {
        out.fault("the file", "the pattern matches nothing in it");
    }
    Ok(())
}

/// The expression in a file's first line, if it is one that reads vector clocks.
pub(crate) fn expression_of(beginning: &[u8]) -> Option<Regex> {
    let line = std::str::from_utf8(beginning.split(|byte| *byte == b'\n').next()?).ok()?.trim();
    let groups = ["(?<host>", "(?<clock>", "(?<event>"];
    groups.iter().all(|group| line.contains(group)).then(|| Regex::new(line).ok())?
}

fn counts(clock: &Map<String, Value>) -> AnyValue {
    let count = |value: &Value| int(value.as_i64().unwrap_or_default());
    let values = clock.iter().map(|(host, value)| attribute(host, count(value))).collect();
    AnyValue { value: Some(any_value::Value::KvlistValue(KeyValueList { values })) }
}
