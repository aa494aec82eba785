//! The earliest event that all members of an incident follow, by chains of causes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::member::Member;
use crate::document::{Certainty, Origin, Timeline};
use crate::held::Held;
use crate::id::{EventId, Point, SpanId, TraceId};
use crate::record::{Body, Record, Span};

/// What is known of causes: of events, those just before them, proved.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    before: BTreeMap<EventId, BTreeSet<EventId>>,
    known: BTreeMap<EventId, Origin>,
}

impl Causes {
    /// Takes in the causes that a timeline tells. Of several that tell of one event the first told stands; to depend on
    /// nothing, take them in in a fixed order.
    pub fn add_timeline(&mut self, timeline: &Timeline) {
        let service = |process: &str| {
            let process = timeline.processes.iter().find(|own| own.id == process);
            process.map(|process| process.service.clone()).unwrap_or_default()
        };
        for event in &timeline.events {
            let entity = Some(format!("{}/{}", timeline.entity.kind, timeline.entity.key));
            self.know(event.id, || Origin {
                event: event.id,
                trace_id: event.trace_id,
                entity,
                service: service(&event.process),
                name: event.name.clone(),
                time: event.corrected,
            });
        }
        let causal = timeline.edges.iter().filter(|edge| edge.certainty == Certainty::Causal);
        for edge in causal {
            self.before.entry(edge.to).or_default().insert(edge.from);
        }
    }

    /// Takes in what the records of traces tell by themselves: spans, their parents and links, and logs in spans.
    pub fn add_records(&mut self, records: Vec<Record>) {
        let held = Held::fold(records);
        let mut starts: HashMap<(TraceId, SpanId), Option<EventId>> = HashMap::new();
        for record in held.records() {
            if let Some(span) = record.as_span() {
                // Where client and server share an id, nothing says which of the two is meant.
                let start = EventId::new(record.id, Point::Start);
                starts
                    .entry((span.trace_id, span.span_id))
                    .and_modify(|own| *own = None)
                    .or_insert(Some(start));
            }
        }
        let start_of = |trace, span| starts.get(&(trace, span)).copied().flatten();
        for record in held.records() {
            match &record.body {
                Body::Span(span) => {
                    let start = self.add_span(record, span);
                    let parent = span.parent_span_id.and_then(|parent| start_of(span.trace_id, parent));
                    let links = span.links.iter().filter_map(|link| start_of(link.trace_id, link.span_id));
                    let before: Vec<EventId> =
                        parent.into_iter().chain(links).filter(|e| *e != start).collect();
                    self.before.entry(start).or_default().extend(before);
                }
                Body::Log(log) => {
                    let event = self.tell(record, Point::Log, log.body.to_text().into_owned());
                    let within = record.trace_id().zip(record.span_id());
                    self.before.entry(event).or_default().extend(within.and_then(|(t, s)| start_of(t, s)));
                }
            }
        }
    }

    /// The span's start, its events in list order, its end.
    fn add_span(&mut self, record: &Record, span: &Span) -> EventId {
        let start = self.tell(record, Point::Start, span.name.clone());
        let events = span.events.iter().zip(0..);
        let mut last = start;
        for (event, number) in events {
            let next = self.tell(record, Point::SpanEvent(number), event.name.clone());
            self.before.entry(next).or_default().insert(last);
            last = next;
        }
        let end = self.tell(record, Point::End, span.name.clone());
        self.before.entry(end).or_default().insert(last);
        start
    }

    fn tell(&mut self, record: &Record, point: Point, name: String) -> EventId {
        let event = EventId::new(record.id, point);
        let time = match (&record.body, point) {
            (Body::Span(span), Point::End) => span.end,
            (Body::Span(span), Point::SpanEvent(number)) => {
                span.events.get(number as usize).map_or(span.start, |event| event.time)
            }
            _ => record.time(),
        };
        let (trace_id, service) = (record.trace_id(), record.resource.service().to_owned());
        self.know(event, || Origin { event, trace_id, entity: None, service, name, time });
        event
    }

    fn know(&mut self, event: EventId, origin: impl FnOnce() -> Origin) {
        self.known.entry(event).or_insert_with(origin);
    }

    /// The earliest event that every event of every member follows, or is; `None` where there is none.
    pub fn origin(&self, members: &[Member]) -> Option<Origin> {
        let events: BTreeSet<EventId> =
            members.iter().flat_map(|member| member.events.iter().copied()).collect();
        if members.iter().any(|member| member.events.is_empty()) {
            return None;
        }
        let mut rest = events.iter();
        let mut common = self.before_or_at(*rest.next()?);
        for event in rest {
            let before = self.before_or_at(*event);
            common.retain(|own| before.contains(own));
            if common.is_empty() {
                return None;
            }
        }
        // Of the common ones only those that nothing precedes can be the earliest: what precedes one is common, too.
        let first = |event: &EventId| self.before.get(event).map_or(0, BTreeSet::len);
        let told = common.into_iter().filter_map(|event| Some((first(&event), self.known.get(&event)?)));
        let (_, origin) = told.min_by_key(|(before, origin)| (*before, origin.time, origin.event))?;
        (events.len() > 1 || !events.contains(&origin.event)).then(|| origin.clone())
    }

    /// The event, and all before it.
    fn before_or_at(&self, event: EventId) -> BTreeSet<EventId> {
        let mut found = BTreeSet::from([event]);
        let mut ahead = vec![event];
        while let Some(next) = ahead.pop() {
            for before in self.before.get(&next).into_iter().flatten() {
                if found.insert(*before) {
                    ahead.push(*before);
                }
            }
        }
        found
    }
}
