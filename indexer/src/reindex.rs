//! Making the whole index anew: by this process, or by the one that indexes the folder at the moment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::IndexError;
use crate::indexer::{Lock, prepare};
use crate::job::{Job, Step};

/// How often the process that works is asked how far it has come.
const POLL: Duration = Duration::from_millis(50);
/// So many blocks are read between two words on progress.
const STEP_BLOCKS: usize = 64;

/// Makes the index of the data folder `dir` anew, the newest segment first, each shard beside the old one,
/// which it then replaces at once. `progress` is told the share done, from 0 to 1. Where another process
/// indexes the folder, that one is asked to do it, and this one waits.
///
/// # Errors
/// Where the journal cannot be read or the index not be written.
pub fn reindex(dir: &Path, progress: &mut dyn FnMut(f64)) -> Result<(), IndexError> {
    match Lock::try_take(dir)? {
        Some(_lock) => by_itself(dir, progress),
        None => by_another(dir, progress),
    }
}

fn by_itself(dir: &Path, progress: &mut dyn FnMut(f64)) -> Result<(), IndexError> {
    let mut workshop = prepare(dir)?;
    let segments = workshop.segments()?;
    for (done, segment) in segments.iter().rev().enumerate() {
        let mut job = Job::open(&workshop, *segment, true)?;
        loop {
            match job.step(&mut workshop, STEP_BLOCKS)? {
                Step::More => {}
                Step::Over => break,
                Step::Waiting => {
                    job.commit(&mut workshop)?;
                    drop(job.replace_old(&mut workshop)?);
                    break;
                }
            }
        }
        progress((done + 1) as f64 / segments.len() as f64);
    }
    segments.iter().try_for_each(|segment| workshop.settle(*segment).map(drop))?;
    progress(1.0);
    Ok(())
}

/// Leaves the order and waits until the other process has carried it out; does it itself where that ends before.
fn by_another(dir: &Path, progress: &mut dyn FnMut(f64)) -> Result<(), IndexError> {
    let path = order_path(dir);
    fs::write(&path, "0")?;
    loop {
        std::thread::sleep(POLL);
        match fs::read_to_string(&path) {
            Ok(text) => progress(text.trim().parse().unwrap_or(0.0)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                progress(1.0);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        if let Some(_lock) = Lock::try_take(dir)? {
            fs::remove_file(&path)?;
            return by_itself(dir, progress);
        }
    }
}

/// The order to make the index anew, a file that holds how much of it is done.
pub(crate) struct Order {
    path: PathBuf,
    expected: usize,
}

impl Order {
    /// The order, if somebody gave it.
    pub(crate) fn given(dir: &Path) -> Result<Option<Order>, IndexError> {
        let path = order_path(dir);
        Ok(path.exists().then_some(Order { path, expected: 0 }))
    }

    /// So many shards are to be made.
    pub(crate) fn expect(&mut self, shards: usize) {
        self.expected = shards;
    }

    /// So many shards are still to be made.
    pub(crate) fn report_left(&self, left: usize) -> Result<(), IndexError> {
        let done = self.expected.saturating_sub(left) as f64 / self.expected.max(1) as f64;
        self.report(done.min(0.99))
    }

    /// So much of it is done; all of it at 1.
    pub(crate) fn report(&self, share: f64) -> Result<(), IndexError> {
        if share >= 1.0 {
            return Ok(fs::remove_file(&self.path)?);
        }
        Ok(fs::write(&self.path, share.to_string())?)
    }
}

fn order_path(dir: &Path) -> PathBuf {
    dir.join("index").join("reindex")
}
