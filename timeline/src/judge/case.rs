//! All that is judged of one timeline, and the questions that several kinds ask of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::settings::Settings;
use crate::belongs::Members;
use crate::document::{
    Belongs, Certainty, Completeness, CompletenessBasis, Evidence, Gap, GapKind, Identity, Incompleteness,
    Op, Outcome, StateEvidence, StreamState,
};
use crate::held::{At, Held};
use crate::id::{EventId, Point, RecordId};
use crate::message::{self, Role};
use crate::order::Order;
use crate::order::moment::Moments;
use crate::record::{Record, SpanKind};
use crate::state::listing::Listing;
use crate::state::relation::{Relation, agree, effect_before};
use crate::state::{History, Operation, Slot, Thing, Track};
use crate::time::Time;
use crate::value::Value;

/// A chain of parents is followed so far: longer ones are circles or beyond use.
const ANCESTORS_MAX: usize = 256;

/// What a timeline is judged by.
pub(crate) struct Evidenced<'a> {
    pub(crate) held: &'a Held,
    pub(crate) members: &'a Members,
    pub(crate) moments: &'a Moments,
    pub(crate) order: &'a Order,
    pub(crate) listing: &'a Listing<'a>,
    pub(crate) operations: &'a [Operation],
    pub(crate) history: &'a History,
    pub(crate) gaps: &'a [Gap],
    pub(crate) completeness: &'a Completeness,
    pub(crate) settings: &'a Settings,
    /// Whose timeline it is; `None` where it was asked for by attribute.
    pub(crate) subject: Option<Thing>,
    /// The moment up to which all that arrived is at hand, on the collector's clock; `None` where nothing more can come.
    pub(crate) judged_to: Option<Time>,
}

/// What is judged of one timeline.
pub(crate) struct Case<'a> {
    pub(crate) evidence: Evidenced<'a>,
    places: HashMap<RecordId, At>,
    /// The system of record, by entity type.
    owners: BTreeMap<String, String>,
    /// By span, the intents that it carries out: what makes two executions the same command.
    intents: HashMap<At, Vec<Intent>>,
}

/// What makes two commands the same command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Intent {
    /// The attempts of one request, by their resend count; the first attempt stands for all.
    Retry(At),
    /// One message, by its system and id.
    Message(String),
    /// An idempotency key.
    Key(String),
    /// What a record declares.
    Declared(String),
}

impl<'a> Case<'a> {
    pub(crate) fn new(evidence: Evidenced<'a>) -> Case<'a> {
        let places = evidence.held.records().iter().enumerate().map(|(at, record)| (record.id, at));
        let places = places.collect();
        let owners = owners(evidence.operations, evidence.settings);
        let mut case = Case { evidence, places, owners, intents: HashMap::new() };
        case.intents = case.all_intents();
        case
    }

    pub(crate) fn at(&self, record: RecordId) -> Option<At> {
        self.places.get(&record).copied()
    }

    /// The timeline's records. What was gathered beside them says nothing of the subject.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        let held = self.evidence.held;
        self.evidence.members.iter().map(|(at, _)| held.record(at))
    }

