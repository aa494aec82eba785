//! How times are written, and when zone or year must be given: they are asked for, never guessed.

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, Offset, TimeZone, Utc};

use super::{LogOptions, OptionError};

/// The zone of times that name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// A fixed distance from UTC.
    Fixed(FixedOffset),
    /// This machine's.
    Machine,
}

impl std::str::FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Zone, String> {
        match text.to_ascii_lowercase().as_str() {
            "utc" | "z" => Ok(Zone::Fixed(Utc.fix())),
            "local" => Ok(Zone::Machine),
            other => other
                .parse()
                .map(Zone::Fixed)
                .map_err(|_| format!("{text:?} is no zone: utc, local, or as +02:00")),
        }
    }
}

/// Forms that name a zone.
const ZONED: [&str; 4] = [
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%d/%b/%Y:%H:%M:%S %z",
];
/// Forms that name none.
const LOCAL: [&str; 4] =
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y/%m/%d %H:%M:%S%.f", "%d/%b/%Y:%H:%M:%S"];
/// Forms that name neither zone nor year, read with the year before them.
const YEARLESS: [&str; 1] = ["%Y %b %d %H:%M:%S%.f"];

/// Nanoseconds since 1970; `None` where the text is no time.
pub(crate) fn parse(written: &str, options: &LogOptions) -> Result<Option<u64>, OptionError> {
    let written = written.trim();
    if let Some(format) = &options.time_format {
        return formatted(written, format, options);
    }
    if let Some(time) = number(written) {
        return Ok(Some(time));
    }
    // A comma before the fraction is ISO 8601's and log4j's.
    let text = written.replacen(',', ".", 1);
    if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        return Ok(nanoseconds(&time));
    }
    if let Some(time) = ZONED.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok()) {
        return Ok(nanoseconds(&time));
    }
    if let Some(time) = LOCAL.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok()) {
        return zoned(time, written, options);
    }
    // 2000 is a leap year: it reads every date.
    let with_year = |year: i32| format!("{year} {text}");
    let yearless = |year| {
        YEARLESS.iter().find_map(|format| NaiveDateTime::parse_from_str(&with_year(year), format).ok())
    };
    match (yearless(2000), options.year) {
        (None, _) => Ok(None),
        (Some(_), None) => Err(OptionError::Year(written.to_owned())),
        (Some(_), Some(year)) => yearless(year).map_or(Ok(None), |time| zoned(time, written, options)),
    }
}

fn formatted(written: &str, format: &str, options: &LogOptions) -> Result<Option<u64>, OptionError> {
    if let Ok(time) = DateTime::parse_from_str(written, format) {
        return Ok(nanoseconds(&time));
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(written, format) {
        return zoned(time, written, options);
    }
    match options.year {
        Some(year) => {
            let time = NaiveDateTime::parse_from_str(&format!("{year} {written}"), &format!("%Y {format}"));
            time.map_or(Ok(None), |time| zoned(time, written, options))
        }
        None => Ok(None),
    }
}

fn zoned(time: NaiveDateTime, written: &str, options: &LogOptions) -> Result<Option<u64>, OptionError> {
    let zone = options.zone.ok_or_else(|| OptionError::Zone(written.to_owned()))?;
    Ok(match zone {
        Zone::Fixed(zone) => zone.from_local_datetime(&time).earliest().and_then(|time| nanoseconds(&time)),
        Zone::Machine => Local.from_local_datetime(&time).earliest().and_then(|time| nanoseconds(&time)),
    })
}

fn nanoseconds<Z: TimeZone>(time: &DateTime<Z>) -> Option<u64> {
    u64::try_from(time.timestamp_nanos_opt()?).ok()
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size: between 2001
/// and 2286 each has a number of digits of its own.
fn number(written: &str) -> Option<u64> {
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let unit: u64 = match whole.len() {
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    };
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let fraction = format!("{fraction:0<9}").parse::<u64>().ok()? / (1_000_000_000 / unit);
    whole.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T10:00:00Z.
    const TEN: u64 = 1_795_428_000_000_000_000;

    #[test]
    fn the_usual_forms_are_read() {
        let none = LogOptions::default();
        let utc = LogOptions { zone: "utc".parse().ok(), year: Some(2026), ..LogOptions::default() };
        let east = LogOptions { zone: "+02:00".parse().ok(), ..LogOptions::default() };
        for (written, options, expected) in [
            ("2026-11-23T10:00:00Z", &none, TEN),
            ("2026-11-23T12:00:00.5+02:00", &none, TEN + 500_000_000),
            ("2026-11-23 10:00:00.25+0000", &none, TEN + 250_000_000),
            ("23/Nov/2026:10:00:00 +0000", &none, TEN),
            ("1795428000", &none, TEN),
            ("1795428000.125", &none, TEN + 125_000_000),
            ("1795428000250", &none, TEN + 250_000_000),
            ("1795428000000001", &none, TEN + 1_000),
            ("1795428000000000007", &none, TEN + 7),
            ("2026-11-23 10:00:00,125", &utc, TEN + 125_000_000),
            ("2026-11-23 12:00:00", &east, TEN),
            ("Nov 23 10:00:00", &utc, TEN),
        ] {
            assert_eq!(parse(written, options), Ok(Some(expected)), "{written}");
        }
    }

    #[test]
    fn what_is_not_said_is_asked_for() {
        let none = LogOptions::default();
        assert_eq!(
            parse("2026-11-23 10:00:00", &none),
            Err(OptionError::Zone("2026-11-23 10:00:00".to_owned()))
        );
        assert_eq!(parse("Nov 23 10:00:00", &none), Err(OptionError::Year("Nov 23 10:00:00".to_owned())));
        assert_eq!(parse("yesterday", &none), Ok(None));
        assert_eq!(parse("42", &none), Ok(None));
    }

    #[test]
    fn a_form_of_ones_own_is_read() {
        let own = LogOptions {
            time_format: Some("%H:%M:%S on %d.%m.%Y".to_owned()),
            zone: "utc".parse().ok(),
            ..LogOptions::default()
        };
        assert_eq!(parse("10:00:00 on 23.11.2026", &own), Ok(Some(TEN)));
    }
}
