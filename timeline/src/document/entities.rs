//! `backstory.entities/1`: the entity types and keys that records name.

use serde::{Deserialize, Serialize};

use super::Completeness;
use crate::time::Time;

/// The entity types that records name; of one type, its keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entities {
    /// Always [`Entities::SCHEMA`].
    pub schema: String,
    /// What the answer rests on: `shown` of `total` records were read.
    pub completeness: Completeness,
    /// The types, most records first, the guessed ones last; the one asked for alone.
    pub types: Vec<EntityType>,
    /// The keys of the type asked for, the latest first; empty where none was asked for.
    pub entities: Vec<EntityKey>,
    /// How many keys are listed.
    pub shown: u64,
    /// How many there are; about as many where `exact` is false. 0 where no type was asked for.
    pub total: u64,
    /// Whether every key was kept, so that the list is of the latest of all; else of a fair sample.
    pub exact: bool,
}

impl Entities {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.entities/1";
}

/// One entity type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityType {
    /// In lower-case snake, singular: `order`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many distinct keys; about as many where `exact` is false.
    pub keys: u64,
    /// Whether they were counted, not estimated.
    pub exact: bool,
    /// Whether lines of text alone name it: then it may be no type of thing, but a word before a number.
    pub guessed: bool,
    /// How many records name one.
    pub records: u64,
    /// The earliest of their times.
    pub first: Option<Time>,
    /// The latest of their times.
    pub last: Option<Time>,
    /// The scopes that they are in, most records first.
    pub scopes: Vec<String>,
    /// The services that name one, most records first.
    pub services: Vec<String>,
    /// Who holds the type's state, by the copies' own names; the most written first. A copy may be seen where no key is.
    pub copies: Vec<SeenCopy>,
    /// Where the names stand, most records first.
    pub places: Vec<NamePlace>,
}

/// A copy that records speak of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenCopy {
    /// `shop/orders`, `redis/order`, `kafka/order-events`.
    pub copy: String,
    /// In how many records.
    pub records: u64,
    /// How many of them write to it.
    pub writes: u64,
}

/// A place that names of a type stand at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamePlace {
    /// How the name is read: `explicit`, `attribute`, `route`, `sql`, `redis`, `message`, `path` or `text`.
    pub how: String,
    /// The attribute, `event:NAME:ATTRIBUTE`, `name` or `body`, with the route or key prefix where there is one.
    pub place: String,
    /// In how many records it stands there.
    pub records: u64,
    /// A value as it stands there.
    pub example: String,
}

/// One key of a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityKey {
    /// `order/42`.
    pub entity: String,
    /// The scope in which most records name it: `production/shop`; empty where unknown.
    pub scope: String,
    /// How many records name it.
    pub records: u64,
    /// The earliest of their times.
    pub first: Option<Time>,
    /// The latest of their times.
    pub last: Option<Time>,
}
