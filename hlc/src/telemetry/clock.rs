//! The clock of one process, shared by all that stamp in it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Clock, Merge, Stamp, tracestate};

/// Names are told apart by their hash modulo this: the counter's steps stay below one tick.
const STEPS: u64 = 1 << 10;

/// One process's hybrid logical clock. Clones share it.
///
/// It begins anew with every start of the process: a stamp need only be greater than those that it follows from.
#[derive(Clone)]
pub struct ProcessClock {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Mutex<Clock>,
    wall_ns: Box<dyn Fn() -> u64 + Send + Sync>,
    step: u64,
    malformed: AtomicU64,
    too_far_ahead: AtomicU64,
}

/// How many stamps were received and not merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Texts that are no stamp.
    pub malformed: u64,
    /// Stamps more than [`AHEAD_NS_MAX`](crate::AHEAD_NS_MAX) ahead of the wall clock.
    pub too_far_ahead: u64,
}

impl ProcessClock {
    /// A clock over the system's time. `name` is what tells this process from others, as `service.instance.id` does.
    pub fn system(name: &str) -> ProcessClock {
        ProcessClock::new(name, || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        })
    }

    /// A clock over `wall_ns`, which tells nanoseconds since the Unix epoch.
    pub fn new(name: &str, wall_ns: impl Fn() -> u64 + Send + Sync + 'static) -> ProcessClock {
        let mut clock = Clock::resume(Stamp::ZERO);
        clock.extend(Stamp::MAX);
        let shared = Shared {
            clock: Mutex::new(clock),
            wall_ns: Box::new(wall_ns),
            step: fnv1a(name) % STEPS,
            malformed: AtomicU64::new(0),
            too_far_ahead: AtomicU64::new(0),
        };
        ProcessClock { shared: Arc::new(shared) }
    }

    /// A stamp for an event of this process.
    pub fn stamp(&self) -> Stamp {
        let wall_ns = self.wall_ns();
        self.with_clock(|clock| clock.stamp(wall_ns))
    }

    /// A stamp to send. Its counter is led by a step of this process's own, so that two processes that received one
    /// message, and whose clocks are both behind it, don't send on equal stamps.
    pub(super) fn send(&self) -> Stamp {
        let wall_ns = self.wall_ns();
        self.with_clock(|clock| {
            let led = Stamp::from_bits(clock.stamp(wall_ns).to_bits().saturating_add(self.shared.step));
            merged(clock.merge(led, wall_ns))
        })
    }

    /// Merges the stamp that a tracestate carries; counts what can't be merged.
    pub(super) fn receive(&self, trace_state: &str) {
        let foreign = match tracestate::carried(trace_state) {
            Some(Ok(stamp)) => stamp,
            Some(Err(_)) => return count(&self.shared.malformed),
            None => return,
        };
        let wall_ns = self.wall_ns();
        if let Merge::TooFarAhead { .. } = self.with_clock(|clock| clock.merge(foreign, wall_ns)) {
            count(&self.shared.too_far_ahead);
        }
    }

    /// How many stamps were received and not merged.
    pub fn ignored(&self) -> Ignored {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ignored { malformed: read(&self.shared.malformed), too_far_ahead: read(&self.shared.too_far_ahead) }
    }

    pub(super) fn wall_ns(&self) -> u64 {
        (self.shared.wall_ns)()
    }

    /// A lock is poisoned only by a panic while it was held; a clock is whole at every step.
    fn with_clock<T>(&self, act: impl FnOnce(&mut Clock) -> T) -> T {
        act(&mut self.shared.clock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for ProcessClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessClock").field("ignored", &self.ignored()).finish_non_exhaustive()
    }
}

fn merged(merge: Merge) -> Stamp {
    match merge {
        Merge::Merged(stamp) | Merge::TooFarAhead { stamp, .. } => stamp,
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// FNV-1a: the same on every machine and in every version.
fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
