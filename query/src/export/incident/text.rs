//! Incidents as text for a terminal.

use std::fmt::Write as _;

use timeline::document::{FindingStatus, Incident, Incidents};

use super::{LISTED_MAX, extent, kept, members, moment, said, span};
use crate::export::sanitise;

/// The list: a few lines each.
pub fn incidents_text(incidents: &Incidents) -> String {
    let mut text = String::new();
    for incident in &incidents.incidents {
        head(&mut text, incident);
        let services: Vec<_> = incident.services.iter().map(|own| sanitise(&own.service)).collect();
        if !services.is_empty() {
            let _ = writeln!(text, "    in {}", services.join(", "));
        }
        origin(&mut text, incident);
        let notes = incident.written.len();
        let words = [
            (notes > 0).then(|| format!("{notes} written by engineers")),
            incident.pinned.then(|| "pinned".to_owned()),
            (!incident.held).then(|| "its records are gone".to_owned()),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        if !words.is_empty() {
            let _ = writeln!(text, "    {}", words.join(", "));
        }
    }
    if let Some(kept) = kept(incidents) {
        let _ = writeln!(text, "{kept}");
    }
    text
}

/// One incident: its findings, errors, and what engineers wrote.
pub fn incident_text(incident: &Incident) -> String {
    let mut text = String::new();
    head(&mut text, incident);
    origin(&mut text, incident);
    let mut row = |head: &str, words: &str| {
        let _ = writeln!(text, "    {head:<9} {words}");
    };
    for (number, of_kind) in incident.entities.iter().enumerate() {
        let named = of_kind.examples.iter().map(|entity| sanitise(entity)).collect::<Vec<_>>().join(", ");
        let beyond = of_kind.count.saturating_sub(of_kind.examples.len() as u64);
        let beyond = if beyond > 0 { format!(" and {beyond} more") } else { String::new() };
        row(if number == 0 { "entities" } else { "" }, &format!("{named}{beyond}"));
    }
    for (number, own) in incident.services.iter().enumerate() {
        let count = members(own.findings, own.errors);
        let separator = if count.is_empty() { "" } else { ": " };
        let words = format!("{}{separator}{}", sanitise(&own.service), count.join(", "));
        row(if number == 0 { "services" } else { "" }, &words);
    }
    if !incident.segments.is_empty() {
        let segments = incident.segments.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        row("segments", &format!("{segments}{}", if incident.pinned { ", pinned" } else { "" }));
    }
    findings(&mut text, incident);
    errors(&mut text, incident);
    written(&mut text, incident);
    text
}

fn head(text: &mut String, incident: &Incident) {
    let kind = incident.kind.map_or_else(|| "errors".to_owned(), |kind| kind.to_string());
    let kind = if incident.held { kind } else { "gone".to_owned() };
    let grade = incident.grade.map(|grade| format!(" ({grade})")).unwrap_or_default();
    let _ = writeln!(
        text,
        "{}  {:<6}  {kind}{grade}  {}",
        sanitise(&incident.id),
        incident.status.name(),
        span(incident.first, incident.last)
    );
    let _ = writeln!(text, "    {}", sanitise(&incident.title));
    let extent = extent(incident);
    if !extent.is_empty() {
        let _ = writeln!(text, "    {}", sanitise(&extent));
    }
}

fn origin(text: &mut String, incident: &Incident) {
    if let Some(origin) = &incident.origin {
        let _ = writeln!(
            text,
            "    all follow {} in {} at {}",
            sanitise(&origin.name),
            sanitise(&origin.service),
            moment(origin.time)
        );
    }
}

fn findings(text: &mut String, incident: &Incident) {
    for finding in incident.findings.iter().take(LISTED_MAX) {
        let _ = writeln!(
            text,
            "\n  {}  {}  {}  {}",
            finding.id,
            finding.grade,
            finding.kind,
            finding.entity.as_deref().map(sanitise).unwrap_or_default()
        );
        let _ = writeln!(text, "    {}", sanitise(&finding.summary));
        if let Some(cause) = &finding.consequence_of {
            let _ = writeln!(text, "    follows from {}", sanitise(cause));
        }
        if finding.status == FindingStatus::Provisional {
            let _ = writeln!(text, "    provisional: late records may still change it");
        }
    }
    let beyond = incident.findings_total.saturating_sub(incident.findings.len().min(LISTED_MAX) as u64);
    if beyond > 0 {
        let _ = writeln!(text, "\n  and {beyond} more findings: --format json has more");
    }
}

fn errors(text: &mut String, incident: &Incident) {
    if !incident.errors.is_empty() {
        let _ = writeln!(text, "\n  errors");
    }
    for error in incident.errors.iter().take(LISTED_MAX) {
        let _ = writeln!(
            text,
            "    {}  {:>5} × {} {}: {}",
            moment(error.first),
            error.count,
            error.kind,
            sanitise(&error.service),
            sanitise(&error.what)
        );
    }
    let beyond = incident.errors.len().saturating_sub(LISTED_MAX);
    if beyond > 0 {
        let _ = writeln!(text, "    and {beyond} more sorts: --format json has them");
    }
}

fn written(text: &mut String, incident: &Incident) {
    if !incident.written.is_empty() {
        let _ = writeln!(text, "\n  written by engineers");
    }
    for written in &incident.written {
        let own = &written.annotation;
        let Some(said) = said(&own.says) else { continue };
        let _ = writeln!(text, "    {}  {}", moment(own.time), sanitise(&own.author));
        for line in said.lines() {
            let _ = writeln!(text, "        {}", sanitise(line));
        }
    }
}
