//! A bundle: one entity's story in one file, told anywhere as it was told here.
//!
//! | file          | what it alone knows                                                    |
//! |---------------|------------------------------------------------------------------------|
//! | `file.rs`     | frames, lines, the hash at the end; reading and checking                |
//! | `manifest.rs` | the first line: whose it is, what is in it, what it rests on            |
//! | `codec.rs`    | records as lines                                                       |
//! | `premises.rs` | the configuration that findings are judged by, as JSON                 |
//!
//! The format is in `docs/formats.md`.
//!
//! # Invariants
//!
//! - **BND-1** What a bundle is asked that it was made for, it answers with the bytes of the store that it was made from at
//!   that moment.
//! - **BND-2** A file that differs in any byte from what was written is no bundle: opening it fails, and checking it says
//!   what is wrong.

mod codec;
mod file;
mod manifest;
mod premises;
#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use timeline::Given;
use timeline::annotation::{Notebook, Says, Target, Written};
use timeline::clocks::{ClockEvidence, Declared};
use timeline::document::Completeness;
use timeline::id::RecordId;
use timeline::judge::Settings;
use timeline::record::Record;
use timeline::time::Time;

use crate::annotations::MemoryAnnotations;
use crate::archive::Window;
use crate::interface::TimelineRequest;
use crate::language::{Now, Zone};
use crate::local::Local;
use crate::memory::Memory;
use crate::redact::{Preview, Redactor};

/// Records and all that their timelines rest on.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// The version of the program that made it.
    pub made_by: String,
    /// When: what had arrived by then was at hand, and relative times count from it.
    pub asked_at: Time,
    /// What it answers as the store did.
    pub questions: Vec<BundleQuestion>,
    /// Each once, with the earliest arrival that is known; by position.
    pub records: Vec<Record>,
    /// What the store's answer lacked.
    pub completeness: Completeness,
    /// What findings are judged by.
    pub settings: Settings,
    /// Declared offsets of clocks, by host, else by service.
    pub declared: BTreeMap<String, Declared>,
    /// What the store's traffic proved about clocks.
    pub clocks: ClockEvidence,
    /// What engineers wrote about its entities and their events.
    pub notes: Vec<Written>,
    /// What was replaced by tokens; `None` where nothing was.
    pub redacted: Option<Preview>,
}

/// A question that a bundle was made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleQuestion {
    /// As it was asked: `order/42`.
    pub entity: String,
    /// Only records of this time or later.
    pub since: Option<Time>,
    /// Only records before this time.
    pub until: Option<Time>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Something else.
    #[error("it is no bundle: `backstory export ENTITY --bundle FILE` makes one")]
    NoBundle,
    /// A bundle of another version.
    #[error("it is a bundle of version {0}, this program reads version 1")]
    Version(String),
    /// It is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It would fill the memory.
    #[error("it holds more than 4 GiB")]
    TooLarge,
    /// It could not be written.
    #[error("it could not be made")]
    Write(#[source] std::io::Error),
}

impl Bundle {
    /// What the answer to a question rests on.
    pub(crate) fn of(
        request: &TimelineRequest,
        records: Vec<Record>,
        given: Given,
        notebook: &Notebook,
    ) -> Bundle {
        let Window { since, until } = request.window;
        let concerns = |written: &&Written| match &written.annotation.says {
            Says::Note { target: Target::Entity(entity) | Target::Event { entity, .. }, .. }
            | Says::Bookmark { entity, .. } => *entity == request.entity,
            _ => false,
        };
        Bundle {
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            asked_at: given.judged_to.unwrap_or_default(),
            questions: vec![BundleQuestion { entity: request.entity.clone(), since, until }],
            records: distinct(records),
            completeness: given.completeness,
            settings: given.settings,
            declared: given.declared,
            clocks: given.clocks,
            notes: notebook.standing().into_iter().filter(concerns).cloned().collect(),
            redacted: None,
        }
    }

