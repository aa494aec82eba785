//! The journal's handle: a queue before the one writer thread, and news of how far it has come.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hlc::Stamp;
use parking_lot::{Condvar, Mutex};
use timeline::annotation::Annotation;

use crate::durable::Boot;
use crate::format::block::BLOCK_BYTES_MAX;
use crate::format::frame;
use crate::lock::{self, Lock};
use crate::options::Options;
use crate::recovery::{OpenError, Recovered};
use crate::repeats;
use crate::request::{AppendError, Content, Place, Receipt, Request};
use crate::storage::{Disk, Storage};
use crate::writer::{Counts, Pending, Writer};

/// How many bytes of requests go into one batch, but for a single larger one. Compressed they are the
/// 256 KiB to 1 MiB that a disk syncs at its best.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// How often retention is looked at while nothing arrives.
const TICK: Duration = Duration::from_secs(10);
/// When a sender whom a full queue turned away may come back.
const RETRY_BUSY: Duration = Duration::from_secs(1);

type Done = Box<dyn FnOnce(Result<Receipt, AppendError>) + Send>;
type Dropped = Box<dyn Fn(u64) + Send + Sync>;

/// A journal that this process writes. Dropped, it writes what it has taken, then lets go of the lock.
pub struct Journal {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lock: Option<Lock>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is work, or no more will come.
    work: Condvar,
    /// The durable end moved, or segments were dropped.
    growth: Condvar,
    dropped: Mutex<Vec<Dropped>>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(Pending, Done)>,
    queue_bytes: usize,
    queue_bytes_max: usize,
    closed: bool,
    end: Place,
    oldest: u64,
    counts: Counts,
    indexed: Option<Place>,
}

impl Journal {
    /// Opens the journal in `folder`, `DIR/journal`, which is made if it is not there, and puts in order
    /// what a crash left. Takes the lock `DIR/lock`.
    pub fn open(folder: &Path, options: Options) -> Result<(Journal, Recovered), OpenError> {
        let failed = || OpenError::io(format!("making {}", folder.display()));
        std::fs::create_dir_all(folder).map_err(failed())?;
        let lock = Lock::take(&lock::path(folder))?;
        if let Some(parent) = folder.parent().filter(|parent| parent.is_dir()) {
            Disk::new(parent).sync_names().map_err(failed())?;
        }
        Journal::open_in(Arc::new(Disk::new(folder)), options, Some(lock))
    }

