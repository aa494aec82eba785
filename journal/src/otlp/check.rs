//! What is accepted, refused and mended: one walk over a request.

use std::borrow::Cow;
use std::fmt;

use hlc::{Stamp, tracestate};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use timeline::time::Time;

use super::keys::Keys;
use super::view::{
    Attribute, Attributes, Event, Group, Link, Log, Resource, SHORT_TRACE_ID, Scope, ScopeGroup, Span, Value,
};
use super::wire::{Fault, Fields, List, Message, Repeated, mended};
use super::{DEPTH_MAX, Encoding, Malformed, PARTS_MAX, Signal, json};

/// How many refused items [`Checked::message`] names.
const EXAMPLES_MAX: usize = 3;

/// What a walk over a request found. Every item that is not refused must be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many spans or log records the request holds, refused ones counted.
    pub items: u32,
    /// Those that can't be kept, in order.
    pub refused: Vec<Refused>,
    /// What was wrong with those that are kept.
    pub defects: Defects,
    /// The largest stamp that the request carries.
    pub carried: Option<Stamp>,
}

impl Checked {
    /// Whether the item with this number can't be kept.
    pub fn refuses(&self, item: u32) -> bool {
        self.refused.binary_search_by_key(&item, |refused| refused.item).is_ok()
    }

    /// What to tell the sender: which items were refused and why, then what was mended; empty where
    /// there is nothing to tell. At most a few hundred bytes.
    pub fn message(&self, signal: Signal) -> String {
        let mut parts = Vec::new();
        if !self.refused.is_empty() {
            let (refused, items, item) = (self.refused.len(), self.items, signal.item());
            let examples: Vec<_> = self.refused.iter().take(EXAMPLES_MAX).map(Refused::to_string).collect();
            let more = if refused > EXAMPLES_MAX { "; …" } else { "" };
            parts.push(format!("refused {refused} of {items} {item}s: {}{more}", examples.join("; ")));
        }
        parts.extend(self.defects.words());
        parts.join(". ")
    }
}

/// One item that can't be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The item's number in the whole request, from 0.
    pub item: u32,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "number {}: {}", self.item, self.reason)
    }
}

/// Why an item can't be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A span without a trace id.
    TraceIdMissing,
    /// A span whose trace id has neither 16 bytes nor 8.
    TraceIdLength,
    /// A span whose trace id is all zero.
    TraceIdZero,
    /// A span without a span id.
    SpanIdMissing,
    /// A span whose span id has not 8 bytes.
    SpanIdLength,
    /// A span whose span id is all zero.
    SpanIdZero,
    /// More than [`DEPTH_MAX`] values lie inside each other, in the item or in its resource or scope.
    TooDeep,
}

impl Reason {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::TraceIdMissing => "it has no trace id",
            Reason::TraceIdLength => "its trace id is not 16 bytes (in JSON 32 hexadecimal digits)",
            Reason::TraceIdZero => "its trace id is all zero",
            Reason::SpanIdMissing => "it has no span id",
            Reason::SpanIdLength => "its span id is not 8 bytes (in JSON 16 hexadecimal digits)",
            Reason::SpanIdZero => "its span id is all zero",
            Reason::TooDeep => "its values are nested deeper than 32",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was wrong with what is kept, by how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defects {
    /// Texts that are not UTF-8: the wrong bytes are read as U+FFFD.
    pub invalid_texts: u32,
    /// Trace ids of 8 bytes: padded with zeros at the left.
    pub short_trace_ids: u32,
    /// Parents', links' and logs' ids that are not valid: read as absent.
    pub invalid_ids: u32,
    /// Keys given as an index into a table that OTLP has for profiles only: read as absent.
    pub indices: u32,
    /// Spans with neither name nor times: often another signal's data.
    pub blank_spans: u32,
    /// Carried stamps that are none: kept as they came, and not merged.
    pub invalid_stamps: u32,
    /// Spans and logs whose times can hardly be nanoseconds since 1970: kept as they are.
    pub odd_times: u32,
    /// Spans that end before they start: a clock was set meanwhile, or two clocks were read. Kept as they are.
    pub reversed_spans: u32,
    /// Keys that stand twice in one list of attributes, or names twice in one JSON object: the last one counts.
    pub repeated_keys: u32,
    /// Integers beyond 64 bits in JSON, read as floating-point numbers.
    pub wide_integers: u32,
}

impl Defects {
    /// How many kinds there are.
    pub const KINDS: usize = 10;

