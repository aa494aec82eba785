//! From a journal block to what the index holds of it, in one walk over its bodies.
//!
//! Most of what a span says was said by the span before it. An attribute is hashed as it is encoded, and
//! only what the block has not had yet is read; only what recent blocks have not had either is cut into
//! words and tokens.

use std::collections::HashMap;

use journal::otlp::view::{Attribute, Attributes, Group, Item, Log, Request, Span, Value};
use journal::otlp::{self};
use journal::{Block, Frame};
use timeline::clocks::{ClockEvidence, Ends};
use timeline::record::{Severity, SpanKind, StatusCode};
use timeline::time::Time;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::ends::{self, BlockEnds, Processes};
use crate::identity::{self, LogParts};
use crate::operations::Operations;
use crate::recurring::Recurring;
use crate::rows::Row;
use crate::run::Entry;
use crate::seen::Seen;
use crate::term::Term;
use crate::terms;

/// So many encoded attributes and names are remembered with their terms.
const MEMO_MAX: usize = 1 << 15;
/// Seeds of what is hashed as it is encoded.
const ENCODED_ATTRIBUTE: u64 = 1;
const NAME: u64 = 2;
const PROSE: u64 = 3;
const SERVICE: u64 = 4;

/// What the index is to hold of some blocks, in the order of their numbers.
#[derive(Default)]
pub(crate) struct Gathered {
    /// What stands where, one row a block.
    pub(crate) rows: Vec<Row>,
    /// The recurring terms, one list a block.
    pub(crate) documents: Vec<Vec<Term>>,
    /// Everything else that leads to a block.
    pub(crate) terms: Vec<Entry>,
    /// The identity keys of all items.
    pub(crate) identities: Vec<Entry>,
    /// The ends of calls and messages, one list a block.
    pub(crate) ends: Vec<BlockEnds>,
    /// Where calls have an end.
    pub(crate) exchanges: Vec<Entry>,
    /// What the records prove of clocks, each by itself.
    clocks: Ends,
    /// The services seen, and the names and kinds of their spans.
    pub(crate) operations: Operations,
    /// The earliest and latest time that a sender gave.
    pub(crate) times: Option<(Time, Time)>,
    /// Bodies that could not be read.
    pub(crate) unreadable: u64,
}

impl Gathered {
    /// What the records prove of clocks, each by itself.
    pub(crate) fn clocks(&self) -> ClockEvidence {
        self.clocks.alone()
    }
}

/// Walks blocks. What it remembers between them makes it faster and the index smaller, never different in its answers.
pub(crate) struct Extractor {
    /// `None`: every term counts as recurring.
    recurring: Option<Recurring>,
    encoded: Seen,
    terms: Seen,
    memo: HashMap<u64, Box<[Term]>>,
    scratch: Vec<Term>,
    processes: Processes,
}

impl Extractor {
    pub(crate) fn new() -> Extractor {
        Extractor {
            recurring: Some(Recurring::new()),
            encoded: Seen::new(),
            terms: Seen::new(),
            memo: HashMap::new(),
            scratch: Vec::new(),
            processes: Processes::default(),
        }
    }

    /// One that gives all terms but ids whole, as recurring ones: for the comparison with an index.
    pub(crate) fn of_all_terms() -> Extractor {
        Extractor { recurring: None, ..Extractor::new() }
    }

    /// Adds what block number `number` holds to `gathered`.
    pub(crate) fn add(&mut self, block: &Block, number: u32, gathered: &mut Gathered) {
        self.encoded.clear();
        self.terms.clear();
        let outline = Outline::starting(block);
        let mut walk =
            Walk { extractor: self, number, outline, document: Vec::new(), gathered, service: String::new() };
        block.frames.iter().for_each(|frame| walk.frame(frame));
        let Walk { outline, document, .. } = walk;
        let identities = outline.identities.into_iter().map(|key| Entry::new(key, number));
        gathered.identities.extend(identities);
        gathered.rows.push(outline.row);
        gathered.documents.push(document);
        let own = ends::keyed(gathered.clocks.take_ends());
        gathered.exchanges.extend(ends::entries(&own, number));
        gathered.ends.push(own);
    }
}

/// All terms of blocks, unique ones too, as the hashes that lead to them: for measuring other designs.
#[doc(hidden)]
pub struct TermsOfBlocks(Extractor);

impl Default for TermsOfBlocks {
    fn default() -> TermsOfBlocks {
        TermsOfBlocks(Extractor::of_all_terms())
    }
}

