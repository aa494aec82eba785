//! A trace made ready to be walked: its spans as a tree, logs and span events in their places, times on the
//! reference clock, the critical path.
//!
//! | file             | what it alone knows                                  |
//! |------------------|------------------------------------------------------|
//! | `corrections.rs` | times on the reference clock                         |
//! | `critical.rs`    | what the end of the trace waited for                 |

mod corrections;
mod critical;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use timeline::document::{Completeness, SearchRecord};
use timeline::id::{SpanId, TraceId};
use timeline::record::{Severity, SpanKind};
use timeline::time::Time;

use crate::text;

pub use corrections::{Correction, Corrections};
pub use critical::Stretch;

/// A trace and its indexes. Built once an answer, away from the screen.
#[derive(Debug)]
pub struct Waterfall {
    /// Which trace.
    pub trace: TraceId,
    /// Its records.
    pub records: Vec<SearchRecord>,
    /// Its lines: depth first, each after its parent, siblings in the order of their starts.
    pub nodes: Vec<Node>,
    /// The first start, on the reference clock.
    pub start: Time,
    /// The last end.
    pub end: Time,
    /// The services.
    pub services: BTreeSet<String>,
    /// How many records of the trace match in all; more than `records` where a budget cut.
    pub total: u64,
    /// What the answer rests on.
    pub completeness: Completeness,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A span, by its record.
    Span(usize),
    /// A log, by its record.
    Log(usize),
    /// A span event, by its record and its number in it.
    Event(usize, usize),
    /// A span that others name as their parent and that never arrived.
    Ghost(SpanId),
}

/// A line of the waterfall.
#[derive(Debug)]
pub struct Node {
    /// What it is.
    pub what: What,
    /// How many lines are above it in the tree.
    pub depth: usize,
    /// The line above it in the tree.
    pub parent: Option<usize>,
    /// How many lines after it are below it in the tree.
    pub below: usize,
    /// Where it begins, on the reference clock; in a ghost, the first of its children.
    pub start: Time,
    /// Where it ends; its start for a log, a span event and an unfinished span.
    pub end: Time,
    /// What was known of its clock.
    pub correction: Option<Correction>,
    /// What kind of span it is.
    pub span_kind: Option<SpanKind>,
    /// Whether it failed.
    pub failed: bool,
    /// The stretches of it that are on the critical path.
    pub path: Vec<Stretch>,
    haystack: String,
}

impl Node {
    /// Whether it is a span, or stands for one.
    pub fn is_span(&self) -> bool {
        matches!(self.what, What::Span(_) | What::Ghost(_))
    }

    /// How long it lasted, in nanoseconds.
    pub fn ns(&self) -> i128 {
        self.end.since(self.start)
    }

    /// Whether it contains `text`, given in lower case.
    pub fn contains(&self, text: &str) -> bool {
        self.haystack.contains(text)
    }
}

impl Waterfall {
    /// Lays the records of a trace out.
    pub fn new(
        trace: TraceId,
        records: Vec<SearchRecord>,
        total: u64,
        completeness: Completeness,
        corrections: &Corrections,
    ) -> Waterfall {
        let mut layout = Layout::new(&records, corrections);
        layout.hang();
        let order = layout.depth_first();
        let nodes = layout.into_nodes(&order);
        let start = nodes.iter().map(|node| node.start).min().unwrap_or(Time::UNSET);
        let end = nodes.iter().map(|node| node.end).max().unwrap_or(Time::UNSET);
        let of_nodes = nodes.iter().filter_map(|node| records.get(record_of(node.what)?));
        let services: BTreeSet<String> = of_nodes.map(|record| record.service.clone()).collect();
        Waterfall { trace, records, nodes, start, end, services, total, completeness }
    }

    /// The record that a line shows, or shows a part of.
    pub fn record(&self, at: usize) -> Option<&SearchRecord> {
        self.nodes.get(at).and_then(|node| record_of(node.what)).and_then(|at| self.records.get(at))
    }

    /// The line of a span.
    pub fn line_of(&self, span: SpanId) -> Option<usize> {
        (0..self.nodes.len()).find(|at| match self.nodes[*at].what {
            What::Span(record) => self.records[record].span_id == Some(span),
            What::Ghost(id) => id == span,
            What::Log(_) | What::Event(..) => false,
        })
    }

