//! `backstory man DIR`: the manual's pages, made from the command line's definition.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::Cli;

/// Writes `backstory.1` and one page a command.
pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("the pages cannot be written into {}", folder.display()))?;
    eprintln!("backstory: the pages are in {} (read one with `man -l FILE`)", folder.display());
    Ok(())
}
