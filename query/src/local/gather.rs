//! Which records a timeline needs, and in what order to ask for them.

use std::collections::BTreeSet;

use timeline::MessagePlace;
use timeline::document::Incompleteness;
use timeline::id::TraceId;
use timeline::question::{Question, Subject};
use timeline::record::Record;

use super::spend::Spend;
use crate::archive::{Archive, ArchiveError, Effort, Window};
use crate::interface::{QueryError, TimelineRequest};
use crate::predicate::{Predicate, Signal, TextMatch};

/// So many traces or messages are asked for in one predicate.
pub(super) const TERMS_MAX: usize = 256;

/// What a timeline is told from.
pub(super) struct Gathered {
    /// In any order, perhaps repeated; `tell` decides which belong.
    pub(super) records: Vec<Record>,
    /// Why some may be missing.
    pub(super) reasons: Vec<Incompleteness>,
}

/// The question that a request asks.
pub(super) fn question(request: &TimelineRequest) -> Result<Question, QueryError> {
    let malformed = |error: timeline::question::ParseSubjectError| QueryError::Malformed {
        message: error.to_string(),
        at: Some(0),
    };
    let question: Question = request.entity.parse().map_err(malformed)?;
    Ok(Question { events_max: request.events_max, brief: request.brief, ..question })
}

/// The records that name the subject in `window`, their traces whole, and one hop on: what they link to,
/// what links to them, and who sent or received their messages.
pub(super) fn gather<A: Archive>(
    archive: &A,
    question: &Question,
    window: Window,
    effort: &Effort,
) -> Result<Gathered, ArchiveError> {
    let mut asked = Asked { spend: Spend::new(archive, effort), window };
    let named = asked.named(&question.subject)?;
    let records = around(&mut asked, question, named)?;
    Ok(Gathered { records, reasons: asked.spend.into_reasons() })
}

/// Where the records around those that name a subject come from. Each answer may hold a record twice.
pub(super) trait Source {
    /// All of these traces.
    fn traces(&mut self, traces: &[TraceId]) -> Result<Vec<Record>, ArchiveError>;

    /// All that link to one of these traces.
    fn linking(&mut self, traces: &[TraceId]) -> Result<Vec<Record>, ArchiveError>;

    /// All that speak of one of these messages.
    fn messages(&mut self, ids: &[String]) -> Result<Vec<Record>, ArchiveError>;

    /// All that speak of a message at one of these places.
    fn places(&mut self, places: &[MessagePlace]) -> Result<Vec<Record>, ArchiveError>;
}

/// The records of the timeline that `question` asks for, and perhaps more, given all that name its subject.
pub(super) fn around<S: Source>(
    source: &mut S,
    question: &Question,
    named: Vec<Record>,
) -> Result<Vec<Record>, ArchiveError> {
    let mut gathering = Gathering { source, records: named, fetched: BTreeSet::new() };
    gathering.fetch_traces()?;
    let reach = timeline::reach(&gathering.records, question);
    gathering.fetch(&reach.traces)?;
    let linking = gathering.source.linking(&reach.linked_to)?;
    gathering.records.extend(linking);
    let messages = gathering.source.messages(&reach.message_ids)?;
    gathering.records.extend(messages);
    let places = gathering.source.places(&reach.places)?;
    gathering.records.extend(places);
    gathering.fetch_traces()?;
    Ok(gathering.records)
}

struct Gathering<'s, S> {
    source: &'s mut S,
    records: Vec<Record>,
    fetched: BTreeSet<TraceId>,
}

impl<S: Source> Gathering<'_, S> {
    /// Fetches the traces of all records at hand.
    fn fetch_traces(&mut self) -> Result<(), ArchiveError> {
        let traces: BTreeSet<TraceId> = self.records.iter().filter_map(Record::trace_id).collect();
        self.fetch(&traces.into_iter().collect::<Vec<_>>())
    }

    fn fetch(&mut self, traces: &[TraceId]) -> Result<(), ArchiveError> {
        let missing: Vec<TraceId> =
            traces.iter().filter(|trace| self.fetched.insert(**trace)).copied().collect();
        let records = self.source.traces(&missing)?;
        self.records.extend(records);
        Ok(())
    }
}

