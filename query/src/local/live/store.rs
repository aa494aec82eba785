//! What was found, by entity, in bounded memory; and the answer to a question.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use timeline::document::{Completeness, Findings, Timeline};
use timeline::id::TraceId;
use timeline::naming::{self, How, Name};
use timeline::record::{Position, Record};
use timeline::rollup::Versions;
use timeline::time::Time;

use super::super::judged::{Report, Told, Verdict, told};
use super::{Identity, LiveOptions};
use crate::archive::Window;
use crate::interface::FindingsRequest;

/// The version of what [`Live::save`] writes.
const FORMAT: &str = concat!("backstory.live/1 ", env!("CARGO_PKG_VERSION"));
/// So many types are remembered that only words in texts suggest.
const KINDS_GUESSED_MAX: usize = 1_000;
/// So many places are remembered of each.
const GUESSED_MAX: usize = 256;
/// Of the entities kept, so large a part is forgotten at once where there are too many.
const FORGOTTEN_PART: usize = 16;

/// What was judged as records arrived: written by [`Judging`](super::Judging), asked by [`Local`](crate::Local).
#[derive(Debug)]
pub struct Live {
    pub(super) options: LiveOptions,
    /// What findings are judged by besides the records: what was judged by something else is judged anew.
    judged_by: String,
    kept: Mutex<Kept>,
}

/// An environment by its place among those seen; they are few.
type Environment = u16;

/// What is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// All before this position was noticed, and what waits since then is in no row.
    pub(super) after: Position,
    pub(super) judged_to: Option<Time>,
    #[serde(skip)]
    pub(super) pending: u64,
    environments: Vec<Option<String>>,
    rows: HashMap<u64, Row>,
    found: HashMap<u64, Vec<Found>>,
    findings: usize,
    /// How many entities were kept once and are no more.
    forgotten: u64,
    /// How many traces were too large to be judged.
    pub(super) too_large: u64,
    pub(super) versions: Versions,
    /// The types that not only words in texts suggest.
    sure: BTreeSet<String>,
    /// By type, where words in texts suggest one.
    guessed: BTreeMap<String, Guessed>,
    /// What names an entity of a type that was a guess before.
    #[serde(skip)]
    revived: Guessed,
}

/// Where words in texts suggest an entity.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Guessed {
    pub(super) traces: BTreeSet<TraceId>,
    pub(super) entities: BTreeSet<Identity>,
}

/// What is kept of every type and key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    /// For each environment that names one.
    verdicts: Vec<(Environment, Verdict)>,
    /// The whole seconds since 1970 of the earliest and latest record that names it.
    first: u32,
    last: u32,
    /// The journal's segments of the first and last record that names it.
    segments: (u32, u32),
    /// The traces that name it.
    traces: Vec<TraceId>,
    /// Whether `traces` lead to all records that name it: there are no others, and it was never forgotten.
    whole: bool,
}

/// What was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    entity: String,
    environment: Environment,
    told: Vec<Told>,
}

/// What one batch saw of an entity.
#[derive(Clone, Debug, Default)]
pub(super) struct Sighting {
    first: Option<u64>,
    last: u64,
    segments: Option<(u64, u64)>,
    traces: BTreeSet<TraceId>,
    loose: bool,
    environments: BTreeSet<Option<String>>,
}

impl Sighting {
    pub(super) fn note(&mut self, record: &Record) {
        self.environments.insert(naming::scope(&record.resource).environment);
        let time = record.time().0;
        self.first = Some(self.first.map_or(time, |own| own.min(time)));
        self.last = self.last.max(time);
        let segment = record.position.segment;
        let (first, last) = self.segments.unwrap_or((segment, segment));
        self.segments = Some((first.min(segment), last.max(segment)));
        match record.trace_id() {
            Some(trace) => drop(self.traces.insert(trace)),
            None => self.loose = true,
        }
    }

    /// In a log line without a trace.
    pub(super) fn loose() -> Sighting {
        Sighting { loose: true, ..Sighting::default() }
    }
}

/// A timeline, and the environment of its entity.
pub(super) type InEnvironment = (Option<String>, Timeline);

/// How the records that name an entity are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In these traces.
    Traces(Vec<TraceId>),
    /// By asking the archive for its key.
    Search,
    /// They are too many.
    TooMany,
}

impl Live {
    /// Nothing judged yet. `judged_by` tells what findings are judged by besides the records.
    pub fn new(options: LiveOptions, judged_by: String) -> Live {
        Live { options, judged_by, kept: Mutex::default() }
    }

    /// What `from` holds, if it was written by this version and judged by the same; else nothing judged yet.
    pub fn load(options: LiveOptions, judged_by: String, from: impl Read) -> Live {
        let live = Live::new(options, judged_by);
        let read: Result<(String, String, Kept), _> = serde_json::from_reader(from);
        if let Ok((format, judged_by, kept)) = read
            && format == FORMAT
            && judged_by == live.judged_by
        {
            *live.lock() = kept;
        }
        live
    }

