//! What stands in a value's place: a token of the same shape, by a keyed hash.
//!
//! A value is replaced piece by piece: what lies between its letters, digits, `-`, `_` and `.` stays, since routes, keys and
//! statements are read by it. A piece that reads as a key (has digits) becomes one that does, a word becomes a word, an integer
//! an integer, a UUID a UUID.

use std::collections::HashMap;
use std::hash::Hasher as _;
use std::ops::Range;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use super::unfold::Unfolded;

/// Letters that make no word, no plural and no `_id`.
const LETTERS: &[u8; 18] = b"bcdfghjklmnpqrtvwx";

/// Makes tokens, and remembers whose they are.
#[derive(Debug)]
pub(super) struct Tokens {
    key: [u8; 16],
    /// By piece, as it was written.
    made: HashMap<String, String>,
    /// By token.
    originals: HashMap<String, String>,
}

impl Tokens {
    pub(super) fn new(key: [u8; 16]) -> Tokens {
        Tokens { key, made: HashMap::new(), originals: HashMap::new() }
    }

    /// `text` with every piece replaced.
    pub(super) fn cover(&mut self, text: &str) -> String {
        let unfolded = Unfolded::of(text);
        self.cover_ranges(text, &unfolded, std::iter::once(0..unfolded.len()))
    }

    /// `text` with every piece in these ranges of its characters replaced; the ranges come in order and do not meet.
    pub(super) fn cover_ranges(
        &mut self,
        text: &str,
        unfolded: &Unfolded,
        ranges: impl IntoIterator<Item = Range<usize>>,
    ) -> String {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for range in ranges {
            for piece in pieces(unfolded, range) {
                let (first, last) = (unfolded.raw(piece.start), unfolded.raw(piece.end - 1));
                out.push_str(&text[copied..first.start]);
                out.push_str(&self.token(&unfolded.chars(piece)));
                copied = last.end;
            }
        }
        out.push_str(&text[copied..]);
        out
    }

    /// `text` with every token that was made replaced by what it stands for.
    pub(super) fn reveal(&self, text: &str) -> String {
        let unfolded = Unfolded::of(text);
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for piece in pieces(&unfolded, 0..unfolded.len()) {
            // A value may have been part of a piece: `order-redacted…`.
            let parts = match self.originals.contains_key(&unfolded.chars(piece.clone())) {
                true => vec![piece],
                false => runs(&unfolded, piece, char::is_alphanumeric),
            };
            for part in parts {
                if let Some(original) = self.originals.get(&unfolded.chars(part.clone())) {
                    out.push_str(&text[copied..unfolded.raw(part.start).start]);
                    out.push_str(original);
                    copied = unfolded.raw(part.end - 1).end;
                }
            }
        }
        out.push_str(&text[copied..]);
        out
    }

    /// The keyed hash of bytes that are no text.
    pub(super) fn bytes(&self, bytes: &[u8]) -> [u8; 16] {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(bytes);
        hasher.finish128().as_bytes()
    }

    /// The token of one piece: the same for the same piece, and no two pieces have one.
    fn token(&mut self, piece: &str) -> String {
        if let Some(made) = self.made.get(piece) {
            return made.clone();
        }
        let shape = Shape::of(piece);
        let free = (0u32..).find_map(|attempt| {
            let token = shape.token(self.hash(&shape.canonical, attempt))?;
            let taken = self.originals.get(&token);
            taken.is_none_or(|original| Shape::of(original).canonical == shape.canonical).then_some(token)
        });
        let token = free.unwrap_or_default();
        if shape.form == Form::Uuid {
            // Keys have UUIDs in lower case.
            self.originals.insert(token.to_ascii_lowercase(), shape.canonical);
        }
        self.originals.entry(token.clone()).or_insert_with(|| piece.to_owned());
        self.made.insert(piece.to_owned(), token.clone());
        token
    }

    fn hash(&self, piece: &str, attempt: u32) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(piece.as_bytes());
        hasher.write(&attempt.to_le_bytes());
        hasher.finish128().as_u128()
    }
}

