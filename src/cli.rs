//! The command line: what can be asked, as clap reads it.

mod fetch;
mod incidents;
#[cfg(test)]
mod manual;
mod mcp;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use query::export::Format;

pub(crate) use self::fetch::{Backend, Fetch};
pub(crate) use self::incidents::{
    Author, IncidentExported, IncidentFormat, IncidentShown, IncidentTold, Incidents, IncidentsCommand,
    IncidentsList, Status, WhichIncident,
};
pub(crate) use self::mcp::Mcp;

/// One causal timeline of one thing, across services, with a reason for every "before".
///
/// Without a command it is collector and terminal UI together.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 done, 1 a difference or finding (verify, diff, findings --fail), 2 wrong usage, 3 it failed."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) listen: Listen,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    /// Reads the process' arguments and environment; ends the process where they are wrong, or ask for help.
    pub(crate) fn read() -> Cli {
        let matches = Cli::command().get_matches();
        let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        cli.global.prefer_flags(&matches);
        cli
    }
}

/// Where the data is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Global {
    /// The folder of data, or a bundle [default: the user's data folder, backstory/]
    #[arg(long, value_name = "DIR", env = "BACKSTORY_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// A running server's query address, as http://127.0.0.1:4320
    #[arg(long, value_name = "URL", env = "BACKSTORY_CONNECT", global = true)]
    pub(crate) connect: Option<String>,
    /// The token that the server asks for
    #[arg(long, env = "BACKSTORY_TOKEN", hide_env_values = true, global = true)]
    pub(crate) token: Option<String>,
    /// The configuration [default: ./backstory.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "BACKSTORY_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,
}

impl Global {
    /// A folder or server named by a flag goes before the other one in the environment.
    fn prefer_flags(&mut self, matches: &ArgMatches) {
        let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        match (is_flag("data"), is_flag("connect")) {
            (true, false) => self.connect = None,
            (false, true) => self.data = None,
            _ => {}
        }
    }
}

