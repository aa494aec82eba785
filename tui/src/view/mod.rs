//! Drawing: reads the state, changes nothing.

mod events;
mod home;
mod lanes;
mod paint;
mod popup;
mod search;
mod timeline;

use ratatui::Frame;

use crate::state::{Screen, State};
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
        None => {}
    }
    if let Some(popup) = &state.popup {
        popup::draw(popup, area, &mut painter);
    }
    if let Some(place) = painter.cursor {
        frame.set_cursor_position(place);
    }
}
