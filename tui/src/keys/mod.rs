//! Keys and what they do: one table from which dispatch, the bottom line, the help, the palette and
//! `docs/ui.md` are made, so that none of them can lie.
//!
//! | file          | what it alone knows                                       |
//! |---------------|-----------------------------------------------------------|
//! | `action.rs`   | everything that a key can ask for, and where it may       |
//! | `bindings.rs` | the table: which key does what by default                 |
//! | `keymap.rs`   | the table with what the configuration changes             |

mod action;
mod bindings;
mod keymap;

use std::fmt;
use std::str::FromStr;

pub use action::{Action, Scope};
pub use bindings::{BINDINGS, Binding, markdown};
pub use keymap::{Bound, Keymap, KeymapError};

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// Whether Control was held.
    pub ctrl: bool,
}

impl Key {
    /// A key without Control.
    pub const fn plain(code: KeyCode) -> Key {
        Key { code, ctrl: false }
    }

    /// A character's key.
    pub const fn char(c: char) -> Key {
        Key::plain(KeyCode::Char(c))
    }

    /// A character's key with Control.
    pub const fn ctrl(c: char) -> Key {
        Key { code: KeyCode::Char(c), ctrl: true }
    }

    /// The key that a terminal reports; `None` for releases and for keys with Alt, which no action uses.
    pub fn from_event(event: KeyEvent) -> Option<Key> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        // Some terminals report AltGr as Control and Alt together: the character is what was meant.
        let alt_gr = alt && ctrl && matches!(event.code, KeyCode::Char(_));
        let pressed = event.kind != KeyEventKind::Release;
        (pressed && (!alt || alt_gr)).then_some(Key { code: event.code, ctrl: ctrl && !alt_gr })
    }

    /// The key as the help and the configuration write it.
    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::Enter => "enter".to_owned(),
            KeyCode::Esc => "esc".to_owned(),
            KeyCode::Tab => "tab".to_owned(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
            KeyCode::Home => "home".to_owned(),
            KeyCode::End => "end".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        if self.ctrl { format!("ctrl-{name}") } else { name }
    }
}

/// The keys that have a name.
const NAMED: [(&str, KeyCode); 16] = [
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
];

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseKeyError(String);

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        write!(
            f,
            "{:?} is no key: write a character, f1 to f12, or {names}; ctrl- may stand before it",
            self.0
        )
    }
}

impl FromStr for Key {
    type Err = ParseKeyError;

    /// Reads what [`Key::label`] writes, and `up`, `down`, `left` and `right`.
    fn from_str(text: &str) -> Result<Key, ParseKeyError> {
        let (name, ctrl) = match text.strip_prefix("ctrl-") {
            Some(rest) if !rest.is_empty() => (rest, true),
            _ => (text, false),
        };
        let mut letters = name.chars();
        let code = match (letters.next(), letters.next()) {
            (Some('↑'), None) => Some(KeyCode::Up),
            (Some('↓'), None) => Some(KeyCode::Down),
            (Some('←'), None) => Some(KeyCode::Left),
            (Some('→'), None) => Some(KeyCode::Right),
            (Some(c), None) if !c.is_control() && !c.is_whitespace() => Some(KeyCode::Char(c)),
            _ => {
                let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, code)| *code);
                let number = name.strip_prefix('f').and_then(|number| number.parse().ok());
                named.or_else(|| number.filter(|number| (1..=12).contains(number)).map(KeyCode::F))
            }
        };
        code.map(|code| Key { code, ctrl }).ok_or_else(|| ParseKeyError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_no_presses() {
        let event = |kind| KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, kind);
        assert_eq!(Key::from_event(event(KeyEventKind::Press)), Some(Key::char('q')));
        assert_eq!(Key::from_event(event(KeyEventKind::Release)), None);
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        for key in BINDINGS.iter().flat_map(|binding| binding.keys) {
            assert_eq!(key.label().parse(), Ok(*key), "{}", key.label());
        }
        assert_eq!("f12".parse(), Ok(Key::plain(KeyCode::F(12))));
        for wrong in ["", "f13", "ctrl-", "hyper-x", "ab", "\u{1b}"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong:?}");
        }
    }
}
