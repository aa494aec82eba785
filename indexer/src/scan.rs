//! Answering one question: candidate blocks, newest first; of each the records that match.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use journal::Place;
use query::archive::{ArchiveError, Effort, Found, Page, Visited, Window};
use query::predicate::{Comparison, Predicate, Signal};
use timeline::document::Incompleteness;
use timeline::record::Record;

use crate::folder::{Folder, store};
use crate::identity;
use crate::plan::Plan;
use crate::read;
use crate::repeats::item_place;
use crate::rows::Row;
use crate::shard::Shard;
use crate::sieve::Sieve;
use crate::view::{TailBlock, View};

/// A question to a folder at one moment.
pub(crate) struct Scan<'a> {
    folder: &'a Folder,
    view: View,
    predicate: &'a Predicate,
    sieve: Sieve<'a>,
    window: Window,
    effort: &'a Effort,
    /// How many records may still be read.
    left: u64,
    reasons: BTreeSet<Incompleteness>,
}

/// A page being filled.
struct Filling {
    page: Page,
    found: Found,
    more: bool,
}

impl Filling {
    fn add(&mut self, record: Record) {
        self.found.total += 1;
        self.put(record);
    }

    fn put(&mut self, record: Record) {
        if self.page.before.is_some_and(|before| record.position >= before) {
            return;
        }
        if self.found.records.len() < self.page.limit {
            self.found.records.push(record);
        } else {
            self.more = true;
        }
    }

    /// Whether no record of a block at `place` or before can come onto the page or tell that there is another.
    fn is_done(&self) -> bool {
        self.more || self.page.limit == 0
    }
}

