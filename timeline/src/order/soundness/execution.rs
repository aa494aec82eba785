//! Generated executions: clocks that are wrong, services that call each other, records that get lost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fastrand::Rng;

use crate::id::{Point, RecordId, SpanId, TraceId};
use crate::record::{
    Body, Link, Log, Position, Record, Resource, Scope, Span, SpanEvent, SpanKind, Status, StatusCode,
};
use crate::time::Time;
use crate::value::{Attributes, Value};

/// When executions begin, in nanoseconds since 1970; far from a multiple of anything.
const BEGIN: i64 = 1_795_428_000_123_456_789;

pub(super) const MS: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MS;

/// A clock: how wrong it is, and how it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) offset: i64,
    pub(super) ppm: i64,
    /// From when on it is set to so much more.
    pub(super) jump: Option<(i64, i64)>,
}

impl Clock {
    /// What it reads at a true time, both in nanoseconds.
    pub(super) fn read(self, at: i64) -> i64 {
        let jump = self.jump.filter(|(since, _)| *since <= at).map_or(0, |(_, by)| by);
        self.read_in(at, false) + jump
    }

    /// What it would read, had it never been set, or always been as it is after that.
    pub(super) fn read_in(self, at: i64, after: bool) -> i64 {
        let jump = self.jump.filter(|_| after).map_or(0, |(_, by)| by);
        BEGIN + at + at / 1_000_000 * self.ppm + self.offset + jump
    }
}

/// How a process stamps its spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamps {
    /// As precisely as the clock reads.
    Precise,
    /// In microseconds.
    Micros,
    /// Whole milliseconds for a start, and an end a precise while later: as Node does.
    Node,
}

struct Process {
    clock: usize,
    resource: Arc<Resource>,
    stamps: Stamps,
}

/// What happens in an execution, and when it really happened.
pub(super) type Event = (RecordId, Point);

/// An execution: its records, and the truth about them.
pub(super) struct Execution {
    pub(super) clocks: Vec<Clock>,
    pub(super) records: Vec<Record>,
    /// When each event really happened, in nanoseconds since the execution began.
    pub(super) truth: HashMap<Event, i64>,
    /// What caused what: by messages and the structure of spans.
    pub(super) causes: Vec<(Event, Event)>,
    /// The messages between clocks of which both ends are told: which clocks, and when.
    pub(super) messages: Vec<Passed>,
}

/// A message that was told of at both ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) sent: i64,
    pub(super) received: i64,
    /// The stamps of both ends; the second with its resolution added.
    pub(super) stamps: (i64, i64),
}

struct Maker {
    rng: Rng,
    clocks: Vec<Clock>,
    processes: Vec<Process>,
    spans: Vec<Planned>,
    logs: Vec<(usize, Option<usize>, i64)>,
    /// From span to span: sender, receiver, and whether to the receiver's end.
    sends: Vec<(usize, usize, bool)>,
    /// Client, server.
    replies: Vec<(usize, usize)>,
}

/// A record, and when its points really happened.
type Made = (Record, Vec<(Point, i64)>);

struct Planned {
    process: usize,
    trace: u64,
    parent: Option<usize>,
    links: Vec<usize>,
    kind: SpanKind,
    start: i64,
    end: i64,
    events: Vec<i64>,
    answered: bool,
    blocking: bool,
    lost: bool,
}

/// How large executions are.
pub(super) struct Size {
    pub(super) clocks: usize,
    pub(super) processes: usize,
    pub(super) roots: usize,
}

impl Execution {
    /// The execution with this seed; one of five with a clock that is set.
    pub(super) fn of(seed: u64, size: &Size) -> Execution {
        let mut rng = Rng::with_seed(seed);
        let jumps = seed % 5 == 4;
        let clocks = rng.usize(2..=size.clocks);
        let processes = rng.usize(clocks..=size.processes.max(clocks));
        let length = SECOND * [2, 20, 120, 900][rng.usize(0..4)];
        let clocks = (0..clocks).map(|_| Clock {
            offset: rng.i64(-3_600 * SECOND..=3_600 * SECOND),
            ppm: rng.i64(-100..=100),
            jump: None,
        });
        let clocks: Vec<Clock> = clocks.collect();
        let mut maker = Maker {
            processes: (0..processes)
                .map(|number| process(number, number % clocks.len(), &mut rng))
                .collect(),
            clocks,
            rng,
            spans: Vec::new(),
            logs: Vec::new(),
            sends: Vec::new(),
            replies: Vec::new(),
        };
        if jumps {
            maker.set_a_clock(length);
        }
        let roots = maker.rng.usize(size.roots / 3 + 1..=size.roots);
        for root in 0..roots {
            let (process, at) = (maker.any_process(), maker.rng.i64(0..length));
            maker.work(process, at, None, root as u64 + 1, SpanKind::Server, 3);
        }
        maker.finish()
    }
}

