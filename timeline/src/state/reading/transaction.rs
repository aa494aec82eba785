//! Which operations are one transaction, and what became of it.
//!
//! Statements between `BEGIN` and `COMMIT` of one connection take effect at the commit, and never after a rollback.
//! A connection is not named by telemetry; spans below one parent in one process that speak to one database are
//! taken to share it, as long as their statements do not overlap. Without `BEGIN` every span is its own transaction.

use std::collections::BTreeMap;

use super::Told;
use super::outcome::outcome;
use super::sql::Control;
use crate::document::{Op, Outcome, StateEvidence};
use crate::held::{At, Held};
use crate::id::{EventId, Point, SpanId, TraceId};
use crate::record::Span;
use crate::time::Time;

/// Where statements of one connection are looked for: below one parent, in one process, on one database.
type Line = (TraceId, Option<SpanId>, u128, String);

/// What happens on a line, each with its place: start, record, number within the record.
type Steps = Vec<((Time, At, usize, bool), Step)>;

/// A statement or a bound of a transaction, in the order of a line.
enum Step {
    Told(usize),
    Control(At, Control),
}

/// Sets each operation's transaction, its commit, and what became of both.
pub(super) fn settle(held: &Held, told: &mut [Told], controls: &[(At, usize, Control)]) {
    for told in told.iter_mut().filter(|told| held.span(told.at).is_some()) {
        let record = held.record(told.at);
        told.draft.transaction.get_or_insert_with(|| EventId::new(record.id, Point::Start).to_string());
    }
    for steps in lines(held, told, controls).into_values() {
        Running::default().walk(held, told, steps);
    }
}

fn lines(held: &Held, told: &[Told], controls: &[(At, usize, Control)]) -> BTreeMap<Line, Steps> {
    let mut lines: BTreeMap<Line, Steps> = BTreeMap::new();
    if controls.is_empty() {
        return lines;
    }
    let mut within = 0; // an operation's number within its record
    for (number, one) in told.iter().enumerate() {
        within = if number > 0 && told[number - 1].at == one.at { within + 1 } else { 0 };
        if matches!(one.draft.evidence, StateEvidence::Sql | StateEvidence::Redis)
            && let Some((line, start)) = line(held, one.at)
        {
            lines.entry(line).or_default().push(((start, one.at, within, true), Step::Told(number)));
        }
    }
    for (at, before, control) in controls {
        if let Some((line, start)) = line(held, *at) {
            lines
                .entry(line)
                .or_default()
                .push(((start, *at, *before, false), Step::Control(*at, control.clone())));
        }
    }
    lines.retain(|_, steps| steps.iter().any(|(_, step)| matches!(step, Step::Control(..))));
    for steps in lines.values_mut() {
        steps.sort_by_key(|(place, _)| *place);
    }
    lines
}

fn line(held: &Held, at: At) -> Option<(Line, Time)> {
    let record = held.record(at);
    let span = record.as_span()?;
    let database = ["db.namespace", "db.name", "server.address", "net.peer.name"];
    let database = database.iter().filter_map(|name| span.attributes.get(name)).map(|value| value.to_text());
    let database = database.collect::<Vec<_>>().join("/");
    Some(((span.trace_id, span.parent_span_id, record.resource.digest(), database), span.start))
}

/// The transaction that is open at one point of a line.
#[derive(Default)]
struct Running {
    /// Where it began.
    begin: Option<EventId>,
    /// The operations since.
    since: Vec<usize>,
    /// Savepoints, each with how many operations stood before it.
    savepoints: Vec<(String, usize)>,
    /// Whether a statement failed in it.
    broken: bool,
}

impl Running {
    fn walk(mut self, held: &Held, told: &mut [Told], steps: Steps) {
        for (_, step) in steps {
            match step {
                Step::Told(number) => {
                    let Some(begin) = self.begin else { continue };
                    let draft = &mut told[number].draft;
                    self.broken |= draft.outcome == Outcome::Failed && refused(held.span(told[number].at));
                    draft.transaction = Some(begin.to_string());
                    self.since.push(number);
                }
                Step::Control(at, control) => self.control(held, told, at, &control),
            }
        }
        // Begun, and never seen to end.
        self.close(told, Outcome::Unknown, None);
    }

    fn control(&mut self, held: &Held, told: &mut [Told], at: At, control: &Control) {
        let Some(span) = held.span(at) else { return };
        let event = |point| EventId::new(held.record(at).id, point);
        let answered = outcome(span);
        match control {
            Control::Begin => {
                self.close(told, Outcome::Unknown, None);
                self.begin = (answered != Outcome::Failed).then(|| event(Point::Start));
            }
            // PostgreSQL answers the COMMIT of a broken transaction with a rollback, and no error.
            Control::Commit if self.broken && is_postgres(span) => self.close(told, Outcome::Failed, None),
            Control::Commit => self.close(told, answered, Some(event(Point::End))),
            Control::Rollback => self.close(told, Outcome::Failed, None),
            Control::Savepoint(name) => self.savepoints.push((name.clone(), self.since.len())),
            Control::RollbackTo(name) => {
                let Some((_, count)) = self.savepoints.iter().rev().find(|(own, _)| own == name) else {
                    return;
                };
                for number in self.since.split_off((*count).min(self.since.len())) {
                    told[number].draft.outcome = Outcome::Failed;
                }
                self.broken = false;
            }
        }
    }

    /// Ends the open transaction with this outcome.
    fn close(&mut self, told: &mut [Told], outcome: Outcome, commit: Option<EventId>) {
        for number in self.since.drain(..) {
            let one = &mut told[number];
            if one.draft.op == Op::Read {
                continue;
            }
            one.visible_at = commit;
            one.draft.outcome = match (one.draft.outcome, outcome) {
                (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
                // Its caller checked how many rows a compare-and-set changed, and went on to commit.
                (Outcome::Unknown, Outcome::Ok) if commit.is_some() => settled(&one.draft),
                (_, outcome) => outcome,
            };
        }
        *self = Running::default();
    }
}

/// A write that insisted on a version, committed by a caller who would else have given up, took effect.
fn settled(draft: &super::Draft) -> Outcome {
    if draft.expected_version.is_some() || draft.from.is_some() { Outcome::Ok } else { Outcome::Unknown }
}

/// Whether the statement itself failed; one that merely changed no row did not.
fn refused(span: Option<&Span>) -> bool {
    span.is_some_and(|span| outcome(span) == Outcome::Failed)
}

fn is_postgres(span: &Span) -> bool {
    let system = span.attributes.get_any(&["db.system.name", "db.system"]);
    system.is_some_and(|system| system.to_text().starts_with("postgres"))
}
