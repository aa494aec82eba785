//! State: what records say was read and written, and what follows from it.
//!
//! | file           | what it alone knows                                       |
//! |----------------|-----------------------------------------------------------|
//! | `operation.rs` | one read or write of one thing in one copy                |
//! | `relation.rs`  | whose effect came first                                   |
//! | `listing.rs`   | a timeline's order, asked by event ids                    |
//! | `reading/`     | from records to operations                                |
//! | `fold.rs`      | what each copy held at each place of the list             |
//! | `answer.rs`    | what each copy held at one moment                         |

pub(crate) mod answer;
mod fold;
pub(crate) mod listing;
mod operation;
pub(crate) mod reading;
pub(crate) mod relation;

pub use answer::{Moment, state};
pub use fold::{Belief, History, Slot, Track, fold};
pub use operation::{Operation, Thing};
pub use reading::{Said, said};
pub use relation::{Relation, agree, effect_before};
