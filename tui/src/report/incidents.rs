//! What is wrong: an incident a row; since when, in which entities and services; and what could not be judged.

use timeline::annotation::IncidentStatus;
use timeline::document::{FindingStatus, Grade, Incident, IncidentFinding, Incidents};

use super::{Block, Cell, Column, Report, Row, Value, lacking};
use crate::detail::moment;
use crate::lines::TextLine;
use crate::popup::{Choice, Outcome, Spot};
use crate::text;
use crate::theme::Role;

/// Lays out all incidents in the order of the answer.
pub fn report(found: &Incidents) -> Report {
    let mut summary = vec![judged(found)];
    summary.extend(lacking(&found.completeness));
    Report {
        title: "what is wrong".to_owned(),
        summary,
        columns: vec![
            Column::new("since", 12, 1),
            Column::new("grade", 8, 3),
            Column::wide("what is wrong", 200, 0),
            Column::new("entities", 18, 0),
            Column::new("services", 28, 4),
            Column::new("last", 16, 2),
        ],
        rows: found.incidents.iter().enumerate().map(|(at, incident)| row(at, incident)).collect(),
        total: found.completeness.total.max(found.incidents.len() as u64),
        noun: ("incident", "incidents"),
        empty: vec!["Nothing that was judged is wrong, and no record is an error.".to_owned()],
    }
}

/// How much was judged: never a bare "nothing is wrong".
fn judged(found: &Incidents) -> TextLine {
    let line =
        TextLine::new(Role::Dim, format!("{} judged", text::counted(found.judged, "entity", "entities")));
    match found.cannot_judge {
        0 => line,
        cannot => line
            .and(Role::Warning, format!(", {} could not be", text::count(cannot)))
            .and(Role::Dim, ": D tells why"),
    }
}

fn row(at: usize, incident: &Incident) -> Row {
    let role = match incident.grade {
        _ if incident.status == IncidentStatus::Closed => Role::Dim,
        Some(Grade::Proved | Grade::Clock) => Role::Warning,
        Some(Grade::Possible) | None => Role::Text,
    };
    let grade = incident.grade.map_or("errors", |grade| grade.name());
    let closed = if incident.status == IncidentStatus::Closed { "closed: " } else { "" };
    let services: Vec<&str> = incident.services.iter().map(|service| service.service.as_str()).collect();
    Row {
        cells: vec![
            Cell::dim(Value::Moment(incident.first)),
            Cell::text(Role::Dim, grade),
            Cell::text(role, &format!("{closed}{}", incident.title)),
            Cell::text(Role::Text, &entities(incident)),
            Cell::text(Role::Dim, &services.join(" ")),
            Cell::dim(Value::Age(incident.last)),
        ],
        detail: detail(incident),
        ways: ways(incident),
        entity: incident.findings.iter().find_map(|finding| finding.entity.clone()),
        finding: incident.findings.first().map(|finding| finding.id.clone()),
        place: Some(at),
    }
}

/// `order/42`, or `order ×3`.
fn entities(incident: &Incident) -> String {
    let of_type = |kind: &timeline::document::IncidentEntities| match kind.examples.as_slice() {
        [only] if kind.count == 1 => only.clone(),
        _ => format!("{} ×{}", kind.kind, text::count(kind.count)),
    };
    incident.entities.iter().map(of_type).collect::<Vec<_>>().join(" ")
}

/// The timelines of its findings, each at the finding; then what it began with; then its errors' traces.
fn ways(incident: &Incident) -> Vec<Choice> {
    let mut ways: Vec<Choice> = Vec::new();
    for finding in &incident.findings {
        let Some(entity) = finding.entity.clone() else { continue };
        let label = format!("timeline of {entity}");
        let outcome = Outcome::Timeline { entity, at: Some(Spot::Finding(finding.id.clone())) };
        ways.push(Choice::new(&label, &finding.kind.name().replace('_', " "), outcome));
    }
    if let Some((origin, entity)) = incident.origin.as_ref().and_then(|o| Some((o, o.entity.clone()?))) {
        let label = format!("what it all follows: {}", origin.name);
        ways.push(Choice::new(
            &label,
            &origin.service,
            Outcome::Timeline { entity, at: Some(Spot::Event(origin.event)) },
        ));
    }
    for error in &incident.errors {
        if let Some(trace) = error.trace_id {
            let outcome = Outcome::Trace { trace, at: None };
            ways.push(Choice::new(&format!("trace of {}", error.what), &error.service, outcome));
        }
    }
    ways
}

fn detail(incident: &Incident) -> Vec<Block> {
    let said = |label: &str, text: String| Block::said(label, Role::Text, text);
    let mut blocks = vec![
        Block::heading(&incident.title),
        said("since  ", moment(incident.first)),
        said("last   ", moment(incident.last)),
        said("id     ", incident.id.clone()),
    ];
    if !incident.held {
        blocks.push(Block::said("", Role::Dim, "its records are gone; this is what was written down"));
    }
    if incident.status == IncidentStatus::Closed {
        blocks.push(said("status ", "closed".to_owned()));
    }
    if let Some(origin) = &incident.origin {
        blocks.push(said("began  ", format!("{}: {}", origin.service, origin.name)));
    }
    for written in &incident.written {
        blocks.extend(super::notes::block(written));
    }
    for finding in &incident.findings {
        blocks.extend(finding_blocks(finding));
    }
    let more = incident.findings_total.saturating_sub(incident.findings.len() as u64);
    if more > 0 {
        blocks.push(Block::said(
            "",
            Role::Dim,
            format!("and {}", text::counted(more, "more finding", "more findings")),
        ));
    }
    if !incident.errors.is_empty() {
        blocks.push(Block::heading("ERRORS"));
    }
    for error in &incident.errors {
        let times = if error.count > 1 { format!("  ×{}", text::count(error.count)) } else { String::new() };
        blocks.push(Block::said(
            format!("{}  ", error.service),
            Role::Error,
            format!("{}{times}", error.what),
        ));
    }
    blocks.push(Block::heading("SERVICES"));
    for service in &incident.services {
        let findings = text::counted(service.findings, "finding", "findings");
        let errors = text::counted(service.errors, "error", "errors");
        blocks.push(said(&format!("{}  ", service.service), format!("{findings}, {errors}")));
    }
    blocks
}

fn finding_blocks(finding: &IncidentFinding) -> Vec<Block> {
    let kind = finding.kind.name().replace('_', " ");
    let provisional = if finding.status == FindingStatus::Provisional { ", provisional" } else { "" };
    let mut blocks = vec![
        Block::heading(format!("{kind} ({}{provisional})", finding.grade)),
        Block::said("", Role::Text, &finding.summary),
        Block::said("since  ", Role::Dim, moment(finding.from)),
    ];
    if let Some(cause) = &finding.consequence_of {
        blocks.push(Block::said("follows from  ", Role::Dim, cause));
    }
    blocks
}
