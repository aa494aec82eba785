//! SQL: what a statement reads and writes, of which rows.
//!
//! | file            | what it alone knows                                                      |
//! |-----------------|--------------------------------------------------------------------------|
//! | `normal.rs`     | a statement with its values cut out                                      |
//! | `expression.rs` | expressions: values, columns, conditions                                 |
//! | `build.rs`      | from a parsed statement to its shape                                     |
//! | `rows.rs`       | which columns are keys, versions, references, fields                     |
//! | `shape.rs`      | what a statement does, whatever its values are                           |
//! | `bind.rs`       | from a shape and its values to operations                                |
//! | `parameters.rs` | the values that instrumentation recorded beside a statement              |
//! | `shallow.rs`    | what can be said of a statement that does not parse, or is not there     |

mod bind;
mod build;
mod expression;
mod normal;
mod parameters;
mod rows;
mod shallow;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use sqlparser::dialect::{
    Dialect, GenericDialect, MsSqlDialect, MySqlDialect, OracleDialect, PostgreSqlDialect, SQLiteDialect,
};
use sqlparser::parser::Parser;

use super::draft::Draft;
use super::outcome::{affected, outcome};
use crate::record::Span;
use crate::value::{Attributes, Value};
use bind::Bindings;
use normal::normal;
pub(in crate::state::reading) use shape::Control;
use shape::{Shape, Step};

/// Longer statements are generated batches: only their verb and table are read.
const STATEMENT_BYTES_MAX: usize = 32 * 1024;
/// So many shapes are kept; an application has hundreds.
const SHAPES_MAX: usize = 4_096;
/// The parser's stack is bounded by how deep expressions nest.
const RECURSION_MAX: usize = 40;

/// How a database writes its statements, as far as it matters before parsing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Flavour {
    /// `"name"`, `$1`, `E'…'`.
    PostgreSql,
    /// `` `name` ``, `"text"`, backslashes.
    MySql,
    /// SQLite.
    Sqlite,
    /// `[name]`, `@name`.
    MsSql,
    /// Oracle.
    Oracle,
    /// Any other.
    Other,
}

impl Flavour {
    /// By `db.system.name`, old and new values.
    pub(super) fn of(system: &str) -> Flavour {
        match system {
            "postgresql" | "postgres" | "cockroachdb" | "redshift" => Flavour::PostgreSql,
            "mysql" | "mariadb" => Flavour::MySql,
            "sqlite" => Flavour::Sqlite,
            "mssql" | "microsoft.sql_server" => Flavour::MsSql,
            "oracle" | "oracle.db" => Flavour::Oracle,
            _ => Flavour::Other,
        }
    }

    fn dialect(self) -> Box<dyn Dialect> {
        match self {
            Flavour::PostgreSql => Box::new(PostgreSqlDialect {}),
            Flavour::MySql => Box::new(MySqlDialect {}),
            Flavour::Sqlite => Box::new(SQLiteDialect {}),
            Flavour::MsSql => Box::new(MsSqlDialect {}),
            Flavour::Oracle => Box::new(OracleDialect {}),
            Flavour::Other => Box::new(GenericDialect {}),
        }
    }
}

/// Statements read so far, by their text without values.
#[derive(Default)]
pub(crate) struct Statements {
    shapes: HashMap<(Flavour, String), Arc<Shape>>,
}

/// What one span's statements did.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// The operations.
    pub(crate) drafts: Vec<Draft>,
    /// Beginnings and ends of transactions, each before the draft of this number.
    pub(crate) controls: Vec<(usize, Control)>,
}

impl Statements {
    /// What `span` says of a database that is asked in SQL; nothing where it speaks of none.
    pub(crate) fn read(&mut self, span: &Span) -> Option<Read> {
        let attributes = &span.attributes;
        let text = |names: &[&str]| attributes.get_any(names).and_then(Value::as_str);
        let system = text(&["db.system.name", "db.system"])?;
        if matches!(system, "redis" | "valkey" | "memcached" | "elasticsearch" | "opensearch") {
            return None;
        }
        let flavour = Flavour::of(system);
        let namespace = text(&["db.namespace", "db.name"]).unwrap_or("");
        let namespace = namespace.split('|').next().filter(|name| !name.is_empty()).unwrap_or(system);
        let place =
            bind::Place { flavour, namespace, outcome: outcome(span), affected: affected(attributes) };
        let statement = text(&["db.query.text", "db.statement"]).unwrap_or("");
        let normal = if statement.len() > STATEMENT_BYTES_MAX {
            normal::Normal::default()
        } else {
            normal(statement, flavour)
        };
        let shape = self.shape(flavour, &normal.text, statement);
        if shape.steps.is_empty() {
            return shallow::read(attributes, statement, &place);
        }
        let bindings = Bindings { bound: &normal.bound, parameters: parameters(attributes, &normal.bound) };
        let mut read = Read::default();
        for step in &shape.steps {
            match step {
                Step::Control(control) => read.controls.push((read.drafts.len(), control.clone())),
                Step::Touch(touch) => bind::bind(touch, &bindings, &place, &mut read.drafts),
            }
        }
        Some(read)
    }

    fn shape(&mut self, flavour: Flavour, text: &str, statement: &str) -> Arc<Shape> {
        if text.trim().is_empty() {
            return Arc::default();
        }
        // Borrowing a pair as a key would need a copy of the text; a map by flavour would not, and is not worth it.
        let key = (flavour, text.to_owned());
        if let Some(shape) = self.shapes.get(&key) {
            return Arc::clone(shape);
        }
        let parsed = parse(flavour, text);
        if parsed.is_none()
            && let Some(shape) = parse(flavour, statement)
        {
            return Arc::new(shape); // its values are part of it
        }
        let shape = Arc::new(parsed.unwrap_or_default());
        if self.shapes.len() >= SHAPES_MAX {
            self.shapes.clear();
        }
        self.shapes.insert(key, Arc::clone(&shape));
        shape
    }
}

/// In the database's own dialect, else in the generic one; `None` where neither understands it.
fn parse(flavour: Flavour, text: &str) -> Option<Shape> {
    if let Some(control) = shallow::control(text) {
        return Some(Shape { steps: vec![Step::Control(control)] });
    }
    let with = |dialect: &dyn Dialect| {
        let parser = Parser::new(dialect).with_recursion_limit(RECURSION_MAX).try_with_sql(text).ok();
        parser.and_then(|mut parser| parser.parse_statements().ok())
    };
    let statements = with(flavour.dialect().as_ref()).or_else(|| with(&GenericDialect {}))?;
    Some(Shape::of(&statements))
}

/// The recorded parameters, if the statement has any.
fn parameters(attributes: &Attributes, bound: &[normal::Bound]) -> parameters::Parameters {
    let any = bound.iter().any(|bound| matches!(bound, normal::Bound::Parameter(_)));
    if any { parameters::Parameters::of(attributes) } else { parameters::Parameters::default() }
}