/// Where to listen and how much to keep.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Listening and keeping (serve, demo, and no command)")]
pub(crate) struct Listen {
    /// OTLP/gRPC [default: 127.0.0.1:4317]; port 0 picks a free one
    #[arg(long, value_name = "HOST:PORT", env = "BACKSTORY_GRPC")]
    pub(crate) grpc: Option<String>,
    /// OTLP/HTTP, protobuf and JSON [default: 127.0.0.1:4318]
    #[arg(long, value_name = "HOST:PORT", env = "BACKSTORY_HTTP")]
    pub(crate) http: Option<String>,
    /// The query API [default: 127.0.0.1:4320]
    #[arg(long, value_name = "HOST:PORT", env = "BACKSTORY_QUERY")]
    pub(crate) query: Option<String>,
    /// Who may connect: one "NAME TOKEN" a line; wanted beyond loopback
    #[arg(long, value_name = "FILE", env = "BACKSTORY_TOKENS")]
    pub(crate) tokens: Option<PathBuf>,
    /// Drop what arrived longer ago [default: 3d]
    #[arg(long, value_name = "DURATION", env = "BACKSTORY_KEEP_FOR")]
    pub(crate) keep_for: Option<String>,
    /// Drop the oldest beyond this size of the journal; the index adds about a fifth [default: 20GB]
    #[arg(long, value_name = "BYTES", env = "BACKSTORY_KEEP_BYTES")]
    pub(crate) keep_bytes: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A real incident: demo services emit OTLP into it, then the UI opens on it
    Demo(Demo),
    /// Collector, indexer and query API, no UI
    Serve(Listen),
    /// The terminal UI on a folder or on a running server
    Tui(Tui),
    /// The exporter settings to paste
    Env(Env),
    /// Under which keys and entities a value occurs, and when
    Find(Find),
    /// The records that match a query
    #[command(after_help = SEARCH_HELP)]
    Search(Search),
    /// The timeline of one entity: order/42, or any attribute as order.id=42
    Timeline(Timeline),
    /// Why event A is before, after or unordered with event B; why A belongs to the entity
    #[command(after_help = WHY_HELP)]
    Why(Why),
    /// Every clock's offset from the reference, its error and drift
    Clocks(Clocks),
    /// The timeline of one entity, in a file for other tools and other people
    #[command(after_help = EXPORT_HELP)]
    Export(Export),
    /// A bundle, in the terminal UI; every other question is asked of it by --data FILE
    #[command(after_help = OPEN_HELP)]
    Open(Open),
    /// The entity types that records name; of one type, its keys
    Entities(Entities),
    /// Per service: what can be judged, what can't, and the one setting that would change it
    Doctor(Doctor),
    /// What each copy of an entity held, at the end or at a moment
    State(State),
    /// What is wrong with one entity, or with all. Exit status 1 with --fail where a settled one is found
    Findings(Findings),
    /// Findings and errors that belong together, and what engineers write about them
    #[command(after_help = incidents::HELP, args_conflicts_with_subcommands = true)]
    Incidents(Incidents),
    /// Two entities: the first event where they part. Exit status 1 where they do
    Diff(Diff),
    /// What other tools wrote: OTLP, Jaeger, Zipkin, Tempo, plain logs, vector clocks, changes and snapshots of state
    #[command(after_help = IMPORT_HELP)]
    Import(Import),
    /// What a tracing backend that runs already knows, brought in: Jaeger, Grafana Tempo
    #[command(after_help = fetch::HELP)]
    Fetch(Box<Fetch>),
    /// Who else has what a finding tells of, since when, still, and whom can't we tell
    Affected(Affected),
    /// Writes a commented backstory.toml from what was seen
    Init(Init),
    /// The questions as tools for a language model, over standard input and output (MCP)
    #[command(after_help = mcp::HELP)]
    Mcp(Mcp),
    /// What the store holds
    Stats(Stats),
    /// Checks the journal's every block and the index against it, or a bundle's every byte. Exit status 1 where anything is wrong
    Verify(Verify),
    /// Rebuilds the index from the journal
    Reindex,
    /// A shell's completion script
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// The manual's pages, one a command, written into a folder
    Man {
        /// The folder, which is made
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

const EXPORT_HELP: &str = r#"The file's ending chooses the format:
  .html      the diagram to walk through, one file without network
  .svg       the diagram            .mmd       a Mermaid sequence diagram
  .md        a post-mortem draft    .dot       a graph for Graphviz
  .json      the document           .jsonl     one event a line
  .csv       for a spreadsheet      .shiviz    vector clocks for ShiViz
  .perfetto  trace events for Perfetto and chrome://tracing
  .otlp.jsonl, .jaeger.json  the records themselves
A bundle is told anywhere as it is told here:
  backstory export order/42 --bundle order-42.bundle
  backstory open order-42.bundle"#;

const OPEN_HELP: &str = r#"A bundle answers what it was made for as the store did, at that moment:
  backstory timeline order/42 --data order-42.bundle
  backstory verify order-42.bundle"#;

const WHY_HELP: &str = r#"The ids of a timeline's events:
  backstory timeline order/42 --ids                     (the first column; .e is the end of what .s begins)
Of a call with the span id 00f067aa0ba902b7, its start and its end:
  backstory why order/42 00f067aa0ba902b7 00f067aa0ba902b7:end"#;

const SEARCH_HELP: &str = r#"A query is made of
  service:payments   name:"POST /orders"   kind:client   status:error
  severity>=warn     duration>200ms        trace:ID      span:ID
  order.id=42        order.id=4*           order.id~^4.$
  words, "phrases", -not, OR, parentheses, since:15m, until:TIME, at:A..B"#;

const IMPORT_HELP: &str = r#"Files may be compressed with gzip or zstd; - is standard input. What is imported again adds nothing.
A server that runs on the folder takes them in, as does one that --connect names.

  backstory import traces.json                      a download of Jaeger's UI, or any other known format
  backstory import --service legacy --zone utc \
      --pattern '^(?<time>\S+ \S+) (?<severity>\w+) (?<message>.*)$' legacy.log
  backstory import --from changes --copy cdc/orders debezium.jsonl
  backstory import --snapshot prices.csv --copy redis/price --entity product --key id --field price \
      --at '2026-11-23T10:00:00Z ± 1s'"#;

/// `backstory diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The entity, as order/42
    pub(crate) a: String,
    /// The one to compare it with
    #[arg(required_unless_present = "healthy", conflicts_with = "healthy")]
    pub(crate) b: Option<String>,
    /// Compare it with the nearest healthy entity of its type: no finding, no gap, no error
    #[arg(long)]
    pub(crate) healthy: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DocumentFormat,
}

/// `backstory import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The files
    #[arg(required_unless_present = "snapshot", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Their format [default: told from each file's beginning]
    #[arg(long, value_name = "FORMAT", value_parser = import_format())]
    pub(crate) from: Option<import::Format>,
    /// Plain logs: whose they are, where no field says so
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Plain logs: the zone of times that name none: utc, local, or as +02:00
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) zone: Option<String>,
    /// Plain logs: the year of times that name none
    #[arg(long)]
    pub(crate) year: Option<i32>,
    /// Plain logs: a regular expression with named groups: time, severity, message, service, host, trace_id, span_id; any
    /// other becomes an attribute. With host, clock and event it reads vector clocks
    #[arg(long, value_name = "REGEX")]
    pub(crate) pattern: Option<String>,
    /// Plain logs: how times are written, as %d.%m.%Y %H:%M:%S
    #[arg(long, value_name = "FORMAT")]
    pub(crate) time_format: Option<String>,
    /// With --connect: where the server takes OTLP/HTTP [default: port 4318 of its host]
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
    #[command(flatten)]
    pub(crate) state: ImportState,
}

