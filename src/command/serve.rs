//! `backstory serve`: collector, indexer and query API, no UI.

use anyhow::Context;

use crate::command::folder;
use crate::config::{Serving, Source};
use crate::output;
use crate::server::Server;

/// Serves until it is told to stop by SIGINT or SIGTERM.
pub(crate) fn run(source: &Source, serving: &Serving) -> anyhow::Result<()> {
    log_to_stderr();
    let server = Server::start(folder(source, "serve")?, serving)?;
    output::print(&format!("{}\n", server.ready()?))?;
    server.wait_for_signal().context("signals cannot be waited for")?;
    server.stop()
}

/// Logs go to standard error; `RUST_LOG` says which, warnings and our own news by default.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,backstory=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
