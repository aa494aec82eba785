//! From a parsed statement to its shape.

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, Expr, FromTable, Insert, JoinConstraint,
    JoinOperator, Merge, MergeAction, MergeInsertKind, MergeUpdateKind, ObjectName, OnConflictAction,
    OnInsert, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement, TableAlias,
    TableFactor, TableObject, TableWithJoins, Update, UpdateTableFromKind,
};

use super::expression::{Column, Conditions, arguments, cell, change, column, column_named, idents};
use super::rows::{Written, row};
use super::shape::{Cell, Change, Control, Shape, Step, Touch, Verb};
use crate::state::reading::table;

/// How deep statements nest: common table expressions, derived tables.
const DEPTH_MAX: usize = 8;
/// More rows of one INSERT are not read one by one.
const ROWS_MAX: usize = 200;

/// A table that a statement speaks of.
#[derive(Clone, Debug)]
struct Source {
    schema: Option<String>,
    table: String,
    alias: Option<String>,
}

impl Shape {
    /// The shape of these statements.
    pub(super) fn of(statements: &[Statement]) -> Shape {
        let mut shape = Shape::default();
        statements.iter().for_each(|statement| shape.add(statement, 0));
        shape
    }

    fn add(&mut self, statement: &Statement, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        match statement {
            Statement::Query(query) => self.query(query, depth),
            Statement::Insert(insert) => self.insert(insert, depth),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            Statement::Truncate(truncate) => {
                let sources = truncate.table_names.iter().filter_map(|target| source(&target.name, None));
                sources.for_each(|source| self.touch(&source, Verb::Delete, Written::default()));
            }
            Statement::StartTransaction { statements, .. } => {
                self.steps.push(Step::Control(Control::Begin));
                statements.iter().for_each(|statement| self.add(statement, depth + 1));
            }
            Statement::Commit { .. } => self.steps.push(Step::Control(Control::Commit)),
            Statement::Rollback { savepoint: None, .. } => self.steps.push(Step::Control(Control::Rollback)),
            Statement::Rollback { savepoint: Some(name), .. } => {
                self.steps.push(Step::Control(Control::RollbackTo(name.value.to_ascii_lowercase())));
            }
            Statement::Savepoint { name } => {
                self.steps.push(Step::Control(Control::Savepoint(name.value.to_ascii_lowercase())));
            }
            _ => {}
        }
    }

    fn touch(&mut self, source: &Source, verb: Verb, written: Written) {
        self.touch_rows(source, verb, vec![written], false, false);
    }

    fn touch_rows(
        &mut self,
        source: &Source,
        verb: Verb,
        written: Vec<Written>,
        conditional: bool,
        returning: bool,
    ) {
        let kind = table::kind(&source.table);
        let rows: Vec<_> = written.into_iter().map(|written| row(&kind, verb, written)).collect();
        let compares = verb == Verb::Update
            && rows.iter().any(|row| row.expected_version.is_some() || !row.guards.is_empty());
        self.steps.push(Step::Touch(Touch {
            schema: source.schema.clone(),
            table: source.table.clone(),
            conditional: conditional || compares,
            kind,
            verb,
            rows,
            returning,
        }));
    }

