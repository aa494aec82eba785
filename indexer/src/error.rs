//! What can go wrong with an index.

use std::io;

/// Why the index could not be read or written. It is derived: `reindex` makes it anew.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The disk failed, or a file is missing.
    #[error("the index: {0}")]
    Io(#[from] io::Error),
    /// The inverted index failed.
    #[error("the index: {0}")]
    Tantivy(#[from] tantivy::TantivyError),
    /// The journal could not be read.
    #[error("the journal: {0}")]
    Journal(#[from] journal::ReadError),
    /// The index is not what this version writes.
    #[error("the index is damaged: {0}; `backstory reindex` makes it anew")]
    Damaged(String),
    /// Another process writes the index.
    #[error("another process writes the index in {0}")]
    Locked(std::path::PathBuf),
}

impl IndexError {
    /// Whether a file was not there.
    pub(crate) fn is_not_found(&self) -> bool {
        use tantivy::TantivyError;
        use tantivy::directory::error::OpenReadError;
        match self {
            IndexError::Io(error) => error.kind() == io::ErrorKind::NotFound,
            IndexError::Tantivy(TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_))) => true,
            IndexError::Tantivy(TantivyError::IoError(error)) => error.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }
}
