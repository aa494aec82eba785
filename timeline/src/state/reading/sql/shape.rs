//! What a statement does to rows, whatever its values are: made once per text, kept.

use crate::value::Value;

/// A value's place in a statement, or a value that is always the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// The bound value of this number.
    Bound(usize),
    /// The negative of the bound value of this number.
    Negative(usize),
    /// The same in every execution: `NULL`, `TRUE`.
    Constant(Value),
    /// Computed by the database.
    Computed,
}

/// What becomes of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// It is set to this.
    Set(Cell),
    /// This is added to it.
    Add(Cell),
    /// This is taken from it.
    Subtract(Cell),
    /// This is appended to it.
    Append(Cell),
    /// It is read.
    Read,
}

/// What is done to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// They are made, or made anew.
    Insert,
    /// They are changed.
    Update,
    /// They are deleted.
    Delete,
    /// They are read.
    Select,
}

/// A statement on one table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Touch {
    /// The database or schema that the statement names.
    pub(super) schema: Option<String>,
    /// The table.
    pub(super) table: String,
    /// The type that its rows are, or are copies of.
    pub(super) kind: String,
    /// What is done.
    pub(super) verb: Verb,
    /// Each row of an INSERT; one for all rows that another statement addresses.
    pub(super) rows: Vec<Row>,
    /// Whether it may succeed and do nothing: `DO NOTHING`, a compare-and-set.
    pub(super) conditional: bool,
    /// Whether it hands back the rows that it changed: how many came is how many it changed.
    pub(super) returning: bool,
}

/// Which rows, and what becomes of their columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    /// The row's own key.
    pub(super) own: Own,
    /// The things that the row refers to: type, column, values.
    pub(super) refers: Vec<(String, Vec<Cell>)>,
    /// What becomes of its columns, by field.
    pub(super) changes: Vec<(String, Change)>,
    /// What columns were compared with, of those that are changed.
    pub(super) guards: Vec<(String, Cell)>,
    /// What becomes of its version.
    pub(super) version: Option<Change>,
    /// The version that it must have.
    pub(super) expected_version: Option<Cell>,
}

/// A row's own key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Own {
    /// One of these.
    Cells(Vec<Cell>),
    /// A single row, whose key the database makes or nobody recorded.
    Hidden,
    /// Rows that no key names.
    #[default]
    Many,
}

/// One step of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// It touches a table.
    Touch(Touch),
    /// It begins or ends a transaction.
    Control(Control),
}

/// The bounds of transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::state::reading) enum Control {
    /// `BEGIN`.
    Begin,
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK`.
    Rollback,
    /// `SAVEPOINT name`.
    Savepoint(String),
    /// `ROLLBACK TO name`.
    RollbackTo(String),
}

/// Everything that a text of statements does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// Its steps, in order.
    pub(super) steps: Vec<Step>,
}
