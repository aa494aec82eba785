//! `backstory tui`, and `backstory` alone: the terminal UI on a folder, a server, or a collector of its own.

use std::path::Path;
use std::sync::Arc;

use ::tui::theme::Palette;
use query::interface::Query;

use crate::cli::Tui;
use crate::command::env;
use crate::config::{Looks, Serving, Source};
use crate::output;
use crate::server::{Refused, Server};
use crate::source;

/// The UI on what is there.
pub(crate) fn run(tui: &Tui, source: &Source, serving: &Serving, looks: &Looks) -> anyhow::Result<()> {
    run_on(tui, source::open(source, &serving.premises)?, source, serving, looks)
}

/// The UI on what `query` answers from, which `source` names.
pub(crate) fn run_on(
    tui: &Tui,
    query: Arc<dyn Query>,
    source: &Source,
    serving: &Serving,
    looks: &Looks,
) -> anyhow::Result<()> {
    let mut options = ::tui::Options {
        entity: tui.entity.clone(),
        local: tui.local,
        source_option: source.option(),
        ..options(&serving.grpc, &serving.http, looks)
    };
    options.theme.ascii = tui.ascii;
    open(query, options)
}

/// Collector and UI together; beside a running server, the UI alone.
pub(crate) fn with_collector(source: &Source, serving: &Serving, looks: &Looks) -> anyhow::Result<()> {
    let folder = match source {
        Source::Folder(folder) => folder,
        Source::Server { .. } | Source::Bundle(_) => return run(&Tui::default(), source, serving, looks),
    };
    match Server::start(folder, serving) {
        Ok(server) => {
            show(&server, folder, None, looks)?;
            server.stop()
        }
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(Refused::Attended { addresses, .. }) => {
                let query = source::open_folder(folder, &serving.premises)?;
                let mut options = addresses.map_or_else(
                    || options(&serving.grpc, &serving.http, looks),
                    |addresses| options(&addresses.grpc.to_string(), &addresses.http.to_string(), looks),
                );
                options.source_option = source.option();
                options.status = Some(Arc::new(|| "beside a running server".to_owned()));
                open(query, options)
            }
            None => Err(error),
        },
    }
}

/// The UI on a server of this process; opened on an entity, it explains itself in a few hints.
pub(crate) fn show(
    server: &Server,
    folder: &Path,
    entity: Option<String>,
    looks: &Looks,
) -> anyhow::Result<()> {
    let addresses = server.addresses();
    let mut options = options(&addresses.grpc.to_string(), &addresses.http.to_string(), looks);
    options.tour = entity.is_some();
    options.entity = entity;
    options.source_option = Source::Folder(folder.to_owned()).option();
    let collector = Arc::downgrade(&server.collector());
    options.status = Some(Arc::new(move || {
        collector.upgrade().map_or_else(String::new, |collector| {
            let counts = collector.counts();
            format!("received {} spans, {} logs", counts.spans, counts.logs)
        })
    }));
    open(server.query(), options)
}

fn options(grpc: &str, http: &str, looks: &Looks) -> ::tui::Options {
    let mut options = ::tui::Options {
        exporter: env::lines(None, grpc, http).lines().map(str::to_owned).collect(),
        keymap: looks.keymap.clone(),
        ..::tui::Options::default()
    };
    options.theme.palette = looks.palette;
    if !output::colour() {
        options.theme.palette = Palette::Plain;
    }
    options
}

fn open(query: Arc<dyn Query>, options: ::tui::Options) -> anyhow::Result<()> {
    Ok(::tui::run(query, options)?)
}
