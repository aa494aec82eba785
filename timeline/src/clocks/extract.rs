//! Evidence from records, as they come: the two ends of a call arrive in different requests, minutes apart.

use std::collections::{HashMap, VecDeque};

use super::evidence::{
    BUCKET_NS, Cell, ClockEvidence, ProcessId, QUANTUM_NS_MAX, Reader, Tightest, common_quantum,
};
use crate::id::{RecordId, SpanId, TraceId};
use crate::message::is_blocking_receive;
use crate::order::edge::got_answer;
use crate::order::moment::{is_sane, points};
use crate::order::process::{Process, ProcessKey};
use crate::record::{Record, Resource, Span, SpanKind};
use crate::time::Time;

/// So many calls and messages at most wait for their other end; then the oldest is taken as it is.
pub const EXCHANGES_MAX: usize = 65_536;

/// So many receivers of one call or message are kept; with more, none but the first count.
const RECEIVERS_MAX: usize = 16;

/// So many links of a span are followed.
const LINKS_MAX: usize = 64;

/// Takes records one by one, in bounded memory, and says what they prove about clocks.
///
/// It uses the edges of `docs/order.md` that need no more than two spans: a call's request and its reply, a message's
/// way from producer to consumer, a link; and of every record its arrival. What else joins two records (message ids, a
/// parent that is neither client nor producer) a timeline adds from its own records.
#[derive(Clone, Default)]
pub struct Extractor {
    readers: Vec<Known>,
    by_resource: HashMap<u128, u32>,
    by_id: HashMap<ProcessId, u32>,
    cells: HashMap<(u32, u32, u64, u64), Tightest>,
    exchanges: HashMap<(TraceId, SpanId), Exchange>,
    /// The exchanges in the order in which they began.
    waiting: VecDeque<(TraceId, SpanId)>,
}

/// The collector's number among the readers.
const COLLECTOR: u32 = u32::MAX;

#[derive(Clone)]
struct Known {
    id: ProcessId,
    reader: Reader,
}

/// One call or message: the span that sent, and those that received.
#[derive(Clone, Default)]
struct Exchange {
    sender: Option<Sender>,
    receivers: Vec<Receiver>,
}

#[derive(Clone, Copy)]
struct Sender {
    reader: u32,
    start: Time,
    /// Of a client that got an answer: when.
    answered: Option<Time>,
    revision: Revision,
}

#[derive(Clone, Copy)]
struct Receiver {
    reader: u32,
    /// When it had surely received: its start; the end of a blocking receive.
    received: Option<Time>,
    start: Option<Time>,
    serves: bool,
    identity: (TraceId, SpanId, SpanKind),
    revision: Revision,
}

/// Of several revisions of a span the latest end, then the largest record id, stands, as in a timeline.
type Revision = (Time, RecordId);

