//! How long ordering takes, and how much memory: 10^3 to 10^6 events. A benchmark, so it is asked for by name:
//!
//! `cargo test --release -p backstory-timeline --lib scale -- --ignored --nocapture --test-threads 1`

use fastrand::Rng;

use super::Order;
use super::edge;
use super::reduce::reduce;
use super::tests::case_given;
use crate::belongs::Members;
use crate::given::Given;
use crate::held::Held;
use crate::id::{SpanId, TraceId};
use crate::message::Messages;
use crate::order::moment::Moments;
use crate::question::Question;
use crate::record::{Record, SpanKind};
use crate::testing::{at, span};

/// CPU time of this thread so far, in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

/// The field of this process's status, in megabytes.
fn megabytes(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// From here on the peak is counted anew.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Calls between `processes` on `clocks` machines, about `events` events: traces of four calls, one after another or
/// within each other, several at a time.
fn calls(events: usize, clocks: usize, processes: usize) -> Vec<Record> {
    let mut rng = Rng::with_seed(7);
    let mut records = Vec::new();
    let mut number = 0u64;
    let mut trace = 0u64;
    let offsets: Vec<f64> = (0..clocks).map(|_| rng.f64() * 4_000.0 - 2_000.0).collect();
    while records.len() * 2 < events {
        trace += 1;
        let mut now = trace as f64 * 4.0;
        let mut caller = rng.usize(0..processes);
        let mut parent = None;
        for _ in 0..4 {
            let callee = rng.usize(0..processes);
            let mut add = |process: usize, kind, from: f64, to: f64, parent: Option<u64>| {
                number += 1;
                let offset = offsets[process % clocks];
                let name = format!("s{process}@h{}", process % clocks);
                let made =
                    span(1, &name, "call", 0.0, 0.0).kind(kind).with(&[("order.id", "42")]).change(|span| {
                        (span.start, span.end) = (at(from + offset), at(to + offset));
                        span.trace_id = TraceId(u128::from(trace).to_be_bytes());
                        span.span_id = SpanId(number.to_be_bytes());
                        span.parent_span_id = parent.map(|parent| SpanId(parent.to_be_bytes()));
                    });
                records.push(made.record());
                number
            };
            let (request, work, answer) = (0.2 + rng.f64() * 2.0, rng.f64() * 9.0, 0.2 + rng.f64() * 2.0);
            let client = add(caller, SpanKind::Client, now, now + request + work + answer, parent);
            let server = add(callee, SpanKind::Server, now + request, now + request + work, Some(client));
            (caller, parent) = (callee, Some(server));
            now += request + work * 0.3;
        }
    }
    records
}

fn measure(events: usize, clocks: usize, processes: usize) {
    let records = calls(events, clocks, processes);
    let question: Question = "order/42".parse().expect("a question");
    let before = megabytes("VmRSS");
    let began = cpu_seconds();
    let given = Given::default().joined(&records);
    let evidence = cpu_seconds() - began;
    let records_len = records.len();
    let held = Held::fold(records);
    let messages = Messages::of(&held);
    let members = Members::of(&held, &messages, &question);
    let folded = cpu_seconds() - began - evidence;
    forget_peak();
    let base = megabytes("VmRSS");
    let began = cpu_seconds();
    let moments = Moments::of(&held, &members, &given.clocks);
    let causes = edge::causes(&held, &messages, &moments, &crate::state::reading::operations(&held));
    let edges = causes.len();
    let edge_seconds = cpu_seconds() - began;
    let order = Order::of(&moments, causes, &given);
    let order_seconds = cpu_seconds() - began - edge_seconds;
    let (shown, omitted) = reduce(&order, &moments.list, moments.len());
    let seconds = cpu_seconds() - began;
    let peak = megabytes("VmHWM");
    let (mut times, mut rng) = (Vec::new(), Rng::with_seed(1));
    for _ in 0..20_000 {
        let len = moments.len() as u32;
        let (a, b) = (rng.u32(0..len), rng.u32(0..len));
        let began = std::time::Instant::now();
        std::hint::black_box(order.reachability.before(a, b));
        times.push(began.elapsed().as_nanos());
    }
    times.sort_unstable();
    println!(
        "{:>8} events {clocks:>2} clocks {edges:>8} causes: {seconds:.3} s CPU (edges {edge_seconds:.3}, order {order_seconds:.3}), \
         {:>4.0} MB more than records ({:.0} MB); {} edges shown, {omitted} not; before: median {} ns, 99 % {} ns; \
         evidence {:.2} µs a span, fold {folded:.3} s",
        moments.len(),
        peak - base,
        base - before,
        shown.len(),
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        evidence * 1e6 / records_len as f64,
    );
}

#[test]
#[ignore = "a benchmark: cargo test --release -p backstory-timeline --lib scale -- --ignored --nocapture"]
fn scale() {
    for events in [1_000, 10_000, 100_000, 1_000_000] {
        measure(events, 10, 40);
    }
    measure(1_000_000, 30, 100);
}

/// The same at a size that a test can bear.
#[test]
fn ten_thousand_events_are_ordered() {
    let case = case_given(calls(10_000, 30, 100), &Given::default());
    assert!(case.moments.len() >= 10_000 && case.order.list.len() == case.moments.len());
    let (edges, _) = reduce(&case.order, &case.moments.list, case.moments.len());
    let ordered = |edge: &super::reduce::Shown| {
        case.order.places[edge.from as usize] < case.order.places[edge.to as usize]
    };
    assert!(edges.iter().all(ordered));
}