    /// Writes what is kept, and how far it was judged.
    ///
    /// # Errors
    /// Where `to` fails.
    pub fn save(&self, to: impl Write) -> io::Result<()> {
        let kept = self.lock().clone();
        Ok(serde_json::to_writer(to, &(FORMAT, &self.judged_by, kept))?)
    }

    /// A lock is poisoned only by a panic while it was held; what it guards is replaced whole by each judgement.
    pub(super) fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with all entities.
    pub(in super::super) fn answer(&self, request: &FindingsRequest, completeness: Completeness) -> Findings {
        let kept = self.lock();
        let mut report = Report::new(kept.versions.clone());
        for (identity, row) in &kept.rows {
            if !row.lies_in(request.window) {
                continue;
            }
            row.verdicts.iter().for_each(|(_, verdict)| report.count(*verdict));
            for found in kept.found.get(identity).into_iter().flatten() {
                found.told.iter().for_each(|told| report.find(&found.entity, told, request));
            }
        }
        report.refuse("more entities than are kept: those quiet longest were forgotten", kept.forgotten);
        report.refuse("named in traces with more records than are read as they arrive", kept.too_large);
        let (shown, total) = (report.judged(), report.judged() + report.cannot());
        let completeness = Completeness { shown, total, ..completeness };
        report.answer(completeness, kept.judged_to, kept.pending)
    }

    /// How many entities are kept, and how many findings.
    pub fn counts(&self) -> (usize, usize) {
        let kept = self.lock();
        (kept.rows.len(), kept.findings)
    }

    #[cfg(test)]
    pub(super) fn of(
        &self,
        environment: &str,
        identity: &Identity,
    ) -> Option<(Verdict, Vec<timeline::document::Finding>)> {
        let kept = self.lock();
        let environment = kept.environments.iter().position(|own| own.as_deref() == Some(environment))?;
        let row = kept.rows.get(&hash(identity))?;
        let (_, verdict) = row.verdicts.iter().find(|(own, _)| usize::from(*own) == environment)?;
        let found = kept.found.get(&hash(identity)).into_iter().flatten();
        let own = found.filter(|found| usize::from(found.environment) == environment);
        let findings = own.flat_map(|found| &found.told).map(|told| told.finding.clone());
        Some((*verdict, findings.collect()))
    }
}

impl Kept {
    /// Takes in a name; false where only words in texts suggest its type so far: then it is remembered.
    pub(super) fn is_sure(&mut self, name: &Name, trace: Option<TraceId>, identity: &Identity) -> bool {
        if name.how != How::Text && !self.sure.contains(&name.kind) {
            self.sure.insert(name.kind.clone());
            let revived = self.guessed.remove(&name.kind).unwrap_or_default();
            self.revived.traces.extend(revived.traces);
            self.revived.entities.extend(revived.entities);
        }
        if self.sure.contains(&name.kind) {
            return true;
        }
        if self.guessed.len() < KINDS_GUESSED_MAX || self.guessed.contains_key(&name.kind) {
            let guessed = self.guessed.entry(name.kind.clone()).or_default();
            if guessed.traces.len() + guessed.entities.len() < GUESSED_MAX {
                match trace {
                    Some(trace) => drop(guessed.traces.insert(trace)),
                    None => drop(guessed.entities.insert(identity.clone())),
                }
            }
        }
        false
    }

    /// What names entities of types that were guesses before: it is to be judged.
    pub(super) fn revived(&mut self) -> Guessed {
        std::mem::take(&mut self.revived)
    }

    /// Takes in where an entity was named; says how to find the records that name it.
    pub(super) fn sight(&mut self, identity: &Identity, seen: &Sighting, options: &LiveOptions) -> Way {
        if self.rows.len() >= options.entities_max && !self.rows.contains_key(&hash(identity)) {
            self.forget(self.rows.len() / FORGOTTEN_PART + 1);
        }
        let whole = self.forgotten == 0;
        let environments: Vec<Environment> =
            seen.environments.iter().map(|environment| self.environment(environment.as_ref())).collect();
        let seconds = |time: u64| u32::try_from(time / 1_000_000_000).unwrap_or(u32::MAX);
        let (first, last) = (seen.first.map_or(u32::MAX, seconds), seconds(seen.last));
        let segment = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let segments = seen.segments.map(|(first, last)| (segment(first), segment(last)));
        let row = self.rows.entry(hash(identity)).or_insert_with(|| Row {
            verdicts: Vec::new(),
            first,
            last,
            segments: segments.unwrap_or((u32::MAX, 0)),
            traces: Vec::new(),
            whole,
        });
        for environment in environments {
            if row.verdicts.iter().all(|(own, _)| *own != environment) {
                row.verdicts.push((environment, Verdict::Unnamed));
            }
        }
        (row.first, row.last) = (row.first.min(first), row.last.max(last));
        if let Some((first, last)) = segments {
            row.segments = (row.segments.0.min(first), row.segments.1.max(last));
        }
        row.whole &= !seen.loose;
        if row.verdicts.iter().any(|(_, verdict)| *verdict == Verdict::TooLarge) {
            return Way::TooMany;
        }
        for trace in &seen.traces {
            if !row.traces.contains(trace) {
                row.traces.push(*trace);
            }
        }
        if row.traces.len() > options.traces_max {
            return Way::TooMany;
        }
        if row.whole { Way::Traces(row.traces.clone()) } else { Way::Search }
    }

