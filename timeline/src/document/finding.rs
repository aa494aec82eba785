//! An anomaly and what proves it, as the public JSON has it.

use serde::{Deserialize, Serialize};

use super::timeline::Completeness;
use crate::document::{Certainty, Identity};
use crate::id::{EventId, RecordId, TraceId};
use crate::time::Time;

/// An anomaly, with the events that prove it and a grade. `docs/findings.md` defines each kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `f-` and 16 hexadecimal digits: a hash of kind, entities and records, the same on every machine.
    pub id: String,
    /// What kind of anomaly.
    pub kind: FindingKind,
    /// How sure it is: the weakest of its basis.
    pub grade: Grade,
    /// What the grade rests on.
    pub basis: Basis,
    /// Whether late records may still change it.
    pub status: FindingStatus,
    /// Adya's name of the isolation anomaly, where there is one: `G0`, `G1a`, `G-single`, `P4` and the like.
    pub class: Option<String>,
    /// The event that mended it.
    pub repaired_by: Option<EventId>,
    /// The finding that this one follows from.
    pub consequence_of: Option<String>,
    /// The first of `entities`; `None` for findings about clocks or telemetry.
    pub entity: Option<String>,
    /// Whose state it concerns.
    pub entities: Vec<String>,
    /// The events that prove it, in the order of the list.
    pub events: Vec<EventId>,
    /// Their records, each once.
    pub records: Vec<RecordId>,
    /// Their traces, each once.
    pub trace_ids: Vec<TraceId>,
    /// One line for a person, with the values and times in it.
    pub summary: String,
    /// Where it begins, on the reference clock.
    pub from: Time,
    /// Where it ends; `None` while it goes on.
    pub until: Option<Time>,
}

/// What is wrong, over one entity or all that a scan found: `backstory.findings/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// Always [`Findings::SCHEMA`].
    pub schema: String,
    /// What the answer rests on.
    pub completeness: Completeness,
    /// The latest time of a record that the store held; of what a server judged as it arrived, the moment on its clock up to
    /// which it has judged. What came later was not judged. `None` where there was nothing.
    pub judged_to: Option<Time>,
    /// How many entities were judged: those of whose state something is known.
    pub judged: u64,
    /// How many entities could not be judged.
    pub cannot_judge: u64,
    /// Why not, most entities first.
    pub cannot_judge_because: Vec<CannotJudge>,
    /// In how many traces records arrived that were not judged yet: a running server judges what they name once nothing more
    /// came for the window. 0 where all was judged for this answer.
    #[serde(default)]
    pub pending: u64,
    /// Settled and provisional ones, by the moment at which they begin.
    pub findings: Vec<Finding>,
    /// The same findings, those that are alike as one line, the surest first.
    #[serde(default)]
    pub rollups: Vec<Rollup>,
}

impl Findings {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.findings/1";
}

/// Findings that are alike: of one kind, in the same copies and services, of the same versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollup {
    /// `r-` and 16 hexadecimal digits: a hash of kind, copies, services and versions, the same on every machine.
    pub id: String,
    /// Their kind.
    pub kind: FindingKind,
    /// The copies whose state they are about.
    pub copies: Vec<String>,
    /// The services that they happened in.
    pub services: Vec<String>,
    /// The versions of these services: `payments 2.15.0`.
    pub versions: Vec<String>,
    /// How many.
    pub findings: u64,
    /// Of how many entities.
    pub entities: u64,
    /// How many of them are proved.
    pub proved: u64,
    /// How many rest on clocks.
    pub clock: u64,
    /// How many are possible.
    pub possible: u64,
    /// Where the first begins, on the reference clock.
    pub first: Time,
    /// Where the last ends; where it goes on, where it begins.
    pub last: Time,
    /// What a service changed within the hour before the first, in words: `38 s after payments 2.14.0 → 2.15.0`.
    pub began: Option<String>,
    /// The ids of some of them, the surest first.
    pub examples: Vec<String>,
    /// The story of the first example.
    pub story: String,
}

/// Why entities could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannotJudge {
    /// A line for a person.
    pub reason: String,
    /// How many.
    pub entities: u64,
}

/// What kind of anomaly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Two committed writes rest on the same version, and one's effect is gone.
    LostUpdate,
    /// A read returned what the owner had replaced before.
    StaleRead,
    /// One intent took effect more than once.
    DuplicateApply,
    /// A copy applied transitions in an order that contradicts the owner's.
    OutOfOrderApply,
    /// A copy never applied a transition that the owner made.
    MissedUpdate,
    /// Two copies hold different values at one consistent cut.
    Divergence,
    /// A transition that the declared ones do not allow.
    IllegalTransition,
    /// A write's old value differs from the last new one.
    UnexplainedChange,
    /// A declared rule does not hold.
    RuleBroken,
    /// Sent, and never received.
    UnhandledMessage,
    /// More attempts of one intent than a threshold.
    RetryStorm,
    /// Transactions depend on each other in a way that no serial order allows.
    IsolationAnomaly,
    /// A clock jumped, or contradicts its host's.
    ClockSkew,
    /// Telemetry that was due never came.
    MissingTelemetry,
}

