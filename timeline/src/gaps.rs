//! Gaps: evidence that something is missing.

use std::collections::HashSet;

use crate::belongs::Members;
use crate::document::{Belongs, Completeness, Gap, GapKind, StreamState};
use crate::held::{At, Held};
use crate::id::{EventId, Point, TraceId};
use crate::message::{self, Messages, Role};
use crate::order::edge::{Cause, got_answer};
use crate::order::moment::Moments;
use crate::question::Question;
use crate::record::{Record, Span, SpanKind};
use crate::streams;

/// What the gaps are read off.
pub(crate) struct Evidence<'a> {
    /// The records at hand.
    pub(crate) held: &'a Held,
    /// Which of them belong.
    pub(crate) members: &'a Members,
    /// The messages that they speak of.
    pub(crate) messages: &'a Messages,
    /// Their moments.
    pub(crate) moments: &'a Moments,
    /// The causes given up because they run in a circle.
    pub(crate) circular: &'a [Cause],
    /// What the answer rests on.
    pub(crate) completeness: &'a Completeness,
}

/// All gaps, by kind and then by event, each once.
pub(crate) fn gaps(evidence: &Evidence<'_>, question: &Question) -> Vec<Gap> {
    let mut gaps = evidence.of_records();
    gaps.extend(evidence.of_circles());
    gaps.extend(evidence.of_streams());
    gaps.extend(evidence.members.elsewhere.iter().map(|scope| Gap {
        kind: GapKind::Truncated,
        event: None,
        detail: format!(
            "{subject} of {scope} is another thing: ask for {scope}/{subject}",
            subject = question.subject
        ),
    }));
    gaps.sort();
    gaps.dedup();
    gaps
}

