//! The subcommands: one small file each.

mod affected;
mod clocks;
mod completions;
mod demo;
pub(crate) mod diff;
mod doctor;
mod entities;
mod env;
mod export;
mod fetch;
mod find;
mod findings;
mod import;
mod incidents;
mod init;
mod made;
mod man;
mod mcp;
mod open;
mod reindex;
mod search;
mod serve;
mod state;
mod stats;
mod timeline;
mod tui;
mod verify;
mod why;

use std::process::ExitCode;

use ::timeline::document::Completeness;
use ::timeline::time::Time;
use query::archive::{Effort, Window};
use query::interface::{Query, QueryError};
use query::language::{Now, parse_time};

use crate::cli::{Cli, Command, Read};
use crate::config::{File, Source};
use crate::progress::Progress;
use crate::source;

/// Wrong usage that only shows once the command runs: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Runs what the command line asks for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = File::load(&cli.global)?;
    let source = || file.source(&cli.global);
    let open = || source::open(&source()?, &file.premises());
    match cli.command {
        None => tui::with_collector(&source()?, &file.serving(&cli.listen)?, &file.looks()?)?,
        Some(Command::Demo(demo)) => {
            demo::run(&demo, &cli.global, &file.serving(&demo.listen)?, &file.looks()?)?;
        }
        Some(Command::Serve(listen)) => serve::run(&source()?, &file.serving(&listen)?)?,
        Some(Command::Tui(tui)) => tui::run(&tui, &source()?, &file.serving(&cli.listen)?, &file.looks()?)?,
        Some(Command::Env(env)) => env::run(&env, &source()?, &file.serving(&cli.listen)?)?,
        Some(Command::Find(find)) => find::run(&find, &*open()?)?,
        Some(Command::Search(search)) => search::run(&search, &*open()?)?,
        Some(Command::Timeline(timeline)) => timeline::run(&timeline, &*open()?)?,
        Some(Command::Why(why)) => why::run(&why, &*open()?)?,
        Some(Command::Clocks(clocks)) => clocks::run(&clocks, &*open()?)?,
        Some(Command::Export(export)) => {
            let rules = file.redaction(&export.redact)?;
            export::run(&export, &*open()?, rules)?;
        }
        Some(Command::Open(open)) => open::run(open, &file.serving(&cli.listen)?, &file.looks()?)?,
        Some(Command::Entities(entities)) => entities::run(&entities, &*open()?)?,
        Some(Command::Doctor(doctor)) => doctor::run(&doctor, &*open()?)?,
        Some(Command::Diff(diff)) => return diff::run(&diff, &*open()?),
        Some(Command::Import(import)) => {
            let serving = file.serving(&cli.listen)?;
            return import::run(&import, &source()?, &serving, file.token());
        }
        Some(Command::Fetch(fetch)) => {
            let serving = file.serving(&cli.listen)?;
            return fetch::run(&fetch, &source()?, &serving, file.token());
        }
        Some(Command::Incidents(incidents)) => incidents::run(&incidents, &*open()?)?,
        Some(Command::Affected(affected)) => affected::run(&affected, &*open()?)?,
        Some(Command::State(state)) => state::run(&state, &*open()?)?,
        Some(Command::Findings(findings)) => return findings::run(&findings, &*open()?),
        Some(Command::Init(init)) => init::run(&init, &*open()?)?,
        Some(Command::Mcp(mcp)) => {
            let rules = file.redaction(&mcp.redaction())?;
            mcp::run(rules, &source()?, &file.premises())?;
        }
        Some(Command::Stats(stats)) => stats::run(&stats, &*open()?)?,
        Some(Command::Verify(verify)) => return verify::run(&verify, source),
        Some(Command::Reindex) => reindex::run(&source()?)?,
        Some(Command::Completions { shell }) => completions::run(shell)?,
        Some(Command::Man { folder }) => man::run(&folder)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// An effort without a bound: a person at a prompt can stop it, and an answer that a hidden budget cut
/// would look whole.
fn effort() -> Effort {
    Effort::new(u64::MAX)
}

/// Asks a question that reads every record of a stretch of time, with a bar.
fn reading<T>(read: &Read, ask: impl FnOnce(Window, &Effort) -> Result<T, QueryError>) -> anyhow::Result<T> {
    let window = window(read.since.as_deref(), read.until.as_deref())?;
    let bar = std::sync::Arc::new(Progress::new("reading records"));
    let told = std::sync::Arc::clone(&bar);
    let effort = Effort::new(read.budget.unwrap_or(u64::MAX))
        .with_progress(std::sync::Arc::new(move |share| told.set(share)));
    let answer = ask(window, &effort);
    bar.finish();
    answer.map_err(|error| placed(error, ""))
}

/// Says on standard error how much of a long reading was done, where a budget cut it.
fn warn_unread(completeness: &Completeness) {
    if completeness.shown < completeness.total {
        eprintln!(
            "backstory: {} of {} records were read, the newest: raise --budget for more",
            completeness.shown, completeness.total
        );
    }
}

/// The window that --since and --until name.
fn window(since: Option<&str>, until: Option<&str>) -> anyhow::Result<Window> {
    let now = source::now();
    let side = |flag: &str, text: Option<&str>| -> anyhow::Result<_> {
        let Some(text) = text else { return Ok(None) };
        let time =
            parse_time(text, now).map_err(|error| Usage(format!("{flag} {text}: {}", error.message)))?;
        say_what_was_read(text, time, now);
        Ok(Some(time))
    };
    Ok(Window { since: side("--since", since)?, until: side("--until", until)? })
}

/// Prints the moment that a text without a zone was taken for.
fn say_what_was_read(text: &str, time: Time, now: Now) {
    if Time::parse_rfc3339(text).is_none() {
        eprintln!("backstory: {text} is {time} (times without a zone are {})", now.zone);
    }
}

/// Says on standard error that nothing was found; where the store is empty, what to do about that.
fn explain_nothing(query: &dyn Query, nothing: &str) -> anyhow::Result<()> {
    let held = query.stats()?;
    eprintln!("backstory: {nothing} in {}", query.source());
    if held.spans + held.logs == 0 {
        eprintln!(
            "backstory: it holds no record at all: point an exporter at `backstory serve` with what `backstory env` \
             prints, or play `backstory demo`"
        );
    }
    Ok(())
}

/// The folder that `source` names; `command` works on nothing else.
pub(crate) fn folder<'a>(source: &'a Source, command: &str) -> Result<&'a std::path::Path, Usage> {
    match source {
        Source::Folder(folder) => Ok(folder),
        Source::Bundle(file) => {
            Err(Usage(format!("`backstory {command}` works on a folder, and {} is a bundle", file.display())))
        }
        Source::Server { .. } => Err(Usage(format!(
            "`backstory {command}` works on a folder: name it with --data DIR, without --connect"
        ))),
    }
}

/// The error of a question, with the place in `text` at which it is wrong pointed at.
pub(crate) fn placed(error: QueryError, text: &str) -> anyhow::Error {
    match error {
        QueryError::Malformed { message, at: Some(at) } => {
            let columns = text.char_indices().take_while(|(byte, _)| *byte < at).count();
            Usage(format!("{message}\n    {text}\n    {:columns$}^", "")).into()
        }
        QueryError::Malformed { message, at: None } => Usage(message).into(),
        other => other.into(),
    }
}
