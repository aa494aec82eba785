//! Reading OTLP: export requests of spans and logs, in protobuf and in JSON. No I/O.
//!
//! | file         | what it alone knows                                                   |
//! |--------------|-----------------------------------------------------------------------|
//! | `wire.rs`    | the protobuf wire format                                              |
//! | `view/`      | OTLP's messages as zero-copy views                                    |
//! | `check.rs`   | what is accepted, refused and mended                                  |
//! | `decode.rs`  | from views to records                                                 |
//! | `json/`      | OTLP/JSON, read leniently and turned into protobuf                    |
//!
//! `docs/otlp.md` tells users the same rules.

mod check;
mod decode;
mod json;
mod keys;
pub mod view;
mod wire;

use std::borrow::Cow;

pub use check::{Checked, Defects, Reason, Refused, check};
pub use decode::{Choice, decode, decode_where};

/// How many values may lie inside each other, the outermost counted. Protobuf parsers stop at 100
/// nested messages; a map in a span event's attribute takes three a level: 32 is what all of them read.
pub const DEPTH_MAX: u32 = 32;

/// How many spans, logs, attributes, events, links and list elements a request may hold together:
/// one for each 16 bytes of a request of 64 MiB. It bounds what decoding takes in memory.
pub const PARTS_MAX: u32 = 1 << 22;

/// What a request carries. The numbers are those of the journal's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Signal {
    /// Spans.
    Traces = 1,
    /// Log records.
    Logs = 2,
}

impl Signal {
    /// The signal with this number.
    pub fn from_number(number: u8) -> Option<Signal> {
        [Signal::Traces, Signal::Logs].into_iter().find(|signal| *signal as u8 == number)
    }

    /// Its name in OTLP's paths: `traces`, `logs`.
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Logs => "logs",
        }
    }

    /// What one of its items is called.
    fn item(self) -> &'static str {
        match self {
            Signal::Traces => "span",
            Signal::Logs => "log record",
        }
    }
}

/// How a request is written. The numbers are those of the journal's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Encoding {
    /// Binary protobuf.
    Protobuf = 1,
    /// OTLP's JSON.
    Json = 2,
}

impl Encoding {
    /// The encoding with this number.
    pub fn from_number(number: u8) -> Option<Encoding> {
        [Encoding::Protobuf, Encoding::Json].into_iter().find(|encoding| *encoding as u8 == number)
    }
}

/// A body that is no request: nothing of it is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an OTLP {} request: {what}, at byte {offset}", signal.as_str())]
pub struct Malformed {
    /// What the body should have been.
    pub signal: Signal,
    /// The byte of the body at which reading stopped.
    pub offset: usize,
    /// What is wrong there.
    pub what: String,
}

/// The request in protobuf: `body` itself, or what its JSON says. The protobuf is not checked.
pub fn protobuf(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Cow<'_, [u8]>, Malformed> {
    match encoding {
        Encoding::Protobuf => Ok(Cow::Borrowed(body)),
        Encoding::Json => json::convert(signal, body).map(|converted| Cow::Owned(converted.protobuf)),
    }
}

#[cfg(test)]
mod tests;
