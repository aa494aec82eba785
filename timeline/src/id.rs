//! Identifiers: of traces and spans as OTLP has them, of records and events as Backstory makes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not the identifier it was taken for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {form}, not {text:?}")]
pub struct ParseIdError {
    what: &'static str,
    form: &'static str,
    text: String,
}

impl ParseIdError {
    fn new(what: &'static str, form: &'static str, text: &str) -> ParseIdError {
        ParseIdError { what, form, text: text.chars().take(64).collect() }
    }
}

/// An identifier of fixed width, written in lower-case hexadecimal, read in either case.
macro_rules! hexadecimal_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal, $form:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// The identifier held in `bytes`; `None` unless they are of its width and not all zero.
            pub fn from_slice(bytes: &[u8]) -> Option<$name> {
                let bytes: [u8; $bytes] = bytes.try_into().ok()?;
                bytes.iter().any(|b| *b != 0).then_some($name(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<$name, ParseIdError> {
                let error = || ParseIdError::new($what, $form, text);
                if text.len() != 2 * $bytes || !text.is_ascii() {
                    return Err(error());
                }
                let mut bytes = [0; $bytes];
                for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let digit = |d: u8| char::from(d).to_digit(16);
                    let (high, low) = digit(digits[0]).zip(digit(digits[1])).ok_or_else(error)?;
                    *byte = (high * 16 + low) as u8;
                }
                Ok($name(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hexadecimal_id!(
    /// A trace's 16 bytes; never all zero.
    TraceId, 16, "a trace id", "32 hexadecimal digits"
);
hexadecimal_id!(
    /// A span's 8 bytes; never all zero.
    SpanId, 8, "a span id", "16 hexadecimal digits"
);
hexadecimal_id!(
    /// A record's 16 bytes: a hash of resource, scope and content, made at intake and equal wherever
    /// the same record was received. See [`crate::record::Record`].
    RecordId, 16, "a record id", "32 hexadecimal digits"
);

/// Which point of its record an event is. Ordered as the points of one span are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A span's start.
    Start,
    /// A span event, by its place in the span's list.
    SpanEvent(u32),
    /// A span's end.
    End,
    /// A log record.
    Log,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::Start => f.write_str("s"),
            Point::End => f.write_str("e"),
            Point::Log => f.write_str("l"),
            Point::SpanEvent(number) => write!(f, "{number}"),
        }
    }
}

/// An event: the first eight bytes of its record's id, and the point of that record.
///
/// In text the bytes in hexadecimal, a dot, then `s` (start), `e` (end), `l` (log) or the span
/// event's number: `6f1d20c4b7a95e03.s`. The same on every machine, for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The first eight bytes of the record's id.
    pub record: [u8; 8],
    /// The point of the record.
    pub point: Point,
}

impl EventId {
    /// The event at `point` of `record`.
    pub fn new(record: RecordId, point: Point) -> EventId {
        let [a, b, c, d, e, f, g, h, ..] = record.0;
        EventId { record: [a, b, c, d, e, f, g, h], point }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ".{}", self.point)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for EventId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<EventId, ParseIdError> {
        let error = || {
            ParseIdError::new("an event id", "16 hexadecimal digits, a dot, then s, e, l or a number", text)
        };
        let (record, point) = text.split_once('.').ok_or_else(error)?;
        let point = match point {
            "s" => Point::Start,
            "e" => Point::End,
            "l" => Point::Log,
            number => Point::SpanEvent(number.parse().map_err(|_| error())?),
        };
        let record: SpanId = record.parse().map_err(|_| error())?;
        Ok(EventId { record: record.0, point })
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EventId, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_either_case_and_write_lower() {
        let id: TraceId = "4BF92F3577B34DA6A3CE929D0E0E4736".parse().expect("a trace id");
        assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn what_is_no_id_is_refused_with_its_text() {
        for text in ["", "4bf9", "zz", "éééééééé", "+0f067aa0ba902b7"] {
            let error = text.parse::<SpanId>().expect_err(text);
            assert!(error.to_string().contains("16 hexadecimal digits"), "{error}");
        }
    }

    #[test]
    fn all_zero_and_odd_widths_are_no_ids() {
        assert_eq!(SpanId::from_slice(&[0; 8]), None);
        assert_eq!(SpanId::from_slice(&[1; 7]), None);
        assert_eq!(SpanId::from_slice(&[1; 8]), Some(SpanId([1; 8])));
    }

    #[test]
    fn event_ids_round_trip() {
        for text in ["6f1d20c4b7a95e03.s", "6f1d20c4b7a95e03.e", "6f1d20c4b7a95e03.l", "6f1d20c4b7a95e03.17"]
        {
            assert_eq!(text.parse::<EventId>().map(|id| id.to_string()), Ok(text.to_owned()));
        }
    }
}
