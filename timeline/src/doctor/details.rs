//! One line on each aspect, for a person.

use crate::document::{Aspect, Presence};

/// The line on `aspect`: `seen` of `of` carry it.
pub(crate) fn detail(aspect: Aspect, state: Presence, seen: u64, of: u64) -> String {
    if state == Presence::NotApplicable {
        return not_applicable(aspect).to_owned();
    }
    let part = part(seen, of);
    let rest = |words: &'static str| if seen < of { words } else { "" };
    match aspect {
        Aspect::ServiceName => format!("{part} records say which service they are of"),
        Aspect::Spans => format!("{of} came"),
        Aspect::Logs => format!("{of} came"),
        Aspect::LogsInSpans => format!("{part} log records carry the span that they were written in"),
        Aspect::Entities => format!("{part} spans come to an entity"),
        Aspect::Statements => format!("{part} database spans carry their statement"),
        Aspect::WrittenValues => {
            format!("{part} writes carry their values{}", rest("; the others show ?, $1 or the like instead"))
        }
        Aspect::ReadValues => format!("{part} reads carry what they returned"),
        Aspect::Versions => format!("{part} reads and writes carry a version or an ETag"),
        Aspect::Commits if seen == 0 => {
            format!("{of} writes, and no COMMIT: a rollback would look like success")
        }
        Aspect::Commits => format!("{seen} COMMITs beside {} writes", of - seen),
        Aspect::Outcomes => format!("{part} calls and statements say what became of them"),
        Aspect::Intents => {
            format!("{part} commands carry an idempotency key, a message id or an attempt's number")
        }
        Aspect::Messages => format!("{part} message spans carry the message's id, offset or a link"),
        Aspect::Whole => format!("{part} records"),
        Aspect::Host => {
            format!(
                "{part} records name their machine{}",
                rest("; without it a process is a clock of its own")
            )
        }
        Aspect::Instance => format!("{part} records name the process that made them"),
        Aspect::Clock => format!("{part} stamps are finer than a millisecond"),
        Aspect::ServiceVersion => format!("{part} records name the version that made them"),
        Aspect::Environment => {
            let unknown = rest("; without it staging's and production's may meet");
            format!("{part} records name their environment{unknown}")
        }
    }
}

/// `all 120`, `12 of 120 (10 %)`, `none of 120`.
fn part(seen: u64, of: u64) -> String {
    match seen {
        0 => format!("none of {of}"),
        seen if seen == of => format!("all {of}"),
        seen => format!("{seen} of {of} ({:.0} %)", 100.0 * seen as f64 / of as f64),
    }
}

fn not_applicable(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Statements => "it asks no database that is seen here",
        Aspect::WrittenValues => "no write of its is seen here",
        Aspect::ReadValues => "no read of its is seen here",
        Aspect::Versions => "no read or write of its is seen here",
        Aspect::Commits => "no write to a database is seen here",
        Aspect::Outcomes => "it calls nothing that is seen here",
        Aspect::Intents => "it sends and takes no command that is seen here",
        Aspect::Messages => "it sends and receives no message that is seen here",
        Aspect::LogsInSpans => "no log record came",
        Aspect::Entities => "no span came",
        _ => "nothing came",
    }
}
