//! Writing a shard: blocks are gathered, and committed together with the journal position they reach to.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Block, Place, Reader};
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};
use tantivy::schema::TantivyDocument;
use tantivy::store::Compressor;
use tantivy::{Index, IndexSettings, IndexWriter};
use timeline::time::Time;

use crate::clocks;
use crate::ends::{self, BySegment, EXCHANGE_BITS, Keyed, Others, Recent};
use crate::error::IndexError;
use crate::extract::{Extractor, Gathered};
use crate::filter;
use crate::identity::IDENTITY_BITS;
use crate::repeats::{Repeat, Suspects};
use crate::rows::{self, ROW_LEN, Row, Rows};
use crate::run::{self, BLOCK_BITS, Entry, Run};
use crate::shard::{Shard, clock_files};
use crate::state::{self, Fields, RunFile, State};
use crate::term::RUN_KEY_BITS;
use crate::tiers;

/// What tantivy may take before it writes a segment of its own accord: its least.
const ARENA_BYTES: usize = 15_000_000;
/// After so many entries a commit is due, however little time has passed: 32 MiB.
const ENTRIES_MAX: usize = 4 << 20;

/// The one writer of a shard.
pub(crate) struct ShardWriter {
    folder: PathBuf,
    state: State,
    writer: IndexWriter,
    fields: Fields,
    gathered: Gathered,
    /// Where in the segment the gathered blocks end.
    reached: u64,
    identities: Vec<Run>,
    exchanges: Vec<Run>,
    rows: Rows,
}

impl ShardWriter {
    /// Opens the shard of `segment` in `folder`, or makes it. What was begun and not committed is removed.
    pub(crate) fn open(folder: &Path, segment: u64) -> Result<ShardWriter, IndexError> {
        let inverted = state::inverted_folder(folder);
        fs::create_dir_all(&inverted)?;
        let (schema, fields) = state::schema();
        let settings = IndexSettings {
            docstore_compression: Compressor::None,
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let directory =
            tantivy::directory::MmapDirectory::open(&inverted).map_err(tantivy::TantivyError::from)?;
        let index = Index::builder().schema(schema).settings(settings).open_or_create(directory)?;
        let state = match index.load_metas()?.payload {
            Some(payload) => serde_json::from_str(&payload).map_err(|error| {
                IndexError::Damaged(format!("the commit of {}: {error}", folder.display()))
            })?,
            None => State { segment, next: Place::first_of(segment).offset, ..State::default() },
        };
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(ARENA_BYTES)
            .build();
        let writer = index.writer_with_options(options)?;
        writer.set_merge_policy(Box::new(NoMergePolicy)); // merges are made between commits: see `tidy`
        let identities = ShardWriter::runs(folder, &state.identities)?;
        let exchanges = ShardWriter::runs(folder, &state.exchanges)?;
        let rows = Rows::open(&state::rows_path(folder), state.blocks)?;
        let folder = folder.to_path_buf();
        let (reached, gathered) = (state.next, Gathered::default());
        let shard =
            ShardWriter { folder, state, writer, fields, gathered, reached, identities, exchanges, rows };
        shard.remove_unnamed()?;
        Ok(shard)
    }

    /// Where in the journal it has to go on.
    pub(crate) fn next(&self) -> Place {
        Place { segment: self.state.segment, offset: self.state.next }
    }

    /// Whether its repeats of older shards are known.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.settled || self.state.blocks == 0
    }

    /// How many blocks wait for a commit.
    pub(crate) fn waiting(&self) -> usize {
        self.gathered.rows.len()
    }

    /// Whether so much waits that it should be committed at once.
    pub(crate) fn is_full(&self) -> bool {
        let Gathered { terms, identities, exchanges, .. } = &self.gathered;
        terms.len() + identities.len() + exchanges.len() >= ENTRIES_MAX
    }

    /// Takes in the next block.
    pub(crate) fn add(&mut self, block: &Block, extractor: &mut Extractor) -> Result<(), IndexError> {
        let number = self.state.blocks + self.gathered.rows.len() as u32;
        if number >> BLOCK_BITS != 0 {
            return Err(IndexError::Damaged(format!("segment {} has too many blocks", self.state.segment)));
        }
        extractor.add(block, number, &mut self.gathered);
        self.reached = block.next.offset;
        Ok(())
    }