    /// What a line says.
    pub fn label(&self, at: usize) -> String {
        let Some(node) = self.nodes.get(at) else { return String::new() };
        match node.what {
            What::Span(record) => text::sanitise(&self.records[record].name).into_owned(),
            What::Log(record) => crate::detail::record_text(&self.records[record]),
            What::Event(record, number) => {
                let name = self.records[record].events.get(number).map(|event| event.name.as_str());
                text::sanitise(name.unwrap_or_default()).into_owned()
            }
            What::Ghost(span) => format!("span {span} never arrived"),
        }
    }

    /// The lines directly below a line, in order.
    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = at + 1 + self.nodes.get(at).map_or(0, |node| node.below);
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let child = next;
            let below = self.nodes.get(child).filter(|_| child < end)?.below;
            next = child + 1 + below;
            Some(child)
        })
    }

    /// How long the critical path to the first span's answer is, and the tail of asynchronous work after it.
    pub fn path_ns(&self) -> (i128, i128) {
        let sum = |tail: bool| {
            let stretches = self.nodes.iter().flat_map(|node| &node.path);
            stretches
                .filter(|stretch| stretch.tail == tail)
                .map(|stretch| stretch.to.since(stretch.from))
                .sum()
        };
        (sum(false), sum(true))
    }
}

fn record_of(what: What) -> Option<usize> {
    match what {
        What::Span(record) | What::Log(record) | What::Event(record, _) => Some(record),
        What::Ghost(_) => None,
    }
}

/// The tree in the making: lines in no order, each with its children.
struct Layout<'a> {
    records: &'a [SearchRecord],
    lines: Vec<Node>,
    children: Vec<Vec<usize>>,
    /// The first line of each span id.
    by_span: HashMap<SpanId, usize>,
}

