//! Where two timelines part: aligned by structure, not by name alone.
//!
//! | file       | what it alone knows                                                     |
//! |------------|-------------------------------------------------------------------------|
//! | `steps.rs` | the steps of a timeline, and what makes two of them the same step        |
//!
//! A step is a span, a span event or a log. Two steps are the same if the chains of causes that led to them are
//! alike, step for step, in service, kind and name; of several alike the first matches the first. What tells one entity from
//! another is left out of names and values: its key, and every word with a digit in it, so amounts and ids. Order in the list plays no part: what runs at once may stand either way.

mod steps;

use crate::document::{Change, Diff, DiffSide, Difference, DifferenceKind, Timeline};
use steps::{Step, Steps, Told};

/// A step is told as slower if it took so many times as long …
const SLOWER_TIMES: u64 = 3;
/// … and so much longer, in nanoseconds.
const SLOWER_NS: u64 = 10_000_000;

/// Compares two timelines. Pure; the same two give the same bytes.
pub fn compare(a: &Timeline, b: &Timeline) -> Diff {
    let (of_a, of_b) = (Steps::of(a), Steps::of(b));
    let mut found: Vec<(Place, Difference)> = Vec::new();
    let mut same = 0;
    for (at, step) in of_a.list.iter().enumerate() {
        let place = Place { behind: at, only_b: false, at: 0 };
        match of_b.find(step) {
            None => found.push((place, difference(DifferenceKind::OnlyA, Some(step), None, Vec::new()))),
            Some(other) => {
                let changes = changes(step, other);
                let slower = slower(step, other);
                match (changes.is_empty(), slower) {
                    (true, None) => same += 1,
                    (true, Some(slower)) => {
                        let told = difference(DifferenceKind::Slower, Some(step), Some(other), vec![slower]);
                        found.push((place, told));
                    }
                    (false, slower) => {
                        let changes = changes.into_iter().chain(slower).collect();
                        let told = difference(DifferenceKind::Changed, Some(step), Some(other), changes);
                        found.push((place, told));
                    }
                }
            }
        }
    }
    let mut behind = 0;
    for (at, step) in of_b.list.iter().enumerate() {
        match of_a.place(step) {
            Some(place) => behind = behind.max(place),
            None => {
                let told = difference(DifferenceKind::OnlyB, None, Some(step), Vec::new());
                found.push((Place { behind, only_b: true, at }, told));
            }
        }
    }
    found.sort_by_key(|(place, _)| *place);
    let differences: Vec<Difference> = found.into_iter().map(|(_, difference)| difference).collect();
    let parts_at = differences.iter().position(|difference| difference.kind != DifferenceKind::Slower);
    Diff { schema: Diff::SCHEMA.to_owned(), a: side(a), b: side(b), same, parts_at, differences }
}

/// Where a difference stands: by A's steps, what only B has behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    behind: usize,
    only_b: bool,
    at: usize,
}

fn side(timeline: &Timeline) -> DiffSide {
    DiffSide { entity: timeline.entity.clone(), completeness: timeline.completeness.clone() }
}

fn difference(kind: DifferenceKind, a: Option<&Step>, b: Option<&Step>, changes: Vec<Change>) -> Difference {
    let shown = a.or(b);
    Difference {
        kind,
        a: a.map(|step| step.event),
        b: b.map(|step| step.event),
        service: shown.map(|step| step.service.clone()).unwrap_or_default(),
        name: shown.map(|step| step.name.clone()).unwrap_or_default(),
        a_ns: a.map(|step| step.since_start_ns),
        b_ns: b.map(|step| step.since_start_ns),
        changes,
    }
}

/// What went another way: the outcome, and each piece of state.
fn changes(a: &Step, b: &Step) -> Vec<Change> {
    let mut changes = Vec::new();
    if a.outcome != b.outcome {
        changes.push(Change { what: "outcome".to_owned(), a: a.outcome.into(), b: b.outcome.into() });
    }
    let names: std::collections::BTreeSet<&String> = a.state.keys().chain(b.state.keys()).collect();
    for name in names {
        let (own, other) = (a.state.get(name), b.state.get(name));
        if own.map(|told| &told.general) != other.map(|told| &told.general) {
            let value = |told: Option<&Told>| told.map(|told| told.value.clone()).unwrap_or_default();
            changes.push(Change { what: name.clone(), a: value(own), b: value(other) });
        }
    }
    changes
}

