//! `backstory serve`: collector, indexer and query API, no UI.

use std::io::IsTerminal;

use anyhow::Context;

use crate::command::folder;
use crate::config::{self, Serving, Source};
use crate::output;
use crate::server::Server;

/// Serves until it is told to stop by SIGINT or SIGTERM.
pub(crate) fn run(source: &Source, serving: &Serving) -> anyhow::Result<()> {
    log_to_stderr("warn,backstory=info");
    let folder = folder(source, "serve")?;
    let server = Server::start(folder, serving)?;
    eprintln!(
        "backstory: keeping in {} what arrived in the last {}, {} MB at most (--keep-for, --keep-bytes)",
        folder.display(),
        config::duration_text(serving.keep_for),
        serving.keep_bytes / 1_000_000,
    );
    output::print(&format!("{}\n", server.ready()?))?;
    server.wait_for_signal().context("signals cannot be waited for")?;
    server.stop()
}

/// Logs go to standard error; `RUST_LOG` says which, else `usual`.
pub(super) fn log_to_stderr(usual: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
