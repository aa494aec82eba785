//! Causes that services carry themselves: hybrid logical stamps and vector clocks. `docs/hlc.md` defines both.

use std::collections::{BTreeMap, HashMap};

use hlc::{AHEAD_NS_MAX, Stamp, tracestate};

use super::edge::Cause;
use super::moment::{Index, Moments};
use crate::document::Evidence;
use crate::held::{At, Held};
use crate::id::{Point, TraceId};
use crate::record::{Body, Record, Span};
use crate::value::{Attributes, Value};

/// The attribute that holds a vector clock.
const VECTOR_CLOCK: &str = "vector_clock";

/// The edges that carried stamps and vector clocks prove.
pub(super) fn causes(held: &Held, moments: &Moments) -> Vec<Cause> {
    let mut causes = by_stamp(held, moments);
    causes.extend(by_vector_clock(held, moments));
    causes
}

/// The points of a record that attributes can stand at, with those attributes: a span's own stand at its start.
fn points(record: &Record) -> impl Iterator<Item = (Point, &Attributes)> {
    let (own, events) = match &record.body {
        Body::Log(log) => ((Point::Log, &log.attributes), &[][..]),
        Body::Span(span) => ((Point::Start, &span.attributes), span.events.as_slice()),
    };
    let events = (0..).zip(events).map(|(number, event)| (Point::SpanEvent(number), &event.attributes));
    std::iter::once(own).chain(events)
}

fn moment(moments: &Moments, at: At, point: Point) -> Option<Index> {
    let offset = match point {
        Point::SpanEvent(number) => 1 + number,
        _ => 0,
    };
    moments.start(at).map(|first| first + offset)
}

/// A sender's stamp on a receiver's span is a message: what wrote the stamp down happened before the span began.
///
/// Two events of one trace with one stamp say nothing, for nobody knows whose the receiver saw. Nor does a receiver
/// whose own stamp is not greater: it did not merge what it carries.
fn by_stamp(held: &Held, moments: &Moments) -> Vec<Cause> {
    let mut senders: HashMap<(TraceId, Stamp), Option<(At, Point)>> = HashMap::new();
    for (at, record) in held.records().iter().enumerate() {
        let Some(trace) = record.trace_id() else { continue };
        for (point, attributes) in points(record) {
            if let Some(stamp) = stamp_in(attributes) {
                let sender = Some((at, point));
                senders.entry((trace, stamp)).and_modify(|known| *known = None).or_insert(sender);
            }
        }
    }
    let mut causes = Vec::new();
    if senders.is_empty() {
        return causes;
    }
    for (at, record) in held.records().iter().enumerate() {
        let Some(span) = record.as_span() else { continue };
        for (trace, stamp) in carried(span).filter(|(_, stamp)| !is_refuted(span, *stamp)) {
            let sender = senders.get(&(trace, stamp)).copied().flatten().filter(|(sender, _)| *sender != at);
            let from = sender.and_then(|(sender, point)| moment(moments, sender, point));
            if let (Some(from), Some(to)) = (from, moments.start(at)) {
                causes.push(Cause { from, to, evidence: Evidence::Hlc });
            }
        }
    }
    causes
}

fn stamp_in(attributes: &Attributes) -> Option<Stamp> {
    attributes.get(tracestate::NAME)?.as_str()?.parse().ok()
}

/// The stamps that a span was started with, each with the trace that it came through.
fn carried(span: &Span) -> impl Iterator<Item = (TraceId, Stamp)> {
    let links = span.links.iter().map(|link| (link.trace_id, link.trace_state.as_str()));
    let all = std::iter::once((span.trace_id, span.trace_state.as_str())).chain(links);
    all.filter_map(|(trace, trace_state)| Some((trace, tracestate::carried(trace_state)?.ok()?)))
}

/// A receiver's own stamp is greater than what it merged; it merges all but what is too far ahead of it.
fn is_refuted(span: &Span, carried: Stamp) -> bool {
    let merges = |own: Stamp| carried.wall_ns().saturating_sub(own.wall_ns()) <= AHEAD_NS_MAX;
    stamp_in(&span.attributes).is_some_and(|own| own <= carried && merges(own))
}

