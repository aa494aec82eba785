//! `backstory init`: a commented `backstory.toml` from what was seen.
//!
//! Settings stand behind a bare `#`, prose behind `# `: the file as written changes nothing, and any of its lines can
//! be uncommented as it stands.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context;
use query::export::sanitise;
use query::interface::{EntitiesRequest, Query};
use timeline::document::{Entities, EntityType, SeenCopy};

use super::entities::span_of;
use crate::cli::Init;
use crate::command::{Usage, explain_nothing, reading, warn_unread};
use crate::output;

/// So many types get a section: those that most records name.
const TYPES_MAX: usize = 20;

/// Looks and writes.
pub(crate) fn run(init: &Init, query: &dyn Query) -> anyhow::Result<()> {
    let path = &init.file;
    if path.exists() && !init.force {
        let message =
            format!("{} is there already: name another file, or replace it with --force", path.display());
        return Err(Usage(message).into());
    }
    let seen = reading(&init.read, |window, effort| {
        query.entities(&EntitiesRequest { kind: None, window, limit: usize::from(u16::MAX) }, effort)
    })?;
    if seen.types.is_empty() {
        explain_nothing(query, "no record names an entity: the file will have examples only")?;
    }
    let text = file(&seen, &query.source());
    let mut options = std::fs::OpenOptions::new();
    // Another may have made it meanwhile: only --force replaces a file.
    options.write(true).create(true).truncate(true).create_new(!init.force);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("{} cannot be written", path.display()))?;
    warn_unread(&seen.completeness);
    output::warn_incomplete(&seen.completeness);
    eprintln!("backstory: {} is written; its lines are comments until you uncomment them", path.display());
    Ok(())
}

/// The whole file.
fn file(seen: &Entities, source: &str) -> String {
    let mut text = String::new();
    prose(
        &mut text,
        &format!("Written by `backstory init` from {} records of {source}.", seen.completeness.shown),
    );
    prose(&mut text, "Every setting is commented out and shows what holds without it, or what was seen.");
    prose(
        &mut text,
        "What can be inferred is inferred without this file; uncomment what you want to be exact about.",
    );
    text.push_str(SETTINGS);
    let named = seen.types.iter().filter(|kind| !kind.guessed && kind.records > 0);
    let kinds: Vec<&EntityType> = named.take(TYPES_MAX).collect();
    for (number, kind) in kinds.iter().enumerate() {
        text.push('\n');
        section(&mut text, kind);
        if number == 0 {
            transitions(&mut text, &kind.kind);
        }
    }
    if kinds.is_empty() {
        text.push_str("\n#[entity.order]\n");
        transitions(&mut text, "order");
    }
    text.push('\n');
    examples(&mut text, kinds.first().copied());
    text
}

const SETTINGS: &str = r#"
# Where the data is: a folder, or a running server.
#data = "/var/lib/backstory"
#connect = "http://127.0.0.1:4320"

# Where `backstory serve` listens; beyond loopback it wants a file of tokens.
#grpc = "127.0.0.1:4317"
#http = "127.0.0.1:4318"
#query = "127.0.0.1:4320"
#tokens = "tokens"

# What is kept: what arrived within this time, and at most so much.
#keep_for = "3d"
#keep_bytes = "20GB"
"#;

/// What was seen of one type.
fn section(text: &mut String, kind: &EntityType) {
    let about = if kind.exact { "" } else { "about " };
    prose(
        text,
        &format!(
            "{}: {about}{} keys in {} records, {}, named by {}.",
            kind.kind,
            kind.keys,
            kind.records,
            span_of(kind.first, kind.last),
            kind.services.join(", ")
        ),
    );
    for place in kind.places.iter().filter(|place| !is_attribute(&place.how)) {
        prose(
            text,
            &format!(
                "    {} {}, as {:?}, in {} records",
                place.how, place.place, place.example, place.records
            ),
        );
    }
    setting(text, &format!("[entity.{}]", key(&kind.kind)));
    let attributes: Vec<String> = kind
        .places
        .iter()
        .filter(|place| is_attribute(&place.how))
        .map(|place| place.place.rsplit(':').next().unwrap_or(&place.place)) // an event's attribute by its own name
        .map(|name| name.strip_prefix("body.").unwrap_or(name))
        .map(quoted)
        .collect();
    if !attributes.is_empty() {
        let mut once: Vec<String> = Vec::new();
        attributes.into_iter().for_each(|name| {
            if !once.contains(&name) {
                once.push(name);
            }
        });
        setting(text, &format!("attributes = [{}]", once.join(", ")));
    }
    let tables = owners(kind);
    if let Some(first) = tables.first() {
        setting(text, &format!("owner = {}", quoted(&first.copy)));
        for other in kind.copies.iter().filter(|copy| copy.copy != first.copy) {
            prose(
                text,
                &format!(
                    "    also {}: {} of {} records write to it",
                    other.copy, other.writes, other.records
                ),
            );
        }
    }
}