    /// Commits what was taken in. `older` are the shards of older segments, all of them if `settled`.
    pub(crate) fn commit(
        &mut self,
        reader: &Reader,
        recent: &mut Recent,
        older: &[Arc<Shard>],
        settled: bool,
    ) -> Result<(), IndexError> {
        let mut gathered = std::mem::take(&mut self.gathered);
        let first = self.state.blocks;
        let mut state = self.state.clone();
        state.next = self.reached;
        state.settled = settled && (state.settled || first == 0);
        state.unreadable += gathered.unreadable;
        state.times = joined(state.times, gathered.times);
        state.operations.merge(&gathered.operations);
        if !gathered.rows.is_empty() {
            gathered.terms.sort_unstable();
            gathered.terms.dedup();
            gathered.identities.sort_unstable();
            gathered.exchanges.sort_unstable();
            state.blocks += gathered.rows.len() as u32;
            let blocks = (first, state.blocks - 1);
            let file = self.write_run(&mut state, "terms", &gathered.terms, blocks)?;
            state.terms.push(file);
            let file = self.write_run(&mut state, "identities", &gathered.identities, blocks)?;
            state.identities.push(file);
            let evidence = self.evidence(&gathered, reader, recent, older)?;
            self.write_evidence(&mut state, &evidence, blocks)?;
            let file = self.write_run(&mut state, "exchanges", &gathered.exchanges, blocks)?;
            state.exchanges.push(file);
            let repeats = self.repeats(&gathered, reader, older)?;
            self.write_tables(&mut state, &gathered.rows, &repeats)?;
            self.write_documents(first, &gathered)?;
        }
        self.publish(state)
    }

    /// Commits with the word that the segment ends here, as one file of each kind.
    pub(crate) fn seal(&mut self) -> Result<(), IndexError> {
        let mut state = self.state.clone();
        state.sealed = true;
        let all = |files: &[RunFile]| (0..files.len()).collect::<Vec<_>>();
        for kind in Kind::ALL {
            let members = all(kind.files(&mut state));
            self.merge_runs(&mut state, kind, &members)?;
        }
        let members = all(&state.clocks);
        self.merge_evidence(&mut state, &members)?;
        self.write_filter(&mut state)?;
        self.publish(state)?;
        self.merge_segments(|sizes| (sizes.len() > 1).then(|| (0..sizes.len()).collect()))
    }

    /// Looks for the repeats of the whole shard again, and for the other ends of its calls, now that all `older` shards
    /// are there.
    pub(crate) fn settle(
        &mut self,
        reader: &Reader,
        recent: &mut Recent,
        older: &[Arc<Shard>],
    ) -> Result<(), IndexError> {
        let mut identities: Vec<Entry> = self.identities.iter().flat_map(|run| run.cursor(0)).collect();
        identities.sort();
        let rows: Vec<Row> = self.rows.iter().collect();
        let place = |block: u32| self.place_among(&rows, 0, block);
        let mut suspects = Suspects::default();
        suspects.among(&identities, &place);
        self.suspect_older(&mut suspects, &identities, times_of(&rows), older);
        let mut repeats = suspects.judge(reader, &place)?;
        let known = Repeat::read(&state::repeats_path(&self.folder), self.state.repeats)?;
        repeats.retain(|repeat| !known.iter().any(|known| known.place == repeat.place));
        let mut state = State { settled: true, ..self.state.clone() };
        self.write_tables(&mut state, &[], &repeats)?;
        let evidence = self.evidence_with(reader, recent, older)?;
        let blocks = (0, state.blocks.saturating_sub(1));
        self.write_evidence(&mut state, &evidence, blocks)?;
        let members = (0..state.clocks.len()).collect::<Vec<_>>();
        self.merge_evidence(&mut state, &members)?;
        self.publish(state)
    }

    /// Merges small files, if there are many.
    pub(crate) fn tidy(&mut self) -> Result<(), IndexError> {
        let mut state = self.state.clone();
        for kind in Kind::ALL {
            let sizes: Vec<u64> = kind.files(&mut state).iter().map(|file| file.entries).collect();
            if let Some(due) = tiers::due(&sizes) {
                self.merge_runs(&mut state, kind, &due)?;
            }
        }
        let sizes: Vec<u64> = state.clocks.iter().map(|file| file.entries).collect();
        if let Some(due) = tiers::due(&sizes) {
            self.merge_evidence(&mut state, &due)?;
        }
        if state != self.state {
            self.publish(state)?;
        }
        self.merge_segments(tiers::due)
    }

