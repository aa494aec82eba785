//! Which columns of a row are its key, its version, what it refers to, and its fields.

use super::expression::Column;
use super::shape::{Cell, Change, Own, Row, Verb};
use crate::naming::{self, kind_of};

/// More columns of one row are not read.
const COLUMNS_MAX: usize = 64;

/// What a statement says of rows of one table.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Columns that have one of these values.
    pub(super) keys: Vec<(Column, Vec<Cell>)>,
    /// What becomes of columns.
    pub(super) changes: Vec<(Column, Change)>,
    /// Columns that are compared in other ways.
    pub(super) compared: Vec<Column>,
    /// Whether it is one row, whatever its key.
    pub(super) single: bool,
}

/// Columns by which optimistic locking counts.
const VERSIONS: &[&str] = &[
    "version",
    "lock_version",
    "row_version",
    "rowversion",
    "revision",
    "rev",
    "opt_lock",
    "optlock",
    "version_id",
    "xmin",
    "concurrency_stamp",
    "etag",
];

/// Whether a column holds a row's version.
pub(super) fn is_version(name: &str) -> bool {
    VERSIONS.contains(&naming::snake(name).trim_start_matches('_'))
}

/// Whether a column names a thing: `id`, `order_id`.
pub(super) fn is_key(name: &str) -> bool {
    is_bare_key(name) || kind_of(name).is_some()
}

fn is_bare_key(name: &str) -> bool {
    ["id", "uuid", "key", "_id"].iter().any(|bare| name.eq_ignore_ascii_case(bare))
}

/// The row of a table of `kind`.
pub(super) fn row(kind: &str, verb: Verb, written: Written) -> Row {
    let mut row = Row::default();
    let inserted = verb == Verb::Insert;
    for (column, cells) in &written.keys {
        row.name(kind, &column.name, cells.clone());
        if is_version(&column.name)
            && let [only] = cells.as_slice()
        {
            row.expected_version = Some(only.clone());
        }
    }
    for (column, change) in written.changes.iter().take(COLUMNS_MAX) {
        if inserted && let Change::Set(cell) = change {
            row.name(kind, &column.name, vec![cell.clone()]);
        }
    }
    for (column, change) in written.changes.into_iter().take(COLUMNS_MAX) {
        let own_key = is_bare_key(&column.name) || kind_of(&column.name).as_deref() == Some(kind);
        if own_key && matches!(verb, Verb::Insert | Verb::Select) {
            continue;
        }
        if is_version(&column.name) && verb != Verb::Select {
            row.version = Some(change);
        } else {
            row.changes.push((naming::snake(&column.name), change));
        }
    }
    row.guard(written.keys, &written.compared);
    // A version alone is a field, so that the touch of it is not lost.
    if row.changes.is_empty()
        && let Some(version @ (Change::Set(_) | Change::Add(_))) = &row.version
    {
        row.changes.push(("version".into(), version.clone()));
    }
    // An auto-incremented key is computed, or not spoken of at all.
    let computed = matches!(&row.own, Own::Cells(cells) if cells.contains(&Cell::Computed));
    if computed || row.own == Own::Many {
        row.own = if written.single { Own::Hidden } else { Own::Many };
    }
    row
}

impl Row {
    /// Notes what `column` names, if it names a thing.
    fn name(&mut self, kind: &str, column: &str, cells: Vec<Cell>) {
        let named = if is_bare_key(column) { Some(kind.to_owned()) } else { kind_of(column) };
        match named {
            // `id` is surer than `order_id` in a table of orders: that may be another one's.
            Some(named) if named == kind && (self.own == Own::Many || is_bare_key(column)) => {
                self.own = Own::Cells(cells);
            }
            Some(named) if named != kind && !cells.contains(&Cell::Computed) => {
                self.refers.push((named, cells));
            }
            _ => {}
        }
    }

    fn guard(&mut self, keys: Vec<(Column, Vec<Cell>)>, compared: &[Column]) {
        let changed =
            |name: &str, row: &Row| row.changes.iter().any(|(field, _)| *field == naming::snake(name));
        for (column, mut cells) in keys {
            if changed(&column.name, self) && !is_key(&column.name) {
                let from = if cells.len() == 1 { cells.remove(0) } else { Cell::Computed };
                self.guards.push((naming::snake(&column.name), from));
            }
        }
        for column in compared.iter().filter(|column| !is_key(&column.name)) {
            if changed(&column.name, self) {
                self.guards.push((naming::snake(&column.name), Cell::Computed));
            }
        }
    }
}