    /// One bundle of several, for an incident: it answers all their questions, with all that any of them lacks. `None` of
    /// none.
    pub fn join(bundles: impl IntoIterator<Item = Bundle>) -> Option<Bundle> {
        bundles.into_iter().reduce(|mut joined, other| {
            joined.questions.extend(other.questions);
            joined.records.extend(other.records);
            joined.completeness.reasons.extend(other.completeness.reasons);
            joined.completeness.complete &= other.completeness.complete;
            joined.clocks.merge(&other.clocks);
            joined.notes.extend(other.notes);
            joined.asked_at = joined.asked_at.max(other.asked_at);
            joined.ordered()
        })
    }

    fn ordered(mut self) -> Bundle {
        let mut asked = HashSet::new();
        self.questions.retain(|question| asked.insert(question.clone()));
        self.completeness.reasons.sort_unstable();
        self.completeness.reasons.dedup();
        self.notes.sort();
        self.notes.dedup();
        Bundle { records: distinct(self.records), ..self }
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        file::write(self)
    }

    /// The bundle in a file's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Bundle, BundleError> {
        file::read(bytes)
    }

    /// All that is wrong with a file's bytes, one sentence each; and how many of its records are whole.
    pub fn verify(bytes: &[u8]) -> (Vec<String>, usize) {
        file::verify(bytes)
    }

    /// The same with tokens for what is to be replaced, in the records and in what they are judged by. Notes are left out:
    /// nobody can say what is in them.
    #[must_use]
    pub fn redacted(self, redactor: &mut Redactor) -> Bundle {
        let records = redactor.records(&self.records);
        let clocks = redactor.clocks(&self.clocks, &self.records, &records);
        let mut declared = BTreeMap::new();
        for (name, offset) in self.declared {
            declared.insert(redactor.text(&name), offset);
        }
        let mut questions = self.questions;
        questions.iter_mut().for_each(|question| question.entity = redactor.text(&question.entity));
        Bundle {
            settings: redactor.settings(&self.settings),
            completeness: redactor.completeness(self.completeness),
            redacted: Some(redactor.preview()),
            declared,
            questions,
            records,
            clocks,
            notes: Vec::new(),
            ..self
        }
    }

    /// Answers questions from it. Times such as `15m` count from when it was made.
    pub fn open(self, source: impl Into<String>, zone: Zone) -> Local<Memory> {
        let now = Now { time: self.asked_at, zone };
        let memory = Memory::new(self.records).from_archive(self.completeness, self.clocks);
        let notes = MemoryAnnotations::holding(SEALED, self.notes);
        Local::new(memory, source, move || now)
            .with_settings(self.settings)
            .with_declared(self.declared)
            .with_annotations(Arc::new(notes))
    }
}

/// What one who writes into a bundle is told.
const SEALED: &str =
    "a bundle is read, not written: write on the store that it was made from, or import it and write there";

/// The first and the last of the records' own times.
fn range(records: &[Record]) -> (Option<Time>, Option<Time>) {
    let times = || records.iter().map(Record::time).filter(|time| time.is_set());
    (times().min(), times().max())
}

/// Each record once, by position: where it stood first, with its earliest arrival.
fn distinct(records: Vec<Record>) -> Vec<Record> {
    let mut by_id: BTreeMap<RecordId, Record> = BTreeMap::new();
    for record in records {
        match by_id.entry(record.id) {
            Entry::Vacant(slot) => drop(slot.insert(record)),
            Entry::Occupied(mut slot) => {
                let held = slot.get_mut();
                held.position = held.position.min(record.position);
                held.arrival = match (held.arrival, record.arrival) {
                    (Some(own), Some(other)) => Some(own.min(other)),
                    (own, other) => own.or(other),
                };
            }
        }
    }
    let mut records: Vec<Record> = by_id.into_values().collect();
    records.sort_by_key(|record| record.position);
    records
}