    /// What new blocks prove of clocks: by themselves, and together with what stands before them.
    fn evidence(
        &self,
        gathered: &Gathered,
        reader: &Reader,
        recent: &mut Recent,
        older: &[Arc<Shard>],
    ) -> Result<BySegment, IndexError> {
        let segment = self.state.segment;
        let mut evidence = BySegment::from([(segment, gathered.clocks())]);
        let mut ends: Vec<Keyed> = gathered.ends.iter().flat_map(|ends| ends.iter().copied()).collect();
        ends.sort_unstable();
        ends::pair_within(&ends, segment, &mut evidence);
        let mut others = Others::new();
        let place = |block: u32| self.place_among(&[], self.state.blocks, block);
        self.exchanges.iter().for_each(|run| ends::look_up(&ends, run, &|_| true, &place, &mut others));
        older.iter().for_each(|shard| shard.look_up(&ends, &mut others));
        ends::pair_with(&ends, &others, |place| recent.of(place, reader), &mut evidence)?;
        for (row, ends) in gathered.rows.iter().zip(&gathered.ends) {
            recent.keep(Place { segment, offset: row.offset }, ends);
        }
        Ok(evidence)
    }

    /// What the whole shard proves of clocks together with the older ones.
    fn evidence_with(
        &self,
        reader: &Reader,
        recent: &mut Recent,
        older: &[Arc<Shard>],
    ) -> Result<BySegment, IndexError> {
        let (mut own, mut others) = (Others::new(), Others::new());
        for (run, shard) in self.exchanges.iter().flat_map(|run| older.iter().map(move |shard| (run, shard)))
        {
            for theirs in &shard.exchanges {
                let mut cursor = theirs.cursor(0);
                let may_have = |key| shard.filter.as_ref().is_none_or(|filter| filter.may_have(key));
                for entry in run.cursor(0).filter(|entry| may_have(entry.key())) {
                    let places =
                        cursor.blocks_of(entry.key()).into_iter().filter_map(|block| shard.place(block));
                    for place in places {
                        others.entry(place).or_default().push(entry.key());
                        let place = self.place_among(&[], self.state.blocks, entry.block());
                        place.into_iter().for_each(|place| own.entry(place).or_default().push(entry.key()));
                    }
                }
            }
        }
        let mut ends = Vec::new();
        for (place, keys) in own {
            let Some(block) = recent.of(place, reader)? else { continue };
            ends.extend(keys.iter().flat_map(|key| ends::with_key(&block, *key)));
        }
        ends.sort_unstable();
        ends.dedup();
        let mut evidence = BySegment::new();
        ends::pair_with(&ends, &others, |place| recent.of(place, reader), &mut evidence)?;
        Ok(evidence)
    }

    /// Writes which calls the shard has an end of, so that few look for others in it.
    fn write_filter(&self, state: &mut State) -> Result<(), IndexError> {
        state.next_file += 1;
        let name = format!("exchanges-{:06}{FILTER_SUFFIX}", state.next_file);
        let runs = ShardWriter::runs(&self.folder, &state.exchanges)?;
        let most = runs.iter().map(Run::len).sum();
        let keys = runs.iter().flat_map(|run| run.cursor(0)).map(Entry::key);
        filter::write(&self.folder.join(&name), keys, most)?;
        state.filter = Some(name);
        Ok(())
    }

    fn write_evidence(
        &self,
        state: &mut State,
        evidence: &BySegment,
        blocks: (u32, u32),
    ) -> Result<(), IndexError> {
        if evidence.values().all(|evidence| evidence.is_empty()) {
            return Ok(());
        }
        state.next_file += 1;
        let name = format!("clocks-{:06}{CLOCKS_SUFFIX}", state.next_file);
        let entries = clocks::write(&self.folder.join(&name), evidence)?;
        state.clocks.push(RunFile { name, entries, blocks });
        Ok(())
    }

    fn merge_evidence(&self, state: &mut State, members: &[usize]) -> Result<(), IndexError> {
        if members.len() < 2 {
            return Ok(());
        }
        let merged = take_members(&mut state.clocks, members);
        let evidence = clocks::merged(&clock_files(&self.folder, &merged)?)?;
        self.write_evidence(state, &evidence, blocks_of(&merged))
    }

