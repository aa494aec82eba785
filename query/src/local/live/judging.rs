//! From traces to entities to their timelines, a batch at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use timeline::id::TraceId;
use timeline::naming;
use timeline::question::{Question, Subject};
use timeline::record::{Position, Record};
use timeline::time::Time;

use super::super::Local;
use super::super::gather;
use super::Identity;
use super::batch::Batch;
use super::pending::{Pending, Stirred};
use super::store::{InEnvironment, Live, Sighting, Way};
use crate::archive::{Archive, ArchiveError, Effort};
use crate::interface::QueryError;

/// So many traces are judged together: the larger, the fewer times a block is read for neighbours in it.
const TRACES_AT_ONCE: usize = 256;
/// So many entities are judged together.
const ENTITIES_AT_ONCE: usize = 256;
/// What arrived without evidence of when, as imports do, is past the window once nothing came for so long, in nanoseconds.
const IMPORT_ENDS_NS: u64 = 1_000_000_000;
/// What gathering lacks is loaded so many times; it needs fewer.
const ROUNDS_MAX: usize = 8;

/// Judges what arrives in an archive. One at a time writes a [`Live`].
pub struct Judging<A> {
    local: Arc<Local<A>>,
    live: Arc<Live>,
    pending: Pending,
    /// Where log lines without a trace name the entities that wait.
    loose: HashMap<Identity, Sighting>,
    after: Position,
    /// When the latest record read arrived, on the collector's clock.
    latest: u64,
    read_all: bool,
    /// When the last record was read.
    read_at: Time,
}

impl<A: Archive> Judging<A> {
    /// Goes on where `live` ends. `local` tells the timelines.
    pub fn new(local: Arc<Local<A>>, live: Arc<Live>) -> Judging<A> {
        let after = live.lock().after;
        Judging {
            local,
            live,
            pending: Pending::default(),
            loose: HashMap::new(),
            after,
            latest: 0,
            read_all: false,
            read_at: Time::default(),
        }
    }

    /// Reads at most `limit` of the records that arrived; false where there was none, or where so much waits to be judged
    /// that nothing more is read.
    ///
    /// # Errors
    /// Where the archive cannot be read.
    pub fn notice(&mut self, limit: usize, effort: &Effort) -> Result<bool, ArchiveError> {
        if self.is_full() {
            self.read_all = false;
            return Ok(false);
        }
        let since = self.after;
        let arrived = self.local.archive.follow(Some(since), limit, effort)?;
        self.read_all = arrived.records.is_empty();
        for record in &arrived.records {
            self.note(record, since);
        }
        if !self.read_all {
            self.read_at = (self.local.now)().time;
        }
        self.after = arrived.after.unwrap_or(since);
        self.tell();
        Ok(!self.read_all)
    }

    fn is_full(&self) -> bool {
        self.pending.len() >= self.live.options.waiting_max
    }

    fn note(&mut self, record: &Record, since: Position) {
        let arrival = record.arrival.map(|stamp| stamp.wall_ns());
        self.latest = self.latest.max(arrival.unwrap_or_default());
        if let Some(trace) = record.trace_id() {
            self.pending.stir(Stirred::Trace(trace), since, arrival);
            return;
        }
        for name in naming::names(record) {
            let identity = Identity { kind: name.kind.clone(), key: name.key.clone() };
            if self.live.lock().is_sure(&name, None, &identity) {
                self.loose.entry(identity.clone()).or_default().note(record);
                self.pending.stir(Stirred::Entity(identity), since, arrival);
            }
        }
    }