    pub(crate) fn open_in(
        storage: Arc<dyn Storage>,
        options: Options,
        lock: Option<Lock>,
    ) -> Result<(Journal, Recovered), OpenError> {
        let state = State { queue_bytes_max: options.queue_bytes, ..State::default() };
        let (writer, recovered) = Writer::open(storage, options, Boot::current(), wall_ns())?;
        let shared = Arc::new(Shared { state: Mutex::new(state), ..Shared::default() });
        shared.tell(&writer);
        let thread = std::thread::Builder::new().name("journal".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.write(writer)
        });
        let thread = thread.map_err(OpenError::io("starting the journal's thread"))?;
        Ok((Journal { shared, thread: Mutex::new(Some(thread)), lock }, recovered))
    }

    /// Hands a request over and returns at once. `done` is called once, from the writer's thread after the
    /// sync that covers the request (or on this one if it is refused out of hand); it should return quickly.
    pub fn append(&self, request: Request, done: impl FnOnce(Result<Receipt, AppendError>) + Send + 'static) {
        self.take(Content::Request(request), Box::new(done));
    }

    /// Hands over an annotation, as [`Journal::append`] does a request. `first` is the stamp that it was written with
    /// elsewhere before. Told is the stamp that it stands with.
    pub fn annotate(
        &self,
        annotation: &Annotation,
        first: Option<Stamp>,
        done: impl FnOnce(Result<Stamp, AppendError>) + Send + 'static,
    ) {
        // No value of this type fails to be written as JSON.
        let body = serde_json::to_vec(annotation).unwrap_or_default().into();
        let told = move |answer: Result<Receipt, _>| done(answer.map(|own| first.unwrap_or(own.stamp)));
        self.take(Content::Annotation { body, first }, Box::new(told));
    }

    fn take(&self, content: Content, done: Done) {
        let bytes = frame::encoded_len(&content);
        if bytes > BLOCK_BYTES_MAX {
            return done(Err(AppendError::TooLarge { bytes, max: BLOCK_BYTES_MAX }));
        }
        let pending = Pending { hash: repeats::hash(&content), content, arrived_ns: wall_ns() };
        let mut state = self.shared.state.lock();
        if let Err(refusal) = state.accepts(bytes) {
            drop(state);
            return done(Err(refusal));
        }
        state.queue_bytes += bytes;
        state.queue.push_back((pending, done));
        self.shared.work.notify_one();
    }

    /// Just past the last durable block; (0, 0) while there was none. Whoever has read up to a place that
    /// is not smaller has read everything.
    pub fn end(&self) -> Place {
        self.shared.state.lock().end
    }

    /// The number of the oldest segment held.
    pub fn oldest(&self) -> u64 {
        self.shared.state.lock().oldest
    }

    /// Waits until the end lies past `after`, for `timeout` at most; returns the end.
    pub fn wait(&self, after: Place, timeout: Duration) -> Place {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.state.lock();
        while state.end <= after && !state.closed {
            if self.shared.growth.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.end
    }

    /// What it has done since it was opened, and what it holds.
    pub fn counts(&self) -> Counts {
        self.shared.state.lock().counts
    }

    /// Tells that what lies before `place` is indexed. A disk that fills up is left room for the index of the rest.
    pub fn indexed_to(&self, place: Place) {
        self.shared.state.lock().indexed = Some(place);
    }

    /// Has `hook` called after retention or a full disk took segments, with the number of the oldest one
    /// held: all before are gone. It is called on the writer's thread.
    pub fn on_dropped(&self, hook: impl Fn(u64) + Send + Sync + 'static) {
        self.shared.dropped.lock().push(Box::new(hook));
    }

    /// Writes into the lock's file what others are to know of this process: its addresses, as JSON.
    /// They find it in [`OpenError::Locked`], and by [`announced`].
    pub fn announce(&self, text: &str) -> std::io::Result<()> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.announce(text))
    }

    /// Takes nothing more, and returns once all that was taken is durable or refused.
    pub fn close(&self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's thread panicked");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

/// What the process that holds the lock of the journal in `folder` announced. It may have been killed since.
pub fn announced(folder: &Path) -> std::io::Result<Option<String>> {
    match std::fs::read_to_string(lock::path(folder)) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The wall clock, in nanoseconds since the Unix epoch.
fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl State {
    fn accepts(&self, bytes: usize) -> Result<(), AppendError> {
        if self.closed {
            return Err(AppendError::Closed);
        }
        if self.counts.poisoned {
            return Err(AppendError::Poisoned);
        }
        let busy = !self.queue.is_empty() && self.queue_bytes + bytes > self.queue_bytes_max;
        if busy { Err(AppendError::Busy(RETRY_BUSY)) } else { Ok(()) }
    }
}

/// What the writer's thread is to do next.
enum Work {
    Batch(Vec<Pending>, Vec<Done>),
    Tick,
    Close,
}

impl Shared {
    /// The writer's thread.
    fn write(&self, mut writer: Writer) {
        let _end = Ended(self);
        loop {
            match self.next_work() {
                Work::Batch(batch, done) => {
                    writer.indexed = self.state.lock().indexed;
                    let answers = writer.commit(&batch, wall_ns());
                    self.tell(&writer);
                    done.into_iter().zip(answers).for_each(|(done, answer)| done(answer));
                }
                Work::Tick => {
                    writer.retire(wall_ns());
                    self.tell(&writer);
                }
                Work::Close => return writer.close(),
            }
        }
    }

    fn next_work(&self) -> Work {
        let mut state = self.state.lock();
        while state.queue.is_empty() {
            if state.closed {
                return Work::Close;
            }
            if self.work.wait_for(&mut state, TICK).timed_out() && state.queue.is_empty() {
                return Work::Tick;
            }
        }
        let (mut batch, mut done, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some((pending, _)) = state.queue.front() {
            let more = frame::encoded_len(&pending.content);
            if bytes > 0 && bytes + more > BATCH_BYTES_MAX {
                break;
            }
            bytes += more;
            if let Some((pending, callback)) = state.queue.pop_front() {
                batch.push(pending);
                done.push(callback);
            }
        }
        state.queue_bytes = state.queue_bytes.saturating_sub(bytes);
        Work::Batch(batch, done)
    }

    /// Makes the writer's standing known.
    fn tell(&self, writer: &Writer) {
        let mut state = self.state.lock();
        let oldest = writer.oldest();
        let fewer = writer.counts.dropped > state.counts.dropped;
        (state.end, state.oldest, state.counts) = (writer.end, oldest, writer.counts);
        drop(state);
        self.growth.notify_all();
        if fewer {
            self.dropped.lock().iter().for_each(|hook| hook(oldest));
        }
    }
}

/// However the writer's thread ends, nobody waits for it in vain.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.queue);
        drop(state);
        left.into_iter().for_each(|(_, done)| done(Err(AppendError::Closed)));
        self.0.growth.notify_all();
    }
}
