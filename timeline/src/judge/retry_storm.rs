//! `retry_storm`: more attempts of one intent than a threshold.

use std::collections::BTreeMap;

use super::case::Case;
use super::draft::Draft;
use super::story;
use crate::document::FindingKind;
use crate::held::At;
use crate::message::{self, Role};

/// Judges the attempts of each request, and the deliveries of each message to one service.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let requests = case.attempt_chains().into_iter().map(|chain| (chain, "sent"));
    let messages = deliveries(case).into_iter().map(|chain| (chain, "received"));
    let most = case.evidence.settings.attempts_max;
    let storms = requests.chain(messages).filter(|(chain, _)| chain.len() > most);
    storms.filter_map(|(chain, verb)| of_chain(case, &chain, verb)).collect()
}

fn of_chain(case: &Case<'_>, chain: &[At], verb: &str) -> Option<Draft> {
    let (first, last) = (case.start(*chain.first()?), case.start(*chain.last()?));
    let record = case.evidence.held.record(*chain.first()?);
    let subject = case.evidence.subject.clone();
    let about = subject.as_ref().map(|thing| format!(" for {thing}")).unwrap_or_default();
    let summary = format!(
        "{service} {verb} «{name}»{about} {count} times within {lasting} (at most {most} is acceptable)",
        service = record.resource.service(),
        name = record.as_span()?.name,
        count = chain.len(),
        lasting = story::lasting(case.time(last).since(case.time(first))),
        most = case.evidence.settings.attempts_max,
    );
    let mut draft = Draft::new(FindingKind::RetryStorm, summary);
    draft.basis.identity = case.identity_of(record.id);
    draft.things.extend(subject);
    draft.events = chain.iter().map(|at| case.start(*at)).collect();
    Some(draft.lasting(case.time(first), Some(case.time(last))))
}

/// The receipts of each message by one service from one destination, first to last.
fn deliveries(case: &Case<'_>) -> Vec<Vec<At>> {
    let mut deliveries: BTreeMap<(String, String, String), Vec<At>> = BTreeMap::new();
    for (at, record) in case.evidence.held.records().iter().enumerate() {
        let Some(span) = record.as_span().filter(|span| Role::of(span) == Some(Role::Receives)) else {
            continue;
        };
        // Of the spans of one delivery, "receive" and "process", one counts.
        let nested = case.lineage(at).skip(1).any(|above| {
            case.evidence.held.span(above).is_some_and(|span| Role::of(span) == Some(Role::Receives))
        });
        if nested || message::is_blocking_receive(span) || case.evidence.moments.start(at).is_none() {
            continue;
        }
        let queue = span.attributes.get_any(&[
            "messaging.destination.subscription.name",
            "messaging.consumer.group.name",
            "messaging.kafka.consumer.group",
        ]);
        let queue = queue.map(|queue| queue.to_text().into_owned()).unwrap_or_default();
        for id in message::ids(span) {
            let key = (id, record.resource.service().to_owned(), queue.clone());
            deliveries.entry(key).or_default().push(at);
        }
    }
    let mut deliveries: Vec<Vec<At>> = deliveries.into_values().collect();
    deliveries.iter_mut().for_each(|chain| chain.sort_by_key(|at| case.place(case.start(*at))));
    deliveries
}
