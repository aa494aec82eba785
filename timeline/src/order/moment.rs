//! Moments: the events of member records before they are ordered, with what their clocks say.

use hlc::Stamp;

use super::process::Processes;
use crate::belongs::Members;
use crate::clocks::ClockEvidence;
use crate::held::{At, Held};
use crate::id::Point;
use crate::record::{Body, Record};
use crate::time::Time;

/// The number of a moment in [`Moments`].
pub(crate) type Index = u32;

/// One event, not yet ordered.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    /// Its record.
    pub(crate) at: At,
    /// Which point of the record.
    pub(crate) point: Point,
    /// Its process's number.
    pub(crate) process: usize,
    /// As the sender had it.
    pub(crate) time: Time,
    /// The truth by its own clock lies in `[time, time + resolution)`, in nanoseconds; `None` where the
    /// time is unset or absurd and says nothing.
    pub(crate) resolution: Option<u64>,
    /// The time that the causal stamp starts from: `time`, or an estimate where that says nothing.
    pub(crate) estimate: Time,
}

/// The moments of a timeline. Invariant: sorted by record, then point.
pub(crate) struct Moments {
    /// All of them.
    pub(crate) list: Vec<Moment>,
    /// By record: where its moments begin.
    first: Vec<Option<Index>>,
    /// The processes that they happened in.
    pub(crate) processes: Processes,
}

impl Moments {
    /// The moments of the member records; how coarse their stamps are, the evidence shows.
    pub(crate) fn of(held: &Held, members: &Members, given: &ClockEvidence) -> Moments {
        let mut processes = Processes::default();
        let mut quanta = Quanta { evidence: given, known: Vec::new() };
        let mut list = Vec::new();
        let mut first = vec![None; held.records().len()];
        for (at, _) in members.iter() {
            let record = held.record(at);
            let process = processes.number(&record.resource);
            first[at] = Some(index(list.len()));
            for (point, time) in points(record) {
                let sane = is_sane(time, record.arrival);
                list.push(Moment {
                    at,
                    point,
                    process,
                    time,
                    resolution: sane.then(|| quanta.get(process, &processes, point)),
                    estimate: if sane { time } else { estimate(record) },
                });
            }
        }
        Moments { list, first, processes }
    }

    /// The start of the span at `at`, or the log; `None` where it is no member.
    pub(crate) fn start(&self, at: At) -> Option<Index> {
        self.first.get(at).copied().flatten()
    }

    /// The end of the span at `at`; `None` where it is no member, or did not end.
    pub(crate) fn end(&self, at: At) -> Option<Index> {
        let first = self.start(at)?;
        let own = self.list.get(first as usize..)?.iter().take_while(|moment| moment.at == at);
        own.zip(first..).find(|(moment, _)| moment.point == Point::End).map(|(_, index)| index)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

/// The number of a moment; timelines hold fewer than 2^32.
pub(crate) fn index(at: usize) -> Index {
    Index::try_from(at).unwrap_or(Index::MAX)
}

/// The points of a record with their times, in the order in which they happened.
pub(crate) fn points(record: &Record) -> Vec<(Point, Time)> {
    match &record.body {
        Body::Log(log) => vec![(Point::Log, log.best_time())],
        Body::Span(span) => {
            let events = (0..).zip(&span.events).map(|(n, event)| (Point::SpanEvent(n), event.time));
            let end = span.end.is_set().then_some((Point::End, span.end));
            std::iter::once((Point::Start, span.start)).chain(events).chain(end).collect()
        }
    }
}

/// A time this far past its record's arrival is no time: milliseconds written as nanoseconds, 2262.
const AHEAD_OF_ARRIVAL_NS_MAX: u64 = 24 * 3_600 * 1_000_000_000;
/// 2200-01-01: later times without an arrival to compare them with are no times either.
const LATEST: Time = Time(7_258_118_400_000_000_000);

/// Whether a record's time says anything: it is set, and not far past the record's arrival.
pub(crate) fn is_sane(time: Time, arrival: Option<Stamp>) -> bool {
    let latest = match arrival {
        Some(arrival) => Time(arrival.wall_ns().saturating_add(AHEAD_OF_ARRIVAL_NS_MAX)),
        None => LATEST,
    };
    time.is_set() && time <= latest
}

/// Where a record's own time says nothing: another of its times that does, else its arrival, else nothing.
fn estimate(record: &Record) -> Time {
    let times = points(record).into_iter().map(|(_, time)| time);
    let mut times = times.filter(|time| is_sane(*time, record.arrival));
    times.next().or(record.arrival.map(|arrival| Time(arrival.wall_ns()))).unwrap_or(Time::UNSET)
}

/// What each process's stamps are multiples of, in nanoseconds: the largest power of ten that divides all its span
/// starts, and all its log times, of all the evidence. Node's span starts are whole milliseconds, and its ends are a
/// start plus a precise duration: so a span's points are as coarse as the starts.
struct Quanta<'a> {
    evidence: &'a ClockEvidence,
    known: Vec<Option<(u64, u64)>>,
}

impl Quanta<'_> {
    fn get(&mut self, process: usize, processes: &Processes, point: Point) -> u64 {
        if self.known.len() <= process {
            self.known.resize(process + 1, None);
        }
        let (spans, logs) = *self.known[process].get_or_insert_with(|| {
            let reader = self.evidence.reader(processes.list()[process].key.id());
            reader.map_or((1, 1), |reader| (reader.span_quantum_ns, reader.log_quantum_ns))
        });
        if point == Point::Log { logs } else { spans }
    }
}
