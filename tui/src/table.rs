//! A report under a cursor: filtered, sorted, counted.

use ratatui::layout::Rect;

use crate::keys::{Action, Key};
use crate::layout::Panes;
use crate::line::LineEdit;
use crate::lines::TextLine;
use crate::list::{Extent, List, Touch};
use crate::message::Mouse;
use crate::report::{Report, Row};
use crate::text;

/// A report, and which of its rows are shown in which order.
#[derive(Debug, Default)]
pub struct Table {
    /// The rows' cursor and the detail of the row under it.
    pub list: List,
    /// What rows are to contain.
    pub filter: LineEdit,
    /// Whether that is being typed.
    pub typing: bool,
    /// By which column, and whether from its largest value on; `None` for the answer's own order.
    pub sort: Option<(usize, bool)>,
    report: Report,
    /// The rows on show, by their place in the report.
    shown: Vec<usize>,
}

impl Table {
    /// What is shown.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Shows another answer to the same question: the cursor stays on its row, if that is still there.
    pub fn set(&mut self, report: Report) {
        self.change(|own| *own = report);
    }

    /// Changes the report; the cursor stays on its row, as far down the screen as it was.
    pub fn change(&mut self, with: impl FnOnce(&mut Report)) {
        let held = self.row().map(Row::key);
        with(&mut self.report);
        self.show(held.as_deref());
    }

    /// The rows on show, in their order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        self.shown.iter().map(|at| &self.report.rows[*at])
    }

    /// The row under the cursor.
    pub fn row(&self) -> Option<&Row> {
        self.report.rows.get(*self.shown.get(self.list.scroll.at)?)
    }

    /// How many are shown of how many: `300 keys`, `12 of 300 keys`.
    pub fn counts(&self) -> String {
        let (shown, total) = (self.shown.len() as u64, self.report.total);
        let (one, many) = self.report.noun;
        let of = text::counted(total, one, many);
        if shown == total { of } else { format!("{} of {of}", text::count(shown)) }
    }

    fn show(&mut self, held: Option<&str>) {
        let wanted = self.filter.text().trim().to_lowercase();
        let rows = &self.report.rows;
        self.shown = (0..rows.len()).filter(|at| rows[*at].contains(&wanted)).collect();
        if let Some((column, falling)) = self.sort {
            let value = |at: usize| rows[at].cells.get(column).map(|cell| &cell.value);
            self.shown.sort_by(|a, b| {
                let Some((a, b)) = value(*a).zip(value(*b)) else { return std::cmp::Ordering::Equal };
                // What is nothing stays last either way.
                let order = a.order(b);
                if falling && !a.is_nothing() && !b.is_nothing() { order.reverse() } else { order }
            });
        }
        let at = held.and_then(|held| self.shown.iter().position(|at| rows[*at].key() == held));
        match at {
            Some(at) => self.list.scroll.carry(at),
            None => self.list.put(self.list.scroll.at.min(self.shown.len().saturating_sub(1))),
        }
    }

    fn show_again(&mut self) {
        self.change(|_| ());
    }

    /// How long list and detail are, where they stand in `panes`.
    pub fn extent(&self, panes: Panes) -> Extent {
        Extent { panes, rows: self.shown.len(), lines: self.detail_lines(&panes).len() }
    }

    /// All that is known of the row under the cursor, as wide as its pane; nothing while it is hidden.
    pub fn detail_lines(&self, panes: &Panes) -> Vec<TextLine> {
        let inner = panes.detail_inner();
        self.row()
            .filter(|_| !inner.is_empty())
            .map_or_else(Vec::new, |row| row.lines(usize::from(inner.width)))
    }

    /// Filters, sorts and moves; whether `action` was any of that.
    pub fn act(&mut self, action: Action, panes: Panes) -> bool {
        match action {
            Action::Open | Action::Highlight if self.typing => self.typing = false,
            Action::Filter => (self.typing, self.list.on_detail) = (true, false),
            Action::Pane => self.list.on_detail = !self.list.on_detail,
            Action::Sort => self.sort_by_next(),
            Action::SortBack => {
                self.sort = self.sort.map(|(column, falling)| (column, !falling)).or(Some((0, true)));
                self.show_again();
            }
            Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Top | Action::Bottom => {
                self.list.go(action, &self.extent(panes));
            }
            _ => return false,
        }
        true
    }

    /// By the next column, numbers and times from the largest on; after the last in the answer's own order.
    fn sort_by_next(&mut self) {
        let next = self.sort.map_or(0, |(column, _)| column + 1);
        let numbers =
            self.report.rows.iter().filter_map(|row| row.cells.get(next)).any(|cell| cell.value.is_measure());
        self.sort = (next < self.report.columns.len()).then_some((next, numbers));
        self.show_again();
    }

    /// A key that no binding takes: text, where text is typed.
    pub fn type_key(&mut self, key: Key) {
        if self.typing && self.filter.press(key) {
            self.show_again();
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, text: &str) {
        if self.typing {
            self.filter.insert(text);
            self.show_again();
        }
    }

    /// Goes one step back inside the table; false if there is none.
    pub fn back(&mut self) -> bool {
        if self.typing || !self.filter.text().is_empty() {
            (self.typing, self.filter) = (false, LineEdit::default());
            self.show_again();
        } else if self.list.on_detail {
            self.list.on_detail = false;
        } else {
            return false;
        }
        true
    }

    /// Brings the cursors on screen.
    pub fn settle(&mut self, panes: Panes) {
        self.list.settle(&self.extent(panes));
    }

    /// What the mouse does.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, panes: Panes) -> Touch {
        self.list.mouse(mouse, column, row, &self.extent(panes))
    }

    /// The rows on screen while the list is `height` lines high.
    pub fn on_screen(&self, height: u16) -> impl Iterator<Item = &Row> {
        self.rows().skip(self.list.scroll.top).take(usize::from(height))
    }
}

