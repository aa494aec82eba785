//! OTLP receivers over gRPC and HTTP: limits, backpressure, acknowledgement after the sync.
//!
//! | file            | what it alone knows                                                   |
//! |-----------------|-----------------------------------------------------------------------|
//! | `collector.rs`  | starting and stopping                                                 |
//! | `options.rs`    | the configuration                                                     |
//! | `listen.rs`     | addresses, busy ports, who may be listened to without a token         |
//! | `connection.rs` | accepting, HTTP/1.1 and HTTP/2, timeouts, shutting down               |
//! | `grpc.rs`       | gRPC's paths, frames, codes and trailers                              |
//! | `http.rs`       | HTTP's paths, content types, statuses                                 |
//! | `cors.rs`       | which web pages may send                                              |
//! | `tokens.rs`     | named tokens, and the layer that asks for one                         |
//! | `body.rs`       | reading a body within limit, budget and patience                      |
//! | `inflate.rs`    | content codings, undone within limit and budget                       |
//! | `budget.rs`     | the bytes in flight                                                   |
//! | `receiver.rs`   | the pipeline of both transports: inflate, check, append, wait         |
//! | `intake.rs`     | what is needed of a journal                                           |
//! | `refusal.rs`    | why a request was not accepted: codes, statuses, when to come back    |
//! | `outcome.rs`    | what was refused or mended of an accepted request                     |
//! | `counts.rs`     | what happened, in numbers                                             |
//!
//! # Invariants
//!
//! - **COL-1** A request is acknowledged only after the sync that covers it.
//! - **COL-2** The bytes held between sockets and journal never exceed the budget; a sender for whom there
//!   is no room is told to come back.
//! - **COL-3** Whatever may pass has a code that exporters retry; whatever would fail again has not.
//! - **COL-4** The journal gets a body as it came, after its content coding was undone.
//! - **COL-5** Nothing listens beyond loopback without tokens.

mod answer;
mod body;
mod budget;
mod collector;
mod connection;
mod cors;
mod counts;
mod grpc;
mod http;
mod inflate;
mod intake;
mod listen;
mod options;
mod outcome;
mod receiver;
mod refusal;
pub mod tokens;

pub use collector::{Collector, Running, StartError};
pub use counts::Counts;
pub use http::IMPORT_HEADER;
pub use intake::{Done, Intake};
pub use options::Options;
