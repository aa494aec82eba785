//! `lost_update` (Adya's P4): two writes rest on the same version, and one's effect is gone.

use super::case::{Case, Statement, is_volatile};
use super::draft::Draft;
use super::story;
use crate::document::{Certainty, FindingKind, Op, Outcome, ValueBasis};
use crate::state::Operation;
use crate::state::relation::{Relation, agree};
use crate::value::Value;

/// Judges every pair of writes that change one field of the owner, or of a table where no owner is known.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let statements = case.statements();
    let counts = |s: &&Statement<'_>| {
        let operation = s.any();
        operation.outcome == Outcome::Ok
            && operation.op == Op::Write
            && !operation.part
            && !s.is_insisting()
            && case.owner(&s.thing.kind).is_none_or(|owner| owner == s.copy)
            && !matches!(
                operation.evidence,
                crate::document::StateEvidence::Log | crate::document::StateEvidence::Message
            )
    };
    let writes: Vec<&Statement<'_>> = statements.iter().filter(counts).collect();
    let mut drafts = Vec::new();
    for (at, first) in writes.iter().enumerate() {
        for second in &writes[at + 1..] {
            if first.thing == second.thing && first.copy == second.copy {
                drafts.extend(of_pair(case, &statements, first, second));
            }
        }
    }
    drafts
}

/// `first` stands before `second` in the list.
fn of_pair(
    case: &Case<'_>,
    all: &[Statement<'_>],
    first: &Statement<'_>,
    second: &Statement<'_>,
) -> Option<Draft> {
    let (a, b) = (first.any(), second.any());
    let apart = case.execution(a) != case.execution(b)
        && (a.transaction.is_none() || a.transaction != b.transaction)
        && a.record != b.record;
    if !apart || deleted_between(case, all, first, second) {
        return None;
    }
    let based = same_base(case, first, second)?;
    let field = lost_field(case, first, second)?;
    let lost = *first.operations.iter().find(|o| o.field.as_deref() == Some(field))?;
    let kept = *second.operations.iter().find(|o| o.field.as_deref() == Some(field))?;
    let summary = format!(
        "{thing} lost {gone}: {later} in {copy} was saved {after} later from {base}, over it",
        thing = first.thing,
        gone = story::held(Some(field), lost.value.as_ref()),
        later = story::held(Some(field), kept.value.as_ref()),
        copy = first.copy,
        after = story::apart(case, lost, kept),
        base = based.told,
    );
    let mut draft = Draft::new(FindingKind::LostUpdate, summary)
        .on([lost, kept])
        .in_order(based.order)
        .with_values(based.value)
        .lasting(case.time(kept.effect_ended()), None);
    draft.class = Some("P4");
    draft.events.extend(based.reads.iter().map(|read| read.event));
    draft.repaired_by = all
        .iter()
        .filter(|other| other.thing == first.thing && other.copy == first.copy)
        .filter(|other| {
            other.value(field).is_some_and(|own| lost.value.as_ref().is_some_and(|gone| agree(own, gone)))
        })
        .find(|other| case.effect_before(b, other.any()).is_some())
        .map(|other| other.any().event);
    draft.until = draft.repaired_by.map(|event| case.time(event));
    Some(draft)
}

/// That two writes rest on the same state of the row.
struct Base<'a> {
    order: Option<Certainty>,
    value: ValueBasis,
    reads: Vec<&'a Operation>,
    told: String,
}

