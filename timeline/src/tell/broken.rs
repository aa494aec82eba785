//! Broken data: each kind has the outcome that `docs/order.md` gives it.

use super::*;
use crate::document::{Certainty, Evidence, GapKind};
use crate::record::SpanKind;
use crate::testing::*;

fn told(records: Vec<Record>) -> Timeline {
    let question: Question = "order/42".parse().expect("a question");
    tell(records, &question, &Given::default())
}

fn own(number: u8, process: &str, start: f64, end: f64) -> Made {
    span(number, process, &format!("s{number}"), start, end).with(&[("order.id", "42")])
}

/// A span's start is `s1.`, its end `s1;`.
fn list(timeline: &Timeline) -> Vec<String> {
    let mark = |kind| match kind {
        EventKind::SpanStart => ".",
        EventKind::SpanEnd => ";",
        EventKind::SpanEvent | EventKind::Log => "",
    };
    timeline.events.iter().map(|event| format!("{}{}", event.name, mark(event.kind))).collect()
}

fn causal(timeline: &Timeline) -> Vec<(String, String)> {
    let names = list(timeline);
    let name = |id| names[timeline.events.iter().position(|event| event.id == id).expect("listed")].clone();
    let edges = timeline.edges.iter().filter(|edge| edge.certainty == Certainty::Causal);
    edges.map(|edge| (name(edge.from), name(edge.to))).collect()
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn client_and_server_may_share_a_span_id() {
    // As Zipkin has it: one id, two halves; the server's own child names the shared id as its parent.
    let client = own(2, "orders@a", 1.0, 20.0).kind(SpanKind::Client).record();
    let server = own(2, "payments@b", 5_002.0, 5_015.0).kind(SpanKind::Server).record();
    let child = own(3, "payments@b", 5_004.0, 5_006.0).child_of(2).record();
    let timeline = told(vec![child, server, client]);
    assert_eq!(timeline.events.len(), 6);
    let request = timeline.edges.iter().find(|edge| edge.evidence == Evidence::Request).expect("a request");
    let of = |id| timeline.events.iter().find(|event| event.id == id).expect("listed");
    assert_eq!(of(request.from).span_kind, Some(SpanKind::Client));
    assert_eq!(of(request.to).span_kind, Some(SpanKind::Server));
    let parent = timeline.edges.iter().find(|edge| edge.evidence == Evidence::Parent).expect("a parent");
    assert_eq!(of(parent.from).span_kind, Some(SpanKind::Server), "the child is the server's");
    assert!(timeline.gaps.is_empty());
}

#[test]
fn an_end_before_its_start_still_comes_after_it() {
    let timeline =
        told(vec![own(1, "a@x", 5_000.0, 1_000.0).record(), own(2, "a@x", 2_000.0, 2_001.0).record()]);
    assert!(causal(&timeline).contains(&pair("s1.", "s1;")));
    assert!(
        timeline.edges.iter().all(|edge| edge.certainty == Certainty::Causal),
        "its clock claims nothing"
    );
}

#[test]
fn a_parent_that_comes_late_is_as_if_it_had_come_first() {
    let [parent, child] = [own(1, "a@x", 0.0, 9.0).record(), own(2, "b@y", 1.0, 2.0).child_of(1).record()];
    let without = told(vec![child.clone()]);
    assert_eq!(without.gaps[0].kind, GapKind::MissingParent);
    let json = |timeline: &Timeline| serde_json::to_string(timeline).expect("a document");
    let late = told(vec![child.clone(), parent.clone()]);
    assert_eq!(json(&late), json(&told(vec![parent, child])));
    assert!(late.gaps.is_empty() && causal(&late).contains(&pair("s1.", "s2.")));
}

#[test]
fn where_all_times_are_zero_causes_alone_order() {
    let zero = |made: Made| made.change(|span| (span.start, span.end) = (Time::UNSET, Time::UNSET)).record();
    let timeline = told(vec![
        zero(own(1, "a@x", 0.0, 0.0)),
        zero(own(2, "a@x", 0.0, 0.0).child_of(1)),
        zero(own(3, "a@x", 0.0, 0.0).child_of(2)),
    ]);
    assert_eq!(list(&timeline), ["s1.", "s2.", "s3."], "a span without an end has no end event");
    assert!(timeline.events.iter().all(|event| event.error_ns.is_none()));
    assert_eq!(causal(&timeline).len(), 2);
}

#[test]
fn clocks_of_1970_and_of_2262_lose_no_cause() {
    let moved = |made: Made, to: u64| {
        made.change(|span| {
            let length = span.end.since(span.start);
            span.start = Time(to);
            span.end = span.start.shifted(length);
        })
        .record()
    };
    for year in [5_000_000_001, 9_214_646_400_000_000_001, u64::MAX - 10_000_000] {
        let client = own(1, "orders@a", 0.0, 9.0).kind(SpanKind::Client).record();
        let server = moved(own(2, "old@b", 1.0, 3.0).kind(SpanKind::Server).child_of(1), year);
        let inside = moved(own(3, "old@b", 1.0, 2.0).child_of(2), year.saturating_add(500_000));
        let timeline = told(vec![server, inside, client]);
        let causes = causal(&timeline);
        for edge in [pair("s1.", "s2."), pair("s2.", "s3."), pair("s2.", "s1;")] {
            assert!(causes.contains(&edge), "{year}: {causes:?}");
        }
        if year < 1_000_000_000_000 {
            let old = timeline.clocks.iter().find(|clock| clock.host.as_deref() == Some("b")).expect("a row");
            assert!(old.error_ns.is_some_and(|ns| ns < 5_000_000), "1970 is a time like any other: {old:?}");
        }
    }
}

#[test]
fn links_and_messages_in_a_circle_are_no_order() {
    let linked = |number: u8, to: u8| own(number, "a@x", 1.0, 2.0).link(1, to).record();
    let timeline = told(vec![linked(1, 2), linked(2, 3), linked(3, 1)]);
    assert!(timeline.edges.iter().all(|edge| edge.evidence != Evidence::Link));
    assert!(causal(&timeline).contains(&pair("s1.", "s1;")), "each span keeps its own order");
    let itself = told(vec![own(1, "a@x", 1.0, 2.0).child_of(1).record()]);
    assert_eq!(itself.gaps[0].kind, GapKind::MissingParent);
}
