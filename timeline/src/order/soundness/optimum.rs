//! The optimum: what every single message proves of two clocks, as a linear program.
//!
//! Its unknowns are the true times of all sendings and receipts. A message is received no earlier than sent; between two
//! readings of one clock passes the time between them, within ±100 ppm. All are constraints on differences, for which the
//! linear program's optimum is a longest path (the dual of the shortest-path problem; Cormen and others, chapter 24.4): so
//! it is computed, exactly but for rounding, by relaxing all constraints until nothing changes.

use std::collections::BTreeMap;

use super::execution::Passed;

const RATE: f64 = 100e-6;

/// The least and the most that clock `other` can have read when `clock` read `x`.
pub(super) fn optimum(messages: &[Passed], clock: usize, x: i64, other: usize) -> (Option<f64>, Option<f64>) {
    let mut nodes: BTreeMap<(usize, i64), usize> = BTreeMap::new();
    nodes.insert((clock, x), 0);
    for message in messages {
        nodes.insert((message.from, message.stamps.0), 0);
        nodes.insert((message.to, message.stamps.1), 0);
    }
    nodes.values_mut().enumerate().for_each(|(number, slot)| *slot = number);
    let list: Vec<(usize, i64)> = nodes.keys().copied().collect();
    // (u, v, w): the time of v is at least the time of u plus w.
    let mut constraints: Vec<(usize, usize, f64)> = Vec::new();
    for message in messages {
        constraints.push((
            nodes[&(message.from, message.stamps.0)],
            nodes[&(message.to, message.stamps.1)],
            0.0,
        ));
    }
    for (at, pair) in list.windows(2).enumerate() {
        if pair[0].0 == pair[1].0 {
            let apart = (pair[1].1 - pair[0].1) as f64;
            constraints.push((at, at + 1, apart / (1.0 + RATE)));
            constraints.push((at + 1, at, -apart / (1.0 - RATE)));
        }
    }
    let origin = nodes[&(clock, x)];
    let after = longest(&constraints, list.len(), origin);
    let backwards: Vec<_> = constraints.iter().map(|(u, v, w)| (*v, *u, *w)).collect();
    let before = longest(&backwards, list.len(), origin);
    let (mut least, mut most): (Option<f64>, Option<f64>) = (None, None);
    for (number, (own, reading)) in list.iter().enumerate().filter(|(_, (own, _))| *own == other) {
        debug_assert_eq!(*own, other);
        // The node is at least so much later than x, so the clock read less by what it gains in that time.
        if after[number].is_finite() {
            let gained = after[number] * if after[number] > 0.0 { 1.0 - RATE } else { 1.0 + RATE };
            let bound = (*reading - x) as f64 - gained;
            most = Some(most.map_or(bound, |most: f64| most.min(bound)));
        }
        if before[number].is_finite() {
            let gained = before[number] * if before[number] > 0.0 { 1.0 - RATE } else { 1.0 + RATE };
            let bound = (*reading - x) as f64 + gained;
            least = Some(least.map_or(bound, |least: f64| least.max(bound)));
        }
    }
    (least, most)
}

fn longest(constraints: &[(usize, usize, f64)], nodes: usize, from: usize) -> Vec<f64> {
    let mut length = vec![f64::NEG_INFINITY; nodes];
    length[from] = 0.0;
    for _ in 0..nodes {
        let mut changed = false;
        for (u, v, w) in constraints {
            if length[*u] + w > length[*v] + 1e-3 {
                length[*v] = length[*u] + w;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    length
}
