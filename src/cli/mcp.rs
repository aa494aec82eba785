//! `backstory mcp`.

use clap::Args;

/// What stands below `backstory mcp --help`.
pub(super) const HELP: &str = r#"A client starts it by itself. Its configuration, for most of them:
  {"mcpServers": {"backstory": {"command": "backstory", "args": ["mcp", "--connect", "http://127.0.0.1:4320"]}}}

With --redact or [redact] in backstory.toml it works on a folder (beside a running server, too), reads all that the folder holds
once, and shows tokens for values. A question may name tokens; one that names a value finds nothing."#;

/// `backstory mcp`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Redaction")]
pub(crate) struct Mcp {
    /// Replace the values of these attributes, fields and keys wherever they stand, as customer.email,order.id
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) redact: Vec<String>,
    /// Replace what matches wherever it stands; of an expression with a group, the group
    #[arg(long, value_name = "REGEX")]
    pub(crate) redact_pattern: Vec<String>,
    /// Replace all but the values of these names, and what only says what kind of work was done
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) redact_keep: Vec<String>,
    /// Replace nothing, whatever backstory.toml says
    #[arg(long, conflicts_with_all = ["redact", "redact_pattern", "redact_keep"])]
    pub(crate) unredacted: bool,
}

impl Mcp {
    /// What is said of redaction, as an export says it.
    pub(crate) fn redaction(&self) -> super::Redact {
        super::Redact {
            redact: self.redact.clone(),
            redact_pattern: self.redact_pattern.clone(),
            redact_keep: self.redact_keep.clone(),
            redact_preview: false,
            unredacted: self.unredacted,
        }
    }
}
