//! What goes in and what comes back: requests, receipts, places and the refusal of an append.

use std::time::Duration;

use bytes::Bytes;
use hlc::Stamp;
use timeline::record::Position;

use crate::format::block::Holds;
use crate::otlp::{Encoding, Signal};

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Source {
    /// OTLP over gRPC.
    Grpc = 1,
    /// OTLP over HTTP.
    Http = 2,
    /// A file that somebody imported.
    Import = 3,
}

impl Source {
    /// The source with this number, as the journal's format has it.
    pub(crate) fn from_number(number: u8) -> Option<Source> {
        [Source::Grpc, Source::Http, Source::Import].into_iter().find(|source| *source as u8 == number)
    }
}

/// One request as it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Spans or logs.
    pub signal: Signal,
    /// The form of `body`.
    pub encoding: Encoding,
    /// How it came.
    pub source: Source,
    /// Whom it came from, `address:port` or a file's name; at most 65,535 bytes, the rest is cut.
    pub peer: String,
    /// Whose it is; empty for now. Cut like `peer`.
    pub tenant: String,
    /// Whether the time of its arrival says anything about the time of its items: not so for an import.
    pub arrival_is_evidence: bool,
    /// How many items the body holds, refused ones counted.
    pub items: u32,
    /// The ordinals of the items that were refused; they stay refused whenever the body is read again.
    pub refused: Vec<u32>,
    /// The largest stamp that the body's items carried.
    pub carried: Option<Stamp>,
    /// The body verbatim, content-encoding undone.
    pub body: Bytes,
}

/// What goes into a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A request.
    Request(Request),
    /// A [`timeline::annotation::Annotation`] in JSON.
    Annotation {
        /// The JSON.
        body: Bytes,
        /// The stamp that it was first written with; `None` if that is now.
        first: Option<Stamp>,
    },
}

impl Content {
    pub(crate) fn kind(&self) -> Holds {
        match self {
            Content::Request(_) => Holds::Requests,
            Content::Annotation { .. } => Holds::Annotations,
        }
    }

    /// How many items it holds, refused ones not counted. An annotation is none.
    pub(crate) fn items(&self) -> u32 {
        match self {
            Content::Request(request) => request.items.saturating_sub(request.refused.len() as u32),
            Content::Annotation { .. } => 0,
        }
    }

    /// The largest stamp that it carries.
    pub(crate) fn carried(&self) -> Option<Stamp> {
        match self {
            Content::Request(request) => request.carried,
            Content::Annotation { first, .. } => *first,
        }
    }

    pub(crate) fn body(&self) -> &Bytes {
        match self {
            Content::Request(Request { body, .. }) | Content::Annotation { body, .. } => body,
        }
    }

    pub(crate) fn as_request(&self) -> Option<&Request> {
        match self {
            Content::Request(request) => Some(request),
            Content::Annotation { .. } => None,
        }
    }
}

/// Says that a request is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The block that holds it.
    pub place: Place,
    /// The number of its frame within the block.
    pub frame: u32,
    /// The collector's stamp of its arrival; of the first arrival where it is repeated.
    pub stamp: Stamp,
    /// Whether the same body had been received before; it was not written again.
    pub repeated: bool,
}

/// Where a block begins: the first two fields of a [`Position`].
///
/// The default, (0, 0), lies before every block. Places of one journal never decrease; a place whose
/// segment retention has dropped stands for the beginning of the oldest segment held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The segment's number, from 1.
    pub segment: u64,
    /// The byte in the segment.
    pub offset: u64,
}

impl Place {
    /// Where the first block of segment `segment` begins.
    pub fn first_of(segment: u64) -> Place {
        Place { segment, offset: crate::segment::FIRST_BLOCK }
    }

    /// The position of item `item` of the block's frame `frame`.
    pub fn position(self, frame: u32, item: u32) -> Position {
        Position { segment: self.segment, offset: self.offset, frame, item }
    }
}

impl From<Position> for Place {
    fn from(position: Position) -> Place {
        Place { segment: position.segment, offset: position.offset }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.segment, self.offset)
    }
}

/// Why a request was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The disk is full and nothing more may be dropped; come back after the delay.
    #[error("the disk is full; come back in {0:?}")]
    Full(Duration),
    /// Too many bytes wait for the disk; come back after the delay.
    #[error("too many requests wait for the disk; come back in {0:?}")]
    Busy(Duration),
    /// The disk failed a write or a sync. Nothing is taken in until the journal is opened anew.
    #[error("the journal's disk failed; it takes nothing until it is opened anew")]
    Poisoned,
    /// The journal is being closed.
    #[error("the journal is closed")]
    Closed,
    /// As much as may be is written by engineers already.
    #[error(
        "annotations of {max} bytes stand in the journal, and no more may: take back what is needed no more"
    )]
    Crowded {
        /// How many bytes of annotations may stand.
        max: usize,
    },
    /// The request is larger than a block may be.
    #[error("a request of {bytes} bytes is more than a block holds ({max})")]
    TooLarge {
        /// The request's bytes, with what is told about it.
        bytes: usize,
        /// The largest.
        max: usize,
    },
}

impl AppendError {
    /// After how long the same request may succeed; `None` where it never will on this journal.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            AppendError::Full(delay) | AppendError::Busy(delay) => Some(*delay),
            AppendError::Poisoned
            | AppendError::Closed
            | AppendError::Crowded { .. }
            | AppendError::TooLarge { .. } => None,
        }
    }
}
