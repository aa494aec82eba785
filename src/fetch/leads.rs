//! What fetched records lead on to: linked traces, the names under which a key stands, messages.

use std::collections::{BTreeMap, BTreeSet};

use query::predicate::{Content, Place, any_place};
use timeline::id::TraceId;
use timeline::naming;
use timeline::question::Subject;
use timeline::record::{Record, SpanKind};
use timeline::value::Value;

/// The attributes that name a message, new and old.
const MESSAGE_KEYS: [&str; 2] = ["messaging.message.id", "messaging.message_id"];

/// Under which names a subject's key is searched for.
pub(super) struct Leads {
    subject: Option<Subject>,
}

impl Leads {
    pub(super) fn new(subject: Option<Subject>) -> Leads {
        Leads { subject }
    }

    /// The names to begin with: an attribute's own, or those that most teams give an entity's key.
    pub(super) fn first_tags(&self) -> Vec<(String, String)> {
        match &self.subject {
            None => Vec::new(),
            Some(Subject::Attribute { name, value }) => vec![(name.clone(), value.clone())],
            Some(Subject::Entity { kind, key }) => {
                let names = [format!("{kind}.id"), format!("{kind}_id"), format!("{}Id", camel(kind))];
                names.into_iter().map(|name| (name, key.clone())).collect()
            }
        }
    }

    /// The attributes under which the subject's key stands in `records`, with its value as it stands there.
    pub(super) fn key_tags(&self, records: &[Record]) -> Vec<(String, String)> {
        let Some(Subject::Entity { kind, key }) = &self.subject else { return Vec::new() };
        let mut tags = BTreeSet::new();
        for record in records {
            any_place(record, |place, content| {
                let (Place::Attribute(name) | Place::EventAttribute(_, name), Content::Value(value)) =
                    (place, content)
                else {
                    return false;
                };
                let names = naming::kind_of(name).is_some_and(|named| named == *kind);
                if names && naming::key_of(value).is_some_and(|found| found == *key) {
                    tags.insert((name.to_owned(), value.to_text().into_owned()));
                }
                false
            });
        }
        tags.into_iter().collect()
    }
}

/// The traces that spans of `records` link to.
pub(super) fn linked(records: &[Record]) -> Vec<TraceId> {
    let links = records.iter().filter_map(Record::as_span).flat_map(|span| &span.links);
    links.map(|link| link.trace_id).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The messages of which `records` hold one side alone, by the attribute under which the other is found: a receiver's
/// link leads to its sender, but nothing leads from a sender to its receivers.
pub(super) fn message_tags(records: &[Record]) -> Vec<(String, String)> {
    let mut sides: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
    for record in records {
        let Some(span) = record.as_span() else { continue };
        let sends = match span.kind {
            SpanKind::Producer => true,
            SpanKind::Consumer => false,
            _ => continue,
        };
        let ids = MESSAGE_KEYS.iter().filter_map(|key| span.attributes.get(key)).filter_map(Value::as_str);
        for id in ids.filter(|id| !id.is_empty()) {
            sides.entry(id.to_owned()).or_default().insert(sends);
        }
    }
    let halves = sides.into_iter().filter(|(_, sides)| sides.len() == 1);
    halves.flat_map(|(id, _)| MESSAGE_KEYS.map(|key| (key.to_owned(), id.clone()))).collect()
}

/// An id of at most 32 digits; backends leave zeros in front out.
pub(crate) fn trace_id(text: &str) -> Option<TraceId> {
    let digits = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| format!("{text:0>32}").parse().ok()).flatten().filter(|id| *id != TraceId::default())
}

/// `order_line` as `orderLine`.
fn camel(snake: &str) -> String {
    let mut upper = false;
    let mut camel = String::new();
    for char in snake.chars() {
        match char {
            '_' => upper = true,
            _ if std::mem::take(&mut upper) => camel.extend(char.to_uppercase()),
            _ => camel.push(char),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use timeline::id::SpanId;
    use timeline::record::{Body, Link, Position, Resource, Scope, Span};
    use timeline::value::Attributes;

    use super::*;

    fn record(kind: SpanKind, attributes: &[(&str, &str)], link: Option<u8>) -> Record {
        let span = Span {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([1; 8]),
            kind,
            attributes: attributes.iter().map(|(key, value)| (*key, Value::from(*value))).collect(),
            links: link
                .map(|number| Link { trace_id: TraceId([number; 16]), ..Link::default() })
                .into_iter()
                .collect(),
            ..Span::default()
        };
        let resource = Arc::new(Resource::new(Attributes::default(), 0));
        let scope = Arc::new(Scope::new(String::new(), String::new(), Attributes::default()));
        Record::new(Position::default(), None, resource, scope, Body::Span(span), 0)
    }

    #[test]
    fn a_key_is_searched_for_under_the_names_that_it_has() {
        let leads = Leads::new(Some("order/42".parse().expect("a subject")));
        let first: Vec<String> = leads.first_tags().into_iter().map(|(name, _)| name).collect();
        assert_eq!(first, ["order.id", "order_id", "orderId"]);
        let records = [record(
            SpanKind::Internal,
            &[("app.OrderID", "42"), ("order.id", "43"), ("user.id", "42"), ("url.path", "/orders/42")],
            None,
        )];
        assert_eq!(leads.key_tags(&records), [("app.OrderID".to_owned(), "42".to_owned())]);
        assert_eq!(camel("order_line"), "orderLine");
    }

    #[test]
    fn links_and_halves_of_messages_lead_on() {
        let sent = |id: &'static str| record(SpanKind::Producer, &[("messaging.message.id", id)], None);
        let records = [
            sent("m-1"),
            sent("m-2"),
            record(SpanKind::Consumer, &[("messaging.message_id", "m-2")], Some(7)),
        ];
        assert_eq!(linked(&records), [TraceId([7; 16])]);
        let messages: Vec<String> =
            message_tags(&records).into_iter().map(|(key, id)| format!("{key}={id}")).collect();
        assert_eq!(messages, ["messaging.message.id=m-1", "messaging.message_id=m-1"]);
    }

    #[test]
    fn ids_may_lack_their_zeros() {
        assert_eq!(
            trace_id("1f").map(|id| id.to_string()).as_deref(),
            Some("0000000000000000000000000000001f")
        );
        for wrong in ["", "0", "xyz", &"1".repeat(33)] {
            assert_eq!(trace_id(wrong), None, "{wrong}");
        }
    }
}
