//! The clocks that traffic tells of, whoever's timeline they are in: `backstory clocks`.

use std::collections::BTreeMap;

use super::clock::ClockNumber;
use super::graph::Graph;
use super::moment::Moments;
use super::offset::Bounds;
use super::settle::{Settled, settle};
use crate::belongs::Members;
use crate::clocks::{ClockEvidence, Declared, Drift, ProcessId, Reader};
use crate::document::{Clock, ClockBounds, Process};
use crate::given::Given;
use crate::held::Held;
use crate::naming::Scope;
use crate::time::Time;

/// The rows of all clocks that `evidence` tells of, and of the processes that read them.
///
/// The reference is the clock with most messages to and from others, then the smallest host name. Offsets are those at
/// the latest message. A declared offset stands in where nothing is proven.
pub fn clocks(
    evidence: &ClockEvidence,
    declared: &BTreeMap<String, Declared>,
    drift: Drift,
) -> (Vec<Clock>, Vec<Process>) {
    let given = Given { clocks: evidence.clone(), drift, ..Given::default() };
    let nobody = Members { belongs: Vec::new(), scope: Scope::default(), elsewhere: Vec::new() };
    let moments = Moments::of(&Held::fold(Vec::new()), &nobody, evidence);
    let settled = settle(&moments, &[], &Graph::new(0, &[]), &given);
    let table = Table::new(evidence, declared, &settled);
    (table.clock_rows(), table.process_rows())
}

struct Table<'a> {
    evidence: &'a ClockEvidence,
    declared: &'a BTreeMap<String, Declared>,
    settled: &'a Settled,
    /// The clocks (their first epochs), the reference first: `c0`, `c1` …
    listed: Vec<ClockNumber>,
    /// The latest message.
    at: Option<Time>,
}

