//! What judging entities came to, one by one and together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use timeline::document::{CannotJudge, Completeness, Finding, Findings, Op, Timeline};
use timeline::rollup::{Rollups, Signature, Versions};
use timeline::time::Time;

use crate::archive::Window;
use crate::interface::FindingsRequest;

/// Whether an entity could be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// It was.
    Judged,
    /// No record names it.
    Unnamed,
    /// Nothing is told of its state.
    Stateless,
    /// Its records tell neither writes nor values.
    Valueless,
    /// It has more records than judging as records arrive may read.
    TooLarge,
    /// It has more findings than are kept.
    TooMany,
}

impl Verdict {
    /// Whether the timeline's entity could be judged.
    pub(super) fn of(timeline: &Timeline) -> Verdict {
        let states = || timeline.events.iter().flat_map(|event| &event.state);
        let told = |change: &timeline::document::StateChange| change.value.is_some() || change.op != Op::Read;
        if timeline.events.is_empty() {
            Verdict::Unnamed
        } else if states().any(told) || !timeline.findings.is_empty() {
            Verdict::Judged
        } else if states().next().is_none() {
            Verdict::Stateless
        } else {
            Verdict::Valueless
        }
    }

    /// Why not, for a person; `None` where it was judged.
    fn reason(self) -> Option<&'static str> {
        match self {
            Verdict::Judged => None,
            Verdict::Unnamed => Some("no record names it"),
            Verdict::Stateless => Some("no record tells what was done to its state"),
            Verdict::Valueless => Some("its records tell neither writes nor values"),
            Verdict::TooLarge => {
                Some("more records than are read as they arrive: `backstory findings --entity` judges it")
            }
            Verdict::TooMany => Some("more findings than are kept: `backstory findings --rescan` lists them"),
        }
    }
}

/// A finding as it was told in the timeline of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    /// What is wrong.
    pub(super) finding: Finding,
    /// What makes others like it.
    pub(super) signature: Signature,
}

/// The findings of a timeline.
pub(super) fn told(timeline: &Timeline) -> Vec<Told> {
    let told =
        |finding: &Finding| Told { finding: finding.clone(), signature: Signature::of(finding, timeline) };
    timeline.findings.iter().map(told).collect()
}

/// What was judged, and what was found.
#[derive(Default)]
pub(super) struct Report {
    judged: u64,
    because: BTreeMap<&'static str, u64>,
    /// By finding: in whose timeline it was told, and as what. A finding is told in the timeline of every entity whose
    /// events it rests on; that of its own entity tells it best, of others the first by name.
    findings: BTreeMap<String, ((bool, String), Told)>,
    versions: Versions,
}

impl Report {
    /// Nothing counted yet; these versions were seen.
    pub(super) fn new(versions: Versions) -> Report {
        Report { versions, ..Report::default() }
    }

    /// Takes in an entity and its timeline.
    pub(super) fn take(&mut self, timeline: &Timeline, request: &FindingsRequest) {
        self.count(Verdict::of(timeline));
        self.versions.note(timeline);
        let entity = format!("{}/{}", timeline.entity.kind, timeline.entity.key);
        for told in told(timeline) {
            self.find(&entity, &told, request);
        }
    }

    /// Counts an entity.
    pub(super) fn count(&mut self, verdict: Verdict) {
        match verdict.reason() {
            None => self.judged += 1,
            Some(reason) => self.refuse(reason, 1),
        }
    }

    /// Counts entities that could not be judged.
    pub(super) fn refuse(&mut self, reason: &'static str, entities: u64) {
        *self.because.entry(reason).or_default() += entities;
    }

    /// Takes in a finding that the timeline of `entity` tells, if it is asked for.
    pub(super) fn find(&mut self, entity: &str, told: &Told, request: &FindingsRequest) {
        if !is_asked(told, request) {
            return;
        }
        let rank = (told.finding.entity.as_deref() != Some(entity), entity.to_owned());
        let held = self.findings.get(&told.finding.id);
        if held.is_none_or(|(own, _)| rank < *own) {
            self.findings.insert(told.finding.id.clone(), (rank, told.clone()));
        }
    }

    /// How many entities were judged.
    pub(super) fn judged(&self) -> u64 {
        self.judged
    }

    /// How many could not be.
    pub(super) fn cannot(&self) -> u64 {
        self.because.values().sum()
    }

    /// The public document.
    pub(super) fn answer(
        self,
        completeness: Completeness,
        judged_to: Option<Time>,
        pending: u64,
    ) -> Findings {
        let cannot_judge = self.cannot();
        let mut because: Vec<CannotJudge> = self
            .because
            .into_iter()
            .filter(|(_, entities)| *entities > 0)
            .map(|(reason, entities)| CannotJudge { reason: reason.to_owned(), entities })
            .collect();
        because.sort_by(|a, b| b.entities.cmp(&a.entities).then_with(|| a.reason.cmp(&b.reason)));
        let mut rollups = Rollups::default();
        let mut findings = Vec::with_capacity(self.findings.len());
        for (_, Told { finding, signature }) in self.findings.into_values() {
            rollups.add(signature, &finding);
            findings.push(finding);
        }
        findings.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        Findings {
            schema: Findings::SCHEMA.to_owned(),
            completeness,
            judged_to,
            judged: self.judged,
            cannot_judge,
            cannot_judge_because: because,
            pending,
            findings,
            rollups: rollups.told(&self.versions),
        }
    }
}

fn is_asked(told: &Told, request: &FindingsRequest) -> bool {
    let Window { since, until } = request.window;
    let Told { finding, signature } = told;
    let of_kind = request.kinds.is_empty() || request.kinds.contains(&finding.kind);
    let in_window = until.is_none_or(|until| finding.from < until)
        && since.is_none_or(|since| finding.until.is_none_or(|own| since <= own));
    of_kind && in_window && request.service.as_deref().is_none_or(|service| signature.is_in(service))
}