    fn environment(&mut self, name: Option<&String>) -> Environment {
        let known = self.environments.iter().position(|own| own.as_ref() == name);
        let at = known.unwrap_or_else(|| {
            self.environments.push(name.cloned());
            self.environments.len() - 1
        });
        Environment::try_from(at).unwrap_or(Environment::MAX)
    }

    /// The environments that name one.
    pub(super) fn environments_of(&self, identity: &Identity) -> Vec<Option<String>> {
        let row = self.rows.get(&hash(identity));
        let numbers = row.into_iter().flat_map(|row| &row.verdicts).map(|(own, _)| usize::from(*own));
        numbers.filter_map(|at| self.environments.get(at).cloned()).collect()
    }

    /// Keeps what the timelines of an entity tell, one an environment.
    pub(super) fn keep(&mut self, identity: &Identity, timelines: &[InEnvironment], options: &LiveOptions) {
        self.clear(identity);
        let mut verdicts = Vec::new();
        for (environment, timeline) in timelines {
            let environment = self.environment(environment.as_ref());
            self.versions.note(timeline);
            let told = told(timeline);
            let kept = self.findings + told.len() <= options.findings_max;
            verdicts.push((environment, if kept { Verdict::of(timeline) } else { Verdict::TooMany }));
            if kept && !told.is_empty() {
                self.findings += told.len();
                let found = Found { entity: identity.to_string(), environment, told };
                self.found.entry(hash(identity)).or_default().push(found);
            }
        }
        if let Some(row) = self.rows.get_mut(&hash(identity)) {
            row.verdicts = verdicts;
        }
    }

    /// An entity has more records than can be judged as they arrive.
    pub(super) fn give_up(&mut self, identity: &Identity) {
        self.clear(identity);
        if let Some(row) = self.rows.get_mut(&hash(identity)) {
            row.verdicts.iter_mut().for_each(|(_, verdict)| *verdict = Verdict::TooLarge);
            row.traces = Vec::new();
        }
    }

    fn clear(&mut self, identity: &Identity) {
        self.clear_hashed(hash(identity));
    }

    fn clear_hashed(&mut self, identity: u64) {
        let gone = self.found.remove(&identity).unwrap_or_default();
        self.findings -= gone.iter().map(|found| found.told.len()).sum::<usize>();
    }

    /// Forgets `count` entities: those without findings first, of these the ones quiet longest.
    fn forget(&mut self, count: usize) {
        let rank = |identity: &u64, row: &Row| (self.found.contains_key(identity), row.last, *identity);
        let mut ranked: Vec<_> = self.rows.iter().map(|(identity, row)| rank(identity, row)).collect();
        let count = count.min(ranked.len());
        if count < ranked.len() {
            ranked.select_nth_unstable(count);
        }
        for (_, _, identity) in ranked.into_iter().take(count) {
            self.drop_row(identity);
            self.forgotten += 1;
        }
    }

    fn drop_row(&mut self, identity: u64) {
        self.rows.remove(&identity);
        self.clear_hashed(identity);
    }

    /// Forgets the entities whose last record lies in a segment before `oldest`; the traces of those that lost some of their
    /// records are to be judged anew.
    pub(super) fn retain_from(&mut self, oldest: u64) -> Vec<TraceId> {
        let oldest = u32::try_from(oldest).unwrap_or(u32::MAX);
        let gone: Vec<u64> =
            self.rows.iter().filter(|(_, row)| row.segments.1 < oldest).map(|(own, _)| *own).collect();
        gone.into_iter().for_each(|identity| self.drop_row(identity));
        let mut cut = Vec::new();
        for row in self.rows.values_mut().filter(|row| row.segments.0 < oldest) {
            row.segments.0 = oldest;
            cut.extend(row.traces.iter().copied());
        }
        cut
    }
}

impl Row {
    fn lies_in(&self, window: Window) -> bool {
        let seconds = |time: Time| u32::try_from(time.0 / 1_000_000_000).unwrap_or(u32::MAX);
        window.since.is_none_or(|since| seconds(since) <= self.last)
            && window.until.is_none_or(|until| self.first <= seconds(until))
    }
}

/// Two entities of one 64-bit hash would be taken for one.
fn hash(identity: &Identity) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}