    /// How often each kind occurred.
    pub fn counts(&self) -> [u32; Defects::KINDS] {
        self.kinds().map(|(count, _)| count)
    }

    /// Each kind that occurred, in words.
    fn words(&self) -> impl Iterator<Item = String> {
        let occurred = self.kinds().into_iter().filter(|(count, _)| *count > 0);
        occurred.map(|(count, words)| format!("{words}: {count}"))
    }

    fn kinds(&self) -> [(u32, &'static str); Defects::KINDS] {
        [
            (self.invalid_texts, "texts that are not UTF-8, wrong bytes read as U+FFFD"),
            (self.short_trace_ids, "trace ids of 8 bytes, padded with zeros at the left"),
            (self.invalid_ids, "invalid ids of parents, links or logs, read as absent"),
            (self.indices, "keys by table index, which only profiles have, read as absent"),
            (self.blank_spans, "spans with neither name nor times (another signal's data?)"),
            (self.invalid_stamps, "stamps (hlc) that are not 16 hexadecimal digits, ignored"),
            (self.odd_times, "times before 2000 or after 2100 (not in nanoseconds?), kept as they are"),
            (self.reversed_spans, "spans that end before they start, kept as they are"),
            (self.repeated_keys, "keys given twice, of which the last counts"),
            (self.wide_integers, "integers beyond 64 bits, read as floating-point numbers"),
        ]
    }
}

/// Walks a request once: is it whole, how many items has it, and which can't be kept?
///
/// # Errors
/// Where the body is torn, is no request of this signal, or holds more than [`PARTS_MAX`] parts.
pub fn check(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Checked, Malformed> {
    match encoding {
        Encoding::Protobuf => check_protobuf(signal, body),
        Encoding::Json => {
            let converted = json::convert(signal, body)?;
            let mut checked = check_protobuf(signal, &converted.protobuf)?;
            checked.defects.invalid_texts += converted.mended.invalid_texts;
            checked.defects.repeated_keys += converted.mended.repeated_names;
            checked.defects.wide_integers += converted.mended.wide_integers;
            Ok(checked)
        }
    }
}

fn check_protobuf(signal: Signal, body: &[u8]) -> Result<Checked, Malformed> {
    let mut walk = Walk::default();
    match walk.request(signal, body) {
        Ok(()) => Ok(walk.checked),
        Err(fault) => {
            let hint = looks_like(signal, body).map(|other| format!(" (it reads as a {other} request)"));
            let what = format!("{}{}", fault.what, hint.unwrap_or_default());
            Err(Malformed { signal, offset: fault.offset_in(body), what })
        }
    }
}

/// Which other signal's request this body is: a common cause of one that can't be read.
fn looks_like(signal: Signal, body: &[u8]) -> Option<&'static str> {
    let reads_as = |other| {
        let mut walk = Walk::default();
        other != signal && walk.request(other, body).is_ok() && walk.checked.items > 0
    };
    let other = [Signal::Traces, Signal::Logs].into_iter().find(|other| reads_as(*other));
    let metrics = || {
        let request = <ExportMetricsServiceRequest as prost::Message>::decode(body).ok()?;
        (!request.resource_metrics.is_empty()).then_some("metrics")
    };
    other.map(Signal::as_str).or_else(metrics)
}

#[derive(Default)]
struct Walk {
    checked: Checked,
    parts: u32,
    /// Whether values lay too deep since it was last taken.
    too_deep: bool,
}

impl Walk {
    fn request(&mut self, signal: Signal, body: &[u8]) -> Result<(), Fault> {
        for group in List::read(body)?.0.messages::<Group>() {
            let group = group?;
            self.resource(&group.resource)?;
            self.texts([&group.schema_url]);
            let resource_too_deep = std::mem::take(&mut self.too_deep);
            for scope in group.scopes.messages::<ScopeGroup>() {
                let scope = scope?;
                self.scope(&scope.scope)?;
                self.texts([&scope.schema_url]);
                let scope_too_deep = std::mem::take(&mut self.too_deep) || resource_too_deep;
                self.items(signal, scope.items, scope_too_deep)?;
            }
        }
        Ok(())
    }