    fn query(&mut self, query: &Query, depth: usize) {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            if depth < DEPTH_MAX {
                self.query(&cte.query, depth + 1);
            }
        }
        let hidden: Vec<String> = query
            .with
            .iter()
            .flat_map(|with| &with.cte_tables)
            .map(|cte| cte.alias.name.value.to_ascii_lowercase())
            .collect();
        self.set(&query.body, &hidden, depth);
    }

    fn set(&mut self, body: &SetExpr, hidden: &[String], depth: usize) {
        match body {
            SetExpr::Select(select) => self.select(select, hidden, depth),
            SetExpr::Query(query) if depth < DEPTH_MAX => self.query(query, depth + 1),
            SetExpr::SetOperation { left, right, .. } if depth < DEPTH_MAX => {
                self.set(left, hidden, depth + 1);
                self.set(right, hidden, depth + 1);
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => self.add(statement, depth + 1),
            _ => {}
        }
    }

    fn select(&mut self, select: &Select, hidden: &[String], depth: usize) {
        let mut from = From::default();
        select.from.iter().for_each(|table| from.add(table));
        if let Some(selection) = &select.selection {
            from.conditions.add(selection);
        }
        from.conditions.spread();
        if depth < DEPTH_MAX {
            from.derived.iter().for_each(|query| self.query(query, depth + 1));
        }
        let sources: Vec<Source> = from
            .sources
            .iter()
            .filter(|source| !hidden.contains(&source.table.to_ascii_lowercase()))
            .cloned()
            .collect();
        let alone = from.sources.len() + from.derived.len() == 1;
        for (at, source) in sources.iter().enumerate() {
            let selected = selected(&select.projection, source, alone);
            if selected.is_none() && at > 0 {
                continue; // joined, and nothing of it is read
            }
            let changes = selected.unwrap_or_default().into_iter().map(|column| (column, Change::Read));
            let written = from.written(source, changes.collect(), alone || at == 0);
            self.touch(source, Verb::Select, written);
        }
    }

    fn update(&mut self, update: &Update) {
        let mut from = From::default();
        from.add(&update.table);
        if let Some(UpdateTableFromKind::BeforeSet(tables) | UpdateTableFromKind::AfterSet(tables)) =
            &update.from
        {
            tables.iter().for_each(|table| from.add(table));
        }
        if let Some(selection) = &update.selection {
            from.conditions.add(selection);
        }
        from.conditions.spread();
        // SQL Server writes UPDATE o SET … FROM orders o: the target is an alias.
        let Some(first) = from.sources.first().cloned() else { return };
        let aliased = from.sources.iter().skip(1).find(|source| source.is(&first.table)).cloned();
        if aliased.is_some() {
            from.sources.remove(0);
        }
        let main = aliased.unwrap_or(first);
        let mut changes: Vec<(Source, Vec<(Column, Change)>)> = Vec::new();
        for (column, change) in assigned(&update.assignments) {
            let target =
                column.qualifier.as_deref().and_then(|name| from.sources.iter().find(|s| s.is(name)));
            let target = target.unwrap_or(&main);
            match changes.iter_mut().find(|(source, _)| source.table == target.table) {
                Some((_, list)) => list.push((column, change)),
                None => changes.push((target.clone(), vec![(column, change)])),
            }
        }
        let returning = update.returning.is_some() || update.output.is_some();
        for (source, list) in changes {
            let written = from.written(&source, list, source.table == main.table);
            self.touch_rows(&source, Verb::Update, vec![written], false, returning);
        }
    }

    fn delete(&mut self, delete: &Delete) {
        let mut from = From::default();
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        tables.iter().chain(delete.using.iter().flatten()).for_each(|table| from.add(table));
        if let Some(selection) = &delete.selection {
            from.conditions.add(selection);
        }
        from.conditions.spread();
        let named: Vec<String> = delete
            .tables
            .iter()
            .filter_map(|name| idents(name).next_back().map(|name| name.value.clone()))
            .collect();
        let targets: Vec<Source> = if named.is_empty() {
            from.sources.first().into_iter().cloned().collect()
        } else {
            from.sources.iter().filter(|source| named.iter().any(|name| source.is(name))).cloned().collect()
        };
        for source in targets {
            let written = from.written(&source, Vec::new(), true);
            let returning = delete.returning.is_some() || delete.output.is_some();
            self.touch_rows(&source, Verb::Delete, vec![written], false, returning);
        }
    }

    fn insert(&mut self, insert: &Insert, depth: usize) {
        let TableObject::TableName(name) = &insert.table else { return };
        let Some(source) = source(name, None) else { return };
        let columns: Vec<Column> = insert.columns.iter().filter_map(column_named).collect();
        let mut rows: Vec<Written> = Vec::new();
        match insert.source.as_deref().map(|query| (&*query.body, query)) {
            Some((SetExpr::Values(values), _)) => {
                for cells in values.rows.iter().take(ROWS_MAX) {
                    let cells = cells.content.iter().map(|expr| cell(expr).unwrap_or(Cell::Computed));
                    let changes = columns.iter().cloned().zip(cells.map(Change::Set)).collect();
                    rows.push(Written { changes, single: true, ..Written::default() });
                }
            }
            // INSERT INTO t (…) SELECT $1, $2 WHERE NOT EXISTS …: one row of values.
            Some((SetExpr::Select(select), _)) if select.from.is_empty() => {
                let cells = select
                    .projection
                    .iter()
                    .map(|item| projected(item).and_then(cell).unwrap_or(Cell::Computed));
                let changes = columns.iter().cloned().zip(cells.map(Change::Set)).collect();
                rows.push(Written { changes, single: true, ..Written::default() });
            }
            Some((_, query)) => {
                let changes =
                    columns.iter().cloned().map(|column| (column, Change::Set(Cell::Computed))).collect();
                rows.push(Written { changes, single: false, ..Written::default() });
                self.query(query, depth + 1);
            }
            None => {
                let changes = assigned(&insert.assignments);
                rows.push(Written { changes, single: true, ..Written::default() });
            }
        }
        let mut conditional = insert.ignore
            || insert.or.is_some_and(|or| or == sqlparser::ast::SqliteOnConflict::Ignore)
            || matches!(insert.source.as_deref().map(|query| &*query.body), Some(SetExpr::Select(_)));
        match &insert.on {
            Some(OnInsert::DuplicateKeyUpdate(assignments)) => upsert(&mut rows, assignments, &[]),
            Some(OnInsert::OnConflict(conflict)) => match &conflict.action {
                OnConflictAction::DoNothing => conditional = true,
                OnConflictAction::DoUpdate(update) => {
                    conditional |= update.selection.is_some();
                    let target = match &conflict.conflict_target {
                        Some(ConflictTarget::Columns { columns, .. }) => columns.as_slice(),
                        _ => &[],
                    };
                    let target: Vec<String> = target.iter().map(|column| column.value.clone()).collect();
                    upsert(&mut rows, &update.assignments, &target);
                }
            },
            _ => {}
        }
        let returning = insert.returning.is_some() || insert.output.is_some();
        self.touch_rows(&source, Verb::Insert, rows, conditional, returning);
    }

    fn merge(&mut self, merge: &Merge) {
        let TableFactor::Table { name, alias, .. } = &merge.table else { return };
        let Some(target) = source(name, alias.as_ref()) else { return };
        let values = merged_values(&merge.source);
        let resolve = |expr: &Expr| -> Option<Cell> {
            let named = column(expr).and_then(|column| {
                values
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(&column.name))
                    .map(|(_, cell)| cell.clone())
            });
            named.or_else(|| cell(expr))
        };
        let mut conditions = Conditions::default();
        conditions.add(&merge.on);
        let mut keys: Vec<(Column, Vec<Cell>)> = conditions.values;
        for (a, b) in conditions.equal {
            let (mine, theirs) =
                if b.qualifier.as_deref().is_some_and(|name| target.is(name)) { (b, a) } else { (a, b) };
            let value = values.iter().find(|(name, _)| name.eq_ignore_ascii_case(&theirs.name));
            keys.extend(value.map(|(_, cell)| (mine, vec![cell.clone()])));
        }
        let mut changes: Vec<(Column, Change)> = Vec::new();
        let mut deletes = false;
        for clause in &merge.clauses {
            match &clause.action {
                MergeAction::Update(update) => {
                    let MergeUpdateKind::Set(assignments) = &update.kind else { continue };
                    for assignment in assignments {
                        let Some(column) = target_of(&assignment.target) else { continue };
                        let made = resolve(&assignment.value).map(Change::Set);
                        let made = made.unwrap_or_else(|| change(&column, &assignment.value));
                        changes.push((column, made));
                    }
                }
                MergeAction::Insert(insert) => {
                    let MergeInsertKind::Values(list) = &insert.kind else { continue };
                    let Some(cells) = list.rows.first() else { continue };
                    for (name, value) in insert.columns.iter().zip(&cells.content) {
                        let Some(column) = column_named(name) else { continue };
                        if !changes.iter().any(|(other, _)| other.name.eq_ignore_ascii_case(&column.name)) {
                            changes.push((column, Change::Set(resolve(value).unwrap_or(Cell::Computed))));
                        }
                    }
                }
                MergeAction::Delete { .. } => deletes = true,
                MergeAction::DoNothing { .. } => {}
            }
        }
        let single = !values.is_empty();
        let conditional = merge.clauses.iter().any(|clause| clause.predicate.is_some());
        let verb = if deletes && changes.is_empty() { Verb::Delete } else { Verb::Insert };
        let written = Written { keys, changes, compared: Vec::new(), single };
        self.touch_rows(&target, verb, vec![written], conditional, merge.output.is_some());
    }
}

