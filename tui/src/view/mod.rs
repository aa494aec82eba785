//! Drawing: reads the state, changes nothing.

mod events;
mod home;
mod lanes;
mod live;
mod paint;
mod popup;
mod search;
mod table;
mod timeline;
mod trace;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::state::{Screen, State};
use crate::text;
use crate::theme::Role;
use paint::Painter;

/// Draws the state.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.is_empty() {
        return;
    }
    let mut painter = Painter::new(frame.buffer_mut(), state);
    match state.screen() {
        Some(Screen::Home(home)) => home::draw(home, area, &mut painter),
        Some(Screen::Search(search)) => search::draw(search, area, &mut painter),
        Some(Screen::Timeline(timeline)) => timeline::draw(timeline, area, &mut painter),
        Some(Screen::Trace(trace)) => trace::draw(trace, area, &mut painter),
        Some(Screen::Live(live)) => live::draw(live, area, &mut painter),
        Some(Screen::Table(table)) => table::draw(table, area, &mut painter),
        None => {}
    }
    if state.popup.is_none() {
        tour(state, area, &mut painter);
    }
    if let Some(popup) = &state.popup {
        popup::draw(popup, area, &mut painter);
    }
    if let Some(place) = painter.cursor {
        frame.set_cursor_position(place);
    }
}

/// The hint on show, over the lines above the bottom line.
fn tour(state: &State, area: Rect, painter: &mut Painter<'_>) {
    let Some((number, said)) = state.tour.and_then(|tour| tour.hint(&state.settings.keymap)) else { return };
    let width = area.width.min(96);
    let lines = text::wrap(&said, usize::from(width.saturating_sub(4)));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
    let y = area.bottom().saturating_sub(height.saturating_add(1)).max(area.y);
    let place = Rect { x: area.x + (area.width - width) / 2, y, width, height };
    let title = format!("hint {number}, esc ends the tour");
    let inner = popup::frame(&title, place, painter);
    for (y, line) in (0..).zip(lines) {
        painter.line(inner, y, &[(Role::Key, line)]);
    }
}
