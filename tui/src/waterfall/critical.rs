//! The critical path: the stretches of spans that the end of the trace waited for.
//!
//! From a span's end back in time, the path runs through the child that ended last before the moment at hand, then
//! from that child's start on through the one before it; what no child covers is the span's own. A child is waited for
//! only if it ended before its parent did and is no consumer of a message: asynchronous work delays nobody's answer.
//! Where such work ends later than the first span, a second path leads to its end: the *tail*.

use timeline::record::SpanKind;
use timeline::time::Time;

use super::Node;

/// A stretch of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins.
    pub from: Time,
    /// Where it ends.
    pub to: Time,
    /// Whether it leads to the end of asynchronous work, not to the first span's answer.
    pub tail: bool,
}

/// The spans of a trace as the path sees them: each with its children.
pub(super) struct Tree<'a> {
    pub(super) nodes: &'a mut Vec<Node>,
    pub(super) children: &'a [Vec<usize>],
}

impl Tree<'_> {
    /// Marks the path from the end of `root`, and the tail where other work ends later.
    pub(super) fn mark(&mut self, root: usize) {
        self.walk(root, self.nodes[root].end, false);
        let spans = (0..self.nodes.len()).filter(|at| self.nodes[*at].is_span());
        let Some(last) = spans.max_by_key(|at| self.nodes[*at].end) else { return };
        if self.nodes[last].end > self.nodes[root].end {
            self.mark_tail(last);
        }
    }

    /// From the end of the work that ended last, up to a span that is on the path already.
    fn mark_tail(&mut self, last: usize) {
        let (mut at, mut until) = (last, self.nodes[last].end);
        loop {
            self.walk(at, until, true);
            until = self.nodes[at].start;
            let Some(parent) = self.nodes[at].parent else { return };
            let reached = self.nodes[parent].path.iter().any(|stretch| stretch.to >= until);
            if reached || !self.nodes[parent].is_span() {
                return;
            }
            at = parent;
        }
    }

    fn walk(&mut self, first: usize, until: Time, tail: bool) {
        let mut work = vec![(first, until)];
        while let Some((at, until)) = work.pop() {
            let (start, end) = (self.nodes[at].start, self.nodes[at].end);
            let mut moment = until.min(end);
            let mut waited: Vec<(Time, usize)> = self.children[at]
                .iter()
                .filter_map(|child| Some((self.waited_until(at, *child)?, *child)))
                .collect();
            waited.sort_unstable_by_key(|(ended, child)| (std::cmp::Reverse(*ended), *child));
            for (ended, child) in waited {
                let began = self.nodes[child].start;
                if ended > moment || began >= moment || moment <= start {
                    continue;
                }
                self.add(at, ended.max(start), moment, tail);
                work.push((child, ended));
                moment = began.max(start);
            }
            self.add(at, start, moment, tail);
        }
    }

    fn add(&mut self, at: usize, from: Time, to: Time, tail: bool) {
        if from < to {
            self.nodes[at].path.push(Stretch { from, to, tail });
        }
    }

    /// Until when `parent` waited for `child`; `None` if it did not. A server's span may end a little after the
    /// client's that it answered: the answer was sent before.
    fn waited_until(&self, parent: usize, child: usize) -> Option<Time> {
        let (parent, child) = (&self.nodes[parent], &self.nodes[child]);
        let answered =
            child.span_kind == Some(SpanKind::Server) && parent.span_kind == Some(SpanKind::Client);
        let ended = if answered { child.end.min(parent.end) } else { child.end };
        let is_async = child.span_kind == Some(SpanKind::Consumer) || ended > parent.end;
        (child.is_span() && !is_async).then_some(ended)
    }
}
