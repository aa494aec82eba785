//! A cursor in a list, and which part of the list is on screen.

use crate::keys::Action;

/// Invariant: after [`Scroll::settle`], `at` is a line of the list and on screen, or 0 in an empty list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// The line that the cursor is on.
    pub at: usize,
    /// The first line on screen.
    pub top: usize,
}

impl Scroll {
    /// Moves as `action` says in a list of `length` lines of which `height` fit the screen;
    /// whether it was a movement.
    pub fn go(&mut self, action: Action, length: usize, height: usize) -> bool {
        let page = height.saturating_sub(1).max(1);
        self.at = match action {
            Action::Up => self.at.saturating_sub(1),
            Action::Down => self.at.saturating_add(1),
            Action::PageUp => self.at.saturating_sub(page),
            Action::PageDown => self.at.saturating_add(page),
            Action::Top => 0,
            Action::Bottom => length.saturating_sub(1),
            _ => return false,
        };
        self.settle(length, height);
        true
    }

    /// Puts the cursor on line `at`, as far down the screen as it was.
    pub fn carry(&mut self, at: usize) {
        let depth = self.at.saturating_sub(self.top);
        *self = Scroll { at, top: at.saturating_sub(depth) };
    }

    /// Keeps the cursor in the list, and the cursor's line on screen.
    pub fn settle(&mut self, length: usize, height: usize) {
        let height = height.max(1);
        self.at = self.at.min(length.saturating_sub(1));
        self.top = self.top.min(length.saturating_sub(height)).min(self.at);
        self.top = self.top.max((self.at + 1).saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOVES: [Action; 6] =
        [Action::Up, Action::Down, Action::PageUp, Action::PageDown, Action::Top, Action::Bottom];

    proptest! {
        #[test]
        fn the_cursor_is_a_line_on_screen(
            steps in proptest::collection::vec((0_usize..6, 0_usize..30, 0_usize..12), 0..40),
        ) {
            let mut scroll = Scroll::default();
            for (step, length, height) in steps {
                prop_assert!(scroll.go(MOVES[step], length, height));
                prop_assert!(scroll.at < length.max(1));
                prop_assert!(scroll.top <= scroll.at && scroll.at < scroll.top + height.max(1));
            }
        }
    }
}
