//! `backstory why ENTITY A [B]`: why one event is before, after or unordered with another; why one belongs.

use std::fmt::Write;

use query::export::sanitise;
use query::interface::{Query, WhyAnswer, WhyRequest};
use timeline::document::{Belonging, Belongs, Certainty, EventKind, Relation, Why as Document, WhyEvent};
use timeline::id::EventId;

use crate::cli::{DocumentFormat, Why};
use crate::command::{effort, placed, window};
use crate::output;

/// Asks and prints.
pub(crate) fn run(why: &Why, query: &dyn Query) -> anyhow::Result<()> {
    let request = WhyRequest {
        entity: why.entity.clone(),
        window: window(why.since.as_deref(), why.until.as_deref())?,
        a: why.a.clone(),
        b: why.b.clone(),
    };
    let answer = query.why(&request, &effort()).map_err(|error| placed(error, &why.entity))?;
    match (why.format, &answer) {
        (DocumentFormat::Json, answer) => output::print_json(answer),
        (DocumentFormat::Text, WhyAnswer::Order(why)) => output::print(&order(why)),
        (DocumentFormat::Text, WhyAnswer::Belongs(why)) => output::print(&belonging(why)),
    }
}

/// The argument, one line a step.
fn order(why: &Document) -> String {
    let event = |at: usize| why.events.get(at).map(named).unwrap_or_default();
    let (a, b) = (event(0), event(1));
    if why.events.len() == 1 {
        return format!("A  {a}\nA and B are the same event\n");
    }
    let mut text = String::new();
    let said = match (why.relation, why.certainty) {
        (Relation::Before, Some(certainty)) => format!("is before B: {}", sure(certainty)),
        (Relation::After, Some(certainty)) => format!("is after B: {}", sure(certainty)),
        (Relation::Contradictory, _) => {
            "is contradictory with B: what comes before what runs in a circle".to_owned()
        }
        _ => "is unordered with B: nothing proves which came first".to_owned(),
    };
    let _ = writeln!(text, "A  {a}\nB  {b}\nA {said}");
    if let Some(first) = why.chain.first() {
        let _ = writeln!(text, "\n     {}", line(&why.events, first.from));
    }
    for edge in &why.chain {
        let (evidence, certainty) = (edge.evidence.name(), edge.certainty.name());
        let _ = writeln!(text, "  →  {}  by {evidence} ({certainty})", line(&why.events, edge.to));
    }
    let _ = writeln!(text, "\n{}", interval(why.interval_ns));
    text
}

/// The chain from a record that names the entity, one line a step.
fn belonging(why: &Belonging) -> String {
    let entity = sanitise(&why.entity);
    let mut text = String::new();
    for (nth, step) in why.chain.iter().enumerate() {
        let lead = if nth == 0 { "     " } else { "  →  " };
        let because = sanitise(&step.because);
        let _ = writeln!(text, "{lead}{}  {because}", line(&why.events, step.event));
    }
    let _ = writeln!(text, "\nIt belongs to {entity}: {}", joined(why.belongs));
    text
}

fn line(events: &[WhyEvent], id: EventId) -> String {
    events.iter().find(|event| event.id == id).map(named).unwrap_or_else(|| id.to_string())
}

/// An event in one line: its id, its time, who, and what.
fn named(event: &WhyEvent) -> String {
    let instance = event.instance.as_ref().map(|instance| format!(" ({})", sanitise(instance)));
    let does = match event.kind {
        EventKind::SpanStart => " starts",
        EventKind::SpanEnd => " ends",
        EventKind::SpanEvent | EventKind::Log => "",
    };
    format!(
        "{}  {}  {}{}: {}{does}",
        event.id,
        event.corrected.to_utc().format("%F %T%.6f"),
        sanitise(&event.service),
        instance.unwrap_or_default(),
        sanitise(&event.name),
    )
}

/// The rule by which an event belongs, with the word that the public JSON has for it.
fn joined(belongs: Belongs) -> &'static str {
    match belongs {
        Belongs::Own => "it names it (own)",
        Belongs::Ancestor => "what names it was done within it (ancestor)",
        Belongs::Descendant => "it was done within what names it (descendant)",
        Belongs::Log => "it is a log of a span that is here, or the span of a log that names it (log)",
        Belongs::Trace => "its trace concerns nothing else of the type (trace)",
        Belongs::Link => "a link joins it to what is here (link)",
        Belongs::Message => "a message joins it to what is here (message)",
        Belongs::Rule => "a rule of the configuration says so (rule)",
        Belongs::Related => "it names something related (related)",
    }
}

fn sure(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Causal => "proved by causes",
        Certainty::Clock => "by the clock that they share",
        Certainty::Corrected => "by the proven bounds of their clocks",
        Certainty::Assumed => "by an offset that the configuration declares",
    }
}

/// What bounds B's time minus A's, in words.
fn interval(interval_ns: [Option<i64>; 2]) -> String {
    let time = |ns: i64| duration(ns.unsigned_abs());
    match interval_ns {
        [None, None] => "How far apart they are, nothing says.".to_owned(),
        [Some(low), None] if low >= 0 => format!("B came {} after A, or later.", time(low)),
        [Some(low), None] => format!("B came at most {} before A, or after it.", time(low)),
        [None, Some(high)] if high <= 0 => format!("B came {} before A, or earlier.", time(high)),
        [None, Some(high)] => format!("B came before A, or at most {} after it.", time(high)),
        [Some(low), Some(high)] if low == high && low >= 0 => format!("B came {} after A.", time(low)),
        [Some(low), Some(high)] if low == high => format!("B came {} before A.", time(low)),
        [Some(low), Some(high)] if low >= 0 => format!("B came {} to {} after A.", time(low), time(high)),
        [Some(low), Some(high)] if high <= 0 => format!("B came {} to {} before A.", time(high), time(low)),
        [Some(low), Some(high)] => {
            format!("B came at most {} before A, and at most {} after it.", time(low), time(high))
        }
    }
}

/// Four digits and a unit.
pub(crate) fn duration(ns: u64) -> String {
    let units = [(3_600_000_000_000, "h"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];
    match units.into_iter().find(|(unit, _)| ns >= *unit) {
        Some((unit, name)) => format!("{:.3} {name}", ns as f64 / unit as f64),
        None => format!("{ns} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_said_in_words() {
        for (bounds, words) in [
            ([None, None], "How far apart they are, nothing says."),
            ([Some(900_000), Some(20_000_000)], "B came 900.000 µs to 20.000 ms after A."),
            ([Some(-20), Some(-5)], "B came 5 ns to 20 ns before A."),
            ([Some(0), None], "B came 0 ns after A, or later."),
            ([Some(-5), Some(7)], "B came at most 5 ns before A, and at most 7 ns after it."),
            ([None, Some(-1_500_000_000)], "B came 1.500 s before A, or earlier."),
            ([None, Some(7)], "B came before A, or at most 7 ns after it."),
            ([Some(-7), None], "B came at most 7 ns before A, or after it."),
            ([Some(3), Some(3)], "B came 3 ns after A."),
        ] {
            assert_eq!(interval(bounds), words);
        }
    }
}
