//! `backstory entities [TYPE]`: the entity types that records name; of one type, its keys.

use std::fmt::Write;

use query::export::sanitise;
use query::interface::{EntitiesRequest, Query};
use timeline::document::{Entities as Document, EntityKey, EntityType, NamePlace};
use timeline::time::Time;

use crate::cli::{Entities, TableFormat};
use crate::command::{explain_nothing, reading, warn_unread};
use crate::output;

/// So many places of a type are printed; the other formats have all.
const PLACES_SHOWN: usize = 4;

/// Asks and prints.
pub(crate) fn run(entities: &Entities, query: &dyn Query) -> anyhow::Result<()> {
    let found = reading(&entities.read, |window, effort| {
        let request = EntitiesRequest { kind: entities.kind.clone(), window, limit: entities.limit.get() };
        query.entities(&request, effort)
    })?;
    if found.types.is_empty() {
        let what = match &entities.kind {
            Some(kind) => format!("no record names an entity of type {}", sanitise(kind)),
            None => "no record names an entity".to_owned(),
        };
        explain_nothing(query, &what)?;
    }
    print(&found, entities)?;
    if entities.format != TableFormat::Json {
        warn_unread(&found.completeness);
        output::warn_incomplete(&found.completeness);
    }
    Ok(())
}

fn print(found: &Document, asked: &Entities) -> anyhow::Result<()> {
    let keys = asked.kind.is_some();
    match asked.format {
        TableFormat::Json => output::print_json(found),
        TableFormat::Jsonl if keys => output::print_jsonl(&found.entities),
        TableFormat::Jsonl => output::print_jsonl(&found.types),
        TableFormat::Csv if keys => {
            let rows: Vec<_> = found.entities.iter().map(key_row).collect();
            output::print_csv(&["entity", "scope", "records", "first", "last"], &rows)
        }
        TableFormat::Csv => {
            let rows: Vec<_> = found.types.iter().map(type_row).collect();
            output::print_csv(
                &[
                    "type", "keys", "exact", "guessed", "records", "first", "last", "scopes", "services",
                    "copies", "places",
                ],
                &rows,
            )
        }
        TableFormat::Text => {
            output::print(&text(found))?;
            say_what_is_left(found, keys);
            Ok(())
        }
    }
}

fn time(time: Option<Time>) -> String {
    time.map_or_else(String::new, |time| time.to_string())
}

fn key_row(key: &EntityKey) -> Vec<String> {
    let EntityKey { entity, scope, records, first, last } = key;
    vec![entity.clone(), scope.clone(), records.to_string(), time(*first), time(*last)]
}

fn type_row(kind: &EntityType) -> Vec<String> {
    let places: Vec<String> = kind.places.iter().map(place).collect();
    let copies: Vec<&str> = kind.copies.iter().map(|copy| copy.copy.as_str()).collect();
    vec![
        kind.kind.clone(),
        kind.keys.to_string(),
        kind.exact.to_string(),
        kind.guessed.to_string(),
        kind.records.to_string(),
        time(kind.first),
        time(kind.last),
        kind.scopes.join(" "),
        kind.services.join(" "),
        copies.join(" "),
        places.join("; "),
    ]
}

/// `attribute order.id`, `route url.path /orders/{id}`.
fn place(place: &NamePlace) -> String {
    format!("{} {}", place.how, place.place)
}

fn text(found: &Document) -> String {
    let mut text = String::new();
    for kind in &found.types {
        write_type(&mut text, kind);
    }
    let width = found.entities.iter().map(|key| key.entity.chars().count()).max().unwrap_or(0);
    for key in &found.entities {
        let _ = writeln!(
            text,
            "{:<width$}  {:>8} record{} {}  {}",
            sanitise(&key.entity),
            key.records,
            if key.records == 1 { " " } else { "s" },
            span_of(key.first, key.last),
            sanitise(&key.scope),
        );
    }
    text
}

fn write_type(text: &mut String, kind: &EntityType) {
    let about = if kind.exact { "" } else { "about " };
    if kind.records == 0 {
        let _ = writeln!(text, "{}  no key seen", sanitise(&kind.kind));
    } else {
        let _ = writeln!(
            text,
            "{}{}  {about}{} key{}, {} record{}  {}",
            sanitise(&kind.kind),
            if kind.guessed { " (a guess: text alone names it)" } else { "" },
            kind.keys,
            if kind.keys == 1 { "" } else { "s" },
            kind.records,
            if kind.records == 1 { "" } else { "s" },
            span_of(kind.first, kind.last),
        );
    }
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "    {name:<9} {}", sanitise(&value));
        }
    };
    line("services", kind.services.join(", "));
    line("scopes", kind.scopes.join(", "));
    let copies = kind
        .copies
        .iter()
        .map(|copy| format!("{} ({} of {} records write)", copy.copy, copy.writes, copy.records));
    line("copies", copies.collect::<Vec<_>>().join(", "));
    for (number, own) in kind.places.iter().take(PLACES_SHOWN).enumerate() {
        let label = if number == 0 { "named by" } else { "" };
        line(label, format!("{}, as {:?}, in {}", place(own), own.example, own.records));
    }
    let more = kind.places.len().saturating_sub(PLACES_SHOWN);
    if more > 0 {
        line("", format!("and at {more} more places"));
    }
    text.push('\n');
}

/// From when to when, to the millisecond.
pub(super) fn span_of(first: Option<Time>, last: Option<Time>) -> String {
    let written = |time: Option<Time>| match time {
        Some(time) => time.to_utc().format("%F %T%.3f").to_string(),
        None => "no time".to_owned(),
    };
    format!("{} … {}", written(first), written(last))
}

fn say_what_is_left(found: &Document, keys: bool) {
    if found.shown < found.total {
        let what = if keys { "keys, the latest" } else { "types, the most often named" };
        let about = if found.exact { "" } else { "about " };
        eprintln!("backstory: {} of {about}{} {what}: raise --limit for more", found.shown, found.total);
        if keys && !found.exact {
            eprintln!("backstory: more keys than memory was meant for: the list is of a fair sample of them");
        }
    }
}
