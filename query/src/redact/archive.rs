//! An archive with tokens for values: what is told from it is told of redacted records, whatever is asked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use timeline::document::{Completeness, Stats};
use timeline::id::TraceId;
use timeline::record::{Position, Record};

use super::Redactor;
use crate::archive::{
    Archive, ArchiveError, Effort, Fetched, Followed, Found, Operations, Page, Proven, Visited, Window,
};
use crate::predicate::{Predicate, TextMatch, words};

/// So many records are learned from at once.
const BATCH: usize = 4_096;

/// An archive whose records come redacted. All that it holds is read once, so that a value that one record gives under a
/// redacted name is replaced in every other; what arrives later is learned from before the next answer.
///
/// A question may name tokens, and finds what they stand for; one that names a value finds nothing.
pub struct Redacted<A> {
    archive: A,
    learned: Mutex<Learned>,
}

struct Learned {
    redactor: Redactor,
    /// What arrived up to here is learned.
    reached: Position,
    /// A record of each resource: by them clocks find the processes that read them.
    examples: HashMap<u128, Record>,
}

impl<A: Archive> Redacted<A> {
    /// `archive` as `redactor` lets it be seen.
    pub fn new(archive: A, redactor: Redactor) -> Redacted<A> {
        let learned = Learned { redactor, reached: Position::default(), examples: HashMap::new() };
        Redacted { archive, learned: Mutex::new(learned) }
    }

    /// What `change` makes of something with the values that all records give.
    ///
    /// # Errors
    /// Where the archive cannot be read.
    pub fn with_redactor<T>(
        &self,
        effort: &Effort,
        change: impl FnOnce(&mut Redactor) -> T,
    ) -> Result<T, ArchiveError> {
        Ok(change(&mut self.learned(effort)?.redactor))
    }

    /// The redactor, with all that arrived by now learned.
    fn learned(&self, effort: &Effort) -> Result<MutexGuard<'_, Learned>, ArchiveError> {
        // A lock is poisoned only by a panic while it was held; what was learned stays true.
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let followed = self.archive.follow(Some(learned.reached), BATCH, effort)?;
            if let Some(after) = followed.after {
                learned.reached = after;
            }
            if followed.records.is_empty() {
                return Ok(learned);
            }
            learned.redactor.learn(&followed.records);
            for record in followed.records {
                learned.examples.entry(record.resource.digest()).or_insert(record);
            }
        }
    }

    fn redacted(&self, records: &[Record], effort: &Effort) -> Result<Vec<Record>, ArchiveError> {
        Ok(self.learned(effort)?.redactor.records(records))
    }
}

impl<A: Archive> Archive for Redacted<A> {
    fn find(
        &self,
        predicate: &Predicate,
        window: Window,
        page: Page,
        effort: &Effort,
    ) -> Result<Found, ArchiveError> {
        let mut found = Found::default();
        let mut more = false;
        let visited = self.visit(predicate, window, effort, &mut |record| {
            found.total += 1;
            let wanted = page.before.is_none_or(|before| record.position < before);
            if wanted && found.records.len() < page.limit {
                found.records.push(record);
            } else {
                more |= wanted;
            }
        })?;
        found.next = found.records.last().filter(|_| more).map(|record| record.position);
        found.reasons = visited.reasons;
        Ok(found)
    }

    fn visit(
        &self,
        predicate: &Predicate,
        window: Window,
        effort: &Effort,
        visit: &mut dyn FnMut(Record),
    ) -> Result<Visited, ArchiveError> {
        let wider = widened(predicate, &self.learned(effort)?.redactor);
        let mut learned = self.learned(effort)?;
        let mut read = 0;
        let visited = self.archive.visit(&wider, window, effort, &mut |record| {
            for record in learned.redactor.records(&[record]) {
                if predicate.matches(&record) {
                    read += 1;
                    visit(record);
                }
            }
        })?;
        Ok(Visited { read, ..visited })
    }

