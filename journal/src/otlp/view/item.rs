//! Spans and logs.

use std::borrow::Cow;

use timeline::id::{SpanId, TraceId};
use timeline::record::{Dropped, SpanKind, StatusCode};
use timeline::time::Time;

use super::super::wire::{Fault, Fields, Message, Once, Repeated};
use super::{Attributes, Value};

/// A span.
#[derive(Clone, Debug, Default)]
pub struct Span<'a> {
    pub(in super::super) trace: &'a [u8],
    pub(in super::super) span: &'a [u8],
    pub(in super::super) parent: &'a [u8],
    /// The W3C tracestate that it was started with; empty where there was none.
    pub trace_state: Cow<'a, str>,
    /// W3C trace flags in bits 0–7, "parent is remote" known in bit 8 and its value in bit 9.
    pub flags: u32,
    /// Its name.
    pub name: Cow<'a, str>,
    /// What role it plays in a message or call.
    pub kind: SpanKind,
    /// Start by the sender's clock.
    pub start: Time,
    /// End by the sender's clock.
    pub end: Time,
    /// Its own attributes.
    pub attributes: Attributes<'a>,
    /// What became of it.
    pub status_code: StatusCode,
    /// A word on an error.
    pub status_message: Cow<'a, str>,
    /// How many attributes, events and links the SDK dropped.
    pub dropped: Dropped,
    pub(in super::super) events: Repeated<'a>,
    pub(in super::super) links: Repeated<'a>,
}

impl<'a> Span<'a> {
    /// Its trace; `None` where the sender gave no valid id (and the span was refused).
    pub fn trace_id(&self) -> Option<TraceId> {
        trace_id(self.trace)
    }

    /// Itself; `None` where the sender gave no valid id (and the span was refused).
    pub fn span_id(&self) -> Option<SpanId> {
        SpanId::from_slice(self.span)
    }

    /// Its parent; `None` for a root, and where the id is not valid.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        SpanId::from_slice(self.parent)
    }

    /// Its events in the order of the list.
    pub fn events(&self) -> impl Iterator<Item = Event<'a>> + Clone + use<'a> {
        self.events.messages::<Event>().map_while(Result::ok)
    }

    /// Its links in the order of the list.
    pub fn links(&self) -> impl Iterator<Item = Link<'a>> + Clone + use<'a> {
        self.links.messages::<Link>().map_while(Result::ok)
    }
}

impl<'a> Message<'a> for Span<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let (mut span, mut status) = (Span::default(), Once::default());
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => span.trace = field.bytes()?,
                2 => span.span = field.bytes()?,
                3 => span.trace_state = field.text()?,
                4 => span.parent = field.bytes()?,
                5 => span.name = field.text()?,
                6 => span.kind = SpanKind::from_number(field.int32()?.into()),
                7 => span.start = Time(field.fixed64()?),
                8 => span.end = Time(field.fixed64()?),
                9 => span.attributes.push(&field)?,
                10 => span.dropped.attributes = field.uint32()?,
                11 => span.events.push(&field)?,
                12 => span.dropped.events = field.uint32()?,
                13 => span.links.push(&field)?,
                14 => span.dropped.links = field.uint32()?,
                15 => {
                    let status = Status::read(status.bytes(&field)?)?;
                    (span.status_code, span.status_message) = (status.code, status.message);
                }
                16 => span.flags = field.fixed32()?,
                _ => {}
            }
        }
        Ok(span)
    }
}

#[derive(Default)]
struct Status<'a> {
    code: StatusCode,
    message: Cow<'a, str>,
}

impl<'a> Message<'a> for Status<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut status = Status::default();
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                2 => status.message = field.text()?,
                3 => status.code = StatusCode::from_number(field.int32()?.into()),
                _ => {}
            }
        }
        Ok(status)
    }
}

/// A span event.
#[derive(Clone, Debug, Default)]
pub struct Event<'a> {
    /// When, by the span's clock.
    pub time: Time,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its own attributes.
    pub attributes: Attributes<'a>,
    /// How many attributes the SDK dropped.
    pub dropped_attributes_count: u32,
}