fn process(number: usize, clock: usize, rng: &mut Rng) -> Process {
    let host = format!("h{clock}");
    let pairs = [
        ("service.name", format!("s{number}")),
        ("service.instance.id", format!("s{number}-1")),
        ("host.name", host),
    ];
    let attributes: Attributes = pairs.into_iter().map(|(key, value)| (key, Value::Text(value))).collect();
    let stamps = match rng.u32(0..10) {
        0 | 1 => Stamps::Node,
        2 | 3 => Stamps::Micros,
        _ => Stamps::Precise,
    };
    Process { clock, resource: Arc::new(Resource::new(attributes, 0)), stamps }
}

impl Maker {
    fn any_process(&mut self) -> usize {
        self.rng.usize(0..self.processes.len())
    }

    /// Most messages take a millisecond, some three hundred.
    fn delay(&mut self) -> i64 {
        match self.rng.u32(0..10) {
            0 => self.rng.i64(2 * MS..300 * MS),
            _ => self.rng.i64(30_000..3 * MS),
        }
    }

    /// One clock is set by more than its messages leave open, and speaks with another before and after.
    fn set_a_clock(&mut self, length: i64) {
        let clock = self.rng.usize(0..self.clocks.len());
        let at = self.rng.i64(length / 3..2 * length / 3);
        let by = self.rng.i64(3 * SECOND..600 * SECOND) * if self.rng.bool() { 1 } else { -1 };
        self.clocks[clock].jump = Some((at, by));
        let of = |own: bool, processes: &[Process]| -> Vec<usize> {
            (0..processes.len()).filter(|p| (processes[*p].clock == clock) == own).collect()
        };
        let (own, others) = (of(true, &self.processes), of(false, &self.processes));
        own.iter().for_each(|process| self.processes[*process].stamps = Stamps::Precise);
        let Some(partner) = others.first().copied() else { return };
        for nth in 0..8 {
            let time = if nth < 4 { at / 8 * (nth + 1) } else { at + (length - at) / 8 * (nth - 3) };
            let client = self.span(partner, time, time + 2 * MS, None, 1_000 + nth as u64, SpanKind::Client);
            let arrived = time + self.rng.i64(30_000..MS);
            let server = self.span(
                own[0],
                arrived,
                arrived + MS / 2,
                Some(client),
                1_000 + nth as u64,
                SpanKind::Server,
            );
            self.spans[client].answered = true;
            self.spans[client].end = arrived + self.rng.i64(MS..2 * MS);
            self.sends.push((client, server, false));
            self.replies.push((client, server));
        }
    }

    fn span(
        &mut self,
        process: usize,
        start: i64,
        end: i64,
        parent: Option<usize>,
        trace: u64,
        kind: SpanKind,
    ) -> usize {
        self.spans.push(Planned {
            process,
            trace,
            parent,
            links: Vec::new(),
            kind,
            start,
            end,
            events: Vec::new(),
            answered: false,
            blocking: false,
            lost: false,
        });
        self.spans.len() - 1
    }

    /// A span that does things: says so, calls others, sends messages, leaves work behind. Returns it, and when it was done.
    fn work(
        &mut self,
        process: usize,
        start: i64,
        parent: Option<usize>,
        trace: u64,
        kind: SpanKind,
        depth: u32,
    ) -> (usize, i64) {
        let own = self.span(process, start, start, parent, trace, kind);
        let mut now = start;
        for _ in 0..self.rng.usize(1..=3) {
            now += self.rng.i64(1_000..4 * MS);
            match self.rng.u32(0..10) {
                0 | 1 => self.logs.push((process, Some(own), now)),
                2 => self.spans[own].events.push(now),
                3 => self.logs.push((process, None, now)),
                4 => {
                    // Work that goes on in the background, whoever waits.
                    let begin = now + self.rng.i64(0..20 * MS);
                    let end = begin + self.rng.i64(MS..80 * MS);
                    let child = self.span(process, begin, end, Some(own), trace, SpanKind::Internal);
                    self.spans[child].events.push(begin + (end - begin) / 2);
                }
                5 if depth > 0 => self.send(own, process, now, trace, depth),
                _ if depth > 0 => now = self.call(own, process, now, trace, depth),
                _ => {}
            }
        }
        self.spans[own].end = now + self.rng.i64(1_000..MS);
        (own, now)
    }

