//! State: what records say was read and written, and what follows from it.
//!
//! | file           | what it alone knows                                       |
//! |----------------|-----------------------------------------------------------|
//! | `operation.rs` | one read or write of one thing in one copy                |
//! | `relation.rs`  | whose effect came first                                   |
//! | `fold.rs`      | what each copy held at each place of the list             |

pub mod fold;
mod operation;
pub mod relation;

pub use operation::{Operation, Thing};
