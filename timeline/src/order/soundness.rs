//! Generated executions: nothing claimed is false in real time, and little that could be claimed is not.
//!
//! `BACKSTORY_RUNS=10000 cargo test --release -p backstory-timeline --lib soundness -- --nocapture` widens it; by default
//! it is 200 runs.

mod execution;
mod optimum;

use std::collections::HashMap;

use fastrand::Rng;

use super::clock::ClockNumber;
use super::tests::{Case, case_given};
use crate::clocks::{BUCKET_NS, ClockKey, Extractor};
use crate::document::Certainty;
use crate::given::Given;
use crate::record::Record;
use execution::{Event, Execution, MS, Size};
use optimum::optimum;

/// How many seeds to try.
fn runs() -> u64 {
    std::env::var("BACKSTORY_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(200)
}

/// Most runs are small, so that every pair can be looked at; one in twenty is as large as it gets.
fn size(seed: u64) -> Size {
    match seed % 20 {
        7 => Size { clocks: 30, processes: 100, roots: 24 },
        _ => Size { clocks: 6, processes: 12, roots: 5 },
    }
}

/// Counts over all runs.
#[derive(Default)]
struct Tally {
    pairs: u64,
    causal: [u64; 2],
    clock: [u64; 2],
    claimed: HashMap<Certainty, u64>,
    inverted: [u64; 2],
    bounds: u64,
    jumps: u64,
    parted: u64,
}

/// What the execution's events are called here.
struct Truth<'a> {
    execution: &'a Execution,
    case: &'a Case,
    at: Vec<i64>,
    clock: Vec<usize>,
}

