//! What engineers write: notes, the status of incidents, bookmarks, saved searches. Plain data that merges in any order.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use hlc::Stamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::id::EventId;
use crate::record::hash_text;
use crate::time::Time;

/// A note's text, a search's query: at most so many bytes.
pub const TEXT_BYTES_MAX: usize = 16 << 10;
/// An author, an id, an entity, a name: at most so many bytes.
pub const NAME_BYTES_MAX: usize = 1 << 10;
/// An outline names at most so many segments, entities and services each.
pub const OUTLINE_ITEMS_MAX: usize = 1_000;

/// One thing that an engineer wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// Of two with one id the later written stands. `a-` and 16 hexadecimal digits, as [`Annotation::new`] makes it.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// When, by the clock of whoever wrote it.
    pub time: Time,
    /// What it says.
    pub says: Says,
}

/// What an annotation says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Says {
    /// A note on something.
    Note {
        /// On what.
        target: Target,
        /// The note.
        text: String,
    },
    /// An incident is open, or closed.
    Status {
        /// The incident's id.
        incident: String,
        /// Which.
        status: IncidentStatus,
    },
    /// What an incident was when an engineer touched it. It names the segments that its records stand in: they are kept
    /// while the incident is open.
    Outline(Outline),
    /// An event to come back to.
    Bookmark {
        /// In whose timeline, as `order/42`.
        entity: String,
        /// The event; `None` for the timeline as a whole.
        event: Option<EventId>,
        /// What for; may be empty.
        text: String,
    },
    /// A query by a name.
    Search {
        /// Its name.
        name: String,
        /// In the language of `docs/search.md`.
        query: String,
    },
    /// What had this id is taken back.
    Removed,
}

/// What a note is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// An incident, by its id.
    Incident(String),
    /// An entity, as `order/42`.
    Entity(String),
    /// One event of an entity's timeline.
    Event {
        /// The entity, as `order/42`.
        entity: String,
        /// The event.
        event: EventId,
    },
}

/// Whether an incident is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// It is not, or nobody said.
    #[default]
    Open,
    /// An engineer closed it.
    Closed,
}

impl IncidentStatus {
    /// The name in the public JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            IncidentStatus::Open => "open",
            IncidentStatus::Closed => "closed",
        }
    }
}

impl std::fmt::Display for IncidentStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// An incident in a few words, told again once its records are gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outline {
    /// The incident's id.
    pub incident: String,
    /// Its name.
    pub title: String,
    /// Where it begins.
    pub first: Time,
    /// Where its last member ends.
    pub last: Time,
    /// Whose state it concerns, the first of them.
    pub entities: Vec<String>,
    /// Where it happened.
    pub services: Vec<String>,
    /// The journal's segments in which its records stand, ascending.
    pub segments: Vec<u64>,
}

/// An annotation with the stamp of its first arrival.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Written {
    /// The journal's stamp when it was first written; of two annotations with one id the one with the greater stamp
    /// stands.
    pub stamp: Stamp,
    /// What was written.
    pub annotation: Annotation,
}

/// Why an annotation is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A text that must say something says nothing.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A text or a list is too long.
    #[error("{what} is longer than {max} {unit}")]
    TooLong {
        /// What is.
        what: &'static str,
        /// How long it may be.
        max: usize,
        /// In what.
        unit: &'static str,
    },
}

impl Annotation {
    /// What `author` says at `time`. The id is a hash of the three: written twice, it is one. A saved search's id is a
    /// hash of its name, an outline's one of the incident's id: the later replaces the
    /// earlier.
    pub fn new(author: impl Into<String>, time: Time, says: Says) -> Annotation {
        let author = author.into();
        let mut hasher = Xxh3::new();
        match &says {
            Says::Search { name, .. } => {
                hash_text(&mut hasher, "search");
                hash_text(&mut hasher, name);
            }
            Says::Outline(outline) => {
                hash_text(&mut hasher, "outline");
                hash_text(&mut hasher, &outline.incident);
            }
            says => {
                hash_text(&mut hasher, &author);
                hasher.update(&time.0.to_le_bytes());
                // No value of this type fails to be written; one that did would only share its id with another.
                hash_text(&mut hasher, &serde_json::to_string(says).unwrap_or_default());
            }
        }
        Annotation { id: format!("a-{:016x}", hasher.digest()), author, time, says }
    }

