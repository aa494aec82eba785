//! From an incident's members to the public document.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::group::digits;
use super::member::{ErrorSaid, Member, What, digits_of};
use super::origin::Causes;
use crate::annotation::{IncidentStatus, Notebook, OUTLINE_ITEMS_MAX, Outline, Says, Written};
use crate::document::{
    Finding, FindingKind, Incident, IncidentEntities, IncidentError, IncidentFinding, IncidentService, Pinned,
};

/// So many findings and so many sorts of errors of one incident are listed.
const LISTED_MAX: usize = 200;
/// So many entities of one type are named.
const EXAMPLES_MAX: usize = 20;

/// Whether `asked`, an incident's id or the beginning of one, names the incident of these members.
pub fn names(asked: &str, members: &[Member]) -> bool {
    let asked = digits_of(asked);
    !asked.is_empty() && members.iter().any(|member| member.digits.starts_with(asked))
}

/// The incident of these members, which [`super::group()`] put together.
pub fn tell(members: &[Member], causes: &Causes, notebook: &Notebook, pinned: &Pinned) -> Incident {
    let own = digits(members);
    let about: Vec<&Written> = notebook
        .standing()
        .into_iter()
        .filter(|written| {
            written.annotation.incident().is_some_and(|incident| own.contains(digits_of(incident)))
        })
        .collect();
    let mut findings: Vec<&Finding> = members.iter().filter_map(Member::finding).collect();
    findings.sort_by_key(|finding| telling(finding));
    let errors = errors(members);
    let told = findings.first();
    let title = match (told, errors.first()) {
        (Some(finding), _) => finding.summary.clone(),
        (None, Some(error)) => format!("{}: {}", error.service, error.what),
        (None, None) => String::new(),
    };
    let claimed = about.iter().find_map(|written| written.annotation.incident()).map(digits_of);
    let segments: BTreeSet<u64> = members.iter().flat_map(|member| member.segments.iter().copied()).collect();
    let status = status(&about);
    let is_pinned = status == IncidentStatus::Open
        && about.iter().any(|written| match &written.annotation.says {
            Says::Outline(outline) => is_kept(outline, pinned),
            _ => false,
        });
    Incident {
        id: format!("i-{}", claimed.unwrap_or_else(|| anchor(members))),
        title,
        status,
        held: true,
        kind: told.map(|finding| finding.kind),
        grade: told.map(|finding| finding.grade),
        first: members.iter().map(|member| member.from).min().unwrap_or_default(),
        last: members.iter().map(|member| member.until).max().unwrap_or_default(),
        origin: causes.origin(members),
        entities: entities(members.iter().flat_map(|member| &member.entities)),
        services: services(members),
        findings_total: findings.len() as u64,
        findings: findings.into_iter().take(LISTED_MAX).map(shown).collect(),
        errors_total: members.iter().filter(|member| member.finding().is_none()).count() as u64,
        errors,
        segments: segments.into_iter().collect(),
        pinned: is_pinned,
        written: words(&about),
    }
}

/// What was written about incidents that none of `told` is: their records are gone.
pub fn recalled(notebook: &Notebook, told: &[Vec<Member>], pinned: &Pinned) -> Vec<Incident> {
    let known: BTreeSet<&str> = told.iter().flat_map(|members| digits(members)).collect();
    let mut about: BTreeMap<&str, Vec<&Written>> = BTreeMap::new();
    for written in notebook.standing() {
        if let Some(incident) = written.annotation.incident().filter(|own| !known.contains(digits_of(own))) {
            about.entry(incident).or_default().push(written);
        }
    }
    about.into_values().filter_map(|about| remembered(&about, pinned)).collect()
}

fn remembered(about: &[&Written], pinned: &Pinned) -> Option<Incident> {
    let outline = about.iter().rev().find_map(|written| match &written.annotation.says {
        Says::Outline(outline) => Some(outline),
        _ => None,
    })?;
    let service = |service: &String| IncidentService { service: service.clone(), findings: 0, errors: 0 };
    let status = status(about);
    Some(Incident {
        id: outline.incident.clone(),
        title: outline.title.clone(),
        status,
        held: false,
        kind: None,
        grade: None,
        first: outline.first,
        last: outline.last,
        origin: None,
        entities: entities(&outline.entities),
        services: outline.services.iter().map(service).collect(),
        findings_total: 0,
        findings: Vec::new(),
        errors_total: 0,
        errors: Vec::new(),
        segments: outline.segments.clone(),
        pinned: status == IncidentStatus::Open && is_kept(outline, pinned),
        written: words(about),
    })
}

impl Incident {
    /// What is written down when an engineer touches it.
    pub fn outline(&self) -> Outline {
        let entities = self.entities.iter().flat_map(|of_kind| &of_kind.examples);
        Outline {
            incident: self.id.clone(),
            title: self.title.clone(),
            first: self.first,
            last: self.last,
            entities: entities.take(OUTLINE_ITEMS_MAX).cloned().collect(),
            services: self.services.iter().take(OUTLINE_ITEMS_MAX).map(|own| own.service.clone()).collect(),
            segments: self.segments.iter().take(OUTLINE_ITEMS_MAX).copied().collect(),
        }
    }
}

