//! What single records say: who reads which clock, when records arrived, and the ends of calls and messages.

use std::collections::HashMap;

use hlc::Stamp;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::evidence::{
    Cell, ClockEvidence, Contest, ProcessId, QUANTUM_NS_MAX, Reader, Tightest, common_quantum,
};
use crate::id::{SpanId, TraceId};
use crate::order::moment::is_sane;
use crate::order::process::{Process, ProcessKey};
use crate::record::{Resource, SpanKind};
use crate::time::Time;

/// So many contents of one sender are compared with its receivers, the smallest: a call of more is contested anyhow.
const SENDERS_MAX: usize = 16;

/// So many links of a span are followed.
const LINKS_MAX: usize = 64;

/// A process, as its resource tells of it.
#[derive(Clone, Debug)]
pub struct Told {
    id: ProcessId,
    reader: Reader,
}

impl Told {
    /// What `resource` tells of its process.
    pub fn by(resource: &Resource) -> Told {
        let process = Process::of(resource, ProcessKey::of(resource));
        let reader = Reader {
            clock: process.clock,
            service: process.service,
            instance: process.instance,
            host: process.host,
            version: process.version,
            span_quantum_ns: QUANTUM_NS_MAX,
            log_quantum_ns: QUANTUM_NS_MAX,
            seen: (Time(u64::MAX), Time(0)),
        };
        Told { id: process.key.id(), reader }
    }
}

/// Which call or message: the span that sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exchange {
    /// Its trace.
    pub trace: TraceId,
    /// Itself.
    pub span: SpanId,
}

impl Exchange {
    /// A hash of it, the same on every machine; never 0.
    pub fn hash(self) -> u64 {
        let span = u64::from_le_bytes(self.span.0);
        xxh3_64_with_seed(&self.trace.0, span).max(1)
    }
}

/// One end of a call or message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// Which call or message.
    pub exchange: Exchange,
    process: ProcessId,
    side: Side,
}

/// Which end, and its stamps; an unset time says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// A client or producer.
    Sender {
        start: Time,
        /// Of a client that got an answer: when.
        answered: Time,
    },
    /// A server, a consumer, or what links to the sender.
    Receiver {
        /// When it had surely received: its start; the end of a blocking receive.
        received: Time,
        /// Of a server, the span.
        server: Option<SpanId>,
    },
}

/// A span, as far as evidence needs it.
#[derive(Clone, Copy, Debug)]
pub struct SpanFacts {
    /// Itself.
    pub own: Exchange,
    /// Its parent.
    pub parent: Option<SpanId>,
    /// What role it plays.
    pub kind: SpanKind,
    /// Start by the sender's clock.
    pub start: Time,
    /// End by the sender's clock.
    pub end: Time,
    /// Whether a client got an answer, by what it says: see `docs/order.md`.
    pub answered: bool,
    /// Whether it waited for a message.
    pub waited: bool,
}

/// What single records say, gathered in any order.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    readers: Vec<(ProcessId, Reader)>,
    numbers: HashMap<ProcessId, usize>,
    /// The process whose records follow.
    current: usize,
    arrivals: HashMap<(usize, u64), Tightest>,
    list: Vec<End>,
}

impl Ends {
    /// The records that follow are of this process.
    pub fn enter(&mut self, told: &Told) {
        let next = self.readers.len();
        self.current = *self.numbers.entry(told.id).or_insert(next);
        match self.readers.get_mut(self.current) {
            // Two resources can be one process, and differ in what does not identify it.
            Some((_, reader)) => reader.merge(&told.reader),
            None => self.readers.push((told.id, told.reader.clone())),
        }
    }

    /// A log record of the process entered, of this time.
    pub fn log(&mut self, time: Time, arrival: Option<Stamp>) {
        self.seen(time, arrival, false);
        self.arrived(time, arrival);
    }

    /// A span of the process entered, with the times of its events and what it links to.
    pub fn span(
        &mut self,
        span: &SpanFacts,
        arrival: Option<Stamp>,
        events: impl Iterator<Item = Time>,
        links: impl Iterator<Item = Exchange>,
    ) {
        self.seen(span.start, arrival, true);
        let sane = |time: Time| if is_sane(time, arrival) { time } else { Time::UNSET };
        let (start, end) = (sane(span.start), sane(span.end));
        let latest = events.map(sane).fold(start.max(end), Time::max);
        self.arrived(latest, arrival);
        if matches!(span.kind, SpanKind::Client | SpanKind::Producer) && start.is_set() {
            let is_answer = span.kind == SpanKind::Client && span.answered;
            let answered = if is_answer { end } else { Time::UNSET };
            self.push(span.own, Side::Sender { start, answered });
        }
        let received = if span.waited { end } else { start };
        if matches!(span.kind, SpanKind::Server | SpanKind::Consumer)
            && let Some(parent) = span.parent
        {
            let is_server = span.kind == SpanKind::Server;
            let received = if is_server { start } else { received };
            let sender = Exchange { span: parent, ..span.own };
            self.push(sender, Side::Receiver { received, server: is_server.then_some(span.own.span) });
        }
        for sender in links.take(LINKS_MAX) {
            let is_parent = sender.trace == span.own.trace && Some(sender.span) == span.parent;
            if sender != span.own && !is_parent {
                self.push(sender, Side::Receiver { received, server: None });
            }
        }
    }