    /// Judges some of what nothing more came for since the window; how many traces that were.
    ///
    /// # Errors
    /// Where the archive cannot be read: what was being judged waits again.
    pub fn judge(&mut self, effort: &Effort) -> Result<usize, QueryError> {
        let now = (self.local.now)().time;
        // Of a journal that is still being read, only as much is past as was read.
        let reached = if self.read_all { now.0 } else { self.latest.min(now.0) };
        let quiet_since = reached.saturating_sub(self.local.settings.window_ns);
        let import_ended = self.read_all && now.0.saturating_sub(self.read_at.0) >= IMPORT_ENDS_NS;
        let mut ready = self.pending.ready(quiet_since, import_ended, TRACES_AT_ONCE);
        if ready.is_empty() && self.is_full() {
            ready = self.pending.oldest(TRACES_AT_ONCE);
        }
        let count = ready.len();
        let stirred: Vec<Stirred> = ready.iter().map(|taken| taken.what.clone()).collect();
        if let Err(error) = self.all(&stirred, effort) {
            self.pending.put_back(ready);
            return Err(error);
        }
        for what in &stirred {
            if let Stirred::Entity(identity) = what {
                self.loose.remove(identity);
            }
        }
        self.revive();
        self.tell();
        Ok(count)
    }

    /// What was named in words alone, of types that proved to be some, waits too.
    fn revive(&mut self) {
        let revived = self.live.lock().revived();
        let traces = revived.traces.into_iter().map(Stirred::Trace);
        let since = self.resume();
        for what in traces.chain(revived.entities.into_iter().map(Stirred::Entity)) {
            self.pending.stir(what, since, Some(self.judged_to()));
        }
    }

    /// Forgets what retention dropped: all segments before `oldest`.
    pub fn retain_from(&mut self, oldest: u64) {
        let cut = self.live.lock().retain_from(oldest);
        let (since, judged_to) = (self.resume(), self.judged_to());
        cut.into_iter().for_each(|trace| self.pending.stir(Stirred::Trace(trace), since, Some(judged_to)));
    }

    fn judged_to(&self) -> u64 {
        self.live.lock().judged_to.map_or(0, |time| time.0)
    }

