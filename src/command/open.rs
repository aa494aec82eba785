//! `backstory open FILE`: a bundle in the terminal UI.

use crate::cli::{Open, Tui};
use crate::command::tui;
use crate::config::{Looks, Serving, Source};
use crate::source;

/// Opens on the first entity that the bundle was made for, unless another is named.
pub(crate) fn run(open: Open, serving: &Serving, looks: &Looks) -> anyhow::Result<()> {
    let bundle = source::bundle(&open.file)?;
    let first = bundle.questions.first().map(|question| question.entity.clone());
    let tui = Tui { entity: open.tui.entity.or(first), ..open.tui };
    let query = source::open_bundle(&open.file, bundle);
    tui::run_on(&tui, query, &Source::Bundle(open.file), serving, looks)
}
