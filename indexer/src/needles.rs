//! Bytes without which an item, as it is encoded, cannot match: most items of a block are never read.
//!
//! A text is encoded as it is, a number or an id in one way or a few. Needles cover all ways to write what
//! is sought; what cannot be covered has none and may be anywhere.

use memchr::memmem::Finder;
use memchr::{memchr_iter, memchr2_iter};
use query::predicate::{Predicate, TextMatch};

/// Shorter needles that are not texts stand nearly everywhere.
const BINARY_BYTES_MIN: usize = 2;
/// Of an id of more bytes, the last so many: a short trace id was padded at the left.
const ID_BYTES: usize = 8;

/// The field numbers of `AnyValue`, with their wire types: an integer's, and that of bytes.
const INT_TAG: u8 = 3 << 3;
const BYTES_TAG: u8 = 7 << 3 | 2;
/// Marks a byte of a varint that another follows.
const GOES_ON: u8 = 0x80;
/// Not ASCII themselves, and in lower case a `k`, and an `i` with this mark.
const KELVIN_SIGN: &str = "\u{212a}";
const DOTTED_I: &str = "\u{130}";
const DOT_ABOVE: char = '\u{307}';

/// An item that matches holds one of these.
#[derive(Debug, Default)]
pub(crate) struct Needles {
    /// `None`: anything may match.
    any: Option<Vec<Needle>>,
    /// A text may also be percent-encoded.
    encoded: bool,
}

impl Needles {
    /// Of a word, in the form that `timeline::token` gives it.
    pub(crate) fn of_word(word: &str) -> Needles {
        Needles { any: text_needles(word), encoded: false }
    }

    /// Of a token, in the form that `timeline::token` gives it.
    pub(crate) fn of_token(token: &str) -> Needles {
        Needles { any: token_needles(token), encoded: true }
    }

    /// Of a leaf that looks at the item alone.
    pub(crate) fn of_leaf(predicate: &Predicate) -> Needles {
        let any = match predicate {
            Predicate::Trace(id) | Predicate::LinkTo(id) => id_needle(&id.0).map(|id| vec![id]),
            Predicate::Span(id) | Predicate::Parent(id) => id_needle(&id.0).map(|id| vec![id]),
            Predicate::Attribute { value: TextMatch::Is(text), .. } => value_needles(text),
            _ => None,
        };
        Needles { any, encoded: false }
    }

    /// Whether an item with this encoding may match.
    pub(crate) fn may_be_in(&self, item: &[u8]) -> bool {
        let Some(any) = &self.any else { return true };
        any.iter().any(|needle| needle.is_in(item)) || (self.encoded && is_percent_encoded(item))
    }
}

/// One way to write what is sought.
#[derive(Debug)]
enum Needle {
    Exact(Box<Finder<'static>>),
    Caseless(Caseless),
}

impl Needle {
    fn exact(bytes: impl AsRef<[u8]>) -> Needle {
        Needle::Exact(Box::new(Finder::new(bytes.as_ref()).into_owned()))
    }

    fn is_in(&self, item: &[u8]) -> bool {
        match self {
            Needle::Exact(finder) => finder.find(item).is_some(),
            Needle::Caseless(caseless) => caseless.is_in(item),
        }
    }
}

/// ASCII text in whatever case; sought by its letter that is rarest as a rule.
#[derive(Debug)]
struct Caseless {
    text: Vec<u8>,
    rarest_at: usize,
}

impl Caseless {
    /// The letters of English, the commonest first.
    const BY_COMMONNESS: &'static [u8] = b"etaoinsrhldcumfpgwybvkxjqz";
    /// How rare digits and signs are among them.
    const OTHERS: usize = 8;

    /// Of a text in lower case.
    fn of(text: &[u8]) -> Caseless {
        let rarity = |byte: u8| {
            let place = Self::BY_COMMONNESS.iter().position(|letter| *letter == byte);
            place.unwrap_or(Self::OTHERS)
        };
        let rarest = text.iter().enumerate().max_by_key(|(_, byte)| rarity(**byte));
        Caseless { text: text.to_vec(), rarest_at: rarest.map_or(0, |(at, _)| at) }
    }

