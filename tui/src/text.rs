//! Text that fits and does no harm: sanitised, cut and padded by what a terminal shows.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// `text` on one line without anything that a terminal would obey: control characters become a
/// space, and the marks that turn the reading direction go.
pub fn sanitise(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() || turns_direction(c)) {
        return Cow::Borrowed(text);
    }
    let harmless = text.chars().filter(|c| !turns_direction(*c));
    Cow::Owned(harmless.map(|c| if c.is_control() { ' ' } else { c }).collect())
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many cells `text` takes.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// `text` in at most `cells` cells; an ellipsis tells that something was cut.
pub fn cut(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let Some(room) = cells.checked_sub(1) else { return Cow::Borrowed("") };
    let (kept, _) = split_at_width(text, room);
    Cow::Owned(format!("{kept}…"))
}

/// `text` in exactly `cells` cells, cut or filled with spaces on the right.
pub fn fit(text: &str, cells: usize) -> String {
    let mut fitted = cut(text, cells).into_owned();
    let missing = cells.saturating_sub(width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// The longest beginning of `text` that takes at most `cells` cells, and the rest.
fn split_at_width(text: &str, cells: usize) -> (&str, &str) {
    let mut taken = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        taken += UnicodeWidthStr::width(grapheme);
        if taken > cells {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// `text` in lines of at most `cells` cells, broken at spaces where there are any.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(2); // a wide character needs two
    let mut lines = Vec::new();
    let mut rest = text;
    while width(rest) > cells {
        let (head, next) = split_at_width(rest, cells);
        let at = match head.rfind(' ') {
            Some(space) if space > 0 && !next.starts_with(' ') => space,
            _ => head.len(),
        };
        let (line, tail) = rest.split_at(at);
        lines.push(line.to_owned());
        rest = tail.trim_start();
    }
    lines.push(rest.to_owned());
    lines
}

/// `text` with the characters that the screen itself uses replaced by ASCII ones of the same width.
pub fn ascii(text: &str) -> Cow<'_, str> {
    let plain = |c: char| match c {
        '…' | '·' => '.',
        '→' | '⏎' | '›' => '>',
        '←' | '‹' => '<',
        '↑' => '^',
        '↓' => 'v',
        '─' | '—' => '-',
        '│' => '|',
        '±' => '~',
        'µ' => 'u',
        other => other,
    };
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.chars().map(plain).collect()) }
}

/// Which of two texts stands first: numbers in them count as numbers, so that `order/9` is before `order/10`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (own, other) = (leading_number(a), leading_number(b));
            let bare = |digits: &str| digits.trim_start_matches('0').len();
            let (x, y) = (own.trim_start_matches('0'), other.trim_start_matches('0'));
            let order =
                bare(own).cmp(&bare(other)).then_with(|| x.cmp(y)).then_with(|| own.len().cmp(&other.len()));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[own.len()..], &b[other.len()..]);
        } else if x == y {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
        } else {
            return x.cmp(&y);
        }
    }
    a.len().cmp(&b.len())
}

fn leading_number(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// A JSON value as a person would write it: texts without quotes, the rest as JSON.
pub fn value(value: &Value) -> String {
    match value {
        Value::String(text) => sanitise(text).into_owned(),
        Value::Null => "—".to_owned(),
        other => sanitise(&other.to_string()).into_owned(),
    }
}

/// A count with its thousands parted: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut parted = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

/// A count and its noun: `1 event`, `2 events`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A size in bytes: `512 B`, `1.5 MB`; a kilobyte is 1000 bytes.
pub fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = UNITS.iter().find(|(size, _)| number >= *size);
    unit.map_or_else(
        || format!("{number} B"),
        |(size, name)| format!("{:.1} {name}", number as f64 / *size as f64),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        assert_eq!(sanitise("a\u{1b}[2Jb\nc\u{202e}d\u{9b}e"), "a [2Jb cd e");
        assert_eq!(sanitise("plain"), "plain");
    }

    #[test]
    fn cutting_is_told() {
        assert_eq!(cut("orders", 6), "orders");
        assert_eq!(cut("orders", 4), "ord…");
        assert_eq!(cut("orders", 0), "");
        assert_eq!(cut("日本語", 4), "日…");
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 999, 1500, 2_000_000].map(bytes), ["0 B", "999 B", "1.5 kB", "2.0 MB"]);
    }

    #[test]
    fn numbers_in_texts_count_as_numbers() {
        let mut names = ["order/10", "order/9", "order/09", "order/a", "order/"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["order/", "order/9", "order/09", "order/10", "order/a"]);
    }

    #[test]
    fn wrapping_breaks_at_spaces() {
        assert_eq!(wrap("the quick brown", 9), ["the quick", "brown"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    proptest! {
        #[test]
        fn the_natural_order_is_an_order(a in "[a-c0-2]{0,6}", b in "[a-c0-2]{0,6}", c in "[a-c0-2]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }

        #[test]
        fn fitted_text_has_exactly_its_width(text: String, cells in 0_usize..40) {
            let text = sanitise(&text).into_owned();
            prop_assert_eq!(width(&fit(&text, cells)), cells);
            prop_assert!(wrap(&text, cells.max(2)).iter().all(|line| width(line) <= cells.max(2)));
        }
    }
}
