//! Expressions of a parsed statement: values, columns, conditions.

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, InTarget, ObjectName,
    ObjectNamePart, UnaryOperator, Value as Literal,
};

use super::shape::{Cell, Change};
use crate::value::Value;

/// A column as a statement writes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// The table or alias before the dot, in lower case.
    pub(super) qualifier: Option<String>,
    /// Its name as written.
    pub(super) name: String,
}

/// Conditions that all hold of every row addressed.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// A column is one of these values.
    pub(super) values: Vec<(Column, Vec<Cell>)>,
    /// Two columns are equal.
    pub(super) equal: Vec<(Column, Column)>,
    /// Columns that are compared in another way.
    pub(super) compared: Vec<Column>,
}

/// The value of `expr`, if it is one.
pub(super) fn cell(expr: &Expr) -> Option<Cell> {
    match expr {
        Expr::Value(value) => literal(&value.value),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::Collate { expr: inner, .. } => {
            cell(inner)
        }
        Expr::Prefixed { value, .. } => cell(value),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match cell(expr)? {
            Cell::Bound(number) => Some(Cell::Negative(number)),
            Cell::Constant(Value::Int(number)) => Some(Cell::Constant(Value::Int(number.checked_neg()?))),
            _ => None,
        },
        Expr::TypedString(typed) => literal(&typed.value.value),
        _ => None,
    }
}

fn literal(value: &Literal) -> Option<Cell> {
    Some(match value {
        Literal::Placeholder(name) => Cell::Bound(name.strip_prefix(":b")?.parse().ok()?),
        Literal::Boolean(truth) => Cell::Constant(Value::Bool(*truth)),
        Literal::Null => Cell::Constant(Value::Empty),
        Literal::Number(text, _) => Cell::Constant(match text.parse() {
            Ok(number) => Value::Int(number),
            Err(_) => Value::from(text.as_str()),
        }),
        Literal::SingleQuotedString(text)
        | Literal::EscapedStringLiteral(text)
        | Literal::NationalStringLiteral(text) => Cell::Constant(Value::from(text.as_str())),
        _ => return None,
    })
}

/// The column that `expr` is, if it is one.
pub(super) fn column(expr: &Expr) -> Option<Column> {
    match expr {
        Expr::Identifier(name) => Some(Column { qualifier: None, name: name.value.clone() }),
        Expr::CompoundIdentifier(parts) => of_parts(parts.iter()),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => column(inner),
        _ => None,
    }
}

/// The column that a name in an assignment or a column list is.
pub(super) fn column_named(name: &ObjectName) -> Option<Column> {
    of_parts(idents(name))
}

/// The identifiers of a dotted name.
pub(super) fn idents(name: &ObjectName) -> impl DoubleEndedIterator<Item = &Ident> {
    name.0.iter().filter_map(|part| match part {
        ObjectNamePart::Identifier(ident) => Some(ident),
        ObjectNamePart::Function(_) => None,
    })
}

fn of_parts<'a>(parts: impl DoubleEndedIterator<Item = &'a Ident>) -> Option<Column> {
    let mut parts = parts.rev();
    let name = parts.next()?.value.clone();
    Some(Column { qualifier: parts.next().map(|part| part.value.to_ascii_lowercase()), name })
}

/// What `column = expr` makes of the column.
pub(super) fn change(target: &Column, expr: &Expr) -> Change {
    let is_target = |expr: &Expr| is_column(expr, &target.name);
    let set = |expr: &Expr| Change::Set(cell(expr).unwrap_or(Cell::Computed));
    match expr {
        Expr::Nested(inner) => change(target, inner),
        Expr::BinaryOp { left, op, right } => match (op, cell(left), cell(right)) {
            (BinaryOperator::Plus, _, Some(value)) if is_target(left) => Change::Add(value),
            (BinaryOperator::Plus, Some(value), _) if is_target(right) => Change::Add(value),
            (BinaryOperator::Minus, _, Some(value)) if is_target(left) => Change::Subtract(value),
            (BinaryOperator::StringConcat, _, Some(value)) if is_target(left) => Change::Append(value),
            _ => set(expr),
        },
        Expr::Function(function) => {
            let name = idents(&function.name).next_back().map(|name| name.value.to_ascii_lowercase());
            let arguments = arguments(&function.args);
            match (name.as_deref(), arguments.as_slice()) {
                (Some("concat" | "array_append" | "json_array_append"), [first, .., last])
                    if is_target(first) =>
                {
                    Change::Append(cell(last).unwrap_or(Cell::Computed))
                }
                _ => set(expr),
            }
        }
        _ => set(expr),
    }
}

