//! Predicates: which records a question is about.
//!
//! A predicate has one meaning, [`Predicate::matches`]. A store may use any index to narrow down the
//! candidates, but a record is in the answer exactly if it matches.

mod matching;
mod places;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use matching::severity;
pub use places::{Content, Place, any_place};
use regex::Regex;
use timeline::id::{SpanId, TraceId};
use timeline::record::{Severity, SpanKind, StatusCode};
pub use words::words;

/// Which records a question is about.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// Those that match all of these; all records where there are none.
    All(Vec<Predicate>),
    /// Those that match one of these; no record where there are none.
    Any(Vec<Predicate>),
    /// Those that do not match this.
    Not(Box<Predicate>),
    /// Those of one trace.
    Trace(TraceId),
    /// The span itself, and the logs written in it.
    Span(SpanId),
    /// The spans whose parent it is.
    Parent(SpanId),
    /// The spans that link to this trace.
    LinkTo(TraceId),
    /// Those of this signal.
    Signal(Signal),
    /// Those whose service matches.
    Service(TextMatch),
    /// The spans and typed log events whose name matches, and the spans of which an event's name does.
    Name(TextMatch),
    /// The spans of this kind.
    Kind(SpanKind),
    /// The spans with this status.
    Status(StatusCode),
    /// The logs whose severity compares so; for spans in error it is ERROR.
    Severity(Comparison, Severity),
    /// The spans whose duration, in nanoseconds, compares so; a span that ends before it starts lasts 0,
    /// and one without a start or an end has none.
    Duration(Comparison, u64),
    /// Those with an attribute of this key, their own, an event's, a link's or the resource's, whose value matches
    /// as text; a list does so as a whole, in JSON, or by one of its values. The keys of nested maps are joined by dots.
    Attribute {
        /// The key, exactly.
        key: String,
        /// What its value is like.
        value: TextMatch,
    },
    /// Those with a numeric attribute of this key, looked up as above, that compares so.
    Number {
        /// The key, exactly.
        key: String,
        /// How.
        comparison: Comparison,
        /// With what.
        number: f64,
    },
    /// Those that contain this word in a name, body, text attribute (not the resource's) or status message.
    /// It is in the form that [`words`] gives.
    Word(String),
    /// Those that contain these words in a row in one of those places; all where there are none.
    Phrase(Vec<String>),
    /// Those in which this value stands somewhere by itself, whatever its key: see `timeline::token`.
    Value(String),
}

/// The signal that a record came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Spans,
    /// Log records.
    Logs,
}

/// What a text is like.
#[derive(Clone, Debug)]
pub enum TextMatch {
    /// Present, whatever it is.
    Present,
    /// This text exactly.
    Is(String),
    /// It begins so.
    StartsWith(String),
    /// The pattern matches some part of it.
    Like(Regex),
}

/// How two quantities compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}
