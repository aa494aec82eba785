//! Reads what other tools wrote as OTLP requests: streaming, with the place of every fault.
//!
//! | file          | what it alone knows                                                        |
//! |---------------|----------------------------------------------------------------------------|
//! | `format.rs`   | the formats, and how a file shows which one it has                          |
//! | `input.rs`    | compression undone, lines and frames of bounded length                      |
//! | `request.rs`  | items gathered into requests; what is handed on, and what was wrong         |
//! | `document.rs` | JSON documents read an element at a time                                    |
//! | `otlp.rs`     | OTLP: protobuf, JSON, the Collector's files                                 |
//! | `traces/`     | Jaeger, Zipkin, Tempo                                                       |
//! | `logs/`       | lines: JSON, logfmt, syslog, a pattern, vector clocks                       |
//! | `state/`      | changes and snapshots of a copy's state                                    |
//!
//! A file is never held whole: lines, frames and elements of documents are bounded, and what is wrong in
//! one of them costs no other. The same file always makes the same requests, so that importing it again
//! adds nothing.
//!
//! # Invariants
//!
//! - **IMP-1** A fault costs the line, frame or item that it lies in, and is told with its place.
//! - **IMP-2** The same bytes and options make the same requests in the same order.

mod document;
mod format;
mod input;
mod logs;
mod otlp;
mod request;
mod state;
#[cfg(test)]
mod tests;
mod traces;

use std::io::Read;

pub use format::{Format, NAMES};
pub use logs::{LogOptions, OptionError, Zone};
pub use request::{Counts, Fault, Import, ImportError, Request};
pub use state::{Moment, StateOptionError, StateOptions};

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Its format; found out where `None`.
    pub format: Option<Format>,
    /// What plain logs don't say themselves.
    pub logs: LogOptions,
    /// What changes and snapshots don't say themselves.
    pub state: StateOptions,
}

/// Reads `file` to its end and hands its requests to `take`, in order.
///
/// # Errors
/// Where the file can't be read, nothing tells its format, an option is missing, or `take` fails. What is wrong
/// inside the file is no error: it is told in [`Import::faults`], and all around it is kept.
pub fn read(
    file: impl Read,
    options: &Options,
    take: &mut dyn FnMut(Request) -> Result<(), ImportError>,
) -> Result<Import, ImportError> {
    let mut input = input::Input::open(file)?;
    let format = match options.format {
        Some(format) => format,
        None => format::detect(input.beginning()?, &options.logs)?,
    };
    let mut out = request::Out::new(format, take);
    match format {
        Format::OtlpProtobuf => otlp::protobuf(&mut input, &mut out)?,
        Format::OtlpFrames => otlp::frames(&mut input, &mut out)?,
        Format::OtlpJson => otlp::json(&mut input, &mut out)?,
        Format::Jaeger => traces::jaeger::read(&mut input, &mut out)?,
        Format::Zipkin => traces::zipkin::read(&mut input, &mut out)?,
        Format::Tempo => traces::tempo::read(&mut input, &mut out)?,
        Format::JsonLines | Format::Logfmt | Format::Syslog | Format::Pattern | Format::VectorClock => {
            logs::read(format, &options.logs, &mut input, &mut out)?;
        }
        Format::Changes | Format::Snapshot => {
            state::read(format, &options.state, &options.logs, &mut input, &mut out)?;
        }
    }
    out.finish()
}
