//! Judging as records arrive: what is wrong now, over every entity, without asking them all.
//!
//! | file          | what it alone knows                                                       |
//! |---------------|---------------------------------------------------------------------------|
//! | `pending.rs`  | which traces records arrived in, and when late ones are past              |
//! | `batch.rs`    | the records around many entities, read together                           |
//! | `judging.rs`  | from traces to entities to their timelines, a batch at a time             |
//! | `store.rs`    | what was found, by entity, in bounded memory; the answer to a question    |
//!
//! A record changes the timeline of an entity only if its trace names the entity, or is joined to such a trace by a link
//! or a message. So what waits to be judged are traces: once nothing came in one for the window, all entities that it and
//! the traces joined to it name are judged as [`Query::timeline`](crate::interface::Query::timeline) would judge them. A late
//! record makes its trace wait again.
//!
//! Nothing is skipped: who judges more slowly than records arrive falls behind in reading, and says how far it came.
//!
//! # Invariants
//!
//! - **LIV-1** What is kept of an entity none of whose traces wait is what its timeline tells by the same clock evidence, in
//!   whatever order its records arrived, however late and however often. (`query/src/local/live/tests.rs`)
//! - **LIV-2** Memory is bounded by [`LiveOptions`]; what is not kept, or was too much to judge, is counted as such.

mod batch;
mod judging;
mod pending;
mod store;
#[cfg(test)]
mod tests;

pub use judging::Judging;
pub use store::Live;

use serde::{Deserialize, Serialize};

/// How much is kept and read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveOptions {
    /// So many entities are kept, about 300 bytes each; beyond it those are forgotten that were quiet longest.
    pub entities_max: usize,
    /// So many findings are kept, about 2 kB each.
    pub findings_max: usize,
    /// An entity that more traces name than this is not judged as they arrive.
    pub traces_max: usize,
    /// So many records are in memory at once.
    pub records_max: u64,
    /// So many traces wait at once; while they do, no more is read.
    pub waiting_max: usize,
}

impl Default for LiveOptions {
    fn default() -> LiveOptions {
        LiveOptions {
            entities_max: 1_000_000,
            findings_max: 8_000,
            traces_max: 128,
            records_max: 20_000,
            waiting_max: 100_000,
        }
    }
}

/// An entity's type and key. What several environments call so are several things; but who gathers the records of one comes
/// upon those of all, and they are judged together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Identity {
    kind: String,
    key: String,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.key)
    }
}
