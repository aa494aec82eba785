//! Whether one moment is known to be before another, and how surely: without a search where it can be.
//!
//! Causes: a spanning forest with interval labels answers at once along its own edges; the rest is a
//! walk back over the moments with several causes, never further than the asked moment's rank.
//!
//! Clocks: each moment keeps, for each clock, the last place of the clock's chain that leads to it
//! (`past`), and the first place that its effects lead to (`future`). One moment is before another if on
//! some clock the first's future is not past the second's past. That is exact: a path that uses a
//! clock at all first reaches a chain by causes alone.

use super::Level;
use super::clock::Clocks;
use super::graph::Graph;
use super::moment::Index;
use super::places::{Futures, Pasts};
use crate::document::Certainty;

const NONE: u32 = u32::MAX;

/// Answers "is a before b" for the moments of one timeline.
pub(crate) struct Reachability {
    causes: Causes,
    /// Where each moment and its effects reach the clocks' chains: the same at every level.
    futures: Futures,
    /// By what is claimed besides, surest first.
    levels: Vec<(Certainty, Pasts)>,
}

impl Reachability {
    /// The index of the causes, and of all that is claimed besides: all acyclic.
    pub(crate) fn new(causal: &Graph, levels: &[Level], clocks: &Clocks) -> Reachability {
        let pasts = |level: &Level| (level.certainty, Pasts::new(&level.lattice, clocks));
        let futures = Futures::new(causal, levels.first().map(|level| &level.lattice), clocks);
        Reachability { causes: Causes::new(causal), futures, levels: levels.iter().map(pasts).collect() }
    }

    /// How surely `a` is before `b`; `None` where nothing says so.
    pub(crate) fn before(&self, a: Index, b: Index) -> Option<Certainty> {
        if self.causes.reach(a, b) {
            return Some(Certainty::Causal);
        }
        let reaches = |pasts: &Pasts| self.futures.of(a).any(|(chain, place)| place <= pasts.place(b, chain));
        self.levels.iter().find(|(_, pasts)| reaches(pasts)).map(|(certainty, _)| *certainty)
    }

    /// Whether nothing orders the two.
    pub(crate) fn unordered(&self, a: Index, b: Index) -> bool {
        self.before(a, b).is_none() && self.before(b, a).is_none()
    }

    /// Whether causes alone prove `a` before `b`.
    pub(crate) fn caused(&self, a: Index, b: Index) -> bool {
        self.causes.reach(a, b)
    }

    /// The causes of a moment.
    pub(crate) fn causes_of(&self, moment: Index) -> &[Index] {
        self.causes.causes.successors(moment)
    }

    /// Whether a chain at least as sure as `certainty` that begins with a cause of `a`, and uses some clock,
    /// leads to `b`.
    pub(crate) fn through_an_effect(&self, a: Index, b: Index, certainty: Certainty) -> bool {
        let level = self.levels.iter().find(|(own, _)| *own == certainty);
        level.is_some_and(|(_, pasts)| {
            self.futures.of_effects(a).iter().any(|(chain, place)| *place <= pasts.place(b, *chain))
        })
    }
}

/// Reachability over causes.
struct Causes {
    /// Reversed: the causes of each moment.
    causes: Graph,
    rank: Vec<u32>,
    /// Interval labels of the spanning forest: a moment's subtree is `[enter, leave)`.
    enter: Vec<u32>,
    leave: Vec<u32>,
    /// The nearest moment with several causes, itself or above in the forest.
    join: Vec<u32>,
}

impl Causes {
    fn new(causal: &Graph) -> Causes {
        let len = causal.len();
        let order = causal.topological();
        let mut rank = vec![0; len];
        (0..).zip(order).for_each(|(at, node)| rank[*node as usize] = at);
        let causes = causal.reversed();
        // The latest cause makes the deepest tree, and so the most answers at once.
        let latest =
            |node: u32| causes.successors(node).iter().copied().max_by_key(|cause| rank[*cause as usize]);
        let parent: Vec<u32> = (0..len as u32).map(|node| latest(node).unwrap_or(NONE)).collect();
        let mut join = vec![NONE; len];
        for node in order {
            let above = parent[*node as usize];
            join[*node as usize] = match causes.successors(*node).len() {
                0 => NONE,
                1 => join[above as usize],
                _ => *node,
            };
        }
        let (enter, leave) = intervals(order, &parent);
        Causes { causes, rank, enter, leave, join }
    }

    fn in_subtree(&self, root: u32, node: u32) -> bool {
        let enter = self.enter[node as usize];
        self.enter[root as usize] <= enter && enter < self.leave[root as usize]
    }

    fn reach(&self, a: u32, b: u32) -> bool {
        let earliest = self.rank[a as usize];
        if earliest >= self.rank[b as usize] {
            return false;
        }
        if self.in_subtree(a, b) {
            return true;
        }
        let mut seen = Vec::new();
        let mut queue = vec![self.join[b as usize]];
        while let Some(join) = queue.pop() {
            if join == NONE || self.rank[join as usize] <= earliest || seen.contains(&join) {
                continue;
            }
            if seen.len() == SEEN_LIST_MAX {
                return self.search(a, b);
            }
            seen.push(join);
            for cause in self.causes.successors(join) {
                if self.in_subtree(a, *cause) {
                    return true;
                }
                queue.push(self.join[*cause as usize]);
            }
        }
        false
    }

    /// The same by a plain search with a mark for every moment: for the few pairs with many joins between.
    fn search(&self, a: u32, b: u32) -> bool {
        let earliest = self.rank[a as usize];
        let mut seen = vec![false; self.rank.len()];
        let mut queue = vec![b];
        while let Some(node) = queue.pop() {
            for cause in self.causes.successors(node) {
                if *cause == a {
                    return true;
                }
                let later = self.rank[*cause as usize] > earliest;
                if later && !std::mem::replace(&mut seen[*cause as usize], true) {
                    queue.push(*cause);
                }
            }
        }
        false
    }
}

/// A list of so many is searched faster than a set.
const SEEN_LIST_MAX: usize = 64;

/// Labels a forest, given each node's parent, in a topological order.
fn intervals(order: &[u32], parent: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut size = vec![1u32; order.len()];
    for node in order.iter().rev() {
        let above = parent[*node as usize];
        if above != NONE {
            size[above as usize] += size[*node as usize];
        }
    }
    let mut enter = vec![0; order.len()];
    let mut next_child = vec![0; order.len()];
    let mut next_root = 0;
    for node in order {
        let above = parent[*node as usize];
        let slot = if above == NONE { &mut next_root } else { &mut next_child[above as usize] };
        enter[*node as usize] = *slot;
        *slot += size[*node as usize];
        next_child[*node as usize] = enter[*node as usize] + 1;
    }
    let leave = enter.iter().zip(&size).map(|(enter, size)| enter + size).collect();
    (enter, leave)
}
