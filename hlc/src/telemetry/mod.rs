//! Stamps in a Rust service's telemetry: what its propagator sends, and what its processors write down.
//! `docs/hlc.md` defines the format and shows how a service is set up.
//!
//! | file            | what it alone knows                                              |
//! |-----------------|------------------------------------------------------------------|
//! | `clock.rs`      | the process's clock, shared by propagator and processors         |
//! | `propagator.rs` | stamps between services, in the tracestate member `hlc`          |
//! | `processor.rs`  | stamps on spans and logs, in the attribute `hlc`                 |

mod clock;
mod processor;
mod propagator;

pub use clock::{Ignored, ProcessClock};
pub use processor::StampProcessor;
pub use propagator::StampPropagator;