/// Which segments are kept for open incidents: those of the incident touched last first, as many as fit `bytes_max`.
/// `held` are the segments there are, with their bytes.
pub fn pinned(notebook: &Notebook, held: &BTreeMap<u64, u64>, bytes_max: u64) -> Pinned {
    let (mut segments, mut bytes) = (BTreeSet::new(), 0u64);
    for segment in notebook.open_outlines().into_iter().flat_map(|outline| &outline.segments) {
        let Some(more) = held.get(segment) else { continue };
        if bytes.saturating_add(*more) <= bytes_max && segments.insert(*segment) {
            bytes += more;
        }
    }
    Pinned { segments: segments.into_iter().collect(), bytes, bytes_max }
}

/// Whether all that the outline names is kept.
fn is_kept(outline: &Outline, pinned: &Pinned) -> bool {
    let kept = |segment: &u64| pinned.segments.binary_search(segment).is_ok();
    !outline.segments.is_empty() && outline.segments.iter().all(kept)
}

/// The digits that an incident goes by of its own: of its earliest finding, else of its earliest error.
fn anchor(members: &[Member]) -> &str {
    let earliest =
        members.iter().min_by_key(|member| (member.finding().is_none(), member.from, &member.digits));
    earliest.map_or("", |member| &member.digits)
}

/// Sorts findings, the most telling first: about state before about telemetry, causes before consequences, then the
/// surest, the most specific, the earliest.
fn telling(finding: &Finding) -> impl Ord + use<> {
    let about_telemetry = matches!(finding.kind, FindingKind::ClockSkew | FindingKind::MissingTelemetry);
    (
        about_telemetry,
        finding.consequence_of.is_some(),
        Reverse(finding.grade),
        finding.kind,
        finding.from,
        finding.id.clone(),
    )
}

fn shown(finding: &Finding) -> IncidentFinding {
    IncidentFinding {
        id: finding.id.clone(),
        kind: finding.kind,
        grade: finding.grade,
        status: finding.status,
        entity: finding.entity.clone(),
        summary: finding.summary.clone(),
        from: finding.from,
        until: finding.until,
        consequence_of: finding.consequence_of.clone(),
    }
}

fn status(about: &[&Written]) -> IncidentStatus {
    let said = about.iter().rev().find_map(|written| match &written.annotation.says {
        Says::Status { status, .. } => Some(*status),
        _ => None,
    });
    said.unwrap_or_default()
}

/// All but the outlines, which say nothing that the incident does not.
fn words(about: &[&Written]) -> Vec<Written> {
    let said = about.iter().filter(|written| !matches!(written.annotation.says, Says::Outline(_)));
    said.map(|written| (*written).clone()).collect()
}

fn entities<'a>(entities: impl IntoIterator<Item = &'a String>) -> Vec<IncidentEntities> {
    let mut kinds: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for entity in entities {
        let kind = entity.split('/').next().unwrap_or_default();
        kinds.entry(kind).or_default().insert(entity);
    }
    let of_kind = |(kind, entities): (&str, BTreeSet<&String>)| IncidentEntities {
        kind: kind.to_owned(),
        count: entities.len() as u64,
        examples: entities.into_iter().take(EXAMPLES_MAX).cloned().collect(),
    };
    let mut list: Vec<_> = kinds.into_iter().map(of_kind).collect();
    list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.kind.cmp(&b.kind)));
    list
}

fn services(members: &[Member]) -> Vec<IncidentService> {
    let mut services: BTreeMap<&String, IncidentService> = BTreeMap::new();
    for (member, service) in
        members.iter().flat_map(|member| member.services.iter().map(move |s| (member, s)))
    {
        let own = services.entry(service).or_insert_with(|| IncidentService {
            service: service.clone(),
            findings: 0,
            errors: 0,
        });
        let count = if member.finding().is_some() { &mut own.findings } else { &mut own.errors };
        *count += 1;
    }
    services.into_values().collect()
}

/// The errors, alike ones together, by the first of each.
fn errors(members: &[Member]) -> Vec<IncidentError> {
    let mut alike: BTreeMap<&str, Vec<(&Member, &ErrorSaid)>> = BTreeMap::new();
    for member in members {
        if let What::Error(said) = &member.what {
            alike.entry(&member.alike).or_default().push((member, said));
        }
    }
    let one = |list: Vec<(&Member, &ErrorSaid)>| {
        let (first, said) = list.iter().min_by_key(|(member, _)| (member.from, &member.digits))?;
        Some(IncidentError {
            service: first.services.first().cloned().unwrap_or_default(),
            kind: if said.is_log { "log" } else { "span" }.to_owned(),
            what: said.words.clone(),
            count: list.len() as u64,
            first: first.from,
            last: list.iter().map(|(member, _)| member.until).max().unwrap_or(first.from),
            record: said.record,
            trace_id: said.trace_id,
        })
    };
    let mut errors: Vec<IncidentError> = alike.into_values().filter_map(one).collect();
    errors.sort_by_key(|error| (error.first, error.record));
    errors.truncate(LISTED_MAX);
    errors
}