fn is_attribute(how: &str) -> bool {
    how == "attribute" || how == "explicit"
}

/// Tables that are written to: one of them is the system of record, as a rule the one written most.
fn owners(kind: &EntityType) -> Vec<&SeenCopy> {
    let cache = |copy: &str| copy.starts_with("redis/") || copy.starts_with("valkey/");
    kind.copies.iter().filter(|copy| copy.writes > 0 && !cache(&copy.copy)).collect()
}

/// What may follow on what: an example.
fn transitions(text: &mut String, name: &str) {
    prose(text, "What may follow on what, and which log lines say so. For example:");
    setting(
        text,
        r#"transitions = { status = ["created -> paid", "paid -> shipped", "created -> cancelled"] }"#,
    );
    let pattern = format!("{name} (?<key>\\d+) is now (?<status>\\w+)");
    setting(text, &format!("log = [{}]", quoted(&pattern)));
}

/// What no telemetry says by itself: examples for the type named most.
fn examples(text: &mut String, kind: Option<&EntityType>) {
    let name = kind.map_or("order", |kind| kind.kind.as_str());
    let cache = kind.and_then(|kind| {
        let owner = owners(kind).first().map(|owner| owner.copy.clone());
        kind.copies.iter().find(|copy| copy.writes > 0 && Some(&copy.copy) != owner.as_ref())
    });
    let copy = cache.map_or_else(|| format!("redis/{name}"), |copy| copy.copy.clone());
    prose(text, "How far a copy may lag behind the owner, and what must hold. For example:");
    setting(text, "[[budget]]");
    setting(text, &format!("entity = {}", quoted(name)));
    setting(text, &format!("copy = {}", quoted(&copy)));
    setting(text, "lag = \"2s\"");
    text.push('\n');
    setting(text, "[[rule]]");
    setting(text, "name = \"one capture\"");
    setting(text, &format!("entity = {}", quoted(name)));
    setting(text, "at_most = 1");
    setting(text, "write = \"charges.state = captured\"");
}

fn prose(text: &mut String, line: &str) {
    let _ = writeln!(text, "# {}", sanitise(line)); // no text of telemetry ends a comment
}

fn setting(text: &mut String, line: &str) {
    let _ = writeln!(text, "#{line}");
}

/// A text as TOML has it, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            char if char.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(char));
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// A key as TOML has it.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if bare { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use timeline::document::{Completeness, NamePlace};

    use super::*;
    use crate::config::File;

    fn place(how: &str, place: &str) -> NamePlace {
        NamePlace { how: how.to_owned(), place: place.to_owned(), records: 3, example: "42".to_owned() }
    }

    fn seen(name: &str) -> Entities {
        let copy = |copy: &str, writes| SeenCopy { copy: copy.to_owned(), records: 9, writes };
        let kind = EntityType {
            kind: name.to_owned(),
            keys: 100,
            exact: true,
            guessed: false,
            records: 4879,
            first: None,
            last: None,
            scopes: vec![],
            services: vec!["orders".to_owned()],
            copies: vec![copy("shop/orders", 7), copy("redis/order", 2), copy("kafka/order-events", 0)],
            places: vec![
                place("attribute", "order.id"),
                place("attribute", "event:paid:order.id"),
                place("text", "body"),
            ],
        };
        Entities {
            schema: Entities::SCHEMA.to_owned(),
            completeness: Completeness { shown: 4879, total: 4879, ..Completeness::default() },
            types: vec![kind],
            entities: vec![],
            shown: 1,
            total: 1,
            exact: true,
        }
    }

    /// The file with every setting in force.
    fn uncommented(file: &str) -> String {
        let bare = |line: &str| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        };
        file.lines().map(bare).collect()
    }

    #[test]
    fn it_is_a_file_to_read_and_uncomment() {
        insta::assert_snapshot!(file(&seen("order"), "/data"));
    }

    #[test]
    fn it_parses_as_it_is_written() {
        let text = file(&seen("order"), "/data");
        let parsed: Result<File, _> = toml::from_str(&text);
        assert!(parsed.is_ok(), "{parsed:?}");
        let values: toml::Table = toml::from_str(&text).expect("TOML");
        assert!(values.is_empty(), "as written it sets nothing: {values:?}");
    }

    #[test]
    fn whatever_telemetry_says_every_setting_is_sound_once_uncommented() {
        for name in ["order", "a b", "a\"]\nx = 1", "\u{1b}[31m", "ünï"] {
            let text = uncommented(&file(&seen(name), "/data\nx = 1"));
            let settings: toml::Table = toml::from_str(&text).unwrap_or_else(|e| panic!("{name:?}: {e}"));
            let owner = settings["entity"][name]["owner"].as_str();
            assert_eq!(owner, Some("shop/orders"), "{name:?}");
            assert_eq!(settings["entity"][name]["attributes"].as_array().map(Vec::len), Some(1));
            assert!(settings.get("x").is_none());
            assert_eq!(settings["budget"][0]["copy"].as_str(), Some("redis/order"));
        }
    }
}
