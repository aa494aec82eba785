//! Findings that are alike, told as one line: the same kind, in the same copies and services, of the same versions.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::Xxh3;

use crate::affected::Shape;
use crate::document::{Finding, Grade, Rollup, Timeline};
use crate::record::hash_text;
use crate::time::Time;

/// So many findings of a roll-up are named.
const EXAMPLES_MAX: usize = 3;
/// A version is told as what came before a roll-up only if it was first seen so long before, in nanoseconds: an hour.
const BEGAN_WITHIN_NS: i128 = 3_600_000_000_000;

/// What makes findings alike: their shape, and the versions of the services that they happened in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Signature {
    shape: Shape,
    /// `payments 2.15.0`.
    versions: BTreeSet<String>,
}

impl Signature {
    /// The signature of a finding of a timeline.
    pub fn of(finding: &Finding, timeline: &Timeline) -> Signature {
        let events = timeline.events.iter().filter(|event| finding.events.contains(&event.id));
        let processes = events
            .filter_map(|event| timeline.processes.iter().find(|process| process.id == event.process))
            .filter_map(|process| Some(format!("{} {}", process.service, process.version.as_ref()?)));
        Signature { shape: Shape::of(finding, timeline), versions: processes.collect() }
    }

    /// Whether an event of the finding happened in the service.
    pub fn is_in(&self, service: &str) -> bool {
        self.shape.services().contains(service)
    }

    /// `r-` and 16 hexadecimal digits: the same on every machine.
    fn id(&self) -> String {
        let mut hasher = Xxh3::new();
        hash_text(&mut hasher, self.shape.kind().name());
        for names in [self.shape.copies(), self.shape.services(), &self.versions] {
            hash_text(&mut hasher, "");
            names.iter().for_each(|name| hash_text(&mut hasher, name));
        }
        format!("r-{:016x}", hasher.digest())
    }
}

/// When each version of each service was seen first, in the timelines that were judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Versions {
    first: BTreeMap<String, BTreeMap<String, Time>>,
}

impl Versions {
    /// Takes in what a timeline shows.
    pub fn note(&mut self, timeline: &Timeline) {
        let mut first: BTreeMap<&str, Time> = BTreeMap::new();
        for event in &timeline.events {
            let own = first.entry(&event.process).or_insert(event.corrected);
            *own = event.corrected.min(*own);
        }
        for process in &timeline.processes {
            let (Some(version), Some(time)) = (&process.version, first.get(process.id.as_str())) else {
                continue;
            };
            let seen = self.first.entry(process.service.clone()).or_default();
            let own = seen.entry(version.clone()).or_insert(*time);
            *own = (*time).min(*own);
        }
    }

    /// The latest change of one of these services' versions within the hour before `time`: `38 s after payments 2.14.0 → 2.15.0`.
    fn before<'s>(&self, services: impl Iterator<Item = &'s String>, time: Time) -> Option<String> {
        let mut latest: Option<(Time, String)> = None;
        for service in services {
            let Some(versions) = self.first.get(service) else { continue };
            let mut seen: Vec<(Time, &String)> =
                versions.iter().map(|(version, at)| (*at, version)).collect();
            seen.sort_unstable();
            for pair in seen.windows(2) {
                let ((_, old), (at, new)) = (pair[0], pair[1]);
                let ago = time.since(at);
                let newer = latest.as_ref().is_none_or(|(best, _)| *best < at);
                if (0..=BEGAN_WITHIN_NS).contains(&ago) && newer {
                    latest = Some((at, format!("{service} {old} → {new}")));
                }
            }
        }
        latest.map(|(at, change)| format!("{} after {change}", crate::judge::lasting(time.since(at))))
    }
}

/// Findings as they are counted. Neither their order nor their division changes anything.
#[derive(Clone, Debug, Default)]
pub struct Rollups {
    alike: BTreeMap<Signature, Vec<Counted>>,
}

#[derive(Clone, Debug)]
struct Counted {
    grade: Grade,
    from: Time,
    until: Option<Time>,
    id: String,
    entity: Option<String>,
    summary: String,
}

impl Rollups {
    /// Counts a finding; each is to be counted once.
    pub fn add(&mut self, signature: Signature, finding: &Finding) {
        self.alike.entry(signature).or_default().push(Counted {
            grade: finding.grade,
            from: finding.from,
            until: finding.until,
            id: finding.id.clone(),
            entity: finding.entity.clone(),
            summary: finding.summary.clone(),
        });
    }