    /// The record of an event; `None` where it is not listed.
    pub(crate) fn record_of(&self, event: EventId) -> Option<&'a Record> {
        let index = self.evidence.listing.index(event)?;
        let held: &'a Held = self.evidence.held;
        Some(held.record(self.evidence.moments.list[index as usize].at))
    }

    /// How a record is known to concern the subject.
    pub(crate) fn identity_of(&self, record: RecordId) -> Identity {
        match self.at(record).and_then(|at| self.evidence.members.belongs.get(at).copied().flatten()) {
            Some(Belongs::Own) => Identity::Own,
            Some(Belongs::Ancestor | Belongs::Descendant | Belongs::Link | Belongs::Message) => {
                Identity::Ancestor
            }
            Some(Belongs::Log) => Identity::Log,
            Some(Belongs::Rule | Belongs::Related) => Identity::Rule,
            Some(Belongs::Trace) => Identity::Trace,
            None => Identity::Unknown,
        }
    }

    pub(crate) fn before(&self, a: EventId, b: EventId) -> Option<Certainty> {
        self.evidence.listing.before(a, b)
    }

    pub(crate) fn effect_before(&self, a: &Operation, b: &Operation) -> Option<Certainty> {
        effect_before(self.evidence.listing, a, b)
    }

    /// How surely `write` had taken effect when `read` began.
    pub(crate) fn seen_by(&self, write: &Operation, read: &Operation) -> Option<Certainty> {
        self.before(write.effect_ended(), read.effect_began())
    }

    pub(crate) fn time(&self, event: EventId) -> Time {
        self.evidence.listing.time(event).unwrap_or_default()
    }

    pub(crate) fn place(&self, event: EventId) -> usize {
        self.evidence.listing.place(event).unwrap_or(usize::MAX)
    }

    /// The time of the list's last event.
    pub(crate) fn ends(&self) -> Time {
        self.evidence.order.corrected.iter().copied().max().unwrap_or_default()
    }

    /// Whether late records that matter can't come any more: the window has passed since the last arrival.
    pub(crate) fn is_settled(&self) -> bool {
        let Some(judged_to) = self.evidence.judged_to else { return true };
        let arrivals = self.records().filter_map(|record| record.arrival);
        arrivals
            .max()
            .is_none_or(|last| judged_to.0 >= last.wall_ns().saturating_add(self.evidence.settings.window_ns))
    }

    /// Whether the window has passed since `event`, in the timeline or since: what should have followed it is late.
    pub(crate) fn is_overdue(&self, event: EventId) -> bool {
        let window = i128::from(self.evidence.settings.window_ns);
        self.is_settled() || self.ends().since(self.time(event)) >= window
    }

    pub(crate) fn operations(&self, track: &Track) -> impl Iterator<Item = &'a Operation> + use<'a> {
        let operations = self.evidence.operations;
        let own = track.operations.clone();
        own.into_iter().filter_map(move |at| operations.get(at))
    }

    /// The writes of a slot that may have taken effect, in the order of the list.
    pub(crate) fn writes(&self, track: &Track) -> Vec<&'a Operation> {
        self.operations(track).filter(|operation| operation.writes()).collect()
    }

    /// The reads of a slot that tell what they returned.
    pub(crate) fn reads(&self, track: &Track) -> Vec<&'a Operation> {
        self.operations(track).filter(|o| !o.writes() && o.value.is_some() && o.field.is_some()).collect()
    }

    pub(crate) fn owner(&self, kind: &str) -> Option<&str> {
        self.owners.get(kind).map(String::as_str)
    }

    pub(crate) fn is_owner(&self, slot: &Slot) -> bool {
        self.owner(&slot.thing.kind) == Some(&slot.copy)
    }

    /// The owner's history of the same field; `None` where no owner is known or it never touched the field.
    pub(crate) fn owner_track(&self, slot: &Slot) -> Option<&'a Track> {
        let copy = self.owner(&slot.thing.kind)?.to_owned();
        let history: &'a History = self.evidence.history;
        history.tracks.get(&Slot { copy, ..slot.clone() })
    }

    /// The slots that hold a copy of what the owner holds, with the owner's history. Logs tell what a service
    /// believed when it wrote them, not what it holds: their copies are left out.
    pub(crate) fn copies(&self) -> Vec<(&'a Slot, &'a Track, &'a Track)> {
        let history: &'a History = self.evidence.history;
        let is_copy = |slot: &Slot, track: &Track| {
            slot.field.is_some() && !track.part && !self.is_owner(slot) && !self.is_only_logged(track)
        };
        history
            .tracks
            .iter()
            .filter(|(slot, track)| is_copy(slot, track))
            .filter_map(|(slot, track)| Some((slot, track, self.owner_track(slot)?)))
            .collect()
    }

    fn is_only_logged(&self, track: &Track) -> bool {
        self.operations(track).all(|o| matches!(o.evidence, StateEvidence::Log | StateEvidence::Message))
    }

    /// The service whose record it is.
    pub(crate) fn service(&self, operation: &Operation) -> &str {
        self.at(operation.record).map_or("", |at| self.evidence.held.record(at).resource.service())
    }

    /// The span at `at` and those above it, nearest first; for a log, from the span that it was written in.
    pub(crate) fn lineage(&self, at: At) -> impl Iterator<Item = At> + '_ {
        let held = self.evidence.held;
        let first = if held.span(at).is_some() { Some(at) } else { held.span_of_log(at) };
        std::iter::successors(first, |at| held.parent(*at)).take(ANCESTORS_MAX)
    }

    /// The span that carries out what an operation belongs to: the nearest that serves or receives, else the topmost.
    pub(crate) fn execution(&self, operation: &Operation) -> Option<At> {
        let at = self.at(operation.record)?;
        let serves = |at: &At| {
            self.evidence.held.span(*at).is_some_and(|span| {
                matches!(span.kind, SpanKind::Server | SpanKind::Consumer)
                    || Role::of(span) == Some(Role::Receives)
            })
        };
        self.lineage(at).find(serves).or_else(|| self.lineage(at).last())
    }

    /// The intents that an operation carries out, each with the span that carries it: two spans are two executions.
    pub(crate) fn intents(&self, operation: &Operation) -> Vec<(Intent, At)> {
        let Some(at) = self.at(operation.record) else { return Vec::new() };
        let above = self.lineage(at).flat_map(|span| {
            let own = self.intents.get(&span).into_iter().flatten();
            own.map(move |intent| (intent.clone(), span))
        });
        let declared = operation.intent.clone().map(Intent::Declared).zip(self.execution(operation));
        above.chain(declared).collect()
    }

    /// What every span carries out.
    fn all_intents(&self) -> HashMap<At, Vec<Intent>> {
        let mut intents: HashMap<At, Vec<Intent>> = HashMap::new();
        for (at, record) in self.evidence.held.records().iter().enumerate() {
            let Some(span) = record.as_span() else { continue };
            let key = span.attributes.get_any(IDEMPOTENCY_KEYS).map(|key| key.to_text().into_owned());
            let key = key.filter(|_| span.kind == SpanKind::Server);
            intents.entry(at).or_default().extend(key.map(Intent::Key));
            if Role::of(span) == Some(Role::Receives) {
                let ids = message::ids(span).map(Intent::Message);
                intents.entry(at).or_default().extend(ids);
            }
        }
        for (attempt, first) in self.attempts() {
            intents.entry(attempt).or_default().push(Intent::Retry(first));
        }
        intents
    }

    /// Every attempt of a request that was tried again, with the first attempt of it.
    fn attempts(&self) -> BTreeMap<At, At> {
        let at = |index: u32| self.evidence.moments.list[index as usize].at;
        let mut first: BTreeMap<At, At> = BTreeMap::new();
        let retries = self.evidence.order.causes.iter().filter(|cause| cause.evidence == Evidence::Retry);
        let mut pairs: Vec<(At, At)> = retries.map(|cause| (at(cause.from), at(cause.to))).collect();
        pairs.sort_by_key(|(from, _)| {
            self.evidence.moments.start(*from).map(|start| self.evidence.order.places[start as usize])
        });
        for (from, to) in pairs {
            let root = *first.entry(from).or_insert(from);
            first.insert(to, root);
        }
        first
    }

    /// The attempts of each request that was tried again, first to last.
    pub(crate) fn attempt_chains(&self) -> Vec<Vec<At>> {
        let mut chains: BTreeMap<At, Vec<At>> = BTreeMap::new();
        for (attempt, first) in self.attempts() {
            chains.entry(first).or_default().push(attempt);
        }
        let mut chains: Vec<Vec<At>> = chains.into_values().collect();
        for chain in &mut chains {
            chain.sort_by_key(|at| self.place(self.start(*at)));
        }
        chains
    }

    /// The event at which the record begins.
    pub(crate) fn start(&self, at: At) -> EventId {
        let record = self.evidence.held.record(at);
        let point = if record.as_span().is_some() { Point::Start } else { Point::Log };
        EventId::new(record.id, point)
    }

    /// What absence in the spans of these services proves. A write to `copy` whose thing is unknown may be the one
    /// that is missed.
    pub(crate) fn absence(&self, services: &BTreeSet<&str>, copy: &str) -> CompletenessBasis {
        let completeness = self.evidence.completeness;
        let cut = [Incompleteness::Truncated, Incompleteness::MissingShard, Incompleteness::NotIndexed];
        if completeness.reasons.iter().any(|reason| cut.contains(reason)) {
            return CompletenessBasis::Partial;
        }
        let state = |service: &&str| {
            let own =
                |stream: &&crate::document::Stream| stream.service == **service && stream.signal == "spans";
            completeness.streams.iter().find(own).map_or(StreamState::Unknown, |stream| stream.state)
        };
        let states: Vec<StreamState> = services.iter().map(state).collect();
        let lost = |state: &StreamState| matches!(state, StreamState::Sampled | StreamState::Lossy);
        if states.iter().any(lost) || self.is_cut_by_sdk() {
            CompletenessBasis::Partial
        } else if states.is_empty()
            || states.contains(&StreamState::Unknown)
            || self.has_unattributed_writes(copy)
        {
            CompletenessBasis::Unknown
        } else {
            CompletenessBasis::Whole
        }
    }

    fn is_cut_by_sdk(&self) -> bool {
        self.evidence.gaps.iter().any(|gap| gap.kind == GapKind::Truncated && gap.event.is_some())
    }

    fn has_unattributed_writes(&self, copy: &str) -> bool {
        let unattributed = |o: &Operation| o.thing.is_none() && o.copy == copy && o.writes();
        self.evidence.operations.iter().any(unattributed)
    }

    /// The services that were seen to write or read a slot's copy.
    pub(crate) fn services(&self, track: &Track) -> BTreeSet<&str> {
        self.operations(track).map(|operation| self.service(operation)).collect()
    }

    /// The text of the statement that an operation was read from; empty where it is none.
    pub(crate) fn statement(&self, operation: &Operation) -> &str {
        let names = ["db.query.text", "db.statement"];
        self.at(operation.record)
            .and_then(|at| self.evidence.held.record(at).attributes().get_any(&names))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether the owner can't have held `value` any more when `read` began.
    pub(crate) fn outdated(&self, owner: &Track, value: &Value, read: &Operation) -> Option<Outdated<'a>> {
        let writes = self.writes(owner);
        // A write whose value is unknown may have written this one.
        let may_be = |write: &&&Operation| write.value.as_ref().is_none_or(|own| agree(own, value));
        let holders: Vec<&Operation> = writes.iter().filter(may_be).copied().collect();
        let wrote = holders.iter().rev().copied().find(|holder| holder.value.is_some());
        let was_initial = owner.initial.as_ref().is_some_and(|own| agree(own, value));
        if wrote.is_none() && !was_initial {
            return None; // of unknown origin
        }
        let replaces = |write: &&&Operation| {
            write.outcome == Outcome::Ok && write.value.as_ref().is_some_and(|own| !agree(own, value))
        };
        let replacements: Vec<(&'a Operation, Certainty)> = writes
            .iter()
            .filter(replaces)
            .filter_map(|write| Some((*write, self.seen_by(write, read)?)))
            .collect();
        let surest = |holder: Option<&Operation>| {
            let after = |(write, seen): &(&'a Operation, Certainty)| {
                let order = match holder {
                    Some(holder) => self.effect_before(holder, write)?,
                    None => Certainty::Causal,
                };
                Some((*write, order.min(*seen)))
            };
            let found: Vec<_> = replacements.iter().filter_map(after).collect();
            let best = found.iter().map(|(_, certainty)| *certainty).max()?;
            found.into_iter().find(|(_, certainty)| *certainty == best)
        };
        let mut outdated: Option<Outdated<'a>> = None;
        for holder in holders.iter().map(|holder| Some(*holder)).chain([None]) {
            let (replaced_by, order) = surest(holder)?;
            let order = outdated.as_ref().map_or(order, |own| own.order.min(order));
            let later = outdated.as_ref().is_none_or(|own| {
                self.place(own.replaced_by.effect_ended()) < self.place(replaced_by.effect_ended())
            });
            let replaced_by = match &outdated {
                Some(own) if !later => own.replaced_by,
                _ => replaced_by,
            };
            outdated = Some(Outdated { wrote, replaced_by, order });
        }
        outdated
    }
}

