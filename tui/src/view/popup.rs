//! Pop-ups: a framed list with a line to type in, or a framed text.

use ratatui::layout::Rect;

use super::paint::Painter;
use crate::popup::{ChoicePopup, Popup, ReadingPopup};
use crate::scroll::Scroll;
use crate::text;
use crate::theme::Role;

pub(super) fn draw(popup: &Popup, area: Rect, painter: &mut Painter<'_>) {
    match popup {
        Popup::Choice(choice) => draw_choice(choice, choice.area(area), painter),
        Popup::Reading(reading) => draw_reading(reading, reading.area(area), painter),
    }
}

/// The frame of a pop-up; the area inside it.
pub(super) fn frame(title: &str, area: Rect, painter: &mut Painter<'_>) -> Rect {
    painter.clear(area);
    painter.rule(area, 0, title, Role::Heading);
    painter.rule(area, area.height.saturating_sub(1), "", Role::Dim);
    let side = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(2), ..area };
    painter.divider(side);
    painter.divider(Rect { x: area.right().saturating_sub(1), width: 1, ..side });
    Rect { x: side.x.saturating_add(2), width: side.width.saturating_sub(4), ..side }
}

fn draw_choice(choice: &ChoicePopup, area: Rect, painter: &mut Painter<'_>) {
    let inner = frame(choice.title, area, painter);
    let prompt = if choice.typed.text().is_empty() { "type to narrow" } else { choice.typed.text() };
    let role = if choice.typed.text().is_empty() { Role::Dim } else { Role::Text };
    painter.line(inner, 0, &[(Role::Key, "> "), (role, prompt)]);
    let typed = u16::try_from(text::width(choice.typed.before_cursor())).unwrap_or(u16::MAX);
    let column = inner.x.saturating_add(2).saturating_add(typed).min(inner.right().saturating_sub(1));
    painter.cursor = Some((column, inner.y).into());
    let list = Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(1), ..inner };
    let shown = choice.shown();
    if shown.is_empty() {
        painter.line(list, 0, &[(Role::Dim, "nothing by that name")]);
    }
    let visible = shown.iter().enumerate().skip(choice.scroll.top).take(usize::from(list.height));
    for (y, (number, line)) in (0..).zip(visible) {
        let detail = text::cut(&line.detail, usize::from(list.width) / 2);
        let room = usize::from(list.width).saturating_sub(text::width(&detail) + 2);
        painter.line(
            list,
            y,
            &[
                (Role::Text, text::fit(&line.label, room)),
                (Role::Text, "  ".to_owned()),
                (Role::Dim, detail.into_owned()),
            ],
        );
        if number == choice.scroll.at {
            painter.highlight(list, y, Role::Cursor);
        }
    }
}

fn draw_reading(reading: &ReadingPopup, area: Rect, painter: &mut Painter<'_>) {
    let inner = frame(reading.title, area, painter);
    let scroll = Scroll { at: reading.top, top: reading.top };
    painter.lines(inner, &reading.lines, scroll, false);
    painter.more(area, reading.lines.len(), reading.top, inner.height);
}
