//! Which types of entities there are; of one type the keys, and what each copy of each holds.

use std::collections::{BTreeMap, BTreeSet};

use timeline::document::{CopyState, Entities, EntityKey, EntityType, Incompleteness, Known, State};

use super::{Block, Cell, Column, Report, Row, Topic, Value, lacking};
use crate::lines::TextLine;
use crate::popup::{Choice, Outcome};
use crate::text;
use crate::theme::Role;
use crate::times;

/// Columns of a key that stand before those of its copies.
const KEY_COLUMNS: usize = 5;

/// Lays out the types.
pub fn types(found: &Entities) -> Report {
    Report {
        title: "by type".to_owned(),
        summary: summary(found, "types"),
        columns: vec![
            Column::new("type", 24, 0),
            Column::new("keys", 12, 0),
            Column::new("records", 14, 1),
            Column::new("last", 16, 1),
            Column::new("copies", 60, 2),
            Column::wide("services", 80, 3),
        ],
        rows: found.types.iter().map(type_row).collect(),
        total: found.total.max(found.types.len() as u64),
        noun: ("type", "types"),
        empty: vec![
            "No record names an entity yet.".to_owned(),
            "Statements, routes, message keys and attributes such as order.id name them; doctor says what is lacking.".to_owned(),
        ],
    }
}

fn summary(found: &Entities, what: &str) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if found.shown < found.total {
        let about = if found.exact { "" } else { "about " };
        let (shown, total) = (text::count(found.shown), text::count(found.total));
        lines.push(TextLine::new(Role::Warning, format!("the latest {shown} of {about}{total} {what}")));
    }
    // That it was cut is said by the counts.
    let mut completeness = found.completeness.clone();
    completeness.reasons.retain(|reason| *reason != Incompleteness::Truncated);
    if !completeness.reasons.is_empty() {
        lines.extend(lacking(&completeness));
    }
    lines
}

fn type_row(kind: &EntityType) -> Row {
    let copies: Vec<String> = kind.copies.iter().map(|copy| copy.copy.clone()).collect();
    let guessed = if kind.guessed { " (a guess)" } else { "" };
    let mut detail = vec![Block::heading(format!("{}{guessed}", kind.kind))];
    if kind.guessed {
        detail.push(Block::said("", Role::Dim, "text alone names it: nothing is judged of it"));
    }
    detail.push(Block::said("services  ", Role::Text, kind.services.join(", ")));
    detail.push(Block::said("scopes  ", Role::Text, kind.scopes.join(", ")));
    if !kind.copies.is_empty() {
        detail.push(Block::heading("COPIES"));
    }
    for copy in &kind.copies {
        let writes = format!("{} of {} records write", text::count(copy.writes), text::count(copy.records));
        detail.push(Block::said(format!("{}  ", copy.copy), Role::Text, writes));
    }
    detail.push(Block::heading("NAMED BY"));
    for place in &kind.places {
        let said =
            format!("as {:?}, in {}", place.example, text::counted(place.records, "record", "records"));
        detail.push(Block::said(format!("{} {}  ", place.how, place.place), Role::Text, said));
    }
    Row {
        cells: vec![
            Cell::text(if kind.guessed { Role::Dim } else { Role::Text }, &format!("{}{guessed}", kind.kind)),
            Cell::plain(Value::Count(kind.keys)),
            Cell::dim(Value::Count(kind.records)),
            Cell::dim(Value::age(kind.last)),
            Cell::text(Role::Text, &copies.join(" ")),
            Cell::text(Role::Dim, &kind.services.join(" ")),
        ],
        detail,
        ways: vec![Choice::new(
            &format!("keys of {}", kind.kind),
            "",
            Outcome::Table(Topic::Keys(kind.kind.clone())),
        )],
        entity: None,
        finding: None,
        place: None,
    }
}

/// Lays out the keys of one type.
pub fn keys(kind: &str, found: &Entities) -> Report {
    Report {
        title: kind.to_owned(),
        summary: summary(found, "keys"),
        columns: vec![
            Column::new("entity", 32, 0),
            Column::new("findings", 8, 1),
            Column::new("last", 16, 2),
            Column::new("records", 9, 8),
            Column::new("lag", 10, 1),
        ],
        rows: found.entities.iter().map(key_row).collect(),
        total: found.total.max(found.entities.len() as u64),
        noun: ("key", "keys"),
        empty: vec![format!("No record names a key of {}.", text::sanitise(kind))],
    }
}

fn key_row(key: &EntityKey) -> Row {
    let outcome = Outcome::Timeline { entity: key.entity.clone(), at: None };
    Row {
        cells: vec![
            Cell::text(Role::Text, &key.entity),
            Cell { role: Role::Warning, value: Value::Nothing },
            Cell::dim(Value::age(key.last)),
            Cell::dim(Value::Count(key.records)),
            Cell::plain(Value::Nothing),
        ],
        detail: vec![Block::heading(&key.entity), Block::said("scope  ", Role::Dim, &key.scope)],
        ways: vec![Choice::new(&format!("timeline of {}", key.entity), "", outcome)],
        entity: Some(key.entity.clone()),
        finding: None,
        place: None,
    }
}