    /// A call: its answer may get lost, its handler may end after the caller. Returns when the caller goes on.
    fn call(&mut self, own: usize, process: usize, now: i64, trace: u64, depth: u32) -> i64 {
        let client = self.span(process, now, now, Some(own), trace, SpanKind::Client);
        let callee = self.any_process();
        let arrived = now + self.delay();
        let (server, done) = self.work(callee, arrived, Some(client), trace, SpanKind::Server, depth - 1);
        self.sends.push((client, server, false));
        if self.rng.u32(0..10) == 0 {
            // The caller gave up; perhaps before the request was even read.
            let gave_up = now + self.rng.i64(10_000..5 * MS);
            self.spans[client].end = gave_up;
            return gave_up;
        }
        let answered = done + self.delay();
        self.spans[client].end = answered;
        self.spans[client].answered = true;
        self.replies.push((client, server));
        if self.rng.u32(0..3) == 0 {
            self.spans[server].end = answered + self.rng.i64(0..7 * MS); // the handler ends when the socket closes
        }
        answered
    }

    fn send(&mut self, own: usize, process: usize, now: i64, trace: u64, depth: u32) {
        let sent = now + self.rng.i64(1_000..MS);
        let producer = self.span(process, now, sent, Some(own), trace, SpanKind::Producer);
        let consumer_process = self.any_process();
        let received = now + self.delay() + if self.rng.bool() { self.rng.i64(0..3 * SECOND) } else { 0 };
        let new_trace = 100_000 + self.spans.len() as u64;
        if self.rng.u32(0..3) == 0 {
            // Waiting since before it was sent.
            let begun = (received - self.rng.i64(0..SECOND)).max(0);
            let waiting = self.span(consumer_process, begun, received, None, new_trace, SpanKind::Client);
            self.spans[waiting].blocking = true;
            self.spans[waiting].links.push(producer);
            self.sends.push((producer, waiting, true));
        } else {
            let (consumer, _) =
                self.work(consumer_process, received, None, new_trace, SpanKind::Consumer, depth - 1);
            self.spans[consumer].links.push(producer);
            self.sends.push((producer, consumer, false));
        }
    }

    fn finish(mut self) -> Execution {
        for span in 0..self.spans.len() {
            // Traces that keep a set clock honest are never lost: they are what tells.
            self.spans[span].lost = self.spans[span].trace / 1_000 != 1 && self.rng.u32(0..25) == 0;
        }
        let made: Vec<Option<Made>> = (0..self.spans.len()).map(|span| self.record(span)).collect();
        let mut execution = Execution {
            clocks: self.clocks.clone(),
            records: Vec::new(),
            truth: HashMap::new(),
            causes: Vec::new(),
            messages: Vec::new(),
        };
        for (record, points) in made.iter().flatten() {
            execution.tell(record.clone(), points);
            let along = points.windows(2).map(|pair| ((record.id, pair[0].0), (record.id, pair[1].0)));
            execution.causes.extend(along);
        }
        let event = |span: usize, point: Point| made[span].as_ref().map(|(record, _)| (record.id, point));
        for (number, span) in self.spans.iter().enumerate() {
            let parent = span.parent.and_then(|parent| event(parent, Point::Start));
            execution.causes.extend(parent.zip(event(number, Point::Start)));
        }
        let logs = std::mem::take(&mut self.logs);
        for (nth, (process, span, at)) in logs.iter().enumerate() {
            let log = self.log(*process, *span, *at, nth);
            let start = span.and_then(|span| event(span, Point::Start));
            execution.causes.extend(start.map(|start| (start, (log.id, Point::Log))));
            execution.tell(log, &[(Point::Log, *at)]);
        }
        for (from, to, to_end) in &self.sends {
            let point = if *to_end { Point::End } else { Point::Start };
            self.passed((*from, Point::Start), (*to, point), &made, &mut execution);
        }
        for (client, server) in &self.replies {
            self.passed((*server, Point::Start), (*client, Point::End), &made, &mut execution);
        }
        let again = self.rng.usize(0..=execution.records.len() / 3);
        for _ in 0..again {
            let one = execution.records[self.rng.usize(0..execution.records.len())].clone();
            execution.records.push(one);
        }
        self.rng.shuffle(&mut execution.records);
        execution
    }

    /// A message of which both ends are told.
    fn passed(
        &self,
        from: (usize, Point),
        to: (usize, Point),
        made: &[Option<Made>],
        execution: &mut Execution,
    ) {
        let (Some((sender, _)), Some((receiver, _))) = (&made[from.0], &made[to.0]) else { return };
        let end = |(span, point): (usize, Point), record: &Record| {
            let process = &self.processes[self.spans[span].process];
            let body = record.as_span().expect("a span");
            let stamp = if point == Point::End { body.end } else { body.start };
            let at = if point == Point::End { self.spans[span].end } else { self.spans[span].start };
            (process.clock, at, stamp.0 as i64, process.stamps.resolution())
        };
        let (a, b) = (end(from, sender), end(to, receiver));
        execution.causes.push(((sender.id, from.1), (receiver.id, to.1)));
        if a.0 != b.0 {
            let stamps = (a.2, b.2 + b.3 - 1);
            execution.messages.push(Passed { from: a.0, to: b.0, sent: a.1, received: b.1, stamps });
        }
    }

