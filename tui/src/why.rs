//! Why the order is as it is: an event's reasons, and the chain of edges between two events.

use std::collections::VecDeque;

use timeline::document::{Certainty, Edge, Event, Evidence};

use crate::lines::{Page, TextLine};
use crate::state::Settings;
use crate::theme::Role;
use crate::times;
use crate::told::Told;

/// What an edge's evidence says, for a person.
pub fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Span => "same span",
        Evidence::Parent => "its parent began",
        Evidence::Request => "the request that it serves",
        Evidence::Link => "a span that it links to",
        Evidence::Message => "the message that it received",
        Evidence::Reply => "the server that answered it",
        Evidence::LogInSpan => "the span that it was written in",
        Evidence::Version => "the version before",
        Evidence::ReadsFrom => "the write that it read",
        Evidence::Retry => "the attempt before",
        Evidence::Hlc => "a hybrid logical stamp that it carried",
        Evidence::VectorClock => "a vector clock that it carried",
        Evidence::Process => "earlier on its process's clock",
        Evidence::Clock => "earlier on the clock they share",
        Evidence::Offset => "earlier by the bounds of the two clocks",
        Evidence::Declared => "earlier by an offset that the configuration declares",
    }
}

/// Whether the evidence is something that ran from one event to the other, and is drawn as an arrow.
pub fn is_message(evidence: Evidence) -> bool {
    !matches!(evidence, Evidence::Process | Evidence::Clock | Evidence::Offset | Evidence::Declared)
}

/// The strongest, then nearest reason why the event at a place comes after another.
pub fn cause(told: &Told, at: usize) -> Option<&Edge> {
    told.incoming(at).max_by_key(|edge| (edge.certainty, told.place(edge.from)))
}

/// The surest, then nearest event that came out of the event at a place; another event's start before its own end.
pub fn effect(told: &Told, at: usize) -> Option<&Edge> {
    let own = |edge: &Edge| edge.evidence == Evidence::Span;
    told.outgoing(at).min_by_key(|edge| (std::cmp::Reverse(edge.certainty), own(edge), told.place(edge.to)))
}

/// The event in a few words: its service and its name.
pub fn title(told: &Told, event: &Event) -> String {
    let service = told.process(event).map_or("?", |process| process.service.as_str());
    let point = match event.kind {
        timeline::document::EventKind::SpanEnd => "end of ",
        _ => "",
    };
    format!("{service}: {point}{}", event.name)
}

/// Which end of an edge a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The earlier event, and why it is earlier.
    From,
    /// The later event, and by what kind of evidence.
    To,
}

/// One edge on a line, after `lead`; it leads to the event shown.
pub fn edge_line(told: &Told, edge: &Edge, end: End, lead: &str) -> Option<TextLine> {
    let (from, to) = (told.event(told.place(edge.from)?)?, told.event(told.place(edge.to)?)?);
    let (other, sign, reason) = match end {
        End::From => (from, -1, evidence(edge.evidence)),
        End::To => (to, 1, edge.evidence.name()),
    };
    let distance = times::duration(to.corrected.since(from.corrected) * sign);
    let sure = edge.certainty.name();
    let role = if edge.certainty == Certainty::Causal { Role::Text } else { Role::Dim };
    let line = TextLine::new(Role::Key, lead)
        .and(role, title(told, other))
        .and(Role::Dim, format!("  {distance}  {reason} ({sure})"));
    Some(line.to(other.id))
}

/// Why the event at a place belongs here and what it comes after.
pub fn of(told: &Told, at: usize, width: usize, settings: &Settings) -> Vec<TextLine> {
    let mut page = Page::new(width);
    let Some(event) = told.event(at) else { return Vec::new() };
    page.paragraph(Role::Heading, &title(told, event));
    page.labelled("belongs here  ", Role::Text, crate::detail::belongs(event.belongs));
    reasons(told, at, "  ", settings, &mut page);
    page.into_lines()
}