/// Tells of each key how many findings concern it.
pub fn count_findings(report: &mut Report, findings: &BTreeMap<&str, u64>) {
    for row in &mut report.rows {
        let count = row.entity.as_deref().and_then(|entity| findings.get(entity));
        row.cells[1].value = count.map_or(Value::Nothing, |count| Value::Count(*count));
    }
}

/// What is known of the copies of the keys on show, entity by entity.
pub type Beliefs = BTreeMap<String, State>;

/// Gives the report of keys a column a copy, and fills in what is known of each.
pub fn believe(report: &mut Report, kind: &str, beliefs: &Beliefs) {
    let copies = copies(beliefs);
    let field = telling_field(beliefs);
    report.columns.truncate(KEY_COLUMNS);
    report.title = match &field {
        Some(field) => format!("{kind}: {field} in each copy"),
        None => kind.to_owned(),
    };
    if let Some((owner, _)) = copies.iter().find(|(_, owner)| *owner) {
        report.title.push_str(&format!(", owner {owner}"));
    }
    for (number, (copy, _)) in copies.iter().enumerate() {
        let rank = u8::try_from(3 + number).unwrap_or(u8::MAX);
        report.columns.push(Column::new(copy, 22, rank));
    }
    for row in &mut report.rows {
        row.cells.truncate(KEY_COLUMNS);
        let known = row.entity.as_ref().and_then(|entity| beliefs.get(entity).map(|state| (entity, state)));
        let Some((entity, state)) = known else {
            row.cells.extend(copies.iter().map(|_| Cell::dim(Value::Nothing)));
            continue;
        };
        let own: Vec<&CopyState> = state.copies.iter().filter(|copy| copy.entity == *entity).collect();
        for (name, _) in &copies {
            let held = own.iter().find(|copy| copy.copy == *name && copy.field == field);
            row.cells.push(held.map_or(Cell::dim(Value::Nothing), |held| held_cell(held)));
        }
        let lag = own.iter().filter_map(|copy| copy.lag_ns).max();
        row.cells[KEY_COLUMNS - 1] = match lag {
            Some(ns) => Cell { role: Role::Error, value: Value::Duration(i128::from(ns)) },
            None => Cell::dim(Value::Nothing),
        };
        row.detail.truncate(2);
        row.detail.extend(copy_blocks(&own));
    }
}

/// The copies of the entities themselves, owners first, then the most often seen; and whether each is an owner.
fn copies(beliefs: &Beliefs) -> Vec<(String, bool)> {
    let mut seen: BTreeMap<(bool, &str), u64> = BTreeMap::new();
    for (entity, state) in beliefs {
        let own = state.copies.iter().filter(|copy| copy.entity == *entity && !copy.part);
        let told = own.filter(|copy| copy.field.is_some() && copy.known != Known::No);
        let names: BTreeSet<(bool, &str)> = told.map(|copy| (copy.owner, copy.copy.as_str())).collect();
        names.into_iter().for_each(|name| *seen.entry(name).or_default() += 1);
    }
    let mut copies: Vec<((bool, &str), u64)> = seen.into_iter().collect();
    copies.sort_by(|((a_owner, a), a_seen), ((b_owner, b), b_seen)| {
        (b_owner, b_seen, a).cmp(&(a_owner, a_seen, b))
    });
    copies.into_iter().map(|((owner, name), _)| (name.to_owned(), owner)).collect()
}

/// The field that most copies hold a value of, hence the one to compare them by.
fn telling_field(beliefs: &Beliefs) -> Option<String> {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for (entity, state) in beliefs {
        for copy in state.copies.iter().filter(|copy| copy.entity == *entity && copy.known != Known::No) {
            if let Some(field) = &copy.field {
                *seen.entry(field).or_default() += 1;
            }
        }
    }
    let most = seen.into_iter().max_by(|(a, a_seen), (b, b_seen)| (a_seen, b).cmp(&(b_seen, a)));
    most.map(|(field, _)| field.to_owned())
}

fn held_cell(held: &CopyState) -> Cell {
    let role = if held.lag_ns.is_some() { Role::Error } else { Role::Text };
    match held.known {
        Known::No => Cell::text(Role::Dim, "?"),
        Known::Before => Cell::text(role, &value(held)),
        Known::Unordered => Cell::text(Role::Warning, &format!("{} or …", value(held))),
    }
}

fn value(held: &CopyState) -> String {
    held.value.as_ref().map_or_else(|| "nothing".to_owned(), text::value)
}

fn copy_blocks(own: &[&CopyState]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut name = "";
    for held in own {
        if held.copy != name {
            name = &held.copy;
            let what = match (held.owner, held.part) {
                (true, _) => "OWNER",
                (false, true) => "PART",
                (false, false) => "COPY",
            };
            blocks.push(Block::heading(format!("{what} {name}")));
        }
        let field = held.field.as_deref().unwrap_or("(any field)");
        let (role, said) = match held.known {
            Known::No => (Role::Dim, "unknown".to_owned()),
            Known::Unordered => (Role::Warning, format!("{} or what unordered writes made it", value(held))),
            Known::Before => match held.lag_ns {
                Some(ns) => {
                    let lag = times::duration(i128::from(ns));
                    (Role::Error, format!("{}, behind the owner for {lag}", value(held)))
                }
                None => (Role::Text, value(held)),
            },
        };
        blocks.push(Block::said(format!("{field}  "), role, said));
    }
    blocks
}