impl TermsOfBlocks {
    #[doc(hidden)]
    pub fn of(&mut self, block: &Block) -> Vec<u64> {
        let mut gathered = Gathered::default();
        self.0.add(block, 0, &mut gathered);
        let ids = gathered.terms.iter().chain(&gathered.identities).map(|entry| entry.key());
        let mut terms: Vec<u64> = gathered.documents.iter().flatten().map(|term| term.0).chain(ids).collect();
        terms.sort_unstable();
        terms.dedup();
        terms
    }
}

/// What is known of a block by a short walk: its row and the identity keys of its items.
pub(crate) struct Outline {
    pub(crate) row: Row,
    pub(crate) identities: Vec<u64>,
}

impl Outline {
    fn starting(block: &Block) -> Outline {
        Outline { row: Row::starting(block.place.offset), identities: Vec::new() }
    }

    /// The outline of `block`.
    pub(crate) fn of(block: &Block) -> Outline {
        let mut outline = Outline::starting(block);
        for frame in &block.frames {
            outline.row.rejected += frame.refused.len() as u32;
            let Ok(body) = otlp::protobuf(frame.signal, frame.encoding, &frame.body) else { continue };
            kept_items(frame, &body, |_, item| outline.item(item), |_| {});
        }
        outline
    }

    fn item(&mut self, item: &Item<'_>) {
        match item {
            Item::Span(span) => self.span(span),
            Item::Log(log) => self.log(log),
        }
    }

    fn span(&mut self, span: &Span<'_>) {
        let (trace, id) = (span.trace_id().unwrap_or_default(), span.span_id().unwrap_or_default());
        self.identities.push(identity::of_span(trace, id));
        self.row.spans += 1;
        self.row.extend(span.start);
        if span.start.is_set() && span.end.is_set() {
            self.row.duration_max = self.row.duration_max.max(span.end.0.saturating_sub(span.start.0));
        }
    }

    fn log(&mut self, log: &Log<'_>) {
        let parts = LogParts {
            time: log.time,
            observed: log.observed,
            severity_number: log.severity_number,
            trace: log.trace_id(),
            span: log.span_id(),
            text: log.body.as_str().unwrap_or_default(),
        };
        self.identities.push(parts.key());
        self.row.logs += 1;
        self.row.extend(time_of(log));
    }
}

fn time_of(log: &Log<'_>) -> Time {
    if log.time.is_set() { log.time } else { log.observed }
}

/// Calls `group` at each resource of a body and `item` with each item that was not refused.
pub(crate) fn kept_items<'b>(
    frame: &Frame,
    body: &'b [u8],
    mut item: impl FnMut(&Group<'b>, &Item<'b>),
    mut group: impl FnMut(&Group<'b>),
) {
    let mut ordinal = 0;
    for own in Request::new(frame.signal, body).groups() {
        group(&own);
        for each in own.scopes().flat_map(|scope| scope.items()) {
            if frame.refused.binary_search(&ordinal).is_err() {
                item(&own, &each);
            }
            ordinal += 1;
        }
    }
}

/// The walk over one block.
struct Walk<'a> {
    extractor: &'a mut Extractor,
    number: u32,
    outline: Outline,
    document: Vec<Term>,
    gathered: &'a mut Gathered,
    /// That of the resource at hand.
    service: String,
}

