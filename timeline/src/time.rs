//! Times as OTLP carries them and as the public JSON writes them.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in nanoseconds since the Unix epoch, exactly as a clock had it: 1970 and 2262 included.
///
/// In text it is RFC 3339 in UTC with nine decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// OTLP's "unknown or missing".
    pub const UNSET: Time = Time(0);

    /// Whether the sender gave a time at all.
    pub fn is_set(self) -> bool {
        self != Time::UNSET
    }

    /// Nanoseconds from `earlier` to this moment; negative where it is later.
    pub fn since(self, earlier: Time) -> i128 {
        i128::from(self.0) - i128::from(earlier.0)
    }

    /// This moment moved by `ns` nanoseconds, kept within the range of the type.
    #[must_use]
    pub fn shifted(self, ns: i128) -> Time {
        let moved = (i128::from(self.0) + ns).clamp(0, i128::from(u64::MAX));
        Time(moved as u64)
    }

    /// The same moment as a calendar date in UTC.
    pub fn to_utc(self) -> DateTime<Utc> {
        let seconds = (self.0 / 1_000_000_000) as i64;
        let nanoseconds = (self.0 % 1_000_000_000) as u32;
        // 2^64 ns after 1970 is the year 2554, well inside chrono's range.
        DateTime::from_timestamp(seconds, nanoseconds).unwrap_or_default()
    }

    /// The moment that `text` names in RFC 3339; `None` if it is not one or lies before 1970.
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        let parsed = DateTime::parse_from_rfc3339(text).ok()?;
        let seconds = u64::try_from(parsed.timestamp()).ok()?;
        let nanoseconds = u64::from(parsed.timestamp_subsec_nanos());
        Some(Time(seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Nanos, true))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Time::parse_rfc3339(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not an RFC 3339 time")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_written_with_nine_decimals() {
        assert_eq!(Time(1_763_892_000_000_000_001).to_string(), "2025-11-23T10:00:00.000000001Z");
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(Time(u64::MAX).to_string(), "2554-07-21T23:34:33.709551615Z");
    }

    proptest! {
        #[test]
        fn text_round_trips(ns: u64) {
            prop_assert_eq!(Time::parse_rfc3339(&Time(ns).to_string()), Some(Time(ns)));
        }
    }
}
