//! Answers as tables: a title, what the answer rests on, and a row a thing, each with all that is known of it.
//!
//! | file          | the question whose answer it lays out                            |
//! |---------------|------------------------------------------------------------------|
//! | `incidents.rs`| what is wrong, since when, in what; what could not be judged?    |
//! | `notes.rs`    | what did engineers write about it?                               |
//! | `entities.rs` | which types are there; which keys, and what does each copy hold? |
//! | `affected.rs` | who else has this, and whom can't we tell?                       |
//! | `compare.rs`  | where do two entities part?                                      |
//! | `clocks.rs`   | whose clock is off, by how much, how sure?                       |
//! | `doctor.rs`   | what of each service can be judged, and what would unlock more?  |

pub mod affected;
pub mod clocks;
pub mod compare;
pub mod doctor;
pub mod entities;
pub mod incidents;
pub mod notes;

use std::cmp::Ordering;

use timeline::document::Completeness;
use timeline::time::Time;

use crate::basis;
use crate::lines::{Page, TextLine};
use crate::popup::Choice;
use crate::text;
use crate::theme::Role;
use crate::times::{self, Times, UTC, Zone};

/// What a screen of one table is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The types of entities.
    Types,
    /// The keys of one type.
    Keys(String),
    /// Who else has what a finding tells of.
    Affected {
        /// The finding's id.
        finding: String,
        /// The entity that has it.
        entity: Option<String>,
    },
    /// One entity beside another.
    Compare {
        /// The one.
        a: String,
        /// The other; `None` for the nearest healthy one.
        b: Option<String>,
    },
    /// All clocks.
    Clocks,
    /// What of each service can be judged.
    Doctor,
}

impl Topic {
    /// The screen's name.
    pub fn name(&self) -> &'static str {
        match self {
            Topic::Types | Topic::Keys(_) => "Entities",
            Topic::Affected { .. } => "Affected",
            Topic::Compare { .. } => "Compare",
            Topic::Clocks => "Clocks",
            Topic::Doctor => "Doctor",
        }
    }

    /// What the command line is given to answer the same.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Topic::Types => vec!["entities"],
            Topic::Keys(kind) => vec!["entities", kind],
            Topic::Affected { finding, entity: None } => vec!["affected", finding],
            Topic::Affected { finding, entity: Some(entity) } => {
                vec!["affected", finding, "--entity", entity]
            }
            Topic::Compare { a, b: Some(b) } => vec!["diff", a, b],
            Topic::Compare { a, b: None } => vec!["diff", a, "--healthy"],
            Topic::Clocks => vec!["clocks"],
            Topic::Doctor => vec!["doctor"],
        }
    }
}

/// An answer as a table.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What it is about, after the screen's name.
    pub title: String,
    /// What it says in all, and what it rests on: shown above the table.
    pub summary: Vec<TextLine>,
    /// The columns, from left to right.
    pub columns: Vec<Column>,
    /// The rows, in the order of the answer.
    pub rows: Vec<Row>,
    /// How many there are, shown here or not; at least as many as there are rows.
    pub total: u64,
    /// What one of them is called, and several: `entity`, `entities`.
    pub noun: (&'static str, &'static str),
    /// What is said where there is no row.
    pub empty: Vec<String>,
}

/// A column. Where there is no room for all, those that matter least are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading; sanitised.
    pub name: String,
    /// No wider than this.
    pub width_max: usize,
    /// Whether it takes what room the others leave.
    pub wide: bool,
    /// How much it matters: 0 for what is never left out.
    pub rank: u8,
}

impl Column {
    /// A column as wide as its widest value, at most `width_max`.
    pub fn new(name: &str, width_max: usize, rank: u8) -> Column {
        Column { name: text::sanitise(name).into_owned(), width_max, wide: false, rank }
    }

    /// The column that takes the room that the others leave.
    pub fn wide(name: &str, width_max: usize, rank: u8) -> Column {
        Column { wide: true, ..Column::new(name, width_max, rank) }
    }
}

/// A row: a value a column, all that is known of the thing, and where it leads.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// A value a column.
    pub cells: Vec<Cell>,
    /// All that is known.
    pub detail: Vec<Block>,
    /// Where `enter` leads: at once if there is one way, else to choose from.
    pub ways: Vec<Choice>,
    /// The entity that it is about: what can be compared.
    pub entity: Option<String>,
    /// The finding that it is about: what others may have too.
    pub finding: Option<String>,
    /// Its place in the answer, where the screen needs it.
    pub place: Option<usize>,
}

/// A value in a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// How it looks.
    pub role: Role,
    /// What it holds.
    pub value: Value,
}

/// What a cell holds; equal kinds are compared by what they mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text; sanitised.
    Text(String),
    /// A number of things.
    Count(u64),
    /// A length of time, in nanoseconds.
    Duration(i128),
    /// A moment, shown as a time of day.
    Moment(Time),
    /// A moment, shown as how long ago it was.
    Age(Time),
    /// Nothing.
    Nothing,
}

