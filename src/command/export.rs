//! `backstory export ENTITY --to FILE`: a timeline in a file, for other tools and other people.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use query::bundle::Bundle;
use query::export::{Format, sanitise};
use query::interface::{IncidentsRequest, Query, TimelineRequest};
use query::language::Zone;
use query::redact::{Preview, Redactor, Rules};

use crate::cli::{Export, TimelineFormat, Which};
use crate::command::{Usage, effort, made, placed, timeline};
use crate::output;

/// Of an incident at most so many entities of a type are looked at.
const INCIDENT_ENTITIES_MAX: usize = 10_000;

/// Standard output.
const STDOUT: &str = "-";

/// The endings of what is made of records.
const OF_RECORDS: [(&str, TimelineFormat); 3] = [
    (".otlp.jsonl", TimelineFormat::Otlp),
    (".otlp", TimelineFormat::Otlp),
    (".jaeger.json", TimelineFormat::Jaeger),
];

/// Asks and writes, with tokens for what `rules` say. The file appears whole or not at all.
pub(crate) fn run(export: &Export, query: &dyn Query, rules: Rules) -> anyhow::Result<()> {
    if rules.is_empty() && export.redact.redact_preview {
        let nothing = "nothing is to be redacted: name it with --redact, or in [redact] of backstory.toml";
        return Err(Usage(nothing.to_owned()).into());
    }
    if rules.is_empty() && export.bundle.is_none() {
        return told(export, &export.which, query);
    }
    let bundle = bundle_of(&export.which, query)?;
    let mut redactor = Redactor::new(rules, random_key()?);
    let bundle = if redactor.is_idle() { bundle } else { bundle.redacted(&mut redactor) };
    if export.redact.redact_preview {
        return output::print(&preview(&redactor.preview()));
    }
    if let Some(file) = &export.bundle {
        return pack(&bundle, file);
    }
    let which = Which { entity: redactor.text(&export.which.entity), ..export.which.clone() };
    told(export, &which, &bundle.open(query.source(), Zone::Machine))
}

/// The key of one export's or one session's tokens.
pub(super) fn random_key() -> anyhow::Result<[u8; 16]> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).context("this system gives no random numbers, and tokens need a random key")?;
    Ok(key)
}

/// The timeline in a format.
fn told(export: &Export, which: &Which, query: &dyn Query) -> anyhow::Result<()> {
    let Some(to) = &export.to else {
        return Err(Usage("name the file to write with --to FILE or --bundle FILE".to_owned()).into());
    };
    let format = format(export, to)?;
    if to == Path::new(STDOUT) {
        return made::print(&made::make(which, format, query)?, format);
    }
    if format == TimelineFormat::Text {
        return Err(Usage(
            "--format text is drawn as wide as a terminal: `backstory timeline` prints it".into(),
        )
        .into());
    }
    let made = made::make(which, format, query)?;
    write(to, made.export.text.as_bytes())?;
    made::say_what_is_lacking(&made);
    eprintln!("backstory: {} written, {} bytes", to.display(), made.export.text.len());
    Ok(())
}

/// The bundle of an entity, or of all entities of an incident.
fn bundle_of(which: &Which, query: &dyn Query) -> anyhow::Result<Bundle> {
    let request = timeline::request(which)?;
    let ask = |entity: &str| {
        let request = TimelineRequest { entity: entity.to_owned(), ..request.clone() };
        query.bundle(&request, &effort()).map_err(|error| placed(error, entity))
    };
    if !which.entity.starts_with("i-") || which.entity.contains(['/', '=']) {
        return ask(&which.entity);
    }
    let asked = IncidentsRequest {
        incident: Some(which.entity.clone()),
        entities_max: INCIDENT_ENTITIES_MAX,
        limit: 1,
        ..IncidentsRequest::default()
    };
    let found = query.incidents(&asked, &effort()).map_err(|error| placed(error, &which.entity))?;
    let entities: BTreeSet<String> = found
        .incidents
        .iter()
        .flat_map(|incident| {
            let found = incident.findings.iter().filter_map(|finding| finding.entity.clone());
            found.chain(incident.entities.iter().flat_map(|kind| kind.examples.clone()))
        })
        .collect();
    let bundles = entities.iter().map(|entity| ask(entity)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut joined = Bundle::join(bundles).with_context(|| {
        format!("no incident that concerns an entity has the id {}", sanitise(&which.entity))
    })?;
    joined.notes.extend(found.incidents.into_iter().flat_map(|incident| incident.written));
    Ok(joined)
}

/// Writes a bundle.
fn pack(bundle: &Bundle, file: &Path) -> anyhow::Result<()> {
    let bytes = bundle.to_bytes().with_context(|| format!("{}", file.display()))?;
    write(file, &bytes)?;
    output::warn_incomplete(&bundle.completeness);
    let records = bundle.records.len();
    eprintln!("backstory: {} written, {records} records, {} bytes", file.display(), bytes.len());
    Ok(())
}

/// What is replaced, for a person.
fn preview(preview: &Preview) -> String {
    let mut text = String::new();
    for rule in &preview.rules {
        let times: u64 = rule.places.iter().map(|place| place.count).sum();
        let _ = writeln!(text, "{}: {} values, {times} times", sanitise(&rule.rule), rule.values);
        for place in &rule.places {
            let _ = writeln!(text, "{:>8}  {}", place.count, sanitise(&place.place));
        }
    }
    text
}

/// The format that was named, else the one that the ending names.
fn format(export: &Export, to: &Path) -> Result<TimelineFormat, Usage> {
    if let Some(format) = export.format {
        return Ok(format);
    }
    let name = to.to_string_lossy().to_ascii_lowercase();
    if let Some((_, format)) = OF_RECORDS.into_iter().find(|(ending, _)| name.ends_with(ending)) {
        return Ok(format);
    }
    let of_ending = Format::of_path(to);
    let asked = TimelineFormat::value_variants().iter().copied();
    let fitting = of_ending.and_then(|ending| asked.clone().find(|asked| asked.export() == Some(ending)));
    fitting.ok_or_else(|| {
        let names = asked.filter_map(|asked| Some(asked.to_possible_value()?.get_name().to_owned()));
        Usage(format!(
            "--to {}: its ending names no format: add --format with one of {}",
            to.display(),
            names.filter(|name| name != "text").collect::<Vec<_>>().join(", ")
        ))
    })
}

/// Writes beside the file, then takes its place.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.part", std::process::id()));
    let written = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        // What is left of it helps nobody.
        let _ = std::fs::remove_file(&partial);
    }
    written.with_context(|| format!("{} cannot be written", path.display()))
}
