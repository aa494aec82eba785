//! What an incident is made of: a finding, or an error span or error log.

use std::collections::BTreeSet;

use crate::affected::Shape;
use crate::document::{Finding, Timeline};
use crate::id::{EventId, Point, RecordId, TraceId};
use crate::naming::{self, How};
use crate::record::{Body, Log, Record, Severity, Span, StatusCode};
use crate::time::Time;

/// No more of an error's words than this are told, in characters.
const WHAT_CHARS_MAX: usize = 200;

/// A finding or an error, with what tells what it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// 16 hexadecimal digits: those of the finding's id; of an error, the first of its record's.
    pub digits: String,
    /// What it is.
    pub what: What,
    /// Environment and namespace of what it concerns; empty where unknown.
    pub scope: String,
    /// Whose state it concerns, as `order/42`.
    pub entities: BTreeSet<String>,
    /// Entities that only its text suggests: enough to lead an error to a finding, no more.
    pub mentions: BTreeSet<String>,
    /// Where it happened.
    pub services: BTreeSet<String>,
    /// Its traces.
    pub traces: BTreeSet<TraceId>,
    /// Its records.
    pub records: BTreeSet<RecordId>,
    /// Its events.
    pub events: BTreeSet<EventId>,
    /// Members with the same text are alike: of one kind, in the same copies or services.
    pub alike: String,
    /// Where it begins.
    pub from: Time,
    /// Where it ends, as far as it was seen; never before `from`.
    pub until: Time,
    /// The journal's segments that what it rests on stands in.
    pub segments: BTreeSet<u64>,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A finding.
    Finding(Box<Finding>),
    /// An error span or an error log.
    Error(ErrorSaid),
}

/// What an error says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorSaid {
    /// Whether it is a log; else it is a span.
    pub is_log: bool,
    /// The span's name with its status message, or the log's text.
    pub words: String,
    /// Its record.
    pub record: RecordId,
    /// Its trace, if any.
    pub trace_id: Option<TraceId>,
}

impl Member {
    /// A finding of a timeline; `segments` are those of the journal that the timeline's records stand in.
    pub fn of_finding(finding: &Finding, timeline: &Timeline, segments: &BTreeSet<u64>) -> Member {
        let events = || timeline.events.iter().filter(|event| finding.events.contains(&event.id));
        let services = events().filter_map(|event| {
            let process = timeline.processes.iter().find(|process| process.id == event.process)?;
            Some(process.service.clone())
        });
        let seen_to = events().map(|event| event.corrected).max().unwrap_or(finding.from);
        let scope = timeline.entity.scope.clone();
        Member {
            digits: digits_of(&finding.id).to_owned(),
            alike: format!("{scope} {}", Shape::of(finding, timeline)),
            scope,
            entities: finding.entities.iter().cloned().collect(),
            mentions: BTreeSet::new(),
            services: services.collect(),
            traces: finding.trace_ids.iter().copied().collect(),
            records: finding.records.iter().copied().collect(),
            events: finding.events.iter().copied().collect(),
            from: finding.from,
            until: finding.until.unwrap_or(seen_to).max(seen_to).max(finding.from),
            segments: segments.clone(),
            what: What::Finding(Box::new(finding.clone())),
        }
    }

    /// A finding whose timeline is not at hand. It is like no other: where it happened is not known.
    pub fn of_finding_alone(finding: Finding) -> Member {
        let until = finding.until.unwrap_or(finding.from).max(finding.from);
        Member {
            digits: digits_of(&finding.id).to_owned(),
            alike: finding.id.clone(),
            scope: String::new(),
            entities: finding.entities.iter().cloned().collect(),
            mentions: BTreeSet::new(),
            services: BTreeSet::new(),
            traces: finding.trace_ids.iter().copied().collect(),
            records: finding.records.iter().copied().collect(),
            events: finding.events.iter().copied().collect(),
            from: finding.from,
            until,
            segments: BTreeSet::new(),
            what: What::Finding(Box::new(finding)),
        }
    }

    /// An error span or an error log; `None` for any other record.
    pub fn of_error(record: &Record) -> Option<Member> {
        let service = record.resource.service().to_owned();
        let (words, pattern, until, point) = match &record.body {
            Body::Span(span) if span.status.code == StatusCode::Error => {
                let pattern = format!("span {}", pattern(&span.name));
                (words_of_span(span), pattern, span.end.max(span.start), Point::End)
            }
            Body::Log(log) if log.severity() >= Some(Severity::Error) => {
                let words = words_of_log(log);
                (words.clone(), format!("log {}", pattern(&words)), record.time(), Point::Log)
            }
            _ => return None,
        };
        let (mentions, names): (Vec<_>, Vec<_>) =
            naming::names(record).into_iter().partition(|name| name.how == How::Text);
        let list = |names: Vec<naming::Name>| {
            names.into_iter().map(|name| format!("{}/{}", name.kind, name.key)).collect::<BTreeSet<_>>()
        };
        let scope = naming::scope(&record.resource).to_string();
        let id = record.id.to_string();
        Some(Member {
            digits: id.get(..16).unwrap_or_default().to_owned(),
            alike: format!("{scope} {service} {pattern}"),
            scope,
            entities: list(names),
            mentions: list(mentions),
            services: BTreeSet::from([service]),
            traces: record.trace_id().into_iter().collect(),
            records: BTreeSet::from([record.id]),
            events: BTreeSet::from([EventId::new(record.id, point)]),
            from: record.time(),
            until: until.max(record.time()),
            segments: BTreeSet::from([record.position.segment]),
            what: What::Error(ErrorSaid {
                is_log: record.as_log().is_some(),
                words,
                record: record.id,
                trace_id: record.trace_id(),
            }),
        })
    }

    /// The finding, if it is one.
    pub fn finding(&self) -> Option<&Finding> {
        match &self.what {
            What::Finding(finding) => Some(finding),
            What::Error(_) => None,
        }
    }
}

/// The digits of an id: what follows its `f-` or `i-`.
pub(super) fn digits_of(id: &str) -> &str {
    id.split_once('-').map_or(id, |(_, digits)| digits)
}

fn words_of_span(span: &Span) -> String {
    let thrown = span.events.iter().find_map(|event| {
        let message = event.attributes.get("exception.message")?;
        Some(message.to_text().into_owned())
    });
    let message = Some(span.status.message.clone()).filter(|message| !message.is_empty()).or(thrown);
    cut(&message.map_or_else(|| span.name.clone(), |message| format!("{}: {message}", span.name)))
}

fn words_of_log(log: &Log) -> String {
    let body = log.body.to_text();
    cut(if body.is_empty() { &log.event_name } else { &body })
}

fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(WHAT_CHARS_MAX).collect()
}

/// The text with `#` for every word that holds a digit: what two lines about different orders share.
fn pattern(text: &str) -> String {
    let words = text.split_whitespace();
    let words = words.map(|word| if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
