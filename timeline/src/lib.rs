//! The words as types, ids and the public JSON; and what turns records into a timeline:
//! facts, order, fold, judge. Pure: plain data in, plain data out, no I/O, no clock, no randomness.
//!
//! | module        | what it alone knows                                                |
//! |---------------|--------------------------------------------------------------------|
//! | [`record`]    | one span or log record as received, and how its id is made         |
//! | [`value`]     | attributes and their values                                        |
//! | [`id`]        | identifiers and their text forms                                   |
//! | [`time`]      | nanoseconds since 1970 and RFC 3339                                |
//! | [`token`]     | the words and identifier-like tokens that a record is found by     |
//! | [`document`]  | the public JSON                                                    |
//! | [`naming`]    | which entities a record names, and how                             |
//! | [`clocks`]    | what all traffic proves about clocks                               |
//! | [`annotation`] | what engineers write, and how it merges                            |
//! | [`incident`]  | which findings and errors belong together, and what they all follow |
//! | [`affected`]  | who else has what a finding tells of                               |
//! | `given`       | what a timeline rests on besides its records and the question       |
//! | [`question`]  | whose timeline is asked for                                        |
//! | `held`        | records, each once, findable by span                               |
//! | `message`     | who sent what to whom                                              |
//! | `compare`     | where two timelines part                                           |
//! | `belongs`     | which records belong to a timeline, and why                        |
//! | `reach`       | what to fetch next for it                                          |
//! | `order`       | what is before what, why, and one list that agrees                 |
//! | `folded`      | what a screen folds away                                           |
//! | `gaps`        | evidence that something is missing                                 |
//! | [`state`]     | what records say was read and written, and what follows from it    |
//! | [`survey`]    | what an archive holds, by entity type and by service               |
//! | [`doctor`]    | what of a service can be judged, and what would unlock more        |
//! | [`judge`]     | what is wrong, with the events that prove it and a grade           |
//! | [`rollup`]    | findings that are alike, told as one line                          |
//! | `skew`        | findings about clocks                                              |
//! | `streams`     | what is known of each source's completeness                        |
//! | `markers`     | what changed around the events                                     |
//! | `told`        | the stages that every answer about a subject goes through          |
//! | `tell`        | from records to a timeline                                         |
//! | `why`         | why one event is before another                                    |
//! | `belonging`   | why one event belongs to a timeline                                |

pub mod affected;
pub mod annotation;
mod belonging;
mod belongs;
pub mod clocks;
mod compare;
pub mod doctor;
pub mod document;
mod folded;
mod gaps;
mod given;
mod held;
pub mod id;
pub mod incident;
pub mod judge;
mod markers;
mod message;
pub mod naming;
mod order;
pub mod question;
mod reach;
pub mod record;
pub mod rollup;
mod skew;
pub mod state;
mod streams;
pub mod survey;
mod tell;
#[cfg(test)]
mod testing;
pub mod time;
pub mod token;
mod told;
pub mod value;
mod why;

pub use belonging::belonging;
pub use belongs::scope_in;
pub use compare::compare;
pub use given::Given;
pub use order::table::clocks as clock_table;
pub use question::{Question, Subject};
pub use reach::{MessagePlace, Reach, hops, reach};
pub use tell::tell;
pub use why::{WhyError, why};
