//! The records that a timeline is made of: each once, resent ones folded, findable by span.

use std::collections::{BTreeMap, HashMap};

use crate::id::{SpanId, TraceId};
use crate::record::{Record, Span, SpanKind};

/// The place of a record in [`Held`].
pub(crate) type At = usize;

/// Records, each once. Invariant: sorted by record id, so that nothing depends on how they came.
pub(crate) struct Held {
    records: Vec<Record>,
    revisions: Vec<u32>,
    spans: HashMap<(TraceId, SpanId), Vec<At>>,
    children: HashMap<(TraceId, SpanId), Vec<At>>,
    logs: HashMap<(TraceId, SpanId), Vec<At>>,
    traces: BTreeMap<TraceId, Vec<At>>,
    /// Of each span its parent, of each log its span.
    above: Vec<Option<u32>>,
    /// Whether one span id stands for several spans.
    shared: bool,
}

impl Held {
    /// Folds `records`: equal ids are one record, which first arrived with the smallest stamp; of one
    /// (trace, span, kind) the revision with the latest end, then the largest id, stands.
    pub(crate) fn fold(records: Vec<Record>) -> Held {
        let (records, revisions): (Vec<Record>, Vec<u32>) =
            latest_revisions(distinct(records)).into_iter().unzip();
        let mut held = Held {
            records,
            revisions,
            spans: HashMap::new(),
            children: HashMap::new(),
            logs: HashMap::new(),
            traces: BTreeMap::new(),
            above: Vec::new(),
            shared: false,
        };
        held.index();
        held.shared = held.spans.values().any(|spans| spans.len() > 1);
        let is_span = |at| held.span(at).is_some();
        let above = |at| if is_span(at) { held.find_parent(at) } else { held.find_span_of_log(at) };
        held.above =
            (0..held.records.len()).map(|at| above(at).and_then(|at| u32::try_from(at).ok())).collect();
        held
    }

    fn index(&mut self) {
        for (at, record) in self.records.iter().enumerate() {
            let Some(trace) = record.trace_id() else { continue };
            self.traces.entry(trace).or_default().push(at);
            match record.as_span() {
                Some(span) => {
                    self.spans.entry((trace, span.span_id)).or_default().push(at);
                    if let Some(parent) = span.parent_span_id {
                        self.children.entry((trace, parent)).or_default().push(at);
                    }
                }
                None => {
                    if let Some(span) = record.span_id() {
                        self.logs.entry((trace, span)).or_default().push(at);
                    }
                }
            }
        }
    }

    /// All records, by id.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The record at `at`.
    pub(crate) fn record(&self, at: At) -> &Record {
        &self.records[at]
    }

    /// The span at `at`, if it is one.
    pub(crate) fn span(&self, at: At) -> Option<&Span> {
        self.records.get(at).and_then(Record::as_span)
    }

    /// With how many contents the record's span came.
    pub(crate) fn revisions(&self, at: At) -> u32 {
        self.revisions.get(at).copied().unwrap_or(1)
    }

    /// The spans with this id: several where client and server share one, as Zipkin's do.
    pub(crate) fn spans(&self, trace: TraceId, span: SpanId) -> &[At] {
        self.spans.get(&(trace, span)).map_or(&[], Vec::as_slice)
    }

    /// The spans whose parent it is.
    pub(crate) fn children(&self, trace: TraceId, span: SpanId) -> &[At] {
        self.children.get(&(trace, span)).map_or(&[], Vec::as_slice)
    }

    /// The logs written in it.
    pub(crate) fn logs(&self, trace: TraceId, span: SpanId) -> &[At] {
        self.logs.get(&(trace, span)).map_or(&[], Vec::as_slice)
    }

    /// Every trace with its records.
    pub(crate) fn traces(&self) -> impl Iterator<Item = (TraceId, &[At])> {
        self.traces.iter().map(|(trace, records)| (*trace, records.as_slice()))
    }

    /// Whether one span id stands for several spans: client and server, as Zipkin's do.
    pub(crate) fn has_shared_ids(&self) -> bool {
        self.shared
    }

    fn above(&self, at: At) -> Option<At> {
        self.above.get(at).copied().flatten().map(|above| above as At)
    }

    /// The record that a span is the child of. Of two halves that share the parent's id: the other half
    /// for the serving half itself, else the half in the child's own process, else the serving half.
    pub(crate) fn parent(&self, at: At) -> Option<At> {
        self.above(at).filter(|_| self.span(at).is_some())
    }

    fn find_parent(&self, at: At) -> Option<At> {
        let record = self.records.get(at)?;
        let span = record.as_span()?;
        if span.kind == SpanKind::Server
            && let Some(client) = self.half(span.trace_id, span.span_id, SpanKind::Client)
        {
            return Some(client);
        }
        let parents = self.spans(span.trace_id, span.parent_span_id?);
        let same_process =
            parents.iter().find(|p| self.records[**p].resource.digest() == record.resource.digest());
        let serving = parents.iter().find(|p| self.span(**p).is_some_and(|s| s.kind == SpanKind::Server));
        same_process.or(serving).or(parents.first()).copied().filter(|parent| *parent != at)
    }

    fn half(&self, trace: TraceId, span: SpanId, kind: SpanKind) -> Option<At> {
        self.spans(trace, span).iter().copied().find(|at| self.span(*at).is_some_and(|s| s.kind == kind))
    }

    /// The span that a log was written in: of two halves the one in the log's own process.
    pub(crate) fn span_of_log(&self, at: At) -> Option<At> {
        self.above(at).filter(|_| self.span(at).is_none())
    }

    fn find_span_of_log(&self, at: At) -> Option<At> {
        let record = self.records.get(at)?;
        let spans = self.spans(record.trace_id()?, record.span_id()?);
        let own = spans.iter().find(|s| self.records[**s].resource.digest() == record.resource.digest());
        own.or(spans.first()).copied()
    }
}

/// Each record id once, with the smallest arrival that it came with, sorted by id.
fn distinct(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by(|a, b| {
        let arrival = |record: &Record| (record.arrival.is_none(), record.arrival, record.position);
        a.id.cmp(&b.id).then_with(|| arrival(a).cmp(&arrival(b)))
    });
    records.dedup_by(|later, first| later.id == first.id);
    records
}

/// Of each (trace, span, kind) one revision, with their number; logs as they are.
fn latest_revisions(records: Vec<Record>) -> Vec<(Record, u32)> {
    let identity = |record: &Record| record.as_span().map(|span| (span.trace_id, span.span_id, span.kind));
    let mut best: HashMap<(TraceId, SpanId, SpanKind), (At, u32)> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        let Some((identity, span)) = identity(record).zip(record.as_span()) else { continue };
        let (shown, count) = best.entry(identity).or_insert((at, 0));
        *count += 1;
        // Sorted by id: of equal ends the later in the list has the larger id.
        if records[*shown].as_span().is_some_and(|shown| shown.end <= span.end) {
            *shown = at;
        }
    }
    let revisions = |at: At, record: &Record| match identity(record) {
        Some(identity) => best.get(&identity).filter(|(shown, _)| *shown == at).map(|(_, count)| *count),
        None => Some(1),
    };
    records
        .into_iter()
        .enumerate()
        .filter_map(|(at, record)| revisions(at, &record).map(|count| (record, count)))
        .collect()
}
