//! The `backstory` binary: the command line, and the only reader of file, environment and flags.

mod annotations;
mod cli;
mod command;
mod config;
mod fetch;
mod intake;
mod mcp;
mod metrics;
mod output;
mod progress;
mod server;
mod source;

use std::process::ExitCode;

use crate::command::Usage;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match command::run(cli::Cli::read()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("backstory: {error:#}");
            ExitCode::from(if error.is::<Usage>() { 2 } else { 3 })
        }
    }
}