impl<'a> Message<'a> for Event<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut event = Event::default();
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => event.time = Time(field.fixed64()?),
                2 => event.name = field.text()?,
                3 => event.attributes.push(&field)?,
                4 => event.dropped_attributes_count = field.uint32()?,
                _ => {}
            }
        }
        Ok(event)
    }
}

/// A link to another span.
#[derive(Clone, Debug, Default)]
pub struct Link<'a> {
    pub(in super::super) trace: &'a [u8],
    pub(in super::super) span: &'a [u8],
    /// The tracestate carried with the link.
    pub trace_state: Cow<'a, str>,
    /// Its own attributes.
    pub attributes: Attributes<'a>,
    /// How many attributes the SDK dropped.
    pub dropped_attributes_count: u32,
    /// Flags as a span's.
    pub flags: u32,
}

impl Link<'_> {
    /// The other span's trace; `None` where the id is absent or not valid.
    pub fn trace_id(&self) -> Option<TraceId> {
        trace_id(self.trace)
    }

    /// The other span; `None` where the id is absent or not valid.
    pub fn span_id(&self) -> Option<SpanId> {
        SpanId::from_slice(self.span)
    }
}

impl<'a> Message<'a> for Link<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut link = Link::default();
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => link.trace = field.bytes()?,
                2 => link.span = field.bytes()?,
                3 => link.trace_state = field.text()?,
                4 => link.attributes.push(&field)?,
                5 => link.dropped_attributes_count = field.uint32()?,
                6 => link.flags = field.fixed32()?,
                _ => {}
            }
        }
        Ok(link)
    }
}

/// A log record.
#[derive(Clone, Debug, Default)]
pub struct Log<'a> {
    /// When it happened by the sender's clock.
    pub time: Time,
    /// When the telemetry pipeline first saw it.
    pub observed: Time,
    /// OTLP's severity number; 0 where the sender gave none.
    pub severity_number: i32,
    /// The severity as the source wrote it.
    pub severity_text: Cow<'a, str>,
    /// What it says.
    pub body: Value<'a>,
    /// Its own attributes.
    pub attributes: Attributes<'a>,
    /// How many attributes the SDK dropped.
    pub dropped_attributes_count: u32,
    /// W3C trace flags in bits 0–7.
    pub flags: u32,
    pub(in super::super) trace: &'a [u8],
    pub(in super::super) span: &'a [u8],
    /// The event's name, for a log that is a typed event.
    pub event_name: Cow<'a, str>,
}

impl Log<'_> {
    /// The trace that it was written in; `None` where the id is absent or not valid.
    pub fn trace_id(&self) -> Option<TraceId> {
        trace_id(self.trace)
    }

    /// The span that it was written in; `None` where the id is absent or not valid.
    pub fn span_id(&self) -> Option<SpanId> {
        SpanId::from_slice(self.span)
    }
}

impl<'a> Message<'a> for Log<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let (mut log, mut body) = (Log::default(), Once::default());
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => log.time = Time(field.fixed64()?),
                2 => log.severity_number = field.int32()?,
                3 => log.severity_text = field.text()?,
                5 => log.body = Value::read(body.bytes(&field)?)?,
                6 => log.attributes.push(&field)?,
                7 => log.dropped_attributes_count = field.uint32()?,
                8 => log.flags = field.fixed32()?,
                9 => log.trace = field.bytes()?,
                10 => log.span = field.bytes()?,
                11 => log.observed = Time(field.fixed64()?),
                12 => log.event_name = field.text()?,
                _ => {}
            }
        }
        Ok(log)
    }
}

/// How many bytes a trace id had in old Zipkin: the low half of ours.
pub(in super::super) const SHORT_TRACE_ID: usize = 8;

/// The trace id held in `bytes`: of 16 bytes, or of 8 and then padded with zeros at the left.
fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    if bytes.len() != SHORT_TRACE_ID {
        return TraceId::from_slice(bytes);
    }
    let mut padded = [0; 16];
    padded[SHORT_TRACE_ID..].copy_from_slice(bytes);
    TraceId::from_slice(&padded)
}