/// That a value was replaced before it was read.
pub(crate) struct Outdated<'a> {
    /// The owner's last write of it; `None` where it held before the first event.
    pub(crate) wrote: Option<&'a Operation>,
    /// The owner's write that replaced it for the last time before the read.
    pub(crate) replaced_by: &'a Operation,
    /// The weakest order that it needs.
    pub(crate) order: Certainty,
}

const IDEMPOTENCY_KEYS: &[&str] = &[
    "http.request.header.idempotency-key",
    "http.request.header.idempotency_key",
    "http.request.header.x-idempotency-key",
    "idempotency.key",
    "idempotency_key",
];

/// The first segments of copies that derive their state by their nature.
const DERIVED: &[&str] =
    &["redis", "valkey", "memcached", "elasticsearch", "opensearch", "kafka", "rabbitmq"];

/// The system of record of each type: the declared one; else the only table of its own name.
pub fn owners(operations: &[Operation], settings: &Settings) -> BTreeMap<String, String> {
    let mut tables: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for operation in operations.iter().filter(|operation| !operation.part) {
        let is_store = matches!(operation.evidence, StateEvidence::Sql | StateEvidence::Attribute);
        let (system, table) = operation.copy.rsplit_once('/').unwrap_or(("", &operation.copy));
        let is_derived = DERIVED.iter().any(|derived| system.split('/').next() == Some(derived));
        if is_store && !is_derived && crate::naming::kind_named(table) == operation.kind {
            tables.entry(&operation.kind).or_default().insert(&operation.copy);
        }
    }
    let only = |tables: BTreeSet<&str>| {
        if tables.len() == 1 { tables.first().map(|t| (*t).to_owned()) } else { None }
    };
    let mut owners: BTreeMap<String, String> =
        tables.into_iter().filter_map(|(kind, tables)| Some((kind.to_owned(), only(tables)?))).collect();
    owners.extend(settings.owners.clone());
    owners
}

