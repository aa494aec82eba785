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

pub mod document;
pub mod id;
pub mod record;
pub mod time;
pub mod token;
pub mod value;
