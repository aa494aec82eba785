//! From evidence to clocks and claims that contradict nothing.

use super::clock::{ClockNumber, Clocks};
use super::edge::Cause;
use super::epoch::{self, Talks};
use super::graph::Graph;
use super::lattice::Lattice;
use super::message::{self, Between, Message};
use super::moment::Moments;
use super::offset::{Bounds, Offsets};
use super::{Level, Skew};
use crate::clocks::ClockKey;
use crate::document::Certainty;
use crate::given::Given;

/// What stands once nothing contradicts anything surer.
pub(crate) struct Settled {
    pub(crate) clocks: Clocks,
    pub(crate) levels: Vec<Level>,
    pub(crate) reference: Option<ClockNumber>,
    pub(crate) skews: Vec<Skew>,
    /// How far each clock is ahead of the collector's at least, if at all.
    pub(crate) ahead: Vec<i64>,
}

/// Decides on clocks: a pure function of moments, causes and evidence.
pub(crate) fn settle(moments: &Moments, causes: &[Cause], causal: &Graph, given: &Given) -> Settled {
    let evidence = &given.clocks;
    let mut skews = Vec::new();
    let mut clocks = Clocks::named(moments, evidence, given.drift);
    let mut messages = message::messages(moments, causes, evidence);
    let talks = apart(&mut clocks, moments, &messages, &mut skews);
    skews.extend(epoch::part(&mut clocks, moments, causal, &mut messages, talks));
    let lattice = clocks.settle(moments, causal);
    let ahead = message::ahead_of_collector(&clocks, evidence);
    let reference = reference(&clocks, moments);
    let mut levels = vec![Level { certainty: Certainty::Clock, lattice, offsets: None }];
    levels.push(level(Certainty::Corrected, &clocks, moments, causal, &messages, &[]));
    let declared = declared(&clocks, moments, reference, given);
    if !declared.is_empty() {
        levels.push(level(Certainty::Assumed, &clocks, moments, causal, &messages, &declared));
    }
    let corrected = levels[1].offsets.as_ref();
    for (clock, contradictory) in
        corrected.map(|o| o.contradictory.as_slice()).unwrap_or_default().iter().enumerate()
    {
        if *contradictory || !clocks.list[clock].trusted {
            skews.push(Skew::GivenUp { clock });
        }
    }
    Settled { clocks, levels, reference, skews, ahead }
}

/// A machine whose processes contradict each other all the time falls apart into them, if then they agree with everybody.
/// Returns what the clocks then said to each other.
fn apart(clocks: &mut Clocks, moments: &Moments, messages: &[Message], skews: &mut Vec<Skew>) -> Talks {
    let talks = Talks::of(clocks, messages);
    let known = skews.len();
    for suspect in epoch::restless(&talks) {
        let mut trial = clocks.clone();
        let before = trial.list.len();
        if let ClockKey::Host(host) = &clocks.list[suspect].key
            && trial.split(suspect, moments)
            && !epoch::contradicted(&trial, messages, |clock| clock == suspect || clock >= before)
        {
            skews.push(Skew::Apart { host: host.clone() });
            *clocks = trial;
        }
    }
    if skews.len() == known { talks } else { Talks::of(clocks, messages) }
}

/// The lattice that these messages prove. Clocks whose evidence contradicts itself, or anything surer, give up what they
/// claim of others: first that with the fewest messages.
fn level(
    certainty: Certainty,
    clocks: &Clocks,
    moments: &Moments,
    causal: &Graph,
    messages: &[Message],
    declared: &[(ClockNumber, ClockNumber, Bounds)],
) -> Level {
    let mut given_up = vec![false; clocks.list.len()];
    loop {
        let usable = |between: &Between| !given_up[between.from] && !given_up[between.to];
        let between: Vec<Between> =
            messages.iter().filter_map(|message| message.between(clocks)).filter(usable).collect();
        let of_usable = declared.iter().filter(|(a, b, _)| !given_up[*a] && !given_up[*b]);
        let mut offsets = Offsets::of(clocks, between, &of_usable.copied().collect::<Vec<_>>());
        offsets.contradictory.copy_from_slice(&given_up);
        let mut contradicted = offsets.contradictions();
        let weakest = contradicted.iter().copied().min_by_key(|clock| (offsets.messages[*clock], *clock));
        if let Some(weakest) = weakest {
            given_up[weakest] = true;
            continue;
        }
        let lattice = Lattice::new(clocks, moments.len(), causal, Some(&offsets));
        contradicted = lattice.clocks_on_cycles();
        contradicted.retain(|clock| !given_up[*clock]);
        if contradicted.is_empty() {
            return Level { certainty, lattice, offsets: Some(offsets) };
        }
        contradicted.into_iter().for_each(|clock| given_up[clock] = true);
    }
}

/// The offsets that the configuration declares, to the reference: of a host by its name, of a process that names no host
/// by its service.
fn declared(
    clocks: &Clocks,
    moments: &Moments,
    reference: Option<ClockNumber>,
    given: &Given,
) -> Vec<(ClockNumber, ClockNumber, Bounds)> {
    let Some(reference) = reference else { return Vec::new() };
    let mut declared = Vec::new();
    for (number, clock) in clocks.list.iter().enumerate() {
        let service = || {
            let own = clocks.of_process.iter().zip(moments.processes.list());
            own.filter(|(first, _)| **first == clock.first).map(|(_, process)| process.service.as_str()).min()
        };
        let name = clocks.host_of(number, moments).or_else(service);
        if let Some(offset) = name.and_then(|name| given.declared.get(name)).filter(|_| number != reference) {
            let error = i64::try_from(offset.error_ns).unwrap_or(i64::MAX);
            let bounds = Bounds {
                low: Some(offset.offset_ns.saturating_sub(error)),
                high: Some(offset.offset_ns.saturating_add(error)),
            };
            declared.push((reference, number, bounds));
        }
    }
    declared
}

/// The clock with most moments, then the smallest host name, then the smallest key.
fn reference(clocks: &Clocks, moments: &Moments) -> Option<ClockNumber> {
    let mut events = vec![0usize; clocks.list.len()];
    clocks.of_moment.iter().flatten().for_each(|clock| events[*clock] += 1);
    let preference = |clock: &ClockNumber| {
        let host = clocks.host_of(*clock, moments);
        (std::cmp::Reverse(events[*clock]), host.is_none(), host, &clocks.list[*clock].key, *clock)
    };
    let listed = (0..clocks.list.len()).filter(|clock| events[*clock] > 0);
    listed.min_by(|a, b| preference(a).cmp(&preference(b)))
}
