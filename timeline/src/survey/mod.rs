//! What an archive holds, by entity type and by service: read off its records one by one, in any order, in
//! bounded memory.
//!
//! | file          | what it alone knows                                                      |
//! |---------------|--------------------------------------------------------------------------|
//! | `sample.rs`   | things by name in bounded memory, and how many there are                  |
//! | `tally.rs`    | how many, from when to when                                              |
//! | `kinds.rs`    | the entity types that records name, and their keys                        |
//! | `traces.rs`   | how spans come to their entity                                           |
//! | `service.rs`  | what one service's telemetry carries                                     |
//! | `spoken.rs`   | what one record says of stores, messages and calls                        |
//! | `told.rs`     | from counts to the public documents                                      |

mod kinds;
mod sample;
mod service;
mod spoken;
mod tally;
#[cfg(test)]
mod tests;
mod told;
mod traces;

use self::kinds::{Held, Key, Kind};
use self::sample::{Merge, Sample};
use self::service::Service;
use self::traces::Traces;
use crate::naming;
use crate::record::Record;

/// So many entity types are told; noise makes more of them than any shop has.
const KINDS_MAX: usize = 1_000;
/// So many services are told.
const SERVICES_MAX: usize = 1_000;
/// So many keys of one type are kept by name.
const KEYS_KEPT_MAX: usize = 100_000;

/// What records hold. Each record is added once; surveys of parts merge into the survey of the whole, and neither
/// the order nor the division changes anything.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Of this type the keys are kept by name, too.
    asked: Option<String>,
    kinds: Sample<Kind>,
    keys: Sample<Key>,
    services: Sample<Service>,
    traces: Traces,
}

impl Default for Survey {
    fn default() -> Survey {
        Survey {
            asked: None,
            kinds: Sample::new(KINDS_MAX),
            keys: Sample::new(KEYS_KEPT_MAX),
            services: Sample::new(SERVICES_MAX),
            traces: Traces::default(),
        }
    }
}

impl Survey {
    /// An empty survey that keeps the keys of `kind` by name.
    pub fn of_kind(kind: &str) -> Survey {
        Survey { asked: Some(kind.to_owned()), ..Survey::default() }
    }

    /// Takes in one record.
    pub fn add(&mut self, record: &Record) {
        let names = naming::names(record);
        let scope = naming::scope(&record.resource);
        for names in names.chunk_by(|a, b| a.kind == b.kind) {
            let Some(first) = names.first() else { continue };
            if let Some(kind) = self.kinds.tally(&first.kind) {
                kind.note(record, &scope, names);
            }
            if self.asked.as_deref() == Some(first.kind.as_str()) {
                for name in names {
                    if let Some(key) = self.keys.tally(&kinds::identity(&scope, &name.key)) {
                        key.note(record, &scope);
                    }
                }
            }
        }
        for copy in naming::copies(record, &names) {
            let held = self.kinds.tally(&copy.kind).and_then(|kind| kind.copies.tally(&copy.name));
            if let Some(held) = held {
                held.merge(Held { records: 1, writes: u64::from(copy.writes) });
            }
        }
        if let Some(service) = self.services.tally(record.resource.service()) {
            service.note(record);
        }
        self.traces.note(record, &names);
    }

    /// Adds what `other` took in; both were asked the same.
    pub fn merge(&mut self, other: Survey) {
        self.kinds.merge(other.kinds);
        self.keys.merge(other.keys);
        self.services.merge(other.services);
        self.traces.merge(other.traces);
    }
}
