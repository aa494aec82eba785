//! `backstory timeline ENTITY`: the timeline of one entity.

use query::export::{self, Export, Style, sanitise};
use query::interface::{Query, TimelineRequest};
use timeline::document::Timeline as Document;

use crate::cli::{Timeline, TimelineFormat, Which};
use crate::command::{effort, explain_nothing, placed, window};
use crate::output;

/// Asks and prints.
pub(crate) fn run(timeline: &Timeline, query: &dyn Query) -> anyhow::Result<()> {
    print(&ask(&timeline.which, query)?, timeline.format)
}

/// The timeline asked for; where it is empty, says so on standard error.
pub(crate) fn ask(which: &Which, query: &dyn Query) -> anyhow::Result<Document> {
    let request = TimelineRequest {
        entity: which.entity.clone(),
        window: window(which.since.as_deref(), which.until.as_deref())?,
        events_max: which.events_max.get(),
        brief: which.brief,
    };
    let answer = query.timeline(&request, &effort()).map_err(|error| placed(error, &which.entity))?;
    if answer.events.is_empty() {
        let entity = sanitise(&which.entity);
        let windowed = which.since.is_some() || which.until.is_some();
        let within = if windowed { " within --since and --until" } else { "" };
        explain_nothing(
            query,
            &format!("nothing concerns {entity}{within} (`backstory find VALUE` asks for any value)"),
        )?;
    }
    Ok(answer)
}

/// Prints a timeline.
pub(crate) fn print(timeline: &Document, format: TimelineFormat) -> anyhow::Result<()> {
    match format.export() {
        Some(format) => {
            let made = format.of(timeline);
            output::print(&made.text)?;
            say_what_was_folded(&made);
        }
        None => {
            let style = Style { colour: output::colour(), ..Style::new(output::width()) };
            output::print(&export::text(timeline, &style))?;
        }
    }
    if format != TimelineFormat::Json {
        output::warn_incomplete(&timeline.completeness);
    }
    Ok(())
}

/// Says on standard error what a format had no room for.
pub(crate) fn say_what_was_folded(made: &Export) {
    if let Some(folded) = &made.folded {
        eprintln!("backstory: not whole: {folded}");
    }
}
