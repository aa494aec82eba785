//! Generated executions: nothing claimed is false in real time.

use std::collections::HashMap;

use proptest::prelude::*;

use super::tests::case;
use crate::document::Certainty;
use crate::id::{Point, RecordId};
use crate::record::{Record, SpanKind};
use crate::testing::{at, log_at, span};
use crate::time::Time;

/// A clock: its offset, in nanoseconds, and its rate's error, in parts per million.
#[derive(Clone, Copy, Debug)]
struct Clock {
    offset: i64,
    ppm: i64,
}

impl Clock {
    /// What it reads at a real time, in nanoseconds since the execution began.
    fn read(self, ns: i64) -> Time {
        at(10_000_000.0).shifted(i128::from(ns + ns * self.ppm / 1_000_000 + self.offset))
    }
}

/// A call in real time: when it starts, how long the request, the work and the answer take, how late the
/// server's span ends, all in microseconds; and from which clock to which.
#[derive(Clone, Debug)]
struct Call {
    from: usize,
    to: usize,
    start: i64,
    request: i64,
    work: i64,
    answer: i64,
    late: i64,
}

fn any_clock() -> impl Strategy<Value = Clock> {
    (-3_600_000_000_000i64..3_600_000_000_000, -100i64..=100).prop_map(|(offset, ppm)| Clock { offset, ppm })
}

fn any_call(clocks: usize) -> impl Strategy<Value = Call> {
    let delay = || prop_oneof![8 => 50i64..2_000, 1 => 2_000i64..400_000]; // a heavy tail
    (0..clocks, 0..clocks, 0i64..20_000_000, delay(), 10i64..50_000, delay(), 0i64..9_000).prop_map(
        |(from, to, start, request, work, answer, late)| Call {
            from,
            to,
            start,
            request,
            work,
            answer,
            late,
        },
    )
}

/// The records of an execution, and when each of their events really happened.
fn emit(clocks: &[Clock], calls: &[Call]) -> (Vec<Record>, HashMap<(RecordId, Point), i64>) {
    let mut records = Vec::new();
    let mut truth = HashMap::new();
    for (number, call) in (1..).zip(calls) {
        let [sent, received] =
            [call.start, call.start + call.request].map(|us| us * 1_000 + i64::from(number));
        let done = received + call.work * 1_000;
        let (answered, ended) = (done + call.answer * 1_000, done + call.late * 1_000);
        let mut add = |record: Record, times: &[(Point, i64)]| {
            truth.extend(times.iter().map(|(point, ns)| ((record.id, *point), *ns)));
            records.push(record);
        };
        let made = |id: u8, clock: usize, kind, from: i64, to: i64| {
            let process = format!("s{clock}@h{clock}");
            span(id, &process, "call", 0.0, 0.0).trace(number).kind(kind).with(&[("order.id", "42")]).change(
                |s| {
                    (s.start, s.end) = (clocks[clock].read(from), clocks[clock].read(to));
                },
            )
        };
        let client = made(1, call.from, SpanKind::Client, sent, answered).record();
        add(client, &[(Point::Start, sent), (Point::End, answered)]);
        let server = made(2, call.to, SpanKind::Server, received, ended).child_of(1).record();
        add(server, &[(Point::Start, received), (Point::End, ended)]);
        let process = format!("s{0}@h{0}", call.to);
        add(
            log_at(&process, &format!("order 42 done {number}"), clocks[call.to].read(done)),
            &[(Point::Log, done)],
        );
    }
    (records, truth)
}

fn any_execution() -> impl Strategy<Value = (Vec<Clock>, Vec<Call>)> {
    (2usize..6).prop_flat_map(|clocks| {
        (prop::collection::vec(any_clock(), clocks), prop::collection::vec(any_call(clocks), 1..25))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_claim_is_false_and_true_offsets_lie_inside_their_bounds((clocks, calls) in any_execution()) {
        let (records, truth) = emit(&clocks, &calls);
        let case = case(records);
        let real = |index: usize| {
            let moment = &case.moments.list[index];
            truth[&(case.held.record(moment.at).id, moment.point)]
        };
        let mut corrected = 0;
        for a in 0..case.moments.len() {
            for b in 0..case.moments.len() {
                let claim = case.order.reachability.before(a as u32, b as u32);
                prop_assert!(claim.is_none() || real(a) <= real(b), "{claim:?} is false");
                corrected += usize::from(claim == Some(Certainty::Corrected));
            }
        }
        let by_number: HashMap<usize, Clock> = (0..case.moments.len())
            .map(|index| {
                let process = case.moments.list[index].process;
                let host = case.moments.processes.list()[process].host.clone().expect("a host");
                (case.order.clocks.of_process[process], clocks[host[1..].parse::<usize>().expect("a number")])
            })
            .collect();
        for index in 0..case.moments.len() {
            let own = case.order.clocks.of_process[case.moments.list[index].process];
            for (other, clock) in &by_number {
                let ns = real(index);
                let offset = clock.read(ns).since(by_number[&own].read(ns));
                let bounds = case.order.offsets.bounds(own, *other);
                prop_assert!(bounds.low.is_none_or(|low| low <= offset));
                prop_assert!(bounds.high.is_none_or(|high| offset <= high));
            }
        }
        // Not a proof, but it would be strange: two clocks that call each other all the time order something.
        let two_way = calls.iter().filter(|call| call.from != call.to).count();
        prop_assert!(two_way < 20 || corrected > 0);
    }
}
