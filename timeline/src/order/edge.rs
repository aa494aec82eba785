//! The causal edges that telemetry itself proves: the table of `docs/order.md`.
//!
//! The end of a handler never precedes the end of its caller, and nothing precedes the end of an
//! asynchronous child: servers end their spans after the answer left.

use std::collections::BTreeMap;

use super::moment::{Index, Moments};
use super::{stamps, versions};
use crate::document::Evidence;
use crate::held::{At, Held};
use crate::message::{self, Messages};
use crate::record::{Span, SpanKind, StatusCode};
use crate::state::Operation;
use crate::value::Value;

/// One causal reason: `from` happened before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cause {
    /// The earlier moment.
    pub(crate) from: Index,
    /// The later moment.
    pub(crate) to: Index,
    /// Where it comes from.
    pub(crate) evidence: Evidence,
}

/// All causal edges between the moments: sorted, one a pair of moments (the first of the table stands).
pub(crate) fn causes(
    held: &Held,
    messages: &Messages,
    moments: &Moments,
    operations: &[Operation],
) -> Vec<Cause> {
    let mut edges = Edges { held, moments, servers: servers(held), found: Vec::new() };
    edges.within_spans();
    for at in 0..held.records().len() {
        match held.span(at) {
            Some(span) => edges.of_span(at, span),
            None => edges.push(
                held.span_of_log(at).and_then(|span| moments.start(span)),
                moments.start(at),
                Evidence::LogInSpan,
            ),
        }
    }
    edges.of_messages(messages);
    edges.of_retries();
    let mut found = edges.found;
    found.extend(stamps::causes(held, moments));
    found.extend(versions::causes(held, moments, operations));
    found.sort_unstable();
    found.dedup_by_key(|cause| (cause.from, cause.to));
    found
}

/// How many servers have each span as their parent.
fn servers(held: &Held) -> Vec<u32> {
    let mut servers = vec![0; held.records().len()];
    let is_server = |at: &At| held.span(*at).is_some_and(|span| span.kind == SpanKind::Server);
    let parents = (0..servers.len()).filter(is_server).filter_map(|at| held.parent(at));
    parents.for_each(|parent| servers[parent] += 1);
    servers
}

struct Edges<'a> {
    held: &'a Held,
    moments: &'a Moments,
    /// By span: how many servers have it as their parent.
    servers: Vec<u32>,
    found: Vec<Cause>,
}

