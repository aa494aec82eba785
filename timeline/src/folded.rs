//! What a screen folds away by default: what instrumentation made twice, and its noise.

use crate::document::Folded;
use crate::held::{At, Held};
use crate::record::{SpanKind, StatusCode};

/// Middle layers of frameworks and sockets: 35–50 % of what Node's auto-instrumentation sends.
const NOISY_SCOPES: &[&str] = &[
    "instrumentation-express",
    "instrumentation-router",
    "instrumentation-connect",
    "instrumentation-koa",
    "instrumentation-fastify",
    "instrumentation-net",
    "instrumentation-dns",
    "instrumentation-fs",
    "instrumentation-restify",
];

/// Spans of ASGI servers for the parts of one exchange.
const NOISY_ENDINGS: &[&str] = &[" http send", " http receive", " websocket send", " websocket receive"];

/// Why the span at `at` is folded away; `None` where it is not. Nothing in error is.
pub(crate) fn folded(held: &Held, at: At) -> Option<Folded> {
    if is_twin(held, at) {
        return Some(Folded::Twin);
    }
    let span = held.span(at)?;
    let scope = held.record(at).scope.name.as_str();
    let noisy = NOISY_SCOPES.iter().any(|noisy| scope.ends_with(noisy))
        || NOISY_ENDINGS.iter().any(|end| span.name.ends_with(end));
    (noisy && span.kind == SpanKind::Internal && span.status.code != StatusCode::Error)
        .then_some(Folded::Noise)
}

/// Whether the span is its parent again: scope, kind, name and attributes agree, and it is the only child.
fn is_twin(held: &Held, at: At) -> bool {
    let Some((span, parent)) = held.span(at).zip(held.parent(at)) else { return false };
    let Some(outer) = held.span(parent) else { return false };
    let only_child = held.children(outer.trace_id, outer.span_id).len() == 1;
    only_child
        && span.kind == outer.kind
        && span.name == outer.name
        && span.attributes == outer.attributes
        && held.record(at).scope == held.record(parent).scope
        && held.record(at).resource == held.record(parent).resource
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn folds(spans: Vec<Made>) -> Vec<(String, Option<Folded>)> {
        let held = Held::fold(spans.into_iter().map(Made::record).collect());
        let name = |at: At| held.span(at).map(|span| span.name.clone()).unwrap_or_default();
        let mut folds: Vec<_> = (0..held.records().len()).map(|at| (name(at), folded(&held, at))).collect();
        folds.sort_by(|a, b| a.0.cmp(&b.0));
        folds
    }

    /// As pika's instrumentation sends it: two nested producer spans a publish, the consumer below the inner one.
    #[test]
    fn the_inner_of_two_equal_spans_is_folded_and_none_is_lost() {
        let send = |number| {
            span(number, "orders", "orders send", 0.0, 2.0)
                .kind(SpanKind::Producer)
                .with(&[("messaging.message.id", "m-1")])
        };
        let consumer = || span(3, "stock", "take", 1.0, 5.0).kind(SpanKind::Consumer).child_of(2);
        let twins = folds(vec![send(1), send(2).child_of(1), consumer()]);
        let folded: Vec<_> = twins.iter().filter(|(_, fold)| *fold == Some(Folded::Twin)).collect();
        assert_eq!((twins.len(), folded.len()), (3, 1));
        let other_message = send(2).child_of(1).with(&[("messaging.message.id", "m-2")]);
        let other_process = span(2, "stock", "orders send", 0.0, 2.0)
            .kind(SpanKind::Producer)
            .with(&[("messaging.message.id", "m-1")])
            .child_of(1);
        for inner in [other_message, other_process] {
            let different = folds(vec![send(1), inner, consumer()]);
            assert!(different.iter().all(|(_, fold)| fold.is_none()), "{different:?}");
        }
        let siblings = folds(vec![send(1), send(2).child_of(1), send(4).child_of(1)]);
        assert!(siblings.iter().all(|(_, fold)| fold.is_none()), "two children are two sends: {siblings:?}");
    }
}
