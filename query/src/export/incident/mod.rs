//! An incident for a person: as text, and as the draft of a post-mortem.
//!
//! | file          | what it alone knows                  |
//! |---------------|--------------------------------------|
//! | `text.rs`     | a list, and one incident, as text    |
//! | `markdown.rs` | the same as Markdown                 |

mod markdown;
#[cfg(test)]
mod tests;
mod text;

use timeline::annotation::Says;
use timeline::document::{Incident, Incidents};
use timeline::time::Time;

pub use markdown::{incident_markdown, incidents_markdown};
pub use text::{incident_text, incidents_text};

/// So many findings and sorts of errors are written out; the JSON has more.
const LISTED_MAX: usize = 20;

/// A moment, to the millisecond.
fn moment(time: Time) -> String {
    time.to_utc().format("%F %T%.3f").to_string()
}

/// From when to when; the day once where it is one day.
fn span(first: Time, last: Time) -> String {
    let day = |time: Time| time.to_utc().date_naive();
    if day(first) == day(last) {
        format!("{} – {}", moment(first), last.to_utc().format("%T%.3f"))
    } else {
        format!("{} – {}", moment(first), moment(last))
    }
}

/// So many, in words; `None` where there are none.
fn counted(count: u64, noun: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        count => Some(format!("{count} {noun}s")),
    }
}

/// How many findings and errors there are.
fn members(findings: u64, errors: u64) -> Vec<String> {
    [counted(findings, "finding"), counted(errors, "error")].into_iter().flatten().collect()
}

/// How much belongs to it.
fn extent(incident: &Incident) -> String {
    let mut parts = members(incident.findings_total, incident.errors_total);
    parts.extend(incident.entities.iter().map(|of_kind| format!("{} × {}", of_kind.count, of_kind.kind)));
    parts.join(", ")
}

/// What one who wrote said; `None` for what is not for reading.
fn said(says: &Says) -> Option<String> {
    match says {
        Says::Note { text, .. } => Some(text.clone()),
        Says::Status { status, .. } => Some(format!("— {status} —")),
        Says::Outline(_) | Says::Bookmark { .. } | Says::Search { .. } | Says::Removed => None,
    }
}

/// What is kept beyond retention; `None` where nothing is.
fn kept(incidents: &Incidents) -> Option<String> {
    let pinned = &incidents.pinned;
    let count = pinned.segments.len();
    let segments = if count == 1 { "1 segment".to_owned() } else { format!("{count} segments") };
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    (count > 0).then(|| {
        format!(
            "pinned beyond retention: {segments} of the journal, {} of at most {} MB",
            megabytes(pinned.bytes),
            megabytes(pinned.bytes_max)
        )
    })
}