/// The pieces of a range of characters: runs of letters, digits, `-`, `_` and `.` that hold a letter or digit.
pub(super) fn pieces(unfolded: &Unfolded, range: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = runs(unfolded, range, |char| char.is_alphanumeric() || "-_.".contains(char));
    pieces.retain(|piece| piece.clone().any(|at| unfolded.char(at).is_some_and(char::is_alphanumeric)));
    pieces
}

/// The longest runs of such characters.
fn runs(unfolded: &Unfolded, range: Range<usize>, such: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let run = (at..range.end).take_while(|at| unfolded.char(*at).is_some_and(&such)).count();
        if run > 0 {
            runs.push(at..at + run);
        }
        at += run.max(1);
    }
    runs
}

/// What a piece's token must look like, and what it is made from.
struct Shape {
    /// Equal for pieces whose tokens must agree: the number behind `10` and `10.00`, the UUID in either case.
    canonical: String,
    form: Form,
    case: Case,
    /// What stands behind the token, as it was.
    tail: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Uuid,
    /// So many hexadecimal digits, as a trace's or span's id.
    Hexadecimal(usize),
    Integer,
    Decimal,
    /// `v2`.
    Version,
    /// Reads as a key.
    Key,
    Word,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
    Capital,
}

impl Shape {
    fn of(piece: &str) -> Shape {
        let plain = |form, canonical: &str, tail: &str| Shape {
            canonical: canonical.to_owned(),
            form,
            case: Case::Lower,
            tail: tail.to_owned(),
        };
        let digits = piece.strip_prefix('-').unwrap_or(piece);
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_digits(digits) {
            return plain(Form::Integer, piece, "");
        }
        if let Some((whole, fraction)) = digits.split_once('.')
            && is_digits(whole)
            && is_digits(fraction)
        {
            let significant = fraction.trim_end_matches('0');
            let zeros = &fraction[significant.len()..];
            return match significant.is_empty() {
                true => {
                    plain(Form::Integer, &piece[..piece.len() - fraction.len() - 1], &format!(".{zeros}"))
                }
                false => plain(Form::Decimal, piece.trim_end_matches('0'), zeros),
            };
        }
        let lower = piece.to_lowercase();
        let (case, canonical) = match Case::of(piece) {
            Some(case) => (case, lower.clone()),
            None => (Case::Lower, piece.to_owned()),
        };
        let is_hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_uuid = lower.len() == 36
            && lower.split('-').map(str::len).eq([8, 4, 4, 4, 12])
            && is_hexadecimal(&lower.replace('-', ""));
        if is_uuid {
            return Shape { canonical: lower, form: Form::Uuid, case, tail: String::new() };
        }
        let form = if matches!(lower.len(), 16 | 32) && is_hexadecimal(&lower) {
            Form::Hexadecimal(lower.len())
        } else if lower.strip_prefix('v').is_some_and(is_digits) {
            Form::Version
        } else if piece.is_ascii() && piece.len() >= 4 && piece.bytes().any(|byte| byte.is_ascii_digit()) {
            Form::Key
        } else {
            Form::Word
        };
        Shape { canonical, form, case, tail: String::new() }
    }

    /// The token that a hash makes; `None` where it would not have the shape.
    fn token(&self, hash: u128) -> Option<String> {
        let digits = |hash: u128| 100_000_000_000_000 + hash % 900_000_000_000_000;
        let minus = if self.canonical.starts_with('-') { "-" } else { "" };
        let token = match self.form {
            Form::Integer => format!("{minus}{}", digits(hash)),
            // Fifteen digits in all: a double holds them.
            Form::Decimal => {
                let (tenths, hundredths) = ((hash >> 64) % 10, 1 + (hash >> 96) % 9);
                format!("{minus}{}.{tenths}{hundredths}", digits(hash) / 1_000)
            }
            Form::Version => format!("v{}", digits(hash)),
            Form::Uuid => {
                let text = format!("{hash:032x}");
                let part = |range: Range<usize>| text.get(range).unwrap_or_default();
                let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)];
                parts.join("-")
            }
            Form::Hexadecimal(length) => format!("{hash:032x}").get(..length)?.to_owned(),
            Form::Key => format!("redacted{:010x}", hash & 0xff_ffff_ffff),
            Form::Word => {
                let letter = |place: u32| {
                    LETTERS
                        [usize::try_from((hash >> (8 * place)) % LETTERS.len() as u128).unwrap_or_default()]
                };
                format!("redacted{}", (0..8).map(|place| char::from(letter(place))).collect::<String>())
            }
        };
        let reads_as_key = token.bytes().skip("redacted".len()).any(|byte| byte.is_ascii_digit());
        if self.form == Form::Key && !reads_as_key {
            return None;
        }
        let token = match self.case {
            Case::Lower => token,
            Case::Upper => token.to_ascii_uppercase(),
            Case::Capital => token.replacen('r', "R", 1),
        };
        Some(token + &self.tail)
    }
}

