//! The judge's thread: beside the indexer, it judges entities as records arrive.
//!
//! It reads the folder as any reader does, and holds nothing that the collector, the journal or the indexer waits for. After
//! each piece of work it rests as long as [`JudgeOptions::share`] asks for; while it does, it falls behind, and says so.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::{Place, Reader};
use parking_lot::{Condvar, Mutex};
use query::archive::Effort;
use query::interface::{Query, QueryError};
use query::{Judging, Live, LiveOptions, Local};
use serde::{Deserialize, Serialize};

use crate::error::IndexError;
use crate::folder::Folder;
use crate::state;

/// How often it looks for new records.
const POLL: Duration = Duration::from_millis(250);
/// How long after a failure it tries again.
const RETRY: Duration = Duration::from_secs(5);
/// How often it looks what retention dropped.
const RETAIN_EVERY: Duration = Duration::from_secs(10);
/// So many records are read before anything else is looked at.
const STEP_RECORDS: usize = 1_024;
/// While the journal grows by more bytes a second, nothing is judged: the index is behind, and reading past it takes memory.
const RUSH_BYTES_S: u64 = 8 << 20;
/// Over how long that is measured.
const RUSH_TIME: Duration = Duration::from_millis(500);
/// The longest rest after one piece of work.
const REST_MAX: Duration = Duration::from_secs(5);

/// How entities are judged as records arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JudgeOptions {
    /// At most such a share of one processor's time is spent on it, from 0.01 to 1.
    pub share: f64,
    /// How often what was found is written to disk, in seconds: after a crash, what was judged since is judged again.
    pub save_every_s: u64,
    /// How much is kept and read.
    pub limits: LiveOptions,
}

impl Default for JudgeOptions {
    fn default() -> JudgeOptions {
        JudgeOptions { share: 0.5, save_every_s: 300, limits: LiveOptions::default() }
    }
}

/// What was judged before in the data folder `dir`, where it was judged by the same; else nothing judged yet.
pub fn judged_before(dir: &Path, options: &JudgeOptions, judged_by: String) -> Live {
    match File::open(path(dir)) {
        Ok(file) => Live::load(options.limits.clone(), judged_by, BufReader::new(file)),
        Err(_) => Live::new(options.limits.clone(), judged_by),
    }
}

/// A running judge. Dropping it writes down what it found and stops it.
pub struct Judge {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    effort: Effort,
    sleep: Mutex<()>,
    wake: Condvar,
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn rest(&self, time: Duration) {
        let mut sleep = self.sleep.lock();
        if !self.stopped() {
            self.wake.wait_for(&mut sleep, time);
        }
    }
}

impl Judge {
    /// Starts to judge what is in the data folder `dir`, which `local` reads, from where `live` ends.
    ///
    /// # Errors
    /// Where the journal cannot be read, or no thread can be started.
    pub fn start(
        dir: &Path,
        local: Local<Folder>,
        live: Arc<Live>,
        options: JudgeOptions,
    ) -> Result<Judge, IndexError> {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            effort: Effort::new(u64::MAX),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        });
        let work = Work {
            shared: Arc::clone(&shared),
            reader: Reader::open(&state::journal_folder(dir))?,
            path: path(dir),
            local: Arc::new(local),
            live,
            options,
        };
        let run = move || {
            while !work.shared.stopped() {
                if let Err(error) = work.run()
                    && !work.shared.stopped()
                {
                    tracing::warn!(%error, "judging failed; it is tried again");
                    work.shared.rest(RETRY);
                }
            }
            work.save();
        };
        let thread = std::thread::Builder::new().name("judge".to_owned()).spawn(run)?;
        Ok(Judge { shared, thread: Some(thread) })
    }

    /// Writes down what it found and stops.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.effort.cancel();
        drop(self.shared.sleep.lock()); // whoever is about to rest has seen the word, or is woken by the next line
        self.shared.wake.notify_all();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the judge's thread failed");
        }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        self.end();
    }
}

