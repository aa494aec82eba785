//! What a folder holds, counted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use query::archive::ArchiveError;
use timeline::document::{Incompleteness, Stats};
use timeline::record::Record;

use crate::folder::{Folder, store};
use crate::read;
use crate::run::Cursor;
use crate::scan::stands_earlier;
use crate::shard::Shard;
use crate::state;
use crate::term::{RUN_KEY_BITS, Term};
use crate::view::View;

/// Up to so many items past the shards are read to tell repeats; with more the counts are not exact for a moment.
const TAIL_ITEMS_MAX: u64 = 20_000;

/// The traces of the shards as they were counted last.
#[derive(Default)]
pub(crate) struct Counted {
    shards: Vec<Arc<Shard>>,
    traces: u64,
}

impl Counted {
    fn traces(&mut self, shards: &[Arc<Shard>]) -> u64 {
        let same = self.shards.len() == shards.len()
            && self.shards.iter().zip(shards).all(|(held, shard)| Arc::ptr_eq(held, shard));
        if !same {
            self.traces = count_traces(shards);
            self.shards = shards.to_vec();
        }
        self.traces
    }
}

/// Counts the different traces' keys, a 128th of their range at a time.
fn count_traces(shards: &[Arc<Shard>]) -> u64 {
    let first = 1 << (RUN_KEY_BITS - 1);
    let mut cursors: Vec<_> = shards
        .iter()
        .flat_map(|shard| shard.terms.iter().map(|run| run.cursor(first)))
        .map(Cursor::peekable)
        .collect();
    let mut keys = Vec::new();
    let mut traces = 0;
    for part in 1..=128u64 {
        let end = first + (part << (RUN_KEY_BITS - 8));
        keys.clear();
        for cursor in &mut cursors {
            while let Some(entry) = cursor.next_if(|entry| entry.key() < end) {
                keys.push(entry.key());
            }
        }
        keys.sort();
        keys.dedup();
        traces += keys.len() as u64;
    }
    traces
}

pub(crate) fn of(
    folder: &Folder,
    dir: &Path,
    view: &View,
    counted: &mut Counted,
) -> Result<Stats, ArchiveError> {
    let mut tally = Tally::default();
    view.shards.iter().for_each(|shard| tally.shard(shard, view));
    let traces = counted.traces(&view.shards);
    let tail_items: u64 = view.tail.iter().map(|block| block.row.items()).sum();
    let read_tail = tail_items <= TAIL_ITEMS_MAX;
    let mut new_traces = BTreeSet::new();
    for block in &view.tail {
        tally.spans += u64::from(block.row.spans);
        tally.logs += u64::from(block.row.logs);
        tally.rejected += u64::from(block.row.rejected);
        let Some(block) = folder.block(block.place).map_err(store)?.filter(|_| read_tail) else { continue };
        for record in read::all(&block) {
            tally.record(&record);
            new_traces.extend(record.trace_id());
            if stands_earlier(folder, view, &record)? {
                tally.repeat(record.as_log().is_some());
            }
        }
    }
    let unseen = new_traces.into_iter().filter_map(|trace| {
        let known = view.shards.iter().map(|shard| shard.with_term(Term::trace(trace)));
        match known.collect::<Result<Vec<_>, _>>() {
            Ok(known) => known.iter().all(|blocks| blocks.is_empty()).then_some(Ok(())),
            Err(error) => Some(Err(store(error))),
        }
    });
    let unseen = unseen.collect::<Result<Vec<()>, _>>()?.len() as u64;
    let settled = view.shards.iter().all(|shard| shard.state.settled);
    let whole = !view.reasons.contains(&Incompleteness::NotIndexed);
    Ok(Stats {
        schema: Stats::SCHEMA.to_owned(),
        spans: tally.spans,
        logs: tally.logs,
        exact: settled && whole && read_tail,
        resent_spans: tally.resent_spans,
        resent_logs: tally.resent_logs,
        rejected: tally.rejected,
        traces: traces + unseen,
        services: tally.services.len() as u64,
        bytes_journal: view.segments.iter().map(|info| info.bytes).sum(),
        bytes_index: folder_bytes(&state::shards_folder(dir)),
        indexed_to: view.indexed_to.to_string(),
        journal_end: view.end.to_string(),
        first: tally.times.map(|times| timeline::time::Time(times.0)),
        last: tally.times.map(|times| timeline::time::Time(times.1)),
    })
}

#[derive(Default)]
struct Tally {
    spans: u64,
    logs: u64,
    resent_spans: u64,
    resent_logs: u64,
    rejected: u64,
    services: BTreeSet<String>,
    times: Option<(u64, u64)>,
}

impl Tally {
    fn shard(&mut self, shard: &Shard, view: &View) {
        for row in shard.rows.iter() {
            self.spans += u64::from(row.spans);
            self.logs += u64::from(row.logs);
            self.rejected += u64::from(row.rejected);
        }
        for repeat in shard.repeats.values().filter(|repeat| view.holds(repeat.earlier)) {
            self.repeat(repeat.is_log);
        }
        self.services.extend(shard.state.operations.services.keys().cloned());
        shard.state.times.into_iter().for_each(|(first, last)| self.times(first, last));
    }

    fn record(&mut self, record: &Record) {
        let service = record.resource.service();
        if !self.services.contains(service) {
            self.services.insert(service.to_owned());
        }
        if record.time().is_set() {
            self.times(record.time().0, record.time().0);
        }
    }

    fn repeat(&mut self, is_log: bool) {
        let (count, resent) = match is_log {
            true => (&mut self.logs, &mut self.resent_logs),
            false => (&mut self.spans, &mut self.resent_spans),
        };
        *count = count.saturating_sub(1);
        *resent += 1;
    }

    fn times(&mut self, first: u64, last: u64) {
        let (low, high) = self.times.unwrap_or((first, last));
        self.times = Some((low.min(first), high.max(last)));
    }
}

/// The bytes of all files in a folder and the folders in it; 0 where it is not there.
fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
