//! What of each service can be judged, and the one setting that would unlock more.

use timeline::document::{Check, Diagnosis, Doctor, Judged, Presence, Remedy, RemedyPlace};

use super::clocks::records_of;
use super::{Block, Cell, Column, Report, Row, Value, lacking};
use crate::lines::TextLine;
use crate::text;
use crate::theme::Role;

/// Lays out all services, those that most can't be judged of first.
pub fn report(found: &Doctor) -> Report {
    let traces = text::counted(found.traces, "trace", "traces");
    let which = if found.all_traces { "all" } else { "a sample of" };
    let mut summary = vec![TextLine::new(Role::Dim, format!("by {which} {traces}"))];
    summary.extend(lacking(&found.completeness));
    let mut services: Vec<&Diagnosis> = found.services.iter().collect();
    let unjudged = |service: &Diagnosis| count(service, Judged::No);
    services.sort_by(|a, b| (unjudged(b), &a.service).cmp(&(unjudged(a), &b.service)));
    Report {
        title: "what can be judged".to_owned(),
        summary,
        columns: vec![
            Column::new("service", 28, 0),
            Column::new("judged", 7, 1),
            Column::new("in part", 7, 2),
            Column::new("cannot", 7, 1),
            Column::new("spans", 12, 3),
            Column::new("logs", 12, 4),
            Column::new("last", 16, 3),
            Column::wide("the next step", 80, 0),
        ],
        rows: services.into_iter().map(row).collect(),
        total: found.services.len() as u64,
        noun: ("service", "services"),
        empty: vec!["No service has sent anything yet.".to_owned()],
    }
}

fn count(service: &Diagnosis, judged: Judged) -> u64 {
    service.findings.iter().filter(|one| one.judged == judged).count() as u64
}

fn row(service: &Diagnosis) -> Row {
    let cannot = count(service, Judged::No);
    let next = service
        .next
        .as_ref()
        .map_or_else(String::new, |next| format!("{} {}", next.aspect.words(), place(next)));
    Row {
        cells: vec![
            Cell::text(Role::Text, &service.service),
            Cell::plain(Value::Count(count(service, Judged::Yes))),
            Cell::plain(Value::Count(count(service, Judged::Partly))),
            Cell { role: if cannot > 0 { Role::Warning } else { Role::Text }, value: Value::Count(cannot) },
            Cell::dim(Value::Count(service.spans)),
            Cell::dim(Value::Count(service.logs)),
            Cell::dim(Value::age(service.last)),
            Cell::text(Role::Key, &next),
        ],
        detail: detail(service),
        ways: vec![records_of(&service.service)],
        entity: None,
        finding: None,
        place: None,
    }
}

fn place(next: &Remedy) -> &'static str {
    match next.place {
        RemedyPlace::Environment => "in its environment",
        RemedyPlace::Code => "in its code",
        RemedyPlace::Configuration => "in the configuration",
    }
}

fn detail(service: &Diagnosis) -> Vec<Block> {
    let about = [service.language.clone(), Some(text::counted(service.instances, "instance", "instances"))];
    let about: Vec<String> = about.into_iter().flatten().collect();
    let mut blocks = vec![Block::heading(&service.service), Block::said("", Role::Dim, about.join(", "))];
    if let Some(next) = &service.next {
        blocks.push(Block::heading(format!("NEXT: {} {}", next.aspect.words(), place(next))));
        blocks.extend(next.lines.iter().map(|line| Block::said("", Role::Key, line)));
        if !next.note.is_empty() {
            blocks.push(Block::said("", Role::Text, &next.note));
        }
        let unlocks: Vec<&str> = next.unlocks.iter().map(|kind| kind.name()).collect();
        if !unlocks.is_empty() {
            blocks.push(Block::said("unlocks  ", Role::Text, unlocks.join(", ")));
        }
    }
    blocks.push(Block::heading("FINDINGS"));
    for (label, judged, role) in [
        ("can be judged  ", Judged::Yes, Role::Text),
        ("only in part  ", Judged::Partly, Role::Text),
        ("cannot be judged  ", Judged::No, Role::Warning),
        ("has no part in  ", Judged::NotApplicable, Role::Dim),
    ] {
        for (lacks, kinds) in service.by_lack(judged) {
            let want = if lacks.is_empty() { String::new() } else { format!(": for want of {lacks}") };
            blocks.push(Block::said(label, role, format!("{kinds}{want}")));
        }
    }
    blocks.push(Block::heading("WHAT ITS RECORDS TELL"));
    let told = service.checks.iter().filter(|check| check.state != Presence::NotApplicable);
    blocks.extend(told.map(check));
    blocks
}

fn check(check: &Check) -> Block {
    let (mark, role) = match check.state {
        Presence::Present => ("=", Role::Text),
        Presence::Partial => ("~", Role::Warning),
        Presence::Absent => ("-", Role::Warning),
        Presence::NotApplicable => (" ", Role::Dim),
    };
    Block::said(format!("{mark} {}  ", text::fit(check.name.words(), 14)), role, &check.detail)
}
