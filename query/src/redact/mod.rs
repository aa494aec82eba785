//! Redaction: what is named is replaced by tokens, in the records, before anything is told from them. So every format is
//! covered at once, and what is judged of the redacted records is what was judged of the originals, but for the tokens.
//!
//! | file         | what it alone knows                                                       |
//! |--------------|---------------------------------------------------------------------------|
//! | `rules.rs`   | what is to be replaced: keys, patterns, or all but what is kept           |
//! | `learn.rs`   | which values are meant: wherever records give one under a name            |
//! | `matcher.rs` | where in a text these values stand, however they are spelled              |
//! | `rewrite.rs` | the same record without them                                              |
//! | `unfold.rs`  | a text with its encodings undone                                          |
//! | `token.rs`   | what stands in a value's place                                            |
//! | `preview.rs` | what was replaced, counted                                                |
//! | `archive.rs` | an archive whose records come redacted                                    |
//!
//! # Invariants
//!
//! - **RED-1** Equal values have equal tokens, and no two values share one, within one [`Redactor`]. Another key makes
//!   other tokens; without it no token can be tried for a value.
//! - **RED-2** No value of three characters or more that records give under a redacted name, or that a pattern matches, is
//!   left in what is redacted, as a word of its own, or, from eight characters on, within another: not in another attribute, a
//!   text, a statement, a path, a body or a name, nor percent-encoded, escaped or in another case.
//! - **RED-3** What is told of redacted records is what is told of the originals, with tokens for values, as long as no value
//!   is also the name of a type, and none is counted with.

mod archive;
mod learn;
mod matcher;
mod preview;
mod rewrite;
mod rules;
#[cfg(test)]
mod tests;
mod token;
mod unfold;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use timeline::clocks::{ClockEvidence, Extractor, ProcessId};
use timeline::document::Completeness;
use timeline::judge::{Holds, Pattern, Settings};
use timeline::record::{Record, Resource, Scope};

use self::matcher::Matcher;
use self::rules::Treatment;
use self::token::Tokens;
use self::unfold::Unfolded;

pub use self::archive::Redacted;
pub use self::preview::{Preview, PreviewPlace, PreviewRule};
pub use self::rules::{Rules, RulesError};

/// Replaces values by tokens: one for one export, or for one session.
///
/// Every text of records that are redacted together must be known before the first is rewritten: [`Redactor::records`] sees
/// to that. What later records say under a redacted name is replaced from then on.
#[derive(Debug)]
pub struct Redactor {
    rules: Rules,
    tokens: Tokens,
    /// The values to replace, unfolded, and the rule that each is meant by.
    secrets: BTreeMap<String, usize>,
    /// Where only what is named is kept: the values that stand under kept names.
    kept: BTreeSet<String>,
    matcher: Matcher,
    /// How often a rule's values were replaced in a place.
    counts: BTreeMap<(usize, String), u64>,
    resources: HashMap<u128, Arc<Resource>>,
    scopes: HashMap<u128, Arc<Scope>>,
}

impl Redactor {
    /// Replaces what `rules` name by tokens made with `key`, which must be random and is to be forgotten.
    pub fn new(rules: Rules, key: [u8; 16]) -> Redactor {
        Redactor {
            rules,
            tokens: Tokens::new(key),
            secrets: BTreeMap::new(),
            kept: BTreeSet::new(),
            matcher: Matcher::default(),
            counts: BTreeMap::new(),
            resources: HashMap::new(),
            scopes: HashMap::new(),
        }
    }

    /// Whether nothing is to be replaced.
    pub fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    /// The same records with tokens for values. Their ids are made anew: they would be hashes of what was replaced.
    pub fn records(&mut self, records: &[Record]) -> Vec<Record> {
        self.learn(records);
        records.iter().map(|record| self.rewrite(record)).collect()
    }

    /// A text with tokens for the values known so far: an entity as it is asked for, a note, an answer's text.
    pub fn text(&mut self, text: &str) -> String {
        let unfolded = Unfolded::of(text);
        let found = self.matcher.find(&unfolded, &[]);
        let ranges = found.into_iter().map(|found| found.range);
        self.tokens.cover_ranges(text, &unfolded, ranges)
    }

    /// A text with values for tokens: what somebody asks who was only shown tokens.
    pub fn reveal(&self, text: &str) -> String {
        self.tokens.reveal(text)
    }

    /// What findings are judged by, with tokens for the values that are named in it.
    pub fn settings(&mut self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        for (from, to) in settings.transitions.values_mut().flat_map(BTreeMap::values_mut).flatten() {
            (*from, *to) = (self.text(from), self.text(to));
        }
        for rule in &mut settings.rules {
            let patterns: Vec<&mut Pattern> = match &mut rule.holds {
                Holds::AtMost(_, pattern) => vec![pattern],
                Holds::Never(pattern, after) => std::iter::once(pattern).chain(after).collect(),
                Holds::Eventually(pattern, after, _) => vec![pattern, after],
                Holds::SumAtMost(..) | Holds::SumEquals(..) => Vec::new(),
            };
            patterns.into_iter().for_each(|pattern| pattern.value = self.text(&pattern.value));
        }
        settings
    }

    /// What traffic proved about clocks, for records that were redacted from `originals`. Processes that made none of them
    /// get ids by the keyed hash: theirs would be hashes of names.
    pub fn clocks(
        &mut self,
        clocks: &ClockEvidence,
        originals: &[Record],
        redacted: &[Record],
    ) -> ClockEvidence {
        let process = |record: &Record| {
            let own = Extractor::evidence_of(std::slice::from_ref(record));
            own.readers().next().map(|(id, _)| id)
        };
        let mut ids: HashMap<u128, Option<(ProcessId, ProcessId)>> = HashMap::new();
        for (original, redacted) in originals.iter().zip(redacted) {
            ids.entry(original.resource.digest()).or_insert_with(|| process(original).zip(process(redacted)));
        }
        let known: HashMap<ProcessId, ProcessId> = ids.into_values().flatten().collect();
        let unknown: HashMap<ProcessId, ProcessId> =
            clocks.readers().map(|(id, _)| (id, ProcessId(self.tokens.bytes(&id.0)))).collect();
        let id = |id| known.get(&id).or_else(|| unknown.get(&id)).copied().unwrap_or(id);
        clocks.renamed(&id, &mut |key, text| match self.rules.treatment(key) {
            Treatment::Cover(_) => self.tokens.cover(text),
            Treatment::Composed(_) | Treatment::Search => self.text(text),
        })
    }

    /// What an answer rests on, with tokens in the names of its sources.
    pub fn completeness(&mut self, mut completeness: Completeness) -> Completeness {
        for stream in &mut completeness.streams {
            stream.service = self.text(&stream.service);
            stream.evidence = stream.evidence.as_deref().map(|evidence| self.text(evidence));
        }
        completeness
    }

    /// What was replaced so far, by rule and place.
    pub fn preview(&self) -> Preview {
        preview::of(&self.rules, &self.secrets, &self.counts)
    }
}
