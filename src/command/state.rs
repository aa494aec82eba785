//! `backstory state ENTITY`: what each copy held, at the end or at a moment.

use std::fmt::Write;

use query::export::sanitise;
use query::interface::{Query, StateRequest};
use serde_json::Value;
use timeline::document::{CopyState, Known, State as Document};
use timeline::state::Moment;

use crate::cli::{State, TableFormat};
use crate::command::{effort, explain_nothing, placed, window};
use crate::output;

/// Asks and prints.
pub(crate) fn run(state: &State, query: &dyn Query) -> anyhow::Result<()> {
    let time = window(state.at.as_deref(), None)?.since;
    let moment = match (time, &state.event) {
        (Some(time), _) => Moment::Time(time),
        (None, Some(event)) => Moment::Event(event.clone()),
        (None, None) => Moment::End,
    };
    let request = StateRequest { entity: state.entity.clone(), moment };
    let answer = query.state(&request, &effort()).map_err(|error| placed(error, &state.entity))?;
    if answer.copies.is_empty() {
        let entity = sanitise(&state.entity);
        explain_nothing(query, &format!("no record tells what was done to the state of {entity}"))?;
    }
    match state.format {
        TableFormat::Json => return output::print_json(&answer),
        TableFormat::Jsonl => output::print_jsonl(&answer.copies)?,
        TableFormat::Csv => {
            let rows: Vec<_> = answer.copies.iter().map(row).collect();
            let header = [
                "entity",
                "copy",
                "part",
                "owner",
                "field",
                "value",
                "known",
                "alternatives",
                "version",
                "since",
                "event",
                "lag_ns",
            ];
            output::print_csv(&header, &rows)?;
        }
        TableFormat::Text => output::print(&text(&answer))?,
    }
    output::warn_incomplete(&answer.completeness);
    Ok(())
}

fn known(known: Known) -> &'static str {
    match known {
        Known::Before => "before",
        Known::Unordered => "unordered",
        Known::No => "no",
    }
}

/// A value as a person writes it.
fn written(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn row(copy: &CopyState) -> Vec<String> {
    let alternatives: Vec<String> = copy.alternatives.iter().map(|value| written(Some(value))).collect();
    vec![
        copy.entity.clone(),
        copy.copy.clone(),
        copy.part.to_string(),
        copy.owner.to_string(),
        copy.field.clone().unwrap_or_default(),
        written(copy.value.as_ref()),
        known(copy.known).to_owned(),
        alternatives.join("; "),
        written(copy.version.as_ref()),
        copy.since.map(|since| since.to_string()).unwrap_or_default(),
        copy.event.map(|event| event.to_string()).unwrap_or_default(),
        copy.lag_ns.map(|lag| lag.to_string()).unwrap_or_default(),
    ]
}

fn text(state: &Document) -> String {
    let mut text = String::new();
    if let Some(at) = state.at {
        let _ = writeln!(text, "at {at}");
    }
    let width = |cell: fn(&CopyState) -> usize| state.copies.iter().map(cell).max().unwrap_or(0);
    let (fields, values) = (
        width(|copy| copy.field.as_deref().unwrap_or("?").chars().count()),
        width(|copy| told(copy).chars().count()),
    );
    let mut holder = None;
    for copy in &state.copies {
        if holder != Some((&copy.entity, &copy.copy)) {
            let role = match (copy.owner, copy.part) {
                (true, _) => "  owner",
                (_, true) => "  part",
                _ => "",
            };
            let _ = writeln!(text, "\n{}  {}{role}", sanitise(&copy.entity), sanitise(&copy.copy));
            holder = Some((&copy.entity, &copy.copy));
        }
        let since = copy.since.map(|since| since.to_utc().format("since %F %T%.3f").to_string());
        let _ = writeln!(
            text,
            "  {:<fields$}  {:<values$}  {}{}",
            sanitise(copy.field.as_deref().unwrap_or("?")),
            sanitise(&told(copy)),
            since.unwrap_or_default(),
            lag(copy),
        );
    }
    text
}

/// `paid`, `paid ≈ shipped` where nothing decides, `?` where it is unknown, `nothing` where none is held.
fn told(copy: &CopyState) -> String {
    let value = match (&copy.value, copy.known) {
        (None, Known::No) => "?".to_owned(),
        (None | Some(Value::Null), Known::Before) => "nothing".to_owned(),
        (value, _) => written(value.as_ref()),
    };
    let version = copy.version.as_ref().map(|version| format!(" (version {})", written(Some(version))));
    let others: Vec<String> = copy.alternatives.iter().map(|value| written(Some(value))).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ≈ {}", others.join(" ≈ ")) };
    format!("{value}{others}{}", version.unwrap_or_default())
}

fn lag(copy: &CopyState) -> String {
    match copy.lag_ns {
        Some(lag) if lag > 0 => format!("  {:.3} s behind the owner", lag as f64 / 1e9),
        _ => String::new(),
    }
}