impl Evidence<'_> {
    fn of_records(&self) -> Vec<Gap> {
        let received = self.received();
        let own = |(at, why)| (why == Belongs::Own).then(|| self.held.record(at).trace_id()).flatten();
        let own_traces: HashSet<TraceId> = self.members.iter().filter_map(own).collect();
        let mut gaps = Vec::new();
        for (at, why) in self.members.iter() {
            let record = self.held.record(at);
            gaps.extend(cut_by_sdk(record));
            // Beyond one hop from the traces of what names the subject nothing was looked for: that it is not here
            // says nothing.
            let near = !matches!(why, Belongs::Link | Belongs::Message)
                && record.trace_id().is_some_and(|trace| own_traces.contains(&trace));
            match self.held.span(at) {
                Some(span) => {
                    gaps.extend(self.missing_parent(at, span, record));
                    gaps.extend(missing_reply(span, record));
                    gaps.extend(self.missing_sender(at, span, record).filter(|_| near));
                    gaps.extend(self.missing_receiver(at, span, record, &received).filter(|_| near));
                }
                None => gaps.extend(self.missing_span_of_log(at, record)),
            }
        }
        gaps
    }

    fn missing_parent(&self, at: At, span: &Span, record: &Record) -> Option<Gap> {
        let parent = span.parent_span_id.filter(|_| self.held.parent(at).is_none())?;
        let detail = if parent == span.span_id {
            format!("span {parent} of trace {} names itself as its parent", span.trace_id)
        } else {
            format!("span {parent} of trace {} never arrived", span.trace_id)
        };
        Some(gap(GapKind::MissingParent, record, Point::Start, detail))
    }

    fn missing_span_of_log(&self, at: At, record: &Record) -> Option<Gap> {
        let (trace, span) = record.trace_id().zip(record.span_id())?;
        let missing = self.held.span_of_log(at).is_none();
        let detail = format!("span {span} of trace {trace}, which wrote this, never arrived");
        missing.then(|| gap(GapKind::MissingParent, record, Point::Log, detail))
    }

    fn missing_sender(&self, at: At, span: &Span, record: &Record) -> Option<Gap> {
        if Role::of(span) != Some(Role::Receives) {
            return None;
        }
        let missing = span.links.iter().find(|l| self.held.spans(l.trace_id, l.span_id).is_empty());
        let detail = match missing {
            Some(link) => {
                format!("span {} of trace {}, which sent it, never arrived", link.span_id, link.trace_id)
            }
            None => {
                let known = self.held.parent(at).is_some()
                    || !span.links.is_empty()
                    || span.parent_span_id.is_some()
                    || self.messages.iter().any(|(_, e)| e.receivers.contains(&at) && !e.senders.is_empty());
                if known {
                    return None;
                }
                "nothing says who sent it: no parent, no link, no message id that a sender has".to_owned()
            }
        };
        Some(gap(GapKind::MissingSender, record, Point::Start, detail))
    }

    fn missing_receiver(&self, at: At, span: &Span, record: &Record, received: &HashSet<At>) -> Option<Gap> {
        let sends = span.kind == SpanKind::Producer && Role::of(span) == Some(Role::Sends);
        let children = self.held.children(span.trace_id, span.span_id);
        let twin =
            children.iter().any(|child| self.held.span(*child).is_some_and(|c| c.kind == SpanKind::Producer));
        let taken = children.iter().any(|child| {
            self.held.span(*child).is_some_and(|c| matches!(c.kind, SpanKind::Consumer | SpanKind::Server))
        });
        let missing = sends && !twin && !taken && !received.contains(&at);
        missing.then(|| {
            gap(GapKind::MissingReceiver, record, Point::Start, "nobody was seen to receive it".into())
        })
    }

    /// The spans whose message somebody received, by link or by message key; all twins that sent it.
    fn received(&self) -> HashSet<At> {
        let hops = message::hops(self.held, self.messages).into_iter().map(|hop| hop.sender);
        let keyed = self.messages.iter().filter(|(_, ends)| !ends.receivers.is_empty());
        hops.chain(keyed.flat_map(|(_, ends)| ends.senders.iter().copied())).collect()
    }

    fn of_circles(&self) -> Vec<Gap> {
        let detail = "what comes before it runs in a circle: nothing of the circle is claimed";
        let record = |cause: &Cause| &self.moments.list[cause.to as usize];
        self.circular
            .iter()
            .map(record)
            .map(|m| gap(GapKind::MissingParent, self.held.record(m.at), m.point, detail.into()))
            .collect()
    }

    fn of_streams(&self) -> Vec<Gap> {
        let sampled = self.completeness.streams.iter().filter(|s| s.state == StreamState::Sampled);
        sampled
            .map(|stream| {
                let percent = stream.rate.unwrap_or_default() * 100.0;
                let evidence = stream.evidence.as_deref().unwrap_or_default();
                let detail =
                    format!("{}: {} sampled at {percent:.4} % ({evidence})", stream.service, stream.signal);
                Gap { kind: GapKind::Sampled, event: None, detail }
            })
            .collect()
    }
}

fn missing_reply(span: &Span, record: &Record) -> Option<Gap> {
    let detail = if span.kind != SpanKind::Client || got_answer(span) {
        return None;
    } else if span.end.is_set() {
        "ended in error without an answer: whether the work was done is unknown"
    } else {
        "never ended: whether the work was done is unknown"
    };
    Some(gap(GapKind::MissingReply, record, Point::Start, detail.into()))
}

fn cut_by_sdk(record: &Record) -> Option<Gap> {
    let dropped = streams::dropped(record);
    let point = if record.as_span().is_some() { Point::Start } else { Point::Log };
    let detail = format!("the SDK dropped {dropped} of its attributes, events or links");
    (dropped > 0).then(|| gap(GapKind::Truncated, record, point, detail))
}

fn gap(kind: GapKind, record: &Record, point: Point, detail: String) -> Gap {
    Gap { kind, event: Some(EventId::new(record.id, point)), detail }
}
