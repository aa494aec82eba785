//! Where answers come from: a folder read in place, or a running server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use indexer::Folder;
use journal::Journal;
use query::archive::Effort;
use query::bundle::{Bundle, BundleError};
use query::interface::Query;
use query::language::{Now, Zone};
use query::redact::{Redacted, Redactor};
use query::{Local, Remote, RemoteOptions};
use timeline::time::Time;

use crate::annotations::FolderAnnotations;
use crate::command::placed;
use crate::config::{Premises, Source};

/// Opens what `source` names for questions. A server answers by premises of its own.
pub(crate) fn open(source: &Source, premises: &Premises) -> anyhow::Result<Arc<dyn Query>> {
    match source {
        Source::Folder(folder) => open_folder(folder, premises),
        Source::Bundle(file) => Ok(open_bundle(file, bundle(file)?)),
        Source::Server { url, token } => {
            let options = RemoteOptions { token: token.clone(), ..RemoteOptions::default() };
            Ok(Arc::new(Remote::new(url, options, now).map_err(|error| placed(error, url))?))
        }
    }
}

/// Opens a folder, which a server may be writing at this moment.
pub(crate) fn open_folder(folder: &Path, premises: &Premises) -> anyhow::Result<Arc<dyn Query>> {
    Ok(Arc::new(local(folder, premises, None)?))
}

/// The query interface over a folder whose journal this process writes, if it is given.
pub(crate) fn local(
    folder: &Path,
    premises: &Premises,
    journal: Option<Arc<Journal>>,
) -> anyhow::Result<Local<Folder>> {
    let annotations = FolderAnnotations::open(folder, journal, premises)?;
    let archive = Folder::open(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let local = Local::new(archive, folder.display().to_string(), now);
    let local = local
        .with_settings(premises.settings.clone())
        .with_declared(premises.clocks.clone())
        .with_drift(premises.drift);
    Ok(local.with_annotations(Arc::new(annotations)))
}

/// Opens a folder for questions that show tokens for values; reads all that it holds once.
pub(crate) fn open_redacted(
    folder: &Path,
    premises: &Premises,
    redactor: Redactor,
) -> anyhow::Result<Arc<dyn Query>> {
    journal_of(folder)?;
    let archive = Folder::open(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let archive = Redacted::new(archive, redactor);
    // The premises name values, too: of rules, and of hosts and services.
    let (settings, declared) = archive.with_redactor(&Effort::new(u64::MAX), |redactor| {
        let clocks = premises.clocks.iter().map(|(name, declared)| (redactor.text(name), *declared));
        let clocks = clocks.collect();
        (redactor.settings(&premises.settings), clocks)
    })?;
    let local = Local::new(archive, folder.display().to_string(), now);
    Ok(Arc::new(local.with_settings(settings).with_declared(declared).with_drift(premises.drift)))
}

/// The bundle in a file.
pub(crate) fn bundle(file: &Path) -> anyhow::Result<Bundle> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Bundle::from_bytes(&bytes).map_err(|error| {
        let damaged = matches!(error, BundleError::Damaged(_));
        let hint = if damaged { " (`backstory verify FILE` says all that is wrong)" } else { "" };
        anyhow::anyhow!("{}: {error}{hint}", file.display())
    })
}

/// Opens a bundle for questions: it brings what it was judged by.
pub(crate) fn open_bundle(file: &Path, bundle: Bundle) -> Arc<dyn Query> {
    Arc::new(bundle.open(file.display().to_string(), Zone::Machine))
}

/// The folder's journal; an error with what to do where there is none.
pub(crate) fn journal_of(folder: &Path) -> anyhow::Result<PathBuf> {
    let journal = folder.join("journal");
    if !journal.is_dir() {
        bail!(
            "{} holds no data: start `backstory serve` and point exporters at it (`backstory env` prints the settings), \
             or name another folder with --data DIR",
            folder.display()
        );
    }
    Ok(journal)
}

/// The moment of asking; times without a zone are in this machine's.
pub(crate) fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { time: Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)), zone: Zone::Machine }
}
