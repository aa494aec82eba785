//! `duplicate_apply`: one intent took effect more than once.
//!
//! Harmless repeats are told apart: a write that leaves what the first left, while nothing else was written
//! between, and an upsert of the same row, have one effect however often they come.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Intent, Statement, is_volatile};
use super::draft::Draft;
use super::story;
use crate::document::{Certainty, FindingKind, Op, Outcome, ValueBasis};
use crate::held::At;
use crate::id::EventId;
use crate::state::relation::{agree, number};
use crate::state::{Operation, Thing};

/// Judges every pair of executions of one intent.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let statements = case.statements();
    let mut executions: BTreeMap<(Intent, &Thing, &str), BTreeMap<At, Vec<&Statement<'_>>>> = BTreeMap::new();
    for statement in &statements {
        for (intent, by) in case.intents(statement.any()) {
            let group = executions.entry((intent, statement.thing, statement.copy)).or_default();
            group.entry(by).or_default().push(statement);
        }
    }
    let mut drafts: Vec<Draft> = Vec::new();
    for ((intent, ..), group) in &executions {
        if let Some(draft) = of_group(case, &statements, intent, group) {
            // One effect may repeat by several intents at once: the message's and the retried request's.
            let same = |own: &Draft| own.events.iter().any(|event| draft.events.contains(event));
            if !drafts.iter().any(|own| same(own) && own.grade() >= draft.grade()) {
                drafts.retain(|own| !same(own));
                drafts.push(draft);
            }
        }
    }
    drafts
}

fn of_group(
    case: &Case<'_>,
    all: &[Statement<'_>],
    intent: &Intent,
    group: &BTreeMap<At, Vec<&Statement<'_>>>,
) -> Option<Draft> {
    let mut executions: Vec<(&At, &Vec<&Statement<'_>>)> = group.iter().collect();
    executions.sort_by_key(|(at, _)| case.place(case.start(**at)));
    let (first, repeats) = executions.split_first()?;
    let mut found: Option<Draft> = None;
    let mut times = 1;
    for repeat in repeats {
        let Some(pair) = first
            .1
            .iter()
            .flat_map(|a| repeat.1.iter().map(move |b| (*a, *b)))
            .find_map(|(a, b)| repeated(case, all, a, b).map(|basis| (a, b, basis)))
        else {
            continue;
        };
        times += 1;
        let (a, b, (value, order)) = pair;
        let draft = found
            .take()
            .unwrap_or_else(|| Draft::new(FindingKind::DuplicateApply, String::new()).on([first_told(a)]));
        let known = a.any().outcome == Outcome::Ok && b.any().outcome == Outcome::Ok;
        let mut draft = draft.on([first_told(b)]).in_order(order).with_values(if known {
            value
        } else {
            ValueBasis::Inferred
        });
        draft.events.extend([case.start(*first.0), case.start(*repeat.0)]);
        draft.summary = summary(case, intent, a, b, times, known);
        draft = draft.lasting(case.time(b.any().effect_ended()), None);
        draft.repaired_by = repaired_by(case, all, b);
        draft.until = draft.repaired_by.map(|event| case.time(event));
        found = Some(draft);
    }
    found
}

/// The operation that tells most of a statement: the first that is no mere key or version.
fn first_told<'a>(statement: &Statement<'a>) -> &'a Operation {
    let telling = |o: &&&Operation| !o.field.as_deref().is_some_and(is_volatile);
    statement.operations.iter().find(telling).copied().unwrap_or_else(|| statement.any())
}

/// Whether `b` had an effect again that `a` had had: with what its value and its order rest on.
fn repeated(
    case: &Case<'_>,
    all: &[Statement<'_>],
    a: &Statement<'_>,
    b: &Statement<'_>,
) -> Option<(ValueBasis, Option<Certainty>)> {
    let needless = Some(Certainty::Causal);
    let same_op = a.any().op == b.any().op;
    match a.any().op {
        _ if !same_op => None,
        Op::Delete | Op::Read => None,
        Op::Add | Op::Append => {
            let told = |statement: &Statement<'_>| {
                statement
                    .operations
                    .iter()
                    .any(|o| o.field.is_some() && (o.delta.is_some() || o.value.is_some()))
            };
            same_fields(a, b).then_some(())?;
            Some((if told(a) && told(b) { ValueBasis::Seen } else { ValueBasis::Inferred }, needless))
        }
        Op::Write if a.any().part => rows_differ(case, all, a, b).map(|value| (value, needless)),
        Op::Write => undone_between(case, all, a, b).or_else(|| differs(a, b).map(|value| (value, needless))),
    }
}

fn same_fields(a: &Statement<'_>, b: &Statement<'_>) -> bool {
    a.operations.iter().any(|own| b.operations.iter().any(|other| own.field == other.field))
}

