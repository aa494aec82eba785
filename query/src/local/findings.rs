//! What is wrong with one entity, or with all that records name.

use std::collections::{BTreeMap, HashSet};

use timeline::document::{CannotJudge, Finding, Findings, Incompleteness, Op, Timeline};

use super::Local;
use crate::archive::{Archive, Effort, Window};
use crate::interface::{EntitiesRequest, FindingsRequest, Query, QueryError, TimelineRequest};

/// Judges the entity asked for, or every entity that records of the window name.
pub(super) fn of<A: Archive>(
    local: &Local<A>,
    request: &FindingsRequest,
    effort: &Effort,
) -> Result<Findings, QueryError> {
    let mut judged = Judged::default();
    match &request.entity {
        Some(entity) => {
            // The answer rests on what the timeline rests on.
            let timeline = local.timeline(&TimelineRequest::whole(entity), effort)?;
            let completeness = timeline.completeness.clone();
            judged.take(&timeline, request);
            judged.answer(local, completeness)
        }
        None => {
            let reasons = scan(local, request, effort, &mut judged)?;
            let (shown, total) = (judged.judged, judged.judged + judged.cannot());
            let completeness = local.completeness(reasons, shown, total)?;
            judged.answer(local, completeness)
        }
    }
}

/// Judges the entities of every type, but those that only words in texts suggest.
fn scan<A: Archive>(
    local: &Local<A>,
    request: &FindingsRequest,
    effort: &Effort,
    judged: &mut Judged,
) -> Result<Vec<Incompleteness>, QueryError> {
    let mut reasons = Vec::new();
    let every = EntitiesRequest { kind: None, window: request.window, limit: usize::MAX };
    let types = local.entities(&every, effort)?;
    reasons.extend(types.completeness.reasons);
    let kinds: Vec<String> =
        types.types.into_iter().filter(|kind| !kind.guessed).map(|kind| kind.kind).collect();
    for (done, kind) in kinds.iter().enumerate() {
        let of_kind =
            EntitiesRequest { kind: Some(kind.clone()), window: request.window, limit: request.entities_max };
        let listed = local.entities(&of_kind, effort)?;
        for (number, key) in listed.entities.iter().enumerate() {
            effort.check()?;
            let share = (number as f64 / listed.entities.len() as f64 + done as f64) / kinds.len() as f64;
            effort.report(share);
            let timeline =
                local.timeline(&TimelineRequest::whole(&scoped(&key.scope, &key.entity)), effort)?;
            judged.take(&timeline, request);
        }
        let beyond = listed.total.saturating_sub(listed.shown);
        if beyond > 0 {
            judged.refuse("more entities of the type than the limit: the latest were judged", beyond);
            reasons.push(Incompleteness::Truncated);
        }
    }
    Ok(reasons)
}

/// The entity as it is asked for within its scope.
fn scoped(scope: &str, entity: &str) -> String {
    let whole = scope.matches('/').count() == 1 && entity.matches('/').count() == 1;
    if whole { format!("{scope}/{entity}") } else { entity.to_owned() }
}

/// What was judged, and what was found.
#[derive(Default)]
struct Judged {
    judged: u64,
    because: BTreeMap<&'static str, u64>,
    seen: HashSet<String>,
    findings: Vec<Finding>,
}

impl Judged {
    fn take(&mut self, timeline: &Timeline, request: &FindingsRequest) {
        let states = || timeline.events.iter().flat_map(|event| &event.state);
        let told = |change: &timeline::document::StateChange| change.value.is_some() || change.op != Op::Read;
        if timeline.events.is_empty() {
            self.refuse("no record names it", 1);
        } else if states().next().is_none() && timeline.findings.is_empty() {
            self.refuse("no record tells what was done to its state", 1);
        } else if !states().any(told) && timeline.findings.is_empty() {
            self.refuse("its records tell neither writes nor values", 1);
        } else {
            self.judged += 1;
        }
        for finding in &timeline.findings {
            if is_asked(finding, timeline, request) && self.seen.insert(finding.id.clone()) {
                self.findings.push(finding.clone());
            }
        }
    }

    fn refuse(&mut self, reason: &'static str, entities: u64) {
        *self.because.entry(reason).or_default() += entities;
    }

    fn cannot(&self) -> u64 {
        self.because.values().sum()
    }

    fn answer<A: Archive>(
        mut self,
        local: &Local<A>,
        completeness: timeline::document::Completeness,
    ) -> Result<Findings, QueryError> {
        self.findings.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        let cannot_judge = self.cannot();
        let mut because: Vec<CannotJudge> = self
            .because
            .into_iter()
            .map(|(reason, entities)| CannotJudge { reason: reason.to_owned(), entities })
            .collect();
        because.sort_by(|a, b| b.entities.cmp(&a.entities).then_with(|| a.reason.cmp(&b.reason)));
        Ok(Findings {
            schema: Findings::SCHEMA.to_owned(),
            completeness,
            judged_to: local.archive.stats()?.last,
            judged: self.judged,
            cannot_judge,
            cannot_judge_because: because,
            findings: self.findings,
        })
    }
}

fn is_asked(finding: &Finding, timeline: &Timeline, request: &FindingsRequest) -> bool {
    let Window { since, until } = request.window;
    let of_kind = request.kinds.is_empty() || request.kinds.contains(&finding.kind);
    let in_window = until.is_none_or(|until| finding.from < until)
        && since.is_none_or(|since| finding.until.is_none_or(|own| since <= own));
    of_kind && in_window && request.service.as_deref().is_none_or(|service| is_in(finding, timeline, service))
}

/// Whether an event of the finding happened in the service.
fn is_in(finding: &Finding, timeline: &Timeline, service: &str) -> bool {
    let own = timeline.processes.iter().filter(|process| process.service == service);
    let processes: HashSet<&str> = own.map(|process| process.id.as_str()).collect();
    let mut events = timeline.events.iter().filter(|event| processes.contains(event.process.as_str()));
    events.any(|event| finding.events.contains(&event.id))
}
