//! Jaeger's query API: `/api/services`, `/api/traces`, `/api/traces/{id}`.

use import::Format;
use serde_json::{Value, json};
use timeline::id::TraceId;
use timeline::time::Time;

use super::client::{Told, beginning};
use super::{Answer, Backend, Client, Failure, Found, Search};

/// A Jaeger, or what answers like one.
pub(crate) struct Jaeger;

impl Backend for Jaeger {
    fn format(&self) -> Format {
        Format::Jaeger
    }

    fn services(&self, client: &Client) -> Result<Option<Vec<String>>, Failure> {
        let told = told(client, "/api/services", &[])?;
        let names = told["data"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(Some(names.map(str::to_owned).collect()))
    }

    fn search(&self, search: &Search, client: &Client) -> Result<Found, Failure> {
        let mut told = told(client, "/api/traces", &parameters(search))?;
        let mut found = Found { lacks: problems(&told), ..Found::default() };
        let traces = match told["data"].take() {
            Value::Array(traces) => traces,
            _ => Vec::new(),
        };
        if traces.len() >= search.limit {
            // Ours says how many match; Jaeger how many it sends.
            let total = told["total"].as_u64().filter(|total| *total > traces.len() as u64);
            found.lacks.push(super::capped(search, traces.len(), total));
        }
        for trace in traces {
            match id(&trace) {
                Some(id) => found.traces.push((id, Some(answer(&trace)))),
                None => found.lacks.push(format!("{search}: a trace without an id came")),
            }
        }
        Ok(found)
    }

    fn trace(&self, id: TraceId, client: &Client) -> Result<Option<Answer>, Failure> {
        let path = format!("/api/traces/{id}");
        let asked = client.get(&path, &[])?;
        if asked.status == 404 {
            return Ok(None);
        }
        let told = read(client, &path, &asked)?;
        let lacks = problems(&told).into_iter().next();
        Ok(told["data"].get(0).map(|trace| Answer { lacks, ..answer(trace) }))
    }
}

fn parameters(search: &Search) -> Vec<(&'static str, String)> {
    let microseconds = |time: Time| (time.0 / 1_000).to_string();
    let tags = (!search.tags.is_empty()).then(|| json!(search.tags).to_string());
    let some = [
        ("service", search.service.clone()),
        ("operation", search.operation.clone()),
        ("tags", tags),
        ("minDuration", search.duration_min.clone()),
        ("maxDuration", search.duration_max.clone()),
        ("start", search.window.since.map(microseconds)),
        ("end", search.window.until.map(microseconds)),
        ("limit", Some(search.limit.to_string())),
    ];
    some.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn told(client: &Client, path: &str, parameters: &[(&str, String)]) -> Result<Value, Failure> {
    let asked = client.get(path, parameters)?;
    read(client, path, &asked)
}

/// The document; an error where it is none, or tells of nothing but errors.
fn read(client: &Client, path: &str, told: &Told) -> Result<Value, Failure> {
    let place = format!("{}{path}", client.base());
    let document: Result<Value, _> = serde_json::from_slice(&told.body);
    match (document, told.status) {
        (Ok(document), 200) if document.get("data").is_some() => Ok(document),
        (Ok(document), status) => {
            let said = problems(&document).into_iter().next();
            let said = said.unwrap_or_else(|| format!("not in Jaeger's language: {}", beginning(&told.body)));
            Err(Failure::Failed(format!("{place} answered {status}: {said}")))
        }
        (Err(error), status) => Err(Failure::Failed(format!(
            "{place} answered {status}, not in JSON ({error}): {}",
            beginning(&told.body)
        ))),
    }
}

/// What stands under `errors`.
fn problems(document: &Value) -> Vec<String> {
    let errors = document["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| Some(error["msg"].as_str()?.to_owned())).collect()
}

fn answer(trace: &Value) -> Answer {
    Answer { body: json!({ "data": [trace] }).to_string().into_bytes(), lacks: None }
}

fn id(trace: &Value) -> Option<TraceId> {
    super::trace_id(trace["traceID"].as_str()?)
}
