//! From a predicate to the blocks that may hold records that match it.
//!
//! A plan only narrows down: where it knows nothing it says "every block". What it must never do is leave
//! out a block that holds a match; `tests/archive/answers.rs` holds it to the oracle.

use query::predicate::{Comparison, Predicate, TextMatch, words};
use timeline::id::{SpanId, TraceId};
use timeline::record::Severity;
use timeline::token::{Sought, TOKEN_BYTES_MAX};

use crate::blocks::Blocks;
use crate::error::IndexError;
use crate::shard::Shard;
use crate::term::{Term, is_distinctive};
use crate::terms::PAIR_BYTES_MAX;

/// Which blocks to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Every,
    Term(Term),
    /// The blocks of the spans with this id.
    Span(SpanId),
    All(Vec<Plan>),
    Any(Vec<Plan>),
}

impl Plan {
    pub(crate) fn of(predicate: &Predicate) -> Plan {
        match predicate {
            Predicate::All(all) => Plan::All(all.iter().map(Plan::of).collect()),
            Predicate::Any(any) => Plan::Any(any.iter().map(Plan::of).collect()),
            Predicate::Trace(id) => Plan::Term(Term::trace(*id)),
            Predicate::Span(id) => Plan::Any(vec![Plan::Span(*id), Plan::Term(Term::mention(*id))]),
            Predicate::Parent(id) => Plan::Term(Term::mention(*id)),
            Predicate::LinkTo(id) => Plan::Term(Term::linked_trace(*id)),
            Predicate::Service(TextMatch::Is(name)) => Plan::Term(Term::service(name)),
            Predicate::Name(TextMatch::Is(name)) => Plan::Term(Term::name(name)),
            Predicate::Kind(kind) => Plan::Term(Term::span_kind(*kind)),
            Predicate::Status(code) => Plan::Term(Term::status(*code)),
            Predicate::Severity(comparison, level) => severity(*comparison, *level),
            Predicate::Attribute { key, value: TextMatch::Is(text) } => attribute(key, text),
            Predicate::Attribute { key, .. } | Predicate::Number { key, .. } => Plan::Term(Term::key(key)),
            Predicate::Word(word) => all_words(words(word)),
            Predicate::Phrase(phrase) => all_words(phrase.iter().flat_map(|word| words(word)).collect()),
            Predicate::Value(value) => {
                Plan::All(Sought::new(value).tokens().iter().map(|token| value_token(token)).collect())
            }
            Predicate::Not(_)
            | Predicate::Signal(_)
            | Predicate::Service(_)
            | Predicate::Name(_)
            | Predicate::Duration(..) => Plan::Every,
        }
    }

    /// Those of a shard's blocks that the plan leaves.
    pub(crate) fn blocks(&self, shard: &Shard) -> Result<Blocks, IndexError> {
        let count = shard.state.blocks;
        match self {
            Plan::Every => Ok(Blocks::all(count)),
            Plan::Term(term) => shard.with_term(*term),
            Plan::Span(id) => Ok(shard.with_span(*id)),
            Plan::All(all) => {
                let mut blocks = Blocks::all(count);
                for plan in all {
                    if blocks.is_empty() {
                        break;
                    }
                    blocks.retain(&plan.blocks(shard)?);
                }
                Ok(blocks)
            }
            Plan::Any(any) => {
                let mut blocks = Blocks::none(count);
                for plan in any {
                    blocks.extend(&plan.blocks(shard)?);
                }
                Ok(blocks)
            }
        }
    }
}

fn severity(comparison: Comparison, level: Severity) -> Plan {
    use Severity::{Debug, Error, Fatal, Info, Trace, Warn};
    let levels = [Trace, Debug, Info, Warn, Error, Fatal].into_iter();
    let holding = levels.filter(|own| comparison.holds(own.cmp(&level)));
    Plan::Any(holding.map(|own| Plan::Term(Term::severity(own))).collect())
}

/// An attribute's text leads to the pair, to its one token, or, where it may be JSON or bytes, to its key.
fn attribute(key: &str, text: &str) -> Plan {
    if is_distinctive(text) {
        return Plan::All(
            Sought::new(text).tokens().iter().map(|token| Plan::Term(Term::token(token))).collect(),
        );
    }
    let may_be_json = text.starts_with(['[', '{', '"']);
    if may_be_json || text.len() >= PAIR_BYTES_MAX {
        return Plan::Term(Term::key(key));
    }
    Plan::Term(Term::attribute(key, text))
}

fn all_words(words: Vec<String>) -> Plan {
    let short = words.into_iter().filter(|word| word.len() <= TOKEN_BYTES_MAX);
    Plan::All(short.map(|word| Plan::Term(Term::token(&word))).collect())
}

/// A value's token stands in a text, or it is the id of a trace or span.
fn value_token(token: &str) -> Plan {
    let mut any = vec![Plan::Term(Term::token(token))];
    if let Ok(trace) = token.parse::<TraceId>() {
        any.extend([Plan::Term(Term::trace(trace)), Plan::Term(Term::linked_trace(trace))]);
    }
    if let Ok(span) = token.parse::<SpanId>() {
        any.extend([Plan::Span(span), Plan::Term(Term::mention(span))]);
    }
    Plan::Any(any)
}
