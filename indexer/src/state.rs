//! What a shard's commit says: the payload of its tantivy commit.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tantivy::schema::{Field, NumericOptions, Schema};

use crate::operations::Operations;

/// The version of everything under `DIR/index/`: the folder's name, so that another version is another folder.
pub(crate) const VERSION: &str = "v3";

/// The state that a shard has reached. It is written with the commit of the inverted index, in one file
/// that is replaced at once: a shard has all of a commit or nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The journal's segment that it indexes.
    pub(crate) segment: u64,
    /// The byte of the segment that it has reached.
    pub(crate) next: u64,
    /// Whether the segment ends there.
    pub(crate) sealed: bool,
    /// Whether all older shards were there when its repeats were looked for.
    pub(crate) settled: bool,
    /// How many blocks it holds.
    pub(crate) blocks: u32,
    /// How many rows its table of repeats has.
    pub(crate) repeats: u32,
    /// Its files of terms.
    pub(crate) terms: Vec<RunFile>,
    /// Its files of identity keys.
    pub(crate) identities: Vec<RunFile>,
    /// Its files of calls' keys.
    pub(crate) exchanges: Vec<RunFile>,
    /// The filter of its calls' keys, once it is sealed.
    #[serde(default)]
    pub(crate) filter: Option<String>,
    /// Its files of clock evidence.
    pub(crate) clocks: Vec<RunFile>,
    /// The number of its next file.
    pub(crate) next_file: u64,
    /// The services seen, and the names and kinds of their spans.
    pub(crate) operations: Operations,
    /// The earliest and latest time that a sender gave, in nanoseconds.
    pub(crate) times: Option<(u64, u64)>,
    /// Bodies that could not be read.
    pub(crate) unreadable: u64,
}

/// The file of a run, or of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunFile {
    /// Its name in the shard's folder.
    pub(crate) name: String,
    /// How many entries it has; of evidence, how many bytes.
    pub(crate) entries: u64,
    /// The first and the last block that it speaks of.
    pub(crate) blocks: (u32, u32),
}

/// The folder that holds the shards of `dir`, a data folder.
pub(crate) fn shards_folder(dir: &Path) -> PathBuf {
    dir.join("index").join(VERSION)
}

/// The folder of the journal in `dir`, a data folder.
pub(crate) fn journal_folder(dir: &Path) -> PathBuf {
    dir.join("journal")
}

/// The folder of the shard of journal segment `segment`.
pub(crate) fn shard_folder(dir: &Path, segment: u64) -> PathBuf {
    shards_folder(dir).join(format!("{segment:010}"))
}

pub(crate) fn inverted_folder(shard: &Path) -> PathBuf {
    shard.join("inverted")
}

pub(crate) fn rows_path(shard: &Path) -> PathBuf {
    shard.join("blocks")
}

pub(crate) fn repeats_path(shard: &Path) -> PathBuf {
    shard.join("repeats")
}

/// The fields of the inverted index: one document a block.
#[derive(Clone, Copy)]
pub(crate) struct Fields {
    /// The hashes of its recurring terms.
    pub(crate) term: Field,
    /// The block's number.
    pub(crate) block: Field,
}

/// The name of [`Fields::block`].
pub(crate) const BLOCK_FIELD: &str = "block";

pub(crate) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let term = builder.add_u64_field("term", NumericOptions::default().set_indexed());
    let block = builder.add_u64_field(BLOCK_FIELD, NumericOptions::default().set_fast());
    (builder.build(), Fields { term, block })
}
