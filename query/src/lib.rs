//! The archive trait, the query language, gather, the query interface and its remote client, exports.
//!
//! | module          | what it alone knows                                                   |
//! |-----------------|-----------------------------------------------------------------------|
//! | [`archive`]     | the questions that a store of records answers                         |
//! | [`predicate`]   | which records a question is about, and whether one record matches     |
//! | [`interface`]   | the questions that a person asks, however they are answered           |

pub mod archive;
pub mod interface;
pub mod predicate;