impl Cell {
    /// Text.
    pub fn text(role: Role, said: &str) -> Cell {
        Cell { role, value: Value::Text(text::sanitise(said).into_owned()) }
    }

    /// A value in ordinary looks.
    pub fn plain(value: Value) -> Cell {
        Cell { role: Role::Text, value }
    }

    /// Its text, if it is text.
    fn words(&self) -> String {
        match &self.value {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        }
    }

    /// A value in less important looks.
    pub fn dim(value: Value) -> Cell {
        Cell { role: Role::Dim, value }
    }
}

impl Value {
    /// A moment as a time of day, if there is one.
    pub fn moment(time: Option<Time>) -> Value {
        time.map_or(Value::Nothing, Value::Moment)
    }

    /// A moment as how long ago it was, if there is one.
    pub fn age(time: Option<Time>) -> Value {
        time.map_or(Value::Nothing, Value::Age)
    }

    /// As the screen shows it.
    pub fn shown(&self, as_of: Shown) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Count(count) => text::count(*count),
            Value::Duration(ns) => times::duration(*ns),
            Value::Moment(time) => as_of.zone.clock(*time, 3),
            Value::Age(time) => times::ago(*time, as_of.now),
            Value::Nothing => String::new(),
        }
    }

    /// Whether there is no value.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Value::Nothing)
    }

    /// Whether it is measured, so that one looks for the largest first.
    pub fn is_measure(&self) -> bool {
        !matches!(self, Value::Text(_) | Value::Nothing)
    }

    /// Whether it is shown at the right side of its column.
    pub fn is_number(&self) -> bool {
        matches!(self, Value::Count(_) | Value::Duration(_))
    }

    /// Which stands first: the smaller, the earlier; what is nothing stands last.
    pub fn order(&self, other: &Value) -> Ordering {
        let rank = |value: &Value| match value {
            Value::Text(_) => 1_u8,
            Value::Nothing => 2,
            _ => 0,
        };
        match (self, other) {
            (Value::Text(a), Value::Text(b)) => text::natural(a, b),
            (Value::Count(a), Value::Count(b)) => a.cmp(b),
            (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
            (Value::Moment(a) | Value::Age(a), Value::Moment(b) | Value::Age(b)) => a.cmp(b),
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

/// What the look of a value depends on besides itself.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Whose time of day.
    pub zone: Zone,
    /// The moment of looking.
    pub now: Time,
}

impl Shown {
    /// In this machine's zone where local times are shown, else in UTC.
    pub fn new(times: Times, zone: Zone, now: Time) -> Shown {
        Shown { zone: if times == Times::Local { zone } else { UTC }, now }
    }
}

/// A part of what is known of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A word and what it stands before; the text in as many lines as it needs.
    Said(String, Role, String),
}

impl Block {
    /// A heading.
    pub fn heading(heading: impl AsRef<str>) -> Block {
        Block::Heading(text::sanitise(heading.as_ref()).into_owned())
    }

    /// `text` after `label`.
    pub fn said(label: impl AsRef<str>, role: Role, said: impl Into<String>) -> Block {
        Block::Said(text::sanitise(label.as_ref()).into_owned(), role, said.into())
    }
}

impl Row {
    /// What tells it from other rows of its report: its finding or entity, else all that it says.
    pub fn key(&self) -> String {
        let own = self.finding.as_ref().or(self.entity.as_ref()).cloned();
        let words = || self.cells.iter().map(Cell::words).filter(|text| !text.is_empty());
        own.unwrap_or_else(|| words().collect::<Vec<_>>().join("\t"))
    }

    /// All that is known of it, in a pane of `width` cells.
    pub fn lines(&self, width: usize) -> Vec<TextLine> {
        let mut page = Page::new(width);
        for block in &self.detail {
            match block {
                Block::Heading(heading) => page.heading(heading),
                Block::Said(label, role, said) => page.labelled(&format!("  {label}"), *role, said),
            }
        }
        page.into_lines()
    }

    /// Whether a value of it contains `wanted`, given in lower case.
    pub fn contains(&self, wanted: &str) -> bool {
        let in_text = |value: &Value| match value {
            Value::Text(text) => text.to_lowercase().contains(wanted),
            _ => false,
        };
        wanted.is_empty() || self.cells.iter().any(|cell| in_text(&cell.value))
    }
}

/// What an answer lacks, on one line; `None` where it is whole.
fn lacking(completeness: &Completeness) -> Option<TextLine> {
    let words: Vec<&str> = completeness.reasons.iter().map(|reason| basis::lack(*reason)).collect();
    let because = if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
    (!completeness.complete).then(|| TextLine::new(Role::Warning, format!("incomplete{because}")))
}
