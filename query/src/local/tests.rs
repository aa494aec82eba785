use std::sync::Arc;

use proptest::prelude::*;
use timeline::record::{Body, Link, Record, SpanKind};
use timeline::value::{Attributes, Value};

use super::*;
use crate::archive::Window;
use crate::memory::Memory;
use crate::testing::conformance::{self, Make};
use crate::testing::{attributes, log, record, span, span_id, trace};

struct InProcess;

impl Make for InProcess {
    type Query = Local<Arc<dyn Archive>>;

    fn over(&self, archive: Arc<dyn Archive>) -> Self::Query {
        Local::new(archive, "memory", conformance::now)
    }
}

#[test]
fn it_conforms() {
    conformance::conforms(&InProcess);
}

/// One span of a generated world: what it may say, by number.
#[derive(Clone, Debug)]
struct Spoken {
    trace: u8,
    parent: Option<u8>,
    order: Option<i64>,
    link: Option<u8>,
    message: Option<u8>,
    receives: bool,
    logs: bool,
}

fn spoken() -> impl Strategy<Value = Spoken> {
    let maybe = |range| prop::option::weighted(0.4, range);
    let order = prop::option::weighted(0.3, prop::sample::select(vec![42i64, 42, 7]));
    (1..6u8, maybe(0..12u8), order, maybe(0..12u8), maybe(1..4u8), any::<bool>(), any::<bool>()).prop_map(
        |(trace, parent, order, link, message, receives, logs)| Spoken {
            trace,
            parent,
            order,
            link,
            message,
            receives,
            logs,
        },
    )
}

/// The records of a world: span `n` of the list has number `n + 1`.
fn records(world: &[Spoken]) -> Vec<Record> {
    let mut records = Vec::new();
    for (at, spoken) in world.iter().enumerate() {
        let number = at as u8 + 1;
        let mut own = span(spoken.trace, number, "work");
        own.parent_span_id = spoken.parent.map(|parent| span_id(parent + 1));
        own.kind = if spoken.receives { SpanKind::Consumer } else { SpanKind::Producer };
        let order = spoken.order.map(|order| ("order.id".to_owned(), Value::Int(order)));
        let message = spoken.message.map(|id| ("messaging.message.id".to_owned(), Value::Int(id.into())));
        own.attributes = order.into_iter().chain(message).collect::<Attributes>();
        own.links = spoken.link.and_then(|to| Some((to, world.get(usize::from(to))?))).map_or(
            vec![],
            |(to, other)| {
                vec![Link { trace_id: trace(other.trace), span_id: span_id(to + 1), ..Link::default() }]
            },
        );
        if spoken.logs {
            let mut log = log("noted");
            (log.trace_id, log.span_id) = (Some(own.trace_id), Some(own.span_id));
            records.push(record(100 + u64::from(number), "orders", Body::Log(log)));
        }
        records.push(record(number.into(), "orders", Body::Span(own)));
    }
    records
}

/// A timeline without what is known of the streams of records that do not belong.
fn shown(mut timeline: Timeline) -> Timeline {
    timeline.completeness.streams.clear();
    timeline
}

fn whole(entity: &str) -> TimelineRequest {
    TimelineRequest {
        entity: entity.to_owned(),
        window: Window::default(),
        events_max: usize::MAX,
        brief: false,
    }
}

proptest! {
    /// What is gathered lacks nothing: the timeline is the one that all records tell.
    #[test]
    fn gathering_misses_nothing_that_belongs(world in prop::collection::vec(spoken(), 1..12)) {
        let all = records(&world);
        let request = whole("order/42");
        let question = gather::question(&request).expect("a question");
        let completeness = Completeness { complete: true, ..Completeness::default() };
        let expected = timeline::tell(all.clone(), &question, &Given { completeness, ..Given::default() });
        let local = Local::new(Memory::new(all), "memory", conformance::now);
        let told = local.timeline(&request, &Effort::new(u64::MAX)).expect("a timeline");
        prop_assert_eq!(shown(told), shown(expected));
    }
}

#[test]
fn composite_keys_and_fields_of_bodies_are_gathered() {
    let names = |entity: &str, body: Body| {
        let local = Local::new(Memory::new([record(1, "orders", body)]), "memory", conformance::now);
        local.timeline(&whole(entity), &Effort::new(100)).expect("a timeline").events.len()
    };
    let mut noted = log("");
    noted.body = Value::Map(attributes([("cart", Value::Map(attributes([("code", "x 17".into())])))]));
    assert_eq!(names("cart.code=x 17", Body::Log(noted)), 1);
    let mut named = span(1, 1, "work");
    named.attributes = attributes([
        ("backstory.entity.type", "seat".into()),
        ("backstory.entity.key", "row=7,train=ice 5".into()),
    ]);
    assert_eq!(names("seat/row=7,train=ice 5", Body::Span(named)), 2);
}

#[test]
fn a_message_is_gathered_by_its_place_where_no_context_came_along() {
    let place = |kind, number, own: Option<i64>| {
        let mut span = span(number, number, "work");
        span.kind = kind;
        let order = own.map(|order| ("order.id", Value::Int(order)));
        let place = [
            ("messaging.destination.name", Value::from("orders")),
            ("messaging.destination.partition.id", "0".into()),
            ("messaging.kafka.offset", 17.into()),
        ];
        span.attributes = order.into_iter().chain(place).collect();
        record(number.into(), "orders", Body::Span(span))
    };
    let records = [place(SpanKind::Producer, 1, Some(42)), place(SpanKind::Consumer, 2, None)];
    let local = Local::new(Memory::new(records), "memory", conformance::now);
    let told = local.timeline(&whole("order/42"), &Effort::new(100)).expect("a timeline");
    assert_eq!(told.events.len(), 4, "the sender's events and the receiver's");
}