    /// The roll-ups: those with the surest findings first, of these the ones with most.
    pub fn told(self, versions: &Versions) -> Vec<Rollup> {
        let mut told: Vec<Rollup> =
            self.alike.into_iter().filter_map(|(signature, own)| of(&signature, own, versions)).collect();
        told.sort_by(|a, b| {
            let rank = |rollup: &Rollup| (rollup.proved, rollup.clock, rollup.possible);
            rank(b).cmp(&rank(a)).then_with(|| (a.first, &a.id).cmp(&(b.first, &b.id)))
        });
        told
    }
}

fn of(signature: &Signature, mut own: Vec<Counted>, versions: &Versions) -> Option<Rollup> {
    own.sort_by(|a, b| (b.grade, a.from, &a.id).cmp(&(a.grade, b.from, &b.id)));
    let story = own.first()?.summary.clone();
    let graded = |grade| own.iter().filter(|finding| finding.grade == grade).count() as u64;
    let first = own.iter().map(|finding| finding.from).min()?;
    let last = own.iter().map(|finding| finding.until.unwrap_or(finding.from)).max()?;
    let entities: BTreeSet<&String> = own.iter().filter_map(|finding| finding.entity.as_ref()).collect();
    let list = |names: &BTreeSet<String>| names.iter().cloned().collect();
    let shape = &signature.shape;
    Some(Rollup {
        id: signature.id(),
        kind: shape.kind(),
        copies: list(shape.copies()),
        services: list(shape.services()),
        versions: list(&signature.versions),
        findings: own.len() as u64,
        entities: entities.len() as u64,
        proved: graded(Grade::Proved),
        clock: graded(Grade::Clock),
        possible: graded(Grade::Possible),
        first,
        last,
        began: versions.before(shape.services().iter(), first),
        examples: own.iter().take(EXAMPLES_MAX).map(|finding| finding.id.clone()).collect(),
        story,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::*;
    use crate::{Given, tell};

    fn told(order: u8) -> Timeline {
        let records = unseen_writer(order);
        tell(records, &format!("order/{order}").parse().expect("a question"), &Given::default())
    }

    #[test]
    fn alike_findings_are_one_line_with_count_range_and_examples() {
        let (mut rollups, mut versions) = (Rollups::default(), Versions::default());
        for order in 1..=5 {
            let timeline = told(order);
            versions.note(&timeline);
            let finding = timeline.findings.first().expect("somebody unseen wrote");
            rollups.add(Signature::of(finding, &timeline), finding);
        }
        let told = rollups.told(&versions);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!((told[0].findings, told[0].entities, told[0].examples.len()), (5, 5, 3));
        assert!(told[0].first < told[0].last, "orders 1 to 5 follow each other");
        assert_eq!(told[0].began, None, "one version was seen");
    }

    #[test]
    fn what_began_after_a_new_version_says_so() {
        let at = |s: u64| Time(1_795_428_000_000_000_000 + s * 1_000_000_000);
        let mut versions = Versions::default();
        let seen = versions.first.entry("payments".to_owned()).or_default();
        seen.insert("2.14.0".to_owned(), at(0));
        seen.insert("2.15.0".to_owned(), at(100));
        let services = ["payments".to_owned()];
        let before = |time| versions.before(services.iter(), time);
        assert_eq!(before(at(138)).as_deref(), Some("38.0 s after payments 2.14.0 → 2.15.0"));
        assert_eq!(before(at(99)), None, "it began before");
        assert_eq!(before(at(100 + 3_601)), None, "too long after");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_order_of_counting_changes_nothing(mut orders in prop::collection::vec(1u8..20, 1..12)) {
            orders.sort_unstable();
            orders.dedup();
            let count = |orders: &[u8]| {
                let mut rollups = Rollups::default();
                for order in orders {
                    let timeline = told(*order);
                    timeline.findings.iter().for_each(|f| rollups.add(Signature::of(f, &timeline), f));
                }
                rollups.told(&Versions::default())
            };
            let forward = count(&orders);
            orders.reverse();
            prop_assert_eq!(forward, count(&orders));
        }
    }
}
