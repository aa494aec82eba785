//! A list and the detail of the line under its cursor: what keys and the mouse do to both, on every screen alike.

use ratatui::layout::{Position, Rect};

use crate::keys::Action;
use crate::layout::Panes;
use crate::message::Mouse;
use crate::scroll::Scroll;

/// The cursors of a list and of its detail, and which of the two the keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The cursor among the lines of the list.
    pub scroll: Scroll,
    /// The cursor among the lines of the detail.
    pub detail: Scroll,
    /// Whether the detail has the focus.
    pub on_detail: bool,
}

/// How long the list and the detail of its cursor's line are, and where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Where they stand.
    pub panes: Panes,
    /// Lines of the list.
    pub rows: usize,
    /// Lines of the detail; 0 while it is hidden.
    pub lines: usize,
}

impl Extent {
    fn rows_on_screen(&self) -> usize {
        usize::from(self.panes.list.height)
    }

    fn lines_on_screen(&self) -> usize {
        usize::from(self.panes.detail_inner().height)
    }
}

/// What the mouse met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Neither list nor detail.
    Nothing,
    /// The detail, or a line of the list that the cursor has gone to.
    Moved,
    /// A click on the line of the list that the cursor was on.
    Again,
}

impl List {
    /// The parts of the terminal, under `head` lines.
    pub fn panes(&self, area: Rect, head: u16) -> Panes {
        Panes::new(area, head, self.on_detail)
    }

    /// Brings both cursors into their lines and on screen.
    pub fn settle(&mut self, extent: &Extent) {
        self.scroll.settle(extent.rows, extent.rows_on_screen());
        self.detail.settle(extent.lines, extent.lines_on_screen());
    }

    /// Moves as `action` says where the focus is; whether the list's cursor moved.
    pub fn go(&mut self, action: Action, extent: &Extent) -> bool {
        if self.on_detail {
            self.detail.go(action, extent.lines, extent.lines_on_screen());
            return false;
        }
        let moved = self.scroll.go(action, extent.rows, extent.rows_on_screen());
        if moved {
            self.detail = Scroll::default();
        }
        moved
    }

    /// Puts the cursor on a line of the list, the detail at its beginning.
    pub fn put(&mut self, at: usize) {
        (self.scroll.at, self.detail) = (at, Scroll::default());
    }

    /// Moves the focus, the cursor or the screen as the mouse says.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, extent: &Extent) -> Touch {
        let (panes, place) = (&extent.panes, Position::new(column, row));
        if panes.detail.contains(place) {
            self.on_detail = true;
        } else if panes.list.contains(place) {
            self.on_detail = false;
        } else {
            return Touch::Nothing;
        }
        match mouse {
            Mouse::WheelUp => {
                self.go(Action::Up, extent);
            }
            Mouse::WheelDown => {
                self.go(Action::Down, extent);
            }
            Mouse::Click if self.on_detail => {
                self.detail.at = self.detail.top + usize::from(row.saturating_sub(panes.detail_inner().y));
            }
            Mouse::Click => {
                let clicked = self.scroll.top + usize::from(row - panes.list.y);
                if clicked == self.scroll.at {
                    return Touch::Again;
                }
                self.put(clicked);
            }
        }
        Touch::Moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect { x: 0, y: 0, width: 120, height: 12 };

    fn extent(list: &List, rows: usize) -> Extent {
        Extent { panes: list.panes(AREA, 1), rows, lines: 4 }
    }

    #[test]
    fn a_click_goes_there_and_a_second_one_is_told() {
        let mut list = List::default();
        let long = extent(&list, 30);
        assert_eq!(list.mouse(Mouse::Click, 3, 0, &long), Touch::Nothing, "the head is no line");
        assert_eq!(list.mouse(Mouse::Click, 3, 4, &long), Touch::Moved);
        assert_eq!(list.scroll.at, 3);
        assert_eq!(list.mouse(Mouse::Click, 3, 4, &long), Touch::Again);
        assert_eq!(list.mouse(Mouse::WheelDown, 119, 4, &long), Touch::Moved);
        assert_eq!((list.on_detail, list.detail.at, list.scroll.at), (true, 1, 3));
    }

    #[test]
    fn another_line_begins_its_detail_anew() {
        let mut list = List { detail: Scroll { at: 2, top: 0 }, ..List::default() };
        let long = extent(&list, 30);
        assert!(list.go(Action::Down, &long));
        assert_eq!((list.scroll.at, list.detail.at), (1, 0));
        assert!(!list.go(Action::Open, &long), "opening is no movement");
    }
}
