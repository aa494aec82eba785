//! A Mermaid sequence diagram: one participant a process, messages between them, notes for what matters.
//!
//! A participant's lifeline is a line of time, so what happens within one process is a note over it.

use std::fmt::Write as _;

use timeline::document::{Certainty, EventKind, Timeline};

use super::format::Export;
use super::told::Told;
use super::{sanitise, words};

/// More than that nobody can read in such a diagram; Mermaid refuses above 500 messages.
const LINES_MAX: usize = 200;
/// Longer texts are cut.
const TEXT_CHARS_MAX: usize = 160;

/// The diagram.
pub(super) fn mermaid(timeline: &Timeline) -> Export {
    let told = Told::of(timeline);
    let seen = (0..timeline.events.len()).filter(|place| is_drawn(&told, *place)).collect();
    let all = timeline.events.iter().filter(|event| event.folded.is_none()).count();
    let rows = told.weightiest(seen, LINES_MAX);
    let mut text = String::from("sequenceDiagram\n");
    let title = format!("{} {}", words::entity(&timeline.entity), timeline.entity.scope);
    let _ = writeln!(text, "  title {}", label(&title));
    for (process, name) in timeline.processes.iter().zip(&told.names) {
        let _ = writeln!(text, "  participant {} as {}", process.id, label(name));
    }
    if timeline.processes.is_empty() {
        text.push_str("  participant p0 as nobody\n");
    }
    for place in &rows {
        write_event(&mut text, &told, *place);
    }
    write_notes(&mut text, &told);
    let left_out = all - rows.len().min(all);
    let folded = (left_out > 0 && rows.len() == LINES_MAX).then(|| {
        let word = format!(
            "the diagram has the {LINES_MAX} lines that matter most; {left_out} other events are left out (html and svg \
             have more)"
        );
        note_over_all(&mut text, timeline, &word);
        word
    });
    Export { text, folded }
}

/// The ends of spans are drawn only where they say something.
fn is_drawn(told: &Told<'_>, place: usize) -> bool {
    let event = &told.events()[place];
    let says = !event.state.is_empty()
        || !told.gaps(place).is_empty()
        || !told.findings(place).is_empty()
        || arrow(told, place).is_some();
    event.folded.is_none() && (event.kind != EventKind::SpanEnd || says)
}

/// Where the event's cause lies in another process: the sender, and the arrow's form.
fn arrow<'a>(told: &Told<'a>, place: usize) -> Option<(&'a str, &'static str)> {
    let (edge, from) = told.cause(place)?;
    let form = match edge.certainty {
        Certainty::Causal => "->>",
        // Dashed: the order holds, but nothing says that a message went.
        _ => "-->>",
    };
    (from.process != told.events()[place].process).then_some((from.process.as_str(), form))
}

fn write_event(text: &mut String, told: &Told<'_>, place: usize) {
    let event = &told.events()[place];
    let process = told.timeline.processes.get(told.process(event)).map_or("p0", |process| &process.id);
    let unbounded = if event.error_ns.is_none() { "~" } else { "" };
    let time = event.corrected.to_utc().format("%H:%M:%S%.6f");
    let error = event.error_ns.filter(|ns| *ns > 0).map(|ns| format!(" ± {}", words::duration(ns)));
    let time = format!("{unbounded}{time}{}", error.unwrap_or_default());
    let ends = if event.kind == EventKind::SpanEnd { " ends" } else { "" };
    let name = label(&format!("{}{ends}", event.name));
    match arrow(told, place) {
        Some((from, form)) => {
            let why = told.cause(place).map_or("", |(edge, _)| edge.evidence.name());
            let _ = writeln!(text, "  {from}{form}{process}: {name} ({why}, {time})");
        }
        None => {
            let _ = writeln!(text, "  Note over {process}: {name} ({time})");
        }
    }
    let mut note = |what: &str| {
        let _ = writeln!(text, "  Note right of {process}: {}", label(what));
    };
    event.state.iter().for_each(|change| note(&format!("◆ {}", words::change_in_full(change))));
    told.gaps(place).iter().for_each(|gap| note(&format!("╳ {}: {}", words::gap(gap.kind), gap.detail)));
    for finding in told.findings(place).iter().filter_map(|number| told.finding(*number)) {
        note(&format!("⚑ {} ({}): {}", finding.kind, finding.grade, finding.summary));
    }
    let above = place.checked_sub(1).map(|above| told.events()[above].id);
    if above.is_some_and(|above| event.unordered_with.contains(&above)) {
        note("≈ nothing orders it against the event before");
    }
}

/// What concerns no single event.
fn write_notes(text: &mut String, told: &Told<'_>) {
    let timeline = told.timeline;
    for marker in &timeline.markers {
        let known = timeline.processes.iter().find(|process| process.id == marker.process);
        if let Some(process) = known {
            let _ = writeln!(
                text,
                "  Note over {}: {}",
                process.id,
                label(&format!("{} {}", marker.time, marker.detail))
            );
        }
    }
    for gap in told.gaps_of_none() {
        note_over_all(text, timeline, &format!("╳ {}: {}", words::gap(gap.kind), gap.detail));
    }
    for lack in words::lacks(&timeline.completeness) {
        note_over_all(text, timeline, &format!("Not whole: {lack}"));
    }
}

fn note_over_all(text: &mut String, timeline: &Timeline, what: &str) {
    let first = timeline.processes.first().map_or("p0", |process| &process.id);
    let last = timeline.processes.last().map_or("p0", |process| &process.id);
    let over = if first == last { first.to_owned() } else { format!("{first},{last}") };
    let _ = writeln!(text, "  Note over {over}: {}", label(what));
}

/// Text that Mermaid shows and does not obey: letters, digits and a few marks stand, everything else in ASCII
/// is written by its number, `#35;` for `#`.
fn label(text: &str) -> String {
    let text = sanitise(text);
    let cut = text.chars().count() > TEXT_CHARS_MAX;
    let mut label = String::new();
    for char in text.chars().take(TEXT_CHARS_MAX) {
        match char {
            ' ' | '/' | '.' | '_' | '=' | '+' => label.push(char),
            // Two of them begin an arrow.
            '-' if !label.ends_with('-') => label.push(char),
            char if char.is_ascii() && !char.is_ascii_alphanumeric() => {
                let _ = write!(label, "#{};", u32::from(char));
            }
            char => label.push(char),
        }
    }
    if cut {
        label.push('…');
    }
    // An empty text is no label.
    if label.trim().is_empty() { "–".to_owned() } else { label }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::story;

    #[test]
    fn a_story_in_messages() {
        insta::assert_snapshot!(mermaid(&story::whole()).text);
    }

    #[test]
    fn a_label_is_obeyed_in_nothing() {
        assert_eq!(label("a; b#c\nend"), "a#59; b#35;c␊end");
        assert_eq!(label(""), "–");
    }
}
