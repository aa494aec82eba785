//! Attributes and their values.

use std::borrow::Cow;

use timeline::value as owned;

use super::super::DEPTH_MAX;
use super::super::wire::{Fault, Field, Fields, List, Message, Once, Repeated};

/// A list of attributes. Keys may repeat; the last counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a>(pub(in super::super) Repeated<'a>);

impl<'a> Attributes<'a> {
    #[inline]
    pub(super) fn push(&mut self, field: &Field<'a>) -> Result<(), Fault> {
        self.0.push(field)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The attributes in the sender's order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Attribute<'a>> + Clone + use<'a> {
        self.0.messages::<Attribute>().map_while(Result::ok)
    }

    /// The attributes as they are encoded, for who has seen most of them before: see [`Attribute::decode`].
    #[inline]
    pub fn encoded(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.0.messages::<Encoded>().map_while(Result::ok).map(|Encoded(bytes)| bytes)
    }

    /// The value of `key`: of several the last.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.iter().filter(|attribute| attribute.key == key).last().map(|attribute| attribute.value)
    }

    /// A copy that owns its text, sorted, of each key the last value.
    pub fn to_owned(&self) -> owned::Attributes {
        self.to_owned_within(DEPTH_MAX)
    }

    fn to_owned_within(self, depth: u32) -> owned::Attributes {
        let pairs = self
            .iter()
            .map(|Attribute { key, value, .. }| (key.into_owned(), value.into_owned_within(depth)));
        pairs.collect()
    }
}

/// A key and its value.
#[derive(Clone, Debug, Default)]
pub struct Attribute<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// The value.
    pub value: Value<'a>,
    /// Invariant: set where the sender gave an index into a table that OTLP has for profiles only.
    pub(in super::super) indexed: bool,
}

impl<'a> Attribute<'a> {
    /// Reads one of [`Attributes::encoded`].
    pub fn decode(encoded: &'a [u8]) -> Option<Attribute<'a>> {
        Attribute::read(encoded).ok()
    }
}

/// A message left as it is.
#[derive(Clone, Copy)]
pub(super) struct Encoded<'a>(pub(super) &'a [u8]);

impl<'a> Message<'a> for Encoded<'a> {
    #[inline]
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        Ok(Encoded(message))
    }
}

impl<'a> Message<'a> for Attribute<'a> {
    #[inline]
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let (mut attribute, mut value) = (Attribute::default(), Once::default());
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => attribute.key = field.text()?,
                2 => attribute.value = Value::read(value.bytes(&field)?)?,
                3 => attribute.indexed |= field.int32()? != 0,
                _ => {}
            }
        }
        Ok(attribute)
    }
}

/// An attribute's value or a log's body, in place: OTLP's `AnyValue`.
#[derive(Clone, Debug, Default)]
pub enum Value<'a> {
    /// No value.
    #[default]
    Empty,
    /// A text.
    Text(Cow<'a, str>),
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list.
    Array(Values<'a>),
    /// Nested keys and values.
    Map(Attributes<'a>),
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// A copy that owns its text.
    pub fn to_owned(&self) -> owned::Value {
        self.clone().into_owned_within(DEPTH_MAX)
    }

    /// `depth` is how many values may still lie inside each other, this one counted: `check` refuses
    /// what is deeper, and here it must not exhaust the stack either.
    fn into_owned_within(self, depth: u32) -> owned::Value {
        let Some(inside) = depth.checked_sub(1) else {
            return owned::Value::Empty;
        };
        match self {
            Value::Empty => owned::Value::Empty,
            Value::Text(text) => owned::Value::Text(text.into_owned()),
            Value::Bool(truth) => owned::Value::Bool(truth),
            Value::Int(number) => owned::Value::Int(number),
            Value::Double(number) => owned::Value::Double(number),
            Value::Bytes(bytes) => owned::Value::Bytes(bytes.to_vec()),
            Value::Array(values) => {
                owned::Value::Array(values.iter().map(|value| value.into_owned_within(inside)).collect())
            }
            Value::Map(attributes) => owned::Value::Map(attributes.to_owned_within(inside)),
        }
    }
}

impl<'a> Message<'a> for Value<'a> {
    #[inline]
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let (mut value, mut nested) = (Value::Empty, Once::default());
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            value = match field.number {
                1 => Value::Text(field.text()?),
                2 => Value::Bool(field.varint()? != 0),
                3 => Value::Int(field.varint()? as i64),
                4 => Value::Double(f64::from_bits(field.fixed64()?)),
                5 => Value::Array(Values::read(nested.bytes(&field)?)?),
                6 => Value::Map(Attributes(List::read(nested.bytes(&field)?)?.0)),
                7 => Value::Bytes(field.bytes()?),
                8 => {
                    field.int32()?; // an index into a table that only profiles have: as if absent
                    continue;
                }
                _ => continue,
            };
        }
        Ok(value)
    }
}

/// A list of values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a>(pub(in super::super) Repeated<'a>);

impl<'a> Values<'a> {
    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + Clone + use<'a> {
        self.0.messages::<Value>().map_while(Result::ok)
    }
}

impl<'a> Message<'a> for Values<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        List::read(message).map(|list| Values(list.0))
    }
}
