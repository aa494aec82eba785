//! Tests through the real binary: it is started, spoken to over real sockets, asked, and killed.

mod bundles;
mod clients;
mod command_line;
mod crash;
mod demo;
mod diff;
mod examples;
mod fetch;
mod findings;
mod formats;
mod import;
mod incidents;
mod jaeger;
mod listeners;
mod mcp;
mod support;
mod telemetry;
mod terminal;
