//! A timeline made ready to be walked: which lane an event stands in, what leads to it, what hangs on it.

use std::collections::HashMap;

use timeline::document::{Certainty, Edge, Event, EventKind, Op, Outcome, Process, Timeline};
use timeline::id::EventId;
use timeline::record::Severity;

use crate::held::Held;
use crate::text;

/// A timeline and its indexes. Built once an answer, away from the screen.
#[derive(Debug)]
pub struct Told {
    /// The document.
    pub document: Timeline,
    /// One a service, in the order of their first event.
    pub lanes: Vec<Lane>,
    /// How many events are transitions.
    pub transitions: u64,
    /// What each copy held, at each place.
    pub held: Held,
    facts: Vec<Facts>,
    by_id: HashMap<EventId, usize>,
    process_by_id: HashMap<String, usize>,
}

/// A service's column.
#[derive(Debug)]
pub struct Lane {
    /// The service.
    pub service: String,
    /// The service without what all services' names begin with: `orders` of `shop-orders`.
    pub label: String,
    /// Its first and last event, by their place in the list.
    pub first: usize,
    /// See `first`.
    pub last: usize,
    /// Whether it reads or writes state.
    pub stateful: bool,
}

/// What the indexes know of one event.
#[derive(Debug, Default)]
struct Facts {
    lane: usize,
    /// Edges, gaps, findings and markers, by their place in the document.
    incoming: Vec<usize>,
    outgoing: Vec<usize>,
    gaps: Vec<usize>,
    findings: Vec<usize>,
    markers: Vec<usize>,
    /// The other end of its span.
    other_end: Option<usize>,
    /// Whether a causal path leads from it to a change, an error, a gap or a finding.
    leads_on: bool,
    /// What a filter is compared with, in lower case.
    haystack: String,
}

impl Told {
    /// Indexes `document`. What refers to an event that is not in the list stays out of the indexes.
    pub fn new(document: Timeline) -> Told {
        let by_id: HashMap<EventId, usize> =
            document.events.iter().enumerate().map(|(at, event)| (event.id, at)).collect();
        let process_by_id =
            document.processes.iter().enumerate().map(|(at, process)| (process.id.clone(), at)).collect();
        let facts = document.events.iter().map(|_| Facts::default()).collect();
        let held = Held::default();
        let mut told =
            Told { document, lanes: Vec::new(), transitions: 0, held, facts, by_id, process_by_id };
        told.lay_lanes();
        told.shorten_labels();
        told.index_references();
        told.hang_markers();
        told.pair_span_ends();
        told.trace_back_from_marked();
        told.write_haystacks();
        told.held = Held::new(&told);
        told.transitions = (0..told.len()).filter(|at| told.is_transition(*at)).count() as u64;
        told
    }

    fn lay_lanes(&mut self) {
        let mut lane_by_service: HashMap<&str, usize> = HashMap::new();
        for (at, event) in self.document.events.iter().enumerate() {
            let process = self.process_by_id.get(&event.process);
            let process = process.and_then(|at| self.document.processes.get(*at));
            let service = process.map_or("unknown_service", |process| process.service.as_str());
            let lane = *lane_by_service.entry(service).or_insert_with(|| {
                let (service, label) = (service.to_owned(), service.to_owned());
                self.lanes.push(Lane { service, label, first: at, last: at, stateful: false });
                self.lanes.len() - 1
            });
            if let Some(lane) = self.lanes.get_mut(lane) {
                lane.last = at;
                lane.stateful |= !event.state.is_empty();
            }
            if let Some(facts) = self.facts.get_mut(at) {
                facts.lane = lane;
            }
        }
    }

    fn shorten_labels(&mut self) {
        let shared = shared_beginning(self.lanes.iter().map(|lane| lane.service.as_str()));
        for lane in &mut self.lanes {
            lane.label = lane.service.get(shared..).unwrap_or(&lane.service).to_owned();
        }
    }

    fn index_references(&mut self) {
        let lanes: Vec<usize> = self.facts.iter().map(|facts| facts.lane).collect();
        let mut note = |id: EventId, list: fn(&mut Facts) -> &mut Vec<usize>, at: usize| {
            let facts = self.by_id.get(&id).and_then(|event| self.facts.get_mut(*event));
            if let Some(facts) = facts {
                list(facts).push(at);
            }
        };
        for (at, edge) in self.document.edges.iter().enumerate() {
            note(edge.to, |facts| &mut facts.incoming, at);
            note(edge.from, |facts| &mut facts.outgoing, at);
            // A lane is drawn for as long as something that left it is still under way.
            let ends = (self.by_id.get(&edge.from), self.by_id.get(&edge.to));
            if let (Some(from), Some(to)) = ends
                && let Some(lane) = lanes.get(*from).and_then(|lane| self.lanes.get_mut(*lane))
            {
                lane.last = lane.last.max(*to);
            }
        }
        for (at, gap) in self.document.gaps.iter().enumerate() {
            if let Some(event) = gap.event {
                note(event, |facts| &mut facts.gaps, at);
            }
        }
        for (at, finding) in self.document.findings.iter().enumerate() {
            finding.events.iter().for_each(|event| note(*event, |facts| &mut facts.findings, at));
        }
    }

