//! `backstory search QUERY`: the records that match.

use std::fmt::Write;

use anyhow::Context;
use query::export::sanitise;
use query::interface::{Query, SearchRequest};
use timeline::document::{Search as SearchDocument, SearchRecord};

use crate::cli::{Search, TableFormat};
use crate::command::{Usage, effort, explain_nothing, placed};
use crate::output;

/// Asks and prints, one page or all.
pub(crate) fn run(search: &Search, query: &dyn Query) -> anyhow::Result<()> {
    let mut request = SearchRequest {
        query: search.query.join(" "),
        limit: search.limit.get(),
        before: position(search.before.as_deref())?,
    };
    let mut page = ask(&request, query)?;
    if search.all {
        // A page at a time, so that no answer is larger than the server grants.
        while let Some(next) = page.next.take() {
            request.before = position(Some(&next))?;
            let more = ask(&request, query)?;
            page.records.extend(more.records);
            page.next = more.next;
        }
        page.shown = page.records.len() as u64;
        page.completeness.shown = page.shown;
    }
    if page.total == 0 {
        explain_nothing(query, "nothing matches")?;
    }
    print(search.format, &page)
}

fn position(text: Option<&str>) -> anyhow::Result<Option<timeline::record::Position>> {
    text.map(|text| text.parse().map_err(|error| Usage(format!("--before: {error}")).into())).transpose()
}

fn ask(request: &SearchRequest, query: &dyn Query) -> anyhow::Result<SearchDocument> {
    query.search(request, &effort()).map_err(|error| placed(error, &request.query)).context("search")
}

fn print(format: TableFormat, page: &SearchDocument) -> anyhow::Result<()> {
    match format {
        TableFormat::Json => return output::print_json(page),
        TableFormat::Jsonl => output::print_jsonl(&page.records)?,
        TableFormat::Csv => output::print_csv(
            &["time", "service", "kind", "severity", "name", "trace_id", "span_id", "record"],
            &page.records.iter().map(row).collect::<Vec<_>>(),
        )?,
        TableFormat::Text => output::print(&page.records.iter().map(line).collect::<String>())?,
    }
    eprintln!("backstory: showing {} of {}", page.shown, page.total);
    if let Some(next) = &page.next {
        eprintln!("backstory: the next page: --before {next}");
    }
    output::warn_incomplete(&page.completeness);
    Ok(())
}

fn row(record: &SearchRecord) -> Vec<String> {
    let id = |id: Option<String>| id.unwrap_or_default();
    vec![
        record.time.to_string(),
        record.service.clone(),
        record.kind.clone(),
        record.severity.map(|severity| severity.as_str().to_owned()).unwrap_or_default(),
        title(record),
        id(record.trace_id.map(|id| id.to_string())),
        id(record.span_id.map(|id| id.to_string())),
        record.record.to_string(),
    ]
}

/// What a person calls the record: the span's name, the log's text.
fn title(record: &SearchRecord) -> String {
    match &record.body {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(body) if !body.is_null() => body.to_string(),
        _ => record.name.clone(),
    }
}

fn line(record: &SearchRecord) -> String {
    let mut text = String::new();
    let what = match (record.span_kind, record.severity) {
        (Some(kind), _) => kind.as_str(),
        (None, severity) => severity.map_or("log", |severity| severity.as_str()),
    };
    let duration = match (record.start, record.end) {
        (Some(start), Some(end)) => format!("{:.3} ms", end.since(start) as f64 / 1e6),
        _ => String::new(),
    };
    let failed = record.status == Some(timeline::record::StatusCode::Error);
    let trace = record.trace_id.map(|id| id.to_string()).unwrap_or_default();
    let _ = writeln!(
        text,
        "{} {:<18} {:<8} {} {:<48} {:>12}  {trace}",
        record.time.to_utc().format("%F %T%.6f"),
        sanitise(&record.service),
        what,
        if failed { "✗" } else { " " },
        sanitise(&title(record)),
        duration,
    );
    text
}
