//! How a key that a record lacks comes from its trace: from an ancestor, from a log line of its span or an ancestor's,
//! or, where the whole trace names one thing of the type and no other, from the trace.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Told;
use super::draft::Key;
use crate::document::Identity;
use crate::held::{At, Held};
use crate::id::TraceId;
use crate::naming;

/// Traces deeper than this are not climbed to their root.
const DEPTH_MAX: usize = 256;

/// Gives every operation on one thing whose key its record lacks the key that its trace proves or suggests.
pub(super) fn settle(held: &Held, told: &mut [Told]) {
    let hidden = told.iter().filter(|told| told.draft.key == Key::Hidden);
    let traces: BTreeSet<TraceId> = hidden.filter_map(|told| held.record(told.at).trace_id()).collect();
    let mut named = Named::of(held, &traces);
    for told in told.iter_mut() {
        if told.draft.key == Key::Hidden {
            match named.find(held, told.at, &told.draft.kind) {
                Some((key, identity)) => (told.draft.key, told.draft.identity) = (Key::Known(key), identity),
                None => told.draft.identity = Identity::Unknown,
            }
        } else if told.draft.key == Key::Many {
            told.draft.identity = Identity::Unknown;
        }
    }
}

/// What records name, by type; made for the traces that need it.
struct Named {
    by_record: HashMap<At, BTreeMap<String, One>>,
    by_trace: HashMap<TraceId, BTreeMap<String, One>>,
    /// Answers given: the records of one span ask for the same.
    found: HashMap<(At, String), Option<(String, Identity)>>,
}

/// The things of one type that a place names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum One {
    /// One.
    Only(String),
    /// Several.
    Several,
}

impl One {
    fn note(map: &mut BTreeMap<String, One>, kind: &str, one: &One) {
        match map.get_mut(kind) {
            None => {
                map.insert(kind.to_owned(), one.clone());
            }
            Some(known) if known != one => *known = One::Several,
            Some(_) => {}
        }
    }
}

impl Named {
    fn of(held: &Held, traces: &BTreeSet<TraceId>) -> Named {
        let mut named = Named { by_record: HashMap::new(), by_trace: HashMap::new(), found: HashMap::new() };
        for (trace, records) in held.traces().filter(|(trace, _)| traces.contains(trace)) {
            let mut of_trace = BTreeMap::new();
            for at in records {
                let mut of_record = BTreeMap::new();
                for name in naming::names(held.record(*at)) {
                    One::note(&mut of_record, &name.kind, &One::Only(name.key));
                }
                of_record.iter().for_each(|(kind, one)| One::note(&mut of_trace, kind, one));
                if !of_record.is_empty() {
                    named.by_record.insert(*at, of_record);
                }
            }
            named.by_trace.insert(trace, of_trace);
        }
        named
    }

    fn record(&self, at: At, kind: &str) -> Option<&One> {
        self.by_record.get(&at)?.get(kind)
    }

    fn find(&mut self, held: &Held, at: At, kind: &str) -> Option<(String, Identity)> {
        let asked = (at, kind.to_owned());
        if let Some(found) = self.found.get(&asked) {
            return found.clone();
        }
        let found = self.search(held, at, kind);
        self.found.insert(asked, found.clone());
        found
    }

    /// The nearest place that names things of the type decides; one that names several decides that none is meant.
    fn search(&self, held: &Held, at: At, kind: &str) -> Option<(String, Identity)> {
        let span = if held.span(at).is_some() { Some(at) } else { held.span_of_log(at) };
        let above = std::iter::successors(span, |at| held.parent(*at)).take(DEPTH_MAX);
        for place in above {
            if let Some(one) = self.record(place, kind) {
                let identity = if place == at { Identity::Own } else { Identity::Ancestor };
                return one.only(identity);
            }
            if let Some(one) = self.logs(held, place, kind) {
                return one.only(Identity::Log);
            }
        }
        let trace = held.record(at).trace_id()?;
        self.by_trace.get(&trace)?.get(kind)?.only(Identity::Trace)
    }

    /// What the logs of a span name, taken together.
    fn logs(&self, held: &Held, span: At, kind: &str) -> Option<One> {
        let own = held.span(span)?;
        let mut together = BTreeMap::new();
        for log in held.logs(own.trace_id, own.span_id) {
            if let Some(one) = self.record(*log, kind) {
                One::note(&mut together, kind, one);
            }
        }
        together.remove(kind)
    }
}

impl One {
    fn only(&self, identity: Identity) -> Option<(String, Identity)> {
        match self {
            One::Only(key) => Some((key.clone(), identity)),
            One::Several => None,
        }
    }
}
