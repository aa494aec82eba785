//! Cells: text of a given width, colours.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// How many cells a terminal gives `text`.
pub(super) fn width_of(text: &str) -> usize {
    text.width()
}

/// `text` in exactly `width` cells: padded, or cut behind a whole character with `…`.
pub(super) fn fit(text: &str, width: usize) -> String {
    let mut cell = cut(text, width);
    cell.extend(std::iter::repeat_n(' ', width.saturating_sub(width_of(&cell))));
    cell
}

/// `text` in at most `width` cells.
pub(super) fn cut(text: &str, width: usize) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let mut cell = String::new();
    for grapheme in text.graphemes(true) {
        if width_of(&cell) + width_of(grapheme) + 1 > width {
            break;
        }
        cell.push_str(grapheme);
    }
    if width > 0 {
        cell.push('…');
    }
    cell
}

/// Colours, or none.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    pub(super) colour: bool,
}

/// The sixteen colours' foregrounds that lanes go by, in turn.
const LANE_COLOURS: &[&str] = &["36", "32", "33", "35", "34", "96", "92", "93", "95", "94"];

impl Paint {
    /// What says less.
    pub(super) fn dim(self, text: &str) -> String {
        self.coded(text, "2")
    }

    /// What went wrong.
    pub(super) fn red(self, text: &str) -> String {
        self.coded(text, "31")
    }

    /// A title.
    pub(super) fn bold(self, text: &str) -> String {
        self.coded(text, "1")
    }

    /// What belongs to a lane.
    pub(super) fn lane(self, lane: usize, text: &str) -> String {
        self.coded(text, LANE_COLOURS[lane % LANE_COLOURS.len()])
    }

    fn coded(self, text: &str, code: &str) -> String {
        if self.colour && !text.trim().is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod unit {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_characters_are_not_halved() {
        assert_eq!(fit("日本語", 4), "日… ");
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn a_cell_is_exactly_as_wide_as_asked(text in "\\PC{0,12}", width in 0usize..12) {
            prop_assert_eq!(width_of(&fit(&text, width)), width);
        }
    }
}