/// One event with its vector clock.
struct Ticked {
    at: At,
    point: Point,
    /// Its process's own count.
    own: u64,
    seen: BTreeMap<String, u64>,
}

/// Vector clocks (Fidge 1988, Mattern 1989): an event that has seen count n of a process happened after that
/// process's event n. Each is ordered after its process's event before, and after the latest event seen of every
/// process of which it has seen more than that one.
fn by_vector_clock(held: &Held, moments: &Moments) -> Vec<Cause> {
    let processes = ticked(held);
    let index = |event: &Ticked| moment(moments, event.at, event.point);
    let mut causes = Vec::new();
    let mut push = |from: Option<Index>, to: Option<Index>| {
        if let (Some(from), Some(to)) = (from, to) {
            causes.push(Cause { from, to, evidence: Evidence::VectorClock });
        }
    };
    for (name, events) in &processes {
        for (nth, event) in events.iter().enumerate() {
            let before = nth.checked_sub(1).and_then(|before| events.get(before));
            push(before.and_then(index), index(event));
            for (other, count) in event.seen.iter().filter(|(other, _)| *other != name) {
                let known = before.and_then(|before| before.seen.get(other)).copied().unwrap_or(0);
                let latest = processes.get(other).and_then(|others| latest(others, *count));
                push(latest.filter(|seen| seen.own > known).and_then(index), index(event));
            }
        }
    }
    causes
}

/// Of one process's events, by count, the last that `count` has seen.
fn latest(events: &[Ticked], count: u64) -> Option<&Ticked> {
    events.get(events.partition_point(|event| event.own <= count).checked_sub(1)?)
}

/// The events with vector clocks, by process, in the order of their own counts. Where two events of one process have
/// one count, the clock is broken, and neither stands.
fn ticked(held: &Held) -> BTreeMap<String, Vec<Ticked>> {
    let mut processes: BTreeMap<String, Vec<Ticked>> = BTreeMap::new();
    for (at, record) in held.records().iter().enumerate() {
        for (point, attributes) in points(record) {
            let Some(seen) = attributes.get(VECTOR_CLOCK).and_then(counts) else { continue };
            let names = ["service.instance.id", "service.name"].map(|name| record.resource.text(name));
            let own = names.into_iter().flatten().find_map(|name| Some((name, *seen.get(name)?)));
            if let Some((name, own)) = own {
                processes.entry(name.to_owned()).or_default().push(Ticked { at, point, own, seen });
            }
        }
    }
    for events in processes.values_mut() {
        events.sort_by_key(|event| event.own);
        let counts: Vec<u64> = events.iter().map(|event| event.own).collect();
        let mut place = 0;
        events.retain(|_| {
            let same = |other: Option<usize>| other.and_then(|other| counts.get(other)) == counts.get(place);
            let alone = !same(place.checked_sub(1)) && !same(Some(place + 1));
            place += 1;
            alone
        });
    }
    processes
}

