//! Grafana Tempo's query API: `/api/search` in TraceQL, `/api/v2/traces/{id}` and the older `/api/traces/{id}`.

use std::sync::atomic::{AtomicBool, Ordering};

use import::Format;
use serde_json::Value;
use timeline::id::TraceId;
use timeline::time::Time;

use super::client::{Told, beginning};
use super::{Answer, Backend, Client, Failure, Found, Search};

/// A Tempo.
#[derive(Default)]
pub(crate) struct Tempo {
    /// Whether it knows the older route alone.
    older: AtomicBool,
}

impl Backend for Tempo {
    fn format(&self) -> Format {
        Format::Tempo
    }

    fn services(&self, _: &Client) -> Result<Option<Vec<String>>, Failure> {
        Ok(None)
    }

    fn search(&self, search: &Search, client: &Client) -> Result<Found, Failure> {
        let seconds = |time: Time| time.0 / 1_000_000_000;
        let mut parameters =
            vec![("q", traceql(search)), ("limit", search.limit.to_string()), ("spss", "1".to_owned())];
        if let (Some(since), Some(until)) = (search.window.since, search.window.until) {
            // A second is its smallest unit.
            parameters.push(("start", seconds(since).to_string()));
            parameters.push(("end", (seconds(until) + 1).to_string()));
        }
        let asked = client.get("/api/search", &parameters)?;
        let told = read(client, "/api/search", &asked)?;
        let ids: Vec<&str> = told["traces"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|trace| trace["traceID"].as_str())
            .collect();
        let mut found = Found::default();
        if ids.len() >= search.limit {
            found.lacks.push(super::capped(search, ids.len(), None));
        }
        let jobs = |name: &str| told["metrics"][name].as_u64();
        if let (Some(done), Some(all)) = (jobs("completedJobs"), jobs("totalJobs"))
            && done < all
            && ids.len() < search.limit
        {
            found.lacks.push(format!("{search}: it looked at {done} of {all} parts of its store"));
        }
        found.traces = ids.into_iter().filter_map(super::trace_id).map(|id| (id, None)).collect();
        Ok(found)
    }

    fn trace(&self, id: TraceId, client: &Client) -> Result<Option<Answer>, Failure> {
        let routes = [format!("/api/v2/traces/{id}"), format!("/api/traces/{id}")];
        for path in &routes[usize::from(self.older.load(Ordering::Relaxed))..] {
            let asked = client.get(path, &[])?;
            if asked.status == 404 {
                continue; // no such trace, or no such route
            }
            let told = read(client, path, &asked)?;
            self.older.fetch_or(told.get("batches").is_some(), Ordering::Relaxed);
            let is_partial =
                told["status"].as_str().is_some_and(|status| status.eq_ignore_ascii_case("PARTIAL"));
            let lacks = is_partial.then(|| {
                let said = told["message"].as_str().unwrap_or("it does not say why");
                format!("trace {id} is not whole: {said}")
            });
            return Ok(Some(Answer { body: asked.body, lacks }));
        }
        Ok(None)
    }
}

/// The search in TraceQL.
fn traceql(search: &Search) -> String {
    if let Some(query) = &search.query {
        return query.clone();
    }
    let mut conditions = Vec::new();
    conditions
        .extend(search.service.as_ref().map(|name| format!("resource.service.name = {}", quoted(name))));
    conditions.extend(search.operation.as_ref().map(|name| format!("name = {}", quoted(name))));
    conditions.extend(search.tags.iter().map(|(key, value)| tag(key, value)));
    conditions.extend(search.duration_min.as_ref().map(|least| format!("duration >= {least}")));
    conditions.extend(search.duration_max.as_ref().map(|most| format!("duration <= {most}")));
    format!("{{ {} }}", conditions.join(" && "))
}

/// TraceQL compares no text with a number: what could be either is asked for as both.
fn tag(key: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let key = if key.chars().all(plain) { format!(".{key}") } else { format!(".{}", quoted(key)) };
    let text = format!("{key} = {}", quoted(value));
    let is_other = value.parse::<i64>().is_ok() || matches!(value, "true" | "false");
    if is_other { format!("({text} || {key} = {value})") } else { text }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn read(client: &Client, path: &str, told: &Told) -> Result<Value, Failure> {
    let place = format!("{}{path}", client.base());
    if told.status != 200 {
        return Err(Failure::Failed(format!("{place} answered {}: {}", told.status, beginning(&told.body))));
    }
    serde_json::from_slice(&told.body).map_err(|error| {
        Failure::Failed(format!("{place} answered not in JSON ({error}): {}", beginning(&told.body)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_written_in_traceql() {
        let mut search = Search { service: Some("or\"ders".into()), limit: 20, ..Search::default() };
        search.operation = Some("POST /orders".into());
        search.duration_min = Some("100ms".into());
        search.tags.insert("order.id".into(), "42".into());
        search.tags.insert("a key".into(), "x\\y".into());
        assert_eq!(
            traceql(&search),
            r#"{ resource.service.name = "or\"ders" && name = "POST /orders" && ."a key" = "x\\y" && (.order.id = "42" || .order.id = 42) && duration >= 100ms }"#
        );
        search.query = Some("{ status = error }".into());
        assert_eq!(traceql(&search), "{ status = error }");
        assert_eq!(traceql(&Search::default()), "{  }");
    }
}
