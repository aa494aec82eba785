//! From records to a timeline: fold, gather, order, and write it down.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value as Json};

use crate::belongs::Members;
use crate::document::{
    Belongs, CausalStamp, Completeness, Edge, Entity, Event, EventKind, Folded, Incompleteness, Range,
    Timeline,
};
use crate::folded::folded;
use crate::given::Given;
use crate::held::Held;
use crate::id::{EventId, Point};
use crate::markers::markers;
use crate::order::Order;
use crate::order::clock::ClockNumber;
use crate::order::moment::{Index, Moment, Moments};
use crate::order::reduce::reduce;
use crate::question::Question;
use crate::record::{Body, Record, Severity, StatusCode};
use crate::state;
use crate::time::Time;
use crate::told::Told;

/// The timeline that `question` asks for, out of `records`.
///
/// Pure: the bytes of the answer depend on the records as a set (with the stamps of their first
/// arrival), the question and what is `given`.
/// Records may come in any order and repeatedly; those that don't belong are left out. No input makes
/// it fail: what is broken shows up as gaps, and as order that is not claimed.
pub fn tell(records: Vec<Record>, question: &Question, given: &Given) -> Timeline {
    let told = Told::of(records, question, given);
    let listing = told.listing();
    let operations = &told.operations;
    let history = state::fold(operations, &listing);
    let findings = told.judge(&listing, operations, &history, question, given);
    let page = Page::new(&told.held, &told.members, &told.moments, &told.order, question);
    let mut completeness = told.completeness.clone();
    page.count(&mut completeness);
    let mut timeline = page.write(question, completeness, told.gaps.clone());
    let mut changes = state::answer::changes(operations, question);
    for event in &mut timeline.events {
        event.state = changes.remove(&event.id).unwrap_or_default();
    }
    let shown: HashSet<EventId> = timeline.events.iter().map(|event| event.id).collect();
    timeline.findings = findings;
    timeline.findings.retain(|finding| finding.events.iter().all(|event| shown.contains(event)));
    timeline.initial_state = state::answer::initial_state(&history);
    timeline
}

/// The part of the order that is shown, and the names that its processes and clocks go by.
struct Page<'a> {
    held: &'a Held,
    members: &'a Members,
    moments: &'a Moments,
    order: &'a Order,
    /// How many events are shown.
    shown: usize,
    brief: bool,
    /// The numbers of the processes shown, in the order of their first event: `p0`, `p1` …
    processes: Vec<usize>,
    /// The numbers of the clocks shown (of their first epochs), the reference first: `c0`, `c1` …
    clocks: Vec<ClockNumber>,
}

