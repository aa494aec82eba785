//! The subcommands: one small file each.

mod completions;
mod demo;
mod env;
mod export;
mod find;
mod man;
mod reindex;
mod search;
mod serve;
mod stats;
mod timeline;
mod tui;
mod verify;

use std::process::ExitCode;

use query::archive::Effort;
use query::interface::{Query, QueryError};

use crate::cli::{Cli, Command};
use crate::config::{File, Source};
use crate::source;

/// Wrong usage that only shows once the command runs: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Runs what the command line asks for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = File::load(&cli.global)?;
    let source = || file.source(&cli.global);
    match cli.command {
        None => tui::with_collector(&source()?, &file.serving(&cli.listen)?)?,
        Some(Command::Demo(demo)) => demo::run(&demo, &cli.global, &file.serving(&demo.listen)?)?,
        Some(Command::Serve(listen)) => serve::run(&source()?, &file.serving(&listen)?)?,
        Some(Command::Tui(tui)) => tui::run(&tui, &source()?, &file.serving(&cli.listen)?)?,
        Some(Command::Env(env)) => env::run(&env, &source()?, &file.serving(&cli.listen)?)?,
        Some(Command::Find(find)) => find::run(&find, &*source::open(&source()?)?)?,
        Some(Command::Search(search)) => search::run(&search, &*source::open(&source()?)?)?,
        Some(Command::Timeline(timeline)) => timeline::run(&timeline, &*source::open(&source()?)?)?,
        Some(Command::Export(export)) => export::run(&export, &*source::open(&source()?)?)?,
        Some(Command::Stats(stats)) => stats::run(&stats, &*source::open(&source()?)?)?,
        Some(Command::Verify) => return verify::run(&source()?),
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
fn folder<'a>(source: &'a Source, command: &str) -> Result<&'a std::path::Path, Usage> {
    match source {
        Source::Folder(folder) => Ok(folder),
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
