//! A timeline for other eyes: as text for a person, as JSON for programs, as pictures and as what other
//! tools read. `docs/formats.md` tells of each format what it keeps.
//!
//! | file            | what it alone knows                                                   |
//! |-----------------|-----------------------------------------------------------------------|
//! | `format.rs`     | the formats by name and by ending, and the one way to all of them     |
//! | `sanitise.rs`   | text from telemetry that a terminal must not obey                     |
//! | `words.rs`      | how every export says the same things                                 |
//! | `told.rs`       | a document and the ways through it                                    |
//! | `json.rs`       | whole documents, and one event a line                                 |
//! | `csv.rs`        | rows for a spreadsheet, which gets no formulas                        |
//! | `text/`         | lanes, relative times and reasons, as wide as the terminal            |
//! | `markdown.rs`   | the draft of a post-mortem                                            |
//! | `incident/`     | incidents as text, and as the draft of a post-mortem                  |
//! | `mermaid.rs`    | a sequence diagram                                                    |
//! | `dot.rs`        | the graph of reasons, for Graphviz                                    |
//! | `svg/`          | the space-time diagram                                                |
//! | `html/`         | the same to walk through: one file, no network                        |
//! | `shiviz.rs`     | vector clocks made from the order                                     |
//! | `perfetto.rs`   | slices and flows                                                      |
//! | `otlp.rs`       | the records themselves, as OTLP/JSON                                  |
//! | `jaeger.rs`     | the records themselves, as Jaeger has them                            |
//!
//! All but the records' own formats start from the public document, so every export can also be made elsewhere. The same
//! document, or the same records, give the same bytes.

mod csv;
mod dot;
mod format;
mod html;
mod incident;
mod jaeger;
mod json;
mod markdown;
mod mermaid;
mod otlp;
mod perfetto;
mod sanitise;
mod shiviz;
#[cfg(test)]
mod story;
mod svg;
mod text;
mod told;
mod words;

pub use csv::csv_row;
pub use format::{Export, Format};
pub use incident::{incident_markdown, incident_text, incidents_markdown, incidents_text};
pub use jaeger::{jaeger, jaeger_traces};
pub use json::{json, jsonl};
pub use otlp::otlp;
pub use sanitise::sanitise;
pub use text::{Style, text};