impl Truth<'_> {
    fn of<'a>(execution: &'a Execution, case: &'a Case) -> Truth<'a> {
        let event = |index: usize| -> Event {
            let moment = &case.moments.list[index];
            (case.held.record(moment.at).id, moment.point)
        };
        let host = |index: usize| -> usize {
            let process = &case.moments.processes.list()[case.moments.list[index].process];
            process.host.as_deref().and_then(|host| host[1..].parse().ok()).expect("a host")
        };
        let len = case.moments.len();
        Truth {
            execution,
            case,
            at: (0..len).map(|index| execution.truth[&event(index)]).collect(),
            clock: (0..len).map(host).collect(),
        }
    }

    /// Pairs to look at: all of a small run, some of a large one.
    fn pairs(&self, seed: u64) -> Vec<(usize, usize)> {
        let len = self.at.len();
        if len * len <= 30_000 {
            return (0..len).flat_map(|a| (0..len).map(move |b| (a, b))).collect();
        }
        let mut rng = Rng::with_seed(seed);
        (0..30_000).map(|_| (rng.usize(0..len), rng.usize(0..len))).collect()
    }

    /// Nothing claimed is false.
    fn check_claims(&self, seed: u64, tally: &mut Tally) {
        for (a, b) in self.pairs(seed) {
            let claim = self.case.order.reachability.before(a as u32, b as u32);
            let (at_a, at_b) = (self.at[a], self.at[b]);
            assert!(claim.is_none() || at_a <= at_b, "seed {seed}: {claim:?} is false by {} ns", at_a - at_b);
            claim.into_iter().for_each(|claim| *tally.claimed.entry(claim).or_default() += 1);
        }
        for index in 0..self.at.len() {
            if let Some(error) = self.case.order.errors[index] {
                let reference = self.case.order.reference.expect("errors are to a reference");
                let truth = self.reads(reference, self.at[index]);
                let off = (self.case.order.corrected[index].0 as i64 - truth).unsigned_abs();
                assert!(off <= error, "seed {seed}: a corrected time is off by {off} ns, not {error}");
            }
        }
    }

    /// What an epoch of a clock reads, or would read, at a true time.
    fn reads(&self, number: ClockNumber, at: i64) -> i64 {
        let clocks = &self.case.order.clocks;
        let first = clocks.list[number].first;
        let host = match &clocks.list[first].key {
            ClockKey::Host(host) => host,
            ClockKey::Process(_) => clocks.host_of(first, &self.case.moments).expect("a host"),
        };
        let clock = self.execution.clocks[host[1..].parse::<usize>().expect("a number")];
        clock.read_in(at, number != first)
    }

    /// True offsets lie inside their bounds.
    fn check_bounds(&self, seed: u64, tally: &mut Tally) {
        let order = &self.case.order;
        let mut rng = Rng::with_seed(seed);
        for _ in 0..400 {
            let index = rng.usize(0..self.at.len());
            let Some((own, reading)) = order.clocks.reading(&self.case.moments, index as u32) else {
                continue;
            };
            let other = rng.usize(0..order.clocks.list.len());
            let x = self.reads(own, self.at[index]);
            assert!(reading.lower as i64 <= x && x < reading.upper as i64, "seed {seed}: a wrong epoch");
            let truth = self.reads(other, self.at[index]) - x;
            for bounds in
                [order.offsets().bounds(own, x, other), order.offsets().bounds_exactly(own, x, other)]
            {
                assert!(bounds.low.is_none_or(|low| low <= truth), "seed {seed}: {bounds:?} {truth}");
                assert!(bounds.high.is_none_or(|high| truth <= high), "seed {seed}: {bounds:?} {truth}");
                tally.bounds += u64::from(bounds.error().is_some());
            }
        }
    }

    /// A clock that was set claims nothing between its last message before that and its first after.
    fn check_setting(&self, seed: u64, tally: &mut Tally) {
        let Some((clock, set)) = self.execution.set() else { return };
        let own = self.execution.messages.iter().filter_map(|m| match () {
            () if m.from == clock => Some(m.sent),
            () if m.to == clock => Some(m.received),
            () => None,
        });
        let last = own.clone().filter(|at| *at < set).max().expect("it spoke before");
        let first = own.filter(|at| *at >= set).min().expect("it spoke after");
        let order = &self.case.order;
        for index in (0..self.at.len()).filter(|index| self.clock[*index] == clock) {
            let between = last < self.at[index] && self.at[index] < first;
            let claims = order.clocks.reading(&self.case.moments, index as u32).is_some();
            assert!(!between || !claims, "seed {seed}: a set clock claims something while it is being set");
        }
        tally.jumps += 1;
        tally.parted += u64::from(order.skews.iter().any(|skew| matches!(skew, super::Skew::Set { .. })));
    }

    /// What could be claimed, is; and what sorting by the clocks would make of it.
    fn check_completeness(&self, tally: &mut Tally) {
        let case = self.case;
        let len = self.at.len();
        if len > 400 {
            return;
        }
        let number: HashMap<Event, usize> = (0..len)
            .map(|index| {
                let moment = &case.moments.list[index];
                ((case.held.record(moment.at).id, moment.point), index)
            })
            .collect();
        let mut by_time: Vec<usize> = (0..len).collect();
        by_time.sort_by_key(|index| self.at[*index]);
        let mut causes = vec![Vec::new(); len];
        for (from, to) in &self.execution.causes {
            causes[number[to]].push(number[from]);
        }
        let causal = closure(&by_time, &causes);
        // One process's order: of events whose stamps lie apart.
        let stamps = |index: usize| {
            let moment = &case.moments.list[index];
            (moment.process, moment.time.0, moment.time.0 + moment.resolution.unwrap_or(1))
        };
        for (b, causes) in causes.iter_mut().enumerate() {
            let before = |a: &usize| {
                let ((p, _, upper), (q, lower, _)) = (stamps(*a), stamps(b));
                p == q && upper <= lower && self.at[*a] <= self.at[b]
            };
            causes.extend((0..len).filter(before));
        }
        let with_processes = closure(&by_time, &causes);
        for a in 0..len {
            for b in (0..len).filter(|b| *b != a) {
                let claim = case.order.reachability.before(a as u32, b as u32);
                if causal[b][a] {
                    tally.causal[0] += u64::from(claim == Some(Certainty::Causal));
                    tally.causal[1] += 1;
                } else if with_processes[b][a] {
                    tally.clock[0] += u64::from(claim.is_some_and(|claim| claim >= Certainty::Clock));
                    tally.clock[1] += 1;
                }
                if with_processes[b][a] {
                    tally.inverted[0] += u64::from(case.moments.list[a].time > case.moments.list[b].time);
                    tally.inverted[1] += 1;
                }
                tally.pairs += 1;
            }
        }
    }
}

/// By event, then event: whether the latter is before it. `by_time` is a topological order.
fn closure(by_time: &[usize], causes: &[Vec<usize>]) -> Vec<Vec<bool>> {
    let len = by_time.len();
    let mut past = vec![vec![false; len]; len];
    // Equal times may stand in either order; a second round settles them.
    for index in by_time.iter().chain(by_time) {
        let mut own = std::mem::take(&mut past[*index]);
        for cause in &causes[*index] {
            own.iter_mut().zip(&past[*cause]).for_each(|(here, there)| *here |= *there);
            own[*cause] = true;
        }
        past[*index] = own;
    }
    past
}

fn told(records: &[Record], given: &Given) -> Case {
    case_given(records.to_vec(), given)
}

