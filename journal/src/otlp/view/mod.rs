//! Zero-copy views over an OTLP request in protobuf.
//!
//! ```text
//! Request ─▶ Group (a resource) ─▶ ScopeGroup (a scope) ─▶ Span ─▶ Attribute, Event, Link
//!                                                       └▶ Log  ─▶ Attribute, Value
//! ```
//!
//! A view borrows the body and copies nothing but text that is not UTF-8. Views are meant for bodies
//! that [`check`](super::check) has passed: where a message can't be read, its list simply ends.
//! A text or number that may stand once and stands twice has its last value, as in protobuf.

mod item;
mod value;

pub(super) use item::SHORT_TRACE_ID;
pub use item::{Event, Link, Log, Span};
pub use value::{Attribute, Attributes, Value, Values};

use std::borrow::Cow;

use value::Encoded;

use super::Signal;
use super::wire::{Fault, Fields, List, Message, Once, Repeated};

/// A whole export request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    signal: Signal,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The request of `signal` whose protobuf is `body`.
    pub fn new(signal: Signal, body: &'a [u8]) -> Request<'a> {
        Request { signal, body }
    }

    /// Its parts by resource, in order.
    pub fn groups(&self) -> impl Iterator<Item = Group<'a>> + Clone + use<'a> {
        let signal = self.signal;
        let List(groups) = List::read(self.body).unwrap_or_default();
        groups.messages::<Group>().map_while(Result::ok).map(move |group| Group { signal, ..group })
    }
}

/// All that one resource sent: OTLP's `ResourceSpans` or `ResourceLogs`.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    signal: Signal,
    /// What made the records.
    pub resource: Resource<'a>,
    /// Which version of the semantic conventions the resource follows; empty where unknown.
    pub schema_url: Cow<'a, str>,
    pub(super) scopes: Repeated<'a>,
}

impl<'a> Group<'a> {
    /// Its parts by scope, in order.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeGroup<'a>> + Clone + use<'a> {
        let signal = self.signal;
        let scopes = self.scopes.messages::<ScopeGroup>().map_while(Result::ok);
        scopes.map(move |scope| ScopeGroup { signal, ..scope })
    }
}

impl<'a> Message<'a> for Group<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut resource = Once::default();
        let mut group = Group {
            signal: Signal::Traces,
            resource: Resource::default(),
            schema_url: Cow::default(),
            scopes: Repeated::default(),
        };
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => group.resource = Resource::read(resource.bytes(&field)?)?,
                2 => group.scopes.push(&field)?,
                3 => group.schema_url = field.text()?,
                _ => {}
            }
        }
        Ok(group)
    }
}

/// What made the telemetry.
#[derive(Clone, Debug, Default)]
pub struct Resource<'a> {
    /// Its attributes.
    pub attributes: Attributes<'a>,
    /// How many attributes the SDK dropped.
    pub dropped_attributes_count: u32,
    pub(super) entity_refs: Repeated<'a>,
}

impl<'a> Message<'a> for Resource<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut resource = Resource::default();
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => resource.attributes.push(&field)?,
                2 => resource.dropped_attributes_count = field.uint32()?,
                3 => resource.entity_refs.push(&field)?,
                _ => {}
            }
        }
        Ok(resource)
    }
}

/// All that one scope of a resource sent: OTLP's `ScopeSpans` or `ScopeLogs`.
#[derive(Clone, Debug)]
pub struct ScopeGroup<'a> {
    signal: Signal,
    /// Which library made the records.
    pub scope: Scope<'a>,
    /// Which version of the semantic conventions the records follow; empty where unknown.
    pub schema_url: Cow<'a, str>,
    pub(super) items: Repeated<'a>,
}

impl<'a> ScopeGroup<'a> {
    /// Its spans or logs, in order, refused ones included.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + Clone + use<'a> {
        let items = self.items;
        let (spans, logs) = match self.signal {
            Signal::Traces => (items, Repeated::default()),
            Signal::Logs => (Repeated::default(), items),
        };
        let spans = spans.messages::<Span>().map_while(Result::ok).map(Item::Span);
        spans.chain(logs.messages::<Log>().map_while(Result::ok).map(Item::Log))
    }

    /// Its items as they are encoded, for who reads few of them: see [`ScopeGroup::decode`].
    pub fn encoded(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.items.messages::<Encoded>().map_while(Result::ok).map(|Encoded(bytes)| bytes)
    }

    /// Reads one of [`ScopeGroup::encoded`].
    pub fn decode(&self, encoded: &'a [u8]) -> Option<Item<'a>> {
        match self.signal {
            Signal::Traces => Span::read(encoded).ok().map(Item::Span),
            Signal::Logs => Log::read(encoded).ok().map(Item::Log),
        }
    }
}

impl<'a> Message<'a> for ScopeGroup<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut scope = Once::default();
        let mut group = ScopeGroup {
            signal: Signal::Traces,
            scope: Scope::default(),
            schema_url: Cow::default(),
            items: Repeated::default(),
        };
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => group.scope = Scope::read(scope.bytes(&field)?)?,
                2 => group.items.push(&field)?,
                3 => group.schema_url = field.text()?,
                _ => {}
            }
        }
        Ok(group)
    }
}

/// An instrumentation scope.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    /// The library's name; empty where unknown.
    pub name: Cow<'a, str>,
    /// The library's version; empty where unknown.
    pub version: Cow<'a, str>,
    /// The scope's own attributes.
    pub attributes: Attributes<'a>,
    /// How many attributes the SDK dropped.
    pub dropped_attributes_count: u32,
}

impl<'a> Message<'a> for Scope<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut scope = Scope::default();
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => scope.name = field.text()?,
                2 => scope.version = field.text()?,
                3 => scope.attributes.push(&field)?,
                4 => scope.dropped_attributes_count = field.uint32()?,
                _ => {}
            }
        }
        Ok(scope)
    }
}

/// A span or a log.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// A span.
    Span(Span<'a>),
    /// A log record.
    Log(Log<'a>),
}
