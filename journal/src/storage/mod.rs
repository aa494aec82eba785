//! The few things that the journal asks of a file system, so that tests can make it fail.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(test)]
pub(crate) mod fault;

/// A folder of files.
pub(crate) trait Storage: Send + Sync + 'static {
    /// The names in the folder, in any order.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Makes a file that must not exist yet. Its name lasts after [`Storage::sync_names`].
    fn create(&self, name: &str) -> io::Result<Arc<dyn Blob>>;
    /// Opens a file for reading, and for writing where `writable`.
    fn open(&self, name: &str, writable: bool) -> io::Result<Arc<dyn Blob>>;
    /// Removes a file; for good after [`Storage::sync_names`].
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes the names durable.
    fn sync_names(&self) -> io::Result<()>;
    /// How many more bytes may be written to the disk that the folder is on, by anybody.
    fn room(&self) -> io::Result<u64>;
}

/// A file.
pub(crate) trait Blob: Send + Sync {
    /// Reads at `offset`; may read less than asked, and nothing at the end.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes at `offset`; may write less than asked.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or extends to `length`.
    fn set_len(&self, length: u64) -> io::Result<()>;
    /// Makes content and length durable.
    fn sync(&self) -> io::Result<()>;
}

impl dyn Blob + '_ {
    /// Reads `length` bytes at `offset`, or as many as there are.
    pub(crate) fn read_up_to(&self, length: usize, offset: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Writes all of `bytes` at `offset`.
    pub(crate) fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether `error` says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// A folder on disk.
pub(crate) struct Disk(PathBuf);

impl Disk {
    pub(crate) fn new(folder: &Path) -> Disk {
        Disk(folder.to_path_buf())
    }
}

impl Storage for Disk {
    fn names(&self) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn Blob>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        Ok(Arc::new(options.open(self.0.join(name))?))
    }

    fn open(&self, name: &str, writable: bool) -> io::Result<Arc<dyn Blob>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(writable).open(self.0.join(name))?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    fn room(&self) -> io::Result<u64> {
        let told = rustix::fs::statvfs(&self.0)?;
        Ok(told.f_bavail.saturating_mul(told.f_frsize))
    }
}

impl Blob for File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
