//! Which entities a record names, and how: read off ordinary telemetry, by name and place alone.
//!
//! | file        | what it alone knows                                                        |
//! |-------------|----------------------------------------------------------------------------|
//! | `form.rs`   | how types and keys are written: lower-case snake, singular; decimals, UUIDs  |
//! | `places.rs` | which parts of a record are read: attributes, routes, keys, messages         |
//! | `copies.rs` | which copies of state a record speaks of, without a key                    |
//! | `sql.rs`    | the tables and literal ids of a statement                                    |
//! | `text.rs`   | a type followed by its key in a line of text                                 |
//!
//! A name says which thing is meant, never that it exists: `orderId=42` and `/orders/42` both name
//! `order/42`. Old and new names of the semantic conventions are read alike.

mod copies;
mod form;
mod places;
mod sql;
mod text;

use std::collections::BTreeMap;

use crate::record::{Record, Resource};
use crate::value::Value;

pub(crate) use copies::copies;
pub(crate) use form::looks_like_key;
pub use form::{is_reserved, key_of, kind_of, snake};
pub(crate) use places::last_of_path;

/// The type that a person who writes `name` means: `Orders` is `order`.
pub fn kind_named(name: &str) -> String {
    form::kind_of_plural(name)
}

/// How a record names an entity, surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// `backstory.entity.*`, or an OpenTelemetry entity event.
    Explicit,
    /// An attribute named after the type: `order_id`, `orderId`, `order.id`.
    Attribute,
    /// A path that its route explains: `/orders/{id}` and `/orders/42`.
    Route,
    /// A literal or a recorded parameter in a statement.
    Sql,
    /// A Redis key: `order:42`.
    Redis,
    /// A message's key or subject.
    Message,
    /// A path alone.
    Path,
    /// Words in a line of text: `order 42`.
    Text,
}

impl How {
    /// The name in the public JSON.
    pub fn name(self) -> &'static str {
        match self {
            How::Explicit => "explicit",
            How::Attribute => "attribute",
            How::Route => "route",
            How::Sql => "sql",
            How::Redis => "redis",
            How::Message => "message",
            How::Path => "path",
            How::Text => "text",
        }
    }
}

/// One entity that a record names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The entity's type: `order`.
    pub kind: String,
    /// The entity's key: `42`.
    pub key: String,
    /// How it is known.
    pub how: How,
    /// Where it stands: the attribute's name, `event:NAME:ATTRIBUTE`, `name` or `body`.
    pub place: String,
    /// The value at that place that holds the key, as it was received.
    pub value: String,
}

/// The entities that a record names: sorted by type and key, each once, by the surest place.
pub fn names(record: &Record) -> Vec<Name> {
    let mut found = Names::default();
    places::read(record, &mut found);
    found.surest.into_values().collect()
}

/// The thing that a message's key or subject names.
pub(crate) fn message_thing(record: &Record) -> Option<(String, String)> {
    let mut found = Names::default();
    places::read_message(record.attributes(), "", &mut found);
    found.surest.into_keys().next()
}

/// The scope of a resource's entities: environment and namespace. See [`Scope`].
pub fn scope(resource: &Resource) -> Scope {
    let environment =
        resource.text("deployment.environment.name").or_else(|| resource.text("deployment.environment"));
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Scope { environment: owned(environment), namespace: owned(resource.text("service.namespace")) }
}

/// Where an entity's key is unique: `order/42` of staging and of production are two things.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// `deployment.environment.name`, where it is known.
    pub environment: Option<String>,
    /// `service.namespace`, where it is known.
    pub namespace: Option<String>,
}

impl Scope {
    /// Whether the two can be one scope: nothing known of one contradicts the other.
    pub fn meets(&self, other: &Scope) -> bool {
        let agree = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        agree(&self.environment, &other.environment) && agree(&self.namespace, &other.namespace)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.environment, &self.namespace) {
            (None, None) => Ok(()),
            (environment, namespace) => {
                write!(f, "{}/{}", environment.as_deref().unwrap_or(""), namespace.as_deref().unwrap_or(""))
            }
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Scope, Self::Err> {
        let (environment, namespace) = text.split_once('/').unwrap_or((text, ""));
        let known = |part: &str| (!part.is_empty()).then(|| part.to_owned());
        Ok(Scope { environment: known(environment), namespace: known(namespace) })
    }
}

/// Names as they are found; of equal ones the surest stands.
#[derive(Default)]
struct Names {
    surest: BTreeMap<(String, String), Name>,
}

impl Names {
    /// Adds `kind` with the key that `value` is, if it can be one.
    fn add(&mut self, kind: &str, value: &Value, how: How, place: &str) {
        if let Some(key) = key_of(value) {
            self.add_key(kind, key, how, place, &value.to_text());
        }
    }

    /// Adds `kind` with the key written in `text`, if it can be one.
    fn add_text(&mut self, kind: &str, text: &str, how: How, place: &str) {
        if let Some(key) = form::key_of_text(text) {
            self.add_key(kind, key, how, place, text);
        }
    }

    fn add_key(&mut self, kind: &str, key: String, how: How, place: &str, value: &str) {
        if kind.is_empty() {
            return;
        }
        let name = Name {
            kind: kind.to_owned(),
            key: key.clone(),
            how,
            place: place.to_owned(),
            value: value.to_owned(),
        };
        let surest = self.surest.entry((kind.to_owned(), key)).or_insert_with(|| name.clone());
        if (name.how, &name.place) < (surest.how, &surest.place) {
            *surest = name;
        }
    }
}

#[cfg(test)]
mod tests;
