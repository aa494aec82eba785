//! `backstory diff A B`: the first event at which two entities part; `diff A --healthy` beside the nearest healthy one.

use std::fmt::Write;
use std::process::ExitCode;

use query::archive::{Effort, Window};
use query::export::sanitise;
use query::interface::{EntitiesRequest, Query, TimelineRequest};
use timeline::compare;
use timeline::document::{Diff as Document, Difference, DifferenceKind, Event, Timeline};
use timeline::record::Severity;
use timeline::time::Time;

use crate::cli::{Diff, DocumentFormat};
use crate::command::{Usage, effort, explain_nothing, placed};
use crate::output;

/// So many entities of the type are looked at for a healthy one.
const CANDIDATES_MAX: usize = 24;
/// Of so many keys the nearest in time are candidates.
const KEYS_MAX: usize = 10_000;

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
    let a = told(a, query, effort)?;
    let b = match b {
        Some(b) => told(b, query, effort)?,
        None => healthy(&a, query, effort)?,
    };
    Ok(compare(&a, &b))
}

fn told(entity: &str, query: &dyn Query, effort: &Effort) -> anyhow::Result<Timeline> {
    let request = TimelineRequest {
        entity: entity.to_owned(),
        window: Window::default(),
        events_max: usize::MAX,
        brief: true,
    };
    let told = query.timeline(&request, effort).map_err(|error| placed(error, entity))?;
    if told.events.is_empty() {
        explain_nothing(query, &format!("nothing concerns {}", sanitise(entity)))?;
    }
    Ok(told)
}

/// The entity of the same type with the fewest differences among the healthy ones that began nearest in time.
fn healthy(a: &Timeline, query: &dyn Query, effort: &Effort) -> anyhow::Result<Timeline> {
    let kind = &a.entity.kind;
    let request = EntitiesRequest { kind: Some(kind.clone()), window: Window::default(), limit: KEYS_MAX };
    let found = query.entities(&request, effort).map_err(|error| placed(error, kind))?;
    let own = format!("{kind}/{}", a.entity.key);
    let began = a.range.map(|range| range.start).unwrap_or_default();
    let apart = |time: Option<Time>| time.map_or(u64::MAX, |time| time.0.abs_diff(began.0));
    let same_scope = |scope: &String| a.entity.scope.is_empty() || *scope == a.entity.scope;
    let mut keys: Vec<_> =
        found.entities.iter().filter(|key| key.entity != own && same_scope(&key.scope)).collect();
    keys.sort_by(|x, y| (apart(x.first), &x.entity).cmp(&(apart(y.first), &y.entity)));
    let mut nearest: Option<(usize, Timeline)> = None;
    for key in keys.into_iter().take(CANDIDATES_MAX) {
        let candidate = told(&key.entity, query, effort)?;
        let differences = compare(a, &candidate).differences.len();
        if is_healthy(&candidate) && nearest.as_ref().is_none_or(|(fewest, _)| differences < *fewest) {
            nearest = Some((differences, candidate));
        }
    }
    let none = || Usage(format!("no healthy {} stands near {own}: name one", sanitise(kind)));
    Ok(nearest.ok_or_else(none)?.1)
}

/// No finding, no gap, no error.
fn is_healthy(timeline: &Timeline) -> bool {
    let failed = |event: &Event| event.severity.is_some_and(|severity| severity >= Severity::Error);
    timeline.findings.is_empty() && timeline.gaps.is_empty() && !timeline.events.iter().any(failed)
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
