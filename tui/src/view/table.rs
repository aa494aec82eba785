//! A table: the names of its columns, its rows, and on its own screen what the answer says in all.

use ratatui::layout::Rect;

use super::paint::Painter;
use crate::report::{Column, Row, Shown};
use crate::screens::table::{TableScreen, as_of_words};
use crate::table::{Table, below_names};
use crate::text;
use crate::theme::Role;

/// Cells between two columns.
const GAP: usize = 2;

/// The column that takes the rest is this wide before others are left out for it.
const WIDE_MIN: usize = 30;

pub(super) fn draw(screen: &TableScreen, area: Rect, painter: &mut Painter<'_>) {
    let panes = screen.panes(area);
    let report = screen.table.report();
    let name = screen.topic.name();
    let title = text::sanitise(&report.title).into_owned();
    let as_of = as_of_words(screen, painter.state.settings.zone);
    let mut pieces = vec![(Role::Heading, format!(" {name}  ")), (Role::Text, title)];
    if !as_of.is_empty() {
        pieces.push((Role::Warning, format!("  {as_of}")));
    }
    pieces.push((Role::Dim, screen.asked.map_or_else(String::new, |asked| format!("  {}", asked.label()))));
    let typed = typed(screen);
    let counts = if screen.answered { format!(" {} ", screen.table.counts()) } else { String::new() };
    let width = text::width(&counts);
    let room =
        Rect { width: panes.head.width.saturating_sub(u16::try_from(width).unwrap_or(0)), ..panes.head };
    if let Some((prompt, line, cursor)) = &typed {
        let pieces = [(Role::Key, prompt.as_str()), (Role::Text, line.text())];
        painter.line(room, 0, &pieces);
        if *cursor {
            let column = text::width(prompt) + text::width(line.before_cursor());
            let column = u16::try_from(column).unwrap_or(u16::MAX).min(room.width.saturating_sub(1));
            painter.cursor = Some((room.x.saturating_add(column), room.y).into());
        }
    } else {
        painter.line(room, 0, &pieces);
    }
    painter.right(panes.head, 0, Role::Text, &counts);
    for (y, line) in (1..).zip(report.summary.iter().take(3)) {
        painter.line(
            Rect { x: panes.head.x + 1, width: panes.head.width.saturating_sub(1), ..panes.head },
            y,
            &line.pieces,
        );
    }
    if let Some(failure) = &screen.failure {
        let message = text::sanitise(&failure.message).into_owned();
        let said = if failure.cancelled { "given up; r asks again".to_owned() } else { message };
        for (y, line) in (1..).zip(text::wrap(&said, usize::from(panes.list.width.saturating_sub(4)))) {
            painter.line(panes.list, y, &[(Role::Error, format!("  {line}"))]);
        }
    } else if screen.answered && !panes.list.is_empty() {
        let names = Rect { y: panes.list.y.saturating_sub(1), height: panes.list.height + 1, ..panes.list };
        rows(&screen.table, names, !screen.table.list.on_detail, painter);
    }
    painter.detail(&panes, &screen.table.detail_lines(&panes), &screen.table.list);
    painter.keys(panes.keys);
}

/// What is being typed, or filters: what stands before it, the line, and whether the cursor is in it.
fn typed(screen: &TableScreen) -> Option<(String, &crate::line::LineEdit, bool)> {
    if let Some(line) = &screen.moment {
        return Some((" at (10:00, 15m ago as 15m, empty for now): ".to_owned(), line, true));
    }
    let filter = &screen.table.filter;
    (screen.table.typing || !filter.text().is_empty())
        .then(|| (format!(" {} / ", screen.topic.name()), filter, screen.table.typing))
}

