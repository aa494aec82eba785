//! Directed graphs over moments, in the compact form of Compressed Sparse Row.

use std::sync::OnceLock;

/// A directed graph over nodes `0..len`.
pub(crate) struct Graph {
    heads: Vec<u32>,
    targets: Vec<u32>,
    /// Sorted once, when first asked for.
    order: OnceLock<Vec<u32>>,
}

impl Graph {
    /// The graph with these edges; each node's successors keep the order of `edges`.
    pub(crate) fn new(len: usize, edges: &[(u32, u32)]) -> Graph {
        let mut heads = vec![0; len + 1];
        edges.iter().for_each(|(from, _)| heads[*from as usize + 1] += 1);
        for at in 0..len {
            heads[at + 1] += heads[at];
        }
        let mut next = heads.clone();
        let mut targets = vec![0; edges.len()];
        for (from, to) in edges {
            let slot = &mut next[*from as usize];
            targets[*slot as usize] = *to;
            *slot += 1;
        }
        Graph { heads, targets, order: OnceLock::new() }
    }

    /// The same with every edge turned round.
    pub(crate) fn reversed(&self) -> Graph {
        let len = self.len();
        let mut heads = vec![0; len + 1];
        self.targets.iter().for_each(|to| heads[*to as usize + 1] += 1);
        for at in 0..len {
            heads[at + 1] += heads[at];
        }
        let mut next = heads.clone();
        let mut targets = vec![0; self.targets.len()];
        for from in 0..len as u32 {
            for to in self.successors(from) {
                let slot = &mut next[*to as usize];
                targets[*slot as usize] = from;
                *slot += 1;
            }
        }
        Graph { heads, targets, order: OnceLock::new() }
    }

    /// How many edges it has.
    pub(crate) fn edges(&self) -> usize {
        self.targets.len()
    }

    /// How many nodes it has.
    pub(crate) fn len(&self) -> usize {
        self.heads.len() - 1
    }

    /// The nodes that `node` has an edge to.
    pub(crate) fn successors(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.targets[self.heads[node] as usize..self.heads[node + 1] as usize]
    }

    /// A topological order (Kahn 1962); shorter than the graph where it has a cycle.
    pub(crate) fn topological(&self) -> &[u32] {
        self.order.get_or_init(|| self.sorted())
    }

    fn sorted(&self) -> Vec<u32> {
        let mut waiting = vec![0u32; self.len()];
        self.targets.iter().for_each(|to| waiting[*to as usize] += 1);
        let mut order: Vec<u32> =
            (0..self.len() as u32).filter(|node| waiting[*node as usize] == 0).collect();
        let mut done = 0;
        while let Some(node) = order.get(done).copied() {
            done += 1;
            for to in self.successors(node) {
                waiting[*to as usize] -= 1;
                if waiting[*to as usize] == 0 {
                    order.push(*to);
                }
            }
        }
        order
    }

    /// Whether no node leads to itself.
    pub(crate) fn is_acyclic(&self) -> bool {
        self.topological().len() == self.len()
    }

    /// For every node whether it lies on a cycle, and on which: the number of its strongly connected
    /// component where that has more than one node or a loop (Tarjan 1972, without recursion).
    pub(crate) fn cycles(&self) -> Vec<Option<u32>> {
        let mut search = Tarjan::new(self);
        (0..self.len() as u32).for_each(|root| search.visit(root));
        search.component
    }
}

const UNSEEN: u32 = u32::MAX;

struct Tarjan<'a> {
    graph: &'a Graph,
    seen: u32,
    number: Vec<u32>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<u32>,
    component: Vec<Option<u32>>,
}

impl Tarjan<'_> {
    fn new(graph: &Graph) -> Tarjan<'_> {
        let len = graph.len();
        Tarjan {
            graph,
            seen: 0,
            number: vec![UNSEEN; len],
            low: vec![UNSEEN; len],
            on_stack: vec![false; len],
            stack: Vec::new(),
            component: vec![None; len],
        }
    }

    fn visit(&mut self, root: u32) {
        if self.number[root as usize] != UNSEEN {
            return;
        }
        let mut calls = vec![(root, 0)]; // the recursion's frames: a node, and the next successor to look at
        self.enter(root);
        while let Some((node, next)) = calls.pop() {
            match self.graph.successors(node).get(next) {
                None => self.leave(node, calls.last().map(|(parent, _)| *parent)),
                Some(&to) => {
                    calls.push((node, next + 1));
                    if self.number[to as usize] == UNSEEN {
                        self.enter(to);
                        calls.push((to, 0));
                    } else if self.on_stack[to as usize] {
                        self.low[node as usize] = self.low[node as usize].min(self.number[to as usize]);
                    }
                }
            }
        }
    }

    fn enter(&mut self, node: u32) {
        self.number[node as usize] = self.seen;
        self.low[node as usize] = self.seen;
        self.seen += 1;
        self.on_stack[node as usize] = true;
        self.stack.push(node);
    }

    fn leave(&mut self, node: u32, parent: Option<u32>) {
        let low = self.low[node as usize];
        if let Some(parent) = parent {
            self.low[parent as usize] = self.low[parent as usize].min(low);
        }
        if low != self.number[node as usize] {
            return;
        }
        let from = self.stack.iter().rposition(|member| *member == node).unwrap_or_default();
        let members = self.stack.split_off(from);
        let loops = self.graph.successors(node).contains(&node);
        for member in &members {
            self.on_stack[*member as usize] = false;
            self.component[*member as usize] = (members.len() > 1 || loops).then_some(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reaches(graph: &Graph, from: u32, to: u32) -> bool {
        let mut seen = vec![false; graph.len()];
        let mut queue = graph.successors(from).to_vec();
        while let Some(node) = queue.pop() {
            if !std::mem::replace(&mut seen[node as usize], true) {
                queue.extend(graph.successors(node));
            }
        }
        seen[to as usize]
    }

    proptest! {
        #[test]
        fn cycles_are_the_nodes_that_reach_themselves(
            edges in prop::collection::vec((0u32..12, 0u32..12), 0..30),
        ) {
            let graph = Graph::new(12, &edges);
            let cycles = graph.cycles();
            for a in 0..12 {
                prop_assert_eq!(cycles[a as usize].is_some(), reaches(&graph, a, a));
                for b in 0..12 {
                    let together = reaches(&graph, a, b) && reaches(&graph, b, a);
                    let same = cycles[a as usize].is_some() && cycles[a as usize] == cycles[b as usize];
                    prop_assert_eq!(together, same);
                }
            }
            prop_assert_eq!(graph.topological().len() == 12, cycles.iter().all(Option::is_none));
            let turned: Vec<_> = edges.iter().map(|(from, to)| (*to, *from)).collect();
            let (one, other) = (graph.reversed(), Graph::new(12, &turned));
            let sorted = |graph: &Graph, node| {
                let mut list = graph.successors(node).to_vec();
                list.sort_unstable();
                list
            };
            for node in 0..12 {
                prop_assert_eq!(sorted(&one, node), sorted(&other, node));
            }
        }
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let len = 200_000;
        let edges: Vec<_> = (0..len).map(|node| (node, (node + 1) % len)).collect();
        let cycles = Graph::new(len as usize, &edges).cycles();
        assert!(cycles.iter().all(|component| component.is_some() && *component == cycles[0]));
    }
}