impl<'a> Scan<'a> {
    pub(crate) fn new(
        folder: &'a Folder,
        predicate: &'a Predicate,
        window: Window,
        effort: &'a Effort,
    ) -> Result<Scan<'a>, ArchiveError> {
        effort.check()?;
        let view = folder.view()?;
        let reasons = view.reasons.clone();
        let sieve = Sieve::of(predicate);
        Ok(Scan { folder, view, predicate, sieve, window, effort, left: effort.records_max, reasons })
    }

    /// The page, and how many match in all.
    pub(crate) fn find(mut self, page: Page) -> Result<Found, ArchiveError> {
        let mut filling = Filling { page, found: Found::default(), more: false };
        if let ControlFlow::Break(()) = self.fill(&mut filling)? {
            self.reasons.insert(Incompleteness::Truncated);
        }
        let Filling { mut found, more, .. } = filling;
        found.next = found.records.last().filter(|_| more).map(|record| record.position);
        found.reasons = self.reasons.into_iter().collect();
        Ok(found)
    }

    /// Calls `visit` with every record that matches, a block at a time.
    pub(crate) fn visit(mut self, visit: &mut dyn FnMut(Record)) -> Result<Visited, ArchiveError> {
        let mut visited = Visited { unread_max: self.candidates()?, ..Visited::default() };
        let mut emit = |record| {
            visited.read += 1;
            visit(record);
        };
        if self.visit_blocks(&mut visited.unread_max, &mut emit)?.is_break() {
            self.reasons.insert(Incompleteness::Truncated);
        }
        Ok(Visited { reasons: self.reasons.into_iter().collect(), ..visited })
    }

    /// Visits block by block; `unread` counts down their items.
    fn visit_blocks(
        &mut self,
        unread: &mut u64,
        emit: &mut dyn FnMut(Record),
    ) -> Result<ControlFlow<()>, ArchiveError> {
        let all = *unread;
        for block in self.view.tail.clone().iter().rev() {
            if !may(self.predicate, self.window, &block.row) {
                continue;
            }
            if self.in_tail(block, emit)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            *unread -= block.row.items();
        }
        let plan = Plan::of(self.predicate);
        for shard in self.view.shards.clone().iter().rev() {
            for (number, row) in self.rows(shard, &plan)? {
                if self.in_block(shard, number, &row, emit)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                *unread -= row.items();
                self.effort.report((all - *unread) as f64 / all as f64);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// How many items the blocks hold that may hold a match.
    fn candidates(&self) -> Result<u64, ArchiveError> {
        let may = |row: &Row| may(self.predicate, self.window, row);
        let tail = self.view.tail.iter().map(|block| block.row).filter(may).map(|row| row.items());
        let mut items: u64 = tail.sum();
        let plan = Plan::of(self.predicate);
        for shard in &self.view.shards {
            items += self.rows(shard, &plan)?.iter().map(|(_, row)| row.items()).sum::<u64>();
        }
        Ok(items)
    }

    /// The blocks of a shard that may hold a match, newest first.
    fn rows(&self, shard: &Shard, plan: &Plan) -> Result<Vec<(u32, Row)>, ArchiveError> {
        let blocks = plan.blocks(shard).map_err(store)?;
        let rows = blocks.newest_first().filter_map(|number| Some((number, shard.row(number)?)));
        Ok(rows.filter(|(_, row)| may(self.predicate, self.window, row)).collect())
    }

    fn fill(&mut self, filling: &mut Filling) -> Result<ControlFlow<()>, ArchiveError> {
        let tail = self.view.tail.clone();
        for block in tail.iter().rev() {
            if may(self.predicate, self.window, &block.row)
                && self.in_tail(block, &mut |record| filling.add(record))?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        let plan = Plan::of(self.predicate);
        let shards = self.view.shards.clone();
        for (index, shard) in shards.iter().enumerate().rev() {
            let step = match self.counted(shard) {
                Some(count) => self.in_counted(shard, count, filling)?,
                None => self.in_shard(shard, &plan, filling)?,
            };
            if step.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.effort.report((shards.len() - index) as f64 / shards.len() as f64);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn in_tail(
        &mut self,
        block: &TailBlock,
        emit: &mut dyn FnMut(Record),
    ) -> Result<ControlFlow<()>, ArchiveError> {
        let Some(records) = self.read(block.place)? else { return Ok(ControlFlow::Break(())) };
        for record in records.into_iter().rev() {
            if !self.stands_earlier(&record)? {
                emit(record);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn in_shard(
        &mut self,
        shard: &Shard,
        plan: &Plan,
        filling: &mut Filling,
    ) -> Result<ControlFlow<()>, ArchiveError> {
        for (number, row) in self.rows(shard, plan)? {
            if self.in_block(shard, number, &row, &mut |record| filling.add(record))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn in_block(
        &mut self,
        shard: &Shard,
        number: u32,
        row: &Row,
        emit: &mut dyn FnMut(Record),
    ) -> Result<ControlFlow<()>, ArchiveError> {
        let Some(records) = self.read(place(shard, row))? else { return Ok(ControlFlow::Break(())) };
        let records = records.into_iter().rev();
        records.filter(|record| !self.is_repeat(shard, number, record)).for_each(emit);
        Ok(ControlFlow::Continue(()))
    }

    /// How many records of a shard match, where its table alone can tell.
    fn counted(&self, shard: &Shard) -> Option<u64> {
        if self.window != Window::default() {
            return None;
        }
        let (spans, logs) = match self.predicate {
            Predicate::All(all) if all.is_empty() => (true, true),
            Predicate::Signal(signal) => (*signal == Signal::Spans, *signal == Signal::Logs),
            _ => return None,
        };
        let counted = |is_log: bool| if is_log { logs } else { spans };
        let rows = shard
            .rows
            .iter()
            .map(|row| u64::from(row.spans) * u64::from(spans) + u64::from(row.logs) * u64::from(logs));
        let repeats =
            shard.repeats.values().filter(|repeat| counted(repeat.is_log) && self.view.holds(repeat.earlier));
        Some(rows.sum::<u64>() - repeats.count() as u64)
    }

    /// As [`Scan::in_shard`] where all is counted: only what the page shows is read.
    fn in_counted(
        &mut self,
        shard: &Shard,
        count: u64,
        filling: &mut Filling,
    ) -> Result<ControlFlow<()>, ArchiveError> {
        filling.found.total += count;
        for number in (0..shard.state.blocks).rev() {
            if filling.is_done() {
                break;
            }
            let Some(row) = shard.row(number) else { continue };
            if filling.page.before.is_some_and(|before| place(shard, &row).position(0, 0) >= before) {
                continue;
            }
            if self.in_block(shard, number, &row, &mut |record| filling.put(record))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The records of a block that match; `None` where the effort is spent.
    fn read(&mut self, place: Place) -> Result<Option<Vec<Record>>, ArchiveError> {
        self.effort.check()?;
        let block = match self.folder.block(place) {
            Ok(Some(block)) => block,
            Ok(None) => return Ok(Some(Vec::new())),
            Err(error) => {
                tracing::warn!(%place, %error, "a block cannot be read");
                self.reasons.insert(Incompleteness::MissingShard);
                return Ok(Some(Vec::new()));
            }
        };
        let mut records = read::some(&block, &self.sieve);
        let Some(left) = self.left.checked_sub(records.len() as u64) else { return Ok(None) };
        self.left = left;
        records.retain(|record| self.window.contains(record.time()) && self.predicate.matches(record));
        Ok(Some(records))
    }

    fn is_repeat(&self, shard: &Shard, block: u32, record: &Record) -> bool {
        let repeat = shard.repeats.get(&item_place(block, record.position));
        repeat.is_some_and(|repeat| self.view.holds(repeat.earlier))
    }

    /// Whether a record of the tail stands further up too.
    fn stands_earlier(&self, record: &Record) -> Result<bool, ArchiveError> {
        stands_earlier(self.folder, &self.view, record)
    }
}

/// Whether a record equal to this one, which is past the shards, stands before it.
pub(crate) fn stands_earlier(folder: &Folder, view: &View, record: &Record) -> Result<bool, ArchiveError> {
    let key = identity::of_record(record);
    let own = Place::from(record.position);
    let mut places = Vec::new();
    for shard in &view.shards {
        let blocks = shard.with_identities(key..=key);
        places.extend(blocks.newest_first().filter_map(|block| Some(place(shard, &shard.row(block)?))));
    }
    for block in view.tail.iter().filter(|block| block.place <= own) {
        let first = block.identities.partition_point(|other| *other < key);
        let equal = block.identities.iter().skip(first).take_while(|other| **other == key).count();
        if equal > usize::from(block.place == own) {
            places.push(block.place);
        }
    }
    for place in places {
        let Some(block) = folder.block(place).map_err(store)? else { continue };
        let equal = |other: &Record| other.id == record.id && other.position < record.position;
        if read::all(&block).iter().any(equal) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn place(shard: &Shard, row: &Row) -> Place {
    Place { segment: shard.state.segment, offset: row.offset }
}

/// Whether a block may hold a match, as far as its row tells.
fn may(predicate: &Predicate, window: Window, row: &Row) -> bool {
    let in_window = window.since.is_none_or(|since| since <= row.times.1)
        && window.until.is_none_or(|until| row.times.0 < until);
    row.items() > 0 && in_window && may_match(predicate, row)
}

fn may_match(predicate: &Predicate, row: &Row) -> bool {
    match predicate {
        Predicate::All(all) => all.iter().all(|one| may_match(one, row)),
        Predicate::Any(any) => any.iter().any(|one| may_match(one, row)),
        Predicate::Signal(Signal::Spans) => row.spans > 0,
        Predicate::Signal(Signal::Logs) => row.logs > 0,
        Predicate::Duration(Comparison::AtLeast, ns) => row.duration_max >= *ns,
        Predicate::Duration(Comparison::Greater, ns) => row.duration_max > *ns,
        _ => true,
    }
}
