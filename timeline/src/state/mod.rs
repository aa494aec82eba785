//! State: what records say was read and written, and what follows from it.
//!
//! | file           | what it alone knows                                       |
//! |----------------|-----------------------------------------------------------|
//! | `operation.rs` | one read or write of one thing in one copy                |

mod operation;

pub use operation::{Operation, Thing};
