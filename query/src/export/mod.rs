//! A timeline for other eyes: as text for a person, as JSON for programs.
//!
//! | file          | what it alone knows                                                   |
//! |---------------|-----------------------------------------------------------------------|
//! | `sanitise.rs` | text from telemetry that a terminal must not obey                     |
//! | `json.rs`     | whole documents, and one event a line                                 |
//! | `text/`       | lanes, relative times and reasons, as wide as the terminal            |
//!
//! Everything starts from the public document, so every export can also be made elsewhere.

mod json;
mod sanitise;
#[cfg(test)]
mod story;
mod text;

pub use json::{json, jsonl};
pub use sanitise::sanitise;
pub use text::{Style, text};
