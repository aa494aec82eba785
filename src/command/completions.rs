//! `backstory completions SHELL`: a shell's completion script.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::output;

/// Prints the script.
pub(crate) fn run(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "backstory", &mut script);
    output::print(&String::from_utf8(script)?)
}