    /// A marker hangs on the first event at or after its time, else on the last.
    fn hang_markers(&mut self) {
        for (number, marker) in self.document.markers.iter().enumerate() {
            let after = self.document.events.iter().position(|event| event.corrected >= marker.time);
            let at = after.unwrap_or(self.document.events.len().saturating_sub(1));
            if let Some(facts) = self.facts.get_mut(at) {
                facts.markers.push(number);
            }
        }
    }

    fn pair_span_ends(&mut self) {
        let mut starts = HashMap::new();
        for (at, event) in self.document.events.iter().enumerate() {
            if event.kind == EventKind::SpanStart {
                starts.insert(event.record, at);
            }
        }
        for (at, event) in self.document.events.iter().enumerate() {
            let start = starts.get(&event.record).copied().filter(|_| event.kind == EventKind::SpanEnd);
            let Some(start) = start else { continue };
            if let Some(facts) = self.facts.get_mut(start) {
                facts.other_end = Some(at);
            }
            if let Some(facts) = self.facts.get_mut(at) {
                facts.other_end = Some(start);
            }
        }
    }

    /// Edges run forward in the list, so one sweep from its end finds all that leads to something.
    fn trace_back_from_marked(&mut self) {
        for at in (0..self.len()).rev() {
            let leads = |edge: &Edge| {
                edge.certainty == Certainty::Causal
                    && self.place(edge.to).is_some_and(|to| self.is_marked(to) || self.leads_to_marked(to))
            };
            let leads_on = self.outgoing(at).any(leads);
            if let Some(facts) = self.facts.get_mut(at) {
                facts.leads_on = leads_on;
            }
        }
    }

    fn write_haystacks(&mut self) {
        let haystacks: Vec<String> = self.document.events.iter().map(|event| self.haystack(event)).collect();
        for (facts, haystack) in self.facts.iter_mut().zip(haystacks) {
            facts.haystack = haystack;
        }
    }

    fn haystack(&self, event: &Event) -> String {
        let mut words = vec![event.name.clone(), event.id.to_string()];
        words.extend(self.process(event).map(|process| process.service.clone()));
        words.extend(event.severity.map(|severity| severity.as_str().to_owned()));
        words.extend(event.trace_id.map(|id| id.to_string()));
        words.extend(event.span_id.map(|id| id.to_string()));
        let attributes = event.attributes.iter().flatten();
        words.extend(attributes.map(|(key, value)| format!("{key}={}", text::value(value))));
        for change in &event.state {
            words.push(format!("{} {}", change.copy, change_text(change)));
        }
        words.join("\n").to_lowercase()
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.document.events.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.document.events.is_empty()
    }

    /// The event at a place of the list.
    pub fn event(&self, at: usize) -> Option<&Event> {
        self.document.events.get(at)
    }

