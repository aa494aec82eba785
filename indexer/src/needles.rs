//! Bytes without which an item, as it is encoded, cannot match: most items of a block are never read.
//!
//! A text is encoded as it is, a number or an id in one way or a few. Needles cover all ways to write what
//! is sought; what cannot be covered has none and may be anywhere.

use memchr::memchr_iter;
use memchr::memmem::Finder;
use query::predicate::{Predicate, TextMatch};

/// Shorter needles that are not texts stand nearly everywhere.
const BINARY_BYTES_MIN: usize = 2;
/// Of an id of more bytes, the last so many: a short trace id was padded at the left.
const ID_BYTES: usize = 8;

/// An item that matches holds one of these.
#[derive(Debug, Default)]
pub(crate) struct Needles {
    /// `None`: anything may match.
    any: Option<Vec<Finder<'static>>>,
    /// A text may also be percent-encoded.
    encoded: bool,
}

impl Needles {
    /// Of a word, in the form that `timeline::token` gives it.
    pub(crate) fn of_word(word: &str) -> Needles {
        Needles { any: anchor(word).map(|anchor| vec![finder(anchor)]), encoded: false }
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
        any.iter().any(|needle| needle.find(item).is_some()) || (self.encoded && is_percent_encoded(item))
    }
}

fn finder(bytes: impl AsRef<[u8]>) -> Finder<'static> {
    Finder::new(bytes.as_ref()).into_owned()
}

/// The longest part of a token or word that is written in one way only: without letters, whose case may
/// differ, and not over a dash that its form lacks.
fn anchor(token: &str) -> Option<&[u8]> {
    let may_be_uuid = token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bounds: &[usize] = if may_be_uuid { &[0, 8, 12, 16, 20, 32] } else { &[0, token.len()] };
    let parts = bounds.windows(2).filter_map(|pair| token.as_bytes().get(*pair.first()?..*pair.last()?));
    let caseless = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphabetic();
    let pieces = parts.flat_map(|part| part.split(move |byte| !caseless(byte)));
    pieces.max_by_key(|piece| piece.len()).filter(|piece| !piece.is_empty())
}

fn token_needles(token: &str) -> Option<Vec<Finder<'static>>> {
    let mut needles = vec![finder(anchor(token)?)];
    if let Ok(number) = token.parse::<u64>() {
        needles.extend([integer(number)?, integer(number.wrapping_neg())?]);
    }
    if let Ok(number) = token.parse::<f64>() {
        needles.extend([double(number)?, double(-number)?]);
    }
    if let Some(bytes) = hexadecimal(token) {
        needles.push(id_needle(&bytes)?);
    }
    Some(needles)
}

/// Of an attribute whose value, as text, is this one; a list or map is written in JSON.
fn value_needles(text: &str) -> Option<Vec<Finder<'static>>> {
    let is_written_otherwise = text.is_empty()
        || matches!(text, "true" | "false")
        || text.starts_with(['[', '{', '"'])
        || text.contains(char::REPLACEMENT_CHARACTER);
    if is_written_otherwise {
        return None;
    }
    let mut needles = vec![finder(text)];
    if let Ok(number) = text.parse::<i64>() {
        needles.push(integer(number as u64)?);
    }
    if let Ok(number) = text.parse::<f64>() {
        needles.push(double(number)?);
    }
    if let Some(bytes) = hexadecimal(text) {
        needles.push(binary(&bytes)?);
    }
    Some(needles)
}

/// A number's varint but its last byte: that differs where a sender pads it.
fn integer(number: u64) -> Option<Finder<'static>> {
    let mut rest = number;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    binary(&bytes)
}

/// A finite number; others are written in many ways.
fn double(number: f64) -> Option<Finder<'static>> {
    number.is_finite().then(|| finder(number.to_le_bytes()))
}

/// An id's bytes, or bytes sought as hexadecimal digits; zeros are also said by leaving them out.
fn id_needle(bytes: &[u8]) -> Option<Finder<'static>> {
    let is_set = bytes.iter().any(|byte| *byte != 0);
    binary(bytes.get(bytes.len().saturating_sub(ID_BYTES)..)?).filter(|_| is_set)
}

fn binary(bytes: &[u8]) -> Option<Finder<'static>> {
    (bytes.len() >= BINARY_BYTES_MIN).then(|| finder(bytes))
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
            "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        ];
        prop_oneof![
            texts.prop_map(|text| (Value::Text(text.clone()), encoded(Proto::StringValue(text)))),
            any::<i64>().prop_map(|number| (Value::Int(number), encoded(Proto::IntValue(number)))),
            (-99_999i64..99_999).prop_map(|number| (Value::Int(number), encoded(Proto::IntValue(number)))),
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
        let needles = Needles::of_token("1234567890");
        let whole = encoded(Proto::IntValue(1_234_567_890));
        let padded: Vec<u8> =
            whole.iter().copied().take(whole.len() - 1).chain([whole[whole.len() - 1] | 0x80, 0]).collect();
        assert!(needles.may_be_in(&whole) && needles.may_be_in(&padded));
    }

    #[test]
    fn what_holds_none_is_passed_over() {
        let other = encoded(Proto::StringValue("order 987654321 at 7%, GET /orders/12".into()));
        for token in ["1234567890", "4bf92f3577b34da6a3ce929d0e0e4736", "order-42"] {
            assert!(!Needles::of_token(token).may_be_in(&other), "{token}");
        }
        let leaf = Predicate::Attribute { key: "k".into(), value: TextMatch::Is("gold".into()) };
        assert!(!Needles::of_leaf(&leaf).may_be_in(&other));
    }
}