impl Walk<'_> {
    fn frame(&mut self, frame: &Frame) {
        let Ok(body) = otlp::protobuf(frame.signal, frame.encoding, &frame.body) else {
            self.gathered.unreadable += 1;
            return;
        };
        self.outline.row.rejected += frame.refused.len() as u32;
        let walk = std::cell::RefCell::new(self);
        kept_items(
            frame,
            &body,
            |_, item| walk.borrow_mut().item(item, frame),
            |group| walk.borrow_mut().resource(group),
        );
    }

    fn resource(&mut self, group: &Group<'_>) {
        let name = group.resource.attributes.get("service.name");
        let service = name.as_ref().and_then(Value::as_str).filter(|name| !name.is_empty());
        let service = service.unwrap_or("unknown_service");
        self.term(Term::service(service));
        self.gathered.operations.add_service(service);
        if self.service != service {
            service.clone_into(&mut self.service);
        }
        self.attributes(&group.resource.attributes);
        self.extractor.processes.enter(group, &mut self.gathered.clocks);
    }

    fn item(&mut self, item: &Item<'_>, frame: &Frame) {
        self.outline.item(item);
        ends::add(item, frame, &mut self.gathered.clocks);
        match item {
            Item::Span(span) => self.span(span),
            Item::Log(log) => self.log(log),
        }
    }

    fn span(&mut self, span: &Span<'_>) {
        self.entry(Term::trace(span.trace_id().unwrap_or_default()));
        if let Some(parent) = span.parent_span_id() {
            self.entry(Term::mention(parent));
        }
        self.time(span.start);
        self.text(NAME, &span.name);
        self.operation(&span.name, span.kind);
        self.term(Term::span_kind(span.kind));
        self.term(Term::status(span.status_code));
        if span.status_code == StatusCode::Error {
            self.term(Term::severity(Severity::Error));
        }
        self.text(PROSE, &span.status_message);
        self.attributes(&span.attributes);
        for event in span.events() {
            self.text(NAME, &event.name);
            self.attributes(&event.attributes);
        }
        for link in span.links() {
            self.entry(Term::linked_trace(link.trace_id().unwrap_or_default()));
            self.entry(Term::mention(link.span_id().unwrap_or_default()));
            self.attributes(&link.attributes);
        }
    }

    /// Most spans of a block go by a name that the block has had.
    fn operation(&mut self, name: &str, kind: SpanKind) {
        let service = xxh3_64_with_seed(self.service.as_bytes(), SERVICE);
        if self.extractor.encoded.insert(xxh3_64_with_seed(name.as_bytes(), service ^ kind as u64)) {
            self.gathered.operations.add(&self.service, name, kind);
        }
    }

    fn log(&mut self, log: &Log<'_>) {
        if let Some(trace) = log.trace_id() {
            self.entry(Term::trace(trace));
        }
        if let Some(span) = log.span_id() {
            self.entry(Term::mention(span));
        }
        self.time(time_of(log));
        let by_number = Severity::from_number(log.severity_number);
        if let Some(severity) = by_number.or_else(|| Severity::from_name(&log.severity_text)) {
            self.term(Term::severity(severity));
        }
        self.text(NAME, &log.event_name);
        match &log.body {
            Value::Text(text) => self.text(PROSE, text),
            body => {
                let mut found = std::mem::take(&mut self.extractor.scratch);
                terms::of_value(body, &mut found);
                for term in found.drain(..) {
                    self.term(term);
                }
                self.extractor.scratch = found;
            }
        }
        self.attributes(&log.attributes);
    }

    fn time(&mut self, time: Time) {
        if time.is_set() {
            let (first, last) = self.gathered.times.unwrap_or((time, time));
            self.gathered.times = Some((first.min(time), last.max(time)));
        }
    }

    /// A term that is known to be particular: an id.
    fn entry(&mut self, term: Term) {
        self.gathered.terms.push(Entry::new(term.run_key(), self.number));
    }

    /// Any other term; says whether it recurs from block to block.
    fn term(&mut self, term: Term) -> bool {
        if !self.extractor.terms.insert(term.0) {
            return false;
        }
        let recurs = self.extractor.recurring.as_mut().is_none_or(|recurring| recurring.note(term));
        if recurs {
            self.document.push(term);
        } else {
            self.entry(term);
        }
        recurs
    }

    fn attributes(&mut self, attributes: &Attributes<'_>) {
        for encoded in attributes.encoded() {
            self.once(xxh3_64_with_seed(encoded, ENCODED_ATTRIBUTE), |found| {
                if let Some(attribute) = Attribute::decode(encoded) {
                    terms::of_attribute(&attribute.key, &attribute.value, found);
                }
            });
        }
    }

    fn text(&mut self, kind: u64, text: &str) {
        if !text.is_empty() {
            self.once(xxh3_64_with_seed(text.as_bytes(), kind), |found| match kind {
                NAME => terms::of_name(text, found),
                _ => terms::of_prose(text, found),
            });
        }
    }

    /// Notes the terms of something, unless this block has had it before.
    fn once(&mut self, hash: u64, find: impl FnOnce(&mut Vec<Term>)) {
        if !self.extractor.encoded.insert(hash) {
            return;
        }
        let mut found = std::mem::take(&mut self.extractor.scratch);
        let known = self.extractor.memo.get(&hash);
        match known {
            Some(terms) => found.extend(terms),
            None => find(&mut found),
        }
        let remember = known.is_none();
        let recurring = found.iter().filter(|term| self.term(**term)).count();
        if remember && recurring > 0 && recurring == found.len() {
            if self.extractor.memo.len() >= MEMO_MAX {
                self.extractor.memo.clear();
            }
            self.extractor.memo.insert(hash, found.as_slice().into());
        }
        found.clear();
        self.extractor.scratch = found;
    }
}
