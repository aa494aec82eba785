//! A cheap look at an item in place: whether it may match, before a record is made of it.
//!
//! The sieve lets through whatever it is not sure about. What the resource says is asked once for all its
//! items; then an item's bytes are searched, and only what they may hold is read.

use std::collections::HashSet;

use journal::otlp::view::{Attribute, Attributes, Item, Resource, Value};
use query::predicate::{Predicate, TextMatch, words};
use timeline::id::{SpanId, TraceId};
use timeline::record::{Severity, StatusCode};
use timeline::token::{self, Sought};

use crate::needles::Needles;

/// From so many traces on, an item is looked at once rather than searched for each.
const MANY: usize = 8;

/// A predicate, made ready to look at items.
pub(crate) enum Sieve<'a> {
    All(Vec<Sieve<'a>>),
    Any(Vec<Sieve<'a>>),
    /// A word that must be in one of its own texts.
    Word(String, Needles),
    /// A token that must be in one of its texts, values or ids.
    Token(String, Needles),
    /// A leaf that the predicate itself says best.
    Leaf(&'a Predicate, Needles),
    /// Of one of many traces: one look at the item's own trace is cheaper than to search it for each.
    OfTraces(HashSet<TraceId>),
    /// With a link to one of many traces.
    LinksTo(HashSet<TraceId>),
    Everything,
}

impl<'a> Sieve<'a> {
    pub(crate) fn of(predicate: &'a Predicate) -> Sieve<'a> {
        match predicate {
            Predicate::All(all) => Sieve::All(all.iter().map(Sieve::of).collect()),
            Predicate::Any(any) => {
                Sieve::of_many_traces(any).unwrap_or_else(|| Sieve::Any(any.iter().map(Sieve::of).collect()))
            }
            Predicate::Not(_) => Sieve::Everything,
            Predicate::Word(word) => Sieve::of_words(words(word)),
            Predicate::Phrase(phrase) => {
                Sieve::of_words(phrase.iter().flat_map(|word| words(word)).collect())
            }
            Predicate::Value(value) => {
                Sieve::All(Sought::new(value).tokens().iter().map(|token| Sieve::token(token)).collect())
            }
            leaf => Sieve::Leaf(leaf, Needles::of_leaf(leaf)),
        }
    }

    /// The sieve of predicates that all ask for a trace, or all for a link to one, where they are many.
    fn of_many_traces(any: &[Predicate]) -> Option<Sieve<'a>> {
        if any.len() < MANY {
            return None;
        }
        let of = |one: &Predicate| if let Predicate::Trace(id) = one { Some(*id) } else { None };
        let link = |one: &Predicate| if let Predicate::LinkTo(id) = one { Some(*id) } else { None };
        let traces = any.iter().map(of).collect::<Option<_>>().map(Sieve::OfTraces);
        traces.or_else(|| any.iter().map(link).collect::<Option<_>>().map(Sieve::LinksTo))
    }

    fn of_words(words: Vec<String>) -> Sieve<'a> {
        let word = |word: String| Sieve::Word(word.clone(), Needles::of_word(&word));
        Sieve::All(words.into_iter().map(word).collect())
    }

    fn token(token: &str) -> Sieve<'a> {
        Sieve::Token(token.to_owned(), Needles::of_token(token))
    }

    /// What is left to be asked of the items of `resource`.
    pub(crate) fn within(&self, resource: &Resource<'_>) -> Narrowed<'_> {
        let held = match self {
            Sieve::All(all) => {
                return Narrowed::All(all.iter().map(|sieve| sieve.within(resource)).collect());
            }
            Sieve::Any(any) => {
                return Narrowed::Any(any.iter().map(|sieve| sieve.within(resource)).collect());
            }
            Sieve::Everything => Some(true),
            Sieve::Word(..) | Sieve::OfTraces(_) | Sieve::LinksTo(_) => None,
            Sieve::Token(token, _) => list_holds(&resource.attributes, token).then_some(true),
            Sieve::Leaf(predicate, _) => resource_tells(predicate, resource),
        };
        held.map_or(Narrowed::Asks(self), Narrowed::Known)
    }
}

/// A sieve for the items of one resource.
pub(crate) enum Narrowed<'s> {
    All(Vec<Narrowed<'s>>),
    Any(Vec<Narrowed<'s>>),
    /// The resource has decided.
    Known(bool),
    /// The item decides.
    Asks(&'s Sieve<'s>),
}

impl Narrowed<'_> {
    /// Whether the item with this encoding may match.
    pub(crate) fn may_hold(&self, encoded: &[u8]) -> bool {
        self.test(&|sieve| match sieve {
            Sieve::Word(_, needles) | Sieve::Token(_, needles) | Sieve::Leaf(_, needles) => {
                needles.may_be_in(encoded)
            }
            Sieve::All(_) | Sieve::Any(_) | Sieve::OfTraces(_) | Sieve::LinksTo(_) | Sieve::Everything => {
                true
            }
        })
    }

    /// Whether the item may match.
    pub(crate) fn lets_through(&self, item: &Item<'_>) -> bool {
        self.test(&|sieve| match sieve {
            Sieve::Word(word, _) => says(item, word),
            Sieve::Token(token, _) => holds(item, token),
            Sieve::Leaf(predicate, _) => leaf(predicate, item),
            Sieve::OfTraces(traces) => trace_id(item).is_some_and(|id| traces.contains(&id)),
            Sieve::LinksTo(traces) => matches!(item, Item::Span(span)
                if span.links().any(|link| traces.contains(&link.trace_id().unwrap_or_default()))),
            Sieve::All(_) | Sieve::Any(_) | Sieve::Everything => true,
        })
    }

    fn test(&self, asked: &dyn Fn(&Sieve<'_>) -> bool) -> bool {
        match self {
            Narrowed::All(all) => all.iter().all(|one| one.test(asked)),
            Narrowed::Any(any) => any.iter().any(|one| one.test(asked)),
            Narrowed::Known(known) => *known,
            Narrowed::Asks(sieve) => asked(sieve),
        }
    }
}

/// What the resource alone says of all its items.
fn resource_tells(predicate: &Predicate, resource: &Resource<'_>) -> Option<bool> {
    if let Predicate::Service(text) = predicate {
        let name = resource.attributes.get("service.name");
        let name = name.as_ref().and_then(Value::as_str).filter(|name| !name.is_empty());
        return Some(text.matches(name.unwrap_or("unknown_service")));
    }
    list_may(predicate, &resource.attributes).then_some(true)
}

fn leaf(predicate: &Predicate, item: &Item<'_>) -> bool {
    match (predicate, item) {
        (Predicate::Trace(id), _) => trace_id(item) == Some(*id),
        (Predicate::Span(id), _) => span_id(item) == Some(*id),
        (Predicate::Parent(id), Item::Span(span)) => span.parent_span_id() == Some(*id),
        (Predicate::LinkTo(id), Item::Span(span)) => {
            span.links().any(|link| link.trace_id().unwrap_or_default() == *id)
        }
        (Predicate::Kind(kind), Item::Span(span)) => span.kind == *kind,
        (Predicate::Status(code), Item::Span(span)) => span.status_code == *code,
        (
            Predicate::Parent(_) | Predicate::LinkTo(_) | Predicate::Kind(_) | Predicate::Status(_),
            Item::Log(_),
        ) => false,
        (Predicate::Severity(comparison, level), _) => {
            severity(item).is_some_and(|own| comparison.holds(own.cmp(level)))
        }
        (Predicate::Attribute { .. } | Predicate::Number { .. }, _) => {
            any_own_list(item, &mut |list| list_may(predicate, list))
        }
        _ => true,
    }
}

/// Whether one of these attributes may be what the predicate asks for.
fn list_may(predicate: &Predicate, list: &Attributes<'_>) -> bool {
    match predicate {
        Predicate::Attribute { key, value } => {
            list.iter().any(|attribute| attribute_may(&attribute, key, value))
        }
        Predicate::Number { key, .. } => list.iter().any(|attribute| leads_to(&attribute.key, key)),
        _ => false,
    }
}

fn attribute_may(attribute: &Attribute<'_>, key: &str, value: &TextMatch) -> bool {
    if attribute.key != key {
        return leads_to(&attribute.key, key);
    }
    match (&attribute.value, value) {
        (Value::Text(own), value) => value.matches(own),
        (Value::Int(own), TextMatch::Is(text)) => text.parse() == Ok(*own),
        _ => true,
    }
}

/// Whether `flat` is `key`, or a key within the map that may stand under `key`.
fn leads_to(key: &str, flat: &str) -> bool {
    flat.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn any_own_list(item: &Item<'_>, test: &mut impl FnMut(&Attributes<'_>) -> bool) -> bool {
    match item {
        Item::Span(span) => {
            test(&span.attributes)
                || span.events().any(|event| test(&event.attributes))
                || span.links().any(|link| test(&link.attributes))
        }
        Item::Log(log) => test(&log.attributes),
    }
}

/// Whether `word` stands in one of the item's own texts.
fn says(item: &Item<'_>, word: &str) -> bool {
    let text_says = |text: &str| {
        let mut found = false;
        token::words(text, &mut |own: &str| found |= own == word);
        found
    };
    any_text(item, &mut |text| text_says(text))
        || any_own_list(item, &mut |list| {
            list.iter().any(|attribute| value_says(&attribute.value, &text_says))
        })
        || matches!(item, Item::Log(log) if value_says(&log.body, &text_says))
}

fn value_says(value: &Value<'_>, says: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Text(text) => says(text),
        Value::Array(values) => values.iter().any(|value| value_says(&value, says)),
        Value::Map(nested) => nested.iter().any(|inner| value_says(&inner.value, says)),
        _ => false,
    }
}

/// Whether `token` stands anywhere in the item.
fn holds(item: &Item<'_>, token: &str) -> bool {
    let prose_holds = |text: &str| {
        let mut found = false;
        token::in_prose(text, &mut |own: &str| found |= own == token);
        found
    };
    any_own_list(item, &mut |list| list_holds(list, token))
        || any_text(item, &mut |text| prose_holds(text))
        || ids_hold(item, token)
        || match item {
            Item::Span(_) => false,
            Item::Log(log) => match &log.body {
                Value::Text(text) => prose_holds(text),
                body => value_holds(body, token),
            },
        }
}

fn list_holds(list: &Attributes<'_>, token: &str) -> bool {
    list.iter().any(|attribute| value_holds(&attribute.value, token))
}

fn value_holds(value: &Value<'_>, token: &str) -> bool {
    let mut found = false;
    let mut compare = |own: &str| found |= own == token;
    match value {
        Value::Empty | Value::Bool(_) => {}
        Value::Text(text) => token::in_attribute(text, &mut compare),
        Value::Int(number) => token::in_integer(*number, &mut compare),
        Value::Array(values) => return values.iter().any(|value| value_holds(&value, token)),
        Value::Map(nested) => return nested.iter().any(|inner| value_holds(&inner.value, token)),
        Value::Double(_) | Value::Bytes(_) => token::in_value(&value.to_owned(), &mut compare),
    }
    found
}

fn ids_hold(item: &Item<'_>, token: &str) -> bool {
    let (trace, span) = (token.parse::<TraceId>().ok(), token.parse::<SpanId>().ok());
    let is_trace = |id: Option<TraceId>| id.is_some() && id == trace;
    let is_span = |id: Option<SpanId>| id.is_some() && id == span;
    if trace.is_none() && span.is_none() {
        return false;
    }
    is_trace(trace_id(item))
        || is_span(span_id(item))
        || matches!(item, Item::Span(own) if is_span(own.parent_span_id())
        || own.links().any(|link| {
            is_trace(Some(link.trace_id().unwrap_or_default())) || is_span(Some(link.span_id().unwrap_or_default()))
        }))
}

/// The item's names and the word on its status; not its attributes, nor a log's body.
fn any_text(item: &Item<'_>, test: &mut dyn FnMut(&str) -> bool) -> bool {
    match item {
        Item::Span(span) => {
            test(&span.name) || test(&span.status_message) || span.events().any(|event| test(&event.name))
        }
        Item::Log(log) => test(&log.event_name),
    }
}

fn trace_id(item: &Item<'_>) -> Option<TraceId> {
    match item {
        Item::Span(span) => span.trace_id(),
        Item::Log(log) => log.trace_id(),
    }
}

fn span_id(item: &Item<'_>) -> Option<SpanId> {
    match item {
        Item::Span(span) => span.span_id(),
        Item::Log(log) => log.span_id(),
    }
}

fn severity(item: &Item<'_>) -> Option<Severity> {
    match item {
        Item::Span(span) => (span.status_code == StatusCode::Error).then_some(Severity::Error),
        Item::Log(log) => {
            Severity::from_number(log.severity_number).or_else(|| Severity::from_name(&log.severity_text))
        }
    }
}