    /// Where an event stands in the list.
    pub fn place(&self, id: EventId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// The process of an event.
    pub fn process(&self, event: &Event) -> Option<&Process> {
        self.process_by_id.get(&event.process).and_then(|at| self.document.processes.get(*at))
    }

    /// The lane of the event at a place.
    pub fn lane(&self, at: usize) -> usize {
        self.facts.get(at).map_or(0, |facts| facts.lane)
    }

    /// The reasons why the event at a place comes after others.
    pub fn incoming(&self, at: usize) -> impl Iterator<Item = &Edge> {
        self.references(at, |facts| &facts.incoming, &self.document.edges)
    }

    /// The reasons why others come after the event at a place.
    pub fn outgoing(&self, at: usize) -> impl Iterator<Item = &Edge> {
        self.references(at, |facts| &facts.outgoing, &self.document.edges)
    }

    /// The gaps that the event at a place tells of.
    pub fn gaps(&self, at: usize) -> impl Iterator<Item = &timeline::document::Gap> {
        self.references(at, |facts| &facts.gaps, &self.document.gaps)
    }

    /// The findings that the event at a place proves.
    pub fn findings(&self, at: usize) -> impl Iterator<Item = &timeline::document::Finding> {
        self.references(at, |facts| &facts.findings, &self.document.findings)
    }

    /// What changed around the event at a place.
    pub fn markers(&self, at: usize) -> impl Iterator<Item = &timeline::document::Marker> {
        self.references(at, |facts| &facts.markers, &self.document.markers)
    }

    fn references<'a, T>(
        &'a self,
        at: usize,
        list: fn(&Facts) -> &Vec<usize>,
        all: &'a [T],
    ) -> impl Iterator<Item = &'a T> {
        self.facts.get(at).map(list).into_iter().flatten().filter_map(|at| all.get(*at))
    }

    /// How long the span lasted that the event at a place begins or ends, in nanoseconds of its own clock.
    pub fn span_ns(&self, at: usize) -> Option<i128> {
        let other = self.facts.get(at)?.other_end?;
        let (event, other) = (self.event(at)?, self.event(other)?);
        let ns = other.time.since(event.time);
        Some(if event.kind == EventKind::SpanStart { ns } else { -ns })
    }

    /// Whether the event at a place contains `text`, given in lower case, in its name, ids, attributes or state.
    pub fn contains(&self, at: usize, text: &str) -> bool {
        self.facts.get(at).is_some_and(|facts| facts.haystack.contains(text))
    }

    /// Whether the event at a place is a transition.
    pub fn is_transition(&self, at: usize) -> bool {
        self.event(at).is_some_and(|event| event.state.iter().any(|change| change.op != Op::Read))
    }

    /// Whether the event at a place is an observation.
    pub fn is_observation(&self, at: usize) -> bool {
        self.event(at).is_some_and(|event| event.state.iter().any(|change| change.op == Op::Read))
    }

    /// Whether the event at a place is an error. A span's start is not: the error was not there yet.
    pub fn is_error(&self, at: usize) -> bool {
        self.event(at).is_some_and(|event| {
            event.severity >= Some(Severity::Error) && event.kind != EventKind::SpanStart
        })
    }

    /// Whether a gap, a finding or a marker hangs on the event at a place.
    pub fn is_notable(&self, at: usize) -> bool {
        let hung = |facts: &Facts| facts.gaps.len() + facts.findings.len() + facts.markers.len();
        self.facts.get(at).is_some_and(|facts| hung(facts) > 0)
    }

    /// Whether it is what one looks for first: a transition, an error, a gap, a finding or a marker.
    pub fn is_marked(&self, at: usize) -> bool {
        self.is_transition(at) || self.is_error(at) || self.is_notable(at)
    }

    /// Whether a causal path leads from the event at a place to one that is marked.
    pub fn leads_to_marked(&self, at: usize) -> bool {
        self.facts.get(at).is_some_and(|facts| facts.leads_on)
    }

    /// The other end of the span that the event at a place begins or ends.
    pub fn other_end(&self, at: usize) -> Option<usize> {
        self.facts.get(at)?.other_end
    }

    /// Whether state is read or written anywhere.
    pub fn has_state(&self) -> bool {
        self.lanes.iter().any(|lane| lane.stateful)
    }

    /// Whether the budget cut nothing off.
    pub fn is_whole(&self) -> bool {
        self.document.completeness.shown >= self.document.completeness.total
    }

    /// Whether an edge joins the event at a place to another lane.
    pub fn crosses_lanes(&self, at: usize) -> bool {
        let own = self.lane(at);
        let elsewhere = |id| self.place(id).is_some_and(|other| self.lane(other) != own);
        self.incoming(at).any(|edge| elsewhere(edge.from)) || self.outgoing(at).any(|edge| elsewhere(edge.to))
    }
}

/// How many bytes all `names` begin with alike, up to a separator; 0 for a single name.
fn shared_beginning<'a>(mut names: impl Iterator<Item = &'a str>) -> usize {
    let Some(first) = names.next() else { return 0 };
    let mut shared = first;
    let mut several = false;
    for name in names {
        several = true;
        let alike = shared.char_indices().zip(name.chars()).find(|((_, a), b)| a != b);
        let length = alike.map_or(shared.len().min(name.len()), |((at, _), _)| at);
        shared = shared.get(..length).unwrap_or_default();
    }
    if several { shared.rfind(['-', '_', '.', '/']).map_or(0, |at| at + 1) } else { 0 }
}

/// What an event did to a field, on one line: `status created → paid`; without the left side where it is unknown.
pub fn change_text(change: &timeline::document::StateChange) -> String {
    let field = change.field.as_deref().unwrap_or("?");
    let shown = |value: &Option<serde_json::Value>| value.as_ref().map_or("?".to_owned(), text::value);
    let outcome = match change.outcome {
        Outcome::Ok => "",
        Outcome::Failed => " (failed)",
        Outcome::Unknown => " (outcome unknown)",
    };
    let effect = match change.op {
        Op::Read => format!("read {}", shown(&change.value)),
        Op::Delete => "deleted".to_owned(),
        Op::Add => format!("+ {}", shown(&change.delta)),
        Op::Append => format!("append {}", shown(&change.value)),
        Op::Write => match &change.from {
            Some(from) => format!("{} → {}", text::value(from), shown(&change.value)),
            None => format!("→ {}", shown(&change.value)),
        },
    };
    text::sanitise(&format!("{field} {effect}{outcome}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_lose_only_whole_words_that_all_share() {
        let shared = |names: &[&str]| shared_beginning(names.iter().copied());
        assert_eq!(shared(&["shop-orders", "shop-payments"]), "shop-".len());
        assert_eq!(shared(&["orders", "order-cache"]), 0);
        assert_eq!(shared(&["shop-orders"]), 0);
        assert_eq!(shared(&["a-é-x", "a-è-x"]), "a-".len());
        assert_eq!(shared(&["shop-", "shop-x"]), "shop-".len());
        assert_eq!(shared(&[]), 0);
    }
}