/// The tables of a FROM clause, and what is demanded of them.
#[derive(Default)]
struct From<'a> {
    sources: Vec<Source>,
    derived: Vec<&'a Query>,
    conditions: Conditions,
}

impl<'a> From<'a> {
    fn add(&mut self, tables: &'a TableWithJoins) {
        self.factor(&tables.relation);
        for join in &tables.joins {
            self.factor(&join.relation);
            let (JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)) = &join.join_operator
            else {
                continue;
            };
            if let JoinConstraint::On(expr) = constraint {
                self.conditions.add(expr);
            }
        }
    }

    fn factor(&mut self, factor: &'a TableFactor) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                self.sources.extend(source(name, alias.as_ref()));
            }
            TableFactor::Derived { subquery, .. } => self.derived.push(subquery),
            TableFactor::NestedJoin { table_with_joins, .. } if self.sources.len() < 32 => {
                self.add(table_with_joins);
            }
            _ => {}
        }
    }

    /// What concerns `source`: its own columns, and unqualified ones if it is the `main` table.
    fn written(&self, source: &Source, changes: Vec<(Column, Change)>, main: bool) -> Written {
        let mine = |column: &Column| match &column.qualifier {
            Some(name) => source.is(name),
            None => main,
        };
        let keys = self.conditions.values.iter().filter(|(column, _)| mine(column)).cloned().collect();
        let compared = self.conditions.compared.iter().filter(|column| mine(column)).cloned().collect();
        Written { keys, changes, compared, single: false }
    }
}