/// An archive, asked under one budget.
pub(super) struct Asked<'a, A> {
    pub(super) spend: Spend<'a, A>,
    pub(super) window: Window,
}

impl<A: Archive> Asked<'_, A> {
    fn any(&mut self, all: &[Predicate]) -> Result<Vec<Record>, ArchiveError> {
        let mut records = Vec::new();
        for some in all.chunks(TERMS_MAX) {
            let any = Predicate::Any(some.to_vec());
            self.spend.each(&any, Window::default(), |record| records.push(record))?;
        }
        Ok(records)
    }

    /// All that name the subject.
    pub(super) fn named(&mut self, subject: &Subject) -> Result<Vec<Record>, ArchiveError> {
        let mut records = Vec::new();
        self.spend.each(&candidates(subject), self.window, |record| {
            if subject.is_named_by(&record) {
                records.push(record);
            }
        })?;
        Ok(records)
    }
}

impl<A: Archive> Source for Asked<'_, A> {
    fn traces(&mut self, traces: &[TraceId]) -> Result<Vec<Record>, ArchiveError> {
        let mut records = Vec::new();
        for some in traces.chunks(TERMS_MAX) {
            records.extend(self.spend.fetch(some)?);
        }
        Ok(records)
    }

    fn linking(&mut self, traces: &[TraceId]) -> Result<Vec<Record>, ArchiveError> {
        self.any(&traces.iter().copied().map(Predicate::LinkTo).collect::<Vec<_>>())
    }

    fn messages(&mut self, ids: &[String]) -> Result<Vec<Record>, ArchiveError> {
        self.any(&ids.iter().cloned().flat_map(message).collect::<Vec<_>>())
    }

    fn places(&mut self, places: &[MessagePlace]) -> Result<Vec<Record>, ArchiveError> {
        self.any(&places.iter().map(message_at).collect::<Vec<_>>())
    }
}

/// Records that may name the subject, and all that do.
fn candidates(subject: &Subject) -> Predicate {
    match subject {
        // A composite key is written `shop=1,number=7`: its values stand in the record, its names need not.
        Subject::Entity { key, .. } => {
            let values = key.split(',').map(|part| part.split_once('=').map_or(part, |(_, value)| value));
            Predicate::All(values.map(|value| Predicate::Value(value.to_owned())).collect())
        }
        // An attribute's name may also be that of a field in a log's body.
        Subject::Attribute { name, value } => Predicate::Any(vec![
            Predicate::Attribute { key: name.clone(), value: TextMatch::Is(value.clone()) },
            Predicate::All(vec![Predicate::Signal(Signal::Logs), Predicate::Value(value.clone())]),
        ]),
    }
}

/// The spans that speak of a message, by the attribute's new name and its old one.
fn message(id: String) -> [Predicate; 2] {
    let named = |key: &str, id| Predicate::Attribute { key: key.to_owned(), value: TextMatch::Is(id) };
    [named("messaging.message.id", id.clone()), named("messaging.message_id", id)]
}

/// The spans that speak of a message at this place, by the attributes' new names and their old ones.
fn message_at(place: &MessagePlace) -> Predicate {
    let named = |keys: [&str; 2], value: &str| {
        let named =
            |key: &str| Predicate::Attribute { key: key.to_owned(), value: TextMatch::Is(value.to_owned()) };
        Predicate::Any(keys.map(named).to_vec())
    };
    Predicate::All(vec![
        named(["messaging.kafka.offset", "messaging.kafka.message.offset"], &place.offset),
        named(["messaging.destination.name", "messaging.destination"], &place.destination),
    ])
}
