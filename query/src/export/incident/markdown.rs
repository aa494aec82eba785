//! Incidents as Markdown: the draft of a post-mortem.

use std::fmt::Write as _;

use timeline::document::{Incident, Incidents};

use super::{LISTED_MAX, extent, kept, moment, said, span};
use crate::export::markdown::{code, escape};

/// The list, as a table.
pub fn incidents_markdown(incidents: &Incidents) -> String {
    let mut text = "| incident | status | when | what | extent |\n|---|---|---|---|---|\n".to_owned();
    for incident in &incidents.incidents {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            code(&incident.id),
            incident.status,
            span(incident.first, incident.last),
            escape(&incident.title),
            escape(&extent(incident))
        );
    }
    if let Some(kept) = kept(incidents) {
        let _ = writeln!(text, "\n{kept}");
    }
    text
}

/// The draft of one incident's post-mortem.
pub fn incident_markdown(incident: &Incident) -> String {
    let mut text = format!("# {}\n\n", escape(&incident.title));
    text.push_str("*A draft made from telemetry. Lines in italics are to be replaced.*\n\n## Summary\n\n");
    text.push_str("*In two sentences: what went wrong, for whom, and what ended it.*\n\n");
    let _ = writeln!(text, "- Incident: `{}`, {}", code(&incident.id), incident.status);
    let _ = writeln!(text, "- When: {} (UTC)", span(incident.first, incident.last));
    let _ = writeln!(text, "- Extent: {}", escape(&extent(incident)));
    match &incident.origin {
        Some(origin) => {
            let _ = writeln!(
                text,
                "- All of it follows {} in {} at {}",
                escape(&origin.name),
                escape(&origin.service),
                moment(origin.time)
            );
        }
        None => text.push_str("- No chain of causes leads from one event to all of it.\n"),
    }
    if !incident.held {
        text.push_str("- Its records are no longer held: this is what was written down about it.\n");
    }
    extent_tables(&mut text, incident);
    findings(&mut text, incident);
    errors(&mut text, incident);
    written(&mut text, incident);
    text.push_str("\n## What is to be done\n\n- *Who does what until when.*\n");
    text
}

fn extent_tables(text: &mut String, incident: &Incident) {
    if !incident.entities.is_empty() {
        text.push_str("\n## Who was affected\n\n");
    }
    for of_kind in &incident.entities {
        let named = of_kind.examples.iter().map(|entity| format!("`{}`", code(entity)));
        let named = named.collect::<Vec<_>>().join(", ");
        let beyond = of_kind.count.saturating_sub(of_kind.examples.len() as u64);
        let beyond = if beyond > 0 { format!(" and {beyond} more") } else { String::new() };
        let _ = writeln!(text, "- {} × {}: {named}{beyond}", of_kind.count, escape(&of_kind.kind));
    }
    if !incident.services.is_empty() {
        text.push_str("\n| service | findings | errors |\n|---|---|---|\n");
    }
    for own in &incident.services {
        let _ = writeln!(text, "| {} | {} | {} |", escape(&own.service), own.findings, own.errors);
    }
}

fn findings(text: &mut String, incident: &Incident) {
    text.push_str("\n## Findings\n\n");
    if incident.findings.is_empty() {
        text.push_str("None.\n");
    }
    for (finding, number) in incident.findings.iter().take(LISTED_MAX).zip(1..) {
        let entity = finding.entity.as_deref().map(|entity| format!(" of `{}`", code(entity)));
        let _ = writeln!(
            text,
            "{number}. {} — `{}`{}, {}, from {} (`{}`)",
            escape(&finding.summary),
            finding.kind,
            entity.unwrap_or_default(),
            finding.grade,
            moment(finding.from),
            code(&finding.id)
        );
    }
    let beyond = incident.findings_total.saturating_sub(incident.findings.len().min(LISTED_MAX) as u64);
    if beyond > 0 {
        let _ = writeln!(text, "\nand {beyond} more.");
    }
}

fn errors(text: &mut String, incident: &Incident) {
    if incident.errors.is_empty() {
        return;
    }
    text.push_str("\n## Errors\n\n| first | times | service | what |\n|---|---|---|---|\n");
    for error in incident.errors.iter().take(LISTED_MAX) {
        let (service, what) = (escape(&error.service), escape(&error.what));
        let _ = writeln!(text, "| {} | {} | {service} | {what} |", moment(error.first), error.count);
    }
}

fn written(text: &mut String, incident: &Incident) {
    text.push_str("\n## What engineers wrote\n\n");
    let said = incident.written.iter().filter_map(|own| Some((&own.annotation, said(&own.annotation.says)?)));
    let mut none = true;
    for (own, said) in said {
        none = false;
        let said = said.lines().map(escape).collect::<Vec<_>>().join("\n  ");
        let _ = writeln!(text, "- {} {}:\n  {said}", moment(own.time), escape(&own.author));
    }
    if none {
        text.push_str("Nothing yet.\n");
    }
}
