use proptest::prelude::*;

use super::*;
use crate::record::{Record, SpanKind};
use crate::testing::*;

fn shuffled(records: &[Record], seed: &[usize]) -> Vec<Record> {
    let mut again = records.to_vec();
    again.extend(seed.iter().map(|at| records[at % records.len()].clone()));
    for (at, swap) in seed.iter().enumerate() {
        let len = again.len();
        again.swap(at % len, swap % len);
    }
    again
}

proptest! {
    /// CLK-1.
    #[test]
    fn merging_is_commutative_associative_and_idempotent(
        sets in prop::collection::vec(any_records(12), 3..4),
    ) {
        let [a, b, c] = [0, 1, 2].map(|at: usize| Extractor::evidence_of(&sets[at]));
        let merged = |list: &[&ClockEvidence]| {
            let mut all = ClockEvidence::default();
            list.iter().for_each(|one| all.merge(one));
            all
        };
        prop_assert_eq!(merged(&[&a, &b, &c]), merged(&[&c, &a, &b]));
        prop_assert_eq!(merged(&[&merged(&[&a, &b]), &c]), merged(&[&a, &merged(&[&b, &c])]));
        prop_assert_eq!(merged(&[&a, &b, &a, &a]), merged(&[&b, &a]));
    }

    /// CLK-2.
    #[test]
    fn bytes_round_trip_and_damage_is_told(records in any_records(20), cut in 0usize..400) {
        let evidence = Extractor::evidence_of(&records);
        let bytes = evidence.to_bytes();
        prop_assert_eq!(ClockEvidence::from_bytes(&bytes), Ok(evidence));
        prop_assert!(ClockEvidence::from_bytes(&bytes[..cut % bytes.len()]).is_err());
    }

    /// CLK-3, and that a record of a second reading adds nothing.
    #[test]
    fn neither_order_nor_repetition_of_records_matters(
        records in any_records(30),
        seed in prop::collection::vec(0usize..1_000, 1..60),
    ) {
        let again = Extractor::evidence_of(&shuffled(&records, &seed));
        prop_assert_eq!(again.to_bytes(), Extractor::evidence_of(&records).to_bytes());
    }

    /// CLK-3: gathered part by part, each pair of parts paired when the later one comes, it is that from scratch.
    #[test]
    fn division_does_not_matter(
        records in any_records(40),
        parts in prop::collection::vec(0usize..4, 40),
    ) {
        let mut evidence = ClockEvidence::default();
        let mut earlier: Vec<Vec<End>> = Vec::new();
        for part in 0..4 {
            let own = records.iter().zip(&parts).filter(|(_, of)| **of == part).map(|(record, _)| record);
            let mut extractor = Extractor::default();
            own.for_each(|record| extractor.add(record));
            let mut ends = extractor.ends_so_far();
            evidence.merge(&extractor.into_evidence());
            ends.sort_unstable();
            for group in ends.chunk_by(|a, b| a.exchange == b.exchange) {
                for others in &earlier {
                    let same: Vec<End> =
                        others.iter().filter(|end| end.exchange == group[0].exchange).copied().collect();
                    pair(group, &same, &mut evidence);
                }
            }
            earlier.push(ends);
        }
        prop_assert_eq!(evidence.to_bytes(), Extractor::evidence_of(&records).to_bytes());
    }

    /// Of bytes only what a stretch needs is read; the answer is that of all bytes.
    #[test]
    fn a_stretch_is_read_by_itself(
        records in any_records(40),
        minutes in prop::collection::vec(0u64..4_000, 40),
        since in prop::option::of(0u64..4_000),
        until in prop::option::of(0u64..4_000),
    ) {
        let moved = records.iter().zip(minutes).map(|(record, minutes)| later(record, minutes));
        let evidence = Extractor::evidence_of(&moved.collect::<Vec<_>>());
        let time = |minutes: u64| at(minutes as f64 * 60_000.0);
        let (since, until) = (since.map(time), until.map(time));
        let read = ClockEvidence::from_bytes_within(&evidence.to_bytes(), since, until);
        let read = read.expect("evidence").within(since, until);
        prop_assert_eq!(read.to_bytes(), evidence.within(since, until).to_bytes());
    }
}