impl<'a> Page<'a> {
    fn new(
        held: &'a Held,
        members: &'a Members,
        moments: &'a Moments,
        order: &'a Order,
        question: &Question,
    ) -> Page<'a> {
        let shown = order.list.len().min(question.events_max);
        let mut page = Page {
            held,
            members,
            moments,
            order,
            shown,
            brief: question.brief,
            processes: Vec::new(),
            clocks: Vec::new(),
        };
        let first = |list: &mut Vec<usize>, item| {
            if !list.contains(&item) {
                list.push(item);
            }
        };
        for moment in page.list().map(|index| &moments.list[index as usize]) {
            first(&mut page.processes, moment.process);
            first(&mut page.clocks, order.clocks.of_process[moment.process]);
        }
        if let Some(reference) = order.reference.map(|epoch| order.clocks.list[epoch].first) {
            page.clocks.retain(|clock| *clock != reference);
            page.clocks.insert(0, reference);
        }
        page
    }

    fn list(&self) -> impl Iterator<Item = Index> + use<'a> {
        self.order.list.iter().take(self.shown).copied()
    }

    fn count(&self, completeness: &mut Completeness) {
        completeness.shown = self.shown as u64;
        completeness.total = self.order.list.len() as u64;
        if completeness.shown < completeness.total {
            completeness.add(Incompleteness::Truncated);
        }
    }

    fn write(
        &self,
        question: &Question,
        completeness: Completeness,
        gaps: Vec<crate::document::Gap>,
    ) -> Timeline {
        let events = self.events();
        let range = range(&events);
        let processes = self.process_rows();
        let sources: Vec<_> = self.processes.iter().map(|p| &self.moments.processes.list()[*p]).collect();
        let (edges, edges_omitted) = reduce(self.order, &self.moments.list, self.shown);
        let edge = |shown: &crate::order::reduce::Shown| Edge {
            from: self.id(shown.from),
            to: self.id(shown.to),
            certainty: shown.certainty,
            evidence: shown.evidence,
        };
        Timeline {
            schema: Timeline::SCHEMA.into(),
            entity: Entity {
                kind: question.subject.kind().into(),
                key: question.subject.key().into(),
                scope: self.members.scope.to_string(),
            },
            range,
            completeness,
            clocks: self.clock_rows(range),
            markers: markers(&events, &processes, &sources, range),
            processes,
            gaps: self.visible(gaps, &events),
            events,
            edges: edges.iter().map(edge).collect(),
            edges_omitted,
            initial_state: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// The gaps of events that are shown, and those of none.
    fn visible(&self, gaps: Vec<crate::document::Gap>, events: &[Event]) -> Vec<crate::document::Gap> {
        let shown: HashSet<EventId> = events.iter().map(|event| event.id).collect();
        gaps.into_iter().filter(|gap| gap.event.is_none_or(|event| shown.contains(&event))).collect()
    }

    fn id(&self, index: Index) -> EventId {
        let moment = &self.moments.list[index as usize];
        EventId::new(self.held.record(moment.at).id, moment.point)
    }

    fn events(&self) -> Vec<Event> {
        let folds: BTreeMap<usize, Option<Folded>> = self
            .members
            .iter()
            .map(|(at, why)| (at, folded(self.held, at).filter(|_| why != Belongs::Own)))
            .collect();
        let list: Vec<Index> = self.list().collect();
        let neighbours = |place: usize| {
            let before = place.checked_sub(1).and_then(|at| list.get(at)).copied();
            [before, list.get(place + 1).copied()].into_iter().flatten()
        };
        list.iter()
            .enumerate()
            .map(|(place, index)| {
                let moment = &self.moments.list[*index as usize];
                let unordered =
                    neighbours(place).filter(|other| self.order.reachability.unordered(*other, *index));
                Event {
                    unordered_with: unordered.map(|other| self.id(other)).collect(),
                    folded: folds.get(&moment.at).copied().flatten(),
                    ..self.event(*index, moment)
                }
            })
            .collect()
    }

    fn event(&self, index: Index, moment: &Moment) -> Event {
        let record = self.held.record(moment.at);
        let stamp = self.order.stamps[index as usize];
        let position = |list: &[usize], item| list.iter().position(|own| *own == item).unwrap_or_default();
        Event {
            id: self.id(index),
            record: record.id,
            revisions: self.held.revisions(moment.at),
            process: format!("p{}", position(&self.processes, moment.process)),
            kind: kind(moment.point),
            name: name(record, moment.point),
            span_kind: record.as_span().map(|span| span.kind),
            severity: severity(record, moment.point),
            trace_id: record.trace_id(),
            span_id: record.span_id(),
            time: moment.time,
            corrected: self.order.corrected[index as usize],
            error_ns: self.order.errors[index as usize],
            hlc: CausalStamp { l: Time(stamp.l), c: stamp.c },
            arrival: record.arrival,
            attributes: (!self.brief).then(|| attributes(record, moment.point)),
            folded: None,
            unordered_with: Vec::new(),
            state: Vec::new(),
            belongs: self.members.belongs.get(moment.at).copied().flatten().unwrap_or(Belongs::Related),
        }
    }
}

/// Of the corrected times with bounded error; of all where none is.
fn range(events: &[Event]) -> Option<Range> {
    let bounded = events.iter().filter(|event| event.error_ns.is_some()).map(|event| event.corrected);
    let times: Vec<Time> = bounded.collect();
    let times = if times.is_empty() { events.iter().map(|event| event.corrected).collect() } else { times };
    let (start, end) = (times.iter().min()?, times.iter().max()?);
    Some(Range { start: *start, end: *end })
}

pub(crate) fn kind(point: Point) -> EventKind {
    match point {
        Point::Start => EventKind::SpanStart,
        Point::SpanEvent(_) => EventKind::SpanEvent,
        Point::End => EventKind::SpanEnd,
        Point::Log => EventKind::Log,
    }
}

pub(crate) fn name(record: &Record, point: Point) -> String {
    match (&record.body, point) {
        (Body::Span(span), Point::SpanEvent(number)) => {
            span.events.get(number as usize).map(|event| event.name.clone()).unwrap_or_default()
        }
        (Body::Span(span), _) => span.name.clone(),
        (Body::Log(log), _) => match log.body.to_text() {
            text if text.is_empty() => log.event_name.clone(),
            text => text.into_owned(),
        },
    }
}

fn severity(record: &Record, point: Point) -> Option<Severity> {
    match &record.body {
        Body::Log(log) => log.severity(),
        Body::Span(span) => {
            (span.status.code == StatusCode::Error && point == Point::End).then_some(Severity::Error)
        }
    }
}

fn attributes(record: &Record, point: Point) -> Map<String, Json> {
    match (&record.body, point) {
        (Body::Span(span), Point::SpanEvent(number)) => {
            span.events.get(number as usize).map(|event| event.attributes.to_flat_json()).unwrap_or_default()
        }
        _ => record.attributes().to_flat_json(),
    }
}

mod clocks;

#[cfg(test)]
mod broken;
#[cfg(test)]
mod tests;
