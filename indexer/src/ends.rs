//! The ends of calls and messages in blocks: what each block says of clocks, and where the other ends are.
//!
//! The two ends of a call come in different requests, minutes apart. A run leads from a call to the blocks that hold an
//! end of it, so that a new block's ends find the others wherever they are: in blocks read lately, which are
//! remembered, or in the journal. What two ends prove is kept with the newer one, by the segment of the older one: once
//! that is dropped, so is what they proved.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use journal::otlp;
use journal::otlp::view::{Attribute, Attributes, Group, Item, Log, Span, Value};
use journal::{Block, Frame, Place, ReadError, Reader};
use timeline::clocks::{ClockEvidence, End, Ends, Exchange, SpanFacts, Told, answered, pair};
use timeline::record::{Resource, SpanKind};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::IndexError;
use crate::extract::kept_items;
use crate::run::{Entry, Run};

/// Bits of an exchange's key.
pub(crate) const EXCHANGE_BITS: u32 = 40;

/// So many resources are remembered with what they tell of their process.
const RESOURCES_MAX: usize = 4096;

/// The ends of so many calls, in blocks read last, are remembered: about 20 MB.
const RECENT_ENDS_MAX: usize = 1 << 18;

/// An end with the key that its exchange is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Keyed {
    pub(crate) key: u64,
    pub(crate) end: End,
}

/// A block's ends, sorted.
pub(crate) type BlockEnds = Arc<[Keyed]>;

/// Sorts the ends of a block.
pub(crate) fn keyed(ends: Vec<End>) -> BlockEnds {
    let key = |end: &End| end.exchange.hash() >> (u64::BITS - EXCHANGE_BITS);
    let mut keyed: Vec<Keyed> = ends.into_iter().map(|end| Keyed { key: key(&end), end }).collect();
    keyed.sort_unstable();
    keyed.dedup();
    keyed.into()
}

/// The keys of a block's ends, each once.
pub(crate) fn entries(ends: &BlockEnds, block: u32) -> impl Iterator<Item = Entry> {
    ends.chunk_by(|a, b| a.key == b.key).map(move |same| Entry::new(same[0].key, block))
}

/// Reads processes off resources: each but once.
#[derive(Default)]
pub(crate) struct Processes(HashMap<u64, Told>);

impl Processes {
    /// The items that follow in `ends` are of this resource.
    pub(crate) fn enter(&mut self, group: &Group<'_>, ends: &mut Ends) {
        let attributes = &group.resource.attributes;
        let seed = u64::from(group.resource.dropped_attributes_count);
        let hash = attributes.encoded().fold(seed, |hash, encoded| xxh3_64_with_seed(encoded, hash));
        if self.0.len() >= RESOURCES_MAX && !self.0.contains_key(&hash) {
            self.0.clear();
        }
        let told = self.0.entry(hash).or_insert_with(|| {
            Told::by(&Resource::new(attributes.to_owned(), group.resource.dropped_attributes_count))
        });
        ends.enter(told);
    }
}

/// Takes an item of the resource entered.
pub(crate) fn add(item: &Item<'_>, frame: &Frame, ends: &mut Ends) {
    let arrival = frame.arrival_is_evidence.then_some(frame.stamp);
    match item {
        Item::Log(log) => ends.log(time_of(log), arrival),
        Item::Span(span) => {
            let events = span.events().map(|event| event.time);
            let links = span.links().map(|link| Exchange {
                trace: link.trace_id().unwrap_or_default(),
                span: link.span_id().unwrap_or_default(),
            });
            ends.span(&facts(span), arrival, events, links);
        }
    }
}

fn time_of(log: &Log<'_>) -> timeline::time::Time {
    if log.time.is_set() { log.time } else { log.observed }
}

fn facts(span: &Span<'_>) -> SpanFacts {
    let may_wait = span.kind == SpanKind::Consumer || span.links().next().is_some();
    SpanFacts {
        own: Exchange {
            trace: span.trace_id().unwrap_or_default(),
            span: span.span_id().unwrap_or_default(),
        },
        parent: span.parent_span_id(),
        kind: span.kind,
        start: span.start,
        end: span.end,
        answered: span.kind == SpanKind::Client && span.end.is_set() && got_answer(span),
        waited: may_wait && waited(&span.attributes),
    }
}

fn got_answer(span: &Span<'_>) -> bool {
    let names =
        ["http.response.status_code", "http.status_code", "rpc.response.status_code", "rpc.grpc.status_code"];
    let text = |value: Value<'_>| value.to_owned().to_text().into_owned();
    let [http, old_http, rpc, old_rpc] = values(&span.attributes, names);
    let (http, rpc) = (http.or(old_http).map(text), rpc.or(old_rpc).map(text));
    answered(http.as_deref(), rpc.as_deref(), span.status_code)
}

fn waited(attributes: &Attributes<'_>) -> bool {
    let [operation, old] = values(attributes, ["messaging.operation.type", "messaging.operation"]);
    operation.or(old).is_some_and(|value| value.as_str() == Some("receive"))
}

/// The values of these keys; of several the last. Attributes of other keys are not decoded.
fn values<'a, const N: usize>(attributes: &Attributes<'a>, names: [&str; N]) -> [Option<Value<'a>>; N] {
    let mut found = [const { None }; N];
    for encoded in attributes.encoded() {
        if !names.iter().any(|name| may_have_key(encoded, name)) {
            continue;
        }
        let Some(attribute) = Attribute::decode(encoded) else { continue };
        let at = names.iter().position(|name| attribute.key == *name);
        at.into_iter().for_each(|at| found[at] = Some(attribute.value.clone()));
    }
    found
}

