//! Evidence from records, as they come.

use std::collections::HashMap;

use super::ends::{Ends, Exchange, SpanFacts, Told, pair_all};
use super::evidence::ClockEvidence;
use crate::message::is_blocking_receive;
use crate::order::edge::got_answer;
use crate::record::{Body, Record, Span};

/// Takes records one by one and says what they prove about clocks.
///
/// It uses the edges of `docs/order.md` that need no more than two spans: a call's request and its reply, a message's
/// way from producer to consumer, a link; and of every record its arrival. What else joins two records (message ids, a
/// parent that is neither client nor producer) a timeline adds from its own records.
#[derive(Clone, Default)]
pub struct Extractor {
    ends: Ends,
    known: HashMap<u128, Told>,
}

impl Extractor {
    /// What a set of records proves, from scratch.
    pub fn evidence_of<'a>(records: impl IntoIterator<Item = &'a Record>) -> ClockEvidence {
        let mut extractor = Extractor::default();
        records.into_iter().for_each(|record| extractor.add(record));
        extractor.into_evidence()
    }

    /// Takes the next record.
    pub fn add(&mut self, record: &Record) {
        let told = self.known.entry(record.resource.digest()).or_insert_with(|| Told::by(&record.resource));
        self.ends.enter(told);
        match &record.body {
            Body::Log(log) => self.ends.log(log.best_time(), record.arrival),
            Body::Span(span) => {
                let events = span.events.iter().map(|event| event.time);
                let links =
                    span.links.iter().map(|link| Exchange { trace: link.trace_id, span: link.span_id });
                self.ends.span(&facts(span), record.arrival, events, links);
            }
        }
    }

    /// The ends of calls and messages so far.
    #[cfg(test)]
    pub(super) fn ends_so_far(&self) -> Vec<super::End> {
        self.ends.clone().take_ends()
    }

    /// What the records prove.
    pub fn into_evidence(mut self) -> ClockEvidence {
        let mut evidence = self.ends.alone();
        pair_all(&mut self.ends.take_ends(), &mut evidence);
        evidence
    }
}

fn facts(span: &Span) -> SpanFacts {
    SpanFacts {
        own: Exchange { trace: span.trace_id, span: span.span_id },
        parent: span.parent_span_id,
        kind: span.kind,
        start: span.start,
        end: span.end,
        answered: got_answer(span),
        waited: is_blocking_receive(span),
    }
}