    fn fetch(&self, traces: &[TraceId], effort: &Effort) -> Result<Fetched, ArchiveError> {
        let fetched = self.archive.fetch(traces, effort)?;
        Ok(Fetched { records: self.redacted(&fetched.records, effort)?, ..fetched })
    }

    fn clocks(&self, window: Window, effort: &Effort) -> Result<Proven, ArchiveError> {
        let proven = self.archive.clocks(window, effort)?;
        let mut learned = self.learned(effort)?;
        let originals: Vec<Record> = learned.examples.values().cloned().collect();
        let redacted = learned.redactor.records(&originals);
        let evidence = learned.redactor.clocks(&proven.evidence, &originals, &redacted);
        Ok(Proven { evidence, ..proven })
    }

    fn completeness(&self) -> Result<Completeness, ArchiveError> {
        let completeness = self.archive.completeness()?;
        self.with_redactor(&Effort::new(u64::MAX), |redactor| redactor.completeness(completeness))
    }

    fn follow(
        &self,
        after: Option<Position>,
        limit: usize,
        effort: &Effort,
    ) -> Result<Followed, ArchiveError> {
        let followed = self.archive.follow(after, limit, effort)?;
        Ok(Followed { records: self.redacted(&followed.records, effort)?, ..followed })
    }

    fn operations(&self, effort: &Effort) -> Result<Operations, ArchiveError> {
        let found = self.archive.operations(effort)?;
        let mut learned = self.learned(effort)?;
        let mut operations = Operations { reasons: found.reasons, ..Operations::default() };
        for (service, names) in found.services {
            let names = names.into_iter().map(|(name, kind)| (learned.redactor.text(&name), kind)).collect();
            operations.services.insert(learned.redactor.text(&service), names);
        }
        Ok(operations)
    }

    fn stats(&self) -> Result<Stats, ArchiveError> {
        self.archive.stats()
    }
}