    fn repeats(
        &self,
        gathered: &Gathered,
        reader: &Reader,
        older: &[Arc<Shard>],
    ) -> Result<Vec<Repeat>, IndexError> {
        let first = self.state.blocks;
        let place = |block: u32| self.place_among(&gathered.rows, first, block);
        let mut suspects = Suspects::default();
        suspects.among(&gathered.identities, &place);
        self.identities.iter().for_each(|run| suspects.against(&gathered.identities, run, &place));
        self.suspect_older(&mut suspects, &gathered.identities, times_of(&gathered.rows), older);
        if suspects.is_empty() { Ok(Vec::new()) } else { suspects.judge(reader, &place) }
    }

    fn suspect_older(
        &self,
        suspects: &mut Suspects,
        new: &[Entry],
        times: (Time, Time),
        older: &[Arc<Shard>],
    ) {
        for shard in older {
            let (low, high) = shard.times();
            if low > times.1 || high < times.0 {
                continue;
            }
            let segment = shard.state.segment;
            let place = |block: u32| Some(Place { segment, offset: shard.row(block)?.offset });
            shard.identities.iter().for_each(|run| suspects.against(new, run, &place));
        }
    }

    /// Where a block of this shard stands: one of `new`, which begin with number `first`, or a committed one.
    fn place_among(&self, new: &[Row], first: u32, block: u32) -> Option<Place> {
        let row = match block.checked_sub(first) {
            Some(index) => new.get(index as usize).copied(),
            None => self.rows.get(block),
        };
        Some(Place { segment: self.state.segment, offset: row?.offset })
    }

    fn write_run(
        &self,
        state: &mut State,
        kind: &str,
        entries: &[Entry],
        blocks: (u32, u32),
    ) -> Result<RunFile, IndexError> {
        let name = next_name(state, kind);
        run::write(&self.folder.join(&name), entries.iter().copied(), blocks.0..=blocks.1)?;
        Ok(RunFile { name, entries: entries.len() as u64, blocks })
    }

    fn write_tables(&self, state: &mut State, new: &[Row], repeats: &[Repeat]) -> Result<(), IndexError> {
        let mut bytes = Vec::with_capacity(new.len() * ROW_LEN);
        new.iter().for_each(|row| row.encode(&mut bytes));
        if !new.is_empty() {
            let committed = u64::from(self.state.blocks) * ROW_LEN as u64;
            rows::append(&state::rows_path(&self.folder), committed, &bytes)?;
        }
        if !repeats.is_empty() {
            bytes.clear();
            repeats.iter().for_each(|repeat| repeat.encode(&mut bytes));
            let committed = Repeat::table_len(self.state.repeats);
            rows::append(&state::repeats_path(&self.folder), committed, &bytes)?;
            state.repeats += repeats.len() as u32;
        }
        Ok(())
    }

    fn write_documents(&self, first: u32, gathered: &Gathered) -> Result<(), IndexError> {
        for (number, terms) in (first..).zip(&gathered.documents) {
            let mut document = TantivyDocument::default();
            document.add_u64(self.fields.block, number.into());
            terms.iter().for_each(|term| document.add_u64(self.fields.term, term.0));
            self.writer.add_document(document)?;
        }
        Ok(())
    }

    fn merge_runs(&self, state: &mut State, kind: Kind, members: &[usize]) -> Result<(), IndexError> {
        if members.len() < 2 {
            return Ok(());
        }
        let merged = take_members(kind.files(state), members);
        let runs = ShardWriter::runs(&self.folder, &merged)?;
        let (first, last) = blocks_of(&merged);
        let name = next_name(state, kind.name());
        let path = self.folder.join(&name);
        run::merge(
            &runs.iter().collect::<Vec<_>>(),
            kind.key_bits(),
            first..=last,
            kind != Kind::Identities,
            &path,
        )?;
        let entries = Run::open(&path)?.len();
        kind.files(state).push(RunFile { name, entries, blocks: (first, last) });
        Ok(())
    }

    fn merge_segments(&mut self, due: impl Fn(&[u64]) -> Option<Vec<usize>>) -> Result<(), IndexError> {
        let metas = self.writer.index().searchable_segment_metas()?;
        let sizes: Vec<u64> = metas.iter().map(|meta| meta.max_doc().into()).collect();
        if let Some(members) = due(&sizes) {
            let ids: Vec<_> = members.iter().filter_map(|at| metas.get(*at)).map(|meta| meta.id()).collect();
            self.writer.merge(&ids).wait()?;
        }
        Ok(())
    }

