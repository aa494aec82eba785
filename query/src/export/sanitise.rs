//! Text from telemetry comes from anywhere: it must not move the cursor, ring the bell or turn the
//! line around.

use std::borrow::Cow;

/// `text` with every character that a terminal obeys made visible: control characters as their
/// pictures (`␛` for escape, `␊` for a line's end), and those that reverse or break lines as `�`.
pub fn sanitise(text: &str) -> Cow<'_, str> {
    if text.chars().all(|char| picture(char).is_none()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|char| picture(char).unwrap_or(char)).collect())
}

/// Whether a terminal obeys `char` in place of showing it.
pub(super) fn is_obeyed(char: char) -> bool {
    picture(char).is_some()
}

/// What is shown in place of `char`; `None` where it may stand.
fn picture(char: char) -> Option<char> {
    match char {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(char)), // Unicode's control pictures
        '\x7f' => Some('␡'),
        // C1 controls; separators of lines and paragraphs; marks, embeddings, overrides and isolates of direction.
        '\u{80}'..='\u{9f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{061c}'
        | '\u{2066}'..='\u{2069}' => Some('\u{fffd}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        assert!(matches!(sanitise("Größe 42 → ok 👍"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_terminal_obeys_nothing() {
        assert_eq!(sanitise("\x1b[2Jgone\r\n\x07"), "␛[2Jgone␍␊␇");
        assert_eq!(sanitise("\u{9b}31m \u{202e}txt.exe"), "�31m �txt.exe");
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(text: String) {
            prop_assert!(!sanitise(&text).chars().any(char::is_control));
        }
    }
}
