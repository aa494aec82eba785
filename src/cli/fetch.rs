//! `backstory fetch`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use timeline::id::TraceId;

/// What stands below `backstory fetch --help`.
pub(super) const HELP: &str = r#"What it finds comes in as `backstory import` brings it in: fetched again adds nothing.

  backstory fetch jaeger http://localhost:16686 --entity order/42 --since 24h
  backstory fetch jaeger http://localhost:16686 --service orders --tag error=true --since 1h
  backstory fetch tempo http://localhost:3200 --query '{ .order.id = 42 }' --since 2h --header 'X-Scope-OrgID: shop'
  backstory fetch tempo http://localhost:3200 --trace 4bf92f3577b34da6a3ce929d0e0e4736"#;

/// `backstory fetch`.
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// What answers there
    #[arg(value_enum)]
    pub(crate) from: Backend,
    /// Its query address, as http://localhost:16686 (Jaeger) or http://localhost:3200 (Tempo)
    pub(crate) url: String,
    /// The entity whose story is wanted, as order/42: its key is searched for under order.id, order_id, orderId, and under
    /// each name that it is found to have; or any attribute, as order.id=42
    #[arg(long, value_name = "ENTITY")]
    pub(crate) entity: Option<String>,
    /// Only spans of this service [default: every service]
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Only spans of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) operation: Option<String>,
    /// Only spans with this attribute; several times for several, which must all hold of one span
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub(crate) tags: Vec<String>,
    /// A query in TraceQL, in place of the four above (Tempo alone)
    #[arg(long, value_name = "TRACEQL", conflicts_with_all = ["service", "operation", "tags"])]
    pub(crate) query: Option<String>,
    /// Only spans that took so long or longer, as 100ms
    #[arg(long, value_name = "DURATION")]
    pub(crate) duration_min: Option<String>,
    /// Only spans that took so long or less
    #[arg(long, value_name = "DURATION")]
    pub(crate) duration_max: Option<String>,
    /// Only spans of this time or later: RFC 3339, or relative as 24h. Wanted by every search: the backends look back
    /// only a little by themselves
    #[arg(long, value_name = "TIME", required_unless_present = "traces")]
    pub(crate) since: Option<String>,
    /// Only spans before this time [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The trace with this id; several times for several
    #[arg(long = "trace", value_name = "ID", value_parser = trace_id)]
    pub(crate) traces: Vec<TraceId>,
    /// At most so many traces a search
    #[arg(long, value_name = "COUNT", default_value = "100")]
    pub(crate) limit: NonZeroUsize,
    /// Leave out what the traces found lead on to: linked traces, messages, further names of the entity's key
    #[arg(long)]
    pub(crate) no_expand: bool,
    /// Stop after so many requests
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub(crate) requests_max: u64,
    /// Stop after so many spans
    #[arg(long, value_name = "COUNT", default_value_t = 500_000)]
    pub(crate) spans_max: u64,
    /// Stop after this time
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) time_max: String,
    /// A file with the token that the backend wants, sent as `Authorization: Bearer TOKEN`
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// A header to send along; several times for several
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// With --connect: where the server takes OTLP/HTTP [default: port 4318 of its host]
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
}

fn trace_id(text: &str) -> Result<TraceId, &'static str> {
    crate::fetch::trace_id(text).ok_or("a trace id is up to 32 hexadecimal digits, not all zero")
}

/// What can be fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// Jaeger, or what answers like it: another Backstory too
    Jaeger,
    /// Grafana Tempo
    Tempo,
}