/// A list's place below the line of its columns' names.
pub fn below_names(list: Rect) -> Rect {
    Rect { y: list.y.saturating_add(1), height: list.height.saturating_sub(1), ..list }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Cell, Column, Value};
    use crate::theme::Role;

    fn table(rows: &[(&str, Option<u64>)]) -> Table {
        let row = |(name, count): &(&str, Option<u64>)| Row {
            cells: vec![
                Cell::text(Role::Text, name),
                Cell::plain(count.map_or(Value::Nothing, Value::Count)),
            ],
            ..Row::default()
        };
        let mut table = Table::default();
        table.set(Report {
            columns: vec![Column::new("name", 20, 0), Column::new("count", 9, 0)],
            rows: rows.iter().map(row).collect(),
            total: rows.len() as u64,
            noun: ("row", "rows"),
            ..Report::default()
        });
        table
    }

    fn names(table: &Table) -> Vec<String> {
        table.rows().map(Row::key).collect()
    }

    const PANES: Rect = Rect { x: 0, y: 0, width: 80, height: 10 };

    #[test]
    fn it_sorts_by_meaning_and_what_is_nothing_stays_last() {
        let mut table = table(&[("order/10", Some(3)), ("order/9", None), ("order/100", Some(20))]);
        let panes = Panes::new(PANES, 1, false);
        table.act(Action::Sort, panes);
        assert_eq!(names(&table), ["order/9", "order/10", "order/100"]);
        table.act(Action::Sort, panes);
        assert_eq!(names(&table), ["order/100", "order/10", "order/9"], "counts from the largest on");
        table.act(Action::SortBack, panes);
        assert_eq!(names(&table), ["order/10", "order/100", "order/9"]);
        table.act(Action::Sort, panes);
        assert_eq!(names(&table), ["order/10", "order/9", "order/100"], "the answer's own order");
    }

    #[test]
    fn the_cursor_stays_on_its_row_while_rows_come_and_go() {
        let mut table = table(&[("a", None), ("b", None), ("c", None)]);
        table.list.put(2);
        table.change(|report| report.rows.insert(0, report.rows[1].clone()));
        assert_eq!((table.list.scroll.at, table.row().map(Row::key).as_deref()), (3, Some("c")));
        table.act(Action::Filter, Panes::new(PANES, 1, false));
        table.type_key(Key::char('C'));
        assert_eq!((names(&table), table.list.scroll.at), (vec!["c".to_owned()], 0));
        assert_eq!(table.counts(), "1 of 3 rows");
        assert!(table.back() && !table.back());
        assert_eq!(table.row().map(Row::key).as_deref(), Some("c"));
    }
}