/// The same span or log, so many minutes later.
fn later(record: &Record, minutes: u64) -> Record {
    let mut record = record.clone();
    let shift = |time: &mut crate::time::Time| *time = time.shifted(i128::from(minutes) * 60_000_000_000);
    match &mut record.body {
        crate::record::Body::Span(span) => [&mut span.start, &mut span.end].into_iter().for_each(shift),
        crate::record::Body::Log(log) => shift(&mut log.time),
    }
    record
}

fn call(number: u8, ms: f64, server_ms: f64) -> [Record; 2] {
    [
        span(1, "orders@a", "charge", ms, ms + 20.0).kind(SpanKind::Client).trace(number).record(),
        span(2, "payments@b", "POST", server_ms, server_ms + 9.0)
            .kind(SpanKind::Server)
            .trace(number)
            .child_of(1)
            .record(),
    ]
}

fn differences(evidence: &ClockEvidence) -> Vec<i64> {
    evidence.messages().map(|(_, _, message)| message.difference_ns / 1_000_000).collect()
}

#[test]
fn a_call_bounds_both_sides_and_the_tightest_of_a_bucket_stays() {
    let records = [call(1, 0.0, 5.0), call(2, 100.0, 103.0), call(3, 60_000.0, 60_009.0)].concat();
    let evidence = Extractor::evidence_of(&records);
    let mut found = differences(&evidence);
    found.sort_unstable();
    // Requests take 5, 3 and 9 ms, answers 15, 17 and 11; the first two share a bucket.
    assert_eq!(found, [3, 9, 11, 15]);
    assert_eq!(evidence.readers().count(), 2);
}

#[test]
fn an_answer_from_one_of_several_servers_bounds_nothing() {
    let [client, server] = call(1, 0.0, 5.0);
    let other = span(3, "payments@c", "POST", 7.0, 9.0).kind(SpanKind::Server).child_of(1).record();
    assert_eq!(differences(&Extractor::evidence_of(&[client, server, other])).len(), 2, "two requests");
}

#[test]
fn arrival_is_a_message_to_the_collector() {
    let mut record = log(0, "orders@a", "order 42", 5.0);
    record.arrival = Some(hlc::Stamp::from_wall_ns(at(12.0).0));
    let evidence = Extractor::evidence_of(&[record]);
    let messages: Vec<_> = evidence.messages().collect();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].1, ProcessId::COLLECTOR);
    assert!((6_900_000..=7_100_000).contains(&messages[0].2.difference_ns));
}

#[test]
fn a_call_whose_client_came_with_two_contents_proves_nothing() {
    let [client, server] = call(1, 0.0, 5.0);
    let other = span(1, "orders@a", "charge", 1.0, 30.0).kind(SpanKind::Client).record();
    let evidence = Extractor::evidence_of(&[client.clone(), server.clone(), other]);
    assert!(differences(&evidence).is_empty());
    assert_eq!(differences(&Extractor::evidence_of(&[client.clone(), client, server])).len(), 2, "resent");
}

#[test]
fn a_consumer_that_waited_received_by_its_end() {
    let producer = span(1, "orders@a", "send", 10.0, 11.0).kind(SpanKind::Producer).record();
    let consumer = span(2, "mail@b", "receive", 0.0, 15.0).kind(SpanKind::Consumer).child_of(1);
    let waited = consumer.with(&[("messaging.operation.type", "receive")]).record();
    assert_eq!(differences(&Extractor::evidence_of(&[producer, waited])), [5]);
}

#[test]
fn a_record_that_comes_again_arrives_once() {
    let arrived = |ms: f64| {
        let mut record = log(0, "orders@a", "order 42", 5.0);
        record.arrival = Some(hlc::Stamp::from_wall_ns(at(ms).0));
        record
    };
    let [first, again] = [arrived(12.0), arrived(60_000.0)];
    let evidence = Extractor::evidence_of([&again, &first]);
    assert_eq!(evidence.to_bytes(), Extractor::evidence_of([&first]).to_bytes());
}