/// What files of changes and snapshots don't say themselves.
#[derive(Debug, Args)]
#[command(next_help_heading = "State from outside (--from changes, --from snapshot)")]
pub(crate) struct ImportState {
    /// A snapshot of a copy, CSV or JSON lines: the same as FILE --from snapshot
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "from"])]
    pub(crate) snapshot: Option<PathBuf>,
    /// Which copy it tells of, as redis/price
    #[arg(long, value_name = "COPY")]
    pub(crate) copy: Option<String>,
    /// The type of its things, as product [default: the table's]
    #[arg(long, value_name = "TYPE")]
    pub(crate) entity: Option<String>,
    /// The columns that make a key [default: id]
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) key: Vec<String>,
    /// The columns that are state [default: all others]
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) field: Vec<String>,
    /// When a snapshot was taken, and how exactly that is known: '2026-11-23T10:00:00Z ± 1s'
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Changes in tables: which column is what, as time=changed_at,key=order_id,field=name,from=old,value=new. The roles:
    /// time, entity, key, op, field, from, value, before, after, version, transaction, traceparent, trace_id, span_id
    #[arg(long, value_name = "ROLE=COLUMN", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// How far the times of changes may be wrong, as 1s [default: as they are written]
    #[arg(long, value_name = "DURATION")]
    pub(crate) time_error: Option<String>,
    /// The machine whose clock the times were read off
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
}

/// The formats by their names.
fn import_format() -> impl TypedValueParser<Value = import::Format> {
    let names = import::NAMES.map(|(name, _)| name);
    PossibleValuesParser::new(names).try_map(|name| {
        let format = import::NAMES.iter().find(|(known, _)| *known == name);
        format.map(|(_, format)| *format).ok_or("an unknown format")
    })
}

/// `backstory demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// Print the timeline of the entity concerned, and end
    #[arg(long)]
    pub(crate) headless: bool,
    /// Play the same ids and the same times again [default: other times each play]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// How many healthy orders surround the incidents
    #[arg(long, value_name = "COUNT", default_value_t = 300)]
    pub(crate) orders: u32,
    /// The incident to open on; `list` names them
    #[arg(long, value_name = "NAME", default_value = "double-charge")]
    pub(crate) incident: String,
    /// How --headless prints
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TimelineFormat,
}

/// `backstory tui`.
#[derive(Debug, Default, Args)]
pub(crate) struct Tui {
    /// The entity to open on, as order/42 or order.id=42
    pub(crate) entity: Option<String>,
    /// Draw with ASCII only
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Show times in this machine's zone
    #[arg(long)]
    pub(crate) local: bool,
}

/// `backstory env`.
#[derive(Debug, Args)]
pub(crate) struct Env {
    /// For which language or program; without it, the variables that all SDKs read
    #[arg(value_enum)]
    pub(crate) language: Option<Language>,
}

/// Whom `backstory env` speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// OpenTelemetry Python
    Python,
    /// OpenTelemetry JavaScript
    Node,
    /// The OpenTelemetry Java agent
    Java,
    /// OpenTelemetry Go
    Go,
    /// OpenTelemetry Rust
    Rust,
    /// OpenTelemetry .NET
    Dotnet,
    /// The OpenTelemetry Collector
    Collector,
}

