//! This entity beside a healthy one: where do they part?

use query::compare::Compared;
use timeline::document::{Change, Diff, DiffSide, Difference, DifferenceKind};

use super::{Block, Cell, Column, Report, Row};
use crate::lines::TextLine;
use crate::popup::{Choice, Outcome, Spot};
use crate::text;
use crate::theme::Role;
use crate::times;

/// Lays out the differences in the order of the timelines.
pub fn report(compared: &Compared) -> Report {
    let found = &compared.diff;
    let (a, b) = (name(&found.a), name(&found.b));
    let chosen = if compared.chosen { " (the nearest healthy one)" } else { "" };
    let mut summary = vec![TextLine::new(Role::Text, parts(found))];
    for side in [&found.a, &found.b].into_iter().filter(|side| !side.completeness.complete) {
        let said =
            format!("{} may lack records: what only the other has may have happened there too", name(side));
        summary.push(TextLine::new(Role::Warning, said));
    }
    let rows = found
        .differences
        .iter()
        .enumerate()
        .map(|(at, difference)| row(difference, found.parts_at == Some(at), found));
    Report {
        title: format!("A {a}   B {b}{chosen}"),
        summary,
        columns: vec![
            Column::new("", 2, 0),
            Column::new("side", 8, 0),
            Column::new("at", 10, 1),
            Column::new("service", 18, 2),
            Column::new("step", 60, 0),
            Column::wide("what differs", 120, 3),
        ],
        rows: rows.collect(),
        total: found.differences.len() as u64,
        noun: ("difference", "differences"),
        empty: vec!["They go the same way.".to_owned()],
    }
}

fn name(side: &DiffSide) -> String {
    format!("{}/{}", side.entity.kind, side.entity.key)
}

fn parts(found: &Diff) -> String {
    let alike = text::counted(found.same, "step is alike", "steps are alike");
    match (found.parts_at, found.differences.len()) {
        (None, 0) => alike,
        (None, _) => format!("{alike}; they go the same way, some took longer"),
        (Some(_), differ) => format!("{alike}, {differ} differ; they part at ▸"),
    }
}

fn row(difference: &Difference, parts: bool, found: &Diff) -> Row {
    let (role, side) = match difference.kind {
        DifferenceKind::OnlyA => (Role::Warning, "only A"),
        DifferenceKind::OnlyB => (Role::Warning, "only B"),
        DifferenceKind::Changed => (Role::Text, "differs"),
        DifferenceKind::Slower => (Role::Dim, "slower"),
    };
    let ns = difference.a_ns.or(difference.b_ns).map_or(0, i128::from);
    let changes: Vec<String> = difference.changes.iter().map(change).collect();
    let mut detail = vec![
        Block::heading(format!("{}: {}", difference.service, difference.name)),
        Block::said("", role, side),
    ];
    for (label, ns) in [("in A at  ", difference.a_ns), ("in B at  ", difference.b_ns)] {
        let at = ns.map(|ns| format!("{} s", times::seconds(i128::from(ns), 6)));
        detail.extend(at.map(|at| Block::said(label, Role::Text, at)));
    }
    detail.extend(changes.iter().map(|change| Block::said("", Role::Text, change)));
    let sides = [(&found.a, difference.a), (&found.b, difference.b)];
    let way = |(side, event): (&DiffSide, Option<timeline::id::EventId>)| {
        let outcome = Outcome::Timeline { entity: name(side), at: Some(Spot::Event(event?)) };
        Some(Choice::new(&format!("in the timeline of {}", name(side)), &difference.name, outcome))
    };
    Row {
        cells: vec![
            Cell::text(Role::Key, if parts { "▸" } else { "" }),
            Cell::text(role, side),
            Cell::text(Role::Dim, &times::seconds(ns, 3)),
            Cell::text(Role::Text, &difference.service),
            Cell::text(Role::Text, &difference.name),
            Cell::text(Role::Text, &changes.join("; ")),
        ],
        detail,
        ways: sides.into_iter().filter_map(way).collect(),
        entity: None,
        finding: None,
        place: None,
    }
}

fn change(change: &Change) -> String {
    let shown = |value: &serde_json::Value| match value.as_i64().filter(|_| change.what == "duration_ns") {
        Some(ns) => times::duration(i128::from(ns)),
        None => text::value(value),
    };
    let what = if change.what == "duration_ns" { "took" } else { &change.what };
    format!("{what}: A {}, B {}", shown(&change.a), shown(&change.b))
}