    fn record(&self, number: usize) -> Option<Made> {
        let planned = &self.spans[number];
        if planned.lost {
            return None;
        }
        let process = &self.processes[planned.process];
        let clock = self.clocks[process.clock];
        let start = process.stamps.start(clock.read(planned.start));
        let later = |at: i64| match process.stamps {
            Stamps::Node => start + clock.read(at) - clock.read(planned.start),
            Stamps::Micros => clock.read(at) / 1_000 * 1_000,
            Stamps::Precise => clock.read(at),
        };
        let time = |ns: i64| Time(ns as u64);
        let span_id = |number: usize| SpanId((number as u64 + 1).to_be_bytes());
        let trace_id = |number: usize| {
            let mut bytes = [7; 16];
            bytes[8..].copy_from_slice(&self.spans[number].trace.to_be_bytes());
            TraceId(bytes)
        };
        let link = |to: &usize| Link { trace_id: trace_id(*to), span_id: span_id(*to), ..Link::default() };
        let mut attributes = vec![("order.id", Value::from("42"))];
        if planned.answered {
            attributes.push(("http.response.status_code", Value::from(200)));
        }
        if planned.blocking {
            attributes.push(("messaging.operation.type", Value::from("receive")));
        }
        let failed = planned.kind == SpanKind::Client && !planned.answered && !planned.blocking;
        let code = if failed { StatusCode::Error } else { StatusCode::Unset };
        let mut events = planned.events.clone();
        events.retain(|at| *at <= planned.end);
        let span = Span {
            trace_id: trace_id(number),
            span_id: span_id(number),
            parent_span_id: planned.parent.map(span_id),
            name: format!("span {number}"),
            kind: planned.kind,
            start: time(start),
            end: time(later(planned.end)),
            attributes: attributes.into_iter().collect(),
            events: events
                .iter()
                .map(|at| SpanEvent { time: time(later(*at)), name: "event".into(), ..SpanEvent::default() })
                .collect(),
            links: planned.links.iter().map(link).collect(),
            status: Status { code, ..Status::default() },
            ..Span::default()
        };
        let points = std::iter::once((Point::Start, planned.start))
            .chain((0..).map(Point::SpanEvent).zip(events))
            .chain([(Point::End, planned.end)]);
        Some((make(&process.resource, Body::Span(span)), points.collect()))
    }

    fn log(&self, process: usize, span: Option<usize>, at: i64, nth: usize) -> Record {
        let process = &self.processes[process];
        let own = span.map(|span| {
            let mut bytes = [7; 16];
            bytes[8..].copy_from_slice(&self.spans[span].trace.to_be_bytes());
            (TraceId(bytes), SpanId((span as u64 + 1).to_be_bytes()))
        });
        let log = Log {
            time: Time(self.clocks[process.clock].read(at) as u64),
            body: Value::Text(format!("order 42, line {nth}")),
            trace_id: own.map(|own| own.0),
            span_id: own.map(|own| own.1),
            attributes: [("order.id", Value::from("42"))].into_iter().collect(),
            ..Log::default()
        };
        make(&process.resource, Body::Log(log))
    }
}

impl Stamps {
    fn start(self, ns: i64) -> i64 {
        ns / self.resolution() * self.resolution()
    }

    fn resolution(self) -> i64 {
        match self {
            Stamps::Precise => 1,
            Stamps::Micros => 1_000,
            Stamps::Node => MS,
        }
    }
}

fn make(resource: &Arc<Resource>, body: Body) -> Record {
    let scope = Arc::new(Scope::new("test".into(), String::new(), Attributes::default()));
    Record::new(Position::default(), None, resource.clone(), scope, body, 0)
}

impl Execution {
    fn tell(&mut self, record: Record, points: &[(Point, i64)]) {
        self.truth.extend(points.iter().map(|(point, at)| ((record.id, *point), *at)));
        self.records.push(record);
    }

    /// The clock that was set: which, and when and by how much.
    pub(super) fn set(&self) -> Option<(usize, i64)> {
        let set = self.clocks.iter().enumerate().find_map(|(number, clock)| Some((number, clock.jump?.0)));
        set.filter(|(clock, at)| {
            let speaks = |before: bool| {
                let sides = self.messages.iter().filter(|m| {
                    let own = if m.from == *clock { m.sent } else { m.received };
                    (m.from == *clock || m.to == *clock) && (own < *at) == before
                });
                sides.map(|m| m.from == *clock).collect::<HashSet<_>>().len() == 2
            };
            speaks(true) && speaks(false)
        })
    }
}
