//! What a user says of a file of changes or of a snapshot.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::DateTime;

use super::Row;
use crate::request::{Source, attribute, text};

/// The roles that a column of changes can have.
const ROLES: &[&str] = &[
    "time",
    "entity",
    "key",
    "op",
    "field",
    "from",
    "value",
    "before",
    "after",
    "version",
    "transaction",
    "traceparent",
    "trace_id",
    "span_id",
];

/// What a file of state does not say itself.
#[derive(Clone, Debug, Default)]
pub struct StateOptions {
    /// The copy that it tells of: `redis/price`.
    pub copy: Option<String>,
    /// The type of its things.
    pub entity: Option<String>,
    /// The columns that make a key.
    pub key: Vec<String>,
    /// The columns that are state; all others where empty.
    pub fields: Vec<String>,
    /// Which column is what, by role.
    pub columns: BTreeMap<String, String>,
    /// When a snapshot was taken.
    pub at: Option<Moment>,
    /// How far the times of changes may be wrong, in nanoseconds.
    pub error_ns: u64,
    /// Whose clock the times were read off: a service's name; the copy's where absent.
    pub service: Option<String>,
    /// The machine whose clock it was.
    pub host: Option<String>,
}

/// What must be given, or is given wrongly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateOptionError {
    /// No copy is named.
    #[error("say which copy it tells of with --copy, as redis/price")]
    Copy,
    /// A snapshot has no time.
    #[error("say when the snapshot was taken with --at, as --at '2026-11-23T10:00:00Z ± 1s'")]
    At,
    /// A role that there is none of.
    #[error("{written:?} is no ROLE=COLUMN; the roles are {}", ROLES.join(", "))]
    Role {
        /// As it was written.
        written: String,
    },
    /// A text that is no moment.
    #[error(
        "{0:?} is no time: write it with its zone, and with ± how far it may be wrong, as '2026-11-23T10:00:00Z ± 1s'"
    )]
    Moment(String),
    /// A text that is no duration.
    #[error("{0:?} is no duration: write a whole number and ns, us, ms, s or m, as 1s")]
    Duration(String),
}

/// A moment, and how far it may be wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since 1970.
    pub time_ns: u64,
    /// The truth lies within so many nanoseconds of it; 0 where it is as exact as it is written.
    pub error_ns: u64,
}

impl FromStr for Moment {
    type Err = StateOptionError;

    fn from_str(written: &str) -> Result<Moment, StateOptionError> {
        let parts = ["±", "+-", "+/-"].iter().find_map(|sign| written.split_once(sign));
        let (time, error) = parts.map_or((written, None), |(time, error)| (time, Some(error)));
        let moment = || StateOptionError::Moment(written.to_owned());
        let time = DateTime::parse_from_rfc3339(time.trim()).map_err(|_| moment())?;
        let time_ns = time.timestamp_nanos_opt().and_then(|ns| u64::try_from(ns).ok()).ok_or_else(moment)?;
        let error_ns = error.map_or(Ok(0), duration_ns)?;
        Ok(Moment { time_ns, error_ns })
    }
}

/// Nanoseconds of `250ms`, `1s`.
pub(crate) fn duration_ns(written: &str) -> Result<u64, StateOptionError> {
    let text = written.trim();
    let unit_at = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit_ns: u64 = match unit.trim() {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        _ => 0,
    };
    let ns = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ns));
    ns.filter(|_| unit_ns > 0).ok_or_else(|| StateOptionError::Duration(written.to_owned()))
}

impl StateOptions {
    /// Takes `ROLE=COLUMN`.
    pub fn add_column(&mut self, written: &str) -> Result<(), StateOptionError> {
        let (role, column) = written
            .split_once('=')
            .filter(|(role, _)| ROLES.contains(role))
            .ok_or_else(|| StateOptionError::Role { written: written.to_owned() })?;
        self.columns.insert(role.to_owned(), column.to_owned());
        Ok(())
    }

    /// Takes how far the times of changes may be wrong: `1s`.
    pub fn set_error(&mut self, written: &str) -> Result<(), StateOptionError> {
        self.error_ns = duration_ns(written)?;
        Ok(())
    }

    /// The column that has a role.
    pub(super) fn column(&self, role: &str) -> Option<&str> {
        self.columns.get(role).map(String::as_str)
    }

    /// The columns that make a row's key: those named, else `id`.
    pub(super) fn keys(&self, row: &Row) -> Result<Vec<String>, String> {
        if !self.key.is_empty() {
            return Ok(self.key.clone());
        }
        if row.contains_key("id") {
            return Ok(vec!["id".to_owned()]);
        }
        Err("it has no column id: say which column is the key with --key COLUMN".to_owned())
    }

    /// Whether a column is state.
    pub(super) fn takes(&self, field: &str) -> bool {
        let plays_a_role = self.columns.values().any(|column| column == field);
        if self.fields.is_empty() { !plays_a_role } else { self.fields.iter().any(|own| own == field) }
    }

    pub(super) fn no_field(&self) -> String {
        match self.fields.as_slice() {
            [] => "it has no column besides the key's".to_owned(),
            fields => format!("it has none of the columns {}", fields.join(", ")),
        }
    }

    /// Who tells: the owner of the clock that its times were read off.
    pub(super) fn source(&self, copy: &str) -> Source {
        let service = self.service.as_deref().unwrap_or(copy);
        let host = self.host.as_deref().map(|host| attribute("host.name", text(host)));
        Source {
            attributes: std::iter::once(attribute("service.name", text(service))).chain(host).collect(),
            scope: ("backstory.import".to_owned(), String::new()),
        }
    }
}
