//! `backstory timeline ENTITY`: the timeline of one entity.

use query::export::sanitise;
use query::interface::{Query, TimelineRequest};
use timeline::document::Timeline as Document;

use crate::cli::{Timeline, Which};
use crate::command::{effort, explain_nothing, made, placed, window};

/// Asks and prints.
pub(crate) fn run(timeline: &Timeline, query: &dyn Query) -> anyhow::Result<()> {
    made::print(&made::make(&timeline.which, timeline.format, query)?, timeline.format)
}

/// The timeline asked for; where it is empty, says so on standard error.
pub(crate) fn ask(which: &Which, query: &dyn Query) -> anyhow::Result<Document> {
    let request = request(which)?;
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

/// What is asked, as the query interface has it.
pub(crate) fn request(which: &Which) -> anyhow::Result<TimelineRequest> {
    Ok(TimelineRequest {
        entity: which.entity.clone(),
        window: window(which.since.as_deref(), which.until.as_deref())?,
        events_max: which.events_max.get(),
        brief: which.brief,
    })
}
