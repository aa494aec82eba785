//! Findings about clocks: that one was set, that processes of one machine disagree, that evidence contradicts itself.

use xxhash_rust::xxh3::Xxh3;

use crate::document::{
    Basis, Certainty, CompletenessBasis, Finding, FindingKind, FindingStatus, Grade, Identity, ValueBasis,
};
use crate::held::Held;
use crate::id::{EventId, RecordId, TraceId};
use crate::order::clock::ClockNumber;
use crate::order::moment::Index;
use crate::order::moment::Moments;
use crate::order::{Order, Skew};
use crate::time::Time;

/// So many events are named in a finding.
const EVENTS_MAX: usize = 8;

/// The ground of findings about clocks.
pub(crate) struct Skews<'a> {
    pub(crate) held: &'a Held,
    pub(crate) moments: &'a Moments,
    pub(crate) order: &'a Order,
}

impl Skews<'_> {
    /// A finding for each clock that is not taken at its word, where it has an event in the list.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> =
            self.order.skews.iter().filter_map(|skew| self.finding(skew)).collect();
        findings.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        findings.dedup_by(|a, b| a.id == b.id);
        findings
    }

    fn list(&self) -> impl Iterator<Item = Index> {
        self.order.list.iter().copied()
    }

    fn id(&self, index: Index) -> EventId {
        let moment = &self.moments.list[index as usize];
        EventId::new(self.held.record(moment.at).id, moment.point)
    }

    fn finding(&self, skew: &Skew) -> Option<Finding> {
        let (events, what): (Vec<Index>, String) = match skew {
            Skew::Set { clocks, by } => {
                let mut events: Vec<Index> =
                    clocks.iter().flat_map(|clock| self.around_the_setting(*clock)).collect();
                events.sort_unstable_by_key(|index| self.order.places[*index as usize]);
                events.dedup();
                (events, self.set(clocks, *by))
            }
            Skew::Apart { host } => {
                let of_host = |index: &Index| {
                    let moment = &self.moments.list[*index as usize];
                    self.moments.processes.list()[moment.process].clock
                        == crate::clocks::ClockKey::Host(host.clone())
                };
                let events = self.list().filter(of_host).take(EVENTS_MAX).collect();
                (events, format!("processes of {host} read clocks that contradict each other"))
            }
            Skew::GivenUp { clock } => {
                let first = self.order.clocks.list[*clock].first;
                let events = self.list().filter(|index| self.clock_of(*index) == first).take(EVENTS_MAX);
                let what = format!(
                    "what is known of the clock of {} contradicts itself: it claims nothing",
                    self.owner(*clock)
                );
                (events.collect(), what)
            }
        };
        self.skew(&events, what)
    }

    fn skew(&self, events: &[Index], summary: String) -> Option<Finding> {
        let from = *events.first()?;
        let until = *events.last()?;
        let ids: Vec<EventId> = events.iter().map(|index| self.id(*index)).collect();
        let at = |index: &Index| self.held.record(self.moments.list[*index as usize].at);
        let mut records: Vec<RecordId> = events.iter().map(|index| at(index).id).collect();
        let mut traces: Vec<TraceId> = events.iter().filter_map(|index| at(index).trace_id()).collect();
        records.sort_unstable();
        records.dedup();
        traces.sort_unstable();
        traces.dedup();
        let mut hasher = Xxh3::new();
        hasher.update(FindingKind::ClockSkew.name().as_bytes());
        records.iter().for_each(|record| hasher.update(&record.0));
        let corrected = |index: Index| -> Time { self.order.corrected[index as usize] };
        Some(Finding {
            id: format!("f-{:016x}", hasher.digest()),
            kind: FindingKind::ClockSkew,
            grade: Grade::Proved,
            basis: Basis {
                order: Some(Certainty::Causal),
                identity: Identity::Own,
                value: ValueBasis::NotNeeded,
                completeness: CompletenessBasis::NotNeeded,
            },
            status: FindingStatus::Settled,
            class: None,
            repaired_by: None,
            consequence_of: None,
            entity: None,
            entities: Vec::new(),
            events: ids,
            records,
            trace_ids: traces,
            summary,
            from: corrected(from).min(corrected(until)),
            until: Some(corrected(until).max(corrected(from))),
        })
    }

    /// The first epoch's number of the clock that a moment was read off.
    fn clock_of(&self, index: Index) -> ClockNumber {
        self.order.clocks.of_process[self.moments.list[index as usize].process]
    }

    /// Of a clock that was set: the last listed event before each setting, and the first after it.
    fn around_the_setting(&self, first: ClockNumber) -> Vec<Index> {
        let own: Vec<Index> = self.list().filter(|index| self.clock_of(*index) == first).collect();
        let epoch = |index: Index| self.order.clocks.of_moment[index as usize];
        let known: Vec<Index> = own.into_iter().filter(|index| epoch(*index).is_some()).collect();
        let mut around: Vec<Index> =
            known.windows(2).filter(|pair| epoch(pair[0]) != epoch(pair[1])).flatten().copied().collect();
        around.dedup();
        around.truncate(EVENTS_MAX);
        if around.is_empty() { known.into_iter().take(1).collect() } else { around }
    }

    /// Which clock was set by how much, in words; or that it was one of two.
    fn set(&self, clocks: &[ClockNumber], by: Option<i64>) -> String {
        let step = |sign: i64| match by.map(|by| sign * by) {
            Some(by) => {
                let word = if by < 0 { "back" } else { "forward" };
                format!(" {word} by {:.3} s", by.unsigned_abs() as f64 / 1e9)
            }
            None => String::new(),
        };
        match clocks {
            [one, other] => {
                let (one, other) = (self.owner(*one), self.owner(*other));
                format!("the clock of {one} was set{}, or that of {other}{}", step(1), step(-1))
            }
            several => {
                let owners: Vec<String> = several.iter().map(|clock| self.owner(*clock)).collect();
                format!("the clock of {} was set{}", owners.join(" or of "), step(1))
            }
        }
    }

    /// Who reads the clock, in words.
    fn owner(&self, first: ClockNumber) -> String {
        let clocks = &self.order.clocks;
        let first = clocks.list[first].first;
        if let Some(host) = clocks.host_of(first, self.moments) {
            return host.to_owned();
        }
        let readers = clocks.of_process.iter().zip(self.moments.processes.list());
        let service =
            readers.filter(|(clock, _)| **clock == first).map(|(_, process)| process.service.as_str()).min();
        service.unwrap_or("another process").to_owned()
    }
}