    /// Makes `state` the shard's: from here on its readers see it, and a crash keeps it.
    fn publish(&mut self, state: State) -> Result<(), IndexError> {
        File::open(&self.folder)?.sync_all()?;
        let payload = serde_json::to_string(&state).map_err(io::Error::from)?;
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&payload);
        commit.commit()?;
        let changed = state.identities != self.state.identities || state.exchanges != self.state.exchanges;
        let merged = changed
            || state.terms.len() < self.state.terms.len()
            || state.clocks.len() < self.state.clocks.len();
        self.state = state;
        self.rows = Rows::open(&state::rows_path(&self.folder), self.state.blocks)?;
        if merged {
            self.identities = ShardWriter::runs(&self.folder, &self.state.identities)?;
            self.exchanges = ShardWriter::runs(&self.folder, &self.state.exchanges)?;
            self.remove_unnamed()?;
        }
        Ok(())
    }

    fn runs(folder: &Path, files: &[RunFile]) -> Result<Vec<Run>, IndexError> {
        Ok(files.iter().map(|file| Run::open(&folder.join(&file.name))).collect::<io::Result<_>>()?)
    }

    /// Removes runs and evidence that the commit does not name.
    fn remove_unnamed(&self) -> Result<(), IndexError> {
        let State { terms, identities, exchanges, clocks, filter, .. } = &self.state;
        let files = [terms, identities, exchanges, clocks].into_iter().flatten();
        let mut named: BTreeSet<&str> = files.map(|file| file.name.as_str()).collect();
        named.extend(filter.as_deref());
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_ours = |name: &&str| {
                [RUN_SUFFIX, CLOCKS_SUFFIX, FILTER_SUFFIX].iter().any(|own| name.ends_with(own))
            };
            let Some(name) = name.to_str().filter(is_ours) else { continue };
            if !named.contains(name) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

const RUN_SUFFIX: &str = ".run";
const CLOCKS_SUFFIX: &str = ".clocks";
const FILTER_SUFFIX: &str = ".filter";

/// Takes the files that are to be merged.
fn take_members(files: &mut Vec<RunFile>, members: &[usize]) -> Vec<RunFile> {
    let mut at = 0..;
    let (taken, kept) =
        files.drain(..).partition::<Vec<_>, _>(|_| at.next().is_some_and(|at| members.contains(&at)));
    *files = kept;
    taken
}

/// The first and the last block that files speak of.
fn blocks_of(files: &[RunFile]) -> (u32, u32) {
    let first = files.iter().map(|file| file.blocks.0).min().unwrap_or(0);
    (first, files.iter().map(|file| file.blocks.1).max().unwrap_or(0))
}

fn next_name(state: &mut State, kind: &str) -> String {
    state.next_file += 1;
    format!("{kind}-{:06}{RUN_SUFFIX}", state.next_file)
}

/// The kinds of runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Terms,
    Identities,
    Exchanges,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Terms, Kind::Identities, Kind::Exchanges];

    fn name(self) -> &'static str {
        match self {
            Kind::Terms => "terms",
            Kind::Identities => "identities",
            Kind::Exchanges => "exchanges",
        }
    }

    fn key_bits(self) -> u32 {
        match self {
            Kind::Terms => RUN_KEY_BITS,
            Kind::Identities => IDENTITY_BITS,
            Kind::Exchanges => EXCHANGE_BITS,
        }
    }

    fn files(self, state: &mut State) -> &mut Vec<RunFile> {
        match self {
            Kind::Terms => &mut state.terms,
            Kind::Identities => &mut state.identities,
            Kind::Exchanges => &mut state.exchanges,
        }
    }
}

fn times_of(rows: &[Row]) -> (Time, Time) {
    rows.iter()
        .fold((Time(u64::MAX), Time(0)), |(low, high), row| (low.min(row.times.0), high.max(row.times.1)))
}

fn joined(own: Option<(u64, u64)>, new: Option<(Time, Time)>) -> Option<(u64, u64)> {
    let new = new.map(|(first, last)| (first.0, last.0));
    match (own, new) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (own, new) => own.or(new),
    }
}
