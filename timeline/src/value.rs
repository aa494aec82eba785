//! Values and attributes: OTLP's `AnyValue` and its lists of keys and values.

use std::borrow::Cow;

use xxhash_rust::xxh3::Xxh3;

use crate::record::{hash_length, hash_text};

/// An attribute's value or a log's body: OTLP's `AnyValue`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// No value: legal, and what some SDKs send for null.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list, of mixed kinds if the sender likes.
    Array(Vec<Value>),
    /// Nested keys and values.
    Map(Attributes),
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How a person would write a single value: the text itself, numbers in decimal, lists and maps
    /// as JSON. This is the form that keys are made of and that searches compare.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Value::Empty => Cow::Borrowed(""),
            Value::Text(text) => Cow::Borrowed(text),
            Value::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
            Value::Int(number) => Cow::Owned(number.to_string()),
            Value::Double(number) => Cow::Owned(number.to_string()),
            Value::Bytes(bytes) => Cow::Owned(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            Value::Array(_) | Value::Map(_) => Cow::Owned(self.to_json().to_string()),
        }
    }

    /// The value in JSON: bytes become hexadecimal text; infinities and NaN, which JSON lacks, their names.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Empty => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Int(number) => Json::from(*number),
            Value::Double(number) if number.is_finite() => Json::from(*number),
            Value::Text(_) | Value::Double(_) | Value::Bytes(_) => Json::String(self.to_text().into_owned()),
            Value::Array(values) => values.iter().map(Value::to_json).collect(),
            Value::Map(attributes) => Json::Object(
                attributes.iter().map(|(key, value)| (key.to_owned(), value.to_json())).collect(),
            ),
        }
    }

    pub(crate) fn hash_into(&self, hasher: &mut Xxh3) {
        match self {
            Value::Empty => hasher.update(&[0]),
            Value::Text(text) => {
                hasher.update(&[1]);
                hash_text(hasher, text);
            }
            Value::Bool(truth) => hasher.update(&[2, u8::from(*truth)]),
            Value::Int(number) => {
                hasher.update(&[3]);
                hasher.update(&number.to_le_bytes());
            }
            Value::Double(number) => {
                hasher.update(&[4]);
                hasher.update(&number.to_bits().to_le_bytes());
            }
            Value::Bytes(bytes) => {
                hasher.update(&[5]);
                hash_length(hasher, bytes.len());
                hasher.update(bytes);
            }
            Value::Array(values) => {
                hasher.update(&[6]);
                hash_length(hasher, values.len());
                values.iter().for_each(|value| value.hash_into(hasher));
            }
            Value::Map(attributes) => {
                hasher.update(&[7]);
                attributes.hash_into(hasher);
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

/// Keys and values. Invariant: sorted by key, each key once; of a key that the sender gave several
/// times the last value stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Vec<(String, Value)>);

impl Attributes {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let found = self.0.binary_search_by(|(own, _)| own.as_str().cmp(key));
        found.ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// The value of the first of `keys` that is present: for attributes that changed their name.
    pub fn get_any(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// All keys and values, by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a flat JSON object: the keys of nested maps are joined by dots.
    pub fn to_flat_json(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut flat = serde_json::Map::new();
        self.flatten_into("", &mut flat);
        flat
    }

    fn flatten_into(&self, prefix: &str, flat: &mut serde_json::Map<String, serde_json::Value>) {
        for (key, value) in self.iter() {
            let key = format!("{prefix}{key}");
            match value {
                Value::Map(nested) if !nested.is_empty() => nested.flatten_into(&format!("{key}."), flat),
                value => {
                    flat.insert(key, value.to_json());
                }
            }
        }
    }

    pub(crate) fn hash_into(&self, hasher: &mut Xxh3) {
        hash_length(hasher, self.0.len());
        for (key, value) in self.iter() {
            hash_text(hasher, key);
            value.hash_into(hasher);
        }
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(pairs: I) -> Attributes {
        let mut pairs: Vec<(String, Value)> =
            pairs.into_iter().map(|(key, value)| (key.into(), value)).collect();
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b)); // stable: equal keys keep the sender's order
        pairs.dedup_by(|later, earlier| {
            let repeated = later.0 == earlier.0;
            if repeated {
                std::mem::swap(later, earlier); // the later value stands
            }
            repeated
        });
        Attributes(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_repeated_key_stands() {
        let attributes: Attributes =
            [("b", 1), ("a", 2), ("b", 3), ("b", 4)].map(|(k, v)| (k, Value::Int(v))).into_iter().collect();
        assert_eq!(attributes.len(), 2);
        assert_eq!(attributes.get("b"), Some(&Value::Int(4)));
        assert_eq!(attributes.get("c"), None);
    }

    #[test]
    fn nested_maps_flatten_with_dots() {
        let inner: Attributes = [("id", Value::Int(42))].into_iter().collect();
        let outer: Attributes =
            [("order", Value::Map(inner)), ("tags", Value::Array(vec!["a".into()]))].into_iter().collect();
        let json = serde_json::Value::Object(outer.to_flat_json());
        assert_eq!(json, serde_json::json!({"order.id": 42, "tags": ["a"]}));
    }

    #[test]
    fn what_json_lacks_becomes_text() {
        assert_eq!(Value::Double(f64::NAN).to_json(), serde_json::json!("NaN"));
        assert_eq!(Value::Bytes(vec![0, 255]).to_json(), serde_json::json!("00ff"));
        assert_eq!(Value::Empty.to_json(), serde_json::Value::Null);
    }
}
