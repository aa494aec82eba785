//! `backstory incidents`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Read;

/// What stands below `backstory incidents --help`.
pub(super) const HELP: &str = r#"Without a command it lists them.
  backstory incidents --status open --since 2h
  backstory incidents show i-1c2a                     (the beginning of an id is enough)
  backstory incidents note i-1c2a "the cache is cold since the deploy"
  backstory incidents close i-1c2a "rolled back"
  backstory incidents export i-1c2a --to incident.md"#;

/// `backstory incidents`.
#[derive(Debug, Args)]
pub(crate) struct Incidents {
    #[command(subcommand)]
    pub(crate) command: Option<IncidentsCommand>,
    #[command(flatten)]
    pub(crate) list: IncidentsList,
}

/// What to do with incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum IncidentsCommand {
    /// The incidents: those with findings first, the latest first
    List(IncidentsList),
    /// One incident: its findings, errors, what they all follow, and what engineers wrote
    Show(IncidentShown),
    /// Writes a note about an incident, and keeps its records while it is open
    Note(IncidentNoted),
    /// Closes an incident: its records are kept no longer than others
    Close(IncidentTold),
    /// Opens an incident again, and keeps its records while it is open
    Reopen(IncidentTold),
    /// Keeps an incident's records while it is open
    Pin(IncidentTold),
    /// One incident in a file: the draft of a post-mortem, or JSON
    Export(IncidentExported),
}

/// Which incidents are listed.
#[derive(Debug, Args)]
pub(crate) struct IncidentsList {
    /// Only those with this status
    #[arg(long, value_name = "STATUS", value_enum)]
    pub(crate) status: Option<Status>,
    /// At most so many incidents
    #[arg(long, value_name = "COUNT", default_value = "100")]
    pub(crate) limit: NonZeroUsize,
    #[command(flatten)]
    pub(crate) read: Read,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: IncidentFormat,
}

/// `backstory incidents show`.
#[derive(Debug, Args)]
pub(crate) struct IncidentShown {
    #[command(flatten)]
    pub(crate) which: WhichIncident,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: IncidentFormat,
}

/// `backstory incidents note`.
#[derive(Debug, Args)]
pub(crate) struct IncidentNoted {
    #[command(flatten)]
    pub(crate) which: WhichIncident,
    /// The note; several arguments are joined by blanks, - is standard input
    #[arg(required = true)]
    pub(crate) text: Vec<String>,
    #[command(flatten)]
    pub(crate) by: Author,
}

/// `backstory incidents close`, `reopen` and `pin`.
#[derive(Debug, Args)]
pub(crate) struct IncidentTold {
    #[command(flatten)]
    pub(crate) which: WhichIncident,
    /// A note to go with it; several arguments are joined by blanks, - is standard input
    pub(crate) text: Vec<String>,
    #[command(flatten)]
    pub(crate) by: Author,
}

/// `backstory incidents export`.
#[derive(Debug, Args)]
pub(crate) struct IncidentExported {
    #[command(flatten)]
    pub(crate) which: WhichIncident,
    /// The file to write; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Which format, where the file's ending (.md, .json, .txt) does not say it
    #[arg(long, value_enum)]
    pub(crate) format: Option<IncidentFormat>,
}

/// Which incident, and where it is looked for.
#[derive(Debug, Args)]
pub(crate) struct WhichIncident {
    /// The incident's id, or the beginning of it, as `backstory incidents` prints it
    pub(crate) incident: String,
    #[command(flatten)]
    pub(crate) read: Read,
}

/// Who writes.
#[derive(Debug, Args)]
pub(crate) struct Author {
    /// Who writes [default: this machine's user]
    #[arg(long, value_name = "NAME", env = "BACKSTORY_AUTHOR")]
    pub(crate) author: Option<String>,
}

/// Whether an incident is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// Nobody closed it
    Open,
    /// An engineer closed it
    Closed,
}

/// How incidents print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum IncidentFormat {
    /// For a person
    #[default]
    Text,
    /// The public document
    Json,
    /// A table; of one incident, the draft of a post-mortem
    Markdown,
}
