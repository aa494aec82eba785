//! The lock that makes a folder's writer the only one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::recovery::OpenError;

/// The lock's file, beside the journal's folder: `DIR/lock` of `DIR/journal`.
pub(crate) fn path(journal: &Path) -> PathBuf {
    journal.with_file_name("lock")
}

/// Held until dropped, or until the process ends in any way.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    pub(crate) fn take(path: &Path) -> Result<Lock, OpenError> {
        let failed = || OpenError::io(format!("locking {}", path.display()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(failed())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed())?;
                return Err(OpenError::Locked { path: path.to_path_buf(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(failed()(error)),
        }
        // What a holder that was killed wrote is not true any more.
        file.set_len(0).map_err(failed())?;
        Ok(Lock(file))
    }

    /// Writes what other processes are to know of the holder.
    pub(crate) fn announce(&self, text: &str) -> io::Result<()> {
        let mut file = &self.0;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.set_len(0) {
            tracing::debug!(%error, "the lock's text stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path).unwrap();
        first.announce(r#"{"query":"127.0.0.1:4320 and more"}"#).unwrap();
        first.announce(r#"{"query":"127.0.0.1:4320"}"#).unwrap();
        let Err(OpenError::Locked { holder, .. }) = Lock::take(&path) else { panic!("two writers") };
        assert_eq!(holder, r#"{"query":"127.0.0.1:4320"}"#);
        drop(first);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
        Lock::take(&path).unwrap();
    }
}
