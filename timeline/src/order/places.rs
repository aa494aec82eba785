//! Where moments touch the clocks' chains: the last place of each chain that leads to a moment, and the first place of
//! each that follows from it. Places are counted from 1; 0 is none.
//!
//! A table of moments by chains would be large, but neighbours on a chain have nearly all in common: what they know of
//! other clocks changes only where a message came in. So moments share rows, and each keeps its own chain's place itself.

use super::clock::Clocks;
use super::graph::Graph;
use super::lattice::Lattice;
use super::moment::Index;

const NONE: u32 = u32::MAX;

/// A chain's number, and a place of it.
type Spot = (u32, u32);

/// Of every moment, the first place of each chain that its effects lead to.
pub(crate) struct Futures {
    /// By moment: where its spots begin and end.
    ranges: Vec<(u32, u32)>,
    /// Each moment's are sorted by chain.
    spots: Vec<Spot>,
    /// By moment: its own chain and the place that it leads to; a chain of `NONE` where its clock says nothing.
    own: Vec<Spot>,
}

impl Futures {
    pub(crate) fn new(causal: &Graph, lattice: Option<&Lattice>, clocks: &Clocks) -> Futures {
        let len = causal.len();
        let mut own = vec![(NONE, 0); len];
        for (number, chain) in (0..).zip(lattice.map(|lattice| &lattice.chains).into_iter().flatten()) {
            for reading in &clocks.list[chain.clock].readings {
                own[reading.moment as usize] = (number, chain.place_of(reading) as u32 + 1);
            }
        }
        // Backwards: each moment's are written after those of its effects.
        let mut ranges: Vec<(u32, u32)> = vec![(0, 0); len];
        let mut spots: Vec<Spot> = Vec::new();
        let mut list: Vec<Spot> = Vec::new();
        for node in causal.topological().iter().copied().rev() {
            list.clear();
            for to in causal.successors(node) {
                let (begin, end) = ranges[*to as usize];
                list.extend_from_slice(&spots[begin as usize..end as usize]);
                list.extend(Some(own[*to as usize]).filter(|(chain, _)| *chain != NONE));
            }
            list.sort_unstable();
            list.dedup_by_key(|(chain, _)| *chain);
            ranges[node as usize] = (spots.len() as u32, (spots.len() + list.len()) as u32);
            spots.extend_from_slice(&list);
        }
        Futures { ranges, spots, own }
    }

    /// The first places that the moment or its effects lead to; of its own chain perhaps two.
    pub(crate) fn of(&self, moment: Index) -> impl Iterator<Item = Spot> {
        let own = Some(self.own[moment as usize]).filter(|(chain, _)| *chain != NONE);
        own.into_iter().chain(self.of_effects(moment).iter().copied())
    }

    /// The first places that its effects lead to.
    pub(crate) fn of_effects(&self, moment: Index) -> &[Spot] {
        let (begin, end) = self.ranges[moment as usize];
        &self.spots[begin as usize..end as usize]
    }
}

/// Of every moment, the last place of each chain that leads to it.
pub(crate) struct Pasts {
    chains: usize,
    rows: Vec<u32>,
    /// By moment: its row.
    row: Vec<u32>,
    /// By moment: its own chain, and the last place of it that leads here, if that is more than its row says.
    own: Vec<Spot>,
}

/// Rows in the making, and for every node which is its own.
struct Making<'a> {
    lattice: &'a Lattice,
    width: usize,
    rows: Vec<u32>,
    row: Vec<u32>,
    /// The node's own chain, and the last place of it that leads here (its own place, for a place).
    own: Vec<Spot>,
    /// By chain: the last two rows that were joined, and the outcome.
    joined: Vec<(u32, u32, u32)>,
}

impl Pasts {
    pub(crate) fn new(lattice: &Lattice, clocks: &Clocks) -> Pasts {
        let width = lattice.chains.len();
        let len = lattice.graph.len();
        let mut making = Making {
            lattice,
            width,
            rows: vec![0; width],
            row: vec![NONE; len],
            own: vec![(NONE, 0); len],
            joined: vec![(NONE, NONE, NONE); width + 1],
        };
        for (number, chain) in (0..).zip(&lattice.chains) {
            for reading in &clocks.list[chain.clock].readings {
                making.own[reading.moment as usize].0 = number;
            }
            for place in 0..chain.len() {
                making.own[chain.first + place] = (number, place as u32 + 1);
            }
            chain.entries().for_each(|entry| making.own[entry].0 = number);
        }
        for node in lattice.graph.topological() {
            making.finish(*node);
        }
        let Making { rows, mut row, mut own, .. } = making;
        row.truncate(lattice.moments);
        own.truncate(lattice.moments);
        row.shrink_to_fit();
        own.shrink_to_fit();
        Pasts { chains: width, rows, row, own }
    }

    /// The last place of `chain` that leads to the moment.
    pub(crate) fn place(&self, moment: Index, chain: u32) -> u32 {
        let at = moment as usize;
        let in_row = self.rows[self.row[at] as usize * self.chains + chain as usize];
        let (own, place) = self.own[at];
        if own == chain { in_row.max(place) } else { in_row }
    }
}

impl Making<'_> {
    /// Tells what is known at a node to all that it leads to.
    fn finish(&mut self, node: u32) {
        let at = node as usize;
        if self.row[at] == NONE {
            self.row[at] = 0;
        }
        let (row, own) = (self.row[at], self.own[at]);
        let lattice = self.lattice;
        for to in lattice.graph.successors(node) {
            let to = *to as usize;
            if self.own[to].0 == own.0 {
                if to < lattice.moments {
                    self.own[to].1 = self.own[to].1.max(own.1);
                }
                self.join(to, row, None);
            } else {
                let spot = Some(own).filter(|(chain, place)| *chain != NONE && *place > 0);
                self.join(to, row, spot);
            }
        }
    }

    fn slice(&self, row: u32) -> &[u32] {
        let from = row as usize * self.width;
        &self.rows[from..from + self.width]
    }

    /// Joins what `row` and `spot` know to what is known at node `to`.
    fn join(&mut self, to: usize, row: u32, spot: Option<Spot>) {
        let known = self.row[to];
        let news = spot.filter(|(chain, place)| self.slice(row)[*chain as usize] < *place);
        if known == NONE && news.is_none() {
            self.row[to] = row;
            return;
        }
        let known = if known == NONE { 0 } else { known };
        let says_more = |a: &[u32], b: &[u32]| a.iter().zip(b).any(|(a, b)| a > b);
        let more = row != known && says_more(self.slice(row), self.slice(known));
        let news = news.filter(|(chain, place)| self.slice(known)[*chain as usize] < *place);
        if !more && news.is_none() {
            self.row[to] = known;
            return;
        }
        if news.is_none() && !says_more(self.slice(known), self.slice(row)) {
            self.row[to] = row;
            return;
        }
        let memo = (self.own[to].0 as usize).min(self.width);
        let (a, b, outcome) = self.joined[memo];
        if news.is_none() && (a, b) == (row, known) {
            self.row[to] = outcome;
            return;
        }
        let fresh = (self.rows.len() / self.width) as u32;
        let (one, other) = (row as usize * self.width, known as usize * self.width);
        for chain in 0..self.width {
            let more = self.rows[one + chain].max(self.rows[other + chain]);
            self.rows.push(more);
        }
        if let Some((chain, place)) = news {
            self.rows[fresh as usize * self.width + chain as usize] = place;
        } else {
            self.joined[memo] = (row, known, fresh);
        }
        self.row[to] = fresh;
    }
}