    /// The ends so far, taken away.
    pub fn take_ends(&mut self) -> Vec<End> {
        std::mem::take(&mut self.list)
    }

    /// What the records prove each by itself: who reads which clock, and when they arrived.
    pub fn alone(&self) -> ClockEvidence {
        let mut evidence = ClockEvidence::default();
        self.readers.iter().for_each(|(id, reader)| evidence.add_reader(*id, reader));
        for ((reader, _), message) in &self.arrivals {
            let from = self.readers[*reader].0;
            evidence.add_message(Cell::of(from, ProcessId::COLLECTOR, false, *message), *message);
        }
        evidence
    }

    fn push(&mut self, exchange: Exchange, side: Side) {
        if let Some((process, _)) = self.readers.get(self.current) {
            self.list.push(End { exchange, process: *process, side });
        }
    }

    /// Learns how coarse the process's stamps are, and when it was at work.
    fn seen(&mut self, time: Time, arrival: Option<Stamp>, of_span: bool) {
        let Some((_, reader)) = self.readers.get_mut(self.current).filter(|_| time.is_set()) else { return };
        let quantum = if of_span { &mut reader.span_quantum_ns } else { &mut reader.log_quantum_ns };
        *quantum = common_quantum(*quantum, time.0);
        if is_sane(time, arrival) {
            reader.seen = (reader.seen.0.min(time), reader.seen.1.max(time));
        }
    }

    /// A record arrived after its last event.
    fn arrived(&mut self, latest: Time, arrival: Option<Stamp>) {
        if let Some(arrival) = arrival.filter(|_| is_sane(latest, arrival))
            && let Some(message) = Tightest::between(latest, Time(arrival.wall_ns()), 0)
        {
            let slot = self.arrivals.entry((self.current, latest.0 / super::BUCKET_NS)).or_insert(message);
            *slot = (*slot).min(message);
        }
    }
}

impl End {
    fn is_sender(&self) -> bool {
        matches!(self.side, Side::Sender { .. })
    }

    fn server(&self) -> Option<SpanId> {
        match self.side {
            Side::Receiver { server, .. } => server,
            Side::Sender { .. } => None,
        }
    }
}

/// Adds to `evidence` what every end in `ones` and every end in `others` prove of each other: all of one exchange,
/// sorted. The two may be the same.
pub fn pair(ones: &[End], others: &[End], evidence: &mut ClockEvidence) {
    let Some(exchange) = ones.first().map(|end| end.exchange.hash()) else { return };
    for (senders, receivers) in [(ones, others), (others, ones)] {
        for sender in senders.iter().filter(|end| end.is_sender()).take(SENDERS_MAX) {
            receivers.iter().for_each(|receiver| messages(sender, receiver, exchange, evidence));
        }
    }
    if differ(ones, others, |end| end.is_sender().then_some(*end)) {
        evidence.contested.insert((exchange, Contest::Senders));
    }
    if differ(ones, others, End::server) {
        evidence.contested.insert((exchange, Contest::Servers));
    }
}

/// Whether one of `ones` and one of `others` give different answers.
fn differ<T: PartialEq>(ones: &[End], others: &[End], of: impl Fn(&End) -> Option<T>) -> bool {
    let Some(first) = ones.iter().find_map(&of) else { return false };
    others.iter().any(|end| of(end).is_some())
        && ones.iter().chain(others).filter_map(&of).any(|other| other != first)
}

/// The request from a sender to a receiver, and the answer to it.
fn messages(sender: &End, receiver: &End, exchange: u64, evidence: &mut ClockEvidence) {
    let (Side::Sender { start, answered }, Side::Receiver { received, server }) =
        (sender.side, receiver.side)
    else {
        return;
    };
    if sender.process == receiver.process || !received.is_set() {
        return;
    }
    if let Some(request) = Tightest::between(start, received, exchange) {
        evidence.add_message(Cell::of(sender.process, receiver.process, false, request), request);
    }
    if server.is_some()
        && answered.is_set()
        && let Some(answer) = Tightest::between(received, answered, exchange)
    {
        let answer = Tightest { began: start, ..answer };
        evidence.add_message(Cell::of(receiver.process, sender.process, true, answer), answer);
    }
}

/// Adds to `evidence` what the ends prove of each other, and sorts them.
pub fn pair_all(ends: &mut [End], evidence: &mut ClockEvidence) {
    ends.sort_unstable();
    for group in ends.chunk_by(|a, b| a.exchange == b.exchange).filter(|group| group.len() > 1) {
        pair(group, group, evidence);
    }
}
