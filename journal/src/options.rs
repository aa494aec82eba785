//! How a journal is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a journal is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A segment is sealed once it has so many bytes; at most [`Options::SEGMENT_BYTES_MAX`]. On a small disk it has
    /// fewer: a sixteenth of the disk's room, so that dropping the oldest segment costs little of what is held.
    pub segment_bytes: u64,
    /// A segment is sealed once its first request is so old.
    pub segment_age: Duration,
    /// A segment is dropped once its last request is so old.
    pub keep_for: Duration,
    /// The oldest segments are dropped while the journal has more bytes.
    pub keep_bytes: u64,
    /// At most so many bytes of segments are kept longer for incidents that are open; at most half of `keep_bytes`.
    pub keep_pinned: u64,
    /// A full disk never costs a segment whose last request is younger.
    pub keep_at_least: Duration,
    /// The disk counts as full while fewer bytes than this are left on it, or than half a segment where that is less,
    /// beside what the index of journaled blocks will take: [`Journal::indexed_to`](crate::Journal::indexed_to).
    pub keep_free: u64,
    /// Requests are refused as busy while more bytes than this wait for the disk.
    pub queue_bytes: usize,
}

impl Options {
    /// Places within a segment are kept in 32 bits, and a batch may overshoot.
    pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;

    /// How many bytes of segments are kept longer for open incidents.
    pub fn pinned_bytes(&self) -> u64 {
        self.keep_pinned.min(self.keep_bytes / 2)
    }

    /// Nothing goes by age, by size, or for a full disk: for whoever writes a little into a journal that others keep.
    pub fn keeping_all() -> Options {
        Options {
            keep_for: Duration::MAX,
            keep_bytes: u64::MAX,
            keep_at_least: Duration::MAX,
            ..Options::default()
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes: 128 << 20,
            segment_age: Duration::from_secs(6 * 3600),
            keep_for: Duration::from_secs(3 * 24 * 3600),
            keep_bytes: 20 << 30,
            keep_pinned: 2 << 30,
            keep_at_least: Duration::from_secs(10 * 60),
            keep_free: 64 << 20,
            queue_bytes: 256 << 20,
        }
    }
}