/// `backstory find`.
#[derive(Debug, Args)]
pub(crate) struct Find {
    /// An identifier: a number, UUID, e-mail, path segment, key
    pub(crate) value: String,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// `backstory search`.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The query; several arguments are joined by blanks. Before one that begins with `-` write `--`
    #[arg(required = true)]
    pub(crate) query: Vec<String>,
    /// At most so many records a page
    #[arg(long, value_name = "COUNT", default_value = "100")]
    pub(crate) limit: NonZeroUsize,
    /// The page that begins at this position, the "next" of the page before
    #[arg(long, value_name = "POSITION")]
    pub(crate) before: Option<String>,
    /// Every page, one after the other
    #[arg(long, conflicts_with = "before")]
    pub(crate) all: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// `backstory timeline`.
#[derive(Debug, Args)]
pub(crate) struct Timeline {
    #[command(flatten)]
    pub(crate) which: Which,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TimelineFormat,
}

/// `backstory export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The file to write; - is standard output
    #[arg(long, value_name = "FILE", required_unless_present_any = ["bundle", "redact_preview"])]
    pub(crate) to: Option<PathBuf>,
    /// The records and all that the timeline rests on, in one file for `backstory open`; of an incident by its id, too
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "format"])]
    pub(crate) bundle: Option<PathBuf>,
    /// Which format, where the file's ending does not say it
    #[arg(long, value_enum)]
    pub(crate) format: Option<TimelineFormat>,
    #[command(flatten)]
    pub(crate) redact: Redact,
}

/// What is replaced by tokens.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Redaction")]
pub(crate) struct Redact {
    /// Replace the values of these attributes, fields and keys wherever they stand, as customer.email,order.id
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) redact: Vec<String>,
    /// Replace what matches wherever it stands; of an expression with a group, the group
    #[arg(long, value_name = "REGEX")]
    pub(crate) redact_pattern: Vec<String>,
    /// Replace all but the values of these names, and what only says what kind of work was done
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) redact_keep: Vec<String>,
    /// Print what would be replaced, counted by rule and place, and write nothing
    #[arg(long)]
    pub(crate) redact_preview: bool,
    /// Replace nothing, whatever backstory.toml says
    #[arg(long, conflicts_with_all = ["redact", "redact_pattern", "redact_keep", "redact_preview"])]
    pub(crate) unredacted: bool,
}

/// `backstory open`.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The bundle
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) tui: Tui,
}

/// `backstory verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A bundle [default: the folder of data]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Whose timeline, and how much of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// The entity, as order/42, or any attribute, as order.id=42
    pub(crate) entity: String,
    /// Only records of this time or later: RFC 3339, or relative as 15m
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only records before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// At most so many events, the earliest
    #[arg(long, value_name = "COUNT", default_value = "100000")]
    pub(crate) events_max: NonZeroUsize,
    /// Leave the attributes out
    #[arg(long)]
    pub(crate) brief: bool,
    /// In text, show the ids of events, as `backstory why` takes them
    #[arg(long)]
    pub(crate) ids: bool,
}

/// Which records of a survey are read.
#[derive(Debug, Args)]
pub(crate) struct Read {
    /// Only records of this time or later: RFC 3339, or relative as 15m
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only records before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// At most so many records, the newest [default: all]
    #[arg(long, value_name = "COUNT")]
    pub(crate) budget: Option<u64>,
}

/// `backstory why`.
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The entity, as order/42, or any attribute, as order.id=42
    pub(crate) entity: String,
    /// An event of its timeline: an event id, a unique beginning of one, a span id (its start) or SPAN_ID:end
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// The event to compare it with; without it, why A belongs
    #[arg(value_name = "B")]
    pub(crate) b: Option<String>,
    /// Only records of this time or later: RFC 3339, or relative as 15m
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only records before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DocumentFormat,
}

/// `backstory clocks`.
#[derive(Debug, Args)]
pub(crate) struct Clocks {
    #[command(flatten)]
    pub(crate) read: Read,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// `backstory entities`.
#[derive(Debug, Args)]
pub(crate) struct Entities {
    /// The type whose keys to list, as order
    #[arg(value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// At most so many types or keys
    #[arg(long, value_name = "COUNT", default_value = "100")]
    pub(crate) limit: NonZeroUsize,
    #[command(flatten)]
    pub(crate) read: Read,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// `backstory doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// This service alone
    pub(crate) service: Option<String>,
    #[command(flatten)]
    pub(crate) read: Read,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DocumentFormat,
}

impl Which {
    /// All of the timeline of `entity`.
    pub(crate) fn all_of(entity: &str) -> Which {
        Which {
            entity: entity.to_owned(),
            since: None,
            until: None,
            events_max: NonZeroUsize::MAX,
            brief: false,
            ids: false,
        }
    }
}

/// `backstory affected`.
#[derive(Debug, Args)]
pub(crate) struct Affected {
    /// The finding's id, or the beginning of it, as `backstory findings` prints it
    pub(crate) finding: String,
    /// The entity that has it: found sooner [default: all are looked through]
    #[arg(long, value_name = "ENTITY")]
    pub(crate) entity: Option<String>,
    /// At most so many entities are judged, the latest
    #[arg(long, value_name = "COUNT", default_value = "10000")]
    pub(crate) limit: NonZeroUsize,
    #[command(flatten)]
    pub(crate) read: Read,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// `backstory init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to write it
    #[arg(default_value = "backstory.toml")]
    pub(crate) file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) read: Read,
}