    fn items(&mut self, signal: Signal, items: Repeated<'_>, too_deep: bool) -> Result<(), Fault> {
        match signal {
            Signal::Traces => {
                for span in items.messages::<Span>() {
                    let reason = self.span(&span?)?;
                    self.item(reason, too_deep);
                }
            }
            Signal::Logs => {
                for log in items.messages::<Log>() {
                    self.log(&log?)?;
                    self.item(None, too_deep);
                }
            }
        }
        Ok(())
    }

    /// Counts the item just walked, and notes it where it can't be kept.
    fn item(&mut self, reason: Option<Reason>, too_deep: bool) {
        let too_deep = std::mem::take(&mut self.too_deep) || too_deep;
        if let Some(reason) = reason.or(too_deep.then_some(Reason::TooDeep)) {
            self.checked.refused.push(Refused { item: self.checked.items, reason });
        }
        self.checked.items += 1;
    }

    fn span(&mut self, span: &Span<'_>) -> Result<Option<Reason>, Fault> {
        self.part()?;
        self.texts([&span.name, &span.status_message, &span.trace_state]);
        self.trace_state(&span.trace_state);
        self.item_attributes(span.attributes)?;
        for event in span.events.messages::<Event>() {
            let event = event?;
            self.part()?;
            self.texts([&event.name]);
            self.item_attributes(event.attributes)?;
        }
        for link in span.links.messages::<Link>() {
            self.link(&link?)?;
        }
        self.optional_id(span.parent, span.parent_span_id());
        let blank = span.name.is_empty() && !span.start.is_set() && !span.end.is_set();
        self.checked.defects.blank_spans += u32::from(blank);
        self.times([span.start, span.end]);
        let reversed = span.start.is_set() && span.end.is_set() && span.end < span.start;
        self.checked.defects.reversed_spans += u32::from(reversed);
        self.trace_id(span.trace);
        Ok(refusal(span))
    }

    fn link(&mut self, link: &Link<'_>) -> Result<(), Fault> {
        self.part()?;
        self.texts([&link.trace_state]);
        self.trace_state(&link.trace_state);
        self.trace_id(link.trace);
        self.optional_id(link.trace, link.trace_id());
        self.optional_id(link.span, link.span_id());
        self.attributes(link.attributes, 1)
    }

    fn log(&mut self, log: &Log<'_>) -> Result<(), Fault> {
        self.part()?;
        self.texts([&log.severity_text, &log.event_name]);
        self.trace_id(log.trace);
        self.optional_id(log.trace, log.trace_id());
        self.optional_id(log.span, log.span_id());
        self.times([log.time, log.observed]);
        self.value(&log.body, 1)?;
        self.item_attributes(log.attributes)
    }

    fn resource(&mut self, resource: &Resource<'_>) -> Result<(), Fault> {
        for entity in resource.entity_refs.messages::<EntityRef>() {
            self.checked.defects.invalid_texts += entity?.invalid_texts;
        }
        self.attributes(resource.attributes, 1)
    }

    fn scope(&mut self, scope: &Scope<'_>) -> Result<(), Fault> {
        self.texts([&scope.name, &scope.version]);
        self.attributes(scope.attributes, 1)
    }

    /// The attributes of a span, span event or log, among which a stamp may be.
    fn item_attributes(&mut self, attributes: Attributes<'_>) -> Result<(), Fault> {
        let mut keys = Keys::default();
        for attribute in attributes.0.messages::<Attribute>() {
            let attribute = attribute?;
            self.checked.defects.repeated_keys += u32::from(keys.repeats(&attribute.key));
            if attribute.key == tracestate::NAME {
                self.carry(attribute.value.as_str().and_then(|text| text.parse().ok()));
            }
            self.attribute(&attribute, 1)?;
        }
        Ok(())
    }

    fn attributes(&mut self, attributes: Attributes<'_>, depth: u32) -> Result<(), Fault> {
        let mut keys = Keys::default();
        for attribute in attributes.0.messages::<Attribute>() {
            let attribute = attribute?;
            self.checked.defects.repeated_keys += u32::from(keys.repeats(&attribute.key));
            self.attribute(&attribute, depth)?;
        }
        Ok(())
    }

