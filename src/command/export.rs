//! `backstory export ENTITY --to FILE`: a timeline in a file, for other tools and other people.

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use query::export::Format;
use query::interface::Query;

use crate::cli::{Export, TimelineFormat};
use crate::command::{Usage, made};

/// Standard output.
const STDOUT: &str = "-";

/// The endings of what is made of records.
const OF_RECORDS: [(&str, TimelineFormat); 3] = [
    (".otlp.jsonl", TimelineFormat::Otlp),
    (".otlp", TimelineFormat::Otlp),
    (".jaeger.json", TimelineFormat::Jaeger),
];

/// Asks and writes. The file appears whole or not at all.
pub(crate) fn run(export: &Export, query: &dyn Query) -> anyhow::Result<()> {
    let format = format(export)?;
    if export.to == Path::new(STDOUT) {
        return made::print(&made::make(&export.which, format, query)?, format);
    }
    if format == TimelineFormat::Text {
        return Err(Usage(
            "--format text is drawn as wide as a terminal: `backstory timeline` prints it".into(),
        )
        .into());
    }
    let made = made::make(&export.which, format, query)?;
    write(&export.to, made.export.text.as_bytes())?;
    made::say_what_is_lacking(&made);
    eprintln!("backstory: {} written, {} bytes", export.to.display(), made.export.text.len());
    Ok(())
}

/// The format that was named, else the one that the ending names.
fn format(export: &Export) -> Result<TimelineFormat, Usage> {
    if let Some(format) = export.format {
        return Ok(format);
    }
    let name = export.to.to_string_lossy().to_ascii_lowercase();
    if let Some((_, format)) = OF_RECORDS.into_iter().find(|(ending, _)| name.ends_with(ending)) {
        return Ok(format);
    }
    let of_ending = Format::of_path(&export.to);
    let asked = TimelineFormat::value_variants().iter().copied();
    let fitting = of_ending.and_then(|ending| asked.clone().find(|asked| asked.export() == Some(ending)));
    fitting.ok_or_else(|| {
        let names = asked.filter_map(|asked| Some(asked.to_possible_value()?.get_name().to_owned()));
        Usage(format!(
            "--to {}: its ending names no format: add --format with one of {}",
            export.to.display(),
            names.filter(|name| name != "text").collect::<Vec<_>>().join(", ")
        ))
    })
}

/// Writes beside the file, then takes its place.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.part", std::process::id()));
    let written = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        // What is left of it helps nobody.
        let _ = std::fs::remove_file(&partial);
    }
    written.with_context(|| format!("{} cannot be written", path.display()))
}
