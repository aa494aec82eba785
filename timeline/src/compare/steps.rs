//! The steps of a timeline, and what makes two of them the same step.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use crate::document::{Certainty, Edge, Event, EventKind, Evidence, Op, Outcome, StateChange, Timeline};
use crate::id::{EventId, SpanId, TraceId};
use crate::record::{Severity, SpanKind};

/// A span, a span event or a log.
#[derive(Debug)]
pub(super) struct Step {
    /// The span's start, or the event itself.
    pub(super) event: EventId,
    pub(super) service: String,
    pub(super) name: String,
    /// Since the timeline's first event.
    pub(super) since_start_ns: i64,
    /// Of a span that ended.
    pub(super) duration_ns: Option<u64>,
    /// `error`, `ok`, or `never ended`.
    pub(super) outcome: &'static str,
    /// What it did to state: `shop/orders status` to the value.
    pub(super) state: BTreeMap<String, Told>,
    /// What the same step of another timeline shares with it.
    likeness: Likeness,
}

/// A value as it stands, and without what tells one entity from another: an amount, an id, a count.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) value: Value,
    pub(super) general: String,
}

/// The hash of the chain of causes, and which of those alike it is.
type Likeness = (u128, u32);

/// The steps of a timeline in its causal order.
pub(super) struct Steps {
    pub(super) list: Vec<Step>,
    by_likeness: HashMap<Likeness, usize>,
}

impl Steps {
    /// Reads them off the document. What instrumentation made twice or as noise is no step.
    pub(super) fn of(timeline: &Timeline) -> Steps {
        let causes = causes(&timeline.edges);
        let ends = ends(timeline);
        let services: HashMap<&str, &str> = timeline
            .processes
            .iter()
            .map(|process| (process.id.as_str(), process.service.as_str()))
            .collect();
        let start = timeline.events.iter().map(|event| event.corrected).min().unwrap_or_default();
        let mut chains: HashMap<EventId, u128> = HashMap::new();
        let mut alike: HashMap<u128, u32> = HashMap::new();
        let mut steps = Steps { list: Vec::new(), by_likeness: HashMap::new() };
        for event in timeline.events.iter().filter(|event| event.kind != EventKind::SpanEnd) {
            let service = services.get(event.process.as_str()).copied().unwrap_or_default();
            // The list extends the causes: what led here was seen before.
            let cause = causes.get(&event.id).and_then(|cause| chains.get(cause)).copied();
            let chain = chain(cause.unwrap_or_default(), service, event, timeline);
            chains.insert(event.id, chain);
            if event.folded.is_some() {
                continue;
            }
            let number = alike.entry(chain).or_default();
            let likeness = (chain, *number);
            *number += 1;
            let end = ends.get(&key(event)).copied().filter(|_| event.kind == EventKind::SpanStart);
            steps.by_likeness.insert(likeness, steps.list.len());
            steps.list.push(Step {
                event: event.id,
                service: service.to_owned(),
                name: event.name.clone(),
                since_start_ns: nanoseconds(event.corrected.0, start.0),
                duration_ns: end.map(|end| end.time.0.saturating_sub(event.time.0)),
                outcome: outcome(event, end),
                state: state(end.unwrap_or(event), timeline),
                likeness,
            });
        }
        steps
    }

    /// The same step here.
    pub(super) fn find(&self, step: &Step) -> Option<&Step> {
        self.place(step).and_then(|place| self.list.get(place))
    }

    /// Its place.
    pub(super) fn place(&self, step: &Step) -> Option<usize> {
        self.by_likeness.get(&step.likeness).copied()
    }
}

fn nanoseconds(time: u64, start: u64) -> i64 {
    i64::try_from(i128::from(time) - i128::from(start)).unwrap_or(i64::MAX)
}

/// What led to each event: the cause that made it, of those that the edges show.
fn causes(edges: &[Edge]) -> HashMap<EventId, EventId> {
    let makes = |edge: &&Edge| {
        let made = [
            Evidence::Parent,
            Evidence::Request,
            Evidence::Message,
            Evidence::Link,
            Evidence::LogInSpan,
            Evidence::Span,
        ];
        edge.certainty == Certainty::Causal && made.contains(&edge.evidence)
    };
    let mut causes: HashMap<EventId, (Evidence, EventId)> = HashMap::new();
    for edge in edges.iter().filter(makes) {
        let own = (edge.evidence, edge.from);
        causes.entry(edge.to).and_modify(|known| *known = own.min(*known)).or_insert(own);
    }
    causes.into_iter().map(|(to, (_, from))| (to, from)).collect()
}

type SpanKey = (Option<TraceId>, Option<SpanId>, Option<SpanKind>);

fn key(event: &Event) -> SpanKey {
    (event.trace_id, event.span_id, event.span_kind)
}

/// The ends of the spans.
fn ends(timeline: &Timeline) -> HashMap<SpanKey, &Event> {
    timeline
        .events
        .iter()
        .filter(|event| event.kind == EventKind::SpanEnd)
        .map(|end| (key(end), end))
        .collect()
}

fn chain(cause: u128, service: &str, event: &Event, timeline: &Timeline) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(&cause.to_le_bytes());
    hasher.update(service.as_bytes());
    hasher.update(&[0, event.kind as u8, event.span_kind.map_or(0, |kind| kind as u8 + 1)]);
    hasher.update(general(&event.name, &timeline.entity.key).as_bytes());
    hasher.digest128()
}

/// A name without what tells one entity, one attempt or one moment from another: the key, and every word
/// with a digit in it.
fn general(name: &str, key: &str) -> String {
    let is_word = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.');
    let mut general = String::new();
    let mut word = String::new();
    for character in name.chars().chain(std::iter::once(' ')) {
        if is_word(character) {
            word.push(character);
            continue;
        }
        let own = word == key || word.contains(|character: char| character.is_ascii_digit());
        general.push_str(if own { "#" } else { &word });
        general.push(character);
        word.clear();
    }
    general
}

fn outcome(event: &Event, end: Option<&Event>) -> &'static str {
    let failed = |event: &Event| event.severity.is_some_and(|severity| severity >= Severity::Error);
    match (event.kind, end) {
        (EventKind::SpanStart, None) => "never ended",
        (EventKind::SpanStart, Some(end)) if failed(end) => "error",
        _ if failed(event) => "error",
        _ => "ok",
    }
}

/// What an event did to state.
fn state(event: &Event, timeline: &Timeline) -> BTreeMap<String, Told> {
    event.state.iter().map(|change| (state_name(change), told(change, &timeline.entity.key))).collect()
}

fn state_name(change: &StateChange) -> String {
    let field = change.field.as_deref().unwrap_or("*");
    let read = if change.op == Op::Read { " (read)" } else { "" };
    format!("{} {field}{read}", change.copy)
}

fn told(change: &StateChange, key: &str) -> Told {
    let value = match change.op {
        Op::Delete => Some(Value::from("(deleted)")),
        Op::Add => change.delta.clone(),
        _ => change.value.clone(),
    };
    let value = value.unwrap_or_default();
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let value = match change.outcome {
        Outcome::Ok => value,
        Outcome::Failed => Value::from(format!("{text} (failed)")),
        Outcome::Unknown => Value::from(format!("{text} (outcome unknown)")),
    };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Told { general: general(&text, key), value }
}