/// The row of one statement: its operations on one thing in one copy.
pub(crate) struct Statement<'a> {
    pub(crate) thing: &'a Thing,
    pub(crate) copy: &'a str,
    pub(crate) operations: Vec<&'a Operation>,
}

impl<'a> Case<'a> {
    /// The statements that wrote and may have taken effect, by the place at which they had.
    pub(crate) fn statements(&self) -> Vec<Statement<'a>> {
        let operations: &'a [Operation] = self.evidence.operations;
        let mut statements: BTreeMap<(usize, EventId, &'a Thing, &'a str), Vec<&'a Operation>> =
            BTreeMap::new();
        for operation in operations.iter().filter(|o| o.writes() && o.outcome != Outcome::Failed) {
            if let Some(thing) = &operation.thing {
                let place = self.place(operation.effect_ended());
                let key = (place, operation.event, thing, operation.copy.as_str());
                statements.entry(key).or_default().push(operation);
            }
        }
        let statement = |((_, _, thing, copy), operations)| Statement { thing, copy, operations };
        statements.into_iter().map(statement).collect()
    }
}

impl<'a> Statement<'a> {
    /// Any of its operations: they share record, event and outcome.
    pub(crate) fn any(&self) -> &'a Operation {
        self.operations[0]
    }

    pub(crate) fn version(&self) -> Option<&'a Value> {
        let own = self.operations.iter().find_map(|operation| operation.version.as_ref());
        own.or_else(|| self.operations.iter().find(|o| is_version(o)).and_then(|o| o.value.as_ref()))
    }

    /// What it wrote to `field`, if that is known.
    pub(crate) fn value(&self, field: &str) -> Option<&'a Value> {
        let named = |o: &&&Operation| o.op == Op::Write && o.field.as_deref() == Some(field);
        self.operations.iter().find(named).and_then(|operation| operation.value.as_ref())
    }

    pub(crate) fn is_insisting(&self) -> bool {
        self.operations.iter().any(|operation| operation.expected_version.is_some())
    }
}

/// Whether an operation's field counts versions, rather than being state.
pub(crate) fn is_version(operation: &Operation) -> bool {
    operation.field.as_deref().is_some_and(is_version_field)
}

pub(crate) fn is_version_field(field: &str) -> bool {
    ["version", "rev", "revision", "lock_version", "row_version", "etag", "seq", "sequence"].contains(&field)
}

/// Whether a field tells when or how often something was written, and so differs with every write.
pub(crate) fn is_volatile(field: &str) -> bool {
    let ends = ["_at", "_on", "_time", "_date", "timestamp", "attempts", "last_seen"];
    ends.iter().any(|end| field.ends_with(end)) || is_version_field(field)
}