fn same_base<'a>(case: &Case<'a>, first: &Statement<'a>, second: &Statement<'a>) -> Option<Base<'a>> {
    let reads = [reads_before(case, first), reads_before(case, second)];
    let versions = reads.clone().map(|reads| reads.iter().rev().find_map(|read| read.version.as_ref()));
    if let [Some(own), Some(other)] = versions {
        // What was read says it: the same version is the same base, another one is none.
        let told = format!("the same version {}", story::shown(own));
        let reads =
            reads.into_iter().filter_map(|reads| reads.into_iter().rev().find(|r| r.version.is_some()));
        return agree(own, other).then(|| Base {
            order: Some(Certainty::Causal),
            value: ValueBasis::Seen,
            reads: reads.collect(),
            told,
        });
    }
    let written = first.version().zip(second.version());
    if written.is_some_and(|(own, other)| !agree(own, other)) {
        return None;
    }
    let [own_reads, later_reads] = &reads;
    // The later write's read was over before the earlier write could take effect: it did not see it.
    let unseen = later_reads.last().and_then(|read| {
        let order = case.before(read.event, first.any().effect_began())?;
        let own = own_reads.last().and_then(|own| case.before(own.event, second.any().effect_began()));
        Some((order.min(own.unwrap_or(order)), *read))
    });
    match (unseen, written) {
        (Some((order, read)), version) => Some(Base {
            order: case.effect_before(first.any(), second.any()).map(|own| own.min(order)),
            value: ValueBasis::Seen,
            reads: own_reads.last().copied().into_iter().chain([read]).collect(),
            told: version.map_or_else(
                || "a row read before".to_owned(),
                |(own, _)| format!("a row read before (both call it version {})", story::shown(own)),
            ),
        }),
        // Two writes that call what they leave by one number counted from the same one, or forgot to count.
        (None, Some((own, _))) => Some(Base {
            order: case.effect_before(first.any(), second.any()),
            value: ValueBasis::Inferred,
            reads: Vec::new(),
            told: format!("the same row (both call it version {})", story::shown(own)),
        }),
        (None, None) => None,
    }
}

/// The reads of the same row by the same execution before it wrote, in the order of the list. A read that locked the
/// row lets nobody in between, and so there is none.
fn reads_before<'a>(case: &Case<'a>, write: &Statement<'a>) -> Vec<&'a Operation> {
    let execution = case.execution(write.any());
    let operations: &'a [Operation] = case.evidence.operations;
    let mut reads: Vec<&Operation> = operations
        .iter()
        .filter(|o| !o.writes() && o.thing.as_ref() == Some(write.thing) && o.copy == write.copy)
        .filter(|o| case.execution(o) == execution && case.before(o.event, write.any().began).is_some())
        .collect();
    reads.sort_by_key(|read| case.evidence.listing.place(read.event));
    let locks = |read: &Operation| case.statement(read).to_ascii_uppercase().contains("FOR UPDATE");
    if reads.iter().any(|read| locks(read)) { Vec::new() } else { reads }
}

/// A field that the earlier write changed and the later one set to something else.
fn lost_field<'a>(case: &Case<'_>, first: &Statement<'a>, second: &Statement<'a>) -> Option<&'a str> {
    let place = case.place(first.any().effect_ended());
    first.operations.iter().filter_map(|o| o.field.as_deref()).find(|field| {
        let (Some(gone), Some(kept)) = (first.value(field), second.value(field)) else { return false };
        let slot = crate::state::Slot {
            thing: first.thing.clone(),
            copy: first.copy.to_owned(),
            field: Some((*field).to_owned()),
        };
        let held = case.evidence.history.tracks.get(&slot);
        let before = held.map(|track| track.at(place.checked_sub(1)));
        let changed =
            before.and_then(|belief| belief.value).is_none_or(|before: Value| !agree(&before, gone));
        !is_volatile(field) && !agree(gone, kept) && changed
    })
}

/// Whether the row may have been deleted between the two: then versions count from the beginning again.
fn deleted_between(
    case: &Case<'_>,
    all: &[Statement<'_>],
    first: &Statement<'_>,
    second: &Statement<'_>,
) -> bool {
    all.iter()
        .filter(|other| other.thing == first.thing && other.copy == first.copy)
        .filter(|other| other.any().op == Op::Delete)
        .any(|delete| {
            case.effect_before(delete.any(), first.any()).is_none()
                && case.effect_before(second.any(), delete.any()).is_none()
        })
}
