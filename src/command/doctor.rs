//! `backstory doctor [SERVICE]`: what of each service can be judged, what can't, and the one setting that would change
//! it.

use std::fmt::Write;

use query::export::sanitise;
use query::interface::{DoctorRequest, Query};
use timeline::document::{Check, Diagnosis, Doctor as Document, Judged, Presence, Remedy, RemedyPlace};

use super::entities::span_of;
use crate::cli::{Doctor, DocumentFormat};
use crate::command::{explain_nothing, reading, warn_unread};
use crate::output;

/// The column at which a line's text begins.
const INDENT: usize = 22;

/// Asks and prints.
pub(crate) fn run(doctor: &Doctor, query: &dyn Query) -> anyhow::Result<()> {
    let found = reading(&doctor.read, |window, effort| {
        query.doctor(&DoctorRequest { service: doctor.service.clone(), window }, effort)
    })?;
    if found.services.is_empty() {
        let service = doctor.service.as_deref().map(|name| format!(" {}", sanitise(name)));
        explain_nothing(query, &format!("no record of a service{}", service.unwrap_or_default()))?;
    }
    match doctor.format {
        DocumentFormat::Json => return output::print_json(&found),
        DocumentFormat::Text => output::print(&text(&found, output::width()))?,
    }
    if !found.all_traces {
        eprintln!(
            "backstory: how spans come to an entity is told of a fair sample of {} traces",
            found.traces
        );
    }
    warn_unread(&found.completeness);
    output::warn_incomplete(&found.completeness);
    Ok(())
}

fn text(found: &Document, width: usize) -> String {
    let sections: Vec<String> = found.services.iter().map(|service| section(service, width)).collect();
    sections.join("\n")
}

fn section(service: &Diagnosis, width: usize) -> String {
    let mut text = String::new();
    let language = service.language.as_deref().unwrap_or("language unknown");
    let instances = if service.instances == 1 { "instance" } else { "instances" };
    let _ = writeln!(
        text,
        "{}  {}, {} {instances}, {} spans, {} logs, {}\n",
        sanitise(&service.service),
        sanitise(language),
        service.instances,
        service.spans,
        service.logs,
        span_of(service.first, service.last)
    );
    for check in service.checks.iter().filter(|check| check.state != Presence::NotApplicable) {
        let head = format!("  {} {}", mark(check), check.name.words());
        wrapped(&mut text, &head, &sanitise(&check.detail), width);
    }
    let silent: Vec<&str> = service
        .checks
        .iter()
        .filter(|check| check.state == Presence::NotApplicable)
        .map(|check| check.name.words())
        .collect();
    if !silent.is_empty() {
        wrapped(&mut text, "    does not apply", &silent.join(", "), width);
    }
    text.push('\n');
    judged(&mut text, service, width);
    if let Some(next) = &service.next {
        remedy(&mut text, next, width);
    }
    text
}

fn mark(check: &Check) -> &'static str {
    match check.state {
        Presence::Present => "✓",
        Presence::Partial => "~",
        Presence::Absent => "✗",
        Presence::NotApplicable => " ",
    }
}

/// What can be judged, what only in part, and what not: the last two with what they lack.
fn judged(text: &mut String, service: &Diagnosis, width: usize) {
    let of = |judged: Judged| service.findings.iter().filter(move |one| one.judged == judged);
    let names = |judged: Judged| of(judged).map(|one| one.kind.name()).collect::<Vec<_>>().join(", ");
    let yes = names(Judged::Yes);
    if !yes.is_empty() {
        wrapped(text, "  can be judged", &yes, width);
    }
    for (head, judged) in [("  only in part", Judged::Partly), ("  cannot be judged", Judged::No)] {
        let mut head = head;
        for (lacks, kinds) in service.by_lack(judged) {
            wrapped(text, head, &format!("{kinds}: for want of {lacks}"), width);
            head = "";
        }
    }
    let nothing = names(Judged::NotApplicable);
    if !nothing.is_empty() {
        wrapped(text, "  has no part in", &nothing, width);
    }
}

fn remedy(text: &mut String, remedy: &Remedy, width: usize) {
    let place = match remedy.place {
        RemedyPlace::Environment => "in its environment",
        RemedyPlace::Code => "in its code",
        RemedyPlace::Configuration => "in the configuration",
    };
    let names: Vec<&str> = remedy.unlocks.iter().map(|kind| kind.name()).collect();
    let gain = match names.as_slice() {
        [] => String::new(),
        names => format!(", for {}", names.join(", ")),
    };
    text.push('\n');
    wrapped(text, "  next", &format!("{} {place}{gain}:", remedy.aspect.words()), width);
    for line in &remedy.lines {
        let _ = writeln!(text, "{:INDENT$}    {}", "", sanitise(line)); // to paste: never wrapped
    }
    if !remedy.note.is_empty() {
        wrapped(text, "", &sanitise(&remedy.note), width);
    }
}

/// A head, then words beside it, in lines of at most `width` columns.
fn wrapped(text: &mut String, head: &str, words: &str, width: usize) {
    let room = width.max(INDENT + 30) - INDENT;
    let mut line = String::new();
    let mut head = head;
    let mut put = |line: &mut String| {
        let _ = writeln!(text, "{head:INDENT$}{line}");
        head = "";
        line.clear();
    };
    for word in words.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            put(&mut line);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    put(&mut line);
}

#[cfg(test)]
mod tests {
    use timeline::document::{Aspect, FindingKind, Judgeable};

    use super::*;

    fn diagnosis() -> Diagnosis {
        let check =
            |name, state, detail: &str| Check { name, state, seen: 1, of: 2, detail: detail.to_owned() };
        let judge = |kind, judged, lacks: &[Aspect]| Judgeable { kind, judged, lacks: lacks.to_vec() };
        Diagnosis {
            service: "payments\u{1b}[31m".to_owned(),
            language: Some("nodejs".to_owned()),
            libraries: Vec::new(),
            instances: 2,
            spans: 1089,
            logs: 61,
            first: None,
            last: None,
            checks: vec![
                check(Aspect::Entities, Presence::Partial, "of 1089 spans 6 % name one, 94 % by nothing"),
                check(Aspect::WrittenValues, Presence::Absent, "none of 61 writes carry their values"),
                check(Aspect::Messages, Presence::NotApplicable, "none"),
            ],
            findings: vec![
                judge(FindingKind::ClockSkew, Judged::Yes, &[]),
                judge(FindingKind::Divergence, Judged::No, &[Aspect::WrittenValues]),
                judge(FindingKind::RuleBroken, Judged::No, &[Aspect::WrittenValues]),
                judge(FindingKind::MissedUpdate, Judged::Partly, &[Aspect::Entities]),
                judge(FindingKind::UnhandledMessage, Judged::NotApplicable, &[]),
            ],
            next: Some(Remedy {
                aspect: Aspect::WrittenValues,
                unlocks: vec![FindingKind::Divergence, FindingKind::RuleBroken],
                place: RemedyPlace::Code,
                lines: vec!["new PgInstrumentation({ enhancedDatabaseReporting: true })".to_owned()],
                note: "values may hold personal data".to_owned(),
            }),
        }
    }

    #[test]
    fn a_tired_person_can_read_it() {
        insta::assert_snapshot!(section(&diagnosis(), 80));
    }
}
