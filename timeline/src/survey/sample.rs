//! Things by name in bounded memory: all of them up to a bound, beyond it a fair sample and an estimate.
//!
//! Those with the smallest hashes stay ("bottom-k": K. Beyer et al., *On synopses for distinct-value estimation
//! under multiset operations*, SIGMOD 2007). What is left depends on the set of names alone, never on the order
//! in which they came or were merged; and what is kept was kept from its first sight, so that its tally is exact.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_128;

/// Something counted, which adds up.
pub(crate) trait Merge {
    /// Adds what `other` counted.
    fn merge(&mut self, other: Self);
}

impl Merge for u64 {
    fn merge(&mut self, other: u64) {
        *self += other;
    }
}

impl Merge for () {
    fn merge(&mut self, (): ()) {}
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// As many; about as many where `exact` is false.
    pub(crate) count: u64,
    /// Whether all of them were kept and counted.
    pub(crate) exact: bool,
}

/// A tally for each name, of at most `bound` names.
#[derive(Clone, Debug)]
pub(crate) struct Sample<V> {
    bound: usize,
    /// By hash: two names of one 128-bit hash would be taken for one.
    held: BTreeMap<u128, (String, V)>,
    /// Invariant: every name whose hash is smaller is held.
    past: Option<u128>,
}

impl<V: Default + Merge> Sample<V> {
    /// A sample of at most `bound` names; `bound` is not 0.
    pub(crate) fn new(bound: usize) -> Sample<V> {
        Sample { bound, held: BTreeMap::new(), past: None }
    }

    /// The tally of `name`, a new one at its first sight; `None` for a name that is not kept.
    pub(crate) fn tally(&mut self, name: &str) -> Option<&mut V> {
        let hash = xxh3_128(name.as_bytes());
        if self.past.is_some_and(|past| hash >= past) {
            return None;
        }
        self.held.entry(hash).or_insert_with(|| (name.to_owned(), V::default()));
        self.shrink();
        self.held.get_mut(&hash).map(|(_, tally)| tally)
    }

    /// Adds what `other` counted.
    pub(crate) fn merge(&mut self, other: Sample<V>) {
        for (hash, (name, tally)) in other.held {
            self.held.entry(hash).or_insert_with(|| (name, V::default())).1.merge(tally);
        }
        if let Some(past) = other.past {
            self.forget(past);
        }
        if let Some(past) = self.past {
            self.forget(past);
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.held.len() > self.bound
            && let Some((largest, _)) = self.held.pop_last()
        {
            self.forget(largest);
        }
    }

    /// Keeps only names below `past`.
    fn forget(&mut self, past: u128) {
        let past = self.past.map_or(past, |own| own.min(past));
        self.held.split_off(&past);
        self.past = Some(past);
    }

    /// How many names there are, those not kept included.
    pub(crate) fn count(&self) -> Count {
        let held = self.held.len() as u64;
        match self.past {
            None => Count { count: held, exact: true },
            // So many lie in the part of all hashes below `past`.
            Some(past) => {
                let part = past as f64 / u128::MAX as f64;
                Count { count: (held as f64 / part) as u64, exact: false }
            }
        }
    }

    /// The names kept with their tallies, by name.
    pub(crate) fn sorted(&self) -> Vec<(&str, &V)> {
        let mut sorted: Vec<_> = self.held.values().map(|(name, tally)| (name.as_str(), tally)).collect();
        sorted.sort_by(|a, b| a.0.cmp(b.0));
        sorted
    }

    /// The names kept with their tallies, in no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.held.values().map(|(name, tally)| (name.as_str(), tally))
    }
}

impl Sample<u64> {
    /// Counts one more of `name`.
    pub(crate) fn note(&mut self, name: &str) {
        if let Some(count) = self.tally(name) {
            *count += 1;
        }
    }

    /// The names kept, most often seen first.
    pub(crate) fn most_seen(&self) -> Vec<(&str, u64)> {
        let mut most: Vec<(&str, u64)> = self.iter().map(|(name, count)| (name, *count)).collect();
        most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        most
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(bound: usize, names: &[u16]) -> Sample<u64> {
        let mut sample = Sample::new(bound);
        names.iter().for_each(|name| sample.note(&name.to_string()));
        sample
    }

    fn kept(sample: &Sample<u64>) -> Vec<(String, u64)> {
        sample.sorted().into_iter().map(|(name, count)| (name.to_owned(), *count)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_kept_depends_on_neither_order_nor_division(
            names in prop::collection::vec(0u16..60, 0..200),
            bound in 1usize..40,
            cut: prop::sample::Index,
        ) {
            let whole = sample(bound, &names);
            let (left, right) = names.split_at(cut.index(names.len() + 1));
            let mut merged = sample(bound, right);
            merged.merge(sample(bound, left));
            prop_assert_eq!(kept(&merged), kept(&whole));
            prop_assert_eq!(merged.count(), whole.count());
            let mut distinct = names.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(kept(&whole).len(), distinct.len().min(bound));
            prop_assert_eq!(whole.count().exact, distinct.len() <= bound);
            for (name, count) in kept(&whole) {
                let seen = names.iter().filter(|other| other.to_string() == name).count();
                prop_assert_eq!(count, seen as u64, "what is kept is counted from its first sight");
            }
        }
    }

    #[test]
    fn an_estimate_is_near() {
        let names: Vec<u16> = (0..40_000).collect();
        let count = sample(4096, &names).count();
        assert!(!count.exact);
        assert!((38_000..42_000).contains(&count.count), "{count:?}: three standard errors are 5 %");
    }
}
