//! `backstory stats`: what the store holds.

use query::interface::Query;
use timeline::document::{Pinned, Stats as StatsDocument};

use crate::cli::{DocumentFormat, Stats};
use crate::output;

/// Asks and prints.
pub(crate) fn run(stats: &Stats, query: &dyn Query) -> anyhow::Result<()> {
    let held = query.stats()?;
    match stats.format {
        DocumentFormat::Json => output::print_json(&held),
        DocumentFormat::Text => {
            let pinned = query.annotations()?.pinned;
            output::print(&(text(&held, &query.source()) + &kept(&pinned)))
        }
    }
}

/// What is kept beyond retention for open incidents; nothing where nothing is.
fn kept(pinned: &Pinned) -> String {
    let segments: Vec<String> = pinned.segments.iter().map(u64::to_string).collect();
    if segments.is_empty() {
        return String::new();
    }
    let (bytes, bytes_max) = (pinned.bytes, pinned.bytes_max);
    format!(
        "pinned     {bytes} of at most {bytes_max} bytes: segments {} (`backstory incidents`)\n",
        segments.join(", ")
    )
}

fn text(held: &StatsDocument, source: &str) -> String {
    let about = if held.exact { "" } else { " (at most: repeats may be counted twice)" };
    let time = |time: Option<timeline::time::Time>| time.map_or("–".to_owned(), |time| time.to_string());
    let behind = if held.indexed_to == held.journal_end { "" } else { " (the index is still catching up)" };
    format!(
        "{source}
spans      {}{about}
logs       {}
traces     {}
services   {}
resent     {} spans, {} logs
refused    {}
journal    {} bytes
index      {} bytes
first      {}
last       {}
indexed to {} of {}{behind}
",
        held.spans,
        held.logs,
        held.traces,
        held.services,
        held.resent_spans,
        held.resent_logs,
        held.rejected,
        held.bytes_journal,
        held.bytes_index,
        time(held.first),
        time(held.last),
        held.indexed_to,
        held.journal_end,
    )
}