    /// Whether it may be written: its texts say something, and are no longer than they may be.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), Unfit> {
        name("the id", &self.id)?;
        name("the author", &self.author)?;
        match &self.says {
            Says::Note { target, text: note } => {
                text("the note", note)?;
                match target {
                    Target::Incident(incident) => name("the incident", incident),
                    Target::Entity(entity) | Target::Event { entity, .. } => name("the entity", entity),
                }
            }
            Says::Status { incident, .. } => name("the incident", incident),
            Says::Outline(outline) => outline.check(),
            Says::Bookmark { entity, text, .. } => {
                name("the entity", entity)?;
                short("the bookmark's text", text, TEXT_BYTES_MAX)
            }
            Says::Search { name: own, query } => {
                name("the search's name", own)?;
                text("the query", query)
            }
            Says::Removed => Ok(()),
        }
    }

    /// About how many bytes it takes as JSON.
    fn bytes(&self) -> usize {
        let says = match &self.says {
            Says::Note { text, .. } => text.len(),
            Says::Status { .. } | Says::Removed => 0,
            Says::Outline(outline) => {
                let names = outline.entities.iter().chain(&outline.services);
                outline.title.len()
                    + names.map(|name| name.len() + 3).sum::<usize>()
                    + 8 * outline.segments.len()
            }
            Says::Bookmark { text, .. } => text.len(),
            Says::Search { name, query } => name.len() + query.len(),
        };
        says + self.author.len() + self.id.len() + 200
    }

    /// The incident that it is about, if it is about one.
    pub fn incident(&self) -> Option<&str> {
        match &self.says {
            Says::Note { target: Target::Incident(incident), .. } | Says::Status { incident, .. } => {
                Some(incident)
            }
            Says::Outline(outline) => Some(&outline.incident),
            _ => None,
        }
    }
}

impl Outline {
    fn check(&self) -> Result<(), Unfit> {
        name("the incident", &self.incident)?;
        text("the title", &self.title)?;
        for (what, items) in
            [("the list of entities", &self.entities), ("the list of services", &self.services)]
        {
            few(what, items.len())?;
            items.iter().try_for_each(|item| name(what, item))?;
        }
        few("the list of segments", self.segments.len())
    }
}

fn name(what: &'static str, text: &str) -> Result<(), Unfit> {
    if text.is_empty() { Err(Unfit::Empty(what)) } else { short(what, text, NAME_BYTES_MAX) }
}

fn text(what: &'static str, text: &str) -> Result<(), Unfit> {
    if text.trim().is_empty() { Err(Unfit::Empty(what)) } else { short(what, text, TEXT_BYTES_MAX) }
}

fn short(what: &'static str, text: &str, max: usize) -> Result<(), Unfit> {
    if text.len() > max { Err(Unfit::TooLong { what, max, unit: "bytes" }) } else { Ok(()) }
}

fn few(what: &'static str, items: usize) -> Result<(), Unfit> {
    let max = OUTLINE_ITEMS_MAX;
    if items > max { Err(Unfit::TooLong { what, max, unit: "items" }) } else { Ok(()) }
}

/// What was written, merged: of each id what was written last. Merging is commutative, associative and idempotent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notebook {
    last: BTreeMap<String, Written>,
}

impl Notebook {
    /// Takes one in; false where something later stands already.
    pub fn add(&mut self, written: Written) -> bool {
        match self.last.get(&written.annotation.id) {
            Some(own) if *own >= written => false,
            _ => {
                self.last.insert(written.annotation.id.clone(), written);
                true
            }
        }
    }

    /// How many bytes its texts take, and a little more for each: about what it takes as JSON.
    pub fn bytes(&self) -> usize {
        self.all().map(|written| written.annotation.bytes()).sum()
    }

    /// All that stands, what was taken back included, by id.
    pub fn all(&self) -> impl Iterator<Item = &Written> {
        self.last.values()
    }

    /// What was not taken back, in the order in which it was written.
    pub fn standing(&self) -> Vec<&Written> {
        let mut standing: Vec<_> =
            self.all().filter(|written| written.annotation.says != Says::Removed).collect();
        standing.sort_by_key(|written| (written.stamp, &written.annotation.id));
        standing
    }

    /// What stands under `id`, unless it was taken back.
    pub fn get(&self, id: &str) -> Option<&Written> {
        self.last.get(id).filter(|written| written.annotation.says != Says::Removed)
    }

    /// Whether `incident` is open: nobody closed it, or somebody opened it again after that.
    pub fn status(&self, incident: &str) -> IncidentStatus {
        let said = self.standing().into_iter().rev().find_map(|written| match &written.annotation.says {
            Says::Status { incident: own, status } if own == incident => Some(*status),
            _ => None,
        });
        said.unwrap_or_default()
    }

    /// The outlines of the incidents that are open, the latest touched first.
    pub fn open_outlines(&self) -> Vec<&Outline> {
        let mut touched: BTreeMap<&str, Stamp> = BTreeMap::new();
        let mut said: BTreeMap<&str, IncidentStatus> = BTreeMap::new();
        let standing = self.standing();
        for written in &standing {
            if let Some(incident) = written.annotation.incident() {
                touched.insert(incident, written.stamp);
            }
            if let Says::Status { incident, status } = &written.annotation.says {
                said.insert(incident, *status);
            }
        }
        let is_open =
            |outline: &Outline| said.get(outline.incident.as_str()) != Some(&IncidentStatus::Closed);
        let mut outlines: Vec<&Outline> = standing
            .iter()
            .filter_map(|written| match &written.annotation.says {
                Says::Outline(outline) if is_open(outline) => Some(outline),
                _ => None,
            })
            .collect();
        outlines.sort_by_key(|outline| {
            (std::cmp::Reverse(touched.get(outline.incident.as_str()).copied()), &outline.incident)
        });
        outlines
    }
}

impl FromIterator<Written> for Notebook {
    fn from_iter<I: IntoIterator<Item = Written>>(written: I) -> Notebook {
        let mut notebook = Notebook::default();
        for one in written {
            notebook.add(one);
        }
        notebook
    }
}
