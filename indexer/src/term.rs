//! Terms: what a block is found by, as hashes.
//!
//! A term's kind is the seed of its hash, so that the word `paid` and the service `paid` never meet.
//! Hashes may collide: a block that a term leads to is a candidate until it has been read.

use timeline::id::{SpanId, TraceId};
use timeline::record::{Severity, SpanKind, StatusCode};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The hash of one thing that a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Term(pub(crate) u64);

/// The bit that marks a trace's term, so that traces can be counted.
const TRACE_BIT: u64 = 1 << 63;
/// From this length on, in bytes, a value with a digit is told apart by itself.
const DISTINCTIVE_BYTES_MIN: usize = 6;
/// And up to this length it surely is one token.
const DISTINCTIVE_BYTES_MAX: usize = 64;

/// The kinds; the numbers are part of the index's format.
#[derive(Clone, Copy)]
enum Kind {
    Token = 1,
    Key = 2,
    Attribute = 3,
    Trace = 4,
    LinkedTrace = 5,
    Mention = 6,
    Service = 7,
    Name = 8,
    Role = 9,
    Status = 10,
    Severity = 11,
}

impl Term {
    fn of(kind: Kind, bytes: &[u8]) -> Term {
        Term(xxh3_64_with_seed(bytes, kind as u64) & !TRACE_BIT)
    }

    /// A word or token, in the form that `timeline::token` gives it.
    pub(crate) fn token(token: &str) -> Term {
        Term::of(Kind::Token, token.as_bytes())
    }

    /// That an attribute of this flat key is there.
    pub(crate) fn key(key: &str) -> Term {
        Term::of(Kind::Key, key.as_bytes())
    }

    /// An attribute whose value, as text, is this one; not for [`is_distinctive`] values.
    pub(crate) fn attribute(key: &str, text: &str) -> Term {
        let seed = xxh3_64_with_seed(key.as_bytes(), Kind::Attribute as u64);
        Term(xxh3_64_with_seed(text.as_bytes(), seed) & !TRACE_BIT)
    }

    /// A trace that a record belongs to.
    pub(crate) fn trace(id: TraceId) -> Term {
        Term(Term::of(Kind::Trace, &id.0).0 | TRACE_BIT)
    }

    /// A trace that a span links to.
    pub(crate) fn linked_trace(id: TraceId) -> Term {
        Term::of(Kind::LinkedTrace, &id.0)
    }

    /// A span that a record refers to: as its parent, by a link, or as the span that a log was written in.
    pub(crate) fn mention(id: SpanId) -> Term {
        Term::of(Kind::Mention, &id.0)
    }

    pub(crate) fn service(name: &str) -> Term {
        Term::of(Kind::Service, name.as_bytes())
    }

    pub(crate) fn name(name: &str) -> Term {
        Term::of(Kind::Name, name.as_bytes())
    }

    pub(crate) fn span_kind(kind: SpanKind) -> Term {
        Term::of(Kind::Role, kind.as_str().as_bytes())
    }

    pub(crate) fn status(code: StatusCode) -> Term {
        Term::of(Kind::Status, code.as_str().as_bytes())
    }

    pub(crate) fn severity(severity: Severity) -> Term {
        Term::of(Kind::Severity, severity.as_str().as_bytes())
    }

    /// The part of the hash that runs keep.
    pub(crate) fn run_key(self) -> u64 {
        self.0 >> (64 - RUN_KEY_BITS)
    }
}

/// How many bits of a term's hash runs keep. With 20 million entries a shard, an id that nobody sent
/// meets one of them in one of 200 look-ups; the price is a block read in vain.
pub(crate) const RUN_KEY_BITS: u32 = 32;

/// Whether an attribute's text is so particular that its token alone leads to it: then the pair of
/// key and value is no term of its own. Such a text is one token, by the rules of `timeline::token`.
pub(crate) fn is_distinctive(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'@');
    let ends = [bytes.first(), bytes.last()].into_iter().flatten();
    (DISTINCTIVE_BYTES_MIN..=DISTINCTIVE_BYTES_MAX).contains(&bytes.len())
        && bytes.iter().all(plain)
        && bytes.iter().any(u8::is_ascii_digit)
        && ends.into_iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use timeline::token::{self, Sought};
    use timeline::value::Value;

    use super::*;

    #[test]
    fn kinds_keep_equal_texts_apart() {
        let terms = [Term::token("paid"), Term::key("paid"), Term::service("paid"), Term::name("paid")];
        let different: std::collections::BTreeSet<_> = terms.iter().collect();
        assert_eq!(different.len(), terms.len());
        assert_ne!(Term::attribute("a", "b"), Term::attribute("b", "a"));
    }

    #[test]
    fn only_traces_carry_the_traces_bit() {
        let id = TraceId([7; 16]);
        let highest = |term: Term| term.run_key() >> (RUN_KEY_BITS - 1);
        assert_eq!((highest(Term::trace(id)), highest(Term::linked_trace(id))), (1, 0));
    }

    #[test]
    fn short_numbers_and_plain_words_are_not_distinctive() {
        for text in ["42", "paid", "/orders/424242", "a 424242", "-424242", ""] {
            assert!(!is_distinctive(text), "{text}");
        }
        for text in ["order-42", "424242", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "jane7@example.com"] {
            assert!(is_distinctive(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_distinctive_text_is_found_by_its_one_token(text in "[a-z0-9][A-Za-z0-9._:@-]{4,30}[A-Z0-9]") {
            prop_assume!(is_distinctive(&text));
            let sought = Sought::new(&text);
            prop_assert_eq!(sought.tokens().len(), 1);
            let mut found = false;
            token::in_value(&Value::from(text.as_str()), &mut |token| found |= sought.tokens() == [token]);
            prop_assert!(found);
        }
    }
}
