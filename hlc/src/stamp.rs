//! A stamp in its three forms: the pair, 64 bits, and sixteen hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bits of the counter in the packed form.
const COUNTER_BITS: u32 = 12;
/// Low bits of the physical part that the packed form drops: its tick is 1.024 µs.
const TICK_SHIFT: u32 = 10;
/// The largest physical part that fits the 52 bits of the packed form: 2116-02-20.
const L_NS_MAX: u64 = (1 << (64 - COUNTER_BITS + TICK_SHIFT)) - 1;

const _: () = assert!(
    L_NS_MAX >> TICK_SHIFT == u64::MAX >> COUNTER_BITS,
    "the physical part in ticks and the counter fill 64 bits exactly"
);

/// A hybrid logical time at full resolution: `l` nanoseconds since the Unix epoch, `c` breaking ties.
///
/// Ordered by `l`, then by `c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hlc {
    /// The largest time, in nanoseconds since the Unix epoch, of the event and all its predecessors.
    pub l: u64,
    /// Counts events that share `l`.
    pub c: u32,
}

impl Hlc {
    /// The stamp of an event that happened at `time` by its own clock, after `predecessors`:
    /// `l` is at least the time and never below a predecessor's, `c` breaks ties.
    pub fn after(time: u64, predecessors: impl IntoIterator<Item = Hlc>) -> Hlc {
        let own = Hlc { l: time, c: 0 };
        predecessors.into_iter().map(Hlc::next).fold(own, Hlc::max)
    }

    /// The smallest stamp greater than this one.
    #[must_use]
    pub fn next(self) -> Hlc {
        match self.c.checked_add(1) {
            Some(c) => Hlc { l: self.l, c },
            None => Hlc { l: self.l.saturating_add(1), c: 0 },
        }
    }
}

/// A stamp as it is stored and sent: `(l_ns >> 10) << 12 | c` in 64 bits.
///
/// Ordered as an integer, which is the order of the pairs it stands for. In text it is sixteen
/// lower-case hexadecimal digits, which sort alike.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(u64);

impl Stamp {
    /// Before every other stamp.
    pub const ZERO: Stamp = Stamp(0);
    /// After every other stamp.
    pub const MAX: Stamp = Stamp(u64::MAX);

    /// The first stamp of the tick that holds `wall_ns`, in nanoseconds since the Unix epoch.
    /// Times past the range of the encoding (2116) become its last tick.
    pub fn from_wall_ns(wall_ns: u64) -> Stamp {
        Stamp((wall_ns.min(L_NS_MAX) >> TICK_SHIFT) << COUNTER_BITS)
    }

    /// The stamp whose 64-bit form is `bits`; every pattern is one.
    pub const fn from_bits(bits: u64) -> Stamp {
        Stamp(bits)
    }

    /// The 64-bit form.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The physical part in nanoseconds since the Unix epoch, rounded down to the tick.
    pub const fn wall_ns(self) -> u64 {
        (self.0 >> COUNTER_BITS) << TICK_SHIFT
    }

    /// The counter.
    pub const fn counter(self) -> u16 {
        (self.0 & ((1 << COUNTER_BITS) - 1)) as u16
    }

    /// The next stamp; a full counter carries into the physical part.
    #[must_use]
    pub const fn next(self) -> Stamp {
        Stamp(self.0.saturating_add(1))
    }
}

impl From<Hlc> for Stamp {
    /// Rounds `l` down to the tick; a counter too large for its bits saturates.
    fn from(hlc: Hlc) -> Stamp {
        let counter = u64::from(hlc.c).min((1 << COUNTER_BITS) - 1);
        Stamp(Stamp::from_wall_ns(hlc.l).0 | counter)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stamp({self})")
    }
}

/// A text that is not a stamp.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stamp is 16 hexadecimal digits, not {0:?}")]
pub struct ParseStampError(String);

impl FromStr for Stamp {
    type Err = ParseStampError;

    fn from_str(text: &str) -> Result<Stamp, ParseStampError> {
        let error = || ParseStampError(text.chars().take(32).collect());
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error());
        }
        u64::from_str_radix(text, 16).map(Stamp).map_err(|_| error())
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Stamp, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_layout_is_the_documented_one() {
        let l = 1_763_892_000_123_456_789;
        let stamp = Stamp::from(Hlc { l, c: 5 });
        assert_eq!(stamp.to_bits(), (l >> 10) << 12 | 5);
        assert_eq!(stamp.to_string().len(), 16);
        assert_eq!(stamp.wall_ns(), l >> 10 << 10);
        assert_eq!(stamp.counter(), 5);
    }

    #[test]
    fn what_is_not_a_stamp_is_refused() {
        for text in ["", "1", "+234567890123456", "00000000000000000", "000000000000000g", "é00000000000000"]
        {
            assert!(text.parse::<Stamp>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_past_the_range_stay_in_the_last_tick() {
        assert_eq!(Stamp::from_wall_ns(u64::MAX), Stamp::from_wall_ns(L_NS_MAX));
        assert!(Stamp::from_wall_ns(u64::MAX) < Stamp::MAX);
    }

    proptest! {
        #[test]
        fn text_and_bits_round_trip(bits: u64) {
            let stamp = Stamp::from_bits(bits);
            prop_assert_eq!(stamp.to_string().parse::<Stamp>(), Ok(stamp));
        }

        #[test]
        fn text_sorts_as_stamps_do(a: u64, b: u64) {
            let (a, b) = (Stamp::from_bits(a), Stamp::from_bits(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn packing_keeps_order(a in any::<(u64, u32)>(), b in any::<(u64, u32)>()) {
            let (a, b) = (Hlc { l: a.0, c: a.1 }, Hlc { l: b.0, c: b.1 });
            let (low, high) = (a.min(b), a.max(b));
            // Within one tick the counters of different `l` are not comparable: HLC-4 is about ticks.
            if low.l >> TICK_SHIFT != high.l >> TICK_SHIFT || low.l == high.l {
                prop_assert!(Stamp::from(low) <= Stamp::from(high));
            }
        }

        #[test]
        fn a_stamp_follows_its_time_and_all_its_predecessors(
            time in 0u64..1 << 40,
            predecessors in prop::collection::vec((0u64..1 << 40, 0u32..8), 0..6),
        ) {
            let predecessors: Vec<_> = predecessors.into_iter().map(|(l, c)| Hlc { l, c }).collect();
            let stamp = Hlc::after(time, predecessors.iter().copied());
            prop_assert!(stamp.l >= time);
            prop_assert!(predecessors.iter().all(|p| *p < stamp));
            // The definition: c is zero, or one more than the largest counter among equals.
            let equals = predecessors.iter().filter(|p| p.l == stamp.l).map(|p| p.c + 1).max();
            prop_assert_eq!(stamp.c, equals.unwrap_or(0));
        }
    }
}
