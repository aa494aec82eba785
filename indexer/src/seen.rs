//! A set of hashes that is emptied often.

const SLOTS_MIN: usize = 1 << 12;
/// Above so many slots the memory is given back.
const SLOTS_KEPT: usize = 1 << 18;

/// Hashes seen since the last [`Seen::clear`], which takes no time: a slot of an older round counts as free.
pub(crate) struct Seen {
    slots: Vec<(u64, u32)>,
    round: u32,
    used: usize,
}

impl Seen {
    pub(crate) fn new() -> Seen {
        Seen { slots: vec![(0, 0); SLOTS_MIN], round: 1, used: 0 }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        if self.slots.len() > SLOTS_KEPT || self.round == u32::MAX {
            *self = Seen::new();
        }
        self.round += 1;
        self.used = 0;
    }

    /// Adds a hash; says whether it is new.
    pub(crate) fn insert(&mut self, hash: u64) -> bool {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let round = self.round;
        let new = place(&mut self.slots, hash, round);
        self.used += usize::from(new);
        new
    }

    fn grow(&mut self) {
        let mut larger = vec![(0, 0); self.slots.len() * 2];
        for (hash, _) in self.slots.iter().filter(|(_, round)| *round == self.round) {
            place(&mut larger, *hash, self.round);
        }
        self.slots = larger;
    }
}

/// Puts a hash in its slot or the next free one; false where it is there already.
fn place(slots: &mut [(u64, u32)], hash: u64, round: u32) -> bool {
    let mask = slots.len() - 1;
    let mut at = hash as usize & mask;
    while let Some(slot) = slots.get_mut(at) {
        if slot.1 != round {
            *slot = (hash, round);
            return true;
        }
        if slot.0 == hash {
            return false;
        }
        at = (at + 1) & mask;
    }
    false
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(rounds in prop::collection::vec(prop::collection::vec(0u64..5000, 0..6000), 1..4)) {
            let mut seen = Seen::new();
            for round in rounds {
                let mut naive = HashSet::new();
                for hash in round {
                    prop_assert_eq!(seen.insert(hash), naive.insert(hash));
                }
                seen.clear();
            }
        }
    }
}