    fn is_in(&self, item: &[u8]) -> bool {
        let Some(rarest) = self.text.get(self.rarest_at) else { return true };
        memchr2_iter(*rarest, rarest.to_ascii_uppercase(), item).any(|at| {
            let begin = at.checked_sub(self.rarest_at);
            let own = begin.and_then(|begin| item.get(begin..begin + self.text.len()));
            own.is_some_and(|own| own.eq_ignore_ascii_case(&self.text))
        })
    }
}

/// Of a word or token among texts: its longest part that is written in one way but for the case.
fn text_needles(token: &str) -> Option<Vec<Needle>> {
    let parts = parts(token).flat_map(|part| part.split(|byte| !byte.is_ascii()));
    let part = parts.max_by_key(|part| part.len()).filter(|part| !part.is_empty())?;
    // A part without letters that is about as long is found faster.
    let is_caseless = |byte: &u8| !byte.is_ascii_alphabetic();
    let caseless = part.split(|byte| !is_caseless(byte)).max_by_key(|piece| piece.len())?;
    let mut needles = vec![match caseless.len() {
        length if length >= 3 || length == part.len() => Needle::exact(caseless),
        _ => Needle::Caseless(Caseless::of(part)),
    }];
    needles.extend(token.contains('k').then(|| Needle::exact(KELVIN_SIGN)));
    needles.extend(token.contains(DOT_ABOVE).then(|| Needle::exact(DOTTED_I)));
    Some(needles)
}

/// The parts of a token that stand together however it is written: a UUID may have its dashes.
fn parts(token: &str) -> impl Iterator<Item = &[u8]> {
    let may_be_uuid = token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bounds: &[usize] = if may_be_uuid { &[0, 8, 12, 16, 20, 32] } else { &[0, usize::MAX] };
    let end = token.len();
    bounds.windows(2).filter_map(move |pair| token.as_bytes().get(*pair.first()?..end.min(*pair.last()?)))
}

fn token_needles(token: &str) -> Option<Vec<Needle>> {
    let mut needles = text_needles(token)?;
    if let Ok(number) = token.parse::<u64>() {
        needles.extend(integer(number));
        needles.extend(integer(number.wrapping_neg()));
    }
    if let Ok(number) = token.parse::<f64>() {
        needles.extend([double(number)?, double(-number)?]);
    }
    if let Some(bytes) = hexadecimal(token) {
        needles.extend(some_bytes(bytes.get(bytes.len().saturating_sub(ID_BYTES)..)?)?);
    }
    Some(needles)
}

/// Of an attribute whose value, as text, is this one; a list or map is written in JSON.
fn value_needles(text: &str) -> Option<Vec<Needle>> {
    let is_written_otherwise = text.is_empty()
        || matches!(text, "true" | "false")
        || text.starts_with(['[', '{', '"'])
        || text.contains(char::REPLACEMENT_CHARACTER);
    if is_written_otherwise {
        return None;
    }
    let mut needles = vec![Needle::exact(text)];
    if let Ok(number) = text.parse::<i64>() {
        needles.extend(integer(number as u64));
    }
    if let Ok(number) = text.parse::<f64>() {
        needles.push(double(number)?);
    }
    if let Some(bytes) = hexadecimal(text) {
        needles.extend(some_bytes(&bytes)?);
    }
    Some(needles)
}

/// A number's varint but its last byte, which differs where a sender pads it; a short one with its tag before it.
fn integer(number: u64) -> Vec<Needle> {
    let mut rest = number;
    let mut bytes = Vec::new();
    while rest >= u64::from(GOES_ON) {
        bytes.push(rest as u8 | GOES_ON);
        rest >>= 7;
    }
    match bytes.first() {
        None => {
            let padded = rest as u8 | GOES_ON;
            tagged(INT_TAG, &[rest as u8]).into_iter().chain([Needle::exact([INT_TAG, padded])]).collect()
        }
        Some(only) if bytes.len() < BINARY_BYTES_MIN => tagged(INT_TAG, &[*only]),
        Some(_) => vec![Needle::exact(bytes)],
    }
}

/// A field that begins so, and fields whose tag a sender padded.
fn tagged(tag: u8, begin: &[u8]) -> Vec<Needle> {
    let padded = [[tag | GOES_ON, 0], [tag | GOES_ON, GOES_ON]];
    let exact = Needle::exact([&[tag], begin].concat());
    padded.map(Needle::exact).into_iter().chain([exact]).collect()
}

/// A finite number; others are written in many ways.
fn double(number: f64) -> Option<Needle> {
    number.is_finite().then(|| Needle::exact(number.to_le_bytes()))
}

/// An id's bytes.
fn id_needle(bytes: &[u8]) -> Option<Needle> {
    let bytes = bytes.get(bytes.len().saturating_sub(ID_BYTES)..)?;
    some_bytes(bytes)?.pop()
}

/// Bytes, of an id or not; none where they are zeros, which are also said by leaving them out.
fn some_bytes(bytes: &[u8]) -> Option<Vec<Needle>> {
    let is_set = bytes.iter().any(|byte| *byte != 0);
    match bytes {
        _ if !is_set => None,
        // With its length before it, which a sender may have padded.
        [byte] => {
            let padded = Needle::exact([BYTES_TAG, GOES_ON | 1]);
            Some(tagged(BYTES_TAG, &[1, *byte]).into_iter().chain([padded]).collect())
        }
        bytes => Some(vec![Needle::exact(bytes)]),
    }
}

/// The bytes that `text` writes as hexadecimal digits.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    text.as_bytes().chunks(2).map(pair).collect()
}

