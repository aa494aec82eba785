//! Which findings and errors belong together, and what engineers wrote about them.

use std::collections::{BTreeMap, BTreeSet};

use timeline::annotation::Notebook;
use timeline::document::{Finding, Incident, Incidents, Incompleteness, Timeline};
use timeline::id::TraceId;
use timeline::incident::{self, Causes, Member};
use timeline::record::Severity;

use super::Local;
use crate::archive::{Archive, Effort, Window};
use crate::interface::{FindingsRequest, IncidentsRequest, Query, QueryError, TimelineRequest};
use crate::predicate::{Comparison, Predicate};

/// So many errors are looked at, the latest to arrive.
const ERRORS_MAX: usize = 20_000;
/// So many timelines are told to see what findings follow.
const TIMELINES_MAX: usize = 2_000;
/// The traces of one incident's errors are read where there are no more of them than this: what more traces than that
/// follow is seldom one event.
const TRACES_MAX: usize = 20;

/// Puts together what belongs together, and tells what engineers wrote about it.
pub(super) fn of<A: Archive>(
    local: &Local<A>,
    request: &IncidentsRequest,
    effort: &Effort,
) -> Result<Incidents, QueryError> {
    let notebook = local.annotations.read()?;
    let pinned = local.annotations.pinned(&notebook)?;
    let mut gathered = Gathered::default();
    let found = local.findings(
        &FindingsRequest {
            window: request.window,
            entities_max: request.entities_max,
            ..FindingsRequest::default()
        },
        effort,
    )?;
    let effort = effort.without_progress();
    gathered.reasons.extend(&found.completeness.reasons);
    gathered.findings(local, found.findings, &effort)?;
    gathered.errors(local, request.window, &effort)?;
    let groups = incident::group(std::mem::take(&mut gathered.members));
    let mut incidents = Vec::new();
    for members in &groups {
        let is_asked = request.incident.as_deref().is_none_or(|asked| incident::names(asked, members));
        if is_asked {
            gathered.traces_of(local, members, &effort)?;
            incidents.push(incident::tell(members, &gathered.causes, &notebook, &pinned));
        }
    }
    incidents.extend(recalled(&notebook, &groups, request, &pinned));
    incidents.retain(|incident| request.status.is_none_or(|status| incident.status == status));
    incidents.sort_by_key(|incident| {
        let rank = (!incident.held, incident.kind.is_none());
        (rank, std::cmp::Reverse(incident.last), incident.id.clone())
    });
    let total = incidents.len() as u64;
    incidents.truncate(request.limit);
    if (incidents.len() as u64) < total {
        gathered.reasons.insert(Incompleteness::Truncated);
    }
    let reasons = gathered.reasons.into_iter().collect();
    Ok(Incidents {
        schema: Incidents::SCHEMA.to_owned(),
        completeness: local.completeness(reasons, incidents.len() as u64, total)?,
        judged_to: found.judged_to,
        judged: found.judged,
        cannot_judge: found.cannot_judge,
        pinned,
        incidents,
    })
}

/// Incidents whose records are gone, as far as they are asked for.
fn recalled(
    notebook: &Notebook,
    groups: &[Vec<Member>],
    request: &IncidentsRequest,
    pinned: &timeline::document::Pinned,
) -> Vec<Incident> {
    let Window { since, until } = request.window;
    let mut recalled = incident::recalled(notebook, groups, pinned);
    recalled.retain(|incident| {
        request.incident.as_deref().is_none_or(|asked| incident.id.starts_with(asked))
            && since.is_none_or(|since| since <= incident.last)
            && until.is_none_or(|until| incident.first < until)
    });
    recalled
}

/// What incidents are made of, and what is known of its causes.
#[derive(Default)]
struct Gathered {
    members: Vec<Member>,
    causes: Causes,
    reasons: BTreeSet<Incompleteness>,
}

impl Gathered {
    /// Takes in findings, each out of a timeline that has it.
    fn findings<A: Archive>(
        &mut self,
        local: &Local<A>,
        findings: Vec<Finding>,
        effort: &Effort,
    ) -> Result<(), QueryError> {
        let entities: BTreeSet<&String> =
            findings.iter().filter_map(|finding| finding.entity.as_ref()).collect();
        if entities.len() > TIMELINES_MAX {
            self.reasons.insert(Incompleteness::Truncated);
        }
        let entities: Vec<String> = entities.into_iter().take(TIMELINES_MAX).cloned().collect();
        let mut left: BTreeMap<String, Finding> =
            findings.into_iter().map(|finding| (finding.id.clone(), finding)).collect();
        for entity in entities {
            effort.check()?;
            let (timeline, segments) = told(local, &entity, effort)?;
            self.causes.add_timeline(&timeline);
            for finding in &timeline.findings {
                if let Some(finding) = left.remove(&finding.id) {
                    self.members.push(Member::of_finding(&finding, &timeline, &segments));
                }
            }
        }
        self.members.extend(left.into_values().map(Member::of_finding_alone));
        Ok(())
    }

    /// Takes in the error spans and error logs of a stretch of time.
    fn errors<A: Archive>(
        &mut self,
        local: &Local<A>,
        window: Window,
        effort: &Effort,
    ) -> Result<(), QueryError> {
        let errors = Predicate::Severity(Comparison::AtLeast, Severity::Error);
        let mut beyond = false;
        let visited = local.archive.visit(&errors, window, effort, &mut |record| {
            if self.members.len() >= ERRORS_MAX {
                beyond = true;
                return;
            }
            self.members.extend(Member::of_error(&record));
        })?;
        self.reasons.extend(visited.reasons);
        if beyond {
            self.reasons.insert(Incompleteness::Truncated);
        }
        Ok(())
    }

    /// Reads the traces of an incident's errors, so that it can be told what they follow.
    fn traces_of<A: Archive>(
        &mut self,
        local: &Local<A>,
        members: &[Member],
        effort: &Effort,
    ) -> Result<(), QueryError> {
        let errors = members.iter().filter(|member| member.finding().is_none());
        let traces: BTreeSet<TraceId> = errors.flat_map(|error| error.traces.iter().copied()).collect();
        if traces.is_empty() || traces.len() > TRACES_MAX {
            return Ok(());
        }
        let traces: Vec<TraceId> = traces.into_iter().collect();
        let fetched = local.archive.fetch(&traces, effort)?;
        self.reasons.extend(fetched.reasons);
        self.causes.add_records(fetched.records);
        Ok(())
    }
}

/// The timeline of an entity, and the journal's segments that its records stand in.
fn told<A: Archive>(
    local: &Local<A>,
    entity: &str,
    effort: &Effort,
) -> Result<(Timeline, BTreeSet<u64>), QueryError> {
    let (question, records, given) = local.grounds(&TimelineRequest::whole(entity), effort)?;
    let segments = records.iter().map(|record| record.position.segment).collect();
    Ok((timeline::tell(records, &question, &given), segments))
}
