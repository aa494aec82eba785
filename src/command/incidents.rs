//! `backstory incidents`: findings and errors that belong together, and what engineers write about them.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context;
use query::annotations::ToWrite;
use query::export;
use query::interface::{IncidentsRequest, Query};
use timeline::annotation::{Annotation, IncidentStatus, Says, Target};
use timeline::document::{Incident, Incidents as Document};

use crate::cli::{
    Author, IncidentExported, IncidentFormat, IncidentShown, IncidentTold, Incidents, IncidentsCommand,
    IncidentsList, Status, WhichIncident,
};
use crate::command::{Usage, explain_nothing, placed, reading};
use crate::{output, source};

/// So many entities of each type are judged, the latest.
const ENTITIES_MAX: usize = 10_000;
/// Standard input, or standard output.
const STDIO: &str = "-";

/// Asks, or writes, and prints.
pub(crate) fn run(incidents: &Incidents, query: &dyn Query) -> anyhow::Result<()> {
    match &incidents.command {
        None => list(&incidents.list, query),
        Some(IncidentsCommand::List(asked)) => list(asked, query),
        Some(IncidentsCommand::Show(shown)) => show(shown, query),
        Some(IncidentsCommand::Export(exported)) => export(exported, query),
        Some(IncidentsCommand::Note(noted)) => {
            let text = said(&noted.text)?;
            let incident = touch(&noted.which, text.as_deref(), None, &noted.by, query)?;
            tell("noted", &incident);
            Ok(())
        }
        Some(IncidentsCommand::Close(told)) => change(told, Some(IncidentStatus::Closed), "closed", query),
        Some(IncidentsCommand::Reopen(told)) => change(told, Some(IncidentStatus::Open), "open again", query),
        Some(IncidentsCommand::Pin(told)) => change(told, None, "pinned while it is open", query),
    }
}

fn list(asked: &IncidentsList, query: &dyn Query) -> anyhow::Result<()> {
    let found = reading(&asked.read, |window, effort| {
        let status = asked.status.map(|status| match status {
            Status::Open => IncidentStatus::Open,
            Status::Closed => IncidentStatus::Closed,
        });
        let limit = asked.limit.get();
        query.incidents(
            &IncidentsRequest { incident: None, status, window, entities_max: ENTITIES_MAX, limit },
            effort,
        )
    })?;
    match asked.format {
        IncidentFormat::Json => return output::print_json(&found),
        IncidentFormat::Markdown => output::print(&export::incidents_markdown(&found))?,
        IncidentFormat::Text => output::print(&export::incidents_text(&found))?,
    }
    if found.incidents.is_empty() {
        explain_nothing(query, "no incident")?;
    }
    say_what_was_judged(&found);
    Ok(())
}

fn say_what_was_judged(found: &Document) {
    let (shown, total) = (found.completeness.shown, found.completeness.total);
    let cannot = match found.cannot_judge {
        0 => String::new(),
        count => format!("; {count} entities cannot be judged (`backstory findings` says why)"),
    };
    eprintln!("backstory: {shown} of {total} incidents; judged {} entities{cannot}", found.judged);
    output::warn_incomplete(&found.completeness);
}

fn show(shown: &IncidentShown, query: &dyn Query) -> anyhow::Result<()> {
    output::print(&written_as(&find(&shown.which, query)?, shown.format))
}

fn export(exported: &IncidentExported, query: &dyn Query) -> anyhow::Result<()> {
    let format = match (exported.format, exported.to.extension().and_then(|ending| ending.to_str())) {
        (Some(format), _) => format,
        (None, Some("md" | "markdown")) => IncidentFormat::Markdown,
        (None, Some("json")) => IncidentFormat::Json,
        (None, Some("txt")) => IncidentFormat::Text,
        (None, _) => {
            let to = exported.to.display();
            let what =
                format!("--to {to}: its ending names no format: add --format with markdown, json or text");
            return Err(Usage(what).into());
        }
    };
    let text = written_as(&find(&exported.which, query)?, format);
    if exported.to == Path::new(STDIO) {
        return output::print(&text);
    }
    super::export::write(&exported.to, text.as_bytes())?;
    eprintln!("backstory: {} written, {} bytes", exported.to.display(), text.len());
    Ok(())
}

fn written_as(incident: &Incident, format: IncidentFormat) -> String {
    match format {
        IncidentFormat::Text => export::incident_text(incident),
        IncidentFormat::Json => export::json(incident),
        IncidentFormat::Markdown => export::incident_markdown(incident),
    }
}

/// The one incident that is meant.
fn find(which: &WhichIncident, query: &dyn Query) -> anyhow::Result<Incident> {
    let found = reading(&which.read, |window, effort| {
        let request = IncidentsRequest {
            incident: Some(which.incident.clone()),
            window,
            entities_max: ENTITIES_MAX,
            limit: 20,
            ..IncidentsRequest::default()
        };
        query.incidents(&request, effort)
    })?;
    let named = &which.incident;
    match found.incidents.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Usage(format!("there is no incident {named}: `backstory incidents` lists them")).into()),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|incident| format!("\n    {}  {}", incident.id, export::sanitise(&incident.title)))
                .collect();
            Err(Usage(format!("{named} begins the id of several incidents:{}", ids.concat())).into())
        }
    }
}

fn change(
    told: &IncidentTold,
    status: Option<IncidentStatus>,
    done: &str,
    query: &dyn Query,
) -> anyhow::Result<()> {
    let incident = touch(&told.which, said(&told.text)?.as_deref(), status, &told.by, query)?;
    tell(done, &incident);
    Ok(())
}

fn tell(done: &str, incident: &Incident) {
    eprintln!(
        "backstory: {} is {done}: {}",
        export::sanitise(&incident.id),
        export::sanitise(&incident.title)
    );
}

/// Writes what is said about an incident, and what it is now: from then on its records are kept while it is open.
fn touch(
    which: &WhichIncident,
    text: Option<&str>,
    status: Option<IncidentStatus>,
    by: &Author,
    query: &dyn Query,
) -> anyhow::Result<Incident> {
    let incident = find(which, query)?;
    let mut says = Vec::new();
    // Of records that are gone nothing newer can be said than was.
    if incident.held {
        says.push(Says::Outline(incident.outline()));
    }
    says.extend(
        text.map(|text| Says::Note { target: Target::Incident(incident.id.clone()), text: text.to_owned() }),
    );
    if let Some(status) = status {
        // Two that turned out to be one may have been written about under two ids.
        let written = incident.written.iter().filter_map(|own| own.annotation.incident());
        let ids: std::collections::BTreeSet<&str> = written.chain([incident.id.as_str()]).collect();
        says.extend(ids.into_iter().map(|id| Says::Status { incident: id.to_owned(), status }));
    }
    let (author, time) = (author(by), source::now().time);
    let annotations: Vec<ToWrite> =
        says.into_iter().map(|says| Annotation::new(author.clone(), time, says).into()).collect();
    query.annotate(&annotations).map_err(|error| placed(error, ""))?;
    Ok(incident)
}

fn author(by: &Author) -> String {
    let user = || ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    by.author.clone().or_else(user).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// The words of a note; `None` where there are none.
fn said(words: &[String]) -> anyhow::Result<Option<String>> {
    match words {
        [] => Ok(None),
        [one] if one == STDIO => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
            Ok(Some(text.trim_end().to_owned()))
        }
        words => Ok(Some(words.join(" "))),
    }
}