/// A vector clock's counts: a map of numbers, or the same as a JSON text; `None` where it is neither.
fn counts(value: &Value) -> Option<BTreeMap<String, u64>> {
    match value {
        Value::Map(counts) => {
            let count = |(name, value): (&str, &Value)| match value {
                Value::Int(count) => Some((name.to_owned(), u64::try_from(*count).ok()?)),
                _ => None,
            };
            counts.iter().map(count).collect()
        }
        Value::Text(json) => serde_json::from_str(json).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::case;
    use super::*;
    use crate::record::Record;
    use crate::testing::*;

    const X: &str = "68ea4b1f3c000005";

    fn edges(records: Vec<Record>, evidence: Evidence) -> Vec<(String, String)> {
        let case = case(records);
        let name = |index: Index| {
            let moment = &case.moments.list[index as usize];
            let name = match &case.held.record(moment.at).body {
                Body::Span(span) => span.name.clone(),
                Body::Log(log) => log.body.to_text().into_owned(),
            };
            format!(
                "{name}{}",
                match moment.point {
                    Point::Start | Point::Log => String::new(),
                    Point::End => " ends".to_owned(),
                    Point::SpanEvent(number) => format!(" event {number}"),
                }
            )
        };
        let causes = causes(&case.held, &case.moments);
        let mut found: Vec<_> = causes.iter().filter(|cause| cause.evidence == evidence).collect();
        found.sort();
        found.dedup();
        found.into_iter().map(|cause| (name(cause.from), name(cause.to))).collect()
    }

    fn pair(from: &str, to: &str) -> (String, String) {
        (from.to_owned(), to.to_owned())
    }

    /// A sender that wrote the stamp X down when it sent.
    fn sender(number: u8, process: &str) -> Made {
        span(number, process, "send", 0.0, 9.0).with(&[("order.id", "42")]).change(|span| {
            span.events.push(crate::record::SpanEvent {
                time: at(1.0),
                name: "sent".into(),
                attributes: attributes(&[("hlc", X)]),
                ..crate::record::SpanEvent::default()
            });
        })
    }

    /// A span that was started with X in its tracestate, below a proxy's that never came.
    fn receiver(number: u8) -> Made {
        span(number, "b", "receive", 2.0, 8.0)
            .with(&[("order.id", "42")])
            .child_of(99)
            .change(|span| span.trace_state = format!("ot=th:8,hlc={X}"))
    }

    #[test]
    fn a_senders_stamp_on_a_receivers_span_is_a_message() {
        let records = vec![sender(1, "a").record(), receiver(2).record()];
        assert_eq!(edges(records, Evidence::Hlc), [pair("send event 0", "receive")]);
    }

    #[test]
    fn a_stamp_on_a_link_comes_through_the_links_trace() {
        let linking = span(2, "b", "receive", 2.0, 8.0).trace(2).with(&[("order.id", "42")]).link(1, 7);
        let stamped = linking.change(|span| span.links[0].trace_state = format!("hlc={X}"));
        let records = vec![sender(1, "a").record(), stamped.record()];
        assert_eq!(edges(records, Evidence::Hlc), [pair("send event 0", "receive")]);
    }

    #[test]
    fn stamps_that_are_only_compared_prove_nothing() {
        let stamped = |number, stamp| {
            span(number, "a", "work", 0.0, 1.0).with(&[("order.id", "42"), ("hlc", stamp)]).record()
        };
        let records = vec![stamped(1, "0000000000000001"), stamped(2, "0000000000000002")];
        assert_eq!(edges(records, Evidence::Hlc), []);
    }

    #[test]
    fn a_stamp_that_two_wrote_down_is_nobodys() {
        let records = vec![sender(1, "a").record(), sender(3, "c").record(), receiver(2).record()];
        assert_eq!(edges(records, Evidence::Hlc), []);
        let elsewhere = vec![sender(1, "a").trace(2).record(), receiver(2).record()];
        assert_eq!(edges(elsewhere, Evidence::Hlc), [], "of another trace");
    }

    #[test]
    fn a_receiver_whose_own_stamp_is_not_greater_did_not_merge_it() {
        let with_own = |own: &str| vec![sender(1, "a").record(), receiver(2).with(&[("hlc", own)]).record()];
        assert_eq!(edges(with_own("68ea4b1f3c000004"), Evidence::Hlc), [], "smaller: refuted");
        assert_eq!(edges(with_own("68ea4b1f3c000006"), Evidence::Hlc).len(), 1);
        assert_eq!(
            edges(with_own("0000000000000006"), Evidence::Hlc).len(),
            1,
            "X was too far ahead to be merged"
        );
        assert_eq!(edges(with_own("garbage"), Evidence::Hlc).len(), 1, "what is no stamp says nothing");
    }

    /// A log of `process` with this vector clock.
    fn ticked(process: &str, text: &str, clock: &str) -> Record {
        let mut record = log(0, process, text, 0.0);
        if let Body::Log(log) = &mut record.body {
            log.attributes = attributes(&[("vector_clock", clock), ("order.id", "42")]);
        }
        Record::new(record.position, None, record.resource, record.scope, record.body, 0)
    }

    #[test]
    fn vector_clocks_order_what_has_seen_what() {
        let records = vec![
            ticked("alice", "a1", r#"{"alice":1}"#),
            ticked("alice", "a2", r#"{"alice":2}"#),
            ticked("bob", "b1", r#"{"bob":1}"#),
            ticked("bob", "b2", r#"{"alice":1,"bob":2}"#),
            ticked("bob", "b3", r#"{"alice":1,"bob":3}"#),
        ];
        let mut found = edges(records, Evidence::VectorClock);
        found.sort();
        assert_eq!(found, [pair("a1", "a2"), pair("a1", "b2"), pair("b1", "b2"), pair("b2", "b3")]);
    }

    #[test]
    fn an_event_that_never_came_is_seen_through() {
        let records =
            vec![ticked("alice", "a1", r#"{"alice":1}"#), ticked("bob", "b1", r#"{"alice":2,"bob":1}"#)];
        assert_eq!(edges(records, Evidence::VectorClock), [pair("a1", "b1")]);
    }

    #[test]
    fn broken_vector_clocks_prove_nothing() {
        for clock in ["{", "[1]", r#"{"alice":-1}"#, r#"{"carol":1}"#, "7"] {
            let records = vec![ticked("alice", "a1", clock), ticked("alice", "a2", clock)];
            assert_eq!(edges(records, Evidence::VectorClock), [], "{clock}");
        }
        let twice = vec![
            ticked("alice", "a1", r#"{"alice":1}"#),
            ticked("alice", "a1 too", r#"{"alice":1}"#),
            ticked("bob", "b1", r#"{"alice":1,"bob":1}"#),
        ];
        assert_eq!(edges(twice, Evidence::VectorClock), [], "two events with one count");
    }

    proptest::proptest! {
        /// On an execution with true vector clocks, some of whose events are lost, the edges' closure says of two
        /// events of different processes, and of one, exactly what comparing their clocks says.
        #[test]
        fn they_say_what_comparing_says(
            steps in proptest::collection::vec((0usize..3, proptest::option::of(0usize..3)), 1..14),
            lost in proptest::collection::vec(0usize..14, 0..4),
        ) {
            let names = ["alice", "bob", "carol"];
            let mut clocks = [[0u64; 3]; 3];
            let mut all = Vec::new();
            for (process, from) in steps {
                if let Some(from) = from {
                    let seen = clocks[from];
                    clocks[process].iter_mut().zip(seen).for_each(|(own, seen)| *own = (*own).max(seen));
                }
                clocks[process][process] += 1;
                all.push((process, clocks[process]));
            }
            let kept: Vec<_> = (0..all.len()).filter(|at| !lost.contains(at)).map(|at| all[at]).collect();
            let text = |number: usize| format!("event {number:02}");
            let json = |clock: [u64; 3]| {
                let counts = names.iter().zip(clock).filter(|(_, count)| *count > 0);
                format!("{{{}}}", counts.map(|(name, count)| format!("{name:?}:{count}")).collect::<Vec<_>>().join(","))
            };
            let records = kept.iter().enumerate().map(|(at, (process, clock))| ticked(names[*process], &text(at), &json(*clock)));
            let edges = edges(records.collect(), Evidence::VectorClock);
            let mut reached = vec![vec![false; kept.len()]; kept.len()];
            let place = |name: &str| name[6..].parse::<usize>().expect("a number");
            edges.iter().for_each(|(from, to)| reached[place(from)][place(to)] = true);
            for k in 0..kept.len() {
                for i in 0..kept.len() {
                    for j in 0..kept.len() {
                        reached[i][j] |= reached[i][k] && reached[k][j];
                    }
                }
            }
            for (i, (process, a)) in kept.iter().enumerate() {
                for (j, (_, b)) in kept.iter().enumerate() {
                    proptest::prop_assert_eq!(reached[i][j], i != j && a[*process] <= b[*process]);
                }
            }
        }
    }
}
