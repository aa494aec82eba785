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
use super::lattice::Lattice;
use super::moment::Index;
use crate::document::Certainty;

const NONE: u32 = u32::MAX;

/// Answers "is a before b" for the moments of one timeline.
pub(crate) struct Reachability {
    causes: Causes,
    /// By what is claimed besides, surest first.
    levels: Vec<(Certainty, Places)>,
}

impl Reachability {
    /// The index of the causes, and of all that is claimed besides: all acyclic.
    pub(crate) fn new(causal: &Graph, levels: &[Level], clocks: &Clocks) -> Reachability {
        let places = |level: &Level| (level.certainty, Places::new(causal, &level.lattice, clocks));
        Reachability { causes: Causes::new(causal), levels: levels.iter().map(places).collect() }
    }

    /// How surely `a` is before `b`; `None` where nothing says so.
    pub(crate) fn before(&self, a: Index, b: Index) -> Option<Certainty> {
        if self.causes.reach(a, b) {
            return Some(Certainty::Causal);
        }
        self.levels.iter().find(|(_, places)| places.reach(a, b)).map(|(certainty, _)| *certainty)
    }

    /// Whether nothing orders the two.
    pub(crate) fn unordered(&self, a: Index, b: Index) -> bool {
        self.before(a, b).is_none() && self.before(b, a).is_none()
    }

    /// Whether causes alone prove `a` before `b`.
    pub(crate) fn caused(&self, a: Index, b: Index) -> bool {
        self.causes.reach(a, b)
    }

    /// Whether a chain at least as sure as `certainty` that begins with a cause of `a`, and uses some clock,
    /// leads to `b`.
    pub(crate) fn through_an_effect(&self, a: Index, b: Index, certainty: Certainty) -> bool {
        let level = self.levels.iter().find(|(own, _)| *own == certainty);
        level.is_some_and(|(_, places)| places.reach_from_effects(a, b))
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
        (0..).zip(&order).for_each(|(at, node)| rank[*node as usize] = at);
        let edges: Vec<(u32, u32)> = (0..len as u32)
            .flat_map(|from| causal.successors(from).iter().map(move |to| (*to, from)))
            .collect();
        let causes = Graph::new(len, &edges);
        // The latest cause makes the deepest tree, and so the most answers at once.
        let latest =
            |node: u32| causes.successors(node).iter().copied().max_by_key(|cause| rank[*cause as usize]);
        let parent: Vec<u32> = (0..len as u32).map(|node| latest(node).unwrap_or(NONE)).collect();
        let mut join = vec![NONE; len];
        for node in &order {
            let above = parent[*node as usize];
            join[*node as usize] = match causes.successors(*node).len() {
                0 => NONE,
                1 => join[above as usize],
                _ => *node,
            };
        }
        let (enter, leave) = intervals(&order, &parent);
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

/// Reachability through clocks: the places on every clock's chain, counted from 1.
struct Places {
    chains: usize,
    /// By node, then chain: the last place that leads here; 0 for none.
    past: Vec<u32>,
    /// By moment, then chain: the first place that its effects lead to, itself apart; `NONE` for none.
    future_of_effects: Vec<u32>,
    /// By moment: its own chain and place.
    own: Vec<Option<(u32, u32)>>,
}

impl Places {
    fn new(causal: &Graph, lattice: &Lattice, clocks: &Clocks) -> Places {
        let mut own = vec![None; lattice.moments];
        for (number, chain) in (0..).zip(&lattice.chains) {
            for reading in &clocks.list[chain.clock].readings {
                own[reading.moment as usize] = Some((number, chain.place_of(reading) as u32 + 1));
            }
        }
        let mut places =
            Places { chains: lattice.chains.len(), past: Vec::new(), future_of_effects: Vec::new(), own };
        places.past = places.look_back(lattice);
        places.future_of_effects = places.look_ahead(causal);
        places
    }

    fn look_back(&self, lattice: &Lattice) -> Vec<u32> {
        let width = self.chains;
        let mut past = vec![0; lattice.moments.max(lattice.graph.len()) * width];
        let mut places = vec![None; lattice.graph.len()];
        for (number, chain) in lattice.chains.iter().enumerate() {
            for place in 0..chain.len() {
                places[chain.first + place] = Some((number, place as u32 + 1));
            }
        }
        let mut row = vec![0; width];
        for node in lattice.graph.topological() {
            let from = node as usize * width;
            if let Some((chain, place)) = places[node as usize] {
                past[from + chain] = past[from + chain].max(place);
            }
            row.copy_from_slice(&past[from..from + width]);
            for to in lattice.graph.successors(node) {
                let to = *to as usize * width;
                past[to..to + width]
                    .iter_mut()
                    .zip(&row)
                    .for_each(|(there, here)| *there = (*there).max(*here));
            }
        }
        past.truncate(lattice.moments * width);
        past
    }

    fn look_ahead(&self, causal: &Graph) -> Vec<u32> {
        let width = self.chains;
        let mut future = vec![NONE; causal.len() * width];
        for node in causal.topological().into_iter().rev() {
            for to in causal.successors(node) {
                for chain in 0..width {
                    let there = self.future(&future, *to, chain);
                    let here = &mut future[node as usize * width + chain];
                    *here = (*here).min(there);
                }
            }
        }
        future
    }

    /// The first place of `chain` that the moment itself or its effects lead to.
    fn future(&self, of_effects: &[u32], moment: Index, chain: usize) -> u32 {
        let effects = of_effects[moment as usize * self.chains + chain];
        match self.own[moment as usize] {
            Some((own, place)) if own as usize == chain => effects.min(place),
            _ => effects,
        }
    }

    fn reach(&self, a: Index, b: Index) -> bool {
        let past = self.past_of(b);
        (0..self.chains).any(|chain| self.future(&self.future_of_effects, a, chain) <= past[chain])
    }

    fn reach_from_effects(&self, a: Index, b: Index) -> bool {
        let from = a as usize * self.chains;
        let future = &self.future_of_effects[from..from + self.chains];
        future.iter().zip(self.past_of(b)).any(|(first, last)| first <= last)
    }

    fn past_of(&self, moment: Index) -> &[u32] {
        let from = moment as usize * self.chains;
        &self.past[from..from + self.chains]
    }
}
