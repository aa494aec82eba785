//! The archive trait, the query language, gather, the query interface and its remote client, exports.
//!
//! | module          | what it alone knows                                                   |
//! |-----------------|-----------------------------------------------------------------------|
//! | [`archive`]     | the questions that a store of records answers                         |
//! | [`predicate`]   | which records a question is about, and whether one record matches     |
//! | [`language`]    | the search language: its text to a predicate and back                 |
//! | [`memory`]      | the archive in memory that others are measured against                |
//! | [`interface`]   | the questions that a person asks, however they are answered           |

pub mod archive;
pub mod interface;
pub mod language;
pub mod memory;
pub mod predicate;
#[cfg(test)]
mod testing;
