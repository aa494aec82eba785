//! Hybrid logical clocks: stamps that respect causality and stay close to wall time.
//!
//! | file       | what it alone knows                                              |
//! |------------|------------------------------------------------------------------|
//! | `stamp.rs` | the pair `(l, c)`, its 64-bit form and its text form             |
//! | `clock.rs` | the rules by which a clock moves, and what survives a restart    |
//! | `tracestate.rs` | a stamp in a W3C tracestate                                 |
//! | `telemetry/` | stamps in a Rust service's telemetry (feature `opentelemetry`) |
//!
//! The rules are those of Kulkarni, Demirbas, Madeppa, Avva and Leone, *Logical Physical Clocks*
//! (OPODIS 2014). This crate reads no clock but in `telemetry/`: every wall time is an argument, in
//! nanoseconds since the Unix epoch.
//!
//! # Invariants
//!
//! - **HLC-1** The stamps of one clock strictly increase, even where the wall clock stands still
//!   or steps back, and over a restart.
//! - **HLC-2** A stamp made by merging is greater than the stamp that was merged.
//! - **HLC-3** Without merges, a stamp's physical part is never ahead of the largest wall time that
//!   the clock was shown, but for a counter that overflowed into it.
//! - **HLC-4** Packing keeps the order of ticks (1.024 µs): of two pairs in different ticks, or with
//!   the same `l`, the smaller packs to the smaller or equal stamp.

mod clock;
mod stamp;
#[cfg(feature = "opentelemetry")]
pub mod telemetry;
pub mod tracestate;

pub use clock::{AHEAD_NS_MAX, Clock, LEASE_NS, Merge};
pub use stamp::{Hlc, ParseStampError, Stamp};
