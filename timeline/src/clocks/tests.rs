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

    /// Incremental equals from scratch: asking in between changes nothing, and each answer is that of the records so far.
    #[test]
    fn evidence_may_be_asked_for_at_any_time(records in any_records(20)) {
        let mut extractor = Extractor::default();
        for at in 0..records.len() {
            extractor.add(&records[at]);
            prop_assert_eq!(extractor.evidence(), Extractor::evidence_of(&records[..=at]));
        }
    }
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
fn calls_that_wait_for_ever_take_bounded_memory() {
    let mut extractor = Extractor::default();
    let client = span(1, "orders@a", "charge", 0.0, 1.0).kind(SpanKind::Client).record();
    for number in 0..EXCHANGES_MAX as u64 + 100 {
        let mut record = client.clone();
        if let crate::record::Body::Span(span) = &mut record.body {
            span.span_id = crate::id::SpanId((number + 1).to_be_bytes());
        }
        extractor.add(&record);
    }
    assert_eq!(extractor.waiting(), EXCHANGES_MAX);
}
