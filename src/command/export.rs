//! `backstory export ENTITY --to FILE`: a timeline in a file, for other tools and other people.

use std::path::Path;

use anyhow::Context;
use query::export::Format;
use query::interface::Query;

use crate::cli::{Export, TimelineFormat};
use crate::command::{Usage, timeline};
use crate::output;

/// Standard output.
const STDOUT: &str = "-";

/// Asks and writes. The file appears whole or not at all.
pub(crate) fn run(export: &Export, query: &dyn Query) -> anyhow::Result<()> {
    let format = format(export)?;
    let told = timeline::ask(&export.which, query)?;
    if export.to == Path::new(STDOUT) {
        return timeline::print(&told, format);
    }
    let Some(format) = format.export() else {
        return Err(Usage(
            "--format text is drawn as wide as a terminal: `backstory timeline` prints it".into(),
        )
        .into());
    };
    let made = format.of(&told);
    write(&export.to, made.text.as_bytes())?;
    timeline::say_what_was_folded(&made);
    output::warn_incomplete(&told.completeness);
    let (events, bytes) = (told.events.len(), made.text.len());
    eprintln!("backstory: {} holds {events} events as {}, {bytes} bytes", export.to.display(), format.name());
    Ok(())
}

/// The format that was named, else the one that the ending names.
fn format(export: &Export) -> Result<TimelineFormat, Usage> {
    if let Some(format) = export.format {
        return Ok(format);
    }
    let of_ending = Format::of_path(&export.to).and_then(|ending| {
        use clap::ValueEnum;
        TimelineFormat::value_variants().iter().copied().find(|asked| asked.export() == Some(ending))
    });
    of_ending.ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        Usage(format!(
            "--to {}: its ending names no format: add --format with one of {}",
            export.to.display(),
            names.join(", ")
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
