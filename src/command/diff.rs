//! `backstory diff A B`: the first event at which two entities part; `diff A --healthy` beside the nearest healthy one.

use std::fmt::Write;
use std::process::ExitCode;

use query::archive::Effort;
use query::compare::{self, CompareError};
use query::export::sanitise;
use query::interface::Query;
use timeline::document::{Diff as Document, Difference, DifferenceKind};

use crate::cli::{Diff, DocumentFormat};
use crate::command::{Usage, effort, explain_nothing, placed};
use crate::output;

/// Asks, compares and prints; exit status 1 where they part.
pub(crate) fn run(diff: &Diff, query: &dyn Query) -> anyhow::Result<ExitCode> {
    let found = compared(&diff.a, diff.b.as_deref(), query, &effort())?;
    match diff.format {
        DocumentFormat::Json => output::print_json(&found)?,
        DocumentFormat::Text => output::print(&text(&found))?,
    }
    Ok(if found.parts_at.is_some() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Where `a` and `b` part; without `b`, `a` and the nearest healthy entity of its type.
pub(crate) fn compared(
    a: &str,
    b: Option<&str>,
    query: &dyn Query,
    effort: &Effort,
) -> anyhow::Result<Document> {
    let found = match compare::entities(query, a, b, effort) {
        Ok(compared) => compared.diff,
        Err(CompareError::Query { error, about }) => return Err(placed(error, &about)),
        Err(error @ CompareError::NoneHealthy { .. }) => return Err(Usage(error.to_string()).into()),
    };
    for side in [&found.a, &found.b].into_iter().filter(|side| side.completeness.total == 0) {
        let entity = format!("{}/{}", side.entity.kind, side.entity.key);
        explain_nothing(query, &format!("nothing concerns {}", sanitise(&entity)))?;
    }
    Ok(found)
}

fn text(diff: &Document) -> String {
    let mut text = String::new();
    let name = |side: &timeline::document::DiffSide| {
        sanitise(&format!("{}/{}", side.entity.kind, side.entity.key)).into_owned()
    };
    let (a, b) = (name(&diff.a), name(&diff.b));
    let differ = diff.differences.len();
    let _ = writeln!(text, "A {a}, B {b}: {} steps alike, {differ} different", diff.same);
    match diff.parts_at {
        None if differ == 0 => text.push_str("They go the same way.\n"),
        None => text.push_str("They go the same way; these took longer:\n"),
        Some(_) => text.push_str("They part at the step marked ▸\n"),
    }
    let service = diff.differences.iter().map(|d| d.service.chars().count()).max().unwrap_or(0).min(20);
    for (at, difference) in diff.differences.iter().enumerate() {
        let mark = if diff.parts_at == Some(at) { '▸' } else { ' ' };
        let _ = writeln!(text, "{mark} {}", line(difference, service));
        for change in &difference.changes {
            let shown = |value: &serde_json::Value| shown(&change.what, value);
            let what = if change.what == "duration_ns" { "took" } else { &change.what };
            let told = format!("{what}: A {}, B {}", shown(&change.a), shown(&change.b));
            let _ = writeln!(text, "      {}", sanitise(&told));
        }
    }
    for (side, name) in [(&diff.a, &a), (&diff.b, &b)] {
        if !side.completeness.complete {
            let _ = writeln!(
                text,
                "{name} may lack records (see `backstory timeline {name}`): what only the other has may have happened there too"
            );
        }
    }
    text
}

fn line(difference: &Difference, service: usize) -> String {
    let side = match difference.kind {
        DifferenceKind::OnlyA => "only A",
        DifferenceKind::OnlyB => "only B",
        DifferenceKind::Changed => "differs",
        DifferenceKind::Slower => "slower",
    };
    let seconds = difference.a_ns.or(difference.b_ns).unwrap_or_default() as f64 / 1e9;
    let name = sanitise(&difference.service).into_owned();
    format!("{side:<8}{seconds:>9.3}  {name:<service$}  {}", sanitise(&difference.name))
}

/// A value for a person: durations in milliseconds.
fn shown(what: &str, value: &serde_json::Value) -> String {
    match (what, value) {
        ("duration_ns", value) => format!("{:.1} ms", value.as_f64().unwrap_or_default() / 1e6),
        (_, serde_json::Value::Null) => "nothing".to_owned(),
        (_, serde_json::Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}
