//! `backstory affected FINDING`: who else, since when, still? and whom can't we tell.

use std::fmt::Write;

use query::export::sanitise;
use query::interface::{AffectedRequest, Query};
use timeline::document::{Affected as Document, AffectedEntity, AffectedGroup, Verdict};
use timeline::time::Time;

use crate::cli::{Affected, TableFormat};
use crate::command::reading;
use crate::output;

/// So many entities and groups are printed of each sort; the other formats have all.
const SHOWN: usize = 20;

/// Asks and prints.
pub(crate) fn run(affected: &Affected, query: &dyn Query) -> anyhow::Result<()> {
    let found = reading(&affected.read, |window, effort| {
        let request = AffectedRequest {
            finding: affected.finding.clone(),
            entity: affected.entity.clone(),
            window,
            entities_max: affected.limit.get(),
        };
        query.affected(&request, effort)
    })?;
    match affected.format {
        TableFormat::Json => return output::print_json(&found),
        TableFormat::Jsonl => output::print_jsonl(&found.entities)?,
        TableFormat::Csv => output::print_csv(
            &["entity", "scope", "verdict", "grade", "finding", "at", "reason"],
            &found.entities.iter().map(row).collect::<Vec<_>>(),
        )?,
        TableFormat::Text => output::print(&text(&found))?,
    }
    if found.completeness.shown < found.completeness.total {
        let (shown, total) = (found.completeness.shown, found.completeness.total);
        eprintln!("backstory: {shown} of {total} entities were judged, the latest: raise --limit for more");
    }
    output::warn_incomplete(&found.completeness);
    Ok(())
}

fn row(one: &AffectedEntity) -> Vec<String> {
    vec![
        one.entity.clone(),
        one.scope.clone(),
        verdict(one.verdict).to_owned(),
        one.grade.map_or_else(String::new, |grade| grade.to_string()),
        one.finding.clone().unwrap_or_default(),
        one.at.map_or_else(String::new, |at| at.to_string()),
        one.reason.clone(),
    ]
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Affected => "affected",
        Verdict::CannotTell => "cannot_tell",
        Verdict::Clean => "clean",
    }
}

fn text(found: &Document) -> String {
    let mut text = String::new();
    let count = |count: u64, word: &str| (count > 0).then(|| format!("{count} {word}"));
    let affected =
        [count(found.proved, "proved"), count(found.clock, "by clocks"), count(found.possible, "possible")];
    let affected: Vec<String> = affected.into_iter().flatten().collect();
    let affected = if affected.is_empty() { "none".to_owned() } else { affected.join(", ") };
    let _ = writeln!(text, "{}\n", sanitise(&found.shape));
    let _ = writeln!(text, "  affected     {affected}");
    let _ = writeln!(text, "  clean        {}", found.clean);
    let _ = writeln!(text, "  cannot tell  {}", found.cannot_tell);
    for (reason, entities) in reasons(found) {
        let _ = writeln!(text, "               {entities}: {}", sanitise(reason));
    }
    if let (Some(first), Some(last)) = (found.first, found.last) {
        let _ = writeln!(text, "  since        {}, last {}", moment(first), moment(last));
    }
    if let Some(since) = found.still.since {
        let still = &found.still;
        let _ = writeln!(
            text,
            "  still        {} of {} entities in the last hour of the records, since {}",
            still.affected,
            still.entities,
            moment(since)
        );
    }
    groups(&mut text, "by version", &found.by.version);
    groups(&mut text, "by instance", &found.by.instance);
    groups(&mut text, "by partition", &found.by.partition);
    list(&mut text, found);
    text
}

/// Why entities can't be told of, the most entities first.
fn reasons(found: &Document) -> Vec<(&str, u64)> {
    let mut reasons: Vec<(&str, u64)> = Vec::new();
    for one in found.entities.iter().filter(|one| one.verdict == Verdict::CannotTell) {
        match reasons.iter_mut().find(|(own, _)| *own == one.reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((&one.reason, 1)),
        }
    }
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    reasons
}

fn groups(text: &mut String, head: &str, groups: &[AffectedGroup]) {
    for (number, group) in groups.iter().filter(|group| group.affected > 0).take(SHOWN).enumerate() {
        let head = if number == 0 { head } else { "" };
        let _ = writeln!(
            text,
            "  {head:<12} {}: {} of {} ({:.0} %)",
            sanitise(&group.name),
            group.affected,
            group.of,
            100.0 * group.affected as f64 / group.of.max(1) as f64
        );
    }
}

fn list(text: &mut String, found: &Document) {
    let affected: Vec<_> = found.entities.iter().filter(|one| one.verdict == Verdict::Affected).collect();
    text.push('\n');
    for one in affected.iter().take(SHOWN) {
        let _ = writeln!(
            text,
            "  {:<24} {:<9} {}  {}",
            sanitise(&one.entity),
            one.grade.map_or_else(String::new, |grade| grade.to_string()),
            one.at.map_or_else(String::new, moment),
            one.finding.as_deref().unwrap_or("")
        );
    }
    if affected.len() > SHOWN {
        let _ = writeln!(text, "  and {} more: --format csv has all", affected.len() - SHOWN);
    }
}

fn moment(time: Time) -> String {
    time.to_utc().format("%F %T%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use timeline::document::{AffectedBy, Completeness, FindingKind, Grade, Still};

    use super::*;

    fn entity(entity: &str, verdict: Verdict, reason: &str) -> AffectedEntity {
        let affected = verdict == Verdict::Affected;
        AffectedEntity {
            entity: entity.to_owned(),
            scope: "production/shop".to_owned(),
            verdict,
            grade: affected.then_some(Grade::Proved),
            finding: affected.then(|| "f-1c2a77e0b4d95f31".to_owned()),
            at: affected.then_some(Time(1_795_428_000_000_000_000)),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn it_says_who_since_when_still_and_whom_it_cannot_tell() {
        let time = Some(Time(1_795_428_000_000_000_000));
        let group = |name: &str, affected, of| AffectedGroup { name: name.to_owned(), affected, of };
        let found = Document {
            schema: Document::SCHEMA.to_owned(),
            kind: FindingKind::StaleRead,
            shape: "stale_read of redis/order in order-cache".to_owned(),
            completeness: Completeness::default(),
            proved: 1,
            clock: 0,
            possible: 0,
            clean: 1,
            cannot_tell: 2,
            first: time,
            last: time,
            still: Still { since: time, affected: 1, entities: 4 },
            by: AffectedBy {
                version: vec![group("cache 2.15.0", 1, 1), group("cache 2.14.0", 0, 1)],
                ..AffectedBy::default()
            },
            entities: vec![
                entity("order/42", Verdict::Affected, ""),
                entity("order/43", Verdict::CannotTell, "a source samples"),
                entity("order/44", Verdict::CannotTell, "a source samples"),
                entity("order/45", Verdict::Clean, ""),
            ],
        };
        insta::assert_snapshot!(text(&found));
    }
}
