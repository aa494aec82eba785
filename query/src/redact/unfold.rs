//! A text with its encodings undone, each character with the bytes that spell it.
//!
//! `alice%40x.com`, `alice\u0040x.com` and `Alice@X.com` hold one value. Both sides of a comparison are unfolded, so what
//! unfolding confuses (`a+b` with `a b`) is replaced too much rather than too little.

use std::ops::Range;

/// Encodings lie within each other at most so deep: a URL in JSON in JSON.
const ROUNDS_MAX: usize = 4;

/// One character and the bytes of the original text that spell it.
#[derive(Clone, Debug)]
struct Unit {
    char: char,
    raw: Range<usize>,
}

/// A text with its encodings undone.
#[derive(Clone, Debug, Default)]
pub(super) struct Unfolded {
    units: Vec<Unit>,
    /// The characters in lower case, one for one, and of each the byte at which it begins; the length stands last.
    folded: String,
    begins: Vec<usize>,
}

impl Unfolded {
    /// `text`, with percent-encoding, backslash escapes, doubled quotes and `+` for a blank undone.
    pub(super) fn of(text: &str) -> Unfolded {
        let mut units: Vec<Unit> =
            text.char_indices().map(|(at, char)| Unit { char, raw: at..at + char.len_utf8() }).collect();
        if text.contains(['%', '\\', '+', '\'']) {
            for _ in 0..ROUNDS_MAX {
                match decoded(&units) {
                    Some(decoded) => units = decoded,
                    None => break,
                }
            }
        }
        let mut folded = String::with_capacity(text.len());
        let mut begins = Vec::with_capacity(units.len() + 1);
        for unit in &units {
            begins.push(folded.len());
            folded.push(lower(unit.char));
        }
        begins.push(folded.len());
        Unfolded { units, folded, begins }
    }

    /// The characters in lower case.
    pub(super) fn folded(&self) -> &str {
        &self.folded
    }

    /// The characters as they are.
    pub(super) fn plain(&self) -> String {
        self.units.iter().map(|unit| unit.char).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    pub(super) fn char(&self, at: usize) -> Option<char> {
        self.units.get(at).map(|unit| unit.char)
    }

    /// The characters of a range, as they are.
    pub(super) fn chars(&self, range: Range<usize>) -> String {
        self.units.get(range).unwrap_or_default().iter().map(|unit| unit.char).collect()
    }

    /// The bytes of the original text that spell the character at `at`.
    pub(super) fn raw(&self, at: usize) -> Range<usize> {
        self.units.get(at).map_or(0..0, |unit| unit.raw.clone())
    }

    /// The number of the character whose folded form begins at `byte`.
    pub(super) fn at_folded(&self, byte: usize) -> usize {
        self.begins.partition_point(|begin| *begin < byte)
    }
}

/// The lower case of a character, where that is one character.
fn lower(char: char) -> char {
    let mut lower = char.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) => only,
        _ => char,
    }
}

/// One round of decoding; `None` where there was nothing to decode.
fn decoded(units: &[Unit]) -> Option<Vec<Unit>> {
    let mut out = Vec::with_capacity(units.len());
    let mut changed = false;
    let mut at = 0;
    while let Some(unit) = units.get(at) {
        let rest = &units[at..];
        let taken = match unit.char {
            '%' => percent(rest, &mut out),
            '\\' => escape(rest, &mut out),
            '\'' if rest.get(1).is_some_and(|next| next.char == '\'') => {
                out.push(Unit { char: '\'', raw: unit.raw.start..rest[1].raw.end });
                2
            }
            '+' => {
                out.push(Unit { char: ' ', raw: unit.raw.clone() });
                1
            }
            _ => 0,
        };
        changed |= taken > 0;
        if taken == 0 {
            out.push(unit.clone());
        }
        at += taken.max(1);
    }
    changed.then_some(out)
}

/// Takes the longest run of `%XX` that is UTF-8; the number of characters taken.
fn percent(rest: &[Unit], out: &mut Vec<Unit>) -> usize {
    let byte = |at: usize| -> Option<u8> {
        let [percent, high, low] = rest.get(at..at + 3)? else { return None };
        let digits = high.char.to_digit(16)? * 16 + low.char.to_digit(16)?;
        (percent.char == '%').then_some(digits as u8)
    };
    let length = match byte(0) {
        None => return 0,
        Some(first) => first.leading_ones().max(1) as usize,
    };
    let bytes: Option<Vec<u8>> = (0..length).map(|number| byte(3 * number)).collect();
    let Some(char) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.chars().next()) else { return 0 };
    out.push(Unit { char, raw: rest[0].raw.start..rest[3 * length - 1].raw.end });
    3 * length
}

/// Takes one escape of JSON or of a C-like language; the number of characters taken.
fn escape(rest: &[Unit], out: &mut Vec<Unit>) -> usize {
    let Some(next) = rest.get(1) else { return 0 };
    let (char, taken) = match next.char {
        char @ ('"' | '\\' | '/' | '\'') => (Some(char), 2),
        'n' => (Some('\n'), 2),
        'r' => (Some('\r'), 2),
        't' => (Some('\t'), 2),
        'u' => unicode(rest),
        _ => (None, 0),
    };
    let Some(char) = char else { return 0 };
    out.push(Unit { char, raw: rest[0].raw.start..rest[taken - 1].raw.end });
    taken
}

/// `\u00e9`, or two of them for one character.
fn unicode(rest: &[Unit]) -> (Option<char>, usize) {
    let code = |at: usize| -> Option<u16> {
        let [slash, u, digits @ ..] = rest.get(at..at + 6)? else { return None };
        let code = digits.iter().try_fold(0, |code, digit| Some(code * 16 + digit.char.to_digit(16)?))?;
        (slash.char == '\\' && u.char == 'u').then_some(code as u16)
    };
    let Some(first) = code(0) else { return (None, 0) };
    match char::from_u32(u32::from(first)) {
        Some(char) => (Some(char), 6),
        None => {
            let pair = code(6).and_then(|second| char::decode_utf16([first, second]).next()?.ok());
            (pair, 12)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_value_however_it_is_spelled() {
        for spelled in [
            "alice@x.com/Ü",
            "Alice%40X.com%2F%C3%9C",
            "alice\\u0040x.com\\/\\u00dc",
            "alice%2540x.com%252F%25c3%259c",
        ] {
            assert_eq!(Unfolded::of(spelled).folded(), "alice@x.com/ü", "{spelled}");
        }
        assert_eq!(Unfolded::of("O''Brien+Smith \\\"x\\\"").plain(), "O'Brien Smith \"x\"");
        assert_eq!(Unfolded::of("\\ud83d\\ude00").plain(), "😀");
    }

    #[test]
    fn what_is_no_encoding_stays() {
        for text in ["100% of %zz", "\\q \\u12", "%ff", "\\ud83d!", ""] {
            assert_eq!(Unfolded::of(text).plain(), text);
        }
    }

    proptest! {
        #[test]
        fn the_bytes_that_spell_the_characters_are_the_text(text in "[%\\\\a-f0-9u+'é😀]{0,40}") {
            let unfolded = Unfolded::of(&text);
            let raw: String = (0..unfolded.len()).map(|at| &text[unfolded.raw(at)]).collect();
            prop_assert_eq!(raw, text);
        }

        #[test]
        fn what_is_encoded_is_decoded(text: String) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let (encoded, plain) = (Unfolded::of(&encoded), Unfolded::of(&text));
            prop_assert_eq!(encoded.folded(), plain.folded());
        }
    }
}
