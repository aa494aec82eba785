//! `backstory mcp`: the questions as tools of the Model Context Protocol.

use std::sync::Arc;

use query::interface::Query;

use crate::command::serve::log_to_stderr;
use crate::mcp;

/// Answers a client on standard input and output until it hangs up. Standard output belongs to the protocol.
pub(crate) fn run(query: Arc<dyn Query>) -> anyhow::Result<()> {
    log_to_stderr("warn");
    mcp::serve(query)
}