/// What the event at a place comes after, what comes after it, and what it is unordered with.
pub fn reasons(told: &Told, at: usize, lead: &str, settings: &Settings, page: &mut Page) {
    let Some(event) = told.event(at) else { return };
    page.heading("AFTER, because");
    let mut incoming: Vec<&Edge> = told.incoming(at).collect();
    incoming.sort_by_key(|edge| std::cmp::Reverse((edge.certainty, told.place(edge.from))));
    if incoming.is_empty() {
        page.labelled("  ", Role::Dim, "nothing in this timeline is known to come before it");
    }
    incoming
        .iter()
        .filter_map(|edge| edge_line(told, edge, End::From, lead))
        .for_each(|line| page.line(line));
    if !event.unordered_with.is_empty() {
        page.heading("UNORDERED with its neighbours");
        for other in &event.unordered_with {
            let neighbour = told.place(*other).and_then(|at| told.event(at));
            let name = neighbour.map_or_else(|| other.to_string(), |event| title(told, event));
            let glyph = settings.theme.glyphs().unordered;
            page.line(TextLine::new(Role::Warning, format!("  {glyph} ")).and(Role::Text, name).to(*other));
        }
    }
    let outgoing: Vec<TextLine> =
        told.outgoing(at).filter_map(|edge| edge_line(told, edge, End::To, lead)).collect();
    if !outgoing.is_empty() {
        page.heading("BEFORE");
        outgoing.into_iter().for_each(|line| page.line(line));
    }
}

/// Why the events at two places stand in their order: the shortest chain of the strongest certainty.
pub fn between(told: &Told, a: usize, b: usize, width: usize) -> Vec<TextLine> {
    let mut page = Page::new(width);
    let (first, second) = (a.min(b), a.max(b));
    let (Some(earlier), Some(later)) = (told.event(first), told.event(second)) else { return Vec::new() };
    page.labelled("A  ", Role::Heading, &title(told, earlier));
    page.labelled("B  ", Role::Heading, &title(told, later));
    let distance = times::duration(later.corrected.since(earlier.corrected));
    match chain(told, first, second) {
        Some((sure, chain)) => {
            page.heading(&format!("A is before B: {}", sure.name()));
            page.labelled("", Role::Dim, &format!("by corrected times {distance} apart"));
            page.heading("The chain that shows it");
            page.line(TextLine::new(Role::Text, format!("  A {}", title(told, earlier))));
            let steps = chain.iter().filter_map(|edge| edge_line(told, edge, End::To, "  → "));
            steps.for_each(|line| page.line(line));
        }
        None => {
            page.heading("A and B: no order shown");
            let unsaid = if told.document.edges_omitted > 0 {
                "No chain of this timeline's edges joins them. Weaker clock edges were left out of it: \
                 `backstory why` still weighs those."
            } else {
                "Nothing orders them: no chain of edges joins them. The list puts them in one stable place."
            };
            page.paragraph(Role::Text, unsaid);
            page.labelled("", Role::Dim, &format!("by corrected times {distance} apart"));
        }
    }
    page.into_lines()
}

/// The shortest chain of edges from one place to a later one, of the strongest certainty that has any.
/// Edges run forward in the list, so only the places in between are visited.
pub fn chain(told: &Told, from: usize, to: usize) -> Option<(Certainty, Vec<&Edge>)> {
    let levels = [Certainty::Causal, Certainty::Clock, Certainty::Corrected, Certainty::Assumed];
    levels.into_iter().find_map(|level| Some((level, chain_of(told, from, to, level)?)))
}

fn chain_of(told: &Told, from: usize, to: usize, weakest: Certainty) -> Option<Vec<&Edge>> {
    let span = to.checked_sub(from)?;
    let mut reached_by: Vec<Option<&Edge>> = vec![None; span + 1];
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        for edge in told.outgoing(at).filter(|edge| edge.certainty >= weakest) {
            let Some(next) = told.place(edge.to).filter(|next| *next > from && *next <= to) else { continue };
            let Some(reached @ None) = reached_by.get_mut(next - from) else { continue };
            *reached = Some(edge);
            if next == to {
                return Some(walk_back(told, &reached_by, from, to));
            }
            queue.push_back(next);
        }
    }
    None
}

fn walk_back<'a>(told: &Told, reached_by: &[Option<&'a Edge>], from: usize, to: usize) -> Vec<&'a Edge> {
    let mut chain = Vec::new();
    let mut at = to;
    while let Some(edge) = at.checked_sub(from).and_then(|step| reached_by.get(step).copied().flatten()) {
        chain.push(edge);
        match told.place(edge.from) {
            Some(previous) if previous < at => at = previous,
            _ => break,
        }
    }
    chain.reverse();
    chain
}