    /// How many traces and entities wait.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    fn resume(&self) -> Position {
        self.pending.since().unwrap_or(self.after)
    }

    /// Says how far it came.
    fn tell(&self) {
        let mut kept = self.live.lock();
        kept.after = self.resume();
        kept.pending = self.pending.len() as u64;
        kept.judged_to = match (self.pending.len(), self.read_all) {
            (0, true) => Some((self.local.now)().time),
            (0, false) => kept.judged_to.max(Some(Time(self.latest)).filter(|_| self.latest > 0)),
            _ => self.pending.first_arrival().map(Time).or(kept.judged_to),
        };
    }

    /// Judges all that these traces name, and the traces joined to them; one by one where they are too large together.
    fn all(&self, stirred: &[Stirred], effort: &Effort) -> Result<(), QueryError> {
        let Some(sightings) = self.sight(stirred, effort)? else {
            if stirred.len() > 1 {
                let (left, right) = stirred.split_at(stirred.len() / 2);
                self.all(left, effort)?;
                return self.all(right, effort);
            }
            self.live.lock().too_large += 1;
            return Ok(());
        };
        let mut tasks = Vec::new();
        {
            let mut kept = self.live.lock();
            for (identity, sighting) in sightings {
                match kept.sight(&identity, &sighting, &self.live.options) {
                    Way::TooMany => kept.give_up(&identity),
                    way => {
                        let environments = kept.environments_of(&identity);
                        tasks.push(Task { identity, way, environments });
                    }
                }
            }
        }
        tasks.chunks(ENTITIES_AT_ONCE).try_for_each(|some| self.entities(some, effort))
    }

    /// Which entities are to be judged, and where they were named; `None` where that is too much to read at once.
    fn sight(
        &self,
        stirred: &[Stirred],
        effort: &Effort,
    ) -> Result<Option<BTreeMap<Identity, Sighting>>, QueryError> {
        let mut sightings: BTreeMap<Identity, Sighting> = BTreeMap::new();
        let mut traces: Vec<TraceId> = Vec::new();
        for what in stirred {
            match what {
                Stirred::Trace(trace) => traces.push(*trace),
                Stirred::Entity(identity) => {
                    let loose = self.loose.get(identity).cloned();
                    sightings.insert(identity.clone(), loose.unwrap_or_else(Sighting::loose));
                }
            }
        }
        let mut batch = Batch::default();
        let load = |batch: &mut Batch| batch.load(&self.local.archive, self.records_max(), effort);
        // Twice: the traces and what they are joined to, then the traces of these.
        let mut own = gather::Source::traces(&mut batch, &traces)?;
        if !load(&mut batch)? {
            return Ok(None);
        }
        own.extend(gather::Source::traces(&mut batch, &traces)?);
        let hops = timeline::hops(&own);
        drop(own);
        for _ in 0..2 {
            let mut joined: BTreeSet<TraceId> = hops.traces.iter().copied().collect();
            let near = [
                gather::Source::linking(&mut batch, &hops.linked_to)?,
                gather::Source::messages(&mut batch, &hops.message_ids)?,
                gather::Source::places(&mut batch, &hops.places)?,
            ];
            joined.extend(near.iter().flatten().filter_map(Record::trace_id));
            gather::Source::traces(&mut batch, &joined.into_iter().collect::<Vec<_>>())?;
            if !load(&mut batch)? {
                return Ok(None);
            }
        }
        let mut kept = self.live.lock();
        for trace in batch.whole_traces() {
            for record in batch.trace(trace) {
                for name in naming::names(record) {
                    let identity = Identity { kind: name.kind.clone(), key: name.key.clone() };
                    if kept.is_sure(&name, Some(trace), &identity) {
                        sightings.entry(identity).or_default().note(record);
                    }
                }
            }
        }
        Ok(Some(sightings))
    }

    fn records_max(&self) -> u64 {
        self.live.options.records_max
    }

    /// Judges these entities together; one by one where they have too many records together.
    fn entities(&self, tasks: &[Task], effort: &Effort) -> Result<(), QueryError> {
        let mut batch = Batch::default();
        let mut left: Vec<&Task> = tasks.iter().collect();
        for _ in 0..ROUNDS_MAX {
            let mut again = Vec::new();
            for task in left {
                effort.check()?;
                match task.timelines(&self.local, &mut batch, effort)? {
                    Some(timelines) => self.live.lock().keep(&task.identity, &timelines, &self.live.options),
                    None => again.push(task),
                }
            }
            left = again;
            if left.is_empty() {
                return Ok(());
            }
            if !batch.load(&self.local.archive, self.records_max(), effort)? {
                break;
            }
        }
        if let [one] = tasks {
            self.live.lock().give_up(&one.identity);
            return Ok(());
        }
        let left: Vec<Task> = left.into_iter().cloned().collect();
        let (first, second) = left.split_at(left.len().div_ceil(2));
        [first, second]
            .into_iter()
            .filter(|some| !some.is_empty())
            .try_for_each(|some| self.entities(some, effort))
    }
}

/// One entity to be judged, in each environment that names it.
#[derive(Clone, Debug)]
struct Task {
    identity: Identity,
    way: Way,
    environments: Vec<Option<String>>,
}

impl Task {
    /// Its timelines; `None` where the batch lacks some of their records.
    fn timelines<A: Archive>(
        &self,
        local: &Local<A>,
        batch: &mut Batch,
        effort: &Effort,
    ) -> Result<Option<Vec<InEnvironment>>, QueryError> {
        let Identity { kind, key } = self.identity.clone();
        let subject = Subject::Entity { kind, key };
        let traces = match &self.way {
            Way::Traces(traces) => Some(traces.as_slice()),
            Way::Search | Way::TooMany => None,
        };
        batch.begin();
        let named = batch.named(&subject, traces);
        let mut grounds = Vec::new();
        for environment in &self.environments {
            let scope = match self.environments.len() {
                1 => None,
                _ => timeline::scope_in(named.clone(), &subject, environment.as_deref()),
            };
            let question = Question { scope, brief: true, ..Question::new(subject.clone()) };
            let records = gather::around(batch, &question, named.clone())?;
            grounds.push((environment.clone(), question, records));
        }
        if batch.missed() {
            return Ok(None);
        }
        let mut timelines = Vec::new();
        for (environment, question, records) in grounds {
            let given = local.given_of(&records, batch.reasons(), effort)?;
            timelines.push((environment, timeline::tell(records, &question, &given)));
        }
        Ok(Some(timelines))
    }
}
