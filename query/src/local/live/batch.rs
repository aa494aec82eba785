//! The records around many entities, read together: each block of an archive is read once for all of them.
//!
//! Whoever gathers from a batch gets what it holds; what it lacks is noted, loaded for all who lacked something at once, and
//! they gather again.

use std::collections::{BTreeSet, HashMap, HashSet};

use timeline::MessagePlace;
use timeline::document::Incompleteness;
use timeline::id::{RecordId, TraceId};
use timeline::naming;
use timeline::question::Subject;
use timeline::record::Record;
use timeline::value::Value;

use super::super::gather::{Asked, Source};
use super::super::spend::Spend;
use crate::archive::{Archive, ArchiveError, Effort, Window};

/// Records by what they are asked for. A link, message or place that is there has all its records.
#[derive(Default)]
pub(super) struct Batch {
    records: Vec<Record>,
    places: HashMap<RecordId, usize>,
    /// By type and key, among all records held.
    names: HashMap<(String, String), Vec<usize>>,
    named: BTreeSet<Subject>,
    traces: HashMap<TraceId, Vec<usize>>,
    /// The traces that are held whole.
    whole: HashSet<TraceId>,
    linking: HashMap<TraceId, Vec<usize>>,
    messages: HashMap<String, Vec<usize>>,
    at_places: HashMap<MessagePlace, Vec<usize>>,
    lacking: Lacking,
    /// Whether something was asked for that it does not hold, since [`Batch::begin`].
    missed: bool,
    reasons: BTreeSet<Incompleteness>,
}

/// What is to be loaded.
#[derive(Debug, Default)]
struct Lacking {
    named: BTreeSet<Subject>,
    traces: BTreeSet<TraceId>,
    linking: BTreeSet<TraceId>,
    messages: BTreeSet<String>,
    places: BTreeSet<MessagePlace>,
}

impl Batch {
    /// What is asked for from here on is one question.
    pub(super) fn begin(&mut self) {
        self.missed = false;
    }

    /// Whether it lacked something of the question: it is to be asked again after [`Batch::load`].
    pub(super) fn missed(&self) -> bool {
        self.missed
    }

    /// How many records it holds.
    pub(super) fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// Why it may lack something that the archive has.
    pub(super) fn reasons(&self) -> Vec<Incompleteness> {
        self.reasons.iter().copied().collect()
    }

    /// Loads what it lacks; false where that is more than `records_max` records in all.
    pub(super) fn load<A: Archive>(
        &mut self,
        archive: &A,
        records_max: u64,
        effort: &Effort,
    ) -> Result<bool, ArchiveError> {
        let left = records_max.saturating_sub(self.len());
        let mut effort = effort.without_progress();
        effort.records_max = left;
        let mut asked = Asked { spend: Spend::new(archive, &effort), window: Window::default() };
        let lacking = std::mem::take(&mut self.lacking);
        for subject in lacking.named {
            for record in asked.named(&subject)? {
                self.add(record);
            }
            self.named.insert(subject);
        }
        let traces: Vec<TraceId> = lacking.traces.into_iter().collect();
        self.whole.extend(&traces);
        for record in asked.traces(&traces)? {
            self.add(record);
        }
        let linking: Vec<TraceId> = lacking.linking.into_iter().collect();
        self.linking.extend(linking.iter().map(|trace| (*trace, Vec::new())));
        for record in asked.linking(&linking)? {
            let at = self.add(record);
            self.note_links(at);
        }
        let messages: Vec<String> = lacking.messages.into_iter().collect();
        self.messages.extend(messages.iter().map(|id| (id.clone(), Vec::new())));
        for record in asked.messages(&messages)? {
            let at = self.add(record);
            self.note_messages(at);
        }
        let places: Vec<MessagePlace> = lacking.places.into_iter().collect();
        self.at_places.extend(places.iter().map(|place| (place.clone(), Vec::new())));
        for record in asked.places(&places)? {
            let at = self.add(record);
            self.note_places(at);
        }
        let reasons = asked.spend.into_reasons();
        let whole = !reasons.contains(&Incompleteness::Truncated);
        self.reasons.extend(reasons);
        Ok(whole)
    }

    /// Holds a record, once; of two arrivals the first.
    fn add(&mut self, record: Record) -> usize {
        if let Some(at) = self.places.get(&record.id).copied() {
            if record.position < self.records[at].position {
                self.records[at] = record;
            }
            return at;
        }
        let at = self.records.len();
        self.places.insert(record.id, at);
        if let Some(trace) = record.trace_id() {
            self.traces.entry(trace).or_default().push(at);
        }
        for name in naming::names(&record) {
            self.names.entry((name.kind, name.key)).or_default().push(at);
        }
        self.records.push(record);
        at
    }

