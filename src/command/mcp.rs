//! `backstory mcp`: the questions as tools of the Model Context Protocol.

use query::redact::{Redactor, Rules};

use crate::command::export::random_key;
use crate::command::folder;
use crate::command::serve::log_to_stderr;
use crate::config::{Premises, Source};
use crate::{mcp, source};

/// Answers a client on standard input and output until it hangs up, with tokens for what `rules` say. Standard output
/// belongs to the protocol.
pub(crate) fn run(rules: Rules, source: &Source, premises: &Premises) -> anyhow::Result<()> {
    log_to_stderr("warn");
    if rules.is_empty() {
        return mcp::serve(source::open(source, premises)?);
    }
    let folder = folder(source, "mcp --redact")?;
    mcp::serve(source::open_redacted(folder, premises, Redactor::new(rules, random_key()?))?)
}