fn slower(a: &Step, b: &Step) -> Option<Change> {
    let (own, other) = (a.duration_ns?, b.duration_ns?);
    let (short, long) = (own.min(other), own.max(other));
    let much = long >= short.saturating_mul(SLOWER_TIMES) && long - short >= SLOWER_NS;
    much.then(|| Change { what: "duration_ns".to_owned(), a: own.into(), b: other.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Given;
    use crate::record::{Record, SpanKind};
    use crate::testing::*;

    /// An order's request and its charge, tried so many times, the last time with an answer.
    fn order(key: &str, trace_number: u8, tries: u8) -> Vec<Record> {
        let base = trace_number * 20;
        let tag = [("order.id", key)];
        let name = format!("POST /orders/{key}");
        let mut records = vec![
            span(base, "orders@a", &name, 0.0, 90.0)
                .trace(trace_number)
                .kind(SpanKind::Server)
                .with(&tag)
                .record(),
        ];
        for attempt in 1..=tries {
            let start = f64::from(attempt) * 10.0;
            let made = span(base + attempt, "orders@a", "charge", start, start + 5.0);
            records.push(made.trace(trace_number).kind(SpanKind::Client).child_of(base).record());
        }
        records
    }

    fn told(key: &str, records: Vec<Record>) -> Timeline {
        crate::tell(records, &format!("order/{key}").parse().unwrap(), &Given::default())
    }

    #[test]
    fn what_tells_two_entities_apart_is_no_difference() {
        let diff = compare(&told("42", order("42", 1, 1)), &told("7", order("7", 2, 1)));
        assert_eq!((diff.same, diff.parts_at, diff.differences.len()), (2, None, 0));
    }

    #[test]
    fn they_part_where_one_tries_again() {
        let (twice, once) = (told("42", order("42", 1, 2)), told("7", order("7", 2, 1)));
        let diff = compare(&twice, &once);
        assert_eq!((diff.same, diff.parts_at), (2, Some(0)));
        let first = &diff.differences[0];
        assert_eq!(
            (first.kind, first.service.as_str(), first.name.as_str()),
            (DifferenceKind::OnlyA, "orders", "charge")
        );
        assert_eq!(first.a_ns, Some(20_000_000));
        let back = compare(&once, &twice);
        assert_eq!(back.differences[0].kind, DifferenceKind::OnlyB);
    }

    #[test]
    fn a_longer_span_is_told_and_is_no_other_way() {
        let slow = vec![span(1, "orders@a", "work", 0.0, 90.0).with(&[("order.id", "42")]).record()];
        let fast = vec![span(2, "orders@a", "work", 0.0, 2.0).trace(2).with(&[("order.id", "7")]).record()];
        let diff = compare(&told("42", slow), &told("7", fast));
        assert_eq!((diff.same, diff.parts_at, diff.differences.len()), (0, None, 1));
        assert_eq!(diff.differences[0].kind, DifferenceKind::Slower);
    }

    proptest::proptest! {
        /// A timeline differs from itself in nothing, and each step of two is told once.
        #[test]
        fn every_step_is_the_same_or_told(a in any_records(20), b in any_records(20)) {
            let (a, b) = (told("42", a), told("42", b));
            let own = compare(&a, &a);
            proptest::prop_assert!(own.differences.is_empty());
            let diff = compare(&a, &b);
            let count = |kind: fn(&Difference) -> bool| diff.differences.iter().filter(|d| kind(d)).count() as u64;
            let steps = |timeline: &Timeline| Steps::of(timeline).list.len() as u64;
            proptest::prop_assert_eq!(diff.same + count(|d| d.a.is_some()), steps(&a));
            proptest::prop_assert_eq!(diff.same + count(|d| d.b.is_some()), steps(&b));
        }
    }
}