/// `backstory state`.
#[derive(Debug, Args)]
pub(crate) struct State {
    /// The entity, as order/42, or any attribute, as order.id=42
    pub(crate) entity: String,
    /// Up to the last event that is not past this time: RFC 3339, or relative as 15m
    #[arg(long, value_name = "TIME", conflicts_with = "event")]
    pub(crate) at: Option<String>,
    /// Up to and including this event: an event id, the beginning of one, a span id, or SPAN_ID:end
    #[arg(long, value_name = "EVENT")]
    pub(crate) event: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// `backstory findings`.
#[derive(Debug, Args)]
pub(crate) struct Findings {
    /// This entity alone, as order/42 [default: every entity that records name]
    #[arg(long, value_name = "ENTITY")]
    pub(crate) entity: Option<String>,
    /// Only this kind, as stale_read; several times for several
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<timeline::document::FindingKind>,
    /// Only those with an event in this service
    #[arg(long, value_name = "SERVICE")]
    pub(crate) service: Option<String>,
    /// At most so many entities of each type are judged, the latest
    #[arg(long, value_name = "COUNT", default_value = "10000")]
    pub(crate) limit: NonZeroUsize,
    /// Judge every entity anew, also where a server has judged them as their records arrived
    #[arg(long, conflicts_with = "entity")]
    pub(crate) rescan: bool,
    /// Print alike findings as one line, or each finding [default: signature; finding with --entity]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) by: Option<FindingsBy>,
    /// Exit status 1 where a settled finding is found
    #[arg(long)]
    pub(crate) fail: bool,
    #[command(flatten)]
    pub(crate) read: Read,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// How findings are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FindingsBy {
    /// Those of one kind, in the same copies and services, of the same versions as one
    Signature,
    /// Each by itself
    Finding,
}

/// `backstory stats`.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DocumentFormat,
}

/// How a table of rows prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For a person
    #[default]
    Text,
    /// One document
    Json,
    /// One row a line
    Jsonl,
    /// For a spreadsheet
    Csv,
}

/// How a timeline prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimelineFormat {
    /// For a person
    #[default]
    Text,
    /// The public document
    Json,
    /// One event a line, with its reasons
    Jsonl,
    /// One event a row, for a spreadsheet
    Csv,
    /// The draft of a post-mortem
    Markdown,
    /// A sequence diagram
    Mermaid,
    /// The graph of reasons, for Graphviz
    Dot,
    /// The space-time diagram
    Svg,
    /// The diagram to walk through, one file
    Html,
    /// A log with vector clocks, for ShiViz
    Shiviz,
    /// Trace events, for Perfetto and chrome://tracing
    Perfetto,
    /// The records themselves, as OTLP/JSON lines
    Otlp,
    /// The records themselves, as Jaeger's JSON
    Jaeger,
}

impl TimelineFormat {
    /// The document's format; `None` for the drawing in text, and for what is made of records.
    pub(crate) fn export(self) -> Option<Format> {
        let named =
            |format: &Format| self.to_possible_value().is_some_and(|value| value.get_name() == format.name());
        Format::ALL.into_iter().find(named)
    }
}

/// How one document prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentFormat {
    /// For a person
    #[default]
    Text,
    /// The public document
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_format_of_export_can_be_asked_for() {
        let asked: Vec<_> =
            TimelineFormat::value_variants().iter().filter_map(|asked| asked.export()).collect();
        assert_eq!(asked, Format::ALL);
    }

    #[test]
    fn a_query_is_written_without_quotes_and_options_may_follow_it() {
        let line = ["backstory", "search", "service:orders", "order.id=42", "--limit", "5"];
        let cli = Cli::try_parse_from(line).expect("parses");
        let Some(Command::Search(search)) = cli.command else { panic!("not a search") };
        assert_eq!(search.query, ["service:orders", "order.id=42"]);
        assert_eq!(search.limit.get(), 5);
        assert!(Cli::try_parse_from(["backstory", "search", "--", "-status:error"]).is_ok());
    }
}
