//! The journal: every request accepted, verbatim, in the order it was stamped. The source of truth.
//!
//! | file           | what it alone knows                                                    |
//! |----------------|------------------------------------------------------------------------|
//! | `request.rs`   | what goes in and comes back: requests, receipts, places, refusals      |
//! | `format/`      | bytes and lengths on disk                                              |
//! | `storage/`     | what is asked of a file system, and one that fails for the tests       |
//! | `segment.rs`   | one file: its parts, and the walk past what is damaged                 |
//! | `durable.rs`   | how far the journal is durable, told to other processes                |
//! | `recovery.rs`  | opening after a crash                                                  |
//! | `writer.rs`    | stamp, write, sync, rotate, drop                                       |
//! | `repeats.rs`   | which bodies came in the last hour                                     |
//! | `retention.rs` | which segments go                                                      |
//! | `journal.rs`   | the handle: the queue, the writer's thread                             |
//! | `reader.rs`    | reading, from any process                                              |
//! | `verify.rs`    | the full check                                                         |
//! | `otlp/`        | what the bodies say                                                    |
//!
//! The format is in `docs/journal-format.md`.
//!
//! # Invariants
//!
//! - **JNL-1** A request is acknowledged only after the sync that covers it.
//! - **JNL-2** Reopening yields every acknowledged request that retention keeps, and no half of any.
//! - **JNL-3** The stamps of a journal strictly increase, also over a restart: none is told to anybody
//!   before a block that carries a bound at or above it is durable.
//! - **JNL-4** After a failed sync nothing is taken in until the journal is opened anew.
//! - **JNL-5** Before a batch is written, all before it in its segment is durable.
//! - **JNL-6** No reader on the writer's machine is shown a block that is not durable.
//! - **JNL-7** Damage is told, never passed over; whole blocks after it are read.
//! - **JNL-9** No annotation goes with retention: a segment begins with all that stand, and until it does, no older
//!   segment goes.
//! - **JNL-10** The segments that the outline of an open incident names stay, as far as there is room for them.
//! - **JNL-8** Two requests are taken for one only if their bodies are equal byte for byte.

#[cfg(test)]
mod damage;
mod durable;
mod format;
mod journal;
mod lock;
#[cfg(test)]
mod model;
mod options;
pub mod otlp;
mod reader;
mod recovery;
mod repeats;
mod request;
mod retention;
mod segment;
mod storage;
mod verify;
mod writer;

pub use format::frame::Frame;
pub use journal::{Journal, announced};
pub use options::Options;
pub use reader::{Block, ReadError, Reader, Sealed, SegmentInfo, Tail};
pub use recovery::{OpenError, Recovered, Torn};
pub use request::{AppendError, Place, Receipt, Request, Source};
pub use segment::Damage;
pub use verify::Verified;
pub use writer::Counts;
