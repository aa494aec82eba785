//! Which terms recur from block to block.

use crate::term::Term;

/// In so many blocks a term has to stand before it counts as recurring.
const RECURS_FROM: u8 = 16;
/// Slots; 8 bytes each.
const SLOTS: usize = 1 << 18;

/// Counts, in a fixed 2 MiB, in how many of the latest blocks each term stood.
///
/// A slot belongs to one term. Another term that falls on it wears its count down and takes it over at
/// zero: what recurs keeps its slot, what is unique soon loses it. A wrong count costs space, never an
/// answer, since both of a shard's indexes are asked for every term.
pub(crate) struct Recurring {
    slots: Vec<u64>,
}

impl Recurring {
    pub(crate) fn new() -> Recurring {
        Recurring { slots: vec![0; SLOTS] }
    }

    /// Notes that `term` stands in one more block; says whether it recurs.
    pub(crate) fn note(&mut self, term: Term) -> bool {
        let Some(slot) = self.slots.get_mut(term.0 as usize % SLOTS) else { return false };
        let (tag, count) = (*slot & !0xff, (*slot & 0xff) as u8);
        let own = term.0 & !0xff;
        if tag == own {
            let more = count.saturating_add(1);
            *slot = own | u64::from(more);
            return more > RECURS_FROM;
        }
        *slot = if count <= 1 { own | 1 } else { tag | u64::from(count - 1) };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unique(number: u64) -> Term {
        Term::token(&number.to_string())
    }

    #[test]
    fn what_stands_in_many_blocks_recurs_whatever_passes_by() {
        let mut recurring = Recurring::new();
        let common = Term::token("paid");
        let mut number = 0;
        let mut block = |recurring: &mut Recurring| {
            for _ in 0..2000 {
                number += 1;
                assert!(!recurring.note(unique(number)), "seen once");
            }
            recurring.note(common)
        };
        let recurs: Vec<bool> = (0..200).map(|_| block(&mut recurring)).collect();
        assert!(!recurs.iter().take(usize::from(RECURS_FROM)).any(|recurs| *recurs));
        assert!(recurs.iter().skip(50).all(|recurs| *recurs));
    }
}
