//! One operation that several records of one trace tell is one operation.
//!
//! - A request that its server tells of is told by the server: its client's word is dropped. Where the client got no
//!   answer, nobody knows whether what the server answered was read.
//! - A statement or command whose span has a child span of the same process with the same text is told by the child,
//!   which is closer to the database. The same goes for a message: of nested sends the innermost, of nested receives
//!   the outermost.
//! - A log line that says what its span, or another line of its span, says of the same field in the same copy is
//!   dropped.
//! - A log line that tells the value of a field, in the span that holds or is the only statement which writes that
//!   field of that thing without a value, fills in the statement's value. The line's own operation stays, in its copy.

use std::collections::{BTreeMap, HashSet};

use super::Told;
use super::draft::Key;
use crate::document::{Op, Outcome, StateEvidence};
use crate::held::{At, Held};
use crate::order::edge::got_answer;
use crate::record::{Span, SpanKind};
use crate::value::Value;

/// Drops what another record tells better.
pub(super) fn drop_repeats(held: &Held, told: &mut Vec<Told>) {
    let told_by: HashSet<(At, StateEvidence)> =
        told.iter().map(|told| (told.at, told.draft.evidence)).collect();
    told.retain(|one| !is_repeat(held, one, &told_by));
    for one in told.iter_mut().filter(|one| one.draft.evidence == StateEvidence::Http) {
        if gave_up(held, one.at) && one.draft.outcome == Outcome::Ok && one.draft.op == Op::Read {
            one.draft.outcome = Outcome::Unknown;
        }
    }
}

fn is_repeat(held: &Held, one: &Told, told_by: &HashSet<(At, StateEvidence)>) -> bool {
    let Some(span) = held.span(one.at) else { return false };
    let evidence = one.draft.evidence;
    let tells = |at: &At| told_by.contains(&(*at, evidence));
    let children = || held.children(span.trace_id, span.span_id).iter().filter(|at| tells(at));
    let mut below = children().filter_map(|at| held.span(*at).map(|span| (*at, span)));
    match evidence {
        StateEvidence::Http if span.kind == SpanKind::Client => {
            let shared = held.spans(span.trace_id, span.span_id).iter().filter(|at| tells(at));
            let mut halves = shared.filter_map(|at| held.span(*at));
            below.any(|(_, child)| child.kind == SpanKind::Server)
                || halves.any(|half| half.kind == SpanKind::Server)
        }
        StateEvidence::Sql | StateEvidence::Redis => {
            below.any(|(at, child)| same_process(held, one.at, at) && statement(child) == statement(span))
        }
        StateEvidence::Message if one.draft.op == Op::Read => held.parent(one.at).is_some_and(|above| {
            tells(&above)
                && same_process(held, one.at, above)
                && held.span(above).is_some_and(|parent| {
                    destination(parent) == destination(span) && parent.kind == span.kind
                })
        }),
        StateEvidence::Message => below.any(|(at, child)| {
            same_process(held, one.at, at)
                && destination(child) == destination(span)
                && child.kind == SpanKind::Producer
        }),
        _ => false,
    }
}

fn same_process(held: &Held, a: At, b: At) -> bool {
    held.record(a).resource.digest() == held.record(b).resource.digest()
}

fn statement(span: &Span) -> Option<&str> {
    span.attributes.get_any(&["db.query.text", "db.statement"]).and_then(Value::as_str)
}

fn destination(span: &Span) -> Option<&str> {
    span.attributes.get_any(&["messaging.destination.name", "messaging.destination"]).and_then(Value::as_str)
}

/// Whether the client of this serving span got no answer.
fn gave_up(held: &Held, at: At) -> bool {
    let serves = held.span(at).is_some_and(|span| span.kind == SpanKind::Server);
    let client =
        held.parent(at).and_then(|parent| held.span(parent)).filter(|span| span.kind == SpanKind::Client);
    serves && client.is_some_and(|client| !got_answer(client))
}

/// Whose field in which copy, in which span.
type Place<'a> = (At, &'a str, &'a str, &'a str);

/// Lets log lines fill in what statements lack, then drops lines that say what their span says. Keys are known by now.
pub(super) fn merge_lines(held: &Held, told: &mut Vec<Told>) {
    fill_in(held, told);
    let span_of = |at: At| if held.span(at).is_some() { Some(at) } else { held.span_of_log(at) };
    let mut said: HashSet<(At, String, String, String, Option<String>)> = HashSet::new();
    let mut order: Vec<usize> = (0..told.len()).collect();
    order.sort_by_key(|number| (told[*number].draft.evidence == StateEvidence::Log, *number));
    let mut dropped: HashSet<usize> = HashSet::new();
    for number in order {
        let one = &told[number];
        let (Some(span), Key::Known(key)) = (span_of(one.at), &one.draft.key) else { continue };
        let value = one.draft.value.as_ref().map(|value| value.to_text().into_owned());
        let what = format!("{:?} {}", one.draft.op, one.draft.field.as_deref().unwrap_or(""));
        let place = (span, format!("{}/{key}", one.draft.kind), one.draft.copy.clone(), what, value);
        if !said.insert(place) && one.draft.evidence == StateEvidence::Log {
            dropped.insert(number);
        }
    }
    let mut number = 0;
    told.retain(|_| {
        number += 1;
        !dropped.contains(&(number - 1))
    });
}

fn fill_in(held: &Held, told: &mut [Told]) {
    // The statements without a value, by the span that holds or is them.
    let mut lacking: BTreeMap<Place<'_>, Vec<usize>> = BTreeMap::new();
    let mut lines: Vec<(Place<'_>, usize)> = Vec::new();
    for (number, one) in told.iter().enumerate() {
        let (Key::Known(key), Some(field)) = (&one.draft.key, &one.draft.field) else { continue };
        if one.draft.op != Op::Write {
            continue;
        }
        let kind = one.draft.kind.as_str();
        match one.draft.evidence {
            StateEvidence::Sql | StateEvidence::Redis if one.draft.value.is_none() && !one.draft.part => {
                let parent = held.parent(one.at).filter(|parent| same_process(held, one.at, *parent));
                for span in [Some(one.at), parent].into_iter().flatten() {
                    lacking.entry((span, kind, key, field)).or_default().push(number);
                }
            }
            StateEvidence::Log if one.draft.value.is_some() => {
                if let Some(span) = held.span_of_log(one.at).filter(|span| same_process(held, one.at, *span))
                {
                    lines.push(((span, kind, key, field), number));
                }
            }
            _ => {}
        }
    }
    let mut filled: Vec<(usize, usize)> = Vec::new();
    for (place, line) in &lines {
        let alone = lines.iter().filter(|(other, _)| other == place).count() == 1;
        if let Some([statement]) = lacking.get(place).map(Vec::as_slice)
            && alone
        {
            filled.push((*statement, *line));
        }
    }
    for (statement, line) in filled {
        let (from, value) = (told[line].draft.from.clone(), told[line].draft.value.clone());
        let draft = &mut told[statement].draft;
        draft.value = value;
        draft.from = draft.from.take().or(from);
    }
}
