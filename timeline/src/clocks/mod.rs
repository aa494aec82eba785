//! What a store's traffic proves about its clocks: evidence that merges in any order.
//!
//! | file          | what it alone knows                                              |
//! |---------------|------------------------------------------------------------------|
//! | `evidence.rs` | the evidence: who reads which clock, and the tightest messages    |
//! | `extract.rs`  | evidence from records, as they come                              |
//! | `encode.rs`   | its bytes                                                        |
//! | `declared.rs` | an offset that the configuration declares                        |
//!
//! Evidence is kept by process, not by machine: whether the processes of a machine really share its clock is a
//! decision, and every decision is a pure function of evidence, made when a timeline is told.
//!
//! # Invariants
//!
//! - **CLK-1** Merging evidence is commutative, associative and idempotent: a record read twice, or the evidence of
//!   overlapping sets of records, changes nothing.
//! - **CLK-2** Equal evidence has equal bytes.
//! - **CLK-3** The evidence of a set of records does not depend on their order, as long as no more than
//!   [`EXCHANGES_MAX`] calls and messages wait for their other end at once; the same records in the same order
//!   always give the same bytes.

mod declared;
mod encode;
mod evidence;
mod extract;

pub use declared::{Declared, ParseDeclaredError};
pub use encode::DecodeError;
pub use evidence::{BUCKET_NS, ClockEvidence, ClockKey, ProcessId, Reader, Tightest};
pub use extract::{EXCHANGES_MAX, Extractor};

#[cfg(test)]
mod tests;
