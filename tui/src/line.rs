//! A line of text that is being typed.

use crossterm::event::KeyCode;
use unicode_segmentation::UnicodeSegmentation;

use crate::keys::Key;

/// So long may a typed line become, in bytes: longer than any sensible query, shorter than a pasted file.
const BYTES_MAX: usize = 4096;

/// A line of text and the place of its cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineEdit {
    text: String,
    /// Invariant: a byte of `text` at which a grapheme begins, or its end.
    cursor: usize,
}

impl LineEdit {
    /// The line that holds `text`, its cursor at the end.
    pub fn new(text: &str) -> LineEdit {
        let mut line = LineEdit::default();
        line.insert(text);
        line
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub fn before_cursor(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    fn after_cursor(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// Puts `text` at the cursor, on one line and without control characters.
    pub fn insert(&mut self, text: &str) {
        let text = crate::text::sanitise(text);
        if self.text.len() + text.len() <= BYTES_MAX {
            let before = format!("{}{text}", self.before_cursor());
            let after = self.after_cursor().to_owned();
            self.set(&before, &after);
        }
    }

    /// Edits as `key` says; whether the key meant anything here.
    pub fn press(&mut self, key: Key) -> bool {
        let (before, after) = (self.before_cursor().to_owned(), self.after_cursor().to_owned());
        let previous = before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
        let next = after.graphemes(true).next().map_or(0, str::len);
        match (key.code, key.ctrl) {
            (KeyCode::Char(c), false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Backspace, false) | (KeyCode::Char('h'), true) => self.set(&before[..previous], &after),
            (KeyCode::Delete, _) => self.set(&before, &after[next..]),
            (KeyCode::Char('w'), true) | (KeyCode::Backspace, true) => self.set(word_start(&before), &after),
            (KeyCode::Char('u'), true) => self.set("", &after),
            (KeyCode::Char('k'), true) => self.set(&before, ""),
            (KeyCode::Left, _) => self.cursor = previous,
            (KeyCode::Right, _) => self.cursor += next,
            (KeyCode::Home, _) | (KeyCode::Char('a'), true) => self.cursor = 0,
            (KeyCode::End, _) | (KeyCode::Char('e'), true) => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    /// Joins two halves with the cursor between them. A mark typed after a letter may become one
    /// grapheme with it, or with what follows: then the cursor moves behind the whole.
    fn set(&mut self, before: &str, after: &str) {
        self.text = format!("{before}{after}");
        let wanted = before.len();
        let boundaries = self.text.grapheme_indices(true).map(|(at, _)| at);
        self.cursor = boundaries.filter(|at| *at >= wanted).min().unwrap_or(self.text.len());
    }
}

/// `text` without its last word.
fn word_start(text: &str) -> &str {
    let trimmed = text.trim_end();
    let start = trimmed
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + trimmed[at..].chars().next().map_or(0, char::len_utf8));
    &trimmed[..start]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(keys: &[Key]) -> LineEdit {
        let mut line = LineEdit::default();
        keys.iter().for_each(|key| {
            line.press(*key);
        });
        line
    }

    #[test]
    fn it_edits_in_the_middle() {
        let left = Key::plain(KeyCode::Left);
        let line = typed(&[Key::char('a'), Key::char('c'), left, Key::char('b')]);
        assert_eq!((line.text(), line.before_cursor()), ("abc", "ab"));
    }

    #[test]
    fn a_word_goes_at_once() {
        let mut line = LineEdit::new("service:orders  status:error ");
        line.press(Key::ctrl('w'));
        assert_eq!(line.text(), "service:orders  ");
    }

    proptest! {
        #[test]
        fn the_cursor_stays_at_a_boundary(text: String, moves in proptest::collection::vec(0_u8..8, 0..40)) {
            let mut line = LineEdit::new(&text);
            for step in moves {
                line.press(match step {
                    0 => Key::plain(KeyCode::Left),
                    1 => Key::plain(KeyCode::Right),
                    2 => Key::plain(KeyCode::Backspace),
                    3 => Key::plain(KeyCode::Delete),
                    4 => Key::char('é'),
                    5 => Key::char('\u{301}'),
                    6 => Key::ctrl('w'),
                    _ => Key::plain(KeyCode::Home),
                });
                let boundaries: Vec<usize> = line.text.grapheme_indices(true).map(|(at, _)| at).collect();
                prop_assert!(line.cursor == line.text.len() || boundaries.contains(&line.cursor));
            }
        }
    }
}