/// Whether an encoded attribute may have this key of less than 128 bytes: in protobuf the key stands first, as a tag, its
/// length and itself, unless the sender wrote the value before it.
fn may_have_key(encoded: &[u8], name: &str) -> bool {
    const KEY_TAG: u8 = 0x0a;
    match encoded {
        [KEY_TAG, len, rest @ ..] if *len < 0x80 => {
            usize::from(*len) != name.len() || rest.starts_with(name.as_bytes())
        }
        _ => true,
    }
}

/// What a block says of clocks: each of its records by itself, and its ends of calls.
pub(crate) fn of_block(block: &Block) -> (ClockEvidence, BlockEnds) {
    let (mut ends, mut processes) = (Ends::default(), Processes::default());
    for frame in &block.frames {
        let Ok(body) = otlp::protobuf(frame.signal, frame.encoding, &frame.body) else { continue };
        let ends = std::cell::RefCell::new(&mut ends);
        kept_items(
            frame,
            &body,
            |_, item| add(item, frame, &mut ends.borrow_mut()),
            |group| processes.enter(group, &mut ends.borrow_mut()),
        );
    }
    let own = keyed(ends.take_ends());
    (ends.alone(), own)
}

/// The ends of the blocks that were read last.
#[derive(Default)]
pub(crate) struct Recent {
    blocks: HashMap<Place, BlockEnds>,
    order: VecDeque<Place>,
    ends: usize,
}

impl Recent {
    /// Remembers a block's ends, and forgets those of the oldest blocks.
    pub(crate) fn keep(&mut self, place: Place, ends: &BlockEnds) {
        if self.blocks.insert(place, Arc::clone(ends)).is_none() {
            self.order.push_back(place);
            self.ends += ends.len();
        }
        while self.ends > RECENT_ENDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ends -= self.blocks.remove(&oldest).map_or(0, |ends| ends.len());
        }
    }

    /// The ends of a block: remembered, or read anew; `None` where retention has taken it.
    pub(crate) fn of(&mut self, place: Place, reader: &Reader) -> Result<Option<BlockEnds>, IndexError> {
        if let Some(ends) = self.blocks.get(&place) {
            return Ok(Some(Arc::clone(ends)));
        }
        let block = match reader.block(place) {
            Err(ReadError::Gone(_)) => return Ok(None),
            other => other?,
        };
        let (_, ends) = of_block(&block);
        self.keep(place, &ends);
        Ok(Some(ends))
    }
}

/// Evidence, by the segment of the older of the two ends that it rests on.
pub(crate) type BySegment = BTreeMap<u64, ClockEvidence>;

/// Where other ends of the same calls may be: of each block their keys.
pub(crate) type Others = BTreeMap<Place, Vec<u64>>;

/// Looks for the keys of `ends`, which are sorted, in a run, where it may have them.
pub(crate) fn look_up(
    ends: &[Keyed],
    run: &Run,
    may_have: &dyn Fn(u64) -> bool,
    place: &dyn Fn(u32) -> Option<Place>,
    others: &mut Others,
) {
    let mut cursor = run.cursor(0);
    for same in ends.chunk_by(|a, b| a.key == b.key).filter(|same| may_have(same[0].key)) {
        let key = same[0].key;
        for block in cursor.blocks_of(key) {
            place(block).into_iter().for_each(|place| others.entry(place).or_default().push(key));
        }
    }
}

/// Adds what the ends, sorted, prove of each other: all of segment `segment`.
pub(crate) fn pair_within(ends: &[Keyed], segment: u64, evidence: &mut BySegment) {
    let own = evidence.entry(segment).or_default();
    for same in ends.chunk_by(|a, b| a.end.exchange == b.end.exchange).filter(|same| same.len() > 1) {
        let same: Vec<End> = same.iter().map(|keyed| keyed.end).collect();
        pair(&same, &same, own);
    }
}

/// Adds what `ends`, sorted, and those in other blocks prove of each other.
pub(crate) fn pair_with(
    ends: &[Keyed],
    others: &Others,
    mut ends_of: impl FnMut(Place) -> Result<Option<BlockEnds>, IndexError>,
    evidence: &mut BySegment,
) -> Result<(), IndexError> {
    for (place, keys) in others {
        let Some(block) = ends_of(*place)? else { continue };
        let into = evidence.entry(place.segment).or_default();
        for key in keys {
            for theirs in with_key(&block, *key).chunk_by(|a, b| a.end.exchange == b.end.exchange) {
                let exchange = theirs[0].end.exchange;
                let ours = with_key(ends, *key).iter().filter(|keyed| keyed.end.exchange == exchange);
                let ours: Vec<End> = ours.map(|keyed| keyed.end).collect();
                let theirs: Vec<End> = theirs.iter().map(|keyed| keyed.end).collect();
                pair(&ours, &theirs, into);
            }
        }
    }
    Ok(())
}

/// Those of the ends, sorted, that have this key.
pub(crate) fn with_key(ends: &[Keyed], key: u64) -> &[Keyed] {
    let from = ends.partition_point(|keyed| keyed.key < key);
    let count = ends[from..].iter().take_while(|keyed| keyed.key == key).count();
    &ends[from..from + count]
}