/// Whether `expr` is the column of this name, or that column with a value for its absence.
fn is_column(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Nested(inner) => is_column(inner, name),
        Expr::Function(function) => {
            let called = idents(&function.name).next_back().map(|called| called.value.to_ascii_lowercase());
            matches!(called.as_deref(), Some("coalesce" | "ifnull" | "isnull"))
                && arguments(&function.args).first().is_some_and(|first| is_column(first, name))
        }
        other => column(other).is_some_and(|column| column.name.eq_ignore_ascii_case(name)),
    }
}

/// The plain arguments of a function.
pub(super) fn arguments(arguments: &FunctionArguments) -> Vec<&Expr> {
    let FunctionArguments::List(list) = arguments else { return Vec::new() };
    let plain = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    plain.collect()
}

impl Conditions {
    /// Adds what `expr` demands of every row. What stands under OR or NOT demands nothing.
    pub(super) fn add(&mut self, expr: &Expr) {
        // Long chains of AND lean to the left: walked, not recursed into.
        let mut rest = expr;
        while let Expr::BinaryOp { left, op: BinaryOperator::And, right } = rest {
            self.add_one(right);
            rest = left;
        }
        self.add_one(rest);
    }

    fn add_one(&mut self, expr: &Expr) {
        match expr {
            Expr::Nested(inner) => self.add(inner),
            Expr::BinaryOp { op: BinaryOperator::And, .. } => self.add(expr),
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => self.add_equal(left, right),
            Expr::BinaryOp { left, right, op } if is_comparison(op) => {
                self.compared.extend(column(left).or_else(|| column(right)));
            }
            Expr::In { expr, target, negated: false, .. } => {
                let cells: Option<Vec<Cell>> = match target {
                    InTarget::List(list) => list.iter().map(cell).collect(),
                    _ => None,
                };
                if let (Some(column), Some(cells)) = (column(expr), cells) {
                    self.values.push((column, cells));
                }
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                let cells = match &**right {
                    Expr::Array(array) => array.elem.iter().map(cell).collect(),
                    other => cell(other).map(|cell| vec![cell]),
                };
                if let (Some(column), Some(cells)) = (column(left), cells) {
                    self.values.push((column, cells));
                }
            }
            Expr::Between { expr, .. } => self.compared.extend(column(expr)),
            _ => {}
        }
    }

    fn add_equal(&mut self, left: &Expr, right: &Expr) {
        if let (Expr::Tuple(columns), Expr::Tuple(values)) = (left, right) {
            columns.iter().zip(values).for_each(|(left, right)| self.add_equal(left, right));
            return;
        }
        match (column(left), column(right)) {
            (Some(a), Some(b)) => self.equal.push((a, b)),
            (Some(column), None) => self.add_value(column, right),
            (None, Some(column)) => self.add_value(column, left),
            (None, None) => {}
        }
    }

    fn add_value(&mut self, column: Column, value: &Expr) {
        match cell(value) {
            Some(cell) => self.values.push((column, vec![cell])),
            None => self.compared.push(column),
        }
    }

    /// Gives columns that equal another column the other's values: `ON c.order_id = o.id WHERE o.id = 42`.
    pub(super) fn spread(&mut self) {
        for (a, b) in std::mem::take(&mut self.equal) {
            for (known, other) in [(&a, &b), (&b, &a)] {
                let cells =
                    self.values.iter().find(|(column, _)| column == known).map(|(_, cells)| cells.clone());
                if let Some(cells) = cells
                    && !self.values.iter().any(|(column, _)| column == other)
                {
                    self.values.push((other.clone(), cells));
                }
            }
        }
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Gt
            | BinaryOperator::Lt
            | BinaryOperator::GtEq
            | BinaryOperator::LtEq
            | BinaryOperator::NotEq
    )
}
