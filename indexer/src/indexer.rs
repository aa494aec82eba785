//! The indexer's thread: it follows the journal, and makes what older shards are missing meanwhile.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::Place;
use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

use crate::error::IndexError;
use crate::job::{self, Job, Step, Workshop};
use crate::reindex::Order;
use crate::state;

/// How often the journal's end is looked at.
const POLL: Duration = Duration::from_millis(50);
/// How long after a failure it tries again.
const RETRY: Duration = Duration::from_secs(1);
/// How often a failure that lasts is worth a line in the log.
const QUIET: Duration = Duration::from_secs(60);
/// So many blocks are read before anything else is looked at.
const STEP_BLOCKS: usize = 64;

/// How the index is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A commit is made once a block has waited so long. Readers see blocks before that: they read the
    /// journal's tail.
    pub commit_every: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { commit_every: Duration::from_secs(1) }
    }
}

/// A running indexer. Dropping it commits what it has read and stops it.
pub struct Indexer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
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

impl Indexer {
    /// Starts to index the journal of the data folder `dir`. The index of another version beside it is removed.
    ///
    /// # Errors
    /// Where another process indexes it, or the folder cannot be written.
    pub fn start(dir: &Path, options: Options) -> Result<Indexer, IndexError> {
        Indexer::start_telling(dir, options, |_| {})
    }

    /// As [`Indexer::start`], and calls `told` with every place of the journal up to which all is committed.
    ///
    /// # Errors
    /// As [`Indexer::start`].
    pub fn start_telling(
        dir: &Path,
        options: Options,
        told: impl Fn(Place) + Send + 'static,
    ) -> Result<Indexer, IndexError> {
        let lock = Lock::take(dir)?;
        remove_other_versions(dir)?;
        let mut workshop = prepare(dir)?;
        let shared =
            Arc::new(Shared { stop: AtomicBool::new(false), sleep: Mutex::new(()), wake: Condvar::new() });
        let own = Arc::clone(&shared);
        let dir = dir.to_path_buf();
        let run = move || {
            let _lock = lock;
            let mut logged = None;
            while !own.stopped() {
                if let Err(error) = Round::new(&mut workshop, &options, &own, &dir, &told).run() {
                    // A full disk fails every time: one line a minute says so.
                    if logged.is_none_or(|at: Instant| at.elapsed() >= QUIET) {
                        logged = Some(Instant::now());
                        tracing::error!(
                            %error,
                            "indexing failed; it is tried again, and what is journaled is answered meanwhile"
                        );
                    }
                    own.rest(RETRY);
                }
            }
        };
        let thread = std::thread::Builder::new().name("indexer".to_owned()).spawn(run)?;
        Ok(Indexer { shared, thread: Some(thread) })
    }

    /// Commits what was read and stops.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        drop(self.shared.sleep.lock()); // whoever is about to rest has seen the word, or is woken by the next line
        self.shared.wake.notify_all();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the indexer's thread failed");
        }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.end();
    }
}

/// The workshop of a folder, after what a crash left there was mended.
pub(crate) fn prepare(dir: &Path) -> Result<Workshop, IndexError> {
    let mut workshop = Workshop::new(dir)?;
    job::recover(dir)?;
    workshop.sweep()?;
    Ok(workshop)
}

