//! Printing: to standard output, safely, and to whoever reads there.

use std::io::{self, IsTerminal, Write};

use query::export::csv_row;
use serde::Serialize;
use timeline::document::{Completeness, Incompleteness};

/// Prints `text`. A reader that hangs up (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints one document as indented JSON.
pub(crate) fn print_json<T: Serialize>(document: &T) -> anyhow::Result<()> {
    print(&query::export::json(document))
}

/// Prints one row a line, as JSON.
pub(crate) fn print_jsonl<T: Serialize>(rows: &[T]) -> anyhow::Result<()> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&serde_json::to_string(row)?);
        text.push('\n');
    }
    print(&text)
}

/// Prints rows for a spreadsheet (RFC 4180).
pub(crate) fn print_csv(header: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let rows = rows.iter().map(|row| csv_row(row));
    print(&std::iter::once(csv_row(&header)).chain(rows).collect::<String>())
}

/// The columns of the terminal; 120 where standard output is none.
pub(crate) fn width() -> usize {
    if !io::stdout().is_terminal() {
        return 120;
    }
    crossterm::terminal::size().map_or(120, |(columns, _)| usize::from(columns))
}

/// Whether to print colour: standard output is a terminal, and NO_COLOR is unset.
pub(crate) fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Says on standard error what an answer lacks; nothing where it lacks nothing.
pub(crate) fn warn_incomplete(completeness: &Completeness) {
    for reason in &completeness.reasons {
        eprintln!("backstory: incomplete: {}", lacking(*reason));
    }
}

/// What an answer lacks for this reason.
pub(crate) fn lacking(reason: Incompleteness) -> &'static str {
    match reason {
        Incompleteness::Truncated => "a budget cut it: there is more",
        Incompleteness::MissingShard => {
            "a part of the journal or index could not be read (see `backstory verify`)"
        }
        Incompleteness::NotIndexed => {
            "records were accepted that the index has not reached yet: ask again in a moment"
        }
        Incompleteness::Sampled => "a source samples: not all of it arrives here",
        Incompleteness::DroppedBySdk => "an SDK says that it dropped something",
        Incompleteness::UnattributedWrites => "a write's entity is unknown",
    }
}
