//! Which segments go, oldest first: by age, by size, and when the disk is full. Those pinned for open incidents stay.

use std::collections::{BTreeSet, VecDeque};

use crate::format::segment::Totals;
use crate::options::Options;

/// A sealed segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) number: u64,
    /// The file's length.
    pub(crate) bytes: u64,
    pub(crate) totals: Totals,
}

impl Held {
    /// How long before `now_ns` its last request arrived.
    fn age_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.totals.last.wall_ns())
    }
}

/// The oldest segments that are past `keep_for`, or past `keep_bytes` together with the `active_bytes` of the segment
/// being written: all up to the first that is not, but those `pinned`.
pub(crate) fn due(
    held: &VecDeque<Held>,
    active_bytes: u64,
    now_ns: u64,
    options: &Options,
    pinned: &BTreeSet<u64>,
) -> Vec<u64> {
    let keep_ns = u64::try_from(options.keep_for.as_nanos()).unwrap_or(u64::MAX);
    let mut bytes = active_bytes + held.iter().map(|segment| segment.bytes).sum::<u64>();
    let goes = |segment: &&Held| {
        let goes = segment.age_ns(now_ns) > keep_ns || bytes > options.keep_bytes;
        bytes -= segment.bytes;
        goes
    };
    let loose = held.iter().filter(|segment| !pinned.contains(&segment.number));
    loose.take_while(goes).map(|segment| segment.number).collect()
}

/// Whether a full disk may take the oldest segment before its time.
pub(crate) fn may_yield(segment: &Held, now_ns: u64, options: &Options) -> bool {
    u128::from(segment.age_ns(now_ns)) > options.keep_at_least.as_nanos()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hlc::Stamp;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Segments of 100 bytes each whose last requests arrived at these seconds.
    fn held(seconds: &[u64]) -> VecDeque<Held> {
        let totals = |second: u64| Totals { last: Stamp::from_wall_ns(second * SECOND), ..Totals::default() };
        let numbered = seconds.iter().zip(1..);
        numbered.map(|(second, number)| Held { number, bytes: 100, totals: totals(*second) }).collect()
    }

    fn options(keep_s: u64, keep_bytes: u64) -> Options {
        Options { keep_for: Duration::from_secs(keep_s), keep_bytes, ..Options::default() }
    }

    #[test]
    fn the_oldest_go_by_age_and_by_size_and_no_other() {
        let table = [
            // (last arrivals, keep_s, keep_bytes, goes) at second 1000, with 50 bytes active
            (vec![100, 500, 900], 10_000, 10_000, 0),
            (vec![100, 500, 900], 600, 10_000, 1),
            (vec![100, 500, 900], 50, 10_000, 3),
            (vec![100, 500, 900], 10_000, 350, 0),
            (vec![100, 500, 900], 10_000, 349, 1),
            (vec![100, 500, 900], 10_000, 0, 3),
            (vec![900, 100, 950], 600, 10_000, 0),
            (vec![], 0, 0, 0),
        ];
        for (arrivals, keep_s, keep_bytes, goes) in table {
            let options = options(keep_s, keep_bytes);
            let due = due(&held(&arrivals), 50, 1_000 * SECOND, &options, &BTreeSet::new());
            assert_eq!(
                due,
                (1..=goes).collect::<Vec<_>>(),
                "{arrivals:?} keep {keep_s} s, {keep_bytes} bytes"
            );
        }
    }

    #[test]
    fn what_is_pinned_stays_and_what_follows_goes() {
        let segments = held(&[100, 200, 300, 990]);
        let due = |pinned: &[u64], keep_s, keep_bytes| {
            let pinned = pinned.iter().copied().collect();
            due(&segments, 50, 1_000 * SECOND, &options(keep_s, keep_bytes), &pinned)
        };
        assert_eq!(due(&[1, 3], 600, 10_000), [2]);
        assert_eq!(due(&[1], 10_000, 350), [2], "its bytes count, so that another goes in its place");
        assert_eq!(due(&[1, 2, 3, 4], 0, 0), [0; 0]);
    }

    #[test]
    fn a_full_disk_takes_only_what_is_old_enough() {
        let options = Options { keep_at_least: Duration::from_secs(60), ..Options::default() };
        let segments = held(&[100, 960]);
        assert!(may_yield(&segments[0], 1_000 * SECOND, &options));
        assert!(!may_yield(&segments[1], 1_000 * SECOND, &options));
    }
}
