//! `backstory find VALUE`: under which keys and entities does this value occur, and when.

use std::fmt::Write;

use query::export::sanitise;
use query::interface::Query;
use timeline::document::{Find as FindDocument, FindMatch};

use crate::cli::{Find, TableFormat};
use crate::command::{effort, explain_nothing, placed};
use crate::output;

/// Asks and prints.
pub(crate) fn run(find: &Find, query: &dyn Query) -> anyhow::Result<()> {
    let found = query.find(&find.value, &effort()).map_err(|error| placed(error, &find.value))?;
    if found.matches.is_empty() {
        explain_nothing(query, &format!("{} occurs nowhere", sanitise(&find.value)))?;
    }
    match find.format {
        TableFormat::Json => return output::print_json(&found),
        TableFormat::Jsonl => output::print_jsonl(&found.matches)?,
        TableFormat::Csv => output::print_csv(
            &["entity", "attribute", "value", "records", "first", "last"],
            &found.matches.iter().map(row).collect::<Vec<_>>(),
        )?,
        TableFormat::Text => output::print(&text(&found))?,
    }
    output::warn_incomplete(&found.completeness);
    Ok(())
}

fn row(found: &FindMatch) -> Vec<String> {
    vec![
        found.entity.clone().unwrap_or_default(),
        found.attribute.clone(),
        found.value.clone(),
        found.records.to_string(),
        found.first.to_string(),
        found.last.to_string(),
    ]
}

fn text(found: &FindDocument) -> String {
    let mut text = String::new();
    for found in &found.matches {
        let entity = found.entity.as_deref().unwrap_or("–");
        let _ = writeln!(
            text,
            "{:<24} {:<28} {:<36} {:>8} record{} {} … {}",
            sanitise(entity),
            sanitise(&found.attribute),
            sanitise(&found.value),
            found.records,
            if found.records == 1 { " " } else { "s" },
            found.first.to_utc().format("%F %T%.3f"),
            found.last.to_utc().format("%F %T%.3f"),
        );
    }
    text
}
