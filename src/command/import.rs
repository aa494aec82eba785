//! `backstory import FILE…`: what other tools wrote, brought in.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use import::{Format, ImportError, LogOptions, Options, StateOptions, Zone};
use query::export::sanitise;

use crate::cli::Import;
use crate::command::Usage;
use crate::config::{Serving, Source};
use crate::intake::Intake;
use crate::progress::Progress;

/// The file's name that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Reads every file, the good ones too where one is bad.
pub(crate) fn run(
    import: &Import,
    source: &Source,
    serving: &Serving,
    token: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let options = options(import)?;
    let keep = journal::Options {
        keep_for: serving.keep_for,
        keep_bytes: serving.keep_bytes,
        ..journal::Options::default()
    };
    let mut intake = Intake::to(source, keep, token, import.otlp.as_deref(), "import")?;
    let mut failed = false;
    for file in import.files.iter().chain(&import.state.snapshot) {
        let name = file.display().to_string();
        match read(file, &options, &mut intake) {
            Ok(read) => tell(&name, &read),
            Err(error) => {
                failed = true;
                eprintln!("backstory: {}: {error:#}", sanitise(&name));
            }
        }
    }
    intake.finish(source)?;
    Ok(if failed { ExitCode::from(3) } else { ExitCode::SUCCESS })
}

fn options(import: &Import) -> anyhow::Result<Options> {
    let pattern = import.pattern.as_deref().map(|pattern| {
        regex::Regex::new(pattern)
            .map_err(|error| Usage(format!("--pattern is no regular expression: {error}")))
    });
    let zone = import.zone.as_deref().map(str::parse::<Zone>);
    Ok(Options {
        format: if import.state.snapshot.is_some() { Some(Format::Snapshot) } else { import.from },
        state: state(import)?,
        logs: LogOptions {
            service: import.service.clone(),
            zone: zone.transpose().map_err(|error| Usage(format!("--zone: {error}")))?,
            year: import.year,
            time_format: import.time_format.clone(),
            pattern: pattern.transpose()?,
        },
    })
}

fn state(import: &Import) -> anyhow::Result<StateOptions> {
    let wrong = |flag: &'static str| move |error| Usage(format!("{flag}: {error}"));
    let said = &import.state;
    let at = said.at.as_deref().map(str::parse).transpose().map_err(wrong("--at"))?;
    let mut options = StateOptions {
        copy: said.copy.clone(),
        entity: said.entity.as_deref().map(timeline::naming::kind_named),
        key: said.key.clone(),
        fields: said.field.clone(),
        at,
        service: import.service.clone(),
        host: said.host.clone(),
        ..StateOptions::default()
    };
    for column in &said.columns {
        options.add_column(column).map_err(wrong("--columns"))?;
    }
    if let Some(error) = &said.time_error {
        options.set_error(error).map_err(wrong("--time-error"))?;
    }
    Ok(options)
}

fn read(file: &Path, options: &Options, intake: &mut Intake) -> anyhow::Result<import::Import> {
    let name = file.display().to_string();
    let mut take =
        |request| intake.take(request, &name).map_err(|error| ImportError::Taken(format!("{error:#}")));
    if file == Path::new(STANDARD_INPUT) {
        return Ok(import::read(io::stdin().lock(), options, &mut take)?);
    }
    let opened = File::open(file).context("it cannot be opened")?;
    let bytes = opened.metadata().context("it cannot be opened")?.len();
    let bar = Progress::new("importing");
    let read = import::read(Watched { file: opened, read: 0, bytes, bar: &bar }, options, &mut take);
    bar.finish();
    Ok(read?)
}

/// A file that shows how far it was read.
struct Watched<'a> {
    file: File,
    read: u64,
    bytes: u64,
    bar: &'a Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.file.read(buffer)?;
        self.read += taken as u64;
        self.bar.set(self.read as f64 / self.bytes.max(1) as f64);
        Ok(taken)
    }
}

/// Says on standard error what came in, and what was wrong.
fn tell(name: &str, read: &import::Import) {
    let name = sanitise(name);
    let format = read.format.map_or("", import::Format::name);
    let import::Counts { spans, logs, refused, metrics } = read.counts;
    let mut parts = vec![format!("{spans} spans"), format!("{logs} log records")];
    if refused > 0 {
        parts.push(format!("{refused} refused"));
    }
    if metrics > 0 {
        parts.push(format!("{metrics} requests of metrics passed over"));
    }
    eprintln!("backstory: {name}: read as {format}: {}", parts.join(", "));
    for fault in &read.faults {
        eprintln!("backstory: {name}: {}: {}", fault.place, sanitise(&fault.what));
    }
    if read.more_faults > 0 {
        eprintln!("backstory: {name}: … and {} more faults", read.more_faults);
    }
}
