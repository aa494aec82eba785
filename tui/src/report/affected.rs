//! Who else has what a finding tells of, since when, is it still happening, and whom can't we tell?

use timeline::document::{Affected, AffectedEntity, AffectedGroup, Verdict};

use super::{Block, Cell, Column, Report, Row, Value, lacking};
use crate::detail::moment;
use crate::lines::TextLine;
use crate::popup::{Choice, Outcome};
use crate::text;
use crate::theme::Role;

/// So many groups of versions, instances and partitions are named.
const GROUPS_SHOWN: usize = 8;

/// Lays out who is affected: first those, then whom can't be told of, then the clean.
pub fn report(found: &Affected) -> Report {
    let mut entities: Vec<&AffectedEntity> = found.entities.iter().collect();
    entities.sort_by(|a, b| (a.verdict, b.grade, b.at).cmp(&(b.verdict, a.grade, a.at)));
    let groups = groups(found);
    Report {
        title: found.shape.clone(),
        summary: summary(found),
        columns: vec![
            Column::new("entity", 32, 0),
            Column::new("verdict", 12, 0),
            Column::new("grade", 8, 2),
            Column::new("at", 12, 1),
            Column::wide("why it can't be told", 120, 3),
        ],
        rows: entities.into_iter().map(|one| row(one, &groups)).collect(),
        total: found.completeness.total.max(found.entities.len() as u64),
        noun: ("entity", "entities"),
        empty: vec!["No entity of this type was judged.".to_owned()],
    }
}

fn summary(found: &Affected) -> Vec<TextLine> {
    let counts = [
        (found.proved, "proved"),
        (found.clock, "by clocks"),
        (found.possible, "possible"),
        (found.clean, "clean"),
        (found.cannot_tell, "cannot be told"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| format!("{} {word}", text::count(*count))).collect();
    let mut lines = vec![TextLine::new(Role::Text, counts.join(", "))];
    if let (Some(first), Some(last)) = (found.first, found.last) {
        let since = TextLine::new(Role::Text, format!("since {}, last {}", moment(first), moment(last)));
        let still = &found.still;
        lines.push(match (still.since, still.affected) {
            (None, _) => since,
            (_, 0) => since.and(Role::Dim, "; not in the last hour of the records"),
            (_, affected) => {
                let of = text::counted(still.entities, "entity", "entities");
                let said = format!("; still: {} of {of} in the last hour", text::count(affected));
                since.and(Role::Warning, said)
            }
        });
    }
    lines.extend(lacking(&found.completeness));
    lines
}

fn row(one: &AffectedEntity, groups: &[Block]) -> Row {
    let (role, verdict) = match one.verdict {
        Verdict::Affected => (Role::Warning, "affected"),
        Verdict::CannotTell => (Role::Dim, "cannot tell"),
        Verdict::Clean => (Role::Text, "clean"),
    };
    let mut detail = vec![Block::heading(&one.entity), Block::said("verdict  ", role, verdict)];
    let mut said = |label: &str, text: String| detail.push(Block::said(label, Role::Text, text));
    if !one.scope.is_empty() {
        said("scope  ", one.scope.clone());
    }
    if let Some(finding) = &one.finding {
        said("finding  ", finding.clone());
    }
    if let Some(at) = one.at {
        said("since  ", moment(at));
    }
    if !one.reason.is_empty() {
        said("because  ", one.reason.clone());
    }
    detail.extend_from_slice(groups);
    let outcome = Outcome::Timeline { entity: one.entity.clone(), at: None };
    Row {
        cells: vec![
            Cell::text(Role::Text, &one.entity),
            Cell::text(role, verdict),
            Cell::text(Role::Dim, one.grade.map_or("", |grade| grade.name())),
            Cell::dim(Value::moment(one.at)),
            Cell::text(Role::Dim, &one.reason),
        ],
        detail,
        ways: vec![Choice::new(&format!("timeline of {}", one.entity), "", outcome)],
        entity: Some(one.entity.clone()),
        finding: one.finding.clone(),
        place: None,
    }
}

/// What the affected have in common, the largest share first.
fn groups(found: &Affected) -> Vec<Block> {
    let mut blocks = Vec::new();
    let sorts = [
        ("BY VERSION", &found.by.version),
        ("BY INSTANCE", &found.by.instance),
        ("BY PARTITION", &found.by.partition),
    ];
    for (heading, groups) in sorts.into_iter().filter(|(_, groups)| !groups.is_empty()) {
        blocks.push(Block::heading(heading));
        let line = |group: &AffectedGroup| {
            let share = group.affected * 100 / group.of.max(1);
            format!("{} of {} ({share} %)", text::count(group.affected), text::count(group.of))
        };
        for group in groups.iter().take(GROUPS_SHOWN) {
            blocks.push(Block::said(format!("{}  ", group.name), Role::Text, line(group)));
        }
        if groups.len() > GROUPS_SHOWN {
            let more = format!("and {} more", groups.len() - GROUPS_SHOWN);
            blocks.push(Block::said("", Role::Dim, more));
        }
    }
    blocks
}