impl Source {
    /// Whether `name` stands for it.
    fn is(&self, name: &str) -> bool {
        self.table.eq_ignore_ascii_case(name)
            || self.alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(name))
    }
}

fn source(name: &ObjectName, alias: Option<&TableAlias>) -> Option<Source> {
    let mut parts = idents(name).rev();
    let table = parts.next()?.value.clone();
    let schema = parts.next().map(|part| part.value.clone());
    Some(Source { schema, table, alias: alias.map(|alias| alias.name.value.clone()) })
}

/// The columns that are read of `source`; none where all are or none can be named; `None` where nothing is.
fn selected(projection: &[SelectItem], source: &Source, alone: bool) -> Option<Vec<Column>> {
    let mut columns = Vec::new();
    let mut any = false;
    for item in projection {
        match item {
            SelectItem::Wildcard(_) => return Some(Vec::new()),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                if idents(name).next_back().is_some_and(|name| source.is(&name.value)) {
                    return Some(Vec::new());
                }
            }
            _ => {
                let Some(column) = projected(item).and_then(column) else { continue };
                let mine = column.qualifier.as_deref().map_or(alone, |name| source.is(name));
                any |= mine;
                if mine {
                    columns.push(column);
                }
            }
        }
    }
    any.then_some(columns)
}

