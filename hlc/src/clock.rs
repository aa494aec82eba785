//! The clock: how stamps are made, merged, and kept from going back over a restart.

use crate::Stamp;

/// How far ahead of the wall clock a foreign stamp may lead and still be merged: 1 s.
///
/// One clock far in the future would otherwise drag every clock that it talks to along with it.
pub const AHEAD_NS_MAX: u64 = 1_000_000_000;

/// How much time one persisted bound buys: 1 s. After a crash a clock resumes at most this far ahead.
pub const LEASE_NS: u64 = 1_000_000_000;

/// A hybrid logical clock that hands out stamps below a bound which its owner has made durable.
///
/// The owner keeps the bound on disk: before it asks for a stamp it asks [`Clock::lease`], persists
/// what that returns, and confirms it with [`Clock::extend`]. A clock that [resumes](Clock::resume)
/// from the bound never repeats a stamp, because all that were ever handed out lie below it (HLC-1).
#[derive(Clone, Debug)]
pub struct Clock {
    /// Invariant: never decreases; every stamp handed out is at most this.
    last: Stamp,
    /// Invariant: durable, and no stamp handed out is above it.
    bound: Stamp,
}

/// What became of a foreign stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The clock moved past it; this is the stamp of the receipt.
    Merged(Stamp),
    /// It leads the wall clock by more than [`AHEAD_NS_MAX`]: the clock did not follow. The stamp
    /// is that of the receipt all the same; the foreign stamp is for its holder to keep and show.
    TooFarAhead {
        /// The stamp of the receipt, unmoved by the foreign one.
        stamp: Stamp,
        /// How far the foreign stamp leads the wall clock, in nanoseconds.
        lead_ns: u64,
    },
}

impl Clock {
    /// A clock that goes on after `bound`, the last bound that its owner persisted
    /// ([`Stamp::ZERO`] for a new clock).
    pub fn resume(bound: Stamp) -> Clock {
        Clock { last: bound, bound }
    }

    /// The last stamp handed out, or the bound resumed from.
    pub fn last(&self) -> Stamp {
        self.last
    }

    /// The bound to persist before `count` more stamps may be asked for at `wall_ns`;
    /// `None` while the present one suffices.
    pub fn lease(&self, wall_ns: u64, count: u64) -> Option<Stamp> {
        let reach = self.peek(wall_ns).to_bits().saturating_add(count);
        (reach > self.bound.to_bits()).then(|| {
            let reached = Stamp::from_bits(reach);
            Stamp::from_wall_ns(reached.wall_ns().saturating_add(LEASE_NS)).max(reached)
        })
    }

    /// Confirms that `bound` is durable. A smaller bound than the present one changes nothing.
    pub fn extend(&mut self, bound: Stamp) {
        self.bound = self.bound.max(bound);
    }

    /// A stamp for a local event at `wall_ns`: greater than every stamp before it (HLC-1).
    pub fn stamp(&mut self, wall_ns: u64) -> Stamp {
        self.last = self.peek(wall_ns);
        debug_assert!(self.last <= self.bound, "HLC-1: a stamp above the durable bound");
        self.last
    }

    /// A stamp for the receipt, at `wall_ns`, of something that carried `foreign` (HLC-2).
    pub fn merge(&mut self, foreign: Stamp, wall_ns: u64) -> Merge {
        let lead_ns = foreign.wall_ns().saturating_sub(wall_ns);
        if lead_ns > AHEAD_NS_MAX {
            return Merge::TooFarAhead { stamp: self.stamp(wall_ns), lead_ns };
        }
        self.last = self.last.max(foreign);
        Merge::Merged(self.stamp(wall_ns))
    }

