//! Who else has what a finding tells of: every entity of a type, judged for the same shape.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{
    Affected, AffectedBy, AffectedEntity, AffectedGroup, Completeness, Event, Finding, FindingKind, Grade,
    Incompleteness, Still, Timeline, Verdict,
};
use crate::time::Time;

/// The stretch in which what still happens is counted.
const RECENT_NS: i128 = 3_600_000_000_000;

/// What makes two findings alike: their kind and the copies whose state they are about; where they are about none, the
/// services that they happened in. Not the version: it is what the alike are compared by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Shape {
    kind: FindingKind,
    copies: BTreeSet<String>,
    services: BTreeSet<String>,
}

impl Shape {
    /// The shape of a finding of a timeline.
    pub fn of(finding: &Finding, timeline: &Timeline) -> Shape {
        let events = || events_of(finding, timeline);
        let changes = events().flat_map(|event| &event.state);
        let services = events().filter_map(|event| process(timeline, event)).map(|p| p.service.clone());
        Shape {
            kind: finding.kind,
            copies: changes.map(|change| change.copy.clone()).collect(),
            services: services.collect(),
        }
    }

    pub(crate) fn kind(&self) -> FindingKind {
        self.kind
    }

    pub(crate) fn copies(&self) -> &BTreeSet<String> {
        &self.copies
    }

    pub(crate) fn services(&self) -> &BTreeSet<String> {
        &self.services
    }

    fn is_like(&self, other: &Shape) -> bool {
        let same = if self.copies.is_empty() {
            self.services == other.services
        } else {
            self.copies == other.copies
        };
        self.kind == other.kind && same
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        write!(f, "{}", self.kind)?;
        if !self.copies.is_empty() {
            write!(f, " of {}", list(&self.copies))?;
        }
        if !self.services.is_empty() {
            write!(f, " in {}", list(&self.services))?;
        }
        Ok(())
    }
}

fn events_of<'a>(finding: &'a Finding, timeline: &'a Timeline) -> impl Iterator<Item = &'a Event> {
    timeline.events.iter().filter(|event| finding.events.contains(&event.id))
}

fn process<'a>(timeline: &'a Timeline, event: &Event) -> Option<&'a crate::document::Process> {
    timeline.processes.iter().find(|process| process.id == event.process)
}

/// Entities as they are judged, one timeline after the other.
pub struct Census {
    shape: Shape,
    entities: Vec<AffectedEntity>,
    versions: Groups,
    instances: Groups,
    partitions: Groups,
    /// The latest times of the timelines judged.
    lasts: Vec<Time>,
}

/// By name: how many are affected, and how many there are.
type Groups = BTreeMap<String, (u64, u64)>;

impl Census {
    /// Looks for `shape`.
    pub fn new(shape: Shape) -> Census {
        Census {
            shape,
            entities: Vec::new(),
            versions: Groups::new(),
            instances: Groups::new(),
            partitions: Groups::new(),
            lasts: Vec::new(),
        }
    }

    /// How many entities were taken in.
    pub fn taken(&self) -> u64 {
        self.entities.len() as u64
    }

    /// Judges one entity by its whole timeline, attributes included.
    pub fn take(&mut self, timeline: &Timeline) {
        let entity = format!("{}/{}", timeline.entity.kind, timeline.entity.key);
        let concerns = |finding: &&Finding| finding.entities.contains(&entity);
        let alike = timeline
            .findings
            .iter()
            .filter(concerns)
            .filter(|finding| self.shape.is_like(&Shape::of(finding, timeline)));
        // Of several the surest, then the earliest.
        let finding = alike.min_by_key(|finding| (std::cmp::Reverse(finding.grade), finding.from));
        let reason = if finding.is_some() { None } else { self.why_untold(timeline) };
        let verdict = match (&finding, &reason) {
            (Some(_), _) => Verdict::Affected,
            (None, Some(_)) => Verdict::CannotTell,
            (None, None) => Verdict::Clean,
        };
        if verdict != Verdict::CannotTell {
            self.group(timeline, finding);
        }
        self.lasts.extend(timeline.events.iter().map(|event| event.corrected).max());
        self.entities.push(AffectedEntity {
            entity,
            scope: timeline.entity.scope.clone(),
            verdict,
            grade: finding.map(|finding| finding.grade),
            finding: finding.map(|finding| finding.id.clone()),
            at: finding.map(|finding| finding.from),
            reason: reason.unwrap_or_default(),
        });
    }

