//! The types of entities that records name, and their keys.

use super::sample::{Merge, Sample};
use super::tally::Tally;
use crate::naming::{How, Name, Scope};
use crate::record::Record;
use crate::value::Value;

/// A type's distinct keys are counted exactly up to so many, then estimated with a standard error of 1 %.
const KEYS_COUNTED_MAX: usize = 10_000;
/// So many places, services and scopes are told of a type.
const SIDES_MAX: usize = 64;

/// What is known of one type.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) tally: Tally,
    pub(crate) keys: Sample<()>,
    pub(crate) scopes: Sample<u64>,
    pub(crate) services: Sample<u64>,
    /// By the copy's name.
    pub(crate) copies: Sample<Held>,
    /// By where the name stands, as [`place`] writes it.
    pub(crate) places: Sample<Place>,
}

impl Default for Kind {
    fn default() -> Kind {
        Kind {
            tally: Tally::default(),
            keys: Sample::new(KEYS_COUNTED_MAX),
            scopes: Sample::new(SIDES_MAX),
            services: Sample::new(SIDES_MAX),
            copies: Sample::new(SIDES_MAX),
            places: Sample::new(SIDES_MAX),
        }
    }
}

/// How often a copy is spoken of, and written to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    pub(crate) records: u64,
    pub(crate) writes: u64,
}

impl Merge for Held {
    fn merge(&mut self, other: Held) {
        self.records += other.records;
        self.writes += other.writes;
    }
}

/// How often a name stands at one place, and how it looks there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) records: u64,
    /// The surest way in which it is read there.
    pub(crate) how: Option<How>,
    /// The smallest value seen.
    pub(crate) example: Option<String>,
}

impl Merge for Place {
    fn merge(&mut self, other: Place) {
        self.records += other.records;
        self.how = self.how.into_iter().chain(other.how).min();
        self.example = std::mem::take(&mut self.example).into_iter().chain(other.example).min();
    }
}

impl Merge for Kind {
    fn merge(&mut self, other: Kind) {
        self.tally.merge(other.tally);
        self.keys.merge(other.keys);
        self.scopes.merge(other.scopes);
        self.services.merge(other.services);
        self.copies.merge(other.copies);
        self.places.merge(other.places);
    }
}

impl Kind {
    /// Takes in the names of this type that one record holds; at least one.
    pub(crate) fn note(&mut self, record: &Record, scope: &Scope, names: &[Name]) {
        self.tally.note(record.time());
        self.scopes.note(&scope.to_string());
        self.services.note(record.resource.service());
        for name in names {
            self.keys.tally(&identity(scope, &name.key));
            if let Some(place) = self.places.tally(&place(record, name)) {
                place.merge(Place { records: 1, how: Some(name.how), example: Some(name.value.clone()) });
            }
        }
    }
}

/// What tells a type's things apart: the environment and the key. One request passes through several namespaces,
/// so they part no things here.
pub(crate) fn identity(scope: &Scope, key: &str) -> String {
    format!("{}/{key}", scope.environment.as_deref().unwrap_or(""))
}

/// Where a name stands, for a person: the attribute; of a path the route; of a Redis command the key's prefix.
fn place(record: &Record, name: &Name) -> String {
    let route = || record.attributes().get_any(&["http.route", "url.template"]).and_then(Value::as_str);
    match name.how {
        How::Route => route().map_or_else(|| name.place.clone(), |route| format!("{} {route}", name.place)),
        How::Redis => format!("{} {}:…", name.place, name.kind),
        How::Explicit | How::Attribute | How::Sql | How::Message | How::Path | How::Text => {
            name.place.clone()
        }
    }
}

/// What is known of one key of a type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Key {
    pub(crate) tally: Tally,
    /// How many records in which scope; namespaces are few.
    pub(crate) scopes: Vec<(String, u64)>,
}

impl Key {
    pub(crate) fn note(&mut self, record: &Record, scope: &Scope) {
        self.tally.note(record.time());
        self.add(&scope.to_string(), 1);
    }

    fn add(&mut self, scope: &str, records: u64) {
        match self.scopes.iter_mut().find(|(own, _)| own == scope) {
            Some((_, own)) => *own += records,
            None => self.scopes.push((scope.to_owned(), records)),
        }
    }

    /// The scope in which most records name it.
    pub(crate) fn scope(&self) -> &str {
        let most = self.scopes.iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
        most.map_or("", |(scope, _)| scope)
    }
}

impl Merge for Key {
    fn merge(&mut self, other: Key) {
        self.tally.merge(other.tally);
        other.scopes.iter().for_each(|(scope, records)| self.add(scope, *records));
    }
}
