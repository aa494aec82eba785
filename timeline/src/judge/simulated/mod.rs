//! Generated histories with known faults, told and judged as any telemetry: how often each kind is right, and how
//! often a fault is found.
//!
//! `cargo test -p backstory-timeline simulated -- --nocapture` prints the figures of a sample;
//! `BACKSTORY_SIMULATED=20000` judges so many histories.

mod shop;
mod world;

use std::collections::BTreeMap;

use shop::Fault;
use world::Streams;

use crate::Given;
use crate::document::{FindingKind, Grade};
use crate::judge::Settings;
use crate::question::Question;

/// How a kind fared.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Right and wrong findings, by grade: possible, clock, proved.
    right: [u32; 3],
    wrong: [u32; 3],
    /// Faults whose evidence was sent, and how many of them were found.
    faults: u32,
    found: u32,
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    let allowed = [("created", "paid"), ("paid", "shipped"), ("paid", "cancelled"), ("held", "shipped")];
    let allowed = allowed.map(|(from, to)| (from.to_owned(), to.to_owned())).to_vec();
    settings.transitions.insert("order".into(), [("status".to_owned(), allowed)].into());
    settings
}

#[test]
fn simulated_faults_are_found_and_nothing_else_is() {
    let histories = std::env::var("BACKSTORY_SIMULATED").ok().and_then(|n| n.parse().ok()).unwrap_or(360u64);
    let question: Question = "order/42".parse().expect("a question");
    let given = Given { settings: settings(), ..Given::default() };
    let mut tallies: BTreeMap<FindingKind, Tally> = BTreeMap::new();
    let mut untrue = Vec::new();
    for seed in 0..histories {
        let fault = Fault::ALL[(seed % Fault::ALL.len() as u64) as usize];
        let streams = [Streams::Whole, Streams::Silent, Streams::Whole, Streams::Sampled]
            [(seed / Fault::ALL.len() as u64 % 4) as usize];
        let timeline = crate::tell(shop::play(seed, fault, streams), &question, &given);
        let truth = fault.truth();
        for finding in &timeline.findings {
            let tally = tallies.entry(finding.kind).or_default();
            let side = if truth.contains(&finding.kind) { &mut tally.right } else { &mut tally.wrong };
            side[finding.grade as usize] += 1;
            if !truth.contains(&finding.kind) && finding.grade > Grade::Possible {
                untrue.push(format!(
                    "seed {seed} {fault:?} {streams:?}: {} {}",
                    finding.grade, finding.summary
                ));
            }
        }
        if let Some(kind) = truth.first().filter(|_| streams != Streams::Sampled) {
            let tally = tallies.entry(*kind).or_default();
            tally.faults += 1;
            tally.found += u32::from(timeline.findings.iter().any(|finding| finding.kind == *kind));
            if !timeline.findings.iter().any(|finding| finding.kind == *kind) {
                println!("not found: seed {seed} {fault:?} {streams:?}");
            }
        }
    }
    for (kind, tally) in &tallies {
        println!("{kind:<20} {tally:?}");
    }
    untrue.iter().for_each(|line| println!("{line}"));
    for (kind, tally) in &tallies {
        assert_eq!(tally.wrong[Grade::Proved as usize], 0, "{kind}: a proved finding is untrue");
        let clock = [tally.right, tally.wrong].map(|side| side[Grade::Clock as usize]);
        assert!(100 * clock[1] <= clock[0] + clock[1], "{kind}: clock precision below 0.99");
        assert!(100 * tally.found >= 95 * tally.faults, "{kind}: {} of {} found", tally.found, tally.faults);
    }
    let kinds = Fault::ALL.iter().filter_map(|fault| fault.truth().first()).count();
    assert!(tallies.values().filter(|tally| tally.found > 0).count() >= kinds, "{tallies:?}");
}