/// Removes what other versions left: it is of no use to this one.
fn remove_other_versions(dir: &Path) -> Result<(), IndexError> {
    let shards = state::shards_folder(dir);
    let Some(index) = shards.parent() else { return Ok(()) };
    for entry in fs::read_dir(index)? {
        let path = entry?.path();
        if path.is_dir() && path != shards {
            tracing::info!(path = %path.display(), "the index of another version is removed");
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// From start, or a failure, to the next one.
struct Round<'a> {
    workshop: &'a mut Workshop,
    options: &'a Options,
    shared: &'a Shared,
    dir: &'a Path,
    told: &'a dyn Fn(Place),
    live: Option<Job>,
    /// The segments whose shards are missing or unfinished, the newest last; whether they are made anew.
    missing: Vec<(u64, bool)>,
    filling: Option<Job>,
    /// The segments that may have repeats of older ones which were not there before.
    unsettled: Vec<u64>,
    order: Option<Order>,
    waiting_since: Option<Instant>,
}

impl<'a> Round<'a> {
    fn new(
        workshop: &'a mut Workshop,
        options: &'a Options,
        shared: &'a Shared,
        dir: &'a Path,
        told: &'a dyn Fn(Place),
    ) -> Round<'a> {
        Round {
            workshop,
            options,
            shared,
            dir,
            told,
            live: None,
            missing: Vec::new(),
            filling: None,
            unsettled: Vec::new(),
            order: None,
            waiting_since: None,
        }
    }

    fn run(mut self) -> Result<(), IndexError> {
        self.survey()?;
        while !self.shared.stopped() {
            self.workshop.follow_retention()?;
            let followed = self.follow()?;
            let busy = followed == Step::More || self.fill()?;
            if !busy {
                self.obey()?;
                self.shared.rest(POLL);
            }
        }
        self.live.iter_mut().chain(&mut self.filling).try_for_each(|job| job.commit(self.workshop))
    }

    /// Which shards are there, and which are missing. The journal is followed from where the newest shard ends,
    /// in order; with no shard at all, from its newest segment on, and the older ones are made after that.
    fn survey(&mut self) -> Result<(), IndexError> {
        let segments = self.workshop.segments()?;
        let live = match self.workshop.newest_committed(&segments) {
            Some((segment, true)) => segments.iter().copied().find(|number| *number > segment),
            Some((segment, false)) => Some(segment),
            None => segments.last().copied(),
        };
        self.missing.clear();
        self.unsettled.clear();
        for segment in segments.into_iter().filter(|number| live.is_none_or(|live| *number < live)) {
            match self.workshop.sealed(segment) {
                None => self.missing.push((segment, false)),
                Some(shard) if shard.state.settled => continue,
                Some(_) => {}
            }
            self.unsettled.push(segment);
        }
        self.live = live.map(|segment| Job::open(self.workshop, segment, false)).transpose()?;
        Ok(())
    }

    /// Reads on at the journal's end.
    fn follow(&mut self) -> Result<Step, IndexError> {
        let Some(live) = &mut self.live else {
            self.survey()?;
            return Ok(Step::Waiting);
        };
        let step = live.step(self.workshop, STEP_BLOCKS)?;
        if step == Step::Over {
            self.next_segment()?;
            return Ok(Step::More);
        }
        if live.waiting() == 0 {
            self.waiting_since = None;
        } else if self.waiting_since.get_or_insert_with(Instant::now).elapsed() >= self.options.commit_every {
            live.commit(self.workshop)?;
            self.waiting_since = None;
        }
        (self.told)(live.committed());
        Ok(step)
    }

    fn next_segment(&mut self) -> Result<(), IndexError> {
        let Some(over) = self.live.take() else { return Ok(()) };
        let segment = over.segment();
        if !over.is_settled() {
            self.unsettled.push(segment);
        }
        drop(over);
        self.workshop.sweep()?;
        let next = self.workshop.segments()?.into_iter().find(|number| *number > segment);
        self.live = next.map(|segment| Job::open(self.workshop, segment, false)).transpose()?;
        self.waiting_since = None;
        Ok(())
    }

    /// Makes a little of what is missing, the newest first; false where nothing is.
    fn fill(&mut self) -> Result<bool, IndexError> {
        if let Some(filling) = &mut self.filling {
            if filling.step(self.workshop, STEP_BLOCKS)? == Step::Over {
                self.filling = None;
                self.report()?;
            }
            return Ok(true);
        }
        if let Some((segment, anew)) = self.missing.pop() {
            let wanted = self.workshop.segments()?.contains(&segment)
                && (anew || self.workshop.sealed(segment).is_none());
            self.filling = if wanted { Some(Job::open(self.workshop, segment, anew)?) } else { None };
            return Ok(true);
        }
        if !self.unsettled.is_empty() {
            let segment = self.unsettled.remove(0);
            if self.workshop.segments()?.contains(&segment) {
                self.workshop.settle(segment)?;
            }
            return Ok(true);
        }
        self.live.iter_mut().try_for_each(|live| live.settle(self.workshop))?;
        Ok(false)
    }

    /// Does what `reindex` of another process asks for.
    fn obey(&mut self) -> Result<(), IndexError> {
        match &self.order {
            Some(order) => {
                order.report(1.0)?;
                self.order = None;
            }
            None => {
                self.order = Order::given(self.dir)?;
                if self.order.is_some() {
                    self.begin_anew()?;
                }
            }
        }
        Ok(())
    }

    fn begin_anew(&mut self) -> Result<(), IndexError> {
        if let Some(live) = self.live.take() {
            let segment = live.segment();
            drop(live);
            let mut anew = Job::open(self.workshop, segment, true)?;
            let mut step = Step::More;
            while step == Step::More && !self.shared.stopped() {
                step = anew.step(self.workshop, STEP_BLOCKS)?;
            }
            if step == Step::Over {
                return self.survey_anew();
            }
            anew.commit(self.workshop)?;
            self.live = Some(anew.replace_old(self.workshop)?);
        }
        self.survey_anew()
    }

    /// All shards but the live one are made anew, the newest first.
    fn survey_anew(&mut self) -> Result<(), IndexError> {
        let live = self.live.as_ref().map(Job::segment);
        let mut segments = self.workshop.segments()?;
        segments.retain(|segment| Some(*segment) != live);
        self.unsettled.clone_from(&segments);
        self.missing = segments.into_iter().map(|segment| (segment, true)).collect();
        if self.live.is_none() {
            self.live = self
                .missing
                .pop()
                .map(|(segment, _)| Job::open(self.workshop, segment, false))
                .transpose()?;
        }
        if let Some(order) = &mut self.order {
            order.expect(self.missing.len());
        }
        Ok(())
    }

    fn report(&mut self) -> Result<(), IndexError> {
        let left = self.missing.len();
        self.order.iter().try_for_each(|order| order.report_left(left))
    }
}

/// The right to write the index of a folder.
pub(crate) struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Lock {
    /// Takes it, or fails where another process has it.
    pub(crate) fn take(dir: &Path) -> Result<Lock, IndexError> {
        Lock::try_take(dir)?.ok_or_else(|| IndexError::Locked(dir.to_path_buf()))
    }

    /// Takes it; `None` where another process has it.
    pub(crate) fn try_take(dir: &Path) -> Result<Option<Lock>, IndexError> {
        let path = lock_path(dir);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

fn lock_path(dir: &Path) -> PathBuf {
    dir.join("index").join("lock")
}