impl Edges<'_> {
    fn push(&mut self, from: Option<Index>, to: Option<Index>, evidence: Evidence) {
        if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            self.found.push(Cause { from, to, evidence });
        }
    }

    /// Start, span events in list order, end: they lie so in the list of moments.
    fn within_spans(&mut self) {
        for (at, pair) in (0..).zip(self.moments.list.windows(2)) {
            if let [a, b] = pair
                && a.at == b.at
            {
                self.push(Some(at), Some(at + 1), Evidence::Span);
            }
        }
    }

    fn of_span(&mut self, at: At, span: &Span) {
        let Some(parent) = self.held.parent(at) else { return };
        let Some(above) = self.held.span(parent) else { return };
        let evidence = if above.kind == SpanKind::Producer && span.kind == SpanKind::Consumer {
            Evidence::Message
        } else if self.same_process(parent, at) {
            Evidence::Parent
        } else {
            Evidence::Request
        };
        if evidence != Evidence::Parent && message::is_blocking_receive(span) {
            self.received_from(parent, at, span, evidence);
        } else {
            self.push(self.moments.start(parent), self.moments.start(at), evidence);
        }
        if span.kind == SpanKind::Server && above.kind == SpanKind::Client && self.answered(parent, at) {
            self.push(self.moments.start(at), self.moments.end(parent), Evidence::Reply);
        }
    }

    /// A blocking receive whose parent is the sender may have begun before the send. But it learned its trace from the
    /// message, so all that was done in its name came after the send: its end, its children, its logs.
    fn received_from(&mut self, sender: At, receive: At, span: &Span, evidence: Evidence) {
        let sent = self.moments.start(sender);
        self.push(sent, self.moments.end(receive), evidence);
        let children = self.held.children(span.trace_id, span.span_id).iter();
        for at in children.chain(self.held.logs(span.trace_id, span.span_id)) {
            let done_in_its_name = self.held.parent(*at).or(self.held.span_of_log(*at)) == Some(receive);
            if done_in_its_name {
                self.push(sent, self.moments.start(*at), evidence);
            }
        }
    }

    fn same_process(&self, a: At, b: At) -> bool {
        let process = |at| self.moments.start(at).map(|m| self.moments.list[m as usize].process);
        process(a) == process(b)
    }

    /// Whether the client heard from this server: it got an answer, and called nobody else.
    fn answered(&self, client: At, server: At) -> bool {
        let Some(span) = self.held.span(client) else { return false };
        if !self.held.has_shared_ids() {
            return got_answer(span) && self.servers[client] == 1;
        }
        let shared = self.held.spans(span.trace_id, span.span_id).iter();
        let children = self.held.children(span.trace_id, span.span_id).iter();
        let mut servers = shared
            .chain(children)
            .filter(|at| self.held.span(**at).is_some_and(|s| s.kind == SpanKind::Server) && **at != client);
        got_answer(span) && servers.all(|at| *at == server)
    }

    fn of_messages(&mut self, messages: &Messages) {
        for hop in message::hops(self.held, messages) {
            let waited = self.held.span(hop.receiver).is_some_and(message::is_blocking_receive);
            let received =
                if waited { self.moments.end(hop.receiver) } else { self.moments.start(hop.receiver) };
            self.push(self.moments.start(hop.sender), received, hop.evidence);
        }
    }

    /// Attempts of one request by their resend count: siblings with one method and one address.
    fn of_retries(&mut self) {
        let mut attempts: BTreeMap<_, Vec<(i64, At)>> = BTreeMap::new();
        for (at, record) in self.held.records().iter().enumerate() {
            if let Some(span) = record.as_span()
                && span.kind == SpanKind::Client
                && let (Some(parent), Some(request)) = (span.parent_span_id, request(span))
            {
                let group = attempts.entry((span.trace_id, parent, request)).or_default();
                group.push((resend_count(span), at));
            }
        }
        for mut group in attempts.into_values().filter(|group| group.iter().any(|(count, _)| *count > 0)) {
            group.sort_unstable();
            let alone = |count: i64| group.iter().filter(|(other, _)| *other == count).count() == 1;
            for pair in group.windows(2) {
                if let [(n, first), (m, second)] = *pair
                    && n + 1 == m
                    && alone(n)
                    && alone(m)
                {
                    self.push(self.moments.start(first), self.moments.start(second), Evidence::Retry);
                }
            }
        }
    }
}

/// Whether a client span says that an answer came: it ended, and carries the answer's status or no error.
pub(crate) fn got_answer(span: &Span) -> bool {
    let text = |names: &[&str]| span.attributes.get_any(names).map(Value::to_text);
    let http = text(&["http.response.status_code", "http.status_code"]);
    let rpc = text(&["rpc.response.status_code", "rpc.grpc.status_code"]);
    span.end.is_set() && answered(http.as_deref(), rpc.as_deref(), span.status.code)
}

/// Whether an answer came to a client span that ended, by the answer's HTTP status (`http.response.status_code`, before:
/// `http.status_code`) or gRPC status (`rpc.response.status_code`, before: `rpc.grpc.status_code`), else by its own.
pub fn answered(http: Option<&str>, rpc: Option<&str>, own: StatusCode) -> bool {
    match (http, rpc) {
        (Some(status), _) => status != "0",
        // These three a client gives itself: cancelled, deadline exceeded, unavailable.
        (None, Some(status)) => {
            !["1", "4", "14", "CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE"].contains(&status)
        }
        (None, None) => own != StatusCode::Error,
    }
}

fn request(span: &Span) -> Option<(String, String)> {
    let text = |names: &[&str]| span.attributes.get_any(names).map(|value| value.to_text().into_owned());
    let method = text(&["http.request.method", "http.method"])?;
    Some((method, text(&["url.full", "http.url", "url.path", "http.target"])?))
}

fn resend_count(span: &Span) -> i64 {
    let count = span.attributes.get_any(&["http.request.resend_count", "http.resend_count"]);
    match count {
        Some(Value::Int(count)) => *count,
        Some(other) => other.to_text().parse().unwrap_or(0),
        None => 0,
    }
}

#[cfg(test)]
mod tests;