fn is_percent_encoded(item: &[u8]) -> bool {
    memchr_iter(b'%', item)
        .any(|at| item.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Proto;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
    use proptest::prelude::*;
    use prost::Message;
    use timeline::token;
    use timeline::value::Value;

    use super::*;

    fn encoded(value: Proto) -> Vec<u8> {
        let value = AnyValue { value: Some(value) };
        KeyValue { key: "k".into(), value: Some(value), ..KeyValue::default() }.encode_to_vec()
    }

    fn value() -> impl Strategy<Value = (Value, Vec<u8>)> {
        let texts = prop_oneof![
            "[A-Za-z0-9:/@ .%_äK-]{0,40}",
            "[ikIK\u{212a}\u{130}ä7-]{0,6}",
            "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        ];
        prop_oneof![
            texts.prop_map(|text| (Value::Text(text.clone()), encoded(Proto::StringValue(text)))),
            any::<i64>().prop_map(|number| (Value::Int(number), encoded(Proto::IntValue(number)))),
            (-99_999i64..99_999).prop_map(|number| (Value::Int(number), encoded(Proto::IntValue(number)))),
            (-200i64..200).prop_map(|number| (Value::Int(number), encoded(Proto::IntValue(number)))),
            any::<f64>().prop_map(|number| (Value::Double(number), encoded(Proto::DoubleValue(number)))),
            (-9999i32..9999).prop_map(|number| {
                let number = f64::from(number) / 8.0;
                (Value::Double(number), encoded(Proto::DoubleValue(number)))
            }),
            prop::collection::vec(any::<u8>(), 0..20)
                .prop_map(|bytes| (Value::Bytes(bytes.clone()), encoded(Proto::BytesValue(bytes)))),
            any::<bool>().prop_map(|truth| (Value::Bool(truth), encoded(Proto::BoolValue(truth)))),
        ]
    }

    proptest! {
        #[test]
        fn a_value_is_never_missed((value, encoded) in value()) {
            token::in_value(&value, &mut |token: &str| {
                assert!(Needles::of_token(token).may_be_in(&encoded), "{token} in {value:?}");
            });
            let text = value.to_text().into_owned();
            if let Value::Text(text) = &value {
                token::words(text, &mut |word: &str| {
                    assert!(Needles::of_word(word).may_be_in(&encoded), "{word} in {text}");
                });
            }
            let leaf = Predicate::Attribute { key: "k".into(), value: TextMatch::Is(text) };
            prop_assert!(Needles::of_leaf(&leaf).may_be_in(&encoded));
        }
    }

    #[test]
    fn a_number_padded_by_its_sender_is_found() {
        for number in [0, 42, 300, 1_234_567_890] {
            let needles = Needles::of_token(&number.to_string());
            let whole = encoded(Proto::IntValue(number));
            let (last, begin) = whole.split_last().unwrap();
            let padded = [begin, &[*last | 0x80, 0]].concat();
            assert!(needles.may_be_in(&whole) && needles.may_be_in(&padded), "{number}");
            let tag = whole.iter().rposition(|byte| *byte == INT_TAG).unwrap();
            for pad in [&[INT_TAG | 0x80, 0][..], &[INT_TAG | 0x80, 0x80, 0]] {
                let padded = [&whole[..tag], pad, &whole[tag + 1..]].concat();
                assert!(needles.may_be_in(&padded), "{number}");
            }
        }
    }

    #[test]
    fn what_holds_none_is_passed_over() {
        let other = encoded(Proto::StringValue("order 987654321 at 7%, GET /orders/12".into()));
        for token in ["1234567890", "4bf92f3577b34da6a3ce929d0e0e4736", "order-42", "alice", "42", "300"] {
            assert!(!Needles::of_token(token).may_be_in(&other), "{token}");
        }
        assert!(!Needles::of_word("paid").may_be_in(&other));
        let leaf = Predicate::Attribute { key: "k".into(), value: TextMatch::Is("gold".into()) };
        assert!(!Needles::of_leaf(&leaf).may_be_in(&other));
    }
}