impl Extractor {
    /// What a set of records proves, from scratch.
    pub fn evidence_of<'a>(records: impl IntoIterator<Item = &'a Record>) -> ClockEvidence {
        let mut extractor = Extractor::default();
        records.into_iter().for_each(|record| extractor.add(record));
        extractor.evidence()
    }

    /// Takes the next record.
    pub fn add(&mut self, record: &Record) {
        let reader = self.reader(&record.resource);
        self.learn_resolution(reader, record);
        self.arrived(reader, record);
        if let Some(span) = record.as_span() {
            self.add_span(reader, record, span);
        }
    }

    /// What the records so far prove, the waiting ones taken as they are.
    pub fn evidence(&self) -> ClockEvidence {
        let mut all = self.cells.clone();
        for exchange in self.exchanges.values() {
            exchange.messages(|from, to, message| keep(&mut all, from, to, message));
        }
        let mut evidence = ClockEvidence::default();
        self.readers.iter().for_each(|known| evidence.add_reader(known.id, &known.reader));
        let id =
            |number: u32| self.readers.get(number as usize).map_or(ProcessId::COLLECTOR, |known| known.id);
        for ((from, to, sent, received), message) in all {
            evidence.add_message(Cell { from: id(from), to: id(to), sent, received }, message);
        }
        evidence
    }

    /// How many calls and messages wait for their other end.
    pub fn waiting(&self) -> usize {
        self.exchanges.len()
    }

    /// The number of the process that `resource` describes.
    fn reader(&mut self, resource: &Resource) -> u32 {
        if let Some(known) = self.by_resource.get(&resource.digest()) {
            return *known;
        }
        let process = Process::of(resource, ProcessKey::of(resource));
        let id = process.key.id();
        let reader = Reader {
            clock: process.clock,
            service: process.service,
            instance: process.instance,
            host: process.host,
            version: process.version,
            span_quantum_ns: QUANTUM_NS_MAX,
            log_quantum_ns: QUANTUM_NS_MAX,
        };
        let number = match self.by_id.get(&id) {
            Some(known) => *known,
            None => {
                self.readers.push(Known { id, reader: reader.clone() });
                self.readers.len() as u32 - 1
            }
        };
        self.by_id.insert(id, number);
        self.by_resource.insert(resource.digest(), number);
        // Two resources can be one process, and differ in what does not identify it.
        self.readers[number as usize].reader.merge(&reader);
        number
    }

    fn learn_resolution(&mut self, reader: u32, record: &Record) {
        let time = record.time();
        if !time.is_set() {
            return;
        }
        let reader = &mut self.readers[reader as usize].reader;
        let quantum =
            if record.as_span().is_some() { &mut reader.span_quantum_ns } else { &mut reader.log_quantum_ns };
        *quantum = common_quantum(*quantum, time.0);
    }

    /// A record arrived after its last event.
    fn arrived(&mut self, reader: u32, record: &Record) {
        let Some(arrival) = record.arrival else { return };
        let times = points(record).into_iter().map(|(_, time)| time);
        if let Some(last) = times.filter(|time| is_sane(*time, record)).max()
            && let Some(message) = message(last, Time(arrival.wall_ns()))
        {
            keep(&mut self.cells, reader, COLLECTOR, message);
        }
    }

    fn add_span(&mut self, reader: u32, record: &Record, span: &Span) {
        let sane = |time: Time| is_sane(time, record).then_some(time);
        let revision = (span.end, record.id);
        if matches!(span.kind, SpanKind::Client | SpanKind::Producer)
            && let Some(start) = sane(span.start)
        {
            let answered = sane(span.end).filter(|_| span.kind == SpanKind::Client && got_answer(span));
            let sender = Sender { reader, start, answered, revision };
            let slot = &mut self.exchange((span.trace_id, span.span_id)).sender;
            if slot.is_none_or(|known| known.revision <= revision) {
                *slot = Some(sender);
            }
        }
        let receiver = |received: Option<Time>, serves: bool| Receiver {
            reader,
            received,
            start: sane(span.start),
            serves,
            identity: (span.trace_id, span.span_id, span.kind),
            revision,
        };
        if matches!(span.kind, SpanKind::Server | SpanKind::Consumer)
            && let Some(parent) = span.parent_span_id
        {
            let receiver = receiver(sane(span.start), span.kind == SpanKind::Server);
            self.exchange((span.trace_id, parent)).receive(receiver);
        }
        let received = if is_blocking_receive(span) { span.end } else { span.start };
        for link in span.links.iter().take(LINKS_MAX) {
            let itself = (link.trace_id, link.span_id) == (span.trace_id, span.span_id);
            let is_parent = link.trace_id == span.trace_id && Some(link.span_id) == span.parent_span_id;
            if !itself && !is_parent {
                self.exchange((link.trace_id, link.span_id)).receive(receiver(sane(received), false));
            }
        }
    }

    /// The exchange that `sender` began; makes room for it.
    fn exchange(&mut self, sender: (TraceId, SpanId)) -> &mut Exchange {
        if !self.exchanges.contains_key(&sender) {
            if self.exchanges.len() >= EXCHANGES_MAX
                && let Some(oldest) = self.waiting.pop_front()
                && let Some(exchange) = self.exchanges.remove(&oldest)
            {
                exchange.messages(|from, to, message| keep(&mut self.cells, from, to, message));
            }
            self.waiting.push_back(sender);
        }
        self.exchanges.entry(sender).or_default()
    }
}

impl Exchange {
    fn receive(&mut self, receiver: Receiver) {
        match self.receivers.iter().position(|known| known.identity == receiver.identity) {
            Some(known) if self.receivers[known].revision <= receiver.revision => {
                self.receivers[known] = receiver;
            }
            None if self.receivers.len() <= RECEIVERS_MAX => self.receivers.push(receiver),
            _ => {}
        }
    }

    /// Hands over the messages that it proves: from whom, to whom.
    fn messages(&self, mut take: impl FnMut(u32, u32, Tightest)) {
        let Some(sender) = self.sender else { return };
        if self.receivers.len() > RECEIVERS_MAX {
            return; // which of them were kept depends on the order in which they came
        }
        let mut servers = self.receivers.iter().filter(|receiver| receiver.serves);
        let only_server = servers.next().filter(|_| servers.next().is_none());
        let replied = only_server.and_then(|server| Some((server.reader, server.start?, sender.answered?)));
        for receiver in &self.receivers {
            if let Some(received) = receiver.received
                && let Some(message) = message(sender.start, received)
                && receiver.reader != sender.reader
            {
                take(sender.reader, receiver.reader, message);
            }
        }
        if let Some((server, start, answered)) = replied
            && let Some(message) = message(start, answered)
            && server != sender.reader
        {
            take(server, sender.reader, message);
        }
    }
}

/// A message with these stamps; `None` where they are centuries apart.
fn message(sent: Time, received: Time) -> Option<Tightest> {
    let difference_ns = i64::try_from(received.since(sent)).ok()?;
    Some(Tightest { difference_ns, sent })
}

fn keep(cells: &mut HashMap<(u32, u32, u64, u64), Tightest>, from: u32, to: u32, message: Tightest) {
    let key = (from, to, message.sent.0 / BUCKET_NS, message.received().0 / BUCKET_NS);
    let slot = cells.entry(key).or_insert(message);
    *slot = (*slot).min(message);
}
