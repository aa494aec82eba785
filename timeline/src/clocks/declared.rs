//! An offset that the configuration declares: `0s ± 2s`.

use std::fmt;
use std::str::FromStr;

/// How far a clock is ahead of the reference clock, as somebody who should know declares it: `[clock.legacy]
/// offset = "0s ± 2s"`. What rests on it is `assumed`, never more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The clock minus the reference, in nanoseconds.
    pub offset_ns: i64,
    /// The truth lies within so many nanoseconds of it.
    pub error_ns: u64,
}

/// A text that declares no offset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an offset is two durations, as in \"-1.5s ± 200ms\" or \"0s +- 2s\" (ns, us, ms, s, m or h), not {0:?}"
)]
pub struct ParseDeclaredError(String);

impl FromStr for Declared {
    type Err = ParseDeclaredError;

    fn from_str(text: &str) -> Result<Declared, ParseDeclaredError> {
        let error = || ParseDeclaredError(text.chars().take(64).collect());
        let (offset, width) = text
            .split_once('±')
            .or_else(|| text.split_once("+-"))
            .or_else(|| text.split_once("+/-"))
            .ok_or_else(error)?;
        let offset_ns = duration_ns(offset).ok_or_else(error)?;
        let error_ns = duration_ns(width).and_then(|ns| u64::try_from(ns).ok()).ok_or_else(error)?;
        Ok(Declared { offset_ns, error_ns })
    }
}

fn duration_ns(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let unit_ns = match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3_600e9,
        _ => return None,
    };
    let ns = number.trim().parse::<f64>().ok()? * unit_ns;
    // A century is no offset of a clock that somebody knows.
    (ns.abs() <= 3.2e18).then_some(ns.round() as i64)
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns ± {}ns", self.offset_ns, self.error_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_and_its_error_are_read() {
        let declared = |text: &str| text.parse::<Declared>().map(|d| (d.offset_ns, d.error_ns));
        assert_eq!(declared("0s ± 2s"), Ok((0, 2_000_000_000)));
        assert_eq!(declared("-1.5s +- 200ms"), Ok((-1_500_000_000, 200_000_000)));
        assert_eq!(declared("1h ± 5m"), Ok((3_600_000_000_000, 300_000_000_000)));
        for text in ["", "2s", "0s ± -2s", "0 ± 2", "0s ± 2 fortnights", "NaNs ± 1s"] {
            assert!(declared(text).is_err(), "{text}");
        }
    }
}