fn projected(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

fn target_of(target: &AssignmentTarget) -> Option<Column> {
    match target {
        AssignmentTarget::ColumnName(name) => column_named(name),
        AssignmentTarget::Tuple(_) => None,
    }
}

fn assigned(assignments: &[Assignment]) -> Vec<(Column, Change)> {
    let mut changes = Vec::new();
    for assignment in assignments {
        match (&assignment.target, &assignment.value) {
            (AssignmentTarget::ColumnName(name), value) => {
                changes.extend(column_named(name).map(|column| (column.clone(), change(&column, value))));
            }
            (AssignmentTarget::Tuple(names), Expr::Tuple(values)) => {
                let pairs = names.iter().zip(values);
                changes.extend(pairs.filter_map(|(name, value)| {
                    column_named(name).map(|column| (column.clone(), change(&column, value)))
                }));
            }
            (AssignmentTarget::Tuple(names), _) => {
                let columns = names.iter().filter_map(column_named);
                changes.extend(columns.map(|column| (column, Change::Set(Cell::Computed))));
            }
        }
    }
    changes
}

/// What an INSERT makes of rows that exist already. What both ways write alike is known; what differs is computed.
/// Columns that it leaves alone then, but for the key that they conflict on, may or may not be written.
fn upsert(rows: &mut [Written], assignments: &[Assignment], target: &[String]) {
    for row in rows {
        for assignment in assignments {
            let Some(column) = target_of(&assignment.target) else { continue };
            let inserted =
                row.changes.iter().position(|(other, _)| other.name.eq_ignore_ascii_case(&column.name));
            if is_inserted(&assignment.value, &column.name) && inserted.is_some() {
                continue;
            }
            let updated = change(&column, &assignment.value);
            let version = super::rows::is_version(&column.name);
            match inserted.and_then(|at| row.changes.get_mut(at)) {
                Some((_, change)) if *change == updated => {}
                Some((_, change)) => *change = if version { updated } else { Change::Set(Cell::Computed) },
                None => row.changes.push((column, updated)),
            }
        }
        let kept = |name: &str| {
            target.iter().any(|column| column.eq_ignore_ascii_case(name))
                || super::rows::is_key(name)
                || assignments.iter().any(|a| {
                    target_of(&a.target).is_some_and(|column| column.name.eq_ignore_ascii_case(name))
                })
        };
        for (column, change) in &mut row.changes {
            if !kept(&column.name) {
                *change = Change::Set(Cell::Computed);
            }
        }
    }
}

/// `EXCLUDED.status`, `VALUES(status)`, `new.status`: what the INSERT would have written.
fn is_inserted(value: &Expr, name: &str) -> bool {
    match value {
        Expr::Function(function) => {
            let values =
                idents(&function.name).next_back().is_some_and(|f| f.value.eq_ignore_ascii_case("values"));
            values
                && arguments(&function.args)
                    .first()
                    .is_some_and(|e| column(e).is_some_and(|c| c.name.eq_ignore_ascii_case(name)))
        }
        other => column(other).is_some_and(|column| {
            let row = column.qualifier.as_deref();
            matches!(row, Some("excluded" | "new")) && column.name.eq_ignore_ascii_case(name)
        }),
    }
}

/// The one row of values that a MERGE takes in, by name.
fn merged_values(source: &TableFactor) -> Vec<(String, Cell)> {
    let TableFactor::Derived { subquery, alias, .. } = source else { return Vec::new() };
    let names: Vec<String> =
        alias.iter().flat_map(|alias| alias.columns.iter().map(|column| column.name.value.clone())).collect();
    match &*subquery.body {
        SetExpr::Values(values) if values.rows.len() == 1 => {
            let cells = values.rows.iter().flat_map(|row| row.content.iter());
            names.into_iter().zip(cells.map(|expr| cell(expr).unwrap_or(Cell::Computed))).collect()
        }
        SetExpr::Select(select) => {
            let aliased = select.projection.iter().enumerate().filter_map(|(at, item)| match item {
                SelectItem::ExprWithAlias { expr, alias } => Some((alias.value.clone(), expr)),
                SelectItem::UnnamedExpr(expr) => names.get(at).map(|name| (name.clone(), expr)),
                _ => None,
            });
            aliased.map(|(name, expr)| (name, cell(expr).unwrap_or(Cell::Computed))).collect()
        }
        _ => Vec::new(),
    }
}
