//! What every drawing asks of a document, looked up once: places, causes, gaps, findings, names of processes.

use std::collections::{HashMap, HashSet};

use timeline::document::{Edge, Event, EventKind, Finding, Gap, Timeline};
use timeline::id::EventId;
use timeline::time::Time;

use super::sanitise;

/// A document and the ways through it. An event goes by its place in the list.
pub(super) struct Told<'a> {
    pub(super) timeline: &'a Timeline,
    places: HashMap<EventId, usize>,
    causes: Vec<Vec<&'a Edge>>,
    gaps: HashMap<usize, Vec<&'a Gap>>,
    /// The findings' places in their list, by event.
    findings: HashMap<usize, Vec<usize>>,
    numbers: HashMap<&'a str, usize>,
    /// One name a process, each another; harmless.
    pub(super) names: Vec<String>,
}

impl<'a> Told<'a> {
    pub(super) fn of(timeline: &'a Timeline) -> Told<'a> {
        let places: HashMap<EventId, usize> =
            timeline.events.iter().enumerate().map(|(place, event)| (event.id, place)).collect();
        let mut causes = vec![Vec::new(); timeline.events.len()];
        for edge in &timeline.edges {
            if let Some(place) = places.get(&edge.to).filter(|_| places.contains_key(&edge.from)) {
                causes[*place].push(edge);
            }
        }
        let mut gaps: HashMap<usize, Vec<&Gap>> = HashMap::new();
        for gap in &timeline.gaps {
            if let Some(place) = gap.event.and_then(|event| places.get(&event)) {
                gaps.entry(*place).or_default().push(gap);
            }
        }
        let mut findings: HashMap<usize, Vec<usize>> = HashMap::new();
        for (number, finding) in timeline.findings.iter().enumerate() {
            for place in finding.events.iter().filter_map(|event| places.get(event)) {
                findings.entry(*place).or_default().push(number);
            }
        }
        let processes = timeline.processes.iter().enumerate();
        Told {
            numbers: processes.map(|(number, process)| (process.id.as_str(), number)).collect(),
            names: names(timeline),
            timeline,
            places,
            causes,
            gaps,
            findings,
        }
    }

    pub(super) fn events(&self) -> &'a [Event] {
        &self.timeline.events
    }

    pub(super) fn place(&self, event: EventId) -> Option<usize> {
        self.places.get(&event).copied()
    }

    pub(super) fn event(&self, id: EventId) -> Option<&'a Event> {
        self.timeline.events.get(self.place(id)?)
    }

    /// The number of an event's process; the first where the document names none such.
    pub(super) fn process(&self, event: &Event) -> usize {
        self.numbers.get(event.process.as_str()).copied().unwrap_or_default()
    }

    /// The name of an event's process.
    pub(super) fn name(&self, event: &Event) -> &str {
        self.names.get(self.process(event)).map_or("?", String::as_str)
    }

    /// The edges that lead to the event at `place`, from events of the list.
    pub(super) fn causes(&self, place: usize) -> &[&'a Edge] {
        self.causes.get(place).map_or(&[], Vec::as_slice)
    }

    pub(super) fn gaps(&self, place: usize) -> &[&'a Gap] {
        self.gaps.get(&place).map_or(&[], Vec::as_slice)
    }

    /// The places in the list of findings of those that the event at `place` proves.
    pub(super) fn findings(&self, place: usize) -> &[usize] {
        self.findings.get(&place).map_or(&[], Vec::as_slice)
    }

    pub(super) fn finding(&self, number: usize) -> Option<&'a Finding> {
        self.timeline.findings.get(number)
    }

    /// The gaps that no single event tells.
    pub(super) fn gaps_of_none(&self) -> impl Iterator<Item = &'a Gap> + '_ {
        self.timeline.gaps.iter().filter(|gap| gap.event.is_none_or(|event| self.place(event).is_none()))
    }

    /// The edge to show as the reason, and where it comes from: the surest, from elsewhere rather than
    /// from the same process, and the latest.
    pub(super) fn cause(&self, place: usize) -> Option<(&'a Edge, &'a Event)> {
        let process = &self.timeline.events.get(place)?.process;
        let placed = self.causes(place).iter().filter_map(|edge| Some((*edge, self.place(edge.from)?)));
        let best = placed.max_by_key(|(edge, from)| {
            let elsewhere = self.timeline.events.get(*from).is_some_and(|from| from.process != *process);
            (edge.certainty, elsewhere, *from)
        })?;
        Some((best.0, self.timeline.events.get(best.1)?))
    }

    /// The best reason in words: `request ← orders`; empty where there is none.
    pub(super) fn reason(&self, place: usize) -> String {
        let Some((edge, from)) = self.cause(place) else { return String::new() };
        let evidence = edge.evidence.name();
        let here = self.timeline.events.get(place);
        if here.is_some_and(|here| here.process == from.process) {
            return evidence.to_owned();
        }
        format!("{evidence} ← {}", self.name(from))
    }

    /// The moment that relative times count from.
    pub(super) fn start(&self) -> Time {
        let first = self.timeline.events.iter().map(|event| event.corrected).min();
        self.timeline.range.map(|range| range.start).or(first).unwrap_or_default()
    }

    /// The span's end of each span's start, by place, where both are in the list.
    pub(super) fn ends(&self) -> HashMap<usize, usize> {
        let mut starts = HashMap::new();
        let mut ends = HashMap::new();
        for (place, event) in self.timeline.events.iter().enumerate() {
            match event.kind {
                EventKind::SpanStart => drop(starts.insert(event.record, place)),
                EventKind::SpanEnd => {
                    starts.get(&event.record).map(|start| ends.insert(*start, place));
                }
                EventKind::SpanEvent | EventKind::Log => {}
            }
        }
        ends
    }

    /// The places to draw where only `most` can be: what findings, gaps, state and messages between processes
    /// rest on before the rest, and of equals the earliest. In the order of the list.
    pub(super) fn weightiest(&self, places: Vec<usize>, most: usize) -> Vec<usize> {
        if places.len() <= most {
            return places;
        }
        let mut sends = HashSet::new();
        for place in 0..self.timeline.events.len() {
            for from in self.causes(place).iter().filter_map(|edge| self.place(edge.from)) {
                if self.timeline.events[from].process != self.timeline.events[place].process {
                    sends.extend([from, place]);
                }
            }
        }
        let weight = |place: &usize| {
            let event = &self.timeline.events[*place];
            let found = !self.findings(*place).is_empty();
            let stated = !event.state.is_empty();
            (found, !self.gaps(*place).is_empty(), stated, sends.contains(place), event.folded.is_none())
        };
        let mut best = places;
        best.sort_by_key(|place| (std::cmp::Reverse(weight(place)), *place));
        best.truncate(most);
        best.sort_unstable();
        best
    }
}

/// The name of each process: its service; with its instance, else its id, where several share that.
fn names(timeline: &Timeline) -> Vec<String> {
    let processes = &timeline.processes;
    let mut taken = HashSet::new();
    let name = |process: &timeline::document::Process| {
        let shared = processes.iter().filter(|other| other.service == process.service).count() > 1;
        let service = sanitise(&process.service).into_owned();
        let name = match &process.instance {
            // `payments-1` says it all.
            Some(instance) if shared && instance.starts_with(&process.service) => {
                sanitise(instance).into_owned()
            }
            Some(instance) if shared => format!("{service} {}", sanitise(instance)),
            None if shared => format!("{service} {}", process.id),
            _ => service,
        };
        if taken.insert(name.clone()) { name } else { format!("{name} {}", process.id) }
    };
    processes.iter().map(name).collect()
}
