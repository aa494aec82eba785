//! An answer that is open on a running system grows: when to ask for it again.

use timeline::time::Time;

use crate::store::Store;

/// It is asked for again at most so often, in nanoseconds.
const PAUSE_NS: i128 = 2_000_000_000;

/// Answers may take this share of the time at most: one part in so many.
const SHARE: i128 = 5;

/// What is wrong with records shows only after their window, when nothing need arrive any more: so long after records
/// came is looked again, in nanoseconds ...
const SETTLING_NS: i128 = 120_000_000_000;
/// ... and so often.
const SETTLING_PAUSE_NS: i128 = 10_000_000_000;

/// What is known of an answer's growth.
#[derive(Debug, Default)]
pub struct Growth {
    /// How many records had arrived when it was asked for last.
    arrived: u64,
    /// How often the store had come back when it was asked for last.
    recoveries: u64,
    asked_at: Option<Time>,
    /// When it was first asked for with as many records.
    grew_at: Option<Time>,
    took_ns: i128,
    /// Whether the question on its way was not the user's.
    pub quiet: bool,
    /// Events of a timeline that came since the user asked.
    pub fresh: u64,
    /// Whether the last quiet question failed.
    pub lost: bool,
}

impl Growth {
    /// It is asked for now.
    pub(crate) fn ask(&mut self, store: &Store, now: Time, quiet: bool) {
        if self.grew_at.is_none() || store.arrived != self.arrived {
            self.grew_at = Some(now);
        }
        self.arrived = store.arrived;
        self.recoveries = store.recoveries;
        self.asked_at = Some(now);
        self.quiet = quiet;
        if !quiet {
            (self.fresh, self.lost) = (0, false);
        }
    }

    /// It is answered now.
    pub(crate) fn answered(&mut self, now: Time) {
        self.took_ns = self.asked_at.map_or(0, |asked| now.since(asked));
    }

    /// Whether records came since, and it is time to ask again.
    pub(crate) fn is_due(&self, store: &Store, now: Time) -> bool {
        let pause = PAUSE_NS.max(self.took_ns.saturating_mul(SHARE));
        let rested = self.asked_at.is_none_or(|asked| now.since(asked) >= pause);
        rested && (store.arrived != self.arrived || self.is_back(store))
    }

    /// Whether records came not long ago, of which judging may say more by now.
    pub(crate) fn is_settling(&self, now: Time) -> bool {
        let pause = SETTLING_PAUSE_NS.max(self.took_ns.saturating_mul(SHARE));
        self.asked_at.is_some_and(|asked| now.since(asked) >= pause)
            && self.grew_at.is_some_and(|grew| now.since(grew) < SETTLING_NS)
    }

    /// Whether the store has come back since it was asked last.
    pub(crate) fn is_back(&self, store: &Store) -> bool {
        store.recoveries != self.recoveries
    }
}
