//! `backstory timeline ENTITY`: the timeline of one entity.

use query::archive::Window;
use query::export::{self, Style, sanitise};
use query::interface::{Query, TimelineRequest};
use query::language::{Now, parse_time};
use timeline::document::Timeline as Document;
use timeline::time::Time;

use crate::cli::{Timeline, TimelineFormat};
use crate::command::{Usage, effort, explain_nothing, placed};
use crate::{output, source};

/// Asks and prints.
pub(crate) fn run(timeline: &Timeline, query: &dyn Query) -> anyhow::Result<()> {
    let request = TimelineRequest {
        entity: timeline.entity.clone(),
        window: window(timeline)?,
        events_max: timeline.events_max.get(),
        brief: timeline.brief,
    };
    let answer = query.timeline(&request, &effort()).map_err(|error| placed(error, &timeline.entity))?;
    if answer.events.is_empty() {
        let entity = sanitise(&timeline.entity);
        let windowed = timeline.since.is_some() || timeline.until.is_some();
        let within = if windowed { " within --since and --until" } else { "" };
        explain_nothing(
            query,
            &format!("nothing concerns {entity}{within} (`backstory find VALUE` asks for any value)"),
        )?;
    }
    print(&answer, timeline.format)
}

/// The window that --since and --until name.
fn window(timeline: &Timeline) -> anyhow::Result<Window> {
    let now = source::now();
    let side = |flag: &str, text: &Option<String>| -> anyhow::Result<_> {
        let Some(text) = text else { return Ok(None) };
        let time =
            parse_time(text, now).map_err(|error| Usage(format!("{flag} {text}: {}", error.message)))?;
        say_what_was_read(text, time, now);
        Ok(Some(time))
    };
    Ok(Window { since: side("--since", &timeline.since)?, until: side("--until", &timeline.until)? })
}

/// Prints the moment that a text without a zone was taken for.
fn say_what_was_read(text: &str, time: Time, now: Now) {
    if Time::parse_rfc3339(text).is_none() {
        eprintln!("backstory: {text} is {time} (times without a zone are {})", now.zone);
    }
}

/// Prints a timeline.
pub(crate) fn print(timeline: &Document, format: TimelineFormat) -> anyhow::Result<()> {
    match format {
        TimelineFormat::Json => return output::print(&export::json(timeline)),
        TimelineFormat::Jsonl => output::print(&export::jsonl(timeline))?,
        TimelineFormat::Text => {
            let style = Style { colour: output::colour(), ..Style::new(output::width()) };
            output::print(&export::text(timeline, &style))?;
        }
    }
    output::warn_incomplete(&timeline.completeness);
    Ok(())
}
