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
    let mut gathering =
        Gathering { spend: Spend::new(archive, effort), records: Vec::new(), fetched: BTreeSet::new() };
    let subject = &question.subject;
    gathering.find(&candidates(subject), window, |record| subject.is_named_by(record))?;
    gathering.fetch_traces()?;
    let reach = timeline::reach(&gathering.records, question);
    gathering.fetch(&reach.traces)?;
    let linking: Vec<_> = reach.linked_to.into_iter().map(Predicate::LinkTo).collect();
    gathering.find_any(&linking)?;
    let messages: Vec<_> = reach.message_ids.into_iter().flat_map(message).collect();
    gathering.find_any(&messages)?;
    let places: Vec<_> = reach.places.iter().map(message_at).collect();
    gathering.find_any(&places)?;
    gathering.fetch_traces()?;
    Ok(Gathered { records: gathering.records, reasons: gathering.spend.into_reasons() })
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

struct Gathering<'a, A> {
    spend: Spend<'a, A>,
    records: Vec<Record>,
    fetched: BTreeSet<TraceId>,
}

impl<A: Archive> Gathering<'_, A> {
    fn find(
        &mut self,
        predicate: &Predicate,
        window: Window,
        verified: impl Fn(&Record) -> bool,
    ) -> Result<(), ArchiveError> {
        let records = &mut self.records;
        self.spend.each(predicate, window, |record| {
            if verified(&record) {
                records.push(record);
            }
        })?;
        Ok(())
    }

    fn find_any(&mut self, all: &[Predicate]) -> Result<(), ArchiveError> {
        for some in all.chunks(TERMS_MAX) {
            self.find(&Predicate::Any(some.to_vec()), Window::default(), |_| true)?;
        }
        Ok(())
    }

    /// Fetches the traces of all records at hand.
    fn fetch_traces(&mut self) -> Result<(), ArchiveError> {
        let traces: BTreeSet<TraceId> = self.records.iter().filter_map(Record::trace_id).collect();
        self.fetch(&traces.into_iter().collect::<Vec<_>>())
    }

    fn fetch(&mut self, traces: &[TraceId]) -> Result<(), ArchiveError> {
        let missing: Vec<TraceId> =
            traces.iter().filter(|trace| self.fetched.insert(**trace)).copied().collect();
        for some in missing.chunks(TERMS_MAX) {
            self.records.extend(self.spend.fetch(some)?);
        }
        Ok(())
    }
}
