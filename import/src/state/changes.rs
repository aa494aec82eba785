//! A row as a change of state.

use serde_json::Value;

use super::options::Moment;
use super::record::{self, Operation, single};
use super::{Row, StateOptions};
use crate::logs::{LogOptions, OptionError, parse_time};

/// The operations of a row; what is wrong with the row, where it is.
pub(super) fn of(
    row: &Row,
    options: &StateOptions,
    times: &LogOptions,
) -> Result<Result<Vec<Operation>, String>, OptionError> {
    // Connect's JSON converter wraps the envelope in its schema.
    let envelope = match row.get("payload") {
        Some(Value::Object(payload)) if row.contains_key("schema") => payload,
        _ => row,
    };
    let is_envelope = envelope.contains_key("before") || envelope.contains_key("after");
    if is_envelope && envelope.contains_key("op") && options.columns.is_empty() {
        return Ok(debezium(envelope, options));
    }
    table(row, options, times)
}

/// An envelope of Debezium's: the row before and after.
fn debezium(envelope: &Row, options: &StateOptions) -> Result<Vec<Operation>, String> {
    let source = envelope.get("source").and_then(Value::as_object);
    let text = |name: &str| source.and_then(|source| source.get(name)).and_then(single);
    // The database's time of the change; the connector's where there is none.
    let time_ns = source.and_then(time_of).or_else(|| time_of(envelope)).ok_or("it has no ts_ms")?;
    let kind =
        options.entity.clone().or_else(|| text("table").map(|table| timeline::naming::kind_named(&table)));
    let change = Change {
        kind: kind.ok_or("it names no table: say whose rows they are with --entity TYPE")?,
        before: object(envelope.get("before"))?,
        after: object(envelope.get("after"))?,
        version: None,
        transaction: text("txId").or_else(|| text("gtid")),
        at: Moment { time_ns, error_ns: options.error_ns },
        span: None,
    };
    match envelope.get("op").and_then(Value::as_str) {
        // A snapshot's row was read, not written.
        Some("r") => change.operations("read", options),
        Some("c" | "u") => change.operations("write", options),
        Some("d") => change.operations("delete", options),
        Some("t" | "m") => Ok(Vec::new()),
        other => Err(format!("its op is {other:?}, and none of c, u, d, r")),
    }
}

/// The finest time that an envelope or its source states.
fn time_of(of: &Row) -> Option<u64> {
    let number = |name: &str| of.get(name).and_then(Value::as_u64);
    let scaled = |name: &str, unit: u64| number(name).and_then(|number| number.checked_mul(unit));
    number("ts_ns")
        .or_else(|| scaled("ts_us", 1_000))
        .or_else(|| scaled("ts_ms", 1_000_000))
        .filter(|ns| *ns > 0)
}

fn object(value: Option<&Value>) -> Result<Option<Row>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(row)) => Ok(Some(row.clone())),
        // A column of JSON is a text.
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => serde_json::from_str(text)
            .map(Some)
            .map_err(|error| format!("a row in it is no JSON object: {error}")),
        Some(_) => Err("a row in it is no JSON object".to_owned()),
    }
}

/// A row of an audit or outbox table, by the columns that have roles.
fn table(
    row: &Row,
    options: &StateOptions,
    times: &LogOptions,
) -> Result<Result<Vec<Operation>, String>, OptionError> {
    let cell =
        |role: &str| options.column(role).and_then(|column| row.get(column)).filter(|cell| !is_empty(cell));
    let text = |role: &str| cell(role).and_then(single);
    let Some(written) = text("time") else {
        return Ok(Err("it has no time: say which column is it with --columns time=COLUMN".to_owned()));
    };
    let Some(time_ns) = parse_time(&written, times)? else {
        return Ok(Err(format!("the time {written:?} can't be read (--time-format says how it is written)")));
    };
    let at = Moment { time_ns, error_ns: options.error_ns };
    Ok(change_of_table(row, options, at, &cell, &text))
}

