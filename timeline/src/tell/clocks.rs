//! The rows of processes and clocks.

use super::Page;
use crate::document::{Clock, ClockBounds, Process, Range};
use crate::order::clock::ClockNumber;
use crate::order::offset::Bounds;
use crate::time::Time;

impl Page<'_> {
    pub(super) fn process_rows(&self) -> Vec<Process> {
        (0..)
            .zip(&self.processes)
            .map(|(id, number)| {
                let process = &self.moments.processes.list()[*number];
                Process {
                    id: format!("p{id}"),
                    service: process.service.clone(),
                    instance: process.instance.clone(),
                    host: process.host.clone(),
                    version: process.version.clone(),
                    clock: self.clock_id(self.order.clocks.of_process[*number]),
                }
            })
            .collect()
    }

    /// One row for every epoch of every clock shown.
    pub(super) fn clock_rows(&self, range: Option<Range>) -> Vec<Clock> {
        let list = &self.order.clocks.list;
        let epochs = |first: ClockNumber| (0..list.len()).filter(move |epoch| list[*epoch].first == first);
        let rows = self.clocks.iter().flat_map(|first| epochs(*first));
        rows.map(|number| self.clock_row(number, range)).collect()
    }

    /// The id of a clock, whichever epoch of it `number` is.
    fn clock_id(&self, number: ClockNumber) -> String {
        let first = self.order.clocks.list[number].first;
        format!("c{}", self.clocks.iter().position(|own| *own == first).unwrap_or_default())
    }

    fn clock_row(&self, number: ClockNumber, range: Option<Range>) -> Clock {
        let clock = &self.order.clocks.list[number];
        let reference = self.order.reference.filter(|_| clock.trusted);
        let at = range.map(|range| range.start);
        let bounds_of = |level: &crate::order::Level| -> Option<Bounds> {
            let at = i64::try_from(at?.0).ok()?;
            Some(level.offsets.as_ref()?.bounds_exactly(reference?, at, number))
        };
        let mut levels = self.order.levels.iter().filter(|level| level.offsets.is_some());
        let proven = levels.clone().next().and_then(bounds_of).unwrap_or_default();
        let bounds = levels.next_back().and_then(bounds_of).unwrap_or_default();
        let offsets = self.order.offsets();
        let bounded = bounds.low.is_some() || bounds.high.is_some();
        let is_reference = self.order.reference == Some(number);
        let drift = reference.and_then(|reference| offsets.drift_ppm(reference, number));
        Clock {
            id: self.clock_id(number),
            host: self.order.clocks.host_of(number, self.moments).map(str::to_owned),
            reference: is_reference,
            at,
            offset_ns: bounded.then(|| bounds.middle(0)),
            error_ns: bounds.error(),
            bounds_ns: [bounds.low, bounds.high],
            drift_ppm: if is_reference && clock.trusted { Some(0.0) } else { drift },
            bounds: match [bounds.low, bounds.high] {
                _ if !clock.trusted || offsets.contradictory[number] => ClockBounds::Contradictory,
                _ if bounds != proven => ClockBounds::Declared,
                [Some(_), Some(_)] => ClockBounds::Both,
                [None, Some(_)] => ClockBounds::Above,
                [Some(_), None] => ClockBounds::Below,
                [None, None] => ClockBounds::None,
            },
            messages: offsets.messages[number],
            since: clock.since.and_then(|moment| self.on_reference(moment)),
            until: clock.until.and_then(|moment| self.on_reference(moment)),
        }
    }

    /// A reading of some clock on the reference clock, as well as it is known.
    pub(super) fn on_reference(&self, (clock, x): (ClockNumber, i64)) -> Option<Time> {
        let offset = self.order.offsets().bounds_exactly(clock, x, self.order.reference?).middle(0);
        u64::try_from(x.saturating_add(offset)).ok().map(Time)
    }
}