    /// Why nothing found means nothing here; `None` where all that would show it is there.
    fn why_untold(&self, timeline: &Timeline) -> Option<String> {
        if timeline.events.is_empty() {
            return Some("no record names it".to_owned());
        }
        if let Some(lacks) = timeline.completeness.reasons.first() {
            return Some(lacked(*lacks).to_owned());
        }
        let states = timeline.events.iter().flat_map(|event| &event.state);
        let seen: BTreeSet<&str> = states.map(|change| change.copy.as_str()).collect();
        let unseen: Vec<&str> =
            self.shape.copies.iter().map(String::as_str).filter(|copy| !seen.contains(copy)).collect();
        (!unseen.is_empty()).then(|| format!("no record tells of its state in {}", unseen.join(", ")))
    }

    fn group(&mut self, timeline: &Timeline, finding: Option<&Finding>) {
        let mut versions = BTreeSet::new();
        let mut instances = BTreeSet::new();
        for process in &timeline.processes {
            versions.extend(process.version.as_ref().map(|version| format!("{} {version}", process.service)));
            instances
                .extend(process.instance.as_ref().map(|instance| format!("{} {instance}", process.service)));
        }
        let partitions: BTreeSet<String> = timeline.events.iter().filter_map(partition).collect();
        let count = |groups: &mut Groups, names: BTreeSet<String>| {
            for name in names {
                let (affected, of) = groups.entry(name).or_default();
                *affected += u64::from(finding.is_some());
                *of += 1;
            }
        };
        count(&mut self.versions, versions);
        count(&mut self.instances, instances);
        count(&mut self.partitions, partitions);
    }

    /// What came of it. `shown` and `total` of `completeness` are how many entities were judged and how many there are.
    pub fn answer(mut self, completeness: Completeness) -> Affected {
        let of = |verdict: Verdict| self.entities.iter().filter(move |one| one.verdict == verdict);
        let graded = |grade| of(Verdict::Affected).filter(|one| one.grade == Some(grade)).count() as u64;
        let (proved, clock, possible) =
            (graded(Grade::Proved), graded(Grade::Clock), graded(Grade::Possible));
        let (clean, cannot_tell) =
            (of(Verdict::Clean).count() as u64, of(Verdict::CannotTell).count() as u64);
        let times: Vec<Time> = of(Verdict::Affected).filter_map(|one| one.at).collect();
        let since = self.lasts.iter().max().map(|last| last.shifted(-RECENT_NS));
        let recent = |times: &[Time]| {
            times.iter().filter(|time| since.is_some_and(|since| since <= **time)).count() as u64
        };
        let still = Still { since, affected: recent(&times), entities: recent(&self.lasts) };
        self.entities.sort_by(|a, b| {
            let rank = |one: &AffectedEntity| (one.verdict, one.at);
            rank(a).cmp(&rank(b)).then_with(|| a.entity.cmp(&b.entity))
        });
        Affected {
            schema: Affected::SCHEMA.to_owned(),
            kind: self.shape.kind,
            shape: self.shape.to_string(),
            completeness,
            proved,
            clock,
            possible,
            clean,
            cannot_tell,
            first: times.iter().min().copied(),
            last: times.iter().max().copied(),
            still,
            by: AffectedBy {
                version: groups(self.versions),
                instance: groups(self.instances),
                partition: groups(self.partitions),
            },
            entities: self.entities,
        }
    }
}

/// What a timeline lacks, for a person.
fn lacked(reason: Incompleteness) -> &'static str {
    match reason {
        Incompleteness::Truncated => "a budget cut its timeline",
        Incompleteness::MissingShard => "a part of the journal or index could not be read",
        Incompleteness::NotIndexed => "records are not indexed yet",
        Incompleteness::Sampled => "a source samples",
        Incompleteness::DroppedBySdk => "an SDK dropped something",
        Incompleteness::UnattributedWrites => "a write's entity is unknown",
    }
}

/// `orders 3`: a destination and its partition.
fn partition(event: &Event) -> Option<String> {
    let text = |keys: &[&str]| {
        let value = keys.iter().find_map(|key| event.attributes.as_ref()?.get(*key))?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let partition = text(&["messaging.destination.partition.id", "messaging.kafka.destination.partition"])?;
    let destination = text(&["messaging.destination.name", "messaging.destination"]).unwrap_or_default();
    Some(format!("{destination} {partition}").trim_start().to_owned())
}

/// The largest share of affected ones first, then the most of them.
fn groups(groups: Groups) -> Vec<AffectedGroup> {
    let mut groups: Vec<AffectedGroup> =
        groups.into_iter().map(|(name, (affected, of))| AffectedGroup { name, affected, of }).collect();
    groups.sort_by(|a, b| {
        // a/of against b/of, without division.
        (b.affected * a.of)
            .cmp(&(a.affected * b.of))
            .then(b.affected.cmp(&a.affected))
            .then(a.name.cmp(&b.name))
    });
    groups
}

#[cfg(test)]
mod tests;
