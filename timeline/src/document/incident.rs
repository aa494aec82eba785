//! `backstory.incidents/1` and `backstory.annotations/1`: what belongs together, and what engineers wrote about it.

use serde::{Deserialize, Serialize};

use super::{Completeness, FindingKind, FindingStatus, Grade};
use crate::annotation::{IncidentStatus, Written};
use crate::id::{EventId, RecordId, TraceId};
use crate::time::Time;

/// Findings and errors that belong together in time and cause, with what engineers wrote about them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incidents {
    /// Always [`Incidents::SCHEMA`].
    pub schema: String,
    /// What the answer rests on; `shown` of `total` incidents are listed.
    pub completeness: Completeness,
    /// The latest time of a record that the store held: what came later was not judged. `None` where it held none.
    pub judged_to: Option<Time>,
    /// How many entities were judged.
    pub judged: u64,
    /// How many entities could not be judged.
    pub cannot_judge: u64,
    /// What is kept beyond retention for incidents that are open.
    pub pinned: Pinned,
    /// Those with findings first, then those of errors alone, then those whose records are gone; the latest first.
    pub incidents: Vec<Incident>,
}

impl Incidents {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.incidents/1";
}

/// What is kept beyond retention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The journal's segments, ascending.
    pub segments: Vec<u64>,
    /// Their bytes.
    pub bytes: u64,
    /// No more bytes than this are pinned; the incident touched last goes first.
    pub bytes_max: u64,
}

/// Findings and errors that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// `i-` and the 16 hexadecimal digits of one of its members' ids: of the one that an engineer wrote about first, else
    /// of the earliest finding, else of the earliest error. Every member's digits name the incident.
    pub id: String,
    /// What its most telling finding says; without one, its earliest error.
    pub title: String,
    /// Whether it is over, as far as an engineer said.
    pub status: IncidentStatus,
    /// Whether its records are held; else this is what was written down when an engineer touched it.
    pub held: bool,
    /// The kind of its most telling finding; `None` where there are only errors.
    pub kind: Option<FindingKind>,
    /// How sure its most telling finding is.
    pub grade: Option<Grade>,
    /// Where its first member begins: a finding on the reference clock, an error on its own.
    pub first: Time,
    /// Where its last member ends.
    pub last: Time,
    /// The earliest event that all its members follow, by a chain of causes; `None` where no chain proves one.
    pub origin: Option<Origin>,
    /// Whose state it concerns, by entity type.
    pub entities: Vec<IncidentEntities>,
    /// Where it happened, by service.
    pub services: Vec<IncidentService>,
    /// How many findings belong to it.
    pub findings_total: u64,
    /// The findings, the most telling first.
    pub findings: Vec<IncidentFinding>,
    /// How many error spans and error logs belong to it.
    pub errors_total: u64,
    /// The errors, those that are alike together, by the first of each.
    pub errors: Vec<IncidentError>,
    /// The journal's segments that its records stand in, as far as they were looked at: of the findings' timelines and
    /// of the errors.
    pub segments: Vec<u64>,
    /// Whether those segments are kept beyond retention: an engineer touched it, it is open, and there was room.
    pub pinned: bool,
    /// What engineers wrote about it, in the order in which they did: notes, and each change of its status.
    pub written: Vec<Written>,
}

/// The earliest event that all members of an incident follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The event.
    pub event: EventId,
    /// Its trace, if any.
    pub trace_id: Option<TraceId>,
    /// In whose timeline it stands, as `order/42`; `None` where it stands in no finding's.
    pub entity: Option<String>,
    /// Its service.
    pub service: String,
    /// The span's or event's name, or the log's text.
    pub name: String,
    /// When, on the reference clock.
    pub time: Time,
}

/// The entities of one type that an incident concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEntities {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many.
    pub count: u64,
    /// The first of them, as `order/42`.
    pub examples: Vec<String>,
}

/// A service that an incident happened in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentService {
    /// The service.
    pub service: String,
    /// How many of the incident's findings have an event there.
    pub findings: u64,
    /// How many of its errors happened there.
    pub errors: u64,
}

/// A finding of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFinding {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: FindingKind,
    /// How sure it is.
    pub grade: Grade,
    /// Whether late records may still change it.
    pub status: FindingStatus,
    /// Whose state it concerns first; `None` for findings about clocks or telemetry.
    pub entity: Option<String>,
    /// One line for a person.
    pub summary: String,
    /// Where it begins.
    pub from: Time,
    /// Where it ends; `None` while it goes on.
    pub until: Option<Time>,
    /// The finding that it follows from.
    pub consequence_of: Option<String>,
}

/// Errors of an incident that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentError {
    /// Their service.
    pub service: String,
    /// `span` or `log`.
    pub kind: String,
    /// What the first of them says.
    pub what: String,
    /// How many.
    pub count: u64,
    /// When the first was.
    pub first: Time,
    /// When the last was.
    pub last: Time,
    /// The first one's record.
    pub record: RecordId,
    /// The first one's trace, if any.
    pub trace_id: Option<TraceId>,
}

/// What engineers wrote and did not take back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotations {
    /// Always [`Annotations::SCHEMA`].
    pub schema: String,
    /// What is kept beyond retention for incidents that are open.
    pub pinned: Pinned,
    /// In the order in which it was written.
    pub annotations: Vec<Written>,
}

impl Annotations {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.annotations/1";
}
