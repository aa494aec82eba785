//! Where what engineers write is kept.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hlc::Stamp;
use serde::{Deserialize, Serialize};
use timeline::annotation::{Annotation, Notebook, Written};
use timeline::document::Pinned;

use crate::archive::ArchiveError;

/// Keeps what engineers write.
pub trait AnnotationStore: Send + Sync {
    /// All that was written, merged.
    fn read(&self) -> Result<Notebook, ArchiveError>;

    /// Writes these, in this order; they are durable when it returns. Returns the stamp of each.
    fn write(&self, annotations: &[ToWrite]) -> Result<Vec<Stamp>, ArchiveError>;

    /// What is kept beyond retention, given what was written.
    fn pinned(&self, notebook: &Notebook) -> Result<Pinned, ArchiveError>;
}

/// An annotation to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToWrite {
    /// What it says.
    pub annotation: Annotation,
    /// The stamp that it was first written with elsewhere; `None` where this is the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
}

impl From<Annotation> for ToWrite {
    fn from(annotation: Annotation) -> ToWrite {
        ToWrite { annotation, stamp: None }
    }
}

impl From<Written> for ToWrite {
    fn from(Written { stamp, annotation }: Written) -> ToWrite {
        ToWrite { annotation, stamp: Some(stamp) }
    }
}

/// What was written, kept in memory.
#[derive(Debug, Default)]
pub struct MemoryAnnotations {
    held: Mutex<(Notebook, Stamp)>,
    /// Why nothing more is taken, where nothing is.
    sealed: Option<&'static str>,
}

impl MemoryAnnotations {
    /// What was written elsewhere, to be read alone: whoever writes is told `sealed`.
    pub fn holding(sealed: &'static str, written: Vec<Written>) -> MemoryAnnotations {
        let last = written.iter().map(|written| written.stamp).max().unwrap_or_default();
        let mut notebook = Notebook::default();
        for one in written {
            notebook.add(one);
        }
        MemoryAnnotations { held: Mutex::new((notebook, last)), sealed: Some(sealed) }
    }

    /// A lock is poisoned only by a panic while it was held; what it guards is whole at every step.
    fn held(&self) -> MutexGuard<'_, (Notebook, Stamp)> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AnnotationStore for MemoryAnnotations {
    fn read(&self) -> Result<Notebook, ArchiveError> {
        Ok(self.held().0.clone())
    }

    fn write(&self, annotations: &[ToWrite]) -> Result<Vec<Stamp>, ArchiveError> {
        if let Some(sealed) = self.sealed {
            return Err(ArchiveError::Store(sealed.to_owned()));
        }
        let mut held = self.held();
        let (notebook, last) = &mut *held;
        let stamped = annotations.iter().map(|ToWrite { annotation, stamp }| {
            *last = stamp.map_or(last.next(), |stamp| stamp.max(last.next()));
            let stamp = stamp.unwrap_or(*last);
            notebook.add(Written { stamp, annotation: annotation.clone() });
            stamp
        });
        Ok(stamped.collect())
    }

    fn pinned(&self, _: &Notebook) -> Result<Pinned, ArchiveError> {
        Ok(Pinned::default())
    }
}
