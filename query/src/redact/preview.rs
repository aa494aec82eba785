//! What was replaced, counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::Rules;

/// What a redaction replaces, by rule and place; no value is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// One for each rule, as they were given: keys, then patterns.
    pub rules: Vec<PreviewRule>,
}

/// What one rule replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRule {
    /// The key as it was written, a pattern between slashes, or `all but what is kept`.
    pub rule: String,
    /// How many different values it replaces wherever they stand.
    pub values: u64,
    /// Where, the most frequent first.
    pub places: Vec<PreviewPlace>,
}

/// Where a rule's values are replaced, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewPlace {
    /// An attribute's name (those of a resource, an event, a link, a body behind the word), `name`, `body`, `status message`.
    pub place: String,
    /// So many values were replaced there.
    pub count: u64,
}

pub(super) fn of(
    rules: &Rules,
    secrets: &BTreeMap<String, usize>,
    counts: &BTreeMap<(usize, String), u64>,
) -> Preview {
    let of_rule = |(number, rule): (usize, String)| {
        let own = counts.iter().filter(|((of, _), _)| *of == number);
        let mut places: Vec<PreviewPlace> =
            own.map(|((_, place), count)| PreviewPlace { place: place.clone(), count: *count }).collect();
        places.sort_by_key(|place| std::cmp::Reverse(place.count)); // stable: equal counts stay by place
        PreviewRule { rule, values: secrets.values().filter(|of| **of == number).count() as u64, places }
    };
    Preview { rules: rules.written().into_iter().enumerate().map(of_rule).collect() }
}
