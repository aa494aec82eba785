//! Reading a shard: which of its blocks hold what. It never changes; a later commit is another `Shard`.

use std::collections::HashMap;
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use journal::Place;
use tantivy::columnar::Column;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Index, IndexReader, InvertedIndexReader, ReloadPolicy, TERMINATED};
use timeline::id::SpanId;
use timeline::time::Time;

use crate::blocks::Blocks;
use crate::clocks::ClockFile;
use crate::ends::{self, Keyed, Others};
use crate::error::IndexError;
use crate::filter::Filter;
use crate::identity;
use crate::repeats::{ItemPlace, Repeat};
use crate::rows::{Row, Rows};
use crate::run::Run;
use crate::state::{self, BLOCK_FIELD, RunFile, State};
use crate::term::Term;

/// A shard's files may be replaced by a merge while it is being opened; then it is opened again.
const OPEN_TRIES: usize = 8;

/// What a shard had committed when it was opened.
pub(crate) struct Shard {
    /// What the commit says.
    pub(crate) state: State,
    /// Its blocks.
    pub(crate) rows: Rows,
    /// Rare and particular terms.
    pub(crate) terms: Vec<Run>,
    /// Identity keys.
    pub(crate) identities: Vec<Run>,
    /// Which blocks hold ends of a call.
    pub(crate) exchanges: Vec<Run>,
    /// Which calls it has an end of, about; once it is sealed.
    pub(crate) filter: Option<Filter>,
    /// What it proves of clocks.
    pub(crate) clocks: Vec<ClockFile>,
    /// The items that stand earlier elsewhere.
    pub(crate) repeats: HashMap<ItemPlace, Repeat>,
    inverted: Vec<Inverted>,
    fields: state::Fields,
}

/// One segment of the inverted index.
struct Inverted {
    terms: Arc<InvertedIndexReader>,
    blocks: Column<u64>,
}

impl Shard {
    /// Opens the shard in `folder`; `None` where nothing was committed yet.
    pub(crate) fn open(folder: &Path) -> Result<Option<Shard>, IndexError> {
        let mut tries = 1;
        loop {
            match Shard::open_once(folder) {
                Err(error) if tries < OPEN_TRIES && error.is_not_found() && folder.exists() => tries += 1,
                other => return other,
            }
        }
    }

    fn open_once(folder: &Path) -> Result<Option<Shard>, IndexError> {
        let index = Index::open_in_dir(state::inverted_folder(folder))?;
        let (schema, fields) = state::schema();
        if index.schema() != schema {
            return Err(IndexError::Damaged(format!("{} has another schema", folder.display())));
        }
        let Some(payload) = index.load_metas()?.payload else { return Ok(None) };
        let state: State = serde_json::from_str(&payload)
            .map_err(|error| IndexError::Damaged(format!("the commit of {}: {error}", folder.display())))?;
        // The reader may be a commit ahead of the state: blocks past the state's count are left out.
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let searcher = reader.searcher();
        let inverted = searcher.segment_readers().iter().map(|segment| {
            Ok(Inverted {
                terms: segment.inverted_index(fields.term)?,
                blocks: segment.fast_fields().u64(BLOCK_FIELD)?,
            })
        });
        let inverted = inverted.collect::<tantivy::Result<Vec<_>>>()?;
        let open = |files: &[RunFile]| -> io::Result<Vec<Run>> {
            files.iter().map(|file| Run::open(&folder.join(&file.name))).collect()
        };
        let rows = Rows::open(&state::rows_path(folder), state.blocks)?;
        let repeats = Repeat::read(&state::repeats_path(folder), state.repeats)?;
        let repeats = repeats.into_iter().map(|repeat| (repeat.place, repeat)).collect();
        Ok(Some(Shard {
            terms: open(&state.terms)?,
            identities: open(&state.identities)?,
            exchanges: open(&state.exchanges)?,
            clocks: clock_files(folder, &state.clocks)?,
            filter: state.filter.as_ref().map(|name| Filter::open(&folder.join(name))).transpose()?,
            state,
            rows,
            repeats,
            inverted,
            fields,
        }))
    }

    /// Where a block stands in the journal.
    pub(crate) fn place(&self, block: u32) -> Option<Place> {
        Some(Place { segment: self.state.segment, offset: self.row(block)?.offset })
    }

    /// The blocks that may hold `term`.
    pub(crate) fn with_term(&self, term: Term) -> Result<Blocks, IndexError> {
        let mut blocks = Blocks::none(self.state.blocks);
        self.add_runs(&self.terms, term.run_key()..=term.run_key(), &mut blocks);
        let query = tantivy::Term::from_field_u64(self.fields.term, term.0);
        for segment in &self.inverted {
            let Some(mut postings) = segment.terms.read_postings(&query, IndexRecordOption::Basic)? else {
                continue;
            };
            while postings.doc() != TERMINATED {
                let block = segment.blocks.first(postings.doc());
                block
                    .and_then(|block| u32::try_from(block).ok())
                    .into_iter()
                    .for_each(|block| blocks.insert(block));
                postings.advance();
            }
        }
        Ok(blocks)
    }

    /// The blocks that may hold spans with this id.
    pub(crate) fn with_span(&self, span: SpanId) -> Blocks {
        self.with_identities(identity::of_span_id(span))
    }

    /// The blocks that may hold items with one of these identity keys.
    pub(crate) fn with_identities(&self, keys: RangeInclusive<u64>) -> Blocks {
        let mut blocks = Blocks::none(self.state.blocks);
        self.add_runs(&self.identities, keys, &mut blocks);
        blocks
    }

    fn add_runs(&self, runs: &[Run], keys: RangeInclusive<u64>, blocks: &mut Blocks) {
        for run in runs {
            run.range(keys.clone()).for_each(|entry| blocks.insert(entry.block()));
        }
    }

    /// The rows of blocks, with their numbers.
    pub(crate) fn row(&self, block: u32) -> Option<Row> {
        self.rows.get(block)
    }

    /// The smallest and largest time of its records, unset ones included.
    pub(crate) fn times(&self) -> (Time, Time) {
        self.rows
            .iter()
            .fold((Time(u64::MAX), Time(0)), |(low, high), row| (low.min(row.times.0), high.max(row.times.1)))
    }

    /// Looks for other ends of the same calls.
    pub(crate) fn look_up(&self, ends: &[Keyed], others: &mut Others) {
        let place = |block: u32| self.place(block);
        let may_have = |key| self.filter.as_ref().is_none_or(|filter| filter.may_have(key));
        self.exchanges.iter().for_each(|run| ends::look_up(ends, run, &may_have, &place, others));
    }

    /// Its documents, as each block's number and how many terms it has: for the comparison with the journal.
    pub(crate) fn documents(&self) -> usize {
        self.inverted.iter().map(|segment| segment.blocks.num_docs() as usize).sum()
    }
}

/// Opens files of evidence.
pub(crate) fn clock_files(folder: &Path, files: &[RunFile]) -> io::Result<Vec<ClockFile>> {
    files.iter().map(|file| ClockFile::open(&folder.join(&file.name))).collect()
}
