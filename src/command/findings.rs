//! `backstory findings`: what is wrong with one entity, or with all that records name.

use std::fmt::Write;
use std::process::ExitCode;

use query::export::sanitise;
use query::interface::{FindingsRequest, Query};
use timeline::document::{Finding, FindingStatus, Findings as Document, Rollup};

use crate::cli::{Findings, FindingsBy, TableFormat};
use crate::command::reading;
use crate::output;

/// Asks and prints.
pub(crate) fn run(findings: &Findings, query: &dyn Query) -> anyhow::Result<ExitCode> {
    let found = reading(&findings.read, |window, effort| {
        let request = FindingsRequest {
            entity: findings.entity.clone(),
            kinds: findings.kinds.clone(),
            service: findings.service.clone(),
            window,
            entities_max: findings.limit.get(),
            rescan: findings.rescan,
        };
        query.findings(&request, effort)
    })?;
    match findings.format {
        TableFormat::Json => output::print_json(&found)?,
        TableFormat::Jsonl => output::print_jsonl(&found.findings)?,
        TableFormat::Csv => {
            let rows: Vec<_> = found.findings.iter().map(row).collect();
            let header = [
                "id",
                "kind",
                "grade",
                "status",
                "entity",
                "summary",
                "from",
                "until",
                "class",
                "repaired_by",
                "consequence_of",
            ];
            output::print_csv(&header, &rows)?;
        }
        TableFormat::Text => output::print(&match by(findings) {
            FindingsBy::Signature => rolled_up(&found),
            FindingsBy::Finding => text(&found),
        })?,
    }
    if findings.format != TableFormat::Json {
        eprintln!("backstory: {}", judged(&found));
        output::warn_incomplete(&found.completeness);
    }
    let settled = found.findings.iter().any(|finding| finding.status == FindingStatus::Settled);
    Ok(if findings.fail && settled { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Never a bare 0: what was judged, and what could not be.
fn judged(found: &Document) -> String {
    let because: Vec<String> = found
        .cannot_judge_because
        .iter()
        .map(|because| format!("{} ({})", because.reason, because.entities))
        .collect();
    let cannot = match found.cannot_judge {
        0 => String::new(),
        count => format!("; cannot judge {count}: {}", because.join(", ")),
    };
    let pending = match (found.pending, found.judged_to) {
        (0, _) => String::new(),
        (count, Some(to)) => format!("; {count} traces are not judged yet, from {to} on"),
        (count, None) => format!("; {count} traces are not judged yet"),
    };
    format!("{} findings; judged {}{cannot}{pending}", found.findings.len(), found.judged)
}

/// Of one entity each finding is told, of all those that are alike together.
fn by(findings: &Findings) -> FindingsBy {
    let usual = if findings.entity.is_some() { FindingsBy::Finding } else { FindingsBy::Signature };
    findings.by.unwrap_or(usual)
}

fn rolled_up(found: &Document) -> String {
    let mut text = String::new();
    for rollup in &found.rollups {
        let _ = writeln!(text, "{}  {}  {}", graded(rollup), rollup.kind, sanitise(&place(rollup)));
        let _ = writeln!(text, "    {}", sanitise(&rollup.story));
        let began = rollup.began.as_ref().map(|began| format!(", began {began}")).unwrap_or_default();
        let moment = |time: timeline::time::Time| time.to_utc().format("%F %T%.3f").to_string();
        let range = format!("{} … {}{began}", moment(rollup.first), moment(rollup.last));
        let _ = writeln!(text, "    {}", sanitise(&range));
        let more = rollup.findings.saturating_sub(rollup.examples.len() as u64);
        let more = if more > 0 { format!(" and {more} more (--by finding)") } else { String::new() };
        let _ = writeln!(text, "    {}{more}", rollup.examples.join(" "));
    }
    text
}

/// `3 proved, 1 possible, of 4 entities`.
fn graded(rollup: &Rollup) -> String {
    let graded = [(rollup.proved, "proved"), (rollup.clock, "clock"), (rollup.possible, "possible")];
    let graded =
        graded.iter().filter(|(count, _)| *count > 0).map(|(count, grade)| format!("{count} {grade}"));
    let graded = graded.collect::<Vec<_>>().join(", ");
    match rollup.entities {
        0 => graded,
        1 => format!("{graded}, of 1 entity"),
        entities => format!("{graded}, of {entities} entities"),
    }
}

/// `shop/charges in payments (payments 2.15.0)`.
fn place(rollup: &Rollup) -> String {
    let mut place = rollup.copies.join(", ");
    if !rollup.services.is_empty() {
        let lead = if place.is_empty() { "in" } else { " in" };
        let _ = write!(place, "{lead} {}", rollup.services.join(", "));
    }
    if !rollup.versions.is_empty() {
        let _ = write!(place, " ({})", rollup.versions.join(", "));
    }
    place
}

fn status(finding: &Finding) -> &'static str {
    match finding.status {
        FindingStatus::Provisional => "provisional",
        FindingStatus::Settled => "settled",
        FindingStatus::Withdrawn => "withdrawn",
    }
}

fn row(finding: &Finding) -> Vec<String> {
    vec![
        finding.id.clone(),
        finding.kind.to_string(),
        finding.grade.to_string(),
        status(finding).to_owned(),
        finding.entity.clone().unwrap_or_default(),
        finding.summary.clone(),
        finding.from.to_string(),
        finding.until.map(|until| until.to_string()).unwrap_or_default(),
        finding.class.clone().unwrap_or_default(),
        finding.repaired_by.map(|event| event.to_string()).unwrap_or_default(),
        finding.consequence_of.clone().unwrap_or_default(),
    ]
}

fn text(found: &Document) -> String {
    let mut text = String::new();
    for finding in &found.findings {
        let class = finding.class.as_ref().map(|class| format!(" ({class})")).unwrap_or_default();
        let _ = writeln!(
            text,
            "{}  {:<8}  {}{class}  {}  {}",
            finding.id,
            finding.grade.name(),
            finding.kind,
            finding.entity.as_deref().map(sanitise).unwrap_or_default(),
            finding.from.to_utc().format("%F %T%.3f"),
        );
        let _ = writeln!(text, "    {}", sanitise(&finding.summary));
        let mut line = |words: String| {
            let _ = writeln!(text, "    {words}");
        };
        if let Some(event) = finding.repaired_by {
            line(format!("repaired by {event}"));
        }
        if let Some(cause) = &finding.consequence_of {
            line(format!("follows from {cause}"));
        }
        if let Some(hint) = finding.hint() {
            line(hint.to_owned());
        }
        if finding.status == FindingStatus::Provisional {
            line("provisional: late records may still change it".to_owned());
        }
    }
    text
}
