//! What a store's traffic proves about its clocks: evidence that merges in any order.
//!
//! | file          | what it alone knows                                              |
//! |---------------|------------------------------------------------------------------|
//! | `evidence.rs` | the evidence: who reads which clock, and the tightest messages    |
//! | `ends.rs`     | what single records say, and what two of them prove together      |
//! | `extract.rs`  | evidence from records, as they come                              |
//! | `encode.rs`   | its bytes                                                        |
//! | `declared.rs` | an offset that the configuration declares                        |
//! | `drift.rs`    | by how much two clocks may drift apart                           |
//!
//! Evidence is kept by process, not by machine: whether the processes of a machine really share its clock is a
//! decision, and every decision is a pure function of evidence, made when a timeline is told.
//!
//! It is the union of what single records prove and what pairs of records prove, so it may be gathered piece by piece:
//! each record once, and each pair of records once, wherever the two are kept.
//!
//! # Invariants
//!
//! - **CLK-1** Merging evidence is commutative, associative and idempotent: a record read twice, or the evidence of
//!   overlapping sets of records, changes nothing.
//! - **CLK-2** Equal evidence has equal bytes.
//! - **CLK-3** The evidence of a set of records does not depend on their order, nor on how they are divided, as long
//!   as each pair of parts is paired once: not even on a span that came with several contents, unless there are more
//!   than sixteen.

mod declared;
mod drift;
mod encode;
mod ends;
mod evidence;
mod extract;

pub use crate::order::edge::answered;
pub use declared::{Declared, ParseDeclaredError};
pub use drift::{Drift, DriftError};
pub use encode::DecodeError;
pub use ends::{End, Ends, Exchange, SpanFacts, Told, pair, pair_all};
pub use evidence::{BUCKET_NS, ClockEvidence, ClockKey, ProcessId, Reader, Tightest};
pub use extract::Extractor;

#[cfg(test)]
mod tests;
