//! The archive trait, the query language, gather, the query interface and its remote client, exports.
//!
//! | module          | what it alone knows                                                   |
//! |-----------------|-----------------------------------------------------------------------|
//! | [`annotations`] | where what engineers write is kept                                    |
//! | [`archive`]     | the questions that a store of records answers                         |
//! | [`bundle`]      | one entity's story in a file                                          |
//! | [`predicate`]   | which records a question is about, and whether one record matches     |
//! | [`compare`]     | one entity beside another, or beside the nearest healthy one               |
//! | [`http`]        | the questions and answers over HTTP, on the server's side             |
//! | [`language`]    | the search language: its text to a predicate and back                 |
//! | `local`, `remote` | the two implementations: [`Local`] and [`Remote`]                  |
//! | [`memory`]      | the archive in memory that others are measured against                |
//! | [`export`]      | a timeline as text for a person, as JSON for programs                 |
//! | [`redact`]      | records with tokens for what must not be shown                        |
//! | [`interface`]   | the questions that a person asks, however they are answered           |

pub mod annotations;
pub mod archive;
pub mod bundle;
pub mod compare;
pub mod export;
pub mod http;
pub mod interface;
pub mod language;
mod local;
pub mod memory;
pub mod predicate;
pub mod redact;
mod remote;
#[cfg(test)]
mod testing;

pub use local::{Judging, Live, LiveOptions, Local};
pub use remote::{Remote, RemoteOptions};
