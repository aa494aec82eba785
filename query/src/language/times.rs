//! Times and durations as people write them.

use std::fmt;

use chrono::{
    DateTime, Days, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use timeline::time::Time;

use super::ParseError;
use crate::archive::Window;

const FORMS: &str = "write 2026-11-23T10:00:00Z, 2026-11-23T10:00, 2026-11-23, 10:00, today, \
     yesterday, now, or how long ago: 15m, 1h30m, 2d";

/// The moment of asking.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// When.
    pub time: Time,
    /// What times without a zone are in.
    pub zone: Zone,
}

impl From<Time> for Now {
    /// In UTC.
    fn from(time: Time) -> Now {
        Now { time, zone: Zone::Utc }
    }
}

/// What times without a zone are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// UTC.
    Utc,
    /// A fixed offset.
    Fixed(FixedOffset),
    /// This machine's zone, with its summer times.
    Machine,
}

impl Zone {
    /// The moment that a calendar time names; the first of two, `None` where clocks leap over it.
    fn moment(self, calendar: NaiveDateTime) -> Option<Time> {
        let utc = match self {
            Zone::Utc => calendar.and_utc(),
            Zone::Fixed(offset) => offset.from_local_datetime(&calendar).earliest()?.to_utc(),
            Zone::Machine => Local.from_local_datetime(&calendar).earliest()?.to_utc(),
        };
        time_of(utc)
    }

    /// What calendars and clocks show at `time`.
    fn calendar(self, time: Time) -> NaiveDateTime {
        let utc = time.to_utc();
        match self {
            Zone::Utc => utc.naive_utc(),
            Zone::Fixed(offset) => utc.with_timezone(&offset).naive_local(),
            Zone::Machine => utc.with_timezone(&Local).naive_local(),
        }
    }
}

/// `UTC`, `+02:00` or `local`.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Utc => f.write_str("UTC"),
            Zone::Fixed(offset) => offset.fmt(f),
            Zone::Machine => f.write_str("local"),
        }
    }
}

/// The moment that `text` names: RFC 3339, a calendar time in `now`'s zone, or how long ago.
pub fn parse_time(text: &str, now: impl Into<Now>) -> Result<Time, ParseError> {
    span_of(text, &now.into()).map(|(start, _)| start).map_err(|message| ParseError::new(0, message))
}

/// The stretch that `A..B`, `A..`, `..B` or one calendar time names.
pub(super) fn parse_range(text: &str, now: &Now) -> Result<Window, (usize, String)> {
    let Some((since, until)) = text.split_once("..") else {
        let (start, end) = span_of(text, now).map_err(|message| (0, message))?;
        return Ok(Window { since: Some(start), until: Some(end.max(start.shifted(1))) });
    };
    if since.is_empty() && until.is_empty() {
        return Err((0, "a range needs one end at least: at:10:00..11:00".to_owned()));
    }
    let side = |text: &str, at| match text {
        "" => Ok(None),
        text => span_of(text, now).map(|(start, _)| Some(start)).map_err(|message| (at, message)),
    };
    let (since, until_at) = (side(since, 0)?, since.len() + 2);
    let until = side(until, until_at)?;
    if since.zip(until).is_some_and(|(since, until)| since >= until) {
        return Err((until_at, "this range ends before it begins: write at:EARLIER..LATER".to_owned()));
    }
    Ok(Window { since, until })
}

/// Nanoseconds in `1h30m`, `1.5s`, `200ms`; `None` if it is no duration.
pub(super) fn parse_duration(text: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 9] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3600e9),
        ("d", 86_400e9),
        ("w", 604_800e9),
    ];
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(scaled(number, *scale)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// Whole numbers exactly; decimal fractions to the nearest nanosecond.
fn scaled(number: &str, scale: f64) -> Option<u64> {
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(scale as u64);
    }
    let ns = number.parse::<f64>().ok()? * scale;
    (ns < u64::MAX as f64).then_some(ns.round() as u64)
}

/// The first moment that `text` names and the first past it: a date is a day long, a full time none.
fn span_of(text: &str, now: &Now) -> Result<(Time, Time), String> {
    let text = text.trim();
    let exact = |time| Ok((time, time));
    if text == "now" {
        return exact(now.time);
    }
    if let Some(ago) = parse_duration(text.strip_prefix('-').unwrap_or(text)) {
        return exact(now.time.shifted(-i128::from(ago)));
    }
    if let Some(time) = Time::parse_rfc3339(text) {
        return exact(time);
    }
    let (calendar, zone) = match split_zone(text) {
        Some((calendar, zone)) => (calendar, zone),
        None => (text, now.zone),
    };
    let today = zone.calendar(now.time).date();
    let (start, end) = calendar_span(calendar, today)
        .ok_or_else(|| format!("{:?} is not a time: {FORMS}", shortened(text)))?;
    let moment = |calendar| {
        zone.moment(calendar).ok_or_else(|| {
            format!("{calendar} does not exist in the zone {zone}, or lies before 1970 or after 2554")
        })
    };
    Ok((moment(start)?, moment(end)?))
}

fn calendar_span(text: &str, today: NaiveDate) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let day = |date: NaiveDate| Some((midnight(date), midnight(date.checked_add_days(Days::new(1))?)));
    match text {
        "today" => return day(today),
        "yesterday" => return day(today.checked_sub_days(Days::new(1))?),
        _ => {}
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return day(date);
    }
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?, clock),
        None => (today, text),
    };
    let minute = NaiveTime::parse_from_str(clock, "%H:%M").map(|time| (time, TimeDelta::minutes(1)));
    let second = || NaiveTime::parse_from_str(clock, "%H:%M:%S").map(|time| (time, TimeDelta::seconds(1)));
    let finer = || NaiveTime::parse_from_str(clock, "%H:%M:%S%.f").map(|time| (time, TimeDelta::zero()));
    let (time, width) = minute.or_else(|_| second()).or_else(|_| finer()).ok()?;
    let start = date.and_time(time);
    Some((start, start.checked_add_signed(width)?))
}

/// The zone that a calendar time ends with: `Z` or `+02:00`, behind a clock time.
fn split_zone(text: &str) -> Option<(&str, Zone)> {
    if let Some(calendar) = text.strip_suffix(['Z', 'z']) {
        return Some((calendar, Zone::Utc));
    }
    let at = text.rfind(['+', '-']).filter(|at| text.get(..*at).is_some_and(|clock| clock.contains(':')))?;
    let (calendar, zone) = text.split_at(at);
    Some((calendar, Zone::Fixed(zone.parse().ok()?)))
}

fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

fn time_of(utc: DateTime<Utc>) -> Option<Time> {
    let seconds = u64::try_from(utc.timestamp()).ok()?;
    let nanoseconds = u64::from(utc.timestamp_subsec_nanos());
    Some(Time(seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?))
}

/// The beginning of a text, for an error.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