fn change_of_table<'a>(
    row: &Row,
    options: &StateOptions,
    at: Moment,
    cell: &dyn Fn(&str) -> Option<&'a Value>,
    text: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Operation>, String> {
    let kind =
        options.entity.clone().or_else(|| text("entity").map(|kind| timeline::naming::kind_named(&kind)));
    let kind = kind.ok_or("it names no type: say it with --entity TYPE, or --columns entity=COLUMN")?;
    let op = match text("op") {
        None => "write",
        Some(op) => operation_named(&op)?,
    };
    let span = span_of(text)?;
    if let Some(field) = text("field") {
        // An audit table with a row for each field.
        let key = text("key").ok_or("it has no key: say which column is it with --columns key=COLUMN")?;
        let (from, value) = (cell("from").cloned(), cell("value").cloned());
        let (version, transaction) = (cell("version").cloned(), text("transaction"));
        let field = Some(field);
        return Ok(vec![Operation {
            kind,
            key: key.into(),
            op,
            field,
            from,
            value,
            version,
            transaction,
            at,
            span,
        }]);
    }
    let keyed = |mut inner: Row| {
        // An outbox has the key beside the payload.
        if let (Some(key), [name]) = (cell("key"), options.key.as_slice()) {
            inner.entry(name.clone()).or_insert_with(|| key.clone());
        }
        inner
    };
    let (before, after) = match (object(cell("before"))?, object(cell("after"))?) {
        (None, None) => (None, Some(row.clone())),
        (before, after) => (before.map(keyed), after.map(keyed)),
    };
    let (version, transaction) = (cell("version").cloned(), text("transaction"));
    let change = Change { kind, before, after, version, transaction, at, span };
    match text("key").filter(|_| options.key.is_empty()) {
        Some(key) => change.operations_of(&key.into(), &[], op, options),
        None => change.operations(op, options),
    }
}

fn is_empty(cell: &Value) -> bool {
    cell.is_null() || cell.as_str() == Some("")
}

/// What audit tables call it: `INSERT`, `U`, `deleted`.
fn operation_named(name: &str) -> Result<&'static str, String> {
    let known = [
        (
            "write",
            [
                "w", "c", "u", "i", "insert", "inserted", "create", "created", "update", "updated", "write",
                "upsert",
            ]
            .as_slice(),
        ),
        ("delete", ["d", "delete", "deleted", "remove", "removed"].as_slice()),
        ("read", ["r", "read", "select"].as_slice()),
        ("append", ["append"].as_slice()),
        ("add", ["add"].as_slice()),
    ];
    let lower = name.trim().to_ascii_lowercase();
    let found = known.iter().find(|(_, names)| names.contains(&lower.as_str())).map(|(op, _)| *op);
    found
        .ok_or_else(|| format!("its operation is {name:?}, which is neither insert, update, delete nor read"))
}

/// The span in which a change was made, where the row says so: that orders it.
fn span_of(text: &dyn Fn(&str) -> Option<String>) -> Result<Option<(String, String)>, String> {
    if let Some(parent) = text("traceparent") {
        let parts: Vec<&str> = parent.split('-').collect();
        return match parts.as_slice() {
            [_, trace, span, ..] if trace.len() == 32 && span.len() == 16 => {
                Ok(Some(((*trace).to_owned(), (*span).to_owned())))
            }
            _ => Err(format!("{parent:?} is no traceparent")),
        };
    }
    Ok(text("trace_id").map(|trace| (trace, text("span_id").unwrap_or_default())))
}

/// A row before and after.
struct Change {
    kind: String,
    before: Option<Row>,
    after: Option<Row>,
    version: Option<Value>,
    transaction: Option<String>,
    at: Moment,
    span: Option<(String, String)>,
}

impl Change {
    fn operations(self, op: &'static str, options: &StateOptions) -> Result<Vec<Operation>, String> {
        let row =
            self.after.as_ref().or(self.before.as_ref()).ok_or("it has no row, neither before nor after")?;
        let keys = options.keys(row)?;
        let key = record::key(row, &keys)?;
        self.operations_of(&key, &keys, op, options)
    }

    /// One operation a field that changed; of a deletion one.
    fn operations_of(
        self,
        key: &Value,
        keys: &[String],
        op: &'static str,
        options: &StateOptions,
    ) -> Result<Vec<Operation>, String> {
        let operation = |field: Option<&String>, from: Option<&Value>, value: Option<&Value>| Operation {
            kind: self.kind.clone(),
            key: key.clone(),
            op,
            field: field.cloned(),
            from: from.cloned(),
            value: value.cloned(),
            version: self.version.clone(),
            transaction: self.transaction.clone(),
            at: self.at,
            span: self.span.clone(),
        };
        if op == "delete" {
            return Ok(vec![operation(None, None, None)]);
        }
        let after = self.after.as_ref().ok_or("it has no row after the change")?;
        let before = |field: &str| self.before.as_ref().and_then(|row| row.get(field));
        let fields = after.iter().filter(|(field, _)| !keys.contains(field) && options.takes(field));
        let changed = fields.filter(|(field, value)| op == "read" || before(field) != Some(value));
        Ok(changed.map(|(field, value)| operation(Some(field), before(field), Some(value))).collect())
    }
}