    #[inline]
    fn attribute(&mut self, attribute: &Attribute<'_>, depth: u32) -> Result<(), Fault> {
        self.part()?;
        self.texts([&attribute.key]);
        self.checked.defects.indices += u32::from(attribute.indexed);
        self.value(&attribute.value, depth)
    }

    /// `depth` is how many values this one lies in, itself counted.
    #[inline]
    fn value(&mut self, value: &Value<'_>, depth: u32) -> Result<(), Fault> {
        match value {
            Value::Text(text) => self.texts([text]),
            Value::Array(_) | Value::Map(_) if depth == DEPTH_MAX => self.too_deep = true,
            Value::Array(values) => {
                for value in values.0.messages::<Value>() {
                    self.part()?;
                    self.value(&value?, depth + 1)?;
                }
            }
            Value::Map(attributes) => self.attributes(*attributes, depth + 1)?,
            Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Bytes(_) => {}
        }
        Ok(())
    }

    #[inline]
    fn part(&mut self) -> Result<(), Fault> {
        self.parts += 1;
        if self.parts > PARTS_MAX { Err(Fault::at_end(TOO_MANY)) } else { Ok(()) }
    }

    #[inline]
    fn texts<const N: usize>(&mut self, texts: [&Cow<'_, str>; N]) {
        self.checked.defects.invalid_texts += mended(texts);
    }

    fn trace_state(&mut self, trace_state: &str) {
        if let Some(stamp) = tracestate::carried(trace_state) {
            self.carry(stamp.ok());
        }
    }

    fn carry(&mut self, stamp: Option<Stamp>) {
        match stamp {
            Some(_) => self.checked.carried = self.checked.carried.max(stamp),
            None => self.checked.defects.invalid_stamps += 1,
        }
    }

    fn times<const N: usize>(&mut self, times: [Time; N]) {
        let odd = times.into_iter().any(|time| ODD_BEFORE_2000.contains(&time.0) || time.0 >= YEAR_2100_NS);
        self.checked.defects.odd_times += u32::from(odd);
    }

    fn trace_id(&mut self, bytes: &[u8]) {
        self.checked.defects.short_trace_ids += u32::from(bytes.len() == SHORT_TRACE_ID);
    }

    /// Counts an id that is there and is none. All zero is how some senders write "absent".
    fn optional_id<Id: Copy>(&mut self, bytes: &[u8], id: Option<Id>) {
        let invalid = id.is_none() && bytes.iter().any(|byte| *byte != 0);
        self.checked.defects.invalid_ids += u32::from(invalid);
    }
}

/// What seconds, milliseconds and microseconds of this century look like where nanoseconds are meant; below are
/// the small numbers of examples.
const ODD_BEFORE_2000: std::ops::Range<u64> = 900_000_000..946_684_800_000_000_000;
const YEAR_2100_NS: u64 = 4_102_444_800_000_000_000;

const TOO_MANY: &str = "it holds more than 4194304 spans, logs, attributes, events, links and list elements";

/// Why a span can't be kept, by its ids.
fn refusal(span: &Span<'_>) -> Option<Reason> {
    match (span.trace.len(), span.trace_id()) {
        (0, _) => return Some(Reason::TraceIdMissing),
        (16 | SHORT_TRACE_ID, None) => return Some(Reason::TraceIdZero),
        (_, None) => return Some(Reason::TraceIdLength),
        (_, Some(_)) => {}
    }
    match (span.span.len(), span.span_id()) {
        (0, _) => Some(Reason::SpanIdMissing),
        (8, None) => Some(Reason::SpanIdZero),
        (_, None) => Some(Reason::SpanIdLength),
        (_, Some(_)) => None,
    }
}

/// A resource's reference to an entity: nothing reads it yet, but it must be well-formed.
struct EntityRef {
    invalid_texts: u32,
}

impl<'a> Message<'a> for EntityRef {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut invalid_texts = 0;
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            if let 1..=4 = field.number {
                invalid_texts += mended([&field.text()?]);
            }
        }
        Ok(EntityRef { invalid_texts })
    }
}