/// A predicate that every original matches whose redacted form matches `predicate`: with values for tokens, and without what
/// cannot be asked of an original.
fn widened(predicate: &Predicate, redactor: &Redactor) -> Predicate {
    let all = || Predicate::All(Vec::new());
    let inside = |list: &[Predicate]| list.iter().map(|one| widened(one, redactor)).collect();
    let is = |text: &TextMatch, of: &dyn Fn(TextMatch) -> Predicate| match text {
        TextMatch::Is(text) => of(TextMatch::Is(redactor.reveal(text))),
        TextMatch::Present => of(TextMatch::Present),
        TextMatch::StartsWith(_) | TextMatch::Like(_) => all(),
    };
    match predicate {
        Predicate::All(list) => Predicate::All(inside(list)),
        Predicate::Any(list) => Predicate::Any(inside(list)),
        Predicate::Service(text) => is(text, &Predicate::Service),
        Predicate::Name(text) => is(text, &Predicate::Name),
        Predicate::Attribute { key, value } => match value {
            TextMatch::Is(text) => {
                Predicate::Attribute { key: key.clone(), value: TextMatch::Is(redactor.reveal(text)) }
            }
            _ => Predicate::Attribute { key: key.clone(), value: TextMatch::Present },
        },
        // A number may have become another one.
        Predicate::Number { key, .. } => Predicate::Attribute { key: key.clone(), value: TextMatch::Present },
        Predicate::Value(value) => Predicate::Value(redactor.reveal(value)),
        Predicate::Word(word) => Predicate::Phrase(words(&redactor.reveal(word))),
        Predicate::Phrase(phrase) => Predicate::Phrase(words(&redactor.reveal(&phrase.join(" ")))),
        Predicate::Not(_) => all(),
        Predicate::Trace(_)
        | Predicate::Span(_)
        | Predicate::Parent(_)
        | Predicate::LinkTo(_)
        | Predicate::Signal(_)
        | Predicate::Kind(_)
        | Predicate::Status(_)
        | Predicate::Severity(..)
        | Predicate::Duration(..) => predicate.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use timeline::record::Body;

    use super::*;
    use crate::interface::{Query, SearchRequest, TimelineRequest};
    use crate::local::Local;
    use crate::memory::Memory;
    use crate::redact::Rules;
    use crate::testing::{attributes, conformance, log, record, span};

    fn world() -> Vec<Record> {
        let mut said = log("mail to jane.doe@example.com about order 42 went out");
        said.trace_id = Some(crate::testing::trace(1));
        let mut signed = span(4, 9, "POST /sessions");
        signed.attributes =
            attributes([("user.email", "jane.doe@example.com".into()), ("retries", 3.into())]);
        // The record that gives the value under its name arrives last.
        let more = [record(7, "mail", Body::Log(said)), record(8, "login", Body::Span(signed))];
        conformance::world().into_iter().chain(more).collect()
    }

    fn redacted() -> Local<Redacted<Arc<Memory>>> {
        let rules = Rules::new(&["user.email".to_owned(), "order.id".to_owned()], &[], None).expect("rules");
        let archive = Redacted::new(Arc::new(Memory::new(world())), Redactor::new(rules, [7; 16]));
        Local::new(archive, "memory", conformance::now)
    }

    fn search(query: &dyn Query, text: &str) -> (u64, String) {
        let request = SearchRequest { query: text.to_owned(), limit: 10, before: None };
        let found = query.search(&request, &Effort::new(10_000)).expect("an answer");
        (found.total, serde_json::to_string(&found).expect("JSON"))
    }

    #[test]
    fn a_value_given_anywhere_is_replaced_everywhere_and_found_by_its_token_alone() {
        let local = redacted();
        let (total, everything) = search(&local, "*");
        assert_eq!(total, 8);
        assert!(!everything.contains("jane") && !everything.contains("/orders/42"), "{everything}");
        for probe in [
            "jane.doe@example.com",
            "user.email=jane.doe@example.com",
            "user.email=jane*",
            "user.email~jane",
            "order.id=42",
        ] {
            assert_eq!(search(&local, probe).0, 0, "{probe}");
        }
        assert_eq!(search(&local, "-user.email~jane signal:spans").0, 5, "nor by what lacks it");
        let shown = local.archive().with_redactor(&Effort::new(1), |redactor| {
            (redactor.text("jane.doe@example.com"), redactor.text("order/42"))
        });
        let (email, order) = shown.expect("tokens");
        assert_eq!(search(&local, &format!("user.email=\"{email}\"")).0, 1);
        assert_eq!(search(&local, &format!("\"{email}\"")).0, 2, "its span and the mail");

        let request = TimelineRequest::whole(&order);
        let told = local.timeline(&request, &Effort::new(10_000)).expect("a timeline");
        let plain = Local::new(Memory::new(world()), "memory", conformance::now);
        let original =
            plain.timeline(&TimelineRequest::whole("order/42"), &Effort::new(10_000)).expect("a timeline");
        assert!(!told.events.is_empty());
        assert_eq!(
            (told.events.len(), told.processes.len()),
            (original.events.len(), original.processes.len())
        );
        let nobody =
            local.timeline(&TimelineRequest::whole("order/42"), &Effort::new(10_000)).expect("a timeline");
        assert_eq!(nobody.events, [], "a value that is guessed tells nothing");
    }

    #[test]
    fn what_needs_no_token_is_answered_as_before() {
        let (local, plain) = (redacted(), Local::new(Memory::new(world()), "memory", conformance::now));
        for text in [
            "service:orders",
            "name:charge",
            "ship",
            "signal:logs",
            "retries>2",
            "service:o*",
            "-service:orders",
            "severity>=info",
        ] {
            assert_eq!(search(&local, text).0, search(&plain, text).0, "{text}");
        }
        let clocks = |query: &dyn Query| {
            query.clocks(&Default::default(), &Effort::new(10_000)).expect("an answer").clocks.len()
        };
        assert_eq!(clocks(&local), clocks(&plain));
        let services = |query: &dyn Query| {
            query.services(&Default::default(), &Effort::new(10_000)).expect("an answer").services.len()
        };
        assert_eq!(services(&local), services(&plain));
    }
}
