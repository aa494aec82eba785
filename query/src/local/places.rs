//! Under which keys and entities a value stands.

use std::collections::BTreeMap;

use timeline::document::{FindMatch, Incompleteness};
use timeline::naming::{self, Name};
use timeline::record::Record;
use timeline::time::Time;
use timeline::token::{SHORT_TEXT_BYTES_MAX, Sought};
use timeline::value::Value;

use super::spend::Spend;
use crate::archive::{Archive, Effort, Window};
use crate::interface::QueryError;
use crate::predicate::{Content, Place, Predicate, any_place};

/// Where a value occurs, counted.
pub(super) struct Counted {
    /// One row a place, most records first.
    pub(super) matches: Vec<FindMatch>,
    /// How many records were read.
    pub(super) read: u64,
    /// How many hold the value.
    pub(super) total: u64,
    /// Why the answer may lack something.
    pub(super) reasons: Vec<Incompleteness>,
}

/// Counts the places of `value` in all records that hold it.
pub(super) fn count<A: Archive>(archive: &A, value: &str, effort: &Effort) -> Result<Counted, QueryError> {
    let value = value.trim();
    let sought = Sought::new(value);
    if sought.tokens().is_empty() {
        let message = "find looks for an identifier: a number, a UUID, an e-mail address, a key";
        return Err(QueryError::Malformed { message: message.to_owned(), at: Some(0) });
    }
    let key = naming::key_of(&Value::from(value)).unwrap_or_default();
    let mut rows = BTreeMap::new();
    let mut read = 0;
    let mut spend = Spend::new(archive, effort);
    let total = spend.each(&Predicate::Value(value.to_owned()), Window::default(), |record| {
        read += 1;
        for row in rows_of(&record, &sought, value, &key) {
            rows.entry(row).or_insert_with(Tally::default).add(record.time());
        }
    })?;
    Ok(Counted { matches: matches(merged(rows)), read, total, reasons: spend.into_reasons() })
}

/// What a row of the answer is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    attribute: String,
    value: String,
    entity: Option<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    records: u64,
    first: Option<Time>,
    last: Time,
}

impl Tally {
    fn add(&mut self, time: Time) {
        self.merge(Tally { records: 1, first: Some(time), last: time });
    }

    fn merge(&mut self, other: Tally) {
        self.records += other.records;
        self.first = match (self.first, other.first) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        self.last = self.last.max(other.last);
    }
}

/// The rows that one record adds to, each once.
fn rows_of(record: &Record, sought: &Sought, value: &str, key: &str) -> Vec<Row> {
    let names = naming::names(record);
    let mut rows = Vec::new();
    let mut add = |attribute: String, value: String| {
        let row = Row { entity: entity_at(&names, &attribute, key), attribute, value };
        if !rows.contains(&row) {
            rows.push(row);
        }
    };
    any_place(record, |place, content| {
        if let Some(found) = standing(content, sought, value) {
            add(label(place), found);
        }
        false
    });
    for (field, id) in ids(record) {
        if sought.tokens() == [id.as_str()] {
            add(field.to_owned(), id);
        }
    }
    rows
}

/// The value as it stands there: the whole of a short attribute; of a longer text only what is sought.
fn standing(content: Content<'_>, sought: &Sought, value: &str) -> Option<String> {
    match content {
        Content::Text(text) => sought.is_in_prose(text).then(|| value.to_owned()),
        Content::Value(held) if sought.is_in_value(held) => {
            let text = held.to_text();
            Some(if text.len() <= SHORT_TEXT_BYTES_MAX { text.into_owned() } else { value.to_owned() })
        }
        Content::Value(_) => None,
    }
}

/// The name of a place, as [`naming::names`] gives it where it can.
fn label(place: Place<'_>) -> String {
    match place {
        Place::Name => "name".to_owned(),
        Place::EventName => "event".to_owned(),
        Place::Body("") => "body".to_owned(),
        Place::Body(path) => format!("body.{path}"),
        Place::StatusMessage => "status_message".to_owned(),
        Place::Attribute(key) => key.to_owned(),
        Place::EventAttribute(event, key) => format!("event:{event}:{key}"),
        Place::LinkAttribute(key) => format!("link.{key}"),
        Place::Resource(key) => format!("resource.{key}"),
    }
}

fn ids(record: &Record) -> Vec<(&'static str, String)> {
    let span = record.as_span();
    let mut ids = Vec::new();
    ids.extend(record.trace_id().map(|id| ("trace_id", id.to_string())));
    ids.extend(record.span_id().map(|id| ("span_id", id.to_string())));
    ids.extend(span.and_then(|span| span.parent_span_id).map(|id| ("parent_span_id", id.to_string())));
    for link in span.map_or(&[][..], |span| &span.links) {
        ids.push(("link.trace_id", link.trace_id.to_string()));
        ids.push(("link.span_id", link.span_id.to_string()));
    }
    ids
}

fn entity_at(names: &[Name], place: &str, key: &str) -> Option<String> {
    let named = names.iter().find(|name| name.place == place && name.key == key)?;
    Some(format!("{}/{}", named.kind, named.key))
}

/// A record names an entity by its surest place only; at the others the row says nothing. Where other records
/// say of that place which one entity it names, their rows are one.
fn merged(rows: BTreeMap<Row, Tally>) -> BTreeMap<Row, Tally> {
    let mut entities: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in rows.keys() {
        let known = entities.entry((row.attribute.clone(), row.value.clone())).or_default();
        known.extend(row.entity.clone());
    }
    let mut merged: BTreeMap<Row, Tally> = BTreeMap::new();
    for (mut row, tally) in rows {
        if row.entity.is_none()
            && let Some([single]) =
                entities.get(&(row.attribute.clone(), row.value.clone())).map(Vec::as_slice)
        {
            row.entity = Some(single.clone());
        }
        merged.entry(row).or_default().merge(tally);
    }
    merged
}

fn matches(rows: BTreeMap<Row, Tally>) -> Vec<FindMatch> {
    let mut matches: Vec<FindMatch> = rows
        .into_iter()
        .map(|(row, tally)| FindMatch {
            entity: row.entity,
            attribute: row.attribute,
            value: row.value,
            records: tally.records,
            first: tally.first.unwrap_or_default(),
            last: tally.last,
        })
        .collect();
    matches.sort_by_key(|found| std::cmp::Reverse(found.records)); // stable: equal counts stay by place
    matches
}
