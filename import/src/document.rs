//! JSON documents read an element at a time: a file of a million spans is never held whole.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::input::{Input, PIECE_BYTES_MAX};
use crate::request::ImportError;

/// What is done with each element; an error ends the reading.
type Each<'a> = dyn FnMut(Value) -> Result<(), ImportError> + 'a;

/// Reads every element of the document's list: of the document itself if it is a list, of the list under
/// one of `names` if it is an object; an object without such a list is one element.
///
/// Several documents may follow each other. Returns what is wrong with the JSON, where anything is.
pub(crate) fn elements(
    input: &mut Input<'_>,
    names: &[&str],
    each: &mut Each<'_>,
) -> Result<Option<String>, ImportError> {
    let left = Cell::new(PIECE_BYTES_MAX);
    let failed = Cell::new(None);
    let mut reading = Reading { names, each, left: &left, failed: &failed };
    let reader = io::BufReader::new(Bounded { input, left: &left });
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    loop {
        match deserializer.end() {
            Ok(()) => return Ok(None),
            Err(error) if error.is_io() => return Err(ImportError::Read(error.into())),
            Err(_) => {}
        }
        let read = reading.by_ref().deserialize(&mut deserializer);
        match (read, failed.take()) {
            (_, Some(error)) => return Err(error),
            (Ok(()), None) => {}
            (Err(error), None) if error.is_io() && left.get() == 0 => {
                return Ok(Some(format!("an element is longer than {} MiB", PIECE_BYTES_MAX >> 20)));
            }
            (Err(error), None) if error.is_io() => return Err(ImportError::Read(error.into())),
            (Err(error), None) => return Ok(Some(format!("not JSON: {error}"))),
        }
    }
}

/// A reader that stops where a single element takes too much.
struct Bounded<'a, 'b> {
    input: &'a mut Input<'b>,
    left: &'a Cell<usize>,
}

impl Read for Bounded<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::other("an element is too long"));
        }
        let taken = self.input.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(taken));
        Ok(taken)
    }
}

struct Reading<'a> {
    names: &'a [&'a str],
    each: &'a mut Each<'a>,
    left: &'a Cell<usize>,
    failed: &'a Cell<Option<ImportError>>,
}

impl<'a> Reading<'a> {
    fn by_ref(&mut self) -> Whole<'_, 'a> {
        Whole(self)
    }

    fn element<E: serde::de::Error>(&mut self, value: Value) -> Result<(), E> {
        self.left.set(PIECE_BYTES_MAX);
        (self.each)(value).map_err(|error| {
            self.failed.set(Some(error));
            E::custom("stopped")
        })
    }
}

/// The document itself.
struct Whole<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Whole<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        List(self.0).visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut rest = serde_json::Map::new();
        let mut listed = false;
        while let Some(key) = map.next_key::<String>()? {
            if self.0.names.contains(&key.as_str()) {
                listed = true;
                map.next_value_seed(List(self.0))?;
            } else if listed {
                map.next_value::<IgnoredAny>()?;
            } else {
                rest.insert(key, map.next_value()?);
            }
        }
        if listed { Ok(()) } else { self.0.element(Value::Object(rest)) }
    }
}

/// The list whose elements are wanted.
struct List<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element::<Value>()? {
            self.0.element(value)?;
        }
        Ok(())
    }
}
