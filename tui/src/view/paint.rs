//! Lines of text onto cells, and what all screens draw alike.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::keys::{Action, Bound};
use crate::layout::Panes;
use crate::lines::TextLine;
use crate::list::List;
use crate::scroll::Scroll;
use crate::state::State;
use crate::text;
use crate::theme::Role;

/// Draws on a buffer, never outside of it.
pub(super) struct Painter<'a> {
    buffer: &'a mut Buffer,
    /// What is drawn.
    pub(super) state: &'a State,
    /// Where the terminal's own cursor stands, if text is being typed.
    pub(super) cursor: Option<Position>,
}

impl<'a> Painter<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, state: &'a State) -> Painter<'a> {
        Painter { buffer, state, cursor: None }
    }

    pub(super) fn style(&self, role: Role) -> Style {
        self.state.settings.theme.style(role)
    }

    pub(super) fn glyphs(&self) -> &'static crate::theme::Glyphs {
        self.state.settings.theme.glyphs()
    }

    /// One line of pieces from the left of row `y` of `area`, counted from its top; cut with an ellipsis.
    pub(super) fn line(&mut self, area: Rect, y: u16, pieces: &[(Role, impl AsRef<str>)]) {
        let area = area.intersection(self.buffer.area);
        if y >= area.height {
            return;
        }
        let (mut x, row) = (area.x, area.y + y);
        for (role, piece) in pieces {
            let room = usize::from(area.right().saturating_sub(x));
            if room == 0 {
                break;
            }
            let shown = text::cut(piece.as_ref(), room);
            let shown = if self.state.settings.theme.ascii { text::ascii(&shown) } else { shown };
            let style = self.style(*role);
            (x, _) = self.buffer.set_stringn(x, row, shown, room, style);
        }
    }

    /// A line of text at the right end of row `y` of `area`, if there is room for all of it.
    pub(super) fn right(&mut self, area: Rect, y: u16, role: Role, text: &str) {
        let width = u16::try_from(text::width(text)).unwrap_or(u16::MAX);
        if let Some(dx) = area.width.checked_sub(width) {
            self.line(Rect { x: area.x + dx, width, ..area }, y, &[(role, text)]);
        }
    }

    /// Lays a role's style over a row.
    pub(super) fn highlight(&mut self, area: Rect, y: u16, role: Role) {
        let area = area.intersection(self.buffer.area);
        if y < area.height {
            let style = self.style(role);
            self.buffer.set_style(Rect { y: area.y + y, height: 1, ..area }, style);
        }
    }

    /// Empties an area.
    pub(super) fn clear(&mut self, area: Rect) {
        for place in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(place) {
                cell.reset();
            }
        }
    }

    /// A horizontal line, with a title in it.
    pub(super) fn rule(&mut self, area: Rect, y: u16, title: &str, role: Role) {
        let rule = self.glyphs().rule.to_string();
        self.line(area, y, &[(Role::Dim, rule.repeat(usize::from(area.width)))]);
        if !title.is_empty() {
            let indented = Rect { x: area.x.saturating_add(1), width: area.width.saturating_sub(2), ..area };
            self.line(
                indented,
                y,
                &[(role, format!(" {} ", text::cut(title, usize::from(indented.width.saturating_sub(2)))))],
            );
        }
    }

    /// A vertical line left of `area`'s first column.
    pub(super) fn divider(&mut self, area: Rect) {
        let divider = self.glyphs().divider.to_string();
        for y in 0..area.height {
            self.line(Rect { width: 1, ..area }, y, &[(Role::Dim, divider.as_str())]);
        }
    }

    /// The line that parts a pane from the list.
    pub(super) fn part(&mut self, panes: &Panes, pane: Rect, title: &str) {
        if panes.is_beside(pane) {
            self.divider(pane);
        } else if panes.is_below(pane) {
            self.rule(pane, 0, title, Role::Dim);
        }
    }

    /// Lines of text with a cursor, scrolled.
    pub(super) fn lines(&mut self, area: Rect, lines: &[TextLine], scroll: Scroll, focus: bool) {
        let visible = lines.iter().enumerate().skip(scroll.top).take(usize::from(area.height));
        for (y, (number, line)) in (0..).zip(visible) {
            self.line(area, y, &line.pieces);
            if number == scroll.at && focus {
                self.highlight(area, y, Role::Cursor);
            }
        }
    }

    /// The detail beside or below a list, or in its place; nothing while it is hidden.
    pub(super) fn detail(&mut self, panes: &Panes, lines: &[TextLine], list: &List) {
        if panes.detail.is_empty() {
            return;
        }
        self.part(panes, panes.detail, "detail");
        let inner = panes.detail_inner();
        self.lines(inner, lines, list.detail, list.on_detail);
        self.more(panes.detail, lines.len(), list.detail.top, inner.height);
    }

    /// Lays the cursor over row `y`: as a bar where the keys go, else as a line below it.
    pub(super) fn cursor_on(&mut self, area: Rect, y: u16, focus: bool) {
        self.highlight(area, y, if focus { Role::Cursor } else { Role::CursorAway });
    }

    /// At an area's lower end, how many lines are below.
    pub(super) fn more(&mut self, area: Rect, lines: usize, top: usize, height: u16) {
        let below = lines.saturating_sub(top + usize::from(height));
        if below > 0 {
            self.right(area, area.height.saturating_sub(1), Role::Key, &format!(" {below} more ↓ "));
        }
    }

    /// The bottom line: a word on what was just done, else the keys that matter here.
    pub(super) fn keys(&mut self, area: Rect) {
        if let Some(notice) = &self.state.notice {
            let notice = format!(" {}", text::sanitise(notice));
            self.line(area, 0, &[(Role::Warning, notice)]);
            return;
        }
        let keymap = &self.state.settings.keymap;
        let shown_below = |bound: &&Bound| !bound.binding.hint.is_empty() && !bound.keys.is_empty();
        let hints: Vec<&Bound> = keymap.bindings_in(self.state.scope()).filter(shown_below).collect();
        let shown = |bound: &&Bound| {
            let key = bound.keys.first().map_or_else(String::new, |key| key.label());
            (format!(" {key} "), format!("{} ", bound.binding.hint))
        };
        let width = |pair: &(String, String)| text::width(&pair.0) + text::width(&pair.1);
        // Help always has its place; the others while there is room.
        let help = hints.iter().find(|bound| bound.binding.action == Action::Help).map(shown);
        let mut room = usize::from(area.width).saturating_sub(help.as_ref().map_or(0, width));
        let mut pieces = Vec::new();
        for pair in hints.iter().filter(|bound| bound.binding.action != Action::Help).map(shown) {
            if width(&pair) > room {
                break;
            }
            room -= width(&pair);
            pieces.extend([(Role::Key, pair.0), (Role::Dim, pair.1)]);
        }
        pieces.extend(help.into_iter().flat_map(|(key, hint)| [(Role::Key, key), (Role::Dim, hint)]));
        self.line(area, 0, &pieces);
    }
}
