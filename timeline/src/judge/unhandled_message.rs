//! `unhandled_message`: sent, and never received within the window.
//!
//! It rests on absence. It is silent where nobody was ever seen to receive from the destination: then its consumers
//! may not be instrumented at all.

use std::collections::BTreeSet;

use super::case::Case;
use super::draft::Draft;
use crate::document::{CompletenessBasis, FindingKind, GapKind, Identity};
use crate::message::Role;
use crate::record::{Span, SpanKind};

/// Judges every send of which no receipt was seen.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let gaps = case.evidence.gaps.iter().filter(|gap| gap.kind == GapKind::MissingReceiver);
    gaps.filter_map(|gap| of_send(case, gap.event?)).collect()
}

fn of_send(case: &Case<'_>, sent: crate::id::EventId) -> Option<Draft> {
    let record = case.record_of(sent)?;
    let span = record.as_span()?;
    let destination = destination(span)?;
    let receivers = receivers(case, &destination);
    let absence = case.absence(&receivers, "");
    if receivers.is_empty() || absence == CompletenessBasis::Partial || !case.is_overdue(sent) {
        return None;
    }
    let subject = case.evidence.subject.clone();
    let named = subject.as_ref().map(|thing| format!(" about {thing}")).unwrap_or_default();
    let what = routing_key(span).map_or_else(|| "a message".to_owned(), |key| format!("{key:?}"));
    let summary = format!(
        "{service} sent {what}{named} to {destination}, and nobody received it; {receivers} received others from there",
        service = record.resource.service(),
        receivers = receivers.iter().copied().collect::<Vec<_>>().join(" and "),
    );
    let mut draft = Draft::new(FindingKind::UnhandledMessage, summary).with_absence(absence);
    draft.events.push(sent);
    draft.things.extend(subject);
    draft.basis.identity = draft.basis.identity.min(case.identity_of(record.id));
    if draft.basis.identity == Identity::Unknown {
        draft.things.clear();
    }
    Some(draft.lasting(case.time(sent), None))
}

fn destination(span: &Span) -> Option<String> {
    let name = span.attributes.get_any(&["messaging.destination.name", "messaging.destination"])?;
    Some(name.to_text().into_owned()).filter(|name| !name.is_empty())
}

fn routing_key(span: &Span) -> Option<String> {
    let names = [
        "messaging.rabbitmq.destination.routing_key",
        "messaging.rabbitmq.routing_key",
        "cloudevents.event_type",
    ];
    span.attributes.get_any(&names).map(|key| key.to_text().into_owned())
}

/// The services that were seen to receive from a destination.
fn receivers<'a>(case: &'a Case<'_>, name: &str) -> BTreeSet<&'a str> {
    let receives = |span: &Span| {
        Role::of(span) == Some(Role::Receives)
            && span.kind != SpanKind::Producer
            && destination(span).as_deref() == Some(name)
    };
    case.records()
        .filter(|record| record.as_span().is_some_and(receives))
        .map(|record| record.resource.service())
        .collect()
}