struct Work {
    shared: Arc<Shared>,
    reader: Reader,
    path: PathBuf,
    local: Arc<Local<Folder>>,
    live: Arc<Live>,
    options: JudgeOptions,
}

/// How fast the journal grows.
#[derive(Default)]
struct Growth {
    seen: Option<(Instant, Place)>,
    is_rush: bool,
}

impl Growth {
    fn is_rush(&mut self, reader: &Reader) -> bool {
        let measured = self.seen.filter(|(at, _)| at.elapsed() < RUSH_TIME);
        if measured.is_none() {
            let end = reader.end().unwrap_or_default();
            self.is_rush = self.seen.is_some_and(|(at, before)| is_rush(before, end, at.elapsed()));
            self.seen = Some((Instant::now(), end));
        }
        self.is_rush
    }
}

/// Whether the journal that grew from one place to the other in this time grows fast; of a segment begun meanwhile, what
/// is in it counts.
fn is_rush(before: Place, end: Place, time: Duration) -> bool {
    let begun = if before.segment == end.segment { before.offset } else { 0 };
    end.offset.saturating_sub(begun) as f64 > RUSH_BYTES_S as f64 * time.as_secs_f64()
}

impl Work {
    /// From start, or a failure, to the next one.
    fn run(&self) -> Result<(), QueryError> {
        let mut judging = Judging::new(Arc::clone(&self.local), Arc::clone(&self.live));
        let (mut saved, mut retained) = (Instant::now(), None::<Instant>);
        let mut changed = false;
        let mut growth = Growth::default();
        while !self.shared.stopped() {
            if growth.is_rush(&self.reader) {
                self.shared.rest(POLL);
                continue;
            }
            let begun = Instant::now();
            if retained.is_none_or(|at| at.elapsed() >= RETAIN_EVERY) {
                retained = Some(begun);
                if let Some(oldest) = self.oldest_segment() {
                    judging.retain_from(oldest);
                }
                // Looking at the folder closes what was dropped: only then has the disk its room back.
                self.local.stats()?;
            }
            let more = judging.notice(STEP_RECORDS, &self.shared.effort)?;
            let judged = judging.judge(&self.shared.effort)?;
            changed |= judged > 0;
            if changed && saved.elapsed() >= Duration::from_secs(self.options.save_every_s) {
                self.save();
                (saved, changed) = (Instant::now(), false);
            }
            if more || judged > 0 {
                let share = self.options.share.clamp(0.01, 1.0);
                self.shared.rest(begun.elapsed().mul_f64((1.0 - share) / share).min(REST_MAX));
            } else {
                self.shared.rest(POLL);
            }
        }
        Ok(())
    }

    fn oldest_segment(&self) -> Option<u64> {
        self.reader.segments().ok()?.first().map(|info| info.number)
    }

    fn save(&self) {
        if let Err(error) = self.try_save() {
            tracing::warn!(path = %self.path.display(), %error, "what was judged cannot be written: it is judged again after a restart");
        }
    }

    /// Replaces the file at once: a reader finds the old one or the new one.
    fn try_save(&self) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut writer = BufWriter::new(File::create(&new)?);
        self.live.save(&mut writer)?;
        writer.flush()?;
        writer.get_ref().sync_all()?;
        fs::rename(&new, &self.path)
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join("index").join("judged.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rush_is_measured_in_bytes_a_second() {
        let at = |segment, mib: u64| Place { segment, offset: mib << 20 };
        let second = Duration::from_secs(1);
        assert!(is_rush(at(1, 10), at(1, 19), second) && !is_rush(at(1, 10), at(1, 17), second));
        assert!(!is_rush(at(1, 10), at(1, 19), 2 * second));
        assert!(is_rush(at(1, 127), at(2, 9), second) && !is_rush(at(1, 127), at(2, 1), second));
    }
}