/// The names of the columns, then the rows, in `area`.
pub(super) fn rows(table: &Table, area: Rect, focus: bool, painter: &mut Painter<'_>) {
    let report = table.report();
    let list = below_names(area);
    if report.rows.is_empty() {
        for (y, line) in (0..).zip(&report.empty) {
            painter.line(list, y, &[(Role::Dim, format!("  {}", text::sanitise(line)))]);
        }
        return;
    }
    let state = painter.state;
    let shown = Shown::new(state.settings.times, state.settings.zone, state.now);
    let visible: Vec<&Row> = table.on_screen(list.height).collect();
    let (widths, left_out) = widths(table, &visible, usize::from(area.width), shown);
    names(table, &widths, left_out, area, painter);
    for (y, (number, row)) in (0..).zip((table.list.scroll.top..).zip(&visible)) {
        painter.line(list, y, &cells(row, &widths, shown));
        if number == table.list.scroll.at {
            painter.cursor_on(list, y, focus);
        }
    }
    if visible.is_empty() {
        painter.line(list, 0, &[(Role::Dim, "  Nothing contains this text; esc clears it.")]);
    }
    painter.more(list, table.rows().len(), table.list.scroll.top, list.height);
}

/// How many cells each column gets, 0 for those that are left out; and how many are left out.
fn widths(table: &Table, visible: &[&Row], room: usize, shown: Shown) -> (Vec<usize>, usize) {
    let columns = &table.report().columns;
    let natural = |(at, column): (usize, &Column)| {
        let values = visible.iter().filter_map(|row| row.cells.get(at));
        let widest = values.map(|cell| text::width(&cell.value.shown(shown))).max().unwrap_or(0);
        // A sign of the order stands behind a name.
        widest.max(text::width(&column.name) + 1).min(column.width_max)
    };
    let mut widths: Vec<usize> = columns.iter().enumerate().map(natural).collect();
    // A cell at the left, then the columns with gaps between them.
    let taken = |widths: &[usize]| {
        let shown = widths.iter().filter(|width| **width > 0);
        1 + shown.map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    let narrow = |widths: &mut Vec<usize>, least: usize| {
        let over = taken(widths).saturating_sub(room);
        let wide = columns.iter().position(|column| column.wide);
        if let Some(width) = wide.and_then(|at| widths.get_mut(at)) {
            *width = width.saturating_sub(over).max(least.min(*width));
        }
    };
    let mut left_out = 0;
    // What takes the rest is made narrow, then what matters least is left out.
    narrow(&mut widths, WIDE_MIN);
    while taken(&widths) > room {
        let least = (0..columns.len()).filter(|at| widths[*at] > 0 && columns[*at].rank > 0);
        let Some(at) = least.max_by_key(|at| (columns[*at].rank, *at)) else { break };
        (widths[at], left_out) = (0, left_out + 1);
    }
    narrow(&mut widths, 1);
    (widths, left_out)
}

fn names(table: &Table, widths: &[usize], left_out: usize, area: Rect, painter: &mut Painter<'_>) {
    let mut line = String::from(" ");
    for (at, (column, width)) in table.report().columns.iter().zip(widths).enumerate() {
        if *width == 0 {
            continue;
        }
        let mark = match table.sort {
            Some((by, falling)) if by == at => {
                if falling {
                    "↓"
                } else {
                    "↑"
                }
            }
            _ => "",
        };
        let name = format!("{}{mark}", text::cut(&column.name, width.saturating_sub(text::width(mark))));
        line.push_str(&text::fit(&name, *width));
        line.push_str(&" ".repeat(GAP));
    }
    let line = line.trim_end().to_owned();
    let room = usize::from(area.width).saturating_sub(text::width(&line) + 1);
    painter.line(area, 0, &[(Role::Dim, line)]);
    if left_out > 0 {
        let said = format!(" +{left_out} {} ", if left_out == 1 { "column" } else { "columns" });
        if text::width(&said) <= room {
            painter.right(Rect { height: 1, ..area }, 0, Role::Dim, &said);
        }
    }
}

fn cells(row: &Row, widths: &[usize], shown: Shown) -> Vec<(Role, String)> {
    let mut pieces = vec![(Role::Text, " ".to_owned())];
    for (cell, width) in row.cells.iter().zip(widths).filter(|(_, width)| **width > 0) {
        if pieces.len() > 1 {
            pieces.push((Role::Text, " ".repeat(GAP)));
        }
        let value = cell.value.shown(shown);
        let fitted = if cell.value.is_number() && text::width(&value) < *width {
            format!("{value:>width$}")
        } else {
            text::fit(&value, *width)
        };
        pieces.push((cell.role, fitted));
    }
    pieces
}
