//! The embedded archive: an index of the journal, derived from it and never more than it; and the thread that judges
//! what arrives.
//!
//! | file           | what it alone knows                                                    |
//! |----------------|------------------------------------------------------------------------|
//! | `term.rs`      | what a block is found by, as hashes                                    |
//! | `terms.rs`     | which terms a name, a text or an attribute gives                       |
//! | `extract.rs`   | from a block to what the index holds of it                             |
//! | `ends.rs`      | the ends of calls and messages, and where the other ends are           |
//! | `clocks.rs`    | files of clock evidence                                                |
//! | `filter.rs`    | which keys a sealed shard has, about                                   |
//! | `recurring.rs` | which terms recur from block to block                                  |
//! | `identity.rs`  | keys by which records that come again are recognised                   |
//! | `repeats.rs`   | which items are repeats                                                |
//! | `run.rs`       | sorted files of (key, block)                                           |
//! | `rows.rs`      | the table of blocks                                                    |
//! | `state.rs`     | what a commit says, and where files stand                              |
//! | `tiers.rs`     | which files to merge, and when                                         |
//! | `writer.rs`    | one shard: add, commit, seal                                           |
//! | `shard.rs`     | one shard: which of its blocks hold what                               |
//! | `job.rs`       | the making of a shard, a few blocks at a time                          |
//! | `indexer.rs`   | the thread that follows the journal                                    |
//! | `judge.rs`     | the thread that judges entities as records arrive                      |
//! | `view.rs`      | what a reader sees at one moment: shards and the journal past them     |
//! | `plan.rs`      | from a predicate to candidate blocks                                   |
//! | `sieve.rs`     | a cheap look at an item in place                                       |
//! | `operations.rs` | the services seen, and the names and kinds of their spans             |
//! | `needles.rs`   | bytes without which an encoded item cannot match                       |
//! | `scan.rs`      | from candidate blocks to a page of records                             |
//! | `folder.rs`    | the archive of a folder                                                |
//! | `stats.rs`     | what a folder holds, counted                                           |
//! | `verify.rs`    | the index held against the journal                                     |
//! | `reindex.rs`   | making it anew                                                         |
//!
//! `docs/index.md` draws it and says why it is so.

mod blocks;
mod clocks;
mod ends;
mod error;
mod extract;
mod filter;
mod folder;
mod identity;
mod indexer;
mod job;
mod judge;
mod needles;
mod operations;
mod plan;
mod read;
mod recurring;
mod reindex;
mod repeats;
mod rows;
mod run;
mod scan;
mod seen;
mod shard;
mod sieve;
mod state;
mod stats;
mod term;
mod terms;
mod tiers;
mod verify;
mod view;
mod writer;

pub use error::IndexError;
#[doc(hidden)]
pub use extract::TermsOfBlocks;
pub use folder::{Folder, indexed_to};
pub use indexer::{Indexer, Options};
pub use judge::{Judge, JudgeOptions, judged_before};
pub use reindex::reindex;
pub use verify::{Difference, verify};