impl<'a> Table<'a> {
    fn new(
        evidence: &'a ClockEvidence,
        declared: &'a BTreeMap<String, Declared>,
        settled: &'a Settled,
    ) -> Table<'a> {
        let at = evidence.messages().map(|(_, _, message)| message.sent).max();
        let mut table = Table { evidence, declared, settled, listed: Vec::new(), at };
        let messages = |number: ClockNumber| -> u64 {
            let of_clock = table.epochs(number);
            of_clock.filter_map(|epoch| Some(settled.levels.get(1)?.offsets.as_ref()?.messages[epoch])).sum()
        };
        let mut listed: Vec<ClockNumber> = settled.clocks.of_reader.clone();
        listed.sort_unstable();
        listed.dedup();
        let preference = |number: &ClockNumber| {
            let host = table.name(*number, |reader| reader.host.as_deref());
            (host.is_none(), host, settled.clocks.list[*number].key.clone())
        };
        listed.sort_by_key(preference);
        let reference = (0..listed.len()).rev().max_by_key(|at| messages(listed[*at]));
        if let Some(reference) = reference {
            let first = listed.remove(reference);
            listed.insert(0, first);
        }
        table.listed = listed;
        table
    }

    /// The epochs of a clock.
    fn epochs(&self, first: ClockNumber) -> impl Iterator<Item = ClockNumber> + use<'a> {
        let list = &self.settled.clocks.list;
        (0..list.len()).filter(move |epoch| list[*epoch].first == first)
    }

    /// Those who read a clock.
    fn readers(&self, first: ClockNumber) -> impl Iterator<Item = (ProcessId, &'a Reader)> {
        let clocks = self.settled.clocks.of_reader.iter();
        self.evidence
            .readers()
            .zip(clocks)
            .filter(move |(_, clock)| **clock == first)
            .map(|(reader, _)| reader)
    }

    /// The smallest name that the readers of a clock give.
    fn name(&self, first: ClockNumber, of: impl Fn(&'a Reader) -> Option<&'a str>) -> Option<&'a str> {
        self.readers(first).filter_map(|(_, reader)| of(reader)).min()
    }

    fn id(&self, first: ClockNumber) -> String {
        format!("c{}", self.listed.iter().position(|listed| *listed == first).unwrap_or_default())
    }

    fn clock_rows(&self) -> Vec<Clock> {
        self.listed
            .iter()
            .flat_map(|first| self.epochs(*first).map(|epoch| self.row(*first, epoch)))
            .collect()
    }

    fn row(&self, first: ClockNumber, epoch: ClockNumber) -> Clock {
        let clock = &self.settled.clocks.list[epoch];
        let reference = self.listed.first().copied();
        let offsets = self.settled.levels.get(1).and_then(|level| level.offsets.as_ref());
        let proven = self.bounds(epoch).filter(|_| clock.trusted).unwrap_or_default();
        let is_reference = reference == Some(epoch);
        let declared = self.declared(first).filter(|_| proven == Bounds::default() && !is_reference);
        let bounds = declared.unwrap_or(proven);
        let contradictory = !clock.trusted || offsets.is_some_and(|offsets| offsets.contradictory[epoch]);
        let drift = || offsets?.drift_ppm(reference?, epoch);
        Clock {
            id: self.id(first),
            host: self.name(first, |reader| reader.host.as_deref()).map(str::to_owned),
            reference: is_reference,
            at: self.at,
            offset_ns: (bounds.low.is_some() || bounds.high.is_some()).then(|| bounds.middle(0)),
            error_ns: bounds.error(),
            bounds_ns: [bounds.low, bounds.high],
            drift_ppm: if is_reference { Some(0.0) } else { drift().filter(|_| !contradictory) },
            bounds: match [bounds.low, bounds.high] {
                _ if contradictory => ClockBounds::Contradictory,
                _ if declared.is_some() => ClockBounds::Declared,
                [Some(_), Some(_)] => ClockBounds::Both,
                [None, Some(_)] => ClockBounds::Above,
                [Some(_), None] => ClockBounds::Below,
                [None, None] => ClockBounds::None,
            },
            messages: offsets.map_or(0, |offsets| offsets.messages[epoch]),
            since: clock.since.and_then(|reading| self.on_reference(reading)),
            until: clock.until.and_then(|reading| self.on_reference(reading)),
        }
    }

    /// How far an epoch is ahead of the reference.
    fn bounds(&self, epoch: ClockNumber) -> Option<Bounds> {
        let at = i64::try_from(self.at?.0).ok()?;
        let offsets = self.settled.levels.get(1)?.offsets.as_ref()?;
        Some(offsets.bounds_exactly(*self.listed.first()?, at, epoch))
    }

    fn on_reference(&self, (clock, reading): (ClockNumber, i64)) -> Option<Time> {
        let offsets = self.settled.levels.get(1)?.offsets.as_ref()?;
        let ahead = offsets.bounds_exactly(clock, reading, *self.listed.first()?).middle(0);
        u64::try_from(reading.saturating_add(ahead)).ok().map(Time)
    }

    /// What the configuration declares: of a host by its name, of a process that names no host by its service.
    fn declared(&self, first: ClockNumber) -> Option<Bounds> {
        let host = self.name(first, |reader| reader.host.as_deref());
        let service = || self.name(first, |reader| Some(reader.service.as_str()));
        let offset = self.declared.get(host.or_else(service)?)?;
        let error = i64::try_from(offset.error_ns).unwrap_or(i64::MAX);
        Some(Bounds {
            low: Some(offset.offset_ns.saturating_sub(error)),
            high: Some(offset.offset_ns.saturating_add(error)),
        })
    }

    fn process_rows(&self) -> Vec<Process> {
        let mut readers: Vec<_> = self.evidence.readers().zip(&self.settled.clocks.of_reader).collect();
        readers.sort_by_key(|((id, reader), _)| (&reader.service, &reader.instance, *id));
        let row = |(number, ((_, reader), clock)): (usize, ((ProcessId, &Reader), &ClockNumber))| Process {
            id: format!("p{number}"),
            service: reader.service.clone(),
            instance: reader.instance.clone(),
            host: reader.host.clone(),
            version: reader.version.clone(),
            clock: self.id(*clock),
        };
        (0..).zip(readers).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clocks::Extractor;
    use crate::record::{Record, SpanKind};
    use crate::testing::*;

    /// `web` calls `payments`, whose clock is two seconds behind.
    fn call() -> Vec<Record> {
        vec![
            span(1, "web@a", "charge", 1.0, 20.0).kind(SpanKind::Client).record(),
            span(2, "payments@b", "POST /charges", -1_998.0, -1_985.0)
                .kind(SpanKind::Server)
                .child_of(1)
                .record(),
            span(3, "alone", "tick", 0.0, 1.0).record(),
        ]
    }

    fn table(declared: &[(&str, &str)]) -> (Vec<Clock>, Vec<Process>) {
        let declared =
            declared.iter().map(|(name, offset)| ((*name).to_owned(), offset.parse().expect("an offset")));
        clocks(&Extractor::evidence_of(&call()), &declared.collect(), Drift::default())
    }

    #[test]
    fn the_bounds_hold_the_truth_and_what_nothing_bounds_says_so() {
        let (rows, processes) = table(&[]);
        let shown: Vec<_> =
            rows.iter().map(|row| (row.id.as_str(), row.host.as_deref(), row.bounds)).collect();
        let expected = [
            ("c0", Some("a"), ClockBounds::Both),
            ("c1", Some("b"), ClockBounds::Both),
            ("c2", None, ClockBounds::None),
        ];
        assert_eq!(shown, expected);
        let behind = &rows[1];
        let [Some(low), Some(high)] = behind.bounds_ns else { panic!("{behind:?}") };
        // Between a call at 1 ms that began at −1,998 ms there, and its answer at 20 ms.
        assert!((-2_019_000_000..-2_017_000_000).contains(&low), "{behind:?}");
        assert!((-2_000_000_000..-1_998_000_000).contains(&high), "{behind:?}");
        assert!(rows[0].reference && rows[0].error_ns == Some(0));
        let of: Vec<_> = processes.iter().map(|p| (p.service.as_str(), p.clock.as_str())).collect();
        assert_eq!(of, [("alone", "c2"), ("payments", "c1"), ("web", "c0")]);
    }

    #[test]
    fn a_declared_offset_stands_in_where_nothing_is_proven() {
        let (rows, _) = table(&[("alone", "1s ± 200ms"), ("b", "0s ± 1s")]);
        assert_eq!((rows[2].bounds, rows[2].offset_ns), (ClockBounds::Declared, Some(1_000_000_000)));
        assert_eq!(rows[1].bounds, ClockBounds::Both, "what is proven stands");
    }

    #[test]
    fn no_evidence_is_an_empty_table() {
        let (rows, processes) = clocks(&ClockEvidence::default(), &BTreeMap::new(), Drift::default());
        assert_eq!((rows.len(), processes.len()), (0, 0));
    }
}