/// Two rows that refer to the thing: by their own keys; else by two inserts that both succeeded.
fn rows_differ(
    case: &Case<'_>,
    all: &[Statement<'_>],
    a: &Statement<'_>,
    b: &Statement<'_>,
) -> Option<ValueBasis> {
    let [first, second] = [a, b].map(|statement| rows(all, statement));
    if !first.is_empty() && !second.is_empty() {
        return first.is_disjoint(&second).then_some(ValueBasis::Seen);
    }
    let inserts = |statement: &Statement<'_>| {
        let text = case.statement(statement.any()).to_ascii_uppercase();
        let merges = ["ON CONFLICT", "ON DUPLICATE", "OR IGNORE", "OR REPLACE", "INSERT IGNORE"];
        text.trim_start().starts_with("INSERT") && !merges.iter().any(|merge| text.contains(merge))
    };
    (inserts(a) && inserts(b)).then_some(ValueBasis::NotNeeded)
}

/// The rows' own names: things of other types that the same statement wrote in the same copy.
pub(super) fn rows<'a>(all: &[Statement<'a>], statement: &Statement<'a>) -> BTreeSet<&'a Thing> {
    let same = |other: &&Statement<'a>| {
        other.any().record == statement.any().record
            && other.any().event == statement.any().event
            && other.copy == statement.copy
            && !other.any().part
    };
    all.iter().filter(same).map(|other| other.thing).filter(|thing| *thing != statement.thing).collect()
}

/// The repeat wrote what the first had written, though somebody had written something else meanwhile.
fn undone_between(
    case: &Case<'_>,
    all: &[Statement<'_>],
    a: &Statement<'_>,
    b: &Statement<'_>,
) -> Option<(ValueBasis, Option<Certainty>)> {
    let between = all
        .iter()
        .filter(|other| other.thing == a.thing && other.copy == a.copy && other.any().outcome == Outcome::Ok);
    let orders = between.filter_map(|other| {
        let undone = a.operations.iter().any(|operation| {
            let field = operation.field.as_deref().filter(|field| !is_volatile(field));
            let values =
                field.and_then(|field| Some((a.value(field)?, other.value(field)?, b.value(field)?)));
            values.is_some_and(|(first, meanwhile, again)| agree(first, again) && !agree(first, meanwhile))
        });
        let order = case.effect_before(a.any(), other.any())?.min(case.effect_before(other.any(), b.any())?);
        undone.then_some(order)
    });
    orders.max().map(|order| (ValueBasis::Seen, Some(order)))
}

/// The repeat left something else than the first.
fn differs(a: &Statement<'_>, b: &Statement<'_>) -> Option<ValueBasis> {
    let differs = |operation: &&&Operation| {
        let field = operation.field.as_deref().filter(|field| !is_volatile(field));
        let values = field.and_then(|field| a.value(field).zip(b.value(field)));
        values.is_some_and(|(first, again)| !agree(first, again))
    };
    a.operations.iter().find(differs).map(|_| ValueBasis::Seen)
}

/// What undid the repeat: the row was deleted or marked as given back, or the delta was taken back.
fn repaired_by(case: &Case<'_>, all: &[Statement<'_>], repeat: &Statement<'_>) -> Option<EventId> {
    const GIVEN_BACK: &[&str] =
        &["refunded", "voided", "reversed", "cancelled", "canceled", "released", "deleted"];
    let rows = rows(all, repeat);
    let undoes = |other: &&Statement<'_>| {
        let of_row = rows.contains(other.thing);
        let deletes = other.any().op == Op::Delete;
        let gives_back = other.operations.iter().any(|operation| {
            let value = operation.value.as_ref().map(|value| value.to_text().to_lowercase());
            value.is_some_and(|value| GIVEN_BACK.contains(&value.as_str()))
        });
        let takes_back = other.thing == repeat.thing
            && other.copy == repeat.copy
            && other.any().op == Op::Add
            && delta(other).zip(delta(repeat)).is_some_and(|(own, repeated)| own == -repeated);
        (of_row && (deletes || gives_back)) || takes_back
    };
    all.iter()
        .filter(undoes)
        .find(|other| case.effect_before(repeat.any(), other.any()).is_some())
        .map(|other| other.any().event)
}

fn delta(statement: &Statement<'_>) -> Option<f64> {
    statement.operations.iter().find_map(|operation| number(operation.delta.as_ref()?))
}

fn summary(
    case: &Case<'_>,
    intent: &Intent,
    a: &Statement<'_>,
    b: &Statement<'_>,
    times: usize,
    known: bool,
) -> String {
    let why = match intent {
        Intent::Retry(_) => "a retry",
        Intent::Message(_) => "a message delivered again",
        Intent::Key(_) => "a request with the same idempotency key",
        Intent::Declared(_) => "the same command",
    };
    let told = first_told(b);
    let what = match told.op {
        Op::Add => format!(
            "{} changed by {}",
            told.field.as_deref().unwrap_or("a number"),
            told.delta.as_ref().map_or_else(|| "a hidden amount".to_owned(), story::shown)
        ),
        _ => story::held(told.field.as_deref(), told.value.as_ref()),
    };
    let verb = if known { "took effect" } else { "may have taken effect" };
    let count = if times == 2 { "twice".to_owned() } else { format!("{times} times") };
    format!(
        "{thing}: {what} in {copy} {verb} {count}: {why} repeated it {later} later ({first}, then {second})",
        thing = b.thing,
        copy = b.copy,
        later = story::apart(case, a.any(), told),
        first = story::who(case, a.any()),
        second = story::who(case, told),
    )
}
