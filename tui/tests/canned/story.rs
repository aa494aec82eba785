//! A timeline in the making.

use serde_json::json;
use timeline::document::{
    Belongs, CausalStamp, Certainty, Clock, ClockBounds, Completeness, Edge, Entity, Event, EventKind,
    Evidence, Finding, Gap, Process, Range, Timeline,
};
use timeline::id::{EventId, Point, RecordId, SpanId, TraceId};
use timeline::record::{Severity, SpanKind};

use super::{at, attributes};

/// A timeline in the making.
pub(crate) struct Story {
    pub(crate) events: Vec<Event>,
    edges: Vec<Edge>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) findings: Vec<Finding>,
    processes: Vec<Process>,
    offsets_ns: Vec<(i128, Option<u64>)>,
    records: u64,
}

impl Story {
    pub(crate) fn new() -> Story {
        Story {
            events: Vec::new(),
            edges: Vec::new(),
            gaps: Vec::new(),
            findings: Vec::new(),
            processes: Vec::new(),
            offsets_ns: Vec::new(),
            records: 0,
        }
    }

    /// A process whose clock is off by so much, known to within so much.
    pub(crate) fn process(
        &mut self,
        service: &str,
        host: &str,
        offset_ns: i128,
        error_ns: Option<u64>,
    ) -> usize {
        let number = self.processes.len();
        self.processes.push(Process {
            id: format!("p{number}"),
            service: service.to_owned(),
            instance: Some(format!("{service}-1")),
            host: Some(host.to_owned()),
            version: Some("2.14.0".to_owned()),
            clock: format!("c{number}"),
        });
        self.offsets_ns.push((offset_ns, error_ns));
        number
    }

    fn record(&mut self) -> RecordId {
        self.records += 1;
        // Spread over all digits, so that ids are told apart by their beginning.
        let spread = u128::from(self.records).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        RecordId(spread.to_be_bytes())
    }

    /// One event; `change` makes it what it is.
    pub(crate) fn event(
        &mut self,
        process: usize,
        record: RecordId,
        kind: (EventKind, Point),
        name: &str,
        ms: f64,
        change: impl FnOnce(&mut Event),
    ) -> EventId {
        let (offset_ns, error_ns) = self.offsets_ns[process];
        let corrected = at(ms);
        let mut event = Event {
            id: EventId::new(record, kind.1),
            record,
            revisions: 1,
            process: format!("p{process}"),
            kind: kind.0,
            name: name.to_owned(),
            span_kind: None,
            severity: None,
            trace_id: Some(TraceId([0x4b; 16])),
            span_id: Some(SpanId([record.0[0], 1, 2, 3, 4, 5, 6, 7])),
            time: corrected.shifted(offset_ns),
            corrected,
            error_ns,
            hlc: CausalStamp { l: corrected, c: 0 },
            arrival: Some(hlc::Stamp::from_wall_ns(at(ms + 812.5).0)),
            attributes: Some(attributes(json!({ "order.id": 42 }))),
            folded: None,
            unordered_with: Vec::new(),
            state: Vec::new(),
            belongs: Belongs::Own,
        };
        change(&mut event);
        let id = event.id;
        self.events.push(event);
        id
    }

    /// A span's start and end.
    pub(crate) fn span(
        &mut self,
        process: usize,
        kind: SpanKind,
        name: &str,
        from_ms: f64,
        to_ms: f64,
        change: impl FnOnce(&mut Event),
    ) -> (EventId, EventId) {
        let record = self.record();
        let start =
            self.event(process, record, (EventKind::SpanStart, Point::Start), name, from_ms, |event| {
                event.span_kind = Some(kind);
            });
        let end = self.event(process, record, (EventKind::SpanEnd, Point::End), name, to_ms, |event| {
            event.span_kind = Some(kind);
            change(event);
        });
        self.edge(start, end, Certainty::Causal, Evidence::Span);
        (start, end)
    }

    pub(crate) fn log(&mut self, process: usize, severity: Severity, text: &str, ms: f64) -> EventId {
        let record = self.record();
        self.event(process, record, (EventKind::Log, Point::Log), text, ms, |event| {
            event.severity = Some(severity);
            event.belongs = Belongs::Log;
        })
    }

    pub(crate) fn edge(&mut self, from: EventId, to: EventId, certainty: Certainty, evidence: Evidence) {
        self.edges.push(Edge { from, to, certainty, evidence });
    }

    pub(crate) fn causal(&mut self, from: EventId, to: EventId, evidence: Evidence) {
        self.edge(from, to, Certainty::Causal, evidence);
    }

    pub(crate) fn tell(mut self, kind: &str, key: &str) -> Timeline {
        self.events.sort_by_key(|event| (event.corrected, event.record));
        let first = self.events.first().map(|event| event.corrected);
        let last = self.events.last().map(|event| event.corrected);
        let total = self.events.len() as u64;
        let clocks = self.processes.iter().zip(&self.offsets_ns).map(|(process, (offset_ns, error_ns))| {
            let (offset, error) = (*offset_ns as i64, *error_ns);
            let known = error.is_some();
            Clock {
                id: process.clock.clone(),
                host: process.host.clone(),
                reference: process.id == "p0",
                at: first,
                offset_ns: known.then_some(offset),
                error_ns: error,
                bounds_ns: error.map_or([None; 2], |e| [Some(offset - e as i64), Some(offset + e as i64)]),
                drift_ppm: known.then_some(1.4),
                bounds: if known { ClockBounds::Both } else { ClockBounds::None },
                messages: 388,
                since: None,
                until: None,
            }
        });
        Timeline {
            schema: Timeline::SCHEMA.to_owned(),
            entity: Entity {
                kind: kind.to_owned(),
                key: key.to_owned(),
                scope: "production/shop".to_owned(),
            },
            range: first.zip(last).map(|(start, end)| Range { start, end }),
            completeness: Completeness { complete: true, shown: total, total, ..Completeness::default() },
            clocks: clocks.collect(),
            processes: self.processes,
            events: self.events,
            edges: self.edges,
            edges_omitted: 0,
            markers: Vec::new(),
            initial_state: Vec::new(),
            gaps: self.gaps,
            findings: self.findings,
        }
    }
}
