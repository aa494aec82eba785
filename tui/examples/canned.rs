//! The terminal UI over a hand-made store, to be looked at: `cargo run -p backstory-tui --example canned -- order/42`.
//! Without an entity it opens at home; `empty` shows an empty store, `plain` and `ascii` do without colours and drawing characters.

#[path = "../tests/canned/mod.rs"]
mod canned;

use std::sync::Arc;

use tui::theme::{Palette, Theme};

fn main() -> Result<(), tui::Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let said = |word: &str| words.iter().any(|given| given == word);
    let palette = if said("plain") { Palette::Plain } else { Palette::Terminal };
    let options = tui::Options {
        entity: words.iter().find(|word| word.contains(['/', '='])).cloned(),
        theme: Theme { palette, ascii: said("ascii") },
        exporter: vec![
            "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317".to_owned(),
            "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc".to_owned(),
        ],
        ..tui::Options::default()
    };
    let store = canned::Canned::new(if said("empty") { 0 } else { 730 }, !said("empty"));
    tui::run(Arc::new(store), options)
}
