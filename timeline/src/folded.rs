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
