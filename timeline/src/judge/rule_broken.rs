//! `rule_broken`: a declared `[[rule]]` does not hold.

use std::collections::BTreeSet;

use super::case::{Case, Statement};
use super::draft::Draft;
use super::duplicate_apply::rows;
use super::rule::{Holds, Pattern, Place, Rule};
use super::story;
use crate::document::{Certainty, CompletenessBasis, FindingKind, Op, Outcome, ValueBasis};
use crate::state::relation::number;
use crate::state::{Operation, Thing};

/// Judges every rule for every thing of its type.
pub(super) fn judge(case: &Case<'_>) -> Vec<Draft> {
    let statements = case.statements();
    let mut drafts = Vec::new();
    for rule in &case.evidence.settings.rules {
        let mut things: Vec<&Thing> =
            statements.iter().map(|s| s.thing).filter(|t| t.kind == rule.entity).collect();
        things.sort_unstable();
        things.dedup();
        for thing in things {
            let own: Vec<&Statement<'_>> = statements.iter().filter(|s| s.thing == thing).collect();
            let judged = Judged { case, all: &statements, own: &own, rule, thing };
            drafts.extend(judged.broken());
        }
    }
    drafts
}

struct Judged<'a, 'b> {
    case: &'b Case<'a>,
    all: &'b [Statement<'a>],
    own: &'b [&'b Statement<'a>],
    rule: &'b Rule,
    thing: &'a Thing,
}