impl Case {
    /// `None` where capital and small letters are mixed.
    fn of(piece: &str) -> Option<Case> {
        let letters: Vec<bool> =
            piece.chars().filter(|char| char.is_alphabetic()).map(char::is_uppercase).collect();
        match letters.as_slice() {
            all if all.iter().all(|upper| !upper) => Some(Case::Lower),
            all if all.iter().all(|upper| *upper) => Some(Case::Upper),
            [true, rest @ ..] if rest.iter().all(|upper| !upper) => Some(Case::Capital),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn tokens() -> Tokens {
        Tokens::new([7; 16])
    }

    #[test]
    fn a_token_has_the_shape_of_what_it_stands_for() {
        let mut tokens = tokens();
        let mut digits = |text: &str| tokens.cover(text);
        assert!(digits("42").parse::<i64>().is_ok_and(|number| number > 99_999_999_999_999));
        assert!(digits("-42").parse::<i64>().is_ok_and(|number| number < -99_999_999_999_999));
        let decimal = digits("12.5");
        assert_eq!(decimal.parse::<f64>().map(|number| number.to_string()), Ok(decimal));
        assert_eq!(digits("10.00"), format!("{}.00", digits("10")));
        let uuid = digits("6F9619FF-8B86-D011-B42D-00CF4FC964FF");
        assert_eq!(uuid.to_lowercase(), digits("6f9619ff-8b86-d011-b42d-00cf4fc964ff"));
        assert!(uuid.split('-').map(str::len).eq([8, 4, 4, 4, 12]));
        assert!(digits("ord-17a").starts_with("redacted"));
        assert!(digits("Paid").starts_with("Redacted"));
        assert_eq!(digits("PAID").to_lowercase(), digits("paid"));
        assert_ne!(digits("pAid"), digits("paid"));
    }

    #[test]
    fn what_lies_between_pieces_stays_as_it_is_spelled() {
        let mut tokens = tokens();
        let (alice, host) = (tokens.cover("alice"), tokens.cover("x.com"));
        assert_eq!(tokens.cover("alice@x.com"), format!("{alice}@{host}"));
        assert_eq!(tokens.cover("alice%40x.com"), format!("{alice}%40{host}"));
        assert_eq!(tokens.cover(" -- /?"), " -- /?");
    }

    #[test]
    fn another_key_makes_other_tokens() {
        let text = "42 alice ord-17";
        assert_ne!(tokens().cover(text), Tokens::new([8; 16]).cover(text));
        assert_eq!(tokens().cover(text), tokens().cover(text));
    }

    proptest! {
        #[test]
        fn tokens_are_revealed_and_never_shared(texts in prop::collection::vec("[a-zA-Z0-9@/ ._-]{1,24}", 1..20)) {
            let mut tokens = tokens();
            let covered: Vec<String> = texts.iter().map(|text| tokens.cover(text)).collect();
            for (text, covered) in texts.iter().zip(&covered) {
                prop_assert_eq!(&tokens.reveal(covered), text);
            }
            let distinct = |list: &[String]| list.iter().collect::<HashSet<_>>().len();
            prop_assert_eq!(distinct(&texts), distinct(&covered));
        }
    }
}