impl<'a> Layout<'a> {
    fn new(records: &'a [SearchRecord], corrections: &Corrections) -> Layout<'a> {
        let mut layout = Layout { records, lines: Vec::new(), children: Vec::new(), by_span: HashMap::new() };
        for (number, record) in records.iter().enumerate() {
            let correction = corrections.of(record);
            let on_reference = |time| corrections::corrected(time, correction);
            let failed = record.severity >= Some(Severity::Error);
            if record.kind == "log" {
                let at = on_reference(record.time);
                layout.add(What::Log(number), (at, at), correction, failed);
                continue;
            }
            let start = on_reference(record.start.unwrap_or(record.time));
            let end = record.end.map_or(start, on_reference).max(start);
            let line = layout.add(What::Span(number), (start, end), correction, failed);
            layout.lines[line].span_kind = record.span_kind;
            if let Some(span) = record.span_id {
                layout.by_span.entry(span).or_insert(line);
            }
            for (event_number, event) in record.events.iter().enumerate() {
                let at = on_reference(event.time);
                let failed = event.name == "exception";
                let child = layout.add(What::Event(number, event_number), (at, at), correction, failed);
                layout.put(line, child);
            }
        }
        layout
    }

    fn add(
        &mut self,
        what: What,
        (start, end): (Time, Time),
        correction: Option<Correction>,
        failed: bool,
    ) -> usize {
        self.lines.push(Node {
            what,
            depth: 0,
            parent: None,
            below: 0,
            start,
            end,
            correction,
            span_kind: None,
            failed,
            path: Vec::new(),
            haystack: String::new(),
        });
        self.children.push(Vec::new());
        self.lines.len() - 1
    }

    fn put(&mut self, parent: usize, child: usize) {
        self.children[parent].push(child);
        self.lines[child].parent = Some(parent);
    }

    /// Hangs spans and logs under the spans that they name; a parent that is not there becomes a ghost.
    fn hang(&mut self) {
        let mut ghosts: BTreeMap<SpanId, usize> = BTreeMap::new();
        for line in 0..self.lines.len() {
            let wanted = match self.lines[line].what {
                What::Span(record) => self.records[record].parent_span_id,
                What::Log(record) => self.records[record].span_id,
                What::Event(..) | What::Ghost(_) => None,
            };
            let Some(wanted) = wanted else { continue };
            let known = self.by_span.get(&wanted).or_else(|| ghosts.get(&wanted)).copied();
            let parent = known.filter(|parent| *parent != line).unwrap_or_else(|| {
                let (start, end) = (self.lines[line].start, self.lines[line].end);
                let ghost = self.add(What::Ghost(wanted), (start, end), None, false);
                ghosts.insert(wanted, ghost);
                ghost
            });
            self.put(parent, line);
            if matches!(self.lines[parent].what, What::Ghost(_)) {
                let (start, end) = (self.lines[line].start, self.lines[line].end);
                let ghost = &mut self.lines[parent];
                (ghost.start, ghost.end) = (ghost.start.min(start), ghost.end.max(end));
            }
        }
        let key = |line: &usize| (self.lines[*line].start, *line);
        self.children.iter_mut().for_each(|children| children.sort_by_key(key));
    }

    /// The lines with their depths, parents first. Spans whose parents run in a circle are cut apart at the earliest.
    fn depth_first(&mut self) -> Vec<(usize, usize)> {
        let mut order = Vec::with_capacity(self.lines.len());
        let mut seen = vec![false; self.lines.len()];
        let mut starts: Vec<usize> = (0..self.lines.len()).collect();
        starts.sort_by_key(|line| (self.lines[*line].start, *line));
        let (roots, rest): (Vec<usize>, Vec<usize>) =
            starts.into_iter().partition(|line| self.lines[*line].parent.is_none());
        for root in roots.into_iter().chain(rest) {
            let mut stack = vec![(root, 0)];
            while let Some((line, depth)) = stack.pop() {
                if std::mem::replace(&mut seen[line], true) {
                    continue;
                }
                if depth == 0 {
                    self.lines[line].parent = None;
                }
                order.push((line, depth));
                stack.extend(self.children[line].iter().rev().map(|child| (*child, depth + 1)));
            }
        }
        order
    }

    fn into_nodes(self, order: &[(usize, usize)]) -> Vec<Node> {
        let mut place = vec![0; self.lines.len()];
        for (at, (line, _)) in order.iter().enumerate() {
            place[*line] = at;
        }
        let mut lines: Vec<Option<Node>> = self.lines.into_iter().map(Some).collect();
        let mut nodes = Vec::with_capacity(order.len());
        for (line, depth) in order {
            let Some(mut node) = lines[*line].take() else { continue };
            (node.depth, node.parent) = (*depth, node.parent.map(|parent| place[parent]));
            node.haystack = haystack(node.what, self.records);
            nodes.push(node);
        }
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        for at in (0..nodes.len()).rev() {
            if let Some(parent) = nodes[at].parent {
                nodes[parent].below += nodes[at].below + 1;
                children[parent].push(at);
            }
        }
        let root = (0..nodes.len()).find(|at| nodes[*at].is_span() && nodes[*at].parent.is_none());
        if let Some(root) = root {
            critical::Tree { nodes: &mut nodes, children: &children }.mark(root);
        }
        nodes
    }
}

fn haystack(what: What, records: &[SearchRecord]) -> String {
    let Some(record) = record_of(what).and_then(|at| records.get(at)) else { return String::new() };
    let mut words = Vec::new();
    let attributes = match what {
        What::Event(_, number) => {
            let event = record.events.get(number);
            words.extend(event.map(|event| event.name.clone()));
            event.map(|event| &event.attributes)
        }
        _ => {
            words.extend([record.service.clone(), crate::detail::record_text(record)]);
            words.extend(record.span_id.map(|span| span.to_string()));
            words.extend(record.severity.map(|severity| severity.as_str().to_owned()));
            Some(&record.attributes)
        }
    };
    let pairs = attributes.into_iter().flatten().map(|(key, value)| format!("{key}={}", text::value(value)));
    words.extend(pairs);
    words.join("\n").to_lowercase()
}

/// The services whose clocks nothing bounds, of those that have lines.
pub fn unbounded(waterfall: &Waterfall) -> BTreeSet<&str> {
    let unknown =
        |at: &usize| waterfall.nodes[*at].correction.is_none_or(|correction| correction.error_ns.is_none());
    let lines = (0..waterfall.nodes.len()).filter(unknown);
    lines.filter_map(|at| waterfall.record(at)).map(|record| record.service.as_str()).collect()
}
