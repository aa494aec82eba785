//! How spans come to their entity: by their own words, an ancestor's, a log line's, or their trace's.
//!
//! That needs whole traces, and memory is bounded: so it is told of a fair sample of traces, those whose ids have
//! the smallest hashes, as many as fit. Which those are depends on the records alone, not on their order.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::id::{SpanId, TraceId};
use crate::naming::Name;
use crate::record::{Body, Record};

/// At most so many spans and logs of sampled traces are kept.
const RECORDS_MAX: usize = 60_000;

/// How many spans of a service come to their entity by which way: the surest way counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    /// They name one themselves.
    pub(crate) own: u64,
    /// An ancestor does.
    pub(crate) ancestor: u64,
    /// A log line of theirs or of an ancestor's does.
    pub(crate) log: u64,
    /// Their trace names exactly one of some type, elsewhere.
    pub(crate) trace: u64,
    /// None of these.
    pub(crate) none: u64,
}

impl Ways {
    /// How many spans were looked at.
    pub(crate) fn spans(self) -> u64 {
        self.known() + self.none
    }

    /// How many of them come to an entity.
    pub(crate) fn known(self) -> u64 {
        self.own + self.ancestor + self.log + self.trace
    }

    fn note(&mut self, way: Way) {
        *match way {
            Way::Own => &mut self.own,
            Way::Ancestor => &mut self.ancestor,
            Way::Log => &mut self.log,
            Way::Trace => &mut self.trace,
            Way::None => &mut self.none,
        } += 1;
    }
}

#[derive(Clone, Copy)]
enum Way {
    Own,
    Ancestor,
    Log,
    Trace,
    None,
}

/// A type and a key, by their hashes.
type Named = (u64, u64);

/// The sampled traces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traces {
    held: BTreeMap<u128, Trace>,
    /// Invariant: how many spans and logs `held` has.
    records: usize,
    /// Invariant: every trace whose hash is smaller is held whole.
    past: Option<u128>,
}

/// One trace, as far as naming goes.
#[derive(Clone, Debug, Default)]
struct Trace {
    spans: BTreeMap<SpanId, Spanned>,
    logs: BTreeSet<Logged>,
}

#[derive(Clone, Debug, Default)]
struct Spanned {
    parent: Option<SpanId>,
    service: String,
    names: BTreeSet<Named>,
}

/// A log line that names something: by its record, so that one that came twice is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Logged {
    record: [u8; 16],
    span: Option<SpanId>,
    names: Vec<Named>,
}

impl Traces {
    /// Takes in one record and the entities that it names.
    pub(crate) fn note(&mut self, record: &Record, names: &[Name]) {
        let Some(trace) = record.trace_id() else { return };
        if record.as_log().is_some() && names.is_empty() {
            return;
        }
        let hash = hash(trace);
        if self.past.is_some_and(|past| hash >= past) {
            return;
        }
        let named = names.iter().map(|name| (xxh3_64(name.kind.as_bytes()), xxh3_64(name.key.as_bytes())));
        let held = self.held.entry(hash).or_default();
        let before = held.records();
        match &record.body {
            Body::Span(span) => held.add(
                span.span_id,
                Spanned {
                    parent: span.parent_span_id,
                    service: record.resource.service().to_owned(),
                    names: named.collect(),
                },
            ),
            Body::Log(log) => {
                held.logs.insert(Logged { record: record.id.0, span: log.span_id, names: named.collect() });
            }
        }
        self.records += held.records() - before;
        self.shrink();
    }

    /// Adds what `other` holds.
    pub(crate) fn merge(&mut self, other: Traces) {
        for (hash, trace) in other.held {
            let held = self.held.entry(hash).or_default();
            trace.spans.into_iter().for_each(|(id, span)| held.add(id, span));
            held.logs.extend(trace.logs);
        }
        for past in other.past.into_iter().chain(self.past) {
            self.forget(past);
        }
        self.records = self.held.values().map(Trace::records).sum();
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.records > RECORDS_MAX
            && let Some((hash, trace)) = self.held.pop_last()
        {
            self.records -= trace.records();
            self.past = Some(hash);
        }
    }

    fn forget(&mut self, past: u128) {
        let past = self.past.map_or(past, |own| own.min(past));
        self.held.split_off(&past);
        self.past = Some(past);
    }

    /// How many traces were looked at, and whether those are all.
    pub(crate) fn looked_at(&self) -> (u64, bool) {
        (self.held.len() as u64, self.past.is_none())
    }

    /// How each service's spans come to their entity.
    pub(crate) fn ways(&self) -> BTreeMap<&str, Ways> {
        let mut ways: BTreeMap<&str, Ways> = BTreeMap::new();
        for trace in self.held.values() {
            let by_log = trace.named_by_logs();
            let by_trace = trace.names_exactly_one();
            for (id, span) in &trace.spans {
                let way = trace.way(*id, &by_log, by_trace);
                ways.entry(&span.service).or_default().note(way);
            }
        }
        ways
    }
}

impl Trace {
    fn records(&self) -> usize {
        self.spans.len() + self.logs.len()
    }

    /// Of several revisions of one span all names count.
    fn add(&mut self, id: SpanId, span: Spanned) {
        let held = self.spans.entry(id).or_default();
        held.parent = held.parent.max(span.parent);
        held.service = std::mem::take(&mut held.service).max(span.service);
        held.names.extend(span.names);
    }

    fn named_by_logs(&self) -> BTreeSet<SpanId> {
        self.logs.iter().filter_map(|log| log.span).collect()
    }

    /// Whether, of some type, it names exactly one thing.
    fn names_exactly_one(&self) -> bool {
        let spans = self.spans.values().flat_map(|span| &span.names);
        let all: BTreeSet<Named> =
            spans.chain(self.logs.iter().flat_map(|log| &log.names)).copied().collect();
        let mut keys: BTreeMap<u64, u32> = BTreeMap::new();
        all.into_iter().for_each(|(kind, _)| *keys.entry(kind).or_default() += 1);
        keys.values().any(|count| *count == 1)
    }

    fn way(&self, id: SpanId, by_log: &BTreeSet<SpanId>, by_trace: bool) -> Way {
        let names = |id: &SpanId| self.spans.get(id).is_some_and(|span| !span.names.is_empty());
        if names(&id) {
            return Way::Own;
        }
        let parent = |id: &SpanId| self.spans.get(id).and_then(|span| span.parent);
        // No longer than the trace: parents may run in a circle.
        let above = std::iter::successors(parent(&id), parent).take(self.spans.len());
        if above.clone().any(|id| names(&id)) {
            Way::Ancestor
        } else if std::iter::once(id).chain(above).any(|id| by_log.contains(&id)) {
            Way::Log
        } else if by_trace {
            Way::Trace
        } else {
            Way::None
        }
    }
}

fn hash(trace: TraceId) -> u128 {
    xxh3_128(&trace.0)
}
