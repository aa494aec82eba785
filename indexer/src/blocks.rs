//! Sets of a shard's blocks.

/// A set of block numbers, a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blocks {
    words: Vec<u64>,
    count: u32,
}

impl Blocks {
    /// None of `count` blocks.
    pub(crate) fn none(count: u32) -> Blocks {
        Blocks { words: vec![0; count.div_ceil(u64::BITS) as usize], count }
    }

    /// All of `count` blocks.
    pub(crate) fn all(count: u32) -> Blocks {
        let mut all = Blocks { words: vec![u64::MAX; count.div_ceil(u64::BITS) as usize], count };
        if let (Some(last), over @ 1..) = (all.words.last_mut(), count % u64::BITS) {
            *last = (1 << over) - 1;
        }
        all
    }

    /// Adds a block; one beyond the count is left out.
    pub(crate) fn insert(&mut self, block: u32) {
        if let Some(word) = self.words.get_mut((block / u64::BITS) as usize).filter(|_| block < self.count) {
            *word |= 1 << (block % u64::BITS);
        }
    }

    pub(crate) fn contains(&self, block: u32) -> bool {
        self.words.get((block / u64::BITS) as usize).is_some_and(|word| word >> (block % u64::BITS) & 1 == 1)
    }

    /// Keeps what is in both.
    pub(crate) fn retain(&mut self, other: &Blocks) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= other);
    }

    /// Takes in what is in the other.
    pub(crate) fn extend(&mut self, other: &Blocks) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own |= other);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The blocks, largest number first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().rev().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = u64::BITS.checked_sub(left.leading_zeros() + 1)?;
                left &= !(1 << bit);
                Some(index as u32 * u64::BITS + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn of(set: &BTreeSet<u32>) -> Blocks {
        let mut blocks = Blocks::none(200);
        set.iter().for_each(|block| blocks.insert(*block));
        blocks
    }

    fn numbers(blocks: &Blocks) -> Vec<u32> {
        let mut numbers: Vec<_> = blocks.newest_first().collect();
        numbers.reverse();
        numbers
    }

    fn some() -> impl Strategy<Value = BTreeSet<u32>> {
        prop::collection::btree_set(0u32..200, 0..50)
    }

    proptest! {
        #[test]
        fn they_are_sets(a in some(), b in some()) {
            let (mut both, mut either) = (of(&a), of(&a));
            both.retain(&of(&b));
            either.extend(&of(&b));
            prop_assert_eq!(numbers(&both), a.intersection(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(numbers(&either), a.union(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(both.is_empty(), a.is_disjoint(&b));
        }

        #[test]
        fn all_are_all(count in 0u32..200) {
            let all = Blocks::all(count);
            prop_assert_eq!(numbers(&all), (0..count).collect::<Vec<_>>());
            prop_assert!(!all.contains(count));
        }
    }
}