/// How sure a finding is, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Some step of it is not proven.
    Possible,
    /// Some step rests on clock intervals that lie apart.
    Clock,
    /// Every step is.
    Proved,
}

/// What a finding's grade rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The weakest order that it needs; `None` where the events are unordered.
    pub order: Option<Certainty>,
    /// The weakest identity that it needs.
    pub identity: Identity,
    /// How its values are known.
    pub value: ValueBasis,
    /// Whether it rests on absence, and how sure that is.
    pub completeness: CompletenessBasis,
}

/// How the values that a finding compares are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueBasis {
    /// Something else suggests them.
    Inferred,
    /// They stand in the records.
    Seen,
    /// It compares none.
    NotNeeded,
}

/// Whether what a finding says is absent would have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletenessBasis {
    /// Nobody knows.
    Unknown,
    /// The stream is sampled or lossy.
    Partial,
    /// The stream is whole.
    Whole,
    /// It rests on no absence.
    NotNeeded,
}

/// Whether late records may still change a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// They may.
    Provisional,
    /// They can't.
    Settled,
    /// They did, and it holds no longer.
    Withdrawn,
}

impl Finding {
    /// What evidence would make it surer; `None` where it is proved.
    pub fn hint(&self) -> Option<&'static str> {
        let Basis { order, identity, value, completeness } = self.basis;
        if self.grade == Grade::Proved {
            return None;
        }
        Some(match () {
            () if matches!(identity, Identity::Trace | Identity::Unknown) => {
                "the key on the record itself, as an attribute or in a log line of the span, would make it surer"
            }
            () if value == ValueBasis::Inferred => {
                "the values (statement parameters, or backstory.value) would make it surer"
            }
            () if matches!(completeness, CompletenessBasis::Unknown | CompletenessBasis::Partial) => {
                "a sampler that declares its rate (tracestate ot=th:0 where all is sent) would make it surer"
            }
            () if order.is_none_or(|order| order < Certainty::Clock) => {
                "a message between the two hosts, or a version on both writes, would make it surer"
            }
            () => "versions on reads and writes would prove the order that clocks tell",
        })
    }
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [FindingKind; 14] = [
        FindingKind::LostUpdate,
        FindingKind::StaleRead,
        FindingKind::DuplicateApply,
        FindingKind::OutOfOrderApply,
        FindingKind::MissedUpdate,
        FindingKind::Divergence,
        FindingKind::IllegalTransition,
        FindingKind::UnexplainedChange,
        FindingKind::RuleBroken,
        FindingKind::UnhandledMessage,
        FindingKind::RetryStorm,
        FindingKind::IsolationAnomaly,
        FindingKind::ClockSkew,
        FindingKind::MissingTelemetry,
    ];

    /// The name in the public JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::LostUpdate => "lost_update",
            FindingKind::StaleRead => "stale_read",
            FindingKind::DuplicateApply => "duplicate_apply",
            FindingKind::OutOfOrderApply => "out_of_order_apply",
            FindingKind::MissedUpdate => "missed_update",
            FindingKind::Divergence => "divergence",
            FindingKind::IllegalTransition => "illegal_transition",
            FindingKind::UnexplainedChange => "unexplained_change",
            FindingKind::RuleBroken => "rule_broken",
            FindingKind::UnhandledMessage => "unhandled_message",
            FindingKind::RetryStorm => "retry_storm",
            FindingKind::IsolationAnomaly => "isolation_anomaly",
            FindingKind::ClockSkew => "clock_skew",
            FindingKind::MissingTelemetry => "missing_telemetry",
        }
    }
}

/// A text that names no kind of finding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of finding; there is {list}", list = FindingKind::ALL.map(FindingKind::name).join(", "))]
pub struct ParseKindError(String);

impl std::str::FromStr for FindingKind {
    type Err = ParseKindError;

    fn from_str(text: &str) -> Result<FindingKind, ParseKindError> {
        let named = |kind: &FindingKind| kind.name() == text.trim().to_lowercase().replace('-', "_");
        FindingKind::ALL
            .into_iter()
            .find(named)
            .ok_or_else(|| ParseKindError(text.chars().take(40).collect()))
    }
}

impl std::fmt::Display for FindingKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Grade {
    /// The name in the public JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Proved => "proved",
            Grade::Clock => "clock",
            Grade::Possible => "possible",
        }
    }
}

impl std::fmt::Display for Grade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