/// ORD-5.
#[test]
fn nothing_claimed_is_false_and_little_is_left_unclaimed() {
    let mut tally = Tally::default();
    for seed in 0..runs() {
        let execution = Execution::of(seed, &size(seed));
        let case = told(&execution.records, &Given::default());
        if case.moments.len() == 0 {
            continue;
        }
        let truth = Truth::of(&execution, &case);
        truth.check_claims(seed, &mut tally);
        truth.check_bounds(seed, &mut tally);
        truth.check_setting(seed, &mut tally);
        if execution.clocks.iter().all(|clock| clock.jump.is_none()) {
            truth.check_completeness(&mut tally);
        }
    }
    let share = |[some, all]: [u64; 2]| 100.0 * some as f64 / all.max(1) as f64;
    println!("claims that are true: {:?}; false: 0", tally.claimed);
    println!(
        "connected by messages and spans, claimed causal: {:.2} % of {}",
        share(tally.causal),
        tally.causal[1]
    );
    println!(
        "that need a process's order, claimed clock or causal: {:.2} % of {}",
        share(tally.clock),
        tally.clock[1]
    );
    println!("inverted by sorting by the clocks: {:.2} % of {}", share(tally.inverted), tally.inverted[1]);
    println!(
        "true offsets inside closed bounds: {}; clocks set: {}, found: {}",
        tally.bounds, tally.jumps, tally.parted
    );
    assert!(share(tally.causal) >= 99.0 && share(tally.clock) >= 99.0);
    assert!(tally.claimed[&Certainty::Corrected] > 0 && tally.bounds > 0 && tally.parted > 0);
}

/// A timeline of few records in a store with many claims nothing false, and finds a clock that was set by the store's
/// evidence alone.
#[test]
fn the_stores_evidence_makes_nothing_false() {
    let mut tally = Tally::default();
    for seed in 0..runs() {
        let execution = Execution::of(seed, &size(seed));
        let given = Given { clocks: Extractor::evidence_of(&execution.records), ..Given::default() };
        // A timeline's own records are whole traces; those of every other trace.
        let of_some = |record: &&Record| record.trace_id().is_none_or(|trace| trace.0[15] % 2 == 0);
        let some: Vec<Record> = execution.records.iter().filter(of_some).cloned().collect();
        let case = told(&some, &given);
        if case.moments.len() == 0 {
            continue;
        }
        let truth = Truth::of(&execution, &case);
        truth.check_claims(seed, &mut tally);
        truth.check_bounds(seed, &mut tally);
        if execution.set().is_some() {
            tally.jumps += 1;
            let set = |skew: &super::Skew| matches!(skew, super::Skew::Set { .. });
            tally.parted += u64::from(case.order.skews.iter().any(set));
        }
    }
    println!("claims that are true: {:?}; false: 0", tally.claimed);
    println!("clocks set: {}, found: {}", tally.jumps, tally.parted);
    assert!(tally.claimed[&Certainty::Corrected] > 0 && tally.bounds > 0 && tally.parted > 0);
}

/// From the evidence of all traffic, in buckets, bounds are nearly as close as from every single message.
#[test]
fn errors_are_near_the_optimum_of_the_linear_program() {
    let mut compared = 0;
    let mut worst = 0.0f64;
    for seed in (0..runs() / 2).filter(|seed| seed % 5 != 4) {
        let execution = Execution::of(seed, &Size { clocks: 6, processes: 10, roots: 6 });
        let given = Given { clocks: Extractor::evidence_of(&execution.records), ..Given::default() };
        // A timeline of few records, in a store with many.
        let some: Vec<Record> = execution.records.iter().filter(|r| r.as_log().is_some()).cloned().collect();
        let case = told(&some, &given);
        let order = &case.order;
        for index in (0..case.moments.len()).take(6) {
            let Some((own, reading)) = order.clocks.reading(&case.moments, index as u32) else { continue };
            let host = |number: ClockNumber| -> Option<usize> {
                order.clocks.host_of(number, &case.moments)?[1..].parse().ok()
            };
            for other in (0..order.clocks.list.len()).filter(|other| *other != own) {
                let (Some(a), Some(b)) = (host(own), host(other)) else { continue };
                let x = reading.lower as i64;
                let (least, most) = optimum(&execution.messages, a, x, b);
                let bounds = order.offsets().bounds(own, x, other);
                assert_eq!((least.is_some(), most.is_some()), (bounds.low.is_some(), bounds.high.is_some()));
                let (Some(least), Some(most), Some(error)) = (least, most, bounds.error()) else { continue };
                let best = (most - least) / 2.0;
                let allowed = 2.0 * best + 2.0 * 200e-6 * BUCKET_NS as f64;
                assert!(error as f64 <= allowed, "seed {seed}: ±{error} ns, at best ±{best:.0}");
                // Nothing is better than the optimum, but for the rounding of one part in 4,990.
                assert!(
                    error as f64 >= best * 0.99 - 1_000.0,
                    "seed {seed}: ±{error} ns, at best ±{best:.0}"
                );
                worst = worst.max((error as f64 - best) / MS as f64);
                compared += 1;
            }
        }
    }
    println!("compared with the linear program: {compared}; at worst {worst:.3} ms more than its optimum");
    assert!(compared > 0);
}
