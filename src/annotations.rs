//! Where what engineers write goes: into the journal of this process, through the server that writes it, or, where
//! nobody does, into the folder's journal, which is taken for the moment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::{Context, anyhow};
use hlc::Stamp;
use indexer::Indexer;
use journal::{Journal, Reader};
use query::annotations::{AnnotationStore, ToWrite};
use query::archive::ArchiveError;
use query::interface::Query;
use query::{Remote, RemoteOptions};
use timeline::annotation::Notebook;
use timeline::document::Pinned;

use crate::config::Premises;
use crate::server::{self, Addresses, Refused};
use crate::{intake, source};

/// The annotations of a folder.
pub(crate) struct FolderAnnotations {
    folder: PathBuf,
    reader: Reader,
    /// The journal, where this process writes it.
    journal: Option<Arc<Journal>>,
    /// What a server wants to be shown.
    token: Option<String>,
    pinned_bytes: u64,
}

impl FolderAnnotations {
    /// Those of `folder`, whose journal this process writes if it is given.
    pub(crate) fn open(
        folder: &Path,
        journal: Option<Arc<Journal>>,
        premises: &Premises,
    ) -> anyhow::Result<FolderAnnotations> {
        let reader = Reader::open(&source::journal_of(folder)?)
            .with_context(|| format!("{} cannot be read", folder.display()))?;
        let token = premises.token.clone();
        Ok(FolderAnnotations {
            folder: folder.to_owned(),
            reader,
            journal,
            token,
            pinned_bytes: premises.pinned_bytes,
        })
    }

    fn put(&self, annotations: &[ToWrite]) -> anyhow::Result<Vec<Stamp>> {
        if let Some(journal) = &self.journal {
            return append(journal, annotations);
        }
        match server::open_journal(&self.folder, journal::Options::keeping_all()) {
            Ok(journal) => {
                let stamps = append(&journal, annotations)?;
                let indexer = Indexer::start(&self.folder, indexer::Options::default())?;
                let indexed = source::open_folder(&self.folder, &Premises::default())
                    .and_then(|query| intake::wait_until_indexed(&*query));
                journal.close();
                indexer.stop();
                indexed.map(|()| stamps)
            }
            Err(error) => match error.downcast::<Refused>()? {
                Refused::Attended { addresses: Some(addresses), .. } => self.post(&addresses, annotations),
                refused => Err(refused.into()),
            },
        }
    }

    fn post(&self, addresses: &Addresses, annotations: &[ToWrite]) -> anyhow::Result<Vec<Stamp>> {
        let options = RemoteOptions {
            token: self.token.clone(),
            answer_timeout: Duration::from_secs(30),
            ..RemoteOptions::default()
        };
        let url = format!("http://{}", server::reachable(addresses.query));
        let written = Remote::new(&url, options, source::now)?.annotate(annotations)?;
        Ok(written.annotations.into_iter().map(|written| written.stamp).collect())
    }
}

/// Hands the annotations over, and returns once they are durable.
fn append(journal: &Journal, annotations: &[ToWrite]) -> anyhow::Result<Vec<Stamp>> {
    let mut waiting = Vec::with_capacity(annotations.len());
    for ToWrite { annotation, stamp } in annotations {
        let (answer, told) = mpsc::channel();
        journal.annotate(annotation, *stamp, move |stamp| {
            // Nobody waits any more where another failed before.
            let _ = answer.send(stamp);
        });
        waiting.push(told);
    }
    let stamps = waiting.into_iter().map(|told| {
        let stamp = told.recv().map_err(|_| anyhow!("the journal gave no answer"))?;
        stamp.context("the journal did not take it")
    });
    stamps.collect()
}

fn failed(error: impl Into<anyhow::Error>) -> ArchiveError {
    ArchiveError::Store(format!("{:#}", error.into()))
}

impl AnnotationStore for FolderAnnotations {
    fn read(&self) -> Result<Notebook, ArchiveError> {
        self.reader.annotations().map_err(failed)
    }

    fn write(&self, annotations: &[ToWrite]) -> Result<Vec<Stamp>, ArchiveError> {
        self.put(annotations).map_err(failed)
    }

    fn pinned(&self, notebook: &Notebook) -> Result<Pinned, ArchiveError> {
        let segments = self.reader.segments().map_err(failed)?;
        let held: BTreeMap<u64, u64> = segments.iter().map(|info| (info.number, info.bytes)).collect();
        Ok(timeline::incident::pinned(notebook, &held, self.pinned_bytes))
    }
}
