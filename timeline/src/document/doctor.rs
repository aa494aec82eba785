//! `backstory.doctor/1`: what of each service can be judged, and what would unlock more.

use serde::{Deserialize, Serialize};

use super::{Completeness, FindingKind};
use crate::time::Time;

/// What of each service can be judged, and the one setting that would unlock more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doctor {
    /// Always [`Doctor::SCHEMA`].
    pub schema: String,
    /// What the answer rests on: `shown` of `total` records were read.
    pub completeness: Completeness,
    /// How many traces were followed whole to see how spans come to their entity.
    pub traces: u64,
    /// Whether those were all traces read; else they are a fair sample.
    pub all_traces: bool,
    /// Services by name.
    pub services: Vec<Diagnosis>,
}

impl Doctor {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.doctor/1";
}

/// What one service's telemetry carries, and what follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// `service.name`; `unknown_service` where the sender gave none.
    pub service: String,
    /// `telemetry.sdk.language`, the one most seen.
    pub language: Option<String>,
    /// The instrumentation scopes that made its records, most records first.
    pub libraries: Vec<String>,
    /// Distinct `service.instance.id`s.
    pub instances: u64,
    /// Spans read.
    pub spans: u64,
    /// Log records read.
    pub logs: u64,
    /// The earliest time of a record.
    pub first: Option<Time>,
    /// The latest time of a record.
    pub last: Option<Time>,
    /// What was looked for, in a fixed order.
    pub checks: Vec<Check>,
    /// Every kind of finding, and whether the service's part in it can be judged.
    pub findings: Vec<Judgeable>,
    /// What unlocks most; `None` where nothing would.
    pub next: Option<Remedy>,
}

/// One thing that telemetry may carry, and how much of it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked for.
    pub name: Aspect,
    /// How much of it there is.
    pub state: Presence,
    /// How many carry it.
    pub seen: u64,
    /// How many could.
    pub of: u64,
    /// One line for a person.
    pub detail: String,
}

/// Something that telemetry may carry and that findings rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// Records say which service they are of.
    ServiceName,
    /// Spans come.
    Spans,
    /// Log records come.
    Logs,
    /// Logs carry the span that they were written in.
    LogsInSpans,
    /// Spans come to an entity.
    Entities,
    /// Database spans carry their statement.
    Statements,
    /// Writes carry the value written.
    WrittenValues,
    /// Reads carry the value read.
    ReadValues,
    /// Reads and writes carry a version or an ETag.
    Versions,
    /// Transactions have a COMMIT.
    Commits,
    /// Calls and statements have an outcome.
    Outcomes,
    /// Commands say when they are the same command again.
    Intents,
    /// Messages have an identity at both ends.
    Messages,
    /// Everything arrives: nothing sampled, nothing dropped.
    Whole,
    /// Records say on which machine they were made.
    Host,
    /// Records say which process made them.
    Instance,
    /// Stamps are finer than a millisecond, and ends come after starts.
    Clock,
    /// Records say which version made them.
    ServiceVersion,
    /// Records say in which environment they were made.
    Environment,
}

/// How much of something there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Nine of ten that could carry it do, or more.
    Present,
    /// Fewer do.
    Partial,
    /// None does.
    Absent,
    /// None could: the service does nothing of the sort.
    NotApplicable,
}

/// Whether a service's part in findings of one kind can be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgeable {
    /// The kind.
    pub kind: FindingKind,
    /// Whether it can.
    pub judged: Judged,
    /// What is missing or partial.
    pub lacks: Vec<Aspect>,
}

/// Whether something can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// It can.
    Yes,
    /// For a part of its work it can.
    Partly,
    /// It can't.
    No,
    /// The service does nothing that could go wrong so.
    NotApplicable,
}

/// What to change, and what it is good for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remedy {
    /// What would then be there.
    pub aspect: Aspect,
    /// The kinds of finding that can then be judged, or judged better.
    pub unlocks: Vec<FindingKind>,
    /// Where it goes: `environment`, `code` or `configuration`.
    pub place: RemedyPlace,
    /// What to put there, line by line.
    pub lines: Vec<String>,
    /// What else to know; empty where there is nothing.
    pub note: String,
}

/// Where a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemedyPlace {
    /// The process's environment variables.
    Environment,
    /// The service's code.
    Code,
    /// The configuration of something on the way.
    Configuration,
}

impl Diagnosis {
    /// The kinds of findings that are judged so, together by what they lack: the aspects, then the kinds, in words.
    pub fn by_lack(&self, judged: Judged) -> Vec<(String, String)> {
        let mut groups: Vec<(String, String)> = Vec::new();
        for finding in self.findings.iter().filter(|finding| finding.judged == judged) {
            let words: Vec<&str> = finding.lacks.iter().map(|aspect| aspect.words()).collect();
            let lacks = words.join(", ");
            match groups.iter_mut().find(|(own, _)| *own == lacks) {
                Some((_, kinds)) => kinds.push_str(&format!(", {}", finding.kind)),
                None => groups.push((lacks, finding.kind.to_string())),
            }
        }
        groups
    }
}

impl Aspect {
    /// All of them, in the order that they are told in.
    pub const ALL: [Aspect; 19] = [
        Aspect::ServiceName,
        Aspect::Spans,
        Aspect::Logs,
        Aspect::LogsInSpans,
        Aspect::Entities,
        Aspect::Statements,
        Aspect::WrittenValues,
        Aspect::ReadValues,
        Aspect::Versions,
        Aspect::Commits,
        Aspect::Outcomes,
        Aspect::Intents,
        Aspect::Messages,
        Aspect::Whole,
        Aspect::Host,
        Aspect::Instance,
        Aspect::Clock,
        Aspect::ServiceVersion,
        Aspect::Environment,
    ];

    /// What a person reads.
    pub fn words(self) -> &'static str {
        match self {
            Aspect::ServiceName => "service name",
            Aspect::Spans => "spans",
            Aspect::Logs => "logs",
            Aspect::LogsInSpans => "logs in spans",
            Aspect::Entities => "entities",
            Aspect::Statements => "statements",
            Aspect::WrittenValues => "written values",
            Aspect::ReadValues => "read values",
            Aspect::Versions => "versions",
            Aspect::Commits => "commits",
            Aspect::Outcomes => "outcomes",
            Aspect::Intents => "intents",
            Aspect::Messages => "message ids",
            Aspect::Whole => "whole streams",
            Aspect::Host => "host",
            Aspect::Instance => "instance",
            Aspect::Clock => "clock",
            Aspect::ServiceVersion => "version",
            Aspect::Environment => "environment",
        }
    }
}
