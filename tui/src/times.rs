//! How moments and durations are shown.

use chrono::{FixedOffset, Local, Offset, TimeZone, Utc};
use timeline::document::Event;
use timeline::time::Time;

/// How times are shown; the key `T` goes through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// Seconds since the timeline's first moment, on the reference clock.
    #[default]
    Relative,
    /// In UTC, on the reference clock.
    Utc,
    /// In the zone of this machine, on the reference clock.
    Local,
    /// In UTC, as each process's own clock had it.
    Raw,
}

impl Times {
    /// The next way.
    #[must_use]
    pub fn next(self) -> Times {
        match self {
            Times::Relative => Times::Utc,
            Times::Utc => Times::Local,
            Times::Local => Times::Raw,
            Times::Raw => Times::Relative,
        }
    }

    /// What the screen says about it.
    pub fn label(self, zone: Zone, at: Time) -> String {
        match self {
            Times::Relative => "relative, corrected".to_owned(),
            Times::Utc => "UTC, corrected".to_owned(),
            Times::Local => format!("{}, corrected", zone.label(at)),
            Times::Raw => "UTC, each clock's own".to_owned(),
        }
    }

    /// The moment of `event` that this way shows.
    pub fn of(self, event: &Event) -> Time {
        if self == Times::Raw { event.time } else { event.corrected }
    }
}

/// Which zone "local" means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// That of this machine.
    #[default]
    Machine,
    /// A fixed one, in seconds east of UTC: for tests, and for a colleague's view.
    Fixed(i32),
}

impl Zone {
    fn offset(self, at: Time) -> FixedOffset {
        let machine = || Local.offset_from_utc_datetime(&at.to_utc().naive_utc()).fix();
        match self {
            Zone::Machine => machine(),
            Zone::Fixed(seconds) => FixedOffset::east_opt(seconds).unwrap_or(Utc.fix()),
        }
    }

    /// The zone in which times without one are read in queries.
    pub fn in_queries(self) -> query::language::Zone {
        let fixed = |seconds| {
            FixedOffset::east_opt(seconds).map_or(query::language::Zone::Utc, query::language::Zone::Fixed)
        };
        match self {
            Zone::Machine => query::language::Zone::Machine,
            Zone::Fixed(seconds) => fixed(seconds),
        }
    }

    /// Its name at a moment: `UTC`, or `UTC+02:00`.
    pub fn label(self, at: Time) -> String {
        let offset = self.offset(at);
        if offset.local_minus_utc() == 0 { "UTC".to_owned() } else { format!("UTC{offset}") }
    }

    /// The time of day with `decimals` decimals.
    pub fn clock(self, at: Time, decimals: usize) -> String {
        let text = at.to_utc().with_timezone(&self.offset(at)).format("%H:%M:%S%.9f").to_string();
        let whole = "00:00:00".len();
        text.get(..if decimals == 0 { whole } else { whole + 1 + decimals.min(9) })
            .unwrap_or(&text)
            .to_owned()
    }

    /// The date.
    pub fn date(self, at: Time) -> String {
        at.to_utc().with_timezone(&self.offset(at)).format("%Y-%m-%d").to_string()
    }
}

/// UTC, whatever the machine says.
pub const UTC: Zone = Zone::Fixed(0);

/// Seconds with `decimals` decimals, and a sign if negative: `-0.004`; from 1000 s on with hours.
pub fn seconds(ns: i128, decimals: usize) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let whole = ns.unsigned_abs() / 1_000_000_000;
    let nanos = format!("{:09}", ns.unsigned_abs() % 1_000_000_000);
    let fraction = nanos.get(..decimals.min(9)).unwrap_or_default();
    if whole < 1000 {
        return format!("{sign}{whole}.{fraction}");
    }
    format!("{sign}{}:{:02}:{:02}.{fraction}", whole / 3600, whole / 60 % 60, whole % 60)
}

/// A duration in the unit that suits it: `950 ns`, `12.3 µs`, `4.0 ms`, `3.0 s`, `5 min 2 s`.
pub fn duration(ns: i128) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let size = ns.unsigned_abs();
    let in_unit = |unit: f64, name: &str| format!("{sign}{:.1} {name}", size as f64 / unit);
    match size {
        0..1_000 => format!("{sign}{size} ns"),
        1_000..1_000_000 => in_unit(1e3, "µs"),
        1_000_000..1_000_000_000 => in_unit(1e6, "ms"),
        1_000_000_000..60_000_000_000 => in_unit(1e9, "s"),
        _ => {
            let seconds = size / 1_000_000_000;
            let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
            match (days, hours) {
                (0, 0) => format!("{sign}{minutes} min {} s", seconds % 60),
                (0, _) => format!("{sign}{hours} h {minutes} min"),
                _ => format!("{sign}{days} d {hours} h"),
            }
        }
    }
}

/// How long ago `then` was at `now`.
pub fn ago(then: Time, now: Time) -> String {
    match now.since(then) {
        ns if ns < 0 => format!("{} ahead", duration(-ns)),
        0..1_000_000_000 => "just now".to_owned(),
        ns => format!("{} ago", duration(ns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Time = Time(1_763_892_000_000_000_000);

    #[test]
    fn durations_read_naturally() {
        let shown =
            [0, 999, 12_345, -4_000_000, 3_000_000_000, 302_000_000_000, 7_300_000_000_000].map(duration);
        assert_eq!(shown, ["0 ns", "999 ns", "12.3 µs", "-4.0 ms", "3.0 s", "5 min 2 s", "2 h 1 min"]);
    }

    #[test]
    fn seconds_keep_their_digits() {
        assert_eq!(seconds(4_930_123_456, 6), "4.930123");
        assert_eq!(seconds(-4_000_000, 3), "-0.004");
        assert_eq!(seconds(3_661_500_000_000, 3), "1:01:01.500");
    }

    #[test]
    fn zones_say_who_they_are() {
        assert_eq!((UTC.clock(T, 3), UTC.label(T)), ("10:00:00.000".to_owned(), "UTC".to_owned()));
        let east = Zone::Fixed(19_800);
        assert_eq!((east.clock(T, 0), east.label(T)), ("15:30:00".to_owned(), "UTC+05:30".to_owned()));
    }

    #[test]
    fn the_future_is_not_ago() {
        assert_eq!(ago(T, T.shifted(2_000_000_000)), "2.0 s ago");
        assert_eq!(ago(T.shifted(2_000_000_000), T), "2.0 s ahead");
    }
}