impl<'a> Judged<'a, '_> {
    fn broken(&self) -> Option<Draft> {
        let draft = match &self.rule.holds {
            Holds::AtMost(most, pattern) => self.at_most(*most, pattern),
            Holds::Never(pattern, after) => self.never(pattern, after.as_ref()),
            Holds::Eventually(then, after, within_ns) => self.eventually(then, after, *within_ns),
            Holds::SumAtMost(place, most) => {
                let (sum, added) = self.sum(place)?;
                (sum > *most).then(|| {
                    self.draft(&format!("{place} adds up to {sum}, at most {most} is allowed"), &added)
                })
            }
            Holds::SumEquals(place, total) => self.sum_equals(place, total),
        };
        draft.map(|draft| draft.with_values(ValueBasis::Seen))
    }

    fn draft(&self, what: &str, on: &[&Operation]) -> Draft {
        let summary = format!("{}: {} for {}", self.rule.name, what, self.thing);
        let times: Vec<_> = on.iter().map(|operation| self.case.time(operation.event)).collect();
        let from = times.iter().min().copied().unwrap_or_default();
        Draft::new(FindingKind::RuleBroken, summary).on(on.iter().copied()).lasting(from, None)
    }

    /// The writes of a state, each row or else each statement once, in the order of the list.
    fn written(&self, pattern: &Pattern) -> Vec<&'a Operation> {
        let mut seen = Vec::new();
        let mut written = Vec::new();
        for statement in self.own {
            let told = statement.operations.iter().find(|o| pattern.is_written_by(o) == Some(true));
            let Some(told) = told else { continue };
            let rows = rows(self.all, statement);
            if rows.is_empty() || !seen.contains(&rows) {
                written.push(*told);
                seen.push(rows);
            }
        }
        written
    }

    fn at_most(&self, most: u64, pattern: &Pattern) -> Option<Draft> {
        let written = self.written(pattern);
        let sure = written.iter().filter(|operation| operation.outcome == Outcome::Ok).count() as u64;
        if written.len() as u64 <= most {
            return None;
        }
        let what = format!("{pattern} was written {} times, at most {most} is allowed", written.len());
        let order = (sure > most).then_some(Certainty::Causal);
        Some(self.draft(&what, &written).in_order(order))
    }

    fn never(&self, pattern: &Pattern, after: Option<&Pattern>) -> Option<Draft> {
        let sure = |o: &&&'a Operation| o.outcome == Outcome::Ok;
        let written: Vec<&'a Operation> = self.written(pattern).iter().filter(sure).copied().collect();
        let Some(after) = after else {
            let first = written.first()?;
            return Some(self.draft(&format!("{pattern} was written"), &[*first]));
        };
        let triggers: Vec<&'a Operation> = self.written(after).iter().filter(sure).copied().collect();
        let pairs = triggers.iter().flat_map(|trigger| written.iter().map(move |write| (*trigger, *write)));
        let (order, trigger, write) = pairs
            .filter_map(|(trigger, write)| Some((self.case.effect_before(trigger, write)?, trigger, write)))
            .max_by_key(|(order, ..)| *order)?;
        let what = format!("{pattern} was written {} after {after}", story::apart(self.case, trigger, write));
        Some(self.draft(&what, &[trigger, write]).in_order(Some(order)))
    }

    fn eventually(&self, then: &Pattern, after: &Pattern, within_ns: u64) -> Option<Draft> {
        let trigger = *self.written(after).iter().find(|operation| operation.outcome == Outcome::Ok)?;
        let waited = self.case.ends().since(self.case.time(trigger.event));
        let due = waited >= i128::from(within_ns);
        if !due && self.case.evidence.judged_to.is_some() {
            return None;
        }
        let in_time = |write: &&'a Operation| {
            // What can't be told to have been before is taken to be the answer.
            let later = self.case.effect_before(write, trigger).is_none();
            let at = self.case.time(write.event).since(self.case.time(trigger.event));
            later && at <= i128::from(within_ns)
        };
        let hidden = self.own.iter().flat_map(|s| &s.operations).any(|o| then.is_written_by(o).is_none());
        if self.written(then).iter().any(in_time) || hidden {
            return None;
        }
        let services: BTreeSet<&str> = self.own.iter().map(|s| self.case.service(s.any())).collect();
        let absence = self.case.absence(&services, "");
        if absence == CompletenessBasis::Partial {
            return None;
        }
        let within = story::lasting(i128::from(within_ns));
        let what = format!("{then} did not follow {after} within {within}");
        Some(self.draft(&what, &[trigger]).with_absence(absence))
    }

    /// What a field's values add up to over all rows, and the writes added; `None` where one is hidden or in doubt.
    fn sum(&self, place: &Place) -> Option<(f64, Vec<&'a Operation>)> {
        let mut added: Vec<(BTreeSet<&Thing>, &'a Operation)> = Vec::new();
        for statement in self.own {
            let Some(told) = statement.operations.iter().find(|o| o.writes() && place.is_of(o)) else {
                continue;
            };
            if told.outcome != Outcome::Ok
                || told.op != Op::Write
                || told.value.as_ref().and_then(number).is_none()
            {
                return None;
            }
            let rows = rows(self.all, statement);
            added.retain(|(own, _)| rows.is_empty() || *own != rows);
            added.push((rows, told));
        }
        let values = added.iter().filter_map(|(_, told)| number(told.value.as_ref()?));
        (!added.is_empty()).then(|| (values.sum(), added.iter().map(|(_, told)| *told).collect()))
    }

    fn sum_equals(&self, place: &Place, total: &Place) -> Option<Draft> {
        let (sum, mut on) = self.sum(place)?;
        let last =
            self.own.iter().rev().find_map(|s| s.operations.iter().find(|o| o.writes() && total.is_of(o)))?;
        let wanted = last.value.as_ref().and_then(number)?;
        let missing = self.case.absence(&[self.case.service(on.first()?)].into(), &on.first()?.copy);
        // Too little may be what has not come; too much is there.
        let short = sum < wanted;
        if sum == wanted
            || (short && (missing == CompletenessBasis::Partial || !self.case.is_overdue(last.event)))
        {
            return None;
        }
        on.push(last);
        let draft = self.draft(&format!("{place} adds up to {sum}, {total} is {wanted}"), &on);
        Some(if short { draft.with_absence(missing) } else { draft })
    }
}