    fn note_links(&mut self, at: usize) {
        let links = self.records[at].as_span().map_or(&[][..], |span| &span.links);
        let traces: BTreeSet<TraceId> = links.iter().map(|link| link.trace_id).collect();
        for trace in traces {
            note(self.linking.get_mut(&trace), at);
        }
    }

    fn note_messages(&mut self, at: usize) {
        for id in texts(&self.records[at], &["messaging.message.id", "messaging.message_id"]) {
            note(self.messages.get_mut(&id), at);
        }
    }

    fn note_places(&mut self, at: usize) {
        let record = &self.records[at];
        let destinations = texts(record, &["messaging.destination.name", "messaging.destination"]);
        let offsets = texts(record, &["messaging.kafka.offset", "messaging.kafka.message.offset"]);
        for destination in destinations {
            for offset in &offsets {
                let place = MessagePlace { destination: destination.clone(), offset: offset.clone() };
                note(self.at_places.get_mut(&place), at);
            }
        }
    }

    /// The records that name the subject, which `traces` are known to hold all of; `None` asks the archive.
    pub(super) fn named(&mut self, subject: &Subject, traces: Option<&[TraceId]>) -> Vec<Record> {
        match traces {
            Some(traces) => {
                for trace in traces.iter().filter(|trace| !self.whole.contains(trace)) {
                    self.lacking.traces.insert(*trace);
                    self.missed = true;
                }
            }
            None if !self.named.contains(subject) => {
                self.lacking.named.insert(subject.clone());
                self.missed = true;
            }
            None => {}
        }
        let Subject::Entity { kind, key } = subject else { return Vec::new() };
        let at = self.names.get(&(kind.clone(), key.clone()));
        at.into_iter().flatten().map(|at| self.records[*at].clone()).collect()
    }

    /// The records of a trace; none where it was not loaded.
    pub(super) fn trace(&self, trace: TraceId) -> impl Iterator<Item = &Record> {
        self.traces.get(&trace).into_iter().flatten().map(|at| &self.records[*at])
    }

    /// Every trace that is held whole.
    pub(super) fn whole_traces(&self) -> impl Iterator<Item = TraceId> {
        self.whole.iter().copied()
    }

    fn held(&self, all: &[usize]) -> Vec<Record> {
        all.iter().map(|at| self.records[*at].clone()).collect()
    }
}

fn note(list: Option<&mut Vec<usize>>, at: usize) {
    if let Some(list) = list.filter(|list| !list.contains(&at)) {
        list.push(at);
    }
}

fn texts(record: &Record, names: &[&str]) -> BTreeSet<String> {
    names
        .iter()
        .filter_map(|name| record.attributes().get(name))
        .map(Value::to_text)
        .map(Into::into)
        .collect()
}

impl Source for Batch {
    fn traces(&mut self, traces: &[TraceId]) -> Result<Vec<Record>, ArchiveError> {
        let mut records = Vec::new();
        for trace in traces {
            if self.whole.contains(trace) {
                records.extend(self.trace(*trace).cloned());
            } else {
                self.lacking.traces.insert(*trace);
                self.missed = true;
            }
        }
        Ok(records)
    }

    fn linking(&mut self, traces: &[TraceId]) -> Result<Vec<Record>, ArchiveError> {
        let mut records = Vec::new();
        for trace in traces {
            match self.linking.get(trace) {
                Some(all) => records.extend(self.held(all)),
                None => {
                    self.lacking.linking.insert(*trace);
                    self.missed = true;
                }
            }
        }
        Ok(records)
    }

    fn messages(&mut self, ids: &[String]) -> Result<Vec<Record>, ArchiveError> {
        let mut records = Vec::new();
        for id in ids {
            match self.messages.get(id) {
                Some(all) => records.extend(self.held(all)),
                None => {
                    self.lacking.messages.insert(id.clone());
                    self.missed = true;
                }
            }
        }
        Ok(records)
    }

    fn places(&mut self, places: &[MessagePlace]) -> Result<Vec<Record>, ArchiveError> {
        let mut records = Vec::new();
        for place in places {
            match self.at_places.get(place) {
                Some(all) => records.extend(self.held(all)),
                None => {
                    self.lacking.places.insert(place.clone());
                    self.missed = true;
                }
            }
        }
        Ok(records)
    }
}