    fn peek(&self, wall_ns: u64) -> Stamp {
        Stamp::from_wall_ns(wall_ns).max(self.last.next())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The paper's rules word for word, over ticks, with an unbounded counter.
    #[derive(Clone, Copy, Default)]
    struct Definition {
        l: u64,
        c: u64,
    }

    impl Definition {
        fn local(&mut self, pt: u64) {
            let l = self.l.max(pt);
            self.c = if l == self.l { self.c + 1 } else { 0 };
            self.l = l;
        }

        fn receive(&mut self, m: Definition, pt: u64) {
            let l = self.l.max(m.l).max(pt);
            self.c = match (l == self.l, l == m.l) {
                (true, true) => self.c.max(m.c) + 1,
                (true, false) => self.c + 1,
                (false, true) => m.c + 1,
                (false, false) => 0,
            };
            self.l = l;
        }
    }

    fn tick(stamp: Stamp) -> u64 {
        stamp.wall_ns() >> 10
    }

    fn unbounded() -> Clock {
        let mut clock = Clock::resume(Stamp::ZERO);
        clock.extend(Stamp::MAX);
        clock
    }

    #[derive(Clone, Debug)]
    enum Step {
        Local { wall: u64 },
        Receive { wall: u64, l: u64, c: u16 },
    }

    /// Wall times in a narrow range, so that they stand still, step back and collide often.
    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0u64..50_000).prop_map(|wall| Step::Local { wall }),
            (0u64..50_000, 0u64..50_000, 0u16..4).prop_map(|(wall, l, c)| Step::Receive { wall, l, c }),
        ];
        prop::collection::vec(step, 1..200)
    }

    proptest! {
        #[test]
        fn it_is_the_clock_of_the_paper(steps in steps()) {
            let (mut clock, mut definition) = (unbounded(), Definition::default());
            // The definition starts at (0, 0), as the clock does.
            for step in steps {
                match step {
                    Step::Local { wall } => {
                        definition.local(wall >> 10);
                        clock.stamp(wall);
                    }
                    Step::Receive { wall, l, c } => {
                        let foreign = Stamp::from(crate::Hlc { l, c: c.into() });
                        definition.receive(Definition { l: l >> 10, c: c.into() }, wall >> 10);
                        prop_assert!(matches!(clock.merge(foreign, wall), Merge::Merged(s) if s > foreign));
                    }
                }
                prop_assert_eq!((tick(clock.last()), u64::from(clock.last().counter())), (definition.l, definition.c));
            }
        }

        #[test]
        fn stamps_strictly_increase_over_restarts(
            lives in prop::collection::vec(prop::collection::vec(0u64..10_000_000_000, 1..20), 1..6),
        ) {
            let (mut persisted, mut before) = (Stamp::ZERO, Stamp::ZERO);
            for walls in lives {
                let mut clock = Clock::resume(persisted);
                for wall in walls {
                    if let Some(bound) = clock.lease(wall, 1) {
                        persisted = bound; // what a crash leaves behind
                        clock.extend(bound);
                    }
                    let stamp = clock.stamp(wall);
                    prop_assert!(stamp > before && stamp <= persisted);
                    before = stamp;
                }
            }
        }

        #[test]
        fn without_merges_it_never_leads_the_wall_clock(walls in prop::collection::vec(0u64..1 << 40, 1..100)) {
            let mut clock = unbounded();
            let mut largest = 0;
            for wall in walls {
                largest = largest.max(wall);
                prop_assert!(clock.stamp(wall).wall_ns() <= largest);
            }
        }

        /// An independent implementation as the oracle, where both can express the stamp.
        #[test]
        fn it_orders_receipts_as_uhlc_does(lead_ns in 0u64..500_000_000) {
            let wall = 1_763_892_000_000_000_000u64;
            let mut clock = unbounded();
            clock.stamp(wall);
            let ours = clock.merge(Stamp::from_wall_ns(wall + lead_ns), wall);
            let theirs = uhlc::HLCBuilder::new()
                .with_clock(|| uhlc::NTP64::from(std::time::Duration::from_nanos(1_763_892_000_000_000_000)))
                .with_max_delta(std::time::Duration::from_secs(1))
                .build();
            let carried = uhlc::Timestamp::new(
                uhlc::NTP64::from(std::time::Duration::from_nanos(wall + lead_ns)),
                *theirs.get_id(),
            );
            prop_assert!(theirs.update_with_timestamp(&carried).is_ok());
            prop_assert!(theirs.new_timestamp() > carried);
            prop_assert!(matches!(ours, Merge::Merged(s) if s > Stamp::from_wall_ns(wall + lead_ns)));
        }
    }

    #[test]
    fn a_stamp_too_far_ahead_is_reported_and_not_followed() {
        let mut clock = unbounded();
        let wall = 5_000_000_000;
        let foreign = Stamp::from_wall_ns(wall + 2 * AHEAD_NS_MAX);
        let Merge::TooFarAhead { stamp, lead_ns } = clock.merge(foreign, wall) else {
            panic!("merged a stamp 2 s ahead");
        };
        assert!(stamp < foreign && lead_ns > AHEAD_NS_MAX);
        assert!(clock.stamp(wall) < foreign);
    }

    #[test]
    fn a_full_counter_carries_into_time() {
        let mut clock = unbounded();
        let stamps: Vec<_> = (0..10_000).map(|_| clock.stamp(1_024)).collect();
        assert!(stamps.is_sorted_by(|a, b| a < b));
        assert_eq!(tick(stamps[9_999]), 1 + 9_999 / 4_096);
    }
}
